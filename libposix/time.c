/*
 * Clocks and sleeping. The time of day needs no trap: the kernel's information page tells how to compute it from the TSC.
 *
 * Above: table.c. Below: the information page, proc for what only privileged callers may set.
 */
#include "time.h"

#include "thread.h"
#include "usercopy.h"

#include <portico/info.h>
#include <proc_client.h>

#define SLEEP_INTERRUPTIBLE (MSG_INTERRUPTIBLE >> MSG_OP_SHIFT)
#define TASK_INFO_USER 3
#define TASK_INFO_SYSTEM 4

static const volatile struct kernel_info *info_page(void)
{
	return (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (uint64_t)high << 32;
}

uint64_t clock_monotonic(void)
{
	const volatile struct kernel_info *info = info_page();
	uint64_t sequence, ticks, ns;
	do {
		while ((sequence = info->sequence) & 1)
			__asm__ volatile("pause");
		uint64_t now = read_tsc(), base = info->tsc_base;
		ticks = now > base ? now - base : 0;
		ns = time_scale(ticks, info->tsc_multiplier, info->tsc_shift);
	} while (info->sequence != sequence);
	return ns;
}

int64_t clock_realtime_offset(void)
{
	const volatile struct kernel_info *info = info_page();
	uint64_t sequence;
	int64_t offset;
	do {
		while ((sequence = info->sequence) & 1)
			__asm__ volatile("pause");
		offset = info->realtime_offset;
	} while (info->sequence != sequence);
	return offset;
}

int64_t clock_realtime(void)
{
	return (int64_t)clock_monotonic() + clock_realtime_offset();
}

/* ---- deadlines ---- */

uint64_t deadline_after(uint64_t ns)
{
	struct thread_state *thread = thread_self();
	if (!thread->restarting)
		thread->deadline = time_add(clock_monotonic(), ns);
	return thread->deadline;
}

int64_t deadline_from_user(const struct linux_timespec *timeout, uint64_t *deadline)
{
	struct linux_timespec time;
	uint64_t ns;

	if (user_get(&time, timeout))
		return -EFAULT;
	int64_t error = time_from_timespec(&time, &ns);
	if (!error)
		*deadline = deadline_after(ns);
	return error;
}

uint64_t deadline_of_clock(int clock, uint64_t ns)
{
	if (clock != L_CLOCK_REALTIME && clock != L_CLOCK_REALTIME_ALARM && clock != L_CLOCK_TAI)
		return ns;
	int64_t offset = clock_realtime_offset();
	return (int64_t)ns < offset ? 0 : ns - (uint64_t)offset;
}

/* ---- reading ---- */

/* CPU time of the calling thread or process, ns. */
static uint64_t cpu_time(bool thread)
{
	const struct portico_block *block = client_block();
	if (thread) {
		trap1(TRAP_thread_info, THREAD_SELF);
		return block->result[0] + block->result[1];
	}
	trap1(TRAP_task_info, TASK_SELF);
	return block->result[TASK_INFO_USER] + block->result[TASK_INFO_SYSTEM];
}

/* A negative clock number names a CPU clock of a process or thread: only one's own can be read. */
static int64_t read_cpu_clock(int clock, uint64_t *ns)
{
	uint32_t id = ~(uint32_t)(clock >> 3);
	bool thread = clock & 4;

	if ((clock & 3) == 3 || (id != 0 && id != (thread ? thread_self()->tid : process.pid)))
		return -EINVAL;
	*ns = cpu_time(thread);
	return 0;
}

static int64_t read_clock(int clock, uint64_t *ns)
{
	switch (clock) {
	case L_CLOCK_REALTIME:
	case L_CLOCK_REALTIME_COARSE:
	case L_CLOCK_REALTIME_ALARM:
	case L_CLOCK_TAI:
		*ns = (uint64_t)clock_realtime();
		return 0;
	case L_CLOCK_MONOTONIC:
	case L_CLOCK_MONOTONIC_RAW:
	case L_CLOCK_MONOTONIC_COARSE:
	case L_CLOCK_BOOTTIME:
	case L_CLOCK_BOOTTIME_ALARM:
		*ns = clock_monotonic();
		return 0;
	case L_CLOCK_PROCESS_CPUTIME_ID:
	case L_CLOCK_THREAD_CPUTIME_ID:
		*ns = cpu_time(clock == L_CLOCK_THREAD_CPUTIME_ID);
		return 0;
	default:
		return clock < 0 ? read_cpu_clock(clock, ns) : -EINVAL;
	}
}

int64_t sys_clock_gettime(int clock, struct linux_timespec *time)
{
	uint64_t ns;
	int64_t error = read_clock(clock, &ns);
	if (error)
		return error;
	struct linux_timespec result = time_to_timespec(ns);
	return user_put(time, &result);
}

int64_t sys_clock_getres(int clock, struct linux_timespec *resolution)
{
	struct linux_timespec result = { 0, 1 };
	uint64_t ns;
	int64_t error = read_clock(clock, &ns);
	if (error)
		return error;
	if (clock == L_CLOCK_REALTIME_COARSE || clock == L_CLOCK_MONOTONIC_COARSE)
		result.nsec = (int64_t)NANOSECONDS / 100;
	return resolution ? user_put(resolution, &result) : 0;
}

int64_t sys_gettimeofday(struct linux_timeval *time, int32_t *zone)
{
	struct linux_timeval now = time_to_timeval((uint64_t)clock_realtime());
	int32_t utc[2] = { 0, 0 };
	if (time && user_put(time, &now))
		return -EFAULT;
	return zone ? user_put(zone, &utc) : 0;
}

int64_t sys_time(int64_t *result)
{
	int64_t now = clock_realtime() / (int64_t)NANOSECONDS;
	if (result && user_put(result, &now))
		return -EFAULT;
	return now;
}

/* ---- setting ---- */

int64_t sys_clock_settime(int clock, const struct linux_timespec *time)
{
	struct linux_timespec wanted;
	uint64_t ns;

	if (clock != L_CLOCK_REALTIME)
		return -EINVAL;
	if (user_get(&wanted, time))
		return -EFAULT;
	int64_t error = time_from_timespec(&wanted, &ns);
	return error ? error : result_of(proc_set_clock(NAME_PROC, (int64_t)ns));
}

int64_t sys_settimeofday(const struct linux_timeval *time, const int32_t *zone)
{
	struct linux_timeval wanted;
	uint64_t ns;

	(void)zone; /* the clock runs in UTC; zones are the programs' business */
	if (time == NULL)
		return 0;
	if (user_get(&wanted, time))
		return -EFAULT;
	int64_t error = time_from_timeval(&wanted, &ns);
	return error ? error : result_of(proc_set_clock(NAME_PROC, (int64_t)ns));
}

/* Reading only: an undisciplined clock. struct timex is 208 bytes; the fields that say something are filled. */
int64_t sys_adjtimex(void *user)
{
	struct { uint32_t modes, pad; int64_t offset, frequency, maxerror, esterror; int32_t status, pad2; int64_t constant, precision,
		tolerance; struct linux_timeval time; int64_t tick; int64_t rest[14]; } timex;

	_Static_assert(sizeof(timex) == 208, "Linux's struct timex");
	if (user_get(&timex, user))
		return -EFAULT;
	if (timex.modes)
		return -EPERM;
	timex.status = 0x40; /* STA_UNSYNC */
	timex.maxerror = timex.esterror = 16000000;
	timex.precision = 1;
	timex.tick = 10000;
	timex.time = time_to_timeval((uint64_t)clock_realtime());
	return user_put(user, &timex) ? -EFAULT : 5; /* TIME_ERROR: not synchronised */
}

/* ---- sleeping ---- */

static int64_t sleep_until(uint64_t deadline, struct linux_timespec *remaining)
{
	int64_t status = trap2(TRAP_thread_sleep, deadline, SLEEP_INTERRUPTIBLE);
	if (status != KERN_INTERRUPTED)
		return 0;
	uint64_t now = clock_monotonic();
	struct linux_timespec left = time_to_timespec(deadline > now ? deadline - now : 0);
	if (remaining && user_put(remaining, &left))
		return -EFAULT;
	return interrupted_wait();
}

int64_t sys_nanosleep(const struct linux_timespec *time, struct linux_timespec *remaining)
{
	uint64_t deadline;
	int64_t error = deadline_from_user(time, &deadline);
	return error ? error : sleep_until(deadline, remaining);
}

int64_t sys_clock_nanosleep(int clock, int flags, const struct linux_timespec *time, struct linux_timespec *remaining)
{
	struct linux_timespec wanted;
	uint64_t ns;

	if (clock != L_CLOCK_REALTIME && clock != L_CLOCK_MONOTONIC && clock != L_CLOCK_BOOTTIME && clock != L_CLOCK_TAI)
		return clock == L_CLOCK_THREAD_CPUTIME_ID ? -EINVAL : -EOPNOTSUPP;
	if (!(flags & L_TIMER_ABSTIME))
		return sys_nanosleep(time, remaining);
	if (user_get(&wanted, time))
		return -EFAULT;
	int64_t error = time_from_timespec(&wanted, &ns);
	return error ? error : sleep_until(deadline_of_clock(clock, ns), NULL);
}
