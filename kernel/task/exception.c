/*
 * Entering a personality: exceptions of its own and interrupts by others; exception messages for tasks that have none.
 *
 * The frame goes to the thread's block and the thread goes on at the personality's event entry. An interrupt that strikes inside the personality
 * only sets block->interrupted: inside, state is held that nobody else understands, and the next interruptible wait returns at once.
 * Above: the CPU's exceptions (kernel/arch), thread_interrupt. Below: scheduler, kernel/ipc for messages.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <portico/layout.h>

#define RFLAGS_TRAP 0x100ul
#define RFLAGS_DIRECTION 0x400ul
#define RFLAGS_NESTED 0x4000ul
#define RFLAGS_RESUME 0x10000ul
#define RFLAGS_ALIGNMENT 0x40000ul
#define RFLAGS_CLEARED (RFLAGS_TRAP | RFLAGS_DIRECTION | RFLAGS_NESTED | RFLAGS_RESUME | RFLAGS_ALIGNMENT)

#define EXCEPTION_INTERFACE 2
#define EXCEPTION_RAISE 1

/* idl/exception.idl, raise: the inline bytes of an exception message. */
struct exception_message {
	uint64_t task;
	uint32_t slot, vector;
	uint64_t error, address, rip, rsp;
	uint32_t fault, reserved;
};

static bool has_event_entry(const struct task *task)
{
	return task->has_personality && task->personality.event_entry != 0;
}

static void enter_personality(struct thread *thread, uint32_t event)
{
	struct portico_block *block = thread->endpoint->block;

	thread_arch_get_frame(thread, &block->frame);
	block->event = event;
	thread->registers.rip = thread->task->personality.event_entry;
	thread->registers.rdi = thread->endpoint->user;
	thread->registers.rflags &= ~RFLAGS_CLEARED;
}

/* ---- interrupts ---- */

static bool within(uint64_t address, uint64_t begin, uint64_t end)
{
	return address >= begin && address < end;
}

/* The thread is inside its personality, or has none. */
static void interrupt_inside(struct thread *thread)
{
	const struct personality *p = &thread->task->personality;

	__atomic_store_n(&thread->endpoint->block->interrupted, 1, __ATOMIC_SEQ_CST);
	if (thread->state == THREAD_BLOCKED) {
		if (thread->interruptible && thread_leave_wait(thread, false))
			thread_wake(thread, KERN_INTERRUPTED);
		return;
	}
	if (has_event_entry(thread->task) && within(thread->registers.rip, p->restart_begin, p->restart_end)) {
		thread->registers.rip = p->restart;
		thread->registers.rdi = thread->endpoint->user;
	}
}

/* The thread is in its program. Only a page or an interruptible wait of the program's own can hold it. */
static void interrupt_program(struct thread *thread)
{
	if (thread->state == THREAD_BLOCKED && thread->wait == WAIT_PAGE) {
		(void)thread_leave_wait(thread, false);
		thread_wake_restart(thread);
	} else if (thread->state == THREAD_BLOCKED && thread->interruptible && thread_leave_wait(thread, false)) {
		thread_wake(thread, KERN_INTERRUPTED);
	} else if (thread->state == THREAD_BLOCKED) {
		__atomic_store_n(&thread->endpoint->block->interrupted, 1, __ATOMIC_SEQ_CST);
		return;
	}
	enter_personality(thread, EVENT_INTERRUPT);
}

void interrupt_deliver(struct thread *thread)
{
	const struct personality *p = &thread->task->personality;

	thread->attention &= (uint8_t)~ATTENTION_INTERRUPT;
	if (thread->object.dead)
		return;
	if (!has_event_entry(thread->task) || within(thread->registers.rip, p->text_begin, p->text_end))
		interrupt_inside(thread);
	else
		interrupt_program(thread);
}

int64_t thread_interrupt(struct thread *thread)
{
	if (thread->object.dead || thread->attention & ATTENTION_DYING)
		return KERN_DEAD;
	if (thread->state == THREAD_NEW) {
		__atomic_store_n(&thread->endpoint->block->interrupted, 1, __ATOMIC_SEQ_CST);
		return KERN_SUCCESS;
	}
	if (thread->state == THREAD_RUNNING) {
		thread->attention |= ATTENTION_INTERRUPT;
		sched_kick(thread);
		return KERN_SUCCESS;
	}
	interrupt_deliver(thread);
	return KERN_SUCCESS;
}

/* ---- exceptions ---- */

/* Nobody takes it. */
static void exception_fatal(struct thread *thread, uint32_t vector, uint64_t error, uint64_t address)
{
	kprintf("portico: task %lu (%s) slot %u ends: exception %u error %#lx address %#lx rip %#lx rsp %#lx\n",
		(unsigned long)thread->task->object.id, thread->task->name, thread->slot, vector, (unsigned long)error,
		(unsigned long)address, (unsigned long)thread->registers.rip, (unsigned long)thread->registers.rsp);
	domain_note_end(thread, DOMAIN_END_EXCEPTION, vector, error, address);
	task_terminate(thread->task);
}

static int64_t exception_send(struct thread *self, const struct exception_message *message)
{
	int64_t status = KERN_SUCCESS;
	struct port_sender *handler;

	if (self->task->personality.exception_port == PORT_NULL)
		return KERN_INVALID_NAME;
	handler = right_take_sender(self->task->space, (port_name_t)self->task->personality.exception_port, &status);
	if (handler == NULL)
		return status;
	thread_block(WAIT_EXCEPTION, NULL, DEADLINE_NEVER, false);
	status = port_call_kernel(handler, self, MSG_ORDINAL(EXCEPTION_INTERFACE, EXCEPTION_RAISE), message, sizeof(*message));
	port_sender_release(handler);
	if (status != KERN_SUCCESS) {
		self->wait = WAIT_NONE;
		self->state = THREAD_RUNNING;
	}
	return status;
}

void thread_exception(uint32_t vector, uint64_t error, uint64_t address, enum portico_fault fault)
{
	struct thread *self = thread_current();
	struct portico_block *block = self->endpoint->block;
	struct exception_message message = {
		.task = self->task->object.id, .slot = self->slot, .vector = vector, .error = error, .address = address,
		.rip = self->registers.rip, .rsp = self->registers.rsp, .fault = fault};

	if (has_event_entry(self->task) && self->registers.rip != self->task->personality.event_entry) {
		block->vector = vector;
		block->error = error;
		block->address = address;
		block->fault = fault;
		enter_personality(self, EVENT_EXCEPTION);
	} else if (exception_send(self, &message) != KERN_SUCCESS) {
		exception_fatal(self, vector, error, address);
	}
}

void exception_answered(struct thread *thread, uint32_t error)
{
	if (error == 0) {
		thread_wake_restart(thread);
		return;
	}
	thread->wait = WAIT_NONE;
	task_terminate(thread->task);
}
