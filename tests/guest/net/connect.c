/* Listening, connecting, accepting: backlog, errors, addresses, what an end does to the other side. */
#include "net.h"

static long connect_fd(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	return connect(fd, (void *)&a, size);
}

static void listening(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), value = 0, ends[2];
	socklen_t size = sizeof(value);

	VALUE("listen without a name", listen(fd, 5));
	VALUE("accept without listening", accept(fd, NULL, NULL));
	close(fd);
	fd = bound(SOCK_STREAM, "listener", -1);
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size);
	VALUE("not listening", value);
	VALUE("listen", listen(fd, 5));
	VALUE("listen again", listen(fd, 2));
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size);
	VALUE("listening", value);
	VALUE("connect of a listener", connect_fd(fd, "listener"));
	receive("recv of a listener", fd, 10, 0);
	send_text("send of a listener", fd, "x", MSG_NOSIGNAL);
	VALUE("FIONREAD of a listener", ioctl(fd, FIONREAD, &value));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	VALUE("accept: nobody", accept(fd, NULL, NULL));
	close(fd);
	pair(SOCK_STREAM, ends);
	VALUE("listen on a connection", listen(ends[0], 5));
	VALUE("accept on a connection", accept(ends[0], NULL, NULL));
	close(ends[0]), close(ends[1]);
	fd = bound(SOCK_DGRAM, "datagrams", -1);
	VALUE("listen on datagrams", listen(fd, 5));
	VALUE("accept on datagrams", accept(fd, NULL, NULL));
	close(fd);
}

static void addresses(void)
{
	struct sockaddr_un a;
	socklen_t size;
	int listener = bound(SOCK_STREAM, "addresses", 5), client = connected(SOCK_STREAM, "addresses"), server;

	size = sizeof(a);
	server = accept(listener, (void *)&a, &size);
	text("peer without a name", named(&a, size));
	size = sizeof(a);
	VALUE("getpeername of the server", getpeername(server, (void *)&a, &size));
	text("is", named(&a, size));
	size = sizeof(a);
	getsockname(server, (void *)&a, &size);
	text("the server has the listener's name", named(&a, size));
	size = sizeof(a);
	getpeername(client, (void *)&a, &size);
	text("the client's peer", named(&a, size));
	VALUE("connect again", connect_fd(client, "addresses"));
	VALUE("bind after connect", (size = address(&a, "late"), bind(client, (void *)&a, size)));
	size = sizeof(a);
	getpeername(server, (void *)&a, &size);
	text("the server sees the late name", named(&a, size));
	close(client);
	size = sizeof(a);
	VALUE("getpeername when the peer is closed", getpeername(server, (void *)&a, &size));
	close(server);
	client = bound(SOCK_STREAM, "client", -1);
	connect_fd(client, "addresses");
	size = sizeof(a);
	server = accept4(listener, (void *)&a, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	text("peer with a name", named(&a, size));
	VALUE("accept4: close on exec", fcntl(server, F_GETFD));
	VALUE("accept4: non-blocking", fcntl(server, F_GETFL));
	VALUE("accept4: no such flag", syscall(SYS_accept4, listener, NULL, NULL, 1));
	close(server);
	connected(SOCK_STREAM, "addresses");
	size = 4;
	server = accept(listener, (void *)&a, &size);
	TRUE("accept into a short buffer", server >= 0 && size == 2);
	close(server), close(client), close(listener);
}

/* A connection works before it is accepted, and ends with the listener. */
static void early(void)
{
	int listener = bound(SOCK_STREAM, "early", 5), client = connected(SOCK_STREAM, "early"), server;

	send_text("before accept", client, "early words", 0);
	server = accept(listener, NULL, NULL);
	receive("after accept", server, 50, 0);
	close(server), close(client);
	client = connected(SOCK_STREAM, "early");
	send(client, "and away", 8, 0);
	close(client);
	server = accept(listener, NULL, NULL);
	TRUE("accept of one that is gone", server >= 0);
	receive("its words", server, 50, 0);
	receive("its end", server, 50, 0);
	close(server);
	client = connected(SOCK_STREAM, "early");
	close(listener);
	receive("the listener closed", client, 50, 0);
	receive("then the end", client, 50, 0);
	send_text("send to it", client, "x", MSG_NOSIGNAL);
	close(client);
}

static void backlog(void)
{
	int listener = bound(SOCK_STREAM, "backlog", 2), fds[6], count = 0;

	for (; count < 6; count++) {
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect_fd(fds[count], "backlog"))
			break;
	}
	VALUE("connections before one is refused", count);
	VALUE("the one that is", connect_fd(fds[count], "backlog"));
	close(accept(listener, NULL, NULL));
	VALUE("there is room again", connect_fd(fds[count], "backlog"));
	VALUE("listen with more", listen(listener, 5));
	int more = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	VALUE("is room, too", connect_fd(more, "backlog"));
	close(more);
	for (int i = 0; i <= count; i++)
		close(fds[i]);
	close(listener);
	listener = bound(SOCK_STREAM, "backlog", 0);
	int one = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), two = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	VALUE("backlog 0: one", connect_fd(one, "backlog"));
	VALUE("backlog 0: two", connect_fd(two, "backlog"));
	close(one), close(two);
	VALUE("shutdown of a listener", shutdown(listener, SHUT_RD));
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	VALUE("connect then", connect_fd(one, "backlog"));
	close(one), close(listener);
}

static int patient(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return connect_fd(fd, "patience") ? errno : 0;
}

static int accepter;
static int accepts(void)
{
	return accept(accepter, NULL, NULL) < 0 ? errno : 0;
}

static void waiting(void)
{
	int listener = accepter = bound(SOCK_STREAM, "patience", 0), first = connected(SOCK_STREAM, "patience");
	pid_t pid = asleep(patient);

	close(accept(listener, NULL, NULL));
	text("a connect that waited", await(pid));
	close(accept(listener, NULL, NULL));
	close(first);
	pid = asleep(accepts);
	first = connected(SOCK_STREAM, "patience");
	text("an accept that waited", await(pid));
	close(first);
	pid = asleep(accepts);
	shutdown(listener, SHUT_RD);
	text("an accept whose listener is shut down", await(pid));
	TRUE("that is EINVAL", EINVAL == 22);
	close(listener);
	listener = bound(SOCK_STREAM, "patience", 0);
	first = connected(SOCK_STREAM, "patience");
	pid = begin_child(0);
	if (pid == 0) {
		close(listener);
		_exit(patient());
	}
	until_asleep(pid);
	close(listener);
	text("a connect whose listener closes", await(pid));
	close(first);
}

static void seqpacket(void)
{
	int ends[2], listener = bound(SOCK_SEQPACKET, "packets", 5), fd;

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	VALUE("stream to seqpacket", connect_fd(fd, "packets"));
	close(fd);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	send_text("send without a connection", fd, "x", 0);
	receive("recv without a connection", fd, 10, 0);
	VALUE("connect", connect_fd(fd, "packets"));
	int server = accept(listener, NULL, NULL);
	send_text("first packet", fd, "first", 0);
	send_text("second packet", fd, "second one", 0);
	receive("first", server, 50, 0);
	receive("a part of the second", server, 6, 0);
	receive("the rest is lost", server, 50, 0);
	close(fd);
	receive("end", server, 50, 0);
	close(server), close(listener);
	pair(SOCK_SEQPACKET, ends);
	send(ends[0], "", 0, 0);
	send(ends[0], "x", 1, 0);
	receive("an empty packet looks like the end", ends[1], 10, 0);
	receive("but is not", ends[1], 10, 0);
	send(ends[1], "unread", 6, 0);
	close(ends[0]);
	receive("reset of packets", ends[1], 10, 0);
	receive("and the end of them", ends[1], 10, 0);
	send_text("send after that", ends[1], "x", 0);
	close(ends[1]);
}

void connect_checks(void)
{
	listening();
	addresses();
	early();
	backlog();
	waiting();
	seqpacket();
}
