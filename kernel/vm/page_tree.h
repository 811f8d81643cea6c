/*
 * Sparse arrays of pages, for memory objects. Pure data structure: below are struct page reference counts and kalloc,
 * above is memory_object.c, which charges pages. Nodes are charged to the ledger passed in.
 *
 * Up to four slots lie in the tree itself; larger indices build a radix tree of 64-slot nodes. Bitmaps of used slots
 * make every walk proportional to what is there.
 */
#ifndef KERNEL_VM_PAGE_TREE_H
#define KERNEL_VM_PAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger;
struct page;

#define TREE_SMALL 4u
#define TREE_BITS 6u
#define TREE_FAN 64u

struct tree_node {
	uint64_t used;        /* bit n: slot n is not NULL */
	void *slot[TREE_FAN]; /* pages in leaves, nodes above */
};

struct page_tree {
	uint32_t height;        /* levels of nodes; 0: the slots here are pages */
	uint32_t used;          /* height 0 only */
	void *slot[TREE_SMALL]; /* height > 0: slot[0] is the root */
};

static inline struct page *page_tree_get(const struct page_tree *tree, uint64_t index)
{
	if (tree->height == 0)
		return index < TREE_SMALL ? tree->slot[index] : NULL;
	unsigned shift = TREE_BITS * tree->height;
	if (index >> shift != 0)
		return NULL;
	const struct tree_node *node = tree->slot[0];
	for (shift -= TREE_BITS; shift != 0; shift -= TREE_BITS) {
		node = node->slot[index >> shift & (TREE_FAN - 1)];
		if (node == NULL)
			return NULL;
	}
	return node->slot[index & (TREE_FAN - 1)];
}

/* The slots of the 64 pages around `index` (aligned), and a bit for each that is used; NULL: none is. */
static inline void *const *page_tree_group(const struct page_tree *tree, uint64_t index, uint64_t *used)
{
	unsigned shift = TREE_BITS * tree->height;
	if (tree->height == 0) {
		*used = tree->used;
		return index < TREE_FAN ? tree->slot : NULL;
	}
	if (index >> shift != 0)
		return NULL;
	const struct tree_node *node = tree->slot[0];
	for (shift -= TREE_BITS; shift != 0 && node != NULL; shift -= TREE_BITS)
		node = node->slot[index >> shift & (TREE_FAN - 1)];
	if (node == NULL)
		return NULL;
	*used = node->used;
	return node->slot;
}

/* Fills or replaces a slot; the caller moves its reference. false: no memory for a node (never when replacing). */
bool page_tree_set(struct page_tree *tree, uint64_t index, struct page *page, struct ledger *ledger);
/* Moves *index to the first used slot at or above it; false if there is none. */
bool page_tree_next(const struct page_tree *tree, uint64_t *index);
/* Used slots in [first, end). */
uint64_t page_tree_count(const struct page_tree *tree, uint64_t first, uint64_t end);
/* Drops the pages of at most `budget` used slots in [first, end); returns how many. */
uint64_t page_tree_clear(struct page_tree *tree, uint64_t first, uint64_t end, uint64_t budget, struct ledger *ledger);
/*
 * Makes `to` (empty) hold the pages of [first, end) under the same indices, with a reference each. *count: how many.
 * false: no memory; `to` then holds some of them.
 */
bool page_tree_clone(const struct page_tree *from, struct page_tree *to, uint64_t first, uint64_t end,
                     struct ledger *ledger, uint64_t *count);

#endif
