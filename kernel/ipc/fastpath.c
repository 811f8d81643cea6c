/*
 * trap_msg when all is simple: a call with nothing but bytes to a port whose server waits, and an answer with nothing but
 * bytes to a caller when the server has nothing else to do. The CPU goes straight from one thread to the other.
 *
 * Whatever is not simple falls through to message.c before anything has changed; the semantics are the same.
 */
#include <kernel/ipc/internal.h>

/* The current thread is blocked; the CPU goes on with `next`. Page table and the rest follow on the way out. */
static inline void switch_to(struct cpu *cpu, struct thread *next)
{
	next->state = THREAD_RUNNING;
	next->wait = WAIT_NONE;
	next->registers.rax = KERN_SUCCESS;
	next->cpu = cpu->id;
	cpu->current = next;
}

/* space_find for a name in use; the caller compares the kind, which no free entry has. */
static inline struct right *fast_find(const struct ipc_space *space, port_name_t name)
{
	const struct right_table *table = &space->given;
	uint32_t index = name >> 8;
	struct right *chunk, *right;

	if (name & NAME_CHOSEN) {
		table = &space->chosen;
		index = name & ~NAME_CHOSEN;
	}
	if (unlikely(index / RIGHT_CHUNK >= table->chunks))
		return NULL;
	chunk = table->chunk[index / RIGHT_CHUNK];
	if (unlikely(chunk == NULL))
		return NULL;
	right = &chunk[index % RIGHT_CHUNK];
	return likely(name & NAME_CHOSEN || right->generation == (uint8_t)name) ? right : NULL;
}

/* The link of the first thread that waits on the port or its set, or NULL; a dead port has none. */
static inline struct list *fast_receiver(struct port *port)
{
	struct list *link = port->receivers.next;

	if (link != &port->receivers)
		return link;
	if (port->set == NULL)
		return NULL;
	link = port->set->receivers.next;
	return link != &port->set->receivers ? link : NULL;
}

static inline void fast_copy(struct msg_page *to, const struct msg_page *from, uint32_t length)
{
	if (length != 0)
		copy_words(to->data, from->data, length);
}

/* Length, no descriptors and the kind in one store. */
static inline void header_start(struct msg_header *header, uint32_t length, enum msg_kind kind)
{
	uint64_t word = (uint64_t)kind << 48 | length;

	_Static_assert(offsetof(struct msg_header, kind) == 6 && offsetof(struct msg_header, length) == 0, "one word");
	__builtin_memcpy(header, &word, sizeof(word));
}

static inline __attribute__((always_inline)) bool fast_call(struct cpu *cpu, struct thread *self, uint64_t op, uint64_t destination)
{
	struct right *right = fast_find(self->task->space, (port_name_t)destination);
	bool interruptible = (op & MSG_INTERRUPTIBLE) != 0;
	uint32_t length = MSG_LENGTH_OF(op);
	struct list *link, *next;
	struct port_sender *sender;
	struct port *port;
	struct thread *server;
	struct msg_page *page;
	uint64_t request;

	if (unlikely(right == NULL || right->kind != RIGHT_SEND || right->object_kind != KOBJ_PORT))
		return false;
	sender = right->sender;
	port = sender->port;
	link = fast_receiver(port);
	if (unlikely(link == NULL || length > MSG_INLINE_MAX))
		return false;
	server = list_entry(link, struct thread, wait_link);
	if (!sched_may_switch(cpu, server) || server->deadline != DEADLINE_NEVER)
		return false;
	if (interruptible && self->endpoint_storage.block->interrupted != 0)
		return false;
	if (unlikely(self->called_port != NULL)) /* made by an earlier incarnation */
		return false;

	next = link->next;
	next->prev = link->prev;
	next->prev->next = next;
	list_init(link);
	request = ++port->next_request;
	page = server->endpoint_storage.request;
	header_start(&page->header, length, MSG_REQUEST);
	page->header.ordinal = (uint32_t)(destination >> 32);
	page->header.port = port->name;
	page->header.badge = sender->badge;
	page->header.principal = self->task->principal;
	page->header.request = request;
	fast_copy(page, self->endpoint_storage.send, length);
	domain_delivered(server);
	domain_call_left(self);
	server->endpoint_storage.caller = self;
	server->endpoint_storage.request_id = request;
	server->task->messages++;

	object_ref(OBJECT(port));
	self->called_port = port;
	self->called_request = request;
	self->service = &server->endpoint_storage;
	self->carried_count = 0;
	self->state = THREAD_BLOCKED;
	self->wait = WAIT_REPLY;
	self->interruptible = interruptible;
	self->rewound = false;
	switch_to(cpu, server);
	return true;
}

static inline __attribute__((always_inline)) bool fast_reply(struct cpu *cpu, struct thread *self, uint64_t op, uint64_t destination, uint64_t receive)
{
	struct right *right = fast_find(self->task->space, (port_name_t)receive);
	struct thread *caller = self->endpoint_storage.caller;
	struct list *queue, *link = &self->wait_link, *last;
	struct msg_page *page;
	struct port *port;
	uint32_t length = MSG_LENGTH_OF(op);

	if (unlikely(right == NULL || caller == NULL || length > MSG_INLINE_MAX))
		return false;
	if (right->kind == RIGHT_PORT_SET && list_empty(&right->set->ready))
		queue = &right->set->receivers;
	else if (right->kind == RIGHT_RECEIVE && !port_has_work(right->port))
		queue = &right->port->receivers;
	else
		return false;
	if (caller->wait != WAIT_REPLY || !list_empty(&caller->cancel.link) || caller->deadline != DEADLINE_NEVER ||
	    !sched_may_switch(cpu, caller))
		return false;

	page = caller->endpoint_storage.reply;
	header_start(&page->header, length, MSG_REPLY);
	page->header.ordinal = (uint32_t)(destination >> 32);
	fast_copy(page, self->endpoint_storage.send, length);
	domain_committed(self);
	domain_call_ended(caller, KERN_SUCCESS);
	port = caller->called_port;
	caller->called_port = NULL;
	caller->service = NULL;
	caller->carried_count = 0;
	self->endpoint_storage.caller = NULL;
	object_unref(OBJECT(port));

	last = queue->prev;
	link->next = queue;
	link->prev = last;
	last->next = link;
	queue->prev = link;
	self->state = THREAD_BLOCKED;
	self->wait = WAIT_RECEIVE;
	self->interruptible = false;
	self->rewound = false;
	switch_to(cpu, caller);
	return true;
}

/* MSG_RELEASE, then the rest of the trap. Apart, so that the two paths above keep their registers. */
static __attribute__((noinline)) int64_t msg_release(uint64_t op, uint64_t destination, uint64_t receive, uint64_t deadline, uint64_t count)
{
	struct cpu *cpu = cpu_current();
	struct thread *self = cpu->current;

	/* What is going to be refused must not have released anything: the next incarnation executes the request again. */
	if ((op & (MSG_RECEIVE | MSG_SEND | MSG_CALL | MSG_COMMIT)) != MSG_RECEIVE || !msg_may_receive(self, op, receive))
		return msg_general(op, destination, receive, deadline, count);
	carry_release_delivered(self, op >> MSG_RELEASE_SHIFT);
	op &= MSG_RELEASE(0) - 1;
	if (deadline == DEADLINE_NEVER && self->attention == 0 && !cpu->reschedule && self->flags & THREAD_SERVER &&
	    (op & ~UINT64_C(0xfff)) == (MSG_SEND_REPLY | MSG_RECEIVE) && fast_reply(cpu, self, op, destination, receive))
		return KERN_SUCCESS;
	return msg_general(op, destination, receive, deadline, count);
}

/* Nothing but tail calls: it needs no registers either. */
static __attribute__((noinline)) int64_t msg_other(uint64_t op, uint64_t destination, uint64_t receive, uint64_t deadline, uint64_t count)
{
	struct thread *self = cpu_current()->current;

	if ((op & ~(uint64_t)(0x1ffff | MSG_INTERRUPTIBLE)) == MSG_CALL && self->attention == 0 &&
	    MSG_LENGTH_OF(op) <= MSG_INLINE_MAX && MSG_DESCRIPTORS_OF(op) <= MSG_DESCRIPTORS_MAX)
		return msg_call(self, op, destination, deadline);
	if (op >> MSG_RELEASE_SHIFT != 0)
		return msg_release(op, destination, receive, deadline, count);
	return msg_general(op, destination, receive, deadline, count);
}

int64_t trap_handle_msg(uint64_t op, uint64_t destination, uint64_t receive, uint64_t deadline, uint64_t e, uint64_t f)
{
	struct cpu *cpu = cpu_current();
	struct thread *self = cpu->current;

	(void)f;
	if (likely(deadline == DEADLINE_NEVER && self->attention == 0 && !cpu->reschedule)) {
		if ((op & ~(uint64_t)(0xfff | MSG_INTERRUPTIBLE)) == MSG_CALL) {
			if (fast_call(cpu, self, op, destination))
				return KERN_SUCCESS;
		} else if ((op & ~UINT64_C(0xfff)) == (MSG_SEND_REPLY | MSG_RECEIVE) && self->flags & THREAD_SERVER) {
			if (fast_reply(cpu, self, op, destination, receive))
				return KERN_SUCCESS;
		}
	}
	return msg_other(op, destination, receive, deadline, e);
}
