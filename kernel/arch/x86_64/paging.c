/*
 * The kernel's own page table: direct map and image. Made once; its upper half is shared by all address spaces (pmap.c) and
 * never changes afterwards, so no kernel mapping ever needs a shootdown.
 *
 * The direct map is writable and not executable; the image is mapped by pages: text executable, read-only data, data.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>
#include <kernel/vm/vm.h>

#define LARGE_PAGE UINT64_C(0x200000)
#define DEVICES_END UINT64_C(0x100000000)

extern char kernel_text_begin[], kernel_text_end[], kernel_rodata_begin[], kernel_rodata_end[], kernel_data_begin[],
	kernel_image_end[];

uint64_t *kernel_pml4;
struct kernel_info *kernel_info_page;
struct cpu_stacks cpu_stacks[CPUS_MAX] __attribute__((aligned(4096), section(".bss.stacks")));

static uint64_t *table_below(uint64_t *entry)
{
	if ((*entry & PTE_PRESENT) == 0)
		*entry = early_allocate(PAGE_SIZE) | PTE_WRITE | PTE_PRESENT;
	return direct(*entry & ~UINT64_C(0xfff));
}

/* The entry of the lowest level for an address: of the page directory for large pages. */
static uint64_t *table_entry(uint64_t address, bool large)
{
	uint64_t *pdpt = table_below(&kernel_pml4[address >> 39 & 511]);
	uint64_t *pd = table_below(&pdpt[address >> 30 & 511]);

	if (large)
		return &pd[address >> 21 & 511];
	return &table_below(&pd[address >> 21 & 511])[address >> 12 & 511];
}

static void map_image(const char *begin, const char *end, uint64_t flags)
{
	for (uint64_t a = (uint64_t)begin; a < (uint64_t)end; a += PAGE_SIZE)
		*table_entry(a, false) = (a - KERNEL_BASE) | flags | PTE_GLOBAL | PTE_PRESENT;
}

static void unmap_guards(struct cpu_stacks *stacks)
{
	*table_entry((uint64_t)stacks->guard, false) = 0;
	for (int i = 0; i < IST_COUNT; i++)
		*table_entry((uint64_t)stacks->ist[i].guard, false) = 0;
}

void paging_init(void)
{
	uint64_t end = memory_top > DEVICES_END ? memory_top : DEVICES_END;

	kernel_pml4 = direct(early_allocate(PAGE_SIZE));
	for (uint64_t p = 0; p < end; p += LARGE_PAGE)
		*table_entry(DIRECT_MAP + p, true) = p | PTE_NX | PTE_GLOBAL | PTE_LARGE | PTE_WRITE | PTE_PRESENT;
	map_image(kernel_text_begin, kernel_text_end, 0);
	map_image(kernel_rodata_begin, kernel_rodata_end, PTE_NX);
	map_image(kernel_data_begin, kernel_image_end, PTE_NX | PTE_WRITE);
	for (int i = 0; i < CPUS_MAX; i++)
		unmap_guards(&cpu_stacks[i]);
	cr3_write((uint64_t)kernel_pml4 - DIRECT_MAP);
	kernel_info_page = direct(early_allocate(PAGE_SIZE));
}

void paging_finish(void)
{
	for (uint32_t i = 0; i < memory_range_count; i++) {
		const struct memory_range *r = &memory_ranges[i];
		if (r->begin < r->end)
			page_add_range(r->begin, r->end - r->begin);
	}
	memory_range_count = 0;
}
