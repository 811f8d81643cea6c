/*
 * Interface io on terminals and host outputs.
 */
#include "tty.h"
#include <io_server.h>
#include <portico/server_readiness.h>
#include <portico/strings.h>

#define READ_NO_WAIT 1u /* flags of read and write: do not block whatever the description says */
#define CHUNK 1024u
#define S_IFCHR 0020000u
#define KEEP_ID 0xffffffffu
#define TIME_NOW 0x3fffffffu
#define TIME_OMIT 0x3ffffffeu

struct open_file *io_file_get(struct server_call *call)
{
	return file_find(call->badge, call->principal);
}

void io_file_put(struct open_file *object)
{
	(void)object;
}

static struct timestamp now(void)
{
	int64_t ns = server_realtime();

	return (struct timestamp){.seconds = ns / 1000000000, .nanoseconds = (uint32_t)(ns % 1000000000)};
}

/* ---- reading ---- */

/* 0: go on; -1: the read is over with no bytes; else an errno. */
static int check_read(struct server_call *call, struct open_file *file, int64_t offset, uint64_t size)
{
	if (!file_reads(file))
		return EBADF;
	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	if (file_hung_up(file) || (file->raw && file->terminal->serial != PORT_NULL) || size == 0)
		return -1;
	int error = file_check(file);
	return error != 0 ? error : jobs_check(file->terminal, call->principal, TTY_SIGTTIN);
}

/* Is there something for a read that does not want to wait? */
static bool ready_now(struct terminal *t, uint64_t size, bool no_wait)
{
	if (t->readers != NULL)
		return false;
	return discipline_satisfied(&t->d, size) ||
	       (no_wait && !local_has(&t->d, ICANON) && ring_count(&t->d.input) > 0);
}

static int park_read(struct server_call *call, struct open_file *file, enum waiter_kind kind, uint64_t size,
                     const struct server_window *window)
{
	struct terminal *t = file->terminal;
	struct waiter *w = waiter_add(&t->readers, file, kind, 0);

	if (w == NULL)
		return ENOMEM;
	w->size = size;
	int result = server_park(call, &w->reply);
	if (result != SERVER_PARKED) {
		waiter_remove(&t->readers, w);
		return result;
	}
	if (window != NULL) {
		w->window = *window;
		server_window_rebase(&w->window, &w->reply);
	}
	terminal_run(t);
	return result;
}

int io_serve_read(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                  struct server_window *data, uint64_t *done)
{
	bool no_wait = (flags & READ_NO_WAIT) != 0 || (file->flags & O_NONBLOCK) != 0;
	int error = check_read(call, file, offset, data->size);
	uint8_t bytes[INPUT_SIZE];
	size_t consume;

	if (error != 0)
		return error < 0 ? 0 : error;
	struct terminal *t = file->terminal;
	if (!ready_now(t, data->size, no_wait))
		return no_wait ? EAGAIN : park_read(call, file, WAIT_READ, data->size, data);
	size_t n = discipline_peek(&t->d, bytes, data->size < sizeof(bytes) ? data->size : sizeof(bytes), &consume);
	int64_t copied = server_window_write(data, 0, bytes, n);
	if (copied == KERN_PEER_FAULT)
		return SERVER_RESTART;
	if (copied < 0)
		return EFAULT;
	discipline_consume(&t->d, consume);
	*done = n;
	t->accessed = now();
	terminal_run(t);
	return 0;
}

int io_serve_read_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                         uint32_t size, void *data, size_t *data_count)
{
	bool no_wait = (flags & READ_NO_WAIT) != 0 || (file->flags & O_NONBLOCK) != 0;
	int error = check_read(call, file, offset, size);
	size_t consume;

	if (error != 0)
		return error < 0 ? 0 : error;
	struct terminal *t = file->terminal;
	if (!ready_now(t, size, no_wait))
		return no_wait ? EAGAIN : park_read(call, file, WAIT_READ_INLINE, size, NULL);
	*data_count = discipline_peek(&t->d, data, size < INLINE_MAX ? size : INLINE_MAX, &consume);
	discipline_consume(&t->d, consume);
	t->accessed = now();
	terminal_run(t);
	return 0;
}

/* ---- writing ---- */

static int check_write(struct server_call *call, struct open_file *file, int64_t offset)
{
	if (!file_writes(file))
		return EBADF;
	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	int error = file_check(file);
	if (error != 0 || file->raw || !local_has(&file->terminal->d, TOSTOP))
		return error;
	return jobs_check(file->terminal, call->principal, TTY_SIGTTOU);
}

static int park_write(struct server_call *call, struct open_file *file, const struct server_window *window,
                      const void *data, uint64_t size, uint64_t done)
{
	struct terminal *t = file->terminal;
	struct waiter *w = waiter_add(&t->writers, file, window != NULL ? WAIT_WRITE : WAIT_WRITE_INLINE,
	                              window != NULL ? 0 : size);

	if (w == NULL)
		return ENOMEM;
	w->size = size;
	w->done = done;
	if (data != NULL)
		memcpy(w->bytes, data, size);
	int result = server_park(call, &w->reply);
	if (result != SERVER_PARKED) {
		waiter_remove(&t->writers, w);
		return result;
	}
	if (window != NULL) {
		w->window = *window;
		server_window_rebase(&w->window, &w->reply);
	}
	terminal_run(t);
	return result;
}

/* Writes what finds room at once, up to RUN_BYTES. A negative result is SERVER_RESTART, a positive one an errno; *done
 * counts in any case. */
static int write_now(struct open_file *file, const struct server_window *window, const uint8_t *data, uint64_t size,
                     uint64_t *done)
{
	struct terminal *t = file->terminal;
	uint8_t chunk[CHUNK];

	if (size > RUN_BYTES)
		size = RUN_BYTES;
	while (*done < size && t->writers == NULL && discipline_writable(&t->d)) {
		size_t n = size - *done < CHUNK ? size - *done : CHUNK;
		const uint8_t *bytes = chunk;

		if (window == NULL) {
			bytes = data + *done;
		} else {
			int64_t status = waiter_take(window, *done, chunk, n);
			if (status <= 0)
				return *done > 0 ? 0 : status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
			n = (size_t)status;
		}
		*done += discipline_output(&t->d, bytes, n, !file->raw);
		if (!discipline_writable(&t->d))
			terminal_run(t);
	}
	t->modified = now();
	terminal_run(t);
	return 0;
}

static int write_all(struct server_call *call, struct open_file *file, uint32_t flags,
                     const struct server_window *window, const void *data, uint64_t size, uint64_t *done)
{
	bool no_wait = (flags & READ_NO_WAIT) != 0 || (file->flags & O_NONBLOCK) != 0;
	int error = write_now(file, window, data, size, done);

	if (error != 0 || *done == size)
		return error;
	if (no_wait)
		return *done > 0 ? 0 : EAGAIN;
	return park_write(call, file, window, data, size, *done);
}

int io_serve_write(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                   struct server_window *data, uint64_t *done)
{
	int error = check_write(call, file, offset);

	return error != 0 ? error : write_all(call, file, flags, data, NULL, data->size, done);
}

int io_serve_write_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                          const void *data, size_t data_count, uint64_t *done)
{
	int error = check_write(call, file, offset);

	return error != 0 ? error : write_all(call, file, flags, NULL, data, data_count, done);
}

/* ---- attributes ---- */

int io_serve_stat(struct server_call *call, struct open_file *file, struct attributes *attr)
{
	const struct terminal *t = file->terminal;

	(void)call;
	*attr = (struct attributes){
	        .device = DEVFS_DEVICE,
	        .inode = DEVFS_INODE(file->device),
	        .links = 1,
	        .mode = S_IFCHR | (t != NULL ? t->mode : 0666),
	        .uid = t != NULL ? t->uid : 0,
	        .gid = t != NULL ? t->gid : 5,
	        .rdevice = file->device,
	        .block_size = 1024,
	};
	if (t != NULL) {
		attr->accessed = t->accessed;
		attr->modified = t->modified;
		attr->changed = t->changed;
	}
	return 0;
}

/* 0 when the caller owns the terminal, or is root. */
static int owner_check(struct server_call *call, struct open_file *file)
{
	const struct server_session *s = sessions_by_principal(&tty->sessions, call->principal);

	if (file->terminal == NULL)
		return ENXIO;
	return s != NULL && (s->euid == 0 || s->euid == file->terminal->uid) ? 0 : EPERM;
}

int io_serve_set_mode(struct server_call *call, struct open_file *file, uint32_t mode)
{
	int error = owner_check(call, file);

	if (error != 0)
		return error;
	file->terminal->mode = mode & 07777;
	file->terminal->changed = now();
	return 0;
}

int io_serve_set_owner(struct server_call *call, struct open_file *file, uint32_t uid, uint32_t gid)
{
	const struct server_session *s = sessions_by_principal(&tty->sessions, call->principal);

	if (file->terminal == NULL)
		return ENXIO;
	if (s == NULL || s->euid != 0)
		return EPERM;
	if (uid != KEEP_ID)
		file->terminal->uid = uid;
	if (gid != KEEP_ID)
		file->terminal->gid = gid;
	file->terminal->changed = now();
	return 0;
}

static void set_time(struct timestamp *to, const struct timestamp *from)
{
	if (from->nanoseconds == TIME_NOW)
		*to = now();
	else if (from->nanoseconds != TIME_OMIT)
		*to = *from;
}

int io_serve_set_times(struct server_call *call, struct open_file *file, const struct timestamp *accessed,
                       const struct timestamp *modified)
{
	int error = owner_check(call, file);

	if (error != 0)
		return error;
	set_time(&file->terminal->accessed, accessed);
	set_time(&file->terminal->modified, modified);
	file->terminal->changed = now();
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
	file->flags = (file->flags & ~(uint32_t)FLAGS_CHANGEABLE) | (flags & FLAGS_CHANGEABLE);
	return 0;
}

int io_serve_path(struct server_call *call, struct open_file *file, char *path)
{
	static const struct {
		uint64_t device;
		const char *path;
	} paths[] = {
	        {DEVICE_TTY, "/dev/tty"},
	        {DEVICE_CONSOLE, "/dev/console"},
	        {DEVICE_SERIAL(0), "/dev/ttyS0"},
	        {DEVICE_HOST_OUTPUT, "/dev/hostout"},
	        {DEVICE_HOST_ERROR, "/dev/hosterr"},
	};

	(void)call;
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i].device == file->device) {
			memcpy(path, paths[i].path, strlen(paths[i].path) + 1);
			return 0;
		}
	}
	return ENOENT;
}

/* ---- readiness ---- */

int io_serve_ready_slot(struct server_call *call, struct open_file *file, uint32_t *slot)
{
	(void)call;
	if (file->terminal == NULL)
		return ENXIO;
	if (file->ready == 0)
		file->ready = readiness_slot();
	if (file->ready == 0)
		return ENOSPC;
	readiness_set(file->ready, file_events(file));
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

int io_serve_available(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	int error = file_check(file);

	(void)call;
	if (error != 0)
		return error;
	if (file->raw)
		return ENOTTY;
	*bytes = discipline_available(&file->terminal->d);
	return 0;
}

/* A description of the same terminal: badges made here have the highest bit of the serial number set. */
int io_serve_reopen(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *port,
                    uint32_t *kind)
{
	(void)call;
	uint32_t serial = 0x800000u | (tty->next_serial++ & 0x7fffffu);

	server_port_badge(port, DEVICE_BADGE(file->device, flags, serial), 0);
	*kind = file->raw ? 0 : IO_FILE_KIND_TERMINAL;
	return 0;
}
