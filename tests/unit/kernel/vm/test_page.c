/* Physical pages, kernel memory, ledgers, page trees. */
#include "fakes.h"
#include <stdlib.h>
#include <string.h>

TestSuite(page, .init = fakes_start);

static bool all_zero(const void *memory, size_t size)
{
	const unsigned char *bytes = memory;
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

Test(page, pages_are_zeroed_and_come_back)
{
	uint64_t before = pages_free;
	void *pages[200];
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 200; i++) {
			pages[i] = page_allocate();
			cr_assert(all_zero(pages[i], PAGE_SIZE));
			memset(pages[i], 0xa5, PAGE_SIZE);
		}
		cr_assert_eq(pages_free, before - 200);
		for (uint64_t i = 0; i < 200; i++)
			page_release(pages[i]);
		while (round == 1 && page_zero_ahead())
			;
	}
	cr_assert_eq(pages_free, before);
}

Test(page, memory_runs_out_and_recovers)
{
	uint64_t before = pages_free, count = 0;
	void *last = NULL, *page;
	while ((page = page_allocate()) != NULL) {
		*(void **)page = last;
		last = page;
		count++;
	}
	cr_assert_eq(count, before);
	cr_assert_eq(pages_free, 0);
	cr_assert_null(kalloc(100000, NULL));
	while (last != NULL) {
		void *next = *(void **)last;
		page_release(last);
		last = next;
	}
	cr_assert_eq(pages_free, before);
	/* All of it is whole again: 4 MiB blocks can be had. */
	page = page_allocate_contiguous(10);
	cr_assert_not_null(page);
	cr_assert_eq(page_physical(page) % (4 * MIB), 0);
	cr_assert(all_zero(page, 4 * MIB));
	page_release_contiguous(page, 10);
	cr_assert_eq(pages_free, before);
}

Test(page, contiguous_pages_can_be_released_one_by_one)
{
	uint64_t before = pages_free;
	char *block = page_allocate_contiguous(3);
	for (uint64_t i = 0; i < 8; i++)
		page_release(block + i * PAGE_SIZE);
	cr_assert_eq(pages_free, before);
}

Test(page, kalloc_sizes_do_not_overlap)
{
	uint64_t before = pages_free + pages_kernel, bytes = root_ledger.bytes;
	struct {
		unsigned char *memory;
		size_t size;
	} blocks[500];
	srand(1);
	memset(blocks, 0, sizeof(blocks));
	for (uint64_t i = 0; i < 20000; i++) {
		int n = rand() % 500;
		if (blocks[n].memory != NULL) {
			for (size_t b = 0; b < blocks[n].size; b++)
				cr_assert_eq(blocks[n].memory[b], (unsigned char)n);
			kfree(blocks[n].memory, blocks[n].size, &root_ledger);
			blocks[n].memory = NULL;
			continue;
		}
		size_t size = rand() % 20 == 0 ? (size_t)rand() % 20000 + 1 : (size_t)rand() % 600 + 1;
		blocks[n].memory = kalloc(size, &root_ledger);
		blocks[n].size = size;
		cr_assert_not_null(blocks[n].memory);
		cr_assert(all_zero(blocks[n].memory, size));
		memset(blocks[n].memory, n, size);
	}
	for (uint64_t n = 0; n < 500; n++)
		kfree(blocks[n].memory, blocks[n].size, &root_ledger);
	cr_assert_eq(pages_free + pages_kernel, before);
	cr_assert_eq(root_ledger.bytes, bytes);
}

Test(page, managed_ranges)
{
	uint64_t first = ARENA_PHYSICAL >> PAGE_SHIFT, end = (ARENA_PHYSICAL + ARENA_SIZE) >> PAGE_SHIFT;
	cr_assert(page_range_managed(first, first + 1));
	cr_assert(page_range_managed(0, first + 1));
	cr_assert(page_range_managed(end - 1, end + 100));
	cr_assert_not(page_range_managed(0, first));
	cr_assert_not(page_range_managed(end, UINT64_C(1) << 40));
}

/* ---- ledgers ---- */

Test(page, ledgers_limit_each_level)
{
	struct ledger *outer = ledger_create(&root_ledger, 10, 100000), *inner = ledger_create(outer, 20, 50000);
	cr_assert(ledger_charge_pages(inner, 10));
	cr_assert_not(ledger_charge_pages(inner, 1), "the outer limit counts");
	cr_assert_eq(inner->pages, 10, "a failed charge leaves nothing");
	cr_assert_eq(root_ledger.pages, 10);
	ledger_credit_pages(inner, 10);
	cr_assert_not(ledger_charge_bytes(inner, 50001));
	cr_assert(ledger_charge_bytes(inner, 50000));
	ledger_credit_bytes(inner, 50000);
	object_unref(OBJECT(outer));
	cr_assert_eq(object_counts[KOBJ_LEDGER], 2, "the inner ledger keeps the outer one");
	object_unref(OBJECT(inner));
	cr_assert_eq(object_counts[KOBJ_LEDGER], 0);
	fakes_check_empty();
}

Test(page, kalloc_respects_the_ledger)
{
	struct ledger *ledger = ledger_create(&root_ledger, 0, 1000);
	void *a = kalloc(600, ledger);
	cr_assert_not_null(a);
	cr_assert_null(kalloc(600, ledger));
	kfree(a, 600, ledger);
	a = kalloc(600, ledger);
	cr_assert_not_null(a);
	kfree(a, 600, ledger);
	object_unref(OBJECT(ledger));
	fakes_check_empty();
}

/* ---- page trees ---- */

static struct page *fresh(void)
{
	struct page *page = page_take_zeroed();
	cr_assert_not_null(page);
	return page;
}

Test(page, trees_find_what_was_set)
{
	static const uint64_t indices[] = {0, 3, 4, 63, 64, 4095, 4096, 1000000, OBJECT_PAGES_MAX - 1};
	struct page_tree tree = {0};
	struct page *pages[9];
	for (uint64_t i = 0; i < 9; i++) {
		pages[i] = fresh();
		cr_assert(page_tree_set(&tree, indices[i], pages[i], &root_ledger));
		for (uint64_t j = 0; j <= i; j++)
			cr_assert(page_tree_get(&tree, indices[j]) == pages[j]);
		cr_assert_null(page_tree_get(&tree, indices[i] + 1));
	}
	uint64_t at = 0;
	for (uint64_t i = 0; i < 9; i++, at++) {
		cr_assert(page_tree_next(&tree, &at));
		cr_assert_eq(at, indices[i]);
	}
	cr_assert_not(page_tree_next(&tree, &at));
	cr_assert_eq(page_tree_count(&tree, 4, 4096), 4);

	struct page_tree copy = {0};
	uint64_t count;
	cr_assert(page_tree_clone(&tree, &copy, 3, 1000001, &root_ledger, &count));
	cr_assert_eq(count, 7);
	cr_assert_null(page_tree_get(&copy, 0));
	cr_assert(page_tree_get(&copy, 4095) == pages[5]);
	cr_assert_eq(pages[5]->refs, 2);

	cr_assert_eq(page_tree_clear(&tree, 0, OBJECT_PAGES_MAX, 4, &root_ledger), 4, "no more than the budget");
	cr_assert_eq(page_tree_clear(&tree, 0, OBJECT_PAGES_MAX, 100, &root_ledger), 5);
	cr_assert_eq(page_tree_clear(&copy, 0, OBJECT_PAGES_MAX, 100, &root_ledger), 7);
	cr_assert_eq(tree.height, 0);
	fakes_check_empty();
}

Test(page, trees_survive_lack_of_memory)
{
	struct ledger *ledger = ledger_create(&root_ledger, 100, 3 * 576);
	struct page_tree tree = {0};
	struct page *page = fresh();
	cr_assert_not(page_tree_set(&tree, 1000000, page, ledger), "needs four nodes");
	cr_assert(page_tree_set(&tree, 2, page, ledger));
	cr_assert(page_tree_get(&tree, 2) == page);
	cr_assert_eq(page_tree_clear(&tree, 0, ~UINT64_C(0), ~UINT64_C(0), ledger), 1);
	cr_assert_eq(ledger->bytes, 0);
	object_unref(OBJECT(ledger));
	fakes_check_empty();
}

Test(page, trees_agree_with_an_array)
{
	enum { SIZE = 300 };
	struct page_tree tree = {0};
	struct page *array[SIZE] = {0};
	srand(7);
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t n = (uint64_t)rand() % SIZE, m = n + (uint64_t)rand() % 20, count = 0;
		if (rand() % 4 != 0) {
			if (array[n] == NULL) {
				array[n] = fresh();
				cr_assert(page_tree_set(&tree, n, array[n], &root_ledger));
			}
		} else {
			for (uint64_t k = n; k < m && k < SIZE; k++) {
				count += array[k] != NULL;
				array[k] = NULL;
			}
			cr_assert_eq(page_tree_count(&tree, n, m), count);
			cr_assert_eq(page_tree_clear(&tree, n, m, 1000, &root_ledger), count);
		}
		uint64_t next = n, expected = n;
		while (expected < SIZE && array[expected] == NULL)
			expected++;
		cr_assert_eq(page_tree_next(&tree, &next), expected < SIZE);
		cr_assert(expected >= SIZE || next == expected);
	}
	page_tree_clear(&tree, 0, SIZE, SIZE, &root_ledger);
	fakes_check_empty();
}
