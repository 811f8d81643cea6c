/* Who is at the other end: SO_PEERCRED, SCM_CREDENTIALS, SO_PASSCRED. */
#include "net.h"

static void told(const char *name, const struct ucred *c)
{
	char line[80];
	const char *who = c->pid == 0 ? "nobody" : c->pid == getpid() ? "me" : c->pid == getppid() ? "parent" : "another";

	snprintf(line, sizeof(line), "%s uid %d gid %d", who, (int)c->uid, (int)c->gid);
	text(name, line);
}

static void peer(const char *name, int fd)
{
	struct ucred c = {-1, 1, 1};
	socklen_t size = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) < 0)
		result(name, -1, errno);
	else
		told(name, &c);
}

/* Receives one message and says who sent it. */
static void sender(const char *name, int fd)
{
	char bytes[50], control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(8)];
	struct iovec vector = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct ucred c;

	if (recvmsg(fd, &m, MSG_DONTWAIT) < 0) {
		result(name, -1, errno);
		return;
	}
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (h == NULL || h->cmsg_type != SCM_CREDENTIALS) {
		text(name, "not told");
		return;
	}
	memcpy(&c, CMSG_DATA(h), sizeof(c));
	told(name, &c);
}

static long send_as(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	char byte = 'c', control[CMSG_SPACE(sizeof(struct ucred))] = "";
	struct iovec vector = {&byte, 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	struct ucred c = {pid, uid, gid};

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof(c));
	memcpy(CMSG_DATA(h), &c, sizeof(c));
	return sendmsg(fd, &m, MSG_DONTWAIT);
}

static void pass_on(int fd, int on)
{
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static void peers(void)
{
	int ends[2], listener, client, server;

	pair(SOCK_STREAM, ends);
	peer("pair", ends[0]);
	IN_CHILD(UNUSED_UID, peer("the pair's maker counts", ends[1]));
	close(ends[0]), close(ends[1]);
	pair(SOCK_DGRAM, ends);
	peer("pair of datagrams", ends[0]);
	close(ends[0]), close(ends[1]);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	peer("without a connection", client);
	close(client);
	listener = bound(SOCK_STREAM, "credentials", 5);
	IN_CHILD(UNUSED_UID, {
		client = connected(SOCK_STREAM, "credentials");
		peer("the client sees who listens", client);
	});
	server = accept(listener, NULL, NULL);
	peer("the server sees who connected", server);
	close(server);
	pid_t pid = begin_child(UNUSED_UID);
	if (pid == 0) {
		listen(listener, 5);
		_exit(0);
	}
	await(pid);
	client = connected(SOCK_STREAM, "credentials");
	peer("who listened last counts", client);
	close(client), close(listener);
	listener = bound(SOCK_STREAM, "half", 5);
	IN_CHILD(0, {
		setegid(UNUSED_UID);
		seteuid(UNUSED_UID);
		client = connected(SOCK_STREAM, "half");
	});
	server = accept(listener, NULL, NULL);
	peer("effective ids", server);
	close(server), close(listener);
}

static void senders(int type, const char *kind)
{
	char line[80];
	int ends[2];
#define NAME(what) (snprintf(line, sizeof(line), "%s: " what, kind), line)

	pair(type, ends);
	send(ends[0], "x", 1, 0);
	sender(NAME("without SO_PASSCRED"), ends[1]);
	send(ends[0], "x", 1, 0);
	pass_on(ends[1], 1);
	sender(NAME("set after it was sent"), ends[1]);
	send(ends[0], "x", 1, 0);
	sender(NAME("set before"), ends[1]);
	IN_CHILD(UNUSED_UID, send(ends[0], "x", 1, 0));
	sender(NAME("sent by a child of another user"), ends[1]);
	IN_CHILD(0, {
		setegid(UNUSED_UID);
		seteuid(UNUSED_UID);
		send(ends[0], "x", 1, 0);
	});
	sender(NAME("real ids"), ends[1]);
	VALUE(NAME("said itself"), send_as(ends[0], getpid(), 0, 0));
	sender(NAME("is told"), ends[1]);
	VALUE(NAME("said of the parent"), send_as(ends[0], getppid(), 77, 88));
	sender(NAME("root may"), ends[1]);
	VALUE(NAME("of no process"), send_as(ends[0], 0x3ffffff, 0, 0));
	IN_CHILD(UNUSED_UID, {
		VALUE(NAME("a user: of itself"), send_as(ends[0], getpid(), UNUSED_UID, UNUSED_UID));
		VALUE(NAME("a user: of the parent"), send_as(ends[0], getppid(), UNUSED_UID, UNUSED_UID));
		VALUE(NAME("a user: as root"), send_as(ends[0], getpid(), 0, UNUSED_UID));
		VALUE(NAME("a user: in root's group"), send_as(ends[0], getpid(), UNUSED_UID, 0));
	});
	sender(NAME("what the user said"), ends[1]);
	pass_on(ends[1], 0);
	send_as(ends[0], getpid(), 5, 6);
	pass_on(ends[1], 1);
	sender(NAME("said, and asked for later"), ends[1]);
	pass_on(ends[1], 0);
	send_as(ends[0], getpid(), 0, 0);
	sender(NAME("not asked for"), ends[1]);
	close(ends[0]), close(ends[1]);
}

/* Bytes of two senders do not come in one read, if it is told who sent them. */
static void boundaries(void)
{
	char bytes[50];
	int ends[2];

	pair(SOCK_STREAM, ends);
	pass_on(ends[1], 1);
	send(ends[0], "mine", 4, 0);
	send(ends[0], "mine", 4, 0);
	IN_CHILD(0, send(ends[0], "child", 5, 0));
	VALUE("of one sender", recv(ends[1], bytes, sizeof(bytes), 0));
	VALUE("of the other", recv(ends[1], bytes, sizeof(bytes), 0));
	pass_on(ends[1], 0);
	send(ends[0], "mine", 4, 0);
	IN_CHILD(0, send(ends[0], "child", 5, 0));
	VALUE("of both", recv(ends[1], bytes, sizeof(bytes), 0));
	/* With both kinds of ancillary data: credentials first. */
	pass_on(ends[1], 1);
	int zero = open("/dev/zero", O_RDONLY);
	pass(ends[0], &zero, 1, 0);
	char control[200];
	struct iovec vector = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	VALUE("a descriptor, too", recvmsg(ends[1], &m, 0));
	VALUE("length of both", m.msg_controllen);
	struct cmsghdr *first = CMSG_FIRSTHDR(&m), *second = first ? CMSG_NXTHDR(&m, first) : NULL;
	TRUE("credentials first", first && first->cmsg_type == SCM_CREDENTIALS && second && second->cmsg_type == SCM_RIGHTS);
	pass(ends[0], &zero, 1, 0);
	m.msg_controllen = CMSG_SPACE(sizeof(struct ucred));
	VALUE("room for one", recvmsg(ends[1], &m, 0));
	VALUE("MSG_CTRUNC", m.msg_flags);
	pass(ends[0], &zero, 1, 0);
	m.msg_controllen = 20;
	VALUE("room for less", recvmsg(ends[1], &m, 0));
	VALUE("what there was", m.msg_controllen);
	VALUE("MSG_CTRUNC, too", m.msg_flags);
	close(zero), close(ends[0]), close(ends[1]);
	/* A datagram socket that wants credentials gets a name. */
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), to = bound(SOCK_DGRAM, "wanting", -1);
	struct sockaddr_un a;
	socklen_t size = address(&a, "wanting");
	pass_on(fd, 1);
	connect(fd, (void *)&a, size);
	size = sizeof(a);
	getsockname(fd, (void *)&a, &size);
	VALUE("bound by connecting", size);
	close(fd), close(to);
}

void credential_checks(void)
{
	peers();
	senders(SOCK_STREAM, "stream");
	senders(SOCK_DGRAM, "datagram");
	senders(SOCK_SEQPACKET, "seqpacket");
	boundaries();
}
