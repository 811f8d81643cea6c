/*
 * The invariants of vfs's structures, as a migration must leave them: open files and their slots, waiters, mounts, sessions, vnodes that are open.
 */
#include "vfs.h"
#include <portico/server_migration.h>

#define MANY 1000000u /* a list that is longer goes in a circle */

static const char *check_files(const struct vfs_state *v)
{
	uint32_t open = 0;

	for (uint32_t slot = 0; slot < v->file_slots; slot++) {
		const struct open_file *file = v->file[slot];

		if (file == NULL)
			continue;
		open++;
		if ((uint32_t)file->badge != slot || file->badge >> 32 != v->generation[slot])
			return "an open file is not what its slot says";
		if (file->references == 0 || file->place.vnode == NULL || file->place.vnode->system == NULL)
			return "an open file without a vnode or a reference";
	}
	return open == v->files_open ? NULL : "the open files are not as many as were counted";
}

static const char *check_waiters(const struct vfs_state *v)
{
	for (uint32_t i = 0; i < WAIT_BUCKETS; i++)
		for (const struct waiter *w = v->waiting[i]; w != NULL; w = w->next_request) {
			uint32_t slot = (uint32_t)w->file->badge;

			if (w->request % WAIT_BUCKETS != i || w->kind > WAIT_LOCK || w->queue == NULL)
				return "a waiter that waits for nothing";
			if (slot >= v->file_slots || v->file[slot] != w->file)
				return "a waiter without its open file";
			if (w->previous == NULL ? w->queue->first != w : w->previous->next != w)
				return "a waiter that is not in its queue";
		}
	return NULL;
}

static const char *check_mounts(const struct vfs_state *v)
{
	uint32_t count = 0;

	for (const struct mount *m = v->mounts; m != NULL; m = m->next)
		if (m->system == NULL || m->root == NULL || ++count > MANY)
			return "a mount without a file system";
	for (const struct file_system *s = v->systems; s != NULL; s = s->next)
		if (s->kind == FILE_SYSTEM_NONE || s->kind >= FILE_SYSTEM_KINDS || ++count > MANY)
			return "a file system of an unknown kind";
	return v->root.mount != NULL && v->root.vnode != NULL ? NULL : "the name space has no root";
}

static const char *check_sessions(const struct vfs_state *v)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SESSION_BUCKETS; i++)
		for (const struct session *s = v->session[i]; s != NULL; s = s->next)
			if (s->root.vnode == NULL || s->root.mount == NULL || ++count > MANY)
				return "a session without a root";
	return NULL;
}

static const char *check(const void *state)
{
	const char *wrong = check_files(state);

	wrong = wrong != NULL ? wrong : check_waiters(state);
	wrong = wrong != NULL ? wrong : check_mounts(state);
	return wrong != NULL ? wrong : check_sessions(state);
}

SERVER_CHECK(check);
