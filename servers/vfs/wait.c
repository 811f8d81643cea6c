/*
 * Parked callers: a record each, in the queue of what it waits for and in a table by request id, so that the kernel's
 * CANCEL finds it.
 *
 * A waiter holds a reference to its open file: as on any POSIX system a file stays open while somebody is in a call on
 * it.
 */
#include "vfs.h"
#include <io_server.h>
#include <vfs_server.h>

static struct waiter **bucket(uint64_t request)
{
	return &vfs->waiting[request % WAIT_BUCKETS];
}

struct waiter *waiter_new(struct open_file *file, enum waiter_kind kind)
{
	struct waiter *waiter = keep_allocate(sizeof(*waiter));

	if (waiter == NULL)
		return NULL;
	waiter->kind = (uint8_t)kind;
	waiter->file = file;
	file->references++;
	return waiter;
}

int waiter_park(struct waiter *waiter, struct server_call *call, struct waiter_queue *queue)
{
	int result = server_park(call, &waiter->reply);

	if (result != SERVER_PARKED) {
		waiter_free(waiter);
		return result;
	}
	server_window_rebase(&waiter->window, &waiter->reply);
	waiter->request = waiter->reply.request; /* the token empties itself when it is answered */
	waiter->next_request = *bucket(waiter->request);
	*bucket(waiter->request) = waiter;
	waiter->queue = queue;
	waiter->previous = queue->last;
	*(queue->last != NULL ? &queue->last->next : &queue->first) = waiter;
	queue->last = waiter;
	return SERVER_PARKED;
}

static void unlink_waiter(struct waiter *waiter)
{
	struct waiter_queue *queue = waiter->queue;

	*(waiter->previous != NULL ? &waiter->previous->next : &queue->first) = waiter->next;
	*(waiter->next != NULL ? &waiter->next->previous : &queue->last) = waiter->previous;
	struct waiter **link = bucket(waiter->request);
	while (*link != waiter)
		link = &(*link)->next_request;
	*link = waiter->next_request;
}

void waiter_free(struct waiter *waiter)
{
	struct open_file *file = waiter->file;

	if (waiter->queue != NULL)
		unlink_waiter(waiter);
	keep_free(waiter->bytes);
	keep_free(waiter);
	open_file_put(file);
}

struct waiter *waiter_find(uint64_t request)
{
	struct waiter *waiter = *bucket(request);

	while (waiter != NULL && waiter->request != request)
		waiter = waiter->next_request;
	return waiter;
}

static void answer_write(struct waiter *waiter, int error)
{
	if (waiter->done != 0)
		error = 0; /* what went is told, not why no more did */
	if (waiter->in_message)
		io_reply_write_inline(&waiter->reply, error, waiter->done);
	else
		io_reply_write(&waiter->reply, error, waiter->done);
}

void waiter_fail(struct waiter *waiter, int error)
{
	switch (waiter->kind) {
	case WAIT_PIPE_WRITE:
		answer_write(waiter, error);
		break;
	case WAIT_FIFO_OPEN:
		server_reply_error(&waiter->reply, error);
		open_file_put(waiter->file); /* the reference that its right would have had */
		break;
	default:
		server_reply_error(&waiter->reply, error);
		break;
	}
	waiter_free(waiter);
}

void waiter_cancel(uint64_t request, bool died)
{
	struct waiter *waiter = waiter_find(request);

	(void)died; /* an answer to a dead caller is dropped by the kernel */
	if (waiter != NULL)
		waiter_fail(waiter, EINTR);
}
