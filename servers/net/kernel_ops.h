/*
 * The kernel operations that net uses, so that the host tests can put a fake here. No policy.
 *
 * Below: traps (kernel_ops.c), or tests/unit/net/fixture.c.
 */
#ifndef NET_KERNEL_OPS_H
#define NET_KERNEL_OPS_H

#include <portico/rights.h>
#include <stdint.h>

/* What a right names: kind of object (enum object_kind), the object's id, and the badge. A negative kern_status if there is no such right. */
int64_t kernel_right_object(port_name_t right, uint32_t *kind, uint64_t *id, uint64_t *badge);
/* One more name for the same. A name, or a negative kern_status. */
int64_t kernel_right_copy(port_name_t right);

#endif
