/*
 * Parked callers: reads that wait for a line, writes that wait for room, drains and settings that wait for the line to
 * send.
 *
 * Nothing is taken from a queue before the caller has it: a read whose window faults is repeated and finds its bytes
 * again.
 */
#include "tty.h"
#include <io_server.h>
#include <portico/strings.h>
#include <tty_server.h>

#define CHUNK 1024u
#define DRAIN_POLL_NS 5000000u /* the driver does not tell when its last byte has gone */

struct waiter *waiter_add(struct waiter **queue, struct open_file *file, enum waiter_kind kind, size_t extra)
{
	struct waiter *waiter = keep_allocate(sizeof(*waiter) + extra);

	if (waiter == NULL)
		return NULL;
	waiter->kind = (uint8_t)kind;
	waiter->file = file;
	waiter->deadline = DEADLINE_NEVER;
	while (*queue != NULL)
		queue = &(*queue)->next;
	*queue = waiter;
	return waiter;
}

void waiter_remove(struct waiter **queue, struct waiter *waiter)
{
	while (*queue != waiter)
		queue = &(*queue)->next;
	*queue = waiter->next;
	keep_free(waiter);
}

void waiter_fail(struct waiter *waiter, int error)
{
	server_reply_error(&waiter->reply, error);
}

void waiter_hang_up(struct waiter *waiter)
{
	if (waiter->kind == WAIT_READ)
		io_reply_read(&waiter->reply, 0, 0);
	else if (waiter->kind == WAIT_READ_INLINE)
		io_reply_read_inline(&waiter->reply, 0, "", 0);
	else
		waiter_fail(waiter, EIO);
}

static bool read_inline(struct terminal *t, struct waiter *waiter)
{
	uint8_t bytes[INLINE_MAX];
	size_t consume,
	        n = discipline_peek(&t->d, bytes, waiter->size < INLINE_MAX ? waiter->size : INLINE_MAX, &consume);

	discipline_consume(&t->d, consume);
	io_reply_read_inline(&waiter->reply, 0, bytes, n);
	return true;
}

bool waiter_read(struct terminal *t, struct waiter *waiter, bool forced)
{
	uint8_t bytes[INPUT_SIZE];
	size_t consume;

	if (!forced && !discipline_satisfied(&t->d, waiter->size))
		return false;
	if (waiter->kind == WAIT_READ_INLINE)
		return read_inline(t, waiter);
	size_t n = discipline_peek(&t->d, bytes, waiter->size < INPUT_SIZE ? waiter->size : INPUT_SIZE, &consume);
	int64_t copied = server_window_write(&waiter->window, 0, bytes, n);
	if (copied == KERN_PEER_FAULT) {
		server_restart(&waiter->reply);
	} else if (copied < 0) {
		waiter_fail(waiter, copied == KERN_GONE ? EINTR : EFAULT);
	} else {
		discipline_consume(&t->d, consume);
		io_reply_read(&waiter->reply, 0, n);
	}
	return true;
}

static void answer_write(struct waiter *waiter)
{
	if (waiter->kind == WAIT_WRITE)
		io_reply_write(&waiter->reply, 0, waiter->done);
	else
		io_reply_write_inline(&waiter->reply, 0, waiter->done);
}

/* A window that cannot be read: what was written counts, else the request is repeated or fails. */
static bool write_failed(struct waiter *waiter, int64_t status)
{
	if (waiter->done > 0)
		answer_write(waiter);
	else if (status == KERN_PEER_FAULT)
		server_restart(&waiter->reply);
	else
		waiter_fail(waiter, EFAULT);
	return true;
}

int64_t waiter_take(const struct server_window *window, uint64_t offset, void *to, size_t size)
{
	int64_t status = server_window_read(window, offset, to, size);

	if (status > 0)
		server_sample(to, (size_t)status);
	return status;
}

bool waiter_write(struct terminal *t, struct waiter *waiter, uint32_t *budget)
{
	uint8_t chunk[CHUNK];

	while (waiter->done < waiter->size) {
		size_t n = waiter->size - waiter->done < CHUNK ? waiter->size - waiter->done : CHUNK;
		const uint8_t *bytes = waiter->bytes + waiter->done;

		if (!discipline_writable(&t->d) || *budget == 0)
			return false;
		if (n > *budget)
			n = *budget;
		if (waiter->kind == WAIT_WRITE) {
			int64_t status = waiter_take(&waiter->window, waiter->done, chunk, n);
			if (status <= 0)
				return write_failed(waiter, status);
			bytes = chunk;
			n = (size_t)status;
		}
		n = discipline_output(&t->d, bytes, n, !waiter->file->raw);
		waiter->done += n;
		*budget -= (uint32_t)n;
	}
	answer_write(waiter);
	return true;
}

/* ---- time ---- */

void waiters_expired(void)
{
	uint64_t now = server_now();

	for (unsigned i = 0; i < TERMINALS; i++) {
		struct terminal *t = &tty->terminal[i];
		struct waiter *next;

		for (struct waiter *w = t->readers; w != NULL; w = next) {
			next = w->next;
			if (w->deadline <= now && waiter_read(t, w, true))
				waiter_remove(&t->readers, w);
		}
		terminal_run(t);
	}
	waiters_arm();
}

void waiters_arm(void)
{
	uint64_t deadline = DEADLINE_NEVER;

	for (unsigned i = 0; i < TERMINALS; i++) {
		const struct terminal *t = &tty->terminal[i];

		for (const struct waiter *w = t->readers; w != NULL; w = w->next)
			if (w->deadline < deadline)
				deadline = w->deadline;
		if (t->drainers != NULL && server_now() + DRAIN_POLL_NS < deadline)
			deadline = server_now() + DRAIN_POLL_NS;
	}
	server_set_timer(deadline);
}
