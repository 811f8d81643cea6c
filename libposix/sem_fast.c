/*
 * semop without a message: operations that need not wait, on sets whose page is mapped (include/portico/sem_page.h).
 *
 * Above: sysv_sem.c, which sends a message for all that is not done here. A set is mapped when it has been used some times in a row. Its
 * place follows from its id. In a process with threads a place is never used for a second set: one could be in the middle of an operation on the first.
 */
#include "sem_fast.h"

#include "sysv.h"
#include "time.h"

#include <ipc_client.h>
#include <portico/layout.h>
#include <portico/sem_page.h>

#define PLACES 64u
#define USES_BEFORE 4u
#define AREA (LIBPOSIX_SHARED + 0x10000000ul)

PROCESS_LOCK places_lock;
static struct {
	int32_t id;     /* + 1; 0: none */
	uint32_t count; /* semaphores */
	bool used;      /* there is a mapping, of this set or an earlier one */
} places[PLACES];
static int32_t last_id, refused_id; /* + 1 */
static uint32_t uses;

static struct sem_page *page_at(uint32_t place)
{
	return (struct sem_page *)(AREA + place * PAGE_SIZE);
}

bool sem_fast(int32_t id, const struct ipc_sem_operation *op)
{
	uint32_t place = (uint32_t)id % PLACES;

	if (places[place].id != id + 1 || op->number >= places[place].count || (op->flags & L_SEM_UNDO))
		return false;
	struct sem_page *page = page_at(place);
	uint64_t *word = &page->word[op->number], old = __atomic_load_n(word, __ATOMIC_RELAXED);
	for (;;) {
		int32_t value = SEM_PAGE_VALUE(old) + op->operation;
		if (old & (SEM_PAGE_SLOW | SEM_PAGE_DEAD)) {
			if (old & SEM_PAGE_DEAD)
				places[place].id = 0;
			return false;
		}
		if (value < 0 || value > INT16_MAX || (op->operation == 0 && value != 0))
			return false;
		if (__atomic_compare_exchange_n(word, &old, SEM_PAGE_WORD(value, process.pid), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			break;
	}
	page->time = clock_realtime();
	return true;
}

static bool map(int32_t id, uint32_t place)
{
	port_name_t object;
	uint32_t count;

	if (process.threaded && places[place].used)
		return false;
	if (ipc_sem_map(NAME_IPC, id, &object, &count))
		return false;
	int64_t status = trap6(TRAP_vm_map, TASK_SELF, (uint64_t)page_at(place), PAGE_SIZE, object, 0,
			       VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_SHARE);
	client_release_right(object);
	if (status < 0)
		return false;
	places[place].used = true;
	places[place].count = count;
	__atomic_store_n(&places[place].id, id + 1, __ATOMIC_RELEASE);
	return true;
}

void sem_fast_learn(int32_t id)
{
	uint32_t place = (uint32_t)id % PLACES;

	if (id + 1 == refused_id || places[place].id == id + 1)
		return;
	if (last_id != id + 1) {
		last_id = id + 1;
		uses = 0;
	}
	if (++uses < USES_BEFORE)
		return;
	lock_take(&places_lock);
	if (places[place].id != id + 1 && !map(id, place))
		refused_id = id + 1;
	lock_drop(&places_lock);
}

void sem_fast_forget(void)
{
	for (uint32_t i = 0; i < PLACES; i++)
		places[i].id = 0;
	last_id = refused_id = 0;
}
