/*
 * Handlers of idl/vfs.idl that make, move and remove names. Each resolves first, then checks everything in Linux's
 * order of errors, then does one operation of the file system.
 */
#include "serve.h"
#include <portico/net_badge.h>

/* ---- making ---- */

/* The walk ended where a new name is to be. `directory`: the new file is one, and slashes may follow its name. */
static int check_new(const struct walk *walk, bool directory)
{
	if (walk->place.vnode != NULL || walk->last != LAST_NAME)
		return EEXIST;
	if (walk->slash && !directory)
		return ENOENT;
	int error = may_create(walk->who, walk->parent);
	if (error == 0 && operations(walk->parent.vnode)->create == NULL)
		error = EPERM;
	return error;
}

/* A walk to a name that is to be made finds an object beyond a mount point, too: EEXIST. */
static int walk_new(struct walk *walk, const struct session *who, const struct open_file *base, const char *path)
{
	return walk_path(walk, who, base, path, WALK_LAST | WALK_LOCAL);
}

static int make_vnode(struct server_call *call, const struct open_file *base, const char *path, struct new_vnode what, struct vnode **made)
{
	const struct session *who = session_of(call);
	struct walk walk;

	if (who == NULL)
		return EPERM;
	int error = walk_new(&walk, who, base, path);
	if (error == 0)
		error = check_new(&walk, (what.mode & S_IFMT) == S_IFDIR);
	if (error != 0)
		return error;
	struct new_vnode final = new_vnode_in(who, walk.parent.vnode, what.mode);
	final.rdevice = what.rdevice;
	final.target = what.target;
	return operations(walk.parent.vnode)->create(walk.parent.vnode, walk.name, walk.length, &final, made);
}

static int make(struct server_call *call, const struct open_file *base, const char *path, struct new_vnode what)
{
	struct vnode *made;

	return make_vnode(call, base, path, what, &made);
}

int vfs_serve_make_directory(struct server_call *call, struct open_file *object, const char *path, uint32_t mode)
{
	return make(call, object, path, (struct new_vnode){.mode = S_IFDIR | (mode & 01777)});
}

int vfs_serve_make_node(struct server_call *call, struct open_file *object, const char *path, uint32_t mode,
                        uint64_t device)
{
	const struct session *who = session_of(call);
	uint32_t type = mode & S_IFMT;

	if (who == NULL)
		return EPERM;
	switch (type) {
	case 0:
		type = S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (!capable(who, CAP_MKNOD))
			return EPERM;
		break;
	case S_IFDIR:
		return EPERM;
	default:
		return EINVAL;
	}
	return make(call, object, path,
	            (struct new_vnode){.mode = type | (mode & MODE_BITS),
	                               .rdevice = type == S_IFCHR || type == S_IFBLK ? device : 0});
}

/* The number is this file's for good: sockets are not found by inodes, which are used again. */
int vfs_serve_make_socket(struct server_call *call, struct open_file *object, const char *path, uint32_t mode, struct server_port *name)
{
	port_name_t net = net_server();
	struct vnode *made;

	if (net == PORT_NULL)
		return ENXIO;
	int error = make_vnode(call, object, path, (struct new_vnode){.mode = S_IFSOCK | (mode & MODE_BITS)}, &made);
	if (error != 0)
		return error;
	made->socket = ++vfs->sockets;
	name->name = net;
	name->badge = NET_BADGE(NET_BADGE_NEW_FILE, made->socket);
	return 0;
}

int vfs_serve_make_symlink(struct server_call *call, struct open_file *object, const char *target, const char *path)
{
	if (target[0] == 0)
		return ENOENT;
	return make(call, object, path, (struct new_vnode){.mode = S_IFLNK | 0777, .target = target});
}

/* ---- link ---- */

static int check_link(const struct walk *from, const struct walk *to)
{
	const struct vnode *vnode = from->place.vnode;
	int error = check_new(to, false);

	if (error == EEXIST)
		return error;
	if (from->place.mount != to->parent.mount || vnode->system != to->parent.vnode->system)
		return EXDEV;
	if (error != 0)
		return error;
	if (is_directory(vnode))
		return EPERM;
	/* A file whose last name is gone stays gone; one that never had a name (O_TMPFILE) may get one. */
	if (vnode->links == 0 && (vnode->names != NULL || from->length != 0))
		return ENOENT;
	return operations(to->parent.vnode)->link == NULL ? EPERM : 0;
}

int vfs_serve_link(struct server_call *call, struct open_file *object, const char *path, port_name_t *to,
                   const char *to_path, uint32_t flags)
{
	const struct session *who = session_of(call);
	const struct open_file *to_base = file_of_right(*to);
	struct walk from, target;

	if (who == NULL)
		return EPERM;
	int error = walk_path(&from, who, object, path, walk_flags_of(flags));
	if (error != 0)
		return error;
	if (to_base == NULL)
		return EXDEV;
	error = walk_new(&target, who, to_base, to_path);
	if (error == 0)
		error = check_link(&from, &target);
	if (error != 0)
		return error;
	return operations(target.parent.vnode)->link(target.parent.vnode, target.name, target.length, from.place.vnode);
}

/* ---- unlink, rmdir ---- */

static int check_remove_directory(const struct walk *walk)
{
	static const int wrong[] = {[LAST_DOT] = EINVAL, [LAST_DOT_DOT] = ENOTEMPTY, [LAST_ROOT] = EBUSY};

	if (walk->last != LAST_NAME)
		return wrong[walk->last];
	if (walk->entry == NULL)
		return ENOENT;
	const struct vnode *victim = walk->entry->vnode;
	int error = may_remove(walk->who, walk->parent, victim);
	if (error != 0)
		return error;
	if (!is_directory(victim))
		return ENOTDIR;
	if (victim->mounts != 0)
		return EBUSY;
	return victim->directory.count != 0 ? ENOTEMPTY : 0;
}

static int check_unlink(const struct walk *walk)
{
	if (walk->last != LAST_NAME)
		return EISDIR;
	if (walk->entry == NULL)
		return ENOENT;
	const struct vnode *victim = walk->entry->vnode;
	if (walk->slash)
		return is_directory(victim) ? EISDIR : ENOTDIR;
	int error = may_remove(walk->who, walk->parent, victim);
	if (error != 0)
		return error;
	if (is_directory(victim))
		return EISDIR;
	return victim->mounts != 0 ? EBUSY : 0;
}

int vfs_serve_remove(struct server_call *call, struct open_file *object, const char *path, uint32_t flags)
{
	const struct session *who = session_of(call);
	struct walk walk;

	if (who == NULL)
		return EPERM;
	int error = walk_path(&walk, who, object, path, WALK_LAST | WALK_LOCAL);
	if (error == 0)
		error = (flags & VFS_LOOKUP_REMOVE_DIRECTORY) != 0 ? check_remove_directory(&walk)
		                                                   : check_unlink(&walk);
	if (error != 0)
		return error;
	if (operations(walk.parent.vnode)->remove == NULL)
		return EPERM;
	operations(walk.parent.vnode)->remove(walk.entry);
	return 0;
}

/* ---- rename ---- */

/* Is `directory` the vnode itself or somewhere below it? Both in one file system. */
static bool is_below(const struct vnode *directory, const struct vnode *vnode)
{
	while (directory != vnode && directory->directory.parent != directory)
		directory = directory->directory.parent;
	return directory == vnode;
}

/* What the last components must be, before anybody asks who is asking. */
static int check_names(const struct walk *from, const struct walk *to, uint32_t flags)
{
	if (from->parent.mount != to->parent.mount)
		return EXDEV;
	if (from->last != LAST_NAME)
		return EBUSY;
	if (to->last != LAST_NAME)
		return (flags & RENAME_KEEP_TARGET) != 0 ? EEXIST : EBUSY;
	if (from->entry == NULL)
		return ENOENT;
	if (to->entry != NULL && (flags & RENAME_KEEP_TARGET) != 0)
		return EEXIST;
	if (to->entry == NULL && (flags & RENAME_SWAP) != 0)
		return ENOENT;
	bool source = is_directory(from->entry->vnode), target = to->entry != NULL && is_directory(to->entry->vnode);
	if (!source && (from->slash || (to->slash && (flags & RENAME_SWAP) == 0)))
		return ENOTDIR;
	if ((flags & RENAME_SWAP) != 0 && to->slash && !target)
		return ENOTDIR;
	if (source && is_below(to->parent.vnode, from->entry->vnode))
		return EINVAL;
	if (target && is_below(from->parent.vnode, to->entry->vnode))
		return (flags & RENAME_SWAP) != 0 ? EINVAL : ENOTEMPTY;
	return 0;
}

/* A directory that gets another parent is written to: its "..". */
static int may_move(const struct walk *from, const struct walk *to, const struct entry *entry)
{
	if (from->parent.vnode == to->parent.vnode || !is_directory(entry->vnode))
		return 0;
	return permission(from->who, (struct place){from->parent.mount, entry->vnode}, MAY_WRITE);
}

static int check_rights(const struct walk *from, const struct walk *to, uint32_t flags)
{
	bool swap = (flags & RENAME_SWAP) != 0;
	int error = may_remove(from->who, from->parent, from->entry->vnode);

	if (error == 0)
		error = to->entry != NULL ? may_remove(to->who, to->parent, to->entry->vnode)
		                          : may_create(to->who, to->parent);
	if (error == 0)
		error = may_move(from, to, from->entry);
	if (error == 0 && swap)
		error = may_move(to, from, to->entry);
	return error;
}

static int check_target(const struct walk *from, const struct walk *to, uint32_t flags)
{
	const struct vnode *source = from->entry->vnode, *target = to->entry != NULL ? to->entry->vnode : NULL;

	if (target != NULL && (flags & RENAME_SWAP) == 0) {
		if (is_directory(source) && !is_directory(target))
			return ENOTDIR;
		if (!is_directory(source) && is_directory(target))
			return EISDIR;
	}
	if (source->mounts != 0 || (target != NULL && target->mounts != 0))
		return EBUSY;
	if (target != NULL && (flags & RENAME_SWAP) == 0 && is_directory(target) && target->directory.count != 0)
		return ENOTEMPTY;
	return operations(source)->rename == NULL ? EPERM : 0;
}

int vfs_serve_rename(struct server_call *call, struct open_file *object, const char *path, port_name_t *to,
                     const char *to_path, uint32_t flags)
{
	const struct session *who = session_of(call);
	const struct open_file *to_base = file_of_right(*to);
	struct walk from, target;

	if (who == NULL)
		return EPERM;
	if ((flags & ~(RENAME_KEEP_TARGET | RENAME_SWAP)) != 0 || flags == (RENAME_KEEP_TARGET | RENAME_SWAP))
		return EINVAL;
	int error = walk_path(&from, who, object, path, WALK_LAST | WALK_LOCAL);
	if (error != 0)
		return error;
	if (to_base == NULL)
		return EXDEV;
	error = walk_path(&target, who, to_base, to_path, WALK_LAST | WALK_LOCAL);
	if (error == 0)
		error = check_names(&from, &target, flags);
	if (error != 0)
		return error;
	if (target.entry != NULL && target.entry->vnode == from.entry->vnode)
		return 0; /* two names of one file: POSIX wants nothing to happen */
	error = check_rights(&from, &target, flags);
	if (error == 0)
		error = check_target(&from, &target, flags);
	if (error != 0)
		return error;
	const struct file_system_operations *ops = operations(from.entry->vnode);
	if ((flags & RENAME_SWAP) == 0)
		return ops->rename(from.entry, target.parent.vnode, target.name, target.length, target.entry);
	ops->exchange(from.entry, target.entry);
	return 0;
}
