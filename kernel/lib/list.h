/*
 * Intrusive doubly linked lists. A link that is on no list points to itself, so removal is always safe.
 */
#ifndef KERNEL_LIB_LIST_H
#define KERNEL_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }
#define list_entry(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_after(struct list *at, struct list *l)
{
	l->prev = at;
	l->next = at->next;
	at->next->prev = l;
	at->next = l;
}

static inline void list_push_front(struct list *head, struct list *l) { list_insert_after(head, l); }
static inline void list_push_back(struct list *head, struct list *l) { list_insert_after(head->prev, l); }

static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

static inline struct list *list_first(struct list *head) { return list_empty(head) ? NULL : head->next; }

static inline struct list *list_pop(struct list *head)
{
	struct list *l = list_first(head);
	if (l != NULL)
		list_remove(l);
	return l;
}

#define list_for_each(pos, head) for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, head)                                                                            \
	for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head); pos = pos##_next, pos##_next = pos->next)

#endif
