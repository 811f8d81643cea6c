/* Time conversions. */
#include "../../../libposix/time.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(time, timespec)
{
	struct linux_timespec time = { 3, 500 };
	uint64_t ns;
	cr_assert_eq(time_from_timespec(&time, &ns), 0);
	cr_assert_eq(ns, 3000000500u);
}

Test(time, timespec_refused)
{
	uint64_t ns;
	struct linux_timespec bad[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 } };
	for (int i = 0; i < 3; i++)
		cr_assert_eq(time_from_timespec(&bad[i], &ns), -EINVAL);
}

Test(time, timespec_saturates)
{
	struct linux_timespec time = { INT64_MAX, 999999999 };
	uint64_t ns;
	cr_assert_eq(time_from_timespec(&time, &ns), 0);
	cr_assert_eq(ns, (uint64_t)INT64_MAX);
}

Test(time, timeval)
{
	struct linux_timeval time = { 2, 999999 };
	uint64_t ns;
	cr_assert_eq(time_from_timeval(&time, &ns), 0);
	cr_assert_eq(ns, 2999999000u);
	time.usec = 1000000;
	cr_assert_eq(time_from_timeval(&time, &ns), -EINVAL);
	time.usec = INT64_MAX;
	cr_assert_eq(time_from_timeval(&time, &ns), -EINVAL);
}

Test(time, back)
{
	struct linux_timespec spec = time_to_timespec(7000000009u);
	struct linux_timeval val = time_to_timeval(7000001999u);
	cr_assert_eq(spec.sec, 7);
	cr_assert_eq(spec.nsec, 9);
	cr_assert_eq(val.sec, 7);
	cr_assert_eq(val.usec, 1);
}

Test(time, add_never_reaches_never)
{
	cr_assert_eq(time_add(1, 2), 3u);
	cr_assert_eq(time_add(UINT64_MAX, 1), UINT64_MAX - 1);
	cr_assert_eq(time_add(UINT64_MAX - 1, 1), UINT64_MAX - 1);
}

Test(time, scale_has_128_bits)
{
	/* 2.1 GHz for 100 days */
	uint64_t multiplier = (UINT64_C(1000000000) << 32) / 2100000000u;
	uint64_t ns = time_scale(UINT64_C(2100000000) * 86400 * 100, multiplier, 32);
	cr_assert_geq(ns, UINT64_C(8639999000000000));
	cr_assert_leq(ns, UINT64_C(8640000000000000));
}
