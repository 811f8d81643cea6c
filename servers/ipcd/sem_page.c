/*
 * The shared page of a set (include/portico/sem_page.h): who may change which semaphore. docs/decisions/006-semaphores-in-a-shared-page.md.
 *
 * The record in the keep counts for the semaphores in `owned`, and for all without a page; the words of the others. Taking one is done at once:
 * a second execution takes it again and gets the same value from the log, for nobody has changed it in between. Giving back is the commit's.
 */
#include "ipcd.h"
#include "kernel_ops.h"

#include <ipc_server.h>

#define NS UINT64_C(1000000000)

static bool has_word(const struct sem_set *set, uint32_t number)
{
	return set->page != NULL && (set->owned >> number & 1) == 0;
}

static int32_t value_in(uint64_t word)
{
	int32_t value = SEM_PAGE_VALUE(word);

	return value < SEM_VALUE_MAX ? value : SEM_VALUE_MAX;
}

void sem_own(struct sem_set *set, uint32_t number)
{
	if (!has_word(set, number))
		return;
	uint64_t word = server_sample_word(__atomic_fetch_or(&set->page->word[number], SEM_PAGE_SLOW, __ATOMIC_SEQ_CST));
	set->sem[number].value = value_in(word);
	set->sem[number].pid = SEM_PAGE_PID(word);
	set->owned |= UINT64_C(1) << number;
}

void sem_own_all(struct sem_set *set)
{
	for (uint32_t i = 0; set->page != NULL && i < set->count; i++)
		sem_own(set, i);
}

void sem_give(struct sem_set *set)
{
	for (uint64_t bits = set->owned; bits != 0; bits &= bits - 1) {
		uint32_t number = (uint32_t)__builtin_ctzll(bits);
		const struct semaphore *sem = &set->sem[number];
		if (sem->users != 0)
			continue;
		server_queue_word64(&set->page->word[number], 0, SEM_PAGE_WORD(sem->value, sem->pid));
		set->owned &= ~(UINT64_C(1) << number);
	}
}

void sem_look(const struct sem_set *set, uint32_t number, int32_t *value, uint32_t *pid)
{
	uint64_t word = has_word(set, number) ? __atomic_load_n(&set->page->word[number], __ATOMIC_SEQ_CST)
	                                      : SEM_PAGE_WORD(set->sem[number].value, set->sem[number].pid);

	*value = value_in(word);
	*pid = SEM_PAGE_PID(word);
}

int64_t sem_time(const struct sem_set *set)
{
	int64_t there = set->page != NULL ? (int64_t)((uint64_t)__atomic_load_n(&set->page->time, __ATOMIC_SEQ_CST) / NS) : 0;

	return there > set->operation_time ? there : set->operation_time;
}

/* Mapped in every incarnation; the words are those of the record, however often this is executed, for nobody else has the page yet. */
static bool make(struct sem_set *set)
{
	struct shared_page shared;

	if (kernel_page_create(&shared) < 0)
		return false;
	struct sem_page *page = shared.page;
	for (uint32_t i = 0; i < set->count; i++)
		page->word[i] = SEM_PAGE_WORD(set->sem[i].value, set->sem[i].pid) | (set->sem[i].users != 0 ? SEM_PAGE_SLOW : 0);
	page->time = 0;
	set->owned = 0;
	for (uint32_t i = 0; i < set->count; i++)
		set->owned |= (uint64_t)(set->sem[i].users != 0) << i;
	set->page = page;
	set->page_object = shared.object;
	set->page_right = shared.right;
	return true;
}

void sem_page_drop(struct sem_set *set)
{
	if (set->page == NULL)
		return;
	set->operation_time = sem_time(set);
	for (uint32_t i = 0; i < set->count; i++)
		server_queue_word64(&set->page->word[i], 0, SEM_PAGE_SLOW | SEM_PAGE_DEAD);
	kernel_page_destroy(&(struct shared_page){.page = set->page, .object = set->page_object, .right = set->page_right});
	set->page = NULL;
	set->owned = 0;
}

int ipc_serve_sem_map(struct server_call *call, struct ipc_caller *object, int32_t id, struct server_port *page, uint32_t *count)
{
	struct server_session *s = caller_of(call);
	struct sem_set *set;

	(void)object;
	if (s == NULL)
		return ESRCH;
	int error = table_find(&root->sets, id, (struct object **)&set);
	if (error == 0)
		error = access_check(s, &set->object, MAY_READ | MAY_WRITE);
	if (error == 0 && set->count > SEM_PAGE_MAX)
		error = ENOSPC;
	if (error == 0 && set->page == NULL && !make(set))
		error = ENOMEM;
	if (error != 0)
		return error;
	page->name = set->page_right;
	*count = set->count;
	return 0;
}
