/*
 * What a message carries besides bytes: rights, regions, windows.
 *
 * Sending is check, take, commit. Check reads each descriptor once and changes nothing; take adds references and can run out of
 * memory, in which case all that was taken is given back; commit removes what was moved and cannot fail. Receiving cannot fail either:
 * what the receiver has no room for is released and arrives as null.
 * Above: message.c. Below: right.c, vm regions.
 */
#include <kernel/ipc/internal.h>

#define TRANSIT_DEPTH_MAX 16u

static void source_of(const struct msg_descriptor *d, struct right_source *source)
{
	source->name = d->name;
	source->flags = d->flags;
	source->badge = d->badge;
	source->disposition = d->disposition;
}

static bool is_move(const struct msg_descriptor *d)
{
	return d->type == MSG_DESC_PORT && (d->disposition == MSG_MOVE_RECEIVE || d->disposition == MSG_MOVE_SEND ||
					    d->disposition == MSG_MOVE_SEND_ONCE);
}

/* A receive right must not be queued, through whatever chain, on its own port: nobody could ever receive it. */
static bool circular(struct ipc_space *space, port_name_t name, struct port *destination)
{
	struct port *moved = space_find(space, name)->port;

	for (unsigned depth = 0; destination != NULL; destination = destination->transit)
		if (destination == moved || ++depth > TRANSIT_DEPTH_MAX)
			return true;
	return false;
}

static int64_t check_port(struct ipc_space *space, const struct msg_descriptor *all, uint32_t index, struct port *destination)
{
	const struct msg_descriptor *d = &all[index];
	struct right_source source;
	int64_t status;

	if (d->name == PORT_NULL)
		return KERN_SUCCESS;
	for (uint32_t i = 0; i < index; i++)
		if (all[i].type == MSG_DESC_PORT && all[i].name == d->name && (is_move(&all[i]) || is_move(d)))
			return KERN_INVALID_NAME;
	if (d->disposition == MSG_COPY_SEND) {
		const struct right *right = space_find(space, d->name);
		if (right != NULL && right->kind == RIGHT_SEND && right->object_kind == KOBJ_PORT && !right->sender->port->object.dead)
			return KERN_SUCCESS;
	}
	source_of(d, &source);
	status = right_check(space, &source);
	if (status == KERN_SUCCESS && d->disposition == MSG_MOVE_RECEIVE && circular(space, d->name, destination))
		return KERN_INVALID_ARGUMENT;
	return status;
}

static bool range_ok(uint64_t address, uint64_t size)
{
	return address <= USER_MAX && size <= USER_MAX - address;
}

static int64_t check_one(struct ipc_space *space, const struct msg_descriptor *all, uint32_t index, enum carry_where where,
			 struct port *destination)
{
	const struct msg_descriptor *d = &all[index];

	if (d->type == MSG_DESC_PORT)
		return check_port(space, all, index, destination);
	switch (d->type) {
	case MSG_DESC_NONE:
		return KERN_SUCCESS;
	case MSG_DESC_REGION:
		if (d->flags & ~MSG_REGION_MOVE || d->address % PAGE_SIZE != 0 || d->size == 0)
			return KERN_INVALID_ARGUMENT;
		return range_ok(d->address, d->size) ? KERN_SUCCESS : KERN_FAULT;
	case MSG_DESC_WINDOW:
		if (where != CARRY_CALL || d->flags == 0 || d->flags & ~(MSG_WINDOW_READ | MSG_WINDOW_WRITE))
			return KERN_INVALID_ARGUMENT;
		return range_ok(d->address, d->size) ? KERN_SUCCESS : KERN_FAULT;
	default:
		return KERN_INVALID_ARGUMENT;
	}
}

/* Port rights are most of what is sent, so right_take is repeated here for them; false: it is something else. */
static bool take_copied(struct ipc_space *space, const struct msg_descriptor *d, struct carried *c)
{
	const struct right *from = space_find(space, d->name);

	if (d->disposition != MSG_COPY_SEND || from->object_kind != KOBJ_PORT)
		return false;
	c->kind = RIGHT_SEND;
	c->object_kind = KOBJ_PORT;
	c->flags = d->flags == 0 ? from->flags : (from->flags & d->flags) | (d->flags & RIGHT_INHERIT);
	c->pointer = from->sender;
	sender_ref(from->sender);
	return true;
}

static int64_t take_port(struct thread *sender, const struct msg_descriptor *d, struct carried *c)
{
	struct right_source source;
	struct right taken = {0};
	int64_t status;

	c->type = MSG_DESC_PORT;
	c->kind = RIGHT_NONE;
	c->disposition = d->disposition;
	if (d->name == PORT_NULL || take_copied(sender->task->space, d, c))
		return KERN_SUCCESS;
	source_of(d, &source);
	status = right_take(sender->task->space, &source, sender->task->ledger, &taken);
	if (status != KERN_SUCCESS)
		return status;
	c->kind = taken.kind;
	c->object_kind = taken.object_kind;
	c->flags = taken.flags;
	c->pointer = taken.pointer;
	return KERN_SUCCESS;
}

static uint64_t page_round(uint64_t size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static int64_t take_one(struct thread *sender, const struct msg_descriptor *d, struct carried *c)
{
	struct vm_region region;
	int64_t status;

	if (d->type == MSG_DESC_PORT)
		return take_port(sender, d, c);
	c->type = MSG_DESC_NONE;
	c->flags = d->flags;
	c->size = d->size;
	switch (d->type) {
	case MSG_DESC_REGION:
		status = vm_region_take(sender->task->map, d->address, page_round(d->size), false, &region);
		if (status != KERN_SUCCESS)
			return status;
		c->region.object = region.object;
		c->region.offset = region.offset;
		break;
	case MSG_DESC_WINDOW:
		c->address = d->address;
		break;
	default:
		return KERN_SUCCESS;
	}
	c->type = d->type;
	return KERN_SUCCESS;
}

static void release_one(struct carried *c)
{
	struct vm_region region;
	uint8_t type = c->type;

	c->type = MSG_DESC_NONE;
	if (type == MSG_DESC_PORT) {
		right_drop(c->kind, c->object_kind, c->pointer);
	} else if (type == MSG_DESC_REGION) {
		region.object = c->region.object;
		region.offset = c->region.offset;
		region.size = page_round(c->size);
		vm_region_release(&region);
	}
}

void carry_release(struct carried *carried, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		release_one(&carried[i]);
}

static void undo_one(const struct msg_descriptor *d, struct carried *c)
{
	struct right_source source;
	struct right taken = {.kind = c->kind, .object_kind = c->object_kind};

	if (c->type != MSG_DESC_PORT || c->kind == RIGHT_NONE) {
		release_one(c);
		return;
	}
	source_of(d, &source);
	taken.pointer = c->pointer;
	right_undo(&source, &taken);
	c->type = MSG_DESC_NONE;
}

static void commit_one(struct thread *sender, const struct msg_descriptor *d, struct carried *c, struct port *destination)
{
	struct right_source source;

	if (c->type == MSG_DESC_PORT && c->kind != RIGHT_NONE) {
		if (!is_move(d))
			return;
		source_of(d, &source);
		right_commit(sender->task->space, &source);
		if (c->kind == RIGHT_RECEIVE)
			((struct port *)c->pointer)->transit = destination;
	} else if (c->type == MSG_DESC_REGION && d->flags & MSG_REGION_MOVE) {
		(void)vm_map_remove(sender->task->map, d->address, page_round(d->size));
	}
}

int64_t carry_take(struct thread *sender, uint32_t count, enum carry_where where, struct port *destination,
		   struct carried *carried)
{
	struct msg_descriptor d[MSG_DESCRIPTORS_MAX];
	int64_t status = KERN_SUCCESS;
	uint32_t taken = 0;
	bool moves = false;

	if (count == 0)
		return KERN_SUCCESS;
	for (uint32_t i = 0; i < count; i++) {
		__builtin_memcpy(&d[i], &sender->endpoint->send->descriptor[i], sizeof(d[i]));
		status = check_one(sender->task->space, d, i, where, destination);
		if (status != KERN_SUCCESS)
			return status;
		moves |= is_move(&d[i]) || (d[i].type == MSG_DESC_REGION && d[i].flags & MSG_REGION_MOVE);
	}
	while (taken < count && status == KERN_SUCCESS) {
		status = take_one(sender, &d[taken], &carried[taken]);
		if (status == KERN_SUCCESS)
			taken++;
	}
	if (status != KERN_SUCCESS) {
		while (taken-- > 0)
			undo_one(&d[taken], &carried[taken]);
		return status;
	}
	for (uint32_t i = 0; moves && i < count; i++)
		commit_one(sender, &d[i], &carried[i], destination);
	return KERN_SUCCESS;
}

/* ---- delivery ---- */

/* A domain's thread that has no incarnation at this moment gets what comes for the next one. */
static struct ipc_space *space_of(const struct thread *thread)
{
	return thread->domain != NULL ? thread->domain->space : thread->task->space;
}

static void deliver_port(struct thread *receiver, struct msg_descriptor *d, struct carried *c)
{
	struct right right = {.kind = c->kind, .object_kind = c->object_kind, .flags = c->flags};
	int64_t name;

	right.pointer = c->pointer;
	d->disposition = c->disposition;
	if (c->kind == RIGHT_NONE)
		return;
	d->flags = (uint16_t)c->flags;
	name = space_enter(space_of(receiver), PORT_NULL, &right);
	if (name < 0) {
		release_one(c);
		return;
	}
	d->name = (uint32_t)name;
	c->type = MSG_DESC_NONE;
}

static void deliver_region(struct thread *receiver, struct msg_descriptor *d, struct carried *c)
{
	struct vm_region region = {c->region.object, c->region.offset, page_round(c->size)};
	int64_t address;

	if (receiver->task->map == NULL) {
		release_one(c);
		return;
	}
	address = vm_region_map(receiver->task->map, &region);
	c->type = MSG_DESC_NONE;
	if (address < 0)
		return;
	d->address = (uint64_t)address;
	d->size = c->size;
}

void carry_deliver(struct thread *receiver, struct msg_page *page, struct carried *carried, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct carried *c = &carried[i];
		struct msg_descriptor *d = &page->descriptor[i];
		*d = (struct msg_descriptor){.type = c->type};
		if (c->type == MSG_DESC_PORT) {
			deliver_port(receiver, d, c);
		} else if (c->type == MSG_DESC_REGION) {
			deliver_region(receiver, d, c);
		} else if (c->type == MSG_DESC_WINDOW) {
			d->flags = (uint16_t)c->flags;
			d->size = c->size;
		}
	}
}

/* ---- releasing what was delivered ---- */

/* The page is the receiver's, who may write what it likes there: names and addresses of its own are all that it can name. */
void carry_release_delivered(struct thread *receiver, uint64_t mask)
{
	if (!(receiver->flags & THREAD_SERVER)) /* it has no request page, and its receive is about to be refused */
		return;
	for (; mask != 0; mask &= mask - 1) {
		const volatile struct msg_descriptor *d =
			&receiver->endpoint_storage.request->descriptor[__builtin_ctzll(mask)];
		uint8_t type = d->type;

		if (type == MSG_DESC_PORT)
			(void)right_release(receiver->task->space, d->name);
		else if (type == MSG_DESC_REGION && receiver->task->map != NULL)
			(void)vm_map_remove(receiver->task->map, d->address, d->size);
	}
}
