/*
 * Changing ranges of an address space: protection, inheritance, moving, advice. Above: vm_traps.c, which has checked
 * that the range is aligned and inside user space. Each operation checks everything first; afterwards only memory for
 * splitting can be missing, and then nothing has changed.
 */
#include <kernel/vm/internal.h>

int64_t map_check_mapped(struct vm_map *map, uint64_t start, uint64_t end, uint32_t protection)
{
	struct map_entry *entry = map_lookup(map, start);
	while (start < end) {
		if (entry == NULL || entry->start > start)
			return KERN_FAULT;
		if ((protection & ~(uint32_t)entry->max_protection) != 0)
			return KERN_NO_ACCESS;
		start = entry->end;
		entry = map_next(entry);
	}
	return KERN_SUCCESS;
}

static int64_t clip_range(struct vm_map *map, uint64_t start, uint64_t end)
{
	int64_t status = map_clip(map, start);
	return status == KERN_SUCCESS ? map_clip(map, end) : status;
}

/* Joins what can be joined in [start, end) and with the neighbours. */
static void merge_range(struct vm_map *map, uint64_t start, uint64_t end)
{
	struct map_entry *entry = map_find(map, start);
	if (entry != NULL && entry->prev != NULL)
		entry = entry->prev;
	while (entry != NULL && entry->start < end) {
		struct map_entry *next = map_next(entry);
		map_merge(map, entry);
		if (map_next(entry) == next || next == NULL)
			entry = next;
	}
}

static void entry_protect(struct map_entry *entry, uint32_t protection, bool allow_wx)
{
	uint32_t lost = entry->flags & ~protection & PROTECTION_MASK;
	uint64_t budget = ~UINT64_C(0), start = entry->start, end = entry->end;
	bool touched = entry_touched(entry, &start, &end);
	if (touched && ((lost & VM_EXECUTE) != 0 || protection == 0))
		pmap_remove(entry->map, start, end, &budget);
	else if (touched && (lost & VM_WRITE) != 0)
		pmap_write_protect(entry->map, start, end);
	if ((lost & VM_WRITE) != 0)
		entry->writable = false;
	entry->flags = (entry->flags & ~(uint32_t)PROTECTION_MASK) | protection | (allow_wx ? VM_ALLOW_WX : 0);
}

/* Are entries of the range allowed to be writable and executable? */
static bool wx_allowed(struct vm_map *map, uint64_t start, uint64_t end)
{
	for (struct map_entry *entry = map_lookup(map, start); entry != NULL && entry->start < end;
	     entry = map_next(entry))
		if ((entry->flags & VM_ALLOW_WX) == 0)
			return false;
	return true;
}

int64_t map_protect(struct vm_map *map, uint64_t address, uint64_t size, uint32_t protection, bool allow_wx)
{
	uint64_t end = address + size;
	int64_t status = map_check_mapped(map, address, end, protection);
	if (status != KERN_SUCCESS)
		return status;
	if ((protection & VM_WRITE) && (protection & VM_EXECUTE) && !allow_wx && !wx_allowed(map, address, end))
		return KERN_INVALID_ARGUMENT;
	status = clip_range(map, address, end);
	if (status != KERN_SUCCESS)
		return status;
	for (struct map_entry *entry = map_lookup(map, address); entry != NULL && entry->start < end;
	     entry = map_next(entry))
		entry_protect(entry, protection, allow_wx);
	pmap_flush(map);
	merge_range(map, address, end);
	return KERN_SUCCESS;
}

int64_t map_inherit(struct vm_map *map, uint64_t address, uint64_t size, uint32_t inheritance)
{
	uint64_t end = address + size;
	int64_t status = map_check_mapped(map, address, end, 0);
	if (status == KERN_SUCCESS)
		status = clip_range(map, address, end);
	if (status != KERN_SUCCESS)
		return status;
	for (struct map_entry *entry = map_lookup(map, address); entry != NULL && entry->start < end;
	     entry = map_next(entry))
		if (entry->object == NULL || !entry->object->borrowed)
			entry->flags = (entry->flags & ~(uint32_t)VM_INHERIT_MASK) | inheritance;
	merge_range(map, address, end);
	return KERN_SUCCESS;
}

/* ---- advice ---- */

/* Forgets private pages of [start, end) of an entry: zero or the original again at the next touch. */
static bool forget(struct map_entry *entry, uint64_t start, uint64_t end, uint64_t *budget)
{
	if (entry->object == NULL || entry->object->wired)
		return true;
	if (pmap_remove(entry->map, start, end, budget) != end || *budget == 0)
		return false;
	struct memory_object *object = entry->object;
	if (!object->internal)
		return true;
	uint64_t first = entry_index(entry, start), stop = entry_index(entry, end);
	object_unmap_pages(object, first, stop, NULL); /* a task that shares the address space sees it too */
	pmap_flush(entry->map);
	return object_drop_pages(object, first, stop, *budget);
}

/* Touches what can be had without waiting. */
static void prefetch(struct map_entry *entry, uint64_t start, uint64_t end, uint64_t *budget)
{
	struct page_place place;
	for (; start<end && * budget> 1; start += PAGE_SIZE, --*budget)
		if (fault_page(entry->map, start, VM_READ, &place) != KERN_SUCCESS)
			return;
}

int64_t map_advise(struct vm_map *map, uint64_t address, uint64_t size, uint32_t advice, uint64_t *budget)
{
	uint64_t end = address + size;
	int64_t status = map_check_mapped(map, address, end, 0);
	if (status != KERN_SUCCESS)
		return status;
	for (struct map_entry *entry = map_lookup(map, address); entry != NULL && entry->start < end;
	     entry = map_next(entry)) {
		uint64_t from = entry->start > address ? entry->start : address,
		         to = entry->end < end ? entry->end : end;
		if (advice == VM_ADVISE_WILLNEED) {
			if (entry->flags & VM_READ)
				prefetch(entry, from, to, budget);
		} else if (!forget(entry, from, to, budget)) {
			status = KERN_BUSY;
			break;
		}
	}
	pmap_flush(map);
	return status;
}

/* ---- moving ---- */

/* Makes the entry's object long enough for growth at its end; false if the new pages would be another mapping's. */
static bool object_can_follow(struct map_entry *entry, uint64_t growth)
{
	struct memory_object *object = entry->object;
	uint64_t end_index = entry_index(entry, entry->end);
	if (object == NULL || !object->internal)
		return true;
	if (object->wired || object->backing != NULL || object->pages != end_index ||
	    end_index + (growth >> PAGE_SHIFT) > OBJECT_PAGES_MAX)
		return false;
	object->pages += growth >> PAGE_SHIFT;
	return true;
}

/* Longer at its place; the room is free. What the object cannot give is anonymous memory in an entry of its own. */
static int64_t grow_in_place(struct vm_map *map, struct map_entry *entry, uint64_t growth)
{
	if (object_can_follow(entry, growth)) {
		entry->end += growth;
		map->pages += growth >> PAGE_SHIFT;
		map_merge(map, entry);
		return KERN_SUCCESS;
	}
	if (entry->object->backing != NULL || entry->object->wired)
		return KERN_NO_SPACE;
	int64_t status = vm_map_enter(map, entry->end, growth, NULL, 0, entry->flags | VM_FIXED_NOREPLACE,
	                              entry->max_protection);
	return status < 0 ? status : KERN_SUCCESS;
}

static bool room_behind(const struct map_entry *entry, uint64_t growth)
{
	const struct map_entry *next = map_next(entry);
	return entry->end + growth <= (next != NULL ? next->start : MAP_TOP);
}

/* The entry itself goes to another address, with whatever it maps; its PTEs are built anew. */
static void entry_relocate(struct vm_map *map, struct map_entry *entry, uint64_t to)
{
	uint64_t size = entry->end - entry->start, budget = ~UINT64_C(0), from = entry->start, end = entry->end;
	if (entry_touched(entry, &from, &end))
		pmap_remove(map, from, end, &budget);
	pmap_flush(map);
	map_unlink(map, entry);
	entry->start = to;
	entry->end = to + size;
	entry->writable = false;
	entry->touched_start = ~UINT64_C(0);
	entry->touched_end = 0;
	map_insert(map, entry);
}

static int64_t move_target(struct vm_map *map, uint64_t address, uint64_t size, uint64_t to, uint64_t to_size,
                           uint32_t flags, uint64_t *target)
{
	if (flags & VM_FIXED) {
		if (map_check_range(to, to_size) != KERN_SUCCESS || (to < address + size && address < to + to_size))
			return KERN_INVALID_ARGUMENT;
		*target = to;
		return vm_map_remove(map, to, to_size);
	}
	if ((flags & VM_TOP_DOWN) == 0)
		return KERN_NO_SPACE;
	*target = map_find_space(map, to, to_size, true);
	return *target != 0 ? KERN_SUCCESS : KERN_NO_SPACE;
}

/*
 * mremap: the range lies in one entry. Shrinks at its place; grows there if there is room; else moves if VM_TOP_DOWN
 * allows it (`to` is the hint) or VM_FIXED commands it. -> the new address.
 */
int64_t map_move(struct vm_map *map, uint64_t address, uint64_t size, uint64_t to, uint64_t to_size, uint32_t flags)
{
	struct map_entry *entry = map_lookup(map, address);
	int64_t status;
	if (entry == NULL || entry->end < address + size)
		return KERN_FAULT;
	if (entry->object != NULL && entry->object->borrowed)
		return KERN_NO_ACCESS;
	if (to_size < size) {
		status = vm_map_remove(map, address + to_size, size - to_size);
		if (status != KERN_SUCCESS)
			return status;
		size = to_size;
		entry = map_lookup(map, address);
	}
	if ((flags & VM_FIXED) == 0) {
		if (to_size == size)
			return (int64_t)address;
		if (entry->end == address + size && room_behind(entry, to_size - size)) {
			status = grow_in_place(map, entry, to_size - size);
			if (status == KERN_SUCCESS)
				return (int64_t)address;
		}
	}
	uint64_t target;
	status = move_target(map, address, size, to, to_size, flags, &target);
	if (status == KERN_SUCCESS)
		status = clip_range(map, address, address + size);
	if (status != KERN_SUCCESS)
		return status;
	entry = map_lookup(map, address);
	entry_relocate(map, entry, target);
	if (to_size > size) {
		status = grow_in_place(map, entry, to_size - size);
		if (status != KERN_SUCCESS) {
			entry_relocate(map, entry, address);
			return status;
		}
	}
	return (int64_t)target;
}
