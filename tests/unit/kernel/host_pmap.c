/*
 * The CPU half of the page tables, on the host: a TLB for each CPU that remembers translations until they are
 * invalidated, as a real one does. Tests reach user memory through host_user only, so a flush that was forgotten shows
 * as a stale read or write.
 */
#include "host_pmap.h"
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>
#include <stdlib.h>
#include <string.h>

#define TLB_SLOTS 256

static struct tlb_slot {
	uint64_t page; /* user address, 0: free */
	char *memory;
	bool writable;
} tlb[CPUS_MAX][TLB_SLOTS];

unsigned host_shootdowns;

static struct tlb_slot *slot_for(uint64_t address)
{
	return &tlb[cpu_current()->id][address >> PAGE_SHIFT & (TLB_SLOTS - 1)];
}

void pmap_load(uint64_t root_physical)
{
	(void)root_physical;
	pmap_invalidate_all();
}

void pmap_invalidate(uint64_t address)
{
	if (slot_for(address)->page == (address & ~(PAGE_SIZE - 1)))
		slot_for(address)->page = 0;
}

void pmap_invalidate_all(void)
{
	memset(tlb[cpu_current()->id], 0, sizeof(tlb[0]));
}

void tlb_shootdown(struct vm_map *map, uint64_t start, uint64_t end)
{
	host_shootdowns++;
	for (uint32_t c = 0; c < cpu_count; c++)
		for (unsigned i = 0; i < TLB_SLOTS; i++)
			if (cpus[c].map == map && tlb[c][i].page >= start && tlb[c][i].page < end)
				tlb[c][i].page = 0;
}

void *host_user(struct vm_map *map, uint64_t address, bool write, int64_t *status, enum portico_fault *why)
{
	if (cpu_current()->map != map)
		vm_map_activate(map);
	*status = KERN_SUCCESS;
	for (int attempt = 0; attempt < 3; attempt++) {
		struct tlb_slot *slot = slot_for(address);
		uint64_t page = address & ~(PAGE_SIZE - 1);
		if (slot->page == page && (slot->writable || !write))
			return slot->memory + PAGE_OFFSET(address);
		char *memory = pmap_lookup(map, page, false);
		bool writable = pmap_lookup(map, page, true) != NULL;
		if (memory != NULL && (writable || !write)) {
			*slot = (struct tlb_slot){.page = page, .memory = memory, .writable = writable};
			continue;
		}
		*status = vm_fault(map, address, write ? VM_WRITE : VM_READ, why);
		if (*status != KERN_SUCCESS)
			return NULL;
	}
	abort(); /* a fault was served and is there again */
}
