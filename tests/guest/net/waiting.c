/* Waiting: for data, for room; what ends it: signals, time limits, the peer, other threads. */
#include "net.h"
#include <pthread.h>
#include <sys/time.h>

static int ends[2];

static int receives(void)
{
	char bytes[20];
	ssize_t got = recv(ends[0], bytes, sizeof(bytes), 0);
	return got < 0 ? 100 + errno : (int)got;
}

static int receives_alone(void)
{
	close(ends[1]);
	return receives();
}

static int sends(void)
{
	static char bytes[100];
	ssize_t sent = send(ends[0], bytes, sizeof(bytes), MSG_NOSIGNAL);
	return sent < 0 ? 100 + errno : (int)sent;
}

static int sends_alone(void)
{
	close(ends[1]);
	return sends();
}

static void drain(int fd)
{
	static char bytes[100000];
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void data(void)
{
	pid_t pid;

	pair(SOCK_STREAM, ends);
	pid = asleep(receives);
	send(ends[1], "data", 4, 0);
	text("recv ends with data", await(pid));
	pid = asleep(receives_alone);
	shutdown(ends[1], SHUT_WR);
	text("recv ends with the end", await(pid));
	close(ends[0]), close(ends[1]);
	pair(SOCK_STREAM, ends);
	pid = asleep(receives_alone);
	close(ends[1]);
	text("recv ends with the peer", await(pid));
	close(ends[0]);
	pair(SOCK_STREAM, ends);
	pid = asleep(receives);
	shutdown(ends[0], SHUT_RD);
	text("recv ends with its own shutdown", await(pid));
	close(ends[0]), close(ends[1]);
	pair(SOCK_DGRAM, ends);
	pid_t first = asleep(receives), second = asleep(receives);
	send(ends[1], "for one", 7, 0);
	send(ends[1], "another", 7, 0);
	text("one of two", await(first));
	text("the other one", await(second));
	pid = asleep(receives);
	send(ends[1], "", 0, 0);
	text("an empty datagram ends recv", await(pid));
	pid = asleep(receives);
	shutdown(ends[0], SHUT_RD);
	text("shutdown ends it", await(pid));
	close(ends[0]), close(ends[1]);
}

static void room(void)
{
	pid_t pid;

	pair(SOCK_STREAM, ends);
	fill(ends[0]);
	pid = asleep(sends);
	drain(ends[1]);
	text("send ends with room", await(pid));
	fill(ends[0]);
	pid = asleep(sends_alone);
	close(ends[1]);
	text("send ends with the peer", await(pid));
	close(ends[0]);
	pair(SOCK_STREAM, ends);
	fill(ends[0]);
	pid = asleep(sends);
	shutdown(ends[1], SHUT_RD);
	text("send ends when nobody reads", await(pid));
	close(ends[0]), close(ends[1]);
	pair(SOCK_STREAM, ends);
	fill(ends[0]);
	pid = asleep(sends);
	shutdown(ends[0], SHUT_WR);
	text("send ends with its own shutdown", await(pid));
	close(ends[0]), close(ends[1]);
}

/* A large send that waits for room several times, against a slow reader; and one that its reader gives up. */
static int sends_much(void)
{
	static char bytes[1000000];
	ssize_t sent = send(ends[0], bytes, sizeof(bytes), MSG_NOSIGNAL);
	return sent == sizeof(bytes) ? 0 : sent > 0 ? 1 : 100 + errno;
}

static int sends_much_alone(void)
{
	close(ends[1]);
	return sends_much();
}

static void much(void)
{
	static char bytes[50000];
	long total = 0;
	pid_t pid;

	pair(SOCK_STREAM, ends);
	pid = asleep(sends_much);
	while (total < 1000000)
		total += recv(ends[1], bytes, sizeof(bytes), 0);
	text("a large send", await(pid));
	VALUE("was read", total);
	pid = asleep(sends_much_alone);
	close(ends[1]);
	text("one that was given up has sent a part", await(pid));
	close(ends[0]);
}

/* ---- signals ---- */

static int interrupted(int flags, int (*body)(void))
{
	catch_signal(SIGUSR1, flags);
	return body();
}
static int receives_caught(void)
{
	return interrupted(0, receives);
}
static int receives_restarted(void)
{
	return interrupted(SA_RESTART, receives);
}
static int sends_caught(void)
{
	return interrupted(0, sends);
}
static int listener;
static int accepts_caught(void)
{
	catch_signal(SIGUSR1, 0);
	return accept(listener, NULL, NULL) < 0 ? 100 + errno : 0;
}
static int sends_much_caught(void)
{
	return interrupted(0, sends_much);
}
static int waits_for_all(void)
{
	char bytes[100];
	catch_signal(SIGUSR1, 0);
	ssize_t got = recv(ends[0], bytes, sizeof(bytes), MSG_WAITALL);
	return got < 0 ? 100 + errno : (int)got;
}

static void signals(void)
{
	pid_t pid;

	pair(SOCK_STREAM, ends);
	pid = asleep(receives_caught);
	kill(pid, SIGUSR1);
	text("recv: EINTR", await(pid));
	pid = asleep(receives_restarted);
	kill(pid, SIGUSR1);
	until_asleep(pid);
	send(ends[1], "restarted", 9, 0);
	text("recv: restarted", await(pid));
	pid = asleep(receives);
	kill(pid, SIGKILL);
	text("recv: killed", await(pid));
	send(ends[1], "kept", 4, 0);
	receive("what came after that", ends[0], 10, 0);
	pid = asleep(receives);
	kill(pid, SIGSTOP);
	send(ends[1], "while stopped", 13, 0);
	kill(pid, SIGCONT);
	text("recv: stopped and continued", await(pid));
	fill(ends[0]);
	pid = asleep(sends_caught);
	kill(pid, SIGUSR1);
	text("send: EINTR", await(pid));
	drain(ends[1]);
	receive("it sent nothing", ends[1], 10, 0);
	pid = asleep(sends_much_caught);
	kill(pid, SIGUSR1);
	text("a large send: a part", await(pid));
	drain(ends[1]);
	send(ends[1], "some", 4, 0);
	pid = asleep(waits_for_all);
	kill(pid, SIGUSR1);
	text("MSG_WAITALL: what there was", await(pid));
	listener = bound(SOCK_STREAM, "interrupted", 0);
	pid = asleep(accepts_caught);
	kill(pid, SIGUSR1);
	text("accept: EINTR", await(pid));
	close(listener), close(ends[0]), close(ends[1]);
}

/* ---- time limits ---- */

static void limit(int fd, int option, long ms)
{
	struct timeval time = {ms / 1000, ms % 1000 * 1000};
	setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time));
}

static void limits(void)
{
	struct timespec begun;
	char bytes[10];
	struct sockaddr_un a;

	pair(SOCK_STREAM, ends);
	limit(ends[0], SO_RCVTIMEO, 60);
	begun = now();
	VALUE("SO_RCVTIMEO", recv(ends[0], bytes, 1, 0));
	TRUE("not too early", elapsed_ms(&begun) >= 59);
	TRUE("not very late", elapsed_ms(&begun) < 3000);
	VALUE("of read, too", read(ends[0], bytes, 1));
	limit(ends[0], SO_RCVTIMEO, 10000);
	pid_t pid = asleep(receives);
	send(ends[1], "in time", 7, 0);
	text("data in time", await(pid));
	limit(ends[0], SO_SNDTIMEO, 60);
	fill(ends[0]);
	begun = now();
	VALUE("SO_SNDTIMEO", send(ends[0], "x", 1, 0));
	TRUE("not too early", elapsed_ms(&begun) >= 59);
	close(ends[0]), close(ends[1]);
	listener = bound(SOCK_STREAM, "limited", 0);
	limit(listener, SO_RCVTIMEO, 40);
	VALUE("of accept", accept(listener, NULL, NULL));
	int first = connected(SOCK_STREAM, "limited"), second = socket(AF_UNIX, SOCK_STREAM, 0);
	limit(second, SO_SNDTIMEO, 40);
	VALUE("of connect", connect(second, (void *)&a, address(&a, "limited")));
	close(first), close(second), close(listener);
	pair(SOCK_DGRAM, ends);
	limit(ends[0], SO_RCVTIMEO, 40);
	VALUE("of datagrams", recv(ends[0], bytes, 1, 0));
	close(ends[0]), close(ends[1]);
}

/* ---- threads: a descriptor that is closed while another thread waits on it ---- */

static void *waits(void *result_of)
{
	*(int *)result_of = receives();
	return NULL;
}

static void threads(void)
{
	pthread_t one, two;
	int of_one = -1, of_two = -1;

	pair(SOCK_STREAM, ends);
	pthread_create(&one, NULL, waits, &of_one);
	pthread_create(&two, NULL, waits, &of_two);
	send(ends[1], "x", 1, 0);
	send(ends[1], "y", 1, 0);
	shutdown(ends[1], SHUT_WR);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	TRUE("two threads", of_one + of_two == 2 && of_one >= 0 && of_two >= 0);
	close(ends[0]), close(ends[1]);
}

void wait_checks(void)
{
	data();
	room();
	much();
	signals();
	limits();
	threads();
}
