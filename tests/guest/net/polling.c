/* Readiness: poll, select, epoll (level, edge, one-shot) on sockets, and waits that end when something comes. */
#include "net.h"
#include <pthread.h>

#define ALL (POLLIN | POLLOUT | POLLPRI | 0x2000 | 0x40 | 0x100 | 0x200)

static void states(int type, const char *kind)
{
	char line[80], bytes[200];
	int ends[2];
#define NAME(what) (snprintf(line, sizeof(line), "%s: " what, kind), line)

	int fd = socket(AF_UNIX, type, 0);
	polled(NAME("new"), fd, ALL);
	close(fd);
	pair(type, ends);
	polled(NAME("connected"), ends[0], ALL);
	send(ends[1], "x", 1, 0);
	polled(NAME("something came"), ends[0], ALL);
	polled(NAME("only out"), ends[0], POLLOUT);
	polled(NAME("nothing asked for"), ends[0], 0);
	recv(ends[0], bytes, 1, 0);
	polled(NAME("it was read"), ends[0], ALL);
	fill(ends[0]);
	polled(NAME("full"), ends[0], ALL);
	while (recv(ends[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	polled(NAME("room again"), ends[0], ALL);
	shutdown(ends[1], SHUT_WR);
	polled(NAME("the peer sends no more"), ends[0], ALL);
	polled(NAME("the peer itself"), ends[1], ALL);
	shutdown(ends[1], SHUT_RD);
	polled(NAME("the peer reads no more"), ends[0], ALL);
	polled(NAME("the peer is shut down"), ends[1], ALL);
	close(ends[0]), close(ends[1]);
	pair(type, ends);
	send(ends[0], "unread", 6, 0);
	send(ends[1], "kept", 4, 0);
	close(ends[1]);
	polled(NAME("the peer closed with something unread"), ends[0], ALL);
	recv(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT);
	recv(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT);
	polled(NAME("when that was read"), ends[0], ALL);
	close(ends[0]);
}

static void listeners(void)
{
	int listener = bound(SOCK_STREAM, "polled", 0);

	polled("a listener", listener, ALL);
	int client = connected(SOCK_STREAM, "polled");
	polled("somebody connects", listener, ALL);
	polled("the client", client, ALL);
	close(accept(listener, NULL, NULL));
	polled("accepted", listener, ALL);
	polled("and closed", client, ALL);
	close(client);
	client = connected(SOCK_STREAM, "polled");
	shutdown(listener, SHUT_RDWR);
	polled("a listener that is shut down", listener, ALL);
	close(listener);
	polled("its client when it closes", client, ALL);
	close(client);
}

/* Descriptors that a server, libposix and nobody knows, in one call. */
static void together(void)
{
	int ends[2], pipes[2], event = eventfd(0, 0);
	fd_set in, out;
	struct timeval none = {0, 0};

	pair(SOCK_STREAM, ends);
	pipe(pipes);
	struct pollfd p[5] = {{ends[0], POLLIN, 0}, {pipes[0], POLLIN, 0}, {event, POLLIN, 0}, {999, POLLIN, 0}, {-1, POLLIN, 0}};
	VALUE("poll of several", poll(p, 5, 0));
	VALUE("not open", p[3].revents);
	p[3].fd = -1;
	send(ends[1], "x", 1, 0);
	eventfd_write(event, 1);
	VALUE("two are ready", poll(p, 5, -1));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(ends[0], &in);
	FD_SET(pipes[0], &in);
	FD_SET(ends[0], &out);
	FD_SET(ends[1], &out);
	VALUE("select", select(64, &in, &out, NULL, &none));
	TRUE("readable", FD_ISSET(ends[0], &in) && !FD_ISSET(pipes[0], &in));
	TRUE("writable", FD_ISSET(ends[0], &out) && FD_ISSET(ends[1], &out));
	close(ends[0]), close(ends[1]), close(pipes[0]), close(pipes[1]), close(event);
}

static int in_set(int set, int timeout)
{
	struct epoll_event events[8];
	return epoll_wait(set, events, 8, timeout);
}

static void sets(void)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 7}, found;
	int ends[2], set = epoll_create1(0);
	char bytes[20];

	pair(SOCK_STREAM, ends);
	VALUE("add", epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &e));
	VALUE("nothing", in_set(set, 0));
	send(ends[1], "one", 3, 0);
	VALUE("level", epoll_wait(set, &found, 1, -1));
	VALUE("its data", found.data.u64);
	VALUE("again", in_set(set, 0));
	e.events = EPOLLIN | EPOLLET;
	epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &e);
	VALUE("edge", in_set(set, 0));
	VALUE("not again", in_set(set, 0));
	send(ends[1], "two", 3, 0);
	VALUE("new data is a new edge", in_set(set, 0));
	VALUE("and not again", in_set(set, 0));
	recv(ends[0], bytes, 2, 0);
	VALUE("reading a part is none", in_set(set, 0));
	recv(ends[0], bytes, sizeof(bytes), 0);
	VALUE("reading all is none", in_set(set, 0));
	send(ends[1], "three", 5, 0);
	VALUE("an edge after that", in_set(set, 0));
	shutdown(ends[1], SHUT_WR);
	VALUE("the end is an edge", in_set(set, 0));
	e.events = EPOLLIN | EPOLLONESHOT;
	epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &e);
	VALUE("one shot", in_set(set, 0));
	VALUE("is one", in_set(set, 0));
	epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &e);
	VALUE("armed again", in_set(set, 0));
	close(ends[1]);
	e.events = EPOLLRDHUP;
	epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &e);
	epoll_wait(set, &found, 1, 0);
	VALUE("hang-up", found.events);
	close(ends[0]);
	VALUE("closed: not in the set", in_set(set, 0));
	/* Room for sending. */
	pair(SOCK_STREAM, ends);
	e.events = EPOLLOUT | EPOLLET;
	epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &e);
	VALUE("writable", in_set(set, 0));
	fill(ends[0]);
	VALUE("full: no edge", in_set(set, 0));
	while (recv(ends[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	VALUE("room is an edge", in_set(set, 0));
	close(ends[0]), close(ends[1]), close(set);
}

/* ---- waits that something ends ---- */

static int waited[2];

static int polls_in(void)
{
	struct pollfd p = {waited[0], POLLIN, 0};
	return poll(&p, 1, 10000) == 1 ? p.revents : 200;
}

static int polls_hup(void)
{
	struct pollfd p = {waited[0], 0, 0};
	close(waited[1]);
	return poll(&p, 1, 10000) == 1 ? p.revents : 200;
}

static int polls_out(void)
{
	struct pollfd p = {waited[0], POLLOUT, 0};
	return poll(&p, 1, 10000) == 1 ? p.revents : 200;
}

static int epolls(void)
{
	struct epoll_event e = {.events = EPOLLIN}, found;
	int set = epoll_create1(0);
	epoll_ctl(set, EPOLL_CTL_ADD, waited[0], &e);
	return epoll_wait(set, &found, 1, 10000) == 1 ? (int)found.events : 200;
}

static void wakes(void)
{
	char bytes[5000];
	pid_t pid;

	pair(SOCK_STREAM, waited);
	pid = asleep(polls_in);
	send(waited[1], "x", 1, 0);
	text("poll ends with data", await(pid));
	recv(waited[0], bytes, 10, 0);
	pid = asleep(epolls);
	send(waited[1], "x", 1, 0);
	text("epoll ends with data", await(pid));
	fill(waited[0]);
	pid = asleep(polls_out);
	while (recv(waited[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	text("poll ends with room", await(pid));
	pid = asleep(polls_hup);
	close(waited[1]);
	text("poll ends with the peer", await(pid));
	close(waited[0]);
	waited[0] = bound(SOCK_STREAM, "waited", 5);
	pid = asleep(polls_in);
	close(connected(SOCK_STREAM, "waited"));
	text("poll ends with a connection", await(pid));
	close(waited[0]);
	pair(SOCK_DGRAM, waited);
	pid = asleep(polls_in);
	send(waited[1], "x", 1, 0);
	text("poll ends with a datagram", await(pid));
	close(waited[0]), close(waited[1]);
}

/* No wake-up is lost: two threads wait for each other's byte by poll, thousands of times. */
enum { ROUNDS = 3000 };

static void *answers(void *unused)
{
	char byte;

	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd p = {waited[1], POLLIN, 0};
		if (poll(&p, 1, 5000) != 1 || recv(waited[1], &byte, 1, MSG_DONTWAIT) != 1 || send(waited[1], &byte, 1, MSG_DONTWAIT) != 1)
			return "failed";
	}
	return unused;
}

static void ping_pong(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET}, found;
	int set = epoll_create1(0), done = 0;
	pthread_t thread;
	void *status = "none";
	char byte = 'p';

	pair(SOCK_STREAM, waited);
	epoll_ctl(set, EPOLL_CTL_ADD, waited[0], &e);
	pthread_create(&thread, NULL, answers, NULL);
	for (; done < ROUNDS; done++) {
		if (send(waited[0], &byte, 1, 0) != 1 || epoll_wait(set, &found, 1, 5000) != 1 || recv(waited[0], &byte, 1, MSG_DONTWAIT) != 1)
			break;
	}
	pthread_join(thread, &status);
	VALUE("rounds of poll and epoll", done);
	TRUE("the other thread", status == NULL);
	close(waited[0]), close(waited[1]), close(set);
}

void poll_checks(void)
{
	states(SOCK_STREAM, "stream");
	states(SOCK_SEQPACKET, "seqpacket");
	states(SOCK_DGRAM, "datagram");
	listeners();
	together();
	sets();
	wakes();
	ping_pong();
}
