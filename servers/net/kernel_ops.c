/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/server.h>
#include <portico/traps.h>

int64_t kernel_right_object(port_name_t right, uint32_t *kind, uint64_t *id, uint64_t *badge)
{
	struct right_info info;
	int64_t status = server_trap_results(TRAP_right_info, right, 0, &info, sizeof(info));

	if (status < 0)
		return status;
	*kind = info.object;
	*id = info.object_id;
	*badge = info.badge;
	return 0;
}

int64_t kernel_right_copy(port_name_t right)
{
	return server_trap(TRAP_right_copy, right, (uint32_t)~RIGHT_INHERIT, PORT_NULL, 0, 0, 0);
}
