/*
 * External pagers: asking for pages (idl/pager.idl), and waking those who wait. Above: fault.c and the object traps;
 * below: kernel/ipc, which carries the request, and kernel/task, which blocks the thread.
 *
 * A thread that needs a page waits on its object by wait_link, with restart. One request a page is under way: the first
 * waiter sends it; if that one is terminated first, the next asks again. A supplied page wakes its waiters, who find
 * it; a failed one marks them, and the marked thread's next fault on the page fails.
 */
#include <kernel/ipc/internal.h>
#include <kernel/vm/internal.h>

/* In page_wait.access: object_fail answered; page_wait tells which page. */
#define PAGE_WAIT_FAILED 0x80000000u

#define PAGER_INTERFACE 3
#define PAGER_PAGE_REQUEST 1

/* In parameters of pager.page_request, as stubgen lays them out. */
struct page_request {
	uint64_t offset, length;
	uint32_t access, reserved;
};

static int64_t pager_ask(struct memory_object *object, struct thread *thread, uint64_t offset, uint32_t access)
{
	struct page_request request = {.offset = offset, .length = PAGE_SIZE, .access = access};
	if (object->pager == NULL)
		return KERN_DEAD;
	return port_send_kernel(object->pager, thread, MSG_ORDINAL(PAGER_INTERFACE, PAGER_PAGE_REQUEST), &request,
	                        sizeof(request));
}

static struct thread *waiter_for(struct memory_object *object, uint64_t offset)
{
	list_for_each(link, &object->waiters)
	{
		struct thread *thread = list_entry(link, struct thread, wait_link);
		if (thread->page_wait.offset == offset)
			return thread;
	}
	return NULL;
}

static void *wait_id(const struct memory_object *object)
{
	return (void *)(uintptr_t)object->object.id;
}

int64_t pager_wait(struct memory_object *object, uint64_t index, uint32_t access, enum portico_fault *why)
{
	struct thread *thread = thread_current();
	uint64_t offset = index << PAGE_SHIFT;
	bool failed = thread->page_wait.access == PAGE_WAIT_FAILED && thread->page_wait.object == wait_id(object) &&
	              thread->page_wait.offset == offset;
	thread->page_wait.access = access;
	thread->page_wait.object = wait_id(object);
	thread->page_wait.offset = offset;
	if (!failed && waiter_for(object, offset) == NULL)
		failed = pager_ask(object, thread, offset, access) != KERN_SUCCESS;
	if (failed) {
		thread->page_wait.access = 0;
		*why = FAULT_PAGER;
		return KERN_FAULT;
	}
	list_push_back(&object->waiters, &thread->wait_link);
	thread_block_restart(WAIT_PAGE, OBJECT(object), DEADLINE_NEVER, false);
	return KERN_BUSY;
}

void pager_wake(struct memory_object *object, uint64_t first, uint64_t end, bool failed)
{
	if (list_empty(&object->waiters))
		return;
	list_for_each_safe(link, &object->waiters)
	{
		struct thread *thread = list_entry(link, struct thread, wait_link);
		uint64_t index = thread->page_wait.offset >> PAGE_SHIFT;
		if (index < first || index >= end)
			continue;
		thread->page_wait.access = failed ? PAGE_WAIT_FAILED : 0;
		list_remove(&thread->wait_link);
		thread_wake_restart(thread);
	}
}

void vm_abort_page_wait(struct thread *thread)
{
	struct memory_object *object = (struct memory_object *)(void *)thread->wait_object;
	list_remove(&thread->wait_link);
	struct thread *next = waiter_for(object, thread->page_wait.offset);
	if (next != NULL && pager_ask(object, next, next->page_wait.offset, next->page_wait.access) != KERN_SUCCESS) {
		uint64_t index = next->page_wait.offset >> PAGE_SHIFT;
		pager_wake(object, index, index + 1, true);
	}
}

struct port_sender *pager_sender(struct ipc_space *space, port_name_t name, uint64_t badge, int64_t *status)
{
	const struct right *right = space_find(space, name);
	if (right != NULL && right->kind == RIGHT_RECEIVE)
		return port_make_sender(right->port, badge, status);
	struct port_sender *sender = right_take_sender(space, name, status);
	if (sender == NULL || badge == 0 || badge == sender->badge)
		return sender;
	struct port_sender *made = NULL;
	*status = KERN_NO_ACCESS;
	if ((right->flags & RIGHT_MINT) != 0)
		made = port_make_sender(sender->port, badge, status);
	port_sender_release(sender);
	return made;
}
