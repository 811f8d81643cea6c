/*
 * What files of ipcd do not do, with the errors of Linux's /proc.
 */
#include "ipcd.h"

#include <io_server.h>

int io_serve_read_directory(struct server_call *call, struct open_file *file, struct server_window *data, uint64_t *done)
{
	(void)call, (void)file, (void)data, (void)done;
	return ENOTDIR;
}

int io_serve_truncate(struct server_call *call, struct open_file *file, uint64_t size)
{
	(void)call, (void)file, (void)size;
	return EINVAL;
}

int io_serve_allocate(struct server_call *call, struct open_file *file, uint32_t mode, uint64_t offset, uint64_t length)
{
	(void)call, (void)file, (void)mode, (void)offset, (void)length;
	return ENODEV;
}

int io_serve_sync(struct server_call *call, struct open_file *file, uint8_t data_only)
{
	(void)call, (void)file, (void)data_only;
	return EINVAL;
}

int io_serve_set_mode(struct server_call *call, struct open_file *file, uint32_t mode)
{
	(void)call, (void)file, (void)mode;
	return EPERM;
}

int io_serve_set_owner(struct server_call *call, struct open_file *file, uint32_t uid, uint32_t gid)
{
	(void)call, (void)file, (void)uid, (void)gid;
	return EPERM;
}

int io_serve_set_times(struct server_call *call, struct open_file *file, const struct timestamp *accessed, const struct timestamp *modified)
{
	(void)call, (void)file, (void)accessed, (void)modified;
	return EPERM;
}

int io_serve_lock(struct server_call *call, struct open_file *file, uint8_t operation, const struct io_lock *request, struct io_lock *holder)
{
	(void)call, (void)file, (void)operation, (void)request, (void)holder;
	return ENOLCK;
}

int io_serve_map(struct server_call *call, struct open_file *file, uint8_t writable, struct server_port *object, uint64_t *size)
{
	(void)call, (void)file, (void)writable, (void)object, (void)size;
	return ENODEV;
}

int io_serve_available(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	(void)call, (void)file, (void)bytes;
	return ENOTTY;
}

int io_serve_pipe_size(struct server_call *call, struct open_file *file, uint32_t size, uint32_t *result)
{
	(void)call, (void)file, (void)size, (void)result;
	return EBADF;
}

int io_serve_copy_range(struct server_call *call, struct open_file *file, int64_t offset, port_name_t *to, int64_t to_offset, uint64_t length,
                        uint64_t *done)
{
	(void)call, (void)file, (void)offset, (void)to, (void)to_offset, (void)length, (void)done;
	return EINVAL;
}
