/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/server.h>
#include <portico/traps.h>

int64_t kernel_memory_create(uint64_t size)
{
	return server_trap(TRAP_object_create, size, 0, PORT_NULL, 0, PORT_NULL, 0);
}

int64_t kernel_memory_right(port_name_t memory, bool writable, bool executable)
{
	uint32_t flags = RIGHT_READ | (writable ? RIGHT_WRITE : 0) | (executable ? RIGHT_EXECUTE : 0);

	return server_trap(TRAP_right_copy, memory, flags, PORT_NULL, 0, 0, 0);
}

uint64_t kernel_memory_resident(port_name_t memory)
{
	uint64_t results[4];

	return server_trap_results(TRAP_object_info, memory, 0, results, sizeof(results)) < 0 ? 0 : results[1];
}
