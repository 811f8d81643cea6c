/*
 * Copies from descriptor to descriptor: sendfile, copy_file_range, splice, tee; advice and syncing of files.
 */
#include "files.h"
#include "local.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <vfs_client.h>

#define BOUNCE 65536u
#define SPLICE_NONBLOCK 2u

/* Two descriptions; both are put by pair_put. */
struct pair { struct description *from, *to; };

static int64_t pair_get(struct pair *pair, int from, int to)
{
	pair->from = fd_get(from);
	pair->to = pair->from ? fd_get(to) : NULL;
	if (pair->to)
		return 0;
	if (pair->from)
		fd_put(pair->from);
	return -EBADF;
}

static void pair_put(struct pair *pair)
{
	fd_put(pair->from);
	fd_put(pair->to);
}

static int64_t take_offset(const int64_t *user, int64_t *offset)
{
	*offset = IO_OFFSET_CURRENT;
	if (user == NULL)
		return 0;
	if (user_get(offset, user))
		return -EFAULT;
	return *offset < 0 ? -EINVAL : 0;
}

/*
 * Through a buffer of our own. Waits for the first bytes only. Bytes that were read and could not be written are put back where the
 * source has positions.
 */
static int64_t pump(struct pair *pair, int64_t from, int64_t to, size_t size, uint32_t flags)
{
	uint8_t *bytes = pages_allocate(BOUNCE);
	int64_t done = 0, position;

	if (bytes == NULL)
		return -ENOMEM;
	while ((size_t)done < size) {
		size_t part = size - (size_t)done < BOUNCE ? size - (size_t)done : BOUNCE;
		int64_t read = file_read(pair->from, bytes, part, from, flags | (done ? TRANSFER_NONBLOCKING : 0));
		if (read <= 0) {
			done = done ? done : read;
			break;
		}
		int64_t written = file_write(pair->to, bytes, (size_t)read, to, flags);
		int64_t moved = written < 0 ? 0 : written;
		if (moved < read && from == IO_OFFSET_CURRENT && (pair->from->kind & IO_FILE_KIND_SEEKABLE))
			io_seek(pair->from->name, moved - read, 1, &position);
		done += moved;
		from += from >= 0 ? moved : 0;
		to += to >= 0 ? moved : 0;
		if (written < read) {
			done = done ? done : written;
			break;
		}
	}
	pages_free(bytes, BOUNCE);
	return done;
}

/* Offsets given by address move on there. */
static int64_t advance(int64_t done, int64_t *user, int64_t offset)
{
	if (done > 0 && user) {
		offset += done;
		if (user_put(user, &offset))
			return -EFAULT;
	}
	return done;
}

int64_t sys_sendfile(int to, int from, int64_t *user_offset, size_t size)
{
	struct pair pair;
	int64_t offset, error = take_offset(user_offset, &offset);

	if (!error)
		error = pair_get(&pair, from, to);
	if (error)
		return error;
	/* As on Linux: from what has a position only, or an end of file in the middle would be swallowed. */
	int64_t done = pair.from->kind & (IO_FILE_KIND_PIPE | IO_FILE_KIND_TERMINAL | IO_FILE_KIND_SOCKET) ? -EINVAL
		: pump(&pair, offset, IO_OFFSET_CURRENT, size < TRANSFER_MAX ? size : TRANSFER_MAX, 0);
	pair_put(&pair);
	return advance(done, user_offset, offset);
}

static int64_t copy_range(struct pair *pair, int64_t from, int64_t to, size_t size)
{
	uint64_t done = 0;
	int error = EXDEV;

	if (!(pair->from->kind & pair->to->kind & IO_FILE_KIND_SEEKABLE))
		return -EINVAL;
	if (pair->from->server == pair->to->server)
		error = io_copy_range(pair->from->name, from, pair->to->name, to, size, &done);
	if (error == EXDEV || error == ENOSYS || error == EOPNOTSUPP)
		return pump(pair, from, to, size, 0);
	return error ? result_of(error) : (int64_t)done;
}

int64_t sys_copy_file_range(int from, int64_t *user_from, int to, int64_t *user_to, size_t size, uint32_t flags)
{
	struct pair pair;
	int64_t from_offset, to_offset;

	if (flags)
		return -EINVAL;
	int64_t error = take_offset(user_from, &from_offset);
	if (!error)
		error = take_offset(user_to, &to_offset);
	if (!error)
		error = pair_get(&pair, from, to);
	if (error)
		return error;
	int64_t done = copy_range(&pair, from_offset, to_offset, size < TRANSFER_MAX ? size : TRANSFER_MAX);
	pair_put(&pair);
	done = advance(done, user_from, from_offset);
	return advance(done, user_to, to_offset);
}

/* Bytes are copied, which nobody can tell from pages that are moved. One side must be a pipe. */
int64_t sys_splice(int from, int64_t *user_from, int to, int64_t *user_to, size_t size, uint32_t flags)
{
	struct pair pair;
	int64_t from_offset, to_offset;

	if (flags & ~0xfu)
		return -EINVAL;
	int64_t error = take_offset(user_from, &from_offset);
	if (!error)
		error = take_offset(user_to, &to_offset);
	if (!error)
		error = pair_get(&pair, from, to);
	if (error)
		return error;
	uint32_t pipes = (pair.from->kind | pair.to->kind) & IO_FILE_KIND_PIPE;
	int64_t done = pipes ? pump(&pair, from_offset, to_offset, size < BOUNCE ? size : BOUNCE,
				    flags & SPLICE_NONBLOCK ? TRANSFER_NONBLOCKING : 0)
			     : -EINVAL;
	pair_put(&pair);
	done = advance(done, user_from, from_offset);
	return advance(done, user_to, to_offset);
}

/* A pipe's bytes cannot be read twice here. Programs fall back to read and write. */
int64_t sys_tee(void)
{
	return -EINVAL;
}

int64_t sys_vmsplice(int fd, const struct linux_iovec *vector, size_t count, uint32_t flags)
{
	int64_t sys_writev(int descriptor, const struct linux_iovec *list, size_t elements);
	return flags & ~0xfu ? -EINVAL : sys_writev(fd, vector, count);
}

/* ---- syncing and advice ---- */

static int64_t sync_file(int fd, bool data_only)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = description->name && description->type == DESCRIPTION_REMOTE ? io_sync(description->name, data_only) : EINVAL;
	fd_put(description);
	return result_of(error);
}

int64_t sys_fsync(int fd)
{
	return sync_file(fd, false);
}

int64_t sys_fdatasync(int fd)
{
	return sync_file(fd, true);
}

int64_t sys_sync_file_range(int fd, int64_t offset, int64_t size, uint32_t flags)
{
	if (offset < 0 || size < 0 || (flags & ~7u))
		return -EINVAL;
	return sync_file(fd, true);
}

int64_t sys_sync(void)
{
	vfs_sync_all(NAME_ROOT_DIR);
	return 0;
}

int64_t sys_syncfs(int fd)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	fd_put(description);
	return sys_sync();
}

int64_t sys_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
	if (offset < 0 || size <= 0)
		return -EINVAL;
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = description->type == DESCRIPTION_REMOTE
		? io_allocate(description->name, (uint32_t)mode, (uint64_t)offset, (uint64_t)size) : ENODEV;
	fd_put(description);
	return result_of(error);
}

/* Advice: checked, and then free to be ignored. */
int64_t sys_fadvise64(int fd, int64_t offset, int64_t size, int advice)
{
	struct description *description = fd_get(fd);
	(void)offset;
	if (description == NULL)
		return -EBADF;
	bool pipe = description->kind & IO_FILE_KIND_PIPE;
	fd_put(description);
	if (pipe)
		return -ESPIPE;
	return size < 0 || advice < 0 || advice > 5 ? -EINVAL : 0;
}

int64_t sys_readahead(int fd, int64_t offset, size_t size)
{
	struct description *description = fd_get(fd);
	(void)offset;
	(void)size;
	if (description == NULL)
		return -EBADF;
	bool file = description->kind & IO_FILE_KIND_SEEKABLE;
	fd_put(description);
	return file ? 0 : -EINVAL;
}
