/*
 * Recovery domains (include/portico/domain.h). Owner: kernel/task/domain.c; the commit is kernel/ipc/commit.c.
 *
 * Without an incarnation -> (task_create) running -> (the task's last thread is gone) without an incarnation, and so on.
 * While there is none, `task` is the dead one: its map holds the shared mappings for the next. The thread lives as long as
 * the domain, is on no task's list meanwhile, and stays the caller of its pending call and the server of its reply slot.
 */
#ifndef KERNEL_TASK_DOMAIN_H
#define KERNEL_TASK_DOMAIN_H

#include <kernel/object.h>
#include <kernel/task/task.h>
#include <kernel/task/thread.h>
#include <portico/domain.h>

struct domain {
	struct kobject object;
	struct ipc_space *space;      /* reference */
	struct task *task;            /* reference: the incarnation (which has one to the domain), or the last one, or NULL */
	struct thread *thread;        /* reference; NULL before the first incarnation has one */
	uint64_t incarnation;         /* number of the present or last one; the other counters are in the endpoint's block */
	bool running;
	uint64_t seen_commits, seen_ns; /* domain_info: the processor time at which `commits` was first seen as it is */
	struct domain_info last;      /* how the last incarnation ended */
};

static inline struct portico_counters *thread_counters(const struct thread *thread)
{
	return &thread->endpoint_storage.block->counters;
}

/* A message was put into the thread's request page. */
static inline void domain_delivered(struct thread *thread)
{
	if (thread->domain != NULL)
		thread_counters(thread)->held = 1;
}

/* The sending part of a receive is done: the transaction is over. */
static inline void domain_committed(struct thread *thread)
{
	if (thread->domain != NULL) {
		thread_counters(thread)->commits++;
		thread_counters(thread)->held = 0;
	}
}

static inline void domain_call_left(struct thread *thread)
{
	if (thread->domain != NULL)
		thread_counters(thread)->sent++;
}

/* The answer to a domain's call has come, or will not. */
static inline void domain_call_ended(struct thread *thread, int64_t status)
{
	if (thread->domain != NULL) {
		thread_counters(thread)->received++;
		thread_counters(thread)->call_status = status;
	}
}

struct domain *domain_create(struct ledger *ledger); /* NULL: no memory */
/* A new task in the domain; shared mappings of the last one are in it. NULL and *status; BUSY: there is an incarnation. */
struct task *domain_task_create(struct domain *domain, struct ledger *ledger, int64_t *status);
/* The domain's thread for its new task; NULL and *status. Two references more: the task's list, the caller. */
struct thread *domain_thread_attach(struct task *task, uint64_t endpoint_address, int64_t *status);
/* The thread has ended and runs nowhere: what belongs to the incarnation goes. */
void domain_thread_detach(struct thread *thread);
/* The incarnation's task is over: takes its address space over. */
void domain_task_ended(struct task *task);
/* Notes why the incarnation is about to end; the first note counts. */
void domain_note_end(struct thread *thread, enum domain_end end, uint32_t vector, uint64_t error, uint64_t address);
void domain_destroy(struct domain *domain);

#endif
