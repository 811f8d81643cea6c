/*
 * The thread's control block: page 0 of its endpoint, shared by the kernel and the thread.
 *
 * The kernel writes it when it redirects a system call, delivers an exception or an interrupt to the personality,
 * and when a trap has more results than one word. It reads `interrupted` and, on frame_resume, `frame`; both can hurt
 * only the thread itself: segment selectors and privileged flag bits are never taken from here.
 */
#ifndef PORTICO_BLOCK_H
#define PORTICO_BLOCK_H

#include <portico/domain.h>
#include <stddef.h>
#include <stdint.h>

/* All general registers of a thread. */
struct portico_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	uint64_t fs_base, gs_base;
};

/* Why the personality was entered through its exception entry. */
enum portico_event {
	EVENT_NONE = 0,
	EVENT_EXCEPTION = 1,  /* vector, error, address tell which; page fault: vector 14, address = CR2, fault = why */
	EVENT_INTERRUPT = 2,  /* thread_interrupt or task_interrupt struck while program code ran */
};

/* Why a page fault could not be served (block.fault). */
enum portico_fault {
	FAULT_UNMAPPED = 1,   /* SIGSEGV SEGV_MAPERR */
	FAULT_PROTECTION = 2, /* SIGSEGV SEGV_ACCERR */
	FAULT_BEYOND = 3,     /* past the end of the memory object: SIGBUS BUS_ADRERR */
	FAULT_PAGER = 4,      /* the pager failed: SIGBUS */
	FAULT_NO_MEMORY = 5,  /* the ledger is exhausted */
};

#define BLOCK_RESULTS 16

struct portico_block {
	/* Redirected system call: written by the kernel at each. Offsets 0 and 8 are known to assembly. */
	uint64_t syscall_rip;
	uint64_t syscall_rflags;

	uint64_t interrupted; /* set to 1 by the kernel when an interrupt strikes inside the personality; cleared by it */
	uint64_t self;        /* user address of this block, for the kernel's convenience and the personality's */

	/* Exception or interrupt that entered the personality. */
	struct portico_frame frame;
	uint32_t event;       /* enum portico_event */
	uint32_t vector;      /* x86 vector */
	uint64_t error;       /* x86 error code */
	uint64_t address;     /* faulting address */
	uint32_t fault;       /* enum portico_fault */
	uint32_t slot;        /* this thread's slot, as given to thread_create */

	uint64_t result[BLOCK_RESULTS]; /* further results of traps */
	uint64_t argument[BLOCK_RESULTS * 2]; /* further arguments of traps (thread_start, futex_wait_many, ...) */

	struct portico_counters counters; /* threads of recovery domains (domain.h) */

	uint8_t reserved[1024 - 608 - sizeof(struct portico_counters)];
	uint8_t personality[4096 - 1024]; /* belongs to the personality (or to libserver) alone */
};

_Static_assert(offsetof(struct portico_block, frame) == 32, "known to assembly");
_Static_assert(offsetof(struct portico_block, result) == 224, "known to assembly");
_Static_assert(offsetof(struct portico_block, argument) == 352, "known to assembly");
_Static_assert(offsetof(struct portico_block, personality) == 1024, "known to assembly");
_Static_assert(sizeof(struct portico_block) == 4096, "a page");

#endif
