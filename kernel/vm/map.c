/*
 * Address spaces: the ordered set of entries. Above: map_range.c, map_copy.c, fault.c, region.c and the traps; below:
 * objects and page tables.
 *
 * Entries form a skip list: `next[0]` and `prev` are the order of addresses, the higher levels make lookups
 * logarithmic. `map->head` is a sentinel with all levels. They never overlap and are never empty.
 */
#include <kernel/vm/internal.h>

/* Where space is looked for if the caller does not care. */
#define DEFAULT_HINT SERVER_MAPPINGS

static uint64_t next_map_id = UINT64_C(1) << 63;

struct vm_map *vm_map_create(struct ledger *ledger)
{
	struct vm_map *map = kalloc(sizeof(*map), ledger);
	if (map == NULL)
		return NULL;
	object_ref(OBJECT(ledger));
	map->ledger = ledger;
	if (!pmap_create(map)) {
		kfree(map, sizeof(*map), ledger);
		object_unref(OBJECT(ledger));
		return NULL;
	}
	map->id = next_map_id++;
	map->head.levels = MAP_LEVELS;
	map->down_top = ~UINT64_C(0);
	return map;
}

void vm_map_statistics(const struct vm_map *map, uint64_t *pages, uint64_t *resident, uint64_t *max_resident)
{
	*pages = map->pages;
	*resident = map->resident;
	*max_resident = map->max_resident;
}

/* ---- the skip list ---- */

struct map_entry *map_search(struct vm_map *map, uint64_t address)
{
	struct map_entry *at = &map->head;
	for (unsigned level = map->levels; level-- != 0;)
		while (at->next[level] != NULL && at->next[level]->end <= address)
			at = at->next[level];
	if (at->next[0] != NULL)
		map->hint = at->next[0];
	return at->next[0];
}

/* One level more with a chance of a quarter each. */
static uint8_t random_levels(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ul;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint8_t)(1 + (unsigned)__builtin_ctzll(state | UINT64_C(1) << 2 * (MAP_LEVELS - 1)) / 2);
}

static size_t entry_size(unsigned levels)
{
	return offsetof(struct map_entry, next) + levels * sizeof(struct map_entry *);
}

struct map_entry *entry_allocate(struct vm_map *map)
{
	uint8_t levels = random_levels();
	struct map_entry *entry = kalloc(entry_size(levels), map->ledger);
	if (entry == NULL)
		return NULL;
	entry->levels = levels;
	entry->map = map;
	entry->touched_start = ~UINT64_C(0);
	list_init(&entry->object_link);
	return entry;
}

void entry_free(struct map_entry *entry)
{
	entry_set_object(entry, NULL);
	kfree(entry, entry_size(entry->levels), entry->map->ledger);
}

void entry_set_object(struct map_entry *entry, struct memory_object *object)
{
	struct memory_object *old = entry->object;
	if (object != NULL) {
		object->mapping_count++;
		list_push_back(&object->mappings, &entry->object_link);
		if (old != NULL)
			panic("map entry already has an object");
	}
	entry->object = object;
	if (object == NULL && old != NULL) {
		old->mapping_count--;
		list_remove(&entry->object_link);
		if (--old->object.refs == 0)
			memory_object_destroy(old);
	}
}

void map_insert(struct vm_map *map, struct map_entry *entry)
{
	struct map_entry *at = &map->head;
	if (entry->levels > map->levels)
		map->levels = entry->levels;
	if (entry->levels == 1) { /* most: only the neighbours are concerned, and the hint is often right */
		struct map_entry *next = map_find(map, entry->start);
		struct map_entry *prev = next != NULL ? next->prev : map->last;
		at = prev != NULL ? prev : at;
		entry->next[0] = next;
		at->next[0] = entry;
	} else {
		for (unsigned level = map->levels; level-- != 0;) {
			while (at->next[level] != NULL && at->next[level]->start < entry->start)
				at = at->next[level];
			if (level < entry->levels) {
				entry->next[level] = at->next[level];
				at->next[level] = entry;
			}
		}
	}
	entry->prev = at != &map->head ? at : NULL;
	if (entry->next[0] != NULL)
		entry->next[0]->prev = entry;
	else
		map->last = entry;
	map->hint = entry;
	map->count++;
	map->pages += (entry->end - entry->start) >> PAGE_SHIFT;
}

void map_unlink(struct vm_map *map, struct map_entry *entry)
{
	struct map_entry *at = &map->head;
	if (entry->levels == 1) {
		at = entry->prev != NULL ? entry->prev : at;
		at->next[0] = entry->next[0];
	} else {
		for (unsigned level = map->levels; level-- != 0;) {
			while (at->next[level] != NULL && at->next[level]->start < entry->start)
				at = at->next[level];
			if (level < entry->levels)
				at->next[level] = entry->next[level];
		}
		while (map->levels > 1 && map->head.next[map->levels - 1] == NULL)
			map->levels--; /* a search goes through no empty levels */
	}
	if (entry->next[0] != NULL)
		entry->next[0]->prev = entry->prev;
	else
		map->last = entry->prev;
	if (map->hint == entry)
		map->hint = entry->next[0];
	map->count--;
	map->pages -= (entry->end - entry->start) >> PAGE_SHIFT;
}

void map_unlink_first(struct vm_map *map)
{
	struct map_entry *entry = map->head.next[0];
	for (unsigned level = 0; level < entry->levels; level++)
		map->head.next[level] = entry->next[level];
	if (entry->next[0] != NULL)
		entry->next[0]->prev = NULL;
	map->hint = NULL;
}

/* ---- splitting and joining ---- */

int64_t map_clip(struct vm_map *map, uint64_t address)
{
	struct map_entry *entry = map_lookup(map, address);
	if (entry == NULL || entry->start == address)
		return KERN_SUCCESS;
	if (map->count >= MAP_ENTRIES_MAX)
		return KERN_NO_SPACE;
	struct map_entry *upper = entry_allocate(map);
	if (upper == NULL)
		return KERN_NO_MEMORY;
	upper->start = address;
	upper->end = entry->end;
	upper->offset = entry->offset + (address - entry->start);
	upper->flags = entry->flags;
	upper->max_protection = entry->max_protection;
	upper->copy_pending = entry->copy_pending;
	upper->writable = entry->writable;
	entry_touch(upper, entry->touched_start, entry->touched_end);
	if (entry->object != NULL) {
		object_ref(OBJECT(entry->object));
		entry_set_object(upper, entry->object);
	}
	map->pages -= (entry->end - address) >> PAGE_SHIFT;
	entry->end = address;
	map_insert(map, upper);
	return KERN_SUCCESS;
}

struct map_entry *map_merge(struct vm_map *map, struct map_entry *entry)
{
	struct map_entry *next = entry != NULL ? map_next(entry) : NULL;
	if (next == NULL || next->start != entry->end || next->object != entry->object || next->flags != entry->flags ||
	    next->max_protection != entry->max_protection || next->copy_pending != entry->copy_pending)
		return entry;
	if (entry->object != NULL && next->offset != entry->offset + (entry->end - entry->start))
		return entry;
	map_unlink(map, next);
	map->pages += (next->end - entry->end) >> PAGE_SHIFT;
	entry->end = next->end;
	entry->writable |= next->writable;
	entry_touch(entry, next->touched_start, next->touched_end);
	entry_free(next);
	return entry;
}

/* ---- finding room ---- */

static uint64_t find_up(struct vm_map *map, uint64_t hint, uint64_t size)
{
	uint64_t address = hint;
	struct map_entry *entry = map_find(map, address);
	while (entry != NULL && (entry->start <= address || entry->start - address < size)) {
		if (entry->end > address)
			address = entry->end;
		entry = map_next(entry);
	}
	if (entry != NULL)
		map->hint = entry; /* what is put there is put before it */
	return address + size <= MAP_TOP ? address : 0;
}

static uint64_t find_down(struct vm_map *map, uint64_t top, uint64_t size)
{
	if (top != map->down_top || size <= map->down_skipped) {
		map->down_top = map->down_limit = top;
		map->down_skipped = 0;
	}
	uint64_t limit = map->down_limit;
	struct map_entry *entry = map_find(map, limit);
	struct map_entry *below = entry != NULL ? entry->prev : map->last;
	if (entry != NULL && entry->start < limit)
		limit = entry->start;
	for (;;) {
		uint64_t floor = below != NULL ? below->end : USER_MIN;
		uint64_t gap = limit > floor ? limit - floor : 0;
		if (gap >= size) {
			map->down_limit = limit - size;
			return limit - size;
		}
		if (gap > map->down_skipped)
			map->down_skipped = gap;
		if (below == NULL) {
			map->down_limit = limit;
			return 0;
		}
		limit = below->start;
		below = below->prev;
	}
}

/* A range was unmapped: the gap it became part of may be above down_limit. */
static void gap_opened(struct vm_map *map, uint64_t start)
{
	if (start < map->down_limit || start >= map->down_top)
		return;
	struct map_entry *next = map_find(map, start);
	struct map_entry *prev = next != NULL ? next->prev : map->last;
	uint64_t gap = (next != NULL && next->start < map->down_top ? next->start : map->down_top) -
	               (prev != NULL ? prev->end : 0);
	if (gap > map->down_skipped)
		map->down_skipped = gap;
}

uint64_t map_find_space(struct vm_map *map, uint64_t hint, uint64_t size, bool down)
{
	uint64_t found = 0;
	if (size > MAP_TOP - USER_MIN)
		return 0;
	if (down)
		found = find_down(map, hint == 0 ? MMAP_TOP : hint > MAP_TOP ? MAP_TOP : hint, size);
	else if (hint >= USER_MIN && hint < MAP_TOP)
		found = find_up(map, hint, size);
	if (found == 0 && hint != DEFAULT_HINT)
		found = find_up(map, DEFAULT_HINT, size);
	return found != 0 ? found : find_up(map, USER_MIN, size);
}

/* ---- entering ---- */

/* Anonymous memory right behind an entry of the same kind makes that entry longer: brk, growing heaps. */
static bool extend_previous(struct vm_map *map, uint64_t address, uint64_t size, uint32_t flags, uint8_t max_protection)
{
	struct map_entry *next = map_find(map, address);
	struct map_entry *prev = next != NULL ? next->prev : map->last;
	if (prev == NULL || prev->end != address || prev->flags != flags || prev->max_protection != max_protection ||
	    prev->copy_pending)
		return false;
	struct memory_object *object = prev->object;
	if (object != NULL) {
		uint64_t end_index = entry_index(prev, prev->end);
		if (!object->internal || object->wired || object->backing != NULL || object->pages != end_index ||
		    end_index + (size >> PAGE_SHIFT) > OBJECT_PAGES_MAX)
			return false;
		object->pages += size >> PAGE_SHIFT;
	}
	prev->end += size;
	map->pages += size >> PAGE_SHIFT;
	map_merge(map, prev);
	return true;
}

static int64_t enter_at(struct vm_map *map, uint64_t address, uint64_t size, struct memory_object *object,
                        uint64_t offset, uint32_t flags, uint8_t max_protection)
{
	if (object == NULL && extend_previous(map, address, size, flags, max_protection))
		return (int64_t)address;
	if (map->count >= MAP_ENTRIES_MAX)
		return KERN_NO_SPACE;
	struct map_entry *entry = entry_allocate(map);
	if (entry == NULL)
		return KERN_NO_MEMORY;
	entry->start = address;
	entry->end = address + size;
	entry->offset = object != NULL ? offset : 0;
	entry->flags = flags;
	entry->max_protection = max_protection;
	if (object != NULL) {
		entry->copy_pending = (flags & VM_COPY) != 0 && !object->internal;
		object_ref(OBJECT(object));
		entry_set_object(entry, object);
	}
	map_insert(map, entry);
	if (object == NULL)
		map_merge(map, entry);
	return (int64_t)address;
}

/* Kept of vm_map's flags in an entry. */
#define ENTRY_FLAGS                                                                                                    \
	((uint64_t)PROTECTION_MASK | VM_COPY | VM_INHERIT_MASK | VM_GROWS_DOWN | VM_ALLOW_WX |                         \
	 UINT64_C(0xff) << VM_TAG_SHIFT)

int64_t vm_map_enter(struct vm_map *map, uint64_t address, uint64_t size, struct memory_object *object, uint64_t offset,
                     uint64_t flags, uint64_t max_protection)
{
	bool fixed = (flags & (VM_FIXED | VM_FIXED_NOREPLACE)) != 0;
	size = size <= MAP_TOP ? PAGE_ROUND(size) : size;
	if (size == 0 || size > MAP_TOP || PAGE_OFFSET(offset) != 0 || offset + size < offset ||
	    (offset + size) >> PAGE_SHIFT > OBJECT_PAGES_MAX)
		return KERN_INVALID_ARGUMENT;
	if (fixed && map_check_range(address, size) != KERN_SUCCESS)
		return KERN_INVALID_ARGUMENT;
	if ((flags & PROTECTION_MASK & ~max_protection) != 0)
		return KERN_NO_ACCESS;
	if ((flags & (VM_WRITE | VM_EXECUTE)) == (VM_WRITE | VM_EXECUTE) && (flags & VM_ALLOW_WX) == 0)
		return KERN_INVALID_ARGUMENT;
	if (!fixed) {
		address = map_find_space(map, address & ~(PAGE_SIZE - 1), size, (flags & VM_TOP_DOWN) != 0);
		if (address == 0)
			return KERN_NO_SPACE;
	} else if (flags & VM_FIXED_NOREPLACE) {
		struct map_entry *there = map_find(map, address);
		if (there != NULL && there->start < address + size)
			return KERN_NAME_EXISTS;
	} else {
		int64_t status = vm_map_remove(map, address, size);
		if (status != KERN_SUCCESS)
			return status;
	}
	return enter_at(map, address, size, object, offset, (uint32_t)(flags & ENTRY_FLAGS), (uint8_t)max_protection);
}

int64_t map_enter_region(struct vm_map *map, struct memory_object *object, uint64_t offset, uint64_t size)
{
	if (map->count >= MAP_ENTRIES_MAX)
		return KERN_NO_SPACE;
	uint64_t address = find_up(map, DEFAULT_HINT, size);
	if (address == 0)
		address = map_find_space(map, DEFAULT_HINT, size, false);
	if (address == 0)
		return KERN_NO_SPACE;
	struct map_entry *entry = entry_allocate(map);
	if (entry == NULL)
		return KERN_NO_MEMORY;
	entry->start = address;
	entry->end = address + size;
	entry->offset = offset;
	entry->flags = VM_READ | VM_WRITE | VM_INHERIT_COPY;
	entry->max_protection = PROTECTION_MASK;
	entry_set_object(entry, object);
	map_insert(map, entry);
	return (int64_t)address;
}

int64_t vm_map_enter_pages(struct vm_map *map, uint64_t address, void *const *pages, size_t count, uint64_t protection)
{
	struct memory_object *object = object_create_borrowed(pages, count, map->ledger);
	if (object == NULL)
		return KERN_NO_MEMORY;
	int64_t status =
	        vm_map_enter(map, address, count * PAGE_SIZE, object, 0,
	                     VM_FIXED_NOREPLACE | VM_INHERIT_NONE | (protection & PROTECTION_MASK), protection);
	object_unref(OBJECT(object));
	if (status < 0)
		return status;
	entry_touch(map_lookup(map, address), address, address + count * PAGE_SIZE);
	for (size_t i = 0; i < count; i++)
		pmap_fill(map, address + i * PAGE_SIZE, page_physical(pages[i]), (uint32_t)protection);
	return status;
}

/* ---- removing ---- */

bool entry_reached_elsewhere(const struct map_entry *entry, uint64_t first, uint64_t end)
{
	list_for_each(link, &entry->object->mappings)
	{
		const struct map_entry *other = list_entry(link, struct map_entry, object_link);
		uint64_t low = other->offset >> PAGE_SHIFT, high = low + ((other->end - other->start) >> PAGE_SHIFT);
		if (other != entry && first < high && low < end)
			return true;
	}
	return false;
}

bool entry_discard(struct map_entry *entry, uint64_t start, uint64_t end, uint64_t budget)
{
	struct memory_object *object = entry->object;
	uint64_t first = entry_index(entry, start), stop = entry_index(entry, end);
	if (object == NULL || !object->internal || object->wired || object->resident == 0 ||
	    entry_reached_elsewhere(entry, first, stop))
		return true;
	return object_drop_pages(object, first, stop, budget);
}

/* PTEs, then pages; false when the budget ran out, with nothing visible changed but for private pages. */
static bool entry_empty(struct vm_map *map, struct map_entry *entry, uint64_t *budget)
{
	uint64_t start = entry->start, end = entry->end;
	if (entry_touched(entry, &start, &end) && pmap_remove(map, start, end, budget) != end)
		return false;
	/* An object that dies with the entry looks after itself. */
	if (entry->object != NULL && entry->object->object.refs > 1) {
		if (*budget == 0 || !entry_discard(entry, entry->start, entry->end, *budget)) {
			*budget = 0;
			return false;
		}
	}
	return true;
}

static inline bool entry_remove(struct vm_map *map, struct map_entry *entry, uint64_t *budget)
{
	/* Never touched, and what is in the object dies with the entry: there is nothing to empty. */
	bool empty = entry->touched_end == 0 && (entry->object == NULL || entry->object->object.refs == 1);
	if (!empty && !entry_empty(map, entry, budget))
		return false;
	map_unlink(map, entry);
	entry_free(entry);
	return true;
}

void map_take_out(struct vm_map *map, struct map_entry *entry)
{
	uint64_t budget = ~UINT64_C(0), start = entry->start, from = start, to = entry->end;
	if (entry_touched(entry, &from, &to))
		pmap_remove(map, from, to, &budget);
	pmap_flush(map);
	map_unlink(map, entry);
	entry_free(entry);
	gap_opened(map, start);
}

bool map_remove_some(struct vm_map *map, uint64_t start, uint64_t end, uint64_t *budget, int64_t *status)
{
	struct map_entry *entry = map_find(map, start);
	bool done = true;
	*status = KERN_SUCCESS;
	if (entry == NULL || entry->start >= end)
		return true;
	if (entry->start < start || entry->end != end) {
		*status = map_clip(map, start);
		if (*status == KERN_SUCCESS)
			*status = map_clip(map, end);
		if (*status != KERN_SUCCESS)
			return true;
		entry = map_find(map, start);
	}
	while (done && entry != NULL && entry->start < end) {
		struct map_entry *next = map_next(entry);
		done = *budget != 0 && entry_remove(map, entry, budget);
		*budget -= *budget != 0;
		entry = next;
	}
	pmap_flush(map);
	gap_opened(map, start);
	return done;
}

int64_t vm_map_remove(struct vm_map *map, uint64_t address, uint64_t size)
{
	int64_t status = map_check_range(address, PAGE_ROUND(size));
	uint64_t budget = WORK_STEP;
	if (status != KERN_SUCCESS)
		return status;
	struct map_entry *entry = map_find(map, address);
	if (entry != NULL && entry->start == address && entry->end == address + PAGE_ROUND(size) &&
	    entry_remove(map, entry, &budget)) {
		pmap_flush(map);
		if (address >= map->down_limit && map->down_limit != 0) /* else nothing was ever searched from the top */
			gap_opened(map, address);
		return KERN_SUCCESS;
	}
	do
		budget = WORK_STEP;
	while (!map_remove_some(map, address, address + PAGE_ROUND(size), &budget, &status));
	return status;
}

bool vm_map_destroy_step(struct vm_map *map)
{
	uint64_t budget = WORK_STEP;
	struct map_entry *entry;
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].map != map)
			continue;
		if (&cpus[i] != cpu_current())
			return false;
		vm_map_activate(NULL);
	}
	while ((entry = map_first(map)) != NULL) {
		if (budget <= 1 || !entry_empty(map, entry, &budget))
			return false;
		budget--;
		map_unlink_first(map);
		entry_free(entry);
	}
	pmap_destroy(map);
	struct ledger *ledger = map->ledger;
	kfree(map, sizeof(*map), ledger);
	object_unref(OBJECT(ledger));
	return true;
}
