/*
 * Text of traced calls. Pure. Names and argument kinds come from syscalls.h.
 */
#include "trace.h"

#include "syscalls.h"

#include <portico/errno.h>

#define STRING_SHOWN 48u

struct call_name { uint16_t number; const char *name, *kinds; };

static const struct call_name names[] = {
#define S(number, name, kinds) { number, #name, kinds },
#define N(number, name, kinds) { number, #name, kinds },
	SYSCALLS(S, N)
#undef S
#undef N
};

static const char *const errors[] = {
	[EPERM] = "EPERM", [ENOENT] = "ENOENT", [ESRCH] = "ESRCH", [EINTR] = "EINTR", [EIO] = "EIO", [ENXIO] = "ENXIO", [E2BIG] = "E2BIG",
	[ENOEXEC] = "ENOEXEC", [EBADF] = "EBADF", [ECHILD] = "ECHILD", [EAGAIN] = "EAGAIN", [ENOMEM] = "ENOMEM", [EACCES] = "EACCES",
	[EFAULT] = "EFAULT", [EBUSY] = "EBUSY", [EEXIST] = "EEXIST", [EXDEV] = "EXDEV", [ENODEV] = "ENODEV", [ENOTDIR] = "ENOTDIR",
	[EISDIR] = "EISDIR", [EINVAL] = "EINVAL", [ENFILE] = "ENFILE", [EMFILE] = "EMFILE", [ENOTTY] = "ENOTTY", [ETXTBSY] = "ETXTBSY",
	[EFBIG] = "EFBIG", [ENOSPC] = "ENOSPC", [ESPIPE] = "ESPIPE", [EROFS] = "EROFS", [EMLINK] = "EMLINK", [EPIPE] = "EPIPE",
	[ERANGE] = "ERANGE", [EDEADLK] = "EDEADLK", [ENAMETOOLONG] = "ENAMETOOLONG", [ENOSYS] = "ENOSYS", [ENOTEMPTY] = "ENOTEMPTY",
	[ELOOP] = "ELOOP", [EOPNOTSUPP] = "EOPNOTSUPP", [ETIMEDOUT] = "ETIMEDOUT", [EREMOTE] = "EREMOTE", [EPROTO] = "EPROTO",
};

bool trace_describe(uint64_t number, const char **name, const char **kinds)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number != number)
			continue;
		*name = names[i].name;
		*kinds = names[i].kinds;
		return true;
	}
	return false;
}

static void put_hexadecimal(struct text *text, uint64_t value)
{
	if (value)
		text_put(text, "0x");
	text_unsigned(text, value, 16);
}

static void put_string(struct text *text, uint64_t address, trace_string *read)
{
	char shown[STRING_SHOWN + 1];
	int64_t length = read && address ? read(shown, (const char *)(uintptr_t)address, sizeof(shown)) : -EFAULT;

	if (length < 0 && length != -ENAMETOOLONG) {
		put_hexadecimal(text, address);
		return;
	}
	shown[STRING_SHOWN] = 0;
	text_put(text, "\"");
	text_put(text, shown);
	text_put(text, length < 0 ? "\"..." : "\"");
}

static void put_argument(struct text *text, char kind, uint64_t value, trace_string *read)
{
	switch (kind) {
	case 'F':
		if ((int32_t)value == -100) {
			text_put(text, "AT_FDCWD");
			break;
		}
		/* fall through */
	case 'd':
	case 'f':
	case 'g':
		text_decimal(text, (int32_t)value);
		break;
	case 'u':
		text_unsigned(text, (uint32_t)value, 10);
		break;
	case 'z':
		text_decimal(text, (int64_t)value);
		break;
	case 'm':
		text_put(text, "0");
		text_unsigned(text, (uint32_t)value, 8);
		break;
	case 's':
		put_string(text, value, read);
		break;
	default:
		put_hexadecimal(text, value);
		break;
	}
}

void trace_format_call(struct text *text, uint64_t number, const uint64_t arguments[6], trace_string *read)
{
	const char *name, *kinds;

	if (!trace_describe(number, &name, &kinds)) {
		text_put(text, "syscall_");
		text_unsigned(text, number, 10);
		text_put(text, "()");
		return;
	}
	text_put(text, name);
	text_put(text, "(");
	for (size_t i = 0; i < 6 && kinds[i] && kinds[i] != '-'; i++) {
		if (i)
			text_put(text, ", ");
		put_argument(text, kinds[i], arguments[i], read);
	}
	text_put(text, ")");
}

void trace_format_result(struct text *text, uint64_t number, int64_t result)
{
	const char *name, *kinds;

	text_put(text, " = ");
	if (result < 0 && result > -4096) {
		size_t error = (size_t)-result;
		text_decimal(text, -1);
		text_put(text, " ");
		if (error < sizeof(errors) / sizeof(errors[0]) && errors[error])
			text_put(text, errors[error]);
		else
			text_unsigned(text, error, 10);
		return;
	}
	/* What gives addresses. */
	if (trace_describe(number, &name, &kinds) && (strcmp(name, "mmap") == 0 || strcmp(name, "brk") == 0 || strcmp(name, "mremap") == 0))
		put_hexadecimal(text, (uint64_t)result);
	else
		text_decimal(text, result);
}
