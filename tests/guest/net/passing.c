/* Descriptors in messages: what they are afterwards, limits, ends, and sockets that lie in each other's queues. */
#include "net.h"
#include <sys/resource.h>

static void files(void)
{
	int ends[2], fds[10], pipes[2], flags = 0, file = open("/tmp/net.passed", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char bytes[20] = "";
	struct stat a, b;

	unlink("/tmp/net.passed");
	pair(SOCK_STREAM, ends);
	write(file, "shared position", 15);
	lseek(file, 7, SEEK_SET);
	VALUE("a file", pass(ends[0], &file, 1, 0));
	VALUE("comes", take(ends[1], fds, 4, 0, &flags));
	VALUE("flags", flags);
	TRUE("is another descriptor", fds[0] != file);
	VALUE("at the same position", read(fds[0], bytes, 20));
	text("reads", bytes);
	VALUE("and moves it", lseek(file, 0, SEEK_CUR));
	fstat(file, &a), fstat(fds[0], &b);
	TRUE("is the same file", a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	VALUE("close on exec", fcntl(fds[0], F_GETFD));
	close(fds[0]), close(file);
	pipe(pipes);
	pass(ends[0], &pipes[1], 1, 0);
	close(pipes[1]);
	VALUE("a pipe in flight is open", (fcntl(pipes[0], F_SETFL, O_NONBLOCK), read(pipes[0], bytes, 1)));
	VALUE("MSG_CMSG_CLOEXEC", take(ends[1], fds, 4, MSG_CMSG_CLOEXEC, &flags));
	VALUE("flags then", flags);
	VALUE("sets it", fcntl(fds[0], F_GETFD));
	VALUE("its end works", write(fds[0], "y", 1));
	close(fds[0]);
	VALUE("a byte", read(pipes[0], bytes, 20));
	VALUE("and the end", read(pipes[0], bytes, 20));
	close(pipes[0]);
	int event = eventfd(3, EFD_NONBLOCK);
	pass(ends[0], &event, 1, 0);
	VALUE("an eventfd", take(ends[1], fds, 1, 0, NULL));
	eventfd_t value = 0;
	eventfd_write(event, 4);
	VALUE("with its count", (eventfd_read(fds[0], &value), value));
	VALUE("now empty for both", eventfd_read(event, &value));
	close(event), close(fds[0]), close(ends[0]), close(ends[1]);
}

static void many(void)
{
	int ends[2], fds[300], got[300], zero = open("/dev/zero", O_RDONLY), flags, before;

	pair(SOCK_STREAM, ends);
	before = open_descriptors();
	for (int i = 0; i < 300; i++)
		fds[i] = i % 2 ? zero : ends[0];
	VALUE("two", pass(ends[0], fds, 2, 0));
	VALUE("come in order", take(ends[1], got, 10, 0, NULL) == 2 && fcntl(got[0], F_GETFL) == O_RDWR && (fcntl(got[1], F_GETFL) & O_ACCMODE) == O_RDONLY);
	close(got[0]), close(got[1]);
	VALUE("253", pass(ends[0], fds, 253, 0));
	VALUE("come", take(ends[1], got, 300, 0, &flags));
	VALUE("flags", flags);
	for (int i = 0; i < 253; i++)
		close(got[i]);
	VALUE("254", pass(ends[0], fds, 254, 0));
	fds[5] = 999;
	VALUE("one that is not open", pass(ends[0], fds, 10, 0));
	fds[5] = -1;
	VALUE("one that is negative", pass(ends[0], fds, 10, 0));
	fds[5] = zero;
	VALUE("nothing came of it", recv(ends[1], got, 1, MSG_DONTWAIT));
	pass(ends[0], fds, 30, 0);
	VALUE("room for some", take(ends[1], got, 20, 0, &flags));
	VALUE("MSG_CTRUNC", flags);
	VALUE("some are open", open_descriptors() - before);
	for (int i = 0; i < 20; i++)
		close(got[i]);
	pass(ends[0], fds, 3, 0);
	VALUE("no room at all", take(ends[1], got, 0, 0, &flags));
	VALUE("MSG_CTRUNC, too", flags);
	pass(ends[0], fds, 3, 0);
	VALUE("recv takes the byte alone", recv(ends[1], got, 10, 0));
	pass(ends[0], fds, 3, 0);
	VALUE("read, too", read(ends[1], got, 10));
	VALUE("none is left open", open_descriptors() - before);
	pass(ends[0], fds, 2, 0);
	VALUE("peek", take(ends[1], got, 10, MSG_PEEK, NULL));
	VALUE("take", take(ends[1], got + 2, 10, 0, NULL));
	VALUE("four are open", open_descriptors() - before);
	TRUE("all work", fcntl(got[0], F_GETFL) == O_RDWR && fcntl(got[2], F_GETFL) == O_RDWR);
	for (int i = 0; i < 4; i++)
		close(got[i]);
	close(ends[0]), close(ends[1]), close(zero);
}

/* Bytes before and behind: descriptors come with the first byte of their message, and end a read. */
static void between(void)
{
	int ends[2], got[5], zero = open("/dev/zero", O_RDONLY);
	char bytes[20];

	pair(SOCK_STREAM, ends);
	send(ends[0], "before", 6, 0);
	pass(ends[0], &zero, 1, 0);
	send(ends[0], "behind", 6, 0);
	struct iovec vector = {bytes, sizeof(bytes)};
	char control[100];
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	VALUE("up to the descriptor", recvmsg(ends[1], &m, 0));
	VALUE("ancillary data", m.msg_controllen);
	memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	TRUE("it is open", fcntl(got[0], F_GETFD) == 0);
	close(got[0]);
	receive("what is behind", ends[1], 20, 0);
	pass(ends[0], &zero, 1, 0);
	pass(ends[0], &zero, 1, 0);
	VALUE("two messages with one each", take(ends[1], got, 5, 0, NULL));
	close(got[0]);
	VALUE("the second one", take(ends[1], got, 5, 0, NULL));
	close(got[0]);
	close(ends[0]), close(ends[1]), close(zero);
}

static void others(int type, const char *kind)
{
	int ends[2], got[3], zero = open("/dev/zero", O_RDONLY), inner[2];
	char line[60], bytes[30];

	pair(type, ends);
	snprintf(line, sizeof(line), "%s: pass", kind);
	VALUE(line, pass(ends[0], &zero, 1, 0));
	snprintf(line, sizeof(line), "%s: take", kind);
	VALUE(line, take(ends[1], got, 3, 0, NULL));
	close(got[0]);
	/* A connection that is handed on works on, and its peer sees its end when both are gone. */
	pair(SOCK_STREAM, inner);
	pass(ends[0], &inner[1], 1, 0);
	close(inner[1]);
	snprintf(line, sizeof(line), "%s: to a socket in flight", kind);
	send_text(line, inner[0], "while away", 0);
	take(ends[1], got, 3, 0, NULL);
	snprintf(line, sizeof(line), "%s: it arrives with it", kind);
	receive(line, got[0], 30, 0);
	close(got[0]);
	snprintf(line, sizeof(line), "%s: then it is closed", kind);
	receive(line, inner[0], 30, 0);
	pair(SOCK_STREAM, inner + 0);
	pass(ends[0], &inner[1], 1, 0);
	close(inner[1]), close(ends[0]), close(ends[1]);
	snprintf(line, sizeof(line), "%s: nobody took it", kind);
	VALUE(line, recv(inner[0], bytes, sizeof(bytes), 0));
	close(inner[0]), close(zero);
}

/* Who is told when what lay in the queue is collected: the other end of a pipe. */
static int witness[2];

static bool collected(void)
{
	char byte;
	return read(witness[0], &byte, 1) == 0;
}

static void begin_witness(void)
{
	pipe(witness);
	fcntl(witness[0], F_SETFL, O_NONBLOCK);
}

/* When it happens is the system's affair: at the latest when the last other end is closed. */
static void cycles(void)
{
	int a[2], b[2], got[3];

	begin_witness();
	pair(SOCK_STREAM, a);
	pass(a[0], &witness[1], 1, 0);
	pass(a[0], &a[1], 1, 0); /* into its own queue */
	close(witness[1]), close(a[1]);
	close(a[0]);
	TRUE("in its own queue: collected", until(collected));
	close(witness[0]);

	begin_witness();
	pair(SOCK_STREAM, a);
	pair(SOCK_STREAM, b);
	pass(a[0], &witness[1], 1, 0);
	pass(a[0], &b[1], 1, 0);
	pass(b[0], &a[1], 1, 0);
	close(witness[1]), close(a[1]), close(b[1]);
	close(a[0]);
	close(b[0]);
	TRUE("in each other's: collected", until(collected));
	close(witness[0]);

	begin_witness();
	pair(SOCK_DGRAM, a);
	pair(SOCK_DGRAM, b);
	pass(a[0], &witness[1], 1, 0);
	pass(a[0], &b[1], 1, 0);
	pass(b[0], &a[1], 1, 0);
	pass(b[0], &b[0], 1, 0);
	close(witness[1]), close(a[0]), close(a[1]), close(b[0]);
	/* b[1] is held: all can still be received through it. */
	TRUE("reachable through one end", !collected());
	VALUE("which gives the other", take(b[1], got, 3, 0, NULL));
	close(b[1]);
	TRUE("still there", !collected());
	VALUE("with what is in it", take(got[0], got + 1, 2, 0, NULL));
	TRUE("the witness", write(got[1], "x", 1) == 1);
	close(got[0]);
	TRUE("its queue is gone, but it is here", !collected());
	close(got[1]);
	TRUE("the last one", until(collected));
	close(witness[0]);

	/* A listener's queue: a connection that nobody accepts, with the listener in it. */
	begin_witness();
	int listener = bound(SOCK_STREAM, "cycle", 5), client = connected(SOCK_STREAM, "cycle");
	pass(client, &witness[1], 1, 0);
	pass(client, &listener, 1, 0);
	close(witness[1]), close(listener);
	close(client);
	TRUE("collected, too", until(collected));
	close(witness[0]);
}

/* A socket in a socket in a socket, a hundred deep. */
static void chain(void)
{
	int ends[2], inner[2], got[3], depth = 0;

	begin_witness();
	pair(SOCK_STREAM, ends);
	pass(ends[0], &witness[1], 1, 0);
	close(witness[1]);
	for (int i = 0; i < 100; i++) {
		pair(SOCK_STREAM, inner);
		pass(inner[0], &ends[1], 1, 0);
		close(ends[0]), close(ends[1]);
		ends[0] = inner[0], ends[1] = inner[1];
	}
	TRUE("a hundred deep", !collected());
	while (depth < 40 && take(ends[1], got, 3, 0, NULL) == 1) {
		close(ends[0]), close(ends[1]);
		ends[0] = -1, ends[1] = got[0];
		depth++;
	}
	VALUE("forty steps down", depth);
	TRUE("the rest is there", !collected());
	close(ends[1]);
	TRUE("and goes with the last one", until(collected));
	close(witness[0]);
}

static void limit(void)
{
	struct rlimit old, few;
	int ends[2], got[10], fds[4], flags = 0, count;

	pair(SOCK_STREAM, ends);
	for (int i = 0; i < 4; i++)
		fds[i] = ends[0];
	pass(ends[0], fds, 4, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	int first_free = dup(0);
	close(first_free);
	few = old;
	few.rlim_cur = (rlim_t)first_free + 2;
	setrlimit(RLIMIT_NOFILE, &few);
	count = take(ends[1], got, 10, 0, &flags);
	setrlimit(RLIMIT_NOFILE, &old);
	VALUE("as many as the process may have", count);
	VALUE("and MSG_CTRUNC", flags);
	for (int i = 0; i < count; i++)
		close(got[i]);
	close(ends[0]), close(ends[1]);
}

void passing_checks(void)
{
	files();
	many();
	between();
	others(SOCK_STREAM, "stream");
	others(SOCK_DGRAM, "datagram");
	others(SOCK_SEQPACKET, "seqpacket");
	cycles();
	chain();
	limit();
}
