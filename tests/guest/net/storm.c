/*
 * Sixteen processes and more that exchange numbered messages over streams, datagrams and descriptors, and then exact accounts: nothing is lost, doubled or out of
 * order, no connection breaks. Meant to run while net is killed again and again; on Linux the same lines come out.
 */
#include "net.h"

enum { STREAMS = 3, DATAGRAMS = 2, PASSERS = 2, CALLERS = 2, SECONDS = 6, CHUNK = 3000 };

static struct {
	volatile bool stop;
	long bytes[STREAMS], datagrams[DATAGRAMS], passed[PASSERS], calls[CALLERS];
	int wrong;
} *shared;

static void complain(const char *what)
{
	__atomic_add_fetch(&shared->wrong, 1, __ATOMIC_SEQ_CST);
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
}

static unsigned char byte_at(long at)
{
	return (unsigned char)((at * 2654435761u) >> 13);
}

/* A stream of numbered bytes, in pieces of all sizes; the other end checks each. */
static int stream_sender(int fd, int who)
{
	unsigned char bytes[CHUNK];
	long at = 0;

	(void)who;
	for (size_t size = 1; !shared->stop; size = size * 7 % (CHUNK - 1) + 1) {
		for (size_t i = 0; i < size; i++)
			bytes[i] = byte_at(at + (long)i);
		if (send(fd, bytes, size, 0) != (ssize_t)size)
			complain("stream: send");
		at += (long)size;
	}
	return 0;
}

static int stream_receiver(int fd, int who)
{
	static unsigned char bytes[2 * CHUNK];
	long at = 0;
	ssize_t got;

	for (size_t size = 5; (got = recv(fd, bytes, size, 0)) > 0; size = size * 11 % (2 * CHUNK - 1) + 1) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != byte_at(at + i)) {
				complain("stream: a wrong byte");
				return 1;
			}
		}
		at += got;
	}
	if (got < 0)
		complain("stream: recv");
	shared->bytes[who] = at;
	return 0;
}

struct numbered {
	long number;
	int sender;
	char filling[200];
};

static int datagram_sender(int fd, int who)
{
	struct numbered m = {.sender = who};

	for (; !shared->stop; m.number++) {
		size_t size = sizeof(m) - (size_t)(m.number % 100);
		if (send(fd, &m, size, 0) != (ssize_t)size)
			complain("datagram: send");
	}
	m.sender = -1;
	send(fd, &m, sizeof(m), 0);
	return 0;
}

static int datagram_receiver(int fd, int who)
{
	struct numbered m;
	long number = 0;

	for (;; number++) {
		ssize_t got = recv(fd, &m, sizeof(m), 0);
		if (got < 0)
			complain("datagram: recv");
		if (m.sender < 0)
			break;
		if (m.number != number || m.sender != who || got != (ssize_t)sizeof(m) - number % 100)
			complain("datagram: lost or doubled");
	}
	shared->datagrams[who] = number;
	return m.number == number ? 0 : 1;
}

/* Each round: a new pair, whose one end is sent away with its number; the answer comes through it. */
static int passer(int fd, int who)
{
	long number = 0;

	for (; !shared->stop; number++) {
		int ends[2];
		long answer = -1;
		pair(number % 2 ? SOCK_STREAM : SOCK_SEQPACKET, ends);
		if (send(ends[0], &number, sizeof(number), 0) != sizeof(number) || pass(fd, &ends[1], 1, 0) != 1)
			complain("passing: send");
		close(ends[1]);
		if (recv(ends[0], &answer, sizeof(answer), 0) != sizeof(answer) || answer != number + 1)
			complain("passing: answer");
		if (recv(ends[0], &answer, 1, 0) != 0)
			complain("passing: end");
		close(ends[0]);
	}
	close(fd);
	shared->passed[who] = number;
	return 0;
}

static int taker(int fd, int who)
{
	int got;
	long number, expected = 0;

	(void)who;
	while (take(fd, &got, 1, 0, NULL) == 1) {
		if (recv(got, &number, sizeof(number), 0) != sizeof(number) || number != expected)
			complain("passing: number");
		number++;
		if (send(got, &number, sizeof(number), 0) != sizeof(number))
			complain("passing: back");
		close(got);
		expected++;
	}
	return 0;
}

/* Connections that come and go. */
static int caller(int fd, int who)
{
	char name[20];
	long number = 0;

	snprintf(name, sizeof(name), "storm %d", who);
	for (; !shared->stop; number++) {
		long answer = -1;
		int client = connected(SOCK_STREAM, name);
		if (send(client, &number, sizeof(number), 0) != sizeof(number) || shutdown(client, SHUT_WR) ||
		    recv(client, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) || answer != number || recv(client, &answer, 1, 0) != 0)
			complain("call");
		close(client);
	}
	number = -1;
	fd = connected(SOCK_STREAM, name);
	send(fd, &number, sizeof(number), 0);
	close(fd);
	return 0;
}

static int answerer(int listener, int who)
{
	long number = 0;

	for (;; shared->calls[who]++) {
		struct pollfd p = {listener, POLLIN, 0};
		if (poll(&p, 1, 20000) != 1)
			complain("answer: poll");
		int fd = accept(listener, NULL, NULL);
		if (fd < 0 || recv(fd, &number, sizeof(number), MSG_WAITALL) != sizeof(number))
			complain("answer: recv");
		if (number < 0)
			return 0;
		if (number != shared->calls[who] || recv(fd, &number, 1, 0) != 0 || send(fd, &number, sizeof(number), 0) != sizeof(number))
			complain("answer: send");
		close(fd);
	}
}

static pid_t begin(int (*body)(int fd, int who), int fd, int other, int who)
{
	pid_t pid = begin_child(0);
	if (pid == 0) {
		close(other);
		_exit(body(fd, who));
	}
	return pid;
}

static int begin_two(int (*one)(int, int), int (*two)(int, int), int type, int who, pid_t *pids)
{
	int ends[2];

	pair(type, ends);
	pids[0] = begin(one, ends[0], ends[1], who);
	pids[1] = begin(two, ends[1], ends[0], who);
	close(ends[0]), close(ends[1]);
	return 2;
}

void storm_checks(void)
{
	pid_t pids[40];
	int count = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < STREAMS; i++)
		count += begin_two(stream_sender, stream_receiver, SOCK_STREAM, i, pids + count);
	for (int i = 0; i < DATAGRAMS; i++)
		count += begin_two(datagram_sender, datagram_receiver, i % 2 ? SOCK_SEQPACKET : SOCK_DGRAM, i, pids + count);
	for (int i = 0; i < PASSERS; i++)
		count += begin_two(passer, taker, i % 2 ? SOCK_STREAM : SOCK_SEQPACKET, i, pids + count);
	for (int i = 0; i < CALLERS; i++) {
		char name[20];
		snprintf(name, sizeof(name), "storm %d", i);
		int listener = bound(SOCK_STREAM, name, 3);
		pids[count++] = begin(answerer, listener, -1, i);
		pids[count++] = begin(caller, listener, listener, i);
		close(listener);
	}
	nap(SECONDS * 1000);
	shared->stop = true;
	for (int i = 0; i < count; i++)
		text("a process", await(pids[i]));
	VALUE("errors", shared->wrong);
	for (int i = 0; i < STREAMS; i++)
		TRUE("bytes went", shared->bytes[i] > 10000);
	for (int i = 0; i < DATAGRAMS; i++)
		TRUE("datagrams went", shared->datagrams[i] > 50);
	for (int i = 0; i < PASSERS; i++)
		TRUE("descriptors went", shared->passed[i] > 10);
	for (int i = 0; i < CALLERS; i++)
		TRUE("connections went", shared->calls[i] > 10);
	fprintf(stderr, "storm: bytes %ld %ld %ld, datagrams %ld %ld, descriptors %ld %ld, connections %ld %ld\n", shared->bytes[0], shared->bytes[1],
		shared->bytes[2], shared->datagrams[0], shared->datagrams[1], shared->passed[0], shared->passed[1], shared->calls[0], shared->calls[1]);
}
