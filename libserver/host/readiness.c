/*
 * Readiness words on the host: an array that the test can look at.
 */
#include "host.h"
#include <loopback.h>
#include <portico/server_readiness.h>

#define SLOTS 1024u

static uint32_t words[SLOTS];
static bool taken[SLOTS];

uint32_t readiness_slot(void)
{
	for (uint32_t slot = 1; slot < SLOTS; slot++) {
		if (!taken[slot]) {
			taken[slot] = true;
			words[slot] &= ~0xffffu;
			return slot;
		}
	}
	return 0;
}

static void publish(uint32_t slot, uint32_t events)
{
	words[slot] = ((words[slot] >> 16) + 1) << 16 | (events & 0xffffu);
	words[0]++;
}

void readiness_set(uint32_t slot, uint32_t events)
{
	if (slot != 0 && READINESS_EVENTS(words[slot]) != (events & 0xffffu))
		publish(slot, events);
}

void readiness_touch(uint32_t slot)
{
	if (slot != 0)
		publish(slot, READINESS_EVENTS(words[slot]));
}

void readiness_free(uint32_t slot)
{
	readiness_set(slot, 0);
	taken[slot] = false;
}

port_name_t readiness_object(void)
{
	static port_name_t object;

	if (loopback_kind(object) == 0)
		object = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	return object;
}

uint32_t host_readiness(uint32_t slot)
{
	return words[slot];
}
