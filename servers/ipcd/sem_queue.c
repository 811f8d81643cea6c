/*
 * Semaphores: doing a set of operations at once, and in which order waiters go on. Pure but for the answers. A port of the rules of Linux's
 * ipc/sem.c, so that programs see the same order.
 *
 * A waiter with one operation waits at its semaphore: in `zero` or in `alter`. One with several waits at the set; while there are such, those
 * who want to change something all wait in the set's `alter`, in the order in which they came (merge, unmerge). Waiting for 0 goes first.
 */
#include "ipcd.h"

#include <ipc_server.h>

#define ADJUST_MAX 32767 /* SEMAEM */

/* One operation; what it would do is done. 0, EAGAIN, ERANGE; -1: must wait. */
static int step(struct sem_set *set, const struct ipc_sem_operation *op, struct undo *undo)
{
	struct semaphore *sem = &set->sem[op->number];
	int32_t value = sem->value + op->operation;

	if (value < 0 || (op->operation == 0 && sem->value != 0))
		return (op->flags & IPC_NOWAIT) != 0 ? EAGAIN : -1;
	if (value > SEM_VALUE_MAX)
		return ERANGE;
	if ((op->flags & SEM_UNDO) != 0) {
		int32_t adjust = undo->adjust[op->number] - op->operation;
		if (adjust < -ADJUST_MAX - 1 || adjust > ADJUST_MAX)
			return ERANGE;
		undo->adjust[op->number] = (int16_t)adjust;
	}
	sem->value = value;
	return 0;
}

static void unstep(struct sem_set *set, const struct ipc_sem_operation *op, struct undo *undo)
{
	set->sem[op->number].value -= op->operation;
	if ((op->flags & SEM_UNDO) != 0)
		undo->adjust[op->number] = (int16_t)(undo->adjust[op->number] + op->operation);
}

int sem_perform(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count, struct undo *undo, uint32_t pid,
                uint32_t *blocking)
{
	for (uint32_t i = 0; i < count; i++) {
		int result = step(set, &operations[i], undo);
		if (result == 0)
			continue;
		*blocking = i;
		while (i-- > 0)
			unstep(set, &operations[i], undo);
		return result;
	}
	for (uint32_t i = 0; i < count; i++)
		set->sem[operations[i].number].pid = pid;
	return 0;
}

/* ---- queues ---- */

/* From now on everybody who wants to change something waits in one queue. */
static void merge(struct sem_set *set)
{
	for (uint32_t i = set->count; i-- > 0;) {
		struct list *from = &set->sem[i].alter;
		while (!list_empty(from)) { /* the last one first, each before all that are there */
			struct list *item = from->previous;
			list_unlink(item);
			list_append(set->alter.next, item); /* in front of the first */
		}
	}
}

/* The last one with several operations is gone: the others go back to their semaphores. */
static void unmerge(struct sem_set *set)
{
	while (!list_empty(&set->alter)) {
		struct list *item = set->alter.next;
		const struct sem_waiter *w = list_item(item, struct sem_waiter, queued);
		list_unlink(item);
		list_append(&set->sem[w->operation[0].number].alter, item);
	}
}

void sem_enqueue(struct sem_waiter *w)
{
	struct sem_set *set = w->set;
	struct semaphore *sem = &set->sem[w->operation[0].number];

	for (uint32_t i = 0; i < w->count; i++)
		set->sem[w->operation[i].number].users++;
	if (w->count > 1) {
		if (set->complex++ == 0)
			merge(set);
		list_append(w->alters ? &set->alter : &set->zero, &w->queued);
	} else if (!w->alters) {
		list_append(&sem->zero, &w->queued);
	} else {
		list_append(set->complex != 0 ? &set->alter : &sem->alter, &w->queued);
	}
}

void sem_unlink(struct sem_waiter *w)
{
	list_unlink(&w->queued);
	for (uint32_t i = 0; i < w->count; i++)
		w->set->sem[w->operation[i].number].users--;
	if (w->count > 1)
		w->set->complex--;
}

void sem_dequeue(struct sem_waiter *w)
{
	sem_unlink(w);
	if (w->set->complex == 0)
		unmerge(w->set);
}

void sem_answer(struct sem_waiter *w, int error)
{
	wait_forget(&w->waiter);
	ipc_reply_sem_operate(&w->waiter.reply, error);
	keep_free(w);
}

static int retry(struct sem_waiter *w)
{
	return sem_perform(w->set, w->operation, w->count, w->undo, w->waiter.pid, &w->blocking);
}

/* ---- who goes on ---- */

/* Those in a queue of waiters for 0. Nothing changes by them. True: somebody's operation was done. */
static bool wake_zero(struct list *queue)
{
	bool done = false;

	for (struct list *item = queue->next, *next; item != queue; item = next) {
		struct sem_waiter *w = list_item(item, struct sem_waiter, queued);
		next = item->next;
		int error = retry(w);
		if (error < 0)
			continue;
		sem_unlink(w);
		sem_answer(w, error);
		done |= error == 0;
	}
	return done;
}

/* Those who wait for 0 at the semaphores that the operations touched, or at any. */
static bool wake_zeroes(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count)
{
	bool zero = false, done = false;

	for (uint32_t i = 0; i < (operations != NULL ? count : set->count); i++) {
		uint32_t number = operations != NULL ? operations[i].number : i;
		if (set->sem[number].value != 0)
			continue;
		zero = true;
		done |= wake_zero(&set->sem[number].zero);
	}
	if (zero)
		done |= wake_zero(&set->zero);
	return done;
}

/* An operation was done: can it have made way for one that is further ahead in the queue? */
static bool looks_again(const struct sem_set *set, const struct sem_waiter *w)
{
	if (!list_empty(&set->alter) || w->count > 1)
		return true;
	/* It waited alone at its semaphore, so it took from it: those ahead could not when there was more. Waiters for 0 are looked after. */
	return false;
}

/* Those in a queue of waiters who want to change something; `number`: the semaphore of the queue, or -1. */
static bool wake_alter(struct sem_set *set, struct list *queue, int32_t number)
{
	bool done = false, again = true;

	while (again) {
		again = false;
		for (struct list *item = queue->next, *next; item != queue && !again; item = next) {
			struct sem_waiter *w = list_item(item, struct sem_waiter, queued);
			next = item->next;
			if (number >= 0 && set->sem[number].value == 0)
				return done; /* nobody can take from it, and adding never waits */
			int error = retry(w);
			if (error < 0)
				continue;
			sem_unlink(w);
			if (error == 0) {
				done = true;
				wake_zeroes(set, w->operation, w->count);
				again = looks_again(set, w);
			}
			sem_answer(w, error);
		}
	}
	return done;
}

void sem_update(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count, int64_t now)
{
	bool done = wake_zeroes(set, operations, count);

	if (!list_empty(&set->alter)) {
		done |= wake_alter(set, &set->alter, -1);
	} else {
		for (uint32_t i = 0; i < (operations != NULL ? count : set->count); i++) {
			if (operations != NULL && operations[i].operation <= 0)
				continue;
			uint32_t number = operations != NULL ? operations[i].number : i;
			if (!list_empty(&set->sem[number].alter))
				done |= wake_alter(set, &set->sem[number].alter, (int32_t)number);
		}
	}
	if (set->complex == 0)
		unmerge(set);
	if (done)
		set->operation_time = now;
}

/* ---- GETNCNT, GETZCNT ---- */

static uint32_t count_blocked(const struct list *queue, uint32_t number, bool zero)
{
	uint32_t count = 0;

	for (const struct list *item = queue->next; item != queue; item = item->next) {
		const struct sem_waiter *w = list_item(item, struct sem_waiter, queued);
		const struct ipc_sem_operation *op = &w->operation[w->blocking];
		count += op->number == number && (zero ? op->operation == 0 : op->operation < 0);
	}
	return count;
}

uint32_t sem_count_waiting(const struct sem_set *set, uint32_t number, bool zero)
{
	const struct semaphore *sem = &set->sem[number];

	return count_blocked(zero ? &sem->zero : &sem->alter, number, zero) + count_blocked(&set->alter, number, zero) +
	       count_blocked(&set->zero, number, zero);
}
