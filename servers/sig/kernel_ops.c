/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/info.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define PAGES_SIZE ((sizeof(struct signal_page) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

static struct portico_block *block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

int64_t kernel_task_interrupt(port_name_t task, uint32_t slot)
{
	return trap2(TRAP_task_interrupt, task, slot);
}

int64_t kernel_task_time(port_name_t task, uint64_t *user, uint64_t *system)
{
	int64_t status = trap1(TRAP_task_info, task);
	if (status < 0)
		return status;
	struct task_info info;
	memcpy(&info, block()->result, sizeof(info));
	*user = info.user_ns;
	*system = info.system_ns;
	return 0;
}

static int64_t create(struct signal_pages *pages)
{
	int64_t object = trap5(TRAP_object_create, PAGES_SIZE, 0, PORT_NULL, 0, PORT_NULL);
	if (object < 0)
		return object;
	pages->object = (port_name_t)object;
	int64_t shared = trap3(TRAP_right_copy, pages->object, RIGHT_READ | RIGHT_WRITE, PORT_NULL);
	if (shared < 0)
		return shared;
	pages->shared = (port_name_t)shared;
	int64_t address = trap6(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, PAGES_SIZE, pages->object, 0,
	                        VM_READ | VM_WRITE | VM_INHERIT_NONE);
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
		trap3(TRAP_vm_unmap, TASK_SELF, (uint64_t)pages->page, PAGES_SIZE);
	if (pages->shared != PORT_NULL)
		trap1(TRAP_right_release, pages->shared);
	if (pages->object != PORT_NULL)
		trap1(TRAP_right_release, pages->object);
	*pages = (struct signal_pages){0};
}

uint32_t kernel_cpus(void)
{
	return ((const struct kernel_info *)KERNEL_INFO_ADDRESS)->cpus;
}
