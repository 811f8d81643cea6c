/*
 * Physical pages. The lowest layer of kernel/vm: above are kalloc, page tables and memory objects; nothing below but
 * the direct map.
 *
 * Free pages lie in buddy lists (blocks of up to 4 MiB, for contiguous memory) with two stacks of single pages in
 * front: `zeroed` and `dirty`. Links are kept in the free pages. struct page arrays are built for sections of 32 MiB as
 * RAM is added, in that RAM.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

#define SECTION_SHIFT 13 /* pages */
#define SECTION_PAGES (1u << SECTION_SHIFT)
#define SECTIONS_MAX 4096u /* 128 GiB */
#define SECTION_ARRAY_SIZE (SECTION_PAGES * sizeof(struct page))

#define ORDER_MAX 10u
#define PAGE_IN_USE 0xff

/* Single pages kept in front of the buddy lists, and moved to and from them at a time. */
#define STACK_MAX 1024u
#define STACK_BATCH 64u
#define ZEROED_TARGET 512u

struct free_link {
	struct free_link *next;
};

struct page_stack {
	struct free_link *top;
	uint64_t count;
};

uint64_t pages_total, pages_free, pages_kernel;

static struct page *sections[SECTIONS_MAX];
static struct list blocks[ORDER_MAX + 1];
static struct page_stack zeroed, dirty;

struct page *page_find(uint64_t number)
{
	uint64_t section = number >> SECTION_SHIFT;
	if (section >= SECTIONS_MAX || sections[section] == NULL)
		return NULL;
	return &sections[section][number & (SECTION_PAGES - 1)];
}

bool page_range_managed(uint64_t first, uint64_t end)
{
	while (first < end && first >> SECTION_SHIFT < SECTIONS_MAX) {
		const struct page *page = page_find(first);
		if (page != NULL && page->managed)
			return true;
		first = page != NULL ? first + 1 : (first | (SECTION_PAGES - 1)) + 1;
	}
	return false;
}

static inline uint64_t number_of(const void *address)
{
	return ((uint64_t)address - DIRECT_MAP) >> PAGE_SHIFT;
}

uint64_t page_physical(const void *page)
{
	return (uint64_t)page - DIRECT_MAP;
}
void *page_virtual(uint64_t physical)
{
	return (void *)(DIRECT_MAP + physical);
}

/* ---- buddy lists ---- */

static struct list *block_link(const struct page *page)
{
	return page_address(page);
}

static void block_put(struct page *page, unsigned order)
{
	while (order < ORDER_MAX) {
		struct page *buddy = page_find(page->number ^ 1u << order);
		if (buddy == NULL || buddy->refs != 0 || buddy->order != order)
			break;
		list_remove(block_link(buddy));
		buddy->order = PAGE_IN_USE;
		if (buddy->number < page->number)
			page = buddy;
		order++;
	}
	page->order = (uint8_t)order;
	list_push_front(&blocks[order], block_link(page));
}

static struct page *block_take(unsigned order)
{
	unsigned have = order;
	while (have <= ORDER_MAX && list_empty(&blocks[have]))
		have++;
	if (have > ORDER_MAX)
		return NULL;
	struct page *page = page_find(number_of(list_pop(&blocks[have])));
	page->order = PAGE_IN_USE;
	while (have > order) {
		have--;
		struct page *half = page + (1u << have);
		half->order = (uint8_t)have;
		list_push_front(&blocks[have], block_link(half));
	}
	return page;
}

/* ---- stacks ---- */

static inline void stack_push(struct page_stack *stack, struct page *page)
{
	struct free_link *link = page_address(page);
	link->next = stack->top;
	stack->top = link;
	stack->count++;
}

static inline struct page *stack_pop(struct page_stack *stack)
{
	struct free_link *link = stack->top;
	if (link == NULL)
		return NULL;
	stack->top = link->next;
	stack->count--;
	link->next = NULL; /* a zeroed page is zero again */
	return page_find(number_of(link));
}

static void stack_spill(struct page_stack *stack, uint64_t count)
{
	while (count-- != 0 && stack->top != NULL)
		block_put(stack_pop(stack), 0);
}

/* Breaks one block into single pages on the dirty stack. */
static void stack_refill(void)
{
	unsigned order = 6;
	struct page *page;
	while ((page = block_take(order)) == NULL)
		if (order-- == 0)
			return;
	for (unsigned i = 1u << order; i-- != 0;)
		stack_push(&dirty, &page[i]);
}

/* ---- single pages ---- */

struct page *page_take_dirty(void)
{
	if (dirty.top == NULL)
		stack_refill();
	struct page *page = stack_pop(&dirty);
	if (page == NULL)
		page = stack_pop(&zeroed);
	if (page == NULL)
		return NULL;
	page->refs = 1;
	pages_free--;
	return page;
}

struct page *page_take_zeroed(void)
{
	struct page *page = stack_pop(&zeroed);
	if (page != NULL) {
		page->refs = 1;
		pages_free--;
		return page;
	}
	page = page_take_dirty();
	if (page != NULL)
		page_clear(page_address(page));
	return page;
}

void page_free(struct page *page)
{
	pages_free++;
	stack_push(&dirty, page);
	if (dirty.count > STACK_MAX)
		stack_spill(&dirty, STACK_BATCH);
}

void page_drop_zeroed(struct page *page)
{
	if (zeroed.count >= ZEROED_TARGET) {
		page_drop(page);
		return;
	}
	if (--page->refs != 0)
		return;
	pages_free++;
	stack_push(&zeroed, page);
}

bool page_zero_ahead(void)
{
	if (zeroed.count >= ZEROED_TARGET)
		return false;
	if (dirty.top == NULL)
		stack_refill();
	struct page *page = stack_pop(&dirty);
	if (page == NULL)
		return false;
	page_clear(page_address(page));
	stack_push(&zeroed, page);
	return true;
}

void *page_allocate(void)
{
	struct page *page = page_take_zeroed();
	return page != NULL ? page_address(page) : NULL;
}

void page_release(void *page)
{
	page_drop(page_find(number_of(page)));
}

/* ---- contiguous pages ---- */

void *page_allocate_contiguous(unsigned order)
{
	if (order > ORDER_MAX)
		return NULL;
	struct page *page = block_take(order);
	if (page == NULL) {
		stack_spill(&dirty, dirty.count);
		stack_spill(&zeroed, zeroed.count);
		page = block_take(order);
	}
	if (page == NULL)
		return NULL;
	pages_free -= 1ul << order;
	for (unsigned i = 0; i < 1u << order; i++) {
		page[i].refs = 1;
		page_clear(page_address(&page[i]));
	}
	return page_address(page);
}

void page_release_contiguous(void *page, unsigned order)
{
	struct page *first = page_find(number_of(page));
	bool whole = true;
	for (unsigned i = 0; i < 1u << order; i++)
		whole &= first[i].refs == 1;
	for (unsigned i = 0; i < 1u << order; i++) {
		if (!whole)
			page_drop(&first[i]);
		else
			first[i].refs = 0;
	}
	if (whole) {
		pages_free += 1ul << order;
		block_put(first, order);
	}
}

/* ---- RAM ---- */

/* Makes the page arrays of the sections in [first, end) out of the beginning of that range; returns the first page
 * left. */
static uint64_t sections_build(uint64_t first, uint64_t end)
{
	uint64_t array_pages = SECTION_ARRAY_SIZE >> PAGE_SHIFT;
	for (uint64_t s = first >> SECTION_SHIFT; s <= (end - 1) >> SECTION_SHIFT; s++) {
		if (sections[s] != NULL)
			continue;
		if (end - first < array_pages)
			return end;
		struct page *array = page_virtual(first << PAGE_SHIFT);
		memory_clear(array, SECTION_ARRAY_SIZE);
		for (unsigned i = 0; i < SECTION_PAGES; i++) {
			array[i].number = (uint32_t)(s << SECTION_SHIFT | i);
			array[i].order = PAGE_IN_USE;
			array[i].refs = 1; /* nobody's: reserved or not RAM */
		}
		sections[s] = array;
		first += array_pages;
	}
	return first;
}

void page_add_range(uint64_t physical, uint64_t size)
{
	if (blocks[0].next == NULL)
		for (unsigned i = 0; i <= ORDER_MAX; i++)
			list_init(&blocks[i]);
	uint64_t first = PAGE_ROUND(physical) >> PAGE_SHIFT, end = (physical + size) >> PAGE_SHIFT;
	if (first == 0)
		first = 1; /* physical 0 stays nobody's */
	if (end > (uint64_t)SECTIONS_MAX << SECTION_SHIFT)
		end = (uint64_t)SECTIONS_MAX << SECTION_SHIFT;
	if (first >= end)
		return;
	pages_total += end - first;
	uint64_t usable = sections_build(first, end);
	pages_kernel += usable - first;
	for (uint64_t n = first; n < end && page_find(n) != NULL; n++) {
		page_find(n)->managed = true;
		page_find(n)->refs = n < usable;
	}
	pages_free += end - usable;
	while (usable < end) {
		unsigned order = 0;
		while (order < ORDER_MAX && (usable & 1ul << order) == 0 && usable + (2ul << order) <= end)
			order++;
		block_put(page_find(usable), order);
		usable += 1ul << order;
	}
}
