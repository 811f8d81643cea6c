/*
 * An intrusive pairing heap of deadlines: insertion and removal without memory, O(1) and O(log n) amortised.
 * The timeout queue is one. A node that is in no heap has prev == NULL and is not the root.
 */
#ifndef KERNEL_LIB_PAIRING_HEAP_H
#define KERNEL_LIB_PAIRING_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;
	struct heap_node *child;    /* first of the children */
	struct heap_node *next;     /* sibling */
	struct heap_node *prev;     /* sibling before, or parent if first */
};

struct heap {
	struct heap_node *root;
};

static inline bool heap_holds(const struct heap *heap, const struct heap_node *node)
{
	return heap->root == node || node->prev != NULL;
}

static inline struct heap_node *heap_meld(struct heap_node *a, struct heap_node *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (b->key < a->key) {
		struct heap_node *t = a;
		a = b;
		b = t;
	}
	b->next = a->child;
	if (a->child != NULL)
		a->child->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

static inline void heap_insert(struct heap *heap, struct heap_node *node)
{
	node->child = node->next = node->prev = NULL;
	heap->root = heap_meld(heap->root, node);
}

/* Melds a list of siblings into one tree: pairs from the left, then the pairs from the right. */
static inline struct heap_node *heap_meld_siblings(struct heap_node *first)
{
	struct heap_node *pairs = NULL, *result = NULL;

	while (first != NULL) {
		struct heap_node *a = first, *b = a->next;
		first = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct heap_node *a = pairs;
		pairs = a->next;
		a->next = NULL;
		result = heap_meld(result, a);
	}
	return result;
}

static inline void heap_remove(struct heap *heap, struct heap_node *node)
{
	struct heap_node *children = heap_meld_siblings(node->child);

	if (heap->root == node) {
		heap->root = children;
	} else {
		if (node->prev->child == node)
			node->prev->child = node->next;
		else
			node->prev->next = node->next;
		if (node->next != NULL)
			node->next->prev = node->prev;
		heap->root = heap_meld(heap->root, children);
	}
	node->child = node->next = node->prev = NULL;
}

#endif
