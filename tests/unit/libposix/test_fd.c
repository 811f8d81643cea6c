/* Descriptor table: numbers, sharing, limits, exec. */
#include "fakes.h"

#include "../../../libposix/linux.h"
#include "../../../libposix/thread.h"

#include <criterion/criterion.h>

static int open_named(port_name_t name)
{
	return fd_open(name, 1, 0, false);
}

Test(fd, lowest_number_first)
{
	cr_assert_eq(open_named(10), 0);
	cr_assert_eq(open_named(11), 1);
	cr_assert_eq(open_named(12), 2);
	fd_close(1);
	cr_assert_eq(open_named(13), 1);
	cr_assert_eq(open_named(14), 3);
}

Test(fd, get_tells_the_right)
{
	int fd = open_named(77);
	cr_assert_eq(fd_get(fd)->name, 77u);
	cr_assert_null(fd_get(fd + 1));
	cr_assert_null(fd_get(-1));
	cr_assert_null(fd_get(FD_MAX));
}

Test(fd, close_releases_the_right)
{
	int fd = open_named(5);
	cr_assert_eq(fd_close(fd), 0);
	cr_assert_eq(released_count, 1u);
	cr_assert_eq(released[0], 5u);
	cr_assert_eq(fd_close(fd), -EBADF);
}

Test(fd, duplicates_share_one_right)
{
	int fd = open_named(5);
	int copy = fd_install(fd_hold(fd), 0, false);
	cr_assert_eq(copy, 1);
	cr_assert_eq(fd_get(fd), fd_get(copy));
	fd_close(fd);
	cr_assert_eq(released_count, 0u);
	fd_close(copy);
	cr_assert_eq(released_count, 1u);
}

Test(fd, install_above)
{
	int fd = open_named(5);
	cr_assert_eq(fd_install(fd_hold(fd), 100, false), 100);
	cr_assert_eq(fd_install(fd_hold(fd), 100, false), 101);
	cr_assert_eq(fd_install(fd_hold(fd), 63, false), 63);
	cr_assert_eq(fd_install(fd_hold(fd), 63, false), 64);
}

Test(fd, install_below_zero_or_beyond_limit)
{
	int fd = open_named(5);
	cr_assert_eq(fd_install(fd_hold(fd), -1, false), -EINVAL);
	cr_assert_eq(fd_install(fd_hold(fd), 1024, false), -EINVAL);
	cr_assert_eq(fd_get(fd)->references, 1u);
}

Test(fd, limit_is_emfile)
{
	process.file_limit = 3;
	for (int i = 0; i < 3; i++)
		cr_assert_eq(open_named(10 + (port_name_t)i), i);
	cr_assert_eq(open_named(20), -EMFILE);
	cr_assert_eq(released[0], 20u);
}

Test(fd, replace_closes_what_is_there)
{
	int a = open_named(1), b = open_named(2);
	cr_assert_eq(fd_replace(fd_hold(a), b, false), b);
	cr_assert_eq(released[0], 2u);
	cr_assert_eq(fd_get(b)->name, 1u);
}

Test(fd, replace_with_itself)
{
	int a = open_named(1);
	cr_assert_eq(fd_replace(fd_hold(a), a, false), a);
	cr_assert_eq(fd_get(a)->references, 1u);
	cr_assert_eq(released_count, 0u);
}

Test(fd, replace_out_of_range)
{
	int a = open_named(1);
	cr_assert_eq(fd_replace(fd_hold(a), 5000, false), -EBADF);
	cr_assert_eq(fd_replace(fd_hold(a), -1, false), -EBADF);
	cr_assert_eq(fd_get(a)->references, 1u);
}

Test(fd, close_on_exec_flag)
{
	int a = fd_open(1, 0, 0, true);
	cr_assert_eq(fd_flags(a), L_FD_CLOEXEC);
	cr_assert_eq(fd_set_flags(a, false), 0);
	cr_assert_eq(fd_flags(a), 0);
	cr_assert_eq(fd_flags(a + 1), -EBADF);
	cr_assert_eq(fd_set_flags(a + 1, true), -EBADF);
}

Test(fd, flag_belongs_to_the_descriptor)
{
	int a = open_named(1);
	int b = fd_install(fd_hold(a), 0, true);
	cr_assert_eq(fd_flags(a), 0);
	cr_assert_eq(fd_flags(b), L_FD_CLOEXEC);
}

Test(fd, close_range)
{
	for (port_name_t i = 0; i < 8; i++)
		open_named(100 + i);
	fd_close_range(3, 5, false);
	cr_assert_eq(fd_next(3), 6);
	fd_close_range(6, UINT32_MAX, true);
	cr_assert_eq(fd_flags(6), L_FD_CLOEXEC);
	cr_assert_eq(fd_flags(2), 0);
}

Test(fd, next_ends)
{
	open_named(1);
	cr_assert_eq(fd_next(0), 0);
	cr_assert_eq(fd_next(1), -1);
}

Test(fd, thousands)
{
	process.file_limit = FD_MAX;
	for (uint32_t i = 0; i < 5000; i++)
		cr_assert_eq(open_named(1 + i), (int)i);
	for (int fd = 0; fd < 5000; fd += 7)
		fd_close(fd);
	for (int fd = 0; fd < 5000; fd += 7)
		cr_assert_eq(open_named(9), fd);
}

Test(fd, exec_drops_close_on_exec)
{
	static uint8_t state[65536];
	int a = open_named(11), b = fd_open(12, 3, 2, true), c = fd_install(fd_hold(a), 9, false);
	size_t size = fd_saved_size();
	cr_assert_eq(fd_save(state, sizeof(state)), size);
	fd_close(a);
	fd_close(b);
	fd_close(c);
	released_count = 0;
	/* Flags do not travel: what is to be closed is dropped. */
	cr_assert_eq(fd_load(state, size), size);
	cr_assert_eq(fd_get(a)->name, 11u);
	cr_assert_eq(fd_get(c), fd_get(a));
	cr_assert_null(fd_get(b));
	cr_assert_eq(released_count, 1u);
	cr_assert_eq(released[0], 12u);
}

Test(fd, save_wants_room)
{
	uint8_t small[8];
	open_named(1);
	cr_assert_eq(fd_save(small, sizeof(small)), 0u);
}

Test(fd, load_refuses_nonsense)
{
	uint32_t bad[8] = { 0x12345678, 1, 1, 0 };
	uint32_t huge[4] = { 0x66647331, 0xffffffff, 0, 0 };
	uint32_t cut[4] = { 0x66647331, 4, 4, 0 };
	cr_assert_eq(fd_load(bad, sizeof(bad)), 0u);
	cr_assert_eq(fd_load(huge, sizeof(huge)), 0u);
	cr_assert_eq(fd_load(cut, sizeof(cut)), 0u);
	cr_assert_eq(fd_load(bad, 3), 0u);
}

Test(fd, load_refuses_wild_indexes)
{
	uint32_t state[4 + 4 + 2 * 3] = { 0x66647331, 1, 3, 0, 50, 0, 0, 0, 1, 7, 70000, 0, 2, 0 };
	cr_assert_eq(fd_load(state, sizeof(state)), sizeof(state));
	cr_assert_null(fd_get(1));
	cr_assert_eq(fd_get(2)->name, 50u);
}

Test(fd, fork_counts_anew)
{
	int a = open_named(1);
	fd_hold(a); /* a call of another thread of the parent */
	fd_forked();
	cr_assert_eq(fd_get(a)->references, 1u);
	fd_close(a);
	cr_assert_eq(released_count, 1u);
}

Test(fd, references_while_threaded)
{
	process.threaded = true;
	int a = open_named(1);
	struct description *held = fd_get(a);
	fd_close(a);
	cr_assert_eq(released_count, 0u);
	fd_put(held);
	cr_assert_eq(released_count, 1u);
}
