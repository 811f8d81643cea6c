/*
 * Process groups and sessions.
 *
 * POSIX.1-2017 setpgid(), setsid(), getpgid(), getsid(). Who is orphaned and what follows from it is sig's business; it
 * has parents, groups and sessions from the change log.
 */
#include "proc.h"

#include <proc_server.h>

bool group_exists(uint32_t group, uint32_t session)
{
	for (const struct process *p = root->first; p; p = p->next) {
		if (p->group == group && p->session == session)
			return true;
	}
	return false;
}

/* The process that `pid` names to the caller, 0 itself. Zombies are processes. */
static struct process *named_process(struct server_call *call, uint32_t pid)
{
	return pid == 0 ? process_of_principal(call->principal) : process_by_any_id(pid);
}

int proc_serve_get_group(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t *group)
{
	(void)right;
	const struct process *p = named_process(call, pid);
	if (!p)
		return ESRCH;
	*group = p->group;
	return 0;
}

int proc_serve_get_session(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t *session)
{
	(void)right;
	const struct process *p = named_process(call, pid);
	if (!p)
		return ESRCH;
	*session = p->session;
	return 0;
}

int proc_serve_set_group(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t group)
{
	(void)right;
	struct process *caller = process_of_principal(call->principal);
	struct process *p = pid == 0 ? caller : process_by_pid(pid);
	if (group > INT32_MAX)
		return EINVAL;
	if (!caller || !p || (p != caller && p->parent != caller))
		return ESRCH;
	if (p != caller && p->session != caller->session)
		return EPERM;
	if (p != caller && p->executed)
		return EACCES;
	if (p->session == p->pid)
		return EPERM;
	if (group == 0)
		group = p->pid;
	if (group != p->pid && !group_exists(group, caller->session))
		return EPERM;

	if (p->group == group)
		return 0;
	p->group = group;
	if (p->state == PROCESS_ALIVE)
		change_log(p, PROC_CHANGE_KIND_GROUP, 0, 0);
	/* A wait for the old group may have nobody left to wait for. */
	if (p->parent)
		waiters_check(p->parent);
	return 0;
}

int proc_serve_new_session(struct server_call *call, struct proc_right *right, uint32_t *session)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	for (const struct process *q = root->first; q; q = q->next) {
		if (q->group == p->pid)
			return EPERM;
	}
	p->group = p->session = p->pid;
	*session = p->pid;
	change_log(p, PROC_CHANGE_KIND_GROUP, 0, 0);
	if (p->parent)
		waiters_check(p->parent);
	return 0;
}
