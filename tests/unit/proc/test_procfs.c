/*
 * /proc: names, contents, links, directories, and what it refuses.
 */
#include "fixture.h"

#include <io_client.h>
#include <portico/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <vfs_client.h>

static port_name_t top;

static void begin(void)
{
	fixture_begin();
	top = loopback_connect(NAME_SERVICE, (UINT64_C(2) << 56) | 17);
}

TestSuite(procfs, .init = begin);

static int open_file(const char *path, uint32_t flags, port_name_t *file)
{
	uint32_t kind;
	return vfs_open(top, path, flags, 0, file, &kind);
}

static char contents[65536];

/* Reads a whole file in pieces. */
static const char *slurp(const char *path)
{
	port_name_t file;
	size_t size = 0;
	uint64_t done;
	int error = open_file(path, 0, &file);
	cr_assert_eq(error, 0, "%s: %d", path, error);
	do {
		error = io_read(file, IO_OFFSET_CURRENT, 0, contents + size, 100, &done);
		cr_assert_eq(error, 0, "%s: %d", path, error);
		size += done;
	} while (done > 0 && size < sizeof(contents) - 101);
	contents[size] = '\0';
	loopback_release(file);
	return contents;
}

static void expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	cr_expect(at && (at == text || at[-1] == '\n'), "no line \"%s\" in:\n%s", line, text);
}

Test(procfs, system_files)
{
	host_set_time(12340000000);
	cr_expect_str_eq(slurp("uptime"), "12.34 0.00\n");
	cr_expect_str_eq(slurp("loadavg"), "1.50 0.00 0.00 1/1 1\n");
	expect_line(slurp("meminfo"), "MemTotal:         262144 kB\n");
	expect_line(slurp("meminfo"), "MemFree:            2400 kB\n");
	expect_line(slurp("stat"), "cpu  ");
	expect_line(slurp("stat"), "cpu1 ");
	expect_line(slurp("stat"), "processes 1\n");
	expect_line(slurp("cpuinfo"), "processor\t: 1\n");
	expect_line(slurp("filesystems"), "nodev\tproc\n");
	cr_expect_str_eq(slurp("sys/kernel/hostname"), "portico\n");
	cr_expect_str_eq(slurp("sys/kernel/osrelease"), "6.1.0-portico\n");
	cr_expect_str_eq(slurp("sys/kernel/pid_max"), "32768\n");
	cr_expect_str_eq(slurp("sys/kernel/ngroups_max"), "64\n");
	cr_expect_eq(strlen(slurp("sys/kernel/random/uuid")), 37);
	expect_line(slurp("version"), "Portico version 6.1.0-portico");
}

Test(procfs, stat_of_a_process)
{
	uint32_t pid = spawn_program(1);
	char path[64], name[64], state;
	unsigned number, parent, group, session;
	unsigned long long user;
	task(pid)->info.user_ns = 1500000000;
	task(pid)->info.virtual_pages = 100;
	snprintf(path, sizeof(path), "%u/stat", pid);
	const char *text = slurp(path);
	int fields = sscanf(text, "%u (%63[^)]) %c %u %u %u %*d %*d %*u %*u %*u %*u %*u %llu", &number, name, &state,
	                    &parent, &group, &session, &user);
	cr_assert_eq(fields, 7, "%s", text);
	cr_expect_eq(number, pid);
	cr_expect_str_eq(name, "program");
	cr_expect_eq(state, 'R', "it asks, so it runs");
	cr_expect_eq(parent, 1);
	cr_expect_eq(user, 150);
	unsigned blanks = 0;
	for (const char *p = text; *p; p++)
		blanks += *p == ' ';
	cr_expect_eq(blanks, 51, "52 fields");
}

static void expect_terminal(uint32_t pid, int number, int foreground)
{
	char path[64];
	int tty, group;
	snprintf(path, sizeof(path), "%u/stat", pid);
	const char *text = slurp(path);
	cr_assert_eq(sscanf(text, "%*u (%*63[^)]) %*c %*u %*u %*u %d %d", &tty, &group), 2, "%s", text);
	cr_expect_eq(tty, number);
	cr_expect_eq(group, foreground);
}

Test(procfs, controlling_terminal)
{
	uint32_t pid = spawn(1), session;
	as(pid);
	cr_assert_eq(proc_new_session(process_right, &session), 0);
	uint32_t child = spawn(pid);
	expect_terminal(child, 0, -1);
	cr_expect_eq(proc_terminal(process_right, 0x440, session, session), EACCES, "only tty says so");
	cr_assert_eq(proc_terminal(server_right, 0x440, session, session), 0);
	cr_assert_eq(proc_terminal(server_right, 0x440, session, child), 0);
	expect_terminal(child, 0x440, (int)child);
	expect_terminal(1, 0, -1);
	cr_assert_eq(proc_terminal(server_right, 0x440, 0, 0), 0);
	expect_terminal(child, 0, -1);
	for (uint32_t i = 1; i < TERMINALS_MAX; i++)
		cr_assert_eq(proc_terminal(server_right, i, 0, 0), 0);
	cr_expect_eq(proc_terminal(server_right, 0x441, session, session), ENOSPC);
}

Test(procfs, states)
{
	uint32_t pid = spawn(1);
	char path[64];
	snprintf(path, sizeof(path), "%u/status", pid);
	expect_line(slurp(path), "State:\tR (running)\n");
	as(1);
	expect_line(slurp(path), "State:\tS (sleeping)\n");
	proc_stop(server_right, pid, 19);
	expect_line(slurp(path), "State:\tT (stopped)\n");
	die(pid, 0);
	as(1);
	expect_line(slurp(path), "State:\tZ (zombie)\n");
	snprintf(path, sizeof(path), "%u/cmdline", pid);
	cr_expect_str_empty(slurp(path));
}

Test(procfs, status_of_a_process)
{
	uint32_t pid = spawn_program(1);
	become(pid, 1000);
	const char *text = slurp("self/status");
	expect_line(text, "Name:\tprogram\n");
	expect_line(text, "PPid:\t1\n");
	expect_line(text, "Uid:\t1000\t1000\t1000\t1000\n");
	expect_line(text, "Threads:\t1\n");
	expect_line(text, "CapEff:\t0000000000000000\n");
	expect_line(text, "CapBnd:\t000001ffffffffff\n");
}

Test(procfs, command_line_and_environment)
{
	uint32_t pid = spawn_program(1);
	port_name_t file;
	char bytes[64] = "";
	uint64_t done;
	as(pid);
	cr_assert_eq(open_file("self/cmdline", 0, &file), 0);
	cr_assert_eq(io_read(file, 0, 0, bytes, sizeof(bytes), &done), 0);
	cr_expect_eq(done, sizeof("program\0argument"));
	cr_expect(memcmp(bytes, "program\0argument", done) == 0);
	cr_expect_str_eq(slurp("self/environ"), "A=b");
	cr_expect_str_eq(slurp("self/comm"), "program\n");
}

Test(procfs, environment_is_private)
{
	uint32_t victim = spawn_program(1), other = spawn(1);
	port_name_t file;
	char path[64];
	become(other, 1000);
	snprintf(path, sizeof(path), "%u/environ", victim);
	cr_expect_eq(open_file(path, 0, &file), EACCES);
	snprintf(path, sizeof(path), "%u/status", victim);
	cr_expect_eq(open_file(path, 0, &file), 0);
}

Test(procfs, maps_and_limits)
{
	uint32_t pid = spawn_program(1);
	as(pid);
	const char *text = slurp("self/maps");
	expect_line(text, "00400000-00401000 r-xp 00000000 00:00 7");
	cr_expect_not_null(strstr(text, "/bin/program\n"));
	cr_expect_not_null(strstr(text, "[stack]\n"));
	cr_expect_not_null(strstr(text, "[libposix]\n"));
	text = slurp("self/limits");
	expect_line(text, "Max open files            1024                 4096                 files");
	expect_line(text, "Max cpu time              unlimited            unlimited            seconds");
	expect_line(slurp("self/statm"), "0 0 0 4 0 0 0\n");
}

Test(procfs, mounts_come_from_vfs)
{
	as(1);
	cr_expect_str_eq(slurp("self/mounts"), "root / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
	cr_expect_str_eq(slurp("mounts"), "root / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
}

static int link_of(const char *path, char *target, size_t size)
{
	size_t length = 0;
	memset(target, 0, size);
	return vfs_read_link(top, path, target, size - 1, &length);
}

Test(procfs, links)
{
	char target[3000];
	uint32_t pid = spawn_program(1);
	as(pid);
	cr_assert_eq(link_of("self", target, sizeof(target)), 0);
	cr_expect_eq((uint32_t)atoi(target), pid);
	cr_assert_eq(link_of("self/exe", target, sizeof(target)), 0);
	cr_expect_str_eq(target, "/bin/program");
	cr_assert_eq(link_of("self/cwd", target, sizeof(target)), 0);
	cr_expect_str_eq(target, "/home/user");
	cr_assert_eq(link_of("thread-self/root", target, sizeof(target)), 0);
	cr_expect_str_eq(target, "/");
	cr_expect_eq(link_of("uptime", target, sizeof(target)), EINVAL);
	cr_expect_eq(link_of("nothing", target, sizeof(target)), ENOENT);
}

Test(procfs, paths_that_lead_out)
{
	port_name_t file, target = 1;
	uint32_t server, kind, pid = spawn_program(1);
	char rest[2801];
	as(pid);
	cr_expect_eq(open_file("self/exe", 0, &file), EREMOTE);
	cr_assert_eq(vfs_refer(top, "self/exe", 0, 0, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_eq(server, VFS_SERVER_ID_VFS);
	cr_expect_eq(target, PORT_NULL);
	cr_expect_str_eq(rest, "/bin/program");
	cr_assert_eq(vfs_refer(top, "../etc/passwd", 0, 0, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_str_eq(rest, "/etc/passwd");
	cr_assert_eq(vfs_refer(top, "self/cwd/a/b", 0, 0, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_str_eq(rest, "/home/user/a/b");
	cr_expect_eq(vfs_refer(top, "self/stat", 0, 0, 0, &server, &target, rest, sizeof(rest), &kind), EINVAL);
	cr_expect_eq(open_file("self/exe", 0400000, &file), ELOOP, "O_NOFOLLOW");
}

Test(procfs, walking)
{
	port_name_t file;
	struct attributes attr;
	as(1);
	cr_expect_eq(open_file("./self/../1//stat", 0, &file), 0);
	cr_expect_eq(open_file("1/task/1/stat", 0, &file), 0);
	cr_expect_eq(open_file("1/task/1/task", 0, &file), ENOENT);
	cr_expect_eq(open_file("1/task/2/stat", 0, &file), ENOENT);
	cr_expect_eq(open_file("01/stat", 0, &file), ENOENT);
	cr_expect_eq(open_file("4294967297/stat", 0, &file), ENOENT);
	cr_expect_eq(open_file("uptime/x", 0, &file), ENOTDIR);
	cr_expect_eq(open_file("uptime/", 0, &file), ENOTDIR);
	cr_expect_eq(open_file("", 0, &file), 0, "the directory itself");
	cr_assert_eq(vfs_stat(top, "self", VFS_LOOKUP_NO_FOLLOW, &attr), 0);
	cr_expect_eq(attr.mode, 0120777);
	cr_assert_eq(vfs_stat(top, "self", 0, &attr), 0);
	cr_expect_eq(attr.mode, 040555);
	char path[900] = "";
	for (int i = 0; i < 40; i++)
		strcat(path, "self/../");
	cr_expect_eq(open_file(path, 0, &file), ELOOP);
}

Test(procfs, owner_is_the_process)
{
	struct attributes attr;
	char path[32];
	uint32_t pid = spawn(1);
	uint32_t previous;
	as(pid);
	proc_set_ids(process_right, 1, 30, 30, 30, &previous);
	proc_set_ids(process_right, 0, 20, 20, 20, &previous);
	snprintf(path, sizeof(path), "%u", pid);
	cr_assert_eq(vfs_stat(top, path, 0, &attr), 0);
	cr_expect_eq(attr.uid, 0, "not dumpable after a change");
	uint64_t result;
	proc_control(process_right, 4, 1, &result);
	cr_assert_eq(vfs_stat(top, path, 0, &attr), 0);
	cr_expect_eq(attr.uid, 20);
	cr_expect_eq(attr.gid, 30);
}

struct entry {
	uint64_t inode, next;
	uint16_t length;
	uint8_t type;
	char name[];
} __attribute__((packed));

/* Lists a directory with windows of `step` bytes into `names`, blank separated. */
static void list(const char *path, size_t step, char *names)
{
	port_name_t file;
	_Alignas(8) uint8_t buffer[4096];
	uint64_t done;
	names[0] = '\0';
	cr_assert_eq(open_file(path, 0200000, &file), 0);
	for (;;) {
		cr_assert_eq(io_read_directory(file, buffer, step, &done), 0);
		if (done == 0)
			break;
		for (uint64_t at = 0; at < done;) {
			const struct entry *e = (const void *)(buffer + at);
			cr_assert(e->length % 8 == 0 && at + e->length <= done);
			strcat(strcat(names, e->name), " ");
			at += e->length;
		}
	}
	loopback_release(file);
}

Test(procfs, directories)
{
	char names[4096], small[4096];
	uint32_t a = spawn(1), b = spawn(1), tid;
	as(a);
	list("", 4096, names);
	list("", 40, small);
	cr_expect_str_eq(names, small);
	char tail[64];
	snprintf(tail, sizeof(tail), " 1 %u %u ", a, b);
	cr_expect(strlen(names) > strlen(tail) && strcmp(names + strlen(names) - strlen(tail), tail) == 0, "%s", names);
	cr_expect_eq(strncmp(names, ". .. ", 5), 0);
	cr_expect_not_null(strstr(names, " self "));
	cr_assert_eq(proc_thread_begin(process_right, 1, &tid), 0);
	list("self/task", 4096, names);
	snprintf(tail, sizeof(tail), ". .. %u %u ", a, tid);
	cr_expect_str_eq(names, tail);
	list("self/fd", 4096, names);
	cr_expect_str_eq(names, ". .. ");
}

Test(procfs, directory_windows)
{
	port_name_t file;
	uint8_t buffer[64];
	uint64_t done;
	cr_assert_eq(open_file("", 0200000, &file), 0);
	cr_expect_eq(io_read_directory(file, buffer, 8, &done), EINVAL);
	cr_expect_eq(io_read(file, 0, 0, buffer, 8, &done), EISDIR);
	cr_assert_eq(open_file("uptime", 0, &file), 0);
	cr_expect_eq(io_read_directory(file, buffer, 64, &done), ENOTDIR);
}

Test(procfs, a_reader_sees_one_state)
{
	port_name_t file;
	char a[4], b[64];
	uint64_t done;
	int64_t position;
	cr_assert_eq(open_file("uptime", 0, &file), 0);
	host_set_time(11110000000);
	cr_assert_eq(io_read(file, IO_OFFSET_CURRENT, 0, a, 4, &done), 0);
	host_set_time(99990000000);
	cr_assert_eq(io_read(file, IO_OFFSET_CURRENT, 0, b, 64, &done), 0);
	cr_expect(memcmp(a, "11.1", 4) == 0 && memcmp(b, "1 0.00\n", 7) == 0);
	cr_assert_eq(io_seek(file, 0, 0, &position), 0);
	cr_assert_eq(io_read(file, IO_OFFSET_CURRENT, 0, a, 4, &done), 0);
	cr_expect(memcmp(a, "99.9", 4) == 0, "from the start: anew");
	cr_expect_eq(io_seek(file, 0, 2, &position), EINVAL);
	cr_expect_eq(io_seek(file, -1, 0, &position), EINVAL);
	cr_expect_eq(io_read(file, -5, 0, a, 4, &done), EINVAL);
	cr_assert_eq(io_read(file, 100000, 0, a, 4, &done), 0);
	cr_expect_eq(done, 0);
	size_t count;
	cr_assert_eq(io_read_inline(file, 0, 0, 2, a, 4, &count), 0);
	cr_expect_eq(count, 2);
}

Test(procfs, a_process_that_is_gone)
{
	port_name_t file, directory;
	char b[64], path[32];
	uint64_t done;
	struct proc_wait_result r;
	uint32_t pid = spawn(1);
	as(1);
	snprintf(path, sizeof(path), "%u/stat", pid);
	cr_assert_eq(open_file(path, 0, &file), 0);
	snprintf(path, sizeof(path), "%u", pid);
	cr_assert_eq(open_file(path, 0200000, &directory), 0);
	die(pid, 0);
	wait_for(1, PROC_WAIT_KIND_ALL, 0, WAIT_EXITED, &r);
	cr_expect_eq(io_read(file, 0, 0, b, sizeof(b), &done), ESRCH);
	cr_expect_eq(io_read_directory(directory, b, sizeof(b), &done), ENOENT);
	uint32_t kind;
	cr_expect_eq(vfs_open(directory, "stat", 0, 0, &file, &kind), ENOENT);
}

Test(procfs, writing)
{
	port_name_t file, host_name;
	uint64_t done;
	uint32_t pid = spawn_program(1);
	as(pid);
	cr_assert_eq(open_file("sys/kernel/hostname", 1 | 01000, &host_name), 0);
	cr_assert_eq(io_write(host_name, IO_OFFSET_CURRENT, 0, "box\n", 4, &done), 0);
	cr_expect_eq(done, 4);
	cr_expect_str_eq(slurp("sys/kernel/hostname"), "box\n");
	cr_assert_eq(open_file("self/comm", 2, &file), 0);
	cr_assert_eq(io_write_inline(file, 0, 0, "renamed", 7, &done), 0);
	cr_expect_str_eq(process(pid)->name, "renamed");
	cr_expect_eq(open_file("uptime", 1, &file), EACCES);
	cr_expect_eq(open_file("self", 1 | 0200000, &file), EISDIR);
	become(pid, 1000);
	cr_expect_eq(io_write(host_name, 0, 0, "evil", 4, &done), EPERM);
	cr_expect_eq(open_file("sys/kernel/hostname", 1, &file), EACCES);
	cr_expect_eq(open_file("sys/kernel/hostname", 0, &file), 0);
}

Test(procfs, counters)
{
	as(1);
	const char *text = slurp("portico/counters");
	expect_line(text, "ports 12\n");
	expect_line(text, "tasks 3\n");
	expect_line(text, "pages_total 1000\n");
	expect_line(text, "pages_free 600\n");
	expect_line(text, "pages_used 400\n");
	expect_line(text, "pages_kernel 100\n");
}

Test(procfs, sysrq)
{
	port_name_t file, other;
	uint64_t done;
	uint32_t pid = spawn_program(1);
	as(pid);
	cr_assert_eq(open_file("sysrq-trigger", 1 | 01000, &file), 0);
	cr_expect_eq(io_write(file, 0, 0, "?\n", 2, &done), EINVAL);
	cr_expect_eq(fake_root.powers, 0);
	cr_expect_eq(io_write(file, 0, 0, "c\n", 2, &done), 0);
	cr_expect_eq(fake_root.action, POWER_PANIC);
	cr_expect_eq(io_write(file, 0, 0, "b", 1, &done), 0);
	cr_expect_eq(fake_root.action, POWER_REBOOT);
	cr_expect_eq(io_write(file, 0, 0, "o", 1, &done), 0);
	cr_expect_eq(fake_root.action, POWER_OFF);
	become(pid, 1000);
	cr_expect_eq(io_write(file, 0, 0, "c\n", 2, &done), EPERM);
	cr_expect_eq(open_file("sysrq-trigger", 1, &other), EACCES);
	cr_expect_eq(open_file("sysrq-trigger", 0, &other), EACCES);
	cr_expect_eq(fake_root.powers, 3);
}

Test(procfs, refusals)
{
	port_name_t file;
	uint64_t size;
	uint32_t slot;
	as(1);
	cr_expect_eq(vfs_make_directory(top, "x", 0755), ENOENT);
	cr_expect_eq(vfs_make_directory(top, "self", 0755), EEXIST);
	cr_expect_eq(vfs_make_symlink(top, "a", "b"), ENOENT);
	cr_expect_eq(vfs_remove(top, "uptime", 0), EPERM);
	cr_expect_eq(vfs_remove(top, "nothing", 0), ENOENT);
	cr_expect_eq(vfs_set_mode(top, "uptime", 0777, 0), EPERM);
	cr_expect_eq(vfs_truncate(top, "uptime", 0), EACCES);
	cr_expect_eq(open_file("new", 0100 | 1, &file), ENOENT);
	cr_expect_eq(open_file("uptime", 0100 | 0200, &file), EEXIST);
	cr_assert_eq(open_file("uptime", 0, &file), 0);
	cr_expect_eq(io_map(file, 0, &slot, &size), ENODEV);
	cr_expect_eq(io_ready_slot(file, &slot), EPERM);
	cr_expect_eq(io_truncate(file, 0), EINVAL);
	cr_expect_eq(io_available(file, &size), ENOTTY);
	struct credentials c = {0};
	cr_expect_eq(vfs_session_begin(top, 1, 1, &c), EBADF, "no control over /proc");
	cr_expect_eq(vfs_session_begin(process_right, 1, 1, &c), EBADF);
	cr_expect_eq(io_sync(process_right, 0), EBADF, "a process right is no file");
}

Test(procfs, paths_and_access)
{
	port_name_t file;
	char path[2801];
	as(1);
	cr_assert_eq(open_file("self/task/1/comm", 0, &file), 0);
	cr_assert_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/proc/1/task/1/comm");
	cr_assert_eq(vfs_open_directory(top, "sys/kernel", 0, &file), 0);
	cr_assert_eq(vfs_directory_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/proc/sys/kernel");
	cr_expect_eq(vfs_open_directory(top, "uptime", 0, &file), ENOTDIR);
	cr_expect_eq(vfs_access(top, "uptime", 4, 0), 0);
	cr_expect_eq(vfs_access(top, "uptime", 2, 0), EACCES);
	cr_expect_eq(vfs_access(top, "self/comm", 6, 0), 0);
	cr_expect_eq(vfs_access(top, "self", 1, 0), 0);
}

Test(procfs, closing_gives_everything_back)
{
	size_t used = keep_used();
	port_name_t file;
	uint64_t done;
	char b[16];
	as(1);
	for (int i = 0; i < 10; i++) {
		cr_assert_eq(open_file("meminfo", 0, &file), 0);
		cr_assert_eq(io_read(file, 0, 0, b, sizeof(b), &done), 0);
		loopback_release(file);
	}
	cr_expect_eq(keep_used(), used);
	cr_expect_null(root->files);
}
