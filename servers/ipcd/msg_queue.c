/*
 * Message queues: which message a receiver gets, and how messages, receivers and senders that wait find each other. As Linux's ipc/msg.c.
 */
#include "ipcd.h"

#include <ipc_server.h>

#define SPARE_MAX 512u

struct message *msg_new(struct message_store *store, int64_t type, size_t size)
{
	struct message *message = store->spare;

	if (message != NULL && size <= message->room) {
		store->spare = NULL;
	} else {
		size_t room = (size + 31) & ~(size_t)31;
		message = account_charge(store->account, sizeof(*message) + room) ? keep_allocate(sizeof(*message) + room) : NULL;
		if (message == NULL)
			return NULL;
		message->room = room;
	}
	message->type = type;
	message->size = size;
	return message;
}

static void release(struct message_store *store, struct message *message)
{
	account_refund(store->account, sizeof(*message) + message->room);
	keep_free(message);
}

void msg_free(struct message_store *store, struct message *message)
{
	if (store->spare == NULL && message->room <= SPARE_MAX)
		store->spare = message;
	else
		release(store, message);
}

void store_empty(struct message_store *store)
{
	if (store->spare != NULL)
		release(store, store->spare);
	store->spare = NULL;
}

bool msg_fits(const struct msg_queue *queue, size_t size)
{
	return queue->bytes + size <= queue->max_bytes && queue->count + 1 <= queue->max_bytes;
}

/* ---- selection ---- */

/* The type up to which a negative one selects. */
static int64_t bound_of(const struct selection *s)
{
	return s->type == INT64_MIN ? INT64_MAX : -s->type;
}

static bool matches(const struct message *message, const struct selection *s)
{
	if (s->type == 0)
		return true;
	if (s->type < 0)
		return message->type <= bound_of(s);
	return (s->flags & MSG_EXCEPT) != 0 ? message->type != s->type : message->type == s->type;
}

/* MSG_COPY: the type is a number, counted from 0. */
static struct message *by_number(struct msg_queue *queue, int64_t number, struct message ***link)
{
	for (*link = &queue->first; **link != NULL; *link = &(**link)->next) {
		if (number-- == 0)
			return **link;
	}
	return NULL;
}

struct message *msg_select(struct msg_queue *queue, const struct selection *s, struct message ***link)
{
	struct message **best = NULL;

	if ((s->flags & MSG_COPY) != 0)
		return by_number(queue, s->type, link);
	for (struct message **at = &queue->first; *at != NULL; at = &(*at)->next) {
		if (!matches(*at, s) || (best != NULL && (*at)->type >= (*best)->type))
			continue;
		best = at;
		if (s->type >= 0 || (*at)->type == 1)
			break; /* the first one; of a negative type the first of the lowest */
	}
	*link = best;
	return best != NULL ? *best : NULL;
}

/* ---- in and out ---- */

static void append(struct msg_queue *queue, struct message *message)
{
	message->next = NULL;
	*(queue->last != NULL ? &queue->last->next : &queue->first) = message;
	queue->last = message;
	queue->bytes += message->size;
	queue->count++;
}

void msg_take(struct msg_queue *queue, struct message **link, uint32_t pid, int64_t now)
{
	struct message *message = *link;

	*link = message->next;
	if (queue->last == message)
		queue->last = link == &queue->first ? NULL : list_item(link, struct message, next);
	queue->bytes -= message->size;
	queue->count--;
	queue->receive_pid = pid;
	queue->receive_time = now;
}

/* ---- those who wait ---- */

void msg_answer_send(struct send_waiter *w, int error)
{
	wait_forget(&w->waiter);
	list_unlink(&w->queued);
	if (w->message != NULL)
		msg_free(&w->queue->store, w->message);
	server_reply_error(&w->waiter.reply, error);
	keep_free(w);
}

void msg_answer_receive(struct receive_waiter *w, int error)
{
	wait_forget(&w->waiter);
	list_unlink(&w->queued);
	server_reply_error(&w->waiter.reply, error);
	keep_free(w);
}

/* The waiting receiver has the message, which is freed; false: it has not, and is answered all the same. */
static bool hand_over(struct receive_waiter *w, struct message *message)
{
	size_t size = message->size < w->selection.size ? message->size : w->selection.size;
	struct server_reply *reply = &w->waiter.reply;
	struct message_store *store = &w->queue->store;

	if (message->size > w->selection.size && (w->selection.flags & MSG_NOERROR) == 0) {
		msg_answer_receive(w, E2BIG);
		return false;
	}
	if (w->in_message) {
		ipc_reply_msg_receive_inline(reply, 0, message->type, message->text, size);
	} else {
		int64_t status = size != 0 ? server_window_write(&w->window, 0, message->text, size) : 0;
		if (status == KERN_PEER_FAULT)
			server_restart(reply);
		if (status < 0) {
			msg_answer_receive(w, EFAULT); /* not heard if it begins again */
			return false;
		}
		ipc_reply_msg_receive(reply, 0, message->type, size);
	}
	msg_answer_receive(w, 0); /* its token is used */
	msg_free(store, message);
	return true;
}

/* False: nobody who waits takes it. */
static bool pass_on(struct msg_queue *queue, struct message *message, int64_t now)
{
	for (struct list *item = queue->receivers.next, *next; item != &queue->receivers; item = next) {
		struct receive_waiter *w = list_item(item, struct receive_waiter, queued);
		uint32_t pid = w->waiter.pid;
		next = item->next;
		if (!matches(message, &w->selection) || !hand_over(w, message))
			continue;
		queue->receive_pid = pid;
		queue->receive_time = now;
		return true;
	}
	return false;
}

void msg_deliver(struct msg_queue *queue, struct message *message, uint32_t pid, int64_t now)
{
	queue->send_pid = pid;
	queue->send_time = now;
	if (!pass_on(queue, message, now))
		append(queue, message);
}

void msg_senders(struct msg_queue *queue, int64_t now)
{
	for (struct list *item = queue->senders.next, *next; item != &queue->senders; item = next) {
		struct send_waiter *w = list_item(item, struct send_waiter, queued);
		struct message *message = w->message;
		next = item->next;
		if (!msg_fits(queue, message->size))
			continue;
		w->message = NULL;
		uint32_t pid = w->waiter.pid;
		msg_answer_send(w, 0);
		msg_deliver(queue, message, pid, now);
	}
}
