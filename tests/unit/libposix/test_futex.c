/* Futex calls, decoded. */
#include "../../../libposix/futex.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/futex.h>

static struct futex_request decode(uint32_t op, int64_t expected)
{
	struct futex_request request;
	cr_assert_eq(futex_decode(op, &request), expected);
	return request;
}

Test(futex, private_and_shared)
{
	cr_assert(decode(FUTEX_WAIT, 0).shared);
	cr_assert_not(decode(FUTEX_WAIT_PRIVATE, 0).shared);
	cr_assert_eq(decode(FUTEX_WAKE_PRIVATE, 0).operation, (uint32_t)FUTEX_OP_WAKE);
}

Test(futex, timeouts)
{
	cr_assert_not(decode(FUTEX_WAIT, 0).absolute);
	cr_assert(decode(FUTEX_WAIT_BITSET, 0).absolute);
	cr_assert_not(decode(FUTEX_WAIT_BITSET, 0).realtime);
	cr_assert(decode(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0).realtime);
	cr_assert(decode(FUTEX_LOCK_PI, 0).realtime);
}

Test(futex, refused)
{
	decode(FUTEX_FD, -ENOSYS);
	decode(FUTEX_WAKE | FUTEX_CLOCK_REALTIME, -ENOSYS);
	decode(FUTEX_CMP_REQUEUE_PI, -ENOSYS);
	decode(99, -ENOSYS);
}

Test(futex, numbers_are_linux)
{
	cr_assert_eq((int)FUTEX_OP_REQUEUE, FUTEX_REQUEUE);
	cr_assert_eq((int)FUTEX_OP_CMP_REQUEUE, FUTEX_CMP_REQUEUE);
	cr_assert_eq((int)FUTEX_OP_WAKE_OP, FUTEX_WAKE_OP);
	cr_assert_eq((int)FUTEX_OP_WAKE_BITSET, FUTEX_WAKE_BITSET);
	cr_assert_eq((int)FUTEX_OP_TRYLOCK_PI, FUTEX_TRYLOCK_PI);
}

static uint32_t apply(uint32_t encoded, uint32_t old, bool *wakes)
{
	uint32_t value = 0;
	cr_assert_eq(futex_wake_op(encoded, old, &value, wakes), 0);
	return value;
}

Test(futex, wake_op_operations)
{
	bool wakes;
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 1), 1, &wakes), 5u);
	cr_assert(wakes);
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_NE, 1), 1, &wakes), 4u);
	cr_assert_not(wakes);
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_OR, 8, FUTEX_OP_CMP_LT, 2), 1, &wakes), 9u);
	cr_assert(wakes);
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_GE, 3), 3, &wakes), 2u);
	cr_assert(wakes);
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_XOR, 6, FUTEX_OP_CMP_GT, 3), 3, &wakes), 5u);
	cr_assert_not(wakes);
}

Test(futex, wake_op_signs_and_shifts)
{
	bool wakes;
	cr_assert_eq(apply(FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_LE, 0xfff), 0, &wakes), UINT32_MAX);
	cr_assert_not(wakes);
	cr_assert_eq(apply(UINT32_C(8) << 28 | 4 << 12, 0, &wakes), 16u);
}

Test(futex, wake_op_refused)
{
	uint32_t value;
	bool wakes;
	cr_assert_eq(futex_wake_op(UINT32_C(7) << 28, 0, &value, &wakes), -ENOSYS);
	cr_assert_eq(futex_wake_op(UINT32_C(9) << 24, 0, &value, &wakes), -ENOSYS);
}
