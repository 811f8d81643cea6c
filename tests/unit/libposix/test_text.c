/* Paths, text, traces, vectors. */
#include "../../../libposix/files.h"
#include "../../../libposix/paths.h"
#include "../../../libposix/trace.h"

#include <criterion/criterion.h>
#include <errno.h>

static enum self_kind parse(const char *rest, int *fd)
{
	return path_parse_self(rest, 42, fd);
}

Test(path, self_descriptor)
{
	int fd = -1;
	cr_assert_eq(parse("self/fd/7", &fd), SELF_FILE);
	cr_assert_eq(fd, 7);
	cr_assert_eq(parse("thread-self/fd/12", &fd), SELF_FILE);
	cr_assert_eq(fd, 12);
	cr_assert_eq(parse("42/fd/0", &fd), SELF_FILE);
	cr_assert_eq(parse("/self//fd//3", &fd), SELF_FILE);
	cr_assert_eq(fd, 3);
}

Test(path, others_are_not_self)
{
	int fd;
	cr_assert_eq(parse("43/fd/0", &fd), SELF_NONE);
	cr_assert_eq(parse("self/fdinfo/0", &fd), SELF_NONE);
	cr_assert_eq(parse("self/status", &fd), SELF_NONE);
	cr_assert_eq(parse("selfish/fd/1", &fd), SELF_NONE);
	cr_assert_eq(parse("self", &fd), SELF_NONE);
	cr_assert_eq(parse("", &fd), SELF_NONE);
}

Test(path, self_descriptor_with_more)
{
	int fd;
	cr_assert_eq(parse("self/fd/7/x", &fd), SELF_NONE);
	cr_assert_eq(parse("self/fd/7x", &fd), SELF_NONE);
	cr_assert_eq(parse("self/fd/99999999999", &fd), SELF_NONE);
	cr_assert_eq(parse("self/fd/-1", &fd), SELF_NONE);
}

Test(path, self_list_and_program)
{
	int fd;
	cr_assert_eq(parse("self/fd", &fd), SELF_LIST);
	cr_assert_eq(parse("self/fd/", &fd), SELF_LIST);
	cr_assert_eq(parse("42/exe", &fd), SELF_EXE);
	cr_assert_eq(parse("self/exec", &fd), SELF_NONE);
}

Test(path, last_component)
{
	cr_assert_str_eq(path_last("/bin/sh"), "sh");
	cr_assert_str_eq(path_last("sh"), "sh");
	cr_assert_str_eq(path_last("/a/b/"), "b/");
	cr_assert_str_eq(path_last("/"), "/");
}

Test(text, cut_off)
{
	char buffer[6];
	struct text text;
	text_begin_in(&text, buffer, sizeof(buffer));
	text_put(&text, "abcdefgh");
	cr_assert_str_eq(buffer, "abcde");
}

Test(text, numbers)
{
	char buffer[80];
	struct text text;
	text_begin_in(&text, buffer, sizeof(buffer));
	text_decimal(&text, INT64_MIN);
	text_put(&text, " ");
	text_unsigned(&text, 0xdeadbeef, 16);
	text_put(&text, " ");
	text_unsigned(&text, 0, 8);
	cr_assert_str_eq(buffer, "-9223372036854775808 deadbeef 0");
}

Test(text, copy)
{
	char buffer[4];
	cr_assert(text_copy(buffer, sizeof(buffer), "abc"));
	cr_assert_not(text_copy(buffer, sizeof(buffer), "abcd"));
	cr_assert_str_eq(buffer, "abc");
}

Test(text, parse_number)
{
	const char *at = "123/";
	uint32_t value;
	cr_assert(text_number(&at, &value));
	cr_assert_eq(value, 123u);
	cr_assert_str_eq(at, "/");
	at = "4294967296";
	cr_assert_not(text_number(&at, &value));
	at = "x";
	cr_assert_not(text_number(&at, &value));
}

static int64_t read_string(char *to, const char *from, size_t size)
{
	return text_copy(to, size, from) ? (int64_t)strlen(from) : -ENAMETOOLONG;
}

static int64_t read_nothing(char *to, const char *from, size_t size)
{
	(void)to, (void)from, (void)size;
	return -EFAULT;
}

static const char *trace(uint64_t number, const uint64_t arguments[6], trace_string *read)
{
	static char buffer[300];
	struct text text;
	text_begin_in(&text, buffer, sizeof(buffer));
	trace_format_call(&text, number, arguments, read);
	return buffer;
}

static const char *trace_result(uint64_t number, int64_t result)
{
	static char buffer[100];
	struct text text;
	text_begin_in(&text, buffer, sizeof(buffer));
	trace_format_result(&text, number, result);
	return buffer;
}

Test(trace, open)
{
	uint64_t arguments[6] = { (uint64_t)-100, (uint64_t)"/etc/passwd", 0x80000, 0 };
	cr_assert_str_eq(trace(257, arguments, read_string), "openat(AT_FDCWD, \"/etc/passwd\", 0x80000, 00)");
}

Test(trace, long_string)
{
	char path[100];
	uint64_t arguments[6] = { (uint64_t)path };
	memset(path, 'a', sizeof(path));
	path[99] = 0;
	cr_assert_str_eq(trace(80, arguments, read_string), "chdir(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"...)");
}

Test(trace, bad_string)
{
	uint64_t arguments[6] = { 0x1234 };
	cr_assert_str_eq(trace(80, arguments, read_nothing), "chdir(0x1234)");
}

Test(trace, no_arguments_and_unknown)
{
	uint64_t arguments[6] = { 1, 2, 3 };
	cr_assert_str_eq(trace(39, arguments, NULL), "getpid()");
	cr_assert_str_eq(trace(499, arguments, NULL), "syscall_499()");
}

Test(trace, signed_and_sizes)
{
	uint64_t arguments[6] = { 3, 0xfffffffffffffff0, 1 };
	cr_assert_str_eq(trace(8, arguments, NULL), "lseek(3, -16, 1)");
}

Test(trace, results)
{
	cr_assert_str_eq(trace_result(0, 12), " = 12");
	cr_assert_str_eq(trace_result(2, -2), " = -1 ENOENT");
	cr_assert_str_eq(trace_result(2, -133), " = -1 133");
	cr_assert_str_eq(trace_result(9, 0x7f0000001000), " = 0x7f0000001000");
}

Test(trace, every_call_has_a_name)
{
	const char *name, *kinds;
	for (uint64_t number = 0; number <= 334; number++) {
		cr_assert(trace_describe(number, &name, &kinds), "%lu", number);
		cr_assert_leq(strlen(kinds), 6u);
	}
}

Test(iovec, totals)
{
	struct linux_iovec vector[] = { { 0, 10 }, { 0, 0 }, { 0, 32 } };
	cr_assert_eq(iovec_total(vector, 3), 42);
	cr_assert_eq(iovec_total(vector, 0), 0);
}

Test(iovec, negative_or_overflowing)
{
	struct linux_iovec negative[] = { { 0, UINT64_MAX } };
	struct linux_iovec both[] = { { 0, INT64_MAX }, { 0, 1 } };
	cr_assert_eq(iovec_total(negative, 1), -EINVAL);
	cr_assert_eq(iovec_total(both, 2), -EINVAL);
}

Test(iovec, cut_at_the_transfer_limit)
{
	struct linux_iovec vector[] = { { 0, 0x80000000 }, { 0, 0x80000000 } };
	cr_assert_eq(iovec_total(vector, 2), (int64_t)TRANSFER_MAX);
}

Test(iovec, transfer_flags)
{
	cr_assert_eq(transfer_flags(0), 0);
	cr_assert_eq(transfer_flags(8), TRANSFER_NONBLOCKING);
	cr_assert_eq(transfer_flags(16), TRANSFER_APPEND);
	cr_assert_eq(transfer_flags(2 | 4), 0);
	cr_assert_eq(transfer_flags(32), -EOPNOTSUPP);
}
