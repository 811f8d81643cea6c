/*
 * trap_msg in general: send, call, reply, restart, receive, in every combination that message.h allows.
 *
 * A trap is checked entirely before its first change. A message goes straight to a waiting receiver, else it is queued: a call
 * as a record in its thread, whose send page keeps the bytes, a one-way message as an allocated copy. The answer to a call is always
 * direct: its caller is known from the reply slot or the parked right. Life of a call: queued -> in service (reply slot) -> parked
 * (send-once right, any number of moves) -> answered; it can be withdrawn while queued, and is cancelled by MSG_CANCEL afterwards.
 * Above: fastpath.c tries first. Below: carry.c, port.c, notify.c; thread_block and thread_wake.
 */
#include <kernel/ipc/internal.h>
#include <portico/errno.h>

#define OP_KNOWN                                                                                                      \
	(0x1ffffu | MSG_SEND | MSG_CALL | MSG_SEND_REPLY | MSG_RECEIVE | MSG_TO_ONCE | MSG_INTERRUPTIBLE | MSG_RESTART |    \
	 MSG_COMMIT | MSG_AWAIT | MSG_RELEASES(0xffff))

/* A one-way message with bytes and rights of its own. */
struct oneway {
	struct message message;
	struct ledger *ledger;     /* reference: the sender's */
	size_t size;               /* of the whole allocation */
	struct carried carried[];  /* then the bytes */
};

/* ---- delivery ---- */

void message_deliver(struct thread *receiver, struct port *port, struct message *message)
{
	struct msg_page *page = receiver->endpoint->request;
	struct msg_header *header = &page->header;
	struct thread *caller = message->caller;

	header->length = message->length;
	header->descriptors = message->count;
	header->kind = MSG_REQUEST;
	header->ordinal = message->ordinal;
	header->port = port->name;
	header->badge = message->badge;
	header->principal = message->principal;
	header->request = caller != NULL ? caller->called_request : 0;
	header->word = 0;
	copy_words(page->data, message->data, message->length);
	carry_deliver(receiver, page, message->carried, message->count);
	if (caller != NULL) {
		receiver->endpoint->caller = caller;
		receiver->endpoint->request_id = caller->called_request;
		caller->service = receiver->endpoint;
		if (caller->wait == WAIT_QUEUED)
			caller->wait = WAIT_REPLY;
	}
	domain_delivered(receiver);
	receiver->task->messages++;
}

static void oneway_free(struct oneway *oneway)
{
	struct ledger *ledger = oneway->ledger;

	kfree(oneway, oneway->size, ledger);
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}

/* There is room for one message more, or one waiting sender fewer. */
static void oneway_left(struct port *port)
{
	struct list *l;

	port->queued--;
	l = list_pop(&port->blocked_senders);
	if (l != NULL)
		thread_wake_restart(list_entry(l, struct thread, wait_link));
}

/* The message is off its queue, and delivered or released. */
static void message_done(struct message *message, struct port *port)
{
	struct kernel_message *kernel;

	if (message->type == MESSAGE_ONEWAY) {
		oneway_free(list_entry(message, struct oneway, message));
		oneway_left(port);
	} else if (message->type == MESSAGE_KERNEL) {
		kernel = list_entry(message, struct kernel_message, message);
		if (kernel->owner == NULL)
			kernel_message_free(kernel);
	}
}

void message_discard(struct message *message, struct port *port, int64_t status)
{
	struct thread *caller = message->caller;
	bool exception = caller != NULL && message->type == MESSAGE_KERNEL;

	list_remove(&message->link);
	carry_release(message->carried, message->count);
	message_done(message, port);
	if (caller == NULL)
		return;
	call_finish(caller);
	if (exception)
		exception_answered(caller, 1);
	else
		call_answered(caller, status);
}

void receive_from(struct thread *receiver, struct port *port)
{
	struct list *l = list_first(&port->controls);
	struct message *message;

	if (l != NULL) {
		control_deliver(receiver, port, list_entry(l, struct control, link));
	} else {
		message = list_entry(list_pop(&port->messages), struct message, link);
		message_deliver(receiver, port, message);
		message_done(message, port);
	}
	port_update_ready(port);
}

/* Gives a message to a waiting receiver; false: there is none. The receiver is off its queue but not woken. */
static struct thread *offer(struct port *port, struct message *message)
{
	struct thread *receiver = port_receiver(port);

	if (receiver != NULL) {
		list_remove(&receiver->wait_link);
		message_deliver(receiver, port, message);
	}
	return receiver;
}

static void enqueue(struct port *port, struct message *message)
{
	list_push_back(&port->messages, &message->link);
	port_update_ready(port);
}

/* ---- calls ---- */

static struct port_sender *sender_lookup(struct thread *self, port_name_t name, int64_t *status)
{
	struct right *right = space_find(self->task->space, name);

	if (right == NULL)
		*status = KERN_INVALID_NAME;
	else if (right->kind != RIGHT_SEND || right->object_kind != KOBJ_PORT)
		*status = KERN_INVALID_RIGHT;
	else if (right_is_dead(right))
		*status = KERN_DEAD;
	else
		return right->sender;
	return NULL;
}

int64_t wait_refused(struct thread *self, uint64_t op, uint64_t deadline)
{
	if (op & MSG_INTERRUPTIBLE && __atomic_load_n(&self->endpoint->block->interrupted, __ATOMIC_RELAXED) != 0)
		return KERN_INTERRUPTED;
	if (deadline != DEADLINE_NEVER && (deadline == DEADLINE_NOW || deadline <= clock_now()))
		return KERN_TIMED_OUT;
	return KERN_SUCCESS;
}

static void message_prepare(struct message *message, struct thread *self, const struct port_sender *sender, uint64_t op,
			    uint64_t destination)
{
	list_init(&message->link);
	message->ordinal = (uint32_t)(destination >> 32);
	message->length = (uint16_t)MSG_LENGTH_OF(op);
	message->count = (uint8_t)MSG_DESCRIPTORS_OF(op);
	message->badge = sender->badge;
	message->principal = self->task->principal;
	message->data = self->endpoint->send->data;
	message->caller = NULL;
}

/* The thread is now the caller of a request to the port; finished by call_finish. */
static void call_begin(struct thread *caller, struct port *port)
{
	caller->called_port = port;
	object_ref(OBJECT(port));
	caller->called_request = ++port->next_request;
	caller->call_parked = false;
	caller->service = NULL;
}

void call_finish(struct thread *caller)
{
	struct port *port = caller->called_port;

	if (caller->service != NULL) {
		caller->service->caller = NULL;
		caller->service = NULL;
	}
	caller->call_parked = false;
	caller->carried_count = 0;
	caller->called_port = NULL;
	if (!list_empty(&caller->cancel.link)) {
		control_discard(&caller->cancel);
		port_update_ready(port);
	}
	if (port != NULL)
		object_unref(OBJECT(port));
}

void call_answered(struct thread *caller, int64_t status)
{
	domain_call_ended(caller, status);
	if (caller->state == THREAD_BLOCKED && (caller->wait == WAIT_REPLY || caller->wait == WAIT_QUEUED))
		thread_wake(caller, status);
}

/* An incarnation waits for the answer to the call that one before it made. */
static int64_t msg_await(struct thread *self, uint64_t op)
{
	if (op != MSG_AWAIT || self->domain == NULL)
		return KERN_INVALID_ARGUMENT;
	if (self->called_port == NULL)
		return thread_counters(self)->call_status;
	thread_block(list_empty(&self->call.link) ? WAIT_REPLY : WAIT_QUEUED, OBJECT(self->called_port), DEADLINE_NEVER, false);
	return KERN_SUCCESS;
}

/* The commonest of what follows in msg_call: the server waits, and the CPU goes straight to it, as in fastpath.c. */
static bool call_switch(struct thread *self, struct port *port, uint64_t op)
{
	struct thread *server = port_receiver(port);
	struct cpu *cpu = cpu_current();

	if (server == NULL || server->deadline != DEADLINE_NEVER || self->attention != 0 || !sched_may_switch(cpu, server))
		return false;
	self->state = THREAD_BLOCKED;
	self->wait = WAIT_REPLY;
	self->wait_object = OBJECT(port);
	self->interruptible = (op & MSG_INTERRUPTIBLE) != 0;
	self->rewound = false;
	self->voluntary_switches++;
	list_remove(&server->wait_link);
	message_deliver(server, port, &self->call);
	server->wait = WAIT_NONE;
	server->wait_object = NULL;
	server->interruptible = false;
	server->state = THREAD_RUNNING;
	server->registers.rax = KERN_SUCCESS;
	server->cpu = cpu->id;
	cpu->current = server;
	cpu->reschedule = false;
	return true;
}

int64_t msg_call(struct thread *self, uint64_t op, uint64_t destination, uint64_t deadline)
{
	int64_t status = self->called_port != NULL ? KERN_BUSY : wait_refused(self, op, deadline);
	struct port_sender *sender;
	struct thread *receiver;

	if (status != KERN_SUCCESS)
		return status;
	sender = sender_lookup(self, (port_name_t)destination, &status);
	if (sender == NULL)
		return status;
	status = carry_take(self, MSG_DESCRIPTORS_OF(op), CARRY_CALL, sender->port, self->carried);
	if (status != KERN_SUCCESS)
		return status;
	message_prepare(&self->call, self, sender, op, destination);
	self->call.type = MESSAGE_CALL;
	self->call.caller = self;
	self->call.carried = self->carried;
	self->carried_count = self->call.count;
	call_begin(self, sender->port);
	domain_call_left(self);
	if (deadline == DEADLINE_NEVER && call_switch(self, sender->port, op))
		return KERN_SUCCESS;
	thread_block(WAIT_QUEUED, OBJECT(sender->port), deadline, op & MSG_INTERRUPTIBLE);
	receiver = offer(sender->port, &self->call);
	if (receiver != NULL)
		thread_hand_over(receiver, KERN_SUCCESS);
	else
		enqueue(sender->port, &self->call);
	return KERN_SUCCESS;
}

/* ---- one-way messages ---- */

static struct oneway *oneway_create(struct thread *self, const struct message *like)
{
	size_t size = sizeof(struct oneway) + like->count * sizeof(struct carried) + (like->length + 7u) / 8 * 8;
	struct oneway *oneway = kalloc(size, self->task->ledger);

	if (oneway == NULL)
		return NULL;
	oneway->message = *like;
	list_init(&oneway->message.link);
	oneway->size = size;
	oneway->ledger = self->task->ledger;
	if (oneway->ledger != NULL)
		object_ref(OBJECT(oneway->ledger));
	oneway->message.carried = oneway->carried;
	oneway->message.data = &oneway->carried[like->count];
	return oneway;
}

/* Sends to a port, past the queue limit if `always`. */
static int64_t oneway_send(struct thread *self, struct port *port, struct message *message)
{
	struct carried carried[MSG_DESCRIPTORS_MAX];
	struct oneway *oneway;
	struct thread *receiver;
	int64_t status;

	message->type = MESSAGE_ONEWAY;
	if (port_receiver(port) != NULL) {
		status = carry_take(self, message->count, CARRY_ONEWAY, port, carried);
		if (status != KERN_SUCCESS)
			return status;
		message->carried = carried;
		receiver = offer(port, message);
		thread_wake(receiver, KERN_SUCCESS);
		return KERN_SUCCESS;
	}
	oneway = oneway_create(self, message);
	if (oneway == NULL)
		return KERN_NO_MEMORY;
	status = carry_take(self, message->count, CARRY_ONEWAY, port, oneway->carried);
	if (status != KERN_SUCCESS) {
		oneway_free(oneway);
		return status;
	}
	copy_words((void *)oneway->message.data, message->data, message->length);
	port->queued++;
	enqueue(port, &oneway->message);
	return KERN_SUCCESS;
}

static int64_t msg_send(struct thread *self, uint64_t op, uint64_t destination, uint64_t deadline)
{
	int64_t status = KERN_SUCCESS;
	struct port_sender *sender = sender_lookup(self, (port_name_t)destination, &status);
	struct message message;
	struct port *port;

	if (sender == NULL)
		return status;
	port = sender->port;
	if (port->queued >= port->queue_limit && port_receiver(port) == NULL) {
		status = wait_refused(self, op, deadline);
		if (status != KERN_SUCCESS)
			return deadline == DEADLINE_NOW && status == KERN_TIMED_OUT ? KERN_QUEUE_FULL : status;
		list_push_back(&port->blocked_senders, &self->wait_link);
		thread_block_restart(WAIT_SEND, OBJECT(port), deadline, op & MSG_INTERRUPTIBLE);
		return KERN_SUCCESS;
	}
	message_prepare(&message, self, sender, op, destination);
	return oneway_send(self, port, &message);
}

/* Through a send-once right, which is consumed: to the port it was made for, or as the answer to a parked call. */
int64_t msg_send_once(struct thread *self, uint64_t op, uint64_t destination)
{
	port_name_t name = (port_name_t)destination;
	struct ipc_space *space = self->task->space;
	struct right *right = space_find(space, name), used;
	struct port_sender like;
	struct message message;
	int64_t status;

	if (right == NULL)
		return KERN_INVALID_NAME;
	if (right->kind != RIGHT_SEND_ONCE)
		return KERN_INVALID_RIGHT;
	used = *right;
	if (used.object_kind == KOBJ_THREAD) {
		status = reply_to(self, used.parked, op, (uint32_t)(destination >> 32));
	} else if (op & MSG_RESTART) {
		status = KERN_INVALID_ARGUMENT;
	} else if (used.once->port->object.dead) {
		status = KERN_DEAD;
	} else {
		like.badge = used.once->badge;
		message_prepare(&message, self, &like, op, destination);
		status = oneway_send(self, used.once->port, &message);
	}
	if (status != KERN_SUCCESS)
		return status;
	space_free(space, name, space_find(space, name));
	if (used.object_kind == KOBJ_THREAD)
		object_unref(OBJECT(used.parked));
	else
		once_free(used.once);
	return KERN_SUCCESS;
}

/* ---- answers ---- */

/* MSG_RESTART: the caller's trap is repeated after its memory has been made accessible in its own context. */
static int64_t restart_call(struct thread *server, struct thread *caller)
{
	const struct msg_descriptor *d = &server->endpoint->send->descriptor[0];
	uint16_t flags = d->flags;

	if (!(flags & (MSG_WINDOW_READ | MSG_WINDOW_WRITE)))
		return KERN_INVALID_ARGUMENT;
	if (caller->object.dead)
		return KERN_SUCCESS;
	if (caller->domain != NULL) { /* servers keep what they give windows to resident; there may be nobody to fault */
		call_finish(caller);
		call_answered(caller, KERN_FAULT);
		return KERN_SUCCESS;
	}
	if (caller->wait != WAIT_REPLY)
		return KERN_INVALID_ARGUMENT;
	caller->fault_in_address = d->address;
	caller->fault_in_access = flags & MSG_WINDOW_WRITE ? VM_WRITE : VM_READ;
	caller->fault_in_op = caller->registers.rdi;
	caller->attention |= ATTENTION_FAULT_IN;
	call_finish(caller);
	thread_rewind(caller);
	thread_wake_restart(caller);
	return KERN_SUCCESS;
}

static void reply_write(struct thread *caller, uint64_t op, uint32_t error, struct thread *server, struct carried *carried)
{
	struct msg_page *page = caller->endpoint->reply;
	uint32_t length = MSG_LENGTH_OF(op), count = MSG_DESCRIPTORS_OF(op);

	page->header.length = length;
	page->header.descriptors = (uint16_t)count;
	page->header.kind = MSG_REPLY;
	page->header.ordinal = error;
	page->header.principal = server->task->principal;
	copy_words(page->data, server->endpoint->send->data, length);
	carry_deliver(caller, page, carried, count);
}

int64_t reply_to(struct thread *server, struct thread *caller, uint64_t op, uint32_t error)
{
	struct carried carried[MSG_DESCRIPTORS_MAX];
	uint32_t count = MSG_DESCRIPTORS_OF(op);
	int64_t status;

	if (op & MSG_RESTART)
		return restart_call(server, caller);
	status = carry_take(server, count, CARRY_ONEWAY, NULL, carried);
	if (status != KERN_SUCCESS)
		return status;
	if (caller == NULL || caller->object.dead) {
		carry_release(carried, count);
		return KERN_SUCCESS;
	}
	if (caller->wait == WAIT_EXCEPTION) {
		carry_release(carried, count);
		call_finish(caller);
		exception_answered(caller, error);
		return KERN_SUCCESS;
	}
	reply_write(caller, op, error, server, carried);
	call_finish(caller);
	call_answered(caller, KERN_SUCCESS);
	return KERN_SUCCESS;
}

void call_abandon(struct thread *caller)
{
	bool exception = caller->wait == WAIT_EXCEPTION;

	if (caller->object.dead || (caller->wait != WAIT_REPLY && caller->domain == NULL && !exception))
		return;
	call_finish(caller);
	if (exception)
		exception_answered(caller, 1);
	else
		call_answered(caller, KERN_NO_REPLY);
}

void ipc_endpoint_closed(struct endpoint *endpoint)
{
	if (endpoint->caller != NULL)
		call_abandon(endpoint->caller);
}

int64_t trap_handle_reply_park(uint64_t chosen, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current(), *caller = self->endpoint->caller;
	struct right right = {.kind = RIGHT_SEND_ONCE, .object_kind = KOBJ_THREAD};
	int64_t name;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (caller == NULL)
		return KERN_GONE;
	right.parked = caller;
	name = space_enter(self->task->space, (port_name_t)chosen, &right);
	if (name < 0)
		return name;
	object_ref(OBJECT(caller));
	caller->call_parked = true;
	caller->service = NULL;
	self->endpoint->caller = NULL;
	return name;
}

/* ---- receiving ---- */

/* Where a receive looks: a port, or a set. */
struct receive_source {
	struct port *port;
	struct port_set *set;
};

static int64_t receive_find(struct thread *self, uint64_t op, port_name_t name, struct receive_source *source)
{
	struct right *right = space_find(self->task->space, name);

	if (!(self->flags & THREAD_SERVER))
		return KERN_NOT_SUPPORTED;
	if (right == NULL)
		return KERN_INVALID_NAME;
	if (!(op & MSG_SEND_REPLY) && self->endpoint->caller != NULL)
		return KERN_BUSY;
	source->port = right->kind == RIGHT_RECEIVE ? right->port : NULL;
	source->set = right->kind == RIGHT_PORT_SET ? right->set : NULL;
	return source->port == NULL && source->set == NULL ? KERN_INVALID_RIGHT : KERN_SUCCESS;
}

static int64_t msg_receive(struct thread *self, uint64_t op, const struct receive_source *source, uint64_t deadline)
{
	struct port *port = source->port;
	struct list *l;
	int64_t status;

	if (source->set != NULL) {
		l = list_first(&source->set->ready);
		port = l == NULL ? NULL : list_entry(l, struct port, ready_link);
	}
	if (port != NULL && port_has_work(port)) {
		receive_from(self, port);
		return KERN_SUCCESS;
	}
	status = wait_refused(self, op, deadline);
	if (status != KERN_SUCCESS)
		return status;
	list_push_back(source->set != NULL ? &source->set->receivers : &source->port->receivers, &self->wait_link);
	thread_block(WAIT_RECEIVE, source->set != NULL ? OBJECT(source->set) : OBJECT(source->port), deadline,
		     op & MSG_INTERRUPTIBLE);
	return KERN_SUCCESS;
}

/* ---- the trap ---- */

static int64_t op_check(uint64_t op)
{
	/* By the bits of MSG_SEND, MSG_CALL and MSG_SEND_REPLY: none or one of them. */
	bool sends_ok = UINT32_C(0x17) >> (op >> MSG_OP_SHIFT & 7) & 1;

	_Static_assert((MSG_SEND | MSG_CALL | MSG_SEND_REPLY) == UINT64_C(7) << MSG_OP_SHIFT, "three bits");
	if (op & (MSG_COMMIT | MSG_RELEASES(0xffff)) && (!(op & MSG_RECEIVE) || op & (MSG_SEND | MSG_CALL)))
		return KERN_INVALID_ARGUMENT;
	if (op & ~OP_KNOWN || !sends_ok || (op & (MSG_SEND | MSG_CALL | MSG_SEND_REPLY | MSG_RECEIVE)) == 0)
		return KERN_INVALID_ARGUMENT;
	if (op & MSG_CALL && op & MSG_RECEIVE)
		return KERN_INVALID_ARGUMENT;
	if (op & MSG_TO_ONCE && !(op & MSG_SEND))
		return KERN_INVALID_ARGUMENT;
	if (op & MSG_RESTART && !(op & (MSG_SEND_REPLY | MSG_TO_ONCE)))
		return KERN_INVALID_ARGUMENT;
	if (MSG_LENGTH_OF(op) > MSG_INLINE_MAX || MSG_DESCRIPTORS_OF(op) > MSG_DESCRIPTORS_MAX)
		return KERN_TOO_LARGE;
	return KERN_SUCCESS;
}

/* A server asked for memory of ours; only then is the call repeated. */
static int64_t fault_in(struct thread *self, uint64_t op)
{
	enum portico_fault why;
	int64_t status = KERN_SUCCESS;

	if (self->fault_in_op == op)
		status = vm_fault_in(self->task->map, self->fault_in_address, self->fault_in_access, &why);
	if (status == KERN_BUSY)
		return status;
	self->attention &= (uint8_t)~ATTENTION_FAULT_IN;
	return status;
}

static int64_t send_phase(struct thread *self, uint64_t op, uint64_t destination, uint64_t deadline)
{
	if (op & MSG_CALL)
		return msg_call(self, op, destination, deadline);
	if (op & MSG_TO_ONCE)
		return msg_send_once(self, op, destination);
	if (op & MSG_SEND)
		return msg_send(self, op, destination, deadline);
	if (op & MSG_SEND_REPLY && !(op & MSG_RESTART && self->endpoint->caller == NULL))
		return reply_to(self, self->endpoint->caller, op, (uint32_t)(destination >> 32));
	return KERN_SUCCESS;
}

/*
 * A domain's receive: the operations of its transaction, its reply, and the count that makes both done. Once begun it does not
 * fail: a reply that cannot be sent as it is becomes an error.
 */
static int64_t commit(struct thread *self, uint64_t op, uint64_t destination, uint64_t deadline, uint64_t count)
{
	if (op & MSG_COMMIT)
		commit_operations(self, count);
	carry_release_delivered(self, op >> MSG_RELEASE_SHIFT);
	if (send_phase(self, op, destination, deadline) != KERN_SUCCESS)
		(void)reply_to(self, self->endpoint->caller, MSG_SEND_REPLY, EIO);
	domain_committed(self);
	return KERN_SUCCESS;
}

bool msg_may_receive(struct thread *self, uint64_t op, uint64_t receive)
{
	struct receive_source source;

	return op_check(op) == KERN_SUCCESS && receive_find(self, op, (port_name_t)receive, &source) == KERN_SUCCESS;
}

int64_t msg_general(uint64_t op, uint64_t destination, uint64_t receive, uint64_t deadline, uint64_t count)
{
	struct thread *self = thread_current();
	struct receive_source source = {NULL, NULL};
	int64_t status = op_check(op);

	if (op & MSG_AWAIT)
		return msg_await(self, op);
	if (op & MSG_COMMIT && (self->domain == NULL || count > COMMIT_OPERATIONS_MAX))
		return KERN_INVALID_ARGUMENT;
	if (status == KERN_SUCCESS && self->attention & ATTENTION_FAULT_IN)
		status = fault_in(self, op);
	if (status == KERN_SUCCESS && op & MSG_RECEIVE)
		status = receive_find(self, op, (port_name_t)receive, &source);
	if (status == KERN_SUCCESS && self->domain != NULL && op & MSG_RECEIVE)
		status = commit(self, op, destination, deadline, count);
	else if (status == KERN_SUCCESS)
		status = send_phase(self, op, destination, deadline);
	if (status == KERN_SUCCESS && op & MSG_COMMIT) /* it may be among what was released */
		status = receive_find(self, op, (port_name_t)receive, &source);
	if (status == KERN_SUCCESS && op & MSG_RECEIVE && self->state == THREAD_RUNNING)
		status = msg_receive(self, op, &source, deadline);
	return status;
}
