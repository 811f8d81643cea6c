/*
 * wait4 and waitid: which child, what to tell, and parking until there is something.
 *
 * POSIX.1-2017 wait(), waitid(); Linux's __WALL and __WCLONE.
 */
#include "proc.h"

#include <portico/strings.h>
#include <proc_server.h>

#define OPTIONS_KNOWN                                                                                                  \
	(WAIT_NO_HANG | WAIT_STOPPED | WAIT_EXITED | WAIT_CONTINUED | WAIT_NO_WAIT | WAIT_NO_THREAD |                  \
	 WAIT_ALL_CHILDREN | WAIT_CLONE)

/* What a wait asks for. */
struct question {
	uint32_t kind, id, options;
};

static bool is_meant(const struct process *child, const struct question *q)
{
	if (q->kind == PROC_WAIT_KIND_PID && child->pid != q->id)
		return false;
	if (q->kind == PROC_WAIT_KIND_GROUP && child->group != q->id)
		return false;
	bool clone = child->exit_signal != SIGNAL_CHILD;
	return (q->options & WAIT_ALL_CHILDREN) || clone == ((q->options & WAIT_CLONE) != 0);
}

static void tell(struct process *child, uint32_t code, int32_t status, struct proc_wait_result *result)
{
	memset(result, 0, sizeof(*result));
	result->pid = child->pid;
	result->uid = child->cred.uid;
	result->code = code;
	result->status = status;
	result->usage = child->usage;
	if (child->state == PROCESS_ALIVE)
		task_usage(child->task, &result->usage);
}

static uint32_t death_code(int32_t status)
{
	if ((status & 0x7f) == 0)
		return CLD_EXITED;
	return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* Tells of a dead child, which is gone then unless WNOWAIT is set. */
static void tell_death(struct process *parent, struct process *child, uint32_t options, struct proc_wait_result *result)
{
	tell(child, death_code(child->status), child->status, result);
	/* The caller's usage of children covers those that they waited for; what is told is the child's own. */
	usage_add(&result->usage, &child->children_usage);
	if (options & WAIT_NO_WAIT)
		return;
	usage_add(&parent->children_usage, &child->usage);
	usage_add(&parent->children_usage, &child->children_usage);
	usage_add(&root->dead_usage, &child->usage);
	process_destroy(child);
}

/* Has this child something to tell? Tells it. */
static bool ask_child(struct process *parent, struct process *child, uint32_t options, struct proc_wait_result *result)
{
	if (child->state == PROCESS_ZOMBIE) {
		if (!(options & WAIT_EXITED))
			return false;
		tell_death(parent, child, options, result);
		return true;
	}
	bool keep = (options & WAIT_NO_WAIT) != 0;
	if ((options & WAIT_STOPPED) && child->stopped && !child->stop_reported) {
		child->stop_reported = !keep;
		tell(child, CLD_STOPPED, (int32_t)(child->stop_signal << 8 | 0x7f), result);
		return true;
	}
	if ((options & WAIT_CONTINUED) && child->continued && !child->continue_reported) {
		child->continue_reported = !keep;
		tell(child, CLD_CONTINUED, 0xffff, result);
		return true;
	}
	return false;
}

/* 0: result is filled; EAGAIN: there are such children, but nothing to tell; ECHILD. */
static int ask(struct process *parent, const struct question *q, struct proc_wait_result *result)
{
	bool any = false;
	struct process *next;
	for (struct process *child = parent->children; child; child = next) {
		next = child->sibling;
		if (!is_meant(child, q))
			continue;
		if (ask_child(parent, child, q->options, result))
			return 0;
		/* A zombie that is not asked for will never tell anything else. */
		any |= child->state == PROCESS_ALIVE || (q->options & WAIT_EXITED);
	}
	return any ? EAGAIN : ECHILD;
}

static int park(struct server_call *call, struct process *p, const struct question *q)
{
	struct waiter *w = keep_allocate(sizeof(*w));
	if (!w)
		return ENOMEM;
	int result = server_park(call, &w->reply);
	if (result != SERVER_PARKED) {
		keep_free(w);
		return result;
	}
	w->kind = q->kind;
	w->id = q->id;
	w->options = q->options;
	/* First come, first served. */
	struct waiter **link = &p->waiters;
	while (*link)
		link = &(*link)->next;
	*link = w;
	return SERVER_PARKED;
}

int proc_serve_wait(struct server_call *call, struct proc_right *right, uint32_t kind, uint32_t id, uint32_t options,
                    struct proc_wait_result *result)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if ((options & ~OPTIONS_KNOWN) || !(options & (WAIT_EXITED | WAIT_STOPPED | WAIT_CONTINUED)))
		return EINVAL;
	struct question q = {.kind = kind, .id = id, .options = options};
	if (kind == PROC_WAIT_KIND_GROUP && id == 0)
		q.id = p->group;
	int error = ask(p, &q, result);
	if (error != EAGAIN)
		return error;
	if (options & WAIT_NO_HANG) {
		memset(result, 0, sizeof(*result));
		return 0;
	}
	return park(call, p, &q);
}

static void answer(struct waiter **link, int error, const struct proc_wait_result *result)
{
	struct waiter *w = *link;
	*link = w->next;
	proc_reply_wait(&w->reply, error, result);
	keep_free(w);
}

void waiters_check(struct process *parent)
{
	struct waiter **link = &parent->waiters;
	while (*link) {
		struct waiter *w = *link;
		struct question q = {.kind = w->kind, .id = w->id, .options = w->options};
		struct proc_wait_result result;
		memset(&result, 0, sizeof(result));
		int error = ask(parent, &q, &result);
		if (error == EAGAIN)
			link = &w->next;
		else
			answer(link, error, &result);
	}
}

void waiters_drop(struct process *p)
{
	struct proc_wait_result none;
	memset(&none, 0, sizeof(none));
	while (p->waiters)
		answer(&p->waiters, EINTR, &none);
}

/* A parked caller was interrupted or is dead: of wait here, of fork (vfork) too. */
void wait_cancelled(uint64_t request, bool died)
{
	struct proc_wait_result none;
	memset(&none, 0, sizeof(none));
	for (struct process *p = root->first; p; p = p->next) {
		for (struct waiter **link = &p->waiters; *link; link = &(*link)->next) {
			if ((*link)->reply.request == request) {
				answer(link, EINTR, &none);
				return;
			}
		}
		if (died && p->vfork.name != PORT_NULL && p->vfork.request == request) {
			server_reply_error(&p->vfork, EINTR);
			return;
		}
	}
}
