/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/layout.h>
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

int64_t kernel_page_create(struct shared_page *shared)
{
	*shared = (struct shared_page){0};
	int64_t object = kernel_memory_create(PAGE_SIZE);
	if (object < 0)
		return object;
	shared->object = (port_name_t)object;
	int64_t right = kernel_memory_right(shared->object, true, false);
	int64_t address = right < 0 ? right
	                            : server_trap(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, PAGE_SIZE, shared->object, 0,
	                                          VM_READ | VM_WRITE | VM_INHERIT_SHARE);
	if (right >= 0)
		shared->right = (port_name_t)right;
	if (address < 0) {
		server_release_right(shared->right);
		server_release_right(shared->object);
		return address;
	}
	shared->page = (void *)address;
	return 0;
}

void kernel_page_destroy(const struct shared_page *shared)
{
	server_release_region((uint64_t)shared->page, PAGE_SIZE);
	server_release_right(shared->right);
	server_release_right(shared->object);
}

uint64_t kernel_memory_resident(port_name_t memory)
{
	uint64_t results[4];

	return server_trap_results(TRAP_object_info, memory, 0, results, sizeof(results)) < 0 ? 0 : results[1];
}
