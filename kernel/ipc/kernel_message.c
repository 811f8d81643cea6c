/*
 * The kernel as a client, and calls that end early.
 *
 * Messages on behalf of a blocked thread (a page to supply, an exception to handle) use a record that the thread has had
 * since it was made, so a fault never fails for want of memory to tell of it. A record that is still queued when its thread needs it
 * again is left to the queue, and the thread gets another.
 * Above: vm faults, exceptions, thread_interrupt, timeouts, thread death. Below: message.c.
 */
#include <kernel/ipc/internal.h>

struct kernel_message *kernel_message_create(struct thread *owner, struct ledger *ledger)
{
	struct kernel_message *kernel = kalloc(sizeof(*kernel), ledger);

	if (kernel == NULL)
		return NULL;
	list_init(&kernel->message.link);
	kernel->message.type = MESSAGE_KERNEL;
	kernel->owner = owner;
	kernel->ledger = ledger;
	if (ledger != NULL)
		object_ref(OBJECT(ledger));
	return kernel;
}

void kernel_message_free(struct kernel_message *kernel)
{
	struct ledger *ledger = kernel->ledger;

	kfree(kernel, sizeof(*kernel), ledger);
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}

/* The thread needs its record no more; one that is still queued is freed with its delivery. */
void kernel_message_drop(struct kernel_message *kernel)
{
	kernel->owner = NULL;
	if (list_empty(&kernel->message.link))
		kernel_message_free(kernel);
}

/* The thread's record, off every queue. */
static struct kernel_message *record_of(struct thread *thread)
{
	struct kernel_message *fresh;

	if (list_empty(&thread->fault_message->message.link))
		return thread->fault_message;
	fresh = kernel_message_create(thread, thread->task->ledger);
	if (fresh != NULL) {
		kernel_message_drop(thread->fault_message);
		thread->fault_message = fresh;
	}
	return fresh;
}

static int64_t kernel_send(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data, size_t length,
			   bool call)
{
	struct port *port = to->port;
	struct kernel_message *kernel;
	struct thread *receiver;

	if (port->object.dead)
		return KERN_DEAD;
	if (length > KERNEL_MESSAGE_MAX)
		return KERN_TOO_LARGE;
	kernel = record_of(on_behalf);
	if (kernel == NULL)
		return KERN_NO_MEMORY;
	__builtin_memset(kernel->data, 0, sizeof(kernel->data));
	__builtin_memcpy(kernel->data, data, length);
	kernel->message.data = kernel->data;
	kernel->message.length = (uint16_t)length;
	kernel->message.ordinal = ordinal;
	kernel->message.badge = to->badge;
	kernel->message.principal = 0;
	kernel->message.count = 0;
	kernel->message.caller = call ? on_behalf : NULL;
	port->kernel_messages = true;
	if (call) {
		on_behalf->called_port = port;
		object_ref(OBJECT(port));
		on_behalf->called_request = ++port->next_request;
	}
	receiver = port_receiver(port);
	if (receiver != NULL) {
		list_remove(&receiver->wait_link);
		message_deliver(receiver, port, &kernel->message);
		thread_wake(receiver, KERN_SUCCESS);
	} else {
		list_push_back(&port->messages, &kernel->message.link);
		port_update_ready(port);
	}
	return KERN_SUCCESS;
}

int64_t port_send_kernel(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data, size_t length)
{
	return kernel_send(to, on_behalf, ordinal, data, length, false);
}

int64_t port_call_kernel(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data, size_t length)
{
	return kernel_send(to, on_behalf, ordinal, data, length, true);
}

/* ---- calls that end early ---- */

/* Tells the server that received the call. The record holds a reference to the thread until it is received. */
static void cancel_post(struct thread *caller, bool died)
{
	caller->cancel.word = caller->called_request;
	if (died)
		caller->cancel.badge = 1;
	if (!list_empty(&caller->cancel.link))
		return;
	caller->cancel.badge = died;
	object_ref(OBJECT(caller));
	control_post(caller->called_port, &caller->cancel);
}

/* Takes a call, or an exception message, off the queue of its port. */
static void withdraw(struct thread *caller, struct message *message)
{
	struct port *port = caller->called_port;

	list_remove(&message->link);
	port_update_ready(port);
	carry_release(message->carried, message->count);
	call_finish(caller);
	domain_call_ended(caller, KERN_INTERRUPTED);
}

static bool abort_call(struct thread *caller, struct message *message, bool died)
{
	if (!list_empty(&message->link)) {
		withdraw(caller, message);
		return true;
	}
	cancel_post(caller, died);
	if (!died)
		return false;
	if (caller->service != NULL) {
		caller->service->caller = NULL;
		caller->service = NULL;
	}
	object_unref(OBJECT(caller->called_port));
	caller->called_port = NULL;
	return true;
}

void ipc_call_drop(struct thread *thread)
{
	if (thread->called_port != NULL)
		(void)abort_call(thread, &thread->call, true);
}

bool ipc_abort_wait(struct thread *thread, bool died)
{
	switch (thread->wait) {
	case WAIT_RECEIVE:
	case WAIT_SEND:
		list_remove(&thread->wait_link);
		return true;
	case WAIT_QUEUED:
	case WAIT_REPLY:
		return abort_call(thread, &thread->call, died);
	case WAIT_EXCEPTION:
		return abort_call(thread, &thread->fault_message->message, died);
	default:
		return true;
	}
}
