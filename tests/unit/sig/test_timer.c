/*
 * Interval timers and POSIX timers. Time starts at 1 s.
 */
#include "fixture.h"

TestSuite(timers, .init = fixture_begin);

#define S UINT64_C(1000000000)
enum { ALRM = 14, VTALRM = 26, PROF = 27, RT = 34 };

static struct sig_interval interval(uint32_t which, uint64_t value, uint64_t repeat)
{
	struct sig_interval set = {value, repeat}, previous;
	cr_assert_eq(sig_interval_timer(process_right, which, 1, &set, &previous), 0);
	return previous;
}

static struct sig_interval read_interval(uint32_t which)
{
	struct sig_interval none = {0, 0}, now;
	cr_assert_eq(sig_interval_timer(process_right, which, 0, &none, &now), 0);
	return now;
}

Test(timers, alarm)
{
	struct sig_signal_info info;
	interval(0, 2 * S, 0);
	cr_expect_eq(host_deadline(), 3 * S);
	cr_expect_eq(read_interval(0).value_ns, 2 * S);
	at(3 * S - 1);
	cr_expect(!is_pending(10, ALRM));
	at(3 * S);
	cr_expect(is_pending(10, ALRM));
	cr_expect_eq(take(10, ALL, &info), ALRM);
	cr_expect_eq(info.code, 0x80);
	cr_expect_eq(read_interval(0).value_ns, 0);
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
}

Test(timers, periodic_without_drift)
{
	interval(0, S, S / 2);
	at(2 * S);
	cr_expect_eq(take(10, ALL, NULL), ALRM);
	cr_expect_eq(host_deadline(), 2 * S + S / 2);
	at(10 * S + 1); /* many missed: one signal */
	cr_expect_eq(take(10, ALL, NULL), ALRM);
	cr_expect_eq(take(10, ALL, NULL), 0);
	cr_expect_eq(host_deadline(), 10 * S + S / 2);
	struct sig_interval old = interval(0, 0, 0);
	cr_expect_eq(old.interval_ns, S / 2);
	cr_expect_eq(old.value_ns, S / 2 - 1);
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
}

Test(timers, setting_again_replaces)
{
	interval(0, 5 * S, 0);
	struct sig_interval old = interval(0, 2 * S, 0);
	cr_expect_eq(old.value_ns, 5 * S);
	at(3 * S);
	cr_expect_eq(take(10, ALL, NULL), ALRM);
	at(7 * S);
	cr_expect_eq(take(10, ALL, NULL), 0);
}

Test(timers, virtual_and_profile)
{
	interval(1, 3 * S, 0);
	interval(2, 3 * S, 0);
	answers.user_ns = 2 * S;
	answers.system_ns = S;
	at(5 * S);
	cr_expect(!is_pending(10, VTALRM));
	cr_expect(is_pending(10, PROF));
	answers.user_ns = 3 * S;
	at(8 * S);
	cr_expect(is_pending(10, VTALRM));
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
}

Test(timers, cpu_time_is_not_polled_all_the_time)
{
	interval(2, 3 * S, 0);
	cr_expect_eq(host_deadline(), 4 * S);
	at(4 * S); /* used nothing */
	cr_expect_eq(host_deadline(), 7 * S);
	answers.user_ns = 3 * S - 1000;
	at(7 * S);
	cr_expect_eq(host_deadline(), 7 * S + 1000000);
}

Test(timers, bad_kind)
{
	struct sig_interval v = {0, 0};
	cr_expect_eq(sig_interval_timer(process_right, 3, 1, &v, &v), EINVAL);
}

Test(timers, interval_timers_survive_exec_and_not_fork)
{
	interval(0, 2 * S, 0);
	birth(30, 10, 10, 10, 1000);
	attach(30);
	execed(10);
	attach(10);
	at(3 * S);
	cr_expect(is_pending(10, ALRM));
	cr_expect(!is_pending(30, ALRM));
}

Test(timers, die_with_the_process)
{
	as(20);
	interval(0, 2 * S, 0);
	uint32_t id;
	cr_assert_eq(sig_timer_create(process_right, 1, 0, RT, 0, 7, &id), 0);
	struct sig_interval v = {S, S}, old;
	cr_assert_eq(sig_timer_set(process_right, id, 0, &v, &old), 0);
	page(10)->ignored = SIGNAL_BIT(17);
	change(20, PROC_CHANGE_KIND_DEATH, 0);
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
	cr_expect_null(root->armed);
}

static uint32_t create(uint32_t clock, uint32_t notify, uint32_t signal)
{
	uint32_t id = 12345;
	cr_assert_eq(sig_timer_create(process_right, clock, notify, signal, 10, 0xabc, &id), 0);
	return id;
}

static void set(uint32_t id, uint32_t flags, uint64_t value, uint64_t repeat)
{
	struct sig_interval v = {value, repeat}, old;
	cr_assert_eq(sig_timer_set(process_right, id, flags, &v, &old), 0);
}

Test(timers, posix_timer)
{
	struct sig_signal_info info;
	uint32_t id = create(1, 0, RT);
	set(id, 0, 2 * S, 0);
	at(3 * S);
	cr_expect_eq(take(10, ALL, &info), RT);
	cr_expect_eq(info.code, -2);
	cr_expect_eq(info.timer, (int32_t)id);
	cr_expect_eq(info.value, 0xabc);
	cr_expect_eq(info.overrun, 0);
}

Test(timers, overrun)
{
	struct sig_signal_info info;
	struct sig_interval now;
	uint32_t id = create(1, 0, RT), overrun;
	page(10)->thread[0].blocked = ALL;
	set(id, 0, S, S);
	at(2 * S);
	at(3 * S);
	at(5 * S + 1); /* 4 expirations in all, one signal */
	cr_expect_eq(take(10, ALL, &info), RT);
	cr_expect_eq(info.overrun, 3);
	cr_expect_eq(take(10, ALL, NULL), 0);
	as(10);
	cr_assert_eq(sig_timer_get(process_right, id, &now, &overrun), 0);
	cr_expect_eq(overrun, 3);
	cr_expect_eq(now.interval_ns, S);
	cr_expect_eq(now.value_ns, S - 1);
	at(6 * S);
	cr_expect_eq(take(10, ALL, &info), RT);
	cr_expect_eq(info.overrun, 0);
}

Test(timers, absolute)
{
	uint32_t id = create(1, 0, RT);
	set(id, 1, 4 * S, 0);
	cr_expect_eq(host_deadline(), 4 * S);
	set(id, 1, S / 2, 0); /* past */
	at(1 * S + 1);
	cr_expect_eq(take(10, ALL, NULL), RT);
	as(10);
	uint32_t wall = create(0, 0, RT);
	set(wall, 1, (uint64_t)server_realtime() + 3 * S, 0);
	cr_expect_eq(host_deadline(), 4 * S + 1);
}

Test(timers, without_a_signal)
{
	struct sig_interval now;
	uint32_t id = create(1, 1, 0), overrun;
	set(id, 0, S, 0);
	at(3 * S);
	cr_expect_eq(take(10, ALL, NULL), 0);
	as(10);
	cr_assert_eq(sig_timer_get(process_right, id, &now, &overrun), 0);
	cr_expect_eq(now.value_ns, 0);
}

Test(timers, for_a_thread)
{
	uint32_t id = create(1, 4, RT);
	set(id, 0, S, 0);
	at(2 * S);
	cr_expect_eq(page(10)->thread[0].pending, SIGNAL_BIT(RT));
	cr_expect_eq(page(10)->pending, 0);
	as(10);
	cr_expect_eq(sig_timer_create(process_right, 1, 4, RT, 999, 0, &id), EINVAL);
}

Test(timers, refusals)
{
	uint32_t id;
	struct sig_interval v = {1, 1}, old;
	cr_expect_eq(sig_timer_create(process_right, 99, 0, RT, 0, 0, &id), EINVAL);
	cr_expect_eq(sig_timer_create(process_right, 1, 3, RT, 0, 0, &id), EINVAL);
	cr_expect_eq(sig_timer_create(process_right, 1, 0, 65, 0, 0, &id), EINVAL);
	cr_expect_eq(sig_timer_create(process_right, 1, 0, 0, 0, 0, &id), EINVAL);
	cr_expect_eq(sig_timer_set(process_right, 7, 0, &v, &old), EINVAL);
	id = create(1, 0, RT);
	cr_expect_eq(sig_timer_set(process_right, id, 2, &v, &old), EINVAL);
	as(20);
	cr_expect_eq(sig_timer_delete(process_right, id), EINVAL, "another's");
	as(10);
	cr_expect_eq(sig_timer_delete(process_right, id), 0);
	cr_expect_eq(sig_timer_delete(process_right, id), EINVAL);
}

Test(timers, a_deleted_timer_is_quiet)
{
	uint32_t id = create(1, 0, RT);
	set(id, 0, S, S);
	cr_assert_eq(sig_timer_delete(process_right, id), 0);
	at(9 * S);
	cr_expect_eq(take(10, ALL, NULL), 0);
	as(10);
	id = create(1, 0, RT);
	page(10)->thread[0].blocked = ALL;
	set(id, 0, S, 0);
	at(11 * S);
	cr_assert_eq(sig_timer_delete(process_right, id), 0);
	cr_expect_eq(take(10, ALL, NULL), RT, "what was queued stays");
}

Test(timers, posix_timers_do_not_survive_exec)
{
	uint32_t id = create(1, 0, RT);
	set(id, 0, S, 0);
	execed(10);
	attach(10);
	at(9 * S);
	cr_expect_eq(take(10, ALL, NULL), 0);
	as(10);
	cr_expect_eq(sig_timer_delete(process_right, id), EINVAL);
}

Test(timers, there_is_a_limit)
{
	uint32_t id;
	for (uint32_t i = 0; i < TIMERS_MAX; i++)
		create(1, 0, RT);
	cr_expect_eq(sig_timer_create(process_right, 1, 0, RT, 0, 0, &id), EAGAIN);
}

Test(timers, many_in_order)
{
	for (uint32_t i = 0; i < 20; i++)
		set(create(1, 0, RT + i), 0, S * (20 - i), 0);
	for (uint32_t i = 0; i < 20; i++) {
		at(S + S * (i + 1));
		cr_expect_eq(take(10, ALL, NULL), (int32_t)(RT + 19 - i));
		as(10);
	}
}

Test(timers, huge_values_do_not_wrap)
{
	interval(0, UINT64_MAX - 1, UINT64_MAX);
	cr_expect_geq(host_deadline(), UINT64_MAX - 1);
	cr_expect_eq(take(10, ALL, NULL), 0);
}
