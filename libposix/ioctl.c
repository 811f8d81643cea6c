/*
 * ioctl: terminals through interface tty, and the few requests that every file knows.
 */
#include "fd.h"
#include "linux.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <tty_client.h>

enum {
	TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCGETA = 0x5405, TCSBRK = 0x5409, TCXONC = 0x540a,
	TCFLSH = 0x540b, TIOCEXCL = 0x540c, TIOCNXCL = 0x540d, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f, TIOCSPGRP = 0x5410,
	TIOCOUTQ = 0x5411, TIOCSTI = 0x5412, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, FIONREAD = 0x541b, FIONBIO = 0x5421,
	TIOCNOTTY = 0x5422, TCSBRKP = 0x5425, TIOCGSID = 0x5429, TCGETS2 = 0x802c542a, TCSETS2 = 0x402c542b, TCSETSW2 = 0x402c542c,
	TCSETSF2 = 0x402c542d, FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIOASYNC = 0x5452, FIOQSIZE = 0x5460,
};

/* The kernel's struct termios; termios2 adds the two speeds. */
struct linux_termios { uint32_t input, output, control, local; uint8_t line, characters[19]; };
struct linux_termios2 { struct linux_termios basic; uint32_t input_speed, output_speed; };

_Static_assert(sizeof(struct linux_termios) == 36, "Linux");
_Static_assert(sizeof(struct linux_termios2) == 44, "Linux");

int64_t descriptor_flag(struct description *description, uint32_t flag, bool on);
int64_t socket_ioctl(const struct description *socket, uint32_t request, uint64_t argument);

/* ---- terminals ---- */

static int64_t get_attributes(port_name_t terminal, void *user, bool speeds)
{
	struct tty_termios value;
	int error = tty_get_attributes(terminal, &value);

	if (error)
		return result_of(error);
	struct linux_termios2 out = { .basic = { value.input, value.output, value.control, value.local, value.line, { 0 } },
		.input_speed = value.input_speed, .output_speed = value.output_speed };
	memcpy(out.basic.characters, value.characters, sizeof(out.basic.characters));
	return user_copy(user, &out, speeds ? sizeof(out) : sizeof(out.basic));
}

/* Without speeds they stay as they are. */
static int64_t set_attributes(port_name_t terminal, uint32_t when, const void *user, bool speeds)
{
	struct linux_termios2 in;
	struct tty_termios value;
	int error = 0;

	if (user_copy(&in, user, speeds ? sizeof(in) : sizeof(in.basic)))
		return -EFAULT;
	if (!speeds)
		error = tty_get_attributes(terminal, &value);
	if (error)
		return result_of(error);
	value.input = in.basic.input;
	value.output = in.basic.output;
	value.control = in.basic.control;
	value.local = in.basic.local;
	value.line = in.basic.line;
	memcpy(value.characters, in.basic.characters, sizeof(value.characters));
	if (speeds) {
		value.input_speed = in.input_speed;
		value.output_speed = in.output_speed;
	}
	return result_of(tty_set_attributes(terminal, when, &value));
}

static int64_t put_number(int error, uint32_t number, uint32_t *user)
{
	return error ? result_of(error) : user_put(user, &number);
}

static int64_t window_size(port_name_t terminal, struct tty_window_size *user, bool set)
{
	struct tty_window_size size;

	if (set)
		return user_get(&size, user) ? -EFAULT : result_of(tty_set_window_size(terminal, &size));
	int error = tty_get_window_size(terminal, &size);
	return error ? result_of(error) : user_put(user, &size);
}

static int64_t terminal_group(port_name_t terminal, uint32_t *user)
{
	uint32_t group;
	return user_get(&group, user) ? -EFAULT : result_of(tty_set_group(terminal, group));
}

static int64_t terminal_control(port_name_t terminal, uint32_t request, uint64_t argument)
{
	void *user = (void *)argument;
	uint32_t number = 0;
	uint64_t bytes = 0;
	uint8_t byte;
	int error;

	switch (request) {
	case TCGETS:
	case TCGETS2:
		return get_attributes(terminal, user, request == TCGETS2);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_attributes(terminal, request - TCSETS, user, false);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_attributes(terminal, request - TCSETS2, user, true);
	case TCSBRK:
	case TCSBRKP:
		/* A break is not sent; with an argument it is tcdrain. */
		return argument || request == TCSBRKP ? result_of(tty_drain(terminal)) : 0;
	case TCXONC:
		return result_of(tty_flow(terminal, (uint32_t)argument));
	case TCFLSH:
		return result_of(tty_flush(terminal, (uint32_t)argument));
	case TIOCEXCL:
	case TIOCNXCL:
		return result_of(tty_exclusive(terminal, request == TIOCEXCL));
	case TIOCSCTTY:
		return result_of(tty_acquire(terminal, (uint32_t)argument));
	case TIOCNOTTY:
		return result_of(tty_release(terminal));
	case TIOCGPGRP:
		error = tty_get_group(terminal, &number);
		return put_number(error, number, user);
	case TIOCSPGRP:
		return terminal_group(terminal, user);
	case TIOCGSID:
		error = tty_get_session(terminal, &number);
		return put_number(error, number, user);
	case TIOCOUTQ:
		error = tty_output_pending(terminal, &bytes);
		return put_number(error, (uint32_t)bytes, user);
	case TIOCSTI:
		return user_get(&byte, (const uint8_t *)user) ? -EFAULT : result_of(tty_push_input(terminal, byte));
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return window_size(terminal, user, request == TIOCSWINSZ);
	default:
		return -ENOTTY;
	}
}

/* ---- any file ---- */

static int64_t available(const struct description *description, uint32_t *user)
{
	uint64_t bytes = 0;
	int error = description->type == DESCRIPTION_REMOTE ? io_available(description->name, &bytes) : ENOTTY;
	return put_number(error, bytes > INT32_MAX ? INT32_MAX : (uint32_t)bytes, user);
}

static int64_t switch_flag(struct description *description, uint32_t flag, const int32_t *user)
{
	int32_t on;
	return user_get(&on, user) ? -EFAULT : descriptor_flag(description, flag, on != 0);
}

int64_t sys_ioctl(int fd, uint32_t request, uint64_t argument)
{
	if (request == FIOCLEX || request == FIONCLEX)
		return fd_set_flags(fd, request == FIOCLEX);
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	int64_t result = -ENOTTY;
	if (request == FIONREAD)
		result = available(description, (uint32_t *)argument);
	else if (request == FIONBIO)
		result = switch_flag(description, L_O_NONBLOCK, (const int32_t *)argument);
	else if (request == FIOASYNC)
		result = switch_flag(description, L_O_ASYNC, (const int32_t *)argument);
	else if (description->kind & IO_FILE_KIND_TERMINAL)
		result = terminal_control(description->name, request, argument);
	else if (description->type == DESCRIPTION_REMOTE && (description->kind & IO_FILE_KIND_SOCKET))
		result = socket_ioctl(description, request, argument);
	fd_put(description);
	return result;
}
