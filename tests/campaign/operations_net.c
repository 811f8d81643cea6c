/*
 * operations: local sockets, names, descriptors in flight; see operations.c.
 */
#define _GNU_SOURCE
#include "operation_check.h"
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH "/tmp/kp/socket"

static socklen_t name(struct sockaddr_un *a, const char *text)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(text[0] == '/' ? a->sun_path : a->sun_path + 1, text);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text));
}

/* The next thing to be received is this token. */
static bool comes(int fd, unsigned token)
{
	unsigned got = 0;
	return recv(fd, &got, sizeof got, MSG_DONTWAIT) == sizeof got && got == token;
}

static bool nothing(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static bool goes(int fd, unsigned token)
{
	return send(fd, &token, sizeof token, MSG_NOSIGNAL) == sizeof token;
}

bool unix_stream(void)
{
	static char large[100000], back[100000];
	int ends[2];
	char byte;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	check(goes(ends[0], operation_token) && goes(ends[0], operation_token + 1));
	check(comes(ends[1], operation_token) && comes(ends[1], operation_token + 1) && nothing(ends[1]));
	memset(large, (int)operation_token, sizeof large);
	check(send(ends[1], large, sizeof large, 0) == sizeof large);
	check(recv(ends[0], back, sizeof back, MSG_WAITALL) == sizeof back && memcmp(large, back, sizeof back) == 0 && nothing(ends[0]));
	check(goes(ends[0], operation_token) && shutdown(ends[0], SHUT_WR) == 0 && !goes(ends[0], 1) && errno == EPIPE);
	check(comes(ends[1], operation_token) && recv(ends[1], &byte, 1, 0) == 0);
	check(close(ends[1]) == 0 && recv(ends[0], &byte, 1, 0) == 0 && close(ends[0]) == 0);
	return true;
}

bool unix_connect(void)
{
	struct sockaddr_un a;
	socklen_t size = name(&a, "kp");
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), server;
	char byte;
	check(bind(listener, (void *)&a, size) == 0 && listen(listener, 1) == 0);
	check(connect(client, (void *)&a, size) == 0 && connect(client, (void *)&a, size) == -1 && errno == EISCONN);
	check(goes(client, operation_token));
	server = accept(listener, NULL, NULL);
	check(server >= 0 && comes(server, operation_token) && nothing(server));
	check(fcntl(listener, F_SETFL, O_NONBLOCK) == 0 && accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
	check(close(client) == 0 && recv(server, &byte, 1, 0) == 0 && close(server) == 0 && close(listener) == 0);
	return true;
}

bool unix_path(void)
{
	struct sockaddr_un a;
	socklen_t size = name(&a, PATH);
	struct stat st;
	int to = socket(AF_UNIX, SOCK_DGRAM, 0), from = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(bind(to, (void *)&a, size) == 0 && stat(PATH, &st) == 0 && S_ISSOCK(st.st_mode));
	check(sendto(from, &operation_token, sizeof operation_token, 0, (void *)&a, size) == sizeof operation_token);
	check(comes(to, operation_token) && nothing(to));
	check(unlink(PATH) == 0 && stat(PATH, &st) == -1 && connect(from, (void *)&a, size) == -1 && errno == ENOENT);
	check(close(to) == 0 && close(from) == 0);
	return true;
}

static bool pass(int through, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec vector = {"x", 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	return sendmsg(through, &m, 0) == 1;
}

static int take(int from)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec vector = {&byte, 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	int fd;
	if (recvmsg(from, &m, MSG_DONTWAIT) != 1 || m.msg_controllen == 0 || control.header.cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	return fd;
}

bool unix_pass(void)
{
	int ends[2], inner[2], pipes[2], got;
	unsigned word = 0;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, inner) == 0 && pipe(pipes) == 0);
	check(pass(ends[0], pipes[1]) && close(pipes[1]) == 0);
	check((got = take(ends[1])) >= 0 && write(got, &operation_token, sizeof operation_token) == sizeof operation_token && close(got) == 0);
	check(read(pipes[0], &word, sizeof word) == sizeof word && word == operation_token && read(pipes[0], &word, 1) == 0);
	check(pass(ends[0], inner[1]) && close(inner[1]) == 0 && goes(inner[0], operation_token));
	check((got = take(ends[1])) >= 0 && comes(got, operation_token) && nothing(got) && take(ends[1]) == -1);
	check(close(got) == 0 && close(inner[0]) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0 && close(pipes[0]) == 0);
	return true;
}

/* Sockets in each other's queues: what lies there is closed when the last other end is. */
bool unix_cycle(void)
{
	int a[2], b[2], pipes[2];
	char byte;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0 && pipe(pipes) == 0);
	check(pass(a[0], pipes[1]) && pass(a[0], b[1]) && pass(b[0], a[1]));
	check(close(pipes[1]) == 0 && close(a[1]) == 0 && close(b[1]) == 0 && close(a[0]) == 0 && close(b[0]) == 0);
	check(read(pipes[0], &byte, 1) == 0 && close(pipes[0]) == 0);
	return true;
}

/* A child waits for what we send, and answers. */
bool unix_wait(void)
{
	int ends[2], status;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		unsigned got = 0;
		_exit(recv(ends[1], &got, sizeof got, 0) != sizeof got || !goes(ends[1], got + 1));
	}
	unsigned got = 0;
	check(pid > 0 && goes(ends[0], operation_token));
	check(recv(ends[0], &got, sizeof got, 0) == sizeof got && got == operation_token + 1);
	check(waitpid(pid, &status, 0) == pid && status == 0 && nothing(ends[0]));
	check(close(ends[0]) == 0 && close(ends[1]) == 0);
	return true;
}

bool unix_poll(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int ends[2], set = epoll_create1(0);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	struct pollfd p = {ends[0], POLLIN, 0};
	check(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0 && poll(&p, 1, 0) == 0 && epoll_wait(set, &event, 1, 0) == 0);
	check(goes(ends[1], operation_token) && poll(&p, 1, 5000) == 1 && p.revents == POLLIN && epoll_wait(set, &event, 1, 5000) == 1);
	check(comes(ends[0], operation_token) && poll(&p, 1, 0) == 0 && epoll_wait(set, &event, 1, 0) == 0);
	check(close(ends[1]) == 0 && poll(&p, 1, 5000) == 1 && p.revents == (POLLIN | POLLHUP) && close(ends[0]) == 0 && close(set) == 0);
	return true;
}

void operations_prepare_net(void)
{
	unlink(PATH);
}
