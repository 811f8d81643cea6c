/*
 * What an open file refuses, unless its server has a handler of the same name: interface io as a character device without a position has it, with
 * Linux's errors.
 *
 * For servers that have few kinds of files. The handlers are weak: whatever a server defines itself counts.
 */
#include <io_server.h>

#define WEAK __attribute__((weak))

WEAK int io_serve_seek(struct server_call *call, struct open_file *file, int64_t offset, uint32_t whence, int64_t *position)
{
	(void)call, (void)file, (void)offset, (void)whence, (void)position;
	return ESPIPE;
}

WEAK int io_serve_read_directory(struct server_call *call, struct open_file *file, struct server_window *data, uint64_t *done)
{
	(void)call, (void)file, (void)data, (void)done;
	return ENOTDIR;
}

WEAK int io_serve_truncate(struct server_call *call, struct open_file *file, uint64_t size)
{
	(void)call, (void)file, (void)size;
	return EINVAL;
}

WEAK int io_serve_allocate(struct server_call *call, struct open_file *file, uint32_t mode, uint64_t offset, uint64_t length)
{
	(void)call, (void)file, (void)mode, (void)offset, (void)length;
	return ENODEV;
}

WEAK int io_serve_sync(struct server_call *call, struct open_file *file, uint8_t data_only)
{
	(void)call, (void)file, (void)data_only;
	return EINVAL;
}

WEAK int io_serve_set_mode(struct server_call *call, struct open_file *file, uint32_t mode)
{
	(void)call, (void)file, (void)mode;
	return EPERM;
}

WEAK int io_serve_set_owner(struct server_call *call, struct open_file *file, uint32_t uid, uint32_t gid)
{
	(void)call, (void)file, (void)uid, (void)gid;
	return EPERM;
}

WEAK int io_serve_set_times(struct server_call *call, struct open_file *file, const struct timestamp *accessed,
                            const struct timestamp *modified)
{
	(void)call, (void)file, (void)accessed, (void)modified;
	return EPERM;
}

WEAK int io_serve_lock(struct server_call *call, struct open_file *file, uint8_t operation, const struct io_lock *request,
                       struct io_lock *holder)
{
	(void)call, (void)file, (void)operation, (void)request, (void)holder;
	return ENOLCK;
}

WEAK int io_serve_map(struct server_call *call, struct open_file *file, uint8_t writable, struct server_port *object, uint64_t *size)
{
	(void)call, (void)file, (void)writable, (void)object, (void)size;
	return ENODEV;
}

WEAK int io_serve_ready_slot(struct server_call *call, struct open_file *file, uint32_t *slot)
{
	(void)call, (void)file, (void)slot;
	return EPERM;
}

WEAK int io_serve_ready_object(struct server_call *call, struct open_file *file, struct server_port *object)
{
	(void)call, (void)file, (void)object;
	return EPERM;
}

WEAK int io_serve_stat_file_system(struct server_call *call, struct open_file *file, struct io_file_system *result)
{
	(void)call, (void)file, (void)result;
	return ENOSYS;
}

WEAK int io_serve_available(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	(void)call, (void)file, (void)bytes;
	return ENOTTY;
}

WEAK int io_serve_pipe_size(struct server_call *call, struct open_file *file, uint32_t size, uint32_t *result)
{
	(void)call, (void)file, (void)size, (void)result;
	return EBADF;
}

WEAK int io_serve_copy_range(struct server_call *call, struct open_file *file, int64_t offset, port_name_t *to, int64_t to_offset,
                             uint64_t length, uint64_t *done)
{
	(void)call, (void)file, (void)offset, (void)to, (void)to_offset, (void)length, (void)done;
	return EINVAL;
}

WEAK int io_serve_reopen(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *port, uint32_t *kind)
{
	(void)call, (void)file, (void)flags, (void)port, (void)kind;
	return ENXIO;
}
