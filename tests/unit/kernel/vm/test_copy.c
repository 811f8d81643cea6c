/* Copy on write: fork in all orders, shared and private mappings, regions in messages, kernel copies, futex keys. */
#include "fakes.h"

TestSuite(copy, .init = fakes_start);

static struct vm_map *duplicate(struct vm_map *from, bool share)
{
	struct vm_map *to = fakes_map();
	cr_assert_eq(vm_map_duplicate(from, to, share), KERN_SUCCESS);
	return to;
}

Test(copy, fork_either_side_writes_first)
{
	for (int order = 0; order < 4; order++) {
		struct vm_map *parent = fakes_map();
		enter(parent, BASE, 6, NULL, PRIVATE);
		for (uint64_t i = 0; i < 4; i++)
			user_put(parent, BASE + i * PAGE_SIZE, i + 1);
		struct vm_map *child = duplicate(parent, false);
		struct vm_map *first = order & 1 ? child : parent, *second = order & 1 ? parent : child;
		cr_assert_eq(user_get(first, BASE), 1);
		user_put(first, BASE, 10);
		cr_assert_eq(user_get(second, BASE), 1);
		user_put(second, BASE, 20);
		cr_assert_eq(user_get(first, BASE), 10);
		user_put(first, BASE + 5 * PAGE_SIZE, 60);
		cr_assert_eq(user_get(second, BASE + 5 * PAGE_SIZE), 0);
		/* Whoever ends first, the other keeps its pages, and can write those that were shared. */
		struct vm_map *gone = order & 2 ? child : parent, *left = order & 2 ? parent : child;
		fakes_map_destroy(gone);
		for (uint64_t i = 1; i < 4; i++) {
			cr_assert_eq(user_get(left, BASE + i * PAGE_SIZE), i + 1);
			user_put(left, BASE + i * PAGE_SIZE, 7);
		}
		fakes_map_destroy(left);
		fakes_check_empty();
	}
}

Test(copy, fork_of_forks)
{
	struct vm_map *maps[6];
	maps[0] = fakes_map();
	enter(maps[0], BASE, 100, NULL, PRIVATE);
	for (uint64_t i = 0; i < 100; i++)
		user_put(maps[0], BASE + i * PAGE_SIZE, 1000 + i);
	for (uint64_t n = 1; n < 6; n++) {
		maps[n] = duplicate(maps[n - 1], false);
		user_put(maps[n], BASE + n * PAGE_SIZE, n);
	}
	for (uint64_t n = 0; n < 6; n++)
		for (uint64_t i = 0; i < 100; i++)
			cr_assert_eq(user_get(maps[n], BASE + i * PAGE_SIZE), i >= 1 && i <= n ? i : 1000 + i);
	cr_assert_eq(pages_total - pages_free - pages_kernel - 1, 105, "pages are shared");
	cr_assert_eq(root_ledger.pages, 600, "and charged to each");
	for (uint64_t n = 0; n < 6; n++)
		fakes_map_destroy(maps[(n * 5 + 2) % 6]);
	fakes_check_empty();
}

Test(copy, inheritance)
{
	struct vm_map *parent = fakes_map();
	enter(parent, BASE, 1, NULL, VM_READ | VM_WRITE | VM_INHERIT_SHARE);
	enter(parent, 2 * BASE, 1, NULL, VM_READ | VM_WRITE | VM_INHERIT_COPY);
	enter(parent, 3 * BASE, 1, NULL, VM_READ | VM_WRITE | VM_INHERIT_NONE);
	enter(parent, 4 * BASE, 1, NULL, VM_READ | VM_WRITE | VM_INHERIT_ALWAYS_COPY);
	for (uint64_t i = 2; i <= 4; i++)
		user_put(parent, i * BASE, i);
	for (uint64_t share = 0; share < 2; share++) {
		struct vm_map *child = duplicate(parent, share != 0);
		user_put(child, BASE, 11 + share);
		cr_assert_eq(user_get(parent, BASE), 11 + share, "shared, though nobody had touched it");
		user_put(child, 2 * BASE, 22);
		cr_assert_eq(user_get(parent, 2 * BASE), share ? 22 : 2);
		cr_assert_eq(user_fails(child, 3 * BASE, false), FAULT_UNMAPPED);
		user_put(child, 4 * BASE, 44);
		cr_assert_eq(user_get(parent, 4 * BASE), 4);
		fakes_map_destroy(child);
		user_put(parent, 2 * BASE, 2);
	}
	fakes_map_destroy(parent);
	fakes_check_empty();
}

Test(copy, fork_of_shared_address_spaces)
{
	struct vm_map *a = fakes_map();
	enter(a, BASE, 2, NULL, PRIVATE);
	user_put(a, BASE, 1);
	struct vm_map *b = duplicate(a, true);
	user_put(b, BASE, 2);
	struct vm_map *c = duplicate(b, false);
	user_put(a, BASE, 3);
	cr_assert_eq(user_get(b, BASE), 3, "the copy that a made is b's too");
	cr_assert_eq(user_get(c, BASE), 2);
	user_put(b, BASE + PAGE_SIZE, 9);
	cr_assert_eq(user_get(a, BASE + PAGE_SIZE), 9);
	fakes_map_destroy(a);
	cr_assert_eq(user_get(b, BASE), 3);
	fakes_map_destroy(b);
	fakes_map_destroy(c);
	fakes_check_empty();
}

Test(copy, fork_after_splitting)
{
	struct vm_map *parent = fakes_map();
	enter(parent, BASE, 90, NULL, PRIVATE);
	for (uint64_t i = 0; i < 90; i++)
		user_put(parent, BASE + i * PAGE_SIZE, i);
	cr_assert_eq(map_protect(parent, BASE + 30 * PAGE_SIZE, 30 * PAGE_SIZE, VM_READ, false), KERN_SUCCESS);
	struct vm_map *child = duplicate(parent, false);
	cr_assert_eq(map_protect(child, BASE, 90 * PAGE_SIZE, VM_READ | VM_WRITE, false), KERN_SUCCESS);
	for (uint64_t i = 0; i < 90; i++) {
		cr_assert_eq(user_get(child, BASE + i * PAGE_SIZE), i);
		user_put(child, BASE + i * PAGE_SIZE, 1000);
		cr_assert_eq(user_get(parent, BASE + i * PAGE_SIZE), i);
	}
	fakes_map_destroy(parent);
	fakes_map_destroy(child);
	fakes_check_empty();
}

/* ---- objects ---- */

static struct memory_object *named(uint64_t pages)
{
	struct memory_object *object = memory_object_create(pages * PAGE_SIZE, &root_ledger);
	cr_assert_not_null(object);
	return object;
}

Test(copy, shared_and_private_mappings_of_an_object)
{
	struct vm_map *a = fakes_map(), *b = fakes_map();
	struct memory_object *object = named(8);
	enter(a, BASE, 8, object, VM_READ | VM_WRITE);
	enter(b, BASE, 9, object, VM_READ | VM_WRITE | VM_COPY | VM_INHERIT_COPY);
	user_put(a, BASE, 1);
	cr_assert_eq(user_get(b, BASE), 1);
	user_put(a, BASE, 2);
	cr_assert_eq(user_get(b, BASE), 2, "not yet written: the object's page");
	user_put(b, BASE, 3);
	cr_assert_eq(user_get(a, BASE), 2);
	user_put(a, BASE, 4);
	cr_assert_eq(user_get(b, BASE), 3);
	user_put(a, BASE + PAGE_SIZE, 5);
	cr_assert_eq(user_get(b, BASE + PAGE_SIZE), 5, "other pages are still the object's");
	cr_assert_eq(user_fails(b, BASE + 8 * PAGE_SIZE, false), FAULT_BEYOND);
	cr_assert_eq(user_fails(b, BASE + 8 * PAGE_SIZE, true), FAULT_BEYOND);

	struct vm_map *c = duplicate(b, false);
	cr_assert_eq(user_get(c, BASE), 3);
	user_put(c, BASE + 2 * PAGE_SIZE, 6);
	user_put(c, BASE, 7);
	cr_assert_eq(user_get(b, BASE), 3);
	cr_assert_eq(user_get(b, BASE + 2 * PAGE_SIZE), 0);
	cr_assert_eq(user_get(a, BASE + 2 * PAGE_SIZE), 0);
	object_unref(OBJECT(object));
	fakes_map_destroy(a);
	cr_assert_eq(user_get(b, BASE + PAGE_SIZE), 5, "the private object keeps the one behind it");
	fakes_map_destroy(b);
	fakes_map_destroy(c);
	fakes_check_empty();
}

Test(copy, shrinking_an_object_takes_pages_from_all_mappings)
{
	struct vm_map *a = fakes_map(), *b = fakes_map();
	struct memory_object *object = named(4);
	port_name_t name = fakes_enter(OBJECT(object), ~0u);
	enter(a, BASE, 4, object, VM_READ | VM_WRITE);
	enter(b, BASE, 4, object, VM_READ | VM_WRITE | VM_COPY);
	user_put(b, BASE, 1);
	user_put(a, BASE + 3 * PAGE_SIZE, 9);
	cr_assert_eq(user_get(b, BASE + 3 * PAGE_SIZE), 9);
	cr_assert_eq(trap_handle_object_resize(name, PAGE_SIZE + 100, 0, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(user_fails(a, BASE + 3 * PAGE_SIZE, false), FAULT_BEYOND);
	cr_assert_eq(user_fails(b, BASE + 3 * PAGE_SIZE, false), FAULT_BEYOND);
	cr_assert_eq(trap_handle_object_resize(name, 4 * PAGE_SIZE, 0, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(user_get(a, BASE + 3 * PAGE_SIZE), 0);
	cr_assert_eq(user_get(b, BASE + 3 * PAGE_SIZE), 0);
	fakes_release(name);
	object_unref(OBJECT(object));
	fakes_map_destroy(a);
	fakes_map_destroy(b);
	fakes_check_empty();
}

Test(copy, clones_of_objects)
{
	struct vm_map *map = fakes_map();
	test_task.map = map;
	struct memory_object *object = named(100);
	port_name_t name = fakes_enter(OBJECT(object), ~0u);
	enter(map, BASE, 100, object, VM_READ | VM_WRITE);
	for (uint64_t i = 0; i < 100; i += 3)
		user_put(map, BASE + i * PAGE_SIZE, i + 1);
	int64_t whole = trap_handle_object_clone(name, 0, 100 * PAGE_SIZE, 0, 0, 0);
	int64_t part = trap_handle_object_clone(name, 30 * PAGE_SIZE, 10 * PAGE_SIZE, 0, 0, 0);
	cr_assert_gt(whole, 0);
	cr_assert_gt(part, 0);
	enter(map, 2 * BASE, 100, (struct memory_object *)fakes_object((port_name_t)whole), VM_READ | VM_WRITE);
	enter(map, 3 * BASE, 20, (struct memory_object *)fakes_object((port_name_t)part), VM_READ | VM_WRITE);
	for (uint64_t i = 0; i < 100; i += 3) {
		user_put(map, BASE + i * PAGE_SIZE, 0);
		cr_assert_eq(user_get(map, 2 * BASE + i * PAGE_SIZE), i + 1);
	}
	cr_assert_eq(user_get(map, 3 * BASE), 31);
	cr_assert_eq(user_get(map, 3 * BASE + 9 * PAGE_SIZE), 40);
	cr_assert_eq(user_fails(map, 3 * BASE + 10 * PAGE_SIZE, false), FAULT_BEYOND);
	user_put(map, 3 * BASE, 1);
	cr_assert_eq(user_get(map, 2 * BASE + 30 * PAGE_SIZE), 31);
	cr_assert_eq(trap_handle_object_clone(name, 1, PAGE_SIZE, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_clone(name, 0, 0, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_clone(name, PAGE_SIZE, ~UINT64_C(0), 0, 0, 0), KERN_INVALID_ARGUMENT);
	fakes_release(name);
	fakes_release((port_name_t)whole);
	fakes_release((port_name_t)part);
	object_unref(OBJECT(object));
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(copy, boot_images_are_mapped_copied_and_not_written)
{
	/* Memory that the allocator does not own: a page in front of the arena would do; one of the arena's serves. */
	struct vm_map *map = fakes_map();
	test_task.map = map;
	uint64_t *page = page_allocate();
	page[0] = 123;
	struct memory_object *image = memory_object_create_image(page_physical(page), PAGE_SIZE);
	port_name_t name = fakes_enter(OBJECT(image), ~0u);
	cr_assert_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, name, 0, VM_FIXED | VM_READ | VM_WRITE), KERN_NO_ACCESS);
	cr_assert_eq(trap_handle_vm_map(0, BASE, PAGE_SIZE, name, 0, VM_FIXED | VM_READ), (int64_t)BASE);
	cr_assert_eq(trap_handle_vm_map(0, 2 * BASE, PAGE_SIZE, name, 0,
	                                VM_FIXED | VM_READ | VM_WRITE | VM_COPY | VM_INHERIT_COPY),
	             (int64_t)(2 * BASE));
	cr_assert_eq(user_get(map, BASE), 123);
	user_put(map, 2 * BASE, 4);
	cr_assert_eq(page[0], 123);
	int64_t clone = trap_handle_object_clone(name, 0, PAGE_SIZE, 0, 0, 0);
	enter(map, 3 * BASE, 1, (struct memory_object *)fakes_object((port_name_t)clone), VM_READ | VM_WRITE);
	user_put(map, 3 * BASE + 8, 5);
	cr_assert_eq(user_get(map, 3 * BASE), 123);
	struct vm_map *child = duplicate(map, false);
	cr_assert_eq(user_get(child, 2 * BASE), 4);
	fakes_release(name);
	fakes_release((port_name_t)clone);
	object_unref(OBJECT(image));
	fakes_map_destroy(map);
	fakes_map_destroy(child);
	page_release(page);
	fakes_check_empty();
}

Test(copy, wired_memory)
{
	struct vm_map *map = fakes_map();
	test_task.map = map;
	int64_t name = trap_handle_object_create(5 * PAGE_SIZE, OBJECT_WIRED | OBJECT_CONTIGUOUS, 0, 0, 0, 0);
	cr_assert_gt(name, 0);
	cr_assert_eq(root_ledger.pages, 5);
	struct memory_object *object = (struct memory_object *)fakes_object((port_name_t)name);
	for (uint64_t i = 1; i < 5; i++)
		cr_assert_eq(page_tree_get(&object->tree, i)->number, page_tree_get(&object->tree, 0)->number + i);
	enter(map, BASE, 5, object, VM_READ | VM_WRITE | VM_INHERIT_COPY);
	user_put(map, BASE, 1);
	cr_assert_eq(trap_handle_object_clone((uint64_t)name, 0, PAGE_SIZE, 0, 0, 0), KERN_NOT_SUPPORTED);
	struct vm_map *child = duplicate(map, false), *sharer = duplicate(map, true);
	cr_assert_eq(user_fails(child, BASE, false), FAULT_UNMAPPED, "not copied");
	cr_assert_eq(user_get(sharer, BASE), 1);
	fakes_release((port_name_t)name);
	fakes_map_destroy(map);
	fakes_map_destroy(child);
	fakes_map_destroy(sharer);
	cr_assert_eq(trap_handle_object_create(PAGE_SIZE, OBJECT_CONTIGUOUS, 0, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_create(0, OBJECT_WIRED, 0, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_create(~UINT64_C(0), 0, 0, 0, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap_handle_object_create(UINT64_C(1) << 30, OBJECT_WIRED, 0, 0, 0, 0), KERN_TOO_LARGE);
	fakes_check_empty();
}

/* ---- regions ---- */

Test(copy, regions_are_copied)
{
	struct vm_map *from = fakes_map(), *to = fakes_map();
	struct vm_region region;
	enter(from, BASE, 10, NULL, PRIVATE);
	for (uint64_t i = 0; i < 10; i += 2)
		user_put(from, BASE + i * PAGE_SIZE, i + 1);
	cr_assert_eq(vm_region_take(from, BASE + PAGE_SIZE, 6 * PAGE_SIZE, false, &region), KERN_SUCCESS);
	user_put(from, BASE + 2 * PAGE_SIZE, 99);
	int64_t at = vm_region_map(to, &region);
	cr_assert_gt(at, 0);
	cr_assert_eq(user_get(to, (uint64_t)at), 0);
	cr_assert_eq(user_get(to, (uint64_t)at + PAGE_SIZE), 3);
	user_put(to, (uint64_t)at + 3 * PAGE_SIZE, 8);
	cr_assert_eq(user_get(from, BASE + 4 * PAGE_SIZE), 5);
	cr_assert_eq(vm_region_take(from, BASE + PAGE_SIZE, PAGE_SIZE, false, &region), KERN_SUCCESS);
	vm_region_release(&region);
	fakes_map_destroy(from);
	fakes_map_destroy(to);
	fakes_check_empty();
}

Test(copy, regions_are_moved)
{
	struct vm_map *from = fakes_map(), *to = fakes_map();
	struct vm_region region;
	enter(from, BASE, 10, NULL, PRIVATE);
	for (uint64_t i = 0; i < 10; i++)
		user_put(from, BASE + i * PAGE_SIZE, i + 1);
	cr_assert_eq(vm_region_take(from, BASE + 2 * PAGE_SIZE, 3 * PAGE_SIZE, true, &region), KERN_SUCCESS);
	cr_assert_eq(root_ledger.pages, 10, "not copied");
	cr_assert_eq(user_fails(from, BASE + 2 * PAGE_SIZE, false), FAULT_UNMAPPED);
	cr_assert_eq(user_get(from, BASE + 5 * PAGE_SIZE), 6);
	int64_t at = vm_region_map(to, &region);
	for (uint64_t i = 0; i < 3; i++) {
		cr_assert_eq(user_get(to, (uint64_t)at + i * PAGE_SIZE), i + 3);
		user_put(to, (uint64_t)at + i * PAGE_SIZE, 0);
	}
	cr_assert_eq(vm_map_remove(to, (uint64_t)at, 3 * PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(root_ledger.pages, 7);
	/* What cannot change hands is copied and unmapped. */
	struct memory_object *object = named(2);
	enter(from, 2 * BASE, 2, object, VM_READ | VM_WRITE);
	user_put(from, 2 * BASE, 5);
	cr_assert_eq(vm_region_take(from, 2 * BASE, 2 * PAGE_SIZE, true, &region), KERN_SUCCESS);
	cr_assert_eq(user_fails(from, 2 * BASE, false), FAULT_UNMAPPED);
	at = vm_region_map(to, &region);
	cr_assert_eq(user_get(to, (uint64_t)at), 5);
	object_unref(OBJECT(object));
	fakes_map_destroy(from);
	fakes_map_destroy(to);
	fakes_check_empty();
}

Test(copy, regions_over_several_entries)
{
	struct vm_map *from = fakes_map(), *to = fakes_map();
	struct memory_object *object = named(4);
	struct vm_region region;
	enter(from, BASE, 4, NULL, PRIVATE);
	enter(from, BASE + 4 * PAGE_SIZE, 4, object, VM_READ | VM_WRITE | VM_COPY);
	enter(from, BASE + 8 * PAGE_SIZE, 4, NULL, VM_READ);
	user_put(from, BASE, 1);
	user_put(from, BASE + 5 * PAGE_SIZE, 6);
	cr_assert_eq(vm_region_take(from, BASE, 12 * PAGE_SIZE, false, &region), KERN_SUCCESS);
	int64_t at = vm_region_map(to, &region);
	user_put(from, BASE, 2);
	cr_assert_eq(user_get(to, (uint64_t)at), 1);
	cr_assert_eq(user_get(to, (uint64_t)at + 5 * PAGE_SIZE), 6);
	cr_assert_eq(user_get(to, (uint64_t)at + 11 * PAGE_SIZE), 0);
	cr_assert_eq(vm_region_take(from, BASE, 13 * PAGE_SIZE, false, &region), KERN_FAULT);
	cr_assert_eq(vm_region_take(from, BASE + 1, PAGE_SIZE, false, &region), KERN_INVALID_ARGUMENT);
	cr_assert_eq(vm_region_take(from, BASE, 0, false, &region), KERN_INVALID_ARGUMENT);
	cr_assert_eq(vm_region_take(from, BASE, ~UINT64_C(0), false, &region), KERN_INVALID_ARGUMENT);
	cr_assert_eq(map_protect(from, BASE, PAGE_SIZE, 0, false), KERN_SUCCESS);
	cr_assert_eq(vm_region_take(from, BASE, PAGE_SIZE, false, &region), KERN_FAULT, "not readable");
	object_unref(OBJECT(object));
	fakes_map_destroy(from);
	fakes_map_destroy(to);
	fakes_check_empty();
}

/* ---- kernel copies ---- */

Test(copy, kernel_copies_stop_at_what_is_not_there)
{
	struct vm_map *a = fakes_map(), *b = fakes_map();
	char buffer[3 * PAGE_SIZE];
	enter(a, BASE, 2, NULL, PRIVATE);
	enter(b, BASE, 2, NULL, PRIVATE);
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (char)(i * 7);
	cr_assert_eq(vm_copy_out(a, BASE + 100, buffer, sizeof(buffer)), 2 * PAGE_SIZE - 100);
	cr_assert_eq(vm_copy(b, BASE + 5, a, BASE + 101, 5000), 5000);
	char back[5000];
	cr_assert_eq(vm_copy_in(b, back, BASE + 5, 5000), 5000);
	cr_assert_arr_eq(back, buffer + 1, 5000);
	cr_assert_eq(vm_copy_in(b, back, BASE - 1, 10), 0);
	cr_assert_eq(vm_copy_in(b, back, 0xffff888000000000, 10), 0);
	cr_assert_eq(vm_copy_in(b, back, ~UINT64_C(0) - 3, 10), 0);
	cr_assert_eq(vm_copy_out(b, KERNEL_INFO_ADDRESS, back, 8), 0);
	cr_assert_eq(vm_copy_in(b, back, KERNEL_INFO_ADDRESS, 8), 8);
	struct vm_map *child = duplicate(a, false);
	cr_assert_eq(vm_copy_out(child, BASE + 100, back, 10), 10);
	cr_assert_eq(vm_copy_in(a, back, BASE + 100, 10), 10);
	cr_assert_arr_eq(back, buffer, 10, "the copy was the child's alone");
	cr_assert_eq(map_protect(a, BASE, PAGE_SIZE, VM_READ, false), KERN_SUCCESS);
	cr_assert_eq(vm_copy_out(a, BASE, back, 10), 0);
	fakes_map_destroy(a);
	fakes_map_destroy(b);
	fakes_map_destroy(child);
	fakes_check_empty();
}

Test(copy, files_are_mapped_around_and_text_ahead)
{
	struct vm_map *map = fakes_map(), *other = fakes_map();
	struct memory_object *file = named(100);
	enter(other, BASE, 100, file, VM_READ | VM_WRITE);
	for (uint64_t i = 0; i < 100; i += 2)
		user_put(other, BASE + i * PAGE_SIZE, i + 1);
	enter(map, BASE, 100, file, VM_READ | VM_EXECUTE | VM_COPY | VM_INHERIT_COPY);
	cr_assert_eq(user_get(map, BASE + 20 * PAGE_SIZE), 21);
	cr_assert_eq(map->resident, 8, "every second page of a window of 16");
	cr_assert_null(pmap_lookup(map, BASE + 22 * PAGE_SIZE, true));
	cr_assert_eq(user_get(map, BASE + 70 * PAGE_SIZE), 71);
	struct vm_map *child = duplicate(map, false);
	cr_assert_geq(child->resident, 16, "without a fault");
	for (uint64_t i = 0; i < 100; i += 2)
		cr_assert_eq(user_get(child, BASE + i * PAGE_SIZE), i + 1);
	/* When the file's page is replaced, all of them see the new one. */
	struct memory_object *clone;
	cr_assert_eq(object_clone(file, 0, 100, &root_ledger, NULL, &clone), KERN_SUCCESS);
	user_put(other, BASE + 20 * PAGE_SIZE, 5);
	cr_assert_eq(user_get(child, BASE + 20 * PAGE_SIZE), 5);
	cr_assert_eq(user_get(map, BASE + 20 * PAGE_SIZE), 5);
	object_unref(OBJECT(clone));
	object_unref(OBJECT(file));
	fakes_map_destroy(map);
	fakes_map_destroy(child);
	fakes_map_destroy(other);
	fakes_check_empty();
}

Test(copy, a_futex_key_survives_the_first_write)
{
	struct vm_map *map = fakes_map();
	struct memory_object *file = named(2);
	uint64_t before[2], after[2];
	uint32_t *word;
	enter(map, BASE, 2, file, VM_READ | VM_WRITE | VM_COPY | VM_INHERIT_COPY);
	cr_assert_eq(vm_futex_key(map, BASE + 8, true, before, &word), KERN_SUCCESS);
	user_put(map, BASE + 8, 1);
	cr_assert_eq(vm_futex_key(map, BASE + 8, true, after, &word), KERN_SUCCESS);
	cr_assert_arr_eq(before, after, sizeof(before));
	cr_assert_eq(*word, 1);
	object_unref(OBJECT(file));
	fakes_map_destroy(map);
	fakes_check_empty();
}

Test(copy, futex_keys)
{
	struct vm_map *a = fakes_map(), *b;
	uint64_t key_a[2], key_b[2];
	uint32_t *word;
	enter(a, BASE, 1, NULL, VM_READ | VM_WRITE | VM_INHERIT_SHARE);
	enter(a, 2 * BASE, 1, NULL, PRIVATE);
	user_put(a, BASE + 8, 5);
	b = duplicate(a, false);
	cr_assert_eq(vm_futex_key(a, BASE + 8, true, key_a, &word), KERN_SUCCESS);
	cr_assert_eq(*word, 5);
	cr_assert_eq(vm_futex_key(b, BASE + 8, true, key_b, &word), KERN_SUCCESS);
	cr_assert_arr_eq(key_a, key_b, sizeof(key_a));
	cr_assert_eq(vm_futex_key(b, BASE + 12, true, key_b, &word), KERN_SUCCESS);
	cr_assert_neq(key_a[1], key_b[1]);
	cr_assert_eq(vm_futex_key(a, 2 * BASE, false, key_a, &word), KERN_SUCCESS, "made resident");
	cr_assert_eq(vm_futex_key(b, 2 * BASE, false, key_b, &word), KERN_SUCCESS);
	cr_assert_neq(key_a[0], key_b[0]);
	cr_assert_eq(vm_futex_key(a, BASE + 2, false, key_a, &word), KERN_INVALID_ARGUMENT);
	cr_assert_eq(vm_futex_key(a, 3 * BASE, false, key_a, &word), KERN_FAULT);
	fakes_map_destroy(a);
	fakes_map_destroy(b);
	fakes_check_empty();
}
