/*
 * Threads and endpoints. Owner: kernel/task. Used by kernel/ipc, kernel/vm and kernel/arch.
 *
 * The kernel is event style: one kernel stack per CPU; a thread that is not running is wholly described by this structure.
 * A trap handler never waits. It either finishes, or marks the current thread blocked (thread_block) and returns;
 * the way out of the kernel (arch: return_to_user) then runs whatever thread the CPU has now. Two ways to wait:
 *  - with a result: whoever ends the wait calls thread_wake(thread, status), status becomes rax;
 *  - with a restart: thread_block_restart() rewinds rip to the trap (or faulting) instruction; thread_wake_restart() lets it run again.
 */
#ifndef KERNEL_TASK_THREAD_H
#define KERNEL_TASK_THREAD_H

#include <kernel/ipc/records.h>
#include <kernel/lib/list.h>
#include <kernel/lib/pairing_heap.h>
#include <kernel/object.h>
#include <portico/block.h>
#include <portico/domain.h>
#include <portico/message.h>
#include <portico/status.h>

struct domain;
struct task;
struct port;

/* User registers as the entry code saves them. Offsets are known to kernel/arch/x86_64/entry.S (asserted there). */
struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
	uint64_t cs, ss;
};

enum thread_state {
	THREAD_NEW,       /* not started */
	THREAD_RUNNABLE,  /* on a run queue */
	THREAD_RUNNING,   /* on a CPU */
	THREAD_BLOCKED,   /* see wait */
	THREAD_DEAD,
};

enum wait_kind {
	WAIT_NONE,
	WAIT_RECEIVE,     /* in wait_object: port or port set */
	WAIT_SEND,        /* in wait_object: port with a full queue; the trap is restarted */
	WAIT_QUEUED,      /* own call is queued on the port */
	WAIT_REPLY,       /* own call is in service or parked; `called_request` names it */
	WAIT_FUTEX,
	WAIT_SLEEP,
	WAIT_PAGE,        /* a pager is to supply a page; the instruction is restarted */
	WAIT_EXCEPTION,   /* exception message is with a handler */
};

enum thread_attention {
	ATTENTION_DYING = 1,     /* thread_terminate struck while it ran: finished once off the CPU */
	ATTENTION_STOP = 2,      /* task suspended: not put on a run queue */
	ATTENTION_INTERRUPT = 4, /* thread_interrupt struck while it ran */
	ATTENTION_FAULT_IN = 8,  /* a server asked for memory of ours before our call is repeated */
};

/* Four pages shared with the user, mapped at `user` in the task, and in the kernel's direct map. */
struct endpoint {
	struct portico_block *block;
	struct msg_page *send, *reply, *request;
	void *commit[ENDPOINT_DOMAIN_PAGES - ENDPOINT_COMMIT]; /* threads of recovery domains */
	uint64_t user;             /* user address of page 0 */
	/* Reply slot: the caller of the request in service. */
	struct thread *caller;     /* NULL: one-way request, parked, or idle. No reference: caller->service points back */
	uint64_t request_id;
};

struct thread {
	struct kobject object;
	struct registers registers;
	/* System-call redirection, known to entry.S, set by thread_arch_set_personality: entry for this slot, 0 if none. */
	uint64_t redirect_entry;
	struct portico_block *redirect_block;

	/* Fixed for life. */
	struct task *task;         /* reference */
	struct endpoint *endpoint;
	uint32_t slot;
	uint32_t flags;            /* THREAD_NO_FPU, THREAD_SERVER */
	struct list task_link;     /* empty: a domain's thread without incarnation */
	struct domain *domain;     /* whose endpoint this is; no reference */

	/* Scheduling. */
	uint8_t state;             /* enum thread_state */
	uint8_t wait;              /* enum wait_kind */
	uint8_t priority;          /* 0 lowest .. 31 */
	bool interruptible;        /* the present wait ends at thread_interrupt */
	bool rewound;              /* the present wait is one with restart inside a trap: rip is at the syscall instruction */
	uint8_t attention;         /* enum thread_attention: what schedule() must see to; keeps off the fast path */
	uint32_t cpu;              /* runs, or ran last, there */
	uint32_t affinity;         /* mask of CPUs */
	uint64_t slice_left;       /* ns */
	uint64_t deadline;         /* of the present wait: ns, DEADLINE_NEVER */
	struct list run_link;      /* run queue */
	struct list wait_link;     /* port, set, futex bucket, memory object page wait */
	struct heap_node timeout;  /* in the timeout queue if the wait has a deadline */
	struct kobject *wait_object;
	uint64_t user_ns, system_ns, entered_ns;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t fs_base, gs_base;
	void *fpu;                 /* XSAVE area or NULL */

	/* IPC: as a caller. While a call is pending the request stays in this thread's own send page. */
	struct endpoint *service;  /* endpoint whose reply slot holds us, or NULL */
	uint64_t called_request;   /* id of our pending call */
	struct port *called_port;  /* where it went: reference while pending */
	bool in_commit;            /* operations of a commit are being done: nothing is put off ... */
	bool preempted;            /* ... it is told here instead, and done again at once */
	bool call_parked;          /* in service no more: answered through a send-once right, which holds a reference to us */
	uint8_t carried_count;     /* of `carried`: kept until the reply, for the windows */
	struct message call;       /* our call while it is queued */
	struct control cancel;     /* MSG_CANCEL for it; holds a reference to us while pending */
	uint64_t fault_in_address; /* MSG_RESTART: ATTENTION_FAULT_IN is set until it is done */
	uint64_t fault_in_op;
	uint32_t fault_in_access;
	uint32_t exit_status;
	struct carried carried[MSG_DESCRIPTORS_MAX];

	/* Futexes (kernel/task/futex.c) and page waits (kernel/vm) keep their records here: no allocation to wait. */
	struct futex_wait {
		struct list link;
		struct thread *thread;
		uint64_t key[2];
		uint32_t bits;
		uint8_t index;
	} futex[16];
	uint32_t futex_count;
	struct {
		struct list link;
		void *object;
		uint64_t offset;
		uint32_t access;
	} page_wait;
	struct endpoint endpoint_storage; /* what `endpoint` points to */
	struct kernel_message *fault_message; /* preallocated: a message from the kernel on this thread's behalf (pager, exception) */
};

/* The thread that runs on this CPU (kernel/arch gives it). Never NULL in a trap; idle threads belong to the kernel task. */
struct thread *thread_current(void);

struct thread *thread_create(struct task *task, uint32_t slot, uint64_t endpoint_address, uint32_t flags, int64_t *status);
void thread_terminate(struct thread *thread);
/* A domain's thread: leaves its dead incarnation, its call and its reply slot as they are; goes to another task. */
void thread_leave(struct thread *thread);
int64_t thread_move(struct thread *thread, struct task *task, uint64_t endpoint_address);
void thread_destroy(struct thread *thread); /* last reference gone */

/* Marks the current thread blocked. The caller has put it on the wait queue of its choice by wait_link. */
void thread_block(enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible);
void thread_block_restart(enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible);
/* Brings a thread that is blocked in trap_msg back before the trap, as thread_block_restart does. */
void thread_rewind(struct thread *thread);
/* The current trap has done a part of its work: it is repeated from its beginning after others had their turn. */
void thread_preempt_restart(void);
/* Ends a wait: takes it off its wait queue and the timeout queue, makes it runnable, may request a reschedule. */
void thread_wake(struct thread *thread, int64_t status);
void thread_wake_restart(struct thread *thread);
/* Makes a thread that is on no queue runnable: run queue, perhaps on another CPU, perhaps with preemption. */
void thread_make_runnable(struct thread *thread);
/* thread_interrupt semantics: ends an interruptible wait, else sets block->interrupted or redirects to the personality. */
int64_t thread_interrupt(struct thread *thread);
/* The current thread has just blocked; `next`, off all queues, goes on: on this CPU at once if it may, with the present time slice. */
void thread_hand_over(struct thread *next, int64_t status);

/* An exception of the current thread that the kernel could not serve: personality, exception port, or terminate the task. */
void thread_exception(uint32_t vector, uint64_t error, uint64_t address, enum portico_fault fault);

#endif
