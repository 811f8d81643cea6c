/*
 * Making, linking, removing, and the rename matrix.
 */
#include "fixture.h"

TestSuite(names, .init = start, .fini = stop);

static uint64_t links(const char *path)
{
	return attributes_of(path).links;
}

Test(names, make_directory)
{
	cr_expect_eq(links("/tmp"), 2);
	cr_expect_eq(make_directory("/tmp/d"), 0);
	cr_expect_eq(links("/tmp"), 3);
	cr_expect_eq(links("/tmp/d"), 2);
	cr_expect_eq(make_directory("/tmp/d"), EEXIST);
	cr_expect_eq(make_directory("/"), EEXIST);
	cr_expect_eq(make_directory("."), EEXIST);
	cr_expect_eq(make_directory("/tmp/d/.."), EEXIST);
	cr_expect_eq(make_directory("/none/x"), ENOENT);
	file_with("/tmp/f", "x");
	cr_expect_eq(make_directory("/tmp/f"), EEXIST);
	cr_expect_eq(make_directory("/tmp/f/x"), ENOTDIR);
	cr_expect_eq(vfs_make_directory(top, "/tmp/e", 07777), 0);
	cr_expect_eq(attributes_of("/tmp/e").mode, S_IFDIR | 01777);
	cr_expect_eq(symlinked("nowhere", "/tmp/dangling"), 0);
	cr_expect_eq(make_directory("/tmp/dangling"), EEXIST);
}

Test(names, remove_directory)
{
	cr_expect_eq(make_directory("d"), 0);
	cr_expect_eq(make_directory("d/e"), 0);
	cr_expect_eq(removed_directory("d"), ENOTEMPTY);
	cr_expect_eq(removed_directory("d/e/."), EINVAL);
	cr_expect_eq(removed_directory("d/e/.."), ENOTEMPTY);
	cr_expect_eq(removed_directory("/"), EBUSY);
	cr_expect_eq(removed_directory("/dev"), EBUSY);
	cr_expect_eq(removed_directory("none"), ENOENT);
	cr_expect_eq(removed_directory("d/e/"), 0);
	cr_expect_eq(links("d"), 2);
	cr_expect_eq(removed_directory("d"), 0);
	file_with("f", "x");
	cr_expect_eq(removed_directory("f"), ENOTDIR);
	cr_expect_eq(symlinked("/tmp", "l"), 0);
	cr_expect_eq(removed_directory("l"), ENOTDIR);
	cr_expect_eq(removed_directory("l/"), ENOTDIR);
}

Test(names, unlink)
{
	file_with("f", "x");
	cr_expect_eq(unlinked("f"), 0);
	cr_expect_eq(unlinked("f"), ENOENT);
	cr_expect_eq(unlinked("/tmp"), EISDIR);
	cr_expect_eq(unlinked("/"), EISDIR);
	cr_expect_eq(unlinked("/tmp/."), EISDIR);
	cr_expect_eq(symlinked("/tmp", "l"), 0);
	cr_expect_eq(unlinked("l/"), ENOTDIR);
	cr_expect_eq(unlinked("l"), 0);
	cr_expect(exists("/tmp"));
}

Test(names, unlinked_files_live_while_open)
{
	char byte;
	struct attributes attr;
	file_with("f", "x");
	uint64_t free_before = vfs->root.vnode->system->inodes;
	port_name_t file = opened("f", O_RDWR, 0);
	cr_expect_eq(unlinked("f"), 0);
	cr_expect_eq(io_stat(file, &attr), 0);
	cr_expect_eq(attr.links, 0);
	cr_expect_eq(get(file, &byte, 1), 1);
	file_with("f", "other");
	cr_expect_eq(put_text(file, "more"), 4);
	cr_expect(has_text("f", "other"));
	closed(file);
	cr_expect_eq(vfs->root.vnode->system->inodes, free_before);
}

Test(names, hard_links)
{
	file_with("f", "x");
	cr_expect_eq(linked("f", "g"), 0);
	cr_expect_eq(links("f"), 2);
	cr_expect_eq(attributes_of("f").inode, attributes_of("g").inode);
	cr_expect_eq(unlinked("f"), 0);
	cr_expect_eq(links("g"), 1);
	cr_expect(has_text("g", "x"));
	cr_expect_eq(linked("g", "g"), EEXIST);
	cr_expect_eq(linked("/tmp", "h"), EPERM);
	cr_expect_eq(linked("none", "h"), ENOENT);
	cr_expect_eq(linked("g", "/dev/shm/h"), EXDEV);
	cr_expect_eq(linked("g", "/none/h"), ENOENT);
}

Test(names, links_to_symbolic_links)
{
	struct attributes attr;
	file_with("f", "x");
	cr_expect_eq(symlinked("f", "l"), 0);
	cr_expect_eq(linked("l", "m"), 0);
	cr_expect_eq(attributes_of_link("m").mode & S_IFMT, S_IFLNK);
	cr_expect_eq(vfs_link(top, "l", top, "n", 0), 0);
	cr_expect_eq(vfs_stat(top, "n", VFS_LOOKUP_NO_FOLLOW, &attr), 0);
	cr_expect_eq(attr.mode & S_IFMT, S_IFREG);
}

Test(names, temporary_files_may_get_a_name)
{
	port_name_t file = opened("/tmp", O_TMPFILE_BIT | O_DIRECTORY | O_RDWR, 0600);
	struct attributes attr;
	cr_expect_eq(put_text(file, "hidden"), 6);
	cr_expect_eq(io_stat(file, &attr), 0);
	cr_expect_eq(attr.links, 0);
	cr_expect_eq(vfs_link(file, "", top, "/tmp/f", VFS_LOOKUP_EMPTY_PATH), 0);
	closed(file);
	cr_expect(has_text("/tmp/f", "hidden"));
	cr_expect_eq(try_open("/tmp", O_TMPFILE_BIT | O_DIRECTORY | O_RDONLY, 0600), EINVAL);
	cr_expect_eq(try_open("/tmp/f", O_TMPFILE_BIT | O_DIRECTORY | O_RDWR, 0600), ENOTDIR);
}

Test(names, read_link)
{
	char target[2900];
	size_t length = 0;
	cr_expect_eq(symlinked("some/where", "l"), 0);
	cr_expect_eq(vfs_read_link(top, "l", target, sizeof(target), &length), 0);
	cr_expect_eq(length, 10);
	cr_expect_eq(memcmp(target, "some/where", 10), 0);
	cr_expect_eq(vfs_read_link(top, "/tmp", target, sizeof(target), &length), EINVAL);
	cr_expect_eq(vfs_read_link(top, "none", target, sizeof(target), &length), ENOENT);
	cr_expect_eq(symlinked("", "m"), ENOENT);
	cr_expect_eq(symlinked("x", "l"), EEXIST);
}

/* ---- rename ---- */

Test(names, rename_files)
{
	file_with("f", "x");
	cr_expect_eq(renamed("f", "g", 0), 0);
	cr_expect(!exists("f"));
	cr_expect(has_text("g", "x"));
	file_with("h", "y");
	cr_expect_eq(renamed("g", "h", 0), 0);
	cr_expect(has_text("h", "x"));
	cr_expect_eq(renamed("h", "/tmp/h", 0), 0);
	cr_expect(has_text("/tmp/h", "x"));
	cr_expect_eq(renamed("none", "x", 0), ENOENT);
	cr_expect_eq(renamed("/tmp/h", "/tmp/h", 0), 0);
	cr_expect_eq(renamed("/tmp/h", "/none/h", 0), ENOENT);
	cr_expect_eq(renamed("/tmp/h", "/dev/shm/h", 0), EXDEV);
}

Test(names, rename_onto_another_name_of_the_same_file)
{
	file_with("f", "x");
	cr_expect_eq(linked("f", "g"), 0);
	cr_expect_eq(renamed("f", "g", 0), 0);
	cr_expect(exists("f") && exists("g"));
}

Test(names, rename_directories)
{
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("a/sub"), 0);
	cr_expect_eq(make_directory("b"), 0);
	cr_expect_eq(renamed("a/sub", "b/sub", 0), 0);
	cr_expect_eq(links("a"), 2);
	cr_expect_eq(links("b"), 3);
	cr_expect_eq(attributes_of("b/sub/..").inode, attributes_of("b").inode);
	cr_expect_eq(renamed("a", "b/sub", 0), 0); /* onto an empty one */
	cr_expect_eq(links("b"), 3);
	cr_expect_eq(make_directory("c"), 0);
	cr_expect_eq(renamed("c", "b", 0), ENOTEMPTY);
	cr_expect_eq(renamed("c/", "d/", 0), 0);
	cr_expect(exists("d"));
}

Test(names, rename_kinds_must_agree)
{
	cr_expect_eq(make_directory("d"), 0);
	file_with("f", "x");
	cr_expect_eq(renamed("f", "d", 0), EISDIR);
	cr_expect_eq(renamed("d", "f", 0), ENOTDIR);
	cr_expect_eq(renamed("f", "g/", 0), ENOTDIR);
	cr_expect_eq(renamed("f/", "g", 0), ENOTDIR);
	cr_expect_eq(symlinked("d", "l"), 0);
	cr_expect_eq(renamed("l", "m", 0), 0);
	cr_expect_eq(attributes_of_link("m").mode & S_IFMT, S_IFLNK);
}

Test(names, rename_into_itself)
{
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("a/b"), 0);
	cr_expect_eq(make_directory("a/b/c"), 0);
	cr_expect_eq(renamed("a", "a/x", 0), EINVAL);
	cr_expect_eq(renamed("a", "a/b/c/x", 0), EINVAL);
	cr_expect_eq(renamed("a", "a/b", 0), EINVAL);
	cr_expect_eq(renamed("a/b/c", "a", 0), ENOTEMPTY);
	cr_expect_eq(renamed("a/b/c", "a/b", 0), ENOTEMPTY);
}

Test(names, rename_of_dots_and_mounts)
{
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(renamed("a/.", "b", 0), EBUSY);
	cr_expect_eq(renamed("a/..", "b", 0), EBUSY);
	cr_expect_eq(renamed("/", "b", 0), EBUSY);
	cr_expect_eq(renamed("a", "a/.", 0), EBUSY);
	cr_expect_eq(renamed("/dev", "b", 0), EBUSY);
	cr_expect_eq(renamed("a", "/dev", 0), EBUSY);
	cr_expect_eq(renamed("/proc", "b", 0), EBUSY);
}

Test(names, rename_without_replacing)
{
	file_with("f", "x");
	file_with("g", "y");
	cr_expect_eq(renamed("f", "g", RENAME_KEEP_TARGET), EEXIST);
	cr_expect_eq(renamed("f", "h", RENAME_KEEP_TARGET), 0);
	cr_expect_eq(renamed("h", ".", RENAME_KEEP_TARGET), EEXIST);
	cr_expect_eq(renamed("h", "g", RENAME_KEEP_TARGET | RENAME_SWAP), EINVAL);
	cr_expect_eq(renamed("h", "g", 4), EINVAL);
}

Test(names, exchange)
{
	file_with("f", "x");
	cr_expect_eq(make_directory("d"), 0);
	cr_expect_eq(make_directory("d/sub"), 0);
	cr_expect_eq(renamed("f", "none", RENAME_SWAP), ENOENT);
	cr_expect_eq(renamed("f", "d/sub", RENAME_SWAP), 0);
	cr_expect(has_text("d/sub", "x"));
	cr_expect_eq(attributes_of("f").mode & S_IFMT, S_IFDIR);
	cr_expect_eq(links("d"), 2);
	cr_expect_eq(attributes_of("f/..").inode, attributes_of("/").inode);
	cr_expect_eq(renamed("d", "d/sub", RENAME_SWAP), EINVAL);
	cr_expect_eq(renamed("d/sub", "d", RENAME_SWAP), EINVAL);
}

Test(names, exchange_of_directories_with_different_parents)
{
	cr_expect_eq(make_directory("a"), 0);
	cr_expect_eq(make_directory("b"), 0);
	cr_expect_eq(make_directory("a/x"), 0);
	cr_expect_eq(make_directory("b/y"), 0);
	file_with("a/x/in-x", "1");
	cr_expect_eq(renamed("a/x", "b/y", RENAME_SWAP), 0);
	cr_expect(has_text("b/y/in-x", "1"));
	cr_expect_eq(attributes_of("b/y/..").inode, attributes_of("b").inode);
	cr_expect_eq(attributes_of("a/x/..").inode, attributes_of("a").inode);
	cr_expect_eq(links("a"), 3);
	cr_expect_eq(links("b"), 3);
}

Test(names, rename_keeps_an_open_target_alive)
{
	char byte = 0;
	file_with("f", "new");
	file_with("g", "old");
	port_name_t old = opened("g", O_RDONLY, 0);
	cr_expect_eq(renamed("f", "g", 0), 0);
	cr_expect_eq(get(old, &byte, 1), 1);
	cr_expect_eq(byte, 'o');
	closed(old);
}

Test(names, moving_a_directory_writes_to_it)
{
	become(5, 5);
	cr_expect_eq(make_directory("/tmp/a"), 0);
	cr_expect_eq(make_directory("/tmp/b"), 0);
	cr_expect_eq(make_directory("/tmp/a/d"), 0);
	cr_expect_eq(vfs_set_mode(top, "/tmp/a/d", 0555, 0), 0);
	cr_expect_eq(renamed("/tmp/a/d", "/tmp/a/e", 0), 0);
	cr_expect_eq(renamed("/tmp/a/e", "/tmp/b/e", 0), EACCES);
	become(0, 0);
}

/* Every name comes out of readdir exactly once, whatever happens in between to others. */
static unsigned count_names(port_name_t directory, size_t room, unsigned (*between)(unsigned round))
{
	uint8_t bytes[4096];
	unsigned names = 0, round = 0;
	uint64_t done = 0;
	for (;;) {
		int error = io_read_directory(directory, bytes, room, &done);
		cr_assert_eq(error, 0, "getdents: %d", error);
		if (done == 0)
			return names;
		for (uint64_t at = 0; at < done; names++) {
			uint16_t length;
			memcpy(&length, bytes + at + 16, 2);
			cr_assert(length % 8 == 0 && length >= 24);
			at += length;
		}
		if (between != NULL)
			between(round++);
	}
}

static void many(unsigned count)
{
	char name[32];
	cr_assert_eq(make_directory("many"), 0);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "many/%u", i);
		cr_assert_eq(vfs_make_node(top, name, S_IFREG | 0600, 0), 0);
	}
}

Test(names, read_directory)
{
	many(500);
	port_name_t directory = opened("many", O_RDONLY | O_DIRECTORY, 0);
	int64_t position;
	cr_expect_eq(count_names(directory, 4096, NULL), 502);
	cr_expect_eq(io_seek(directory, 0, SEEK_FROM_SET, &position), 0);
	cr_expect_eq(count_names(directory, 64, NULL), 502);
	uint8_t small[16];
	uint64_t done;
	cr_expect_eq(io_seek(directory, 0, SEEK_FROM_SET, &position), 0);
	cr_expect_eq(io_read_directory(directory, small, sizeof(small), &done), EINVAL);
	closed(directory);
	port_name_t file = opened("many/1", O_RDONLY, 0);
	cr_expect_eq(io_read_directory(file, small, sizeof(small), &done), ENOTDIR);
	closed(file);
}

static unsigned remove_some(unsigned round)
{
	char name[32];
	snprintf(name, sizeof(name), "many/%u", round); /* names that were told already */
	return (unsigned)unlinked(name);
}

Test(names, read_directory_while_names_go)
{
	many(300);
	port_name_t directory = opened("many", O_RDONLY | O_DIRECTORY, 0);
	cr_expect_eq(count_names(directory, 256, remove_some), 302);
	closed(directory);
}

Test(names, directories_with_many_names)
{
	char name[32];
	many(3000);
	for (unsigned i = 0; i < 3000; i += 7) {
		snprintf(name, sizeof(name), "many/%u", i);
		cr_assert_eq(unlinked(name), 0);
	}
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "many/%u", i);
		cr_assert_eq(exists(name), i % 7 != 0);
	}
}

Test(names, a_deep_tree_goes_with_its_file_system)
{
	char path[2048] = "/tmp";
	cr_expect_eq(vfs_mount(top, "t", "/tmp", "tmpfs", 0, ""), 0);
	size_t used = keep_used();
	for (unsigned i = 0; i < 500; i++) {
		strcat(path, "/d");
		cr_assert_eq(make_directory(path), 0);
	}
	cr_expect_gt(keep_used(), used);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
	cr_expect_gt(keep_used(), used, "one transaction does not take all of it");
	cr_expect_gt(host_run_deferred(), 3);
	cr_expect_lt(keep_used(), used);
}

Test(names, two_trees_go_at_the_same_time)
{
	char name[32];
	size_t used = keep_used();
	for (unsigned t = 0; t < 2; t++) {
		snprintf(name, sizeof(name), "/t%u", t);
		cr_assert_eq(make_directory(name), 0);
		cr_expect_eq(vfs_mount(top, "t", name, "tmpfs", 0, ""), 0);
		for (unsigned i = 0; i < 200; i++) {
			snprintf(name, sizeof(name), "/t%u/%u", t, i);
			file_with(name, "x");
		}
	}
	cr_expect_eq(vfs_unmount(top, "/t0", 0), 0);
	cr_expect_eq(vfs_unmount(top, "/t1", 0), 0);
	host_run_deferred();
	cr_expect_eq(removed_directory("/t0"), 0);
	cr_expect_eq(removed_directory("/t1"), 0);
	cr_expect_lt(keep_used(), used + 4096, "%zu bytes more", keep_used() - used);
}
