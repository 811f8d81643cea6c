/*
 * Address-space and ledger traps: arguments checked, rights looked up, then map.c and map_range.c. Above: the trap
 * table. Object traps are in object_traps.c.
 *
 * A trap whose work may be long does WORK_STEP pages of it and is then repeated from its beginning
 * (thread_preempt_restart): what is done already is found done.
 */
#include <kernel/vm/internal.h>

static uint64_t *results(void)
{
	return thread_current()->endpoint->block->result;
}

/* The address space of a task argument; NULL and *status. */
static struct vm_map *map_argument(uint64_t name, int64_t *status)
{
	struct task *task = task_argument(name, RIGHT_CONTROL, status);
	if (task == NULL)
		return NULL;
	if (task->map == NULL)
		*status = KERN_DEAD;
	return task->map;
}

static struct vm_map *map_and_range(uint64_t name, uint64_t address, uint64_t *size, int64_t *status)
{
	struct vm_map *map = map_argument(name, status);
	if (map == NULL)
		return NULL;
	if (*size > MAP_TOP) {
		*status = KERN_INVALID_ARGUMENT;
		return NULL;
	}
	*size = PAGE_ROUND(*size);
	*status = map_check_range(address, *size);
	return *status == KERN_SUCCESS ? map : NULL;
}

/* Unmaps in steps; KERN_BUSY: the trap will be repeated. */
static int64_t remove_in_steps(struct vm_map *map, uint64_t address, uint64_t size)
{
	uint64_t budget = WORK_STEP;
	int64_t status;
	if (map_remove_some(map, address, address + size, &budget, &status))
		return status;
	thread_preempt_restart();
	return KERN_BUSY;
}

/* What a mapping of the object may ever do, by the flags of the right. */
static struct memory_object *object_for_map(port_name_t name, uint64_t flags, uint64_t *max, int64_t *status)
{
	struct ipc_space *space = thread_current()->task->space;
	int64_t ignored;
	struct memory_object *object = right_lookup(space, name, KOBJ_MEMORY, RIGHT_READ, status);
	if (object == NULL)
		return NULL;
	*max = VM_READ;
	if ((flags & VM_COPY) != 0 || right_lookup(space, name, KOBJ_MEMORY, RIGHT_WRITE, &ignored) != NULL)
		*max |= VM_WRITE;
	if (right_lookup(space, name, KOBJ_MEMORY, RIGHT_EXECUTE, &ignored) != NULL)
		*max |= VM_EXECUTE;
	return object;
}

/* Makes a wired mapping resident as far as that goes without waiting, up to a limit. */
static void map_touch(struct vm_map *map, uint64_t address, uint64_t size, uint64_t flags)
{
	struct page_place place;
	uint32_t access = flags & VM_WRITE ? VM_WRITE : flags & VM_READ ? VM_READ : VM_EXECUTE;
	for (uint64_t done = 0; done < size && done < WORK_STEP * PAGE_SIZE; done += PAGE_SIZE)
		if (fault_page(map, address + done, access, &place) != KERN_SUCCESS)
			return;
}

#define MAP_FLAGS                                                                                                      \
	((uint64_t)PROTECTION_MASK | VM_FIXED | VM_FIXED_NOREPLACE | VM_COPY | VM_INHERIT_MASK | VM_TOP_DOWN |         \
	 VM_GROWS_DOWN | VM_ALLOW_WX | VM_WIRED | UINT64_C(0xff) << VM_TAG_SHIFT)

int64_t trap_handle_vm_map(uint64_t task, uint64_t address, uint64_t size, uint64_t name, uint64_t offset,
                           uint64_t flags)
{
	int64_t status;
	struct vm_map *map = map_argument(task, &status);
	if (map == NULL)
		return status;
	if ((flags & ~MAP_FLAGS) != 0 || size == 0 || size > MAP_TOP)
		return KERN_INVALID_ARGUMENT;
	uint64_t max = PROTECTION_MASK;
	struct memory_object *object = NULL;
	if (name != 0) {
		object = object_for_map((port_name_t)name, flags, &max, &status);
		if (object == NULL)
			return status;
		if (object->kind == MEMORY_DEVICE && (flags & VM_COPY) != 0)
			return KERN_INVALID_ARGUMENT;
		if (object->kind == MEMORY_IMAGE && (flags & VM_COPY) == 0)
			max &= ~(uint64_t)VM_WRITE;
	}
	size = PAGE_ROUND(size);
	if ((flags & VM_FIXED) != 0 && (flags & VM_FIXED_NOREPLACE) == 0) {
		status = map_check_range(address, size);
		if (status == KERN_SUCCESS)
			status = remove_in_steps(map, address, size);
		if (status != KERN_SUCCESS)
			return status;
	}
	int64_t result = vm_map_enter(map, address, size, object, name != 0 ? offset : 0, flags, max);
	if (result >= 0 && (flags & VM_WIRED) != 0)
		map_touch(map, (uint64_t)result, size, flags);
	return result;
}

int64_t trap_handle_vm_unmap(uint64_t task, uint64_t address, uint64_t size, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	(void)d, (void)e, (void)f;
	return map != NULL ? remove_in_steps(map, address, size) : status;
}

int64_t trap_handle_vm_protect(uint64_t task, uint64_t address, uint64_t size, uint64_t protection, uint64_t e,
                               uint64_t f)
{
	int64_t status;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	(void)e, (void)f;
	if (map == NULL)
		return status;
	if ((protection & ~((uint64_t)PROTECTION_MASK | VM_ALLOW_WX)) != 0)
		return KERN_INVALID_ARGUMENT;
	return map_protect(map, address, size, (uint32_t)protection & PROTECTION_MASK, (protection & VM_ALLOW_WX) != 0);
}

int64_t trap_handle_vm_inherit(uint64_t task, uint64_t address, uint64_t size, uint64_t inheritance, uint64_t e,
                               uint64_t f)
{
	int64_t status;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	(void)e, (void)f;
	if (map == NULL)
		return status;
	return (inheritance & ~(uint64_t)VM_INHERIT_MASK) == 0 ? map_inherit(map, address, size, (uint32_t)inheritance)
	                                                       : KERN_INVALID_ARGUMENT;
}

int64_t trap_handle_vm_move(uint64_t task, uint64_t address, uint64_t size, uint64_t to, uint64_t to_size,
                            uint64_t flags)
{
	int64_t status;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	if (map == NULL)
		return status;
	if ((flags & ~((uint64_t)VM_FIXED | VM_TOP_DOWN)) != 0 || PAGE_OFFSET(to) != 0 || to_size == 0 ||
	    to_size > MAP_TOP)
		return KERN_INVALID_ARGUMENT;
	return map_move(map, address, size, to, PAGE_ROUND(to_size), (uint32_t)flags);
}

int64_t trap_handle_vm_advise(uint64_t task, uint64_t address, uint64_t size, uint64_t advice, uint64_t e, uint64_t f)
{
	int64_t status;
	uint64_t budget = WORK_STEP;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	(void)e, (void)f;
	if (map == NULL)
		return status;
	if (advice != VM_ADVISE_DONTNEED && advice != VM_ADVISE_WILLNEED && advice != VM_ADVISE_FREE)
		return KERN_INVALID_ARGUMENT;
	status = map_advise(map, address, size, (uint32_t)advice, &budget);
	if (status == KERN_BUSY)
		thread_preempt_restart();
	return status;
}

int64_t trap_handle_vm_query(uint64_t task, uint64_t address, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	struct vm_map *map = map_argument(task, &status);
	(void)c, (void)d, (void)e, (void)f;
	if (map == NULL)
		return status;
	const struct map_entry *entry = map_find(map, address);
	if (entry == NULL)
		return KERN_FAULT;
	const struct memory_object *object = entry->object;
	uint64_t *result = results();
	result[0] = entry->start;
	result[1] = entry->end;
	result[2] = entry->flags;
	result[3] = entry->offset;
	result[4] = object != NULL ? object->object.id : 0;
	result[5] = entry->max_protection;
	result[6] = object != NULL ? page_tree_count(&object->tree, entry_index(entry, entry->start),
	                                             entry_index(entry, entry->end))
	                           : 0;
	return KERN_SUCCESS;
}

static bool address_resident(struct vm_map *map, uint64_t address)
{
	if (pmap_lookup(map, address, false) != NULL)
		return true;
	struct map_entry *entry = map_lookup(map, address);
	if (entry == NULL || entry->object == NULL)
		return false;
	const struct memory_object *object = entry->object;
	uint64_t index = entry_index(entry, address);
	if (page_tree_get(&object->tree, index) != NULL)
		return true;
	return object->backing != NULL && page_tree_get(&object->backing->tree, index + object->backing_first) != NULL;
}

#define RESIDENT_PAGES_MAX 1024u

int64_t trap_handle_vm_resident(uint64_t task, uint64_t address, uint64_t pages, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)d, (void)e, (void)f;
	if (pages == 0 || pages > RESIDENT_PAGES_MAX)
		return KERN_INVALID_ARGUMENT;
	uint64_t size = pages << PAGE_SHIFT;
	struct vm_map *map = map_and_range(task, address, &size, &status);
	if (map == NULL)
		return status;
	status = map_check_mapped(map, address, address + size, 0);
	if (status != KERN_SUCCESS)
		return status;
	uint8_t *bitmap = thread_current()->endpoint->send->data;
	for (uint64_t i = 0; i < pages; i += 8) {
		unsigned bits = 0;
		for (unsigned bit = 0; bit < 8 && i + bit < pages; bit++)
			bits |= (unsigned)address_resident(map, address + ((i + bit) << PAGE_SHIFT)) << bit;
		bitmap[i / 8] = (uint8_t)bits;
	}
	return KERN_SUCCESS;
}

/* Bytes copied by one trap at most; the caller goes on with the rest. */
#define COPY_MAX (64u * PAGE_SIZE)

/*
 * Copy between another task and this one. A page that stops it: ours is faulted in and the trap repeated; the other's
 * ends it.
 */
static int64_t copy_tasks(uint64_t task, uint64_t address, uint64_t own, uint64_t length, bool read)
{
	int64_t status;
	enum portico_fault why;
	struct vm_map *other = map_argument(task, &status), *self = thread_current()->task->map;
	if (other == NULL)
		return status;
	if (address >= USER_MAX || own >= USER_MAX)
		return length == 0 ? 0 : KERN_FAULT;
	if (length > COPY_MAX)
		length = COPY_MAX;
	size_t done = read ? vm_copy(self, own, other, address, length) : vm_copy(other, address, self, own, length);
	if (done != 0 || length == 0)
		return (int64_t)done;
	status = vm_fault_in(self, own, read ? VM_WRITE : VM_READ, &why);
	if (status != KERN_SUCCESS)
		return status;
	done = read ? vm_copy(self, own, other, address, length) : vm_copy(other, address, self, own, length);
	return done != 0 ? (int64_t)done : KERN_FAULT;
}

int64_t trap_handle_vm_read(uint64_t task, uint64_t address, uint64_t own, uint64_t length, uint64_t e, uint64_t f)
{
	(void)e, (void)f;
	return copy_tasks(task, address, own, length, true);
}

int64_t trap_handle_vm_write(uint64_t task, uint64_t address, uint64_t own, uint64_t length, uint64_t e, uint64_t f)
{
	(void)e, (void)f;
	return copy_tasks(task, address, own, length, false);
}

/* ---- ledgers ---- */

static struct ledger *ledger_argument(uint64_t name, uint32_t needed, int64_t *status)
{
	struct task *task = thread_current()->task;
	return name == 0 ? task->ledger : right_lookup(task->space, (port_name_t)name, KOBJ_LEDGER, needed, status);
}

int64_t trap_handle_ledger_create(uint64_t parent, uint64_t pages, uint64_t bytes, uint64_t chosen, uint64_t e,
                                  uint64_t f)
{
	int64_t status;
	(void)e, (void)f;
	struct ledger *above = ledger_argument(parent, RIGHT_CONTROL, &status);
	if (above == NULL)
		return status;
	struct ledger *ledger = ledger_create(above, pages, bytes);
	if (ledger == NULL)
		return KERN_NO_MEMORY;
	status = right_enter_object(thread_current()->task->space, OBJECT(ledger), RIGHT_CONTROL | RIGHT_INFO,
	                            (port_name_t)chosen);
	object_unref(OBJECT(ledger));
	return status;
}

int64_t trap_handle_ledger_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status;
	(void)b, (void)c, (void)d, (void)e, (void)f;
	const struct ledger *ledger = ledger_argument(name, 0, &status);
	if (ledger == NULL)
		return status;
	uint64_t *result = results();
	result[0] = ledger->pages;
	result[1] = ledger->page_limit;
	result[2] = ledger->bytes;
	result[3] = ledger->byte_limit;
	return KERN_SUCCESS;
}

int64_t trap_handle_ledger_set(uint64_t name, uint64_t pages, uint64_t bytes, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_INVALID_ARGUMENT;
	(void)d, (void)e, (void)f;
	/* A task cannot raise its own limits without a right to the ledger. */
	struct ledger *ledger = name != 0 ? ledger_argument(name, RIGHT_CONTROL, &status) : NULL;
	if (ledger == NULL)
		return status;
	ledger->page_limit = pages;
	ledger->byte_limit = bytes;
	return KERN_SUCCESS;
}
