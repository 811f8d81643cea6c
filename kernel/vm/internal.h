/*
 * Structures private to kernel/vm and its page tables (kernel/arch/x86_64/pmap.c). The rest of the kernel sees vm.h
 * only.
 *
 *   struct vm_map      an address space: ordered entries (skip list) and a page table
 *   struct map_entry   a range of it, over a range of a memory object
 *   struct memory_object   a tree of pages, perhaps a backing object below, perhaps a pager
 *   struct page        a physical page; `refs` counts the slots that hold it: above 1 it is copied before it is written
 *
 * Page tables hold nothing that entries and objects do not tell: a missing PTE is always right. A PTE is writable only
 * while its page has one reference, so sharing a page write-protects first (object_write_protect).
 */
#ifndef KERNEL_VM_INTERNAL_H
#define KERNEL_VM_INTERNAL_H

#include <kernel/arch/arch.h>
#include <kernel/ipc/ipc.h>
#include <kernel/lib/list.h>
#include <kernel/task/task.h>
#include <kernel/task/thread.h>
#include <kernel/vm/page_tree.h>
#include <kernel/vm/vm.h>

struct map_entry;

#define PROTECTION_MASK (VM_READ | VM_WRITE | VM_EXECUTE)
#define PAGE_OFFSET(address) ((address) & (PAGE_SIZE - 1))
#define PAGE_ROUND(size) (((size) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

/* Mappings end below the top GiB: its page directory, with the kernel information page, is shared by all tasks. */
#define MAP_TOP 0x7fffc0000000ul
#define MAP_ENTRIES_MAX 65536u
#define OBJECT_PAGES_MAX (UINT64_C(1) << 35)

/* Pages or PTEs handled in one go before a long operation lets others run. */
#define WORK_STEP 1024u

/* ---- ledger.c: what vm.h declares, for the paths that are short ---- */

static inline void credit_pages(struct ledger *ledger, uint64_t count)
{
	for (; ledger != NULL; ledger = ledger->parent)
		ledger->pages -= count;
}

static inline void credit_bytes(struct ledger *ledger, uint64_t count)
{
	for (; ledger != NULL; ledger = ledger->parent)
		ledger->bytes -= count;
}

static inline bool charge_pages(struct ledger *ledger, uint64_t count)
{
	for (struct ledger *l = ledger; l != NULL; l = l->parent) {
		if (l->pages + count <= l->page_limit) {
			l->pages += count;
			continue;
		}
		for (struct ledger *undo = ledger; undo != l; undo = undo->parent)
			undo->pages -= count;
		return false;
	}
	return true;
}

static inline bool charge_bytes(struct ledger *ledger, uint64_t count)
{
	for (struct ledger *l = ledger; l != NULL; l = l->parent) {
		if (l->bytes + count <= l->byte_limit) {
			l->bytes += count;
			continue;
		}
		for (struct ledger *undo = ledger; undo != l; undo = undo->parent)
			undo->bytes -= count;
		return false;
	}
	return true;
}

/* ---- page.c ---- */

struct page {
	uint32_t refs;   /* 0: free, or not the allocator's */
	uint32_t number; /* physical address >> PAGE_SHIFT */
	uint16_t live;   /* page table: entries in use */
	uint8_t order;   /* first page of a free block: log2 of its pages; PAGE_IN_USE otherwise */
	bool managed;    /* the allocator's: given out, free, or full of struct page */
	uint8_t reserved[4];
};

/* Pages with one reference; NULL when the machine has none left. */
struct page *page_take_zeroed(void);
struct page *page_take_dirty(void); /* contents undefined: the caller overwrites them */
void page_free(struct page *page);
/* As page_drop, for a page whose contents are known to be zero if this is the last reference. */
void page_drop_zeroed(struct page *page);
struct page *page_find(uint64_t number);               /* NULL if it is in no section */
bool page_range_managed(uint64_t first, uint64_t end); /* does the allocator own any of these numbers? */

static inline void *page_address(const struct page *page)
{
	return (void *)(DIRECT_MAP + ((uint64_t)page->number << PAGE_SHIFT));
}

static inline void page_drop(struct page *page)
{
	if (--page->refs == 0)
		page_free(page);
}

/* ---- memory_object.c, pager.c ---- */

enum memory_kind {
	MEMORY_ANONYMOUS, /* missing pages come from `backing` if there is one, else they are zero */
	MEMORY_PAGED,     /* missing pages are asked from the pager */
	MEMORY_DEVICE,    /* physical range, uncached, no pages */
	MEMORY_IMAGE,     /* physical range of RAM outside the allocator (boot modules), cached, read-only */
};

struct memory_object {
	struct kobject object;
	uint8_t kind;  /* enum memory_kind */
	bool internal; /* made by a mapping: no right names it, its pages go with the mapping */
	bool wired, contiguous;
	bool borrowed;     /* pages belong to the kernel (endpoints): not charged */
	uint64_t pages;    /* size */
	uint64_t resident; /* pages in the tree; charged to object.ledger unless borrowed */
	struct page_tree tree;

	struct list mappings; /* map_entry.object_link */
	uint64_t mapping_count;

	struct memory_object *backing; /* reference; has no backing itself */
	uint64_t backing_first;        /* its page that page 0 of this one stands for */
	struct list fronts;            /* objects whose backing this is, by front_link */
	struct list front_link;

	struct port_sender *pager; /* reference */
	struct list waiters;       /* threads, by wait_link */
	struct list dying_link;    /* destruction goes on in the reaper */

	uint64_t physical; /* device, image */
};

/* Where a page of an object is, and what may be done with it. */
struct page_place {
	uint64_t physical;
	bool writable;                      /* may be mapped writable */
	bool device;                        /* uncached, not in the direct map */
	struct memory_object *pager_object; /* with KERN_BUSY: whose pager has to supply ... */
	uint64_t pager_index;               /* ... which page */
	enum portico_fault why;             /* with KERN_FAULT */
};

/* Objects of `pages` pages; NULL when the ledger is exhausted. */
struct memory_object *object_create_anonymous(uint64_t pages, struct ledger *ledger);
/* A private object in front of `backing`, numbered like it. */
struct memory_object *object_create_front(struct memory_object *backing, struct ledger *ledger);
/* Puts a new, empty object in front of another one. */
void object_set_backing(struct memory_object *front, struct memory_object *backing, uint64_t backing_first);
/* An object that holds kernel pages. */
struct memory_object *object_create_borrowed(void *const *pages, size_t count, struct ledger *ledger);
/* Allocates all pages now: wired memory, contiguous if asked. */
int64_t object_populate(struct memory_object *object, bool contiguous);
/*
 * A copy-on-write copy of pages [first, end) as a new anonymous object, numbered like the source. Write-protects the
 * source; `deferred`, if not NULL, is a map whose TLB flush the caller does.
 */
int64_t object_clone(struct memory_object *source, uint64_t first, uint64_t end, struct ledger *ledger,
                     struct vm_map *deferred, struct memory_object **clone);
/* Shares `count` pages of source from `first` on with an anonymous object at `to_first` (its slots are empty). */
int64_t object_share_pages(struct memory_object *to, uint64_t to_first, struct memory_object *source, uint64_t first,
                           uint64_t count);
/* The same for a new object `to`, its start, and at most TREE_SMALL pages; the caller write-protects the source. */
int64_t object_share_few(struct memory_object *to, struct memory_object *source, uint64_t first, uint64_t count);
/* Finds or makes page `index`. `except`: the entry whose PTE the caller replaces itself (or NULL). */
int64_t object_page(struct memory_object *object, uint64_t index, bool write, struct map_entry *except,
                    struct page_place *place);
/* Puts a page into an empty slot and charges it. The object owns the reference on success. */
bool object_insert(struct memory_object *object, uint64_t index, struct page *page);
/* Drops pages [first, end), at most `budget` of them; true when all are gone. Their PTEs must be gone already. */
bool object_drop_pages(struct memory_object *object, uint64_t first, uint64_t end, uint64_t budget);
void object_write_protect(struct memory_object *object, uint64_t first, uint64_t end, struct vm_map *deferred);
/* Removes the PTEs of these pages wherever they are mapped, fronts included. */
void object_unmap_pages(struct memory_object *object, uint64_t first, uint64_t end, const struct map_entry *except);

/* The current thread waits for the page, with restart; KERN_BUSY, or KERN_FAULT if the pager cannot be asked. */
int64_t pager_wait(struct memory_object *object, uint64_t index, uint32_t access, enum portico_fault *why);
/* Ends the waits for pages [first, end): they are there now, or have failed. */
void pager_wake(struct memory_object *object, uint64_t first, uint64_t end, bool failed);
/* What a pager argument names: a send right whose badge is `badge` (or any, for 0), or a right to make such. With a
 * reference. */
struct port_sender *pager_sender(struct ipc_space *space, port_name_t name, uint64_t badge, int64_t *status);

/* ---- map.c ---- */

#define MAP_LEVELS 8

struct map_entry {
	uint64_t start, end;
	struct vm_map *map;
	struct memory_object *object; /* reference; NULL: anonymous memory that nobody has touched */
	uint64_t offset;              /* bytes, in the object, of `start` */
	uint32_t flags;               /* VM_*: protection, VM_COPY, inheritance, VM_GROWS_DOWN, VM_ALLOW_WX, tag */
	uint8_t max_protection;
	bool copy_pending; /* VM_COPY: `object` is the original; a first write puts a private one in front */
	bool writable;     /* may have writable PTEs */
	uint8_t levels;
	uint64_t touched_start, touched_end; /* no PTEs outside of this; may reach beyond the entry */
	struct list object_link;
	struct map_entry *prev;
	struct map_entry *next[MAP_LEVELS]; /* only `levels` of them are allocated */
};

struct pmap {
	uint64_t *root;    /* PML4 in the direct map; first in vm_map */
	uint64_t last_tag; /* last page table used: address >> 21, or ~0 */
	uint64_t *last_table;
	struct page *last_page;          /* struct page of last_table */
	uint64_t flush_start, flush_end; /* PTEs changed since the last pmap_flush */
};

struct vm_map {
	struct pmap pmap;
	struct ledger *ledger;    /* reference */
	uint64_t id;              /* bit 63 set: never equal to an object's */
	uint64_t pages, resident; /* mapped; with a PTE */
	uint64_t max_resident;
	struct map_entry *hint; /* last entry found */
	struct map_entry *last;
	uint32_t count;
	uint32_t levels; /* no entry has more */
	/* Top-down search: between down_limit and down_top no gap is larger than down_skipped. */
	uint64_t down_top, down_limit, down_skipped;
	struct map_entry head;
};

static inline uint64_t entry_index(const struct map_entry *entry, uint64_t address)
{
	return (address - entry->start + entry->offset) >> PAGE_SHIFT;
}

static inline void entry_touch(struct map_entry *entry, uint64_t start, uint64_t end)
{
	if (start < entry->touched_start)
		entry->touched_start = start;
	if (end > entry->touched_end)
		entry->touched_end = end;
}

/* Narrows a range to where the entry can have PTEs; false if that is nowhere. */
static inline bool entry_touched(const struct map_entry *entry, uint64_t *start, uint64_t *end)
{
	if (*start < entry->touched_start)
		*start = entry->touched_start;
	if (*end > entry->touched_end)
		*end = entry->touched_end;
	return *start < *end;
}

struct map_entry *map_search(struct vm_map *map, uint64_t address);
/* The entry with the lowest end above `address`; NULL if none. */
static inline struct map_entry *map_find(struct vm_map *map, uint64_t address)
{
	struct map_entry *entry = map->hint;
	if (entry != NULL && address < entry->end && (entry->prev == NULL || entry->prev->end <= address))
		return entry;
	return map_search(map, address);
}
/* The entry that contains it. */
static inline struct map_entry *map_lookup(struct vm_map *map, uint64_t address)
{
	struct map_entry *entry = map_find(map, address);
	return entry != NULL && entry->start <= address ? entry : NULL;
}
static inline struct map_entry *map_first(struct vm_map *map)
{
	return map->head.next[0];
}
static inline struct map_entry *map_next(const struct map_entry *entry)
{
	return entry->next[0];
}

struct map_entry *entry_allocate(struct vm_map *map);
void entry_free(struct map_entry *entry);
/* Takes over the reference to object (NULL allowed). */
void entry_set_object(struct map_entry *entry, struct memory_object *object);
void map_insert(struct vm_map *map, struct map_entry *entry);
void map_unlink(struct vm_map *map, struct map_entry *entry);
/* As map_unlink for the first entry, when the map is about to end. */
void map_unlink_first(struct vm_map *map);
/* Makes entries begin or end at `address`. KERN_NO_MEMORY, KERN_NO_SPACE. */
int64_t map_clip(struct vm_map *map, uint64_t address);
/* Joins an entry with its successor where they continue each other; returns the one that is left at that place. */
struct map_entry *map_merge(struct vm_map *map, struct map_entry *entry);
/* 0, or KERN_INVALID_ARGUMENT: aligned, not empty, inside user space. */
static inline int64_t map_check_range(uint64_t address, uint64_t size)
{
	if (PAGE_OFFSET(address | size) != 0 || size == 0 || size > MAP_TOP)
		return KERN_INVALID_ARGUMENT;
	return address >= PAGE_SIZE && address <= MAP_TOP - size ? KERN_SUCCESS : KERN_INVALID_ARGUMENT;
}
/*
 * Maps [offset, offset + size) of an internal object, a whole number of its pages, wherever there is room; readable and writable.
 * Takes over the reference to the object unless it fails. -> address
 */
int64_t map_enter_region(struct vm_map *map, struct memory_object *object, uint64_t offset, uint64_t size);
/* Unmaps; false when the budget ran out first (call again). *status: KERN_NO_MEMORY if an entry could not be split. */
bool map_remove_some(struct vm_map *map, uint64_t start, uint64_t end, uint64_t *budget, int64_t *status);
/* Are all addresses of the range mapped, with max protections that include `protection`? KERN_FAULT, KERN_NO_ACCESS. */
int64_t map_check_mapped(struct vm_map *map, uint64_t start, uint64_t end, uint32_t protection);
uint64_t map_find_space(struct vm_map *map, uint64_t hint, uint64_t size, bool down); /* 0: none */
/* Unmaps an entry without giving up pages: somebody else holds the object. */
void map_take_out(struct vm_map *map, struct map_entry *entry);
/* Does any other mapping of the entry's object reach its pages [first, end)? */
bool entry_reached_elsewhere(const struct map_entry *entry, uint64_t first, uint64_t end);
/* Drops the pages that only this range of the entry can reach; true when done. PTEs must be gone. */
bool entry_discard(struct map_entry *entry, uint64_t start, uint64_t end, uint64_t budget);

/* Gives the entry an object of its own if it has none or a pending copy. KERN_NO_MEMORY. */
int64_t entry_make_object(struct map_entry *entry, bool for_write);

/* ---- map_range.c: the bodies of the traps ---- */
int64_t map_protect(struct vm_map *map, uint64_t address, uint64_t size, uint32_t protection, bool allow_wx);
int64_t map_inherit(struct vm_map *map, uint64_t address, uint64_t size, uint32_t inheritance);
int64_t map_move(struct vm_map *map, uint64_t address, uint64_t size, uint64_t to, uint64_t to_size, uint32_t flags);
int64_t map_advise(struct vm_map *map, uint64_t address, uint64_t size, uint32_t advice, uint64_t *budget);

/* ---- fault.c ---- */
/* Maps resident pages of the range read-only where there are no PTEs yet. */
void fault_around(struct map_entry *entry, uint64_t start, uint64_t end);
/* As a fault, but never waits: KERN_BUSY means that a pager would have to be asked. */
int64_t fault_page(struct vm_map *map, uint64_t address, uint32_t access, struct page_place *place);

/* ---- pmap.c ---- */
bool pmap_create(struct vm_map *map);
void pmap_destroy(struct vm_map *map); /* all mappings are removed */
/* Maps a page; replaces what is there. KERN_NO_MEMORY: no page table. */
int64_t pmap_enter(struct vm_map *map, uint64_t address, uint64_t physical, uint32_t protection, bool device);
/* Maps a page where there is no PTE yet and memory for a page table; else does nothing. */
void pmap_fill(struct vm_map *map, uint64_t address, uint64_t physical, uint32_t protection);
/* Removes PTEs, counting the budget down; returns the address reached: `end` when done. */
uint64_t pmap_remove(struct vm_map *map, uint64_t start, uint64_t end, uint64_t *budget);
void pmap_write_protect(struct vm_map *map, uint64_t start, uint64_t end);
/* The page at `address` in the direct map, if there is a PTE with that access to RAM; else NULL. */
void *pmap_lookup(struct vm_map *map, uint64_t address, bool write);
/* Makes changes of existing PTEs known to every CPU that may have them cached. */
void pmap_flush_changed(struct vm_map *map);
static inline void pmap_flush(struct vm_map *map)
{
	if (map->pmap.flush_end != 0)
		pmap_flush_changed(map);
}

#endif
