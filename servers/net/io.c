/*
 * Interface io on sockets, but for reading and writing (serve_transfer.c): attributes, flags, readiness. What sockets do not do, with the errors that Linux
 * gives for it, is at the end.
 */
#include "net.h"

#include <io_server.h>
#include <portico/server_readiness.h>
#include <portico/strings.h>

#define S_IFSOCK 0140000u
#define SOCKET_DEVICE 0x8u
#define SOCKFS_MAGIC 0x534f434bu
#define MODE_BITS 07777u
#define KEEP_ID 0xffffffffu

struct open_file *io_file_get(struct server_call *call)
{
	return (struct open_file *)socket_by_badge(call->badge);
}

void io_file_put(struct open_file *file)
{
	(void)file;
}

/* ---- attributes ---- */

int io_serve_stat(struct server_call *call, struct open_file *file, struct attributes *attr)
{
	const struct socket *s = &file->socket;
	struct timestamp at = {.seconds = s->created / 1000000000, .nanoseconds = (uint32_t)(s->created % 1000000000)};

	(void)call;
	*attr = (struct attributes){.device = SOCKET_DEVICE,
	                            .inode = s->inode,
	                            .links = 1,
	                            .mode = S_IFSOCK | s->mode,
	                            .uid = s->uid,
	                            .gid = s->gid,
	                            .block_size = 4096,
	                            .accessed = at,
	                            .modified = at,
	                            .changed = at,
	                            .born = at};
	return 0;
}

static bool owns(struct server_session *who, const struct socket *s)
{
	return who != NULL && (who->euid == s->uid || access_capable(who, CAPABILITY_FOWNER));
}

int io_serve_set_mode(struct server_call *call, struct open_file *file, uint32_t mode)
{
	if (!owns(caller_of(call), &file->socket))
		return EPERM;
	file->socket.mode = mode & MODE_BITS;
	return 0;
}

int io_serve_set_owner(struct server_call *call, struct open_file *file, uint32_t uid, uint32_t gid)
{
	struct server_session *who = caller_of(call);
	struct socket *s = &file->socket;

	if (who == NULL)
		return EPERM;
	bool gives_away = uid != KEEP_ID && uid != s->uid, other_group = gid != KEEP_ID && gid != s->gid && gid != who->egid;
	if ((gives_away || other_group || !owns(who, s)) && !access_capable(who, CAPABILITY_CHOWN))
		return EPERM;
	if (uid != KEEP_ID)
		s->uid = uid;
	if (gid != KEEP_ID)
		s->gid = gid;
	return 0;
}

int io_serve_get_flags(struct server_call *call, struct open_file *file, uint32_t *flags)
{
	(void)call;
	*flags = O_RDWR | file->socket.flags;
	return 0;
}

int io_serve_set_flags(struct server_call *call, struct open_file *file, uint32_t flags)
{
	(void)call;
	file->socket.flags = flags & O_NONBLOCK;
	return 0;
}

int io_serve_stat_file_system(struct server_call *call, struct open_file *file, struct io_file_system *result)
{
	(void)call, (void)file;
	result->type = SOCKFS_MAGIC;
	result->block_size = result->fragment_size = 4096;
	result->name_max = 255;
	return 0;
}

/* libposix says "socket:[inode]". */
int io_serve_path(struct server_call *call, struct open_file *file, char *path)
{
	(void)call, (void)file, (void)path;
	return ENOENT;
}

int io_serve_available(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	(void)call;
	return family(&file->socket)->available(&file->socket, bytes);
}

/* ---- readiness ---- */

int io_serve_ready_slot(struct server_call *call, struct open_file *file, uint32_t *slot)
{
	struct socket *s = &file->socket;

	(void)call;
	if (s->ready == 0)
		s->ready = readiness_slot();
	if (s->ready == 0)
		return ENOSPC;
	s->events = family(s)->events(s);
	readiness_set(s->ready, s->events);
	*slot = s->ready;
	return 0;
}

int io_serve_ready_object(struct server_call *call, struct open_file *file, struct server_port *object)
{
	(void)call, (void)file;
	object->name = readiness_object();
	return object->name != PORT_NULL ? 0 : ENOMEM;
}

/* ---- what sockets do not do ---- */

int io_serve_seek(struct server_call *call, struct open_file *file, int64_t offset, uint32_t whence, int64_t *position)
{
	(void)call, (void)file, (void)offset, (void)whence, (void)position;
	return ESPIPE;
}

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

/* open("/proc/self/fd/N") */
int io_serve_reopen(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *port, uint32_t *kind)
{
	(void)call, (void)file, (void)flags, (void)port, (void)kind;
	return ENXIO;
}
