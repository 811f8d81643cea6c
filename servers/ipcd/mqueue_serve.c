/*
 * POSIX message queues: mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getattr, mq_setattr. man 3 of each.
 *
 * Names are in one flat directory with mode 1777, which has no path here. A long message is complete in the keep before its sender waits.
 */
#include "ipcd.h"

#include <ipc_server.h>
#include <portico/strings.h>

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NONBLOCK 04000u
#define SIGEV_SIGNAL 0u
#define SIGEV_NONE 1u
#define SIGNALS 64u
#define NOTIFY_REMOVE UINT32_MAX

/* RLIMIT_MSGQUEUE's default, and what each message and priority costs of it, as Linux counts. */
#define USER_QUEUE_BYTES 819200u
#define MESSAGE_COST 48u
#define LEVEL_COST 48u

/* ---- mq_open ---- */

/* The attributes of a new queue. 0, EINVAL. */
static int check_attributes(struct server_session *s, const struct ipc_mq_attributes *given, struct ipc_mq_attributes *a)
{
	const struct limits *l = &root->limits;

	if (given == NULL) {
		a->max_messages = l->mq_messages_default < l->mq_messages ? l->mq_messages_default : l->mq_messages;
		a->message_size = l->mq_size_default < l->mq_size ? l->mq_size_default : l->mq_size;
		return 0;
	}
	*a = *given;
	if (a->max_messages <= 0 || a->message_size <= 0 || a->max_messages > MQ_MESSAGES_HARD || a->message_size > IPC_TEXT_MAX)
		return EINVAL;
	if (a->max_messages <= l->mq_messages && a->message_size <= l->mq_size)
		return 0;
	return access_capable(s, CAPABILITY_SYS_RESOURCE) ? 0 : EINVAL;
}

static struct mqueue *make(const struct server_session *s, const char *name, uint32_t mode, const struct ipc_mq_attributes *a)
{
	struct account *account = account_of(s->euid);

	if (account == NULL)
		return NULL;
	struct mqueue *queue = account_charge(account, sizeof(*queue)) ? keep_allocate(sizeof(*queue)) : NULL;
	if (queue == NULL) {
		account_put(account);
		return NULL;
	}
	queue->object.account = queue->store.account = account;
	queue->object.uid = queue->object.cuid = s->euid;
	queue->object.gid = queue->object.cgid = s->egid;
	queue->object.mode = mode & MODE_BITS;
	queue->object.id = (int32_t)(++root->next_description & INT32_MAX); /* shown as its inode */
	queue->max_messages = (uint64_t)a->max_messages;
	queue->message_size = (uint64_t)a->message_size;
	list_init(&queue->senders);
	list_init(&queue->receivers);
	memcpy(queue->name, name, strlen(name) + 1);
	queue->linked = true;
	queue->next = root->mqueues;
	root->mqueues = queue;
	root->mqueue_count++;
	return queue;
}

static int create(struct server_session *s, const char *name, uint32_t mode, const struct ipc_mq_attributes *given, struct mqueue **queue)
{
	struct ipc_mq_attributes a;
	int error = check_attributes(s, given, &a);

	if (error == 0 && root->mqueue_count >= root->limits.mq_queues && !access_capable(s, CAPABILITY_SYS_RESOURCE))
		error = ENOSPC;
	if (error != 0)
		return error;
	uint64_t messages = (uint64_t)a.max_messages, levels = messages < MQ_PRIORITIES ? messages : MQ_PRIORITIES;
	uint64_t cost = messages * ((uint64_t)a.message_size + MESSAGE_COST) + levels * LEVEL_COST;
	struct account *account = account_of(s->euid);
	if (account == NULL)
		return ENOMEM;
	error = account->mq_bytes + cost > USER_QUEUE_BYTES ? EMFILE : 0;
	*queue = error == 0 ? make(s, name, mode, &a) : NULL;
	if (*queue != NULL) {
		account->mq_bytes += cost;
		(*queue)->charged = cost;
	} else if (error == 0) {
		error = ENOMEM;
	}
	account_put(account);
	return error;
}

/* access_check, for a file: with its overriding capability. */
static int check_mode(struct server_session *s, const struct object *object, uint32_t flags)
{
	static const uint32_t wanted[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, 0};

	if ((flags & O_ACCMODE) == O_ACCMODE)
		return EINVAL;
	if (access_check(s, object, wanted[flags & O_ACCMODE]) == 0 || access_capable(s, CAPABILITY_DAC_OVERRIDE))
		return 0;
	return EACCES;
}

/* "." and ".." are no files, and there are no directories. */
static int check_name(const char *name)
{
	if (name[0] == '\0')
		return ENOENT;
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/')
			return EACCES;
	}
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? EACCES : 0;
}

int ipc_serve_mq_open(struct server_call *call, struct ipc_caller *object, const char *name, uint32_t flags, uint32_t mode,
                      uint8_t has_attributes, const struct ipc_mq_attributes *attributes, struct server_port *port)
{
	struct server_session *s = caller_of(call);
	int error = s == NULL ? ESRCH : check_name(name);

	(void)object;
	if (error != 0)
		return error;
	struct mqueue *queue = mq_find(name);
	bool made = queue == NULL;
	if (made)
		error = (flags & O_CREAT) != 0 ? create(s, name, mode, has_attributes != 0 ? attributes : NULL, &queue) : ENOENT;
	else
		error = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? EEXIST : check_mode(s, &queue->object, flags);
	if (error != 0)
		return error;
	if (made)
		queue->created = ipcd_seconds();
	struct open_file *file = file_of_queue(queue, flags & (O_ACCMODE | O_NONBLOCK));
	if (file == NULL) {
		if (made)
			mq_unlinked(queue);
		return ENOMEM;
	}
	server_port_badge(port, file->badge, 0);
	return 0;
}

int ipc_serve_mq_unlink(struct server_call *call, struct ipc_caller *object, const char *name)
{
	struct server_session *s = caller_of(call);
	int error = s == NULL ? ESRCH : check_name(name);
	struct mqueue *queue = error == 0 ? mq_find(name) : NULL;

	(void)object;
	if (error != 0)
		return error;
	if (queue == NULL)
		return ENOENT;
	if (s->euid != queue->object.uid && !access_capable(s, CAPABILITY_FOWNER))
		return EPERM;
	mq_unlinked(queue);
	return 0;
}

/* ---- waiting ---- */

static int wait_in(struct server_call *call, struct list *list, struct mqueue *queue, enum wait_kind kind, struct mq_waiter **waiter)
{
	struct mq_waiter *w = keep_allocate(sizeof(*w));

	if (w == NULL)
		return ENOMEM;
	int result = wait_park(call, &w->waiter, kind);
	if (result != SERVER_PARKED) {
		keep_free(w);
		return result;
	}
	w->queue = queue;
	list_append(list, &w->queued);
	*waiter = w;
	return result;
}

/* Would have to wait: an error if it must not. */
static int may_wait(const struct open_file *file, uint8_t no_wait)
{
	if ((file->flags & O_NONBLOCK) != 0)
		return EAGAIN;
	return no_wait != 0 ? ETIMEDOUT : 0;
}

/* ---- mq_send ---- */

static int check_send(const struct open_file *file, uint32_t priority, uint64_t size)
{
	if (priority >= MQ_PRIORITIES)
		return EINVAL;
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return EBADF;
	return size > file->queue->message_size ? EMSGSIZE : 0;
}

/* The message is the queue's or the waiter's afterwards, and freed on error. */
static int send(struct server_call *call, const struct open_file *file, struct message *message, uint8_t no_wait)
{
	struct mqueue *queue = file->queue;
	struct mq_waiter *waiter;

	if (queue->count < queue->max_messages)
		return mq_deliver(queue, message, caller_of(call));
	int error = may_wait(file, no_wait);
	if (error == 0)
		error = wait_in(call, &queue->senders, queue, WAIT_MQ_SEND, &waiter);
	if (error == SERVER_PARKED)
		waiter->message = message;
	else
		msg_free(&queue->store, message);
	return error;
}

int ipc_serve_mq_send_inline(struct server_call *call, struct open_file *file, uint32_t priority, uint8_t no_wait, const void *text,
                             size_t text_count)
{
	const struct server_session *s = caller_of(call);
	int error = s == NULL ? ESRCH : check_send(file, priority, text_count);

	if (error != 0)
		return error;
	struct message *message = msg_new(&file->queue->store, priority, text_count);
	if (message == NULL)
		return ENOMEM;
	memcpy(message->text, text, text_count);
	return send(call, file, message, no_wait);
}

int ipc_serve_mq_send(struct server_call *call, struct open_file *file, uint32_t priority, uint8_t no_wait, struct server_window *text)
{
	const struct server_session *s = caller_of(call);
	int error = s == NULL ? ESRCH : check_send(file, priority, text->size);

	if (error != 0)
		return error;
	struct message *message = msg_new(&file->queue->store, priority, text->size);
	if (message == NULL)
		return ENOMEM;
	int64_t status = server_window_read(text, 0, message->text, text->size);
	if (status != (int64_t)text->size) {
		msg_free(&file->queue->store, message);
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	}
	return send(call, file, message, no_wait);
}

/* ---- mq_receive ---- */

static int check_receive(const struct open_file *file, uint64_t size)
{
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return EBADF;
	return size < file->queue->message_size ? EMSGSIZE : 0;
}

/* window NULL: the text goes into the answer. */
static int wait_for_message(struct server_call *call, const struct open_file *file, uint8_t no_wait, const struct server_window *window)
{
	struct mq_waiter *waiter;
	int error = may_wait(file, no_wait);

	if (error == 0)
		error = wait_in(call, &file->queue->receivers, file->queue, WAIT_MQ_RECEIVE, &waiter);
	if (error != SERVER_PARKED)
		return error;
	waiter->in_message = window == NULL;
	if (window != NULL) {
		waiter->window = *window;
		server_window_rebase(&waiter->window, &waiter->waiter.reply);
	}
	return error;
}

static void received(struct mqueue *queue)
{
	msg_free(&queue->store, mq_take(queue));
	mq_room(queue);
}

int ipc_serve_mq_receive_inline(struct server_call *call, struct open_file *file, uint32_t size, uint8_t no_wait, uint32_t *priority, void *text,
                                size_t *text_count)
{
	int error = check_receive(file, size);

	if (error != 0)
		return error;
	const struct message *message = mq_first(file->queue);
	if (message == NULL)
		return file->queue->message_size > IPC_INLINE_MAX ? EMSGSIZE : wait_for_message(call, file, no_wait, NULL);
	if (message->size > IPC_INLINE_MAX)
		return EMSGSIZE; /* libposix uses a window for queues of such messages */
	*priority = (uint32_t)message->type;
	*text_count = message->size;
	memcpy(text, message->text, message->size);
	received(file->queue);
	return 0;
}

int ipc_serve_mq_receive(struct server_call *call, struct open_file *file, uint8_t no_wait, struct server_window *text, uint32_t *priority,
                         uint64_t *size)
{
	int error = check_receive(file, text->size);

	if (error != 0)
		return error;
	const struct message *message = mq_first(file->queue);
	if (message == NULL)
		return wait_for_message(call, file, no_wait, text);
	int64_t status = message->size != 0 ? server_window_write(text, 0, message->text, message->size) : 0;
	if (status < 0)
		return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	*priority = (uint32_t)message->type;
	*size = message->size;
	received(file->queue);
	return 0;
}

/* ---- mq_notify, attributes ---- */

int ipc_serve_mq_notify(struct server_call *call, struct open_file *file, uint32_t how, uint32_t signal, uint64_t value)
{
	struct mqueue *queue = file->queue;
	uint32_t pid = (uint32_t)call->principal;

	if (how == NOTIFY_REMOVE) {
		mq_forget(queue, pid);
		return 0;
	}
	if ((how != SIGEV_SIGNAL && how != SIGEV_NONE) || (how == SIGEV_SIGNAL && signal > SIGNALS))
		return EINVAL;
	if (queue->notification.pid != 0)
		return EBUSY;
	queue->notification = (struct mq_notification){.pid = pid, .how = how, .signal = signal, .value = value};
	return 0;
}

int ipc_serve_mq_attributes(struct server_call *call, struct open_file *file, uint8_t set, int64_t flags, struct ipc_mq_attributes *previous)
{
	(void)call;
	if (set != 0 && (flags & ~(int64_t)O_NONBLOCK) != 0)
		return EINVAL;
	previous->flags = file->flags & O_NONBLOCK;
	previous->max_messages = (int64_t)file->queue->max_messages;
	previous->message_size = (int64_t)file->queue->message_size;
	previous->current = (int64_t)file->queue->count;
	if (set != 0)
		file->flags = (file->flags & ~O_NONBLOCK) | (uint32_t)flags;
	return 0;
}
