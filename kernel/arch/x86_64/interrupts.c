/*
 * Exceptions and interrupts once entry.S has saved the state: to whom they go.
 *
 * Exceptions of user code are served (page faults by kernel/vm, vector registers by fpu.c) or handed to the thread's personality or
 * exception port. An exception in the kernel is a panic. Nothing here decides who runs next: the way out does (context.c).
 */
#include "machine.h"
#include "x86.h"
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

/* Page-fault error code. */
#define PF_WRITE 2u
#define PF_RESERVED 8u
#define PF_EXECUTE 16u

/* Called by entry.S. */
void user_interrupted(uint64_t vector, uint64_t error, uint64_t cr2);
void kernel_was_interrupted(struct trap_frame *frame);
void paranoid_interrupted(struct trap_frame *frame);

static void page_fault(uint64_t error, uint64_t address)
{
	struct task *task = thread_current()->task;
	enum portico_fault why = 0;
	uint32_t access = error & PF_EXECUTE ? VM_EXECUTE : error & PF_WRITE ? VM_WRITE : VM_READ;

	if (error & PF_RESERVED)
		panic("page table corrupt: fault at %#lx, error %#lx", address, error);
	task->faults++;
	if (vm_fault(task->map, address, access, &why) == KERN_FAULT)
		thread_exception(VECTOR_PAGE_FAULT, error, address, why);
}

static void exception(uint64_t vector, uint64_t error, uint64_t cr2)
{
	struct thread *thread = thread_current();

	if (vector == VECTOR_PAGE_FAULT)
		page_fault(error, cr2);
	else if (vector == VECTOR_NO_FPU && (thread->flags & THREAD_NO_FPU) == 0 && fpu_load(thread))
		return;
	else
		thread_exception((uint32_t)vector, error, 0, 0);
}

/* Kernel lock held. */
static void interrupt(uint64_t vector)
{
	if (vector == VECTOR_SPURIOUS)
		return;
	if (vector >= VECTOR_IRQ && vector < VECTOR_IRQ + LINES_MAX)
		ioapic_arrived((uint32_t)vector - VECTOR_IRQ);
	lapic_end_of_interrupt();
	if (vector == VECTOR_TIMER)
		timer_interrupt();
	else if (vector == VECTOR_SERVICE)
		smp_service();
	else if (vector == VECTOR_POKE)
		this_cpu()->reschedule = true;
	else if (vector >= VECTOR_IRQ && vector < VECTOR_IRQ + LINES_MAX)
		interrupt_arrived((uint32_t)vector - VECTOR_IRQ);
}

void user_interrupted(uint64_t vector, uint64_t error, uint64_t cr2)
{
	if (vector < 32)
		exception(vector, error, cr2);
	else
		interrupt(vector);
}

/* The lock is not held: an idle CPU. Requests of other CPUs are served without it, for those hold it. */
void kernel_was_interrupted(struct trap_frame *frame)
{
	if (frame->vector < 32)
		panic_frame(frame, NULL);
	if (frame->vector == VECTOR_SERVICE) {
		lapic_end_of_interrupt();
		smp_service();
		return;
	}
	kernel_lock();
	interrupt(frame->vector);
	kernel_unlock();
}

void paranoid_interrupted(struct trap_frame *frame)
{
	panic_frame(frame, frame->vector == VECTOR_NMI ? "NMI" : NULL);
}
