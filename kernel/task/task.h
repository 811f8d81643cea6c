/*
 * Tasks: an address space, an IPC space, a principal, a personality. Owner: kernel/task.
 */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include <kernel/lib/list.h>
#include <kernel/object.h>
#include <portico/traps.h>

struct domain;
struct ipc_space;
struct vm_map;
struct ledger;

struct task {
	struct kobject object;
	struct ipc_space *space;        /* reference */
	struct vm_map *map;             /* owned; NULL once dead */
	struct domain *domain;          /* reference: of which this is an incarnation, or NULL */
	struct ledger *ledger;          /* reference: pays for memory and kernel objects */
	uint64_t principal;
	struct personality personality;
	bool has_personality;
	bool dying;                     /* terminated; object.dead once its last thread is off its CPU */
	uint32_t suspend_count;
	struct list threads;            /* thread.task_link */
	struct list all_link;           /* every task: panic report, counters */
	uint64_t thread_count;
	struct list reap_link;
	uint64_t user_ns, system_ns;    /* of dead threads */
	uint64_t faults, messages;
	uint64_t voluntary_switches, involuntary_switches;
	char name[16];                  /* for reports */
};

extern struct task kernel_task;
extern struct list all_tasks;
extern struct task *root_task; /* the present incarnation of root */
/* It is over: makes the next one. */
void root_ended(void);

struct task *task_create(struct ipc_space *space, struct ledger *ledger, int64_t *status);
struct task *task_duplicate(struct task *parent, uint32_t flags, struct ledger *ledger, int64_t *status);
void task_terminate(struct task *task);
/* The last thread of a dying task is gone. */
void task_finish(struct task *task);
void task_destroy(struct task *task);

#endif
