/*
 * Interval and POSIX timers: sig keeps them; their numbers are its own.
 */
#include "linux.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <sig_client.h>

enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2, SIGEV_THREAD_ID = 4, ITIMER_REAL = 0, ITIMER_PROF = 2 };

struct linux_sigevent { uint64_t value; int32_t signal, notify, tid, pad[11]; };

_Static_assert(sizeof(struct linux_sigevent) == 64, "Linux");

/* ---- setitimer ---- */

static int64_t interval_timer(uint32_t which, const struct sig_interval *value, struct sig_interval *previous)
{
	struct sig_interval none = { 0, 0 };
	return result_of(sig_interval_timer(NAME_SIG, which, value != NULL, value ? value : &none, previous));
}

static int64_t put_interval(struct linux_itimerval *user, const struct sig_interval *interval)
{
	struct linux_itimerval value = { time_to_timeval(interval->interval_ns), time_to_timeval(interval->value_ns) };
	/* What still runs is never told as 0. */
	if (interval->value_ns && value.value.sec == 0 && value.value.usec == 0)
		value.value.usec = 1;
	return user_put(user, &value);
}

int64_t sys_setitimer(uint32_t which, const struct linux_itimerval *user, struct linux_itimerval *old)
{
	struct linux_itimerval wanted = { { 0, 0 }, { 0, 0 } };
	struct sig_interval value, previous;

	if (which > ITIMER_PROF)
		return -EINVAL;
	if (user && user_get(&wanted, user))
		return -EFAULT;
	if (time_from_timeval(&wanted.value, &value.value_ns) || time_from_timeval(&wanted.interval, &value.interval_ns))
		return -EINVAL;
	int64_t error = interval_timer(which, &value, &previous);
	if (error)
		return error;
	return old ? put_interval(old, &previous) : 0;
}

int64_t sys_getitimer(uint32_t which, struct linux_itimerval *user)
{
	struct sig_interval previous;
	int64_t error = which > ITIMER_PROF ? -EINVAL : interval_timer(which, NULL, &previous);
	return error ? error : put_interval(user, &previous);
}

int64_t sys_alarm(uint32_t seconds)
{
	struct sig_interval value = { seconds * NANOSECONDS, 0 }, previous;
	int64_t error = interval_timer(ITIMER_REAL, &value, &previous);
	if (error)
		return 0;
	uint64_t left = (previous.value_ns + NANOSECONDS / 2) / NANOSECONDS;
	return previous.value_ns && left == 0 ? 1 : (int64_t)left;
}

/* ---- timer_create ---- */

int64_t sys_timer_create(uint32_t clock, const struct linux_sigevent *user, int32_t *user_timer)
{
	struct linux_sigevent event = { .signal = L_SIGALRM, .notify = SIGEV_SIGNAL };
	uint32_t timer;

	if (user && user_get(&event, user))
		return -EFAULT;
	if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_NONE && event.notify != SIGEV_THREAD_ID)
		return -EINVAL;
	if (event.notify != SIGEV_NONE && (event.signal < 1 || event.signal > L_NSIG))
		return -EINVAL;
	int error = sig_timer_create(NAME_SIG, clock, (uint32_t)event.notify, (uint32_t)event.signal,
				     event.notify == SIGEV_THREAD_ID ? (uint32_t)event.tid : 0, event.value, &timer);
	if (error)
		return result_of(error);
	int32_t number = (int32_t)timer;
	if (user_put(user_timer, &number) == 0)
		return 0;
	sig_timer_delete(NAME_SIG, timer);
	return -EFAULT;
}

static int64_t put_timer(struct linux_itimerspec *user, const struct sig_interval *interval)
{
	struct linux_itimerspec value = { time_to_timespec(interval->interval_ns), time_to_timespec(interval->value_ns) };
	return user_put(user, &value);
}

int64_t sys_timer_settime(uint32_t timer, int flags, const struct linux_itimerspec *user, struct linux_itimerspec *old)
{
	struct linux_itimerspec wanted;
	struct sig_interval value, previous;

	if (user == NULL)
		return -EINVAL;
	if (user_get(&wanted, user))
		return -EFAULT;
	if (time_from_timespec(&wanted.value, &value.value_ns) || time_from_timespec(&wanted.interval, &value.interval_ns))
		return -EINVAL;
	int error = sig_timer_set(NAME_SIG, timer, (uint32_t)flags & L_TIMER_ABSTIME, &value, &previous);
	if (error)
		return result_of(error);
	return old ? put_timer(old, &previous) : 0;
}

int64_t sys_timer_gettime(uint32_t timer, struct linux_itimerspec *user)
{
	struct sig_interval value;
	uint32_t overrun;
	int error = sig_timer_get(NAME_SIG, timer, &value, &overrun);
	return error ? result_of(error) : put_timer(user, &value);
}

int64_t sys_timer_getoverrun(uint32_t timer)
{
	struct sig_interval value;
	uint32_t overrun = 0;
	int error = sig_timer_get(NAME_SIG, timer, &value, &overrun);
	return error ? result_of(error) : overrun;
}

int64_t sys_timer_delete(uint32_t timer)
{
	return result_of(sig_timer_delete(NAME_SIG, timer));
}
