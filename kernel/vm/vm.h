/*
 * Virtual memory as the rest of the kernel sees it. Owner: kernel/vm; page tables: kernel/arch/x86_64/pmap.c (same owner).
 *
 * An address space (vm_map) is a map of entries over memory objects. A memory object is an array of page pointers;
 * copying an object copies the pointers and shares the pages (page.refs > 1: copy on write), so there are no
 * shadow chains. Page tables are a cache of this and are built by faults.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include <kernel/object.h>
#include <portico/layout.h>
#include <portico/status.h>
#include <portico/traps.h>

struct vm_map;
struct memory_object;
struct port_sender; /* kernel/ipc: what a send right points to */
struct thread;
struct task;

/* ---- physical pages and kernel memory (page.c, kalloc.c) ---- */

/* Called by arch start-up for each usable range of RAM, then kalloc works. */
void page_add_range(uint64_t physical, uint64_t size);
/* One zeroed page, in the direct map; NULL if none. Not charged. */
void *page_allocate(void);
void page_release(void *page);
/* 2^order contiguous pages (DMA, kernel). */
void *page_allocate_contiguous(unsigned order);
void page_release_contiguous(void *page, unsigned order);
uint64_t page_physical(const void *page); /* direct map <-> physical: arch constants */
void *page_virtual(uint64_t physical);
extern uint64_t pages_total, pages_free, pages_kernel;
/* Zeroes one free page ahead of need; false when there is nothing to do. For the idle loop, lock held. */
bool page_zero_ahead(void);

/* General kernel memory, zeroed, charged to the ledger (NULL: kernel). NULL when exhausted. */
void *kalloc(size_t size, struct ledger *ledger);
void kfree(void *p, size_t size, struct ledger *ledger);

/* ---- ledgers (ledger.c) ---- */
struct ledger {
	struct kobject object;
	struct ledger *parent;                   /* charged too */
	uint64_t pages, page_limit;              /* user pages */
	uint64_t bytes, byte_limit;              /* kernel memory */
};
extern struct ledger root_ledger;
bool ledger_charge_pages(struct ledger *ledger, uint64_t count);
void ledger_credit_pages(struct ledger *ledger, uint64_t count);
bool ledger_charge_bytes(struct ledger *ledger, uint64_t count);
void ledger_credit_bytes(struct ledger *ledger, uint64_t count);
struct ledger *ledger_create(struct ledger *parent, uint64_t pages, uint64_t bytes);
void ledger_destroy(struct ledger *ledger);

/* ---- address spaces (map.c, fault.c) ---- */
struct vm_map *vm_map_create(struct ledger *ledger);
/* Teardown in bounded steps: returns false while there is more to do, or another CPU has it loaded (the reaper calls again). */
bool vm_map_destroy_step(struct vm_map *map);
/* fork: entries by inheritance; share: see TASK_DUP_SHARE. `to` is new. Endpoint pages (vm_map_enter_pages) are left out. */
int64_t vm_map_duplicate(struct vm_map *from, struct vm_map *to, bool share);
/* The entries with VM_INHERIT_SHARE and no others: a recovery domain's next incarnation. */
int64_t vm_map_duplicate_shared(struct vm_map *from, struct vm_map *to);
int64_t vm_map_enter(struct vm_map *map, uint64_t address, uint64_t size, struct memory_object *object, uint64_t offset,
		     uint64_t flags, uint64_t max_protection); /* -> address */
int64_t vm_map_remove(struct vm_map *map, uint64_t address, uint64_t size);
/* Maps kernel-owned pages (endpoint pages, info page) wired at an address; never copied by fork. */
int64_t vm_map_enter_pages(struct vm_map *map, uint64_t address, void *const *pages, size_t count, uint64_t protection);
void vm_map_activate(struct vm_map *map);   /* load the page table on this CPU; NULL: the kernel's */
/* Pages mapped, pages with a PTE, and the most of these there were. */
void vm_map_statistics(const struct vm_map *map, uint64_t *pages, uint64_t *resident, uint64_t *max_resident);

/*
 * Page fault of the current thread in user mode at `address`. Returns KERN_SUCCESS (resume), KERN_BUSY (the thread now waits for a
 * pager with restart), or KERN_FAULT with *why set.
 */
int64_t vm_fault(struct vm_map *map, uint64_t address, uint32_t access /* VM_* */, enum portico_fault *why);
/*
 * Copies between kernel memory or another map and user memory without faulting: what is resident or can be supplied alone
 * (zero fill, copy on write). Return bytes copied before the first page that cannot be had.
 */
size_t vm_copy_in(struct vm_map *map, void *to, uint64_t from, size_t length);
size_t vm_copy_out(struct vm_map *map, uint64_t to, const void *from, size_t length);
/* The byte at a user address, in the direct map, with the rest of its page; NULL if it cannot be had without waiting. */
void *vm_word(struct vm_map *map, uint64_t address, bool write);
size_t vm_copy(struct vm_map *to_map, uint64_t to, struct vm_map *from_map, uint64_t from, size_t length);
/* For a copy that stopped: makes `address` accessible as a fault of the current thread would. Same results as vm_fault. */
int64_t vm_fault_in(struct vm_map *map, uint64_t address, uint32_t access, enum portico_fault *why);
/* A thread in WAIT_PAGE is taken out of its wait for another reason: off the queue; the next waiter asks again. */
void vm_abort_page_wait(struct thread *thread);

/* Futex keys and words. The word's page is made resident; KERN_BUSY: restart the trap later. */
int64_t vm_futex_key(struct vm_map *map, uint64_t address, bool shared, uint64_t key[2], uint32_t **word);

/* ---- regions in messages (region.c) ---- */
struct vm_region { struct memory_object *object; uint64_t offset, size; };
/* KERN_BUSY: the current thread waits for a page of the range, with restart. */
int64_t vm_region_take(struct vm_map *map, uint64_t address, uint64_t size, bool move, struct vm_region *region);
int64_t vm_region_map(struct vm_map *map, struct vm_region *region); /* -> address; consumes the region */
void vm_region_release(struct vm_region *region);

/* ---- memory objects (memory_object.c) ---- */
struct memory_object *memory_object_create(uint64_t size, struct ledger *ledger);
struct memory_object *memory_object_create_physical(uint64_t physical, uint64_t size); /* device: uncached */
struct memory_object *memory_object_create_image(uint64_t physical, uint64_t size);    /* boot module: cached, not writable */
void memory_object_destroy(struct memory_object *object);
/* Goes on with the destruction of big objects; false while there is more. The reaper calls it. */
bool memory_reap_step(void);

/* ---- traps (vm_traps.c): called by the trap table with the arguments as they came ---- */
#define VM_TRAPS(T) T(vm_map) T(vm_unmap) T(vm_protect) T(vm_inherit) T(vm_move) T(vm_advise) T(vm_query) T(vm_resident) \
	T(vm_read) T(vm_write) T(object_create) T(object_resize) T(object_supply) T(object_discard) T(object_info) \
	T(object_read) T(object_write) T(object_fail) T(object_clone) T(ledger_create) T(ledger_info) T(ledger_set) T(machine_physical) \
	T(machine_physical_of)
/* Every trap handler in the kernel has this shape; a blocked one returns what it likes. */
typedef int64_t trap_handler(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#define T(name) trap_handler trap_handle_##name;
VM_TRAPS(T)
#undef T

#endif
