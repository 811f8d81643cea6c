/*
 * The traps on threads. Arguments are decoded and checked here; the work is in thread.c, sched.c and exception.c.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

int64_t trap_handle_thread_create(uint64_t task_name, uint64_t slot, uint64_t address, uint64_t flags, uint64_t chosen, uint64_t f)
{
	struct thread *self = thread_current(), *thread;
	int64_t status = KERN_SUCCESS, name;
	struct task *task = task_argument(task_name, RIGHT_CONTROL, &status);

	(void)f;
	if (task == NULL)
		return status;
	if (slot > UINT32_MAX || flags > UINT32_MAX)
		return KERN_INVALID_ARGUMENT;
	thread = thread_create(task, (uint32_t)slot, address, (uint32_t)flags, &status);
	if (thread == NULL)
		return status;
	if (flags & THREAD_SERVER && self->task->principal == 0)
		thread->priority = PRIORITY_SERVER - 4;
	name = right_enter_object(self->task->space, OBJECT(thread), RIGHT_CONTROL | RIGHT_INTERRUPT | RIGHT_INFO,
				  (port_name_t)chosen);
	if (name < 0)
		thread_terminate(thread);
	object_unref(OBJECT(thread));
	return name;
}

static void frame_argument(const struct thread *self, struct portico_frame *frame)
{
	__builtin_memcpy(frame, self->endpoint->block->argument, sizeof(*frame));
}

int64_t trap_handle_thread_start(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_CONTROL, &status);
	struct portico_frame frame;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	if (thread->task->dying)
		return KERN_DEAD;
	if (thread->state != THREAD_NEW)
		return KERN_BUSY;
	frame_argument(thread_current(), &frame);
	thread_arch_set_frame(thread, &frame);
	thread_make_runnable(thread);
	if (thread->task->principal != 0)
		campaign_begin();
	return KERN_SUCCESS;
}

/* The word is cleared, and its waiters woken, only when nothing of the thread is left. */
int64_t trap_handle_thread_exit(uint64_t address, uint64_t size, uint64_t word, uint64_t exit_status, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	struct task *task = self->task;
	uint32_t zero = 0;

	(void)e, (void)f;
	self->exit_status = (uint32_t)exit_status;
	if (size != 0)
		(void)vm_map_remove(task->map, address, size);
	if (word != 0 && word % sizeof(zero) == 0 && vm_copy_out(task->map, word, &zero, sizeof(zero)) == sizeof(zero)) {
		(void)futex_wake_address(task, word, UINT32_MAX, false, (uint32_t)FUTEX_BITS_ALL);
		(void)futex_wake_address(task, word, UINT32_MAX, true, (uint32_t)FUTEX_BITS_ALL);
	}
	domain_note_end(self, DOMAIN_END_EXIT, 0, 0, 0);
	thread_terminate(self);
	return KERN_SUCCESS;
}

int64_t trap_handle_thread_terminate(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_CONTROL, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	thread_terminate(thread);
	return KERN_SUCCESS;
}

int64_t trap_handle_thread_interrupt(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_INTERRUPT, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	return thread == NULL ? status : thread_interrupt(thread);
}

/* Registers are complete unless the thread runs somewhere else at this moment. */
int64_t trap_handle_thread_get_state(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_CONTROL, &status);
	struct portico_frame frame;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	if (thread->state == THREAD_RUNNING && thread != self)
		return KERN_BUSY;
	thread_arch_get_frame(thread, &frame);
	__builtin_memcpy(self->endpoint->block->argument, &frame, sizeof(frame));
	return KERN_SUCCESS;
}

/* Only of a thread that waits for nothing that would change its registers: new, stopped, or with an exception handler. */
int64_t trap_handle_thread_set_state(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_CONTROL, &status);
	struct portico_frame frame;
	bool settled;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	settled = thread->state == THREAD_NEW || (thread->state == THREAD_RUNNABLE && thread->attention & ATTENTION_STOP) ||
		  (thread->state == THREAD_BLOCKED && thread->wait == WAIT_EXCEPTION);
	if (!settled)
		return KERN_BUSY;
	frame_argument(thread_current(), &frame);
	thread_arch_set_frame(thread, &frame);
	return KERN_SUCCESS;
}

int64_t trap_handle_thread_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_INFO, &status);
	uint64_t *result = thread_current()->endpoint->block->result;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	result[0] = thread->user_ns;
	result[1] = thread->system_ns;
	result[2] = thread->state;
	result[3] = thread->slot;
	result[4] = thread->priority;
	result[5] = thread->cpu;
	return KERN_SUCCESS;
}

static void reprioritise(struct thread *thread, uint8_t priority, uint32_t affinity)
{
	bool queued = thread->state == THREAD_RUNNABLE;

	if (queued)
		sched_dequeue(thread);
	thread->priority = priority;
	if (affinity != 0)
		thread->affinity = affinity;
	if (queued)
		thread_make_runnable(thread);
	else if (thread->state == THREAD_RUNNING)
		sched_kick(thread);
}

/* Nobody makes a thread more urgent than itself. */
int64_t trap_handle_thread_priority(uint64_t name, uint64_t priority, uint64_t affinity, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct thread *thread = thread_argument(name, RIGHT_CONTROL, &status);
	uint32_t usable = (uint32_t)((UINT64_C(1) << cpu_count) - 1);

	(void)d, (void)e, (void)f;
	if (thread == NULL)
		return status;
	if (priority >= PRIORITIES || (affinity != 0 && !(affinity & usable)))
		return KERN_INVALID_ARGUMENT;
	if (priority > self->priority && priority > thread->priority)
		return KERN_NO_ACCESS;
	reprioritise(thread, (uint8_t)priority, (uint32_t)affinity);
	return KERN_SUCCESS;
}

int64_t trap_handle_frame_resume(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	struct portico_frame frame;

	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	__builtin_memcpy(&frame, &self->endpoint->block->frame, sizeof(frame));
	thread_arch_set_frame(self, &frame);
	return (int64_t)self->registers.rax;
}

int64_t trap_handle_thread_yield(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	thread_current()->slice_left = 0;
	cpu_current()->reschedule = true;
	return KERN_SUCCESS;
}

int64_t trap_handle_thread_sleep(uint64_t deadline, uint64_t flags, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	bool interruptible = flags & MSG_INTERRUPTIBLE >> 32;

	(void)c, (void)d, (void)e, (void)f;
	if (flags & ~(MSG_INTERRUPTIBLE >> 32))
		return KERN_INVALID_ARGUMENT;
	if (interruptible && __atomic_load_n(&self->endpoint->block->interrupted, __ATOMIC_RELAXED) != 0)
		return KERN_INTERRUPTED;
	if (deadline != DEADLINE_NEVER && deadline <= clock_now())
		return KERN_SUCCESS;
	thread_block(WAIT_SLEEP, NULL, deadline, interruptible);
	return KERN_SUCCESS;
}
