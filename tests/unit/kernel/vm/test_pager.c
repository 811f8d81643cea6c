/* External pagers: one request a page, supplying, failing, dead pagers, waiters that go away; object reads and writes.
 */
#include "fakes.h"
#include <string.h>

static struct vm_map *map;
static port_name_t name;
static struct memory_object *object;
#define OWN (4 * BASE) /* the pager's own memory, in the same address space */

static void start(void)
{
	fakes_start();
	map = test_task.map = fakes_map();
	int64_t result = trap_handle_object_create(8 * PAGE_SIZE, 0, PAGER_NAME, 0, 0, 0);
	cr_assert_gt(result, 0);
	name = (port_name_t)result;
	object = (struct memory_object *)fakes_object(name);
	enter(map, BASE, 10, object, VM_READ | VM_WRITE);
	enter(map, OWN, 16, NULL, PRIVATE);
	for (uint64_t i = 0; i < 16; i++)
		user_put(map, OWN + i * PAGE_SIZE, 100 + i);
}

static void finish(void)
{
	fakes_release(name);
	fakes_map_destroy(map);
	cr_expect_eq(fake_senders, 0);
	fakes_check_empty();
}

TestSuite(pager, .init = start, .fini = finish);

static int64_t supply(uint64_t offset, uint64_t length)
{
	return trap_handle_object_supply(name, offset, OWN + offset, length, 0, 0);
}

Test(pager, a_page_is_asked_for_once)
{
	for (unsigned i = 0; i < 3; i++) {
		fakes_run_thread(i);
		cr_assert_eq(user_fails(map, BASE + 2 * PAGE_SIZE + 8 * i, false), KERN_BUSY);
		cr_assert_eq(test_threads[i].state, THREAD_BLOCKED);
	}
	cr_assert_eq(fake_request_count, 1);
	cr_assert_eq(fake_requests[0].offset, 2 * PAGE_SIZE);
	cr_assert_eq(fake_requests[0].length, PAGE_SIZE);
	cr_assert(fake_requests[0].thread == &test_threads[0]);
	cr_assert_eq(supply(0, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(test_threads[0].state, THREAD_BLOCKED, "another page");
	cr_assert_eq(supply(2 * PAGE_SIZE, PAGE_SIZE), KERN_SUCCESS);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(test_threads[i].state, THREAD_RUNNABLE);
	fakes_run_thread(0);
	cr_assert_eq(user_get(map, BASE + 2 * PAGE_SIZE), 102);
	user_put(map, BASE + 2 * PAGE_SIZE, 5);
	cr_assert_eq(supply(2 * PAGE_SIZE, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(user_get(map, BASE + 2 * PAGE_SIZE), 5, "a resident page is left alone");
	cr_assert_eq(user_fails(map, BASE + 8 * PAGE_SIZE, false), FAULT_BEYOND);
}

Test(pager, failure_reaches_each_waiter_once)
{
	for (unsigned i = 0; i < 2; i++) {
		fakes_run_thread(i);
		cr_assert_eq(user_fails(map, BASE, true), KERN_BUSY);
	}
	cr_assert_eq(trap_handle_object_fail(name, 0, PAGE_SIZE, 0, 0, 0), KERN_SUCCESS);
	for (unsigned i = 0; i < 2; i++) {
		fakes_run_thread(i);
		cr_assert_eq(user_fails(map, BASE, true), FAULT_PAGER);
	}
	cr_assert_eq(fake_request_count, 1);
	cr_assert_eq(user_fails(map, BASE, true), KERN_BUSY, "the next fault asks again");
	cr_assert_eq(fake_request_count, 2);
	cr_assert_eq(supply(0, 10), KERN_SUCCESS);
	cr_assert_eq(user_get(map, BASE), 100);
	cr_assert_eq(user_get(map, BASE + 16), 0, "what was not supplied of the page is zero");
}

Test(pager, a_dead_pager_is_a_fault)
{
	fake_pager_status = KERN_DEAD;
	cr_assert_eq(user_fails(map, BASE, false), FAULT_PAGER);
	cr_assert_eq(test_threads[0].state, THREAD_RUNNING);
}

Test(pager, a_waiter_that_dies_hands_the_request_on)
{
	for (unsigned i = 0; i < 2; i++) {
		fakes_run_thread(i);
		cr_assert_eq(user_fails(map, BASE, false), KERN_BUSY);
	}
	vm_abort_page_wait(&test_threads[0]);
	cr_assert_eq(fake_request_count, 2);
	cr_assert(fake_requests[1].thread == &test_threads[1]);
	vm_abort_page_wait(&test_threads[1]);
	cr_assert_eq(fake_request_count, 2);
	fakes_run_thread(0);
}

Test(pager, private_mappings_take_supplied_pages)
{
	enter(map, 2 * BASE, 8, object, VM_READ | VM_WRITE | VM_COPY | VM_INHERIT_COPY);
	cr_assert_eq(user_fails(map, 2 * BASE, true), KERN_BUSY, "a write needs the original first");
	cr_assert_eq(supply(0, 2 * PAGE_SIZE), KERN_SUCCESS);
	fakes_run_thread(0);
	user_put(map, 2 * BASE, 7);
	cr_assert_eq(user_get(map, 2 * BASE + PAGE_SIZE), 101);
	cr_assert_eq(user_get(map, BASE), 100);
	struct vm_map *child = fakes_map();
	cr_assert_eq(vm_map_duplicate(map, child, false), KERN_SUCCESS);
	cr_assert_eq(user_get(child, 2 * BASE), 7);
	cr_assert_eq(user_fails(child, 2 * BASE + 2 * PAGE_SIZE, false), KERN_BUSY);
	cr_assert_eq(supply(2 * PAGE_SIZE, PAGE_SIZE), KERN_SUCCESS);
	fakes_run_thread(0);
	cr_assert_eq(user_get(child, 2 * BASE + 2 * PAGE_SIZE), 102);
	fakes_map_destroy(child);
}

Test(pager, copies_do_not_wait)
{
	char buffer[2 * PAGE_SIZE];
	cr_assert_eq(supply(0, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(vm_copy_in(map, buffer, BASE, sizeof(buffer)), PAGE_SIZE);
	cr_assert_eq(fake_request_count, 0);
	enum portico_fault why;
	cr_assert_eq(vm_fault_in(map, BASE, VM_READ, &why), KERN_SUCCESS);
	cr_assert_eq(vm_fault_in(map, BASE + PAGE_SIZE, VM_READ, &why), KERN_BUSY);
	cr_assert_eq(fake_request_count, 1);
	vm_abort_page_wait(&test_threads[0]);
}

Test(pager, regions_of_missing_pages)
{
	struct vm_region region;
	cr_assert_eq(supply(0, PAGE_SIZE), KERN_SUCCESS);
	/* One entry: the object behind is simply kept. */
	cr_assert_eq(vm_region_take(map, BASE, 8 * PAGE_SIZE, false, &region), KERN_SUCCESS);
	int64_t at = vm_region_map(map, &region);
	cr_assert_eq(user_get(map, (uint64_t)at), 100);
	/* Several: the sender waits for the pages. */
	enter(map, BASE - PAGE_SIZE, 1, NULL, PRIVATE);
	cr_assert_eq(vm_region_take(map, BASE - PAGE_SIZE, 3 * PAGE_SIZE, false, &region), KERN_BUSY);
	cr_assert_eq(supply(PAGE_SIZE, PAGE_SIZE), KERN_SUCCESS);
	fakes_run_thread(0);
	cr_assert_eq(vm_region_take(map, BASE - PAGE_SIZE, 3 * PAGE_SIZE, false, &region), KERN_SUCCESS);
	at = vm_region_map(map, &region);
	cr_assert_eq(user_get(map, (uint64_t)at + 2 * PAGE_SIZE), 101);
}

Test(pager, discarded_pages_are_asked_for_again)
{
	cr_assert_eq(supply(0, 3 * PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(user_get(map, BASE + PAGE_SIZE), 101);
	cr_assert_eq(trap_handle_object_discard(name, PAGE_SIZE, PAGE_SIZE, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(user_fails(map, BASE + PAGE_SIZE, false), KERN_BUSY);
	cr_assert_eq(user_get(map, BASE + 2 * PAGE_SIZE), 102);
	cr_assert_eq(trap_handle_object_discard(name, 1, PAGE_SIZE, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_discard(name, 0, ~UINT64_C(0) - 4095, 0, 0, 0), KERN_INVALID_ARGUMENT);
	vm_abort_page_wait(&test_threads[0]);
}

Test(pager, reading_and_writing_without_a_mapping)
{
	cr_assert_eq(trap_handle_object_read(name, 0, OWN, 100, 0, 0), KERN_FAULT, "nothing there");
	cr_assert_eq(trap_handle_object_write(name, 10, OWN, 100, 0, 0), KERN_FAULT,
	             "part of a page that is not there");
	cr_assert_eq(trap_handle_object_write(name, 0, OWN, 2 * PAGE_SIZE + 100, 0, 0), 2 * PAGE_SIZE,
	             "whole pages need no pager");
	cr_assert_eq(user_get(map, BASE + PAGE_SIZE), 101);
	cr_assert_eq(trap_handle_object_write(name, 8, OWN + PAGE_SIZE, 8, 0, 0), 8);
	cr_assert_eq(user_get(map, BASE + 8), 101);
	cr_assert_eq(trap_handle_object_read(name, 8, OWN + 16, 8, 0, 0), 8);
	cr_assert_eq(user_get(map, OWN + 16), 101);
	cr_assert_eq(trap_handle_object_read(name, 8 * PAGE_SIZE - 8, OWN, 16, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_read(name, ~UINT64_C(0), OWN, 16, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_read(name, 0, 9 * BASE, 16, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_object_read(name, 0, ~UINT64_C(0) - 7, 16, 0, 0), KERN_FAULT);
}

Test(pager, supply_checks_its_arguments)
{
	cr_assert_eq(trap_handle_object_supply(name, 1, OWN, PAGE_SIZE, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_supply(name, 0, 9 * BASE, PAGE_SIZE, 0, 0), KERN_FAULT);
	cr_assert_eq(trap_handle_object_supply(name, 0, OWN, ~UINT64_C(0), 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_supply(99, 0, OWN, PAGE_SIZE, 0, 0), KERN_INVALID_NAME);
	cr_assert_eq(supply(6 * PAGE_SIZE, 4 * PAGE_SIZE), KERN_SUCCESS, "past the end: ignored");
	cr_assert_eq(object->resident, 2);
}

Test(pager, the_object_dies_with_a_waiter)
{
	fakes_run_thread(1);
	cr_assert_eq(user_fails(map, BASE, false), KERN_BUSY);
	fakes_run_thread(0);
	object_ref(OBJECT(object));
	fakes_release(name);
	cr_assert_eq(vm_map_remove(map, BASE, 10 * PAGE_SIZE), KERN_SUCCESS);
	object_unref(OBJECT(object));
	cr_assert_eq(test_threads[1].state, THREAD_RUNNABLE, "it faults again and finds nothing mapped");
	name = fakes_enter(OBJECT(memory_object_create(PAGE_SIZE, &root_ledger)), 0);
	object_unref(fakes_object(name));
}
