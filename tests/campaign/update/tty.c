/*
 * Open files became larger (or smaller again), the root structure has another field at its end: see edits.py. The same function goes both ways.
 * Open files are found by badge; terminals, waiters and each other point to them.
 */
#include "tty.h"
#include "was.h"
#include "convert.h"

static int move_files(struct open_file *first)
{
	/* The old record tells the next one: the new one may lie in its place already. */
	for (struct open_file *f = first, *next; f != NULL; f = next) {
		const struct was_open_file *from = migration_old(f);
		struct open_file *now = migration_place(f, sizeof(*now));

		if (now == NULL)
			return ENOMEM;
		convert_open_file(now, from);
		next = now->next;
	}
	return 0;
}

static void follow(struct open_file **link, struct waiter *waiters)
{
	*link = migration_now(*link);
	for (struct waiter *w = waiters; w != NULL; w = w->next)
		w->file = migration_now(w->file);
}

int migrate_layout(void *root)
{
	struct tty *t = migration_root(sizeof(*t));
	int error = 0;

	if (t == NULL)
		return ENOMEM;
	convert_tty(t, migration_old(root));
	for (uint32_t i = 0; i < FILE_BUCKETS && error == 0; i++)
		error = move_files(t->bucket[i]);
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < FILE_BUCKETS; i++) {
		follow(&t->bucket[i], NULL);
		for (struct open_file *f = t->bucket[i]; f != NULL; f = f->next) {
			follow(&f->next, NULL);
			follow(&f->next_file, NULL);
		}
	}
	for (uint32_t i = 0; i < TERMINALS; i++) {
		follow(&t->terminal[i].files, t->terminal[i].readers);
		follow(&t->terminal[i].files, t->terminal[i].writers);
		follow(&t->terminal[i].files, t->terminal[i].drainers);
	}
	return 0;
}

SERVER_MIGRATION(WAS_LAYOUT, migrate_layout);
