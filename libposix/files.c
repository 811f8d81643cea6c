/*
 * Reading and writing: read, write, their positioned and vector forms, lseek.
 *
 * Above: table.c. Below: interface io of whatever server the description's right names. Few bytes travel in the message, more
 * through a window on the program's buffer.
 */
#include "files.h"

#include "local.h"
#include "sockets.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>

#define INLINE_MAX 1024u     /* beyond, a window is cheaper than two copies */
#define GATHER_MAX 4096u     /* PIPE_BUF: what writev must not tear */

static int64_t write_failed(int error)
{
	if (error == EPIPE)
		signals_raise(L_SIGPIPE);
	else if (error == EFBIG)
		signals_raise(L_SIGXFSZ);
	return result_of(error);
}

static int64_t read_inline(port_name_t name, void *user, size_t size, int64_t offset, uint32_t flags)
{
	uint8_t bytes[INLINE_MAX];
	size_t done = 0;
	int error = io_read_inline(name, offset, flags, (uint32_t)size, bytes, sizeof(bytes), &done);
	if (error)
		return result_of(error);
	return user_copy(user, bytes, done) ? -EFAULT : (int64_t)done;
}

/* /dev/null and /dev/zero. What was filled before a fault counts, as on Linux. */
static int64_t read_device(uint32_t kind, void *user, size_t size)
{
	size_t done = 0;

	if (kind & IO_FILE_KIND_NULL_DEVICE)
		return 0;
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	while (done < size) {
		uint64_t at = (uint64_t)user + done, page = PAGE_SIZE - at % PAGE_SIZE;
		size_t part = page < size - done ? page : size - done;

		if (user_zero((void *)at, part))
			return done ? (int64_t)done : -EFAULT;
		done += part;
	}
	return (int64_t)done;
}

/* read and write on a socket are recv and send without more. */
static int64_t socket_transfer(struct description *socket, const struct socket_vector *vector, int64_t offset, uint32_t flags, bool write)
{
	uint32_t message_flags = flags & TRANSFER_NONBLOCKING ? L_MSG_DONTWAIT : 0;

	if (offset >= 0)
		return -ESPIPE;
	return write ? socket_send(socket, vector, message_flags, NULL, NULL) : socket_read(socket, vector, message_flags);
}

static bool is_socket(const struct description *description)
{
	return description->type == DESCRIPTION_REMOTE && (description->kind & IO_FILE_KIND_SOCKET);
}

static int64_t socket_file_write(struct description *socket, const void *user, size_t size, int64_t offset, uint32_t flags)
{
	struct linux_iovec element = { (uint64_t)user, size < TRANSFER_MAX ? size : TRANSFER_MAX };
	struct socket_vector vector = { &element, 1, element.len };

	return socket_transfer(socket, &vector, offset, flags, true);
}

int64_t file_read(struct description *description, void *user, size_t size, int64_t offset, uint32_t flags)
{
	uint64_t done = 0;

	if (description->kind & KIND_READS)
		return read_device(description->kind, user, size);
	if (description->type != DESCRIPTION_REMOTE)
		return local_read(description, user, size, flags);
	if (size <= INLINE_MAX)
		return read_inline(description->name, user, size, offset, flags);
	if (size > TRANSFER_MAX)
		size = TRANSFER_MAX;
	int error = io_read(description->name, offset, flags, user, size < 0x40000000 ? size : 0x40000000, &done);
	return error ? result_of(error) : (int64_t)done;
}

static int64_t write_inline(port_name_t name, const void *user, size_t size, int64_t offset, uint32_t flags)
{
	uint8_t bytes[INLINE_MAX];
	uint64_t done = 0;
	if (user_copy(bytes, user, size))
		return -EFAULT;
	int error = io_write_inline(name, offset, flags, bytes, size, &done);
	return error ? write_failed(error) : (int64_t)done;
}

int64_t file_write(struct description *description, const void *user, size_t size, int64_t offset, uint32_t flags)
{
	uint64_t done = 0;

	if (description->kind & KIND_WRITES)
		return size < TRANSFER_MAX ? (int64_t)size : (int64_t)TRANSFER_MAX; /* as on Linux, nobody looks at it */
	if (description->type != DESCRIPTION_REMOTE)
		return local_write(description, user, size, flags);
	if (is_socket(description))
		return socket_file_write(description, user, size, offset, flags);
	if (size <= INLINE_MAX)
		return write_inline(description->name, user, size, offset, flags);
	int error = io_write(description->name, offset, flags, user, size < 0x40000000 ? size : 0x40000000, &done);
	return error ? write_failed(error) : (int64_t)done;
}

/* ---- one buffer ---- */

int64_t sys_read(int fd, void *user, size_t size)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = file_read(description, user, size, IO_OFFSET_CURRENT, 0);
	fd_put(description);
	return result;
}

int64_t sys_write(int fd, const void *user, size_t size)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = file_write(description, user, size, IO_OFFSET_CURRENT, 0);
	fd_put(description);
	return result;
}

int64_t sys_pread64(int fd, void *user, size_t size, int64_t offset)
{
	if (offset < 0)
		return -EINVAL;
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = description->type == DESCRIPTION_REMOTE ? file_read(description, user, size, offset, 0) : -ESPIPE;
	fd_put(description);
	return result;
}

int64_t sys_pwrite64(int fd, const void *user, size_t size, int64_t offset)
{
	if (offset < 0)
		return -EINVAL;
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = description->type == DESCRIPTION_REMOTE ? file_write(description, user, size, offset, 0) : -ESPIPE;
	fd_put(description);
	return result;
}

int64_t sys_lseek(int fd, int64_t offset, uint32_t whence)
{
	int64_t position = 0;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	int error = ESPIPE;
	if (description->type == DESCRIPTION_REMOTE) {
		error = io_seek(description->name, offset, whence, &position);
	} else if (description->type == DESCRIPTION_FD_LIST && whence == 0 && offset >= 0) {
		description->local = (uint64_t)offset;
		position = offset;
		error = 0;
	}
	fd_put(description);
	return error ? result_of(error) : position;
}

/* ---- vectors ---- */

static int64_t take_vector(const struct linux_iovec *user, size_t count, struct linux_iovec *vector)
{
	if (count > IOVEC_MAX)
		return -EINVAL;
	if (user_copy(vector, user, count * sizeof(*vector)))
		return -EFAULT;
	return iovec_total(vector, count);
}

typedef int64_t transfer(struct description *description, void *user, size_t size, int64_t offset, uint32_t flags);

/* Element after element; only the first may wait. What was moved counts, an error behind it does not. */
static int64_t each(struct description *description, const struct linux_iovec *vector, size_t count, int64_t offset, uint32_t flags,
		    bool wait_for_all, transfer *move)
{
	int64_t done = 0;

	for (size_t i = 0; i < count && done < (int64_t)TRANSFER_MAX; i++) {
		if (vector[i].len == 0)
			continue;
		int64_t part = move(description, (void *)vector[i].base, vector[i].len, offset,
				    flags | (done && !wait_for_all ? TRANSFER_NONBLOCKING : 0));
		if (part < 0)
			return done ? done : part;
		done += part;
		if (offset >= 0)
			offset += part;
		if ((uint64_t)part < vector[i].len)
			break;
	}
	return done;
}

static int64_t write_each(struct description *description, void *user, size_t size, int64_t offset, uint32_t flags)
{
	return file_write(description, user, size, offset, flags);
}

/* What fits PIPE_BUF goes in one piece. */
static int64_t write_gathered(struct description *description, const struct linux_iovec *vector, size_t count, size_t total,
			      int64_t offset, uint32_t flags)
{
	uint8_t bytes[GATHER_MAX];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (user_copy(bytes + used, (const void *)vector[i].base, vector[i].len))
			return -EFAULT;
		used += vector[i].len;
	}
	return file_write(description, bytes, total, offset, flags);
}

/* A short read of small buffers in one message. */
static int64_t read_scattered(struct description *description, const struct linux_iovec *vector, size_t count, size_t total,
			      int64_t offset, uint32_t flags)
{
	uint8_t bytes[GATHER_MAX];
	int64_t done = file_read(description, bytes, total, offset, flags);
	size_t used = 0;

	for (size_t i = 0; i < count && (int64_t)used < done; i++) {
		size_t part = vector[i].len < (size_t)done - used ? vector[i].len : (size_t)done - used;
		if (user_copy((void *)vector[i].base, bytes + used, part))
			return -EFAULT;
		used += part;
	}
	return done;
}

static int64_t move_vector(int fd, const struct linux_iovec *user, size_t count, int64_t offset, uint32_t flags, bool write)
{
	static const size_t on_stack = 64;
	struct linux_iovec few[64], *vector = few;
	struct description *description = fd_get(fd);

	if (description == NULL)
		return -EBADF;
	if (count > on_stack && count <= IOVEC_MAX)
		vector = pages_allocate(count * sizeof(*vector));
	int64_t total = vector ? take_vector(user, count, vector) : -ENOMEM;
	int64_t result = total;
	if (total >= 0 && is_socket(description))
		result = socket_transfer(description, &(struct socket_vector){ vector, count, (size_t)total }, offset, flags, write);
	else if (total > 0 && total <= (int64_t)GATHER_MAX && description->type == DESCRIPTION_REMOTE)
		result = write ? write_gathered(description, vector, count, (size_t)total, offset, flags)
			       : read_scattered(description, vector, count, (size_t)total, offset, flags);
	else if (total > 0)
		result = each(description, vector, count, offset, flags, write, write ? write_each : file_read);
	else if (total == 0)
		result = write ? file_write(description, few, 0, offset, flags) : file_read(description, few, 0, offset, flags);
	if (vector != few)
		pages_free(vector, count * sizeof(*vector));
	fd_put(description);
	return result;
}

int64_t sys_readv(int fd, const struct linux_iovec *vector, size_t count)
{
	return move_vector(fd, vector, count, IO_OFFSET_CURRENT, 0, false);
}

int64_t sys_writev(int fd, const struct linux_iovec *vector, size_t count)
{
	return move_vector(fd, vector, count, IO_OFFSET_CURRENT, 0, true);
}

int64_t sys_preadv(int fd, const struct linux_iovec *vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_vector(fd, vector, count, offset, 0, false);
}

int64_t sys_pwritev(int fd, const struct linux_iovec *vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_vector(fd, vector, count, offset, 0, true);
}

/* Offset -1 is the file position. */
int64_t sys_preadv2(int fd, const struct linux_iovec *vector, size_t count, int64_t offset, uint64_t high, int flags)
{
	int64_t moved = transfer_flags(flags);
	(void)high; /* the upper half of the offset on 32-bit machines */
	if (moved < 0)
		return moved;
	return offset < -1 ? -EINVAL : move_vector(fd, vector, count, offset, (uint32_t)moved & TRANSFER_NONBLOCKING, false);
}

int64_t sys_pwritev2(int fd, const struct linux_iovec *vector, size_t count, int64_t offset, uint64_t high, int flags)
{
	int64_t moved = transfer_flags(flags);
	(void)high;
	if (moved < 0)
		return moved;
	return offset < -1 ? -EINVAL : move_vector(fd, vector, count, offset, (uint32_t)moved, true);
}
