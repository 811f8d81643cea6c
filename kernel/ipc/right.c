/*
 * Rights: how one is obtained from another, what a send right shares with its like, and what happens when one is given up.
 *
 * Above: carry.c (rights in messages), right_traps.c. Below: space.c (names), port.c and notify.c (what follows from a release).
 */
#include <kernel/ipc/internal.h>

#define SENDER_BUCKETS 4096u
#define PORT_FLAGS (RIGHT_INHERIT | RIGHT_MINT | RIGHT_NOTIFY)

static struct port_sender *sender_hash[SENDER_BUCKETS];

/* ---- senders ---- */

static struct port_sender **sender_bucket(const struct port *port, uint64_t badge)
{
	uint64_t h = (port->object.id * UINT64_C(0x9e3779b97f4a7c15)) ^ (badge * UINT64_C(0xc2b2ae3d27d4eb4f));

	return &sender_hash[(h >> 40) % SENDER_BUCKETS];
}

struct port_sender *sender_find(struct port *port, uint64_t badge, int64_t *status)
{
	struct port_sender **bucket = sender_bucket(port, badge), *sender;

	for (sender = *bucket; sender != NULL; sender = sender->hash_next)
		if (sender->port == port && sender->badge == badge)
			return sender;
	sender = kalloc(sizeof(*sender), port->object.ledger);
	if (sender == NULL) {
		*status = KERN_NO_MEMORY;
		return NULL;
	}
	sender->port = port;
	sender->badge = badge;
	sender->no_senders.kind = MSG_NO_SENDERS;
	list_init(&sender->no_senders.link);
	sender->hash_next = *bucket;
	*bucket = sender;
	object_ref(OBJECT(port));
	return sender;
}

void sender_free(struct port_sender *sender)
{
	struct port *port = sender->port;
	struct port_sender **at = sender_bucket(port, sender->badge);

	while (*at != sender)
		at = &(*at)->hash_next;
	*at = sender->hash_next;
	kfree(sender, sizeof(*sender), port->object.ledger);
	object_unref(OBJECT(port));
}

/* Counts a new right for the badge. */
struct port_sender *port_make_sender(struct port *port, uint64_t badge, int64_t *status)
{
	struct port_sender *sender;

	if (port->object.dead) {
		*status = KERN_DEAD;
		return NULL;
	}
	sender = sender_find(port, badge, status);
	if (sender != NULL) {
		sender_ref(sender);
		sender->make_send++;
	}
	return sender;
}

/* Takes back a right that port_make_sender counted and nobody ever had. */
static void sender_unmake(struct port_sender *sender)
{
	sender->port->senders--;
	sender->make_send--;
	if (--sender->refs == 0 && list_empty(&sender->no_senders.link))
		sender_free(sender);
}

void port_sender_release(struct port_sender *sender)
{
	sender->port->senders--;
	if (--sender->refs == 0)
		sender_count_fell(sender);
}

bool port_sender_dead(const struct port_sender *sender)
{
	return sender->port->object.dead;
}

struct port_sender *right_take_sender(struct ipc_space *space, port_name_t name, int64_t *status)
{
	struct right *right = space_find(space, name);

	if (right == NULL)
		*status = KERN_INVALID_NAME;
	else if (right->kind != RIGHT_SEND || right->object_kind != KOBJ_PORT)
		*status = KERN_INVALID_RIGHT;
	else if (right_is_dead(right))
		*status = KERN_DEAD;
	else {
		sender_ref(right->sender);
		return right->sender;
	}
	return NULL;
}

/* ---- send-once rights to ports ---- */

struct once *once_create(struct port *port, uint64_t badge, struct ledger *ledger)
{
	struct once *once = kalloc(sizeof(*once), ledger);

	if (once == NULL)
		return NULL;
	once->port = port;
	once->badge = badge;
	once->ledger = ledger;
	once->unused.kind = MSG_SEND_ONCE;
	once->unused.badge = badge;
	list_init(&once->unused.link);
	object_ref(OBJECT(port));
	if (ledger != NULL)
		object_ref(OBJECT(ledger));
	return once;
}

void once_free(struct once *once)
{
	struct ledger *ledger = once->ledger;
	struct port *port = once->port;

	kfree(once, sizeof(*once), ledger);
	object_unref(OBJECT(port));
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}

/* ---- rights in general ---- */

struct kobject *right_target(const struct right *right)
{
	switch (right->kind) {
	case RIGHT_SEND:
		return right->object_kind == KOBJ_PORT ? OBJECT(right->sender->port) : right->object;
	case RIGHT_RECEIVE:
		return OBJECT(right->port);
	case RIGHT_PORT_SET:
		return OBJECT(right->set);
	case RIGHT_SEND_ONCE:
		return right->object_kind == KOBJ_THREAD ? OBJECT(right->parked) : OBJECT(right->once->port);
	default:
		return NULL;
	}
}

bool right_is_dead(const struct right *right)
{
	return (right->kind == RIGHT_SEND || (right->kind == RIGHT_SEND_ONCE && right->object_kind == KOBJ_PORT)) &&
	       right_target(right)->dead;
}

void right_drop(uint8_t kind, uint8_t object_kind, void *pointer)
{
	switch (kind) {
	case RIGHT_SEND:
		if (object_kind == KOBJ_PORT)
			port_sender_release(pointer);
		else
			object_unref(pointer);
		return;
	case RIGHT_RECEIVE:
		port_kill(pointer);
		object_unref(pointer);
		return;
	case RIGHT_SEND_ONCE:
		if (object_kind == KOBJ_THREAD) {
			call_abandon(pointer);
			object_unref(pointer);
		} else {
			control_post(((struct once *)pointer)->port, &((struct once *)pointer)->unused);
		}
		return;
	case RIGHT_PORT_SET:
		port_set_kill(pointer);
		object_unref(pointer);
		return;
	default:
		return;
	}
}

int64_t right_release(struct ipc_space *space, port_name_t name)
{
	struct right *right = space_find(space, name), gone;

	if (right == NULL)
		return KERN_INVALID_NAME;
	gone = *right;
	if (gone.requested)
		request_cancel(space, name, right_target(&gone));
	space_free(space, name, right);
	if (gone.kind == RIGHT_SEND && gone.object_kind == KOBJ_PORT)
		port_sender_release(gone.sender);
	else
		right_drop(gone.kind, gone.object_kind, gone.pointer);
	return KERN_SUCCESS;
}

/* ---- obtaining ---- */

static int64_t check_made(const struct right *right, const struct right_source *source)
{
	if (source->flags & ~(uint32_t)PORT_FLAGS)
		return KERN_INVALID_ARGUMENT;
	if (right->kind == RIGHT_RECEIVE)
		return KERN_SUCCESS;
	if (source->disposition != MSG_MAKE_SEND || right->kind != RIGHT_SEND || right->object_kind != KOBJ_PORT)
		return KERN_INVALID_RIGHT;
	if (!(right->flags & RIGHT_MINT) || source->flags & ~right->flags & ~(uint32_t)RIGHT_INHERIT)
		return KERN_NO_ACCESS;
	return KERN_SUCCESS;
}

int64_t right_check(struct ipc_space *space, const struct right_source *source)
{
	static const uint8_t wanted[] = {
		[MSG_MOVE_RECEIVE] = RIGHT_RECEIVE,
		[MSG_MOVE_SEND] = RIGHT_SEND,
		[MSG_COPY_SEND] = RIGHT_SEND,
		[MSG_MOVE_SEND_ONCE] = RIGHT_SEND_ONCE,
	};
	struct right *right = space_find(space, source->name);

	if (source->disposition < MSG_MOVE_RECEIVE || source->disposition > MSG_MOVE_SEND_ONCE)
		return KERN_INVALID_ARGUMENT;
	if (right == NULL)
		return KERN_INVALID_NAME;
	if (right_is_dead(right))
		return KERN_DEAD;
	if (source->disposition == MSG_MAKE_SEND || source->disposition == MSG_MAKE_SEND_ONCE)
		return check_made(right, source);
	return right->kind == wanted[source->disposition] ? KERN_SUCCESS : KERN_INVALID_RIGHT;
}

static int64_t take_made(const struct right *from, const struct right_source *source, struct ledger *ledger,
			 struct right *taken)
{
	struct port *port = from->kind == RIGHT_RECEIVE ? from->port : from->sender->port;
	int64_t status = KERN_NO_MEMORY;

	taken->object_kind = KOBJ_PORT;
	taken->flags = source->flags;
	if (source->disposition == MSG_MAKE_SEND) {
		taken->kind = RIGHT_SEND;
		taken->sender = port_make_sender(port, source->badge, &status);
	} else {
		taken->kind = RIGHT_SEND_ONCE;
		taken->once = once_create(port, source->badge, ledger);
	}
	return taken->pointer == NULL ? status : KERN_SUCCESS;
}

int64_t right_take(struct ipc_space *space, const struct right_source *source, struct ledger *ledger, struct right *taken)
{
	const struct right *from = space_find(space, source->name);

	if (source->disposition == MSG_MAKE_SEND || source->disposition == MSG_MAKE_SEND_ONCE)
		return take_made(from, source, ledger, taken);
	*taken = *from;
	taken->requested = false;
	if (source->flags != 0)
		taken->flags = (from->flags & source->flags) | (source->flags & RIGHT_INHERIT);
	if (source->disposition == MSG_COPY_SEND) {
		if (from->object_kind == KOBJ_PORT)
			sender_ref(from->sender);
		else
			object_ref(from->object);
	}
	return KERN_SUCCESS;
}

void right_undo(const struct right_source *source, const struct right *taken)
{
	if (source->disposition == MSG_MAKE_SEND)
		sender_unmake(taken->sender);
	else if (source->disposition == MSG_MAKE_SEND_ONCE)
		once_free(taken->once);
	else if (source->disposition == MSG_COPY_SEND)
		right_drop(taken->kind, taken->object_kind, taken->pointer);
}

void right_commit(struct ipc_space *space, const struct right_source *source)
{
	struct right *right;

	if (source->disposition != MSG_MOVE_SEND && source->disposition != MSG_MOVE_RECEIVE &&
	    source->disposition != MSG_MOVE_SEND_ONCE)
		return;
	right = space_find(space, source->name);
	if (right->requested)
		request_cancel(space, source->name, right_target(right));
	if (right->kind == RIGHT_RECEIVE) {
		port_leave_set(right->port);
		port_evict(right->port);
		right->port->space = NULL;
		right->port->name = PORT_NULL;
	}
	space_free(space, source->name, right);
}

/* ---- lookups for the rest of the kernel ---- */

struct port *receive_lookup(struct ipc_space *space, port_name_t name, int64_t *status)
{
	struct right *right = space_find(space, name);

	if (right == NULL)
		*status = KERN_INVALID_NAME;
	else if (right->kind != RIGHT_RECEIVE)
		*status = KERN_INVALID_RIGHT;
	else
		return right->port;
	return NULL;
}

/* RIGHT_CONTROL of a task, thread or space stands for every flag but RIGHT_PRINCIPAL. */
static bool flags_suffice(uint32_t flags, uint32_t needed, uint8_t object_kind)
{
	if (flags & RIGHT_CONTROL &&
	    (object_kind == KOBJ_TASK || object_kind == KOBJ_THREAD || object_kind == KOBJ_SPACE))
		needed &= RIGHT_PRINCIPAL;
	return (flags & needed) == needed;
}

/* The port of a receive right, or of a send right with the flags. */
static void *port_lookup(const struct right *right, uint32_t needed, int64_t *status)
{
	if (right->kind == RIGHT_RECEIVE)
		return right->port;
	if (right->kind != RIGHT_SEND)
		*status = KERN_INVALID_RIGHT;
	else if ((right->flags & needed) != needed)
		*status = KERN_NO_ACCESS;
	else if (right->sender->port->object.dead)
		*status = KERN_DEAD;
	else
		return right->sender->port;
	return NULL;
}

void *right_lookup(struct ipc_space *space, port_name_t name, enum object_kind kind, uint32_t needed, int64_t *status)
{
	struct right *right = space_find(space, name);

	if (right == NULL)
		*status = KERN_INVALID_NAME;
	else if (right->object_kind != kind || right->kind == RIGHT_SEND_ONCE)
		*status = KERN_INVALID_RIGHT;
	else if (kind == KOBJ_PORT)
		return port_lookup(right, needed, status);
	else if (!flags_suffice(right->flags, needed, right->object_kind))
		*status = KERN_NO_ACCESS;
	else if (right->object->dead)
		*status = KERN_DEAD;
	else
		return right->object;
	return NULL;
}

struct task *task_argument(uint64_t name, uint32_t needed, int64_t *status)
{
	struct task *self = thread_current()->task;

	if (name != TASK_SELF)
		return right_lookup(self->space, (port_name_t)name, KOBJ_TASK, needed, status);
	if (needed & RIGHT_PRINCIPAL) {
		*status = KERN_NO_ACCESS;
		return NULL;
	}
	return self;
}

struct thread *thread_argument(uint64_t name, uint32_t needed, int64_t *status)
{
	struct thread *self = thread_current();

	if (name == THREAD_SELF)
		return self;
	return right_lookup(self->task->space, (port_name_t)name, KOBJ_THREAD, needed, status);
}

int64_t right_enter_object(struct ipc_space *space, struct kobject *object, uint32_t flags, port_name_t chosen)
{
	struct right right = {.kind = RIGHT_SEND, .object_kind = (uint8_t)object->kind, .flags = flags};
	int64_t name;

	right.object = object;
	name = space_enter(space, chosen, &right);
	if (name >= 0)
		object_ref(object);
	return name;
}
