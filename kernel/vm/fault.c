/*
 * Page faults. Above: the exception handler, copies that need a page, RESTART replies; below: objects, pager.c, page
 * tables.
 *
 * A fault finds the entry, lets the object find or make the page, and enters a PTE that is as wide as entry and page
 * allow. Only vm_fault and vm_fault_in wait, and only by blocking the current thread with restart.
 */
#include <kernel/vm/internal.h>

/* VM_COPY's first write: a private object takes the original's place in the entry, the original stays behind it. */
static int64_t make_private(struct map_entry *entry)
{
	struct memory_object *original = entry->object, *private;
	struct ledger *ledger = entry->map->ledger;
	if (original->backing != NULL) {
		int64_t status = object_clone(original, entry_index(entry, entry->start),
		                              entry_index(entry, entry->end), ledger, NULL, &private);
		if (status != KERN_SUCCESS)
			return status;
	} else {
		private = object_create_front(original, ledger);
		if (private == NULL)
			return KERN_NO_MEMORY;
	}
	private->internal = true;
	entry_set_object(entry, NULL);
	entry_set_object(entry, private);
	entry->copy_pending = false;
	return KERN_SUCCESS;
}

int64_t entry_make_object(struct map_entry *entry, bool for_write)
{
	if (entry->object != NULL)
		return for_write && entry->copy_pending ? make_private(entry) : KERN_SUCCESS;
	struct memory_object *object =
	        object_create_anonymous((entry->end - entry->start) >> PAGE_SHIFT, entry->map->ledger);
	if (object == NULL)
		return KERN_NO_MEMORY;
	object->internal = true;
	entry->offset = 0;
	entry_set_object(entry, object);
	return KERN_SUCCESS;
}

void fault_around(struct map_entry *entry, uint64_t start, uint64_t end)
{
	const struct memory_object *object = entry->object, *front = NULL;
	uint32_t protection = entry->flags & (VM_READ | VM_EXECUTE);
	uint64_t first = entry_index(entry, start), last = entry_index(entry, end), index = first, used, bias = 0;
	if (object->backing != NULL) {
		front = object;
		bias = object->backing_first;
		object = object->backing;
	}
	for (uint64_t base; index < last; index = base + TREE_FAN - bias) {
		base = (index + bias) & ~(uint64_t)(TREE_FAN - 1);
		void *const *slots = page_tree_group(&object->tree, index + bias, &used);
		if (slots == NULL)
			continue;
		for (used &= ~UINT64_C(0) << (index + bias - base); used != 0; used &= used - 1) {
			unsigned slot = (unsigned)__builtin_ctzll(used);
			const struct page *page = slots[slot];
			uint64_t at = base + slot - bias;
			if (at >= last)
				break;
			if (front == NULL || page_tree_get(&front->tree, at) == NULL)
				pmap_fill(entry->map, start + ((at - first) << PAGE_SHIFT),
				          (uint64_t)page->number << PAGE_SHIFT, protection);
		}
	}
	entry_touch(entry, start, end);
}

/* Pages of one fault on a file: the aligned window around the address, within the entry. */
#define AROUND_SIZE (16 * PAGE_SIZE)

static void fault_around_address(struct map_entry *entry, uint64_t address)
{
	uint64_t start = address & ~(AROUND_SIZE - 1), end = start + AROUND_SIZE;
	fault_around(entry, start > entry->start ? start : entry->start, end < entry->end ? end : entry->end);
}

static int64_t fault_at(struct map_entry *entry, uint64_t address, bool write, struct page_place *place)
{
	if (entry->object == NULL || (write && entry->copy_pending)) {
		if (entry_make_object(entry, write) != KERN_SUCCESS) {
			place->why = FAULT_NO_MEMORY;
			return KERN_FAULT;
		}
	}
	int64_t status = object_page(entry->object, entry_index(entry, address), write, entry, place);
	if (status != KERN_SUCCESS)
		return status;
	uint32_t protection = entry->flags & PROTECTION_MASK;
	if (!place->writable || entry->copy_pending)
		protection &= ~(uint32_t)VM_WRITE;
	if ((protection & VM_WRITE) != 0)
		entry->writable = true;
	entry_touch(entry, address, address + PAGE_SIZE);
	status = pmap_enter(entry->map, address, place->physical, protection, place->device);
	if (status == KERN_SUCCESS) {
		/* Files, not anonymous memory: its pages are touched one by one when they are made. */
		if (!write && (!entry->object->internal || entry->object->backing != NULL))
			fault_around_address(entry, address);
		return KERN_SUCCESS;
	}
	place->why = FAULT_NO_MEMORY;
	return KERN_FAULT;
}

int64_t fault_page(struct vm_map *map, uint64_t address, uint32_t access, struct page_place *place)
{
	address &= ~(PAGE_SIZE - 1);
	struct map_entry *entry = map_lookup(map, address);
	if (entry == NULL) {
		place->why = address == KERNEL_INFO_ADDRESS ? FAULT_PROTECTION : FAULT_UNMAPPED;
		return KERN_FAULT;
	}
	uint32_t allowed = entry->flags & PROTECTION_MASK;
	if ((allowed & (VM_WRITE | VM_EXECUTE)) != 0)
		allowed |= VM_READ; /* the machine knows no other way */
	if ((access & ~allowed) != 0) {
		place->why = FAULT_PROTECTION;
		return KERN_FAULT;
	}
	return fault_at(entry, address, (access & VM_WRITE) != 0, place);
}

int64_t vm_fault(struct vm_map *map, uint64_t address, uint32_t access, enum portico_fault *why)
{
	struct page_place place;
	int64_t status = fault_page(map, address, access, &place);
	if (status == KERN_SUCCESS)
		return KERN_SUCCESS;
	if (status == KERN_BUSY)
		return pager_wait(place.pager_object, place.pager_index, access, why);
	*why = place.why;
	return KERN_FAULT;
}

int64_t vm_fault_in(struct vm_map *map, uint64_t address, uint32_t access, enum portico_fault *why)
{
	if (pmap_lookup(map, address, (access & VM_WRITE) != 0) != NULL)
		return KERN_SUCCESS;
	return vm_fault(map, address, access, why);
}

/* By what is mapped there. A private copy that is still to come has to come now, lest the key change while somebody
 * waits. */
static int64_t shared_key(struct vm_map *map, uint64_t address, uint64_t key[2])
{
	struct map_entry *entry = map_lookup(map, address);
	if (entry == NULL || entry->object == NULL)
		return KERN_FAULT;
	if (entry_make_object(entry, (entry->flags & VM_WRITE) != 0) != KERN_SUCCESS)
		return KERN_NO_MEMORY;
	key[0] = entry->object->object.id;
	key[1] = address - entry->start + entry->offset;
	return KERN_SUCCESS;
}

int64_t vm_futex_key(struct vm_map *map, uint64_t address, bool shared, uint64_t key[2], uint32_t **word)
{
	enum portico_fault why;
	if ((address & 3) != 0)
		return KERN_INVALID_ARGUMENT;
	*word = pmap_lookup(map, address, false);
	if (*word == NULL) {
		int64_t status = vm_fault(map, address, VM_READ, &why);
		if (status != KERN_SUCCESS)
			return status;
		*word = pmap_lookup(map, address, false);
		if (*word == NULL)
			return KERN_FAULT;
	}
	key[0] = map->id;
	key[1] = address;
	return shared ? shared_key(map, address, key) : KERN_SUCCESS;
}
