/*
 * The name space: making, removing, renaming, linking; working directory and root; mounts; reading directories.
 */
#include "linux.h"
#include "local.h"
#include "paths.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <vfs_client.h>

#define MODE_MASK 07777u
#define DIRECTORY_CHUNK 8192u

/* ---- making ---- */

static int make_directory(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_make_directory(base, path, call->mode);
}

int64_t sys_mkdirat(int directory, const char *path, uint32_t mode)
{
	struct path_call call = { .operation = make_directory, .open_flags = UINT32_MAX, .mode = mode & MODE_MASK & ~process.umask };
	return path_run(&call, directory, path);
}

int64_t sys_mkdir(const char *path, uint32_t mode)
{
	return sys_mkdirat(L_AT_FDCWD, path, mode);
}

static int make_node(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_make_node(base, path, call->mode, call->number);
}

int64_t sys_mknodat(int directory, const char *path, uint32_t mode, uint64_t device)
{
	struct path_call call = { .operation = make_node, .open_flags = UINT32_MAX, .number = device & UINT32_MAX };
	if ((mode & L_S_IFMT) == L_S_IFDIR)
		return -EPERM;
	if ((mode & L_S_IFMT) == 0)
		mode |= L_S_IFREG;
	call.mode = (mode & L_S_IFMT) | (mode & MODE_MASK & ~process.umask);
	return path_run(&call, directory, path);
}

int64_t sys_mknod(const char *path, uint32_t mode, uint64_t device)
{
	return sys_mknodat(L_AT_FDCWD, path, mode, device);
}

static int make_symlink(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_make_symlink(base, call->text, path);
}

int64_t sys_symlinkat(const char *user_target, int directory, const char *path)
{
	char target[PORTICO_TWO_PATH_MAX + 1];
	struct path_call call = { .operation = make_symlink, .open_flags = UINT32_MAX, .text = target };

	int64_t length = user_string(target, user_target, sizeof(target));
	if (length <= 0)
		return length ? length : -ENOENT;
	return path_run(&call, directory, path);
}

int64_t sys_symlink(const char *target, const char *path)
{
	return sys_symlinkat(target, L_AT_FDCWD, path);
}

/* ---- removing ---- */

static int remove_entry(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_remove(base, path, call->lookup);
}

int64_t sys_unlinkat(int directory, const char *path, int flags)
{
	struct path_call call = { .operation = remove_entry, .open_flags = UINT32_MAX,
		.lookup = flags & L_AT_REMOVEDIR ? VFS_LOOKUP_REMOVE_DIRECTORY : 0 };
	return flags & ~L_AT_REMOVEDIR ? -EINVAL : path_run(&call, directory, path);
}

int64_t sys_unlink(const char *path)
{
	return sys_unlinkat(L_AT_FDCWD, path, 0);
}

int64_t sys_rmdir(const char *path)
{
	return sys_unlinkat(L_AT_FDCWD, path, L_AT_REMOVEDIR);
}

/* ---- two paths ---- */

typedef int two_path_operation(const struct path_at *from, const struct path_at *to, uint32_t flags);

/* What leads out of vfs on either side is another file system. */
static int64_t with_two_paths(int from_directory, const char *from_path, int to_directory, const char *to_path, uint32_t flags,
			      uint32_t lookup, two_path_operation *operation)
{
	struct path_at from, to;

	int64_t result = path_begin(&from, from_directory, from_path, lookup, PORTICO_TWO_PATH_MAX);
	if (result)
		return result;
	result = path_begin(&to, to_directory, to_path, 0, PORTICO_TWO_PATH_MAX);
	if (!result) {
		int error = from.self || to.self ? EXDEV : operation(&from, &to, flags);
		result = result_of(error == EREMOTE ? EXDEV : error);
		path_end(&to);
	}
	path_end(&from);
	return result;
}

static int rename_operation(const struct path_at *from, const struct path_at *to, uint32_t flags)
{
	return vfs_rename(from->base, from->path, to->base, to->path, flags);
}

int64_t sys_renameat2(int from_directory, const char *from, int to_directory, const char *to, uint32_t flags)
{
	if (flags & ~3u || flags == 3)
		return -EINVAL;
	return with_two_paths(from_directory, from, to_directory, to, flags, 0, rename_operation);
}

int64_t sys_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	return sys_renameat2(from_directory, from, to_directory, to, 0);
}

int64_t sys_rename(const char *from, const char *to)
{
	return sys_renameat2(L_AT_FDCWD, from, L_AT_FDCWD, to, 0);
}

static int link_operation(const struct path_at *from, const struct path_at *to, uint32_t flags)
{
	return vfs_link(from->base, from->path, to->base, to->path, flags);
}

int64_t sys_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	uint32_t lookup = (flags & L_AT_SYMLINK_FOLLOW ? 0 : VFS_LOOKUP_NO_FOLLOW) | (flags & L_AT_EMPTY_PATH ? VFS_LOOKUP_EMPTY_PATH : 0);
	if (flags & ~(L_AT_SYMLINK_FOLLOW | L_AT_EMPTY_PATH))
		return -EINVAL;
	return with_two_paths(from_directory, from, to_directory, to, lookup, lookup, link_operation);
}

int64_t sys_link(const char *from, const char *to)
{
	return sys_linkat(L_AT_FDCWD, from, L_AT_FDCWD, to, 0);
}

/* ---- working directory and root ---- */

PROCESS_LOCK directory_lock;

/*
 * The new right takes the place of the old. While there are no other threads, under the well-known name, where proc looks for it;
 * otherwise another thread may be about to use the old name, which is kept until exec or the next change.
 */
static void change_right(port_name_t *place, port_name_t well_known, port_name_t right)
{
	lock_take(&directory_lock);
	port_name_t old = *place;
	trap2(TRAP_right_inherit, right, 1);
	*place = right;
	if (!process.threaded) {
		trap1(TRAP_right_release, old);
		if (old != well_known)
			trap1(TRAP_right_release, well_known);
		if (trap2(TRAP_right_rename, right, well_known) >= 0)
			*place = well_known;
	}
	lock_drop(&directory_lock);
}

static int open_directory(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_open_directory(base, path, call->lookup, &call->file);
}

int64_t sys_chdir(const char *path)
{
	struct path_call call = { .operation = open_directory, .open_flags = UINT32_MAX };
	int64_t result = path_run(&call, L_AT_FDCWD, path);
	if (!result)
		change_right(&process.cwd, NAME_CWD, call.file);
	return result;
}

int64_t sys_fchdir(int fd)
{
	port_name_t right;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	bool may_be = description->name && !(description->kind & IO_FILE_KIND_SOCKET); /* net has no names at all */
	int error = may_be ? vfs_open_directory(description->name, "", VFS_LOOKUP_EMPTY_PATH, &right) : ENOTDIR;
	fd_put(description);
	if (error)
		return result_of(error);
	change_right(&process.cwd, NAME_CWD, right);
	return 0;
}

static int set_root(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_set_root(base, path, &call->file);
}

int64_t sys_chroot(const char *path)
{
	struct path_call call = { .operation = set_root, .open_flags = UINT32_MAX };
	int64_t result = path_run(&call, L_AT_FDCWD, path);
	if (!result)
		change_right(&process.root, NAME_ROOT_DIR, call.file);
	return result;
}

int64_t sys_getcwd(char *user, size_t size)
{
	char path[PORTICO_PATH_MAX + 1];
	int error = vfs_directory_path(process.cwd, path, sizeof(path));

	if (error)
		return result_of(error);
	size_t length = strlen(path) + 1;
	if (length > size)
		return -ERANGE;
	return user_copy(user, path, length) ? -EFAULT : (int64_t)length;
}

/* ---- mounts ---- */

static int64_t optional_string(char *to, const char *from, size_t size)
{
	to[0] = 0;
	int64_t length = from ? user_string(to, from, size) : 0;
	return length < 0 ? length : 0;
}

int64_t sys_mount(const char *user_source, const char *user_target, const char *user_type, uint64_t flags, const char *user_data)
{
	char source[513], target[513], type[65], data[1025];

	int64_t error = optional_string(source, user_source, sizeof(source));
	if (!error)
		error = optional_string(target, user_target, sizeof(target));
	if (!error)
		error = optional_string(type, user_type, sizeof(type));
	if (!error && optional_string(data, user_data, sizeof(data)))
		data[0] = 0; /* not text: a remount's or bind's data is not looked at */
	if (error)
		return error;
	return result_of(vfs_mount(target[0] == '/' ? process.root : process.cwd, source, target, type, flags, data));
}

int64_t sys_umount2(const char *user_target, uint32_t flags)
{
	char target[513];
	int64_t error = optional_string(target, user_target, sizeof(target));
	return error ? error : result_of(vfs_unmount(target[0] == '/' ? process.root : process.cwd, target, flags));
}

/* ---- reading ---- */

int64_t sys_getdents64(int fd, void *user, uint32_t size)
{
	uint64_t done = 0;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	int64_t result;
	if (description->type == DESCRIPTION_FD_LIST)
		result = fd_list_read(description, user, size);
	else if (description->name == PORT_NULL)
		result = -ENOTDIR;
	else
		result = result_of(io_read_directory(description->name, user, size < 0x100000 ? size : 0x100000, &done));
	fd_put(description);
	return result ? result : (int64_t)done;
}

/* The old record: ino, off, reclen, name, then the type in the last byte. It is one byte longer than the new one at most. */
static int64_t convert_records(const uint8_t *from, size_t bytes, uint8_t *user, size_t size)
{
	size_t used = 0;

	for (size_t at = 0; at < bytes;) {
		const struct linux_dirent64 *record = (const void *)(from + at);
		uint8_t old[24 + 256 + 8];
		size_t length = strlen(record->name);
		uint16_t reclen = (uint16_t)((18 + length + 2 + 7) & ~(size_t)7);
		if (length > 255 || used + reclen > size)
			return used ? (int64_t)used : -EINVAL;
		memset(old, 0, reclen);
		memcpy(old, &record->ino, 8);
		memcpy(old + 8, &record->off, 8);
		memcpy(old + 16, &reclen, 2);
		memcpy(old + 18, record->name, length);
		old[reclen - 1] = record->type;
		if (user_copy(user + used, old, reclen))
			return -EFAULT;
		used += reclen;
		at += record->reclen;
	}
	return (int64_t)used;
}

/* Asks for so much less that the converted records fit whatever comes. */
int64_t sys_getdents(int fd, void *user, uint32_t size)
{
	uint8_t records[DIRECTORY_CHUNK];
	uint32_t ask = size < sizeof(records) ? size : sizeof(records);
	uint64_t done = 0;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	int error = description->name ? io_read_directory(description->name, records, ask, &done) : ENOTDIR;
	fd_put(description);
	return error ? result_of(error) : convert_records(records, done, user, size);
}
