/*
 * A terminal at work: bytes from the driver through the discipline to readers, bytes from writers through it to the
 * driver.
 *
 * Whatever changes a queue ends in terminal_run(), which lets everything go on that can and publishes the readiness;
 * nobody else decides who runs next.
 */
#include "tty.h"
#include <portico/server_readiness.h>
#include <portico/strings.h>
#include <serial_client.h>
#include <tty_server.h>

#define POLLIN 0x001u
#define POLLOUT 0x004u
#define POLLERR 0x008u
#define POLLHUP 0x010u
#define POLLRDNORM 0x040u
#define POLLWRNORM 0x100u

#define DECISECOND_NS 100000000u
#define RUN_ROUNDS 2u /* fetches of input in one run */

void terminal_init(struct terminal *t, unsigned index, bool raw_only)
{
	discipline_init(&t->d);
	ring_init(&t->backlog, t->backlog_bytes, sizeof(t->backlog_bytes));
	t->index = (uint8_t)index;
	t->raw_only = raw_only;
	t->mode = 0620;
	t->gid = 5;
}

/* ---- the line ---- */

/* Fetches what the driver has, once the backlog is used up: a full input queue holds the sender back. */
static bool fetch(struct terminal *t)
{
	uint8_t bytes[2048];
	size_t count;

	if (t->raw_only || ring_count(&t->backlog) > 0)
		return false;
	if (serial_read(t->serial, bytes, sizeof(bytes), &count) != 0 || count == 0)
		return false;
	ring_write(&t->backlog, bytes, count);
	return true;
}

static void feed(struct terminal *t)
{
	while (ring_count(&t->backlog) > 0 && discipline_input_room(&t->d) > 0) {
		uint8_t byte = ring_at(&t->backlog, 0);

		ring_skip(&t->backlog, 1);
		int signal = discipline_input(&t->d, byte);
		if (signal != 0)
			jobs_signal(t, signal);
	}
	discipline_throttle(&t->d);
}

/* Gives the driver what it takes. */
static void push(struct terminal *t)
{
	uint8_t bytes[2048];
	size_t count;

	for (;;) {
		const uint8_t *piece = discipline_pending(&t->d, &count);
		uint32_t done = 0;

		if (count == 0)
			return;
		if (count > sizeof(bytes))
			count = sizeof(bytes);
		memcpy(bytes, piece, count);
		if (serial_write(t->serial, bytes, count, &done) != 0)
			return;
		discipline_sent(&t->d, done);
		if (done < count)
			return; /* NOTIFY_OUTPUT tells when there is room */
	}
}

uint64_t terminal_output_count(struct terminal *t)
{
	uint32_t pending = 0;

	if (serial_pending(t->serial, &pending) != 0)
		pending = 0;
	return ring_count(&t->d.output) + (uint64_t)pending;
}

bool terminal_output_pending(struct terminal *t)
{
	return ring_count(&t->d.output) > 0 || terminal_output_count(t) > 0;
}

/* ---- waiters ---- */

/* VTIME: with VMIN it runs from byte to byte, without from the start of the read. */
static void set_deadline(struct terminal *t, struct waiter *w)
{
	uint32_t time = t->d.termios.characters[VTIME], minimum = t->d.termios.characters[VMIN];
	uint32_t count = ring_count(&t->d.input);

	if (local_has(&t->d, ICANON) || time == 0) {
		w->deadline = DEADLINE_NEVER;
		return;
	}
	bool restart = minimum == 0 ? w->deadline == DEADLINE_NEVER
	                            : count > 0 && (count != w->seen || w->deadline == DEADLINE_NEVER);
	w->seen = count;
	if (restart)
		w->deadline = server_now() + (uint64_t)time * DECISECOND_NS;
}

static void run_readers(struct terminal *t)
{
	while (t->readers != NULL && waiter_read(t, t->readers, false))
		waiter_remove(&t->readers, t->readers);
	for (struct waiter *w = t->readers; w != NULL; w = w->next)
		set_deadline(t, w);
}

static void run_writers(struct terminal *t, uint32_t *budget)
{
	while (t->writers != NULL) {
		if (waiter_write(t, t->writers, budget)) {
			waiter_remove(&t->writers, t->writers);
			continue;
		}
		push(t);
		if (!discipline_writable(&t->d) || *budget == 0)
			return;
	}
}

void terminal_apply(struct terminal *t, const struct tty_termios *termios, uint32_t when)
{
	if (when == TTY_WHEN_FLUSH) {
		discipline_flush_input(&t->d);
		ring_clear(&t->backlog);
	}
	discipline_set(&t->d, termios);
}

static void run_drainers(struct terminal *t)
{
	while (t->drainers != NULL && !terminal_output_pending(t)) {
		struct waiter *w = t->drainers;

		if (w->kind == WAIT_SET_ATTRIBUTES) {
			terminal_apply(t, &w->termios, w->when);
			tty_reply_set_attributes(&w->reply, 0);
		} else {
			tty_reply_drain(&w->reply, 0);
		}
		waiter_remove(&t->drainers, w);
	}
}

uint32_t file_events(const struct open_file *file)
{
	const struct terminal *t = file->terminal;
	uint32_t events = 0;

	if (file_check(file) != 0)
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	if (file->raw || discipline_readable(&t->d))
		events |= POLLIN | POLLRDNORM;
	if (t->writers == NULL && discipline_writable(&t->d))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

void terminal_ready(struct terminal *t)
{
	for (const struct open_file *f = t->files; f != NULL; f = f->next_file)
		if (f->ready != 0)
			readiness_set(f->ready, file_events(f));
}

static bool more_input(struct terminal *t)
{
	return discipline_input_room(&t->d) > 0 && (ring_count(&t->backlog) > 0 || fetch(t));
}

void terminal_run(struct terminal *t)
{
	uint32_t budget = RUN_BYTES;
	bool more = t->serial != PORT_NULL;

	if (!more)
		return;
	for (unsigned round = 0; round < RUN_ROUNDS && more; round++) {
		feed(t);
		run_readers(t);
		push(t);
		run_writers(t, &budget);
		push(t);
		more = more_input(t);
	}
	if (more || (budget == 0 && t->writers != NULL))
		server_defer();
	run_drainers(t);
	terminal_ready(t);
	waiters_arm();
}

void terminals_go_on(void)
{
	for (unsigned i = 0; i < TERMINALS; i++)
		terminal_run(&tty->terminal[i]);
}

void terminal_pull(struct terminal *t)
{
	fetch(t);
	terminal_run(t);
}

static void abort_queue(struct waiter **queue, const struct open_file *file)
{
	struct waiter *next;

	for (struct waiter *w = *queue; w != NULL; w = next) {
		next = w->next;
		if (file != NULL && w->file != file)
			continue;
		waiter_hang_up(w);
		waiter_remove(queue, w);
	}
}

void terminal_abort(struct terminal *t, const struct open_file *file)
{
	abort_queue(&t->readers, file);
	abort_queue(&t->writers, file);
	abort_queue(&t->drainers, file);
}

/* ---- interrupted callers ---- */

static struct waiter *find(struct waiter *queue, uint64_t request)
{
	while (queue != NULL && queue->reply.request != request)
		queue = queue->next;
	return queue;
}

/*
 * What is half done is answered as done: a write that has put bytes, a read without canonical mode that has some. The
 * dead are answered too, which frees the reply right, but take no bytes along.
 */
static void interrupt(struct terminal *t, struct waiter **queue, struct waiter *w, bool died)
{
	bool reads = w->kind == WAIT_READ || w->kind == WAIT_READ_INLINE;
	uint32_t budget = 0;

	if (reads && !died && !local_has(&t->d, ICANON) && ring_count(&t->d.input) > 0) {
		waiter_read(t, w, true);
	} else if (w->done > 0) {
		w->size = w->done;
		waiter_write(t, w, &budget);
	} else {
		waiter_fail(w, EINTR);
	}
	waiter_remove(queue, w);
}

void terminal_cancelled(uint64_t request, bool died)
{
	for (unsigned i = 0; i < TERMINALS; i++) {
		struct terminal *t = &tty->terminal[i];
		struct waiter **queues[] = {&t->readers, &t->writers, &t->drainers};

		for (unsigned q = 0; q < 3; q++) {
			struct waiter *w = find(*queues[q], request);
			if (w == NULL)
				continue;
			interrupt(t, queues[q], w, died);
			terminal_run(t);
			return;
		}
	}
}
