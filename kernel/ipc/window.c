/*
 * Windows: a server copies to and from the memory of the thread that called it, until it replies.
 *
 * A window is a descriptor of the call that is in the reply slot or parked; the kernel remembers it in the calling thread.
 * A trap copies a bounded chunk and never waits: what is not there is told, and the server gives the request up with MSG_RESTART.
 */
#include <kernel/ipc/internal.h>

#define WINDOW_CHUNK 0x10000u

/* The thread behind the reply slot (name 0) or a parked reply. */
static struct thread *window_caller(struct thread *self, port_name_t name, int64_t *status)
{
	struct thread *caller = self->endpoint->caller;
	struct right *right;

	if (name != PORT_NULL) {
		right = space_find(self->task->space, name);
		if (right == NULL || right->kind != RIGHT_SEND_ONCE || right->object_kind != KOBJ_THREAD) {
			*status = right == NULL ? KERN_INVALID_NAME : KERN_INVALID_RIGHT;
			return NULL;
		}
		caller = right->parked;
	}
	*status = KERN_GONE;
	return caller == NULL || caller->object.dead ? NULL : caller;
}

/* Address in the caller's space of the part asked for, its length cut to a chunk. */
static int64_t window_range(const struct thread *caller, uint64_t index, uint32_t access, uint64_t offset, uint64_t *length,
			    uint64_t *address)
{
	const struct carried *window;

	if (index >= caller->carried_count || caller->carried[index].type != MSG_DESC_WINDOW)
		return KERN_INVALID_ARGUMENT;
	window = &caller->carried[index];
	if (!(window->flags & access))
		return KERN_NO_ACCESS;
	if (offset > window->size || *length > window->size - offset)
		return KERN_INVALID_ARGUMENT;
	if (*length > WINDOW_CHUNK)
		*length = WINDOW_CHUNK;
	*address = window->address + offset;
	return KERN_SUCCESS;
}

static int64_t peer_fault(struct thread *self, uint64_t address)
{
	self->endpoint->block->result[0] = address;
	return KERN_PEER_FAULT;
}

int64_t trap_handle_window_read(uint64_t name, uint64_t index, uint64_t offset, uint64_t address, uint64_t length, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct thread *caller = window_caller(self, (port_name_t)name, &status);
	uint64_t from = 0;
	size_t done;
	uint8_t probe;

	(void)f;
	if (caller == NULL)
		return status;
	status = window_range(caller, index, MSG_WINDOW_READ, offset, &length, &from);
	if (status != KERN_SUCCESS || length == 0)
		return status;
	done = vm_copy(self->task->map, address, caller->task->map, from, length);
	if (done > 0)
		return (int64_t)done;
	return vm_copy_in(caller->task->map, &probe, from, 1) == 1 ? KERN_FAULT : peer_fault(self, from);
}

int64_t trap_handle_window_write(uint64_t name, uint64_t index, uint64_t offset, uint64_t address, uint64_t length, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct thread *caller = window_caller(self, (port_name_t)name, &status);
	uint64_t to = 0;
	size_t done;
	uint8_t probe;

	(void)f;
	if (caller == NULL)
		return status;
	status = window_range(caller, index, MSG_WINDOW_WRITE, offset, &length, &to);
	if (status != KERN_SUCCESS || length == 0)
		return status;
	done = vm_copy(caller->task->map, to, self->task->map, address, length);
	if (done > 0)
		return (int64_t)done;
	return vm_copy_in(self->task->map, &probe, address, 1) == 1 ? peer_fault(self, to) : KERN_FAULT;
}
