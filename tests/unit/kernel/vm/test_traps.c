/* The traps' own part: checks, results, steps. */
#include "fakes.h"
#include <string.h>

static struct vm_map *map;

static void start(void)
{
	fakes_start();
	map = test_task.map = fakes_map();
}

static void finish(void)
{
	fakes_map_destroy(map);
	fakes_check_empty();
}

TestSuite(traps, .init = start, .fini = finish);

Test(traps, map_checks)
{
	uint64_t f = VM_READ | VM_FIXED;
	cr_expect_eq(trap_handle_vm_map(5, BASE, PAGE_SIZE, 0, 0, f), KERN_INVALID_NAME);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, 33, 0, f), KERN_INVALID_NAME);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, 0, 0, f | 1 << 14), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, 0, 0, UINT64_C(1) << 40), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_map(0, BASE, 0, 0, 0, f), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_map(0, BASE + 5, PAGE_SIZE, 0, 0, f), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_map(0, BASE, ~UINT64_C(0), 0, 0, f), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_map(0, BASE, 100, 0, 0, f), (int64_t)BASE, "sizes are rounded up");
	cr_expect_eq(trap_handle_vm_protect(0, BASE, PAGE_SIZE, 8, 0, 0), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_protect(0, BASE, PAGE_SIZE * 2, VM_READ, 0, 0), KERN_FAULT);
	cr_expect_eq(trap_handle_vm_inherit(0, BASE, PAGE_SIZE, 1, 0, 0), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_inherit(0, BASE, PAGE_SIZE, VM_INHERIT_NONE, 0, 0), KERN_SUCCESS);
	cr_expect_eq(trap_handle_vm_advise(0, BASE, PAGE_SIZE, 9, 0, 0), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_move(0, BASE, PAGE_SIZE, 1, PAGE_SIZE, VM_FIXED), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_unmap(0, USER_MAX - PAGE_SIZE, PAGE_SIZE, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_expect_eq(trap_handle_vm_unmap(0, BASE, PAGE_SIZE, 0, 0, 0), KERN_SUCCESS);
	cr_expect_eq(trap_handle_vm_unmap(0, BASE, PAGE_SIZE, 0, 0, 0), KERN_SUCCESS, "holes are fine");
}

Test(traps, rights_limit_mappings)
{
	struct memory_object *object = memory_object_create(PAGE_SIZE, &root_ledger);
	port_name_t read = fakes_enter(OBJECT(object), RIGHT_READ),
	            write = fakes_enter(OBJECT(object), RIGHT_READ | RIGHT_WRITE),
	            none = fakes_enter(OBJECT(object), 0);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, none, 0, VM_READ), KERN_NO_ACCESS);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, read, 0, VM_READ | VM_WRITE), KERN_NO_ACCESS);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, read, 0, VM_READ | VM_EXECUTE), KERN_NO_ACCESS);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, read, 0, VM_READ | VM_FIXED), (int64_t)BASE);
	cr_expect_eq(trap_handle_vm_protect(0, BASE, PAGE_SIZE, VM_READ | VM_WRITE, 0, 0), KERN_NO_ACCESS);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, read, 0, VM_READ | VM_WRITE | VM_COPY | VM_FIXED),
	             (int64_t)BASE);
	cr_expect_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, write, 0, VM_READ | VM_WRITE | VM_FIXED), (int64_t)BASE);
	cr_expect_eq(trap_handle_object_resize(write, 0, 0, 0, 0, 0), KERN_NO_ACCESS);
	cr_expect_eq(trap_handle_object_write(read, 0, BASE, 8, 0, 0), KERN_NO_ACCESS);
	fakes_release(read);
	fakes_release(write);
	fakes_release(none);
	object_unref(OBJECT(object));
}

Test(traps, query_and_resident)
{
	const struct vm_query *query = (const void *)test_threads[0].endpoint->block->result;
	enter(map, BASE, 10, NULL, PRIVATE | 5 << VM_TAG_SHIFT);
	user_put(map, BASE + 3 * PAGE_SIZE, 1);
	user_put(map, BASE + 9 * PAGE_SIZE, 1);
	cr_assert_eq(trap_handle_vm_query(0, 0, 0, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(query->start, BASE);
	cr_assert_eq(query->end, BASE + 10 * PAGE_SIZE);
	cr_assert_eq(query->flags, PRIVATE | 5 << VM_TAG_SHIFT);
	cr_assert_eq(query->resident, 2);
	cr_assert_eq(trap_handle_vm_query(0, BASE + 10 * PAGE_SIZE, 0, 0, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_vm_resident(0, BASE, 10, 0, 0, 0), KERN_SUCCESS);
	const uint8_t *bits = test_threads[0].endpoint->send->data;
	cr_assert_eq(bits[0], 1 << 3);
	cr_assert_eq(bits[1], 1 << 1);
	cr_assert_eq(trap_handle_vm_resident(0, BASE, 11, 0, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_vm_resident(0, BASE, 1025, 0, 0, 0), KERN_INVALID_ARGUMENT);
}

Test(traps, wired_mappings_are_resident)
{
	cr_assert_eq(trap_handle_vm_map(0, BASE, 20 * PAGE_SIZE, 0, 0, PRIVATE | VM_FIXED | VM_WIRED), (int64_t)BASE);
	cr_assert_eq(root_ledger.pages, 20);
	cr_assert_not_null(pmap_lookup(map, BASE + 19 * PAGE_SIZE, true));
}

Test(traps, long_unmapping_is_repeated)
{
	enter(map, BASE, 3000, NULL, PRIVATE);
	enter(map, BASE + 3000 * PAGE_SIZE, 1, NULL, VM_READ);
	for (uint64_t i = 0; i < 3000; i++)
		user_put(map, BASE + i * PAGE_SIZE, 1);
	int64_t status;
	unsigned calls = 0;
	while ((status = trap_handle_vm_unmap(0, BASE, 3001 * PAGE_SIZE, 0, 0, 0)) == KERN_BUSY)
		calls++;
	cr_assert_eq(status, KERN_SUCCESS);
	cr_assert_geq(calls, 2);
	cr_assert_eq(fakes_preemptions, calls);
	cr_assert_eq(map->count, 0);
}

Test(traps, reading_another_task)
{
	char text[] = "portico";
	enter(map, BASE, 2, NULL, PRIVATE);
	cr_assert_eq(vm_copy_out(map, BASE + 10, text, sizeof(text)), sizeof(text));
	cr_assert_eq(trap_handle_vm_read(0, BASE + 10, BASE + PAGE_SIZE, sizeof(text), 0, 0), sizeof(text));
	cr_assert_eq(vm_copy_in(map, text, BASE + PAGE_SIZE, sizeof(text)), sizeof(text));
	cr_assert_str_eq(text, "portico");
	cr_assert_eq(trap_handle_vm_read(0, 5 * BASE, BASE, 8, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_vm_read(0, BASE, 5 * BASE, 8, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_vm_write(0, BASE, ~UINT64_C(0), 8, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_vm_read(0, BASE, BASE, 0, 0, 0), 0);
	cr_assert_eq(trap_handle_vm_read(0, BASE + PAGE_SIZE, BASE, ~UINT64_C(0), 0, 0), PAGE_SIZE,
	             "up to the end of the mapping");
}

Test(traps, ledgers)
{
	int64_t name = trap_handle_ledger_create(0, 100, 5000, 0, 0, 0);
	cr_assert_gt(name, 0);
	cr_assert_eq(trap_handle_ledger_set((uint64_t)name, 7, 8, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap_handle_ledger_info((uint64_t)name, 0, 0, 0, 0, 0), KERN_SUCCESS);
	const uint64_t *result = test_threads[0].endpoint->block->result;
	cr_assert_eq(result[1], 7);
	cr_assert_eq(result[3], 8);
	cr_assert_eq(trap_handle_ledger_set(0, 7, 8, 0, 0, 0), KERN_INVALID_ARGUMENT, "not one's own without a right");
	cr_assert_eq(trap_handle_ledger_info(55, 0, 0, 0, 0, 0), KERN_INVALID_NAME);
	fakes_release((port_name_t)name);
}

Test(traps, physical_memory)
{
	static struct kobject machine = {.kind = KOBJ_MACHINE, .refs = 1};
	port_name_t right = fakes_enter(&machine, 0);
	cr_assert_eq(trap_handle_machine_physical(right, ARENA_PHYSICAL, PAGE_SIZE, 0, 0, 0), KERN_NO_ACCESS, "RAM");
	cr_assert_eq(trap_handle_machine_physical(right, 0xfee00001, PAGE_SIZE, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_machine_physical(right, ~UINT64_C(0) - 4095, PAGE_SIZE, 0, 0, 0),
	             KERN_INVALID_ARGUMENT);
	int64_t device = trap_handle_machine_physical(right, 0xfee00000, 2 * PAGE_SIZE, 0, 0, 0);
	cr_assert_gt(device, 0);
	cr_assert_eq(trap_handle_vm_map(0, BASE, 2 * PAGE_SIZE, (uint64_t)device, 0,
	                                VM_FIXED | VM_READ | VM_WRITE | VM_INHERIT_COPY),
	             (int64_t)BASE);
	enum portico_fault why;
	cr_assert_eq(vm_fault(map, BASE + PAGE_SIZE, VM_WRITE, &why), KERN_SUCCESS);
	cr_assert_null(pmap_lookup(map, BASE + PAGE_SIZE, true), "not through the direct map");
	char byte;
	cr_assert_eq(vm_copy_in(map, &byte, BASE, 1), 0);
	struct vm_map *child = fakes_map();
	cr_assert_eq(vm_map_duplicate(map, child, false), KERN_SUCCESS);
	cr_assert_eq(child->count, 0);
	fakes_map_destroy(child);
	cr_assert_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, (uint64_t)device, 0, VM_READ | VM_COPY),
	             KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_machine_physical_of(right, (uint64_t)device, PAGE_SIZE + 8, 0, 0, 0), 0xfee01008);
	int64_t wired = trap_handle_object_create(PAGE_SIZE, OBJECT_WIRED, 0, 0, 0, 0);
	cr_assert_gt(trap_handle_machine_physical_of(right, (uint64_t)wired, 8, 0, 0, 0), (int64_t)ARENA_PHYSICAL);
	cr_assert_eq(trap_handle_machine_physical_of(right, (uint64_t)wired, PAGE_SIZE, 0, 0, 0),
	             KERN_INVALID_ARGUMENT);
	fakes_release((port_name_t)device);
	fakes_release((port_name_t)wired);
	fakes_release(right);
}
