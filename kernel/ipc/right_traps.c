/*
 * The traps on rights: make, copy, release, describe, hand to and take from another task, arm notifications.
 *
 * Arguments are decoded and checked here; the work is in right.c, space.c and notify.c.
 */
#include <kernel/ipc/internal.h>

/* A right obtained from a name of one space, entered into another (or the same) space. */
static int64_t right_transfer(struct ipc_space *from, const struct right_source *source, struct ipc_space *to,
			      port_name_t chosen)
{
	struct right taken = {0};
	int64_t result = right_check(from, source);

	if (result == KERN_SUCCESS)
		result = right_take(from, source, to->object.ledger, &taken);
	if (result != KERN_SUCCESS)
		return result;
	if (source->disposition == MSG_MOVE_RECEIVE) {
		/* The port forgets the old name before it learns the new one; so the entry is made first. */
		struct ipc_space *space = taken.port->space;
		port_name_t name = taken.port->name;
		result = space_enter(to, chosen, &taken);
		taken.port->space = space;
		taken.port->name = name;
	} else {
		result = space_enter(to, chosen, &taken);
	}
	if (result < 0) {
		right_undo(source, &taken);
		return result;
	}
	right_commit(from, source);
	if (source->disposition == MSG_MOVE_RECEIVE) {
		taken.port->space = to;
		taken.port->name = (port_name_t)result;
	}
	return result;
}

int64_t trap_handle_right_make(uint64_t name, uint64_t badge, uint64_t flags, uint64_t chosen, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	struct right_source source = {
		.name = (port_name_t)name, .badge = badge, .flags = (uint32_t)flags, .disposition = MSG_MAKE_SEND};

	(void)e, (void)f;
	return right_transfer(space, &source, space, (port_name_t)chosen);
}

int64_t trap_handle_right_copy(uint64_t name, uint64_t keep, uint64_t chosen, uint64_t d, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	struct right_source source = {.name = (port_name_t)name, .disposition = MSG_COPY_SEND};
	struct right taken = {0};
	int64_t result = right_check(space, &source);

	(void)d, (void)e, (void)f;
	if (result != KERN_SUCCESS)
		return result;
	(void)right_take(space, &source, NULL, &taken);
	taken.flags = (taken.flags & (uint32_t)keep) | ((uint32_t)keep & RIGHT_INHERIT);
	result = space_enter(space, (port_name_t)chosen, &taken);
	if (result < 0)
		right_undo(&source, &taken);
	return result;
}

int64_t trap_handle_right_release(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	(void)b, (void)c, (void)d, (void)e, (void)f;
	return right_release(thread_current()->task->space, (port_name_t)name);
}

static void describe_port(const struct right *right, const struct port *port, struct right_info *info)
{
	info->receiver = port->space != NULL ? port->space->object.id : 0;
	if (right->kind == RIGHT_RECEIVE)
		info->senders = port->senders;
	else
		info->badge = right->kind == RIGHT_SEND ? right->sender->badge : right->once->badge;
}

int64_t trap_handle_right_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	struct right *right = space_find(self->task->space, (port_name_t)name);
	struct right_info info = {0};

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (right == NULL)
		return KERN_INVALID_NAME;
	info.kind = right_is_dead(right) ? RIGHT_DEAD_NAME : right->kind;
	info.object = right->object_kind;
	info.flags = right->flags;
	info.object_id = right_target(right)->id;
	if (right->object_kind == KOBJ_PORT)
		describe_port(right, (struct port *)right_target(right), &info);
	__builtin_memcpy(self->endpoint->block->result, &info, sizeof(info));
	return KERN_SUCCESS;
}

int64_t trap_handle_right_inherit(uint64_t name, uint64_t on, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct right *right = space_find(thread_current()->task->space, (port_name_t)name);

	(void)c, (void)d, (void)e, (void)f;
	if (right == NULL)
		return KERN_INVALID_NAME;
	if (right->kind != RIGHT_SEND)
		return KERN_INVALID_RIGHT;
	if (on)
		right->flags |= RIGHT_INHERIT;
	else
		right->flags &= ~(uint32_t)RIGHT_INHERIT;
	return KERN_SUCCESS;
}

/* The space behind a task or space argument; needs RIGHT_CONTROL. */
static struct ipc_space *space_argument(uint64_t name, int64_t *status)
{
	struct ipc_space *self = thread_current()->task->space;
	struct right *right = name == TASK_SELF ? NULL : space_find(self, (port_name_t)name);
	struct task *task;

	if (right != NULL && right->object_kind == KOBJ_SPACE)
		return right_lookup(self, (port_name_t)name, KOBJ_SPACE, RIGHT_CONTROL, status);
	task = task_argument(name, RIGHT_CONTROL, status);
	return task == NULL ? NULL : task->space;
}

int64_t trap_handle_right_insert(uint64_t task, uint64_t chosen, uint64_t name, uint64_t disposition, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct ipc_space *to = space_argument(task, &status);
	struct right_source source = {.name = (port_name_t)name,
				      .badge = self->endpoint->block->argument[0],
				      .flags = (uint32_t)self->endpoint->block->argument[1],
				      .disposition = (uint8_t)disposition};

	(void)e, (void)f;
	if (to == NULL)
		return status;
	return disposition > 0xff ? KERN_INVALID_ARGUMENT
				  : right_transfer(self->task->space, &source, to, (port_name_t)chosen);
}

int64_t trap_handle_right_extract(uint64_t task, uint64_t name, uint64_t disposition, uint64_t chosen, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct ipc_space *from = space_argument(task, &status);
	struct right_source source = {.name = (port_name_t)name,
				      .badge = self->endpoint->block->argument[0],
				      .flags = (uint32_t)self->endpoint->block->argument[1],
				      .disposition = (uint8_t)disposition};

	(void)e, (void)f;
	if (from == NULL)
		return status;
	return disposition > 0xff ? KERN_INVALID_ARGUMENT
				  : right_transfer(from, &source, self->task->space, (port_name_t)chosen);
}

int64_t trap_handle_right_rename(uint64_t name, uint64_t chosen, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	struct right *from = space_find(space, (port_name_t)name);
	bool requested;
	int64_t result;

	(void)c, (void)d, (void)e, (void)f;
	if (from == NULL)
		return KERN_INVALID_NAME;
	requested = from->requested;
	result = space_enter(space, (port_name_t)chosen, from);
	if (result < 0)
		return result;
	from = space_find(space, (port_name_t)name); /* the table may have moved */
	if (requested) {
		request_rename(space, (port_name_t)name, (port_name_t)result, right_target(from));
		space_find(space, (port_name_t)result)->requested = true;
	}
	space_free(space, (port_name_t)name, from);
	return result;
}

int64_t trap_handle_port_notify(uint64_t name, uint64_t bits, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct right *right = space_find(thread_current()->task->space, (port_name_t)name);

	(void)c, (void)d, (void)e, (void)f;
	if (right == NULL)
		return KERN_INVALID_NAME;
	if (right->kind == RIGHT_RECEIVE) {
		port_notify_bits(right->port, bits);
		return KERN_SUCCESS;
	}
	if (right->kind != RIGHT_SEND || right->object_kind != KOBJ_PORT)
		return KERN_INVALID_RIGHT;
	if (!(right->flags & RIGHT_NOTIFY))
		return KERN_NO_ACCESS;
	if (right_is_dead(right))
		return KERN_DEAD;
	port_notify_bits(right->sender->port, bits);
	return KERN_SUCCESS;
}
