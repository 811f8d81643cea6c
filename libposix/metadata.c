/*
 * What is known of files, and its changes: stat, statx, access, chmod, chown, times, truncate, statfs, readlink.
 */
#include "local.h"
#include "paths.h"
#include "string.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <io_client.h>
#include <vfs_client.h>

#define TIME_NOW 0x3fffffffu
#define TIME_OMIT 0x3ffffffeu
#define STATX_BASIC_AND_BIRTH 0xfffu
#define STATX_RESERVED 0x80000000u
#define MODE_MASK 07777u
#define DEVICE_MAJOR_OF(device) ((uint32_t)((device) >> 8) & 0xfffu)
#define DEVICE_MINOR_OF(device) (((uint32_t)(device) & 0xffu) | ((uint32_t)((device) >> 12) & 0xffffff00u))

static uint32_t lookup_flags(int flags)
{
	return (flags & L_AT_SYMLINK_NOFOLLOW ? VFS_LOOKUP_NO_FOLLOW : 0) | (flags & L_AT_EMPTY_PATH ? VFS_LOOKUP_EMPTY_PATH : 0);
}

/* ---- stat ---- */

static int stat_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_stat(base, path, call->lookup, call->attributes);
}

/* Attributes of what proc does not see: links and the list in /proc/self/fd. */
static void own_attributes(struct attributes *attributes, uint32_t mode, uint64_t inode)
{
	*attributes = (struct attributes){
		.device = 4, .inode = inode, .links = 1, .mode = mode, .uid = process.euid, .gid = process.egid,
		.block_size = 1024 };
	int64_t now = clock_realtime();
	attributes->accessed.seconds = attributes->modified.seconds = attributes->changed.seconds = now / (int64_t)NANOSECONDS;
}

static int stat_descriptor(int fd, struct attributes *attributes)
{
	struct description *description = fd_get(fd);
	int error = 0;

	if (description == NULL)
		return EBADF;
	if (description->type == DESCRIPTION_REMOTE)
		error = io_stat(description->name, attributes);
	else
		own_attributes(attributes, description->type == DESCRIPTION_FD_LIST ? L_S_IFDIR | 0500 : 0600, 1);
	fd_put(description);
	return error;
}

static int stat_self(struct path_call *call, enum self_kind kind, int fd)
{
	if (kind == SELF_LIST) {
		own_attributes(call->attributes, L_S_IFDIR | 0500, 2);
		return 0;
	}
	if (kind != SELF_FILE)
		return -1;
	if (fd_flags(fd) < 0)
		return ENOENT;
	if (!(call->lookup & VFS_LOOKUP_NO_FOLLOW))
		return stat_descriptor(fd, call->attributes);
	own_attributes(call->attributes, L_S_IFLNK | 0700, 16 + (uint64_t)fd);
	call->attributes->size = 64;
	return 0;
}

/* An empty path with AT_EMPTY_PATH, or none at all, means the descriptor itself: no path goes over the wire. */
static int64_t stat_path(int directory, const char *path, int flags, struct attributes *attributes)
{
	struct path_call call = { .operation = stat_operation, .on_self = stat_self, .lookup = lookup_flags(flags),
		.open_flags = UINT32_MAX, .attributes = attributes };
	char first;

	if ((flags & L_AT_EMPTY_PATH) && directory != L_AT_FDCWD) {
		if (path == NULL || (user_get(&first, path) == 0 && first == 0))
			return result_of(stat_descriptor(directory, attributes));
	}
	return path_run(&call, directory, path);
}

static int64_t put_stat(struct linux_stat *user, const struct attributes *a)
{
	struct linux_stat stat = {
		.st_dev = a->device, .st_ino = a->inode, .st_nlink = a->links, .st_mode = a->mode, .st_uid = a->uid,
		.st_gid = a->gid, .st_rdev = a->rdevice, .st_size = (int64_t)a->size, .st_blksize = (int64_t)a->block_size,
		.st_blocks = (int64_t)a->blocks, .st_atime_sec = (uint64_t)a->accessed.seconds,
		.st_atime_nsec = a->accessed.nanoseconds, .st_mtime_sec = (uint64_t)a->modified.seconds,
		.st_mtime_nsec = a->modified.nanoseconds, .st_ctime_sec = (uint64_t)a->changed.seconds,
		.st_ctime_nsec = a->changed.nanoseconds };
	return user_put(user, &stat);
}

int64_t sys_newfstatat(int directory, const char *path, struct linux_stat *user, int flags)
{
	struct attributes attributes;

	if (flags & ~(L_AT_SYMLINK_NOFOLLOW | L_AT_EMPTY_PATH | L_AT_NO_AUTOMOUNT))
		return -EINVAL;
	int64_t error = stat_path(directory, path, flags, &attributes);
	return error ? error : put_stat(user, &attributes);
}

int64_t sys_stat(const char *path, struct linux_stat *user)
{
	return sys_newfstatat(L_AT_FDCWD, path, user, 0);
}

int64_t sys_lstat(const char *path, struct linux_stat *user)
{
	return sys_newfstatat(L_AT_FDCWD, path, user, L_AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fstat(int fd, struct linux_stat *user)
{
	struct attributes attributes;
	int error = stat_descriptor(fd, &attributes);
	return error ? result_of(error) : put_stat(user, &attributes);
}

static struct linux_statx_time statx_time(struct timestamp time)
{
	return (struct linux_statx_time){ time.seconds, time.nanoseconds, 0 };
}

int64_t sys_statx(int directory, const char *path, int flags, uint32_t mask, struct linux_statx *user)
{
	struct attributes a;

	if ((flags & ~(L_AT_SYMLINK_NOFOLLOW | L_AT_EMPTY_PATH | L_AT_NO_AUTOMOUNT | L_AT_STATX_SYNC_TYPE)) ||
	    (flags & L_AT_STATX_SYNC_TYPE) == L_AT_STATX_SYNC_TYPE || (mask & STATX_RESERVED))
		return -EINVAL;
	int64_t error = stat_path(directory, path, flags, &a);
	if (error)
		return error;
	struct linux_statx statx = {
		.mask = STATX_BASIC_AND_BIRTH, .blksize = (uint32_t)a.block_size, .nlink = (uint32_t)a.links, .uid = a.uid,
		.gid = a.gid, .mode = (uint16_t)a.mode, .ino = a.inode, .size = a.size, .blocks = a.blocks,
		.atime = statx_time(a.accessed), .btime = statx_time(a.born), .ctime = statx_time(a.changed),
		.mtime = statx_time(a.modified), .rdev_major = DEVICE_MAJOR_OF(a.rdevice), .rdev_minor = DEVICE_MINOR_OF(a.rdevice),
		.dev_major = DEVICE_MAJOR_OF(a.device), .dev_minor = DEVICE_MINOR_OF(a.device) };
	return user_put(user, &statx);
}

/* ---- access ---- */

static int access_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_access(base, path, call->mode, call->lookup);
}

static int access_self(struct path_call *call, enum self_kind kind, int fd)
{
	if (kind == SELF_LIST)
		return call->mode & 2 ? EACCES : 0;
	if (kind != SELF_FILE)
		return -1;
	return fd_flags(fd) < 0 ? ENOENT : 0;
}

int64_t sys_faccessat2(int directory, const char *path, uint32_t mode, int flags)
{
	struct path_call call = { .operation = access_operation, .on_self = access_self, .open_flags = UINT32_MAX, .mode = mode };

	if ((mode & ~7u) || (flags & ~(L_AT_EACCESS | L_AT_SYMLINK_NOFOLLOW | L_AT_EMPTY_PATH)))
		return -EINVAL;
	call.lookup = lookup_flags(flags) | (flags & L_AT_EACCESS ? VFS_LOOKUP_EFFECTIVE : 0);
	return path_run(&call, directory, path);
}

int64_t sys_faccessat(int directory, const char *path, uint32_t mode)
{
	return sys_faccessat2(directory, path, mode, 0);
}

int64_t sys_access(const char *path, uint32_t mode)
{
	return sys_faccessat2(L_AT_FDCWD, path, mode, 0);
}

/* ---- readlink ---- */

static int read_link_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_read_link(base, path, call->output, call->size, &call->done);
}

static int read_link_self(struct path_call *call, enum self_kind kind, int fd)
{
	struct text text;
	char *target = call->output;

	if (kind == SELF_LIST)
		return EINVAL;
	text_begin_in(&text, target, call->size);
	if (kind == SELF_EXE) {
		if (process.path[0] == 0)
			return -1;
		text_put(&text, process.path);
	} else {
		struct description *description = fd_get(fd);
		if (description == NULL)
			return ENOENT;
		describe_path(description, &text);
		fd_put(description);
	}
	call->done = (size_t)(text.at - target);
	return 0;
}

int64_t sys_readlinkat(int directory, const char *path, char *user, int64_t size)
{
	char target[2901];
	struct path_call call = { .operation = read_link_operation, .on_self = read_link_self, .lookup = VFS_LOOKUP_NO_FOLLOW |
		VFS_LOOKUP_EMPTY_PATH, .open_flags = UINT32_MAX, .output = target, .size = sizeof(target) - 1 };

	if (size <= 0)
		return -EINVAL;
	if (directory == L_AT_FDCWD)
		call.lookup = VFS_LOOKUP_NO_FOLLOW;
	int64_t error = path_run(&call, directory, path);
	if (error)
		return error;
	size_t length = call.done < (size_t)size ? call.done : (size_t)size;
	return user_copy(user, target, length) ? -EFAULT : (int64_t)length;
}

int64_t sys_readlink(const char *path, char *user, int64_t size)
{
	return sys_readlinkat(L_AT_FDCWD, path, user, size);
}

/* ---- mode, owner ---- */

static int mode_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_set_mode(base, path, call->mode, call->lookup);
}

int64_t sys_fchmodat(int directory, const char *path, uint32_t mode)
{
	struct path_call call = { .operation = mode_operation, .open_flags = UINT32_MAX, .mode = mode & MODE_MASK };
	return path_run(&call, directory, path);
}

int64_t sys_chmod(const char *path, uint32_t mode)
{
	return sys_fchmodat(L_AT_FDCWD, path, mode);
}

int64_t sys_fchmod(int fd, uint32_t mode)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = description->name ? io_set_mode(description->name, mode & MODE_MASK) : EPERM;
	fd_put(description);
	return result_of(error);
}

static int owner_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_set_owner(base, path, (uint32_t)call->number, (uint32_t)call->number2, call->lookup);
}

int64_t sys_fchownat(int directory, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	struct path_call call = { .operation = owner_operation, .open_flags = UINT32_MAX, .lookup = lookup_flags(flags),
		.number = uid, .number2 = gid };
	if (flags & ~(L_AT_SYMLINK_NOFOLLOW | L_AT_EMPTY_PATH))
		return -EINVAL;
	return path_run(&call, directory, path);
}

int64_t sys_chown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(L_AT_FDCWD, path, uid, gid, 0);
}

int64_t sys_lchown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(L_AT_FDCWD, path, uid, gid, L_AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = description->name ? io_set_owner(description->name, uid, gid) : EPERM;
	fd_put(description);
	return result_of(error);
}

/* ---- times ---- */

struct time_pair { struct timestamp accessed, modified; };

static int times_operation(struct path_call *call, port_name_t base, const char *path)
{
	const struct time_pair *pair = call->input;
	return vfs_set_times(base, path, &pair->accessed, &pair->modified, call->lookup);
}

static int64_t set_times(int directory, const char *path, const struct time_pair *pair, int flags)
{
	struct path_call call = { .operation = times_operation, .open_flags = UINT32_MAX, .lookup = lookup_flags(flags),
		.input = pair };

	if (path)
		return path_run(&call, directory, path);
	struct description *description = fd_get(directory);
	if (description == NULL)
		return directory == L_AT_FDCWD ? -EFAULT : -EBADF;
	int error = description->name ? io_set_times(description->name, &pair->accessed, &pair->modified) : EPERM;
	fd_put(description);
	return result_of(error);
}

static const struct time_pair times_now = { { .nanoseconds = TIME_NOW }, { .nanoseconds = TIME_NOW } };

static bool is_time(const struct linux_timespec *time)
{
	return time->nsec == TIME_NOW || time->nsec == TIME_OMIT || (time->nsec >= 0 && time->nsec < (int64_t)NANOSECONDS);
}

int64_t sys_utimensat(int directory, const char *path, const struct linux_timespec *user, int flags)
{
	struct linux_timespec times[2];

	if (flags & ~(L_AT_SYMLINK_NOFOLLOW | L_AT_EMPTY_PATH))
		return -EINVAL;
	if (user == NULL)
		return set_times(directory, path, &times_now, flags);
	if (user_copy(times, user, sizeof(times)))
		return -EFAULT;
	if (!is_time(&times[0]) || !is_time(&times[1]))
		return -EINVAL;
	struct time_pair pair = { { times[0].sec, (uint32_t)times[0].nsec, 0 }, { times[1].sec, (uint32_t)times[1].nsec, 0 } };
	return set_times(directory, path, &pair, flags);
}

int64_t sys_futimesat(int directory, const char *path, const struct linux_timeval *user)
{
	struct linux_timeval times[2];

	if (user == NULL)
		return set_times(directory, path, &times_now, 0);
	if (user_copy(times, user, sizeof(times)))
		return -EFAULT;
	if (times[0].usec < 0 || times[0].usec >= 1000000 || times[1].usec < 0 || times[1].usec >= 1000000)
		return -EINVAL;
	struct time_pair pair = { { times[0].sec, (uint32_t)times[0].usec * 1000, 0 },
		{ times[1].sec, (uint32_t)times[1].usec * 1000, 0 } };
	return set_times(directory, path, &pair, 0);
}

int64_t sys_utimes(const char *path, const struct linux_timeval *user)
{
	return sys_futimesat(L_AT_FDCWD, path, user);
}

int64_t sys_utime(const char *path, const int64_t *user)
{
	int64_t times[2];

	if (user == NULL)
		return set_times(L_AT_FDCWD, path, &times_now, 0);
	if (user_copy(times, user, sizeof(times)))
		return -EFAULT;
	struct time_pair pair = { { times[0], 0, 0 }, { times[1], 0, 0 } };
	return set_times(L_AT_FDCWD, path, &pair, 0);
}

/* ---- size ---- */

static int truncate_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_truncate(base, path, call->number);
}

int64_t sys_truncate(const char *path, int64_t size)
{
	struct path_call call = { .operation = truncate_operation, .open_flags = UINT32_MAX, .number = (uint64_t)size };
	return size < 0 ? -EINVAL : path_run(&call, L_AT_FDCWD, path);
}

int64_t sys_ftruncate(int fd, int64_t size)
{
	if (size < 0)
		return -EINVAL;
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = description->name ? io_truncate(description->name, (uint64_t)size) : EINVAL;
	fd_put(description);
	return result_of(error);
}

/* ---- file systems ---- */

static int statfs_operation(struct path_call *call, port_name_t base, const char *path)
{
	return vfs_stat_file_system(base, path, call->output);
}

static int64_t put_statfs(struct linux_statfs *user, const struct io_file_system *f)
{
	struct linux_statfs statfs = {
		.type = (int64_t)f->type, .bsize = (int64_t)f->block_size, .blocks = (int64_t)f->blocks, .bfree = (int64_t)f->blocks_free,
		.bavail = (int64_t)f->blocks_available, .files = (int64_t)f->files, .ffree = (int64_t)f->files_free,
		.fsid = { (int32_t)f->id, (int32_t)(f->id >> 32) }, .namelen = (int64_t)f->name_max,
		.frsize = (int64_t)f->fragment_size, .flags = (int64_t)f->flags };
	return user_put(user, &statfs);
}

int64_t sys_statfs(const char *path, struct linux_statfs *user)
{
	struct io_file_system result;
	struct path_call call = { .operation = statfs_operation, .open_flags = UINT32_MAX, .output = &result };
	int64_t error = path_run(&call, L_AT_FDCWD, path);
	return error ? error : put_statfs(user, &result);
}

int64_t sys_fstatfs(int fd, struct linux_statfs *user)
{
	struct io_file_system result;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	int error = description->name ? io_stat_file_system(description->name, &result) : ENOSYS;
	fd_put(description);
	return error ? result_of(error) : put_statfs(user, &result);
}
