/*
 * Open files: records by badge, to the no-senders notification, and interface io on them.
 *
 * Those of /proc show and set what is here; proc has checked names and permissions, and made the badge, whose first request makes the record.
 * What they say is in lists.c and limits.c. Those of POSIX message queues come from mq_open.
 */
#include "ipcd.h"

#include <io_server.h>
#include <ipc_server.h>
#include <portico/ipc_files.h>
#include <portico/server_readiness.h>
#include <portico/strings.h>

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_PATH 010000000u
#define S_IFREG 0100000u
#define FLAGS_CHANGEABLE (O_APPEND | O_NONBLOCK)
#define PROCFS_MAGIC 0x9fa0u
#define MQUEUE_MAGIC 0x19800202u
#define MQUEUE_DEVICE 0x13u
#define QUEUE_TEXT_SIZE 80u /* what stat says, as Linux */
#define REOPENED 0x800000u /* in the serial number of badges that are made here */

/* Volatile: what one request shows. */
static char text_buffer[FILE_TEXT_MAX];

static struct open_file **bucket_of(uint64_t badge)
{
	return &root->files[(badge ^ badge >> 24 ^ badge >> 48) % FILE_BUCKETS];
}

static struct open_file *file_create(uint64_t badge)
{
	if (BADGE_KIND(badge) != IPC_BADGE_KIND_FILE || IPC_BADGE_FILE(badge) >= IPC_FILES)
		return NULL;
	server_promote();
	struct open_file *file = keep_allocate(sizeof(*file));
	if (file == NULL)
		return NULL;
	file->badge = badge;
	file->file = IPC_BADGE_FILE(badge);
	file->flags = IPC_BADGE_FLAGS(badge);
	file->next = *bucket_of(badge);
	*bucket_of(badge) = file;
	return file;
}

struct open_file *file_of_queue(struct mqueue *queue, uint32_t flags)
{
	struct open_file *file = keep_allocate(sizeof(*file));

	if (file == NULL)
		return NULL;
	file->badge = (uint64_t)BADGE_QUEUE << 56 | ++root->next_description;
	file->flags = flags;
	file->queue = queue;
	file->next_queue = queue->files;
	queue->files = file;
	file->next = *bucket_of(file->badge);
	*bucket_of(file->badge) = file;
	return file;
}

static struct open_file *file_find(uint64_t badge)
{
	struct open_file *file = *bucket_of(badge);

	while (file != NULL && file->badge != badge)
		file = file->next;
	return file;
}

struct open_file *io_file_get(struct server_call *call)
{
	struct open_file *file = file_find(call->badge);

	return file != NULL ? file : file_create(call->badge);
}

struct open_file *ipc_queue_get(struct server_call *call)
{
	return BADGE_KIND(call->badge) == BADGE_QUEUE ? file_find(call->badge) : NULL;
}

void ipc_queue_put(struct open_file *file)
{
	(void)file;
}

void io_file_put(struct open_file *file)
{
	(void)file;
}

void files_no_senders(uint64_t badge, uint64_t make_send)
{
	struct open_file **link = bucket_of(badge);

	(void)make_send; /* each badge is made into a right once */
	while (*link != NULL && (*link)->badge != badge)
		link = &(*link)->next;
	struct open_file *file = *link;
	if (file == NULL)
		return;
	*link = file->next;
	if (file->queue != NULL) {
		struct open_file **of = &file->queue->files;
		while (*of != file)
			of = &(*of)->next_queue;
		*of = file->next_queue;
		mq_closed(file->queue);
	}
	readiness_free(file->ready);
	keep_free(file);
}

/* ---- reading and writing ---- */

static int check_read(const struct open_file *file, int64_t offset)
{
	if ((file->flags & O_PATH) != 0 || (file->flags & O_ACCMODE) == O_WRONLY)
		return EBADF;
	return offset < IO_OFFSET_CURRENT ? EINVAL : 0;
}

/* Up to `max` bytes of what the file says, into the buffer. */
static size_t fill(struct open_file *file, int64_t offset, uint64_t max)
{
	uint64_t at = offset == IO_OFFSET_CURRENT ? file->position : (uint64_t)offset;
	size_t size = max < sizeof(text_buffer) ? max : sizeof(text_buffer);

	if (file->queue != NULL)
		return mq_text(file->queue, at, text_buffer, size);
	return file->file <= IPC_FILE_LIST_MSG ? list_read(file, at, text_buffer, size) : limit_read(file->file, at, text_buffer, size);
}

int io_serve_read(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, struct server_window *data,
                  uint64_t *done)
{
	(void)call;
	(void)flags;
	int error = check_read(file, offset);
	if (error != 0)
		return error;
	size_t size = fill(file, offset, data->size);
	int64_t status = size != 0 ? server_window_write(data, 0, text_buffer, size) : 0;
	if (status < 0)
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	if (offset == IO_OFFSET_CURRENT)
		file->position += (uint64_t)status;
	*done = (uint64_t)status;
	return 0;
}

int io_serve_read_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, uint32_t size, void *data,
                         size_t *data_count)
{
	(void)call;
	(void)flags;
	int error = check_read(file, offset);
	if (error != 0)
		return error;
	*data_count = fill(file, offset, size < 2048 ? size : 2048);
	memcpy(data, text_buffer, *data_count);
	if (offset == IO_OFFSET_CURRENT)
		file->position += *data_count;
	return 0;
}

static int write_text(struct open_file *file, const char *bytes, size_t size)
{
	if ((file->flags & O_PATH) != 0 || (file->flags & O_ACCMODE) == O_RDONLY)
		return EBADF;
	if (file->queue != NULL)
		return EINVAL;
	return file->file <= IPC_FILE_LIST_MSG ? EIO : limit_write(file->file, bytes, size);
}

int io_serve_write(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, struct server_window *data,
                   uint64_t *done)
{
	char bytes[256];
	(void)call;
	(void)offset;
	(void)flags;
	if (data->size > sizeof(bytes))
		return EINVAL;
	int64_t got = data->size != 0 ? server_window_read(data, 0, bytes, data->size) : 0;
	if (got < 0)
		return got == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	server_sample(bytes, (size_t)got);
	*done = (uint64_t)got;
	return write_text(file, bytes, (size_t)got);
}

int io_serve_write_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, const void *data,
                          size_t data_count, uint64_t *done)
{
	(void)call;
	(void)offset;
	(void)flags;
	*done = data_count;
	return write_text(file, data, data_count);
}

int io_serve_seek(struct server_call *call, struct open_file *file, int64_t offset, uint32_t whence, int64_t *position)
{
	(void)call;
	if (whence > 1 || (whence == 1 && __builtin_add_overflow(offset, (int64_t)file->position, &offset)) || offset < 0)
		return EINVAL; /* there is no end to count from */
	file->position = (uint64_t)offset;
	*position = offset;
	return 0;
}

/* ---- attributes ---- */

int io_serve_stat(struct server_call *call, struct open_file *file, struct attributes *attr)
{
	const struct mqueue *queue = file->queue;
	int64_t now = queue != NULL ? queue->created : ipcd_seconds();

	(void)call;
	if (queue != NULL) {
		attr->device = MQUEUE_DEVICE;
		attr->inode = (uint64_t)(uint32_t)queue->object.id;
		attr->mode = S_IFREG | queue->object.mode;
		attr->uid = queue->object.uid;
		attr->gid = queue->object.gid;
		attr->links = queue->linked ? 1 : 0;
		attr->size = QUEUE_TEXT_SIZE;
		attr->block_size = 4096;
	}
	attr->accessed.seconds = attr->modified.seconds = attr->changed.seconds = attr->born.seconds = now;
	if (queue != NULL)
		return 0;
	attr->inode = 0x1000u + file->file;
	attr->mode = S_IFREG | (file->file <= IPC_FILE_LIST_MSG ? 0444u : 0644u);
	attr->links = 1;
	attr->block_size = 1024;
	return 0;
}

int io_serve_get_flags(struct server_call *call, struct open_file *file, uint32_t *flags)
{
	(void)call;
	*flags = file->flags;
	return 0;
}

int io_serve_set_flags(struct server_call *call, struct open_file *file, uint32_t flags)
{
	(void)call;
	file->flags = (file->flags & ~FLAGS_CHANGEABLE) | (flags & FLAGS_CHANGEABLE);
	return 0;
}

int io_serve_path(struct server_call *call, struct open_file *file, char *path)
{
	(void)call;
	if (file->queue != NULL)
		snprintf(path, 2049, "/%s%s", file->queue->name, file->queue->linked ? "" : " (deleted)");
	else
		snprintf(path, 2049, "/proc/%s", limit_path(file->file));
	return 0;
}

int io_serve_stat_file_system(struct server_call *call, struct open_file *file, struct io_file_system *result)
{
	(void)call;
	result->type = file->queue != NULL ? MQUEUE_MAGIC : PROCFS_MAGIC;
	result->block_size = result->fragment_size = 4096;
	result->name_max = 255;
	return 0;
}

int io_serve_reopen(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *port, uint32_t *kind)
{
	uint32_t access = flags & O_ACCMODE;
	const struct server_session *s = caller_of(call);

	if (file->queue != NULL)
		return ENXIO;
	if (access != O_RDONLY && (file->file <= IPC_FILE_LIST_MSG || s == NULL || s->euid != 0))
		return EACCES;
	server_port_badge(port, IPC_FILE_BADGE(file->file, flags, REOPENED | (root->next_file++ & (REOPENED - 1))), 0);
	*kind = IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_ALWAYS_READY;
	return 0;
}

/* ---- readiness: of queues ---- */

int io_serve_ready_slot(struct server_call *call, struct open_file *file, uint32_t *slot)
{
	(void)call;
	if (file->queue == NULL)
		return EPERM;
	if (file->ready == 0)
		file->ready = readiness_slot();
	if (file->ready == 0)
		return ENOSPC;
	readiness_set(file->ready, mq_events(file->queue));
	*slot = file->ready;
	return 0;
}

int io_serve_ready_object(struct server_call *call, struct open_file *file, struct server_port *object)
{
	(void)call;
	(void)file;
	object->name = readiness_object();
	return object->name != PORT_NULL ? 0 : ENOMEM;
}
