/*
 * Notifications: they never block, never fail and never need memory when they are sent.
 *
 * Each source owns one record (struct control): a port its notify bits, a badge its no-senders, a dead-name request and a
 * send-once right themselves, a calling thread its cancellation. Posting a record that is already pending only brings it up to date.
 */
#include <kernel/ipc/internal.h>

#define REQUEST_BUCKETS 256u

/* An armed dead-name request. Found by its object when that dies, and by its name when that goes first. */
struct dead_request {
	struct list link;          /* bucket of the object; off it once fired */
	struct kobject *object;    /* kept alive by the right under `name` */
	struct ipc_space *space;
	port_name_t name;
	struct port *port;         /* reference: where to tell */
	struct ledger *ledger;     /* reference, or NULL */
	struct control control;
};

static struct list request_hash[REQUEST_BUCKETS];

static struct list *request_bucket(const struct kobject *object)
{
	struct list *bucket = &request_hash[object->id % REQUEST_BUCKETS];

	if (bucket->next == NULL)
		list_init(bucket);
	return bucket;
}

static void request_free(struct dead_request *request)
{
	struct ledger *ledger = request->ledger;

	list_remove(&request->link);
	object_unref(OBJECT(request->port));
	kfree(request, sizeof(*request), ledger);
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}

/* ---- control records ---- */

void control_discard(struct control *control)
{
	struct port_sender *sender;
	struct thread *thread;

	list_remove(&control->link);
	switch (control->kind) {
	case MSG_NO_SENDERS:
		sender = list_entry(control, struct port_sender, no_senders);
		if (sender->refs == 0)
			sender_free(sender);
		return;
	case MSG_DEAD_NAME:
		request_free(list_entry(control, struct dead_request, control));
		return;
	case MSG_SEND_ONCE:
		once_free(list_entry(control, struct once, unused));
		return;
	case MSG_CANCEL:
		thread = list_entry(control, struct thread, cancel);
		object_unref(OBJECT(thread));
		return;
	default:
		return;
	}
}

void control_deliver(struct thread *receiver, struct port *port, struct control *control)
{
	struct msg_header *header = &receiver->endpoint->request->header;

	__builtin_memset(header, 0, sizeof(*header));
	header->kind = (uint16_t)control->kind;
	header->port = port->name;
	header->badge = control->badge;
	header->word = control->word;
	if (control->kind == MSG_NOTIFY) {
		header->word = port->notify_bits;
		port->notify_bits = 0;
	}
	control_discard(control);
	domain_delivered(receiver);
}

void control_post(struct port *port, struct control *control)
{
	struct thread *receiver;

	if (port->object.dead) {
		control_discard(control);
		return;
	}
	if (!list_empty(&control->link))
		return;
	receiver = port_receiver(port);
	if (receiver != NULL) {
		list_remove(&receiver->wait_link);
		control_deliver(receiver, port, control);
		thread_wake(receiver, KERN_SUCCESS);
		return;
	}
	list_push_back(&port->controls, &control->link);
	port_update_ready(port);
}

void port_notify_bits(struct port *port, uint64_t bits)
{
	port->notify_bits |= bits;
	if (bits != 0)
		control_post(port, &port->notify);
}

/* The last send right of a badge is gone. */
void sender_count_fell(struct port_sender *sender)
{
	struct port *target = sender->port->no_senders_to;

	if (sender->port->object.dead || target == NULL || target->object.dead) {
		if (list_empty(&sender->no_senders.link))
			sender_free(sender);
		return;
	}
	sender->no_senders.badge = sender->badge;
	sender->no_senders.word = sender->make_send;
	control_post(target, &sender->no_senders);
}

/* ---- dead names ---- */

void object_died(struct kobject *object)
{
	list_for_each_safe(l, request_bucket(object))
	{
		struct dead_request *request = list_entry(l, struct dead_request, link);
		struct right *right;
		if (request->object != object)
			continue;
		right = space_find(request->space, request->name);
		if (right != NULL)
			right->requested = false;
		list_remove(&request->link);
		request->control.word = request->name;
		control_post(request->port, &request->control);
	}
}

static struct dead_request *request_find(struct ipc_space *space, port_name_t name, struct kobject *object)
{
	list_for_each(l, request_bucket(object))
	{
		struct dead_request *request = list_entry(l, struct dead_request, link);
		if (request->space == space && request->name == name)
			return request;
	}
	return NULL;
}

void request_cancel(struct ipc_space *space, port_name_t name, struct kobject *object)
{
	struct dead_request *request = request_find(space, name, object);

	if (request != NULL)
		request_free(request);
}

void request_rename(struct ipc_space *space, port_name_t from, port_name_t to, struct kobject *object)
{
	struct dead_request *request = request_find(space, from, object);

	if (request != NULL)
		request->name = to;
}

static int64_t request_dead_name(struct ipc_space *space, port_name_t name, struct port *port, uint64_t cookie)
{
	struct right *right = space_find(space, name);
	struct dead_request *request;

	if (right == NULL)
		return KERN_INVALID_NAME;
	if (right->kind != RIGHT_SEND)
		return KERN_INVALID_RIGHT;
	if (right->requested)
		return KERN_BUSY;
	request = kalloc(sizeof(*request), space->object.ledger);
	if (request == NULL)
		return KERN_NO_MEMORY;
	list_init(&request->link);
	list_init(&request->control.link);
	request->control.kind = MSG_DEAD_NAME;
	request->control.badge = cookie;
	request->control.word = name;
	request->object = right_target(right);
	request->space = space;
	request->name = name;
	request->port = port;
	object_ref(OBJECT(port));
	request->ledger = space->object.ledger;
	if (request->ledger != NULL)
		object_ref(OBJECT(request->ledger));
	if (right_is_dead(right)) {
		control_post(port, &request->control);
	} else {
		right->requested = true;
		list_push_back(request_bucket(request->object), &request->link);
	}
	return KERN_SUCCESS;
}

/* Badges without senders at this moment have no record: there is nothing to tell about them. */
static int64_t request_no_senders(struct ipc_space *space, port_name_t name, struct port *target)
{
	int64_t status = KERN_SUCCESS;
	struct port *port = receive_lookup(space, name, &status), *old;

	if (port == NULL)
		return status;
	old = port->no_senders_to;
	port->no_senders_to = target;
	if (target != port)
		object_ref(OBJECT(target));
	if (old != NULL && old != port)
		object_unref(OBJECT(old));
	return KERN_SUCCESS;
}

int64_t trap_handle_right_request(uint64_t name, uint64_t kind, uint64_t port_name, uint64_t cookie, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	int64_t status = KERN_SUCCESS;
	struct port *port = receive_lookup(space, (port_name_t)port_name, &status);

	(void)e, (void)f;
	if (port == NULL)
		return status;
	if (kind == REQUEST_DEAD_NAME)
		return request_dead_name(space, (port_name_t)name, port, cookie);
	if (kind == REQUEST_NO_SENDERS)
		return request_no_senders(space, (port_name_t)name, port);
	return KERN_INVALID_ARGUMENT;
}
