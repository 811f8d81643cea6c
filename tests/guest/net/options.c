/* Options of SOL_SOCKET. */
#include "net.h"

static int fd;

static void number(const char *name, int option)
{
	int value = -77;
	socklen_t size = sizeof(value);

	errno = 0;
	if (getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0)
		result(name, -1, errno);
	else
		result(name, size == sizeof(value) ? value : -99, 0);
}

static long set(int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

static void reading(int type, const char *kind)
{
	char line[60];

	fd = socket(AF_UNIX, type, 0);
#define NAME(what) (snprintf(line, sizeof(line), "%s: " what, kind), line)
	number(NAME("type"), SO_TYPE);
	number(NAME("domain"), SO_DOMAIN);
	number(NAME("protocol"), SO_PROTOCOL);
	number(NAME("error"), SO_ERROR);
	number(NAME("accepting"), SO_ACCEPTCONN);
	number(NAME("broadcast"), SO_BROADCAST);
	number(NAME("low-water mark"), SO_RCVLOWAT);
	number(NAME("low-water mark for sending"), SO_SNDLOWAT);
	close(fd);
}

static void buffers(void)
{
	number("send buffer", SO_SNDBUF);
	VALUE("set it", set(SO_SNDBUF, 10000));
	number("is twice that", SO_SNDBUF);
	set(SO_SNDBUF, 0);
	number("the least", SO_SNDBUF);
	VALUE("force it", set(SO_SNDBUFFORCE, 1000000));
	number("forced", SO_SNDBUF);
	set(SO_RCVBUF, 5000);
	number("receive buffer", SO_RCVBUF);
	IN_CHILD(UNUSED_UID, VALUE("force it as a user", set(SO_SNDBUFFORCE, 1000000)));
}

static void switches(void)
{
	static const struct {
		const char *name;
		int option;
	} all[] = {{"SO_REUSEADDR", SO_REUSEADDR}, {"SO_KEEPALIVE", SO_KEEPALIVE}, {"SO_BROADCAST", SO_BROADCAST}, {"SO_OOBINLINE", SO_OOBINLINE},
		   {"SO_PASSCRED", SO_PASSCRED}, {"SO_DONTROUTE", SO_DONTROUTE}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		number(all[i].name, all[i].option);
		VALUE(all[i].name, set(all[i].option, 5));
		number(all[i].name, all[i].option);
		set(all[i].option, 0);
		number(all[i].name, all[i].option);
	}
	VALUE("priority", set(SO_PRIORITY, 6));
	number("SO_PRIORITY", SO_PRIORITY);
	IN_CHILD(UNUSED_UID, VALUE("a high priority as a user", set(SO_PRIORITY, 7)));
	VALUE("low-water mark", set(SO_RCVLOWAT, 100));
	number("SO_RCVLOWAT", SO_RCVLOWAT);
	set(SO_RCVLOWAT, 0);
	number("0 is 1", SO_RCVLOWAT);
}

static void structures(void)
{
	struct linger linger = {5, 7};
	struct timeval time = {2, 500000};
	socklen_t size = sizeof(linger);

	VALUE("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	linger = (struct linger){9, 9};
	VALUE("SO_LINGER read", getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size));
	VALUE("l_onoff", linger.l_onoff);
	VALUE("l_linger", linger.l_linger);
	VALUE("SO_LINGER too short", setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, 4));
	VALUE("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	time = (struct timeval){0, 0};
	size = sizeof(time);
	VALUE("SO_RCVTIMEO read", getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size));
	VALUE("seconds", time.tv_sec);
	VALUE("microseconds", time.tv_usec);
	size = sizeof(time);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, &size);
	VALUE("SO_SNDTIMEO is none", time.tv_sec + time.tv_usec);
	VALUE("microseconds too many", (time.tv_usec = 1000000, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time))));
	VALUE("too short", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, 8));
}

static void refusals(void)
{
	int value = 1;
	socklen_t size = sizeof(value);

	VALUE("no such option", getsockopt(fd, SOL_SOCKET, 9999, &value, &size));
	VALUE("set no such option", set(9999, 1));
	VALUE("no such level", getsockopt(fd, 200, 1, &value, &size));
	VALUE("set at no such level", setsockopt(fd, 200, 1, &value, size));
	VALUE("set what can only be read", set(SO_TYPE, 1));
	VALUE("SO_ERROR, too", set(SO_ERROR, 1));
	VALUE("SO_ACCEPTCONN, too", set(SO_ACCEPTCONN, 1));
	VALUE("too short", setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, 2));
	VALUE("negative length", setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, (socklen_t)-1));
	VALUE("bad pointer", setsockopt(fd, SOL_SOCKET, SO_PASSCRED, (void *)8, 4));
	VALUE("read to a bad pointer", getsockopt(fd, SOL_SOCKET, SO_TYPE, (void *)8, &size));
	VALUE("bad length pointer", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, (void *)8));
	size = 2;
	value = -1;
	VALUE("a short buffer", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
	VALUE("its length", size);
	VALUE("is cut", value);
	size = (socklen_t)-1;
	VALUE("negative room", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
}

/* What options do. */
static void effects(void)
{
	static char bytes[200000];
	int ends[2], value;

	pair(SOCK_STREAM, ends);
	fd = ends[0];
	set(SO_SNDBUF, 4096);
	long small = fill(ends[0]), large = fill(ends[1]);
	TRUE("a small buffer holds less", small > 0 && small < 30000 && large > 60000);
	close(ends[0]), close(ends[1]);
	pair(SOCK_DGRAM, ends);
	fd = ends[0];
	set(SO_SNDBUF, 5000);
	VALUE("a datagram for a small buffer", send(ends[0], bytes, 20000, 0));
	close(ends[0]), close(ends[1]);
	pair(SOCK_STREAM, ends);
	fd = ends[0];
	send(ends[0], "unread", 6, 0);
	close(ends[1]);
	number("SO_ERROR after a reset", SO_ERROR);
	number("once", SO_ERROR);
	receive("then it is an end", ends[0], 10, 0);
	close(ends[0]);
	pair(SOCK_STREAM, ends);
	fd = ends[1];
	set(SO_RCVLOWAT, 6);
	pid_t pid = begin_child(0);
	if (pid == 0) {
		send(ends[0], "abc", 3, 0);
		nap(20);
		send(ends[0], "defg", 4, 0);
		_exit(0);
	}
	VALUE("SO_RCVLOWAT waits for more", recv(ends[1], bytes, sizeof(bytes), 0) >= 6);
	await(pid);
	send(ends[0], "abc", 3, 0);
	VALUE("not if it must not wait", recv(ends[1], bytes, sizeof(bytes), MSG_DONTWAIT));
	close(ends[0]), close(ends[1]);
	(void)value;
}

void option_checks(void)
{
	reading(SOCK_STREAM, "stream");
	reading(SOCK_DGRAM, "datagram");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	buffers();
	switches();
	structures();
	refusals();
	close(fd);
	effects();
}
