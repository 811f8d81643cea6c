/*
 * cpu_current and thread_current, inline: every kernel source is compiled with -include of this file. The host tests, which are not, have
 * functions of these names. Assembly gets the same option and sees nothing.
 */
#ifndef KERNEL_ARCH_X86_64_CURRENT_H
#define KERNEL_ARCH_X86_64_CURRENT_H
#ifndef __ASSEMBLER__

#include <kernel/arch/arch.h>

/* Constant as long as the kernel is not left: the compiler may keep it. */
extern inline __attribute__((gnu_inline, always_inline)) struct cpu *cpu_current(void)
{
	struct cpu *cpu;

	__asm__("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

extern inline __attribute__((gnu_inline, always_inline)) struct thread *thread_current(void) { return cpu_current()->current; }

#endif
#endif
