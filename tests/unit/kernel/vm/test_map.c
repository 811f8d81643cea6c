/* Address spaces: entering, splitting, joining, protecting, moving, finding room, unmapping; page tables and TLB
 * flushes. */
#include "fakes.h"
#include <stdlib.h>

TestSuite(map, .init = fakes_start);

Test(map, anonymous_memory_is_zero_and_private)
{
	struct vm_map *a = fakes_map(), *b = fakes_map();
	enter(a, BASE, 10, NULL, PRIVATE);
	enter(b, BASE, 10, NULL, PRIVATE);
	user_put(a, BASE + 8, 1);
	cr_assert_eq(user_get(b, BASE + 8), 0);
	cr_assert_eq(user_get(a, BASE + 8), 1);
	cr_assert_eq(user_get(a, BASE + 9 * PAGE_SIZE), 0);
	cr_assert_eq(root_ledger.pages, 3);
	cr_assert_eq(user_fails(a, BASE + 10 * PAGE_SIZE, false), FAULT_UNMAPPED);
	cr_assert_eq(user_fails(a, BASE - 1, false), FAULT_UNMAPPED);
	fakes_map_destroy(a);
	fakes_map_destroy(b);
	fakes_check_empty();
}

Test(map, bad_arguments)
{
	struct vm_map *map = fakes_map();
	uint64_t f = VM_FIXED | PRIVATE;
	cr_expect_eq(vm_map_enter(map, BASE, 0, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE + 1, 4096, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, 0, 4096, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, MAP_TOP - 4096, 8192, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, USER_MAX, 4096, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, 0xffff888000000000, 4096, NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, ~UINT64_C(0), NULL, 0, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, ~UINT64_C(0) - 4095, NULL, 0, PRIVATE, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, 4096, NULL, 1, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, 8192, NULL, ~UINT64_C(0) - 4095, f, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, 4096, NULL, 0, f | VM_EXECUTE, 7), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_enter(map, BASE, 4096, NULL, 0, f, VM_READ), KERN_NO_ACCESS);
	cr_expect_eq(vm_map_enter(map, BASE, 4096, NULL, 0, f | VM_EXECUTE | VM_ALLOW_WX, 7), (int64_t)BASE);
	cr_expect_eq(vm_map_remove(map, BASE + 1, 4096), KERN_INVALID_ARGUMENT);
	cr_expect_eq(vm_map_remove(map, BASE, 0), KERN_INVALID_ARGUMENT);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, protection_splits_and_joins)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 10, NULL, PRIVATE);
	for (uint64_t i = 0; i < 10; i++)
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	cr_assert_eq(map->count, 1);
	cr_assert_eq(map_protect(map, BASE + 3 * PAGE_SIZE, 2 * PAGE_SIZE, VM_READ, false), KERN_SUCCESS);
	cr_assert_eq(map->count, 3);
	cr_assert_eq(user_fails(map, BASE + 3 * PAGE_SIZE, true), FAULT_PROTECTION);
	cr_assert_eq(user_get(map, BASE + 4 * PAGE_SIZE), 5);
	user_put(map, BASE + 2 * PAGE_SIZE, 30);
	user_put(map, BASE + 5 * PAGE_SIZE, 60);
	cr_assert_eq(map_protect(map, BASE + 4 * PAGE_SIZE, PAGE_SIZE, 0, false), KERN_SUCCESS);
	cr_assert_eq(user_fails(map, BASE + 4 * PAGE_SIZE, false), FAULT_PROTECTION);
	cr_assert_eq(map_protect(map, BASE, 10 * PAGE_SIZE, VM_READ | VM_WRITE, false), KERN_SUCCESS);
	cr_assert_eq(map->count, 1);
	cr_assert_eq(user_get(map, BASE + 4 * PAGE_SIZE), 5);
	user_put(map, BASE + 3 * PAGE_SIZE, 40);
	cr_assert_eq(map_protect(map, BASE, 11 * PAGE_SIZE, VM_READ, false), KERN_FAULT, "a hole: nothing changes");
	user_put(map, BASE, 1);
	cr_assert_eq(map_protect(map, BASE, PAGE_SIZE, VM_WRITE | VM_EXECUTE, false), KERN_INVALID_ARGUMENT);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, max_protection_is_kept)
{
	struct vm_map *map = fakes_map();
	struct memory_object *object = memory_object_create(PAGE_SIZE, &root_ledger);
	cr_assert_geq(vm_map_enter(map, BASE, PAGE_SIZE, object, 0, VM_FIXED | VM_READ, VM_READ), 0);
	cr_assert_eq(map_protect(map, BASE, PAGE_SIZE, VM_READ | VM_WRITE, false), KERN_NO_ACCESS);
	object_unref(OBJECT(object));
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, neighbours_grow_into_one)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 1, NULL, PRIVATE);
	user_put(map, BASE, 1);
	for (uint64_t i = 1; i < 100; i++) {
		enter(map, BASE + i * PAGE_SIZE, 1, NULL, PRIVATE);
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	}
	cr_assert_eq(map->count, 1);
	cr_assert_eq(object_counts[KOBJ_MEMORY], 1);
	enter(map, BASE + 100 * PAGE_SIZE, 1, NULL, VM_READ | VM_INHERIT_COPY);
	cr_assert_eq(map->count, 2);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_eq(user_get(map, BASE + i * PAGE_SIZE), i + 1);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, unmapping_a_part_frees_its_pages)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 10, NULL, PRIVATE);
	for (uint64_t i = 0; i < 10; i++)
		user_put(map, BASE + i * PAGE_SIZE, 1);
	cr_assert_eq(vm_map_remove(map, BASE + 2 * PAGE_SIZE, 5 * PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(root_ledger.pages, 5);
	cr_assert_eq(user_fails(map, BASE + 2 * PAGE_SIZE, false), FAULT_UNMAPPED);
	enter(map, BASE + 2 * PAGE_SIZE, 5, NULL, PRIVATE);
	cr_assert_eq(user_get(map, BASE + 4 * PAGE_SIZE), 0, "mapped again: zero");
	cr_assert_eq(user_get(map, BASE + 8 * PAGE_SIZE), 1);
	enter(map, BASE, 10, NULL, PRIVATE);
	cr_assert_eq(user_get(map, BASE + 8 * PAGE_SIZE), 0, "VM_FIXED replaces");
	cr_assert_eq(vm_map_enter(map, BASE + 9 * PAGE_SIZE, PAGE_SIZE, NULL, 0, PRIVATE | VM_FIXED_NOREPLACE, 7),
	             KERN_NAME_EXISTS);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, room_is_found)
{
	struct vm_map *map = fakes_map();
	uint64_t top = MMAP_TOP;
	cr_assert_eq(enter(map, 0, 4, NULL, PRIVATE | VM_TOP_DOWN), top - 4 * PAGE_SIZE);
	cr_assert_eq(enter(map, 0, 2, NULL, VM_READ | VM_TOP_DOWN), top - 6 * PAGE_SIZE);
	cr_assert_eq(enter(map, 0, 2, NULL, PRIVATE | VM_TOP_DOWN), top - 8 * PAGE_SIZE);
	cr_assert_eq(vm_map_remove(map, top - 6 * PAGE_SIZE, 2 * PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(enter(map, 0, 3, NULL, PRIVATE | VM_TOP_DOWN), top - 11 * PAGE_SIZE);
	cr_assert_eq(enter(map, 0, 2, NULL, PRIVATE | VM_TOP_DOWN), top - 6 * PAGE_SIZE, "the gap is used");
	cr_assert_eq(enter(map, 0, 1, NULL, PRIVATE), SERVER_MAPPINGS);
	cr_assert_eq(enter(map, 0, 1, NULL, VM_READ), SERVER_MAPPINGS + PAGE_SIZE);
	cr_assert_eq(vm_map_enter(map, BASE, PAGE_SIZE, NULL, 0, PRIVATE, 7), (int64_t)BASE, "a hint");
	cr_assert_eq(vm_map_enter(map, BASE, PAGE_SIZE, NULL, 0, VM_READ, 7), (int64_t)(BASE + PAGE_SIZE));
	cr_assert_eq(vm_map_enter(map, 0, MAP_TOP - USER_MIN, NULL, 0, PRIVATE, 7), KERN_NO_SPACE);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, top_down_search_never_overlaps)
{
	struct vm_map *map = fakes_map();
	uint64_t at[200] = {0}, size[200];
	srand(3);
	for (uint64_t i = 0; i < 5000; i++) {
		int n = rand() % 200;
		if (at[n] != 0) {
			cr_assert_eq(vm_map_remove(map, at[n], size[n]), KERN_SUCCESS);
			at[n] = 0;
			continue;
		}
		size[n] = ((uint64_t)rand() % 20 + 1) * PAGE_SIZE;
		int64_t a = vm_map_enter(map, 0, size[n], NULL, 0, PRIVATE | VM_TOP_DOWN, 7);
		cr_assert_gt(a, 0);
		at[n] = (uint64_t)a;
		for (int k = 0; k < 200; k++)
			cr_assert(k == n || at[k] == 0 || at[k] + size[k] <= at[n] || at[n] + size[n] <= at[k]);
		cr_assert_geq(at[n], MMAP_TOP - 200 * 20 * PAGE_SIZE, "gaps are used again");
	}
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, moving)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 4, NULL, PRIVATE);
	for (uint64_t i = 0; i < 4; i++)
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	cr_assert_eq(map_move(map, BASE, 4 * PAGE_SIZE, 0, 8 * PAGE_SIZE, 0), (int64_t)BASE, "grows where it is");
	cr_assert_eq(user_get(map, BASE + 7 * PAGE_SIZE), 0);
	enter(map, BASE + 8 * PAGE_SIZE, 1, NULL, VM_READ);
	cr_assert_eq(map_move(map, BASE, 8 * PAGE_SIZE, 0, 9 * PAGE_SIZE, 0), KERN_NO_SPACE);
	int64_t to = map_move(map, BASE, 8 * PAGE_SIZE, 0, 9 * PAGE_SIZE, VM_TOP_DOWN);
	cr_assert_eq(to, (int64_t)(MMAP_TOP - 9 * PAGE_SIZE));
	for (uint64_t i = 0; i < 4; i++)
		cr_assert_eq(user_get(map, (uint64_t)to + i * PAGE_SIZE), i + 1);
	cr_assert_eq(user_get(map, (uint64_t)to + 8 * PAGE_SIZE), 0);
	cr_assert_eq(user_fails(map, BASE, false), FAULT_UNMAPPED);
	cr_assert_eq(map_move(map, (uint64_t)to, 9 * PAGE_SIZE, BASE + 6 * PAGE_SIZE, 2 * PAGE_SIZE, VM_FIXED),
	             (int64_t)(BASE + 6 * PAGE_SIZE), "shrinks and moves");
	cr_assert_eq(user_get(map, BASE + 7 * PAGE_SIZE), 2);
	cr_assert_eq(user_fails(map, BASE + 8 * PAGE_SIZE, false), 0);
	cr_assert_eq(map->count, 2);
	cr_assert_eq(map_move(map, BASE + 6 * PAGE_SIZE, 2 * PAGE_SIZE, BASE + 7 * PAGE_SIZE, 2 * PAGE_SIZE, VM_FIXED),
	             KERN_INVALID_ARGUMENT, "onto itself");
	cr_assert_eq(map_move(map, BASE + 7 * PAGE_SIZE, 2 * PAGE_SIZE, 0, PAGE_SIZE, 0), KERN_FAULT, "two entries");
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, growth_does_not_alias_a_split_neighbour)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 8, NULL, PRIVATE);
	for (uint64_t i = 0; i < 8; i++)
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	/* The upper half goes elsewhere; the lower half then grows into the room that it left. */
	int64_t to = map_move(map, BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE, 2 * BASE, 4 * PAGE_SIZE, VM_FIXED);
	cr_assert_eq(to, (int64_t)(2 * BASE));
	cr_assert_eq(map_move(map, BASE, 4 * PAGE_SIZE, 0, 6 * PAGE_SIZE, 0), (int64_t)BASE);
	cr_assert_eq(user_get(map, BASE + 4 * PAGE_SIZE), 0);
	user_put(map, BASE + 4 * PAGE_SIZE, 50);
	cr_assert_eq(user_get(map, 2 * BASE), 5);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, dontneed_forgets)
{
	struct vm_map *map = fakes_map();
	uint64_t budget = 100;
	enter(map, BASE, 4, NULL, PRIVATE);
	for (uint64_t i = 0; i < 4; i++)
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	cr_assert_eq(map_advise(map, BASE + PAGE_SIZE, 2 * PAGE_SIZE, VM_ADVISE_DONTNEED, &budget), KERN_SUCCESS);
	cr_assert_eq(root_ledger.pages, 2);
	cr_assert_eq(user_get(map, BASE + PAGE_SIZE), 0);
	cr_assert_eq(user_get(map, BASE + 3 * PAGE_SIZE), 4);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, thousands_of_entries)
{
	struct vm_map *map = fakes_map();
	for (uint64_t i = 0; i < 5000; i++)
		enter(map, BASE + 2 * (i * 7919 % 5000) * PAGE_SIZE, 1, NULL, i % 2 ? PRIVATE : VM_READ);
	cr_assert_eq(map->count, 5000);
	uint64_t n = 0;
	for (struct map_entry *e = map_first(map); e != NULL; e = map_next(e), n++) {
		cr_assert_eq(e->start, BASE + 2 * n * PAGE_SIZE);
		cr_assert(map_lookup(map, e->start) == e);
		cr_assert_null(map_lookup(map, e->end));
		cr_assert(e->prev == NULL || map_next(e->prev) == e);
	}
	for (uint64_t i = 0; i < 5000; i += 2)
		cr_assert_eq(vm_map_remove(map, BASE + 2 * i * PAGE_SIZE, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(map->count, 2500);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, entries_are_limited)
{
	struct vm_map *map = fakes_map();
	int64_t status = 0;
	uint64_t i;
	for (i = 0; status >= 0; i++)
		status = vm_map_enter(map, BASE + 2 * i * PAGE_SIZE, PAGE_SIZE, NULL, 0, VM_FIXED | VM_READ, 7);
	cr_assert_eq(status, KERN_NO_SPACE);
	cr_assert_eq(i, MAP_ENTRIES_MAX + 1);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, big_work_is_done_in_steps)
{
	struct vm_map *map = fakes_map();
	uint64_t pages = 5000, budget, steps = 0;
	int64_t status;
	enter(map, BASE, pages + 1, NULL, PRIVATE);
	for (uint64_t i = 0; i <= pages; i++)
		user_put(map, BASE + i * PAGE_SIZE, 1);
	do {
		budget = WORK_STEP;
		steps++;
	} while (!map_remove_some(map, BASE, BASE + pages * PAGE_SIZE, &budget, &status));
	cr_assert_eq(status, KERN_SUCCESS);
	cr_assert_geq(steps, 5);
	cr_assert_eq(root_ledger.pages, 1);
	cr_assert_eq(user_get(map, BASE + pages * PAGE_SIZE), 1);
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, other_cpus_are_told)
{
	struct vm_map *map = fakes_map();
	enter(map, BASE, 4, NULL, PRIVATE);
	fakes_run_cpu(1);
	user_put(map, BASE, 1);
	fakes_run_cpu(0);
	user_put(map, BASE, 2);
	cr_assert_eq(host_shootdowns, 0, "new PTEs need none");
	cr_assert_eq(map_protect(map, BASE, PAGE_SIZE, VM_READ, false), KERN_SUCCESS);
	cr_assert_eq(host_shootdowns, 1);
	fakes_run_cpu(1);
	cr_assert_eq(user_fails(map, BASE, true), FAULT_PROTECTION);
	fakes_run_cpu(0);
	vm_map_activate(NULL);
	fakes_run_cpu(1);
	cr_assert_eq(vm_map_remove(map, BASE, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(host_shootdowns, 1, "loaded here only");
	cr_assert_eq(user_fails(map, BASE, false), FAULT_UNMAPPED);
	fakes_run_cpu(0);
	cr_assert_not(vm_map_destroy_step(map), "loaded on the other CPU");
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, information_page)
{
	struct vm_map *map = fakes_map();
	uint64_t bytes = root_ledger.bytes;
	*(uint64_t *)kernel_info_page = 42;
	cr_assert_eq(user_get(map, KERNEL_INFO_ADDRESS), 42);
	cr_assert_eq(user_fails(map, KERNEL_INFO_ADDRESS, true), FAULT_PROTECTION);
	cr_assert_eq(root_ledger.bytes, bytes, "costs nothing");
	cr_assert_eq(map->pmap.root[300], kernel_pml4[300], "the kernel's half");
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(map, endpoint_pages_stay_with_the_kernel)
{
	struct vm_map *map = fakes_map(), *child = fakes_map();
	void *pages[4];
	for (uint64_t i = 0; i < 4; i++) {
		pages[i] = page_allocate();
		*(uint64_t *)pages[i] = 100 + i;
	}
	cr_assert_eq(vm_map_enter_pages(map, BASE, pages, 4, VM_READ | VM_WRITE), (int64_t)BASE);
	cr_assert_eq(root_ledger.pages, 0);
	user_put(map, BASE + 8, 7);
	cr_assert_eq(((uint64_t *)pages[0])[1], 7);
	cr_assert_eq(vm_map_duplicate(map, child, true), KERN_SUCCESS);
	cr_assert_eq(child->count, 0);
	cr_assert_eq(vm_map_enter_pages(map, BASE + 2 * PAGE_SIZE, pages, 4, VM_READ), KERN_NAME_EXISTS);
	cr_assert_eq(vm_map_remove(map, BASE, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(*(uint64_t *)pages[0], 100, "unmapped, not freed");
	for (uint64_t i = 0; i < 4; i++)
		page_release(pages[i]);
	cr_assert_eq(user_get(map, BASE + PAGE_SIZE), 101, "the mapping still holds it");
	fakes_map_destroy(map);
	fakes_map_destroy(child);
	fakes_check_empty();
}

Test(map, ledger_at_the_limit)
{
	struct ledger *ledger = ledger_create(&root_ledger, 3, 1 << 20);
	struct vm_map *map = vm_map_create(ledger);
	enter(map, BASE, 10, NULL, PRIVATE);
	for (uint64_t i = 0; i < 3; i++)
		user_put(map, BASE + i * PAGE_SIZE, 1);
	cr_assert_eq(user_fails(map, BASE + 3 * PAGE_SIZE, true), FAULT_NO_MEMORY);
	cr_assert_eq(ledger->pages, 3);
	cr_assert_eq(vm_map_remove(map, BASE, PAGE_SIZE), KERN_SUCCESS);
	user_put(map, BASE + 3 * PAGE_SIZE, 1);
	struct vm_map *child = vm_map_create(ledger);
	cr_assert_eq(vm_map_duplicate(map, child, false), KERN_NO_MEMORY);
	fakes_map_destroy(child);
	cr_assert_eq(ledger->pages, 3);
	fakes_map_destroy(map);
	object_unref(OBJECT(ledger));
	fakes_check_empty();
}

Test(map, kernel_memory_at_the_limit)
{
	/* Whatever step fails, nothing leaks. */
	for (uint64_t limit = 0; limit < 60000; limit += 500) {
		struct ledger *ledger = ledger_create(&root_ledger, 1000, limit);
		struct vm_map *map = vm_map_create(ledger), *child;
		if (map != NULL) {
			if (vm_map_enter(map, BASE, 10 * PAGE_SIZE, NULL, 0, VM_FIXED | PRIVATE, 7) >= 0) {
				for (uint64_t i = 0; i < 10; i++)
					user_fails(map, BASE + i * PAGE_SIZE, true);
				map_protect(map, BASE + PAGE_SIZE, PAGE_SIZE, VM_READ, false);
				child = vm_map_create(ledger);
				if (child != NULL) {
					vm_map_duplicate(map, child, false);
					user_fails(child, BASE, true);
					fakes_map_destroy(child);
				}
			}
			fakes_map_destroy(map);
		}
		cr_assert_eq(ledger->bytes, 0);
		cr_assert_eq(ledger->pages, 0);
		object_unref(OBJECT(ledger));
	}
	fakes_check_empty();
}
