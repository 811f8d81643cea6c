/*
 * Offsets that assembly knows; context.c asserts each of them. Included by C and by assembly.
 */
#ifndef KERNEL_ARCH_X86_64_OFFSETS_H
#define KERNEL_ARCH_X86_64_OFFSETS_H

/* struct cpu */
#define CPU_SELF 0
#define CPU_CURRENT 8
#define CPU_USER_RSP 16
#define CPU_KERNEL_STACK 24
#define CPU_RESCHEDULE 40
#define CPU_SCRATCH 48

/* struct thread: registers */
#define R_RAX 24
#define R_RBX 32
#define R_RCX 40
#define R_RDX 48
#define R_RSI 56
#define R_RDI 64
#define R_RBP 72
#define R_RSP 80
#define R_R8 88
#define R_R9 96
#define R_R10 104
#define R_R11 112
#define R_R12 120
#define R_R13 128
#define R_R14 136
#define R_R15 144
#define R_RIP 152
#define R_RFLAGS 160
#define R_CS 168
#define R_SS 176
#define THREAD_REDIRECT_ENTRY 184
#define THREAD_REDIRECT_BLOCK 192

/* struct portico_block */
#define BLOCK_SYSCALL_RIP 0
#define BLOCK_SYSCALL_RFLAGS 8

#define TRAPS_MAX 256

#endif
