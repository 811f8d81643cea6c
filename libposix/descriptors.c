/*
 * Descriptors themselves: close, dup, fcntl, flock, close_range.
 */
#include "fd.h"
#include "linux.h"
#include "sysv.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u
#define CHANGEABLE_FLAGS (L_O_APPEND | L_O_NONBLOCK | L_O_ASYNC | L_O_DIRECT | L_O_NOATIME)

int64_t sys_close(int fd)
{
	mq_close(fd);
	return fd_close(fd);
}

int64_t sys_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

static int64_t duplicate(int fd, int64_t low, bool close_on_exec)
{
	struct description *description = fd_hold(fd);
	if (description == NULL)
		return -EBADF;
	return fd_install(description, low > INT32_MAX ? -1 : (int)low, close_on_exec);
}

int64_t sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

int64_t sys_dup2(int fd, int to)
{
	struct description *description = fd_hold(fd);
	if (description == NULL)
		return -EBADF;
	if (fd == to)
		return fd_replace(description, to, fd_flags(fd) == L_FD_CLOEXEC);
	return fd_replace(description, to, false);
}

int64_t sys_dup3(int fd, int to, int flags)
{
	if (fd == to || (flags & ~L_O_CLOEXEC))
		return -EINVAL;
	struct description *description = fd_hold(fd);
	return description ? fd_replace(description, to, flags & L_O_CLOEXEC) : -EBADF;
}

/* ---- status flags ---- */

static int64_t get_flags(const struct description *description)
{
	uint32_t flags = 0;
	if (description->type != DESCRIPTION_REMOTE)
		return description->flags | (description->type == DESCRIPTION_FD_LIST ? L_O_RDONLY : L_O_RDWR);
	int error = io_get_flags(description->name, &flags);
	return error ? result_of(error) : flags;
}

static int64_t set_flags(struct description *description, uint32_t flags)
{
	if (description->type != DESCRIPTION_REMOTE) {
		description->flags = flags & L_O_NONBLOCK;
		return 0;
	}
	return result_of(io_set_flags(description->name, flags & CHANGEABLE_FLAGS));
}

/* FIONBIO, FIOASYNC (ioctl.c): one flag on or off. */
int64_t descriptor_flag(struct description *description, uint32_t flag, bool on)
{
	int64_t flags = get_flags(description);
	if (flags < 0)
		return flags;
	return set_flags(description, on ? (uint32_t)flags | flag : (uint32_t)flags & ~flag);
}

/* ---- locks ---- */

/* A struct flock as start and length from the beginning of the file. 0 or -errno. */
static int64_t lock_range(const struct description *description, const struct linux_flock *flock, struct io_lock *lock)
{
	int64_t base = 0, start, length = flock->len;
	struct attributes attributes;
	int error = 0;

	if (flock->whence == 1)
		error = io_seek(description->name, 0, 1, &base);
	else if (flock->whence == 2 && !(error = io_stat(description->name, &attributes)))
		base = (int64_t)attributes.size;
	else if (flock->whence != 0)
		return -EINVAL;
	if (error)
		return result_of(error);
	if (__builtin_add_overflow(base, flock->start, &start))
		return -EOVERFLOW;
	if (length < 0) {
		start += length;
		length = -length;
	}
	if (start < 0)
		return -EINVAL;
	if (length > INT64_MAX - start)
		return -EOVERFLOW;
	*lock = (struct io_lock){ .start = (uint64_t)start, .length = (uint64_t)length, .type = (uint8_t)flock->type };
	return 0;
}

static int64_t record_lock(struct description *description, int command, struct linux_flock *user)
{
	static const uint8_t operations[] = { IO_LOCK_OPERATION_GET, IO_LOCK_OPERATION_SET, IO_LOCK_OPERATION_SET_WAIT };
	static const uint8_t ofd_operations[] = { IO_LOCK_OPERATION_OFD_GET, IO_LOCK_OPERATION_OFD_SET, IO_LOCK_OPERATION_OFD_SET_WAIT };
	bool ofd = command >= L_F_OFD_GETLK;
	unsigned index = (unsigned)(ofd ? command - L_F_OFD_GETLK : command - L_F_GETLK);
	struct linux_flock flock;
	struct io_lock lock, holder;

	if (user_get(&flock, user))
		return -EFAULT;
	if (flock.type < 0 || flock.type > 2 || (ofd && flock.pid))
		return -EINVAL;
	if (description->type != DESCRIPTION_REMOTE)
		return -EBADF;
	int64_t error = lock_range(description, &flock, &lock);
	if (error)
		return error;
	int failed = io_lock(description->name, ofd ? ofd_operations[index] : operations[index], &lock, &holder);
	if (failed || index != 0)
		return result_of(failed);
	if (holder.type == IO_LOCK_TYPE_UNLOCK)
		flock.type = IO_LOCK_TYPE_UNLOCK;
	else
		flock = (struct linux_flock){ holder.type, 0, (int64_t)holder.start, (int64_t)holder.length,
			ofd ? -1 : (int32_t)holder.pid };
	return user_put(user, &flock);
}

int64_t sys_flock(int fd, uint32_t operation)
{
	static const uint8_t types[] = { [1] = IO_LOCK_TYPE_READ, [2] = IO_LOCK_TYPE_WRITE, [8] = IO_LOCK_TYPE_UNLOCK };
	uint32_t kind = operation & ~4u;
	struct io_lock lock = { .start = 0 }, holder;

	if (kind != 1 && kind != 2 && kind != 8)
		return -EINVAL;
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	lock.type = types[kind];
	int error = EBADF;
	if (description->type == DESCRIPTION_REMOTE)
		error = io_lock(description->name, operation & 4 ? IO_LOCK_OPERATION_FLOCK : IO_LOCK_OPERATION_FLOCK_WAIT, &lock,
				&holder);
	fd_put(description);
	return result_of(error);
}

/* ---- fcntl ---- */

static int64_t pipe_size(const struct description *description, uint32_t size)
{
	uint32_t result = 0;
	if (!(description->kind & IO_FILE_KIND_PIPE))
		return -EBADF;
	int error = io_pipe_size(description->name, size, &result);
	return error ? result_of(error) : result;
}

static int64_t control(struct description *description, int command, uint64_t argument)
{
	switch (command) {
	case L_F_GETFL:
		return get_flags(description);
	case L_F_SETFL:
		return set_flags(description, (uint32_t)argument);
	case L_F_GETLK:
	case L_F_SETLK:
	case L_F_SETLKW:
	case L_F_OFD_GETLK:
	case L_F_OFD_SETLK:
	case L_F_OFD_SETLKW:
		return record_lock(description, command, (struct linux_flock *)argument);
	case L_F_SETPIPE_SZ:
		return argument == 0 || argument > INT32_MAX ? -EINVAL : pipe_size(description, (uint32_t)argument);
	case L_F_GETPIPE_SZ:
		return pipe_size(description, 0);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(int fd, int command, uint64_t argument)
{
	switch (command) {
	case L_F_DUPFD:
	case L_F_DUPFD_CLOEXEC:
		return fd_flags(fd) < 0 ? -EBADF : duplicate(fd, (int32_t)argument, command == L_F_DUPFD_CLOEXEC);
	case L_F_GETFD:
		return fd_flags(fd);
	case L_F_SETFD:
		return fd_set_flags(fd, argument & L_FD_CLOEXEC);
	}
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = control(description, command, argument);
	fd_put(description);
	return result;
}
