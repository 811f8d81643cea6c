/*
 * Processes became larger (or smaller again): see edits.py. Session records point to them, and timers; interval timers lie in them, and are in the list of
 * armed ones.
 */
#include "sig.h"
#include "was.h"
#include "convert.h"
#include <stddef.h>

/* Where a timer is now. One that lies in a process went with it. */
static struct timer *timer_now(struct timer *timer)
{
	if (timer == NULL)
		return NULL;
	const struct was_timer *from = migration_old(timer);
	if (from->id >= 0)
		return timer;
	const char *first = (const char *)from->process + offsetof(struct was_process, interval);
	struct process *p = migration_placed(from->process);
	return &p->interval[((const char *)timer - first) / (ptrdiff_t)sizeof(struct was_timer)];
}

static void follow(struct timer *timer, struct process *p)
{
	timer->process = p;
	timer->next_armed = timer_now(timer->next_armed);
}

static int move_process(struct server_session *s)
{
	struct process *now = migration_place(s->own, sizeof(*now));

	if (now == NULL)
		return ENOMEM;
	convert_process(now, migration_old(s->own));
	s->own = now;
	return 0;
}

int migrate_layout(void *state)
{
	struct sig_root *r = state;
	int error = 0;

	for (struct server_session *s = r->sessions.first; s != NULL && error == 0; s = s->next)
		if (s->own != NULL)
			error = move_process(s);
	if (error != 0)
		return error;
	for (struct server_session *s = r->sessions.first; s != NULL; s = s->next) {
		struct process *p = s->own;

		for (unsigned i = 0; p != NULL && i < 3; i++)
			follow(&p->interval[i], p);
		for (struct timer *t = p != NULL ? p->timers : NULL; t != NULL; t = t->next)
			follow(t, p);
	}
	r->armed = timer_now(r->armed);
	return 0;
}

SERVER_MIGRATION(WAS_LAYOUT, migrate_layout);
