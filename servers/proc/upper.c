/*
 * What sig asks of proc: rights to interrupt, and death, stop and go on of other processes; and what tty tells it,
 * which terminal is whose. Server badges only.
 *
 * Routines in here never park: sig and tty wait for them in their own handlers.
 */
#include "kernel_ops.h"
#include "proc.h"

#include <proc_server.h>

static struct process *alive(uint32_t pid)
{
	struct process *p = process_by_pid(pid);
	return p && p->state == PROCESS_ALIVE ? p : NULL;
}

int proc_serve_interrupt_right(struct server_call *call, struct proc_right *right, uint32_t pid,
                               struct server_port *task)
{
	(void)call;
	if (!right->server)
		return EACCES;
	const struct process *p = alive(pid);
	if (!p)
		return ESRCH;
	int64_t copy = kernel_right_copy(p->task, RIGHT_INTERRUPT | RIGHT_INFO);
	if (copy < 0)
		return kern_errno(copy);
	/* The reply copies it after the commit's operations; our copy goes with those of the next such request. */
	server_release_right(root->lent);
	root->lent = (port_name_t)copy;
	task->name = root->lent;
	return 0;
}

int proc_serve_kill(struct server_call *call, struct proc_right *right, uint32_t pid, int32_t status)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct process *p = alive(pid);
	if (!p)
		return ESRCH;
	process_die(p, status & 0xff);
	return 0;
}

int proc_serve_stop(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t signal)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct process *p = alive(pid);
	if (!p)
		return ESRCH;
	if (p->stopped)
		return 0;
	kernel_task_suspend(p->task);
	p->stopped = true;
	p->stop_signal = signal & 0x7f;
	p->stop_reported = p->continued = false;
	change_log(p, PROC_CHANGE_KIND_STOPPED, (int32_t)(p->stop_signal << 8 | 0x7f), p->exit_signal);
	if (p->parent)
		waiters_check(p->parent);
	return 0;
}

int proc_serve_resume(struct server_call *call, struct proc_right *right, uint32_t pid)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct process *p = alive(pid);
	if (!p)
		return ESRCH;
	if (!p->stopped)
		return 0;
	p->stopped = false;
	p->continued = true;
	p->continue_reported = false;
	change_log(p, PROC_CHANGE_KIND_CONTINUED, 0xffff, p->exit_signal);
	kernel_task_resume(p->task);
	if (p->parent)
		waiters_check(p->parent);
	return 0;
}

const struct terminal *terminal_of_session(uint32_t session)
{
	for (uint32_t i = 0; session != 0 && i < TERMINALS_MAX; i++) {
		if (root->terminal[i].session == session)
			return &root->terminal[i];
	}
	return NULL;
}

/* The device's record, or a free one. */
static struct terminal *terminal_record(uint32_t device)
{
	struct terminal *free = NULL;
	for (uint32_t i = 0; i < TERMINALS_MAX; i++) {
		struct terminal *t = &root->terminal[i];
		if (t->device == device)
			return t;
		if (t->device == 0 && !free)
			free = t;
	}
	return free;
}

int proc_serve_terminal(struct server_call *call, struct proc_right *right, uint32_t device, uint32_t session,
                        uint32_t group)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct terminal *t = terminal_record(device);
	if (!t)
		return ENOSPC;
	*t = (struct terminal){.device = device, .session = session, .group = group};
	return 0;
}
