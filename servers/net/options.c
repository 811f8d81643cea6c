/*
 * Options of SOL_SOCKET. man 7 socket, man 7 unix; Linux's net/core/sock.c: limits, errors, and what a value reads back as.
 */
#include "net.h"

#include <portico/strings.h>

enum {
	SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8,
	SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17,
	SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_PEERNAME = 28, SO_ACCEPTCONN = 30, SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33, SO_PASSSEC = 34, SO_MARK = 36, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_COOKIE = 57, SO_RCVTIMEO_NEW = 66,
	SO_SNDTIMEO_NEW = 67,
};
_Static_assert(SO_PASSCRED == OPTION_PASSCRED, "one number");

#define BUFFER_MAX 212992u /* wmem_max, rmem_max */
#define SEND_BUFFER_MIN 4608u
#define RECEIVE_BUFFER_MIN 2304u
#define SECOND UINT64_C(1000000000)
#define TIMEOUT_MAX (INT64_MAX / (int64_t)SECOND / 2)

struct times { int64_t seconds, microseconds; };
struct lingering { int32_t on, seconds; };

/* ---- reading ---- */

static int put(uint8_t *value, size_t *size, const void *from, size_t length)
{
	memcpy(value, from, length);
	*size = length;
	return 0;
}

static int put_number(uint8_t *value, size_t *size, uint32_t number)
{
	return put(value, size, &number, sizeof(number));
}

static int put_time(uint8_t *value, size_t *size, uint64_t ns)
{
	struct times t = {(int64_t)(ns / SECOND), (int64_t)(ns % SECOND / 1000)};

	return put(value, size, &t, sizeof(t));
}

static int put_peer(const struct socket *s, uint8_t *value, size_t *size)
{
	struct sender peer = {0, UINT32_MAX, UINT32_MAX};

	family(s)->peer_sender(s, &peer);
	return put(value, size, &peer, sizeof(peer));
}

static bool is_switch(uint32_t option)
{
	switch (option) {
	case SO_DEBUG:
	case SO_REUSEADDR:
	case SO_DONTROUTE:
	case SO_BROADCAST:
	case SO_KEEPALIVE:
	case SO_OOBINLINE:
	case SO_REUSEPORT:
	case SO_PASSCRED:
	case SO_PASSSEC:
		return true;
	default:
		return false;
	}
}

int option_get(struct socket *s, uint32_t option, uint8_t *value, size_t *size)
{
	const struct socket_options *o = &s->options;
	struct lingering lingering = {(int32_t)o->linger_on, (int32_t)o->linger_seconds};

	if (is_switch(option))
		return put_number(value, size, option_on(s, option));
	switch (option) {
	case SO_TYPE:
		return put_number(value, size, s->type);
	case SO_ERROR:
		return put_number(value, size, (uint32_t)socket_take_error(s));
	case SO_SNDBUF:
		return put_number(value, size, o->send_buffer);
	case SO_RCVBUF:
		return put_number(value, size, o->receive_buffer);
	case SO_PRIORITY:
		return put_number(value, size, o->priority);
	case SO_LINGER:
		return put(value, size, &lingering, sizeof(lingering));
	case SO_PEERCRED:
		return put_peer(s, value, size);
	case SO_RCVLOWAT:
		return put_number(value, size, o->receive_low);
	case SO_SNDLOWAT:
		return put_number(value, size, 1);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return put_time(value, size, o->receive_timeout);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return put_time(value, size, o->send_timeout);
	case SO_PEERNAME:
		return family(s)->peer_address(s, value, size);
	case SO_ACCEPTCONN:
		return put_number(value, size, s->state == SOCKET_LISTENING);
	case SO_MARK:
		return put_number(value, size, o->mark);
	case SO_PROTOCOL:
		return put_number(value, size, s->protocol);
	case SO_DOMAIN:
		return put_number(value, size, s->family);
	case SO_COOKIE:
		return put(value, size, &s->inode, sizeof(s->inode));
	default:
		return ENOPROTOOPT;
	}
}

/* ---- setting ---- */

static uint32_t buffer_size(int32_t value, bool force, uint32_t least)
{
	uint32_t size = value < 0 ? (force ? 0 : BUFFER_MAX) : (uint32_t)value;

	if (size > (force ? INT32_MAX / 2 : BUFFER_MAX))
		size = force ? INT32_MAX / 2 : BUFFER_MAX;
	return size * 2 < least ? least : size * 2;
}

/* As Linux's sock_set_timeout(): 0 is for ever, a negative time is over at once. */
static int set_time(uint64_t *ns, const uint8_t *value, size_t size)
{
	struct times t;

	if (size < sizeof(t))
		return EINVAL;
	memcpy(&t, value, sizeof(t));
	if (t.microseconds < 0 || t.microseconds >= 1000000)
		return EDOM;
	if (t.seconds < 0)
		*ns = 1;
	else
		*ns = t.seconds >= TIMEOUT_MAX ? 0 : (uint64_t)t.seconds * SECOND + (uint64_t)t.microseconds * 1000;
	return 0;
}

static int set_linger(struct socket *s, const uint8_t *value, size_t size)
{
	struct lingering l;

	if (size < sizeof(l))
		return EINVAL;
	memcpy(&l, value, sizeof(l));
	s->options.linger_on = l.on != 0;
	if (l.on != 0)
		s->options.linger_seconds = (uint32_t)l.seconds;
	return 0;
}

static int set_switch(struct server_session *who, struct socket *s, uint32_t option, bool on)
{
	if (option == SO_DEBUG && on && !access_capable(who, CAPABILITY_NET_ADMIN))
		return EACCES;
	s->options.on = (s->options.on & ~(1u << option)) | (uint32_t)on << option;
	return 0;
}

static int set_buffer(struct server_session *who, struct socket *s, uint32_t option, int32_t value)
{
	bool force = option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE;

	if (force && !access_capable(who, CAPABILITY_NET_ADMIN))
		return EPERM;
	if (option == SO_SNDBUF || option == SO_SNDBUFFORCE) {
		s->options.send_buffer = buffer_size(value, force, SEND_BUFFER_MIN);
		socket_changed(s, false);
	} else {
		s->options.receive_buffer = buffer_size(value, force, RECEIVE_BUFFER_MIN);
	}
	return 0;
}

int option_set(struct server_session *who, struct socket *s, uint32_t option, const uint8_t *value, size_t size)
{
	int32_t number;

	if (size < sizeof(number))
		return EINVAL;
	memcpy(&number, value, sizeof(number));
	if (is_switch(option))
		return set_switch(who, s, option, number != 0);
	switch (option) {
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_buffer(who, s, option, number);
	case SO_PRIORITY:
		if ((number < 0 || number > 6) && !access_capable(who, CAPABILITY_NET_ADMIN))
			return EPERM;
		s->options.priority = (uint32_t)number;
		return 0;
	case SO_LINGER:
		return set_linger(s, value, size);
	case SO_RCVLOWAT:
		s->options.receive_low = number < 0 ? INT32_MAX : number == 0 ? 1 : (uint32_t)number;
		return 0;
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return set_time(&s->options.receive_timeout, value, size);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return set_time(&s->options.send_timeout, value, size);
	case SO_MARK:
		if (!access_capable(who, CAPABILITY_NET_ADMIN))
			return EPERM;
		s->options.mark = (uint32_t)number;
		return 0;
	default:
		return ENOPROTOOPT;
	}
}
