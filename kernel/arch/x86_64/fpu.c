/*
 * Vector registers, switched lazily: they stay with the CPU until another thread uses them there (CR0.TS, #NM). A thread whose
 * state is still live in another CPU has it saved by that CPU first (smp_fpu_fetch).
 */
#include "fpu.h"
#include "machine.h"
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

#define XSAVE_ALIGNMENT 64
#define XSAVE_MXCSR 24 /* offset, fixed by the architecture */
#define MXCSR_DEFAULT 0x1f80

/* The area proper: aligned within what was allocated. */
static void *fpu_area(const struct thread *thread)
{
	return (void *)(((uint64_t)thread->fpu + XSAVE_ALIGNMENT - 1) & ~(uint64_t)(XSAVE_ALIGNMENT - 1));
}

static void xsave(struct thread *thread)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(fpu_area(thread)), "a"((uint32_t)cpu_xsave_mask), "d"((uint32_t)(cpu_xsave_mask >> 32))
			 : "memory");
}

static void xrstor(struct thread *thread)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(fpu_area(thread)), "a"((uint32_t)cpu_xsave_mask), "d"((uint32_t)(cpu_xsave_mask >> 32))
			 : "memory");
}

static void set_disabled(struct cpu *cpu, bool disabled)
{
	cpu->fpu_disabled = disabled;
	fpu_set_ts(disabled);
}

uint64_t fpu_cr0;

void fpu_init(void)
{
	fpu_cr0 = cr0_read() & ~CR0_TS;
	xcr0_write(cpu_xsave_mask);
	cpu_xsave_size = cpuid(0xd, 0).ebx;
	set_disabled(this_cpu(), true);
}

void fpu_save_owner(struct cpu *cpu)
{
	if (cpu->fpu_owner == NULL)
		return;
	fpu_set_ts(false);
	xsave(cpu->fpu_owner);
	cpu->fpu_owner = NULL;
	set_disabled(cpu, true);
}

static bool fpu_allocate(struct thread *thread)
{
	thread->fpu = kalloc(cpu_xsave_size + XSAVE_ALIGNMENT, thread->task->ledger);
	if (thread->fpu == NULL)
		return false;
	*(uint32_t *)((char *)fpu_area(thread) + XSAVE_MXCSR) = MXCSR_DEFAULT;
	return true;
}

bool fpu_load(struct thread *thread)
{
	struct cpu *cpu = this_cpu();

	smp_fpu_fetch(thread);
	if (thread->fpu == NULL && !fpu_allocate(thread))
		return false;
	fpu_save_owner(cpu);
	set_disabled(cpu, false);
	xrstor(thread);
	cpu->fpu_owner = thread;
	return true;
}

void fpu_free(struct thread *thread)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].fpu_owner == thread)
			cpus[i].fpu_owner = NULL;
	}
	if (thread->fpu != NULL)
		kfree(thread->fpu, cpu_xsave_size + XSAVE_ALIGNMENT, thread->task->ledger);
	thread->fpu = NULL;
}
