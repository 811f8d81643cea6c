/*
 * The kernel operations that ipcd uses, so that the host tests can put a fake here. No policy.
 *
 * Below: traps (kernel_ops.c), or tests/unit/ipcd/fixture.c.
 */
#ifndef IPCD_KERNEL_OPS_H
#define IPCD_KERNEL_OPS_H

#include <portico/rights.h>
#include <stdbool.h>
#include <stdint.h>

/* A memory object of `size` bytes, zeroes, with pages as they are touched. A name, or a negative kern_status. */
int64_t kernel_memory_create(uint64_t size);
/* A right to it that can be handed out: readable, and these. A name, or a negative kern_status. */
int64_t kernel_memory_right(port_name_t memory, bool writable, bool executable);
/* A page that is shared with processes, zeroed, mapped here for this incarnation and the next: `right` is what may be handed out. */
struct shared_page {
	void *page;
	port_name_t object, right;
};
int64_t kernel_page_create(struct shared_page *shared);
/* By the commit, behind what was queued before. */
void kernel_page_destroy(const struct shared_page *shared);
/* Pages that are in memory. */
uint64_t kernel_memory_resident(port_name_t memory);

#endif
