/*
 * The kernel operations that sig uses, so that the host tests can put a fake here. No policy.
 *
 * Below: traps (kernel_ops.c), or tests/unit/sig/fake_kernel.c. Results: >= 0 or enum kern_status.
 */
#ifndef SIG_KERNEL_OPS_H
#define SIG_KERNEL_OPS_H

#include <portico/signal_page.h>
#include <portico/server.h>
#include <portico/traps.h>

/*
 * Done by the commit, in the order of the calls (docs/guide/recovery-proc-sig.md): a word that sig alone writes; a condition: unless
 * (*word & mask) == value, the next `skip` operations are left out; striking the thread in a slot; a notification.
 */
void kernel_post(uint64_t *word, uint64_t value);
void kernel_if(const uint64_t *word, uint64_t mask, uint64_t value, unsigned skip);
void kernel_interrupt(port_name_t task, uint32_t slot);
void kernel_notify(port_name_t right, uint64_t bits);

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

/* Words that the process writes: what a handler saw of them is logged. */
static inline uint64_t shared64(const uint64_t *word)
{
	return server_sample_word(__atomic_load_n(word, __ATOMIC_SEQ_CST));
}

static inline uint32_t shared32(const uint32_t *word)
{
	return (uint32_t)server_sample_word(__atomic_load_n(word, __ATOMIC_SEQ_CST));
}

#endif
