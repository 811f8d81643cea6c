/*
 * Path resolution: components, dots, slashes, symbolic links, search permission, mounts, the session's root.
 */
#include "fixture.h"

TestSuite(walk, .init = start, .fini = stop);

static int look(const char *path)
{
	struct attributes attr;
	return vfs_stat(top, path, 0, &attr);
}

static void tree(void)
{
	cr_assert_eq(make_directory("a"), 0);
	cr_assert_eq(make_directory("a/b"), 0);
	cr_assert_eq(make_directory("a/b/c"), 0);
	file_with("a/b/file", "text");
}

Test(walk, relative_and_absolute)
{
	tree();
	port_name_t b = opened("a/b", O_RDONLY | O_DIRECTORY, 0);
	struct attributes attr;
	cr_expect_eq(vfs_stat(b, "file", 0, &attr), 0);
	cr_expect_eq(attr.size, 4);
	cr_expect_eq(vfs_stat(b, "/a/b/file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(b, "../b/./c/../file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(b, "a", 0, &attr), ENOENT);
	closed(b);
}

Test(walk, repeated_slashes)
{
	tree();
	cr_expect_eq(look("//a///b//file"), 0);
	cr_expect_eq(look("a/b/"), 0);
	cr_expect_eq(look("a/b/file/"), ENOTDIR);
	cr_expect_eq(look("a/b/file/x"), ENOTDIR);
	cr_expect_eq(look("a/b/file/.."), ENOTDIR);
}

Test(walk, empty_path)
{
	struct attributes attr;
	tree();
	port_name_t file = opened("a/b/file", O_RDONLY, 0);
	cr_expect_eq(look(""), ENOENT);
	cr_expect_eq(vfs_stat(file, "", VFS_LOOKUP_EMPTY_PATH, &attr), 0);
	cr_expect_eq(attr.size, 4);
	cr_expect_eq(vfs_stat(file, "x", 0, &attr), ENOTDIR);
	cr_expect_eq(vfs_stat(file, "/a", 0, &attr), 0);
	closed(file);
}

Test(walk, dot_dot_at_the_root)
{
	cr_expect_eq(attributes_of("/../../..").inode, attributes_of("/").inode);
	cr_expect_eq(attributes_of("..").inode, attributes_of(".").inode);
}

Test(walk, long_names)
{
	char name[300];
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	file_with(name, "x");
	cr_expect(has_text(name, "x"));
	name[255] = 'n';
	name[256] = 0;
	cr_expect_eq(try_open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	cr_expect_eq(look(name), ENAMETOOLONG);
}

Test(walk, symbolic_links)
{
	tree();
	cr_expect_eq(symlinked("a/b", "to-b"), 0);
	cr_expect_eq(symlinked("/a/b/file", "a/b/c/absolute"), 0);
	cr_expect_eq(symlinked("../file", "a/b/c/relative"), 0);
	cr_expect(has_text("to-b/file", "text"));
	cr_expect(has_text("to-b/c/absolute", "text"));
	cr_expect(has_text("a/b/c/relative", "text"));
	cr_expect_eq(attributes_of_link("to-b").mode & S_IFMT, S_IFLNK);
	cr_expect_eq(attributes_of_link("to-b").size, 3);
	cr_expect_eq(attributes_of_link("to-b/").mode & S_IFMT, S_IFDIR);
}

Test(walk, dangling_link)
{
	cr_expect_eq(symlinked("nowhere", "dangling"), 0);
	cr_expect_eq(look("dangling"), ENOENT);
	cr_expect_eq(try_open("dangling", O_RDONLY, 0), ENOENT);
	cr_expect_eq(try_open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	cr_expect(!exists("nowhere"));
	cr_expect_eq(try_open("dangling", O_CREAT | O_WRONLY, 0644), 0);
	cr_expect(exists("nowhere"));
}

Test(walk, loops)
{
	cr_expect_eq(symlinked("loop", "loop"), 0);
	cr_expect_eq(symlinked("pong", "ping"), 0);
	cr_expect_eq(symlinked("ping", "pong"), 0);
	cr_expect_eq(look("loop"), ELOOP);
	cr_expect_eq(look("ping/x"), ELOOP);
	cr_expect_eq(try_open("loop", O_RDONLY, 0), ELOOP);
	cr_expect_eq(try_open("loop", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
}

Test(walk, forty_links_are_allowed)
{
	char name[8], target[8];
	file_with("l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		cr_assert_eq(symlinked(target, name), 0);
	}
	cr_expect_eq(look("l40"), 0);
	cr_expect_eq(look("l41"), ELOOP);
}

Test(walk, expansion_too_long)
{
	char target[1300];
	for (size_t i = 0; i < sizeof(target) - 2; i += 2)
		memcpy(target + i, "./", 2);
	memcpy(target + sizeof(target) - 4, "up", 3);
	cr_expect_eq(symlinked(target, "up"), 0);
	int error = look("up/up/up/up/up/up/up/up/up/up");
	cr_expect(error == ENAMETOOLONG || error == ELOOP, "%d", error);
}

Test(walk, search_permission)
{
	tree();
	cr_expect_eq(vfs_set_mode(top, "a/b", 0700, 0), 0);
	become(5, 5);
	cr_expect_eq(look("a/b"), 0);
	cr_expect_eq(look("a/b/file"), EACCES);
	cr_expect_eq(look("a/b/none"), EACCES);
	cr_expect_eq(look("a/b/.."), EACCES);
	become(0, 0);
}

Test(walk, trailing_slash_makes_directories_only)
{
	cr_expect_eq(make_directory("new/"), 0);
	cr_expect_eq(try_open("file/", O_CREAT | O_WRONLY, 0644), EISDIR);
	cr_expect_eq(symlinked("x", "link/"), ENOENT);
	cr_expect_eq(vfs_make_node(top, "fifo/", S_IFIFO | 0600, 0), ENOENT);
	file_with("f", "x");
	cr_expect_eq(linked("f", "g/"), ENOENT);
	cr_expect_eq(linked("f/", "g"), ENOTDIR);
	cr_expect_eq(unlinked("f/"), ENOTDIR);
}

Test(walk, removed_directory)
{
	struct attributes attr;
	port_name_t file = PORT_NULL;
	uint32_t kind;
	char path[64];
	tree();
	port_name_t c = opened("a/b/c", O_RDONLY | O_DIRECTORY, 0);
	cr_expect_eq(removed_directory("a/b/c"), 0);
	cr_expect_eq(vfs_stat(c, ".", 0, &attr), 0);
	cr_expect_eq(attr.links, 0);
	cr_expect_eq(vfs_stat(c, "../file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(c, "x", 0, &attr), ENOENT);
	cr_expect_eq(vfs_open(c, "x", O_CREAT | O_WRONLY, 0644, &file, &kind), ENOENT);
	cr_expect_eq(vfs_make_directory(c, "x", 0755), ENOENT);
	cr_expect_eq(vfs_directory_path(c, path, sizeof(path)), ENOENT);
	closed(c);
}

Test(walk, directory_path)
{
	char path[PORTICO_PATH_MAX + 1];
	tree();
	port_name_t c = opened("a/b/c", O_PATH | O_DIRECTORY, 0);
	cr_expect_eq(vfs_directory_path(c, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/a/b/c");
	cr_expect_eq(renamed("a/b", "moved", 0), 0);
	cr_expect_eq(vfs_directory_path(c, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/moved/c");
	cr_expect_eq(vfs_directory_path(top, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/");
	port_name_t dev = opened("/dev/shm", O_RDONLY, 0);
	cr_expect_eq(vfs_directory_path(dev, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/dev/shm");
	closed(dev);
	closed(c);
}

Test(walk, change_root)
{
	struct attributes attr;
	char path[64];
	port_name_t jail = PORT_NULL;
	tree();
	cr_expect_eq(symlinked("/file", "a/b/to-file"), 0);
	port_name_t outside = opened("a", O_RDONLY, 0);
	cr_expect_eq(vfs_set_root(top, "a/b", &jail), 0);
	cr_expect_eq(vfs_stat(jail, "/file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(jail, "../../file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(jail, "to-file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(jail, "/a", 0, &attr), ENOENT);
	cr_expect_eq(vfs_directory_path(jail, path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/");
	cr_expect_eq(vfs_directory_path(outside, path, sizeof(path)), ENOENT);
	/* A child of the jailed process is in the jail, too. */
	cr_expect_eq(vfs_session_begin(control, 4242, TEST_PID, &myself()->cred), 0);
	loopback_set_principal(4242);
	cr_expect_eq(vfs_stat(jail, "/file", 0, &attr), 0);
	cr_expect_eq(vfs_stat(jail, "/a", 0, &attr), ENOENT);
	loopback_set_principal(TEST_PID);
	cr_expect_eq(vfs_session_end(control, 4242), 0);
	closed(outside);
	closed(jail);
}

Test(walk, change_root_needs_the_capability)
{
	port_name_t jail = PORT_NULL;
	tree();
	become(5, 5);
	cr_expect_eq(vfs_set_root(top, "a", &jail), EPERM);
	become(0, 0);
}

Test(walk, proc_is_somebody_elses)
{
	struct attributes attr;
	cr_expect_eq(look("/proc"), EREMOTE);
	cr_expect_eq(look("/proc/self/maps"), EREMOTE);
	cr_expect_eq(try_open("/proc/7/stat", O_RDONLY, 0), EREMOTE);
	cr_expect_eq(look("/proc/.."), 0);
	cr_expect_eq(look("/proc/../dev/null"), 0);
	cr_expect_eq(look("/dev/fd/3"), EREMOTE);
	cr_expect_eq(vfs_stat(top, "/dev/stdin", VFS_LOOKUP_NO_FOLLOW, &attr), 0);
	cr_expect_eq(removed_directory("/proc"), EBUSY);
}

Test(walk, referral_to_proc)
{
	port_name_t proc = loopback_service(&vfs_interface), target = PORT_NULL;
	char rest[PORTICO_PATH_MAX + 1];
	uint32_t server, kind;
	host_service("proc", loopback_server_right(proc, 0));
	cr_expect_eq(vfs_refer(top, "/dev/fd/3", 0, O_RDONLY, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_eq(server, VFS_SERVER_ID_PROC);
	cr_expect_str_eq(rest, "self/fd/3");
	cr_expect_eq(loopback_badge(target), PROC_REFERRAL_BADGE);
	closed(target);
	cr_expect_eq(vfs_refer(top, "/proc", 0, ~0u, 0, &server, &target, rest, sizeof(rest), &kind), 0);
	cr_expect_str_eq(rest, "");
	cr_expect(kind & IO_FILE_KIND_DIRECTORY);
	closed(target);
	cr_expect_eq(vfs_refer(top, "/tmp", 0, O_RDONLY, 0, &server, &target, rest, sizeof(rest), &kind), EINVAL);
	cr_expect_eq(vfs_refer(top, "/none", 0, O_RDONLY, 0, &server, &target, rest, sizeof(rest), &kind), ENOENT);
}

Test(walk, unknown_callers)
{
	struct attributes attr;
	uint32_t kind;
	port_name_t file = PORT_NULL, server = loopback_connect(NAME_SERVICE, SERVER_BADGE);
	loopback_set_principal(99999);
	cr_expect_eq(vfs_stat(top, "/", 0, &attr), EPERM);
	cr_expect_eq(vfs_open(top, "/x", O_CREAT | O_RDWR, 0600, &file, &kind), EPERM);
	cr_expect_eq(vfs_make_directory(top, "/x", 0700), EPERM);
	cr_expect_eq(vfs_stat(server, "/", 0, &attr), 0);
	cr_expect_eq(vfs_make_node(server, "/dev/pts/0", S_IFCHR | 0620, 136 << 8), 0);
	cr_expect_eq(vfs_session_end(server, TEST_PID), EBADF);
	cr_expect_eq(vfs_session_end(top, TEST_PID), EBADF);
	loopback_set_principal(TEST_PID);
	closed(server);
}
