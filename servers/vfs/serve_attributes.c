/*
 * Handlers of idl/vfs.idl that look at files or change what they are: stat, access, chmod and their like, by path.
 * Mounts.
 */
#include "serve.h"

/* The usual beginning: who is it, and what does the path lead to? */
static int resolve(struct server_call *call, const struct open_file *base, const char *path, uint32_t lookup,
                   struct walk *walk)
{
	const struct session *who = session_of(call);

	if (who == NULL)
		return EPERM;
	return walk_path(walk, who, base, path, walk_flags_of(lookup));
}

int vfs_serve_stat(struct server_call *call, struct open_file *object, const char *path, uint32_t flags,
                   struct attributes *attr)
{
	struct walk walk;
	int error = resolve(call, object, path, flags, &walk);

	if (error == 0)
		vnode_attributes(walk.place.vnode, attr);
	return error;
}

/* access(2) asks for the real ids unless told otherwise: root's real id has its capabilities, others have none. */
static struct session real_identity(const struct session *who)
{
	struct session real = *who;

	real.cred.fsuid = who->cred.uid;
	real.cred.fsgid = who->cred.gid;
	real.cred.cap_effective = who->cred.uid == 0 ? who->cred.cap_permitted : 0;
	return real;
}

int vfs_serve_access(struct server_call *call, struct open_file *object, const char *path, uint32_t mode,
                     uint32_t flags)
{
	const struct session *who = session_of(call);
	struct walk walk;

	if (who == NULL)
		return EPERM;
	if ((mode & ~(MAY_READ | MAY_WRITE | MAY_EXECUTE)) != 0)
		return EINVAL;
	struct session asking = (flags & VFS_LOOKUP_EFFECTIVE) != 0 ? *who : real_identity(who);
	int error = walk_path(&walk, &asking, object, path, walk_flags_of(flags));
	return error != 0 ? error : permission(&asking, walk.place, mode);
}

int vfs_serve_read_link(struct server_call *call, struct open_file *object, const char *path, void *target,
                        size_t *target_count)
{
	struct walk walk;
	int error = resolve(call, object, path, VFS_LOOKUP_NO_FOLLOW | VFS_LOOKUP_EMPTY_PATH, &walk);

	if (error != 0)
		return error;
	const struct vnode *vnode = walk.place.vnode;
	if (!is_symlink(vnode))
		return path[0] == 0 ? ENOENT : EINVAL;
	*target_count = vnode->size < 2900 ? vnode->size : 2900;
	memcpy(target, vnode->target, *target_count);
	return 0;
}

int vfs_serve_set_mode(struct server_call *call, struct open_file *object, const char *path, uint32_t mode,
                       uint32_t flags)
{
	struct walk walk;
	int error = resolve(call, object, path, flags, &walk);

	return error != 0 ? error : change_mode(walk.who, walk.place, mode);
}

int vfs_serve_set_owner(struct server_call *call, struct open_file *object, const char *path, uint32_t uid,
                        uint32_t gid, uint32_t flags)
{
	struct walk walk;
	int error = resolve(call, object, path, flags, &walk);

	return error != 0 ? error : change_owner(walk.who, walk.place, uid, gid);
}

int vfs_serve_set_times(struct server_call *call, struct open_file *object, const char *path,
                        const struct timestamp *accessed, const struct timestamp *modified, uint32_t flags)
{
	struct walk walk;
	int error = resolve(call, object, path, flags, &walk);

	return error != 0 ? error : change_times(walk.who, walk.place, accessed, modified);
}

int vfs_serve_truncate(struct server_call *call, struct open_file *object, const char *path, uint64_t size)
{
	struct walk walk;
	int error = resolve(call, object, path, 0, &walk);

	if (error != 0)
		return error;
	struct vnode *vnode = walk.place.vnode;
	if (!is_regular(vnode))
		return is_directory(vnode) ? EISDIR : EINVAL;
	error = permission(walk.who, walk.place, MAY_WRITE);
	if (error != 0)
		return error;
	return vnode->programs != 0 ? ETXTBSY : truncate_vnode(walk.who, vnode, size);
}

void file_system_status(const struct file_system *system, struct io_file_system *to)
{
	uint64_t available = memory_available() / 4096, left = system->pages_limit - system->pages;

	if (system->pages_limit < system->pages)
		left = 0;
	left = left < available ? left : available;
	*to = (struct io_file_system){
	        .type = file_systems[system->kind].magic,
	        .block_size = 4096,
	        .fragment_size = 4096,
	        .blocks = system->pages_limit,
	        .blocks_free = left,
	        .blocks_available = left,
	        .files = system->inodes_limit,
	        .files_free = system->inodes_limit > system->inodes ? system->inodes_limit - system->inodes : 0,
	        .id = system->device,
	        .name_max = NAME_LENGTH_MAX,
	};
}

/* Bits of statvfs's f_flag. */
static uint64_t status_flags(const struct mount *mount)
{
	uint64_t flags = mount->flags & (MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_DEVICES | MOUNT_NO_EXECUTE |
	                                 MOUNT_NO_ATIME | MOUNT_NO_DIRECTORY_ATIME);

	return flags | 32; /* ST_VALID */
}

int vfs_serve_stat_file_system(struct server_call *call, struct open_file *object, const char *path,
                               struct io_file_system *result)
{
	struct walk walk;
	int error = resolve(call, object, path, VFS_LOOKUP_EMPTY_PATH, &walk);

	if (error != 0)
		return error;
	file_system_status(walk.place.vnode->system, result);
	if (walk.place.mount != NULL)
		result->flags = status_flags(walk.place.mount);
	return 0;
}

int vfs_serve_directory_path(struct server_call *call, struct open_file *object, char *path)
{
	const struct session *who = session_of(call);
	char buffer[PORTICO_PATH_MAX + 1];

	if (who == NULL)
		return EPERM;
	if (!is_directory(object->place.vnode))
		return ENOTDIR;
	if (object->place.vnode->links == 0)
		return ENOENT;
	const char *text = path_of_directory(object->place, who->root, buffer, sizeof(buffer));
	if (text == NULL) { /* outside of the caller's root, or too long */
		text = path_of_directory(object->place, vfs->root, buffer, sizeof(buffer));
		return text != NULL ? ENOENT : ERANGE;
	}
	memcpy(path, text, strlen(text) + 1);
	return 0;
}

int vfs_serve_sync_all(struct server_call *call, struct open_file *object)
{
	(void)call;
	(void)object;
	return 0; /* everything is in memory: nothing is behind it that could be brought up to date */
}

/* ---- mounts ---- */

int vfs_serve_mount(struct server_call *call, struct open_file *object, const char *source, const char *target,
                    const char *type, uint64_t flags, const char *data)
{
	const struct session *who = session_of(call);
	struct walk from, to;

	if (who == NULL || !capable(who, CAP_SYS_ADMIN))
		return EPERM;
	from.place = (struct place){0};
	int error = walk_path(&to, who, object, target, WALK_LOCAL);
	if (error == 0 && (flags & (MOUNT_BIND | MOUNT_MOVE)) != 0 && (flags & MOUNT_REMOUNT) == 0)
		error = walk_path(&from, who, object, source, WALK_LOCAL);
	return error != 0 ? error : mount_request(source, from.place, to.place, type, flags, data);
}

int vfs_serve_unmount(struct server_call *call, struct open_file *object, const char *target, uint32_t flags)
{
	const struct session *who = session_of(call);
	struct walk walk;

	if (who == NULL || !capable(who, CAP_SYS_ADMIN))
		return EPERM;
	int error = walk_path(&walk, who, object, target, WALK_LOCAL);
	if (error != 0)
		return error;
	if (walk.place.mount == NULL || walk.place.vnode != walk.place.mount->root)
		return EINVAL;
	return mount_remove(walk.place.mount, (flags & UNMOUNT_DETACH) != 0);
}

int vfs_serve_mount_entry(struct server_call *call, struct open_file *object, uint32_t index, char *line)
{
	const struct session *who = session_of(call);

	(void)object;
	if (who == NULL)
		who = &vfs->server; /* proc asks for /proc/mounts in its own name */
	return mount_line(index, who, line, 1025) ? 0 : ENOENT;
}

int vfs_serve_mount_information(struct server_call *call, struct open_file *object, uint32_t index, char *line)
{
	const struct session *who = session_of(call);

	(void)object;
	if (who == NULL)
		who = &vfs->server;
	return mount_information_line(index, who, line, 2801) ? 0 : ENOENT;
}
