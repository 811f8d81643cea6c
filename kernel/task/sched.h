/*
 * Scheduler, timeouts, exceptions and reaper: what kernel/task offers to kernel/ipc and to itself beyond thread.h and task.h.
 */
#ifndef KERNEL_TASK_SCHED_H
#define KERNEL_TASK_SCHED_H

#include <kernel/arch/arch.h>
#include <kernel/task/thread.h>

struct ipc_space;
struct task;

#define SLICE_NS UINT64_C(10000000) /* round robin among equals */
#define PRIORITY_PROCESS 8
#define PRIORITY_SERVER 24
#define PRIORITIES 32

/* May `thread` run on this CPU at once? Not if a more urgent one waits here. */
static inline bool sched_may_switch(const struct cpu *cpu, const struct thread *thread)
{
	if (thread->attention != 0 || (cpu->run_mask != 0 && (cpu->run_mask >> thread->priority) > 1))
		return false;
	return thread->affinity == ~0u || (thread->affinity & 1u << cpu->id) != 0;
}

/* Takes a runnable thread off its run queue, if it is on one. */
void sched_dequeue(struct thread *thread);
/* Brings schedule() to the CPU a thread runs on. */
void sched_kick(struct thread *thread);
/* Idle threads of all CPUs. */
void sched_init(void);
/* Charges the running thread up to now and ends its slice when it is over. */
void sched_tick(uint64_t now);

/* A new deadline for a blocked thread; the wait ends with KERN_TIMED_OUT. */
void timeout_set(struct thread *thread, uint64_t deadline);
void timeout_clear(struct thread *thread);

/* Fault injection (campaign.c): off unless the command line asks for it. */
void campaign_init(void);
void campaign_begin(void);
uint64_t campaign_next(void);
void campaign_tick(uint64_t now);
void campaign_report(void);

/* Futex waits: off all buckets. */
void futex_unlink(struct thread *thread);
/* Wakes up to `count` waiters on the word at `address`; a word that cannot be had wakes nobody. */
uint32_t futex_wake_address(struct task *task, uint64_t address, uint32_t count, bool shared, uint32_t bits);

/* Interrupt of a thread that is off the CPU or at the end of its kernel entry. */
void interrupt_deliver(struct thread *thread);

/*
 * Takes a thread off whatever it waits for. True: it waits no more and is to be woken; false: it goes on waiting for the answer to a
 * call that is in service (unless it died).
 */
bool thread_leave_wait(struct thread *thread, bool died);

/* A pager's port died: who waits for a page asks again, and those whose pager it was learn of it. */
void restart_page_waits(void);

/* Last step of a thread's life, once it runs nowhere. */
void thread_finish(struct thread *thread);
/* The handler of a WAIT_EXCEPTION thread answered: 0 resumes it, else its task ends. */
void exception_answered(struct thread *thread, uint32_t errno_value);

/* Work that is done when there is time: address spaces and IPC spaces of the dead. False: nothing to do. */
bool reaper_step(void);
bool reaper_pending(void);
void reaper_add_task(struct task *task);
void reaper_add_space(struct ipc_space *space);

/* For the panic report: running threads, then all tasks. */
void report_tasks(void);

#endif
