/*
 * kill, tgkill, rt_sigqueueinfo, and what processes do with their own pending signals.
 *
 * POSIX.1-2017 kill(), sigqueue(); man 2 kill, tgkill, rt_sigqueueinfo for what Linux adds.
 */
#include "sig.h"

#include <portico/strings.h>
#include <proc_client.h>
#include <sig_server.h>

#define CAPABILITY_KILL 5u

/* May a process with session record `from` send `signal` to `to`? */
static bool may_signal(const struct server_session *from, const struct server_session *to, uint32_t signal)
{
	if (from == to || from->euid == to->suid || from->euid == to->uid || from->uid == to->suid ||
	    from->uid == to->uid)
		return true;
	if (signal == SIGNAL_CONTINUE && from->session == to->session)
		return true;
	struct credentials cred;
	if (proc_credentials_of(root->sessions.proc, from->principal, &cred) != 0)
		return false;
	return (cred.cap_effective >> CAPABILITY_KILL & 1) != 0;
}

static struct sig_signal_info info_from(const struct server_session *from, uint32_t signal, int32_t code)
{
	return (struct sig_signal_info){
	        .signal = (int32_t)signal,
	        .code = code,
	        .pid = from->pid,
	        .uid = from->uid,
	};
}

/* Permission, then generation; signal 0 only checks. */
static int send(const struct server_session *from, struct process *to, uint32_t tid, const struct sig_signal_info *info)
{
	if (!may_signal(from, to->session, (uint32_t)info->signal))
		return EPERM;
	return info->signal == 0 ? 0 : generate(to, tid, info, 0);
}

/* The process is dead, but its parent has not waited for it: sending works and does nothing. */
static bool is_zombie(uint32_t pid)
{
	uint32_t session;
	return proc_get_session(root->sessions.proc, pid, &session) == 0;
}

static int send_to_pid(const struct server_session *from, uint32_t pid, const struct sig_signal_info *info)
{
	struct process *to = process_by_pid(pid);
	if (to)
		return send(from, to, 0, info);
	return is_zombie(pid) ? 0 : ESRCH;
}

/* All but pid 1 and the caller. Linux: no error if there was anybody, whoever may not be signalled. */
static int send_to_all(const struct server_session *from, const struct sig_signal_info *info)
{
	int result = ESRCH;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		if (!s->own || s->pid == 1 || s == from)
			continue;
		int error = send(from, s->own, 0, info);
		if (result == ESRCH)
			result = 0;
		if (error && error != EPERM)
			result = error;
	}
	return result;
}

/* One success is enough; else the last error. */
static int send_to_group(const struct server_session *from, uint32_t group, const struct sig_signal_info *info)
{
	int result = ESRCH;
	bool sent = false;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		if (!s->own || s->group != group)
			continue;
		result = send(from, s->own, 0, info);
		sent |= result == 0;
	}
	return sent ? 0 : result;
}

int generate_group(uint32_t group, uint32_t session, const struct sig_signal_info *info)
{
	int result = ESRCH;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		if (!s->own || s->group != group || (session != 0 && s->session != session))
			continue;
		generate(s->own, 0, info, 0);
		result = 0;
	}
	return result;
}

int sig_serve_kill(struct server_call *call, struct sig_right *right, int32_t pid, uint32_t signal)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (signal > SIGNALS)
		return EINVAL;
	struct sig_signal_info info = info_from(p->session, signal, CODE_USER);
	if (pid > 0)
		return send_to_pid(p->session, (uint32_t)pid, &info);
	if (pid == -1)
		return send_to_all(p->session, &info);
	if (pid == INT32_MIN)
		return ESRCH;
	return send_to_group(p->session, pid == 0 ? p->session->group : (uint32_t)-pid, &info);
}

/* The process that the thread belongs to; group 0: any process. Before libposix has written its slots, the first thread
 * is known by its pid. */
static struct process *process_of_thread(uint32_t group, uint32_t tid)
{
	struct process *p = group ? process_by_pid(group) : process_by_pid(tid);
	if (p && (p->session->pid == tid || thread_slot(p, tid) >= 0))
		return p;
	if (group)
		return NULL;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		if (s->own && thread_slot(s->own, tid) >= 0)
			return s->own;
	}
	return NULL;
}

int sig_serve_thread_kill(struct server_call *call, struct sig_right *right, int32_t group, int32_t tid,
                          uint32_t signal)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (tid <= 0 || group < 0 || signal > SIGNALS)
		return EINVAL;
	struct process *to = process_of_thread((uint32_t)group, (uint32_t)tid);
	if (!to)
		return ESRCH;
	struct sig_signal_info info = info_from(p->session, signal, CODE_THREAD_KILL);
	return send(p->session, to, (uint32_t)tid, &info);
}

int sig_serve_queue(struct server_call *call, struct sig_right *right, int32_t pid, int32_t tid,
                    const struct sig_signal_info *info)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (info->signal < 0 || (uint32_t)info->signal > SIGNALS || pid <= 0 || tid < 0)
		return EINVAL;
	/* Nobody may pretend to be the kernel, or kill() of somebody else. */
	if ((info->code >= 0 || info->code == CODE_THREAD_KILL) && (uint32_t)pid != p->session->pid)
		return EPERM;
	struct sig_signal_info copy = *info;
	if (tid == 0)
		return send_to_pid(p->session, (uint32_t)pid, &copy);
	struct process *to = process_of_thread((uint32_t)pid, (uint32_t)tid);
	return to ? send(p->session, to, (uint32_t)tid, &copy) : ESRCH;
}

int sig_serve_take(struct server_call *call, struct sig_right *right, uint32_t slot, uint64_t set,
                   struct sig_signal_info *info)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	uint32_t tid = 0;
	if (p->pages.page && slot < THREAD_SLOTS)
		tid = shared32(&p->pages.page->thread[slot].tid);
	struct pending taken;
	if (!queue_take(p, tid, set, &taken)) {
		if (slot < THREAD_SLOTS) /* what the process has scribbled over its words is put right */
			queue_distrust(p, slot);
		queue_mirror(p);
		return EAGAIN;
	}
	*info = taken.info;
	if (taken.timer != 0)
		timer_taken(p, taken.timer - 1, info);
	return 0;
}

int sig_serve_discard(struct server_call *call, struct sig_right *right, uint64_t set)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	queue_discard(p, set);
	return 0;
}

int sig_serve_stop(struct server_call *call, struct sig_right *right, uint32_t signal)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (signal == 0 || signal > SIGNALS || !(SIGNAL_BIT(signal) & SIGNALS_STOPPING))
		return EINVAL;
	if (p->session->pid == 1)
		return 0;
	if (signal != SIGNAL_STOP && group_is_orphaned(p->session->group, NULL))
		return 0;
	/* A continuation that came after the stop signal was taken wins. */
	for (const struct pending *q = p->first; q; q = q->next) {
		if (q->info.signal == SIGNAL_CONTINUE)
			return 0;
	}
	/* The task is suspended now; the caller gets this answer, and goes on, when it is resumed. */
	return proc_stop(root->sessions.proc, p->session->pid, signal);
}
