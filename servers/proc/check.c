/*
 * The invariants of proc's structures, as a migration must leave them: lists, table and families agree, programs are counted.
 */
#include "proc.h"
#include <portico/server_migration.h>

static bool in_table(const struct proc_root *r, const struct process *process)
{
	const struct process *p = r->bucket[process->pid % PROCESS_BUCKETS];

	while (p != NULL && p != process)
		p = p->hash_next;
	return p != NULL;
}

static const char *check_process(const struct proc_root *r, const struct process *p)
{
	if (p->pid == 0 || p->pid >= PID_MAX || !in_table(r, p))
		return "a process that the table does not know";
	if (p->next != NULL ? p->next->previous != p : r->last != p)
		return "the list of processes is broken";
	for (const struct process *child = p->children; child != NULL; child = child->sibling)
		if (child->parent != p || (child->sibling == NULL && p->last_child != child))
			return "a child of another parent";
	for (const struct thread_id *t = p->threads; t != NULL; t = t->process_next)
		if (t->process != p)
			return "a thread of another process";
	return p->state == PROCESS_ALIVE || p->state == PROCESS_ZOMBIE ? NULL : "a process neither alive nor dead";
}

/* Each program is run by as many as it says. Looked at for the first of them. */
static const char *check_program(const struct proc_root *r, const struct process *first)
{
	uint32_t users = 0;

	if (first->program == NULL)
		return NULL;
	for (const struct process *p = r->first; p != NULL; p = p->next) {
		if (p->program == first->program && users++ == 0 && p != first)
			return NULL;
	}
	return users == first->program->users ? NULL : "a program is not run by as many as it says";
}

static const char *check(const void *state)
{
	const struct proc_root *r = state;
	uint32_t count = 0;

	for (const struct process *p = r->first; p != NULL; p = p->next) {
		if (++count > r->process_count)
			return "more processes than were counted";
		const char *wrong = check_process(r, p);
		wrong = wrong != NULL ? wrong : check_program(r, p);
		if (wrong != NULL)
			return wrong;
	}
	return count == r->process_count ? NULL : "fewer processes than were counted";
}

SERVER_CHECK(check);
