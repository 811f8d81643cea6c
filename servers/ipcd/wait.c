/*
 * Parked callers: a table by request id, in which the kernel's CANCEL finds them.
 */
#include "ipcd.h"

static struct waiter **bucket_of(uint64_t request)
{
	return &root->waiting[request % WAIT_BUCKETS];
}

int wait_park(struct server_call *call, struct waiter *waiter, enum wait_kind kind)
{
	int result = server_park(call, &waiter->reply);

	if (result != SERVER_PARKED)
		return result;
	waiter->kind = kind;
	waiter->pid = (uint32_t)call->principal;
	waiter->request = waiter->reply.request;
	waiter->next_request = *bucket_of(waiter->request);
	*bucket_of(waiter->request) = waiter;
	return SERVER_PARKED;
}

void wait_forget(struct waiter *waiter)
{
	struct waiter **link = bucket_of(waiter->request);

	while (*link != waiter)
		link = &(*link)->next_request;
	*link = waiter->next_request;
}

/* Interrupted, overdue (libposix knows which by its clock), or dead: what was not done is not done. */
void wait_cancelled(uint64_t request, bool died)
{
	struct waiter *waiter = *bucket_of(request);

	(void)died;
	while (waiter != NULL && waiter->request != request)
		waiter = waiter->next_request;
	if (waiter == NULL)
		return;
	switch (waiter->kind) {
	case WAIT_SEM:
		sem_cancel((struct sem_waiter *)waiter);
		break;
	case WAIT_SEND:
		msg_answer_send((struct send_waiter *)waiter, EINTR);
		break;
	case WAIT_RECEIVE:
		msg_answer_receive((struct receive_waiter *)waiter, EINTR);
		break;
	case WAIT_MQ_SEND:
	case WAIT_MQ_RECEIVE:
		mq_answer((struct mq_waiter *)waiter, EINTR);
		break;
	default:
		break;
	}
}
