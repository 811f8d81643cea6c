/*
 * Futex calls, decoded. Pure part, for the tests; the calls are in futex.c.
 */
#ifndef LIBPOSIX_FUTEX_H
#define LIBPOSIX_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

enum futex_operation {
	FUTEX_OP_WAIT = 0, FUTEX_OP_WAKE = 1, FUTEX_OP_REQUEUE = 3, FUTEX_OP_CMP_REQUEUE = 4, FUTEX_OP_WAKE_OP = 5,
	FUTEX_OP_LOCK_PI = 6, FUTEX_OP_UNLOCK_PI = 7, FUTEX_OP_TRYLOCK_PI = 8, FUTEX_OP_WAIT_BITSET = 9, FUTEX_OP_WAKE_BITSET = 10,
};

struct futex_request {
	uint32_t operation;  /* enum futex_operation */
	bool shared;
	bool realtime;       /* absolute timeouts are on the wall clock */
	bool absolute;       /* the timeout is a point in time */
};

/* -ENOSYS: an operation that is not there, or flags that do not go with it. */
int64_t futex_decode(uint32_t op, struct futex_request *request);

/* FUTEX_WAKE_OP's encoded operation: the new value of the word, and whether the old one passes the comparison. -ENOSYS: neither. */
int64_t futex_wake_op(uint32_t encoded, uint32_t old, uint32_t *new_value, bool *wakes);

#endif
