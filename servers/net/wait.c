/*
 * Parked callers: in a list of the socket that can let them go on, in a table by request id, in which the kernel's CANCEL finds them, and, with
 * SO_RCVTIMEO or SO_SNDTIMEO, in a list by deadline.
 *
 * A record says what is wanted; nothing of it has been done. A retry is the operation again.
 */
#include "net.h"

static struct waiter **bucket_of(uint64_t request)
{
	return &root->waiting[request % WAIT_BUCKETS];
}

/* ---- deadlines ---- */

static struct waiter *timed(struct list *item)
{
	return list_item(item, struct waiter, timed);
}

static void set_timer(void)
{
	server_set_timer(list_empty(&root->timed) ? DEADLINE_NEVER : timed(root->timed.next)->deadline);
}

static void time_begins(struct waiter *w, uint64_t timeout)
{
	struct list *before = &root->timed;

	if (timeout == 0)
		return;
	w->deadline = server_now() + timeout;
	for (struct list *at = root->timed.previous; at != &root->timed && timed(at)->deadline > w->deadline; at = at->previous)
		before = at;
	list_append(before, &w->timed);
	if (root->timed.next == &w->timed)
		set_timer();
}

static void time_ends(struct waiter *w)
{
	if (w->deadline == 0)
		return;
	bool first = root->timed.next == &w->timed;
	list_unlink(&w->timed);
	if (first)
		set_timer();
}

void wait_overdue(void)
{
	uint64_t now = server_now();

	while (!list_empty(&root->timed) && timed(root->timed.next)->deadline <= now)
		wait_answer(timed(root->timed.next), EAGAIN);
	set_timer();
	sockets_settle();
}

/* ---- parking ---- */

int wait_park(struct server_call *call, struct socket *s, struct list *list, enum wait_kind kind, uint64_t timeout, struct waiter **made)
{
	struct waiter *w = keep_allocate(sizeof(*w));

	if (w == NULL)
		return ENOMEM;
	int result = server_park(call, &w->reply);
	if (result != SERVER_PARKED) {
		keep_free(w);
		return result;
	}
	w->kind = kind;
	w->principal = call->principal;
	w->request = w->reply.request;
	w->next_request = *bucket_of(w->request);
	*bucket_of(w->request) = w;
	w->socket = s;
	socket_get(s);
	list_append(list, &w->queued);
	time_begins(w, timeout);
	*made = w;
	return SERVER_PARKED;
}

static void forget_request(struct waiter *w)
{
	struct waiter **link = bucket_of(w->request);

	while (*link != w)
		link = &(*link)->next_request;
	*link = w->next_request;
}

void wait_done(struct waiter *w)
{
	list_unlink(&w->queued);
	forget_request(w);
	time_ends(w);
	set_put(w->rights);
	if (w->to != NULL)
		socket_put(w->to);
	socket_put(w->socket);
	keep_free(w->bytes);
	keep_free(w);
}

void wait_answer(struct waiter *w, int error)
{
	if (error == SERVER_RESTART)
		server_restart(&w->reply);
	else
		server_reply_error(&w->reply, error);
	wait_done(w);
}

/* ---- trying again ---- */

/* False: it must go on waiting, in this list. */
static bool retry(struct waiter *w, struct list *list)
{
	struct list *next = list;
	int error;

	switch (w->kind) {
	case WAIT_READ:
	case WAIT_READ_INLINE:
	case WAIT_RECEIVE:
	case WAIT_RECEIVE_INLINE:
		error = transfer_receive_again(w);
		break;
	case WAIT_ACCEPT:
		error = accept_again(w);
		break;
	case WAIT_CONNECT:
		error = connect_again(w, &next);
		break;
	default:
		error = transfer_send_again(w, &next);
		break;
	}
	if (error == WOULD_BLOCK) {
		if (next == list)
			return false;
		list_unlink(&w->queued);
		list_append(next, &w->queued);
	} else if (error != 0) {
		wait_answer(w, error);
	} else {
		wait_done(w);
	}
	return true;
}

void wait_retry(struct list *list)
{
	while (!list_empty(list) && retry(list_item(list->next, struct waiter, queued), list))
		;
}

void wait_fail(struct list *list, int error)
{
	while (!list_empty(list))
		wait_answer(list_item(list->next, struct waiter, queued), error);
}

/* Interrupted, or dead: what was not done is not done. */
void wait_cancelled(uint64_t request, bool died)
{
	struct waiter *w = *bucket_of(request);

	(void)died;
	while (w != NULL && w->request != request)
		w = w->next_request;
	if (w == NULL)
		return;
	wait_answer(w, EINTR);
	sockets_settle();
}
