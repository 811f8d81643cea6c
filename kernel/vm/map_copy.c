/*
 * Duplicating address spaces: fork, and tasks that share memory. Above: kernel/task; below: objects. Copies are copy on
 * write: the cost follows the pages that are resident.
 */
#include <kernel/vm/internal.h>

/* What entries are appended behind: the last entry of each level. */
struct append_path {
	struct map_entry *last[MAP_LEVELS];
};

/* Entries come in the order of their addresses, so there is nothing to search. */
static void map_append(struct vm_map *map, struct append_path *path, struct map_entry *entry)
{
	if (entry->levels > map->levels)
		map->levels = entry->levels;
	for (unsigned level = 0; level < entry->levels; level++) {
		path->last[level]->next[level] = entry;
		path->last[level] = entry;
	}
	entry->prev = map->last;
	map->last = entry;
	map->count++;
	map->pages += (entry->end - entry->start) >> PAGE_SHIFT;
}

/*
 * Text that the parent has used is mapped in the child at once: a page costs a few dozen instructions, a fault
 * hundreds.
 */
#define PREFILL_SIZE (128 * PAGE_SIZE)

static void prefill(const struct map_entry *from, struct map_entry *to)
{
	uint64_t start = from->start, end = from->end;
	if ((from->flags & VM_EXECUTE) == 0 || !entry_touched(from, &start, &end))
		return;
	fault_around(to, start, end - start < PREFILL_SIZE ? end : start + PREFILL_SIZE);
}

static void entry_take_object(struct map_entry *entry, struct memory_object *object, bool copy_pending)
{
	object_ref(OBJECT(object));
	entry_set_object(entry, object);
	entry->copy_pending = copy_pending;
}

/* The copy shows the same object. A private one that does not exist yet has to be made now: both must see it. */
static int64_t duplicate_shared(struct map_entry *from, struct map_entry *to)
{
	int64_t status = entry_make_object(from, (from->flags & VM_COPY) != 0);
	if (status != KERN_SUCCESS)
		return status;
	to->offset = from->offset;
	entry_take_object(to, from->object, from->copy_pending);
	prefill(from, to);
	return KERN_SUCCESS;
}

static int64_t duplicate_copied(struct map_entry *from, struct map_entry *to)
{
	struct memory_object *object = from->object, *clone;
	if (object == NULL)
		return KERN_SUCCESS;
	to->offset = from->offset;
	if (from->copy_pending) {
		entry_take_object(to, object, true);
		prefill(from, to);
		return KERN_SUCCESS;
	}
	int64_t status = object_clone(object, entry_index(from, from->start), entry_index(from, from->end),
	                              to->map->ledger, from->map, &clone);
	if (status != KERN_SUCCESS)
		return status;
	clone->internal = true;
	entry_set_object(to, clone);
	return KERN_SUCCESS;
}

/* Shared, or copied; or left out, as devices and DMA memory that would have to be copied. */
static bool inherited(const struct map_entry *entry, bool share, bool *shared)
{
	uint32_t inheritance = entry->flags & VM_INHERIT_MASK;
	if (inheritance == VM_INHERIT_NONE)
		return false;
	*shared = inheritance == VM_INHERIT_SHARE || (share && inheritance != VM_INHERIT_ALWAYS_COPY);
	const struct memory_object *object = entry->object;
	return *shared || object == NULL || !object->wired || object->kind == MEMORY_IMAGE;
}

static int64_t duplicate_entry(struct map_entry *from, struct vm_map *map, bool shared, struct append_path *path)
{
	struct map_entry *to = entry_allocate(map);
	if (to == NULL)
		return KERN_NO_MEMORY;
	to->start = from->start;
	to->end = from->end;
	to->flags = from->flags;
	to->max_protection = from->max_protection;
	int64_t status = shared ? duplicate_shared(from, to) : duplicate_copied(from, to);
	if (status != KERN_SUCCESS) {
		entry_free(to);
		return status;
	}
	map_append(map, path, to);
	return KERN_SUCCESS;
}

/* Which entries of an address space go into another one. */
enum duplicate {
	DUPLICATE_INHERITED, /* fork */
	DUPLICATE_SHARE,     /* vfork */
	DUPLICATE_SHARED,    /* only those that are shared by their inheritance */
};

static bool chosen(const struct map_entry *entry, enum duplicate how, bool *shared)
{
	if (how != DUPLICATE_SHARED)
		return inherited(entry, how == DUPLICATE_SHARE, shared);
	*shared = true;
	return (entry->flags & VM_INHERIT_MASK) == VM_INHERIT_SHARE;
}

static int64_t duplicate(struct vm_map *from, struct vm_map *to, enum duplicate how)
{
	struct append_path path;
	int64_t status = KERN_SUCCESS;
	bool shared;
	if (to->count != 0)
		return KERN_INVALID_ARGUMENT;
	for (unsigned level = 0; level < MAP_LEVELS; level++)
		path.last[level] = &to->head;
	for (struct map_entry *entry = map_first(from); entry != NULL && status == KERN_SUCCESS;
	     entry = map_next(entry))
		if (chosen(entry, how, &shared))
			status = duplicate_entry(entry, to, shared, &path);
	pmap_flush(from);
	return status;
}

int64_t vm_map_duplicate(struct vm_map *from, struct vm_map *to, bool share)
{
	return duplicate(from, to, share ? DUPLICATE_SHARE : DUPLICATE_INHERITED);
}

int64_t vm_map_duplicate_shared(struct vm_map *from, struct vm_map *to)
{
	return duplicate(from, to, DUPLICATE_SHARED);
}
