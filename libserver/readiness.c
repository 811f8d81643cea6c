/*
 * Readiness words; see portico/server_readiness.h. The words lie in an object that clients map for reading; what they say is kept
 * beside it in the keep, and they are changed by the commit only. Instrumented.
 */
#include "transaction.h"
#include <portico/keep.h>
#include <portico/server_readiness.h>

#define OBJECT_SIZE (READINESS_SLOTS * sizeof(uint32_t))
#define EVENTS_MASK 0xffffu
#define CHUNK 512u

struct readiness_state {
	volatile uint32_t *word; /* the mapping: the same in every incarnation */
	port_name_t object;      /* readable right to it */
	uint32_t first_free;     /* free slots are chained through `next`; 0: none */
	uint32_t high;           /* slots from here up were never used */
	struct readiness_slot {
		uint32_t value;  /* what the word holds after the commit */
		uint32_t next;
	} *chunk[READINESS_SLOTS / CHUNK]; /* those up to `high` exist */
};

SERVER_KEEP_OUTSIDE(readiness_state, word);

static struct readiness_slot *slot_at(const struct readiness_state *r, uint32_t slot)
{
	return &r->chunk[slot / CHUNK][slot % CHUNK];
}

static struct readiness_state *make(void)
{
	struct readiness_state *r = keep_allocate(sizeof(*r));

	if (r == NULL)
		return NULL;
	int64_t object = server_trap(TRAP_object_create, OBJECT_SIZE, 0, PORT_NULL, 0, PORT_NULL, 0);
	if (object < 0) {
		keep_free(r);
		return NULL;
	}
	int64_t address = server_trap(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, OBJECT_SIZE, (uint64_t)object, 0,
	                              VM_READ | VM_WRITE | VM_INHERIT_SHARE);
	int64_t readable = server_trap(TRAP_right_copy, (uint64_t)object, RIGHT_READ, PORT_NULL, 0, 0, 0);
	server_release_right((port_name_t)object);
	if (address < 0 || readable < 0) {
		keep_free(r);
		return NULL;
	}
	r->word = (volatile uint32_t *)address;
	r->object = (port_name_t)readable;
	r->high = 1;
	return r;
}

static struct readiness_state *ready(void)
{
	struct server_state *state = server_state();

	if (state->readiness == NULL)
		state->readiness = make();
	return state->readiness;
}

static bool have_chunk(struct readiness_state *r, uint32_t slot)
{
	struct readiness_slot **chunk = &r->chunk[slot / CHUNK];

	if (*chunk == NULL)
		*chunk = keep_allocate(CHUNK * sizeof(**chunk));
	return *chunk != NULL;
}

uint32_t readiness_slot(void)
{
	struct readiness_state *r = ready();
	uint32_t slot = 0;

	if (r == NULL)
		return 0;
	if (r->first_free != 0) {
		slot = r->first_free;
		r->first_free = slot_at(r, slot)->next;
	} else if (r->high < READINESS_SLOTS && have_chunk(r, r->high)) {
		slot = r->high++;
	}
	return slot;
}

static void set_word(struct readiness_state *r, uint32_t slot, uint32_t value)
{
	slot_at(r, slot)->value = value;
	server_queue_word32(&r->word[slot], 0, value);
	server_queue(TRAP_futex_wake, (uint64_t)&r->word[slot], INT32_MAX, FUTEX_SHARED, (uint32_t)FUTEX_BITS_ALL, 0, 0);
}

static void publish(struct readiness_state *r, uint32_t slot, uint32_t events)
{
	uint32_t changes = (slot_at(r, slot)->value >> 16) + 1;

	set_word(r, slot, changes << 16 | (events & EVENTS_MASK));
	set_word(r, 0, slot_at(r, 0)->value + 1);
}

void readiness_set(uint32_t slot, uint32_t events)
{
	struct readiness_state *r = server_state()->readiness;

	if (slot != 0 && READINESS_EVENTS(slot_at(r, slot)->value) != (events & EVENTS_MASK))
		publish(r, slot, events);
}

void readiness_touch(uint32_t slot)
{
	struct readiness_state *r = server_state()->readiness;

	if (slot != 0)
		publish(r, slot, READINESS_EVENTS(slot_at(r, slot)->value));
}

void readiness_free(uint32_t slot)
{
	struct readiness_state *r = server_state()->readiness;

	if (slot == 0)
		return;
	readiness_set(slot, 0);
	slot_at(r, slot)->next = r->first_free;
	r->first_free = slot;
}

port_name_t readiness_object(void)
{
	struct readiness_state *r = ready();

	return r != NULL ? r->object : PORT_NULL;
}
