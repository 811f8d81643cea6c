/* Bytes over a connected pair: order, boundaries that are none, peeking, ends, errors. */
#include "net.h"

static void bytes(void)
{
	char buffer[100];
	int ends[2], count = -1;

	pair(SOCK_STREAM, ends);
	send_text("send", ends[0], "hello", 0);
	receive("recv", ends[1], 50, 0);
	receive("nothing yet", ends[1], 50, 0);
	VALUE("write", write(ends[1], "abc", 3));
	VALUE("write more", write(ends[1], "defgh", 5));
	VALUE("FIONREAD", (ioctl(ends[0], FIONREAD, &count), count));
	receive("peek", ends[0], 50, MSG_PEEK);
	receive("peek a part", ends[0], 4, MSG_PEEK);
	VALUE("still there", (ioctl(ends[0], FIONREAD, &count), count));
	receive("a part over the boundary", ends[0], 4, 0);
	VALUE("left", (ioctl(ends[0], FIONREAD, &count), count));
	VALUE("read", read(ends[0], buffer, sizeof(buffer)));
	VALUE("nothing left", (ioctl(ends[0], FIONREAD, &count), count));
	VALUE("read of 0", read(ends[0], buffer, 0));
	VALUE("write of 0", write(ends[0], buffer, 0));
	VALUE("send of 0", send(ends[0], buffer, 0, 0));
	receive("which is nothing", ends[1], 10, 0);
	VALUE("bad pointer to send", send(ends[0], (void *)8, 10, 0));
	send(ends[0], "xyz", 3, 0);
	VALUE("bad pointer to recv", recv(ends[1], (void *)8, 10, 0));
	recv(ends[1], buffer, 10, MSG_DONTWAIT);
	VALUE("MSG_WAITALL is not waiting", (send(ends[0], "12345", 5, 0), recv(ends[1], buffer, 10, MSG_WAITALL | MSG_DONTWAIT)));
	close(ends[0]), close(ends[1]);
}

static void vectors(void)
{
	char a[10] = "", b[10] = "", c[20] = "";
	int ends[2];
	struct iovec out[3] = {{"one", 3}, {"", 0}, {"two", 3}}, in[3] = {{a, 2}, {b, 3}, {c, 10}};

	pair(SOCK_STREAM, ends);
	VALUE("writev", writev(ends[0], out, 3));
	VALUE("readv", readv(ends[1], in, 3));
	text("first", a);
	text("second", b);
	text("third", c);
	VALUE("writev of nothing", writev(ends[0], out, 0));
	VALUE("too many", writev(ends[0], out, 2000));
	struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
	VALUE("sendmsg", sendmsg(ends[0], &m, 0));
	VALUE("sendmsg: too many", (m.msg_iovlen = 2000, sendmsg(ends[0], &m, 0)));
	receive("it came", ends[1], 50, 0);
	close(ends[0]), close(ends[1]);
}

/* More than any buffer holds: a child writes, we read, both with buffers of many sizes. */
static void much(void)
{
	enum { TOTAL = 3000000 };
	static unsigned char buffer[70000];
	unsigned long sum = 0, expected = 0, total = 0;
	int ends[2];

	pair(SOCK_STREAM, ends);
	pid_t pid = begin_child(0);
	if (pid == 0) {
		close(ends[0]);
		for (unsigned long at = 0, size = 1; at < TOTAL; at += size, size = size * 7 % 69997 + 1) {
			if (size > TOTAL - at)
				size = TOTAL - at;
			for (unsigned long i = 0; i < size; i++)
				buffer[i] = (unsigned char)((at + i) * 31 >> 3);
			if (send(ends[1], buffer, size, 0) != (ssize_t)size)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	for (size_t size = 3;; size = size * 5 % 69991 + 1) {
		ssize_t got = recv(ends[0], buffer, size, 0);
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got; i++, total++) {
			sum = sum * 17 + buffer[i];
			expected = expected * 17 + (unsigned char)(total * 31 >> 3);
		}
	}
	text("a child that wrote much", await(pid));
	VALUE("bytes", total);
	TRUE("in their order", sum == expected);
	close(ends[0]);
}

static void whole(void)
{
	static char buffer[200000];
	struct iovec in[2] = {{buffer, 50000}, {buffer + 50000, 100000}};
	int ends[2];

	pair(SOCK_STREAM, ends);
	pid_t pid = begin_child(0);
	if (pid == 0) {
		for (int i = 0; i < 15; i++)
			send(ends[1], buffer, 10000, 0);
		_exit(0);
	}
	VALUE("MSG_WAITALL", recv(ends[0], buffer, 150000, MSG_WAITALL));
	text("its sender", await(pid));
	pid = begin_child(0);
	if (pid == 0)
		_exit(writev(ends[1], in, 2) == 150000 ? 0 : 1);
	struct msghdr m = {.msg_iov = in, .msg_iovlen = 2};
	VALUE("MSG_WAITALL into two buffers", recvmsg(ends[0], &m, MSG_WAITALL));
	text("one large writev", await(pid));
	pid = begin_child(0);
	if (pid == 0)
		_exit(send(ends[1], buffer, 7, 0) == 7 ? 0 : 1);
	close(ends[1]);
	VALUE("MSG_WAITALL ends with the stream", recv(ends[0], buffer, 100, MSG_WAITALL));
	text("the short one", await(pid));
	close(ends[0]);
}

static void ends_of(void)
{
	int ends[2];

	catch_signal(SIGPIPE, 0);
	pair(SOCK_STREAM, ends);
	send_text("before the end", ends[0], "last words", 0);
	close(ends[0]);
	receive("what was sent before", ends[1], 50, 0);
	receive("end", ends[1], 50, 0);
	receive("end again", ends[1], 50, 0);
	caught = 0;
	send_text("to nobody", ends[1], "x", 0);
	VALUE("SIGPIPE", caught);
	VALUE("write to nobody", write(ends[1], "x", 1));
	VALUE("SIGPIPE again", caught);
	send_text("MSG_NOSIGNAL", ends[1], "x", MSG_NOSIGNAL);
	VALUE("no SIGPIPE", caught);
	VALUE("nothing to nobody", send(ends[1], "", 0, 0));
	close(ends[1]);

	pair(SOCK_STREAM, ends);
	send(ends[0], "unread", 6, 0);
	send(ends[1], "kept", 4, 0);
	close(ends[1]);
	receive("what came before the reset", ends[0], 50, 0);
	receive("reset, because something was not read", ends[0], 50, 0);
	receive("then the end", ends[0], 50, 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL);
	IN_CHILD(0, {
		pair(SOCK_STREAM, ends);
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		send_text("SIGPIPE ignored", ends[1], "x", 0);
	});
	pid_t pid = begin_child(0);
	if (pid == 0) {
		pair(SOCK_STREAM, ends);
		close(ends[0]);
		send(ends[1], "x", 1, 0);
		_exit(0);
	}
	text("SIGPIPE kills", await(pid));
}

static void shutting(void)
{
	int ends[2];

	catch_signal(SIGPIPE, 0);
	pair(SOCK_STREAM, ends);
	VALUE("shutdown 3", shutdown(ends[0], 3));
	VALUE("shutdown -1", shutdown(ends[0], -1));
	send(ends[0], "half", 4, 0);
	VALUE("SHUT_WR", shutdown(ends[0], SHUT_WR));
	send_text("no more from here", ends[0], "x", MSG_NOSIGNAL);
	receive("what was sent", ends[1], 10, 0);
	receive("and the end", ends[1], 10, 0);
	send_text("the other way", ends[1], "back", 0);
	receive("goes on", ends[0], 10, 0);
	VALUE("SHUT_WR twice", shutdown(ends[0], SHUT_WR));
	VALUE("SHUT_RD", shutdown(ends[0], SHUT_RD));
	receive("reads nothing", ends[0], 10, 0);
	caught = 0;
	send_text("nobody reads", ends[1], "x", 0);
	VALUE("SIGPIPE", caught);
	close(ends[0]), close(ends[1]);

	pair(SOCK_STREAM, ends);
	send(ends[1], "waiting", 7, 0);
	VALUE("SHUT_RDWR", shutdown(ends[0], SHUT_RDWR));
	receive("what is there can be read", ends[0], 10, 0);
	receive("then the end", ends[0], 10, 0);
	receive("the other's end", ends[1], 10, 0);
	close(ends[0]), close(ends[1]);

	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	VALUE("shutdown without a connection", shutdown(fd, SHUT_RDWR));
	receive("recv without a connection", fd, 10, 0);
	send_text("send without a connection", fd, "x", 0);
	VALUE("sendto on a stream without a connection", sendto(fd, "x", 1, 0, (void *)&(struct sockaddr_un){AF_UNIX, "/x"}, 5));
	close(fd);
	pair(SOCK_STREAM, ends);
	VALUE("sendto on a stream with one", sendto(ends[0], "x", 1, 0, (void *)&(struct sockaddr_un){AF_UNIX, "/x"}, 5));
	close(ends[0]), close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
}

/* Full buffers: without waiting, and what room comes with reading. */
static void limits(void)
{
	static char buffer[400000];
	int ends[2], value = 0;
	long put, got = 0;

	pair(SOCK_STREAM, ends);
	put = fill(ends[0]);
	TRUE("a buffer holds some", put > 50000 && put < 1000000);
	send_text("and no more", ends[0], "x", MSG_DONTWAIT);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	VALUE("O_NONBLOCK", write(ends[0], "x", 1));
	TRUE("SIOCOUTQ", ioctl(ends[0], TIOCOUTQ, &value) == 0 && value >= put);
	for (ssize_t n; (n = recv(ends[1], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0;)
		got += n;
	TRUE("all of it comes", got == put);
	VALUE("SIOCOUTQ when all is read", (ioctl(ends[0], TIOCOUTQ, &value), value));
	send_text("there is room again", ends[0], "x", 0);
	TRUE("a large send without waiting takes a part", (got = send(ends[0], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0 && got < (long)sizeof(buffer));
	close(ends[0]), close(ends[1]);
}

void stream_checks(void)
{
	bytes();
	vectors();
	much();
	whole();
	ends_of();
	shutting();
	limits();
}
