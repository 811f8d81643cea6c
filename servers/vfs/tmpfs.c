/*
 * File systems in memory: tmpfs, devtmpfs and the nameless ones; the table of what each kind can do.
 *
 * Above: the handlers, through the table. Below: vnode.c, directory.c, data.c. Every operation does first what can
 * fail.
 */
#include "vfs.h"

static int tmpfs_create_unnamed(struct file_system *system, const struct new_vnode *what, struct vnode **made)
{
	*made = vnode_new(system, what);
	return *made != NULL ? 0 : ENOSPC;
}

static void set_parent(struct vnode *vnode, struct vnode *parent)
{
	struct vnode *old = vnode->directory.parent;

	vnode_get(parent);
	parent->links++;
	vnode->directory.parent = parent;
	if (old != NULL) {
		old->links--;
		vnode_put(old);
	}
}

static int tmpfs_create(struct vnode *directory, const char *name, size_t length, const struct new_vnode *what,
                        struct vnode **made)
{
	bool is_a_directory = (what->mode & S_IFMT) == S_IFDIR;

	if (is_a_directory && directory->links >= LINKS_MAX)
		return EMLINK;
	struct vnode *vnode = vnode_new(directory->system, what);
	if (vnode == NULL)
		return ENOSPC;
	int error = directory_add(directory, name, length, vnode);
	if (error != 0) {
		vnode_free(vnode);
		return error;
	}
	vnode->links = is_a_directory ? 2 : 1;
	if (is_a_directory)
		set_parent(vnode, directory);
	vnode_modified(directory);
	*made = vnode;
	return 0;
}

static int tmpfs_link(struct vnode *directory, const char *name, size_t length, struct vnode *vnode)
{
	if (vnode->links >= LINKS_MAX)
		return EMLINK;
	int error = directory_add(directory, name, length, vnode);
	if (error != 0)
		return error;
	vnode->links++;
	vnode_changed(vnode);
	vnode_modified(directory);
	return 0;
}

/* The name of this vnode has gone, or goes to another. */
static void lose_name(struct vnode *vnode)
{
	vnode_changed(vnode);
	if (is_directory(vnode)) {
		vnode->links = 0;
		vnode->directory.parent->links--; /* the pointer stays, for ".." of those who are in it */
	} else {
		vnode->links--;
	}
	vnode_drop_unused(vnode);
}

static void tmpfs_remove(struct entry *entry)
{
	struct vnode *directory = entry->directory, *vnode = entry->vnode;

	directory_remove(entry);
	vnode_modified(directory);
	lose_name(vnode);
}

static int tmpfs_rename(struct entry *from, struct vnode *directory, const char *name, size_t length,
                        struct entry *target)
{
	struct vnode *vnode = from->vnode, *source = from->directory, *victim = target != NULL ? target->vnode : NULL;
	bool moves = is_directory(vnode) && source != directory;

	if (moves && directory->links >= LINKS_MAX && (victim == NULL || !is_directory(victim)))
		return EMLINK;
	if (target != NULL) {
		directory_repoint(target, vnode);
	} else {
		int error = directory_add(directory, name, length, vnode);
		if (error != 0)
			return error;
	}
	directory_remove(from);
	vnode_modified(source);
	vnode_modified(directory);
	vnode_changed(vnode);
	if (moves)
		set_parent(vnode, directory);
	if (victim != NULL)
		lose_name(victim);
	return 0;
}

static void tmpfs_exchange(struct entry *a, struct entry *b)
{
	struct vnode *first = a->vnode, *second = b->vnode;

	directory_repoint(a, second);
	directory_repoint(b, first);
	if (a->directory != b->directory) {
		if (is_directory(first))
			set_parent(first, b->directory);
		if (is_directory(second))
			set_parent(second, a->directory);
	}
	vnode_changed(first);
	vnode_changed(second);
	vnode_modified(a->directory);
	vnode_modified(b->directory);
}

#define MEMORY_OPERATIONS                                                                                              \
	.find = directory_find, .create = tmpfs_create, .create_unnamed = tmpfs_create_unnamed, .link = tmpfs_link,    \
	.remove = tmpfs_remove, .rename = tmpfs_rename, .exchange = tmpfs_exchange, .next = directory_next,            \
	.read = data_read, .write = data_write, .truncate = data_truncate, .allocate = data_allocate,                  \
	.seek = data_seek, .map = data_map, .release = vnode_free

const struct file_system_operations file_systems[FILE_SYSTEM_KINDS] = {
        [FILE_SYSTEM_TMPFS] = {.name = "tmpfs", .magic = 0x01021994, MEMORY_OPERATIONS},
        [FILE_SYSTEM_DEVTMPFS] = {.name = "devtmpfs", .magic = 0x01021994, MEMORY_OPERATIONS},
        [FILE_SYSTEM_PROC] = {.name = "proc",
                              .magic = 0x9fa0,
                              .find = directory_find,
                              .next = directory_next,
                              .release = vnode_free},
        [FILE_SYSTEM_PIPE] = {.name = "pipefs",
                              .magic = 0x50495045,
                              .create_unnamed = tmpfs_create_unnamed,
                              .release = vnode_free},
};
