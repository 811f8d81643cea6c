/*
 * Operations that are the routines of an interface, one after the other, past libposix: see operations_more.h.
 *
 * The stubs use the endpoint of the main thread's slot, as libposix does between two of the program's instructions; so only the main thread may call
 * these, and nothing else here may have threads meanwhile. What is noted must be the same in each execution of a boot: no numbers of inodes, no times.
 */
#define _GNU_SOURCE
#include "operations_more.h"
#include "operations_calls.h"
#include <fcntl.h>
#include <io_client.h>
#include <ipc_client.h>
#include <portico/client.h>
#include <proc_client.h>
#include <sig_client.h>
#include <signal.h>
#include <stdlib.h>
#include <tty_client.h>
#include <unistd.h>
#include <vfs_client.h>

#define FOLDER "/tmp/kpcalls"
#define LATER UINT32_MAX
#define NO_WAIT 1u /* io's flag of read and write */

int kern_errno(int64_t status) { return status < 0 ? 1000 - (int)status : 0; }

/* A signal that came meanwhile, ignored or not, would have the next call that can be interrupted return at once: libposix makes good for that. */
static void forget_interrupt(void)
{
	usleep(1);
}

/* ---- rights ---- */

/* The file behind a path, whichever server has it, as libposix finds it. PORT_NULL: noted. */
static port_name_t open_right(const char *path, uint32_t flags)
{
	static char rest[2][2801], *at;
	port_name_t base = NAME_ROOT_DIR, file = PORT_NULL;
	uint32_t kind, server;
	int error = 0;
	at = strcpy(rest[0], path);
	for (unsigned hops = 0; hops < 4; hops++) {
		port_name_t next = PORT_NULL;
		error = vfs_open(base, at, flags, 0600, &file, &kind);
		if (error != EREMOTE)
			break;
		char *further = rest[(hops + 1) % 2];
		error = vfs_refer(base, at, 0, flags, 0600, &server, &next, further, sizeof rest[0], &kind);
		if (base != NAME_ROOT_DIR)
			client_release_right(base);
		base = next;
		if (error != 0)
			break;
		if (server == VFS_SERVER_ID_TTY || server == VFS_SERVER_ID_ROOT || server == VFS_SERVER_ID_IPC) { /* the object itself */
			file = next;
			base = NAME_ROOT_DIR;
			break;
		}
		at = further;
	}
	if (base != NAME_ROOT_DIR && base != PORT_NULL)
		client_release_right(base);
	if (error != 0)
		note("open %s: %d", path, error);
	return error == 0 ? file : PORT_NULL;
}

static void close_right(port_name_t right)
{
	if (right != PORT_NULL)
		client_release_right(right);
}

/* ---- interface io ---- */

static char bytes[8192];

static void bytes_and_position(port_name_t f, size_t size)
{
	uint64_t done = 0;
	int64_t position = 0;
	size_t count = 0;
	memset(bytes, '.', sizeof bytes);
	memcpy(bytes + size - 1, "\n", 1);
	note("write_inline %d", io_write_inline(f, IO_OFFSET_CURRENT, NO_WAIT, "inline\n", 7, &done));
	note("write %d", io_write(f, IO_OFFSET_CURRENT, NO_WAIT, bytes, size, &done));
	note("done %u", (unsigned)done);
	note("seek %d", io_seek(f, 3, SEEK_SET, &position));
	memset(bytes, 0, sizeof bytes);
	note("read_inline %d", io_read_inline(f, IO_OFFSET_CURRENT, NO_WAIT, 5, bytes, sizeof bytes, &count));
	note_bytes(bytes, count);
	done = 0;
	note("read %d", io_read(f, IO_OFFSET_CURRENT, NO_WAIT, bytes, size, &done));
	note_bytes(bytes, done);
}

static void attributes_of(port_name_t f)
{
	struct attributes attr = {0};
	struct timestamp accessed = {100, 1, 0}, modified = {200, 2, 0};
	struct io_file_system fs = {0};
	static char path[2049];
	path[0] = 0;
	note("set_mode %d", io_set_mode(f, 0640));
	note("set_owner %d", io_set_owner(f, 1, 2));
	note("set_times %d", io_set_times(f, &accessed, &modified));
	note("stat %d", io_stat(f, &attr));
	note("mode %o uid %u gid %u size %u", attr.mode, attr.uid, attr.gid, (unsigned)attr.size);
	note("path %d", io_path(f, path, sizeof path));
	if (path[0] == '/') /* no pipe, which has a number */
		note("at %s", path);
	note("stat_file_system %d", io_stat_file_system(f, &fs));
	note("type %x", (unsigned)fs.type);
}

static void sizes_of(port_name_t f, port_name_t other)
{
	uint64_t done = 0;
	uint32_t size = 0;
	note("truncate %d", io_truncate(f, 100));
	note("allocate %d", io_allocate(f, 0, 0, 5000));
	note("sync %d", io_sync(f, 0));
	note("pipe_size %d", io_pipe_size(f, 0, &size));
	note("is %u", size);
	note("copy_range %d", io_copy_range(f, 0, other, 0, 10, &done));
	note("done %u", (unsigned)done);
}

static void locks_and_objects(port_name_t f, uint32_t flags)
{
	struct io_lock lock = {.start = 1, .length = 2, .type = IO_LOCK_TYPE_WRITE}, holder = {0};
	port_name_t object = PORT_NULL, again = PORT_NULL;
	uint32_t slot = 0, kind = 0, now = 0;
	uint64_t size = 0;
	int error;
	note("get_flags %d", io_get_flags(f, &now));
	note("set_flags %d", io_set_flags(f, now | O_NONBLOCK));
	note("get_flags %d", io_get_flags(f, &now));
	note("flags %o", now);
	note("lock %d", io_lock(f, IO_LOCK_OPERATION_OFD_SET, &lock, &holder));
	note("lock %d", io_lock(f, IO_LOCK_OPERATION_OFD_GET, &lock, &holder));
	lock.type = IO_LOCK_TYPE_UNLOCK;
	note("unlock %d", io_lock(f, IO_LOCK_OPERATION_OFD_SET, &lock, &holder));
	note("map %d", error = io_map(f, 0, &object, &size));
	close_right(error == 0 ? object : PORT_NULL);
	note("ready_slot %d", io_ready_slot(f, &slot));
	note("ready_object %d", error = io_ready_object(f, &object));
	close_right(error == 0 ? object : PORT_NULL);
	note("reopen %d", error = io_reopen(f, flags, &again, &kind));
	close_right(error == 0 ? again : PORT_NULL);
}

static void io_calls(port_name_t f, port_name_t other, uint32_t flags, size_t size)
{
	uint64_t available = 0, done = 0;
	if (f == PORT_NULL)
		return;
	bytes_and_position(f, size);
	note("available %d", io_available(f, &available));
	note("%u", (unsigned)available);
	note("read_directory %d", io_read_directory(f, bytes, 4096, &done));
	attributes_of(f);
	sizes_of(f, other);
	locks_and_objects(f, flags);
}

static void file(void)
{
	port_name_t f = open_right(FOLDER "/file", O_RDWR | O_CREAT | O_TRUNC), other = open_right(FOLDER "/other", O_RDWR | O_CREAT | O_TRUNC);
	io_calls(f, other, O_RDONLY, 3000);
	close_right(f);
	close_right(other);
}
static void directory(void)
{
	port_name_t f = open_right(FOLDER, O_RDONLY | O_DIRECTORY);
	io_calls(f, NAME_ROOT_DIR, O_RDONLY | O_DIRECTORY, 100);
	close_right(f);
}
static void pipe_both(void)
{
	port_name_t reader = PORT_NULL, writer = PORT_NULL;
	note("pipe %d", vfs_pipe(NAME_ROOT_DIR, O_NONBLOCK, &reader, &writer));
	io_calls(writer, reader, O_WRONLY, 3000);
	io_calls(reader, writer, O_RDONLY, 3000);
	close_right(reader);
	close_right(writer);
}
static void terminal(void)
{
	port_name_t f = open_right("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK);
	io_calls(f, f, O_RDWR | O_NOCTTY | O_NONBLOCK, 40);
	close_right(f);
}
static void proc_file(void)
{
	port_name_t f = open_right("/proc/version", O_RDONLY);
	io_calls(f, f, O_RDONLY, 100);
	close_right(f);
}
static void ipc_file(void)
{
	port_name_t f = open_right("/proc/sys/kernel/sem", O_RDONLY);
	io_calls(f, f, O_RDONLY, 100);
	close_right(f);
}
static void supervisor(void)
{
	port_name_t f = open_right("/dev/supervisor", O_RDWR);
	io_calls(f, f, O_RDWR, 60);
	close_right(f);
}

/* ---- interface vfs ---- */

/* Of two names below `base`, `here` and `there`, which are gone afterwards. */
static void vfs_names(port_name_t base, const char *here, const char *there)
{
	struct timestamp time = {5, 6, 0};
	struct attributes attr = {0};
	struct io_file_system fs = {0};
	port_name_t f = PORT_NULL;
	uint32_t kind = 0;
	size_t count = 0;
	int error;
	note("open %d", error = vfs_open(base, here, O_RDWR | O_CREAT | O_EXCL, 0600, &f, &kind));
	close_right(error == 0 ? f : PORT_NULL);
	note("set_mode %d", vfs_set_mode(base, here, 0612, 0));
	note("set_owner %d", vfs_set_owner(base, here, 3, 4, 0));
	note("set_times %d", vfs_set_times(base, here, &time, &time, 0));
	note("truncate %d", vfs_truncate(base, here, 77));
	note("stat %d", vfs_stat(base, here, 0, &attr));
	note("mode %o uid %u gid %u size %u", attr.mode, attr.uid, attr.gid, (unsigned)attr.size);
	note("access %d", vfs_access(base, here, R_OK, 0));
	note("link %d", vfs_link(base, here, base, there, 0));
	note("rename %d", vfs_rename(base, here, base, there, 1));
	note("remove %d", vfs_remove(base, there, 0));
	note("rename %d", vfs_rename(base, here, base, there, 0));
	note("remove %d", vfs_remove(base, there, 0));
	note("make_symlink %d", vfs_make_symlink(base, "to", here));
	note("read_link %d", vfs_read_link(base, here, bytes, sizeof bytes, &count));
	note_bytes(bytes, count);
	note("remove %d", vfs_remove(base, here, 0));
	note("make_directory %d", vfs_make_directory(base, here, 0750));
	note("remove %d", vfs_remove(base, here, VFS_LOOKUP_REMOVE_DIRECTORY));
	note("make_node %d", vfs_make_node(base, here, 0010600, 0));
	note("remove %d", vfs_remove(base, here, 0));
	note("stat_file_system %d", vfs_stat_file_system(base, "", &fs));
	note("type %x", (unsigned)fs.type);
}

static void vfs_places(port_name_t base, const char *mounted)
{
	static char text[2901];
	port_name_t f = PORT_NULL, target = PORT_NULL;
	uint32_t kind = 0, server = 0;
	int error;
	text[0] = 0;
	note("open_directory %d", error = vfs_open_directory(base, ".", 0, &f));
	if (error == 0) {
		note("directory_path %d", vfs_directory_path(f, text, sizeof text));
		note("%s", text);
		close_right(f);
	}
	note("directory_path %d", vfs_directory_path(base, text, sizeof text));
	note("mount %d", vfs_mount(base, "none", mounted, "tmpfs", 0, ""));
	note("mount_entry %d", vfs_mount_entry(base, 0, text, sizeof text));
	note("%s", text);
	note("mount_information %d", vfs_mount_information(base, 0, text, sizeof text));
	note("unmount %d", vfs_unmount(base, mounted, 0));
	note("refer %d", error = vfs_refer(base, "/dev/tty", 0, ~0u, 0, &server, &target, text, sizeof text, &kind));
	close_right(error == 0 ? target : PORT_NULL);
	note("set_root %d", error = vfs_set_root(base, "", &f));
	close_right(error == 0 ? f : PORT_NULL);
}

static void vfs_makes(port_name_t base)
{
	port_name_t f = PORT_NULL, writer = PORT_NULL;
	uint32_t kind = 0;
	int error;
	note("pipe %d", error = vfs_pipe(base, 0, &f, &writer));
	close_right(error == 0 ? f : PORT_NULL);
	close_right(error == 0 ? writer : PORT_NULL);
	note("sync_all %d", vfs_sync_all(base));
	note("memory_file %d", error = vfs_memory_file(base, "m", 0, &f, &kind));
	close_right(error == 0 ? f : PORT_NULL);
}

/* What only proc may ask: refused to everybody else. */
static void vfs_refused(port_name_t base)
{
	struct credentials cred = {0};
	struct attributes attr;
	port_name_t f, object;
	uint64_t size;
	note("session_begin %d", vfs_session_begin(base, 99, 0, &cred));
	note("session_credentials %d", vfs_session_credentials(base, 99, &cred));
	note("session_end %d", vfs_session_end(base, 99));
	note("root_directory %d", vfs_root_directory(base, &f));
	note("open_program %d", vfs_open_program(base, 99, base, "/bin/busybox", 0, &object, &size, &attr, &f));
}

static void names(void)
{
	vfs_names(NAME_ROOT_DIR, FOLDER "/a", FOLDER "/b");
	vfs_places(NAME_ROOT_DIR, "/tmp/kp/full");
	vfs_makes(NAME_ROOT_DIR);
	vfs_refused(NAME_ROOT_DIR);
}
static void proc_names(void)
{
	static char rest[2801];
	port_name_t base = PORT_NULL;
	uint32_t kind, server;
	int error = vfs_refer(NAME_ROOT_DIR, "/proc/version", 0, O_RDONLY, 0, &server, &base, rest, sizeof rest, &kind);
	note("refer %d", error);
	if (error != 0)
		return;
	vfs_names(base, "a", "version");
	vfs_names(base, "version", "b");
	vfs_places(base, "sys");
	vfs_makes(base);
	vfs_refused(base);
	close_right(base);
}

/* ---- interface proc ---- */

static void proc_asked(void)
{
	struct proc_identity self = {0};
	struct proc_system_information information;
	struct proc_wait_result result;
	struct credentials cred = {0};
	struct rusage usage;
	static char name[65];
	uint32_t word = 0;
	note("identity %d", proc_identity(NAME_PROC, &self));
	note("uid %u pid %u", self.cred.uid, self.pid == (uint32_t)getpid());
	note("parent %d", proc_parent(NAME_PROC, &word));
	note("is %u", word == (uint32_t)getppid());
	note("get_group %d", proc_get_group(NAME_PROC, 0, &word));
	note("get_session %d", proc_get_session(NAME_PROC, 0, &word));
	note("get_credentials %d", proc_get_credentials(NAME_PROC, 0, &cred));
	note("uid %u", cred.uid);
	note("system %d", proc_system(NAME_PROC, &information));
	note("usage %d", proc_usage(NAME_PROC, 0, &usage));
	note("wait %d", proc_wait(NAME_PROC, PROC_WAIT_KIND_ALL, 0, 1 | 4, &result));
	note("set_host_name %d", proc_set_host_name(NAME_PROC, 1, "domain"));
	note("host_name %d", proc_host_name(NAME_PROC, 1, name, sizeof name));
	note("%s", name);
}

static void proc_changed(void)
{
	static const uint32_t groups[2] = {7, 8};
	struct proc_limit limit = {1000, 2000}, previous = {0, 0};
	uint32_t word = 0;
	int32_t nice = 0;
	uint64_t result = 0;
	note("set_group %d", proc_set_group(NAME_PROC, 0, 0));
	note("new_session %d", proc_new_session(NAME_PROC, &word));
	note("set_ids %d", proc_set_ids(NAME_PROC, 6, 0, LATER, LATER, &word));
	note("set_groups %d", proc_set_groups(NAME_PROC, groups, 2));
	note("set_groups %d", proc_set_groups(NAME_PROC, groups, 0));
	note("set_capabilities %d", proc_set_capabilities(NAME_PROC, ~UINT64_C(0) >> 23, ~UINT64_C(0) >> 23, 0));
	note("limit %d", proc_limit(NAME_PROC, 0, 6, 1, &limit, &previous));
	note("limit %d", proc_limit(NAME_PROC, 0, 6, 1, &previous, &limit));
	note("were %u %u", (unsigned)limit.current, (unsigned)limit.maximum);
	note("thread_begin %d", proc_thread_begin(NAME_PROC, 1, &word));
	note("thread_end %d", proc_thread_end(NAME_PROC, word));
	note("child_policy %d", proc_child_policy(NAME_PROC, 0));
	note("set_name %d", proc_set_name(NAME_PROC, "killpoints"));
	note("priority %d", proc_priority(NAME_PROC, 0, 0, 1, 1, &nice));
	note("priority %d", proc_priority(NAME_PROC, 0, 0, 1, 0, &nice));
	note("reboot %d", proc_reboot(NAME_PROC, 12345));
	note("control %d", proc_control(NAME_PROC, 4, 1, &result));
}

static void proc_refused(void)
{
	static struct proc_change list[PROC_CHANGES_MAX];
	struct credentials cred;
	port_name_t right;
	uint64_t cursor;
	size_t count;
	note("kill %d", proc_kill(NAME_PROC, 1, 9));
	note("stop %d", proc_stop(NAME_PROC, 1, 19));
	note("resume %d", proc_resume(NAME_PROC, 1));
	note("changes %d", proc_changes(NAME_PROC, 0, list, PROC_CHANGES_MAX, &count, &cursor));
	note("interrupt_right %d", proc_interrupt_right(NAME_PROC, 1, &right));
	note("terminal %d", proc_terminal(NAME_PROC, 1, 0, 0));
	note("credentials_of %d", proc_credentials_of(NAME_PROC, 1, &cred));
	note("exec %d", proc_exec(NAME_PROC, NAME_CWD, "/nowhere", 0, "a", 2, 1, "", 0, 0, "", 0));
}

static void process(void)
{
	proc_asked();
	proc_changed();
	proc_refused();
}

/* ---- interface sig ---- */

static void signals(void)
{
	struct sig_interval interval = {0, 0}, previous;
	struct sig_signal_info info = {.signal = 10, .code = -1};
	uint32_t timer = 0, overrun = 0, slot = 0;
	/* Not attach: libposix would go on with the pages that it has. Each fork and exec makes it. */
	note("kill %d", sig_kill(NAME_SIG, getpid(), 0));
	note("thread_kill %d", sig_thread_kill(NAME_SIG, getpid(), getpid(), 0));
	note("queue %d", sig_queue(NAME_SIG, getpid(), 0, &(struct sig_signal_info){.signal = 0, .code = -1}));
	note("take %d", sig_take(NAME_SIG, slot, 1u << 9, &info));
	note("stop %d", sig_stop(NAME_SIG, 0));
	note("discard %d", sig_discard(NAME_SIG, 1u << 9));
	note("interval_timer %d", sig_interval_timer(NAME_SIG, 1, 1, &interval, &previous));
	note("timer_create %d", sig_timer_create(NAME_SIG, 1, 1, 0, 0, 0, &timer));
	interval = (struct sig_interval){UINT64_C(3600000000000), 0};
	note("timer_set %d", sig_timer_set(NAME_SIG, timer, 0, &interval, &previous));
	note("timer_get %d", sig_timer_get(NAME_SIG, timer, &interval, &overrun));
	note("%u", interval.value_ns > UINT64_C(3500000000000));
	note("timer_delete %d", sig_timer_delete(NAME_SIG, timer));
	note("signal_group %d", sig_signal_group(NAME_SIG, 1, 1, 0, 0));
	note("signal_process %d", sig_signal_process(NAME_SIG, 1, &info));
	note("background %d", sig_background(NAME_SIG, 1, 21));
}

/* ---- interface tty ---- */

static void tty_calls(void)
{
	port_name_t f = open_right("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct tty_termios value = {0};
	struct tty_window_size size = {0};
	uint32_t word = 0;
	uint64_t pending = 0;
	if (f == PORT_NULL)
		return;
	note("get_attributes %d", tty_get_attributes(f, &value));
	note("set_attributes %d", tty_set_attributes(f, TTY_WHEN_FLUSH, &value));
	note("get_window_size %d", tty_get_window_size(f, &size));
	note("set_window_size %d", tty_set_window_size(f, &size));
	note("get_group %d", tty_get_group(f, &word));
	note("set_group %d", tty_set_group(f, (uint32_t)getpgrp()));
	note("get_session %d", tty_get_session(f, &word));
	note("acquire %d", tty_acquire(f, 0));
	note("release %d", tty_release(f));
	forget_interrupt();
	note("push_input %d", tty_push_input(f, 'x'));
	note("flush %d", tty_flush(f, 0));
	note("flow %d", tty_flow(f, 0));
	note("flow %d", tty_flow(f, 1));
	note("drain %d", tty_drain(f));
	note("output_pending %d", tty_output_pending(f, &pending));
	note("exclusive %d", tty_exclusive(f, 1));
	note("exclusive %d", tty_exclusive(f, 0));
	close_right(f);
}

static void queue_calls(void)
{
	port_name_t queue = PORT_NULL;
	note("mq_open %d", ipc_mq_open(NAME_IPC, "kpio", O_CREAT | O_RDWR | O_NONBLOCK, 0600, 0, &(struct ipc_mq_attributes){0}, &queue));
	io_calls(queue, queue, O_RDWR, 100);
	close_right(queue);
	note("mq_unlink %d", ipc_mq_unlink(NAME_IPC, "kpio"));
}

/* ---- the operations ---- */

static struct transcript kept[14];
#define CALLS(n, name, body)                                                                                           \
	bool name(void) { return forget_interrupt(), transcript_same(&kept[n], #name, body); }
CALLS(0, calls_file, file)
CALLS(1, calls_directory, directory)
CALLS(2, calls_pipe, pipe_both)
CALLS(3, calls_terminal, terminal)
CALLS(4, calls_proc_file, proc_file)
CALLS(5, calls_queue, queue_calls)
CALLS(6, calls_ipc_file, ipc_file)
CALLS(7, calls_supervisor, supervisor)
CALLS(8, calls_names, names)
CALLS(9, calls_proc_names, proc_names)
CALLS(10, calls_process, process)
CALLS(11, calls_signals, signals)
CALLS(12, calls_tty, tty_calls)
CALLS(13, calls_ipc, calls_ipc_all)

void calls_prepare(void)
{
	static bool (*const all[])(void) = {calls_file, calls_directory, calls_pipe, calls_terminal, calls_proc_file, calls_queue, calls_ipc_file,
					    calls_supervisor, calls_names, calls_proc_names, calls_process, calls_signals, calls_tty, calls_ipc};
	static const char *const leftovers[] = {FOLDER "/a", FOLDER "/b", FOLDER "/file", FOLDER "/other"};
	mkdir_quietly(FOLDER);
	signal(SIGHUP, SIG_IGN); /* from the terminal that calls_tty gives back */
	for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
		unlink(leftovers[i]);
		rmdir(leftovers[i]);
	}
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (kept[i].length == 0)
			all[i]();
}
