/*
 * SEM_UNDO: what a process has to take back at its end, a record for each set. It stays over exec; a forked child begins without.
 */
#include "ipcd.h"

static size_t undo_bytes(const struct sem_set *set)
{
	return sizeof(struct undo) + set->count * sizeof(int16_t);
}

struct undo *undo_find(struct process *p, struct sem_set *set, bool make)
{
	struct undo *undo = p->undo;

	while (undo != NULL && undo->set != set)
		undo = undo->next_process;
	if (undo != NULL || !make)
		return undo;
	struct account *account = account_of(p->session->euid);
	if (account == NULL)
		return NULL;
	undo = account_charge(account, undo_bytes(set)) ? keep_allocate(undo_bytes(set)) : NULL;
	if (undo == NULL) {
		account_put(account);
		return NULL;
	}
	undo->account = account;
	undo->set = set;
	undo->process = p;
	undo->next_set = set->undo;
	set->undo = undo;
	undo->next_process = p->undo;
	p->undo = undo;
	return undo;
}

/* The process is dead, or the set goes: callers that wait with it wait for nothing. */
static void drop_waiters(struct list *queue, const struct undo *undo)
{
	for (struct list *item = queue->next, *next; item != queue; item = next) {
		struct sem_waiter *w = list_item(item, struct sem_waiter, queued);
		next = item->next;
		if (w->undo != undo)
			continue;
		sem_unlink(w);
		sem_answer(w, EINTR);
	}
}

void undo_free(struct undo *undo)
{
	struct undo **link = &undo->set->undo;

	drop_waiters(&undo->set->alter, undo);
	drop_waiters(&undo->set->zero, undo);
	for (uint32_t i = 0; i < undo->set->count; i++) {
		drop_waiters(&undo->set->sem[i].alter, undo);
		drop_waiters(&undo->set->sem[i].zero, undo);
	}
	while (*link != undo)
		link = &(*link)->next_set;
	*link = undo->next_set;
	for (link = &undo->process->undo; *link != undo;)
		link = &(*link)->next_process;
	*link = undo->next_process;
	account_refund(undo->account, undo_bytes(undo->set));
	account_put(undo->account);
	keep_free(undo);
}

/* A value never leaves its range, whatever others did meanwhile. */
static void take_back(struct sem_set *set, const struct undo *undo)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (undo->adjust[i] == 0)
			continue;
		sem_own(set, i);
		int32_t value = set->sem[i].value + undo->adjust[i];
		set->sem[i].value = value < 0 ? 0 : value > SEM_VALUE_MAX ? SEM_VALUE_MAX : value;
		set->sem[i].pid = undo->process->session->pid;
	}
}

void undo_apply(struct process *p)
{
	int64_t now = p->undo != NULL ? ipcd_seconds() : 0;

	while (p->undo != NULL) {
		struct undo *undo = p->undo;
		struct sem_set *set = undo->set;

		take_back(set, undo);
		undo_free(undo);
		sem_update(set, NULL, 0, now);
		set->operation_time = now;
		sem_give(set);
	}
}
