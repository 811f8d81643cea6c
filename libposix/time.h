/*
 * Time: conversions (pure), the clocks of the kernel's information page, deadlines of waits.
 */
#ifndef LIBPOSIX_TIME_H
#define LIBPOSIX_TIME_H

#include "linux.h"

#include <stdbool.h>

#define NANOSECONDS UINT64_C(1000000000)

/* ---- pure: time_convert.c ---- */

/* Nanoseconds of a valid, non-negative timespec, saturated at INT64_MAX; -EINVAL otherwise. */
int64_t time_from_timespec(const struct linux_timespec *time, uint64_t *ns);
int64_t time_from_timeval(const struct linux_timeval *time, uint64_t *ns);
struct linux_timespec time_to_timespec(uint64_t ns);
struct linux_timeval time_to_timeval(uint64_t ns);
/* a + b, or DEADLINE_NEVER - 1 if that is too far away. */
uint64_t time_add(uint64_t a, uint64_t b);
/* (tsc - base) * multiplier >> shift with a 128-bit product. */
uint64_t time_scale(uint64_t ticks, uint64_t multiplier, uint32_t shift);

/* ---- clocks: time.c ---- */

uint64_t clock_monotonic(void);  /* ns */
int64_t clock_realtime(void);    /* ns since 1970 */
int64_t clock_realtime_offset(void);

/*
 * Deadline on the monotonic clock of a relative timeout of the program. When the call is begun again after an interruption
 * (thread_state.restarting) it is the one of the first time. 0, -EFAULT or -EINVAL.
 */
int64_t deadline_from_user(const struct linux_timespec *timeout, uint64_t *deadline);
/* The same for a relative time in ns. */
uint64_t deadline_after(uint64_t ns);
/* An absolute time of `clock` as a monotonic deadline. */
uint64_t deadline_of_clock(int clock, uint64_t ns);

#endif
