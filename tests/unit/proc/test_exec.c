/*
 * exec: the image that comes out, scripts, interpreters, set-id programs, and that a failure leaves nothing behind.
 */
#include "fixture.h"
#include "make_elf.h"

#include <portico/layout.h>
#include <portico/signal_page.h>
#include <portico/start.h>

TestSuite(exec, .init = fixture_begin);

static const char *const argv[] = {"zero", "one", "", "three", NULL};
static const char *const envp[] = {"HOME=/", "X=", NULL};

static uint64_t auxiliary(struct fake_task *t, uint64_t stack, uint64_t type)
{
	uint64_t at = stack + 8 * (fake_word(t, stack) + 2);
	while (fake_word(t, at) != 0)
		at += 8;
	for (at += 8; fake_word(t, at) != 0; at += 16) {
		if (fake_word(t, at) == type)
			return fake_word(t, at + 8);
	}
	return UINT64_MAX;
}

static void read_start(struct fake_task *t, struct posix_start *start)
{
	cr_assert(fake_memory(t, LIBPOSIX_HEAP, start, sizeof(*start)));
}

static void expect_string(struct fake_task *t, uint64_t address, const char *text)
{
	char bytes[256];
	cr_assert(fake_memory(t, address, bytes, strlen(text) + 1));
	cr_expect_str_eq(bytes, text);
}

Test(exec, stack_is_as_the_abi_says)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	struct fake_task *t = task(pid);
	read_start(t, &start);
	uint64_t sp = start.stack;
	cr_expect_eq(sp % 16, 0);
	cr_expect_eq(fake_word(t, sp), 4);
	expect_string(t, fake_word(t, sp + 8), "zero");
	expect_string(t, fake_word(t, sp + 24), "");
	expect_string(t, fake_word(t, sp + 32), "three");
	cr_expect_eq(fake_word(t, sp + 40), 0);
	expect_string(t, fake_word(t, sp + 48), "HOME=/");
	expect_string(t, fake_word(t, sp + 56), "X=");
	cr_expect_eq(fake_word(t, sp + 64), 0);
	cr_expect_eq(auxiliary(t, sp, 3), 0x400040);
	cr_expect_eq(auxiliary(t, sp, 4), 56);
	cr_expect_eq(auxiliary(t, sp, 5), 3);
	cr_expect_eq(auxiliary(t, sp, 6), 4096);
	cr_expect_eq(auxiliary(t, sp, 7), 0);
	cr_expect_eq(auxiliary(t, sp, 9), 0x400400);
	cr_expect_eq(auxiliary(t, sp, 11), 0);
	cr_expect_eq(auxiliary(t, sp, 17), 100);
	cr_expect_eq(auxiliary(t, sp, 23), 0);
	expect_string(t, auxiliary(t, sp, 31), "/bin/program");
	expect_string(t, auxiliary(t, sp, 15), "x86_64");
	cr_expect_neq(fake_word(t, auxiliary(t, sp, 25)), 0);
	cr_expect_eq(auxiliary(t, sp, 51), 2048);
}

Test(exec, segments_and_bss)
{
	uint32_t pid = spawn_program(1);
	struct fake_task *t = task(pid);
	uint8_t b[0x2800];
	cr_assert(fake_memory(t, 0x401000, b, sizeof(b)));
	cr_expect_eq(b[0x122], 0xdd);
	for (size_t i = 0x123; i < sizeof(b); i++)
		cr_assert_eq(b[i], 0, "bss at %zx", i);
	cr_expect(!fake_memory(t, 0x404000, b, 1));
	cr_expect(!fake_memory(t, 0x3ff000, b, 1));
	cr_expect(fake_memory(t, LIBPOSIX_TEXT, b, 1));
	cr_expect(fake_memory(t, THREAD_AREAS + 0x5000, b, 1));
	cr_expect(!fake_memory(t, THREAD_AREAS + 0x4000, b, 1), "guard");
	for (unsigned i = 0; i < t->mappings; i++) {
		if (t->mapping[i].start >= LIBPOSIX_TEXT && (t->mapping[i].flags & VM_WRITE))
			cr_expect_eq(t->mapping[i].flags & VM_INHERIT_MASK, VM_INHERIT_ALWAYS_COPY);
	}
}

Test(exec, starts_in_libposix)
{
	uint32_t pid = spawn_program(1);
	struct fake_task *t = task(pid);
	struct posix_start start;
	char state[12];
	cr_expect(t->started);
	cr_expect_eq(t->frame.rip, LIBPOSIX_TEXT + 0x400);
	cr_expect_eq(t->frame.rdi, THREAD_AREAS);
	cr_expect_eq(t->frame.rsp, THREAD_AREAS + THREAD_AREA_STACK_TOP);
	cr_expect_eq(t->slot, 0);
	read_start(t, &start);
	cr_expect_eq(start.magic, START_MAGIC);
	cr_expect_eq(start.entry, 0x400400);
	cr_expect_eq(start.brk, 0x404000);
	cr_expect_eq(start.pid, pid);
	cr_expect_eq(start.parent, 1);
	cr_expect_str_eq(start.path, "/bin/program");
	cr_expect_str_eq(start.name, "program");
	cr_assert_eq(start.state_size, 12);
	cr_assert(fake_memory(t, LIBPOSIX_HEAP + sizeof(start), state, 12));
	cr_expect_str_eq(state, "descriptors");
}

Test(exec, the_old_image_is_gone)
{
	uint32_t pid = spawn(1), tid;
	uint64_t old = process_principal(process(pid));
	as(pid);
	cr_assert_eq(proc_thread_begin(process_right, 1, &tid), 0);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect(!fake_task(old)->alive);
	cr_expect_null(fake_session(old));
	struct fake_session *s = fake_session(process_principal(process(pid)));
	cr_assert_not_null(s);
	cr_expect_eq(s->parent, old);
	cr_expect_eq(task(pid)->duplicate_flags, TASK_DUP_RIGHTS);
	cr_expect_eq(process(pid)->thread_count, 1);
	cr_expect_not_null(fake_task_right(task(pid), NAME_CWD));
	cr_expect_eq(fake_tasks_alive(), 2);
}

Test(exec, position_independent)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	cr_assert_eq(exec(pid, "/bin/pie", argv, envp), 0);
	read_start(task(pid), &start);
	cr_expect_eq(start.entry, PIE_BASE + 0x400);
	cr_expect_eq(start.brk, PIE_BASE + 0x4000);
	cr_expect_eq(auxiliary(task(pid), start.stack, 3), PIE_BASE + 64);
}

Test(exec, interpreter)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	cr_assert_eq(exec(pid, "/bin/dynamic", argv, envp), 0);
	read_start(task(pid), &start);
	cr_expect_eq(start.entry, INTERPRETER_BASE + 0x400);
	cr_expect_eq(auxiliary(task(pid), start.stack, 7), INTERPRETER_BASE);
	cr_expect_eq(auxiliary(task(pid), start.stack, 9), PIE_BASE + 0x400);
}

Test(exec, bad_interpreter_is_elibbad)
{
	uint32_t pid = spawn(1);
	static const char junk[4096] = "junk";
	fake_find_file("/lib/ld.so")->bytes = junk;
	fake_find_file("/lib/ld.so")->size = sizeof(junk);
	cr_expect_eq(exec(pid, "/bin/dynamic", argv, envp), ELIBBAD);
	fake_find_file("/lib/ld.so")->error = ENOENT;
	cr_expect_eq(exec(pid, "/bin/dynamic", argv, envp), ENOENT);
	cr_expect(task(pid)->alive);
}

static char script[4096] = "#!/bin/program -e x \necho\n";

Test(exec, script)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	fake_add_file("/tmp/script", script, sizeof(script), 0100755, 0, 0);
	cr_assert_eq(exec(pid, "/tmp/script", argv, envp), 0);
	struct fake_task *t = task(pid);
	read_start(t, &start);
	cr_expect_eq(fake_word(t, start.stack), 6);
	expect_string(t, fake_word(t, start.stack + 8), "/bin/program");
	expect_string(t, fake_word(t, start.stack + 16), "-e x");
	expect_string(t, fake_word(t, start.stack + 24), "/tmp/script");
	expect_string(t, fake_word(t, start.stack + 32), "one");
	expect_string(t, auxiliary(t, start.stack, 31), "/tmp/script");
	cr_expect_str_eq(start.name, "script");
	cr_expect_str_eq(start.path, "/bin/program");
}

Test(exec, scripts_that_never_end)
{
	uint32_t pid = spawn(1);
	static const char loop[64] = "#!/tmp/loop\n";
	fake_add_file("/tmp/loop", loop, sizeof(loop), 0100755, 0, 0);
	cr_expect_eq(exec(pid, "/tmp/loop", argv, envp), ELOOP);
}

Test(exec, no_program)
{
	static const char text[] = "hello", empty[1] = "";
	uint32_t pid = spawn(1);
	fake_add_file("/tmp/text", text, sizeof(text), 0100755, 0, 0);
	fake_add_file("/tmp/empty", empty, 0, 0100755, 0, 0);
	cr_expect_eq(exec(pid, "/tmp/text", argv, envp), ENOEXEC);
	cr_expect_eq(exec(pid, "/tmp/empty", argv, envp), ENOEXEC);
	cr_expect_eq(exec(pid, "/tmp/none", argv, envp), ENOENT);
	fake_find_file("/bin/program")->error = EACCES;
	cr_expect_eq(exec(pid, "/bin/program", argv, envp), EACCES);
	cr_expect(task(pid)->alive);
	cr_expect_eq(fake_tasks_alive(), 2);
}

Test(exec, fails_at_every_step_without_leaving_anything)
{
	uint32_t pid = spawn_program(1);
	as(pid);
	/* The fake keeps one name for each file that was ever opened. */
	size_t rights = loopback_rights(LOOPBACK_SERVER), used = keep_used();
	unsigned nth;
	for (nth = 1; nth < 200; nth++) {
		fake_kernel_fail(nth);
		int error = exec(pid, "/bin/program", argv, envp);
		fake_kernel_fail(0);
		if (error == 0)
			break;
		cr_assert_eq(loopback_rights(LOOPBACK_SERVER), rights, "step %u", nth);
		cr_assert_eq(keep_used(), used, "step %u", nth);
		cr_assert_eq(fake_tasks_alive(), 2);
		cr_assert_eq(fake_sessions_live(), 2);
	}
	cr_expect(nth > 15 && nth < 200);
}

Test(exec, vfs_refuses_the_session)
{
	uint32_t pid = spawn(1);
	fake_vfs.session_error = ENOMEM;
	cr_expect_eq(exec(pid, "/bin/program", argv, envp), ENOMEM);
	fake_vfs.session_error = 0;
	cr_expect_eq(fake_sessions_live(), 2);
	cr_expect_eq(exec(pid, "/bin/program", argv, envp), 0);
}

Test(exec, faulting_windows_repeat_the_request)
{
	uint32_t pid = spawn(1);
	loopback_fault_window(1);
	cr_expect_eq(exec(pid, "/bin/program", argv, envp), 0);
	loopback_fault_window(3);
	cr_expect_eq(exec(pid, "/bin/program", argv, envp), 0);
}

Test(exec, set_user_id)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	fake_find_file("/bin/program")->mode = 0104755;
	fake_find_file("/bin/program")->uid = 50;
	become(pid, 1000);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	const struct credentials *c = &process(pid)->cred;
	cr_expect(c->uid == 1000 && c->euid == 50 && c->suid == 50 && c->fsuid == 50);
	read_start(task(pid), &start);
	cr_expect_eq(start.secure, 1);
	cr_expect_eq(start.euid, 50);
	cr_expect_eq(auxiliary(task(pid), start.stack, 12), 50);
	cr_expect_eq(auxiliary(task(pid), start.stack, 23), 1);
	cr_expect_eq(fake_session(process_principal(process(pid)))->cred.euid, 50);
	cr_expect(!process(pid)->dumpable);
}

Test(exec, set_user_id_root_gains_capabilities)
{
	uint32_t pid = spawn(1);
	fake_find_file("/bin/program")->mode = 0104755;
	become(pid, 1000);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(process(pid)->cred.cap_effective, CAPABILITY_ALL);
}

Test(exec, no_new_privileges)
{
	uint32_t pid = spawn(1);
	uint64_t result;
	fake_find_file("/bin/program")->mode = 0106755;
	become(pid, 1000);
	proc_control(process_right, 38, 1, &result);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(process(pid)->cred.euid, 1000);
}

Test(exec, set_group_id_needs_group_execution)
{
	uint32_t pid = spawn(1);
	become(pid, 1000);
	fake_find_file("/bin/program")->gid = 60;
	fake_find_file("/bin/program")->mode = 0102745;
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(process(pid)->cred.egid, 1000);
	fake_find_file("/bin/program")->mode = 0102755;
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(process(pid)->cred.egid, 60);
}

Test(exec, user_loses_capabilities)
{
	uint32_t pid = spawn(1);
	uint64_t result;
	uint32_t previous;
	as(pid);
	proc_control(process_right, 8, 1, &result);
	proc_set_ids(process_right, 0, 1000, 1000, 1000, &previous);
	cr_expect_neq(process(pid)->cred.cap_permitted, 0);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(process(pid)->cred.cap_permitted, 0);
}

Test(exec, without_arguments_there_is_an_empty_one)
{
	uint32_t pid = spawn(1);
	struct posix_start start;
	cr_assert_eq(exec(pid, "/bin/program", NULL, NULL), 0);
	read_start(task(pid), &start);
	cr_expect_eq(fake_word(task(pid), start.stack), 1);
	expect_string(task(pid), fake_word(task(pid), start.stack + 8), "");
}

Test(exec, too_many_bytes)
{
	static char big[131073], fits[131072];
	uint32_t pid = spawn(1);
	struct proc_limit small = {1 << 20, RESOURCE_UNLIMITED}, old;
	memset(big, 'a', sizeof(big) - 1);
	memset(fits, 'a', sizeof(fits) - 1);
	const char *const one[] = {big, NULL};
	cr_expect_eq(exec(pid, "/bin/program", one, NULL), E2BIG);
	const char *const six[] = {fits, fits, fits, fits, fits, fits, NULL};
	cr_expect_eq(exec(pid, "/bin/program", six, NULL), 0);
	as(pid);
	cr_assert_eq(proc_limit(process_right, 0, RESOURCE_STACK, 1, &small, &old), 0);
	cr_expect_eq(exec(pid, "/bin/program", six, NULL), E2BIG, "more than a quarter of the stack");
}

Test(exec, strings_that_are_none)
{
	uint32_t pid = spawn(1);
	port_name_t base = loopback_connect(fake_vfs.port, 1);
	as(pid);
	cr_expect_eq(proc_exec(process_right, base, "/bin/program", 0, "abc", 3, 1, "", 0, 0, "", 0), EINVAL, "no NUL");
	cr_expect_eq(proc_exec(process_right, base, "/bin/program", 0, "a\0b", 4, 1, "", 0, 0, "", 0), EINVAL,
	             "more than told");
	cr_expect_eq(proc_exec(process_right, base, "/bin/program", 0, "a", 2, 2, "", 0, 0, "", 0), EINVAL,
	             "fewer than told");
	cr_expect_eq(proc_exec(process_right, base, "/bin/program", 0, "a", 2, 1, "x", 1, 1, "", 0), EINVAL);
}

Test(exec, own_image_through_proc)
{
	uint32_t pid = spawn_program(1);
	struct posix_start start;
	cr_assert_eq(exec(pid, "/proc/self/exe", argv, envp), 0);
	read_start(task(pid), &start);
	cr_expect_str_eq(start.path, "/bin/program");
	cr_expect_eq(exec(pid, "/proc/1/exe", argv, envp), 0);
	read_start(task(pid), &start);
	cr_expect_str_eq(start.path, "/sbin/init");
	cr_expect_eq(exec(pid, "/proc/999/exe", argv, envp), EACCES);
	cr_expect_eq(exec(pid, "/proc/uptime", argv, envp), EACCES);
}

Test(exec, stopped_stays_stopped)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(proc_stop(server_right, pid, 19), 0);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	cr_expect_eq(task(pid)->suspended, 1);
	cr_assert_eq(proc_resume(server_right, pid), 0);
	cr_expect_eq(task(pid)->suspended, 0);
}

/* The page where zeros begin is not in the file: as on Linux it is too late for an error. */
Test(exec, cut_off_before_its_zeros)
{
	static struct elf_bytes e;
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	size_t rights = loopback_rights(LOOPBACK_SERVER);
	make_elf(&e, 2, 0x400000, NULL);
	put64(&e, PHDR(1) + P_OFFSET, 0x100000);
	fake_add_file("/tmp/cut", &e, sizeof(e), 0100755, 0, 0);
	cr_expect_neq(exec(pid, "/tmp/cut", argv, envp), ENOEXEC);
	cr_assert_eq(wait_for(1, PROC_WAIT_KIND_PID, pid, WAIT_EXITED, &r), 0);
	cr_expect_eq(r.status, SIGNAL_SEGMENT);
	cr_expect_eq(fake_tasks_alive(), 1);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights - 2 + 1,
	             "less task and thread, and the file object of the fake");
}

Test(exec, the_file_is_held_while_it_runs)
{
	uint32_t pid = spawn(1);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	struct running_program *program = process(pid)->program;
	cr_assert_not_null(program);
	cr_expect_neq(program->file, PORT_NULL);
	uint32_t child = spawn(pid);
	cr_expect_eq(process(child)->program, program);
	cr_expect_eq(program->users, 2);
	cr_assert_eq(exec(pid, "/bin/pie", argv, envp), 0);
	cr_expect_neq(process(pid)->program, program);
	cr_expect_eq(program->users, 1);
	size_t rights = loopback_rights(LOOPBACK_SERVER);
	uint64_t task_and_thread = 2;
	die(child, 0);
	cr_expect_null(process(child)->program, "a zombie runs nothing");
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights - task_and_thread - 1);
}

Test(exec, image_beyond_its_place)
{
	static struct elf_bytes e;
	uint32_t pid = spawn(1);
	make_elf(&e, 2, 0x400000, NULL);
	put64(&e, PHDR(1) + P_VADDR, LIBPOSIX_TEXT + 0x1000);
	fake_add_file("/tmp/high", &e, sizeof(e), 0100755, 0, 0);
	cr_expect_eq(exec(pid, "/tmp/high", argv, envp), ENOEXEC);
}

Test(exec, hex_arguments_of_the_runner)
{
	/* "sh\0-c\0" */
	fixture_begin_with("7368002d6300", NULL);
	struct posix_start start;
	read_start(task(1), &start);
	cr_expect_eq(fake_word(task(1), start.stack), 3);
	expect_string(task(1), fake_word(task(1), start.stack + 8), "/sbin/portico-run");
	expect_string(task(1), fake_word(task(1), start.stack + 16), "sh");
	expect_string(task(1), fake_word(task(1), start.stack + 24), "-c");
}

Test(exec, another_init)
{
	fixture_begin_with(NULL, "/bin/pie");
	cr_expect_str_eq(process(1)->exe, "/bin/pie");
}
