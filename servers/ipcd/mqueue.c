/*
 * POSIX message queues: messages by priority, who waits, who is told, and when a queue goes. Linux's ipc/mqueue.c; man 7 mq_overview.
 */
#include "ipcd.h"

#include <ipc_server.h>
#include <portico/server_readiness.h>
#include <portico/strings.h>
#include <sig_client.h>

#define POLL_IN 0x41u   /* POLLIN | POLLRDNORM */
#define POLL_OUT 0x104u /* POLLOUT | POLLWRNORM */
#define SIGEV_SIGNAL 0u
#define CODE_QUEUE -3 /* SI_MESGQ */

struct mqueue *mq_find(const char *name)
{
	struct mqueue *queue = root->mqueues;

	while (queue != NULL && (!queue->linked || strcmp(queue->name, name) != 0))
		queue = queue->next;
	return queue;
}

/* ---- messages ---- */

bool mq_insert(struct mqueue *queue, struct message *message)
{
	struct mq_level **link = &queue->levels;

	while (*link != NULL && (*link)->priority > message->type)
		link = &(*link)->next;
	struct mq_level *level = *link;
	if (level == NULL || level->priority != message->type) {
		level = keep_allocate(sizeof(*level));
		if (level == NULL)
			return false;
		level->priority = (uint32_t)message->type;
		level->next = *link;
		*link = level;
	}
	message->next = NULL;
	*(level->last != NULL ? &level->last->next : &level->first) = message;
	level->last = message;
	queue->count++;
	queue->bytes += message->size;
	return true;
}

struct message *mq_first(const struct mqueue *queue)
{
	return queue->levels != NULL ? queue->levels->first : NULL;
}

struct message *mq_take(struct mqueue *queue)
{
	struct mq_level *level = queue->levels;
	struct message *message = level->first;

	level->first = message->next;
	queue->count--;
	queue->bytes -= message->size;
	if (level->first == NULL) {
		queue->levels = level->next;
		keep_free(level);
	}
	return message;
}

uint32_t mq_events(const struct mqueue *queue)
{
	return (queue->count != 0 ? POLL_IN : 0) | (queue->count < queue->max_messages ? POLL_OUT : 0);
}

void mq_ready(const struct mqueue *queue)
{
	for (const struct open_file *file = queue->files; file != NULL; file = file->next_queue)
		readiness_set(file->ready, mq_events(queue));
}

size_t mq_text(const struct mqueue *queue, uint64_t at, char *to, size_t max)
{
	const struct mq_notification *n = &queue->notification;
	char text[128];
	size_t length = (size_t)snprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5u SIGNO:%-5u NOTIFY_PID:%-6u\n",
	                                 (unsigned long long)queue->bytes, n->pid != 0 ? n->how : 0,
	                                 n->pid != 0 && n->how == SIGEV_SIGNAL ? n->signal : 0, n->pid);

	if (at >= length)
		return 0;
	if (max > length - at)
		max = length - at;
	memcpy(to, text + at, max);
	return max;
}

/* ---- notification ---- */

static void notify(struct mqueue *queue, const struct server_session *sender)
{
	struct mq_notification told = queue->notification;

	queue->notification.pid = 0;
	if (told.how != SIGEV_SIGNAL || told.signal == 0)
		return;
	struct sig_signal_info info = {.signal = (int32_t)told.signal, .code = CODE_QUEUE, .pid = sender->pid, .uid = sender->uid, .value = told.value};
	int error = sig_signal_process(root->sig, told.pid, &info);
	if (error != 0 && error != ESRCH)
		server_log("ipcd: notification of process %u: error %d", told.pid, error);
}

void mq_forget(struct mqueue *queue, uint32_t pid)
{
	if (queue->notification.pid == pid)
		queue->notification.pid = 0;
}

void mq_leave(uint32_t pid)
{
	for (struct mqueue *queue = root->mqueues; queue != NULL; queue = queue->next)
		mq_forget(queue, pid);
}

/* ---- those who wait ---- */

void mq_answer(struct mq_waiter *w, int error)
{
	wait_forget(&w->waiter);
	list_unlink(&w->queued);
	if (w->message != NULL)
		msg_free(&w->queue->store, w->message);
	server_reply_error(&w->waiter.reply, error);
	keep_free(w);
}

/* The waiting receiver has the message, which is freed; false: it has not, and is answered all the same. */
static bool hand_over(struct mq_waiter *w, struct message *message)
{
	struct server_reply *reply = &w->waiter.reply;

	if (w->in_message) {
		ipc_reply_mq_receive_inline(reply, 0, (uint32_t)message->type, message->text, message->size);
	} else {
		int64_t status = message->size != 0 ? server_window_write(&w->window, 0, message->text, message->size) : 0;
		if (status == KERN_PEER_FAULT)
			server_restart(reply);
		if (status < 0) {
			mq_answer(w, EFAULT); /* not heard if it begins again */
			return false;
		}
		ipc_reply_mq_receive(reply, 0, (uint32_t)message->type, message->size);
	}
	struct message_store *store = &w->queue->store;
	mq_answer(w, 0); /* its token is used */
	msg_free(store, message);
	return true;
}

int mq_deliver(struct mqueue *queue, struct message *message, const struct server_session *sender)
{
	while (!list_empty(&queue->receivers)) {
		if (hand_over(list_item(queue->receivers.next, struct mq_waiter, queued), message))
			return 0;
	}
	if (!mq_insert(queue, message)) {
		msg_free(&queue->store, message);
		return ENOMEM;
	}
	if (queue->count == 1 && queue->notification.pid != 0)
		notify(queue, sender);
	mq_ready(queue);
	return 0;
}

void mq_room(struct mqueue *queue)
{
	while (!list_empty(&queue->senders) && queue->count < queue->max_messages) {
		struct mq_waiter *w = list_item(queue->senders.next, struct mq_waiter, queued);
		struct message *message = w->message;

		w->message = NULL;
		mq_answer(w, mq_insert(queue, message) ? 0 : ENOMEM);
	}
	mq_ready(queue);
}

/* ---- the end of a queue ---- */

static void destroy(struct mqueue *queue)
{
	struct mqueue **link = &root->mqueues;
	struct account *account = queue->object.account;

	while (queue->levels != NULL)
		msg_free(&queue->store, mq_take(queue));
	store_empty(&queue->store);
	while (*link != queue)
		link = &(*link)->next;
	*link = queue->next;
	root->mqueue_count--;
	account->mq_bytes -= queue->charged;
	account_refund(account, sizeof(*queue));
	account_put(account);
	keep_free(queue);
}

/* Nobody waits: callers hold their descriptions. */
void mq_closed(struct mqueue *queue)
{
	if (queue->files == NULL && !queue->linked)
		destroy(queue);
}

void mq_unlinked(struct mqueue *queue)
{
	queue->linked = false;
	mq_closed(queue);
}
