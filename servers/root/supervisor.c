/*
 * /dev/supervisor: interface io on rights that vfs mints for whoever may open the device (badge: as a terminal's). They
 * come through a port of their own, so that no badge that vfs makes is a server's.
 *
 * One open file is one command: a line is written, the answer is read until end of file. The next line is the next
 * command. What else files can do is refused in servers/common/io_refuse.c.
 */
#include "supervisor.h"
#include <portico/client.h>
#include <portico/strings.h>

#define READS(file) (((file)->flags & 3u) != 1u)  /* not O_WRONLY */
#define WRITES(file) (((file)->flags & 3u) != 0u) /* not O_RDONLY */
#define FLAGS_CHANGEABLE 06000u                    /* O_APPEND, O_NONBLOCK: kept, though nothing here waits or has an end */

void supervisor_start(void)
{
	int64_t port = server_trap(TRAP_port_create, PORT_NULL, 0, 0, 0, 0, 0);

	if (port < 0)
		server_panic("port of the supervisor: status %d", (int)port);
	root->supervisor = (port_name_t)port;
	int error = server_add_port(root->supervisor);
	int64_t status = server_trap(TRAP_right_request, root->supervisor, REQUEST_NO_SENDERS, NAME_SERVICE, 0, 0, 0);
	if (error != 0 || status < 0)
		server_panic("port of the supervisor: error %d, status %d", error, (int)status);
}

/* ---- open files ---- */

static struct supervisor_file **find(uint64_t badge)
{
	struct supervisor_file **link = &root->files;

	while (*link != NULL && (*link)->badge != badge)
		link = &(*link)->next;
	return link;
}

struct open_file *io_file_get(struct server_call *call)
{
	if (call->port != root->supervisor)
		return NULL;
	struct supervisor_file **link = find(call->badge);
	if (*link == NULL && root->file_count < SUPERVISOR_FILES) {
		server_promote();
		struct supervisor_file *file = keep_allocate(sizeof(*file));
		if (file == NULL)
			return NULL;
		file->badge = call->badge;
		file->flags = DEVICE_BADGE_FLAGS(call->badge);
		*link = file;
		root->file_count++;
	}
	return (struct open_file *)*link;
}

void io_file_put(struct open_file *object)
{
	(void)object;
}

/* Of the service port there may come notices too: then there is no such badge. */
void supervisor_closed(uint64_t badge, uint64_t make_send)
{
	struct supervisor_file **link = find(badge), *file = *link;

	(void)make_send; /* vfs makes one right a badge */
	if (file == NULL)
		return;
	*link = file->next;
	root->file_count--;
	answer_free(&file->answer);
	server_release_right(file->session.upload.object);
	keep_free(file);
}

/* ---- writing: the command ---- */

/* A new command: the answer to the last one goes. */
static void begin(struct supervisor_file *file)
{
	answer_free(&file->answer);
	file->session.report.last = 0;
	file->position = 0;
	file->length = 0;
}

/* Bytes for the last command: how many of them. */
static int64_t store(struct supervisor_file *file, const char *data, size_t size)
{
	struct upload *upload = &file->session.upload;
	size_t n = upload->size - upload->done < size ? upload->size - upload->done : size;
	int64_t status = server_trap(TRAP_object_write, upload->object, upload->done, (uint64_t)data, n, 0, 0);

	if (status < 0)
		return status;
	upload->done += n;
	if (upload->done == upload->size)
		command_uploaded(upload, &file->answer);
	return (int64_t)n;
}

/* Errors are told when the line is whole, but for a line that is too long. */
static int take(struct supervisor_file *file, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (file->session.upload.object != PORT_NULL) {
			int64_t n = store(file, data + i, size - i);
			if (n < 0)
				return kern_errno(n);
			i += (size_t)n - 1;
			continue;
		}
		if (file->length == 0)
			begin(file);
		if (data[i] == '\n') {
			file->line[file->length] = '\0';
			file->length = 0;
			command_execute(file->line, &file->answer, &file->session);
			continue;
		}
		if (file->length == sizeof(file->line) - 1) {
			file->length = 0;
			return EINVAL;
		}
		file->line[file->length++] = data[i];
	}
	return 0;
}

static int check_write(const struct supervisor_file *file, int64_t offset)
{
	return !WRITES(file) ? EBADF : offset != IO_OFFSET_CURRENT ? ESPIPE : 0;
}

int io_serve_write_inline(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                          const void *data, size_t data_count, uint64_t *done)
{
	struct supervisor_file *file = (struct supervisor_file *)object;
	int error = check_write(file, offset);

	(void)call, (void)flags;
	if (error == 0)
		error = take(file, data, data_count);
	*done = data_count;
	return error;
}

int io_serve_write(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                   struct server_window *data, uint64_t *done)
{
	static char piece[PIECE];
	struct supervisor_file *file = (struct supervisor_file *)object;
	int error = check_write(file, offset);

	(void)call, (void)flags;
	if (error != 0)
		return error;
	int64_t n = server_window_read(data, 0, piece, data->size < sizeof(piece) ? data->size : sizeof(piece));
	if (n < 0)
		return n == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	*done = (uint64_t)n;
	return take(file, piece, (size_t)n);
}

/* ---- reading: the answer ---- */

static int check_read(const struct supervisor_file *file, int64_t offset)
{
	if (!READS(file))
		return EBADF;
	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	return file->answer.short_of_memory ? ENOMEM : 0;
}

/* Bytes for a read, of which there are some until the end of the file. */
static size_t left(struct supervisor_file *file, uint64_t size)
{
	while (file->position == file->answer.length && !file->answer.short_of_memory) {
		file->answer.length = file->position = 0;
		if (!report_more(&file->answer, &file->session.report))
			break;
	}
	size_t rest = file->answer.length - file->position;

	return size < rest ? (size_t)size : rest;
}

int io_serve_read_inline(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                         uint32_t size, void *data, size_t *data_count)
{
	struct supervisor_file *file = (struct supervisor_file *)object;
	int error = check_read(file, offset);

	(void)call, (void)flags;
	if (error != 0)
		return error;
	*data_count = left(file, size < IO_READ_INLINE_MAX ? size : IO_READ_INLINE_MAX);
	memcpy(data, file->answer.text + file->position, *data_count);
	file->position += *data_count;
	return 0;
}

int io_serve_read(struct server_call *call, struct open_file *object, int64_t offset, uint32_t flags,
                  struct server_window *data, uint64_t *done)
{
	struct supervisor_file *file = (struct supervisor_file *)object;
	int error = check_read(file, offset);

	(void)call, (void)flags;
	if (error != 0)
		return error;
	size_t size = left(file, data->size);
	if (size == 0)
		return 0;
	int64_t n = server_window_write(data, 0, file->answer.text + file->position, size);
	if (n < 0)
		return n == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	file->position += (size_t)n;
	*done = (uint64_t)n;
	return 0;
}

/* ---- attributes ---- */

int io_serve_stat(struct server_call *call, struct open_file *object, struct attributes *attr)
{
	(void)call, (void)object;
	*attr = (struct attributes){
	        .device = DEVFS_DEVICE,
	        .inode = DEVFS_INODE(DEVICE_SUPERVISOR),
	        .links = 1,
	        .mode = 0020600, /* S_IFCHR */
	        .rdevice = DEVICE_SUPERVISOR,
	        .block_size = 4096,
	};
	return 0;
}

int io_serve_get_flags(struct server_call *call, struct open_file *object, uint32_t *flags)
{
	(void)call;
	*flags = ((const struct supervisor_file *)object)->flags;
	return 0;
}

int io_serve_set_flags(struct server_call *call, struct open_file *object, uint32_t flags)
{
	struct supervisor_file *file = (struct supervisor_file *)object;

	(void)call;
	file->flags = (file->flags & ~FLAGS_CHANGEABLE) | (flags & FLAGS_CHANGEABLE);
	return 0;
}

int io_serve_path(struct server_call *call, struct open_file *object, char *path)
{
	static const char name[] = "/dev/supervisor";

	(void)call, (void)object;
	memcpy(path, name, sizeof(name));
	return 0;
}
