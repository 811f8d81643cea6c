/*
 * Memory object traps: creating, sizing, filling, reading without a mapping; the pager's side of paging; physical
 * memory for drivers. Above: the trap table; below: memory_object.c and pager.c. See vm_traps.c for how long work is
 * cut up.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

#define WIRED_PAGES_MAX 4096u
#define COPY_MAX (64u * PAGE_SIZE)
#define PHYSICAL_MAX (UINT64_C(1) << 52)

static struct ipc_space *own_space(void)
{
	return thread_current()->task->space;
}

static struct memory_object *object_argument(uint64_t name, uint32_t needed, int64_t *status)
{
	return right_lookup(own_space(), (port_name_t)name, KOBJ_MEMORY, needed, status);
}

/* Gives the caller a right to a new object and drops the maker's reference. */
static int64_t object_publish(struct memory_object *object, uint64_t chosen)
{
	int64_t name =
	        right_enter_object(own_space(), OBJECT(object),
	                           RIGHT_CONTROL | RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE, (port_name_t)chosen);
	object_unref(OBJECT(object));
	return name;
}

static int64_t check_extent(uint64_t offset, uint64_t length)
{
	if (PAGE_OFFSET(offset) != 0 || offset + length < offset || (offset + length) >> PAGE_SHIFT > OBJECT_PAGES_MAX)
		return KERN_INVALID_ARGUMENT;
	return KERN_SUCCESS;
}

int64_t trap_handle_object_create(uint64_t size, uint64_t flags, uint64_t pager, uint64_t badge, uint64_t chosen,
                                  uint64_t f)
{
	int64_t status = check_extent(0, size);
	struct ledger *ledger = thread_current()->task->ledger;
	struct port_sender *sender = NULL;
	(void)f;
	if (status != KERN_SUCCESS || (flags & ~(uint64_t)(OBJECT_WIRED | OBJECT_CONTIGUOUS)) != 0 ||
	    (flags != 0 && pager != 0) || flags == OBJECT_CONTIGUOUS || (flags != 0 && size == 0))
		return KERN_INVALID_ARGUMENT;
	if (flags != 0 && PAGE_ROUND(size) >> PAGE_SHIFT > WIRED_PAGES_MAX)
		return KERN_TOO_LARGE;
	if (pager != 0) {
		sender = pager_sender(own_space(), (port_name_t)pager, badge, &status);
		if (sender == NULL)
			return status;
	}
	struct memory_object *object = memory_object_create(size, ledger);
	if (object == NULL) {
		if (sender != NULL)
			port_sender_release(sender);
		return KERN_NO_MEMORY;
	}
	if (sender != NULL) {
		object->kind = MEMORY_PAGED;
		object->pager = sender;
	}
	status = flags != 0 ? object_populate(object, (flags & OBJECT_CONTIGUOUS) != 0) : KERN_SUCCESS;
	if (status == KERN_SUCCESS)
		return object_publish(object, chosen);
	object_unref(OBJECT(object));
	return status;
}

/* Unmaps and drops pages [first, end); false: repeat. Those who wait for them look again. */
static bool discard_pages(struct memory_object *object, uint64_t first, uint64_t end)
{
	object_unmap_pages(object, first, end, NULL);
	bool done = object_drop_pages(object, first, end, WORK_STEP);
	pager_wake(object, first, end, false);
	return done;
}

int64_t trap_handle_object_resize(uint64_t name, uint64_t size, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)c, (void)d, (void)e, (void)f;
	struct memory_object *object = object_argument(name, RIGHT_CONTROL, &status);
	if (object == NULL)
		return status;
	if (check_extent(0, size) != KERN_SUCCESS)
		return KERN_INVALID_ARGUMENT;
	if (object->wired)
		return KERN_NOT_SUPPORTED;
	uint64_t pages = PAGE_ROUND(size) >> PAGE_SHIFT, old = object->pages;
	if (pages < old && !discard_pages(object, pages, old)) {
		thread_preempt_restart();
		return KERN_BUSY;
	}
	object->pages = pages;
	/* What is left of the last page must read as zero if the object grows again. */
	struct page *last = pages != 0 && PAGE_OFFSET(size) != 0 ? page_tree_get(&object->tree, pages - 1) : NULL;
	if (last != NULL && last->refs == 1)
		memory_clear((char *)page_address(last) + PAGE_OFFSET(size), PAGE_SIZE - PAGE_OFFSET(size));
	return KERN_SUCCESS;
}

/* One page from the caller's memory; the rest of a short last page is zero. KERN_FAULT: the caller's page is not there.
 */
static int64_t supply_page(struct memory_object *object, uint64_t index, uint64_t own, size_t length)
{
	struct page *page = page_take_dirty();
	if (page == NULL)
		return KERN_NO_MEMORY;
	size_t done = vm_copy_in(thread_current()->task->map, page_address(page), own, length);
	if (done == length && object_insert(object, index, page)) {
		memory_clear((char *)page_address(page) + length, PAGE_SIZE - length);
		return KERN_SUCCESS;
	}
	page_drop(page);
	return done == length ? KERN_NO_MEMORY : KERN_FAULT;
}

int64_t trap_handle_object_supply(uint64_t name, uint64_t offset, uint64_t own, uint64_t length, uint64_t e, uint64_t f)
{
	int64_t status;
	enum portico_fault why;
	unsigned work = 0;
	(void)e, (void)f;
	struct memory_object *object = object_argument(name, RIGHT_CONTROL, &status);
	if (object == NULL)
		return status;
	if (check_extent(offset, length) != KERN_SUCCESS || object->wired)
		return KERN_INVALID_ARGUMENT;
	for (uint64_t done = 0; done < length; done += PAGE_SIZE) {
		uint64_t index = (offset + done) >> PAGE_SHIFT;
		size_t chunk = length - done < PAGE_SIZE ? length - done : PAGE_SIZE;
		if (index >= object->pages)
			break; /* it was made shorter meanwhile */
		if (page_tree_get(&object->tree, index) != NULL)
			continue;
		if (work++ == WORK_STEP / 16) {
			thread_preempt_restart();
			return KERN_BUSY;
		}
		status = supply_page(object, index, own + done, chunk);
		if (status == KERN_FAULT) {
			status = vm_fault_in(thread_current()->task->map, own + done, VM_READ, &why);
			if (status == KERN_SUCCESS)
				status = supply_page(object, index, own + done, chunk);
		}
		if (status != KERN_SUCCESS)
			return status;
		pager_wake(object, index, index + 1, false);
	}
	pager_wake(object, offset >> PAGE_SHIFT, PAGE_ROUND(offset + length) >> PAGE_SHIFT, false);
	return KERN_SUCCESS;
}

int64_t trap_handle_object_discard(uint64_t name, uint64_t offset, uint64_t length, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)d, (void)e, (void)f;
	struct memory_object *object = object_argument(name, RIGHT_CONTROL, &status);
	if (object == NULL)
		return status;
	if (check_extent(offset, length) != KERN_SUCCESS || PAGE_OFFSET(length) != 0)
		return KERN_INVALID_ARGUMENT;
	if (object->wired)
		return KERN_NOT_SUPPORTED;
	if (!discard_pages(object, offset >> PAGE_SHIFT, (offset + length) >> PAGE_SHIFT)) {
		thread_preempt_restart();
		return KERN_BUSY;
	}
	return KERN_SUCCESS;
}

int64_t trap_handle_object_fail(uint64_t name, uint64_t offset, uint64_t length, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)d, (void)e, (void)f;
	struct memory_object *object = object_argument(name, RIGHT_CONTROL, &status);
	if (object == NULL)
		return status;
	if (check_extent(offset, length) != KERN_SUCCESS)
		return KERN_INVALID_ARGUMENT;
	pager_wake(object, offset >> PAGE_SHIFT, PAGE_ROUND(offset + length) >> PAGE_SHIFT, true);
	return KERN_SUCCESS;
}

int64_t trap_handle_object_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)b, (void)c, (void)d, (void)e, (void)f;
	const struct memory_object *object = object_argument(name, 0, &status);
	if (object == NULL)
		return status;
	uint64_t *result = thread_current()->endpoint->block->result;
	result[0] = object->pages << PAGE_SHIFT;
	result[1] = object->resident;
	result[2] = object->mapping_count;
	result[3] =
	        (uint64_t)(object->wired ? OBJECT_WIRED : 0) | (uint64_t)(object->contiguous ? OBJECT_CONTIGUOUS : 0);
	return KERN_SUCCESS;
}

/* ---- reading and writing without a mapping ---- */

/* The bytes of an object's page for a copy; NULL: they cannot be had. A page that is overwritten as a whole needs no
 * pager. */
static char *object_bytes(struct memory_object *object, uint64_t index, bool write, bool whole)
{
	struct page_place place;
	int64_t status = object_page(object, index, write, NULL, &place);
	if (status == KERN_SUCCESS)
		return place.device ? NULL : page_virtual(place.physical);
	if (status != KERN_BUSY || !write || !whole)
		return NULL;
	struct page *page = page_take_zeroed();
	if (page == NULL)
		return NULL;
	if (object_insert(object, index, page)) {
		pager_wake(object, index, index + 1, false);
		return page_address(page);
	}
	page_drop(page);
	return NULL;
}

static const char zeros[PAGE_SIZE];

/* Bytes copied, up to the first page that cannot be had; *own_fault: it was one of the caller's. */
static uint64_t object_copy(struct memory_object *object, uint64_t offset, uint64_t own, uint64_t length, bool write,
                            bool *own_fault)
{
	struct vm_map *map = thread_current()->task->map;
	uint64_t done = 0;
	*own_fault = false;
	while (done < length) {
		uint64_t at = offset + done, index = at >> PAGE_SHIFT;
		size_t chunk = PAGE_SIZE - PAGE_OFFSET(at);
		if (chunk > length - done)
			chunk = length - done;
		if (index >= object->pages)
			break;
		bool hole = !write && object->kind == MEMORY_ANONYMOUS && object->backing == NULL &&
		            page_tree_get(&object->tree, index) == NULL;
		char *bytes = hole ? NULL : object_bytes(object, index, write, chunk == PAGE_SIZE);
		if (bytes == NULL && !hole)
			break;
		size_t copied = write ? vm_copy_in(map, bytes + PAGE_OFFSET(at), own + done, chunk)
		                      : vm_copy_out(map, own + done, (hole ? zeros : bytes) + PAGE_OFFSET(at), chunk);
		done += copied;
		if (copied != chunk) {
			*own_fault = true;
			break;
		}
	}
	return done;
}

static int64_t object_access(uint64_t name, uint64_t offset, uint64_t own, uint64_t length, bool write)
{
	int64_t status;
	bool own_fault;
	enum portico_fault why;
	struct memory_object *object = object_argument(name, write ? RIGHT_WRITE : RIGHT_READ, &status);
	if (object == NULL)
		return status;
	if (offset + length < offset || offset + length > object->pages << PAGE_SHIFT)
		return KERN_INVALID_ARGUMENT;
	if (length > COPY_MAX)
		length = COPY_MAX;
	uint64_t done = object_copy(object, offset, own, length, write, &own_fault);
	if (done != 0 || length == 0)
		return (int64_t)done;
	if (own_fault) {
		status = vm_fault_in(thread_current()->task->map, own, write ? VM_READ : VM_WRITE, &why);
		if (status != KERN_SUCCESS)
			return status;
		done = object_copy(object, offset, own, length, write, &own_fault);
	}
	return done != 0 ? (int64_t)done : KERN_FAULT;
}

int64_t trap_handle_object_read(uint64_t name, uint64_t offset, uint64_t own, uint64_t length, uint64_t e, uint64_t f)
{
	(void)e, (void)f;
	return object_access(name, offset, own, length, false);
}

int64_t trap_handle_object_write(uint64_t name, uint64_t offset, uint64_t own, uint64_t length, uint64_t e, uint64_t f)
{
	(void)e, (void)f;
	return object_access(name, offset, own, length, true);
}

/* ---- copies ---- */

/* A copy of [first, first + count) numbered from 0. */
static int64_t clone_moved(struct memory_object *source, uint64_t first, uint64_t count, struct memory_object **result)
{
	struct memory_object *clone = object_create_anonymous(count, thread_current()->task->ledger);
	if (clone == NULL)
		return KERN_NO_MEMORY;
	if (source->kind != MEMORY_ANONYMOUS)
		object_set_backing(clone, source, first);
	else if (source->backing != NULL)
		object_set_backing(clone, source->backing, source->backing_first + first);
	int64_t status = object_share_pages(clone, 0, source, first, count);
	if (status != KERN_SUCCESS) {
		object_unref(OBJECT(clone));
		return status;
	}
	*result = clone;
	return KERN_SUCCESS;
}

int64_t trap_handle_object_clone(uint64_t name, uint64_t offset, uint64_t length, uint64_t flags, uint64_t chosen,
                                 uint64_t f)
{
	int64_t status;
	(void)f;
	struct memory_object *source = object_argument(name, RIGHT_READ, &status), *clone;
	if (source == NULL)
		return status;
	if (flags != 0 || check_extent(offset, length) != KERN_SUCCESS || length == 0)
		return KERN_INVALID_ARGUMENT;
	if (source->wired && source->kind != MEMORY_IMAGE)
		return KERN_NOT_SUPPORTED;
	uint64_t first = offset >> PAGE_SHIFT, count = PAGE_ROUND(length) >> PAGE_SHIFT;
	if (first == 0) {
		status = object_clone(source, 0, count, thread_current()->task->ledger, NULL, &clone);
		if (status == KERN_SUCCESS)
			clone->pages = count;
	} else {
		status = clone_moved(source, first, count, &clone);
	}
	return status == KERN_SUCCESS ? object_publish(clone, chosen) : status;
}

/* ---- physical memory ---- */

static bool machine_argument(uint64_t name, int64_t *status)
{
	return right_lookup(own_space(), (port_name_t)name, KOBJ_MACHINE, 0, status) != NULL;
}

int64_t trap_handle_machine_physical(uint64_t machine, uint64_t address, uint64_t size, uint64_t chosen, uint64_t e,
                                     uint64_t f)
{
	int64_t status;
	(void)e, (void)f;
	if (!machine_argument(machine, &status))
		return status;
	if (PAGE_OFFSET(address) != 0 || PAGE_OFFSET(size) != 0 || size == 0 || address >= PHYSICAL_MAX ||
	    size > PHYSICAL_MAX - address || size >> PAGE_SHIFT > OBJECT_PAGES_MAX)
		return KERN_INVALID_ARGUMENT;
	/* Memory that the page allocator gives out is nobody's device. */
	if (page_range_managed(address >> PAGE_SHIFT, (address + size) >> PAGE_SHIFT))
		return KERN_NO_ACCESS;
	struct memory_object *object = memory_object_create_physical(address, size);
	return object != NULL ? object_publish(object, chosen) : KERN_NO_MEMORY;
}

int64_t trap_handle_machine_physical_of(uint64_t machine, uint64_t name, uint64_t offset, uint64_t d, uint64_t e,
                                        uint64_t f)
{
	int64_t status;
	(void)d, (void)e, (void)f;
	if (!machine_argument(machine, &status))
		return status;
	const struct memory_object *object = object_argument(name, RIGHT_READ, &status);
	if (object == NULL)
		return status;
	uint64_t index = offset >> PAGE_SHIFT;
	if (!object->wired || index >= object->pages)
		return KERN_INVALID_ARGUMENT;
	if (object->kind != MEMORY_ANONYMOUS)
		return (int64_t)(object->physical + offset);
	const struct page *page = page_tree_get(&object->tree, index);
	return page != NULL ? (int64_t)(((uint64_t)page->number << PAGE_SHIFT) + PAGE_OFFSET(offset)) : KERN_FAULT;
}
