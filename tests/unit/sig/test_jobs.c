/*
 * SIGCHLD, stops, orphaned groups, background access, and what tty asks.
 */
#include "fixture.h"

TestSuite(child, .init = fixture_begin);
TestSuite(jobs, .init = fixture_begin);

enum { HUP = 1, INT = 2, TERM = 15, CHLD = 17, CONT = 18, STOP = 19, TSTP = 20, TTIN = 21, TTOU = 22 };

Test(child, death)
{
	struct sig_signal_info info;
	change_full(&(struct proc_change){.principal = principal_of(20),
	                                  .pid = 20,
	                                  .parent = 10,
	                                  .group = 20,
	                                  .session = 10,
	                                  .uid = 1000,
	                                  .status = 3 << 8,
	                                  .exit_signal = CHLD,
	                                  .kind = PROC_CHANGE_KIND_DEATH,
	                                  .user_ns = 50000000,
	                                  .system_ns = 20000000});
	cr_expect_eq(take(10, ALL, &info), CHLD);
	cr_expect_eq(info.code, 1);
	cr_expect_eq(info.status, 3);
	cr_expect_eq(info.pid, 20);
	cr_expect_eq(info.uid, 1000);
	cr_expect_eq(info.user_ticks, 5);
	cr_expect_eq(info.system_ticks, 2);
}

Test(child, killed_and_dumped)
{
	struct sig_signal_info info;
	birth(21, 10, 20, 10, 1000);
	change(20, PROC_CHANGE_KIND_DEATH, 15);
	cr_expect_eq(take(10, ALL, &info), CHLD);
	cr_expect(info.code == 2 && info.status == 15);
	change(21, PROC_CHANGE_KIND_DEATH, 11 | 0x80);
	cr_expect_eq(take(10, ALL, &info), CHLD);
	cr_expect(info.code == 3 && info.status == 11);
}

Test(child, other_exit_signals)
{
	birth(21, 10, 20, 10, 1000);
	birth(22, 10, 20, 10, 1000);
	change_full(&(struct proc_change){.principal = principal_of(21),
	                                  .pid = 21,
	                                  .parent = 10,
	                                  .group = 20,
	                                  .session = 10,
	                                  .exit_signal = 0,
	                                  .kind = PROC_CHANGE_KIND_DEATH});
	cr_expect_eq(take(10, ALL, NULL), 0);
	change_full(&(struct proc_change){.principal = principal_of(22),
	                                  .pid = 22,
	                                  .parent = 10,
	                                  .group = 20,
	                                  .session = 10,
	                                  .exit_signal = 12,
	                                  .kind = PROC_CHANGE_KIND_DEATH});
	cr_expect_eq(take(10, ALL, NULL), 12);
}

Test(child, stop_and_continue)
{
	struct sig_signal_info info;
	change(20, PROC_CHANGE_KIND_STOPPED, TSTP << 8 | 0x7f);
	cr_expect_eq(take(10, ALL, &info), CHLD);
	cr_expect(info.code == 5 && info.status == TSTP);
	change(20, PROC_CHANGE_KIND_CONTINUED, 0xffff);
	cr_expect_eq(take(10, ALL, &info), CHLD);
	cr_expect(info.code == 6 && info.status == CONT);
}

Test(child, no_child_stop)
{
	page(10)->flags = SIGNAL_PAGE_NO_CHILD_STOP;
	change(20, PROC_CHANGE_KIND_STOPPED, STOP << 8 | 0x7f);
	cr_expect_eq(take(10, ALL, NULL), 0);
	change(20, PROC_CHANGE_KIND_DEATH, 0);
	cr_expect_eq(take(10, ALL, NULL), CHLD);
}

Test(child, ignored)
{
	page(10)->ignored = SIGNAL_BIT(CHLD);
	change(20, PROC_CHANGE_KIND_DEATH, 0);
	cr_expect_eq(take(10, ALL, NULL), 0);
	cr_expect_eq(asked.interrupts, 0);
}

Test(child, parent_death_signal)
{
	change_full(&(struct proc_change){.principal = principal_of(20),
	                                  .pid = 20,
	                                  .parent = 1,
	                                  .group = 20,
	                                  .session = 10,
	                                  .uid = 1000,
	                                  .euid = 1000,
	                                  .suid = 1000,
	                                  .exit_signal = TERM,
	                                  .kind = PROC_CHANGE_KIND_REPARENT});
	cr_expect_eq(take(20, ALL, NULL), TERM);
}

/* The shell ends: 20 goes to pid 1, its group is orphaned. */
static void shell_ends(void)
{
	change_full(&(struct proc_change){.principal = principal_of(20),
	                                  .pid = 20,
	                                  .parent = 1,
	                                  .group = 20,
	                                  .session = 10,
	                                  .uid = 1000,
	                                  .euid = 1000,
	                                  .suid = 1000,
	                                  .kind = PROC_CHANGE_KIND_REPARENT});
	change(10, PROC_CHANGE_KIND_DEATH, 0);
}

Test(jobs, an_orphaned_group_with_a_stopped_member_is_hung_up)
{
	change(20, PROC_CHANGE_KIND_STOPPED, TSTP << 8 | 0x7f);
	page(20)->thread[0].blocked = ALL;
	shell_ends();
	cr_expect(is_pending(20, HUP) && is_pending(20, CONT));
	cr_expect_eq(asked.resumed, 20);
}

Test(jobs, an_orphaned_group_that_runs_is_left_alone)
{
	page(20)->thread[0].blocked = ALL;
	shell_ends();
	cr_expect_eq(page(20)->pending, 0);
}

Test(jobs, the_last_tie_may_be_a_member)
{
	/* 21 ties group 20 (parent 10 outside); 22, stopped, has its parent within. */
	birth(22, 20, 20, 10, 1000);
	attach(22);
	page(22)->thread[0].blocked = ALL;
	change(22, PROC_CHANGE_KIND_STOPPED, TSTP << 8 | 0x7f);
	change_full(&(struct proc_change){.principal = principal_of(22),
	                                  .pid = 22,
	                                  .parent = 1,
	                                  .group = 20,
	                                  .session = 10,
	                                  .uid = 1000,
	                                  .kind = PROC_CHANGE_KIND_REPARENT});
	cr_expect(!is_pending(22, HUP), "20 still ties the group");
	change(20, PROC_CHANGE_KIND_DEATH, 0);
	cr_expect(is_pending(22, HUP));
}

Test(jobs, default_stop)
{
	as(20);
	cr_expect_eq(sig_stop(process_right, TSTP), 0);
	cr_expect_eq(asked.stopped, 20);
	cr_expect_eq(asked.stop_signal, TSTP);
	cr_expect_eq(sig_stop(process_right, TERM), EINVAL);
	cr_expect_eq(sig_stop(process_right, 0), EINVAL);
	cr_expect_eq(sig_stop(process_right, 70), EINVAL);
}

Test(jobs, orphans_do_not_stop_by_themselves)
{
	shell_ends();
	as(20);
	cr_expect_eq(sig_stop(process_right, TTIN), 0);
	cr_expect_eq(asked.stops, 0);
	cr_expect_eq(sig_stop(process_right, STOP), 0);
	cr_expect_eq(asked.stops, 1);
}

Test(jobs, a_continuation_in_between_wins)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, CONT);
	as(20);
	cr_expect_eq(sig_stop(process_right, TSTP), 0);
	cr_expect_eq(asked.stops, 0);
}

Test(jobs, background)
{
	cr_expect_eq(sig_background(process_right, principal_of(20), TTIN), EACCES);
	cr_expect_eq(sig_background(server_right, principal_of(20), TTIN), EINTR);
	cr_expect(is_pending(20, TTIN));
	cr_expect_eq(sig_background(server_right, 12345, TTIN), ESRCH);
	cr_expect_eq(sig_background(server_right, principal_of(20), TERM), ESRCH);
	page(20)->ignored = SIGNAL_BIT(TTOU);
	cr_expect_eq(sig_background(server_right, principal_of(20), TTOU), 0, "goes on");
	page(20)->thread[0].blocked = SIGNAL_BIT(TTIN);
	cr_expect_eq(sig_background(server_right, principal_of(20), TTIN), EIO);
	page(20)->thread[0].blocked = 0;
	shell_ends();
	cr_expect_eq(sig_background(server_right, principal_of(20), TTIN), EIO, "orphaned");
}

Test(jobs, signals_of_the_terminal)
{
	birth(21, 20, 20, 10, 1000);
	attach(21);
	cr_expect_eq(sig_signal_group(process_right, 20, 10, INT, 0x80), EACCES);
	cr_expect_eq(sig_signal_group(server_right, 20, 10, INT, 0x80), 0);
	cr_expect(is_pending(20, INT) && is_pending(21, INT));
	cr_expect_eq(sig_signal_group(server_right, 20, 99, INT, 0x80), ESRCH, "another session's group");
	cr_expect_eq(sig_signal_group(server_right, 99, 0, INT, 0x80), ESRCH);
	struct sig_signal_info info = {.signal = HUP, .code = 0x80};
	cr_expect_eq(sig_signal_process(server_right, 10, &info), 0);
	cr_expect(is_pending(10, HUP));
	cr_expect_eq(sig_signal_process(server_right, 99, &info), ESRCH);
	cr_expect_eq(sig_signal_process(process_right, 10, &info), EACCES);
}

Test(jobs, unknown_badges_are_no_objects)
{
	cr_expect_eq(sig_kill(loopback_connect(NAME_SERVICE, UINT64_C(2) << 56), 20, 0), EBADF);
}
