/*
 * Tasks: an address space and an IPC space, a principal, a personality, and the threads in them.
 *
 * Termination stops every thread first (those that run on other CPUs leave at their next kernel entry, which is forced); with the last one
 * the rights go, the death is told, and the address space is left to the reaper.
 * Above: the task traps. Below: thread.c, kernel/ipc, kernel/vm, reaper.c.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

struct list all_tasks = LIST_INIT(all_tasks);
struct task kernel_task = {
	.object = {.kind = KOBJ_TASK, .refs = 1},
	.threads = LIST_INIT(kernel_task.threads),
	.all_link = LIST_INIT(kernel_task.all_link),
	.reap_link = LIST_INIT(kernel_task.reap_link),
	.name = "kernel",
};

/* A space that is given gains a reference; else a new one is made. */
static struct ipc_space *space_for(struct ipc_space *space, struct ledger *ledger)
{
	if (space == NULL)
		return ipc_space_create(ledger);
	object_ref((struct kobject *)space);
	return space;
}

struct task *task_create(struct ipc_space *space, struct ledger *ledger, int64_t *status)
{
	struct task *task = object_allocate(KOBJ_TASK, sizeof(*task), ledger);

	*status = KERN_NO_MEMORY;
	if (task == NULL)
		return NULL;
	list_init(&task->threads);
	list_init(&task->all_link);
	list_init(&task->reap_link);
	task->ledger = ledger;
	if (ledger != NULL)
		object_ref(OBJECT(ledger));
	task->space = space_for(space, ledger);
	task->map = task->space == NULL ? NULL : vm_map_create(ledger);
	if (task->map == NULL) {
		object_unref(OBJECT(task));
		return NULL;
	}
	list_push_back(&all_tasks, &task->all_link);
	*status = KERN_SUCCESS;
	return task;
}

struct task *task_duplicate(struct task *parent, uint32_t flags, struct ledger *ledger, int64_t *status)
{
	struct task *child;

	*status = KERN_DEAD;
	if (parent->dying)
		return NULL;
	child = task_create(NULL, ledger, status);
	if (child == NULL)
		return NULL;
	child->principal = parent->principal;
	child->personality = parent->personality;
	child->personality.exception_port = PORT_NULL;
	child->has_personality = parent->has_personality;
	for (unsigned i = 0; i < sizeof(child->name); i++)
		child->name[i] = parent->name[i];
	if (flags & (TASK_DUP_MEMORY | TASK_DUP_SHARE))
		*status = vm_map_duplicate(parent->map, child->map, flags & TASK_DUP_SHARE);
	if (*status >= 0 && flags & TASK_DUP_RIGHTS)
		*status = ipc_space_duplicate(parent->space, child->space);
	if (*status < 0) {
		object_unref(OBJECT(child));
		return NULL;
	}
	*status = KERN_SUCCESS;
	return child;
}

static void space_leave(struct task *task)
{
	struct ipc_space *space = task->space;

	task->space = NULL;
	if (space != NULL)
		object_unref((struct kobject *)space);
}

struct task *root_task;

/* The last thread is gone. */
void task_finish(struct task *task)
{
	if (task->object.dead)
		return;
	object_ref(OBJECT(task));
	task->object.dead = true;
	space_leave(task);
	object_died(OBJECT(task));
	if (task->domain != NULL)
		domain_task_ended(task); /* its address space is kept for the next incarnation */
	else if (task->map != NULL)
		reaper_add_task(task);
	if (task == root_task)
		root_ended();
	object_unref(OBJECT(task));
}

void task_terminate(struct task *task)
{
	if (task->dying)
		return;
	task->dying = true;
	object_ref(OBJECT(task));
	list_for_each_safe(l, &task->threads)
		thread_terminate(list_entry(l, struct thread, task_link));
	if (task->thread_count == 0)
		task_finish(task);
	object_unref(OBJECT(task));
}

/* The last reference is gone, so there are no threads. What it still has goes first; the reaper comes back here. */
void task_destroy(struct task *task)
{
	struct ledger *ledger = task->ledger;
	struct domain *domain = task->domain;

	task->dying = true;
	task->object.dead = true;
	if (task->space != NULL || task->map != NULL) {
		task->object.refs = 1;
		space_leave(task);
		if (task->map != NULL)
			reaper_add_task(task);
		object_unref(OBJECT(task));
		return;
	}
	list_remove(&task->all_link);
	object_free(OBJECT(task), sizeof(*task));
	if (domain != NULL)
		object_unref(OBJECT(domain));
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}
