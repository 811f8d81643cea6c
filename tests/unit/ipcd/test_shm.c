/* Segments: keys, ids, attachments over fork, exec and death, permissions, limits. */
#include "fixture.h"

TestSuite(shm, .init = fixture_begin);

static int32_t id;

static int attach(int32_t segment, uint32_t flags)
{
	port_name_t object = PORT_NULL;
	uint64_t size = 0;
	int error = ipc_shm_attach(ipc, segment, flags, &object, &size);

	if (error == 0)
		loopback_release(object);
	return error;
}

static int64_t attaches(int32_t segment)
{
	struct ipc_shm_status status;
	int error = ipc_shm_stat(ipc, IPC_NAMING_ID, segment, &status);
	return error ? -error : (int64_t)status.attaches;
}

Test(shm, create_find_remove)
{
	int32_t again;
	cr_assert_eq(ipc_shm_get(ipc, 77, 100, 0600, &id), ENOENT);
	cr_assert_eq(ipc_shm_get(ipc, 77, 0, IPC_CREAT | 0600, &id), EINVAL);
	cr_assert_eq(ipc_shm_get(ipc, 77, 100, IPC_CREAT | 0600, &id), 0);
	cr_assert_eq(ipc_shm_get(ipc, 77, 100, IPC_CREAT | 0600, &again), 0);
	cr_expect_eq(id, again);
	cr_expect_eq(ipc_shm_get(ipc, 77, 101, 0, &again), EINVAL);
	cr_expect_eq(ipc_shm_get(ipc, 77, 100, IPC_CREAT | IPC_EXCL, &again), EEXIST);
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 100, SHM_HUGETLB | 0600, &again), ENOSYS, "no huge pages");
	cr_expect_eq(memory_objects, 1);
	cr_assert_eq(ipc_shm_remove(ipc, id), 0);
	cr_expect_eq(ipc_shm_remove(ipc, id), EINVAL);
	cr_expect_eq(attaches(id), -EINVAL);
	expect_nothing_left();
}

Test(shm, ids_do_not_come_again)
{
	int32_t seen[300];
	for (int i = 0; i < 300; i++) {
		cr_assert_eq(ipc_shm_get(ipc, IPC_PRIVATE, 1, 0600, &seen[i]), 0);
		for (int k = 0; k < i; k++)
			cr_assert_neq(seen[i], seen[k]);
		cr_assert_eq(ipc_shm_remove(ipc, seen[i]), 0);
		cr_expect_eq(attach(seen[i], 0), EINVAL);
	}
	expect_nothing_left();
}

Test(shm, removed_when_the_last_one_goes)
{
	cr_assert_eq(ipc_shm_get(ipc, 5, 5000, IPC_CREAT | 0600, &id), 0);
	cr_assert_eq(attach(id, 0), 0);
	cr_assert_eq(attach(id, SHM_RDONLY), 0);
	cr_expect_eq(attaches(id), 2);
	cr_assert_eq(ipc_shm_remove(ipc, id), 0);
	int32_t other;
	cr_expect_eq(ipc_shm_get(ipc, 5, 0, 0, &other), ENOENT, "the key is free");
	cr_expect_eq(attach(id, 0), 0, "the id is not");
	cr_expect_eq(attaches(id), 3);
	cr_expect_eq(ipc_shm_detach(ipc, id), 0);
	cr_expect_eq(ipc_shm_detach(ipc, id), 0);
	cr_expect_eq(attaches(id), 1);
	cr_expect_eq(ipc_shm_detach(ipc, id), 0);
	cr_expect_eq(attaches(id), -EINVAL);
	cr_expect_eq(ipc_shm_detach(ipc, id), EINVAL);
	expect_nothing_left();
}

Test(shm, nobody_detaches_for_others)
{
	cr_assert_eq(ipc_shm_get(ipc, 5, 5000, IPC_CREAT | 0666, &id), 0);
	cr_assert_eq(attach(id, 0), 0);
	as(OTHER);
	cr_expect_eq(ipc_shm_detach(ipc, id), EINVAL);
	as(OWNER);
	cr_expect_eq(attaches(id), 1);
	cr_assert_eq(ipc_shm_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(shm, fork_exec_death)
{
	cr_assert_eq(ipc_shm_get(ipc, 5, 5000, IPC_CREAT | 0600, &id), 0);
	cr_assert_eq(attach(id, 0), 0);
	cr_assert_eq(attach(id, 0), 0);
	birth(30, OWNER, 1000);
	birth(31, OWNER, 1000);
	birth(32, OTHER, 1000);
	cr_expect_eq(attaches(id), 6);
	change(30, PROC_CHANGE_KIND_EXEC);
	cr_expect_eq(attaches(id), 4);
	change(30, PROC_CHANGE_KIND_DEATH);
	cr_expect_eq(attaches(id), 4);
	change(31, PROC_CHANGE_KIND_DEATH);
	cr_expect_eq(attaches(id), 2);
	cr_assert_eq(ipc_shm_remove(ipc, id), 0);
	change(OWNER, PROC_CHANGE_KIND_DEATH);
	as(CHILD);
	cr_expect_eq(attaches(id), -EINVAL, "gone with the last one, whatever way it went");
	expect_nothing_left();
}

Test(shm, permissions)
{
	cr_assert_eq(ipc_shm_get(ipc, 5, 5000, IPC_CREAT | 0640, &id), 0);
	as(OTHER);
	cr_expect_eq(attach(id, 0), EACCES);
	cr_expect_eq(attach(id, SHM_RDONLY), EACCES);
	cr_expect_eq(attaches(id), -EACCES);
	cr_expect_eq(ipc_shm_remove(ipc, id), EPERM);
	cr_expect_eq(ipc_shm_set(ipc, id, 1, 1, 0666), EPERM);
	cr_expect_eq(ipc_shm_lock(ipc, id, 1), EPERM);
	cr_expect_eq(asked, 1, "proc is asked once");
	extra_group = 1000;
	change(OTHER, PROC_CHANGE_KIND_CREDENTIALS);
	cr_expect_eq(attach(id, SHM_RDONLY), 0, "by a supplementary group");
	cr_expect_eq(attach(id, 0), EACCES);
	cr_expect_eq(asked, 2, "and again when it changes");
	capabilities = CAPABILITY_BIT(CAPABILITY_IPC_OWNER);
	change(OTHER, PROC_CHANGE_KIND_CREDENTIALS);
	cr_expect_eq(attach(id, 0), 0);
	cr_expect_eq(ipc_shm_remove(ipc, id), EPERM);
	capabilities = CAPABILITY_BIT(CAPABILITY_SYS_ADMIN);
	change(OTHER, PROC_CHANGE_KIND_CREDENTIALS);
	cr_expect_eq(ipc_shm_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(shm, the_owner_is_not_asked_about)
{
	cr_assert_eq(ipc_shm_get(ipc, 5, 5000, IPC_CREAT | 0600, &id), 0);
	cr_expect_eq(attach(id, 0), 0);
	cr_expect_eq(ipc_shm_remove(ipc, id), 0);
	cr_expect_eq(asked, 0);
}

Test(shm, limits)
{
	int32_t more;
	root->limits.shm_segments = 2;
	root->limits.shm_pages = 3;
	root->limits.shm_max = 10000;
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 10001, 0600, &id), EINVAL);
	cr_assert_eq(ipc_shm_get(ipc, IPC_PRIVATE, 8192, 0600, &id), 0);
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 4097, 0600, &more), ENOSPC, "pages");
	cr_assert_eq(ipc_shm_get(ipc, IPC_PRIVATE, 4096, 0600, &more), 0);
	root->limits.shm_pages = 100;
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 1, 0600, &id), ENOSPC, "segments");
	cr_assert_eq(ipc_shm_remove(ipc, more), 0);
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 1, 0600, &more), 0);
}

Test(shm, a_stranger_s_principal_is_nobody)
{
	as(99);
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 10, 0600, &id), ESRCH);
	loopback_set_principal(UINT64_C(7) << 32 | OWNER);
	cr_expect_eq(ipc_shm_get(ipc, IPC_PRIVATE, 10, 0600, &id), ESRCH, "an earlier image");
}

Test(shm, without_memory)
{
	cr_assert_eq(ipc_shm_get(ipc, IPC_PRIVATE, 10, 0600, &id), 0);
	host_limit_keep(0);
	int32_t ids[2000], count = 0;
	while (count < 2000 && ipc_shm_get(ipc, IPC_PRIVATE, 10, 0600, &ids[count]) == 0)
		count++;
	cr_assert_lt(count, 2000);
	while (count > 0)
		cr_assert_eq(ipc_shm_remove(ipc, ids[--count]), 0);
	cr_assert_eq(ipc_shm_remove(ipc, id), 0);
	expect_nothing_left();
}
