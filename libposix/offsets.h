/*
 * Offsets in a thread's control block that assembly knows: the kernel's part (include/portico/block.h), and struct thread_state
 * (thread.h) in the part that belongs to the personality. Asserted in threads.c.
 */
#ifndef LIBPOSIX_OFFSETS_H
#define LIBPOSIX_OFFSETS_H

#define BLOCK_SYSCALL_RIP 0
#define BLOCK_SYSCALL_RFLAGS 8
#define BLOCK_INTERRUPTED 16
#define BLOCK_FRAME_RIP 160
#define STATE 1024
#define R_RAX (STATE + 0)
#define R_RBX (STATE + 8)
#define R_RDX (STATE + 24)
#define R_RSI (STATE + 32)
#define R_RDI (STATE + 40)
#define R_RBP (STATE + 48)
#define R_RSP (STATE + 56)
#define R_R8 (STATE + 64)
#define R_R9 (STATE + 72)
#define R_R10 (STATE + 80)
#define R_R12 (STATE + 96)
#define R_R13 (STATE + 104)
#define R_R14 (STATE + 112)
#define R_R15 (STATE + 120)
#define S_NUMBER (STATE + 160)

#define TRAP_FRAME_RESUME 59
#define TRAP_THREAD_EXIT 52
#define SYSCALL_COUNT 512

#endif
