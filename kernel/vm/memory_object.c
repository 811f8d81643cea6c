/*
 * Memory objects: what pages they have, where missing ones come from, and how they are shared. Above: maps and faults;
 * below: page trees, ledgers. Asking a pager is pager.c's; nothing here waits.
 *
 * Every page in an object's tree is charged to the object's ledger, shared or not. An object with a backing object
 * holds the pages that were written; the others are the backing object's, mapped read-only. A backing object has no
 * backing itself: what would need three levels is cloned instead.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/ipc/ipc.h>
#include <kernel/vm/internal.h>

/* Objects without references whose pages are still being dropped, linked by dying_link. */
static struct list dying = LIST_INIT(dying);

static struct memory_object *object_new(enum memory_kind kind, uint64_t pages, struct ledger *ledger)
{
	struct memory_object *object = object_allocate(KOBJ_MEMORY, sizeof(*object), ledger);
	if (object == NULL)
		return NULL;
	object->kind = (uint8_t)kind;
	object->pages = pages;
	list_init(&object->mappings);
	list_init(&object->fronts);
	list_init(&object->front_link);
	list_init(&object->waiters);
	list_init(&object->dying_link);
	return object;
}

struct memory_object *object_create_anonymous(uint64_t pages, struct ledger *ledger)
{
	return object_new(MEMORY_ANONYMOUS, pages, ledger);
}

struct memory_object *memory_object_create(uint64_t size, struct ledger *ledger)
{
	return object_new(MEMORY_ANONYMOUS, PAGE_ROUND(size) >> PAGE_SHIFT, ledger);
}

static struct memory_object *create_range(enum memory_kind kind, uint64_t physical, uint64_t size)
{
	struct memory_object *object = object_new(kind, PAGE_ROUND(size) >> PAGE_SHIFT, &root_ledger);
	if (object != NULL) {
		object->physical = physical;
		object->wired = true;
	}
	return object;
}

struct memory_object *memory_object_create_physical(uint64_t physical, uint64_t size)
{
	return create_range(MEMORY_DEVICE, physical, size);
}

struct memory_object *memory_object_create_image(uint64_t physical, uint64_t size)
{
	return create_range(MEMORY_IMAGE, physical, size);
}

void object_set_backing(struct memory_object *front, struct memory_object *backing, uint64_t backing_first)
{
	object_ref(OBJECT(backing));
	front->backing = backing;
	front->backing_first = backing_first;
	list_push_back(&backing->fronts, &front->front_link);
}

struct memory_object *object_create_front(struct memory_object *backing, struct ledger *ledger)
{
	/* Where it ends is where the backing object ends, whatever becomes of that one. */
	struct memory_object *front = object_new(MEMORY_ANONYMOUS, OBJECT_PAGES_MAX, ledger);
	if (front != NULL)
		object_set_backing(front, backing, 0);
	return front;
}

struct memory_object *object_create_borrowed(void *const *pages, size_t count, struct ledger *ledger)
{
	struct memory_object *object = object_new(MEMORY_ANONYMOUS, count, ledger);
	if (object == NULL)
		return NULL;
	object->borrowed = true;
	object->internal = true;
	object->wired = true;
	for (size_t i = 0; i < count; i++) {
		struct page *page = page_find(page_physical(pages[i]) >> PAGE_SHIFT);
		page->refs++;
		if (!object_insert(object, i, page)) {
			page_drop(page);
			object_unref(OBJECT(object));
			return NULL;
		}
	}
	return object;
}

bool object_insert(struct memory_object *object, uint64_t index, struct page *page)
{
	if (!object->borrowed && !ledger_charge_pages(object->object.ledger, 1))
		return false;
	if (!page_tree_set(&object->tree, index, page, object->object.ledger)) {
		if (!object->borrowed)
			ledger_credit_pages(object->object.ledger, 1);
		return false;
	}
	object->resident++;
	return true;
}

bool object_drop_pages(struct memory_object *object, uint64_t first, uint64_t end, uint64_t budget)
{
	if (object->resident == 0 && object->tree.height == 0)
		return true;
	uint64_t count = page_tree_clear(&object->tree, first, end, budget, object->object.ledger);
	object->resident -= count;
	if (!object->borrowed && count != 0)
		credit_pages(object->object.ledger, count);
	return count < budget || page_tree_count(&object->tree, first, end) == 0;
}

static int64_t populate_contiguous(struct memory_object *object)
{
	unsigned order = 0;
	while (UINT64_C(1) << order < object->pages)
		order++;
	char *block = page_allocate_contiguous(order);
	if (block == NULL)
		return KERN_NO_MEMORY;
	uint64_t i = 0;
	for (; i < object->pages; i++)
		if (!object_insert(object, i, page_find(page_physical(block + i * PAGE_SIZE) >> PAGE_SHIFT)))
			break;
	for (uint64_t rest = i; rest < UINT64_C(1) << order; rest++)
		page_release(block + rest * PAGE_SIZE);
	return i == object->pages ? KERN_SUCCESS : KERN_NO_MEMORY;
}

int64_t object_populate(struct memory_object *object, bool contiguous)
{
	object->wired = true;
	object->contiguous = contiguous;
	if (contiguous)
		return populate_contiguous(object);
	for (uint64_t i = 0; i < object->pages; i++) {
		struct page *page = page_take_zeroed();
		if (page == NULL)
			return KERN_NO_MEMORY;
		if (!object_insert(object, i, page)) {
			page_drop(page);
			return KERN_NO_MEMORY;
		}
	}
	return KERN_SUCCESS;
}

/* ---- the end ---- */

static bool object_finish(struct memory_object *object)
{
	if (object->tree.height != 0) {
		if (!object_drop_pages(object, 0, object->pages, WORK_STEP))
			return false;
		/* A tree can keep empty nodes after an insertion that failed. */
		page_tree_clear(&object->tree, 0, ~UINT64_C(0), ~UINT64_C(0), object->object.ledger);
	} else {
		for (uint32_t bits = object->tree.used; bits != 0; bits &= bits - 1)
			page_drop(object->tree.slot[__builtin_ctz(bits)]);
		if (!object->borrowed && object->resident != 0)
			credit_pages(object->object.ledger, object->resident);
	}
	object_free(OBJECT(object), sizeof(*object));
	return true;
}

void memory_object_destroy(struct memory_object *object)
{
	if (!list_empty(&object->waiters))
		pager_wake(object, 0, object->pages, false);
	list_remove(&object->front_link);
	if (object->backing != NULL)
		object_unref(OBJECT(object->backing));
	object->backing = NULL;
	if (object->pager != NULL)
		port_sender_release(object->pager);
	object->pager = NULL;
	if (!object_finish(object))
		list_push_back(&dying, &object->dying_link);
}

bool memory_reap_step(void)
{
	struct list *link = list_first(&dying);
	if (link == NULL)
		return true;
	struct memory_object *object = list_entry(link, struct memory_object, dying_link);
	list_remove(link);
	if (!object_finish(object))
		list_push_back(&dying, &object->dying_link);
	return list_empty(&dying);
}

/* ---- where it is mapped ---- */

/* The addresses at which the entry shows pages [first, end) of its object and may have PTEs; false if none. */
static bool entry_range(const struct map_entry *entry, uint64_t first, uint64_t end, uint64_t *start, uint64_t *stop)
{
	uint64_t low = entry->offset >> PAGE_SHIFT, high = low + ((entry->end - entry->start) >> PAGE_SHIFT);
	if (first < low)
		first = low;
	if (end > high)
		end = high;
	if (first >= end)
		return false;
	*start = entry->start + ((first - low) << PAGE_SHIFT);
	*stop = entry->start + ((end - low) << PAGE_SHIFT);
	return entry_touched(entry, start, stop);
}

void object_write_protect(struct memory_object *object, uint64_t first, uint64_t end, struct vm_map *deferred)
{
	list_for_each(link, &object->mappings)
	{
		struct map_entry *entry = list_entry(link, struct map_entry, object_link);
		uint64_t start, stop;
		if (!entry->writable || !entry_range(entry, first, end, &start, &stop))
			continue;
		pmap_write_protect(entry->map, start, stop);
		/* All of it? */
		entry->writable = first > entry->offset >> PAGE_SHIFT || end < entry_index(entry, entry->end);
		if (entry->map != deferred)
			pmap_flush(entry->map);
	}
}

void object_unmap_pages(struct memory_object *object, uint64_t first, uint64_t end, const struct map_entry *except)
{
	list_for_each(link, &object->mappings)
	{
		struct map_entry *entry = list_entry(link, struct map_entry, object_link);
		uint64_t start, stop, budget = ~UINT64_C(0);
		if (entry == except || !entry_range(entry, first, end, &start, &stop))
			continue;
		pmap_remove(entry->map, start, stop, &budget);
		pmap_flush(entry->map);
	}
	list_for_each(link, &object->fronts)
	{
		struct memory_object *front = list_entry(link, struct memory_object, front_link);
		uint64_t low = front->backing_first;
		if (end > low)
			object_unmap_pages(front, first > low ? first - low : 0, end - low, except);
	}
}

/* ---- copies ---- */

static int64_t clone_into(struct memory_object *clone, struct memory_object *source, uint64_t first, uint64_t end,
                          struct vm_map *deferred)
{
	uint64_t count;
	struct ledger *ledger = clone->object.ledger;
	bool copied = page_tree_clone(&source->tree, &clone->tree, first, end, ledger, &count);
	if (!copied || !ledger_charge_pages(ledger, count)) {
		page_tree_clear(&clone->tree, 0, ~UINT64_C(0), ~UINT64_C(0), ledger);
		return KERN_NO_MEMORY;
	}
	clone->resident = count;
	if (count != 0)
		object_write_protect(source, first, end, deferred);
	return KERN_SUCCESS;
}

int64_t object_clone(struct memory_object *source, uint64_t first, uint64_t end, struct ledger *ledger,
                     struct vm_map *deferred, struct memory_object **result)
{
	if (source->kind == MEMORY_DEVICE || source->borrowed || (source->wired && source->kind != MEMORY_IMAGE))
		return KERN_NOT_SUPPORTED;
	struct memory_object *clone = object_create_anonymous(source->pages, ledger);
	if (clone == NULL)
		return KERN_NO_MEMORY;
	if (source->kind != MEMORY_ANONYMOUS)
		object_set_backing(clone, source, 0);
	else if (source->backing != NULL)
		object_set_backing(clone, source->backing, source->backing_first);
	int64_t status = clone_into(clone, source, first, end, deferred);
	if (status != KERN_SUCCESS) {
		object_unref(OBJECT(clone));
		return status;
	}
	*result = clone;
	return KERN_SUCCESS;
}

/* A look at each is shorter than a walk, and the tree of `to` needs no nodes. */
int64_t object_share_few(struct memory_object *to, struct memory_object *source, uint64_t first, uint64_t count)
{
	uint64_t shared = 0;
	for (uint64_t i = 0; i < count; i++) {
		struct page *page = page_tree_get(&source->tree, first + i);
		if (page == NULL)
			continue;
		to->tree.slot[i] = page;
		to->tree.used |= 1u << i;
		page->refs++;
		shared++;
	}
	if (!charge_pages(to->object.ledger, shared)) {
		page_tree_clear(&to->tree, 0, count, count, NULL);
		return KERN_NO_MEMORY;
	}
	to->resident = shared;
	return KERN_SUCCESS;
}

int64_t object_share_pages(struct memory_object *to, uint64_t to_first, struct memory_object *source, uint64_t first,
                           uint64_t count)
{
	uint64_t end = first + count;
	for (uint64_t i = first; page_tree_next(&source->tree, &i) && i < end; i++) {
		struct page *page = page_tree_get(&source->tree, i);
		if (page == NULL)
			continue;
		page->refs++;
		if (!object_insert(to, to_first + (i - first), page)) {
			page_drop(page);
			return KERN_NO_MEMORY;
		}
	}
	object_write_protect(source, first, end, NULL);
	return KERN_SUCCESS;
}

/* ---- one page ---- */

static int64_t place_fault(struct page_place *place, enum portico_fault why)
{
	place->why = why;
	return KERN_FAULT;
}

static int64_t place_page(struct page_place *place, const struct page *page, bool writable)
{
	place->physical = (uint64_t)page->number << PAGE_SHIFT;
	place->writable = writable && page->refs == 1;
	return KERN_SUCCESS;
}

/* A page of this object's own, with the contents of `from` (NULL: zero), into an empty slot. */
static int64_t fill(struct memory_object *object, uint64_t index, const void *from, struct page_place *place)
{
	struct page *page = from != NULL ? page_take_dirty() : page_take_zeroed();
	if (page == NULL)
		return place_fault(place, FAULT_NO_MEMORY);
	if (!object_insert(object, index, page)) {
		page_drop(page);
		return place_fault(place, FAULT_NO_MEMORY);
	}
	if (from != NULL)
		page_copy(page_address(page), from);
	return place_page(place, page, true);
}

/* The object is about to write a page that others hold too: it gets a copy of its own. */
static int64_t unshare(struct memory_object *object, uint64_t index, struct page *old, struct map_entry *except,
                       struct page_place *place)
{
	struct page *page = page_take_dirty();
	if (page == NULL)
		return place_fault(place, FAULT_NO_MEMORY);
	page_copy(page_address(page), page_address(old));
	page_tree_set(&object->tree, index, page, object->object.ledger);
	if (object->mapping_count > (except != NULL) || !list_empty(&object->fronts))
		object_unmap_pages(object, index, index + 1, except);
	page_drop(old);
	return place_page(place, page, true);
}

static int64_t missing_page(struct memory_object *object, uint64_t index, bool write, struct map_entry *except,
                            struct page_place *place);

/* A page that the backing object has to give. */
static int64_t backed_page(struct memory_object *object, uint64_t index, bool write, struct map_entry *except,
                           struct page_place *place)
{
	struct memory_object *backing = object->backing;
	uint64_t backing_index = index + object->backing_first;
	struct page *page = page_tree_get(&backing->tree, backing_index);
	if (page == NULL) {
		if (write && backing->kind == MEMORY_ANONYMOUS && backing_index < backing->pages)
			return fill(object, index, NULL, place);
		int64_t status = missing_page(backing, backing_index, false, NULL, place);
		if (status != KERN_SUCCESS)
			return status;
	} else {
		place_page(place, page, false);
	}
	place->writable = false;
	if (!write)
		return KERN_SUCCESS;
	if (place->device)
		return place_fault(place, FAULT_PROTECTION);
	int64_t status = fill(object, index, page_virtual(place->physical), place);
	if (status == KERN_SUCCESS && object->mapping_count > (except != NULL))
		object_unmap_pages(object, index, index + 1, except);
	return status;
}

static int64_t missing_page(struct memory_object *object, uint64_t index, bool write, struct map_entry *except,
                            struct page_place *place)
{
	if (index >= object->pages)
		return place_fault(place, FAULT_BEYOND);
	switch (object->kind) {
	case MEMORY_PAGED:
		place->pager_object = object;
		place->pager_index = index;
		return KERN_BUSY;
	case MEMORY_DEVICE:
	case MEMORY_IMAGE:
		place->device = object->kind == MEMORY_DEVICE;
		place->writable = place->device;
		place->physical = object->physical + (index << PAGE_SHIFT);
		return write && !place->device ? place_fault(place, FAULT_PROTECTION) : KERN_SUCCESS;
	default:
		if (object->backing != NULL)
			return backed_page(object, index, write, except, place);
		return fill(object, index, NULL, place);
	}
}

int64_t object_page(struct memory_object *object, uint64_t index, bool write, struct map_entry *except,
                    struct page_place *place)
{
	place->device = false;
	struct page *page = page_tree_get(&object->tree, index);
	if (page == NULL)
		return missing_page(object, index, write, except, place);
	if (write && page->refs != 1 && !object->borrowed)
		return unshare(object, index, page, except, place);
	place_page(place, page, true);
	if (object->borrowed)
		place->writable = true;
	return KERN_SUCCESS;
}
