/*
 * Host tests of kernel/lib: formatting, and the string functions under names of their own (kernel_memcpy, ...).
 */
#include <criterion/criterion.h>
#include <kernel/lib/printf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *kernel_memcpy(void *to, const void *from, size_t size);
void *kernel_memmove(void *to, const void *from, size_t size);
void *kernel_memset(void *to, int byte, size_t size);
int kernel_memcmp(const void *a, const void *b, size_t size);
size_t kernel_strlen(const char *s);
int kernel_strcmp(const char *a, const char *b);
int kernel_strncmp(const char *a, const char *b, size_t size);

struct sink {
	char text[512];
	size_t length;
};

static void put(void *context, char c)
{
	struct sink *sink = context;

	if (sink->length < sizeof(sink->text) - 1)
		sink->text[sink->length++] = c;
}

static void format(struct sink *sink, const char *format, ...)
{
	va_list ap;

	memset(sink, 0, sizeof(*sink));
	va_start(ap, format);
	format_text(put, sink, format, ap);
	va_end(ap);
}

/* The C library is the reference. */
#define SAME(...)                                                                                                      \
	do {                                                                                                           \
		struct sink sink;                                                                                      \
		char expected[512];                                                                                    \
		format(&sink, __VA_ARGS__);                                                                            \
		snprintf(expected, sizeof(expected), __VA_ARGS__);                                                     \
		cr_assert_str_eq(sink.text, expected);                                                                 \
	} while (0)

Test(printf, integers)
{
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%ld %ld", (long)0x8000000000000000, 9223372036854775807);
	SAME("%u %lu %x %lx", 4000000000u, 18446744073709551615ul, 0xdeadbeefu, 0x123456789abcdeful);
	SAME("%zu %llu", (size_t)42, 43ull);
	SAME("%#x %#lx", 0x10, 0x20ul);
}

Test(printf, width_and_flags)
{
	SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	SAME("[%016lx] [%4x] [%-8x]", 0xabcul, 0xffff1u, 0xau);
	SAME("[%*d] [%*u]", 6, 7, 3, 1234);
	SAME("[%#010x]", 0x12);
}

Test(printf, strings)
{
	SAME("%s|%10s|%-10s|%.3s|%.*s|%c|%%", "abc", "def", "ghi", "jklmn", 2, "opq", 'x');
	SAME("plain");
	SAME("%.4s", "ab");
}

Test(printf, null_and_unknown)
{
	struct sink sink;
	const char *volatile null = NULL, *volatile unknown = "%q %";

	format(&sink, "%s", null);
	cr_assert_str_eq(sink.text, "(null)");
	format(&sink, unknown);
	cr_assert_str_eq(sink.text, "%q ");
}

Test(string, copies_of_every_size_and_alignment)
{
	uint8_t from[300], to[300], expected[300];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + 1);
	for (size_t offset = 0; offset < 9; offset++) {
		for (size_t size = 0; size < 270; size++) {
			memset(to, 0, sizeof(to));
			memset(expected, 0, sizeof(expected));
			cr_assert_eq(kernel_memcpy(to + offset, from + 1, size), to + offset);
			memcpy(expected + offset, from + 1, size);
			cr_assert_arr_eq(to, expected, sizeof(to));
		}
	}
}

Test(string, overlapping_moves)
{
	uint8_t a[256], b[256];

	for (size_t from = 0; from < 40; from += 3) {
		for (size_t to = 0; to < 40; to += 3) {
			for (size_t i = 0; i < sizeof(a); i++)
				a[i] = b[i] = (uint8_t)i;
			kernel_memmove(a + to, a + from, 150);
			memmove(b + to, b + from, 150);
			cr_assert_arr_eq(a, b, sizeof(a));
		}
	}
}

Test(string, fills)
{
	uint8_t a[100], b[100];

	for (size_t size = 0; size < 90; size++) {
		memset(a, 1, sizeof(a));
		memset(b, 1, sizeof(b));
		kernel_memset(a + 3, 0xa5, size);
		memset(b + 3, 0xa5, size);
		cr_assert_arr_eq(a, b, sizeof(a));
	}
}

static int sign(int x) { return (x > 0) - (x < 0); }

Test(string, comparisons)
{
	static const char *const words[] = { "", "a", "ab", "abcdefgh", "abcdefgi", "abcdefghi", "\xff", "b" };

	for (size_t i = 0; i < 8; i++) {
		cr_assert_eq(kernel_strlen(words[i]), strlen(words[i]));
		for (size_t j = 0; j < 8; j++) {
			cr_assert_eq(sign(kernel_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
			cr_assert_eq(sign(kernel_strncmp(words[i], words[j], 8)), sign(strncmp(words[i], words[j], 8)));
		}
	}
	cr_assert_eq(sign(kernel_memcmp("abcdefghijklm", "abcdefghijkln", 13)), -1);
	cr_assert_eq(kernel_memcmp("abcdefghijklm", "abcdefghijkln", 12), 0);
}
