/* Making sockets, what kind of file they are, and what they do not do. */
#include "net.h"
#include <sys/file.h>

static void making(void)
{
	int ends[2];

	OK("stream", socket(AF_UNIX, SOCK_STREAM, 0));
	OK("datagram", socket(AF_UNIX, SOCK_DGRAM, 0));
	OK("seqpacket", socket(AF_UNIX, SOCK_SEQPACKET, 0));
	OK("raw is a datagram socket", socket(AF_UNIX, SOCK_RAW, 0));
	OK("protocol of the family", socket(AF_UNIX, SOCK_STREAM, AF_UNIX));
	VALUE("no such family", socket(99, SOCK_STREAM, 0));
	VALUE("family far away", socket(-1, SOCK_STREAM, 0));
	VALUE("no such type", socket(AF_UNIX, 4, 0));
	VALUE("type 0", socket(AF_UNIX, 0, 0));
	VALUE("type 12", socket(AF_UNIX, 12, 0));
	VALUE("no such protocol", socket(AF_UNIX, SOCK_STREAM, 7));
	VALUE("no such flag", socket(AF_UNIX, SOCK_STREAM | 0x1000, 0));
	VALUE("pair of no family", socketpair(99, SOCK_STREAM, 0, ends));
	VALUE("pair of no type", socketpair(AF_UNIX, 9, 0, ends));
	VALUE("pair to nowhere", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	VALUE("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void flags(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), plain = socket(AF_UNIX, SOCK_STREAM, 0), ends[2];

	VALUE("close on exec", fcntl(fd, F_GETFD));
	VALUE("non-blocking", fcntl(fd, F_GETFL));
	VALUE("plain", fcntl(plain, F_GETFD));
	VALUE("plain flags", fcntl(plain, F_GETFL));
	VALUE("F_SETFL", fcntl(plain, F_SETFL, O_NONBLOCK));
	VALUE("now non-blocking", fcntl(plain, F_GETFL));
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
	VALUE("pair: close on exec", fcntl(ends[1], F_GETFD));
	VALUE("pair: non-blocking", fcntl(ends[1], F_GETFL));
	close(fd), close(plain), close(ends[0]), close(ends[1]);
}

static void file(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
	char link[100] = "", path[50];
	struct stat st, st2;

	VALUE("fstat", fstat(fd, &st));
	VALUE("mode", st.st_mode);
	VALUE("links", st.st_nlink);
	VALUE("size", st.st_size);
	VALUE("owner", st.st_uid);
	fstat(other, &st2);
	TRUE("inodes differ", st.st_ino != st2.st_ino);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TRUE("readlink", readlink(path, link, sizeof(link) - 1) > 0 && !strncmp(link, "socket:[", 8));
	VALUE("fchmod", fchmod(fd, 0600));
	fstat(fd, &st);
	VALUE("mode then", st.st_mode);
	VALUE("open of the descriptor", open(path, O_RDWR));
	VALUE("lseek", lseek(fd, 0, SEEK_SET));
	VALUE("pread", pread(fd, link, 1, 0));
	VALUE("pwrite", pwrite(fd, link, 1, 0));
	VALUE("ftruncate", ftruncate(fd, 0));
	VALUE("fsync", fsync(fd));
	TRUE("mmap", mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
	VALUE("isatty", isatty(fd));
	VALUE("isatty's error", errno == ENOTTY);
	VALUE("fchdir", fchdir(fd));
	close(fd), close(other);
}

static void not_a_socket(void)
{
	struct sockaddr_un a;
	socklen_t size = sizeof(a);
	int fd = open("/dev/null", O_RDWR), value = 1;

	VALUE("bind on a file", bind(fd, (void *)&a, size));
	VALUE("connect on a file", connect(fd, (void *)&a, size));
	VALUE("listen on a file", listen(fd, 1));
	VALUE("accept on a file", accept(fd, NULL, NULL));
	VALUE("send on a file", send(fd, "x", 1, 0));
	VALUE("recv on a file", recv(fd, &a, 1, 0));
	VALUE("shutdown on a file", shutdown(fd, SHUT_RD));
	VALUE("getsockname on a file", getsockname(fd, (void *)&a, &size));
	VALUE("getsockopt on a file", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
	VALUE("setsockopt on a file", setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value)));
	close(fd);
	VALUE("listen on nothing", listen(fd, 1));
	VALUE("recv on nothing", recv(fd, &a, 1, 0));
}

/* A child made by fork has the same socket; a program started by exec has it, too. */
static void sharing(void)
{
	char number[16], text_of[32] = "";
	int ends[2];

	pair(SOCK_STREAM, ends);
	IN_CHILD(0, send(ends[1], "from the child", 14, 0));
	receive("a child's words", ends[0], 30, 0);
	int copy = dup(ends[1]);
	close(ends[1]);
	send_text("through a copy", copy, "copy", 0);
	receive("the copy's words", ends[0], 30, 0);
	fcntl(copy, F_SETFL, O_NONBLOCK);
	int again = dup(copy);
	VALUE("flags are shared by copies", fcntl(again, F_GETFL));
	close(again);
	fcntl(copy, F_SETFL, 0);
	pid_t pid = begin_child(0);
	if (pid == 0) {
		snprintf(number, sizeof(number), "%d", copy);
		dup2(copy, 1);
		execl("/bin/sh", "sh", "-c", "echo from exec", (char *)NULL);
		_exit(1);
	}
	text("exec", await(pid));
	recv(ends[0], text_of, sizeof(text_of) - 1, 0);
	TRUE("exec's words", !strcmp(text_of, "from exec\n"));
	close(copy);
	receive("all copies are closed", ends[0], 10, 0);
	close(ends[0]);
}

void basic_checks(void)
{
	making();
	for (int fd = 3; fd < 20; fd++)
		close(fd);
	flags();
	file();
	not_a_socket();
	sharing();
}
