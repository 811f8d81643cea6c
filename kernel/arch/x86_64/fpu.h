/*
 * The part of lazy vector-register switching (fpu.c) that every change of threads pays for.
 */
#ifndef KERNEL_ARCH_X86_64_FPU_H
#define KERNEL_ARCH_X86_64_FPU_H

#include "machine.h"
#include "x86.h"

extern uint64_t fpu_cr0; /* CR0 of every CPU, without TS */

static inline void fpu_set_ts(bool on)
{
	if (on)
		cr0_write(fpu_cr0 | CR0_TS);
	else
		__asm__ volatile("clts");
}

/* `to` runs next on this CPU: its vector registers are usable at once only if they are still here. */
static inline void fpu_switch(struct cpu *cpu, struct thread *to)
{
	bool disabled = cpu->fpu_owner != to;

	if (cpu->fpu_disabled == disabled)
		return;
	cpu->fpu_disabled = disabled;
	fpu_set_ts(disabled);
}

#endif
