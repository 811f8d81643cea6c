/*
 * Generation: who may send, who is struck, what queues, what is dropped, and in which order signals are taken.
 */
#include "fixture.h"

TestSuite(send, .init = fixture_begin);
TestSuite(take, .init = fixture_begin);

enum {
	HUP = 1,
	INT = 2,
	QUIT = 3,
	SEGV = 11,
	USR1 = 10,
	USR2 = 12,
	TERM = 15,
	CHLD = 17,
	CONT = 18,
	STOP = 19,
	TSTP = 20,
	TTIN = 21,
	TTOU = 22,
	RT = 34
};

Test(send, posts_and_strikes)
{
	struct sig_signal_info info;
	cr_assert_eq(kill_(20, TERM), 0);
	cr_expect(is_pending(20, TERM));
	cr_expect_eq(asked.interrupts, 1);
	cr_expect_eq(asked.interrupted_pid, 20);
	cr_expect_eq(asked.interrupted_slot, 0);
	cr_expect_eq(take(20, ALL, &info), TERM);
	cr_expect_eq(info.code, 0);
	cr_expect_eq(info.pid, 10);
	cr_expect_eq(info.uid, 1000);
	cr_expect(!is_pending(20, TERM));
	cr_expect_eq(take(20, ALL, NULL), 0);
}

Test(send, signal_0_only_checks)
{
	cr_expect_eq(kill_(20, 0), 0);
	cr_expect_eq(page(20)->pending, 0);
	cr_expect_eq(kill_(99, 0), ESRCH);
	cr_expect_eq(kill_(1, 0), EPERM);
}

Test(send, bad_numbers)
{
	cr_expect_eq(kill_(20, 65), EINVAL);
	cr_expect_eq(kill_(20, 64), 0);
	cr_expect_eq(kill_(INT32_MIN, TERM), ESRCH);
	cr_expect_eq(sig_thread_kill(process_right, 20, 0, TERM), EINVAL);
	cr_expect_eq(sig_thread_kill(process_right, -1, 20, TERM), EINVAL);
	cr_expect_eq(sig_thread_kill(process_right, 20, 20, 65), EINVAL);
}

Test(send, permission_by_uid)
{
	birth(30, 1, 30, 30, 2000);
	attach(30);
	as(10);
	cr_expect_eq(kill_(30, TERM), EPERM);
	answers.capabilities = 1 << 5;
	cr_expect_eq(kill_(30, TERM), 0, "CAP_KILL");
	answers.capabilities = 0;
	/* The target's saved id counts, not its effective one. */
	change_full(&(struct proc_change){.principal = principal_of(30),
	                                  .pid = 30,
	                                  .parent = 1,
	                                  .group = 30,
	                                  .session = 30,
	                                  .uid = 5,
	                                  .euid = 1000,
	                                  .suid = 6,
	                                  .kind = PROC_CHANGE_KIND_CREDENTIALS});
	as(10);
	cr_expect_eq(kill_(30, USR1), EPERM);
	change_full(&(struct proc_change){.principal = principal_of(30),
	                                  .pid = 30,
	                                  .parent = 1,
	                                  .group = 30,
	                                  .session = 30,
	                                  .uid = 5,
	                                  .euid = 5,
	                                  .suid = 1000,
	                                  .kind = PROC_CHANGE_KIND_CREDENTIALS});
	as(10);
	cr_expect_eq(kill_(30, USR1), 0);
}

Test(send, continue_within_the_session)
{
	birth(40, 10, 40, 10, 2000);
	attach(40);
	as(10);
	cr_expect_eq(kill_(40, TERM), EPERM);
	cr_expect_eq(kill_(40, CONT), 0);
	cr_expect_eq(asked.resumed, 40);
}

Test(send, to_a_group)
{
	birth(21, 20, 20, 10, 1000);
	attach(21);
	as(10);
	cr_expect_eq(kill_(-20, INT), 0);
	cr_expect(is_pending(20, INT) && is_pending(21, INT) && !is_pending(10, INT));
	cr_expect_eq(kill_(-99, INT), ESRCH);
	as(20);
	cr_expect_eq(kill_(0, HUP), 0, "own group");
	cr_expect(is_pending(20, HUP) && is_pending(21, HUP) && !is_pending(10, HUP));
}

Test(send, to_a_group_one_success_is_enough)
{
	birth(22, 20, 20, 10, 7);
	attach(22);
	as(10);
	cr_expect_eq(kill_(-20, INT), 0);
	cr_expect(!is_pending(22, INT));
	birth(50, 1, 50, 50, 7);
	cr_expect_eq(kill_(-50, INT), EPERM);
}

Test(send, to_all)
{
	birth(30, 1, 30, 30, 1000);
	attach(30);
	as(10);
	cr_expect_eq(kill_(-1, USR1), 0);
	cr_expect(is_pending(20, USR1) && is_pending(30, USR1));
	cr_expect(!is_pending(10, USR1), "not the caller");
	cr_expect(!is_pending(1, USR1), "not pid 1");
}

Test(send, to_a_zombie_works)
{
	change(20, PROC_CHANGE_KIND_DEATH, 0);
	answers.zombie = 20;
	as(10);
	cr_expect_eq(kill_(20, TERM), 0);
	answers.zombie = 0;
	cr_expect_eq(kill_(20, TERM), ESRCH);
}

Test(send, an_old_image_is_nobody)
{
	uint64_t old = principal_of(10);
	execed(10);
	loopback_set_principal(old);
	cr_expect_eq(kill_(20, TERM), ESRCH);
}

Test(send, ignored_is_dropped)
{
	page(20)->ignored = SIGNAL_BIT(TERM);
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect(!is_pending(20, TERM));
	cr_expect_eq(asked.interrupts, 0);
	page(20)->thread[0].blocked = SIGNAL_BIT(TERM);
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect(is_pending(20, TERM), "blocked: may be caught later");
}

Test(send, blocked_stays_pending)
{
	page(20)->thread[0].blocked = SIGNAL_BIT(TERM);
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect(is_pending(20, TERM));
	cr_expect_eq(asked.interrupts, 0);
}

Test(send, a_waiter_is_struck_though_it_blocks)
{
	page(20)->thread[0].blocked = SIGNAL_BIT(TERM);
	page(20)->thread[0].waiting = SIGNAL_BIT(TERM);
	page(20)->ignored = SIGNAL_BIT(TERM);
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.interrupts, 1);
	cr_expect(is_pending(20, TERM));
}

Test(send, another_thread_takes_what_the_first_blocks)
{
	struct signal_page *p = page(20);
	p->slots = 4;
	p->thread[0].blocked = SIGNAL_BIT(TERM);
	p->thread[2].tid = 25;
	p->thread[2].blocked = SIGNAL_BIT(TERM);
	p->thread[3].tid = 26;
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.interrupted_slot, 3);
	cr_expect_eq(kill_(20, INT), 0);
	cr_expect_eq(asked.interrupted_slot, 0, "the first thread is preferred");
}

/* ---- what changes between the handler's look and the commit's ---- */

static void block_first(void)
{
	page(20)->thread[0].blocked = SIGNAL_BIT(TERM);
}

static void unblock_first(void)
{
	page(20)->thread[0].blocked = 0;
}

static void wait_first(void)
{
	page(20)->thread[0].waiting = SIGNAL_BIT(TERM);
}

static void thread_ends(void)
{
	page(20)->thread[0].tid = 0;
}

static void thread_begins(void)
{
	page(20)->thread[1].tid = 25;
	page(20)->slots = 2;
}

static void thread_begins_in_old_slot(void)
{
	page(20)->thread[1].tid = 25;
}

Test(send, who_blocks_it_before_the_commit_is_not_struck)
{
	before_commit = block_first;
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.interrupts, 0);
	cr_expect_eq(asked.looks, 1);
	look_again();
	cr_expect_eq(asked.interrupts, 0);
	cr_expect_eq(asked.looks, 1, "it blocks it: who unblocks it will look");
	cr_expect(is_pending(20, TERM));
}

Test(send, who_unblocks_it_before_the_commit_is_struck)
{
	void (*const changes[])(void) = {unblock_first, wait_first};
	for (unsigned i = 0; i < 2; i++) {
		asked.interrupts = asked.looks = 0;
		page(20)->thread[0].waiting = 0;
		block_first();
		before_commit = changes[i];
		cr_expect_eq(kill_(20, TERM), 0);
		cr_expect_eq(asked.interrupts, 0);
		cr_expect_eq(asked.looks, 1);
		look_again();
		cr_expect_eq(asked.interrupts, 1);
		cr_expect_eq(asked.looks, 1);
		cr_expect_eq(take(20, ALL, NULL), TERM);
		look_again();
		cr_expect_eq(asked.interrupts, 1, "nothing is left to be struck for");
		as(10);
	}
}

Test(send, another_one_is_struck_if_the_thread_ends_before_the_commit)
{
	page(20)->slots = 3;
	page(20)->thread[2].tid = 26;
	before_commit = thread_ends;
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.interrupts, 0);
	look_again();
	cr_expect_eq(asked.interrupts, 1);
	cr_expect_eq(asked.interrupted_slot, 2);
}

Test(send, a_thread_that_begins_before_the_commit_is_struck)
{
	block_first();
	before_commit = thread_begins;
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.looks, 1);
	look_again();
	cr_expect_eq(asked.interrupted_slot, 1);
	cr_expect_eq(take(20, ALL, NULL), TERM);
	/* In a slot that was used before. */
	page(20)->thread[1].tid = 0;
	before_commit = thread_begins_in_old_slot;
	as(10);
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.looks, 2);
	look_again();
	cr_expect_eq(asked.interrupts, 2);
	cr_expect_eq(asked.interrupted_slot, 1);
}

Test(send, too_many_threads_to_check_are_looked_at_again)
{
	struct signal_page *p = page(20);
	p->slots = 100;
	for (uint32_t i = 0; i < 100; i++) {
		p->thread[i].tid = 20 + i;
		p->thread[i].blocked = SIGNAL_BIT(TERM);
	}
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect_eq(asked.looks, 1);
	look_again();
	cr_expect_eq(asked.interrupts, 0);
	cr_expect_eq(asked.looks, 1);
	p->thread[98].blocked = 0;
	cr_expect_eq(kill_(20, TERM), 0, "pending already");
	cr_expect_eq(asked.interrupted_slot, 98);
}

Test(send, a_thread_alone_is_checked)
{
	page(20)->slots = 2;
	page(20)->thread[1].tid = 25;
	block_first();
	before_commit = unblock_first;
	cr_expect_eq(sig_thread_kill(process_right, 20, 20, TERM), 0);
	cr_expect_eq(asked.looks, 1);
	look_again();
	cr_expect_eq(asked.interrupts, 1);
	cr_expect_eq(asked.interrupted_slot, 0);
}

/* Two changes of one word in one transaction: the last one counts, whatever the page says meanwhile. */
Test(send, words_are_posted_whole)
{
	page(20)->thread[0].blocked = ALL;
	sig_thread_kill(process_right, 20, 20, TSTP);
	cr_expect_eq(page(20)->thread[0].pending, SIGNAL_BIT(TSTP));
	sig_thread_kill(process_right, 20, 20, CONT);
	cr_expect_eq(page(20)->thread[0].pending, SIGNAL_BIT(CONT));
	page(20)->thread[0].pending = ALL; /* scribbled over */
	page(20)->thread[5].pending = ALL;
	cr_expect_eq(take(20, SIGNAL_BIT(TERM), NULL), 0);
	cr_expect_eq(page(20)->thread[0].pending, SIGNAL_BIT(CONT));
}

Test(send, slots_beyond_the_table_do_no_harm)
{
	page(20)->slots = UINT64_MAX;
	page(20)->thread[0].blocked = ALL;
	cr_expect_eq(kill_(20, TERM), 0);
	cr_expect(is_pending(20, TERM));
	page(20)->slots = 0;
	cr_expect_eq(kill_(20, INT), 0);
	cr_expect(is_pending(20, INT));
}

Test(send, to_a_thread)
{
	struct sig_signal_info info;
	struct signal_page *p = page(20);
	p->slots = 2;
	p->thread[1].tid = 25;
	cr_assert_eq(sig_thread_kill(process_right, 20, 25, USR1), 0);
	cr_expect_eq(p->pending, 0);
	cr_expect_eq(p->thread[1].pending, SIGNAL_BIT(USR1));
	cr_expect_eq(asked.interrupted_slot, 1);
	cr_expect_eq(take(20, ALL, NULL), 0, "not for the first thread");
	as(20);
	cr_assert_eq(sig_take(process_right, 1, ALL, &info), 0);
	cr_expect_eq(info.code, -6);
	cr_expect_eq(p->thread[1].pending, 0);
	as(10);
	cr_expect_eq(sig_thread_kill(process_right, 0, 25, USR1), 0, "tkill");
	cr_expect_eq(sig_thread_kill(process_right, 10, 25, USR1), ESRCH, "another process's");
	cr_expect_eq(sig_thread_kill(process_right, 20, 26, USR1), ESRCH);
	cr_expect_eq(sig_thread_kill(process_right, 0, 26, 0), ESRCH);
}

Test(send, kill_goes_through_proc)
{
	page(20)->thread[0].blocked = ALL;
	page(20)->ignored = ALL;
	cr_expect_eq(kill_(20, 9), 0);
	cr_expect_eq(asked.killed, 20);
	cr_expect_eq(asked.kill_status, 9);
	cr_expect_eq(page(20)->pending, 0);
}

Test(send, stop_goes_through_proc)
{
	cr_expect_eq(kill_(20, STOP), 0);
	cr_expect_eq(asked.stopped, 20);
	cr_expect_eq(asked.stop_signal, STOP);
}

Test(send, stop_and_continue_clear_each_other)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, TSTP);
	kill_(20, TTIN);
	cr_expect(is_pending(20, TSTP) && is_pending(20, TTIN));
	kill_(20, CONT);
	cr_expect(!is_pending(20, TSTP) && !is_pending(20, TTIN) && is_pending(20, CONT));
	cr_expect_eq(asked.resumes, 1);
	kill_(20, TTOU);
	cr_expect(!is_pending(20, CONT) && is_pending(20, TTOU));
	kill_(20, CONT);
	kill_(20, STOP);
	cr_expect(!is_pending(20, CONT));
}

Test(send, continue_resumes_though_ignored)
{
	page(20)->ignored = SIGNAL_BIT(CONT);
	cr_expect_eq(kill_(20, CONT), 0);
	cr_expect_eq(asked.resumed, 20);
	cr_expect(!is_pending(20, CONT));
}

Test(send, pid_1_is_hard_to_kill)
{
	answers.capabilities = ALL;
	cr_expect_eq(kill_(1, 9), 0);
	cr_expect_eq(kill_(1, STOP), 0);
	cr_expect_eq(kill_(1, TERM), 0);
	cr_expect_eq(asked.kills + asked.stops, 0);
	cr_expect_eq(page(1)->pending, 0);
	page(1)->caught = SIGNAL_BIT(TERM);
	cr_expect_eq(kill_(1, TERM), 0);
	cr_expect(is_pending(1, TERM));
	page(1)->thread[0].blocked = SIGNAL_BIT(USR1);
	cr_expect_eq(kill_(1, USR1), 0);
	cr_expect(is_pending(1, USR1), "it may wait for it");
}

Test(send, before_attach_it_is_kept)
{
	birth(30, 10, 30, 10, 1000);
	as(10);
	cr_expect_eq(kill_(30, TERM), 0);
	cr_expect_eq(asked.interrupts, 0);
	attach(30);
	cr_expect(is_pending(30, TERM));
	cr_expect_eq(take(30, ALL, NULL), TERM);
}

Test(send, pending_signals_survive_exec)
{
	page(20)->thread[0].blocked = ALL;
	page(20)->slots = 2;
	page(20)->thread[1].tid = 25;
	kill_(20, TERM);
	sig_thread_kill(process_right, 20, 20, USR1);
	sig_thread_kill(process_right, 20, 25, USR2);
	execed(20);
	cr_expect_null(process_by_pid(20)->pages.page);
	as(10);
	kill_(20, HUP); /* between exec and attach */
	attach(20);
	cr_expect(is_pending(20, TERM) && is_pending(20, HUP));
	cr_expect_eq(page(20)->thread[0].pending, SIGNAL_BIT(USR1));
	cr_expect_eq(take(20, SIGNAL_BIT(USR2), NULL), 0, "its thread is gone");
	cr_expect_eq(take(20, SIGNAL_BIT(USR1), NULL), USR1);
}

Test(send, the_right_to_interrupt_is_renewed)
{
	kill_(20, TERM);
	port_name_t first = process_by_pid(20)->task;
	kill_(20, HUP);
	cr_expect_eq(process_by_pid(20)->task, first, "kept");
	execed(20);
	cr_expect_eq(process_by_pid(20)->task, PORT_NULL);
	attach(20);
	as(10);
	kill_(20, QUIT);
	cr_expect_neq(process_by_pid(20)->task, PORT_NULL);
	cr_expect_eq(proc_fake.calls[PROC_ORDINAL_INTERRUPT_RIGHT], 2);
}

Test(send, queue_with_a_value)
{
	struct sig_signal_info info = {.signal = RT, .code = -1, .pid = 10, .uid = 1000, .value = 0x1234567890};
	cr_assert_eq(sig_queue(process_right, 20, 0, &info), 0);
	memset(&info, 0, sizeof(info));
	cr_expect_eq(take(20, ALL, &info), RT);
	cr_expect_eq(info.value, 0x1234567890);
	cr_expect_eq(info.code, -1);
}

Test(send, queue_cannot_forge)
{
	struct sig_signal_info info = {.signal = USR1, .code = 0};
	cr_expect_eq(sig_queue(process_right, 20, 0, &info), EPERM, "kill of somebody else");
	info.code = 0x80;
	cr_expect_eq(sig_queue(process_right, 20, 0, &info), EPERM, "the kernel");
	info.code = -6;
	cr_expect_eq(sig_queue(process_right, 20, 0, &info), EPERM);
	cr_expect_eq(sig_queue(process_right, 10, 0, &info), 0, "to oneself one may");
	info.code = -1;
	cr_expect_eq(sig_queue(process_right, 0, 0, &info), EINVAL);
	info.signal = 65;
	cr_expect_eq(sig_queue(process_right, 20, 0, &info), EINVAL);
	info.signal = -1;
	cr_expect_eq(sig_queue(process_right, 20, 0, &info), EINVAL);
	info.signal = USR1;
	cr_expect_eq(sig_queue(process_right, 1, 0, &info), EPERM);
	cr_expect_eq(sig_queue(process_right, 20, 99, &info), ESRCH);
}

/* ---- taking ---- */

Test(take, standard_signals_coalesce_and_the_first_stays)
{
	struct sig_signal_info info;
	page(20)->thread[0].blocked = ALL;
	struct sig_signal_info one = {.signal = USR1, .code = -1, .value = 1},
	                       two = {.signal = USR1, .code = -1, .value = 2};
	cr_assert_eq(sig_queue(process_right, 20, 0, &one), 0);
	cr_assert_eq(sig_queue(process_right, 20, 0, &two), 0);
	cr_expect_eq(take(20, ALL, &info), USR1);
	cr_expect_eq(info.value, 1);
	cr_expect_eq(take(20, ALL, NULL), 0);
}

Test(take, real_time_signals_queue_in_order)
{
	struct sig_signal_info info = {.code = -1};
	page(20)->thread[0].blocked = ALL;
	for (uint64_t i = 0; i < 5; i++) {
		info.signal = i == 2 ? RT + 1 : RT;
		info.value = i;
		cr_assert_eq(sig_queue(process_right, 20, 0, &info), 0);
	}
	uint64_t order[] = {0, 1, 3, 4, 2};
	for (int i = 0; i < 5; i++) {
		cr_assert_neq(take(20, ALL, &info), 0);
		cr_expect_eq(info.value, order[i]);
	}
}

Test(take, the_limit_of_real_time_signals)
{
	answers.limit = 3;
	page(20)->thread[0].blocked = ALL;
	for (int i = 0; i < 3; i++)
		cr_expect_eq(kill_(20, RT), 0);
	cr_expect_eq(kill_(20, RT), EAGAIN);
	cr_expect_eq(kill_(20, TERM), 0, "standard ones are always taken");
	take(20, SIGNAL_BIT(RT), NULL);
	take(20, SIGNAL_BIT(RT), NULL);
	as(10);
	cr_expect_eq(kill_(20, RT), 0);
}

Test(take, lowest_number_first_but_faults_before)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, TERM);
	kill_(20, HUP);
	kill_(20, SEGV);
	kill_(20, RT);
	cr_expect_eq(take(20, ALL, NULL), SEGV);
	cr_expect_eq(take(20, ALL, NULL), HUP);
	cr_expect_eq(take(20, ALL, NULL), TERM);
	cr_expect_eq(take(20, ALL, NULL), RT);
}

Test(take, the_threads_own_come_first)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, HUP);
	sig_thread_kill(process_right, 20, 20, TERM);
	cr_expect_eq(take(20, ALL, NULL), TERM);
	cr_expect_eq(take(20, ALL, NULL), HUP);
}

Test(take, only_what_is_asked_for)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, HUP);
	kill_(20, TERM);
	cr_expect_eq(take(20, SIGNAL_BIT(TERM) | SIGNAL_BIT(USR1), NULL), TERM);
	cr_expect_eq(take(20, SIGNAL_BIT(TERM), NULL), 0);
	cr_expect(is_pending(20, HUP));
}

Test(take, scribbled_words_are_put_right)
{
	page(20)->pending = ALL;
	cr_expect_eq(take(20, ALL, NULL), 0);
	cr_expect_eq(page(20)->pending, 0);
}

Test(take, discard)
{
	page(20)->thread[0].blocked = ALL;
	kill_(20, HUP);
	kill_(20, RT);
	kill_(20, RT);
	kill_(20, TERM);
	sig_thread_kill(process_right, 20, 20, HUP);
	as(20);
	cr_assert_eq(sig_discard(process_right, SIGNAL_BIT(HUP) | SIGNAL_BIT(RT)), 0);
	cr_expect_eq(page(20)->pending, SIGNAL_BIT(TERM));
	cr_expect_eq(page(20)->thread[0].pending, 0);
	cr_expect_eq(take(20, ALL, NULL), TERM);
	cr_expect_eq(take(20, ALL, NULL), 0);
}

Test(take, bad_slots)
{
	struct sig_signal_info info;
	as(20);
	cr_expect_eq(sig_take(process_right, 5000, ALL, &info), EAGAIN);
	cr_expect_eq(sig_take(process_right, UINT32_MAX, ALL, &info), EAGAIN);
}

Test(take, everything_goes_with_the_process)
{
	size_t used = keep_used(), rights = loopback_rights(LOOPBACK_SERVER);
	birth(60, 10, 60, 10, 1000);
	attach(60);
	page(60)->thread[0].blocked = ALL;
	as(10);
	for (uint32_t i = 1; i <= 64; i++) {
		if (i != 9 && i != STOP)
			kill_(60, i);
	}
	page(60)->thread[0].blocked = 0;
	kill_(60, RT);
	page(10)->ignored = SIGNAL_BIT(CHLD);
	change(60, PROC_CHANGE_KIND_DEATH, 0);
	cr_expect_eq(keep_used(), used);
	cr_expect_leq(loopback_rights(LOOPBACK_SERVER), rights + 1, "the fake's last lent right");
}
