/*
 * Out-of-line memory in messages: a range of the sender's address space as an object of its own, copied on write or
 * moved, and mapped again in the receiver. Above: kernel/ipc; below: maps and objects.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

static int64_t check_entry(const struct map_entry *entry)
{
	const struct memory_object *object = entry->object;
	if ((entry->flags & VM_READ) == 0)
		return KERN_FAULT;
	return object != NULL && object->wired && object->kind != MEMORY_IMAGE ? KERN_NOT_SUPPORTED : KERN_SUCCESS;
}

/* Mapped without holes, readable, and of a kind that can be copied. */
static int64_t check_source(struct vm_map *map, uint64_t start, uint64_t end)
{
	int64_t status = map_check_mapped(map, start, end, 0);
	if (status != KERN_SUCCESS)
		return status;
	for (struct map_entry *entry = map_lookup(map, start); entry != NULL && entry->start < end;
	     entry = map_next(entry)) {
		status = check_entry(entry);
		if (status != KERN_SUCCESS)
			return status;
	}
	return KERN_SUCCESS;
}

static bool is_small(const struct memory_object *object, uint64_t size)
{
	return size <= TREE_SMALL * PAGE_SIZE && object->kind == MEMORY_ANONYMOUS && object->backing == NULL &&
	       !object->borrowed && !object->wired;
}

/* Few pages go into a new object from its start on, where its tree needs no nodes; a clone keeps the source's offsets. */
static int64_t share_small(struct map_entry *entry, uint64_t start, uint64_t end, struct vm_region *region)
{
	struct memory_object *source = entry->object;
	uint64_t first = entry_index(entry, start), count = (end - start) >> PAGE_SHIFT;
	int64_t status = object_share_few(region->object, source, first, count);
	if (status != KERN_SUCCESS)
		vm_region_release(region);
	else if (source->mapping_count != 1)
		object_write_protect(source, first, first + count, NULL);
	else if (entry->writable) { /* the same, for the one mapping that there is */
		pmap_write_protect(entry->map, start, end);
		entry->writable = start > entry->start || end < entry->end;
		pmap_flush(entry->map);
	}
	return status;
}

static int64_t copy_one(struct map_entry *entry, uint64_t start, uint64_t end, struct vm_region *region)
{
	struct ledger *ledger = entry->map->ledger;
	region->offset = 0;
	if (entry->object == NULL) {
		region->object = object_create_anonymous((end - start) >> PAGE_SHIFT, ledger);
		return region->object != NULL ? KERN_SUCCESS : KERN_NO_MEMORY;
	}
	if (is_small(entry->object, end - start)) {
		region->object = object_create_anonymous((end - start) >> PAGE_SHIFT, ledger);
		return region->object == NULL ? KERN_NO_MEMORY : share_small(entry, start, end, region);
	}
	region->offset = entry_index(entry, start) << PAGE_SHIFT;
	return object_clone(entry->object, entry_index(entry, start), entry_index(entry, end), ledger, NULL,
	                    &region->object);
}

/* One page of a range that is put together, from wherever the entry has it. */
static int64_t gather_page(struct map_entry *entry, uint64_t address, struct memory_object *to, uint64_t index)
{
	struct page_place place;
	enum portico_fault why;
	int64_t status = fault_page(entry->map, address, VM_READ, &place);
	if (status == KERN_BUSY)
		return pager_wait(place.pager_object, place.pager_index, VM_READ, &why);
	if (status != KERN_SUCCESS)
		return place.why == FAULT_NO_MEMORY ? KERN_NO_MEMORY : KERN_FAULT;
	struct page *page = page_take_dirty();
	if (page == NULL)
		return KERN_NO_MEMORY;
	page_copy(page_address(page), page_virtual(place.physical));
	if (object_insert(to, index, page))
		return KERN_SUCCESS;
	page_drop(page);
	return KERN_NO_MEMORY;
}

/* Pages of one of several entries. Anonymous ones are shared; those that have something behind them are copied. */
static int64_t gather_entry(struct map_entry *entry, uint64_t start, uint64_t end, struct memory_object *to,
                            uint64_t to_first)
{
	struct memory_object *object = entry->object;
	int64_t status = KERN_SUCCESS;
	if (object == NULL)
		return KERN_SUCCESS;
	if (object->kind == MEMORY_ANONYMOUS && object->backing == NULL)
		return object_share_pages(to, to_first, object, entry_index(entry, start), (end - start) >> PAGE_SHIFT);
	for (uint64_t a = start; a < end && status == KERN_SUCCESS; a += PAGE_SIZE)
		status = gather_page(entry, a, to, to_first + ((a - start) >> PAGE_SHIFT));
	return status;
}

static int64_t gather(struct vm_map *map, uint64_t start, uint64_t end, struct vm_region *region)
{
	struct memory_object *object = object_create_anonymous((end - start) >> PAGE_SHIFT, map->ledger);
	int64_t status = KERN_SUCCESS;
	if (object == NULL)
		return KERN_NO_MEMORY;
	for (struct map_entry *entry = map_lookup(map, start);
	     entry != NULL && entry->start < end && status == KERN_SUCCESS; entry = map_next(entry)) {
		uint64_t from = entry->start > start ? entry->start : start, to = entry->end < end ? entry->end : end;
		status = gather_entry(entry, from, to, object, (from - start) >> PAGE_SHIFT);
	}
	if (status != KERN_SUCCESS) {
		object_unref(OBJECT(object));
		return status;
	}
	region->object = object;
	region->offset = 0;
	return KERN_SUCCESS;
}

/* Private memory that nobody else maps changes hands as it is; false: it has to be copied. */
static bool move_one(struct vm_map *map, uint64_t start, uint64_t end, struct vm_region *region)
{
	struct map_entry *entry = map_lookup(map, start);
	struct memory_object *object = entry->object;
	if (object == NULL || !object->internal ||
	    entry_reached_elsewhere(entry, entry_index(entry, start), entry_index(entry, end)))
		return false;
	if (map_clip(map, start) != KERN_SUCCESS || map_clip(map, end) != KERN_SUCCESS)
		return false;
	entry = map_lookup(map, start);
	object_ref(OBJECT(object));
	region->object = object;
	region->offset = entry->offset;
	map_take_out(map, entry);
	return true;
}

int64_t vm_region_take(struct vm_map *map, uint64_t address, uint64_t size, bool move, struct vm_region *region)
{
	uint64_t rounded = PAGE_ROUND(size), end = address + rounded;
	int64_t status = rounded < size ? KERN_INVALID_ARGUMENT : map_check_range(address, rounded);
	if (status != KERN_SUCCESS)
		return status;
	struct map_entry *entry = map_lookup(map, address);
	bool single = entry != NULL && entry->end >= end;
	status = single ? check_entry(entry) : check_source(map, address, end);
	if (status != KERN_SUCCESS)
		return status;
	region->size = size;
	if (move && single && move_one(map, address, end, region))
		return KERN_SUCCESS;
	if (move)
		entry = map_lookup(map, address); /* it may have been split */
	status = single ? copy_one(entry, address, end, region) : gather(map, address, end, region);
	if (status != KERN_SUCCESS)
		return status;
	region->object->internal = true;
	if (move)
		status = vm_map_remove(map, address, rounded);
	if (status != KERN_SUCCESS)
		vm_region_release(region);
	return status;
}

int64_t vm_region_map(struct vm_map *map, struct vm_region *region)
{
	int64_t address = map_enter_region(map, region->object, region->offset, PAGE_ROUND(region->size));
	if (address < 0)
		vm_region_release(region);
	region->object = NULL;
	return address;
}

void vm_region_release(struct vm_region *region)
{
	if (region->object != NULL)
		object_unref(OBJECT(region->object));
	region->object = NULL;
}
