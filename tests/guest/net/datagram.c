/* Datagrams: boundaries, addresses, who may send to whom, ends. */
#include "net.h"

static long send_to(int fd, const char *words, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	return sendto(fd, words, strlen(words), MSG_DONTWAIT, (void *)&a, size);
}

static long connect_fd(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	return connect(fd, (void *)&a, size);
}

static void from(const char *name, int fd)
{
	struct sockaddr_un a;
	socklen_t size = sizeof(a);
	char bytes[100] = "", line[300];
	ssize_t got = recvfrom(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT, (void *)&a, &size);

	if (got < 0) {
		result(name, got, errno);
		return;
	}
	snprintf(line, sizeof(line), "%s from %s", bytes, size ? named(&a, size) : "nobody");
	text(name, line);
}

static void boundaries(void)
{
	char bytes[100];
	int ends[2], count = -1;

	pair(SOCK_DGRAM, ends);
	send_text("one", ends[0], "one", 0);
	send_text("two", ends[0], "second", 0);
	send_text("empty", ends[0], "", 0);
	send_text("four", ends[0], "fourth", 0);
	VALUE("FIONREAD is the first one's", (ioctl(ends[1], FIONREAD, &count), count));
	receive("peek", ends[1], 50, MSG_PEEK);
	receive("first", ends[1], 50, 0);
	VALUE("MSG_TRUNC tells the length", recv(ends[1], bytes, 3, MSG_TRUNC | MSG_PEEK));
	receive("cut", ends[1], 3, 0);
	VALUE("an empty one", recv(ends[1], bytes, sizeof(bytes), 0));
	struct iovec in[2] = {{bytes, 2}, {bytes + 50, 2}};
	struct msghdr m = {.msg_iov = in, .msg_iovlen = 2};
	VALUE("into two buffers", recvmsg(ends[1], &m, 0));
	VALUE("msg_flags", m.msg_flags);
	TRUE("both filled", !memcmp(bytes, "fo", 2) && !memcmp(bytes + 50, "ur", 2));
	receive("no more", ends[1], 50, 0);
	send(ends[0], "whole", 5, 0);
	VALUE("read of 0 takes nothing", read(ends[1], bytes, 0));
	receive("it is there", ends[1], 50, 0);
	VALUE("recv of 0", (send(ends[0], "gone", 4, 0), recv(ends[1], bytes, 0, 0)));
	receive("takes it", ends[1], 50, 0);
	close(ends[0]), close(ends[1]);
}

static void large(void)
{
	static char bytes[300000], back[300000];
	int ends[2];
	struct iovec out[3] = {{bytes, 40000}, {bytes + 40000, 1}, {bytes + 40001, 59999}};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 >> 2);
	pair(SOCK_DGRAM, ends);
	VALUE("a large one", send(ends[0], bytes, 100000, 0));
	VALUE("comes whole", recv(ends[1], back, sizeof(back), 0));
	TRUE("and right", !memcmp(bytes, back, 100000));
	VALUE("of three buffers", writev(ends[0], out, 3));
	memset(back, 0, sizeof(back));
	VALUE("comes as one", read(ends[1], back, sizeof(back)));
	TRUE("in order", !memcmp(bytes, back, 100000));
	VALUE("too large", send(ends[0], bytes, 250000, 0));
	receive("nothing came", ends[1], 50, 0);
	close(ends[0]), close(ends[1]);
}

static void addressed(void)
{
	int one = bound(SOCK_DGRAM, "one", -1), two = bound(SOCK_DGRAM, "two", -1), anonymous = socket(AF_UNIX, SOCK_DGRAM, 0);

	VALUE("sendto", send_to(one, "hello", "two"));
	from("has an address", two);
	VALUE("from nobody", send_to(anonymous, "who", "two"));
	from("has none", two);
	VALUE("to nobody", send_to(one, "x", "three"));
	send_text("without an address", one, "x", 0);
	VALUE("to a stream", (bound(SOCK_STREAM, "stream", 5), send_to(one, "x", "stream")));
	VALUE("connect", connect_fd(one, "two"));
	send_text("then send", one, "plain", 0);
	from("comes", two);
	VALUE("and elsewhere", (bound(SOCK_DGRAM, "three", -1), send_to(one, "x", "three")));
	VALUE("connect elsewhere", connect_fd(one, "three"));
	VALUE("to who is connected to another", (connect_fd(two, "three"), send_to(anonymous, "x", "two")));
	VALUE("connect to who is", connect_fd(anonymous, "two"));
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	VALUE("disconnect", connect(two, &none, sizeof(none)));
	VALUE("then it may", send_to(anonymous, "again", "two"));
	from("and it comes", two);
	send_text("no peer any more", two, "x", 0);
	VALUE("to oneself", send_to(two, "mirror", "two"));
	from("comes from oneself", two);
	close(one), close(two), close(anonymous);
}

static void ends_of(void)
{
	int ends[2], one = bound(SOCK_DGRAM, "left", -1), two = bound(SOCK_DGRAM, "right", -1);

	connect_fd(one, "right");
	close(two);
	send_text("to one that is closed", one, "x", 0);
	send_text("and then there is no peer", one, "x", 0);
	VALUE("by address", send_to(one, "x", "right"));
	close(one);
	pair(SOCK_DGRAM, ends);
	send(ends[0], "kept", 4, 0);
	close(ends[0]);
	receive("what was sent before", ends[1], 10, 0);
	receive("no end for datagrams", ends[1], 10, 0);
	send_text("send then", ends[1], "x", 0);
	close(ends[1]);
	pair(SOCK_DGRAM, ends);
	VALUE("SHUT_RD", shutdown(ends[0], SHUT_RD));
	send_text("nobody reads", ends[1], "x", 0);
	receive("nothing to read, without waiting", ends[0], 10, 0);
	VALUE("and with", recv(ends[0], &one, 1, 0));
	VALUE("SHUT_WR", shutdown(ends[0], SHUT_WR));
	send_text("may not send", ends[0], "x", 0);
	send_text("to who does not read", ends[1], "x", 0);
	close(ends[0]), close(ends[1]);
}

static int from_sender, receiver_too;
static int sends(void)
{
	close(receiver_too); /* the child's copy */
	return send(from_sender, "waited", 6, 0) == 6 ? 0 : errno;
}

/* A queue that is full holds up who is not its peer. How many fit is the system's. */
static void full(void)
{
	int to = receiver_too = bound(SOCK_DGRAM, "full", -1), fd = from_sender = connected(SOCK_DGRAM, "full"), ends[2];
	long count = 0, taken = 0;
	char bytes[10];

	while (count < 5000 && send(fd, "x", 1, MSG_DONTWAIT) == 1)
		count++;
	TRUE("a queue ends somewhere", count > 5 && count < 5000);
	send_text("then", fd, "x", MSG_DONTWAIT);
	polled("and poll says so", fd, POLLOUT);
	pid_t pid = asleep(sends);
	while (taken < count && recv(to, bytes, sizeof(bytes), MSG_DONTWAIT) == 1)
		taken++;
	text("a sender that waited", await(pid));
	TRUE("all came", taken == count);
	receive("and its message", to, 10, 0);
	polled("there is room", fd, POLLOUT);
	for (count = 0; count < 5000 && send(fd, "x", 1, MSG_DONTWAIT) == 1; count++)
		;
	pid = asleep(sends);
	close(to);
	text("a sender whose receiver closes", await(pid));
	close(fd);
	pair(SOCK_DGRAM, ends);
	for (count = 0; count < 100000 && send(ends[0], "x", 1, MSG_DONTWAIT) == 1; count++)
		;
	TRUE("a pair is bounded by its buffer", count > 20 && count < 100000);
	from_sender = ends[0];
	receiver_too = -1;
	pid = asleep(sends);
	for (taken = 0; taken < count && recv(ends[1], bytes, sizeof(bytes), MSG_DONTWAIT) == 1; taken++)
		;
	text("its sender goes on", await(pid));
	TRUE("nothing was lost", taken == count);
	close(ends[0]), close(ends[1]);
}

void datagram_checks(void)
{
	boundaries();
	large();
	addressed();
	ends_of();
	full();
}
