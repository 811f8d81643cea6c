/*
 * fork, exit, wait, orphans, vfork, groups and sessions.
 */
#include "fixture.h"

#include <portico/layout.h>

TestSuite(family, .init = fixture_begin);
TestSuite(wait, .init = fixture_begin);
TestSuite(group, .init = fixture_begin);

#define ANY PROC_WAIT_KIND_ALL, 0

Test(family, init_is_pid_1)
{
	struct proc_identity self;
	as(1);
	cr_assert_eq(proc_identity(process_right, &self), 0);
	cr_expect_eq(self.pid, 1);
	cr_expect_eq(self.parent, 0);
	cr_expect_eq(self.cred.euid, 0);
	cr_expect_eq(self.cred.cap_effective, CAPABILITY_ALL);
	cr_expect(task(1)->started);
	cr_expect_str_eq(process(1)->name, "init");
	cr_expect_not_null(fake_session(process_principal(process(1))));
	cr_expect_eq(fake_sessions_live(), 1);
}

Test(family, fork_makes_a_child)
{
	uint32_t pid = spawn(1);
	struct fake_task *t = task(pid);
	struct proc_identity self;
	cr_expect_eq(pid, 2);
	cr_expect_eq(t->duplicate_flags, TASK_DUP_MEMORY | TASK_DUP_RIGHTS);
	cr_expect(t->started);
	cr_expect_eq(t->frame.rip, 0x7ff800001000);
	cr_expect_eq(t->frame.rsp, 0x7ff90000fff0);
	cr_expect_eq(t->frame.fs_base, 0x1234);
	cr_expect_eq(t->frame.rdi, THREAD_AREAS);
	cr_assert_eq(proc_identity(process_right, &self), 0);
	cr_expect_eq(self.pid, 2);
	cr_expect_eq(self.parent, 1);
	struct fake_session *s = fake_session(process_principal(process(pid)));
	cr_assert_not_null(s);
	cr_expect_eq(s->parent, process_principal(process(1)));
}

Test(family, fork_gives_well_known_rights)
{
	uint32_t pid = spawn(1);
	struct fake_task *t = task(pid);
	cr_expect_not_null(fake_task_right(t, NAME_PROC));
	cr_expect_not_null(fake_task_right(t, NAME_SIG));
	cr_expect_not_null(fake_task_right(t, NAME_ROOT_DIR), "inherited");
	cr_expect_not_null(fake_task_right(t, NAME_CWD), "inherited");
	cr_expect_eq(fake_task_right(t, NAME_PROC)->badge, 0);
}

Test(family, fork_in_another_slot)
{
	uint32_t pid;
	as(1);
	cr_assert_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 5, SIGNAL_CHILD, &pid), 0);
	cr_expect_eq(task(pid)->slot, 5);
	cr_expect_eq(task(pid)->endpoint, THREAD_AREAS + 5 * THREAD_AREA_SIZE);
	cr_expect_eq(task(pid)->frame.rdi, THREAD_AREAS + 5 * THREAD_AREA_SIZE);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, THREAD_SLOTS, SIGNAL_CHILD, &pid), EINVAL);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, 65, &pid), EINVAL);
}

Test(family, fork_fails_at_every_step_without_leaving_anything)
{
	size_t before = loopback_rights(LOOPBACK_SERVER), used = keep_used();
	for (unsigned nth = 1;; nth++) {
		uint32_t pid = 0;
		as(1);
		fake_kernel_fail(nth);
		int error = proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &pid);
		fake_kernel_fail(0);
		if (error == 0) {
			cr_expect_gt(nth, 3);
			break;
		}
		cr_expect(error == ENOMEM || error == EAGAIN, "step %u: %d", nth, error);
		cr_expect_eq(loopback_rights(LOOPBACK_SERVER), before, "step %u", nth);
		cr_expect_eq(keep_used(), used, "step %u", nth);
		cr_expect_eq(fake_tasks_alive(), 1);
		cr_expect_eq(fake_sessions_live(), 1);
	}
}

/* A request that was given up was rolled back here, but not in vfs: the same principal is told again. */
Test(family, fork_takes_a_forgotten_session_over)
{
	uint32_t pid = spawn(1);
	struct process *p = process(pid);
	uint32_t expected = root->last_pid + 1;
	fake_vfs.session[fake_vfs.sessions++] =
	        (struct fake_session){.principal = (uint64_t)(root->generations + 1) << 32 | expected, .parent = 77, .live = true};
	uint32_t child = spawn(pid);
	cr_assert_eq(child, expected);
	cr_expect_eq(fake_session(process_principal(process(child)))->parent, process_principal(p));
	cr_expect_eq(fake_sessions_live(), 3);
}

Test(family, nothing_of_a_process_runs_when_vfs_hears_of_its_end)
{
	static const char *const argv[] = {"program", NULL};
	uint32_t exits = spawn(1), killed = spawn(1), execs = spawn(1);
	die(exits, 0);
	cr_assert_eq(proc_kill(server_right, killed, 9), 0);
	cr_assert_eq(exec(execs, "/bin/program", argv, NULL), 0);
	cr_expect_eq(fake_vfs.ended_while_running, 0);
	cr_expect(task(execs)->started && !task(execs)->frozen);
}

Test(family, fork_fails_when_vfs_refuses)
{
	uint32_t pid;
	fake_vfs.session_error = ENOMEM;
	as(1);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &pid), ENOMEM);
	cr_expect_eq(fake_tasks_alive(), 1);
	cr_expect_null(process(1)->children);
}

Test(family, fork_without_keep_is_eagain)
{
	uint32_t pid = 0;
	int error = 0;
	as(1);
	host_limit_keep(0);
	for (int i = 0; i < 5000 && !error; i++)
		error = proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &pid);
	cr_expect(error == EAGAIN || error == ENOMEM);
}

Test(family, an_old_image_is_nobody)
{
	uint32_t pid = spawn(1), group;
	uint64_t old = process_principal(process(pid));
	static const char *const argv[] = {"p", NULL};
	cr_assert_eq(exec(pid, "/bin/program", argv, NULL), 0);
	loopback_set_principal(old);
	cr_expect_eq(proc_new_session(process_right, &group), ESRCH);
	cr_expect_eq(proc_exit(process_right, 0), ESRCH);
}

Test(family, nproc_limit)
{
	uint32_t pid = spawn(1), child;
	become(pid, 1000);
	struct proc_limit three = {3, 3}, previous;
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_NPROC, 1, &three, &previous), 0);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &child), 0);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &child), 0);
	cr_expect_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &child), EAGAIN);
	uint32_t tid;
	cr_expect_eq(proc_thread_begin(process_right, 1, &tid), EAGAIN);
}

Test(family, exit_ends_task_and_session)
{
	uint32_t pid = spawn(1);
	uint64_t principal = process_principal(process(pid));
	die(pid, 7 << 8);
	cr_expect(!fake_task(principal)->alive);
	cr_expect_null(fake_session(principal));
	cr_expect_eq(process(pid)->state, PROCESS_ZOMBIE);
	cr_expect_eq(fake_tasks_alive(), 1);
}

Test(family, orphans_go_to_init)
{
	uint32_t parent = spawn(1), child = spawn(parent), grandchild = spawn(child);
	die(parent, 0);
	cr_expect_eq(process(child)->parent->pid, 1);
	cr_expect_eq(process(grandchild)->parent->pid, child);
}

Test(family, orphans_go_to_the_nearest_subreaper)
{
	uint32_t reaper = spawn(1), parent = spawn(reaper), child = spawn(parent);
	uint64_t result;
	as(reaper);
	cr_assert_eq(proc_control(process_right, 36, 1, &result), 0);
	die(parent, 0);
	cr_expect_eq(process(child)->parent->pid, reaper);
	cr_assert_eq(proc_control(process_right, 37, 0, &result), ESRCH, "the dead do not ask");
	as(reaper);
	cr_assert_eq(proc_control(process_right, 37, 0, &result), 0);
	cr_expect_eq(result, 1);
}

Test(family, orphaned_zombies_wake_init)
{
	struct proc_wait_result r;
	uint32_t parent = spawn(1), child = spawn(parent);
	die(child, 3 << 8);
	die(parent, 0);
	cr_assert_eq(wait_for(1, PROC_WAIT_KIND_PID, child, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.status, 3 << 8);
}

/* The reaper's waiter collects the dead parent, too: only when nothing more is to be done with it. */
Test(family, a_waiting_init_collects_a_parent_of_orphans)
{
	struct proc_wait_result r;
	uint32_t parent = spawn(1), child = spawn(parent);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	uint64_t logged = root->change_count;
	die(parent, 3 << 8);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.pid, parent);
	cr_expect_null(process(parent));
	cr_expect_eq(process(child)->parent->pid, 1);
	cr_expect_eq(root->change_count - logged, 2, "a new parent and a death");
}

Test(family, death_of_init_ends_the_system)
{
	die(1, 5 << 8);
	cr_expect_eq(fake_root.powers, 1);
	cr_expect_eq(fake_root.action, POWER_OFF);
	cr_expect_eq(fake_root.status, 5 << 8);
}

Test(family, a_task_that_dies_by_itself)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	struct process *p = process(pid);
	dead_name(p->task + 1000, process_principal(p)); /* an earlier task's name: nothing */
	cr_expect_eq(process(pid)->state, PROCESS_ALIVE);
	dead_name(p->task, process_principal(p));
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.status, SIGNAL_SEGMENT);
}

Test(family, vfork_waits_for_exec)
{
	uint32_t pid = 0;
	static const char *const argv[] = {"p", NULL};
	as(1);
	int error = proc_fork(process_right, PROC_FORK_FLAGS_SHARE_MEMORY | PROC_FORK_FLAGS_WAIT, 0x1000, 0x2000, 0, 0,
	                      0, SIGNAL_CHILD, &pid);
	cr_assert_eq(error, LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	uint32_t child = process(1)->children->pid;
	cr_expect_eq(task(child)->duplicate_flags, TASK_DUP_SHARE | TASK_DUP_RIGHTS);
	cr_expect(!loopback_answered(id));
	cr_assert_eq(exec(child, "/bin/program", argv, NULL), 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(proc_fork(process_right, PROC_FORK_FLAGS_SHARE_MEMORY | PROC_FORK_FLAGS_WAIT, 0x1000, 0x2000, 0, 0,
	                       0, SIGNAL_CHILD, &pid),
	             0);
	cr_expect_eq(pid, child);
}

Test(family, vfork_waits_for_exit)
{
	uint32_t pid = 0;
	as(1);
	proc_fork(process_right, PROC_FORK_FLAGS_SHARE_MEMORY | PROC_FORK_FLAGS_WAIT, 0x1000, 0x2000, 0, 0, 0,
	          SIGNAL_CHILD, &pid);
	uint64_t id = loopback_parked();
	die(process(1)->children->pid, 0);
	cr_expect(loopback_answered(id));
}

Test(family, vfork_parent_that_dies_first)
{
	uint32_t parent = spawn(1), pid = 0;
	as(parent);
	proc_fork(process_right, PROC_FORK_FLAGS_WAIT, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &pid);
	uint64_t id = loopback_parked();
	uint32_t child = process(parent)->children->pid;
	host_cancel(id, true);
	cr_expect(loopback_answered(id));
	die(parent, 9);
	die(child, 0);
	cr_expect_eq(process(child)->vfork.name, PORT_NULL);
}

Test(family, clone_parent)
{
	uint32_t middle = spawn(1), pid;
	as(middle);
	cr_assert_eq(
	        proc_fork(process_right, PROC_FORK_FLAGS_SHARE_PARENT, 0x1000, 0x2000, 0, 0, 0, SIGNAL_CHILD, &pid), 0);
	cr_expect_eq(process(pid)->parent->pid, 1);
}

Test(family, pids_are_not_given_again_soon)
{
	struct proc_wait_result r;
	uint32_t first = spawn(1);
	die(first, 0);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_neq(spawn(1), first);
	root->last_pid = PID_MAX - 1;
	uint32_t wrapped = spawn(1);
	cr_expect_eq(wrapped, 2, "got %u", wrapped);
}

Test(family, pids_of_groups_in_use_are_skipped)
{
	struct proc_wait_result r;
	uint32_t leader = spawn(1), session;
	as(leader);
	cr_assert_eq(proc_new_session(process_right, &session), 0);
	uint32_t member = spawn(leader);
	die(leader, 0);
	cr_assert_eq(wait_for(1, PROC_WAIT_KIND_PID, leader, WAIT_EXITED, &r), 0);
	cr_expect_eq(process(member)->session, leader);
	root->last_pid = leader - 1;
	cr_expect_neq(spawn(1), leader);
}

Test(family, thread_ids)
{
	uint32_t pid = spawn(1), tid, other, group;
	as(pid);
	cr_assert_eq(proc_thread_begin(process_right, 1, &tid), 0);
	cr_expect_neq(tid, pid);
	cr_expect_eq(process(pid)->thread_count, 2);
	cr_expect_eq(proc_get_group(process_right, tid, &group), 0);
	cr_assert_eq(proc_thread_begin(process_right, THREAD_SLOTS, &other), EAGAIN);
	as(1);
	cr_expect_eq(proc_thread_end(process_right, tid), ESRCH, "another's thread");
	as(pid);
	cr_expect_eq(proc_thread_end(process_right, tid), 0);
	cr_expect_eq(proc_thread_end(process_right, tid), ESRCH);
	cr_expect_eq(process(pid)->thread_count, 1);
}

/* ---- wait ---- */

Test(wait, without_children)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	cr_expect_eq(wait_for(pid, ANY, WAIT_EXITED, &r), ECHILD);
	cr_expect_eq(wait_for(pid, ANY, WAIT_EXITED | WAIT_NO_HANG, &r), ECHILD);
	cr_expect_eq(wait_for(1, PROC_WAIT_KIND_PID, 999, WAIT_EXITED, &r), ECHILD);
	cr_expect_eq(wait_for(1, PROC_WAIT_KIND_GROUP, 999, WAIT_EXITED, &r), ECHILD);
}

Test(wait, bad_options)
{
	struct proc_wait_result r;
	spawn(1);
	cr_expect_eq(wait_for(1, ANY, 0, &r), EINVAL);
	cr_expect_eq(wait_for(1, ANY, WAIT_NO_HANG, &r), EINVAL);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED | 0x100, &r), EINVAL);
}

Test(wait, no_hang)
{
	struct proc_wait_result r;
	spawn(1);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, 0);
}

Test(wait, exit_status)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	become(pid, 1000);
	die(pid, 42 << 8);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.pid, pid);
	cr_expect_eq(r.status, 42 << 8);
	cr_expect_eq(r.code, CLD_EXITED);
	cr_expect_eq(r.uid, 1000);
	cr_expect_null(process(pid));
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), ECHILD);
}

Test(wait, death_by_signal)
{
	struct proc_wait_result r;
	uint32_t a = spawn(1), b = spawn(1);
	cr_assert_eq(proc_kill(server_right, a, 9), 0);
	cr_assert_eq(proc_kill(server_right, b, 11 | 0x80), 0);
	cr_assert_eq(wait_for(1, PROC_WAIT_KIND_PID, a, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.status, 9);
	cr_expect_eq(r.code, CLD_KILLED);
	cr_assert_eq(wait_for(1, PROC_WAIT_KIND_PID, b, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.status, 0x8b);
	cr_expect_eq(r.code, CLD_DUMPED);
}

Test(wait, parks_until_exit)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect(!loopback_answered(id));
	die(pid, 1 << 8);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.pid, pid);
	cr_expect_null(process(pid));
}

Test(wait, only_the_right_waiter_is_answered)
{
	struct proc_wait_result r;
	uint32_t a = spawn(1), b = spawn(1);
	wait_for(1, PROC_WAIT_KIND_PID, b, WAIT_EXITED, &r);
	uint64_t for_b = loopback_parked();
	wait_for(1, ANY, WAIT_EXITED, &r);
	uint64_t for_any = loopback_parked();
	die(a, 0);
	cr_expect(!loopback_answered(for_b));
	cr_expect(loopback_answered(for_any));
	die(b, 0);
	cr_expect(loopback_answered(for_b));
}

Test(wait, second_waiter_gets_echild)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	wait_for(1, ANY, WAIT_EXITED, &r);
	uint64_t first = loopback_parked();
	wait_for(1, ANY, WAIT_EXITED, &r);
	uint64_t second = loopback_parked();
	die(pid, 0);
	cr_assert(loopback_answered(first) && loopback_answered(second));
	loopback_resume(first);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	loopback_resume(second);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), ECHILD);
}

Test(wait, cancel_is_eintr)
{
	struct proc_wait_result r;
	spawn(1);
	wait_for(1, ANY, WAIT_EXITED, &r);
	uint64_t id = loopback_parked();
	host_cancel(id + 1000, false); /* unknown */
	cr_expect(!loopback_answered(id));
	host_cancel(id, false);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), EINTR);
	cr_expect_null(process(1)->waiters);
}

Test(wait, no_wait_leaves_the_zombie)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	die(pid, 2 << 8);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_NO_WAIT, &r), 0);
	cr_expect_eq(r.pid, pid);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), ECHILD);
}

Test(wait, by_group)
{
	struct proc_wait_result r;
	uint32_t a = spawn(1), b = spawn(1);
	as(a);
	cr_assert_eq(proc_set_group(process_right, 0, 0), 0);
	die(b, 0);
	cr_expect_eq(wait_for(1, PROC_WAIT_KIND_GROUP, a, WAIT_EXITED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, 0);
	die(a, 0);
	cr_expect_eq(wait_for(1, PROC_WAIT_KIND_GROUP, a, WAIT_EXITED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, a);
	cr_expect_eq(wait_for(1, PROC_WAIT_KIND_GROUP, 0, WAIT_EXITED | WAIT_NO_HANG, &r), 0, "own group");
	cr_expect_eq(r.pid, b);
}

Test(wait, stop_and_continue)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_stop(server_right, pid, 19), 0);
	cr_expect_eq(task(pid)->suspended, 1);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, 0, "stops are not asked for");
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_STOPPED, &r), 0);
	cr_expect_eq(r.status, 0x137f);
	cr_expect_eq(r.code, CLD_STOPPED);
	cr_expect_eq(wait_for(1, ANY, WAIT_STOPPED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, 0, "told once");
	cr_assert_eq(proc_resume(server_right, pid), 0);
	cr_expect_eq(task(pid)->suspended, 0);
	cr_assert_eq(wait_for(1, ANY, WAIT_CONTINUED, &r), 0);
	cr_expect_eq(r.status, 0xffff);
	cr_expect_eq(r.code, CLD_CONTINUED);
	cr_expect_eq(wait_for(1, ANY, WAIT_CONTINUED | WAIT_NO_HANG, &r), 0);
	cr_expect_eq(r.pid, 0);
}

Test(wait, stopping_twice_is_once)
{
	uint32_t pid = spawn(1);
	proc_stop(server_right, pid, 19);
	proc_stop(server_right, pid, 20);
	cr_expect_eq(task(pid)->suspended, 1);
	cr_expect_eq(process(pid)->stop_signal, 19);
	proc_resume(server_right, pid);
	proc_resume(server_right, pid);
	cr_expect_eq(task(pid)->suspended, 0);
}

Test(wait, a_stop_wakes_a_waiter)
{
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	wait_for(1, ANY, WAIT_EXITED | WAIT_STOPPED, &r);
	uint64_t id = loopback_parked();
	proc_stop(server_right, pid, 20);
	cr_expect(loopback_answered(id));
}

Test(wait, no_zombies)
{
	struct proc_wait_result r;
	uint32_t a = spawn(1), b = spawn(1);
	as(1);
	cr_assert_eq(proc_child_policy(process_right, 1), 0);
	die(a, 0);
	cr_expect_null(process(a));
	wait_for(1, ANY, WAIT_EXITED, &r);
	uint64_t id = loopback_parked();
	die(b, 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), ECHILD);
}

Test(wait, clone_children)
{
	struct proc_wait_result r;
	uint32_t pid;
	as(1);
	cr_assert_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, 0, &pid), 0);
	die(pid, 0);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED, &r), ECHILD);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_CLONE, &r), 0);
	as(1);
	cr_assert_eq(proc_fork(process_right, 0, 0x1000, 0x2000, 0, 0, 0, 10, &pid), 0);
	die(pid, 0);
	cr_expect_eq(wait_for(1, ANY, WAIT_EXITED | WAIT_ALL_CHILDREN, &r), 0);
}

Test(wait, usage_of_children)
{
	struct proc_wait_result r;
	struct rusage usage;
	uint32_t parent = spawn(1), child = spawn(parent);
	task(child)->info.user_ns = 5000;
	task(child)->info.max_resident_pages = 10;
	die(child, 0);
	as(parent);
	cr_assert_eq(proc_usage(process_right, -1, &usage), 0);
	cr_expect_eq(usage.user_ns, 0, "not waited for yet");
	cr_assert_eq(wait_for(parent, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.usage.user_ns, 5000);
	cr_expect_eq(r.usage.max_rss_kib, 40);
	cr_assert_eq(proc_usage(process_right, -1, &usage), 0);
	cr_expect_eq(usage.user_ns, 5000);
	die(parent, 0);
	cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.usage.user_ns, 5000, "children of children count");
}

Test(wait, everything_is_given_back)
{
	struct proc_wait_result r;
	size_t rights = loopback_rights(LOOPBACK_SERVER), used = keep_used();
	for (int i = 0; i < 20; i++) {
		uint32_t pid = spawn_program(1), child = spawn(pid);
		die(child, 0);
		die(pid, 0);
		cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
		cr_assert_eq(wait_for(1, ANY, WAIT_EXITED, &r), 0);
	}
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights + 1, "the program's file object of the fake");
	cr_expect_eq(keep_used(), used);
	cr_expect_eq(fake_sessions_live(), 1);
	cr_expect_eq(fake_tasks_alive(), 1);
}

/* ---- groups and sessions ---- */

Test(group, children_inherit)
{
	uint32_t leader = spawn(1), session, group;
	as(leader);
	cr_assert_eq(proc_new_session(process_right, &session), 0);
	cr_expect_eq(session, leader);
	uint32_t child = spawn(leader);
	cr_assert_eq(proc_get_group(process_right, 0, &group), 0);
	cr_expect_eq(group, leader);
	cr_assert_eq(proc_get_session(process_right, child, &session), 0);
	cr_expect_eq(session, leader);
	cr_expect_eq(proc_get_group(process_right, 9999, &group), ESRCH);
	cr_expect_eq(proc_get_session(process_right, 9999, &group), ESRCH);
}

Test(group, own_group_and_joining)
{
	uint32_t leader = spawn(1), session;
	as(leader);
	proc_new_session(process_right, &session);
	uint32_t a = spawn(leader), b = spawn(leader);
	as(a);
	cr_expect_eq(proc_set_group(process_right, 0, 0), 0);
	cr_expect_eq(process(a)->group, a);
	as(b);
	cr_expect_eq(proc_set_group(process_right, 0, a), 0);
	cr_expect_eq(process(b)->group, a);
	cr_expect_eq(proc_set_group(process_right, b, b), 0, "and out again");
}

Test(group, parent_moves_child_until_exec)
{
	uint32_t leader = spawn(1), session;
	as(leader);
	proc_new_session(process_right, &session);
	uint32_t child = spawn(leader);
	as(leader);
	cr_expect_eq(proc_set_group(process_right, child, child), 0);
	uint32_t execed = spawn_program(leader);
	as(leader);
	cr_expect_eq(proc_set_group(process_right, execed, execed), EACCES);
}

Test(group, refusals)
{
	uint32_t leader = spawn(1), session;
	as(leader);
	proc_new_session(process_right, &session);
	uint32_t child = spawn(leader), grandchild = spawn(child), stranger = spawn(1);
	as(leader);
	cr_expect_eq(proc_set_group(process_right, 0, 0), EPERM, "session leader");
	cr_expect_eq(proc_set_group(process_right, grandchild, 0), ESRCH, "not a child");
	cr_expect_eq(proc_set_group(process_right, stranger, 0), ESRCH);
	cr_expect_eq(proc_set_group(process_right, 9999, 0), ESRCH);
	cr_expect_eq(proc_set_group(process_right, child, 0x80000001), EINVAL);
	cr_expect_eq(proc_set_group(process_right, child, 9999), EPERM, "no such group");
	cr_expect_eq(proc_set_group(process_right, child, 1), EPERM, "group of another session");
	as(child);
	proc_new_session(process_right, &session);
	as(leader);
	cr_expect_eq(proc_set_group(process_right, child, child), EPERM, "child in another session");
}

Test(group, new_session_refusals)
{
	uint32_t pid = spawn(1), session;
	as(pid);
	cr_assert_eq(proc_set_group(process_right, 0, 0), 0);
	cr_expect_eq(proc_new_session(process_right, &session), EPERM, "group leader");
	uint32_t child = spawn(pid);
	as(child);
	cr_expect_eq(proc_new_session(process_right, &session), 0);
	cr_expect_eq(proc_new_session(process_right, &session), EPERM, "twice");
	uint32_t other = spawn(pid), member = spawn(pid);
	as(member);
	cr_assert_eq(proc_set_group(process_right, 0, 0), 0);
	as(other);
	cr_assert_eq(proc_set_group(process_right, 0, 0), 0);
	cr_assert_eq(proc_set_group(process_right, 0, member), 0);
	as(member);
	cr_expect_eq(proc_new_session(process_right, &session), EPERM);
}
