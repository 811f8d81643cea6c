/*
 * The archive that the root is filled from: good ones, and every way of being bad that does no harm.
 */
#include "fixture.h"
#include <stdio.h>
#include <stdlib.h>

TestSuite(cpio, .init = start, .fini = stop);

static uint8_t archive[65536];
static size_t length;

static void pad(void)
{
	while (length % 4 != 0)
		archive[length++] = 0;
}

static void member(const char *name, uint32_t inode, uint32_t mode, uint32_t links, const char *bytes, uint32_t device)
{
	size_t size = bytes != NULL ? strlen(bytes) : 0;
	length += (size_t)sprintf(
	        (char *)archive + length, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, 1,
	        2, links, 1000, (unsigned)size, 0, 0, device >> 8, device & 0xff, (unsigned)strlen(name) + 1, 0);
	memcpy(archive + length, name, strlen(name) + 1);
	length += strlen(name) + 1;
	pad();
	if (size != 0)
		memcpy(archive + length, bytes, size);
	length += size;
	pad();
}

static void trailer(void)
{
	member("TRAILER!!!", 0, 0, 1, NULL, 0);
}

static int unpack(void)
{
	uint64_t where;
	/* Its own block, so that a read too far is seen. */
	uint8_t *copy = malloc(length ? length : 1);
	memcpy(copy, archive, length);
	int error = cpio_unpack(vfs->root.vnode, copy, length, &where);
	free(copy);
	return error;
}

static void begin(void)
{
	length = 0;
}

Test(cpio, everything_that_it_can_hold)
{
	char target[2900];
	size_t got;
	begin();
	member(".", 1, S_IFDIR | 0755, 2, NULL, 0);
	member("etc", 2, S_IFDIR | 01770, 2, NULL, 0);
	member("etc/motd", 3, S_IFREG | 0640, 1, "welcome\n", 0);
	member("etc/empty", 4, S_IFREG | 0600, 1, "", 0);
	member("sh", 5, S_IFLNK | 0777, 1, "bin/busybox", 0);
	member("node", 6, S_IFCHR | 0622, 1, NULL, 1 << 8 | 3);
	member("pipe", 7, S_IFIFO | 0600, 1, NULL, 0);
	member("./deep/er/file", 8, S_IFREG | 0644, 1, "x", 0);
	trailer();
	cr_assert_eq(unpack(), 0);
	cr_expect(has_text("/etc/motd", "welcome\n"));
	struct attributes attr = attributes_of("/etc/motd");
	cr_expect_eq(attr.mode, S_IFREG | 0640);
	cr_expect_eq(attr.uid, 1);
	cr_expect_eq(attr.gid, 2);
	cr_expect_eq(attr.modified.seconds, 1000);
	cr_expect_eq(attributes_of("/etc").mode, S_IFDIR | 01770);
	cr_expect_eq(attributes_of("/etc/empty").size, 0);
	cr_expect_eq(vfs_read_link(top, "/sh", target, sizeof(target), &got), 0);
	cr_expect_eq(memcmp(target, "bin/busybox", got), 0);
	cr_expect_eq(attributes_of("/node").rdevice, 1 << 8 | 3);
	cr_expect_eq(attributes_of("/pipe").mode, S_IFIFO | 0600);
	cr_expect(has_text("/deep/er/file", "x"));
}

Test(cpio, hard_links)
{
	begin();
	member("a", 9, S_IFREG | 0755, 3, NULL, 0);
	member("d/b", 9, S_IFREG | 0755, 3, NULL, 0);
	member("other", 10, S_IFREG | 0755, 1, "not it", 0);
	member("c", 9, S_IFREG | 0755, 3, "bytes come last", 0);
	trailer();
	cr_assert_eq(unpack(), 0);
	cr_expect(has_text("/a", "bytes come last"));
	cr_expect(has_text("/d/b", "bytes come last"));
	cr_expect_eq(attributes_of("/c").links, 3);
	cr_expect_eq(attributes_of("/a").inode, attributes_of("/c").inode);
	cr_expect(has_text("/other", "not it"));
}

Test(cpio, a_later_member_replaces)
{
	begin();
	member("f", 1, S_IFREG | 0644, 2, "old and longer", 0);
	member("f", 2, S_IFREG | 0644, 1, "new", 0);
	member("g", 1, S_IFREG | 0644, 2, NULL, 0);
	trailer();
	cr_assert_eq(unpack(), 0);
	cr_expect(has_text("/f", "new"));
	cr_expect(has_text("/g", "old and longer"));
}

Test(cpio, names_that_lead_out)
{
	static const char *const bad[] = {"../x", "a/../../x", "..", "", "/", "/.."};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		member(bad[i], 1, S_IFREG | 0644, 1, "x", 0);
		trailer();
		cr_expect_eq(unpack(), EINVAL, "%s", bad[i]);
	}
	begin();
	member("/absolute", 1, S_IFREG | 0644, 1, "x", 0);
	trailer();
	cr_expect_eq(unpack(), 0);
	cr_expect(exists("/absolute"));
}

Test(cpio, through_what_is_no_directory)
{
	begin();
	member("l", 1, S_IFLNK | 0777, 1, "/tmp", 0);
	member("l/x", 2, S_IFREG | 0644, 1, "x", 0);
	trailer();
	cr_expect_eq(unpack(), EINVAL);
	cr_expect(!exists("/tmp/x"));
	begin();
	member("tmp", 1, S_IFREG | 0644, 1, "x", 0);
	trailer();
	cr_expect_eq(unpack(), EINVAL);
}

Test(cpio, truncated_anywhere)
{
	begin();
	member("dir", 1, S_IFDIR | 0755, 2, NULL, 0);
	member("dir/file", 2, S_IFREG | 0644, 1, "0123456789", 0);
	trailer();
	size_t whole = length;
	for (length = 0; length < whole - 3; length++)
		cr_assert_eq(unpack(), EINVAL, "%zu of %zu bytes", length, whole);
}

Test(cpio, wrong_fields)
{
	static const struct {
		size_t offset;
		const char *text;
	} bad[] = {{0, "070707"},    {54, "ffffffff"}, {94, "ffffffff"}, {94, "00000000"},
	           {94, "00000003"}, {14, "0000x1ed"}, {14, "ffffffff"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		member("file", 2, S_IFREG | 0644, 1, "bytes", 0);
		trailer();
		memcpy(archive + bad[i].offset, bad[i].text, strlen(bad[i].text));
		cr_expect_eq(unpack(), EINVAL, "case %zu", i);
	}
}

Test(cpio, no_room)
{
	cr_assert_eq(vfs_mount(top, "t", "/tmp", "tmpfs", 0, "size=4k"), 0);
	port_name_t tmp = opened("/tmp", O_RDONLY, 0);
	struct vnode *root = open_file_find(loopback_badge(tmp))->place.vnode;
	closed(tmp);
	static char big[9000];
	uint64_t where;
	memset(big, 'x', sizeof(big) - 1);
	begin();
	member("big", 2, S_IFREG | 0644, 1, big, 0);
	trailer();
	cr_expect_eq(cpio_unpack(root, archive, length, &where), ENOSPC);
	cr_expect_eq(where, 0);
	cr_expect_eq(vfs_unmount(top, "/tmp", 0), 0);
}

Test(cpio, random_damage)
{
	srand(3);
	for (unsigned round = 0; round < 3000; round++) {
		begin();
		member("d", 1, S_IFDIR | 0755, 2, NULL, 0);
		member("d/a", 5, S_IFREG | 0644, 2, "first", 0);
		member("l", 6, S_IFLNK | 0777, 1, "target", 0);
		member("d/a", 7, S_IFREG | 0644, 1, "over", 0);
		member("b", 5, S_IFREG | 0644, 2, "second", 0);
		trailer();
		for (unsigned i = 0; i < 1 + round % 4; i++)
			archive[(size_t)rand() % length] = (uint8_t)("0123456789abcdef./x"[rand() % 19]);
		unpack(); /* any answer is right that leaves everything standing */
	}
}
