/* User memory accesses of the host tests, by page table and TLB: see host_pmap.c. */
#ifndef TESTS_KERNEL_HOST_PMAP_H
#define TESTS_KERNEL_HOST_PMAP_H

#include <kernel/vm/vm.h>

extern unsigned host_shootdowns; /* times that other CPUs were interrupted */

/*
 * The byte at a user address for one access by the current CPU, which faults like a program would; NULL with vm_fault's
 * status and reason. Valid until the next kernel call.
 */
void *host_user(struct vm_map *map, uint64_t address, bool write, int64_t *status, enum portico_fault *why);

#endif
