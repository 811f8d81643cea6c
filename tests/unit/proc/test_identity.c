/*
 * Ids, capabilities, limits, priorities, prctl, host names, the clock, reboot.
 */
#include "fixture.h"

TestSuite(ids, .init = fixture_begin);
TestSuite(limits, .init = fixture_begin);
TestSuite(machine, .init = fixture_begin);

enum { RESUID, RESGID, UID, GID, REUID, REGID, FSUID, FSGID };
#define LEAVE UINT32_MAX

static int set(uint32_t kind, uint32_t real, uint32_t effective, uint32_t saved)
{
	uint32_t previous;
	return proc_set_ids(process_right, kind, real, effective, saved, &previous);
}

static void expect_users(uint32_t pid, uint32_t real, uint32_t effective, uint32_t saved, uint32_t fs)
{
	const struct credentials *c = &process(pid)->cred;
	cr_expect(c->uid == real && c->euid == effective && c->suid == saved && c->fsuid == fs, "%u %u %u %u", c->uid,
	          c->euid, c->suid, c->fsuid);
}

Test(ids, root_setuid_sets_all_and_drops_capabilities)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(UID, 1000, 0, 0), 0);
	expect_users(pid, 1000, 1000, 1000, 1000);
	cr_expect_eq(process(pid)->cred.cap_permitted, 0);
	cr_expect_eq(process(pid)->cred.cap_effective, 0);
	cr_expect_eq(process(pid)->cred.cap_bounding, CAPABILITY_ALL);
	cr_expect_eq(set(UID, 0, 0, 0), EPERM);
	cr_expect_eq(set(UID, 1000, 0, 0), 0);
	cr_expect_eq(fake_session(process_principal(process(pid)))->cred.euid, 1000, "vfs knows");
}

Test(ids, seteuid_and_back)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(RESUID, LEAVE, 1000, LEAVE), 0);
	expect_users(pid, 0, 1000, 0, 1000);
	cr_expect_eq(process(pid)->cred.cap_effective, 0);
	cr_expect_eq(process(pid)->cred.cap_permitted, CAPABILITY_ALL);
	cr_assert_eq(set(RESUID, LEAVE, 0, LEAVE), 0);
	cr_expect_eq(process(pid)->cred.cap_effective, CAPABILITY_ALL);
}

Test(ids, unprivileged_setresuid)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(RESUID, 10, 20, 30), 0);
	cr_expect_eq(set(RESUID, 40, LEAVE, LEAVE), EPERM);
	cr_expect_eq(set(RESUID, LEAVE, 40, LEAVE), EPERM);
	cr_expect_eq(set(RESUID, LEAVE, LEAVE, 40), EPERM);
	cr_expect_eq(set(RESUID, 30, 10, 20), 0, "any permutation");
	expect_users(pid, 30, 10, 20, 10);
	cr_expect_eq(set(RESUID, LEAVE, LEAVE, LEAVE), 0);
}

Test(ids, unprivileged_setuid)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(RESUID, 10, 20, 30), 0);
	cr_expect_eq(set(UID, 20, 0, 0), EPERM, "neither real nor saved");
	cr_expect_eq(set(UID, 30, 0, 0), 0);
	expect_users(pid, 10, 30, 30, 30);
	cr_expect_eq(set(UID, LEAVE, 0, 0), EINVAL);
}

Test(ids, setreuid_saves_the_effective_id)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(REUID, 1000, 2000, 0), 0);
	expect_users(pid, 1000, 2000, 2000, 2000);
	cr_expect_eq(set(REUID, 2000, 1000, 0), 0, "swap");
	expect_users(pid, 2000, 1000, 1000, 1000);
	cr_expect_eq(set(REUID, LEAVE, 2000, 0), 0);
	expect_users(pid, 2000, 2000, 1000, 2000);
	cr_expect_eq(set(REUID, 3000, LEAVE, 0), EPERM);
	cr_expect_eq(set(REUID, LEAVE, 3000, 0), EPERM);
}

Test(ids, groups_ids)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(set(RESGID, 5, 6, 7), 0);
	cr_expect_eq(process(pid)->cred.fsgid, 6);
	cr_expect_eq(process(pid)->cred.cap_effective, CAPABILITY_ALL, "group ids do not touch capabilities");
	cr_assert_eq(set(UID, 1000, 0, 0), 0);
	cr_expect_eq(set(GID, 6, 0, 0), EPERM);
	cr_expect_eq(set(GID, 7, 0, 0), 0);
	cr_expect_eq(process(pid)->cred.egid, 7);
	cr_expect_eq(set(REGID, 99, LEAVE, 0), EPERM);
}

Test(ids, fsuid_answers_with_the_old_one)
{
	uint32_t pid = spawn(1), previous;
	cr_assert_eq(proc_set_ids(process_right, FSUID, 1000, 0, 0, &previous), 0);
	cr_expect_eq(previous, 0);
	cr_expect_eq(process(pid)->cred.fsuid, 1000);
	cr_expect_eq(process(pid)->cred.cap_effective & CAPABILITY_BIT(1), 0, "no DAC override");
	cr_expect(process(pid)->cred.cap_effective & CAPABILITY_BIT(CAPABILITY_KILL));
	cr_assert_eq(proc_set_ids(process_right, FSUID, LEAVE, 0, 0, &previous), 0);
	cr_expect_eq(previous, 1000);
	become(pid, 1000);
	cr_assert_eq(proc_set_ids(process_right, FSUID, 5, 0, 0, &previous), 0);
	cr_expect_eq(process(pid)->cred.fsuid, 1000, "refused without an error");
}

Test(ids, bad_kind)
{
	spawn(1);
	cr_expect_eq(set(8, 0, 0, 0), EINVAL);
}

Test(ids, keep_caps)
{
	uint32_t pid = spawn(1);
	uint64_t result;
	cr_assert_eq(proc_control(process_right, 8, 1, &result), 0);
	cr_assert_eq(set(UID, 1000, 0, 0), 0);
	cr_expect_eq(process(pid)->cred.cap_permitted, CAPABILITY_ALL);
	cr_expect_eq(process(pid)->cred.cap_effective, 0);
	cr_expect_eq(proc_control(process_right, 8, 2, &result), EINVAL);
}

Test(ids, supplementary_groups)
{
	uint32_t pid = spawn(1), groups[64];
	for (uint32_t i = 0; i < 64; i++)
		groups[i] = i * 3;
	cr_assert_eq(proc_set_groups(process_right, groups, 64), 0);
	cr_expect_eq(process(pid)->cred.group_count, 64);
	cr_expect_eq(process(pid)->cred.groups[63], 189);
	cr_expect_eq(proc_set_groups(process_right, groups, 65), EINVAL);
	cr_assert_eq(proc_set_groups(process_right, groups, 0), 0);
	cr_expect_eq(process(pid)->cred.group_count, 0);
	become(pid, 1000);
	cr_expect_eq(proc_set_groups(process_right, groups, 1), EPERM);
}

Test(ids, capabilities_only_shrink)
{
	uint32_t pid = spawn(1);
	uint64_t kill = CAPABILITY_BIT(CAPABILITY_KILL);
	cr_expect_eq(proc_set_capabilities(process_right, kill, kill, 0), 0);
	cr_expect_eq(process(pid)->cred.cap_permitted, kill);
	cr_expect_eq(proc_set_capabilities(process_right, kill, kill | 1, 0), EPERM);
	cr_expect_eq(proc_set_capabilities(process_right, kill | 1, kill, 0), EPERM);
	cr_expect_eq(proc_set_capabilities(process_right, 0, 0, 1), EPERM);
	cr_expect_eq(proc_set_capabilities(process_right, 0, kill, kill), 0);
	cr_expect_eq(process(pid)->cred.cap_inheritable, kill);
}

Test(ids, credentials_of_others)
{
	uint32_t pid = spawn(1);
	struct credentials c;
	become(pid, 7);
	as(1);
	cr_assert_eq(proc_get_credentials(process_right, pid, &c), 0);
	cr_expect_eq(c.uid, 7);
	cr_expect_eq(proc_get_credentials(process_right, 9999, &c), ESRCH);
	cr_expect_eq(proc_credentials_of(process_right, process_principal(process(pid)), &c), EACCES);
	cr_assert_eq(proc_credentials_of(server_right, process_principal(process(pid)), &c), 0);
	cr_expect_eq(c.uid, 7);
	cr_expect_eq(proc_credentials_of(server_right, 12345, &c), ESRCH);
}

Test(ids, bounding_set)
{
	uint32_t pid = spawn(1);
	uint64_t result;
	cr_assert_eq(proc_control(process_right, 23, 5, &result), 0);
	cr_expect_eq(result, 1);
	cr_assert_eq(proc_control(process_right, 24, 5, &result), 0);
	cr_assert_eq(proc_control(process_right, 23, 5, &result), 0);
	cr_expect_eq(result, 0);
	cr_expect_eq(proc_control(process_right, 24, 64, &result), EINVAL);
	cr_expect_eq(proc_control(process_right, 23, 41, &result), EINVAL);
	become(pid, 1);
	cr_expect_eq(proc_control(process_right, 24, 6, &result), EPERM);
}

Test(limits, read_and_lower)
{
	uint32_t pid = spawn(1);
	struct proc_limit none = {0, 0}, value = {100, 200}, old;
	become(pid, 1000);
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 0, &none, &old), 0);
	cr_expect_eq(old.current, 1024);
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 1, &value, &old), 0);
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 0, &none, &old), 0);
	cr_expect(old.current == 100 && old.maximum == 200);
	value.maximum = 201;
	cr_expect_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 1, &value, &old), EPERM);
	value = (struct proc_limit){201, 200};
	cr_expect_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 1, &value, &old), EINVAL);
	cr_expect_eq(proc_limit(process_right, 0, 16, 0, &none, &old), EINVAL);
	cr_expect_eq(proc_limit(process_right, 9999, 7, 0, &none, &old), ESRCH);
}

Test(limits, are_inherited)
{
	uint32_t pid = spawn(1);
	struct proc_limit value = {5, 6}, old;
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_CORE, 1, &value, &old), 0);
	uint32_t child = spawn(pid);
	cr_expect_eq(process(child)->limit[RESOURCE_CORE].current, 5);
}

Test(limits, of_others)
{
	uint32_t a = spawn(1), b = spawn(1), c = spawn(1);
	struct proc_limit none = {0, 0}, old;
	become(a, 1000);
	become(b, 1000);
	become(c, 2000);
	as(a);
	cr_expect_eq(proc_limit(process_right, b, 7, 0, &none, &old), 0);
	cr_expect_eq(proc_limit(process_right, c, 7, 0, &none, &old), EPERM);
	cr_expect_eq(proc_limit(server_right, c, 11, 0, &none, &old), 0, "sig asks");
	as(1);
	cr_expect_eq(proc_limit(process_right, c, 7, 0, &none, &old), 0, "root");
}

Test(limits, nofile_has_a_ceiling)
{
	struct proc_limit value = {1 << 21, 1 << 21}, old;
	spawn(1);
	cr_expect_eq(proc_limit(process_right, 0, RESOURCE_NOFILE, 1, &value, &old), EPERM);
}

Test(limits, nice)
{
	uint32_t pid = spawn(1);
	int32_t result;
	become(pid, 1000);
	cr_assert_eq(proc_priority(process_right, 0, 0, 1, 10, &result), 0);
	cr_expect_eq(process(pid)->nice, 10);
	cr_expect_lt(task(pid)->priority, 8);
	cr_expect_eq(proc_priority(process_right, 0, 0, 1, 5, &result), EACCES);
	cr_expect_eq(proc_priority(process_right, 0, 1, 1, 19, &result), EPERM);
	cr_expect_eq(proc_priority(process_right, 0, 9999, 0, 0, &result), ESRCH);
	cr_expect_eq(proc_priority(process_right, 3, 0, 0, 0, &result), EINVAL);
	cr_assert_eq(proc_priority(process_right, 0, 0, 1, 100, &result), 0);
	cr_expect_eq(process(pid)->nice, 19, "clamped");
	as(1);
	cr_assert_eq(proc_priority(process_right, 0, pid, 1, -20, &result), 0, "root may");
	cr_assert_eq(proc_priority(process_right, 2, 1000, 0, 0, &result), 0);
	cr_expect_eq(result, -20);
}

Test(limits, usage_of_self)
{
	uint32_t pid = spawn(1), tid;
	struct rusage usage;
	task(pid)->info.user_ns = 77;
	task(pid)->info.voluntary_switches = 3;
	cr_assert_eq(proc_usage(process_right, 0, &usage), 0);
	cr_expect_eq(usage.user_ns, 77);
	cr_expect_eq(usage.voluntary_switches, 3);
	cr_expect_eq(proc_usage(process_right, 1, &usage), 0);
	cr_assert_eq(proc_thread_begin(process_right, 1, &tid), 0);
	cr_expect_eq(proc_usage(process_right, 1, &usage), EINVAL, "which of the two?");
	cr_expect_eq(proc_usage(process_right, 2, &usage), EINVAL);
}

Test(limits, name)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_set_name(process_right, "fifteen letters"), 0);
	cr_expect_str_eq(process(pid)->name, "fifteen letters");
	cr_expect_eq(proc_set_name(process_right, "sixteen letters!"), ENAMETOOLONG);
	cr_expect_str_eq(process(spawn(pid))->name, "fifteen letters");
}

Test(limits, prctl)
{
	uint32_t pid = spawn(1);
	uint64_t result;
	cr_expect_eq(proc_control(process_right, 1, 15, &result), 0);
	cr_expect_eq(proc_control(process_right, 2, 0, &result), 0);
	cr_expect_eq(result, 15);
	cr_expect_eq(proc_control(process_right, 1, 65, &result), EINVAL);
	cr_expect_eq(proc_control(process_right, 4, 0, &result), 0);
	cr_expect_eq(proc_control(process_right, 3, 0, &result), 0);
	cr_expect_eq(result, 0);
	cr_expect_eq(proc_control(process_right, 4, 2, &result), EINVAL);
	cr_expect_eq(proc_control(process_right, 38, 0, &result), EINVAL);
	cr_expect_eq(proc_control(process_right, 38, 1, &result), 0);
	cr_expect_eq(proc_control(process_right, 39, 0, &result), 0);
	cr_expect_eq(result, 1);
	cr_expect_eq(proc_control(process_right, 999, 0, &result), EINVAL);
	uint32_t child = spawn(pid);
	cr_expect_eq(process(child)->death_signal, 0, "not inherited");
	cr_expect_eq(process(child)->cred.no_new_privileges, 1, "inherited");
}

Test(machine, host_name)
{
	char name[65];
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_host_name(process_right, 0, name, sizeof(name)), 0);
	cr_expect_str_eq(name, "portico");
	cr_assert_eq(proc_set_host_name(process_right, 0, "other"), 0);
	cr_assert_eq(proc_set_host_name(process_right, 1, "example"), 0);
	cr_assert_eq(proc_host_name(process_right, 0, name, sizeof(name)), 0);
	cr_expect_str_eq(name, "other");
	cr_assert_eq(proc_host_name(process_right, 1, name, sizeof(name)), 0);
	cr_expect_str_eq(name, "example");
	cr_expect_eq(proc_set_host_name(process_right, 2, "x"), EINVAL);
	become(pid, 1000);
	cr_expect_eq(proc_set_host_name(process_right, 0, "x"), EPERM);
}

Test(machine, system_information)
{
	struct proc_system_information s;
	spawn(1);
	cr_assert_eq(proc_system(process_right, &s), 0);
	cr_expect_eq(s.processes, 2);
	cr_expect_eq(s.memory_total, 256u << 20);
	cr_expect_eq(s.load[0], 0x18000);
	cr_expect_eq(s.uptime_ns, 1000000000);
}

Test(machine, reboot)
{
	uint32_t pid = spawn(1);
	cr_expect_eq(proc_reboot(process_right, 0x12345678), EINVAL);
	cr_expect_eq(proc_reboot(process_right, 0x89abcdef), 0);
	cr_expect_eq(fake_root.powers, 0);
	cr_expect_eq(proc_reboot(process_right, 0x01234567), 0);
	cr_expect_eq(fake_root.action, POWER_REBOOT);
	become(pid, 1000);
	cr_expect_eq(proc_reboot(process_right, 0x4321fedc), EPERM);
	cr_expect_eq(fake_root.powers, 1);
}

Test(machine, clock)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_set_clock(process_right, 5000000000), 0);
	cr_expect_eq(fake_root.clock, 4000000000);
	cr_expect_eq(proc_set_clock(process_right, -1), EINVAL);
	become(pid, 1000);
	cr_expect_eq(proc_set_clock(process_right, 1), EPERM);
}
