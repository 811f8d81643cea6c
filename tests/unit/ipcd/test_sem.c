/* Semaphores: atomic sets, order of waiters, cancellation, removal, undo. */
#include "fixture.h"

TestSuite(sem, .init = fixture_begin);

static int32_t id;

static void make(void)
{
	fixture_begin();
	cr_assert_eq(ipc_sem_get(ipc, IPC_PRIVATE, 3, 0666, &id), 0);
}

TestSuite(semop, .init = make);
TestSuite(undo, .init = make);

static void done(void)
{
	as(OWNER);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(sem, get)
{
	int32_t again;
	cr_expect_eq(ipc_sem_get(ipc, 9, 0, IPC_CREAT | 0600, &id), EINVAL);
	cr_expect_eq(ipc_sem_get(ipc, 9, -1, IPC_CREAT | 0600, &id), EINVAL);
	cr_expect_eq(ipc_sem_get(ipc, 9, 32001, IPC_CREAT | 0600, &id), EINVAL);
	cr_expect_eq(ipc_sem_get(ipc, 9, 1, 0600, &id), ENOENT);
	cr_assert_eq(ipc_sem_get(ipc, 9, 3, IPC_CREAT | 0600, &id), 0);
	cr_expect_eq(ipc_sem_get(ipc, 9, 4, 0, &again), EINVAL);
	cr_expect_eq(ipc_sem_get(ipc, 9, 3, IPC_CREAT | IPC_EXCL, &again), EEXIST);
	cr_assert_eq(ipc_sem_get(ipc, 9, 0, 0, &again), 0);
	cr_expect_eq(again, id);
	root->limits.sem_total = 5;
	cr_expect_eq(ipc_sem_get(ipc, 10, 3, IPC_CREAT | 0600, &again), ENOSPC);
	as(OTHER);
	cr_expect_eq(ipc_sem_get(ipc, 9, 1, 0400, &again), EACCES);
	as(OWNER);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(semop, all_or_nothing)
{
	struct ipc_sem_operation some[3] = {{0, 2, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
	cr_expect_eq(ipc_sem_operate(ipc, id, some, 3), EAGAIN);
	cr_expect_eq(value(id, 0), 0);
	cr_expect_eq(value(id, 1), 0);
	some[2].operation = 1;
	cr_expect_eq(ipc_sem_operate(ipc, id, some, 3), 0);
	cr_expect_eq(value(id, 0), 2);
	cr_expect_eq(value(id, 2), 1);
	some[2].number = 3;
	cr_expect_eq(ipc_sem_operate(ipc, id, some, 3), EFBIG);
	cr_expect_eq(ipc_sem_operate(ipc, id, some, 0), EINVAL);
	cr_expect_eq(operate(id, 0, 32767, 0), ERANGE);
	done();
}

Test(semop, first_come_first_served)
{
	uint64_t a = PARKS(operate(id, 0, -1, 0)), b = PARKS(operate(id, 0, -1, 0));
	cr_expect_eq(waiting(id, 0, IPC_SEM_VALUE_WAITING_UP), 2);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(a) && !answered(b));
	cr_expect_eq(AFTER(a, operate(id, 0, -1, 0)), 0);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect_eq(AFTER(b, operate(id, 0, -1, 0)), 0);
	cr_expect_eq(value(id, 0), 0);
	done();
}

Test(semop, zero_goes_first)
{
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	uint64_t zero = PARKS(operate(id, 0, 0, 0));
	cr_expect_eq(waiting(id, 0, IPC_SEM_VALUE_WAITING_ZERO), 1);
	struct ipc_sem_operation swap[2] = {{0, -1, 0}, {0, 1, 0}};
	cr_assert_eq(ipc_sem_operate(ipc, id, swap, 2), 0);
	cr_expect(!answered(zero), "it was 0 in between only");
	uint64_t two = PARKS(operate(id, 0, -2, 0));
	cr_assert_eq(operate(id, 0, -1, 0), 0);
	cr_expect(answered(zero) && !answered(two));
	cr_expect_eq(AFTER(zero, operate(id, 0, 0, 0)), 0);
	cr_assert_eq(operate(id, 0, 2, 0), 0);
	cr_expect(answered(two));
	cr_expect_eq(AFTER(two, operate(id, 0, -2, 0)), 0);
	done();
}

Test(semop, complex_ones_keep_their_place)
{
	struct ipc_sem_operation both[2] = {{0, -1, 0}, {1, -1, 0}};
	uint64_t complex = PARKS(ipc_sem_operate(ipc, id, both, 2)), simple = PARKS(operate(id, 0, -1, 0));
	cr_assert_eq(operate(id, 1, 1, 0), 0);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(complex) && !answered(simple), "who came first goes first");
	cr_expect_eq(AFTER(complex, ipc_sem_operate(ipc, id, both, 2)), 0);
	complex = PARKS(ipc_sem_operate(ipc, id, both, 2));
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(simple) && !answered(complex));
	cr_expect_eq(AFTER(simple, operate(id, 0, -1, 0)), 0);
	uint64_t chained = PARKS(operate(id, 2, -1, 0));
	struct ipc_sem_operation pass[2] = {{1, -1, 0}, {2, 1, 0}};
	uint64_t passes = PARKS(ipc_sem_operate(ipc, id, pass, 2));
	cr_assert_eq(operate(id, 1, 1, 0), 0);
	cr_expect(answered(passes) && answered(chained), "one sets off the other");
	cr_expect_eq(AFTER(passes, ipc_sem_operate(ipc, id, pass, 2)), 0);
	cr_expect_eq(AFTER(chained, operate(id, 2, -1, 0)), 0);
	host_cancel(complex, false);
	cr_expect_eq(AFTER(complex, ipc_sem_operate(ipc, id, both, 2)), EINTR);
	done();
}

Test(semop, merged_queues_keep_the_order)
{
	struct ipc_sem_operation both[2] = {{0, -1, 0}, {1, -1, 0}};
	uint64_t a = PARKS(operate(id, 0, -1, 0)), b = PARKS(operate(id, 0, -1, 0)), c = PARKS(operate(id, 1, -1, 0));
	uint64_t complex = PARKS(ipc_sem_operate(ipc, id, both, 2)), d = PARKS(operate(id, 0, -1, 0));
	host_cancel(complex, false);
	cr_expect_eq(AFTER(complex, ipc_sem_operate(ipc, id, both, 2)), EINTR);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(a) && !answered(b) && !answered(c) && !answered(d));
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(b) && !answered(d));
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(d) && !answered(c));
	cr_assert_eq(operate(id, 1, 1, 0), 0);
	cr_expect(answered(c));
	uint64_t all[4] = {a, b, d, c};
	for (int i = 0; i < 4; i++)
		cr_expect_eq(AFTER(all[i], operate(id, i == 3, -1, 0)), 0);
	done();
}

Test(semop, cancelled_and_dead)
{
	uint64_t a = PARKS(operate(id, 0, -1, 0)), b = PARKS(operate(id, 0, -1, 0));
	host_cancel(a, false);
	cr_expect_eq(AFTER(a, operate(id, 0, -1, 0)), EINTR);
	host_cancel(b, true);
	host_cancel(b, true);
	host_cancel(12345, false);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect_eq(value(id, 0), 1, "a dead one takes nothing");
	cr_expect_eq(AFTER(b, operate(id, 0, -1, 0)), EINTR);
	done();
}

Test(semop, removal_wakes_all)
{
	struct ipc_sem_operation both[2] = {{0, -1, 0}, {1, -1, 0}};
	uint64_t a = PARKS(operate(id, 0, -1, 0)), b = PARKS(ipc_sem_operate(ipc, id, both, 2));
	cr_assert_eq(operate(id, 2, 1, 0), 0);
	uint64_t c = PARKS(operate(id, 2, 0, 0));
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	cr_expect_eq(AFTER(a, operate(id, 0, -1, 0)), EIDRM);
	cr_expect_eq(AFTER(b, ipc_sem_operate(ipc, id, both, 2)), EIDRM);
	cr_expect_eq(AFTER(c, operate(id, 2, 0, 0)), EIDRM);
	cr_expect_eq(operate(id, 0, 1, 0), EINVAL);
	expect_nothing_left();
}

Test(semop, set_and_get)
{
	uint16_t values[3] = {4, 5, 6}, got[3];
	uint32_t count;
	uint64_t a = PARKS(operate(id, 1, -5, 0));
	cr_assert_eq(ipc_sem_set_all(ipc, id, values, sizeof(values)), 0);
	cr_expect(answered(a));
	cr_expect_eq(AFTER(a, operate(id, 1, -5, 0)), 0);
	cr_assert_eq(ipc_sem_get_all(ipc, id, got, sizeof(got), &count), 0);
	cr_expect(got[0] == 4 && got[1] == 0 && got[2] == 6 && count == 3);
	values[1] = 32768;
	cr_expect_eq(ipc_sem_set_all(ipc, id, values, sizeof(values)), ERANGE);
	cr_expect_eq(ipc_sem_set_all(ipc, id, values, 4), EFAULT);
	cr_expect_eq(ipc_sem_get_all(ipc, id, got, 4, &count), EFAULT);
	cr_expect_eq(ipc_sem_set_value(ipc, id, 3, 1), EINVAL);
	cr_expect_eq(ipc_sem_set_value(ipc, id, 0, 32768), ERANGE);
	cr_expect_eq(value(id, 3), -EINVAL);
	done();
}

Test(undo, at_the_end)
{
	as(CHILD);
	cr_assert_eq(operate(id, 0, 3, 0), 0);
	cr_assert_eq(operate(id, 0, -2, SEM_UNDO), 0);
	cr_assert_eq(operate(id, 1, 4, SEM_UNDO), 0);
	as(OWNER);
	uint64_t a = PARKS(operate(id, 0, -3, 0));
	change(CHILD, PROC_CHANGE_KIND_EXEC);
	cr_expect_eq(value(id, 0), 1, "exec undoes nothing");
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	cr_expect(answered(a), "what it gives back lets others go on");
	cr_expect_eq(AFTER(a, operate(id, 0, -3, 0)), 0);
	cr_expect_eq(value(id, 1), 0);
	cr_expect_eq(waiting(id, 1, IPC_SEM_VALUE_PID), CHILD);
	done();
}

Test(undo, never_leaves_the_range)
{
	as(CHILD);
	cr_assert_eq(operate(id, 0, 5, SEM_UNDO), 0);
	cr_assert_eq(operate(id, 1, 5, 0), 0);
	cr_assert_eq(operate(id, 1, -5, SEM_UNDO), 0);
	as(OWNER);
	cr_assert_eq(operate(id, 0, -4, 0), 0);
	cr_assert_eq(operate(id, 1, 32765, 0), 0);
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	cr_expect_eq(value(id, 0), 0);
	cr_expect_eq(value(id, 1), 32767);
	done();
}

Test(undo, forgotten_when_values_are_set)
{
	as(CHILD);
	cr_assert_eq(operate(id, 0, 5, SEM_UNDO), 0);
	cr_assert_eq(operate(id, 1, 5, SEM_UNDO), 0);
	cr_assert_eq(ipc_sem_set_value(ipc, id, 0, 7), 0);
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	as(OWNER);
	cr_expect_eq(value(id, 0), 7);
	cr_expect_eq(value(id, 1), 0);
	done();
}

Test(undo, of_one_that_waits)
{
	as(CHILD);
	uint64_t a = PARKS(operate(id, 0, -1, SEM_UNDO));
	as(OWNER);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(a));
	as(CHILD);
	cr_expect_eq(AFTER(a, operate(id, 0, -1, SEM_UNDO)), 0);
	uint64_t b = PARKS(operate(id, 0, -1, SEM_UNDO));
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	cr_expect(answered(b), "its death is known before the kernel tells of the caller's");
	host_cancel(b, true);
	as(OWNER);
	cr_expect_eq(value(id, 0), 1);
	cr_expect_eq(AFTER(b, operate(id, 0, -1, SEM_UNDO)), EINTR);
	done();
}

Test(undo, too_much)
{
	as(CHILD);
	cr_assert_eq(operate(id, 0, 20000, SEM_UNDO), 0);
	cr_assert_eq(operate(id, 0, -20000, 0), 0);
	cr_expect_eq(operate(id, 0, 20000, SEM_UNDO), ERANGE);
	cr_expect_eq(value(id, 0), 0);
	done();
}

Test(undo, of_a_removed_set)
{
	int32_t other;
	cr_assert_eq(ipc_sem_get(ipc, IPC_PRIVATE, 2, 0600, &other), 0);
	cr_assert_eq(operate(other, 0, 5, SEM_UNDO), 0);
	cr_assert_eq(operate(id, 0, 5, SEM_UNDO), 0);
	cr_assert_eq(ipc_sem_remove(ipc, other), 0);
	change(OWNER, PROC_CHANGE_KIND_DEATH);
	as(CHILD);
	cr_expect_eq(value(id, 0), 0);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(semop, ten_thousand_wait)
{
	enum { MANY = 10000 };
	static uint64_t all[MANY];
	for (int i = 0; i < MANY; i++)
		all[i] = PARKS(operate(id, 0, -1, 0));
	cr_expect_eq(waiting(id, 0, IPC_SEM_VALUE_WAITING_UP), MANY);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect(answered(all[0]) && !answered(all[1]));
	cr_assert_eq(operate(id, 1, 1, 0), 0);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	for (int i = 1; i < MANY; i++)
		cr_assert(answered(all[i]));
	expect_nothing_left();
}
