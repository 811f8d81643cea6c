/*
 * Pipes and FIFOs: a ring of bytes, and those who wait for bytes or for room. Above: serve_io.c, fifo.c, open_file.c.
 * Below: wait.c, buffer.c, readiness words.
 *
 * Whoever changes a pipe calls pipe_pump, which serves the waiting ones from the handler of the one that came: a reader
 * is woken by its writer's message. While somebody waits for bytes there are none, and while somebody waits for room
 * nobody overtakes him.
 *
 * Recovery: the kernel puts the bytes of a window into the ring, and no undo log knows of it. So the bytes that were in
 * the ring when a transaction began stay where they are until it is committed, although it may have taken them out: a
 * new incarnation finds them there and hands them out again. What is put in goes to places that held nothing then
 * (`fresh`), for which a busy ring has twice its capacity, or is copied by ourselves, which is logged.
 */
#include "vfs.h"
#include <io_server.h>
#include <portico/server_readiness.h>

/* Bytes for read_inline. */
#define INLINE_MAX 2048u
/* What one transaction does for those who wait: bytes, and so many for a waiter. */
#define WORK_MAX (2u << 20)
#define WORK_WAITER 256u

static struct pipe *pipe_of(const struct open_file *file)
{
	return file->place.vnode->pipe;
}

/* ---- the ring ---- */

/* Before a transaction changes the ring: what holds nothing now? */
static void ring_begin(struct pipe *pipe)
{
	uint64_t transaction = memory_transaction();

	if (pipe->transaction == transaction)
		return;
	pipe->transaction = transaction;
	pipe->fresh = pipe->room - pipe->count;
	if (pipe->count == 0)
		pipe->head = 0; /* a pipe that is read as it is written stays in few pages */
}

/* Makes the ring hold `room` bytes; false: no memory. */
static bool ring_resize(struct pipe *pipe, uint32_t room)
{
	uint8_t *ring = keep_allocate(room);

	if (ring == NULL)
		return false;
	ring_begin(pipe);
	for (uint32_t i = 0; i < pipe->count;) {
		uint32_t from = (pipe->head + i) & (pipe->room - 1), part = pipe->room - from;

		part = part < pipe->count - i ? part : pipe->count - i;
		memcpy(ring + i, pipe->ring + from, part);
		i += part;
	}
	keep_free(pipe->ring);
	pipe->ring = ring;
	pipe->room = room;
	pipe->head = 0;
	pipe->fresh = room - pipe->count;
	return true;
}

/* Room for `size` more bytes, which the capacity allows. */
static bool ring_reserve(struct pipe *pipe, uint32_t size)
{
	uint32_t room = pipe->room != 0 ? pipe->room : PIPE_FIRST;

	ring_begin(pipe);
	while (room < pipe->count + size)
		room *= 2;
	if (room != pipe->room)
		return ring_resize(pipe, room);
	if (size > pipe->fresh && room <= pipe->capacity)
		(void)ring_resize(pipe, room * 2);
	return true;
}

/* Copies out without taking away. A negative kern_status, or bytes. */
static int64_t ring_peek(const struct pipe *pipe, struct buffer *to, uint32_t size)
{
	uint32_t first = pipe->room - pipe->head;

	if (size <= first)
		return buffer_put(to, 0, pipe->ring + pipe->head, size);
	int64_t n = buffer_put(to, 0, pipe->ring + pipe->head, first);
	if (n < (int64_t)first)
		return n;
	int64_t rest = buffer_put(to, first, pipe->ring, size - first);
	return rest < 0 ? rest : n + rest;
}

/* Volatile: bytes on their way into a ring by way of the undo log. */
static uint8_t bounce[65536];

static int64_t take_plain(struct buffer *from, uint64_t at, uint8_t *to, uint32_t size)
{
	return buffer_take(from, at, to, size);
}

static int64_t take_logged(struct buffer *from, uint64_t at, uint8_t *to, uint32_t size)
{
	uint32_t done = 0;

	while (done < size) {
		uint32_t part = size - done < sizeof(bounce) ? size - done : (uint32_t)sizeof(bounce);
		int64_t n = buffer_take(from, at + done, bounce, part);

		if (n < 0)
			return n;
		memcpy(to + done, bounce, (size_t)n);
		done += (uint32_t)n;
		if ((uint32_t)n < part)
			break;
	}
	return done;
}

/* Copies in behind what is there without counting it. Room was reserved. */
static int64_t ring_fill(struct pipe *pipe, struct buffer *from, uint64_t at, uint32_t size)
{
	int64_t (*take)(struct buffer * from, uint64_t at, uint8_t * to, uint32_t size) =
	        size <= pipe->fresh ? take_plain : take_logged;
	uint32_t tail = (pipe->head + pipe->count) & (pipe->room - 1), first = pipe->room - tail;

	pipe->fresh -= size < pipe->fresh ? size : pipe->fresh;
	if (size <= first)
		return take(from, at, pipe->ring + tail, size);
	int64_t n = take(from, at, pipe->ring + tail, first);
	if (n < (int64_t)first)
		return n;
	int64_t rest = take(from, at + first, pipe->ring, size - first);
	return rest < 0 ? rest : n + rest;
}

static void ring_drop(struct pipe *pipe, uint32_t size)
{
	ring_begin(pipe);
	pipe->count -= size;
	pipe->head = (pipe->head + size) & (pipe->room - 1);
}

static uint32_t room_left(const struct pipe *pipe)
{
	return pipe->capacity - pipe->count;
}

/* ---- readiness ---- */

static void publish(struct pipe *pipe)
{
	uint32_t in = pipe->count != 0 ? POLL_IN : 0;
	uint32_t out = room_left(pipe) >= PIPE_ATOMIC ? POLL_OUT : 0;

	readiness_set(pipe->slot[O_RDONLY], in | (pipe->writers == 0 && pipe->writer_opens != 0 ? POLL_HANG_UP : 0));
	readiness_set(pipe->slot[O_WRONLY], out | (pipe->readers == 0 ? POLL_ERROR : 0));
	readiness_set(pipe->slot[O_RDWR], in | out);
}

uint32_t pipe_slot(struct open_file *file)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t *slot = &pipe->slot[file->flags & O_ACCMODE];

	if (*slot == 0) {
		*slot = readiness_slot();
		publish(pipe);
	}
	return *slot;
}

/* ---- those who wait ---- */

/* Volatile: bytes for a read_inline. */
static uint8_t inline_bytes[INLINE_MAX];

/* Answers a waiting reader; false: nothing to answer it with. */
static bool serve_reader(struct pipe *pipe, struct waiter *waiter, uint64_t *work)
{
	struct buffer to = {
	        .window = waiter->in_message ? NULL : &waiter->window, .bytes = inline_bytes, .size = waiter->size};
	uint32_t size = waiter->size < pipe->count ? (uint32_t)waiter->size : pipe->count;
	int64_t n;

	if (pipe->count == 0 && pipe->writers != 0)
		return false;
	*work += WORK_WAITER + size;
	n = size != 0 ? ring_peek(pipe, &to, size) : 0;
	if (n == KERN_PEER_FAULT) {
		server_restart(&waiter->reply);
	} else if (waiter->in_message) {
		io_reply_read_inline(&waiter->reply, n < 0 ? buffer_error(n) : 0, inline_bytes, n > 0 ? (size_t)n : 0);
	} else {
		io_reply_read(&waiter->reply, n < 0 ? buffer_error(n) : 0, n > 0 ? (uint64_t)n : 0);
	}
	if (n > 0)
		ring_drop(pipe, (uint32_t)n);
	waiter_free(waiter);
	return true;
}

/* Moves more of a waiting writer's bytes; false: no room for them yet. */
static bool serve_writer(struct pipe *pipe, struct waiter *waiter, uint64_t *work)
{
	struct buffer from = {
	        .window = waiter->in_message ? NULL : &waiter->window, .bytes = waiter->bytes, .size = waiter->size};
	uint64_t left = waiter->size - waiter->done;
	uint32_t size = left < room_left(pipe) ? (uint32_t)left : room_left(pipe);
	int64_t n;

	*work += WORK_WAITER;
	if (pipe->readers == 0) {
		waiter_fail(waiter, EPIPE);
		return true;
	}
	if (size == 0 || (waiter->size <= PIPE_ATOMIC && size < left))
		return false;
	*work += size;
	n = ring_reserve(pipe, size) ? ring_fill(pipe, &from, waiter->done, size) : KERN_NO_MEMORY;
	if (n == KERN_PEER_FAULT && waiter->done == 0) {
		server_restart(&waiter->reply);
		waiter_free(waiter);
		return true;
	}
	if (n <= 0) {
		waiter_fail(waiter, n < 0 && n != KERN_PEER_FAULT ? buffer_error(n) : EFAULT);
		return true;
	}
	pipe->count += (uint32_t)n;
	waiter->done += (uint64_t)n;
	if (waiter->done == waiter->size)
		waiter_fail(waiter, 0);
	return true;
}

/* Goes on in the next transaction. */
static void pump_later(struct pipe *pipe)
{
	server_defer();
	if (pipe->pumped)
		return;
	pipe->pumped = true;
	pipe->next_pumped = vfs->pumped;
	vfs->pumped = pipe;
}

static void pump_forget(struct pipe *pipe)
{
	struct pipe **link = &vfs->pumped;

	if (!pipe->pumped)
		return;
	while (*link != pipe)
		link = &(*link)->next_pumped;
	*link = pipe->next_pumped;
	pipe->pumped = false;
}

void pipe_pump(struct pipe *pipe)
{
	bool progress = true;
	uint64_t work = 0;

	/* The last waiter's file may be the last that has the pipe open; it must not go meanwhile. */
	vnode_get(pipe->vnode);
	struct vnode *vnode = pipe->vnode;
	while (progress && vnode->pipe == pipe && work < WORK_MAX) {
		progress = false;
		while (vnode->pipe == pipe && pipe->reading.first != NULL && work < WORK_MAX &&
		       serve_reader(pipe, pipe->reading.first, &work))
			progress = true;
		while (vnode->pipe == pipe && pipe->writing.first != NULL && work < WORK_MAX &&
		       serve_writer(pipe, pipe->writing.first, &work))
			progress = true;
	}
	if (vnode->pipe == pipe) {
		publish(pipe);
		if (work >= WORK_MAX)
			pump_later(pipe);
	}
	vnode_put(vnode);
}

void pipes_go_on(void)
{
	struct pipe *pipe = vfs->pumped;

	if (pipe == NULL)
		return;
	pump_forget(pipe);
	if (vfs->pumped != NULL)
		server_defer();
	pipe_pump(pipe);
}

/* ---- read and write ---- */

int pipe_read(struct server_call *call, struct open_file *file, struct buffer *to, bool wait, uint64_t *done)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t size = to->size < pipe->count ? (uint32_t)to->size : pipe->count;

	*done = 0;
	if (to->size == 0 || (pipe->count == 0 && pipe->writers == 0))
		return 0;
	if (pipe->count == 0) {
		if (!wait)
			return EAGAIN;
		struct waiter *waiter = waiter_new(file, WAIT_PIPE_READ);
		if (waiter == NULL)
			return ENOMEM;
		waiter->in_message = to->window == NULL;
		if (to->window != NULL)
			waiter->window = *to->window;
		waiter->size = to->size;
		return waiter_park(waiter, call, &pipe->reading);
	}
	int64_t n = ring_peek(pipe, to, size);
	if (n < 0)
		return buffer_error(n);
	ring_drop(pipe, (uint32_t)n);
	*done = (uint64_t)n;
	open_file_accessed(file);
	pipe_pump(pipe);
	return 0;
}

/* A writer who waits with what is not written yet. `done` bytes of it are. */
static struct waiter *new_writer(struct open_file *file, struct buffer *from, uint64_t done)
{
	struct waiter *waiter = waiter_new(file, WAIT_PIPE_WRITE);

	if (waiter == NULL)
		return NULL;
	waiter->size = from->size;
	waiter->done = done;
	if (from->window != NULL) {
		waiter->window = *from->window;
		return waiter;
	}
	waiter->in_message = true;
	waiter->bytes = keep_allocate(from->size);
	if (waiter->bytes == NULL) {
		waiter_free(waiter);
		return NULL;
	}
	memcpy(waiter->bytes, from->bytes, from->size);
	return waiter;
}

/* Bytes that can be written now: all, as many as fit, or none (the writer waits). */
static uint32_t writable(const struct pipe *pipe, uint64_t size)
{
	uint32_t room = pipe->writing.first == NULL ? room_left(pipe) : 0;

	if (size <= room)
		return (uint32_t)size;
	return size <= PIPE_ATOMIC ? 0 : room;
}

static int write_part(struct server_call *call, struct open_file *file, struct buffer *from, uint32_t now, bool wait,
                      uint64_t *done)
{
	struct pipe *pipe = pipe_of(file);
	struct waiter *waiter = NULL;
	int64_t n = 0;

	if (wait && now < from->size) {
		/* Once some bytes are gone the request cannot be repeated: its pages are brought in before. */
		int error = now != 0 ? buffer_probe(from, now, from->size - now) : 0;
		if (error != 0)
			return error;
		waiter = new_writer(file, from, now);
		if (waiter == NULL)
			return ENOMEM;
	}
	if (now != 0)
		n = ring_reserve(pipe, now) ? ring_fill(pipe, from, 0, now) : KERN_NO_MEMORY;
	int result = n < 0 ? buffer_error(n) : 0;
	if (waiter != NULL) {
		if (result == 0)
			result = waiter_park(waiter, call, &pipe->writing);
		else
			waiter_free(waiter);
	}
	if (result > 0 || result == SERVER_RESTART)
		return result;
	if (n == 0)
		return result;
	pipe->count += (uint32_t)n;
	*done = (uint64_t)n;
	vnode_modified(pipe->vnode);
	if (pipe->reading.first == NULL)
		readiness_touch(pipe->slot[O_RDONLY]);
	pipe_pump(pipe);
	return result;
}

int pipe_write(struct server_call *call, struct open_file *file, struct buffer *from, bool wait, uint64_t *done)
{
	struct pipe *pipe = pipe_of(file);

	*done = 0;
	if (from->size == 0)
		return 0;
	if (pipe->readers == 0)
		return EPIPE;
	uint32_t now = writable(pipe, from->size);
	if (now == 0 && !wait)
		return EAGAIN;
	return write_part(call, file, from, now, wait, done);
}

/* ---- making, capacity, ends ---- */

static struct pipe *new_pipe(struct vnode *vnode)
{
	struct pipe *pipe = keep_allocate(sizeof(*pipe));

	if (pipe == NULL)
		return NULL;
	pipe->vnode = vnode;
	pipe->capacity = PIPE_SIZE;
	vnode->pipe = pipe;
	return pipe;
}

int pipe_attach(struct open_file *file)
{
	struct vnode *vnode = file->place.vnode;
	struct pipe *pipe = vnode->pipe != NULL ? vnode->pipe : new_pipe(vnode);

	if (pipe == NULL)
		return ENFILE;
	if (may_read(file)) {
		pipe->readers++;
		pipe->reader_opens++;
	}
	if (may_write(file)) {
		pipe->writers++;
		pipe->writer_opens++;
	}
	publish(pipe);
	return 0;
}

static void free_pipe(struct pipe *pipe)
{
	pump_forget(pipe);
	pipe->vnode->pipe = NULL;
	for (unsigned i = 0; i < 3; i++)
		readiness_free(pipe->slot[i]);
	keep_free(pipe->ring);
	keep_free(pipe);
}

void pipe_detach(struct open_file *file)
{
	struct pipe *pipe = pipe_of(file);

	pipe->readers -= may_read(file);
	pipe->writers -= may_write(file);
	if (pipe->readers == 0 && pipe->writers == 0)
		free_pipe(pipe);
	else
		pipe_pump(pipe);
}

int pipe_new(uint32_t flags, struct open_file **reader, struct open_file **writer)
{
	struct new_vnode what = {.mode = S_IFIFO | 0600};
	struct vnode *vnode;
	int error = file_systems[vfs->pipes->kind].create_unnamed(vfs->pipes, &what, &vnode);

	if (error != 0)
		return ENFILE;
	struct place place = {NULL, vnode};
	vnode_get(vnode);
	error = open_file_new(place, O_RDONLY | flags, reader);
	if (error == 0) {
		error = open_file_new(place, O_WRONLY | flags, writer);
		if (error != 0)
			open_file_put(*reader);
	}
	vnode_put(vnode);
	return error;
}

int pipe_resize(struct open_file *file, uint32_t size, bool privileged, uint32_t *result)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t capacity = PIPE_FIRST;

	if (size > 1u << 30)
		return EINVAL;
	while (size != 0 && capacity < size)
		capacity *= 2;
	if (size != 0) {
		if (capacity > PIPE_SIZE_MAX && capacity > pipe->capacity && !privileged)
			return EPERM;
		if (capacity > PIPE_SIZE_LIMIT)
			return ENOMEM;
		if (capacity < pipe->count)
			return EBUSY;
		if (capacity < pipe->room && !ring_resize(pipe, capacity))
			return ENOMEM;
		pipe->capacity = capacity;
		pipe_pump(pipe);
	}
	*result = pipe->capacity;
	return 0;
}
