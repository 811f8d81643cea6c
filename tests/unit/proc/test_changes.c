/*
 * The change log and what else upper servers may ask.
 */
#include "fixture.h"

TestSuite(changes, .init = fixture_begin);

static port_name_t bell; /* the subscriber's port */
static uint64_t cursor;

static void subscribe(void)
{
	bell = loopback_port();
	cr_assert_eq(proc_subscribe(server_right, loopback_connect(bell, 0), 4, &cursor), 0);
}

static size_t pull(struct proc_change *list)
{
	size_t count = 0;
	cr_assert_eq(proc_changes(server_right, cursor, list, PROC_CHANGES_MAX, &count, &cursor), 0);
	return count;
}

/* The only entry since the last time. */
static struct proc_change only(void)
{
	struct proc_change list[PROC_CHANGES_MAX];
	cr_assert_eq(pull(list), 1);
	return list[0];
}

static void drain(void)
{
	struct proc_change list[PROC_CHANGES_MAX];
	while (pull(list) == PROC_CHANGES_MAX)
		;
}

Test(changes, a_new_subscriber_gets_everybody)
{
	struct proc_change list[PROC_CHANGES_MAX];
	uint32_t a = spawn(1), b = spawn(a);
	die(b, 0);
	subscribe();
	size_t count = pull(list);
	cr_assert_eq(count, 2);
	cr_expect_eq(list[0].pid, 1);
	cr_expect_eq(list[1].pid, a);
	cr_expect_eq(list[1].kind, PROC_CHANGE_KIND_BIRTH);
	cr_expect_eq(pull(list), 0);
}

/* As after a cold start: the right to its port before that is given back, and there is always room. */
Test(changes, a_server_that_begins_anew_keeps_its_place)
{
	subscribe();
	size_t rights = loopback_rights(LOOPBACK_SERVER);
	for (unsigned i = 0; i < 2 * SUBSCRIBERS_MAX; i++)
		subscribe();
	cr_expect_eq(root->subscriber_count, 1);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights);
}

Test(changes, many_processes_take_many_calls)
{
	struct proc_change list[PROC_CHANGES_MAX];
	size_t total = 0, count;
	for (int i = 0; i < 100; i++)
		spawn(1);
	subscribe();
	cr_assert_eq(pull(list), PROC_CHANGES_MAX);
	total = PROC_CHANGES_MAX;
	uint32_t late = spawn(1); /* while the scan goes on */
	bool seen = false;
	do {
		count = pull(list);
		total += count;
		for (size_t i = 0; i < count; i++)
			seen |= list[i].pid == late;
	} while (count == PROC_CHANGES_MAX);
	cr_expect(seen);
	cr_expect_geq(total, 102);
}

Test(changes, births_and_deaths)
{
	subscribe();
	drain();
	uint32_t pid = spawn(1);
	struct proc_change c = only();
	cr_expect_eq(c.kind, PROC_CHANGE_KIND_BIRTH);
	cr_expect_eq(c.pid, pid);
	cr_expect_eq(c.parent, 1);
	cr_expect_eq(c.principal, process_principal(process(pid)));
	task(pid)->info.user_ns = 123;
	die(pid, 6 << 8);
	c = only();
	cr_expect_eq(c.kind, PROC_CHANGE_KIND_DEATH);
	cr_expect_eq(c.status, 6 << 8);
	cr_expect_eq(c.exit_signal, SIGNAL_CHILD);
	cr_expect_eq(c.user_ns, 123);
}

Test(changes, groups_sessions_credentials)
{
	uint32_t pid = spawn(1), session;
	subscribe();
	drain();
	as(pid);
	proc_set_group(process_right, 0, 0);
	struct proc_change c = only();
	cr_expect(c.kind == PROC_CHANGE_KIND_GROUP && c.group == pid);
	proc_set_group(process_right, 0, 0); /* nothing new */
	struct proc_change list[PROC_CHANGES_MAX];
	cr_expect_eq(pull(list), 0);
	uint32_t child = spawn(pid);
	drain();
	as(child);
	proc_new_session(process_right, &session);
	c = only();
	cr_expect(c.session == child && c.group == child);
	uint32_t previous;
	proc_set_ids(process_right, 0, 5, 6, 7, &previous);
	c = only();
	cr_expect(c.kind == PROC_CHANGE_KIND_CREDENTIALS && c.uid == 5 && c.euid == 6 && c.suid == 7);
}

Test(changes, exec_stop_continue)
{
	static const char *const argv[] = {"p", NULL};
	uint32_t pid = spawn(1);
	subscribe();
	drain();
	exec(pid, "/bin/program", argv, NULL);
	struct proc_change c = only();
	cr_expect_eq(c.kind, PROC_CHANGE_KIND_EXEC);
	cr_expect_eq(c.principal, process_principal(process(pid)));
	proc_stop(server_right, pid, 20);
	c = only();
	cr_expect(c.kind == PROC_CHANGE_KIND_STOPPED && c.status == 0x147f);
	proc_resume(server_right, pid);
	c = only();
	cr_expect(c.kind == PROC_CHANGE_KIND_CONTINUED && c.status == 0xffff);
}

Test(changes, reparenting_comes_before_the_death)
{
	struct proc_change list[PROC_CHANGES_MAX];
	uint64_t result;
	uint32_t parent = spawn(1), child = spawn(parent);
	as(child);
	proc_control(process_right, 1, 15, &result);
	subscribe();
	drain();
	die(parent, 0);
	cr_assert_eq(pull(list), 2);
	cr_expect_eq(list[0].kind, PROC_CHANGE_KIND_REPARENT);
	cr_expect_eq(list[0].pid, child);
	cr_expect_eq(list[0].parent, 1);
	cr_expect_eq(list[0].exit_signal, 15, "PR_SET_PDEATHSIG");
	cr_expect_eq(list[1].kind, PROC_CHANGE_KIND_DEATH);
}

Test(changes, a_reader_left_behind_is_told)
{
	struct proc_change list[PROC_CHANGES_MAX];
	size_t count;
	subscribe();
	drain();
	for (unsigned i = 0; i < CHANGES_RING + 1; i++)
		change_log(process(1), PROC_CHANGE_KIND_GROUP, 0, 0);
	cr_expect_eq(proc_changes(server_right, cursor, list, PROC_CHANGES_MAX, &count, &cursor), ESTALE);
	cursor = UINT64_C(1) << 63; /* start anew */
	cr_expect_eq(pull(list), 1);
	cr_expect_eq(pull(list), 0);
	cr_expect_eq(proc_changes(server_right, root->change_count + 1, list, PROC_CHANGES_MAX, &count, &cursor),
	             ESTALE);
}

Test(changes, processes_may_not)
{
	struct proc_change list[PROC_CHANGES_MAX];
	size_t count;
	uint32_t pid = spawn(1);
	port_name_t task_right;
	cr_expect_eq(proc_subscribe(process_right, loopback_connect(loopback_port(), 0), 1, &cursor), EACCES);
	cr_expect_eq(proc_changes(process_right, 0, list, PROC_CHANGES_MAX, &count, &cursor), EACCES);
	cr_expect_eq(proc_interrupt_right(process_right, pid, &task_right), EACCES);
	cr_expect_eq(proc_kill(process_right, pid, 9), EACCES);
	cr_expect_eq(proc_stop(process_right, pid, 19), EACCES);
	cr_expect_eq(proc_resume(process_right, pid), EACCES);
}

Test(changes, of_nobody)
{
	port_name_t task_right;
	uint32_t pid = spawn(1);
	die(pid, 0);
	cr_expect_eq(proc_interrupt_right(server_right, pid, &task_right), ESRCH, "a zombie");
	cr_expect_eq(proc_kill(server_right, pid, 9), ESRCH);
	cr_expect_eq(proc_stop(server_right, 999, 19), ESRCH);
	cr_expect_eq(proc_resume(server_right, 999), ESRCH);
}

Test(changes, interrupt_right)
{
	port_name_t task_right = PORT_NULL;
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_interrupt_right(server_right, pid, &task_right), 0);
	cr_expect_neq(task_right, PORT_NULL);
	size_t before = loopback_rights(LOOPBACK_SERVER);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(proc_interrupt_right(server_right, pid, &task_right), 0);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), before, "no copy stays behind");
}

Test(changes, unknown_badges_are_no_objects)
{
	struct proc_identity self;
	port_name_t odd = loopback_connect(NAME_SERVICE, UINT64_C(9) << 56);
	cr_expect_eq(proc_identity(odd, &self), EBADF);
}
