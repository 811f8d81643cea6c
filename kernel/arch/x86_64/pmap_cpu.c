/* The privileged instructions of pmap.c, apart so that the host tests can do without them. */
#include <kernel/arch/x86_64/pmap.h>

void pmap_load(uint64_t root_physical)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(root_physical) : "memory");
}

void pmap_invalidate(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void pmap_invalidate_all(void)
{
	uint64_t root;
	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=&r"(root) : : "memory");
}
