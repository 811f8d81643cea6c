/*
 * Recovery domains: what survives a server's incarnation, and the two things a server needs of the kernel to be
 * replaced at any instruction: operations that are counted as they are done, and the commit.
 *
 * A domain is an IPC space, the shared mappings (VM_INHERIT_SHARE) of the incarnation, and one endpoint with its
 * pages, reply slot, pending call and counters. A task that was made in the domain (task_create with the domain's right
 * instead of a space) is its incarnation: the shared mappings of the one before appear in it at the same addresses, and
 * its first thread with THREAD_SERVER takes the endpoint over. When the task ends, however it ends, the rest goes; a call
 * that is under way stays under way, and its answer comes to the call-reply page; messages queue at the ports; the caller
 * in the reply slot stays there. One incarnation at a time: KERN_BUSY.
 *
 * All of this is atomic with regard to the death of the incarnation: a trap has either not begun or is done.
 */
#ifndef PORTICO_DOMAIN_H
#define PORTICO_DOMAIN_H

#include <stdint.h>

/*
 * In the control block of a domain's thread. Written by the kernel, which keeps copies of its own and never reads these.
 * `commits` grows with every trap_msg that has MSG_RECEIVE, once its sending part is done. `held` is 1 from the delivery
 * of a message, of any kind, until that. `sent` grows with a call that leaves, `received` with its answer or its failure,
 * whose status is then `call_status`; sent == received + 1 while one is under way. `operations` grows with every trap
 * that was made with TRAP_COUNTED and finished; its result is then `operation_result`.
 */
struct portico_counters {
	uint64_t commits;
	uint64_t held;
	uint64_t sent, received;
	int64_t call_status;
	uint64_t operations;
	int64_t operation_result;
	uint64_t incarnation; /* 1 for the first */
};

/* Added to a trap's number by a thread of a domain. */
#define TRAP_COUNTED 0x80u

/*
 * The commit: trap_msg with MSG_COMMIT runs `count` operations (the trap's fifth argument) from the commit pages, in their
 * order, before it sends the reply and receives. An operation that fails is passed over: its status is counted in
 * `failed` and nothing else happens, but that a send-once right that cannot be sent through is released. Operations: those
 * traps that neither wait nor have a result that matters (COMMIT_TRAPS), and these.
 */
#define COMMIT_OPERATIONS_MAX 128u /* two pages of them */
#define COMMIT_DATA_PAGES 6u
#define ENDPOINT_COMMIT 4u      /* endpoint pages 4 and 5: struct commit_operation */
#define ENDPOINT_COMMIT_DATA 6u /* endpoint pages 6 to 11 */
#define ENDPOINT_DOMAIN_PAGES 12u

enum commit_kind {
	/* trap number: the trap with arguments a to f. Size > 0: `size` bytes at `data` are put into block->argument first. */
	/*
	 * An answer to a parked caller: a = send-once right, b = errno, c = MSG_LENGTH() | MSG_RESTART or 0. The message lies
	 * at `data` as it would in the send page (struct msg_page: descriptors at 64, bytes at 576) and ends inside the same page.
	 */
	COMMIT_REPLY = 256,
	/* *(uint64_t *)a = *a & b | c, atomically; size = 4: the same with 32 bits. Own memory, aligned, mapped writable, resident. */
	COMMIT_WORD = 257,
	/* After a full fence: unless (*(uint64_t *)a & b) == c, the next d operations are skipped. */
	COMMIT_IF = 258,
};

struct commit_operation {
	uint16_t kind; /* trap number or enum commit_kind */
	uint16_t size;
	uint32_t data; /* offset from the first commit data page */
	uint64_t a, b, c, d, e, f;
	uint64_t unused;
};
_Static_assert(sizeof(struct commit_operation) == 64, "64 to a page");

#define COMMIT_TRAPS(T)                                                                                                \
	T(right_release) T(right_inherit) T(right_request) T(port_notify) T(vm_unmap) T(object_resize) T(object_discard)     \
	T(object_fail) T(task_terminate) T(task_suspend) T(task_resume) T(task_set_principal) T(task_interrupt)               \
	T(thread_start) T(thread_terminate) T(thread_interrupt) T(thread_priority) T(futex_wake) T(timer_set) T(clock_set)    \
	T(ledger_set) T(interrupt_ack) T(ioport_write)

/* Why the last incarnation ended. */
enum domain_end {
	DOMAIN_END_NONE = 0,
	DOMAIN_END_TERMINATED = 1, /* task_terminate or thread_terminate by somebody */
	DOMAIN_END_EXCEPTION = 2,  /* vector, error, address */
	DOMAIN_END_EXIT = 3,       /* thread_exit, or task_terminate of itself: status */
};

#define DOMAIN_BACKTRACE 12u

/* trap_domain_info: to the send page's data. */
struct domain_info {
	uint64_t incarnation;      /* number of the present or last one; 0: there has been none */
	uint64_t running;          /* 1: there is one */
	uint64_t commits, held, sent, received;
	uint64_t cpu_ns;           /* of the present incarnation */
	uint64_t service_ns;       /* of these, since the message in service came */
	uint64_t in_call;          /* 1: a call of its own is under way */
	uint64_t calls_port;       /* ... to the port with this object id */
	/* The message in service, or the last one. */
	uint64_t request, ordinal, principal, badge, kind;
	uint64_t calls_waiting;    /* messages queued at the space's ports are not counted here: at its service port */
	/* The last incarnation's end. */
	uint64_t end;              /* enum domain_end */
	uint64_t end_held;         /* a message was in service */
	uint64_t vector, error, address, status;
	uint64_t rip, rsp, rbp, rflags;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t backtrace[DOMAIN_BACKTRACE]; /* return addresses, by frame pointers; 0 ends them */
};

#endif
