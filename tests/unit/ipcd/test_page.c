/* The page of a set: what processes do there and what ipcd does come together; nothing that they write does harm. */
#include "fixture.h"

static int32_t id;
static struct sem_page *page;

static void make(void)
{
	port_name_t object;
	uint32_t count;

	fixture_begin();
	cr_assert_eq(ipc_sem_get(ipc, IPC_PRIVATE, 3, 0660, &id), 0);
	cr_assert_eq(operate(id, 0, 5, 0), 0);
	cr_assert_eq(ipc_sem_map(ipc, id, &object, &count), 0);
	cr_assert_eq(count, 3);
	loopback_release(object);
	page = shared_sem_page;
}

TestSuite(page, .init = make);

/* As libposix does it. */
static bool quick(uint32_t number, int32_t operation)
{
	uint64_t old = page->word[number];
	int32_t after = SEM_PAGE_VALUE(old) + operation;
	if ((old & (SEM_PAGE_SLOW | SEM_PAGE_DEAD)) != 0 || after < 0)
		return false;
	page->word[number] = SEM_PAGE_WORD(after, 99);
	return true;
}

Test(page, both_ways)
{
	cr_expect_eq(SEM_PAGE_VALUE(page->word[0]), 5);
	cr_expect(quick(0, -2));
	cr_expect_eq(value(id, 0), 3);
	cr_expect_eq(waiting(id, 0, IPC_SEM_VALUE_PID), 99);
	cr_assert_eq(operate(id, 0, -3, 0), 0);
	cr_expect_eq(page->word[0], SEM_PAGE_WORD(0, OWNER));
	cr_expect(!quick(0, -1));
	cr_assert_eq(ipc_sem_set_value(ipc, id, 1, 9), 0);
	cr_expect(quick(1, -9));
	page->time = INT64_C(4000000000) * 1000000000;
	struct ipc_sem_status status;
	cr_assert_eq(ipc_sem_stat(ipc, IPC_NAMING_ID, id, &status), 0);
	cr_expect_eq(status.operation_time, 4000000000);
}

Test(page, slow_while_somebody_waits)
{
	uint64_t a = PARKS(operate(id, 1, -1, 0));
	cr_expect(!quick(1, 1), "who would wake it must come by a message");
	cr_expect(quick(0, 1), "others are not concerned");
	cr_assert_eq(operate(id, 1, 1, 0), 0);
	cr_expect_eq(AFTER(a, operate(id, 1, -1, 0)), 0);
	cr_expect(quick(1, 1));
	a = PARKS(operate(id, 1, -5, 0));
	cr_expect(!quick(1, 1));
	host_cancel(a, true);
	cr_expect(quick(1, 1));
	cr_expect_eq(value(id, 1), 2);
	struct ipc_sem_operation both[2] = {{0, -7, 0}, {2, -1, 0}};
	a = PARKS(ipc_sem_operate(ipc, id, both, 2));
	cr_expect(!quick(0, 1) && !quick(2, 1) && quick(1, 1), "all that it names");
	as(CHILD);
	uint64_t b = PARKS(operate(id, 2, -1, SEM_UNDO));
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	cr_expect(answered(b));
	as(OWNER);
	cr_expect(!quick(2, 1));
	cr_assert_eq(operate(id, 2, 1, 0), 0);
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect_eq(AFTER(a, ipc_sem_operate(ipc, id, both, 2)), 0);
	cr_expect(quick(0, 1) && quick(2, 1));
	cr_expect_eq(value(id, 0), 1);
}

Test(page, made_while_somebody_waits)
{
	int32_t other;
	port_name_t object;
	uint32_t count;
	cr_assert_eq(ipc_sem_get(ipc, IPC_PRIVATE, 2, 0600, &other), 0);
	uint64_t a = PARKS(operate(other, 1, -1, 0));
	cr_assert_eq(ipc_sem_map(ipc, other, &object, &count), 0);
	page = shared_sem_page;
	cr_expect(quick(0, 1) && !quick(1, 1));
	cr_assert_eq(operate(other, 1, 1, 0), 0);
	cr_expect_eq(AFTER(a, operate(other, 1, -1, 0)), 0);
	cr_expect(quick(1, 1));
}

Test(page, undo_counts_what_was_done_there)
{
	as(CHILD);
	cr_assert_eq(operate(id, 0, -3, SEM_UNDO), 0);
	cr_expect(quick(0, 4));
	change(CHILD, PROC_CHANGE_KIND_DEATH);
	as(OWNER);
	cr_expect_eq(value(id, 0), 9);
	cr_expect_eq(page->word[0], SEM_PAGE_WORD(9, CHILD));
	cr_assert_eq(operate(id, 0, -1, SEM_UNDO), 0);
	uint16_t values[3] = {1, 2, 3}, got[3];
	cr_assert_eq(ipc_sem_set_all(ipc, id, values, sizeof(values)), 0);
	cr_expect(quick(2, 4));
	cr_assert_eq(ipc_sem_get_all(ipc, id, got, sizeof(got), &(uint32_t){0}), 0);
	cr_expect(got[0] == 1 && got[1] == 2 && got[2] == 7);
}

Test(page, dead_when_it_may_not_count_any_more)
{
	cr_expect(quick(0, 2));
	cr_assert_eq(ipc_sem_set(ipc, id, 2000, 2000, 0600), 0);
	cr_expect((page->word[0] & SEM_PAGE_DEAD) && !quick(0, 1));
	page->word[0] = SEM_PAGE_WORD(77, 1);
	cr_expect_eq(operate(id, 0, -7, 0), 0, "creator and owner may");
	as(OTHER);
	cr_expect_eq(value(id, 0), 0, "what is written there is nobody's");
	port_name_t object;
	uint32_t count;
	cr_assert_eq(ipc_sem_map(ipc, id, &object, &count), 0, "a new one");
	cr_expect_neq(shared_sem_page, page);
	page = shared_sem_page;
	cr_expect(quick(0, 1));
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	cr_expect(!quick(0, 1));
}

Test(page, who_gets_it)
{
	port_name_t object;
	uint32_t count;
	int32_t large;
	as(OTHER);
	cr_expect_eq(ipc_sem_map(ipc, id, &object, &count), EACCES);
	as(OWNER);
	cr_expect_eq(ipc_sem_map(ipc, id + 1, &object, &count), EINVAL);
	cr_assert_eq(ipc_sem_get(ipc, IPC_PRIVATE, 65, 0600, &large), 0);
	cr_expect_eq(ipc_sem_map(ipc, large, &object, &count), ENOSPC);
	cr_assert_eq(ipc_sem_remove(ipc, large), 0);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(page, nonsense)
{
	memset(page, 0xff, sizeof(*page));
	cr_expect_eq(value(id, 0), 32767);
	cr_expect_eq(operate(id, 0, 1, 0), ERANGE);
	cr_expect_eq(operate(id, 0, -32767, 0), 0);
	cr_expect_eq(value(id, 0), 0);
	page->word[0] = 0xffff;
	struct ipc_sem_operation twice[2] = {{0, -32767, 0}, {0, 0, IPC_NOWAIT}};
	cr_expect_eq(ipc_sem_operate(ipc, id, twice, 2), 0);
	uint64_t a = PARKS(operate(id, 0, -1, 0));
	page->word[0] = 12345;
	cr_expect_eq(value(id, 0), 0, "not while it is owned");
	cr_assert_eq(operate(id, 0, 1, 0), 0);
	cr_expect_eq(AFTER(a, operate(id, 0, -1, 0)), 0);
	cr_assert_eq(ipc_sem_remove(ipc, id), 0);
	expect_nothing_left();
}
