/*
 * Processes as their relatives see them: ids, groups, sessions, waiting, accounts, priorities, prctl.
 *
 * Above: table.c. Below: proc, and sig for one question. What cannot change behind our back is answered from struct process_state.
 */
#include "fd.h"
#include "linux.h"
#include "signals.h"
#include "string.h"
#include "time.h"
#include "usercopy.h"

#include <proc_client.h>
#include <sig_client.h>

#define WAIT_OPTIONS (L_WNOHANG | L_WUNTRACED | L_WCONTINUED | L_WNOTHREAD | L_WALL | L_WCLONE)
#define TICK_NS (NANOSECONDS / 100)

int64_t sys_getpid(void)
{
	return process.pid;
}

int64_t sys_gettid(void)
{
	return thread_self()->tid;
}

int64_t sys_getppid(void)
{
	uint32_t parent = 0;
	int error = proc_parent(NAME_PROC, &parent);
	return error ? result_of(error) : parent;
}

int64_t sys_getpgid(uint32_t pid)
{
	uint32_t group = 0;
	int error = proc_get_group(NAME_PROC, pid, &group);
	return error ? result_of(error) : group;
}

int64_t sys_getpgrp(void)
{
	return sys_getpgid(0);
}

int64_t sys_getsid(uint32_t pid)
{
	uint32_t session = 0;
	int error = proc_get_session(NAME_PROC, pid, &session);
	return error ? result_of(error) : session;
}

int64_t sys_setpgid(int pid, int group)
{
	if (pid < 0 || group < 0)
		return -EINVAL;
	return result_of(proc_set_group(NAME_PROC, (uint32_t)pid, (uint32_t)group));
}

int64_t sys_setsid(void)
{
	uint32_t session = 0;
	int error = proc_new_session(NAME_PROC, &session);
	return error ? result_of(error) : session;
}

/* ---- waiting ---- */

static void convert_usage(const struct rusage *from, struct linux_rusage *to)
{
	*to = (struct linux_rusage){
		.utime = time_to_timeval(from->user_ns), .stime = time_to_timeval(from->system_ns),
		.maxrss = (int64_t)from->max_rss_kib, .minflt = (int64_t)from->minor_faults,
		.majflt = (int64_t)from->major_faults, .nvcsw = (int64_t)from->voluntary_switches,
		.nivcsw = (int64_t)from->involuntary_switches };
}

/*
 * On Linux SIGCHLD is there before wait returns. Here sig learns of the death beside us: any call to it comes after the news, so
 * a process that catches the signal gets it now and not in the middle of its next call.
 */
static void await_signal(void)
{
	uint64_t handler = signal_actions[L_SIGCHLD - 1].handler;

	if (handler != L_SIG_DFL && handler != L_SIG_IGN)
		sig_kill(NAME_SIG, (int32_t)process.pid, 0);
}

int64_t sys_wait4(int pid, int32_t *status, int options, struct linux_rusage *user_usage)
{
	uint32_t kind = pid == -1 ? PROC_WAIT_KIND_ALL : pid > 0 ? PROC_WAIT_KIND_PID : PROC_WAIT_KIND_GROUP;
	struct proc_wait_result result;
	struct linux_rusage usage;

	if (options & ~WAIT_OPTIONS)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	uint32_t id = pid > 0 ? (uint32_t)pid : pid < -1 ? (uint32_t)-pid : 0;
	int error = proc_wait(NAME_PROC, kind, id, (uint32_t)(options & (L_WNOHANG | L_WUNTRACED | L_WCONTINUED)) | L_WEXITED, &result);
	if (error)
		return result_of(error);
	if (result.pid == 0)
		return 0;
	await_signal();
	if (status && user_put(status, &result.status))
		return -EFAULT;
	convert_usage(&result.usage, &usage);
	if (user_usage && user_put(user_usage, &usage))
		return -EFAULT;
	return result.pid;
}

enum { P_ALL = 0, P_PID = 1, P_PGID = 2, CLD_EXITED = 1 };

/* waitid's si_status is the plain exit code or signal. */
static int32_t plain_status(const struct proc_wait_result *result)
{
	return result->code == CLD_EXITED || result->code >= 4 ? result->status >> 8 & 0xff : result->status & 0x7f;
}

int64_t sys_waitid(int type, int id, struct linux_siginfo *user_info, int options, struct linux_rusage *user_usage)
{
	static const uint32_t kinds[] = { PROC_WAIT_KIND_ALL, PROC_WAIT_KIND_PID, PROC_WAIT_KIND_GROUP };
	struct proc_wait_result result;
	struct linux_siginfo info = { .signo = 0 };
	struct linux_rusage usage;

	if (type < P_ALL || type > P_PGID || (type == P_PID && id <= 0) || (type == P_PGID && id < 0) ||
	    (options & ~(L_WNOHANG | L_WSTOPPED | L_WEXITED | L_WCONTINUED | L_WNOWAIT | L_WNOTHREAD | L_WALL | L_WCLONE)) ||
	    !(options & (L_WSTOPPED | L_WEXITED | L_WCONTINUED)))
		return -EINVAL;
	int error = proc_wait(NAME_PROC, kinds[type], type == P_ALL ? 0 : (uint32_t)id,
			      (uint32_t)options & (uint32_t)~(L_WNOTHREAD | L_WALL | L_WCLONE), &result);
	if (error)
		return result_of(error);
	if (result.pid) {
		await_signal();
		info.signo = L_SIGCHLD;
		info.code = (int32_t)result.code;
		info.u.child.pid = (int32_t)result.pid;
		info.u.child.uid = result.uid;
		info.u.child.status = plain_status(&result);
		convert_usage(&result.usage, &usage);
		if (user_usage && user_put(user_usage, &usage))
			return -EFAULT;
	}
	return user_info ? user_put(user_info, &info) : 0;
}

/* ---- accounts ---- */

int64_t sys_getrusage(int who, struct linux_rusage *user)
{
	struct rusage usage;
	struct linux_rusage converted;
	int error = proc_usage(NAME_PROC, who, &usage);

	if (error)
		return result_of(error);
	convert_usage(&usage, &converted);
	return user_put(user, &converted);
}

int64_t sys_times(struct linux_tms *user)
{
	struct rusage own, children;
	int error = proc_usage(NAME_PROC, 0, &own);

	if (!error)
		error = proc_usage(NAME_PROC, -1, &children);
	if (error)
		return result_of(error);
	struct linux_tms times = {
		(int64_t)(own.user_ns / TICK_NS), (int64_t)(own.system_ns / TICK_NS), (int64_t)(children.user_ns / TICK_NS),
		(int64_t)(children.system_ns / TICK_NS) };
	if (user && user_put(user, &times))
		return -EFAULT;
	return (int64_t)(clock_monotonic() / TICK_NS);
}

static int64_t limit(uint32_t pid, uint32_t resource, const struct linux_rlimit *user_new, struct linux_rlimit *user_old)
{
	enum { RESOURCE_FILES = 7 };
	struct proc_limit value = { 0, 0 }, previous;

	if (user_new && user_get(&value, (const struct proc_limit *)user_new))
		return -EFAULT;
	if (user_new && resource == RESOURCE_FILES && value.maximum > FILE_LIMIT_MAX)
		return -EPERM;
	int error = proc_limit(NAME_PROC, pid, resource, user_new != NULL, &value, &previous);
	if (error)
		return result_of(error);
	if (resource == RESOURCE_FILES && (pid == 0 || pid == process.pid))
		process.file_limit = user_new ? value.current : previous.current;
	return user_old ? user_put((struct proc_limit *)user_old, &previous) : 0;
}

int64_t sys_prlimit64(uint32_t pid, uint32_t resource, const struct linux_rlimit *new, struct linux_rlimit *old)
{
	return limit(pid, resource, new, old);
}

int64_t sys_getrlimit(uint32_t resource, struct linux_rlimit *old)
{
	return limit(0, resource, NULL, old);
}

int64_t sys_setrlimit(uint32_t resource, const struct linux_rlimit *new)
{
	return new ? limit(0, resource, new, NULL) : -EFAULT;
}

/* ---- priorities ---- */

/* The result is shifted so that it is never negative: 20 - nice. */
int64_t sys_getpriority(uint32_t which, uint32_t who)
{
	int32_t nice = 0;
	int error = proc_priority(NAME_PROC, which, who, 0, 0, &nice);
	return error ? result_of(error) : 20 - nice;
}

int64_t sys_setpriority(uint32_t which, uint32_t who, int value)
{
	int32_t nice;
	value = value < -20 ? -20 : value > 19 ? 19 : value;
	return result_of(proc_priority(NAME_PROC, which, who, 1, value, &nice));
}

/* ---- prctl ---- */

enum {
	PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS = 8,
	PR_SET_NAME = 15, PR_GET_NAME = 16, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24, PR_GET_SECUREBITS = 27, PR_SET_TIMERSLACK = 29,
	PR_GET_TIMERSLACK = 30, PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37, PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
};

static uint64_t timer_slack = 50000;

static int64_t kept_by_proc(uint32_t option, uint64_t value, int32_t *user)
{
	uint64_t result = 0;
	int error = proc_control(NAME_PROC, option, value, &result);
	int32_t small = (int32_t)result;

	if (error)
		return result_of(error);
	return user ? user_put(user, &small) : (int64_t)result;
}

static int64_t set_name(const char *user)
{
	char name[16];
	int64_t length = user_string(name, user, sizeof(name));

	if (length == -EFAULT)
		return length;
	name[sizeof(name) - 1] = 0;
	memcpy(process.name, name, sizeof(name));
	return result_of(proc_set_name(NAME_PROC, name));
}

int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b;
	(void)c;
	(void)d;
	switch (option) {
	case PR_SET_NAME:
		return set_name((const char *)a);
	case PR_GET_NAME:
		return user_copy((char *)a, process.name, sizeof(process.name));
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
		return kept_by_proc((uint32_t)option, 0, (int32_t *)a);
	case PR_SET_PDEATHSIG:
	case PR_SET_DUMPABLE:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
	case PR_GET_DUMPABLE:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
		return kept_by_proc((uint32_t)option, a, NULL);
	case PR_SET_TIMERSLACK:
		timer_slack = a ? a : 50000;
		return 0;
	case PR_GET_TIMERSLACK:
		return (int64_t)timer_slack;
	default:
		return -EINVAL;
	}
}

/* ---- the rest ---- */

int64_t sys_umask(uint32_t mask)
{
	uint32_t previous = process.umask;
	process.umask = mask & 0777;
	return previous;
}

int64_t sys_arch_prctl(int code, uint64_t address)
{
	enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };
	uint64_t base;

	switch (code) {
	case SET_FS:
	case SET_GS:
		if (address >= USER_MAX)
			return -EPERM;
		if (code == SET_FS)
			__asm__ volatile("wrfsbase %0" : : "r"(address));
		else
			__asm__ volatile("wrgsbase %0" : : "r"(address));
		return 0;
	case GET_FS:
	case GET_GS:
		if (code == GET_FS)
			__asm__ volatile("rdfsbase %0" : "=r"(base));
		else
			__asm__ volatile("rdgsbase %0" : "=r"(base));
		return user_put((uint64_t *)address, &base);
	default:
		return -EINVAL;
	}
}

int64_t sys_personality(uint32_t persona)
{
	/* Linux's own, and the query; address-space randomisation is not there to be switched off. */
	return persona == 0xffffffff || (persona & 0xff) == 0 ? 0 : -EINVAL;
}

int64_t sys_reboot(uint32_t magic, uint32_t magic2, uint32_t command)
{
	if (magic != 0xfee1dead || (magic2 != 672274793 && magic2 != 85072278 && magic2 != 369367448 && magic2 != 537993216))
		return -EINVAL;
	return result_of(proc_reboot(NAME_PROC, command));
}
