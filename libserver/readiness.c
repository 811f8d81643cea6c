/*
 * Readiness words; see portico/server_readiness.h. The words and their object are volatile: a new incarnation makes a
 * new object and its slots are set again from the keep's records.
 */
#include "internal.h"
#include <portico/server_readiness.h>

#define OBJECT_SIZE (READINESS_SLOTS * sizeof(uint32_t))
#define EVENTS_MASK 0xffffu

static struct {
	volatile uint32_t *word; /* NULL: not made yet */
	port_name_t object;      /* readable right to it */
	uint32_t first_free;     /* free slots are chained through `next`; 0: none */
	uint32_t high;           /* slots from here up were never used */
	uint32_t next[READINESS_SLOTS];
} ready;

static bool start(void)
{
	if (ready.word != NULL)
		return true;
	int64_t object = trap5(TRAP_object_create, OBJECT_SIZE, 0, PORT_NULL, 0, PORT_NULL);
	if (object < 0)
		return false;
	int64_t address = trap6(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, OBJECT_SIZE, (uint64_t)object, 0,
	                        VM_READ | VM_WRITE | VM_INHERIT_NONE);
	int64_t readable = trap3(TRAP_right_copy, (uint64_t)object, RIGHT_READ, PORT_NULL);
	server_release_right((port_name_t)object);
	if (address < 0 || readable < 0)
		return false;
	ready.word = (volatile uint32_t *)address;
	ready.object = (port_name_t)readable;
	ready.high = 1;
	return true;
}

uint32_t readiness_slot(void)
{
	uint32_t slot;

	if (!start())
		return 0;
	if (ready.first_free != 0) {
		slot = ready.first_free;
		ready.first_free = ready.next[slot];
	} else if (ready.high < READINESS_SLOTS) {
		slot = ready.high++;
	} else {
		return 0;
	}
	return slot;
}

static void publish(uint32_t slot, uint32_t events)
{
	uint32_t changes = (ready.word[slot] >> 16) + 1;

	ready.word[slot] = changes << 16 | (events & EVENTS_MASK);
	ready.word[0] = ready.word[0] + 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	trap4(TRAP_futex_wake, (uint64_t)&ready.word[slot], INT32_MAX, FUTEX_SHARED, (uint32_t)FUTEX_BITS_ALL);
	trap4(TRAP_futex_wake, (uint64_t)&ready.word[0], INT32_MAX, FUTEX_SHARED, (uint32_t)FUTEX_BITS_ALL);
}

void readiness_set(uint32_t slot, uint32_t events)
{
	if (slot != 0 && READINESS_EVENTS(ready.word[slot]) != (events & EVENTS_MASK))
		publish(slot, events);
}

void readiness_touch(uint32_t slot)
{
	if (slot != 0)
		publish(slot, READINESS_EVENTS(ready.word[slot]));
}

void readiness_free(uint32_t slot)
{
	if (slot == 0)
		return;
	readiness_set(slot, 0);
	ready.next[slot] = ready.first_free;
	ready.first_free = slot;
}

port_name_t readiness_object(void)
{
	return start() ? ready.object : PORT_NULL;
}
