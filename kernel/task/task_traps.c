/*
 * The traps on tasks. Arguments are decoded and checked here; the work is in task.c and thread.c.
 */
#include <kernel/ipc/internal.h>
#include <kernel/task/domain.h>


#define REAP_STEPS 4 /* a maker of tasks helps to clear the dead away */

static struct ledger *ledger_argument(uint64_t name, int64_t *status)
{
	struct task *self = thread_current()->task;

	return name == 0 ? self->ledger : right_lookup(self->space, (port_name_t)name, KOBJ_LEDGER, 0, status);
}

static void reap_some(void)
{
	for (int i = 0; i < REAP_STEPS && reaper_step(); i++)
		;
}

/* The right to a new task. Only the system (principal 0) may give principals to the tasks that it makes. */
static int64_t enter_task(struct task *task, uint64_t chosen)
{
	struct task *self = thread_current()->task;
	uint32_t flags = RIGHT_CONTROL | RIGHT_INTERRUPT | RIGHT_INFO | (self->principal == 0 ? RIGHT_PRINCIPAL : 0);
	int64_t name = right_enter_object(self->space, OBJECT(task), flags, (port_name_t)chosen);

	object_unref(OBJECT(task));
	return name;
}

int64_t trap_handle_task_create(uint64_t space_name, uint64_t ledger_name, uint64_t chosen, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *self = thread_current()->task, *task;
	int64_t status = KERN_SUCCESS;
	struct ledger *ledger = ledger_argument(ledger_name, &status);
	struct ipc_space *space = NULL;
	struct domain *domain = NULL;

	(void)d, (void)e, (void)f;
	if (status == KERN_SUCCESS && space_name != 0) {
		domain = right_lookup(self->space, (port_name_t)space_name, KOBJ_DOMAIN, RIGHT_CONTROL, &status);
		if (domain == NULL)
			space = right_lookup(self->space, (port_name_t)space_name, KOBJ_SPACE, RIGHT_CONTROL, &status);
	}
	if (status != KERN_SUCCESS && (domain == NULL && space == NULL))
		return status;
	reap_some();
	task = domain != NULL ? domain_task_create(domain, ledger, &status) : task_create(space, ledger, &status);
	if (task == NULL)
		return status;
	task->principal = self->principal;
	return enter_task(task, chosen);
}

int64_t trap_handle_task_duplicate(uint64_t name, uint64_t flags, uint64_t ledger_name, uint64_t chosen, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *parent = task_argument(name, RIGHT_CONTROL, &status), *child;
	struct ledger *ledger = parent == NULL ? NULL : ledger_argument(ledger_name, &status);

	(void)e, (void)f;
	if (status != KERN_SUCCESS)
		return status;
	if (flags & ~(uint64_t)(TASK_DUP_MEMORY | TASK_DUP_SHARE | TASK_DUP_RIGHTS) ||
	    (flags & (TASK_DUP_MEMORY | TASK_DUP_SHARE)) == (TASK_DUP_MEMORY | TASK_DUP_SHARE))
		return KERN_INVALID_ARGUMENT;
	reap_some();
	child = task_duplicate(parent, (uint32_t)flags, ledger, &status);
	return child == NULL ? status : enter_task(child, chosen);
}

int64_t trap_handle_task_terminate(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_CONTROL, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	if (task == thread_current()->task)
		domain_note_end(thread_current(), DOMAIN_END_EXIT, 0, 0, 0);
	task_terminate(task);
	return KERN_SUCCESS;
}

int64_t trap_handle_task_suspend(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_CONTROL, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	if (task->suspend_count == UINT32_MAX)
		return KERN_INVALID_ARGUMENT;
	if (task->suspend_count++ > 0)
		return KERN_SUCCESS;
	list_for_each(l, &task->threads)
	{
		struct thread *thread = list_entry(l, struct thread, task_link);
		thread->attention |= ATTENTION_STOP;
		if (thread->state == THREAD_RUNNING)
			sched_kick(thread);
		else if (thread->state == THREAD_RUNNABLE)
			sched_dequeue(thread);
	}
	return KERN_SUCCESS;
}

int64_t trap_handle_task_resume(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_CONTROL, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	if (task->suspend_count == 0)
		return KERN_INVALID_ARGUMENT;
	if (--task->suspend_count > 0)
		return KERN_SUCCESS;
	list_for_each(l, &task->threads)
	{
		struct thread *thread = list_entry(l, struct thread, task_link);
		thread->attention &= (uint8_t)~ATTENTION_STOP;
		if (thread->state == THREAD_RUNNABLE)
			thread_make_runnable(thread);
	}
	return KERN_SUCCESS;
}

int64_t trap_handle_task_set_principal(uint64_t name, uint64_t principal, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_PRINCIPAL, &status);

	(void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	task->principal = principal;
	return KERN_SUCCESS;
}

/* Dead tasks too: what they used is asked for after their end. */
static struct task *info_argument(uint64_t name, int64_t *status)
{
	struct task *self = thread_current()->task;
	struct right *right = name == TASK_SELF ? NULL : space_find(self->space, (port_name_t)name);

	if (right != NULL && right->kind == RIGHT_SEND && right->object_kind == KOBJ_TASK && right->object->dead &&
	    right->flags & (RIGHT_INFO | RIGHT_CONTROL))
		return (struct task *)right->object;
	return task_argument(name, RIGHT_INFO, status);
}

static void gather_threads(struct task *task, struct task_info *info)
{
	list_for_each(l, &task->threads)
	{
		struct thread *thread = list_entry(l, struct thread, task_link);
		info->user_ns += thread->user_ns;
		info->system_ns += thread->system_ns;
		info->voluntary_switches += thread->voluntary_switches;
		info->involuntary_switches += thread->involuntary_switches;
	}
}

int64_t trap_handle_task_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = info_argument(name, &status);
	struct task_info info = {0};

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	info.object_id = task->object.id;
	info.principal = task->principal;
	info.threads = task->thread_count;
	info.user_ns = task->user_ns;
	info.system_ns = task->system_ns;
	info.voluntary_switches = task->voluntary_switches;
	info.involuntary_switches = task->involuntary_switches;
	info.faults = task->faults;
	info.messages = task->messages;
	info.state = task->object.dead ? 2 : task->suspend_count > 0 ? 1 : 0;
	if (task->map != NULL)
		vm_map_statistics(task->map, &info.virtual_pages, &info.resident_pages, &info.max_resident_pages);
	gather_threads(task, &info);
	__builtin_memcpy(thread_current()->endpoint->block->result, &info, sizeof(info));
	return KERN_SUCCESS;
}

int64_t trap_handle_task_interrupt(uint64_t name, uint64_t slot, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_INTERRUPT, &status);

	(void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	list_for_each(l, &task->threads)
	{
		struct thread *thread = list_entry(l, struct thread, task_link);
		if (thread->slot == slot)
			return thread_interrupt(thread);
	}
	return KERN_INVALID_ARGUMENT;
}

int64_t trap_handle_task_personality(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct task *task = task_argument(name, RIGHT_CONTROL, &status);
	struct personality p;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (task == NULL)
		return status;
	__builtin_memcpy(&p, thread_current()->endpoint->block->argument, sizeof(p));
	if (p.entry >= USER_MAX || p.event_entry >= USER_MAX || p.restart >= USER_MAX || p.exception_port > UINT32_MAX ||
	    p.entry_stride > PAGE_SIZE)
		return KERN_INVALID_ARGUMENT;
	task->personality = p;
	task->has_personality = p.entry != 0;
	list_for_each(l, &task->threads)
		thread_arch_set_personality(list_entry(l, struct thread, task_link));
	return KERN_SUCCESS;
}
