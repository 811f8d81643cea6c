/* sendmsg, recvmsg, sendmmsg, recvmmsg: headers and flags. */
#include "net.h"

static void headers(void)
{
	struct sockaddr_un a;
	char bytes[50] = "";
	struct iovec vector = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &vector, .msg_iovlen = 1};
	int to = bound(SOCK_DGRAM, "to", -1), fd = bound(SOCK_DGRAM, "from", -1), ends[2];

	strcpy(bytes, "payload");
	vector.iov_len = 7;
	m.msg_namelen = address(&a, "to");
	VALUE("sendmsg with an address", sendmsg(fd, &m, 0));
	VALUE("negative length", (m.msg_namelen = (socklen_t)-1, sendmsg(fd, &m, 0)));
	m.msg_namelen = sizeof(a);
	vector.iov_len = sizeof(bytes);
	VALUE("recvmsg", recvmsg(to, &m, 0));
	text("its sender", named(&a, m.msg_namelen));
	VALUE("flags", m.msg_flags);
	VALUE("bad header to send", syscall(SYS_sendmsg, fd, 8, 0));
	VALUE("bad header to receive", syscall(SYS_recvmsg, to, 8, MSG_DONTWAIT));
	VALUE("bad vector", (m.msg_iov = (void *)8, sendmsg(fd, &m, 0)));
	m.msg_iov = &vector;
	send(fd, "", 0, 0);
	address(&a, "to");
	connect(fd, (void *)&a, address(&a, "to"));
	send(fd, "longer than that", 16, 0);
	vector.iov_len = 4;
	m.msg_namelen = 5;
	VALUE("cut", recvmsg(to, &m, 0));
	VALUE("MSG_TRUNC", m.msg_flags);
	VALUE("the name's whole length", m.msg_namelen);
	send(fd, "longer than that", 16, 0);
	VALUE("MSG_TRUNC asked for", recvmsg(to, &m, MSG_TRUNC));
	VALUE("MSG_CMSG_CLOEXEC comes back", (send(fd, "x", 1, 0), recvmsg(to, &m, MSG_CMSG_CLOEXEC), m.msg_flags));
	VALUE("MSG_EOR is taken", send(fd, "x", 1, MSG_EOR));
	close(to), close(fd);
	pair(SOCK_STREAM, ends);
	send(ends[0], "stream", 6, 0);
	m.msg_namelen = sizeof(a);
	vector.iov_len = sizeof(bytes);
	VALUE("recvmsg of a stream", recvmsg(ends[1], &m, 0));
	VALUE("no name", m.msg_namelen);
	VALUE("no flags", m.msg_flags);
	VALUE("MSG_MORE", send(ends[0], "more", 4, MSG_MORE));
	receive("comes at once", ends[1], 10, 0);
	close(ends[0]), close(ends[1]);
}

static void controls(void)
{
	char byte = 'x';
	union {
		char bytes[200];
		struct cmsghdr header;
	} control;
	struct iovec vector = {&byte, 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(4)};
	int ends[2];

	pair(SOCK_STREAM, ends);
	memset(&control, 0, sizeof(control));
	control.header = (struct cmsghdr){.cmsg_len = 3, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	VALUE("too short an element", syscall(SYS_sendmsg, ends[0], &m, 0));
	control.header.cmsg_len = 1000;
	VALUE("too long an element", syscall(SYS_sendmsg, ends[0], &m, 0));
	control.header.cmsg_len = CMSG_LEN(4);
	control.header.cmsg_level = 77;
	VALUE("another level is not looked at", syscall(SYS_sendmsg, ends[0], &m, 0));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = 99;
	VALUE("no such type", syscall(SYS_sendmsg, ends[0], &m, 0));
	control.header.cmsg_type = SCM_CREDENTIALS;
	VALUE("credentials too short", syscall(SYS_sendmsg, ends[0], &m, 0));
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(0);
	VALUE("no descriptors", syscall(SYS_sendmsg, ends[0], &m, 0));
	m.msg_control = (void *)8;
	VALUE("bad pointer", syscall(SYS_sendmsg, ends[0], &m, 0));
	receive("the two that went", ends[1], 10, 0);
	close(ends[0]), close(ends[1]);
}

static void several(void)
{
	char out[4][10] = {"one", "two2", "three", "four"}, in[4][10];
	struct iovec vectors[4];
	struct mmsghdr m[4];
	int ends[2];

	pair(SOCK_DGRAM, ends);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++) {
		vectors[i] = (struct iovec){out[i], strlen(out[i])};
		m[i].msg_hdr.msg_iov = &vectors[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	VALUE("sendmmsg", sendmmsg(ends[0], m, 4, 0));
	VALUE("length of the second", m[1].msg_len);
	VALUE("sendmmsg of none", sendmmsg(ends[0], m, 0, 0));
	memset(in, 0, sizeof(in));
	for (int i = 0; i < 4; i++)
		vectors[i] = (struct iovec){in[i], sizeof(in[i])};
	VALUE("recvmmsg", recvmmsg(ends[1], m, 3, 0, NULL));
	text("the third", in[2]);
	VALUE("its length", m[2].msg_len);
	VALUE("MSG_WAITFORONE", recvmmsg(ends[1], m, 4, MSG_WAITFORONE, NULL));
	text("the fourth", in[0]);
	VALUE("none without waiting", recvmmsg(ends[1], m, 4, MSG_DONTWAIT, NULL));
	send(ends[0], "x", 1, 0);
	send(ends[0], "y", 1, 0);
	VALUE("as many as there are", recvmmsg(ends[1], m, 4, MSG_DONTWAIT, NULL));
	VALUE("bad timeout", recvmmsg(ends[1], m, 4, MSG_DONTWAIT, &(struct timespec){0, 2000000000}));
	vectors[1].iov_base = (void *)8;
	VALUE("an error behind the first", sendmmsg(ends[0], m, 3, 0));
	VALUE("one came", recvmmsg(ends[1], m, 1, MSG_DONTWAIT, NULL));
	close(ends[0]), close(ends[1]);
}

void message_checks(void)
{
	headers();
	controls();
	several();
}
