/*
 * Handlers of idl/io.idl that move bytes: read, write and what goes with them, for every kind of file that vfs serves.
 */
#include "serve.h"

#define NOT_NOW 1u /* flags of read and write: do not wait, whatever the description says */
#define AT_END 2u  /* of write: append, whatever the description says */
#define INLINE_MAX 2048u
#define COPY_CHUNK 65536u
#define COPY_MAX (64u << 20) /* by one copy_file_range: callers go on */

struct open_file *io_file_get(struct server_call *call)
{
	return open_file_find(call->badge);
}

void io_file_put(struct open_file *object)
{
	(void)object;
}

static bool is_fifo(const struct open_file *file)
{
	return (file->place.vnode->mode & S_IFMT) == S_IFIFO;
}

/* May the caller be made to wait? */
static bool waits(const struct open_file *file, uint32_t flags)
{
	return (file->flags & O_NONBLOCK) == 0 && (flags & NOT_NOW) == 0;
}

static int read_regular(struct open_file *file, int64_t offset, struct buffer *to, uint64_t *done)
{
	struct vnode *vnode = file->place.vnode;
	int64_t at = offset == IO_OFFSET_CURRENT ? file->offset : offset;
	int error = operations(vnode)->read(vnode, to, (uint64_t)at, to->size, done);

	if (error != 0)
		return error;
	if (offset == IO_OFFSET_CURRENT)
		file->offset += (int64_t)*done;
	if (to->size != 0)
		open_file_accessed(file);
	return 0;
}

static int read_file(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                     struct buffer *to, uint64_t *done)
{
	const struct vnode *vnode = file->place.vnode;

	if (!may_read(file))
		return EBADF;
	if (is_directory(vnode))
		return EISDIR;
	if (is_fifo(file))
		return offset != IO_OFFSET_CURRENT ? ESPIPE : pipe_read(call, file, to, waits(file, flags), done);
	if (offset < IO_OFFSET_CURRENT)
		return EINVAL;
	return is_regular(vnode) ? read_regular(file, offset, to, done) : device_read(vnode->rdevice, to, done);
}

static int write_regular(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                         struct buffer *from, uint64_t *done)
{
	struct vnode *vnode = file->place.vnode;
	bool append = (file->flags & O_APPEND) != 0 || (flags & AT_END) != 0;
	int64_t at = append ? (int64_t)vnode->size : offset == IO_OFFSET_CURRENT ? file->offset : offset;

	if (from->size == 0)
		return 0;
	int error = operations(vnode)->write(vnode, from, (uint64_t)at, from->size, done);
	if (error != 0)
		return error;
	if (offset == IO_OFFSET_CURRENT)
		file->offset = at + (int64_t)*done;
	strip_set_id(session_of(call), vnode);
	vnode_modified(vnode);
	return 0;
}

static int write_file(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                      struct buffer *from, uint64_t *done)
{
	const struct vnode *vnode = file->place.vnode;

	if (!may_write(file))
		return EBADF;
	if (is_fifo(file))
		return offset != IO_OFFSET_CURRENT ? ESPIPE : pipe_write(call, file, from, waits(file, flags), done);
	if (offset < IO_OFFSET_CURRENT)
		return EINVAL;
	if (is_regular(vnode))
		return write_regular(call, file, offset, flags, from, done);
	return device_write(vnode->rdevice, from, done);
}

int io_serve_read(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                  struct server_window *data, uint64_t *done)
{
	struct buffer to = {.window = data, .size = data->size};

	return read_file(call, object, offset, flags, &to, done);
}

int io_serve_write(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                   struct server_window *data, uint64_t *done)
{
	struct buffer from = {.window = data, .size = data->size};

	return write_file(call, object, offset, flags, &from, done);
}

int io_serve_read_inline(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                         uint32_t size, void *data, size_t *data_count)
{
	struct buffer to = {.bytes = data, .size = size < INLINE_MAX ? size : INLINE_MAX};
	uint64_t done = 0;
	int error = read_file(call, object, offset, flags, &to, &done);

	*data_count = done;
	return error;
}

int io_serve_write_inline(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                          const void *data, size_t data_count, uint64_t *done)
{
	struct buffer from = {.bytes = (uint8_t *)(uintptr_t)data, .size = data_count};

	return write_file(call, object, offset, flags, &from, done);
}

int io_serve_read_directory(struct server_call *call, struct open_file *object, struct server_window *data,
                            uint64_t *done)
{
	struct buffer to = {.window = data, .size = data->size};

	(void)call;
	return may_read(object) ? open_file_read_directory(object, &to, done) : EBADF;
}

/* ---- positions ---- */

static int add(int64_t base, int64_t offset, int64_t *sum)
{
	if (__builtin_add_overflow(base, offset, sum))
		return EOVERFLOW;
	return *sum < 0 ? EINVAL : 0;
}

/* The end of a directory: behind its last entry. */
static int64_t end_of(const struct vnode *vnode)
{
	if (!is_directory(vnode))
		return (int64_t)vnode->size;
	return vnode->directory.last != NULL ? (int64_t)vnode->directory.last->cookie : 2;
}

int io_serve_seek(struct server_call *call, struct open_file *object, int64_t offset, uint32_t whence,
                  int64_t *position)
{
	struct vnode *vnode = object->place.vnode;
	uint64_t found;
	int error;

	(void)call;
	if ((object->flags & O_PATH) != 0)
		return EBADF;
	if (is_fifo(object))
		return ESPIPE;
	if (!is_regular(vnode) && !is_directory(vnode)) {
		*position = 0; /* devices have no position, and say so without an error */
		return whence <= SEEK_FROM_END ? 0 : EINVAL;
	}
	switch (whence) {
	case SEEK_FROM_SET:
		error = add(0, offset, position);
		break;
	case SEEK_FROM_CURRENT:
		error = add(object->offset, offset, position);
		break;
	case SEEK_FROM_END:
		error = add(end_of(vnode), offset, position);
		break;
	case SEEK_TO_DATA:
	case SEEK_TO_HOLE:
		if (!is_regular(vnode))
			return EINVAL;
		error = offset < 0 ? ENXIO : operations(vnode)->seek(vnode, (uint64_t)offset, whence, &found);
		*position = error == 0 ? (int64_t)found : 0;
		break;
	default:
		return EINVAL;
	}
	if (error == 0)
		object->offset = *position;
	return error;
}

/* ---- copies between files ---- */

/* Volatile: bytes between two files. */
static uint8_t chunk[COPY_CHUNK];

static int copy_bytes(struct vnode *from, uint64_t at, struct vnode *to, uint64_t to_at, uint64_t length,
                      uint64_t *done)
{
	*done = 0;
	while (*done < length) {
		struct buffer buffer = {.bytes = chunk,
		                        .size = length - *done < COPY_CHUNK ? length - *done : COPY_CHUNK};
		uint64_t got = 0, put = 0;
		int error = operations(from)->read(from, &buffer, at + *done, buffer.size, &got);

		if (error == 0 && got != 0) {
			buffer.size = got;
			error = operations(to)->write(to, &buffer, to_at + *done, got, &put);
		}
		*done += put;
		if (error != 0)
			return *done != 0 ? 0 : error;
		if (got == 0 || put < got)
			return 0;
	}
	return 0;
}

static int check_copy(const struct open_file *from, const struct open_file *to, uint64_t at, uint64_t to_at,
                      uint64_t length)
{
	const struct vnode *source = from->place.vnode, *target = to->place.vnode;

	if (!may_read(from) || !may_write(to) || (to->flags & O_APPEND) != 0)
		return EBADF;
	if (is_directory(source) || is_directory(target))
		return EISDIR;
	if (!is_regular(source) || !is_regular(target) || at > INT64_MAX || to_at > INT64_MAX)
		return EINVAL;
	if (source == target && at < to_at + length && to_at < at + length)
		return EINVAL;
	return 0;
}

int io_serve_copy_range(struct server_call *call, struct open_file *object, int64_t offset, port_name_t *to,
                        int64_t to_offset, uint64_t length, uint64_t *done)
{
	struct open_file *target = file_of_right(*to);

	if (target == NULL)
		return EXDEV;
	uint64_t at = (uint64_t)(offset == IO_OFFSET_CURRENT ? object->offset : offset);
	uint64_t to_at = (uint64_t)(to_offset == IO_OFFSET_CURRENT ? target->offset : to_offset);
	length = length < COPY_MAX ? length : COPY_MAX;
	int error = check_copy(object, target, at, to_at, length);
	if (error == 0)
		error = copy_bytes(object->place.vnode, at, target->place.vnode, to_at, length, done);
	if (error != 0 || *done == 0)
		return error;
	if (offset == IO_OFFSET_CURRENT)
		object->offset += (int64_t)*done;
	if (to_offset == IO_OFFSET_CURRENT)
		target->offset += (int64_t)*done;
	open_file_accessed(object);
	strip_set_id(session_of(call), target->place.vnode);
	vnode_modified(target->place.vnode);
	return 0;
}
