/*
 * Session records from a change log.
 */
#include <criterion/criterion.h>
#include <host.h>
#include <loopback.h>
#include <portico/server_sessions.h>

static struct server_sessions *sessions;
static unsigned changes;
static uint32_t last_group;

static void setup(void)
{
	loopback_reset();
	host_reset();
	sessions = server_keep_root(sizeof(*sessions));
	changes = 0;
}

TestSuite(sessions, .init = setup);

static void changed(const struct proc_change *change, struct server_session *session)
{
	cr_assert_eq(change->pid, session->pid);
	last_group = session->group;
	changes++;
}

static void apply(uint8_t kind, uint32_t pid, uint32_t group, uint64_t generation)
{
	struct proc_change change = {
	        .kind = kind,
	        .pid = pid,
	        .parent = 1,
	        .group = group,
	        .session = group,
	        .principal = pid | generation << 32,
	        .uid = 5,
	};

	sessions_apply(sessions, &change, changed);
}

Test(sessions, birth_and_death)
{
	size_t before = keep_used();

	apply(PROC_CHANGE_KIND_BIRTH, 7, 3, 1);
	struct server_session *s = sessions_by_pid(sessions, 7);
	cr_assert_not_null(s);
	cr_assert_eq(s->group, 3);
	cr_assert_eq(s->uid, 5);
	cr_assert_eq(sessions->count, 1);
	apply(PROC_CHANGE_KIND_DEATH, 7, 3, 1);
	cr_assert_null(sessions_by_pid(sessions, 7));
	cr_assert_eq(changes, 2);
	cr_assert_eq(keep_used(), before);
}

Test(sessions, exec_changes_the_principal)
{
	apply(PROC_CHANGE_KIND_BIRTH, 7, 3, 1);
	apply(PROC_CHANGE_KIND_EXEC, 7, 3, 2);
	cr_assert_eq(sessions->count, 1);
	cr_assert_eq(sessions_by_principal(sessions, 7 | UINT64_C(2) << 32)->principal, 7 | UINT64_C(2) << 32);
}

Test(sessions, many_in_order)
{
	uint32_t expected = 2;

	for (uint32_t pid = 1; pid <= 1000; pid++)
		apply(PROC_CHANGE_KIND_BIRTH, pid, pid, 1);
	for (uint32_t pid = 1; pid <= 1000; pid += 2)
		apply(PROC_CHANGE_KIND_DEATH, pid, pid, 1);
	cr_assert_eq(sessions->count, 500);
	for (struct server_session *s = sessions->first; s != NULL; s = s->next) {
		cr_assert_eq(s->pid, expected);
		expected += 2;
	}
	cr_assert_eq(expected, 1002);
}

Test(sessions, the_change_is_in_the_record_when_it_is_told)
{
	apply(PROC_CHANGE_KIND_BIRTH, 7, 3, 1);
	apply(PROC_CHANGE_KIND_GROUP, 7, 9, 1);
	cr_assert_eq(last_group, 9);
}

Test(sessions, death_of_an_unknown_process_is_nothing)
{
	apply(PROC_CHANGE_KIND_DEATH, 99, 1, 1);
	cr_assert_eq(changes, 0);
}

Test(sessions, out_of_memory_is_survived)
{
	host_limit_keep(0);
	while (keep_allocate(sizeof(struct server_session)) != NULL)
		;
	apply(PROC_CHANGE_KIND_BIRTH, 7, 3, 1);
	cr_assert_null(sessions_by_pid(sessions, 7));
}
