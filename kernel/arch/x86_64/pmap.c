/*
 * Page tables of address spaces: four levels, built by faults, freed when empty. Belongs to kernel/vm, which tells what
 * to map; nothing here knows about entries or objects.
 *
 * A table's struct page counts its entries in use (`live`), so an empty table is known, and is zero when it is freed.
 * The upper half of every PML4 is the kernel's. The top GiB of user space is one page directory that all tasks share;
 * it holds the kernel information page.
 *
 * Changes of existing PTEs gather in flush_start..flush_end; pmap_flush makes them known: to this CPU by invlpg, to
 * others by a shootdown, and to nobody if the map is loaded nowhere.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

#define PTE_PRESENT 0x001ul
#define PTE_WRITE 0x002ul
#define PTE_USER 0x004ul
#define PTE_UNCACHED 0x018ul /* PWT and PCD */
#define PTE_ACCESSED 0x020ul /* preset, with DIRTY: nobody looks at them */
#define PTE_DIRTY 0x040ul
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

#define LEVELS 4u
#define SLOTS 512u
#define NO_TAG (~UINT64_C(0))
#define FLUSH_SINGLE_MAX 16u /* pages; more than that: everything */

#define TOP_SLOT (MAP_TOP >> 39 & 511)  /* of the PML4 */
#define INFO_SLOT (MAP_TOP >> 30 & 511) /* of that PDPT: the shared directory */

static uint64_t *info_directory;
static uint16_t kernel_slots[SLOTS / 2], kernel_slot_count; /* entries of kernel_pml4 in use */

static inline unsigned slot_of(uint64_t address, unsigned level)
{
	return address >> (3 + 9 * level) & (SLOTS - 1);
}
static inline uint64_t span_of(unsigned level)
{
	return UINT64_C(1) << (3 + 9 * level);
}
static inline void *table_of(uint64_t pte)
{
	return (void *)(DIRECT_MAP + (pte & PTE_ADDRESS));
}
static inline struct page *page_of(const void *table)
{
	return page_find(page_physical(table) >> PAGE_SHIFT);
}

/* ---- tables ---- */

static uint64_t *table_create(struct ledger *ledger)
{
	if (ledger != NULL && !ledger_charge_bytes(ledger, PAGE_SIZE))
		return NULL;
	struct page *page = page_take_zeroed();
	if (page == NULL) {
		if (ledger != NULL)
			ledger_credit_bytes(ledger, PAGE_SIZE);
		return NULL;
	}
	pages_kernel++;
	page->live = 0;
	return page_address(page);
}

/* An empty one. */
static void table_free(struct vm_map *map, uint64_t *table)
{
	if (map->pmap.last_table == table) {
		map->pmap.last_tag = NO_TAG;
		map->pmap.last_table = NULL;
	}
	pages_kernel--;
	ledger_credit_bytes(map->ledger, PAGE_SIZE);
	page_drop_zeroed(page_of(table));
}

static bool info_create(void)
{
	uint64_t *directory = table_create(NULL), *table = table_create(NULL);
	if (directory == NULL || table == NULL)
		return false;
	table[slot_of(KERNEL_INFO_ADDRESS, 1)] =
	        page_physical(kernel_info_page) | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_NX;
	directory[slot_of(KERNEL_INFO_ADDRESS, 2)] = page_physical(table) | TABLE_FLAGS;
	info_directory = directory;
	for (unsigned i = SLOTS / 2; i < SLOTS; i++)
		if (kernel_pml4[i] != 0)
			kernel_slots[kernel_slot_count++] = (uint16_t)i;
	return true;
}

bool pmap_create(struct vm_map *map)
{
	if (info_directory == NULL && !info_create())
		return false;
	uint64_t *root = table_create(map->ledger);
	if (root == NULL)
		return false;
	map->pmap.root = root;
	map->pmap.last_tag = NO_TAG;
	map->pmap.flush_start = NO_TAG;
	uint64_t *top = table_create(map->ledger);
	if (top == NULL) {
		table_free(map, root);
		return false;
	}
	for (unsigned i = 0; i < kernel_slot_count; i++)
		root[kernel_slots[i]] = kernel_pml4[kernel_slots[i]];
	top[INFO_SLOT] = page_physical(info_directory) | TABLE_FLAGS;
	root[TOP_SLOT] = page_physical(top) | TABLE_FLAGS;
	page_of(top)->live = 1;
	page_of(root)->live = 1;
	return true;
}

void pmap_destroy(struct vm_map *map)
{
	uint64_t *root = map->pmap.root, *top = table_of(root[TOP_SLOT]);
	top[INFO_SLOT] = 0;
	table_free(map, top);
	for (unsigned i = 0; i < kernel_slot_count; i++)
		root[kernel_slots[i]] = 0;
	root[TOP_SLOT] = 0;
	table_free(map, root);
}

void vm_map_activate(struct vm_map *map)
{
	cpu_current()->map = map;
	pmap_load(page_physical(map != NULL ? map->pmap.root : kernel_pml4));
}

/* ---- finding ---- */

static uint64_t remove_in(struct vm_map *map, uint64_t *table, unsigned level, uint64_t start, uint64_t end,
                          uint64_t *budget);

/* The page table for an address; made if missing. NULL: no memory. Leaves it in last_table. */
static uint64_t *table_for(struct vm_map *map, uint64_t address)
{
	uint64_t budget = 1;
	uint64_t *table = map->pmap.root;
	for (unsigned level = LEVELS; level > 1; level--) {
		uint64_t *entry = &table[slot_of(address, level)];
		if (*entry == 0) {
			uint64_t *below = table_create(map->ledger);
			if (below == NULL) {
				/* The tables made on the way are empty. */
				remove_in(map, map->pmap.root, LEVELS, address, address + PAGE_SIZE, &budget);
				return NULL;
			}
			*entry = page_physical(below) | TABLE_FLAGS;
			page_of(table)->live++;
		}
		table = table_of(*entry);
	}
	map->pmap.last_tag = address >> 21;
	map->pmap.last_table = table;
	map->pmap.last_page = page_of(table);
	return table;
}

/* The PTE for an address, or 0. */
static inline uint64_t pte_get(struct vm_map *map, uint64_t address)
{
	if (map->pmap.last_tag == address >> 21)
		return map->pmap.last_table[slot_of(address, 1)];
	const uint64_t *table = map->pmap.root;
	for (unsigned level = LEVELS; level > 1; level--) {
		uint64_t entry = table[slot_of(address, level)];
		if (entry == 0)
			return 0;
		table = table_of(entry);
	}
	return table[slot_of(address, 1)];
}

void *pmap_lookup(struct vm_map *map, uint64_t address, bool write)
{
	uint64_t needed = write ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT;
	if (address >= USER_MAX)
		return NULL;
	uint64_t pte = pte_get(map, address);
	if ((pte & (needed | PTE_UNCACHED)) != needed)
		return NULL;
	return (char *)table_of(pte) + PAGE_OFFSET(address);
}

/* ---- changing ---- */

static inline void changed(struct vm_map *map, uint64_t start, uint64_t end)
{
	if (start < map->pmap.flush_start)
		map->pmap.flush_start = start;
	if (end > map->pmap.flush_end)
		map->pmap.flush_end = end;
}

void pmap_flush_changed(struct vm_map *map)
{
	uint64_t start = map->pmap.flush_start, end = map->pmap.flush_end;
	map->pmap.flush_start = NO_TAG;
	map->pmap.flush_end = 0;
	struct cpu *self = cpu_current();
	if (self->map == map) {
		if (end - start > FLUSH_SINGLE_MAX * PAGE_SIZE)
			pmap_invalidate_all();
		else
			for (uint64_t a = start; a < end; a += PAGE_SIZE)
				pmap_invalidate(a);
	}
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (&cpus[i] == self || cpus[i].map != map)
			continue;
		tlb_shootdown(map, start, end);
		return;
	}
}

static inline uint64_t pte_make(uint64_t physical, uint32_t protection)
{
	uint64_t pte = physical | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
	if ((protection & VM_WRITE) != 0)
		pte |= PTE_WRITE;
	if ((protection & VM_EXECUTE) == 0)
		pte |= PTE_NX;
	return pte;
}

static inline void pte_added(struct vm_map *map)
{
	map->pmap.last_page->live++;
	if (++map->resident > map->max_resident)
		map->max_resident = map->resident;
}

void pmap_fill(struct vm_map *map, uint64_t address, uint64_t physical, uint32_t protection)
{
	uint64_t *table = map->pmap.last_tag == address >> 21 ? map->pmap.last_table : table_for(map, address);
	if (table == NULL || table[slot_of(address, 1)] != 0)
		return;
	table[slot_of(address, 1)] = pte_make(physical, protection);
	pte_added(map);
}

int64_t pmap_enter(struct vm_map *map, uint64_t address, uint64_t physical, uint32_t protection, bool device)
{
	uint64_t pte = pte_make(physical, protection);
	uint64_t *table = map->pmap.last_tag == address >> 21 ? map->pmap.last_table : table_for(map, address);
	if (table == NULL)
		return KERN_NO_MEMORY;
	if (device)
		pte |= PTE_UNCACHED;
	uint64_t *entry = &table[slot_of(address, 1)], old = *entry;
	*entry = pte;
	if (old == 0) {
		pte_added(map);
	} else {
		changed(map, address, address + PAGE_SIZE);
		pmap_flush(map);
	}
	return KERN_SUCCESS;
}

/* PTEs of one table. Stops when there are none left in it, or when the budget is used up. */
static uint64_t remove_ptes(struct vm_map *map, uint64_t *table, uint64_t start, uint64_t end, uint64_t *budget)
{
	struct page *page = page_of(table);
	uint64_t *first = &table[slot_of(start, 1)], *entry = first, *last = first + ((end - start) >> PAGE_SHIFT);
	uint64_t limit = page->live < *budget ? page->live : *budget, removed = 0;
	for (; entry < last && removed < limit; entry++) {
		if (*entry == 0)
			continue;
		*entry = 0;
		removed++;
	}
	if (removed == 0)
		return end;
	uint64_t reached = start + ((uint64_t)(entry - first) << PAGE_SHIFT);
	changed(map, start, reached);
	page->live -= (uint16_t)removed;
	map->resident -= removed;
	*budget -= removed;
	return *budget != 0 || page->live == 0 ? end : reached;
}

static uint64_t remove_in(struct vm_map *map, uint64_t *table, unsigned level, uint64_t start, uint64_t end,
                          uint64_t *budget)
{
	if (level == 1)
		return remove_ptes(map, table, start, end, budget);
	struct page *page = page_of(table);
	while (start < end && *budget != 0) {
		uint64_t next = (start & ~(span_of(level) - 1)) + span_of(level);
		uint64_t *entry = &table[slot_of(start, level)];
		if (next > end)
			next = end;
		if (*entry == 0) {
			start = next;
			continue;
		}
		uint64_t *below = table_of(*entry);
		start = remove_in(map, below, level - 1, start, next, budget);
		if (page_of(below)->live == 0) {
			*entry = 0;
			page->live--;
			table_free(map, below);
		}
	}
	return start;
}

uint64_t pmap_remove(struct vm_map *map, uint64_t start, uint64_t end, uint64_t *budget)
{
	if (map->resident == 0)
		return end;
	return remove_in(map, map->pmap.root, LEVELS, start, end, budget);
}

static void protect_ptes(struct vm_map *map, uint64_t *table, uint64_t start, uint64_t end)
{
	uint64_t *first = &table[slot_of(start, 1)], *last = first + ((end - start) >> PAGE_SHIFT);
	uint64_t any = 0;
	for (uint64_t *entry = first; entry < last; entry++) {
		uint64_t pte = *entry;
		if ((pte & PTE_WRITE) == 0)
			continue;
		*entry = pte & ~PTE_WRITE;
		any |= pte;
	}
	if (any != 0)
		changed(map, start, end);
}

static void protect_in(struct vm_map *map, uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
	if (level == 1) {
		protect_ptes(map, table, start, end);
		return;
	}
	while (start < end) {
		uint64_t next = (start & ~(span_of(level) - 1)) + span_of(level);
		uint64_t entry = table[slot_of(start, level)];
		if (next > end)
			next = end;
		if (entry != 0)
			protect_in(map, table_of(entry), level - 1, start, next);
		start = next;
	}
}

void pmap_write_protect(struct vm_map *map, uint64_t start, uint64_t end)
{
	uint64_t *table = map->pmap.root;
	if (end - start != PAGE_SIZE) {
		protect_in(map, table, LEVELS, start, end);
		return;
	}
	if (map->pmap.last_tag == start >> 21) {
		table = map->pmap.last_table;
	} else {
		for (unsigned level = LEVELS; level > 1; level--) {
			uint64_t entry = table[slot_of(start, level)];
			if (entry == 0)
				return;
			table = table_of(entry);
		}
		map->pmap.last_tag = start >> 21;
		map->pmap.last_table = table;
		map->pmap.last_page = page_of(table);
	}
	uint64_t *entry = &table[slot_of(start, 1)];
	if ((*entry & PTE_WRITE) != 0) {
		*entry &= ~PTE_WRITE;
		changed(map, start, end);
	}
}
