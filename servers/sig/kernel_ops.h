/*
 * The kernel operations that sig uses, so that the host tests can put a fake here. No policy.
 *
 * Below: traps (kernel_ops.c), or tests/unit/sig/fake_kernel.c. Results: >= 0 or enum kern_status.
 */
#ifndef SIG_KERNEL_OPS_H
#define SIG_KERNEL_OPS_H

#include <portico/signal_page.h>
#include <portico/traps.h>

/* Strikes the thread in `slot` of a task. */
int64_t kernel_task_interrupt(port_name_t task, uint32_t slot);
/* CPU time so far, ns. */
int64_t kernel_task_time(port_name_t task, uint64_t *user, uint64_t *system);

/* Signal pages: a fresh memory object, mapped here. `shared`: the right that may be handed out. */
struct signal_pages {
	struct signal_page *page;
	port_name_t object, shared;
};
int64_t kernel_pages_create(struct signal_pages *pages);
void kernel_pages_destroy(struct signal_pages *pages);

uint32_t kernel_cpus(void);

#endif
