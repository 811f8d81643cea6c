/*
 * What a futex call asks for. Pure. Follows man 2 futex.
 */
#include "futex.h"

#include <portico/errno.h>

#define FLAG_PRIVATE 128u
#define FLAG_REALTIME 256u

int64_t futex_decode(uint32_t op, struct futex_request *request)
{
	uint32_t operation = op & ~(FLAG_PRIVATE | FLAG_REALTIME);

	*request = (struct futex_request){ .operation = operation, .shared = !(op & FLAG_PRIVATE), .realtime = op & FLAG_REALTIME };
	switch (operation) {
	case FUTEX_OP_WAIT_BITSET:
		request->absolute = true;
		return 0;
	case FUTEX_OP_WAIT:
		return 0;
	case FUTEX_OP_WAKE:
	case FUTEX_OP_REQUEUE:
	case FUTEX_OP_CMP_REQUEUE:
	case FUTEX_OP_WAKE_OP:
	case FUTEX_OP_WAKE_BITSET:
	case FUTEX_OP_UNLOCK_PI:
	case FUTEX_OP_TRYLOCK_PI:
		return request->realtime ? -ENOSYS : 0;
	case FUTEX_OP_LOCK_PI:
		request->absolute = request->realtime = true;
		return op & FLAG_REALTIME ? -ENOSYS : 0;
	default:
		return -ENOSYS;
	}
}

static int64_t compute(uint32_t operation, uint32_t old, uint32_t argument, uint32_t *value)
{
	switch (operation) {
	case 0:
		*value = argument;
		return 0;
	case 1:
		*value = old + argument;
		return 0;
	case 2:
		*value = old | argument;
		return 0;
	case 3:
		*value = old & ~argument;
		return 0;
	case 4:
		*value = old ^ argument;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int64_t compare(uint32_t comparison, int32_t old, int32_t argument, bool *passes)
{
	switch (comparison) {
	case 0:
		*passes = old == argument;
		return 0;
	case 1:
		*passes = old != argument;
		return 0;
	case 2:
		*passes = old < argument;
		return 0;
	case 3:
		*passes = old <= argument;
		return 0;
	case 4:
		*passes = old > argument;
		return 0;
	case 5:
		*passes = old >= argument;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* op 4 bits (the upper one: argument is a shift), cmp 4, oparg 12 signed, cmparg 12 signed. */
int64_t futex_wake_op(uint32_t encoded, uint32_t old, uint32_t *new_value, bool *wakes)
{
	uint32_t operation = encoded >> 28 & 7;
	int32_t argument = (int32_t)(encoded << 8) >> 20, against = (int32_t)(encoded << 20) >> 20;

	if (encoded >> 31)
		argument = (int32_t)(UINT32_C(1) << (argument & 31));
	int64_t error = compute(operation, old, (uint32_t)argument, new_value);
	return error ? error : compare(encoded >> 24 & 15, (int32_t)old, against, wakes);
}
