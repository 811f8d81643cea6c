/* Sparse arrays of pages: see page_tree.h. */
#include <kernel/vm/internal.h>

static inline uint64_t capacity(unsigned height)
{
	return height == 0 ? TREE_SMALL : UINT64_C(1) << TREE_BITS * height;
}

/* Bits lo to hi, inclusive. */
static inline uint64_t bits_between(uint64_t lo, uint64_t hi)
{
	return ~UINT64_C(0) << lo & ~UINT64_C(0) >> (63 - hi);
}

/* The slots of a node of `height` at `base` that have to do with [first, end). */
static inline uint64_t slots_in_range(const struct tree_node *node, unsigned height, uint64_t base, uint64_t first,
                                      uint64_t end)
{
	unsigned shift = TREE_BITS * (height - 1);
	uint64_t lo = first > base ? (first - base) >> shift : 0;
	uint64_t hi = (end - 1 - base) >> shift;
	if (lo >= TREE_FAN)
		return 0;
	return node->used & bits_between(lo, hi < TREE_FAN ? hi : TREE_FAN - 1);
}

static struct tree_node *node_create(struct ledger *ledger)
{
	return kalloc(sizeof(struct tree_node), ledger);
}
static void node_free(struct tree_node *node, struct ledger *ledger)
{
	kfree(node, sizeof(*node), ledger);
}

static inline void node_set(struct tree_node *node, unsigned slot, void *value)
{
	node->slot[slot] = value;
	node->used |= UINT64_C(1) << slot;
}

/* Makes the tree high enough for `index`. */
static bool tree_grow(struct page_tree *tree, uint64_t index, struct ledger *ledger)
{
	while (index >= capacity(tree->height)) {
		struct tree_node *root = node_create(ledger);
		if (root == NULL)
			return false;
		if (tree->height == 0) {
			for (unsigned i = 0; i < TREE_SMALL; i++)
				if (tree->slot[i] != NULL)
					node_set(root, i, tree->slot[i]);
			tree->used = 0;
		} else {
			node_set(root, 0, tree->slot[0]);
		}
		tree->slot[0] = root;
		for (unsigned i = 1; i < TREE_SMALL; i++)
			tree->slot[i] = NULL;
		tree->height++;
	}
	return true;
}

/* Takes away roots that have only their first slot, and a root that has none. */
static void tree_shrink(struct page_tree *tree, struct ledger *ledger)
{
	while (tree->height != 0) {
		struct tree_node *root = tree->slot[0];
		if (root->used == 0) {
			tree->slot[0] = NULL;
			tree->height = 0;
		} else if (tree->height > 1 && root->used == 1) {
			tree->slot[0] = root->slot[0];
			tree->height--;
		} else {
			return;
		}
		node_free(root, ledger);
	}
}

bool page_tree_set(struct page_tree *tree, uint64_t index, struct page *page, struct ledger *ledger)
{
	if (index >= capacity(tree->height) && !tree_grow(tree, index, ledger)) {
		tree_shrink(tree, ledger);
		return false;
	}
	if (tree->height == 0) {
		tree->slot[index] = page;
		tree->used |= 1u << index;
		return true;
	}
	struct tree_node *node = tree->slot[0];
	for (unsigned height = tree->height; height > 1; height--) {
		unsigned slot = index >> TREE_BITS * (height - 1) & (TREE_FAN - 1);
		if (node->slot[slot] == NULL) {
			struct tree_node *child = node_create(ledger);
			if (child == NULL)
				return false; /* empty nodes above may stay: page_tree_clear takes them away */
			node_set(node, slot, child);
		}
		node = node->slot[slot];
	}
	node_set(node, index & (TREE_FAN - 1), page);
	return true;
}

static bool next_in(const struct tree_node *node, unsigned height, uint64_t base, uint64_t *index)
{
	uint64_t bits = slots_in_range(node, height, base, *index, ~UINT64_C(0));
	while (bits != 0) {
		unsigned slot = (unsigned)__builtin_ctzll(bits);
		uint64_t at = base + ((uint64_t)slot << TREE_BITS * (height - 1));
		if (height == 1) {
			*index = at;
			return true;
		}
		if (next_in(node->slot[slot], height - 1, at, index))
			return true;
		bits &= bits - 1;
	}
	return false;
}

bool page_tree_next(const struct page_tree *tree, uint64_t *index)
{
	if (*index >= capacity(tree->height))
		return false;
	if (tree->height != 0)
		return next_in(tree->slot[0], tree->height, 0, index);
	uint32_t bits = tree->used >> *index << *index;
	if (bits == 0)
		return false;
	*index = (uint64_t)__builtin_ctz(bits);
	return true;
}

static uint64_t count_in(const struct tree_node *node, unsigned height, uint64_t base, uint64_t first, uint64_t end)
{
	uint64_t bits = slots_in_range(node, height, base, first, end), count = 0;
	if (height == 1)
		return (uint64_t)__builtin_popcountll(bits);
	for (; bits != 0; bits &= bits - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(bits);
		count += count_in(node->slot[slot], height - 1, base + ((uint64_t)slot << TREE_BITS * (height - 1)),
		                  first, end);
	}
	return count;
}

uint64_t page_tree_count(const struct page_tree *tree, uint64_t first, uint64_t end)
{
	if (first >= end)
		return 0;
	if (tree->height != 0)
		return count_in(tree->slot[0], tree->height, 0, first, end);
	uint64_t count = 0;
	for (uint64_t i = first; i < end && i < TREE_SMALL; i++)
		count += tree->slot[i] != NULL;
	return count;
}

static uint64_t clear_in(struct tree_node *node, unsigned height, uint64_t base, uint64_t first, uint64_t end,
                         uint64_t budget, struct ledger *ledger)
{
	uint64_t done = 0;
	for (uint64_t bits = slots_in_range(node, height, base, first, end); bits != 0 && done < budget;
	     bits &= bits - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(bits);
		if (height == 1) {
			page_drop(node->slot[slot]);
			done++;
		} else {
			struct tree_node *child = node->slot[slot];
			done += clear_in(child, height - 1, base + ((uint64_t)slot << TREE_BITS * (height - 1)), first,
			                 end, budget - done, ledger);
			if (child->used != 0)
				continue;
			node_free(child, ledger);
		}
		node->slot[slot] = NULL;
		node->used &= ~(UINT64_C(1) << slot);
	}
	return done;
}

uint64_t page_tree_clear(struct page_tree *tree, uint64_t first, uint64_t end, uint64_t budget, struct ledger *ledger)
{
	uint64_t done = 0;
	if (first >= end)
		return 0;
	if (tree->height != 0) {
		done = clear_in(tree->slot[0], tree->height, 0, first, end, budget, ledger);
		tree_shrink(tree, ledger);
		return done;
	}
	if (first >= TREE_SMALL)
		return 0;
	uint64_t bits = tree->used & bits_between(first, end < TREE_SMALL ? end - 1 : TREE_SMALL - 1);
	for (; bits != 0 && done < budget; bits &= bits - 1) {
		unsigned i = (unsigned)__builtin_ctzll(bits);
		page_drop(tree->slot[i]);
		tree->slot[i] = NULL;
		tree->used &= ~(1u << i);
		done++;
	}
	return done;
}

static bool clone_in(const struct tree_node *from, struct tree_node *to, unsigned height, uint64_t base, uint64_t first,
                     uint64_t end, struct ledger *ledger, uint64_t *count)
{
	uint64_t bits = slots_in_range(from, height, base, first, end);
	if (height == 1) {
		to->used = bits;
		*count += (uint64_t)__builtin_popcountll(bits);
		for (; bits != 0; bits &= bits - 1) {
			unsigned slot = (unsigned)__builtin_ctzll(bits);
			struct page *page = from->slot[slot];
			page->refs++;
			to->slot[slot] = page;
		}
		return true;
	}
	for (; bits != 0; bits &= bits - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(bits);
		struct tree_node *child = node_create(ledger);
		if (child == NULL)
			return false;
		node_set(to, slot, child);
		if (!clone_in(from->slot[slot], child, height - 1, base + ((uint64_t)slot << TREE_BITS * (height - 1)),
		              first, end, ledger, count))
			return false;
	}
	return true;
}

bool page_tree_clone(const struct page_tree *from, struct page_tree *to, uint64_t first, uint64_t end,
                     struct ledger *ledger, uint64_t *count)
{
	*count = 0;
	if (first >= end)
		return true;
	if (from->height == 0) {
		for (uint64_t i = first; i < end && i < TREE_SMALL; i++) {
			struct page *page = from->slot[i];
			if (page == NULL)
				continue;
			page->refs++;
			to->slot[i] = page;
			to->used |= 1u << i;
			++*count;
		}
		return true;
	}
	struct tree_node *root = node_create(ledger);
	if (root == NULL)
		return false;
	to->slot[0] = root;
	to->height = from->height;
	bool done = clone_in(from->slot[0], root, from->height, 0, first, end, ledger, count);
	tree_shrink(to, ledger);
	return done;
}
