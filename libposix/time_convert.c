/*
 * Conversions between the program's time structures and nanoseconds. Pure.
 */
#include "time.h"

#include <portico/errno.h>

#define SECONDS_MAX (INT64_MAX / (int64_t)NANOSECONDS)

int64_t time_from_timespec(const struct linux_timespec *time, uint64_t *ns)
{
	if (time->sec < 0 || time->nsec < 0 || time->nsec >= (int64_t)NANOSECONDS)
		return -EINVAL;
	*ns = time->sec >= SECONDS_MAX ? INT64_MAX : (uint64_t)time->sec * NANOSECONDS + (uint64_t)time->nsec;
	return 0;
}

int64_t time_from_timeval(const struct linux_timeval *time, uint64_t *ns)
{
	if (time->usec < 0 || time->usec >= 1000000)
		return -EINVAL;
	struct linux_timespec precise = { time->sec, time->usec * 1000 };
	return time_from_timespec(&precise, ns);
}

struct linux_timespec time_to_timespec(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NANOSECONDS), (int64_t)(ns % NANOSECONDS) };
}

struct linux_timeval time_to_timeval(uint64_t ns)
{
	return (struct linux_timeval){ (int64_t)(ns / NANOSECONDS), (int64_t)(ns % NANOSECONDS / 1000) };
}

uint64_t time_add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) || sum == UINT64_MAX ? UINT64_MAX - 1 : sum;
}

uint64_t time_scale(uint64_t ticks, uint64_t multiplier, uint32_t shift)
{
	return (uint64_t)((unsigned __int128)ticks * multiplier >> shift);
}
