/*
 * Devices, and mounts.
 */
#include "fixture.h"
#include <portico/devices.h>

TestSuite(device, .init = start, .fini = stop);
TestSuite(mount, .init = start, .fini = stop);

Test(device, null_zero_full)
{
	uint8_t bytes[40000];
	port_name_t null = opened("/dev/null", O_RDWR, 0), zero = opened("/dev/zero", O_RDWR, 0),
	            full = opened("/dev/full", O_RDWR, 0);
	memset(bytes, 1, sizeof(bytes));
	cr_expect_eq(get(null, bytes, sizeof(bytes)), 0);
	cr_expect_eq(put(null, bytes, sizeof(bytes)), sizeof(bytes));
	cr_expect_eq(get(zero, bytes, sizeof(bytes)), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		cr_assert_eq(bytes[i], 0);
	cr_expect_eq(put(zero, bytes, 10), 10);
	cr_expect_eq(put(full, bytes, 1), -ENOSPC);
	cr_expect_eq(get(full, bytes, 5), 5);
	int64_t position = 9;
	cr_expect_eq(io_seek(null, 100, SEEK_FROM_SET, &position), 0);
	cr_expect_eq(position, 0);
	closed(null);
	closed(zero);
	closed(full);
}

Test(device, random)
{
	uint8_t a[1000], b[1000];
	unsigned count[256] = {0};
	port_name_t file = opened("/dev/urandom", O_RDWR, 0);
	cr_expect_eq(get(file, a, sizeof(a)), sizeof(a));
	cr_expect_eq(get(file, b, sizeof(b)), sizeof(b));
	cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
	for (size_t i = 0; i < sizeof(a); i++)
		count[a[i]]++;
	for (unsigned i = 0; i < 256; i++)
		cr_assert_lt(count[i], 20u);
	cr_expect_eq(put(file, "stir", 4), 4);
	closed(file);
}

Test(device, chacha20_is_the_one_of_the_standard)
{
	/* RFC 8439, 2.3.2, with its key, counter and nonce in place of the seed. */
	static const uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
	                                   0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
	                                   0x00000001, 0x09000000, 0x4a000000, 0x00000000};
	static const uint8_t expected[16] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
	                                     0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4};
	uint8_t out[16];
	memcpy(vfs->random.word, state, sizeof(state));
	vfs->random_seeded = true;
	random_bytes(out, sizeof(out));
	cr_expect_eq(memcmp(out, expected, 16), 0);
	cr_expect_neq(memcmp(vfs->random.word, state, sizeof(state)), 0);
}

Test(device, kernel_log)
{
	port_name_t file = opened("/dev/kmsg", O_RDWR, 0);
	char byte;
	cr_expect_eq(put_text(file, "a line\n"), 7);
	cr_expect_eq(get(file, &byte, 1), -EINVAL);
	closed(file);
}

Test(device, nodes_work_wherever_they_are)
{
	cr_expect_eq(vfs_make_node(top, "/tmp/n", S_IFCHR | 0666, DEVICE_NULL), 0);
	port_name_t file = opened("/tmp/n", O_WRONLY, 0);
	cr_expect_eq(put_text(file, "x"), 1);
	closed(file);
	cr_expect_eq(vfs_make_node(top, "/tmp/u", S_IFCHR | 0666, DEVICE(99, 1)), 0);
	cr_expect_eq(try_open("/tmp/u", O_RDONLY, 0), ENXIO);
	cr_expect_eq(vfs_make_node(top, "/tmp/b", S_IFBLK | 0666, DEVICE_NULL), 0);
	cr_expect_eq(try_open("/tmp/b", O_RDONLY, 0), ENXIO);
	cr_expect_eq(try_open("/tmp/u", O_PATH, 0), 0);
	struct attributes attr = attributes_of("/dev/null");
	cr_expect_eq(attr.rdevice, DEVICE_NULL);
	cr_expect_eq(attr.device, DEVFS_DEVICE);
	cr_expect_eq(attr.inode, DEVFS_INODE(DEVICE_NULL));
}

Test(device, terminals_are_referred_to_tty)
{
	port_name_t tty = loopback_service(&io_interface), target = PORT_NULL;
	char rest[PORTICO_PATH_MAX + 1];
	uint32_t server, kind;
	host_service("tty", loopback_server_right(tty, 0));
	cr_expect_eq(try_open("/dev/console", O_RDWR, 0), EREMOTE);
	cr_expect_eq(try_open("/dev/console", O_PATH, 0), 0);
	cr_expect_eq(attributes_of("/dev/tty").rdevice, DEVICE_TTY);
	cr_expect_eq(
	        vfs_refer(top, "/dev/console", 0, O_RDWR | O_NOCTTY, 0, &server, &target, rest, sizeof(rest), &kind),
	        0);
	cr_expect_eq(server, VFS_SERVER_ID_TTY);
	cr_expect_eq(kind, IO_FILE_KIND_TERMINAL);
	cr_expect_eq(DEVICE_BADGE_DEVICE(loopback_badge(target)), DEVICE_CONSOLE);
	cr_expect_eq(DEVICE_BADGE_FLAGS(loopback_badge(target)), O_RDWR | O_NOCTTY);
	uint64_t first = loopback_badge(target);
	closed(target);
	cr_expect_eq(
	        vfs_refer(top, "/dev/console", 0, O_RDWR | O_NOCTTY, 0, &server, &target, rest, sizeof(rest), &kind),
	        0);
	cr_expect_neq(loopback_badge(target), first);
	closed(target);
	cr_expect_eq(vfs_refer(top, "/dev/hostout", 0, O_WRONLY | O_CREAT | O_TRUNC, 0666, &server, &target, rest,
	                       sizeof(rest), &kind),
	             0);
	cr_expect_eq(DEVICE_BADGE_DEVICE(loopback_badge(target)), DEVICE_HOST_OUTPUT);
	closed(target);
	become(5, 5);
	cr_expect_eq(vfs_refer(top, "/dev/console", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), EACCES);
	cr_expect_eq(vfs_refer(top, "/dev/tty", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	closed(target);
	become(0, 0);
}

Test(device, the_supervisor_is_referred_to_root)
{
	port_name_t root = loopback_service(&io_interface), target = PORT_NULL;
	char rest[PORTICO_PATH_MAX + 1];
	uint32_t server, kind;
	cr_expect_eq(try_open("/dev/supervisor", O_RDWR, 0), EREMOTE);
	cr_expect_eq(vfs_refer(top, "/dev/supervisor", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), ENXIO);
	host_service("supervisor", loopback_server_right(root, 0));
	cr_expect_eq(vfs_refer(top, "/dev/supervisor", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_eq(server, VFS_SERVER_ID_ROOT);
	cr_expect_eq(kind, IO_FILE_KIND_ALWAYS_READY);
	cr_expect_eq(DEVICE_BADGE_DEVICE(loopback_badge(target)), DEVICE_SUPERVISOR);
	closed(target);
	become(5, 5);
	cr_expect_eq(vfs_refer(top, "/dev/supervisor", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), EACCES);
	become(0, 0);
}

Test(device, lines_without_a_node_are_terminals)
{
	port_name_t tty = loopback_service(&io_interface), target = PORT_NULL;
	char rest[PORTICO_PATH_MAX + 1];
	uint32_t server, kind;
	host_service("tty", loopback_server_right(tty, 0));
	cr_expect_eq(vfs_make_node(top, "/tmp/line", S_IFCHR | 0666, DEVICE_SERIAL(3)), 0);
	cr_expect_eq(try_open("/tmp/line", O_RDWR, 0), EREMOTE);
	cr_expect_eq(vfs_refer(top, "/tmp/line", 0, O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_eq(server, VFS_SERVER_ID_TTY);
	cr_expect_eq(kind, IO_FILE_KIND_TERMINAL);
	closed(target);
	cr_expect_eq(vfs_make_node(top, "/tmp/none", S_IFCHR | 0666, DEVICE_SERIAL(4)), 0);
	cr_expect_eq(try_open("/tmp/none", O_RDWR, 0), ENXIO);
}

Test(device, the_usual_nodes)
{
	static const char *const name[] = {"null", "zero",    "full", "random", "urandom", "kmsg",
	                                   "tty",  "console", "ptmx", "ttyS0",  "hostout", "hosterr",
	                                   "shm",  "pts",     "fd",   "stdin",  "stdout",  "stderr"};
	char path[64];
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		snprintf(path, sizeof(path), "/dev/%s", name[i]);
		cr_expect(exists(path), "%s", path);
	}
	cr_expect_eq(attributes_of("/dev/shm").mode, S_IFDIR | 01777);
}

/* ---- mounts ---- */

Test(mount, tmpfs)
{
	file_with("/tmp/below", "x");
	uint64_t device = attributes_of("/tmp").device;
	cr_expect_eq(vfs_mount(top, "mine", "/tmp", "tmpfs", 0, "size=1m,mode=0750,uid=5,gid=6"), 0);
	cr_expect_neq(attributes_of("/tmp").device, device);
	cr_expect_eq(attributes_of("/tmp").mode, S_IFDIR | 0750);
	cr_expect_eq(attributes_of("/tmp").uid, 5);
	cr_expect(!exists("/tmp/below"));
	file_with("/tmp/f", "x");
	cr_expect_eq(attributes_of("/tmp/..").inode, attributes_of("/").inode);
	cr_expect_eq(removed_directory("/tmp"), EBUSY);
	cr_expect_eq(linked("/tmp/f", "/g"), EXDEV);
	cr_expect_eq(renamed("/tmp/f", "/g", 0), EXDEV);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
	cr_expect(exists("/tmp/below"));
	cr_expect_eq(attributes_of("/tmp").device, device);
}

Test(mount, busy)
{
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", 0, ""), 0);
	cr_expect_eq(make_directory("/tmp/d"), 0);
	cr_expect_eq(vfs_mount(top, "b", "/tmp/d", "tmpfs", 0, ""), 0);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), EBUSY);
	cr_expect_eq(vfs_unmount(top, "/tmp/d", 0), 0);
	port_name_t file = opened("/tmp/f", O_CREAT | O_RDWR, 0600);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), EBUSY);
	cr_expect_eq(vfs_unmount(top, "/tmp", UNMOUNT_DETACH), 0);
	cr_expect(!exists("/tmp/f"));
	cr_expect_eq(put_text(file, "still"), 5);
	closed(file);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), EINVAL);
	cr_expect_eq(vfs_unmount(top, "/", 0), EINVAL);
	cr_expect_eq(vfs_unmount(top, "/none", 0), ENOENT);
}

Test(mount, detaching_takes_what_is_below)
{
	size_t used = keep_used();
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", 0, ""), 0);
	cr_expect_eq(make_directory("/tmp/d"), 0);
	cr_expect_eq(vfs_mount(top, "b", "/tmp/d", "tmpfs", 0, ""), 0);
	file_with("/tmp/d/f", "x");
	cr_expect_eq(vfs_unmount(top, "/tmp", UNMOUNT_DETACH), 0);
	cr_expect_eq(keep_used(), used);
}

Test(mount, stacked)
{
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", 0, ""), 0);
	file_with("/tmp/a", "x");
	cr_expect_eq(vfs_mount(top, "b", "/tmp", "tmpfs", 0, ""), 0);
	cr_expect(!exists("/tmp/a"));
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
	cr_expect(exists("/tmp/a"));
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
}

Test(mount, bind)
{
	char path[2049];
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("a/sub"), 0);
	cr_expect_eq(make_directory("b"), 0);
	file_with("a/sub/f", "x");
	cr_expect_eq(vfs_mount(top, "/a/sub", "/b", "", MOUNT_BIND, ""), 0);
	cr_expect(has_text("/b/f", "x"));
	cr_expect_eq(attributes_of("/b/..").inode, attributes_of("/").inode);
	port_name_t b = opened("/b", O_RDONLY, 0), file = opened("/b/f", O_RDONLY, 0);
	cr_expect_eq(vfs_directory_path(b, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/b");
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/b/f");
	closed(b);
	closed(file);
	file_with("/b/new", "y");
	cr_expect(exists("a/sub/new"));
	cr_expect_eq(vfs_mount(top, "/a", "/b", "", MOUNT_BIND | MOUNT_REMOUNT | MOUNT_READ_ONLY, ""), 0);
	cr_expect_eq(try_open("/b/x", O_CREAT | O_WRONLY, 0644), EROFS);
	cr_expect_eq(try_open("/a/sub/x", O_CREAT | O_WRONLY, 0644), 0);
	cr_expect_eq(renamed("/a/sub/x", "/b/y", 0), EXDEV);
	cr_expect_eq(removed_directory("a/sub"), ENOTEMPTY);
	cr_expect_eq(vfs_unmount(top, "/b", 0), 0);
}

Test(mount, bind_of_a_file)
{
	char path[2049];
	file_with("f", "below");
	file_with("g", "above");
	cr_expect_eq(vfs_mount(top, "/g", "/f", "", MOUNT_BIND, ""), 0);
	cr_expect(has_text("f", "above"));
	port_name_t file = opened("f", O_RDONLY, 0);
	cr_expect_eq(io_path(file, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/f");
	closed(file);
	cr_expect_eq(unlinked("f"), EBUSY);
	cr_expect_eq(vfs_mount(top, "/tmp", "/f", "", MOUNT_BIND, ""), ENOTDIR);
	cr_expect_eq(vfs_unmount(top, "/f", 0), 0);
	cr_expect(has_text("f", "below"));
}

Test(mount, read_only)
{
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", 0, ""), 0);
	file_with("/tmp/f", "x");
	cr_expect_eq(vfs_make_node(top, "/tmp/null", S_IFCHR | 0666, DEVICE_NULL), 0);
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", MOUNT_REMOUNT | MOUNT_READ_ONLY, ""), 0);
	cr_expect_eq(try_open("/tmp/f", O_WRONLY, 0), EROFS);
	cr_expect_eq(try_open("/tmp/f", O_RDONLY, 0), 0);
	cr_expect_eq(try_open("/tmp/null", O_WRONLY, 0), 0);
	cr_expect_eq(unlinked("/tmp/f"), EROFS);
	cr_expect_eq(make_directory("/tmp/d"), EROFS);
	cr_expect_eq(vfs_set_mode(top, "/tmp/f", 0600, 0), EROFS);
	cr_expect_eq(vfs_set_owner(top, "/tmp/f", 1, 1, 0), EROFS);
	cr_expect_eq(vfs_truncate(top, "/tmp/f", 0), EROFS);
	cr_expect_eq(vfs_access(top, "/tmp/f", MAY_WRITE, 0), EROFS);
	struct io_file_system status;
	cr_expect_eq(vfs_stat_file_system(top, "/tmp", &status), 0);
	cr_expect(status.flags & 1);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
}

Test(mount, options_that_forbid)
{
	port_name_t object = PORT_NULL, program = PORT_NULL;
	struct attributes attr;
	uint64_t size;
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "tmpfs", MOUNT_NO_EXECUTE | MOUNT_NO_DEVICES | MOUNT_NO_SUID, ""), 0);
	cr_expect_eq(vfs_make_node(top, "/tmp/null", S_IFCHR | 0666, DEVICE_NULL), 0);
	cr_expect_eq(try_open("/tmp/null", O_WRONLY, 0), EACCES);
	file_with("/tmp/p", "x");
	cr_expect_eq(vfs_set_mode(top, "/tmp/p", 06755, 0), 0);
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp/p", 0, &object, &size, &attr, &program), EACCES);
	cr_expect_eq(vfs_mount(top, "a", "/tmp", "", MOUNT_REMOUNT | MOUNT_NO_SUID, ""), 0);
	cr_expect_eq(vfs_open_program(control, TEST_PID, top, "/tmp/p", 0, &object, &size, &attr, &program), 0);
	cr_expect_eq(attr.mode, S_IFREG | 0755);
	closed(object);
	closed(program);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
}

Test(mount, errors)
{
	cr_expect_eq(vfs_mount(top, "x", "/tmp", "nofs", 0, ""), ENODEV);
	cr_expect_eq(vfs_mount(top, "x", "/none", "tmpfs", 0, ""), ENOENT);
	cr_expect_eq(vfs_mount(top, "x", "/dev/null", "tmpfs", 0, ""), ENOTDIR);
	cr_expect_eq(vfs_mount(top, "x", "/tmp", "tmpfs", 0, "size=12x"), EINVAL);
	cr_expect_eq(vfs_mount(top, "x", "/tmp", "tmpfs", 0, "nonsense"), EINVAL);
	cr_expect_eq(vfs_mount(top, "x", "/tmp", "tmpfs", 0, "mode=9"), EINVAL);
	become(5, 5);
	cr_expect_eq(vfs_mount(top, "x", "/tmp", "tmpfs", 0, ""), EPERM);
	cr_expect_eq(vfs_unmount(top, "/dev", 0), EPERM);
	become(0, 0);
}

Test(mount, move)
{
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("b"), 0);
	cr_expect_eq(vfs_mount(top, "t", "/a", "tmpfs", 0, ""), 0);
	file_with("/a/f", "x");
	cr_expect_eq(vfs_mount(top, "/a", "/b", "", MOUNT_MOVE, ""), 0);
	cr_expect(exists("/b/f"));
	cr_expect(!exists("/a/f"));
	cr_expect_eq(make_directory("/b/d"), 0);
	cr_expect_eq(vfs_mount(top, "/b", "/b/d", "", MOUNT_MOVE, ""), ELOOP);
	cr_expect_eq(vfs_mount(top, "/b/d", "/a", "", MOUNT_MOVE, ""), EINVAL);
	cr_expect_eq(vfs_unmount(top, "/b", 0), 0);
}

Test(mount, lines)
{
	char line[1025];
	cr_expect_eq(vfs_mount(top, "mine", "/tmp", "tmpfs", MOUNT_NO_SUID | MOUNT_NO_DEVICES, ""), 0);
	cr_expect_eq(vfs_mount_entry(top, 0, line, sizeof(line)), 0);
	cr_expect_str_eq(line, "tmpfs / tmpfs rw 0 0");
	cr_expect_eq(vfs_mount_entry(top, 1, line, sizeof(line)), 0);
	cr_expect_str_eq(line, "devtmpfs /dev devtmpfs rw 0 0");
	cr_expect_eq(vfs_mount_entry(top, 2, line, sizeof(line)), 0);
	cr_expect_str_eq(line, "proc /proc proc rw 0 0");
	cr_expect_eq(vfs_mount_entry(top, 3, line, sizeof(line)), 0);
	cr_expect_str_eq(line, "mine /tmp tmpfs rw,nosuid,nodev 0 0");
	cr_expect_eq(vfs_mount_entry(top, 4, line, sizeof(line)), ENOENT);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
}

Test(mount, information)
{
	char line[2801], expected[256];
	struct attributes attr;
	cr_expect_eq(vfs_mount_information(top, 2, line, sizeof(line)), 0);
	cr_expect_str_eq(line, "3 1 0:4 / /proc rw - proc proc rw");
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("a/b c"), 0);
	cr_expect_eq(vfs_mount(top, "/a/b c", "/tmp", "", MOUNT_BIND, ""), 0);
	cr_expect_eq(vfs_stat(top, "/tmp", 0, &attr), 0);
	snprintf(expected, sizeof(expected), "4 1 0:%u /a/b\\040c /tmp rw - tmpfs /a/b\\040c rw",
	         (unsigned)attr.device);
	cr_expect_eq(vfs_mount_information(top, 3, line, sizeof(line)), 0);
	cr_expect_str_eq(line, expected);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
	cr_expect_eq(vfs_mount_information(top, 3, line, sizeof(line)), ENOENT);
}
