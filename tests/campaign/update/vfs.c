/*
 * Open files became larger (or smaller again), the root structure has other fields: see edits.py. The same function goes both ways.
 * Open files are found by slot; waiters point to them, too.
 */
#include "vfs.h"
#include "was.h"
#include "convert.h"

static int move_files(struct vfs_state *v)
{
	for (uint32_t slot = 0; slot < v->file_slots; slot++) {
		struct open_file *file = v->file[slot], *now;

		if (file == NULL)
			continue;
		now = migration_place(file, sizeof(*now));
		if (now == NULL)
			return ENOMEM;
		convert_open_file(now, migration_old(file));
		v->file[slot] = now;
	}
	return 0;
}

int migrate_layout(void *root)
{
	struct vfs_state *v = migration_root(sizeof(*v));

	if (v == NULL)
		return ENOMEM;
	convert_vfs_state(v, migration_old(root));
	int error = move_files(v);
	for (uint32_t i = 0; i < WAIT_BUCKETS && error == 0; i++)
		for (struct waiter *w = v->waiting[i]; w != NULL; w = w->next_request)
			w->file = migration_now(w->file);
	return error;
}

SERVER_MIGRATION(WAS_LAYOUT, migrate_layout);
