/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/info.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define PAGES_SIZE ((sizeof(struct signal_page) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

void kernel_post(uint64_t *word, uint64_t value)
{
	server_queue_word64(word, 0, value);
}

void kernel_if(const uint64_t *word, uint64_t mask, uint64_t value, unsigned skip)
{
	server_queue_if(word, mask, value, skip);
}

void kernel_interrupt(port_name_t task, uint32_t slot)
{
	server_queue(TRAP_task_interrupt, task, slot, 0, 0, 0, 0);
}

void kernel_notify(port_name_t right, uint64_t bits)
{
	server_notify(right, bits);
}

int64_t kernel_task_time(port_name_t task, uint64_t *user, uint64_t *system)
{
	struct task_info info;
	int64_t status = server_trap_results(TRAP_task_info, task, 0, &info, sizeof(info));
	if (status < 0)
		return status;
	*user = info.user_ns;
	*system = info.system_ns;
	return 0;
}

static int64_t create(struct signal_pages *pages)
{
	int64_t object = server_trap(TRAP_object_create, PAGES_SIZE, 0, PORT_NULL, 0, PORT_NULL, 0);
	if (object < 0)
		return object;
	pages->object = (port_name_t)object;
	int64_t shared = server_trap(TRAP_right_copy, pages->object, RIGHT_READ | RIGHT_WRITE, PORT_NULL, 0, 0, 0);
	if (shared < 0)
		return shared;
	pages->shared = (port_name_t)shared;
	int64_t address = server_trap(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, PAGES_SIZE, pages->object, 0,
	                              VM_READ | VM_WRITE | VM_INHERIT_SHARE);
	if (address < 0)
		return address;
	pages->page = (struct signal_page *)address;
	return 0;
}

int64_t kernel_pages_create(struct signal_pages *pages)
{
	*pages = (struct signal_pages){0};
	int64_t status = create(pages);
	if (status < 0)
		kernel_pages_destroy(pages);
	return status;
}

void kernel_pages_destroy(struct signal_pages *pages)
{
	if (pages->page)
		server_queue(TRAP_vm_unmap, TASK_SELF, (uint64_t)pages->page, PAGES_SIZE, 0, 0, 0);
	server_release_right(pages->shared);
	server_release_right(pages->object);
	*pages = (struct signal_pages){0};
}

uint32_t kernel_cpus(void)
{
	return ((const struct kernel_info *)KERNEL_INFO_ADDRESS)->cpus;
}
