/*
 * Processes as ipcd knows them: what they have attached, what is to be undone at their end, and what follows from births, execs and deaths.
 */
#include "ipcd.h"

struct process *process_record(struct server_session *session)
{
	if (session->own != NULL)
		return session->own;
	server_promote();
	struct process *p = keep_allocate(sizeof(*p));
	if (p != NULL) {
		p->session = session;
		session->own = p;
	}
	return p;
}

/* status: the pid that forked it. It may have had attachments that another parent (CLONE_PARENT) has not. */
static void born(const struct proc_change *change, struct server_session *session)
{
	const struct server_session *parent = sessions_by_pid(&root->sessions, (uint32_t)change->status);
	const struct process *from = parent != NULL ? parent->own : NULL;

	if (from == NULL || from->attached == NULL)
		return;
	struct process *p = process_record(session);
	if (p != NULL)
		shm_inherit(from, p);
	else
		server_log("ipcd: no memory for process %u: its attachments are not counted", session->pid);
}

static void died(struct process *p)
{
	undo_apply(p);
	shm_leave(p);
	p->session->own = NULL;
	keep_free(p);
}

void session_changed(const struct proc_change *change, struct server_session *session)
{
	struct process *p = session->own;

	if (change->kind == PROC_CHANGE_KIND_BIRTH)
		born(change, session);
	if (change->kind == PROC_CHANGE_KIND_DEATH || change->kind == PROC_CHANGE_KIND_EXEC)
		mq_leave(session->pid);
	if (p == NULL)
		return;
	switch (change->kind) {
	case PROC_CHANGE_KIND_DEATH:
		died(p);
		break;
	case PROC_CHANGE_KIND_EXEC:
		shm_leave(p);
		p->authority.known = false;
		break;
	case PROC_CHANGE_KIND_CREDENTIALS:
		p->authority.known = false;
		break;
	default:
		break;
	}
}
