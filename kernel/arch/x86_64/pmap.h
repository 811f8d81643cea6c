/*
 * What pmap.c needs of the CPU, and the string instructions for pages. pmap_cpu.c has the privileged half; the host
 * tests replace it (tests/unit/kernel/host_pmap.c), so that the page-table code itself runs in them.
 */
#ifndef KERNEL_ARCH_X86_64_PMAP_H
#define KERNEL_ARCH_X86_64_PMAP_H

#include <stddef.h>
#include <stdint.h>

/* Load a page table: physical address of its PML4. Flushes the TLB, but for global pages. */
void pmap_load(uint64_t root_physical);
void pmap_invalidate(uint64_t address); /* this CPU's TLB entry */
void pmap_invalidate_all(void);         /* this CPU's TLB, but for global pages */

static inline void page_clear(void *page)
{
	size_t count = 512;
	__asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0ul) : "memory");
}

static inline void page_copy(void *to, const void *from)
{
	size_t count = 512;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* Any length; eight bytes an instruction. */
static inline void memory_copy(void *to, const void *from, size_t length)
{
	size_t words = length >> 3, bytes = length & 7;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	if (bytes != 0)
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void memory_clear(void *to, size_t length)
{
	size_t words = length >> 3, bytes = length & 7;
	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0ul) : "memory");
	if (bytes != 0)
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(0ul) : "memory");
}

#endif
