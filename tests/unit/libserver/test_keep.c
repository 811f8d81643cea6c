/*
 * The keep's heap, byte queues, and the table of kernel statuses.
 */
#include <criterion/criterion.h>
#include <host.h>
#include <portico/client.h>
#include <portico/ring.h>
#include <signal.h>
#include <string.h>

static void setup(void)
{
	host_reset();
	server_keep_root(100);
}

TestSuite(keep, .init = setup);

Test(keep, root_is_zero_and_stays)
{
	char *root = server_keep_root(100);

	for (int i = 0; i < 100; i++)
		cr_assert_eq(root[i], 0);
	root[50] = 7;
	cr_assert_eq(server_keep_root(100), root);
	cr_assert_eq(root[50], 7, "a new incarnation finds it as it was");
}

Test(keep, root_of_another_size_is_refused, .signal = SIGABRT)
{
	server_keep_root(101);
}

Test(keep, blocks_are_zero_aligned_and_apart)
{
	static char *block[2000];

	for (size_t i = 0; i < 2000; i++) {
		size_t size = i * 7 % 3000;
		block[i] = keep_allocate(size);
		cr_assert_not_null(block[i]);
		cr_assert_eq((uintptr_t)block[i] % 16, 0);
		for (size_t k = 0; k < size; k++)
			cr_assert_eq(block[i][k], 0);
		memset(block[i], (int)i, size);
	}
	for (size_t i = 0; i < 2000; i++)
		for (size_t k = 0; k < i * 7 % 3000; k++)
			cr_assert_eq(block[i][k], (char)i);
}

Test(keep, freed_blocks_are_used_again)
{
	void *a = keep_allocate(100);
	size_t used = keep_used();

	keep_free(a);
	cr_assert_lt(keep_used(), used);
	cr_assert_eq(keep_allocate(100), a);
	cr_assert_eq(keep_used(), used);
}

Test(keep, reused_blocks_are_zero)
{
	char *a = keep_allocate(64);

	memset(a, 1, 64);
	keep_free(a);
	a = keep_allocate(64);
	for (int i = 0; i < 64; i++)
		cr_assert_eq(a[i], 0);
}

Test(keep, made_blocks_have_their_contents_and_zeros)
{
	char *a = keep_allocate(200);

	memset(a, 1, 200);
	keep_free(a);
	char *b = keep_make("abc", 3, 190);
	cr_assert_eq(a, b);
	cr_assert_arr_eq(b, "abc", 3);
	for (int i = 3; i < 190; i++)
		cr_assert_eq(b[i], 0);
	cr_assert_null(keep_make("abc", 3, SIZE_MAX));
}

Test(keep, null_is_ignored)
{
	keep_free(NULL);
}

Test(keep, freeing_twice_panics, .signal = SIGABRT)
{
	void *a = keep_allocate(10);

	keep_free(a);
	keep_free(a);
}

Test(keep, resize)
{
	char *a = keep_allocate(10);

	strcpy(a, "123456789");
	a = keep_resize(a, 5000);
	cr_assert_str_eq(a, "123456789");
	a = keep_resize(a, 5);
	cr_assert_arr_eq(a, "12345", 5);
	cr_assert_not_null(keep_resize(NULL, 5));
}

Test(keep, exhaustion_is_null)
{
	host_limit_keep(1 << 20);
	unsigned count = 0;
	while (keep_allocate(4000) != NULL)
		count++;
	cr_assert_gt(count, 100);
	cr_assert_lt(count, 260);
	cr_assert_null(keep_allocate((size_t)1 << 40));
	cr_assert_null(keep_allocate(SIZE_MAX));
	cr_assert_null(keep_resize(keep_allocate(0), 1 << 21));
}

Test(keep, every_size_fits_its_block)
{
	for (size_t size = 1; size < 70000; size = size * 9 / 8 + 1) {
		char *a = keep_allocate(size), *b = keep_allocate(size);

		cr_assert_geq(b < a ? a - b : b - a, (ptrdiff_t)size);
		memset(a, 0xff, size);
		memset(b, 0xff, size);
		keep_free(a);
		keep_free(b);
	}
}

/* ---- ring ---- */

Test(ring, wraps)
{
	uint8_t bytes[8], out[8];
	struct ring r;

	ring_init(&r, bytes, 8);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(ring_write(&r, "abcde", 5), 5);
		cr_assert_eq(ring_room(&r), 3);
		cr_assert_eq(ring_peek(&r, out, 8), 5);
		cr_assert_arr_eq(out, "abcde", 5);
		ring_skip(&r, 5);
	}
}

Test(ring, full_and_empty)
{
	uint8_t bytes[4];
	struct ring r;
	size_t count;

	ring_init(&r, bytes, 4);
	cr_assert_eq(ring_write(&r, "abcdef", 6), 4);
	cr_assert_not(ring_put(&r, 'x'));
	cr_assert_eq(ring_unput(&r), 'd');
	cr_assert_eq(ring_at(&r, 2), 'c');
	ring_skip(&r, 3);
	ring_piece(&r, &count);
	cr_assert_eq(count, 0);
}

Test(ring, piece_is_what_lies_together)
{
	uint8_t bytes[8];
	struct ring r;
	size_t count;

	ring_init(&r, bytes, 8);
	ring_write(&r, "abcdef", 6);
	ring_skip(&r, 5);
	ring_write(&r, "ghij", 4);
	cr_assert_arr_eq(ring_piece(&r, &count), "fgh", 3);
	cr_assert_eq(count, 3);
	ring_skip(&r, 3);
	cr_assert_arr_eq(ring_piece(&r, &count), "ij", 2);
	cr_assert_eq(count, 2);
}

Test(status, every_kernel_status_is_an_errno)
{
	cr_assert_eq(kern_errno(KERN_SUCCESS), 0);
	cr_assert_eq(kern_errno(5), 0);
	for (int status = KERN_GONE; status < 0; status++)
		cr_assert_gt(kern_errno(status), 0);
	cr_assert_eq(kern_errno(KERN_NO_MEMORY), ENOMEM);
	cr_assert_eq(kern_errno(KERN_INTERRUPTED), EINTR);
	cr_assert_eq(kern_errno(-1000), EIO);
}
