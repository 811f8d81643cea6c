/*
 * Message queues: msgsnd, msgrcv, msgctl. man 2 msgget, msgop, msgctl; Linux's ipc/msg.c.
 *
 * A message is complete in the keep before its sender waits for room; a receiver's window is written when its message is there.
 */
#include "ipcd.h"

#include <ipc_server.h>
#include <portico/strings.h>

/* ---- queues ---- */

static int create(const struct server_session *s, int32_t key, uint32_t flags, int32_t *id)
{
	struct account *account = account_of(s->euid);

	if (account == NULL)
		return ENOMEM;
	struct msg_queue *queue = account_charge(account, sizeof(*queue)) ? keep_allocate(sizeof(*queue)) : NULL;
	int error = ENOMEM;
	if (queue != NULL) {
		queue->object.account = queue->store.account = account;
		queue->max_bytes = root->limits.msg_bytes;
		list_init(&queue->senders);
		list_init(&queue->receivers);
		error = table_add(&root->queues, root->limits.msg_queues, &queue->object, s, key, flags);
		if (error != 0)
			account_refund(account, sizeof(*queue));
	}
	if (error != 0) {
		keep_free(queue);
		account_put(account);
		return error;
	}
	queue->change_time = ipcd_seconds();
	*id = queue->object.id;
	return 0;
}

int ipc_serve_msg_get(struct server_call *call, struct ipc_caller *object, int32_t key, uint32_t flags, int32_t *id)
{
	struct server_session *s = caller_of(call);
	struct object *found = key == IPC_PRIVATE ? NULL : table_by_key(&root->queues, key);

	(void)object;
	if (s == NULL)
		return ESRCH;
	if (found == NULL)
		return key != IPC_PRIVATE && (flags & IPC_CREAT) == 0 ? ENOENT : create(s, key, flags, id);
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return EEXIST;
	*id = found->id;
	return access_check(s, found, flags & MODE_BITS);
}

static void destroy(struct msg_queue *queue)
{
	struct account *account = queue->object.account;

	while (!list_empty(&queue->senders))
		msg_answer_send(list_item(queue->senders.next, struct send_waiter, queued), EIDRM);
	while (!list_empty(&queue->receivers))
		msg_answer_receive(list_item(queue->receivers.next, struct receive_waiter, queued), EIDRM);
	while (queue->first != NULL) {
		struct message *message = queue->first;
		msg_take(queue, &queue->first, 0, 0);
		msg_free(&queue->store, message);
	}
	store_empty(&queue->store);
	table_remove(&root->queues, &queue->object);
	account_refund(account, sizeof(*queue));
	account_put(account);
	keep_free(queue);
}

/* The queue of an id, if the caller may do this with it. */
static int find(const struct server_call *call, int32_t id, uint32_t wanted, struct msg_queue **queue, struct server_session **s)
{
	*s = caller_of(call);
	if (*s == NULL)
		return ESRCH;
	int error = table_find(&root->queues, id, (struct object **)queue);
	return error != 0 ? error : access_check(*s, &(*queue)->object, wanted);
}

/* ---- msgsnd ---- */

/* Into the queue, or the sender waits. The message is the queue's or the waiter's afterwards, and freed on error. */
static int send(struct server_call *call, struct msg_queue *queue, struct message *message, uint32_t flags, const struct server_session *s)
{
	if (msg_fits(queue, message->size)) {
		msg_deliver(queue, message, s->pid, ipcd_seconds());
		return 0;
	}
	struct send_waiter *w = (flags & IPC_NOWAIT) != 0 ? NULL : keep_allocate(sizeof(*w));
	if (w == NULL) {
		msg_free(&queue->store, message);
		return (flags & IPC_NOWAIT) != 0 ? EAGAIN : ENOMEM;
	}
	int result = wait_park(call, &w->waiter, WAIT_SEND);
	if (result != SERVER_PARKED) {
		msg_free(&queue->store, message);
		keep_free(w);
		return result;
	}
	w->queue = queue;
	w->message = message;
	list_append(&queue->senders, &w->queued);
	return result;
}

int ipc_serve_msg_send_inline(struct server_call *call, struct ipc_caller *object, int32_t id, int64_t type, uint32_t flags, const void *text,
                              size_t text_count)
{
	struct server_session *s;
	struct msg_queue *queue;

	(void)object;
	if (type < 1 || text_count > root->limits.msg_text)
		return EINVAL;
	int error = find(call, id, MAY_WRITE, &queue, &s);
	if (error != 0)
		return error;
	struct message *message = msg_new(&queue->store, type, text_count);
	if (message == NULL)
		return ENOMEM;
	memcpy(message->text, text, text_count);
	return send(call, queue, message, flags, s);
}

int ipc_serve_msg_send(struct server_call *call, struct ipc_caller *object, int32_t id, int64_t type, uint32_t flags, struct server_window *text)
{
	struct server_session *s;
	struct msg_queue *queue;

	(void)object;
	if (type < 1 || text->size > root->limits.msg_text)
		return EINVAL;
	int error = find(call, id, MAY_WRITE, &queue, &s);
	if (error != 0)
		return error;
	struct message *message = msg_new(&queue->store, type, text->size);
	if (message == NULL)
		return ENOMEM;
	int64_t status = server_window_read(text, 0, message->text, text->size);
	if (status != (int64_t)text->size) {
		msg_free(&queue->store, message);
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	}
	return send(call, queue, message, flags, s);
}

/* ---- msgrcv ---- */

static int check_flags(uint32_t flags)
{
	bool copies = (flags & MSG_COPY) != 0;

	return copies && ((flags & IPC_NOWAIT) == 0 || (flags & MSG_EXCEPT) != 0) ? EINVAL : 0;
}

/* Takes part in the queue of receivers. window NULL: the text goes into the answer. */
static int wait_for_message(struct server_call *call, struct msg_queue *queue, const struct selection *selection,
                            const struct server_window *window)
{
	struct receive_waiter *w = keep_allocate(sizeof(*w));

	if (w == NULL)
		return ENOMEM;
	int result = wait_park(call, &w->waiter, WAIT_RECEIVE);
	if (result != SERVER_PARKED) {
		keep_free(w);
		return result;
	}
	w->queue = queue;
	w->selection = *selection;
	w->in_message = window == NULL;
	if (window != NULL) {
		w->window = *window;
		server_window_rebase(&w->window, &w->waiter.reply);
	}
	list_append(&queue->receivers, &w->queued);
	return result;
}

/* What a receiver gets now: the message and what points to it. An errno; 0 with a NULL message: it has to wait. */
static int choose(struct msg_queue *queue, const struct selection *selection, struct message **message, struct message ***link)
{
	*message = msg_select(queue, selection, link);
	if (*message == NULL)
		return (selection->flags & IPC_NOWAIT) != 0 ? ENOMSG : 0;
	if ((*message)->size <= selection->size)
		return 0;
	if ((selection->flags & MSG_NOERROR) == 0)
		return E2BIG;
	return (selection->flags & MSG_COPY) != 0 ? EINVAL : 0;
}

/* The receiver has its bytes: the message goes, unless it was only copied, and senders go on. */
static void received(struct msg_queue *queue, struct message **link, uint32_t flags, uint32_t pid)
{
	struct message *message = *link;

	if ((flags & MSG_COPY) != 0)
		return;
	int64_t now = ipcd_seconds();
	msg_take(queue, link, pid, now);
	msg_free(&queue->store, message);
	msg_senders(queue, now);
}

int ipc_serve_msg_receive_inline(struct server_call *call, struct ipc_caller *object, int32_t id, uint32_t size, int64_t type, uint32_t flags,
                                 int64_t *found, void *text, size_t *text_count)
{
	const struct selection selection = {.type = type, .flags = flags, .size = size};
	struct server_session *s;
	struct msg_queue *queue;
	struct message *message, **link;

	(void)object;
	int error = size > IPC_INLINE_MAX ? EINVAL : check_flags(flags);
	if (error == 0)
		error = find(call, id, MAY_READ, &queue, &s);
	if (error == 0)
		error = choose(queue, &selection, &message, &link);
	if (error != 0)
		return error;
	if (message == NULL)
		return wait_for_message(call, queue, &selection, NULL);
	*found = message->type;
	*text_count = message->size < size ? message->size : size;
	memcpy(text, message->text, *text_count);
	received(queue, link, flags, s->pid);
	return 0;
}

int ipc_serve_msg_receive(struct server_call *call, struct ipc_caller *object, int32_t id, int64_t type, uint32_t flags,
                          struct server_window *text, int64_t *found, uint64_t *size)
{
	const struct selection selection = {.type = type, .flags = flags, .size = text->size};
	struct server_session *s;
	struct msg_queue *queue;
	struct message *message, **link;

	(void)object;
	int error = check_flags(flags);
	if (error == 0)
		error = find(call, id, MAY_READ, &queue, &s);
	if (error == 0)
		error = choose(queue, &selection, &message, &link);
	if (error != 0)
		return error;
	if (message == NULL)
		return wait_for_message(call, queue, &selection, text);
	*found = message->type;
	*size = message->size < text->size ? message->size : text->size;
	int64_t status = *size != 0 ? server_window_write(text, 0, message->text, *size) : 0;
	if (status < 0)
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	received(queue, link, flags, s->pid);
	return 0;
}

/* ---- msgctl ---- */

int ipc_serve_msg_stat(struct server_call *call, struct ipc_caller *object, uint32_t naming, int32_t id, struct ipc_msg_status *status)
{
	struct server_session *s = caller_of(call);
	struct msg_queue *queue;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = table_named(&root->queues, naming, id, (struct object **)&queue);
	if (error == 0 && naming != IPC_NAMING_PLACE_ANY)
		error = access_check(s, &queue->object, MAY_READ);
	if (error != 0)
		return error;
	object_describe(&queue->object, &status->perm);
	status->send_time = queue->send_time;
	status->receive_time = queue->receive_time;
	status->change_time = queue->change_time;
	status->bytes = queue->bytes;
	status->count = queue->count;
	status->max_bytes = queue->max_bytes;
	status->send_pid = queue->send_pid;
	status->receive_pid = queue->receive_pid;
	status->id = queue->object.id;
	return 0;
}

int ipc_serve_msg_info(struct server_call *call, struct ipc_caller *object, struct ipc_msg_information *info)
{
	(void)call;
	(void)object;
	info->max_text = root->limits.msg_text;
	info->max_bytes = root->limits.msg_bytes;
	info->max_queues = root->limits.msg_queues;
	info->queues = root->queues.count;
	info->highest = table_highest(&root->queues);
	for (int32_t i = 0; i <= info->highest; i++) {
		const struct msg_queue *queue = (const struct msg_queue *)table_at(&root->queues, (uint32_t)i);
		info->messages += queue != NULL ? queue->count : 0;
		info->bytes += queue != NULL ? queue->bytes : 0;
	}
	return 0;
}

/* A queue that the caller may control. */
static int controlled(const struct server_call *call, int32_t id, struct msg_queue **queue, struct server_session **s)
{
	*s = caller_of(call);
	if (*s == NULL)
		return ESRCH;
	int error = table_find(&root->queues, id, (struct object **)queue);
	return error != 0 ? error : access_control(*s, &(*queue)->object);
}

static bool may_still(const struct waiter *w, const struct msg_queue *queue, uint32_t wanted)
{
	struct server_session *s = sessions_by_pid(&root->sessions, w->pid);

	return s != NULL && access_check(s, &queue->object, wanted) == 0;
}

/* Owner and mode have changed: who waits and may no more is told. */
static void review(struct msg_queue *queue)
{
	for (struct list *item = queue->receivers.next, *next; item != &queue->receivers; item = next) {
		struct receive_waiter *w = list_item(item, struct receive_waiter, queued);
		next = item->next;
		if (!may_still(&w->waiter, queue, MAY_READ))
			msg_answer_receive(w, EACCES);
	}
	for (struct list *item = queue->senders.next, *next; item != &queue->senders; item = next) {
		struct send_waiter *w = list_item(item, struct send_waiter, queued);
		next = item->next;
		if (!may_still(&w->waiter, queue, MAY_WRITE))
			msg_answer_send(w, EACCES);
	}
}

int ipc_serve_msg_set(struct server_call *call, struct ipc_caller *object, int32_t id, uint32_t uid, uint32_t gid, uint32_t mode,
                      uint64_t max_bytes)
{
	struct server_session *s;
	struct msg_queue *queue;
	int error = controlled(call, id, &queue, &s);

	(void)object;
	if (error != 0)
		return error;
	if (max_bytes > root->limits.msg_bytes && !access_capable(s, CAPABILITY_SYS_RESOURCE))
		return EPERM;
	if (uid == KEEP_ID || gid == KEEP_ID)
		return EINVAL;
	queue->object.uid = uid;
	queue->object.gid = gid;
	queue->object.mode = (queue->object.mode & ~MODE_BITS) | (mode & MODE_BITS);
	queue->max_bytes = max_bytes;
	queue->change_time = ipcd_seconds();
	review(queue);
	msg_senders(queue, queue->change_time);
	return 0;
}

int ipc_serve_msg_remove(struct server_call *call, struct ipc_caller *object, int32_t id)
{
	struct server_session *s;
	struct msg_queue *queue;
	int error = controlled(call, id, &queue, &s);

	(void)object;
	if (error == 0)
		destroy(queue);
	return error;
}
