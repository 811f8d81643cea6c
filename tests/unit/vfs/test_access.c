/*
 * Permissions, ownership, set-id bits, sticky directories, times.
 */
#include "fixture.h"

TestSuite(access, .init = start, .fini = stop);

static uint32_t mode_of(const char *path)
{
	return attributes_of(path).mode & MODE_BITS;
}

static void owned(const char *path, uint32_t uid, uint32_t gid, uint32_t mode)
{
	file_with(path, "x");
	cr_assert_eq(vfs_set_owner(top, path, uid, gid, 0), 0);
	cr_assert_eq(vfs_set_mode(top, path, mode, 0), 0);
}

static void group_too(uint32_t gid)
{
	struct session *me = myself();
	me->cred.groups[me->cred.group_count++] = gid;
}

Test(access, classes)
{
	owned("f", 5, 6, 0640);
	become(5, 1);
	cr_expect_eq(try_open("f", O_RDWR, 0), 0);
	become(7, 6);
	cr_expect_eq(try_open("f", O_RDONLY, 0), 0);
	cr_expect_eq(try_open("f", O_WRONLY, 0), EACCES);
	become(8, 8);
	cr_expect_eq(try_open("f", O_RDONLY, 0), EACCES);
	group_too(6);
	cr_expect_eq(try_open("f", O_RDONLY, 0), 0);
	become(0, 0);
}

Test(access, the_first_class_that_fits_counts)
{
	owned("f", 5, 6, 0077);
	become(5, 6);
	cr_expect_eq(try_open("f", O_RDONLY, 0), EACCES);
	become(7, 6);
	cr_expect_eq(try_open("f", O_RDONLY, 0), 0);
	become(0, 0);
}

Test(access, capabilities_override)
{
	owned("f", 5, 6, 0000);
	cr_expect_eq(try_open("f", O_RDWR, 0), 0);
	cr_expect_eq(vfs_access(top, "f", MAY_EXECUTE, 0), EACCES);
	cr_expect_eq(vfs_set_mode(top, "f", 0001, 0), 0);
	cr_expect_eq(vfs_access(top, "f", MAY_EXECUTE, 0), 0);
	become(9, 9);
	myself()->cred.cap_effective = 1u << CAP_DAC_READ_SEARCH;
	cr_expect_eq(try_open("f", O_RDONLY, 0), 0);
	cr_expect_eq(try_open("f", O_WRONLY, 0), EACCES);
	become(0, 0);
}

Test(access, access_asks_for_the_real_ids)
{
	owned("f", 5, 6, 0600);
	become(5, 6);
	myself()->cred.uid = 9;
	cr_expect_eq(vfs_access(top, "f", MAY_READ, 0), EACCES);
	cr_expect_eq(vfs_access(top, "f", MAY_READ, VFS_LOOKUP_EFFECTIVE), 0);
	cr_expect_eq(vfs_access(top, "f", 0, 0), 0);
	cr_expect_eq(vfs_access(top, "f", 8, 0), EINVAL);
	become(0, 0);
}

Test(access, directories_need_write_for_names)
{
	cr_assert_eq(make_directory("d"), 0);
	file_with("d/f", "x");
	become(5, 5);
	cr_expect_eq(try_open("d/new", O_CREAT | O_WRONLY, 0644), EACCES);
	cr_expect_eq(try_open("d/f", O_CREAT | O_RDONLY, 0644), 0);
	cr_expect_eq(unlinked("d/f"), EACCES);
	cr_expect_eq(make_directory("d/x"), EACCES);
	cr_expect_eq(symlinked("x", "d/l"), EACCES);
	cr_expect_eq(renamed("d/f", "d/g", 0), EACCES);
	cr_expect_eq(linked("d/f", "d/g"), EACCES);
	become(0, 0);
}

Test(access, sticky_directories)
{
	become(5, 5);
	file_with("/tmp/f", "x");
	become(6, 6);
	cr_expect_eq(unlinked("/tmp/f"), EPERM);
	cr_expect_eq(renamed("/tmp/f", "/tmp/g", 0), EPERM);
	file_with("/tmp/mine", "y");
	cr_expect_eq(renamed("/tmp/mine", "/tmp/f", 0), EPERM);
	cr_expect_eq(unlinked("/tmp/mine"), 0);
	become(5, 5);
	cr_expect_eq(unlinked("/tmp/f"), 0);
	become(0, 0);
}

Test(access, a_new_file_needs_no_permission_on_itself)
{
	become(5, 5);
	port_name_t file = opened("/tmp/f", O_CREAT | O_RDWR, 0000);
	cr_expect_eq(put_text(file, "x"), 1);
	closed(file);
	cr_expect_eq(try_open("/tmp/f", O_RDONLY, 0), EACCES);
	become(0, 0);
}

Test(access, new_files_get_ids_of_their_maker)
{
	become(5, 6);
	file_with("/tmp/f", "x");
	cr_expect_eq(attributes_of("/tmp/f").uid, 5);
	cr_expect_eq(attributes_of("/tmp/f").gid, 6);
	become(0, 0);
}

Test(access, set_group_id_directories)
{
	cr_assert_eq(vfs_make_directory(top, "d", 0777), 0);
	cr_assert_eq(vfs_set_owner(top, "d", 0, 9, 0), 0);
	cr_assert_eq(vfs_set_mode(top, "d", 02777, 0), 0);
	become(5, 6);
	file_with("d/f", "x");
	cr_expect_eq(attributes_of("d/f").gid, 9);
	cr_expect_eq(make_directory("d/sub"), 0);
	cr_expect_eq(attributes_of("d/sub").gid, 9);
	cr_expect_eq(mode_of("d/sub"), 02755);
	cr_expect_eq(try_open("d/set", O_CREAT | O_WRONLY, 02755), 0);
	cr_expect_eq(mode_of("d/set"), 0755);
	become(0, 0);
}

Test(access, chmod)
{
	owned("f", 5, 6, 0644);
	become(7, 6);
	cr_expect_eq(vfs_set_mode(top, "f", 0600, 0), EPERM);
	become(5, 1);
	cr_expect_eq(vfs_set_mode(top, "f", 02755, 0), 0);
	cr_expect_eq(mode_of("f"), 0755); /* not in the file's group */
	group_too(6);
	cr_expect_eq(vfs_set_mode(top, "f", 06755, 0), 0);
	cr_expect_eq(mode_of("f"), 06755);
	become(0, 0);
	cr_expect_eq(symlinked("f", "l"), 0);
	cr_expect_eq(vfs_set_mode(top, "l", 0600, VFS_LOOKUP_NO_FOLLOW), EOPNOTSUPP);
	cr_expect_eq(vfs_set_mode(top, "l", 0600, 0), 0);
	cr_expect_eq(mode_of("f"), 0600);
}

Test(access, chown)
{
	owned("f", 5, 6, 06755);
	become(5, 6);
	cr_expect_eq(vfs_set_owner(top, "f", 7, LEAVE_ID, 0), EPERM);
	cr_expect_eq(vfs_set_owner(top, "f", LEAVE_ID, 8, 0), EPERM);
	group_too(8);
	cr_expect_eq(vfs_set_owner(top, "f", LEAVE_ID, 8, 0), 0);
	cr_expect_eq(attributes_of("f").gid, 8);
	cr_expect_eq(mode_of("f"), 0755);
	become(7, 8);
	cr_expect_eq(vfs_set_owner(top, "f", LEAVE_ID, 8, 0), EPERM);
	become(0, 0);
	cr_expect_eq(vfs_set_owner(top, "f", 1, 2, 0), 0);
	cr_expect_eq(attributes_of("f").uid, 1);
	cr_expect_eq(symlinked("f", "l"), 0);
	cr_expect_eq(vfs_set_owner(top, "l", 3, 3, VFS_LOOKUP_NO_FOLLOW), 0);
	cr_expect_eq(attributes_of_link("l").uid, 3);
	cr_expect_eq(attributes_of("f").uid, 1);
}

Test(access, a_write_takes_set_id_bits_away)
{
	owned("f", 5, 6, 06777);
	file_with("f", "root may");
	cr_expect_eq(mode_of("f"), 06777);
	become(9, 9);
	port_name_t file = opened("f", O_WRONLY, 0);
	cr_expect_eq(put_text(file, "x"), 1);
	closed(file);
	become(0, 0);
	cr_expect_eq(mode_of("f"), 0777);
}

Test(access, set_group_id_without_group_execute_is_no_set_id)
{
	owned("f", 5, 6, 02666);
	become(9, 9);
	port_name_t file = opened("f", O_WRONLY, 0);
	cr_expect_eq(put_text(file, "x"), 1);
	closed(file);
	become(0, 0);
	cr_expect_eq(mode_of("f"), 02666);
}

Test(access, mknod_of_devices_needs_the_capability)
{
	become(5, 5);
	cr_expect_eq(vfs_make_node(top, "/tmp/n", S_IFCHR | 0666, 1 << 8 | 3), EPERM);
	cr_expect_eq(vfs_make_node(top, "/tmp/p", S_IFIFO | 0666, 0), 0);
	cr_expect_eq(vfs_make_node(top, "/tmp/s", S_IFSOCK | 0666, 0), 0);
	cr_expect_eq(vfs_make_node(top, "/tmp/r", 0644, 0), 0);
	cr_expect_eq(vfs_make_node(top, "/tmp/d", S_IFDIR | 0755, 0), EPERM);
	cr_expect_eq(vfs_make_node(top, "/tmp/x", 0170000 | 0755, 0), EINVAL);
	become(0, 0);
	cr_expect_eq(attributes_of("/tmp/r").mode, S_IFREG | 0644);
	cr_expect_eq(try_open("/tmp/s", O_RDONLY, 0), ENXIO);
}

Test(access, times_move)
{
	file_with("f", "x");
	struct attributes before = attributes_of("f"), directory = attributes_of("/");
	host_set_time(UINT64_C(50000000000));
	cr_expect(has_text("f", "x"));
	struct attributes after = attributes_of("f");
	cr_expect_gt(after.accessed.seconds, before.accessed.seconds);
	cr_expect_eq(after.modified.seconds, before.modified.seconds);
	host_set_time(UINT64_C(60000000000));
	port_name_t file = opened("f", O_WRONLY, 0);
	cr_expect_eq(put_text(file, "y"), 1);
	closed(file);
	after = attributes_of("f");
	cr_expect_gt(after.modified.seconds, before.modified.seconds);
	cr_expect_eq(after.modified.seconds, after.changed.seconds);
	cr_expect_eq(attributes_of("/").modified.seconds, directory.modified.seconds);
	file_with("g", "x");
	cr_expect_gt(attributes_of("/").modified.seconds, directory.modified.seconds);
	cr_expect_eq(after.born.seconds, before.born.seconds);
}

Test(access, utimensat)
{
	struct timestamp now = {.nanoseconds = TIME_NOW}, omit = {.nanoseconds = TIME_OMIT},
	                 old = {.seconds = -5, .nanoseconds = 7};
	struct timestamp bad = {.nanoseconds = 1000000000};
	owned("f", 5, 6, 0666);
	cr_expect_eq(vfs_set_times(top, "f", &old, &omit, 0), 0);
	cr_expect_eq(attributes_of("f").accessed.seconds, -5);
	cr_expect_eq(attributes_of("f").accessed.nanoseconds, 7);
	cr_expect_eq(vfs_set_times(top, "f", &old, &bad, 0), EINVAL);
	become(9, 9);
	cr_expect_eq(vfs_set_times(top, "f", &old, &old, 0), EPERM);
	cr_expect_eq(vfs_set_times(top, "f", &now, &omit, 0), EPERM);
	cr_expect_eq(vfs_set_times(top, "f", &now, &now, 0), 0);
	cr_expect_eq(vfs_set_times(top, "f", &omit, &omit, 0), 0);
	become(0, 0);
	cr_expect_eq(vfs_set_mode(top, "f", 0644, 0), 0);
	become(9, 9);
	cr_expect_eq(vfs_set_times(top, "f", &now, &now, 0), EACCES);
	become(0, 0);
}

Test(access, no_access_time)
{
	owned("f", 5, 5, 0666);
	struct attributes before = attributes_of("f");
	host_set_time(UINT64_C(90000000000));
	char byte;
	port_name_t file = opened("f", O_RDONLY | O_NOATIME, 0);
	cr_expect_eq(get(file, &byte, 1), 1);
	closed(file);
	cr_expect_eq(attributes_of("f").accessed.seconds, before.accessed.seconds);
	become(9, 9);
	cr_expect_eq(try_open("f", O_RDONLY | O_NOATIME, 0), EPERM);
	become(0, 0);
}
