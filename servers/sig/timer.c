/*
 * Interval timers and POSIX timers.
 *
 * Armed timers are in one list by the monotonic time at which they are to be looked at; the server's one timer is set
 * for the first. A timer on CPU time is looked at when the process could have used up the rest at the earliest, and
 * again until it has. POSIX.1-2017 timer_settime(), timer_getoverrun(), setitimer(); man 2 of the same.
 */
#include "sig.h"

#include <portico/strings.h>
#include <sig_server.h>

#define POLL_MIN_NS 1000000u /* CPU time is not looked at more often */
#define EXPIRIES_MAX 64u /* looked at in one transaction */
#define OVERRUN_MAX 0x7fffffffu
#define TIMER_ABSOLUTE 1u

enum clock_number {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_PROCESS_CPUTIME = 2,
	CLOCK_BOOTTIME = 7,
};

/* ---- the armed list ---- */

static void wake_up_for_first(void)
{
	server_set_timer(root->armed ? root->armed->due : DEADLINE_NEVER);
}

static void disarm(struct timer *t)
{
	if (!t->armed)
		return;
	struct timer **link = &root->armed;
	while (*link != t)
		link = &(*link)->next_armed;
	*link = t->next_armed;
	t->armed = false;
}

static void arm(struct timer *t)
{
	disarm(t);
	struct timer **link = &root->armed;
	while (*link && (*link)->due <= t->due)
		link = &(*link)->next_armed;
	t->next_armed = *link;
	*link = t;
	t->armed = true;
}

/* ---- clocks ---- */

/* Changes nothing: for queries. Without a right to the task, what was seen last. */
static uint64_t clock_look(const struct timer *t)
{
	const struct process *p = t->process;
	uint64_t user = p->cpu_user, system = p->cpu_system;
	if (t->clock == TIMER_MONOTONIC)
		return server_now();
	if (p->task != PORT_NULL)
		kernel_task_time(p->task, &user, &system);
	return t->clock == TIMER_USER ? user : user + system;
}

/* Keeps what it saw. */
static uint64_t clock_now(const struct timer *t)
{
	struct process *p = t->process;
	if (t->clock == TIMER_MONOTONIC)
		return server_now();
	port_name_t task = process_task(p);
	if (task != PORT_NULL)
		kernel_task_time(task, &p->cpu_user, &p->cpu_system);
	return t->clock == TIMER_USER ? p->cpu_user : p->cpu_user + p->cpu_system;
}

static void set_due(struct timer *t, uint64_t now)
{
	if (t->clock == TIMER_MONOTONIC) {
		t->due = t->expires;
		return;
	}
	uint32_t cpus = kernel_cpus();
	uint64_t rest = t->expires > now ? (t->expires - now) / (cpus ? cpus : 1) : 0;
	t->due = server_now() + (rest < POLL_MIN_NS ? POLL_MIN_NS : rest);
}

/* ---- expiry ---- */

static void add_overrun(struct timer *t, uint64_t n)
{
	t->overrun = n > OVERRUN_MAX - t->overrun ? OVERRUN_MAX : t->overrun + (uint32_t)n;
}

static void fire(struct timer *t, uint64_t missed)
{
	struct sig_signal_info info = {.signal = (int32_t)t->signal, .code = CODE_KERNEL};
	if (t->id < 0) {
		generate(t->process, 0, &info, 0);
		return;
	}
	add_overrun(t, missed + (t->queued ? 1 : 0));
	if (t->notify == NOTIFY_NONE || t->queued)
		return;
	info.code = CODE_TIMER;
	info.timer = t->id;
	info.value = t->value;
	uint32_t tid = t->notify == NOTIFY_THREAD ? t->tid : 0;
	uint32_t before = t->process->queued;
	if (generate(t->process, tid, &info, t->id + 1) == 0 && t->process->queued > before)
		t->queued = true;
}

static void expire(struct timer *t, uint64_t now)
{
	uint64_t missed = 0;
	disarm(t);
	if (t->interval != 0) {
		missed = (now - t->expires) / t->interval;
		t->expires += (missed + 1) * t->interval;
		set_due(t, now);
		arm(t);
	} else {
		t->expires = 0;
	}
	fire(t, missed);
}

/* Those that are left are due: the next transaction comes at once. */
void timers_run(void)
{
	uint64_t start = server_now();
	for (uint32_t i = 0; i < EXPIRIES_MAX && root->armed && root->armed->due <= start; i++) {
		struct timer *t = root->armed;
		uint64_t now = clock_now(t);
		if (now >= t->expires) {
			expire(t, now);
		} else {
			set_due(t, now);
			arm(t);
		}
	}
	wake_up_for_first();
}

/* ---- setting ---- */

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - 1 - b ? UINT64_MAX - 1 : a + b;
}

/* `now`: on its clock; counts if it is armed. */
static void read_timer(const struct timer *t, uint64_t now, struct sig_interval *value)
{
	memset(value, 0, sizeof(*value));
	if (!t->armed)
		return;
	/* Due, but not looked at yet: still armed, so not zero. */
	value->value_ns = t->expires > now ? t->expires - now : 1;
	value->interval_ns = t->interval;
}

/* expires: on the timer's clock; 0 disarms. */
static void set_timer(struct timer *t, uint64_t expires, uint64_t interval)
{
	disarm(t);
	t->expires = expires;
	t->interval = interval;
	if (expires != 0) {
		set_due(t, clock_now(t));
		arm(t);
	}
	wake_up_for_first();
}

int sig_serve_interval_timer(struct server_call *call, struct sig_right *right, uint32_t which, uint8_t set,
                             const struct sig_interval *value, struct sig_interval *previous)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return EINVAL;
	if (which > 2)
		return EINVAL;
	struct timer *t = &p->interval[which];
	read_timer(t, t->armed ? clock_now(t) : 0, previous);
	if (!set)
		return 0;
	uint64_t expires = value->value_ns ? add_saturated(clock_now(t), value->value_ns) : 0;
	set_timer(t, expires, value->interval_ns);
	return 0;
}

/* ---- POSIX timers ---- */

static struct timer *timer_by_id(struct process *p, uint32_t id)
{
	struct timer *t = p->timers;
	while (t && (uint32_t)t->id != id)
		t = t->next;
	return t;
}

static int clock_of(uint32_t number, struct timer *t)
{
	switch (number) {
	case CLOCK_REALTIME:
		t->realtime = true;
		/* fall through */
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		t->clock = TIMER_MONOTONIC;
		return 0;
	case CLOCK_PROCESS_CPUTIME:
		t->clock = TIMER_CPU;
		return 0;
	default:
		return EINVAL;
	}
}

static uint32_t count_timers(const struct process *p)
{
	uint32_t count = 0;
	for (const struct timer *t = p->timers; t; t = t->next)
		count++;
	return count;
}

int sig_serve_timer_create(struct server_call *call, struct sig_right *right, uint32_t clock, uint32_t notify,
                           uint32_t signal, uint32_t tid, uint64_t value, uint32_t *timer)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	struct timer wanted = {.process = p, .notify = (uint8_t)notify, .signal = signal, .tid = tid, .value = value};
	if (!p || clock_of(clock, &wanted) != 0)
		return EINVAL;
	if (notify != NOTIFY_SIGNAL && notify != NOTIFY_NONE && notify != NOTIFY_THREAD)
		return EINVAL;
	if (notify != NOTIFY_NONE && (signal == 0 || signal > SIGNALS))
		return EINVAL;
	if (notify == NOTIFY_THREAD && tid != p->session->pid && thread_slot(p, tid) < 0)
		return EINVAL;
	if (count_timers(p) >= TIMERS_MAX)
		return EAGAIN;
	struct timer *t = keep_allocate(sizeof(*t));
	if (!t)
		return EAGAIN;
	*t = wanted;
	while (timer_by_id(p, (uint32_t)p->next_timer))
		p->next_timer = (p->next_timer + 1) & 0x7ffffff;
	t->id = p->next_timer;
	p->next_timer = (p->next_timer + 1) & 0x7ffffff;
	t->next = p->timers;
	p->timers = t;
	*timer = (uint32_t)t->id;
	return 0;
}

/* An absolute time on the timer's clock. What lies in the past has expired: now. */
static uint64_t absolute(struct timer *t, uint64_t value)
{
	uint64_t now = clock_now(t);
	if (!t->realtime)
		return value;
	int64_t offset = server_realtime() - (int64_t)now;
	return (int64_t)value > offset ? value - (uint64_t)offset : 1;
}

int sig_serve_timer_set(struct server_call *call, struct sig_right *right, uint32_t timer, uint32_t flags,
                        const struct sig_interval *value, struct sig_interval *previous)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	struct timer *t = p ? timer_by_id(p, timer) : NULL;
	if (!t || flags > TIMER_ABSOLUTE || value->value_ns > INT64_MAX)
		return EINVAL;
	read_timer(t, t->armed ? clock_now(t) : 0, previous);
	uint64_t expires = 0;
	if (value->value_ns && (flags & TIMER_ABSOLUTE))
		expires = absolute(t, value->value_ns);
	else if (value->value_ns)
		expires = add_saturated(clock_now(t), value->value_ns);
	t->overrun = 0;
	set_timer(t, expires, value->interval_ns);
	return 0;
}

int sig_serve_timer_get(struct server_call *call, struct sig_right *right, uint32_t timer, struct sig_interval *value,
                        uint32_t *overrun)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	const struct timer *t = p ? timer_by_id(p, timer) : NULL;
	if (!t)
		return EINVAL;
	read_timer(t, t->armed ? clock_look(t) : 0, value);
	*overrun = t->last_overrun;
	return 0;
}

/* Takes it off the process and frees it; its queued signal stays, as on Linux, without a timer behind it. */
static void delete (struct process *p, struct timer *t)
{
	struct timer **link = &p->timers;
	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	disarm(t);
	keep_free(t);
}

int sig_serve_timer_delete(struct server_call *call, struct sig_right *right, uint32_t timer)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	struct timer *t = p ? timer_by_id(p, timer) : NULL;
	if (!t)
		return EINVAL;
	delete (p, t);
	wake_up_for_first();
	return 0;
}

void timer_taken(struct process *p, int32_t id, struct sig_signal_info *info)
{
	struct timer *t = timer_by_id(p, (uint32_t)id);
	if (!t)
		return;
	t->queued = false;
	t->last_overrun = t->overrun;
	t->overrun = 0;
	info->overrun = (int32_t)t->last_overrun;
}

/* The new task's CPU clocks begin at 0: what was left is left. */
static void restart_cpu_timer(struct timer *t, uint64_t seen)
{
	if (t->armed && t->clock != TIMER_MONOTONIC)
		t->expires = t->expires > seen ? t->expires - seen : 1;
}

void timers_exec(struct process *p)
{
	while (p->timers)
		delete (p, p->timers);
	restart_cpu_timer(&p->interval[1], p->cpu_user);
	restart_cpu_timer(&p->interval[2], p->cpu_user + p->cpu_system);
	p->cpu_user = p->cpu_system = 0;
	wake_up_for_first();
}

void timers_free(struct process *p)
{
	while (p->timers)
		delete (p, p->timers);
	for (uint32_t i = 0; i < 3; i++)
		disarm(&p->interval[i]);
	wake_up_for_first();
}
