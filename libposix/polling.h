/*
 * Waiting for descriptors: readiness words of the servers, and the words of local descriptions.
 *
 * polling.c holds poll and select, epoll.c the epoll sets; both gather into a struct watch and wait on it.
 */
#ifndef LIBPOSIX_POLLING_H
#define LIBPOSIX_POLLING_H

#include "fd.h"

#define WATCH_WORDS 16u

/* What a wait is to be woken by. More words than a trap takes: the servers' words 0 instead. */
struct watch {
	uint32_t count;
	bool all;                     /* word 0 of every server is watched */
	bool crowded;                 /* some local words found no room: the deadline is near */
	uint64_t deadline;            /* earliest time at which something is to be looked at again */
	struct { const uint32_t *word; uint32_t expected; } words[WATCH_WORDS];
};

void watch_begin(struct watch *watch, uint64_t deadline);
/* Events of a description now, all of Linux's POLL* bits that hold; adds what changes them to `watch` (may be NULL). */
uint32_t watch_events(struct watch *watch, struct description *description);
/* The same, and a number that changes whenever they may have changed, never 0: as of the same moment. For edges. */
uint32_t watch_events_stamped(struct watch *watch, struct description *description, uint32_t *stamp);
/* Waits. 0: look again (or the deadline has passed), else what the call returns for an interruption. */
int64_t watch_wait(const struct watch *watch);

#endif
