/*
 * Copies to and from user memory, through the direct map: no user address is ever dereferenced, SMAP stays on. Above:
 * windows, traps with addresses; below: page tables, and faults that need not wait.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

void *vm_word(struct vm_map *map, uint64_t address, bool write)
{
	void *byte = pmap_lookup(map, address, write);
	struct page_place place;
	if (byte != NULL)
		return byte;
	if (fault_page(map, address, write ? VM_WRITE : VM_READ, &place) != KERN_SUCCESS || place.device)
		return NULL;
	return (char *)page_virtual(place.physical) + PAGE_OFFSET(address);
}

static inline size_t in_page(uint64_t address, size_t length)
{
	size_t rest = PAGE_SIZE - PAGE_OFFSET(address);
	return length < rest ? length : rest;
}

size_t vm_copy_in(struct vm_map *map, void *to, uint64_t from, size_t length)
{
	size_t done = 0;
	while (done < length) {
		size_t chunk = in_page(from + done, length - done);
		const void *byte = vm_word(map, from + done, false);
		if (byte == NULL)
			break;
		memory_copy((char *)to + done, byte, chunk);
		done += chunk;
	}
	return done;
}

size_t vm_copy_out(struct vm_map *map, uint64_t to, const void *from, size_t length)
{
	size_t done = 0;
	while (done < length) {
		size_t chunk = in_page(to + done, length - done);
		void *byte = vm_word(map, to + done, true);
		if (byte == NULL)
			break;
		memory_copy(byte, (const char *)from + done, chunk);
		done += chunk;
	}
	return done;
}

size_t vm_copy(struct vm_map *to_map, uint64_t to, struct vm_map *from_map, uint64_t from, size_t length)
{
	size_t done = 0;
	while (done < length) {
		size_t chunk = in_page(from + done, in_page(to + done, length - done));
		const void *source = vm_word(from_map, from + done, false);
		void *target = source != NULL ? vm_word(to_map, to + done, true) : NULL;
		if (target == NULL)
			break;
		memory_copy(target, source, chunk);
		done += chunk;
	}
	return done;
}
