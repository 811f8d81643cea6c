/*
 * Random operations on three address spaces, compared after each with a model that knows nothing of sharing: every page
 * there names a cell, and a copy is a new cell. Written and read through two CPUs' TLBs.
 */
#include "fakes.h"
#include <stdlib.h>

TestSuite(model, .init = fakes_start);

#define MAPS 3
#define PAGES 24
#define CELLS 20000
#define OBJECT_PAGES 16

/* A cell is a page's contents: one word stands for them. */
static uint64_t cell_value[CELLS];
static unsigned cells;

struct model_page {
	bool mapped;
	bool original; /* VM_COPY, not yet written: reads go to the object's cell */
	uint32_t flags;
	unsigned cell;
};

static struct model_page model[MAPS][PAGES];
static struct vm_map *maps[MAPS];
static struct memory_object *object;
static unsigned object_cell[OBJECT_PAGES];

static unsigned cell_new(uint64_t value)
{
	cr_assert_lt(cells, CELLS);
	cell_value[cells] = value;
	return cells++;
}

static uint64_t address_of(unsigned page)
{
	return BASE + page * PAGE_SIZE;
}
static unsigned below(unsigned limit)
{
	return (unsigned)rand() % limit;
}

static void check_page(unsigned m, unsigned p)
{
	const struct model_page *page = &model[m][p];
	uint64_t a = address_of(p);
	if (!page->mapped)
		cr_assert_eq(user_fails(maps[m], a, false), FAULT_UNMAPPED);
	else if ((page->flags & VM_READ) == 0)
		cr_assert_eq(user_fails(maps[m], a, false), FAULT_PROTECTION);
	else
		cr_assert_eq(user_get(maps[m], a), cell_value[page->cell], "map %u page %u", m, p);
}

static void do_write(unsigned m, unsigned p)
{
	struct model_page *page = &model[m][p];
	uint64_t value = (uint64_t)rand();
	if (!page->mapped || (page->flags & VM_WRITE) == 0) {
		cr_assert_neq(user_fails(maps[m], address_of(p), true), 0);
		return;
	}
	if (page->original) {
		page->original = false;
		page->cell = cell_new(0);
		/* Whoever shares the private object sees the copy; the model does not follow that, so nobody may. */
	}
	cell_value[page->cell] = value;
	if (below(3) == 0)
		cr_assert_eq(vm_copy_out(maps[m], address_of(p), &value, 8), 8);
	else
		user_put(maps[m], address_of(p), value);
}

static void do_map(unsigned m, unsigned p, unsigned count)
{
	static const uint32_t inherit[] = {VM_INHERIT_COPY, VM_INHERIT_COPY, VM_INHERIT_SHARE, VM_INHERIT_NONE};
	uint32_t flags = VM_READ | (below(4) ? VM_WRITE : 0) | inherit[below(4)];
	unsigned kind = below(4), first = below(OBJECT_PAGES - count);
	if (kind == 0)
		flags = (flags & ~(uint32_t)VM_INHERIT_MASK) | VM_COPY | (below(2) ? VM_INHERIT_COPY : VM_INHERIT_NONE);
	if (kind == 1)
		flags = (flags & ~(uint32_t)VM_INHERIT_MASK) | (below(2) ? VM_INHERIT_SHARE : VM_INHERIT_NONE);
	cr_assert_eq(vm_map_enter(maps[m], address_of(p), count * PAGE_SIZE, kind < 2 ? object : NULL,
	                          first * PAGE_SIZE, flags | VM_FIXED, PROTECTION_MASK),
	             (int64_t)address_of(p));
	for (unsigned i = 0; i < count; i++) {
		unsigned cell = kind < 2 ? object_cell[first + i] : cell_new(0);
		model[m][p + i] = (struct model_page){true, kind == 0, flags, cell};
	}
}

static void do_unmap(unsigned m, unsigned p, unsigned count)
{
	cr_assert_eq(vm_map_remove(maps[m], address_of(p), count * PAGE_SIZE), KERN_SUCCESS);
	for (unsigned i = 0; i < count; i++)
		model[m][p + i] = (struct model_page){0};
}

static bool all_mapped(unsigned m, unsigned p, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!model[m][p + i].mapped)
			return false;
	return true;
}

static void do_protect(unsigned m, unsigned p, unsigned count)
{
	static const uint32_t protections[] = {0, VM_READ, VM_READ | VM_WRITE, VM_READ | VM_WRITE,
	                                       VM_READ | VM_EXECUTE};
	uint32_t protection = protections[below(5)];
	int64_t status = map_protect(maps[m], address_of(p), count * PAGE_SIZE, protection, false);
	cr_assert_eq(status, all_mapped(m, p, count) ? KERN_SUCCESS : KERN_FAULT);
	for (unsigned i = 0; status == KERN_SUCCESS && i < count; i++)
		model[m][p + i].flags = (model[m][p + i].flags & ~(uint32_t)PROTECTION_MASK) | protection;
}

static void do_fork(unsigned from, unsigned to)
{
	fakes_map_destroy(maps[to]);
	maps[to] = fakes_map();
	cr_assert_eq(vm_map_duplicate(maps[from], maps[to], false), KERN_SUCCESS);
	for (unsigned p = 0; p < PAGES; p++) {
		struct model_page page = model[from][p];
		uint32_t inherit = page.flags & VM_INHERIT_MASK;
		if (page.mapped && inherit == VM_INHERIT_NONE)
			page = (struct model_page){0};
		if (page.mapped && inherit == VM_INHERIT_COPY && !page.original)
			page.cell = cell_new(cell_value[page.cell]);
		model[to][p] = page;
	}
}

static bool region_possible(unsigned m, unsigned p, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!model[m][p + i].mapped || (model[m][p + i].flags & VM_READ) == 0 ||
		    model[m][p + i].flags & VM_COPY)
			return false;
	return true;
}

/* Sends a region to another map, which puts it over its own pages. */
static void do_region(unsigned m, unsigned p, unsigned count, unsigned to, unsigned to_page)
{
	struct vm_region region;
	bool move = below(2) != 0;
	if (!region_possible(m, p, count))
		return;
	cr_assert_eq(vm_region_take(maps[m], address_of(p), count * PAGE_SIZE, move, &region), KERN_SUCCESS);
	struct model_page pages[PAGES];
	for (unsigned i = 0; i < count; i++) {
		pages[i] = (struct model_page){true, false, VM_READ | VM_WRITE | VM_INHERIT_COPY,
		                               cell_new(cell_value[model[m][p + i].cell])};
		if (move)
			model[m][p + i] = (struct model_page){0};
	}
	int64_t at = vm_region_map(maps[to], &region);
	cr_assert_gt(at, 0);
	cr_assert_eq(
	        map_move(maps[to], (uint64_t)at, count * PAGE_SIZE, address_of(to_page), count * PAGE_SIZE, VM_FIXED),
	        (int64_t)address_of(to_page));
	for (unsigned i = 0; i < count; i++)
		model[to][to_page + i] = pages[i];
}

static void do_move(unsigned m, unsigned p, unsigned count, unsigned to)
{
	int64_t status =
	        map_move(maps[m], address_of(p), count * PAGE_SIZE, address_of(to), count * PAGE_SIZE, VM_FIXED);
	if (status < 0)
		return; /* several entries, or overlapping */
	struct model_page pages[PAGES];
	for (unsigned i = 0; i < count; i++) {
		pages[i] = model[m][p + i];
		model[m][p + i] = (struct model_page){0};
	}
	for (unsigned i = 0; i < count; i++)
		model[m][to + i] = pages[i];
}

static void step(void)
{
	unsigned m = below(MAPS), p = below(PAGES), count = 1 + below(PAGES - p < 8 ? PAGES - p : 8),
	         to = below(PAGES - count + 1);
	fakes_run_cpu(below(2));
	switch (below(16)) {
	case 0:
	case 1:
		do_map(m, p, count);
		break;
	case 2:
		do_unmap(m, p, count);
		break;
	case 3:
		do_protect(m, p, count);
		break;
	case 4:
		do_fork(m, (m + 1 + below(2)) % MAPS);
		break;
	case 5:
		do_region(m, p, count, below(MAPS), to);
		break;
	case 6:
		do_move(m, p, count, to);
		break;
	default:
		for (unsigned i = 0; i < count; i++)
			do_write(m, p + i);
	}
}

/* The entries are in order, do not overlap, and the counts are right. */
static void check_structure(struct vm_map *map)
{
	uint64_t count = 0, pages = 0, end = 0;
	for (struct map_entry *e = map_first(map); e != NULL; e = map_next(e)) {
		cr_assert_geq(e->start, end);
		cr_assert_lt(e->start, e->end);
		end = e->end;
		count++;
		pages += (e->end - e->start) >> PAGE_SHIFT;
	}
	cr_assert_eq(count, map->count);
	cr_assert_eq(pages, map->pages);
}

Test(model, random_operations)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		srand(seed);
		cells = 0;
		object = memory_object_create(OBJECT_PAGES * PAGE_SIZE, &root_ledger);
		for (unsigned i = 0; i < OBJECT_PAGES; i++)
			object_cell[i] = cell_new(0);
		for (unsigned m = 0; m < MAPS; m++) {
			maps[m] = fakes_map();
			for (unsigned p = 0; p < PAGES; p++)
				model[m][p] = (struct model_page){0};
		}
		for (unsigned i = 0; i < 400; i++) {
			step();
			for (unsigned k = 0; k < 6; k++) {
				fakes_run_cpu(below(2));
				check_page(below(MAPS), below(PAGES));
			}
		}
		for (unsigned m = 0; m < MAPS; m++) {
			check_structure(maps[m]);
			for (unsigned p = 0; p < PAGES; p++)
				check_page(m, p);
		}
		object_unref(OBJECT(object));
		for (unsigned m = 0; m < MAPS; m++)
			fakes_map_destroy(maps[m]);
		fakes_check_empty();
	}
}
