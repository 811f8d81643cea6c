/*
 * Strings and formatted text: the library's own functions (renamed by the build) against the C library's.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int server_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *server_memcpy(void *to, const void *from, size_t n);
void *server_memmove(void *to, const void *from, size_t n);
void *server_memset(void *to, int byte, size_t n);
int server_memcmp(const void *a, const void *b, size_t n);
void *server_memchr(const void *s, int byte, size_t n);
size_t server_strlen(const char *s);
size_t server_strnlen(const char *s, size_t max);
int server_strcmp(const char *a, const char *b);
int server_strncmp(const char *a, const char *b, size_t n);
char *server_strchr(const char *s, int c);
char *server_strrchr(const char *s, int c);

/* What strings.c tells of the memory that it is about to write. */
static const void *last_range;
static size_t last_size;
void server_undo_range(const void *to, size_t size);
void server_undo_range(const void *to, size_t size)
{
	last_range = to;
	last_size = size;
}

Test(memory, what_is_written_is_told)
{
	char to[40], from[40] = "";

	server_memcpy(to, from, 33);
	cr_assert(last_range == to && last_size == 33);
	server_memset(to + 1, 0, 7);
	cr_assert(last_range == to + 1 && last_size == 7);
	server_memmove(to + 2, to, 20);
	cr_assert(last_range == to + 2 && last_size == 20);
}

#define same(...)                                                                                                      \
	do {                                                                                                           \
		char ours[200], theirs[200];                                                                           \
		int n = server_snprintf(ours, sizeof(ours), __VA_ARGS__);                                              \
		cr_expect_eq(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                                        \
		cr_expect_str_eq(ours, theirs, "\"%s\" is not \"%s\"", ours, theirs);                                  \
	} while (0)

Test(print, numbers)
{
	same("%d %d %d", 0, -1, 2147483647);
	same("%i|%5d|%-5d|%05d|%+d|% d", 1, 2, 3, 4, 5, 6);
	same("%ld %lu %lld %llu", INT64_MIN, UINT64_MAX, (long long)-5, 5ull);
	same("%u %x %X %o %#x %#o", 42u, 42u, 0xabcu, 8u, 255u, 8u);
	same("%08x|%-8x|%8x", 0xbeefu, 0xbeefu, 0xbeefu);
	same("%.3d|%5.3d|%-6.2d|%.0d", 7, 7, 7, 0);
	same("%hd %hhd %hu %hhu", (short)-3, (signed char)-4, (unsigned short)65535, (unsigned char)255);
	same("%zu %jd %td", (size_t)9, (intmax_t)-9, (ptrdiff_t)3);
	same("%*d|%-*d|%.*d", 6, 1, 6, 2, 3, 3);
}

Test(print, text)
{
	same("%s|%10s|%-10s|%.2s|%10.3s", "abc", "abc", "abc", "abc", "abcdef");
	same("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	same("100%%");
	same("%p", (void *)0x1234);
}

Test(print, null_text)
{
	char text[20];
	const char *volatile nothing = NULL;

	server_snprintf(text, sizeof(text), "%s", nothing);
	cr_expect_str_eq(text, "(null)");
}

Test(print, too_small)
{
	char text[4] = "xyz";

	cr_expect_eq(server_snprintf(text, sizeof(text), "%d", 123456), 6);
	cr_expect_str_eq(text, "123");
	cr_expect_eq(server_snprintf(text, 0, "abc"), 3);
	cr_expect_str_eq(text, "123");
	cr_expect_eq(server_snprintf(text, 1, "abc"), 3);
	cr_expect_str_eq(text, "");
}

Test(memory, copies_of_every_length_and_alignment)
{
	char from[64], to[64];

	for (int i = 0; i < 64; i++)
		from[i] = (char)(i + 1);
	for (size_t n = 0; n < 40; n++) {
		for (size_t at = 0; at < 8; at++) {
			memset(to, 0, sizeof(to));
			cr_assert_eq(server_memcpy(to + at, from + 3, n), to + at);
			cr_assert_eq(memcmp(to + at, from + 3, n), 0);
			cr_assert_eq(to[at + n], 0);
			server_memset(to + at, 0xab, n);
			for (size_t i = 0; i < n; i++)
				cr_assert_eq((unsigned char)to[at + i], 0xab);
			cr_assert_eq(to[at + n], 0);
		}
	}
}

Test(memory, moves_may_overlap)
{
	char ours[32], theirs[32];

	for (size_t from = 0; from < 12; from++) {
		for (size_t to = 0; to < 12; to++) {
			for (int i = 0; i < 32; i++)
				ours[i] = theirs[i] = (char)i;
			server_memmove(ours + to, ours + from, 17);
			memmove(theirs + to, theirs + from, 17);
			cr_assert_arr_eq(ours, theirs, 32);
		}
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

Test(memory, comparing_and_searching)
{
	static const char *const words[] = {"", "a", "ab", "b", "abc", "\xff", "abd"};

	for (size_t i = 0; i < 7; i++) {
		const char *a = words[i];

		cr_assert_eq(server_strlen(a), strlen(a));
		cr_assert_eq(server_strnlen(a, 2), strnlen(a, 2));
		cr_assert_eq(server_strchr(a, 'b'), strchr(a, 'b'));
		cr_assert_eq(server_strchr(a, 0), strchr(a, 0));
		cr_assert_eq(server_strrchr(a, 'a'), strrchr(a, 'a'));
		cr_assert_eq(server_memchr(a, 'b', strlen(a)), memchr(a, 'b', strlen(a)));
		for (size_t k = 0; k < 7; k++) {
			cr_assert_eq(sign(server_strcmp(a, words[k])), sign(strcmp(a, words[k])));
			cr_assert_eq(sign(server_strncmp(a, words[k], 2)), sign(strncmp(a, words[k], 2)));
		}
	}
	cr_assert_gt(server_memcmp("\xff", "a", 1), 0);
	cr_assert_eq(server_memcmp("abc", "abd", 2), 0);
}
