/*
 * The invariants of sig's structures, as a migration must leave them: records and sessions know each other, queues are as long as they say, armed
 * timers are ordered and belong to a process.
 */
#include "sig.h"
#include <portico/server_migration.h>

static const char *check_process(const struct process *p)
{
	const struct pending *last = NULL;
	uint32_t queued = 0;

	for (const struct pending *q = p->first; q != NULL; last = q, q = q->next)
		if (q->info.signal < 1 || q->info.signal > (int32_t)SIGNALS || ++queued > p->queued)
			return "a queue of signals that is longer than it says";
	if (last != p->last || queued != p->queued)
		return "a queue of signals that is shorter than it says";
	for (uint32_t i = 0; i < 3; i++)
		if (p->interval[i].process != p)
			return "an interval timer of another process";
	for (const struct timer *t = p->timers; t != NULL; t = t->next)
		if (t->process != p || t->id < 0)
			return "a timer of another process";
	return NULL;
}

static const char *check(const void *state)
{
	const struct sig_root *r = state;
	uint64_t due = 0;

	for (const struct server_session *s = r->sessions.first; s != NULL; s = s->next) {
		const struct process *p = s->own;

		if (p != NULL && p->session != s)
			return "a process of another session record";
		const char *wrong = p != NULL ? check_process(p) : NULL;
		if (wrong != NULL)
			return wrong;
	}
	for (const struct timer *t = r->armed; t != NULL; due = t->due, t = t->next_armed)
		if (!t->armed || t->due < due || t->process->session->own != t->process)
			return "the armed timers are not in order";
	return r->self != PORT_NULL ? NULL : "no right to notify sig itself";
}

SERVER_CHECK(check);
