/* The suite's main program: `net PART...`, and what the parts share. */
#include "net.h"
#include <dirent.h>

socklen_t address(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (name[0] == '/') {
		strcpy(a->sun_path, name);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
	}
	strcpy(a->sun_path + 1, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	printf("%s: failed\n", what);
	exit(2);
}

int bound(int type, const char *name, int backlog)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	int fd = socket(AF_UNIX, type, 0);

	must(fd >= 0 && bind(fd, (void *)&a, size) == 0, "bind");
	must(backlog < 0 || listen(fd, backlog) == 0, "listen");
	return fd;
}

int connected(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	int fd = socket(AF_UNIX, type, 0);

	must(fd >= 0 && connect(fd, (void *)&a, size) == 0, "connect");
	return fd;
}

void pair(int type, int ends[2])
{
	must(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
}

void connection(int type, const char *name, int ends[2])
{
	int listener = bound(type, name, 5);

	ends[0] = connected(type, name);
	ends[1] = accept(listener, NULL, NULL);
	must(ends[1] >= 0, "accept");
	close(listener);
}

const char *named(const struct sockaddr_un *a, socklen_t size)
{
	static char text[200];
	size_t path = size - offsetof(struct sockaddr_un, sun_path);

	if (size <= offsetof(struct sockaddr_un, sun_path))
		snprintf(text, sizeof(text), "unnamed %d", (int)size);
	else if (a->sun_path[0] == 0)
		snprintf(text, sizeof(text), "@%.*s %d", (int)path - 1, a->sun_path + 1, (int)size);
	else
		snprintf(text, sizeof(text), "%.*s %d", (int)path, a->sun_path, (int)size);
	return text;
}

void receive(const char *name, int fd, size_t size, int flags)
{
	static char bytes[300000];

	errno = 0;
	ssize_t got = recv(fd, bytes, size, flags | MSG_DONTWAIT);
	if (got < 0)
		result(name, got, errno);
	else if (got == 0)
		text(name, "end");
	else if (got > 60 || (size_t)got > size)
		result(name, got, 0);
	else {
		bytes[got] = 0;
		text(name, bytes);
	}
}

void send_text(const char *name, int fd, const char *words, int flags)
{
	errno = 0;
	ssize_t sent = send(fd, words, strlen(words), flags);
	result(name, sent, errno);
}

void polled(const char *name, int fd, short events)
{
	static const struct {
		short bit;
		const char *word;
	} words[] = {{POLLIN, "in"}, {POLLPRI, "pri"}, {POLLOUT, "out"}, {POLLERR, "err"}, {POLLHUP, "hup"}, {POLLNVAL, "nval"}, {0x2000, "rdhup"},
		     {0x40, "rdnorm"}, {0x100, "wrnorm"}, {0x200, "wrband"}};
	struct pollfd p = {.fd = fd, .events = events};
	char line[100] = "";
	int count = poll(&p, 1, 0);

	if (count < 0)
		strcpy(line, "error");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((p.revents & words[i].bit) == 0)
			continue;
		strcat(line, line[0] ? " " : "");
		strcat(line, words[i].word);
	}
	text(name, line[0] ? line : "nothing");
}

long pass(int fd, const int *fds, int count, int flags)
{
	char byte = 'x', control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec vector = {&byte, 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};

	memset(control, 0, sizeof(control));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	return syscall(SYS_sendmsg, fd, &m, flags); /* musl refuses long control buffers */
}

int take(int fd, int *fds, int room, int flags, int *message_flags)
{
	char byte, control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec vector = {&byte, 1};
	struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = room ? control : NULL,
			   .msg_controllen = room ? CMSG_LEN((size_t)room * sizeof(int)) : 0};

	if (syscall(SYS_recvmsg, fd, &m, flags) < 0)
		return -1;
	if (message_flags != NULL)
		*message_flags = m.msg_flags;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		return (int)count;
	}
	return 0;
}

long fill(int fd)
{
	static char bytes[4096];
	long total = 0;

	for (;;) {
		ssize_t sent = send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent <= 0)
			return total;
		total += sent;
	}
}

int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

pid_t asleep(int (*body)(void))
{
	int ready[2];
	char byte;

	must(pipe(ready) == 0, "pipe");
	pid_t pid = begin_child(0);
	if (pid == 0) {
		must(write(ready[1], "x", 1) == 1, "ready");
		int status = body();
		fflush(stdout);
		_exit(status);
	}
	must(read(ready[0], &byte, 1) == 1, "child");
	close(ready[0]);
	close(ready[1]);
	until_asleep(pid);
	return pid;
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {{"basic", basic_checks}, {"stream", stream_checks}, {"names", name_checks}, {"connect", connect_checks},
					    {"datagram", datagram_checks}, {"message", message_checks}, {"passing", passing_checks},
					    {"credentials", credential_checks}, {"options", option_checks}, {"poll", poll_checks}, {"wait", wait_checks},
					    {"storm", storm_checks}};

	alarm(280); /* a lost wake-up ends the suite */
	return run_parts(argc, argv, parts, sizeof(parts) / sizeof(parts[0]));
}
