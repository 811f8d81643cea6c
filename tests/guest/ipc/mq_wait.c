/* POSIX message queues: waiting, timeouts, signals, notification, death. */
#include "check.h"
#include "mq.h"

#include <poll.h>

#define NAME "portico-wait"

static int q;

static struct timespec in_ms(long milliseconds)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += milliseconds * 1000000;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

static int code_of(int error)
{
	return error == EINTR ? 201 : error == ETIMEDOUT ? 202 : 200;
}

static pid_t receiver(const struct timespec *timeout)
{
	pid_t pid = begin_child(0);
	if (pid == 0) {
		char bytes[100];
		unsigned priority;
		_exit(mq_sys_receive(q, bytes, sizeof(bytes), &priority, timeout) < 0 ? code_of(errno) : (int)priority);
	}
	nap(100);
	return pid;
}

static pid_t sender(unsigned priority, const struct timespec *timeout)
{
	pid_t pid = begin_child(0);
	if (pid == 0)
		_exit(mq_sys_send(q, "x", 1, priority, timeout) < 0 ? code_of(errno) : 0);
	nap(100);
	return pid;
}

static long take(void)
{
	char bytes[100];
	unsigned priority;
	struct timespec past = {1, 0};
	return mq_sys_receive(q, bytes, sizeof(bytes), &priority, &past) < 0 ? -1 : (long)priority;
}

static void waiting(void)
{
	struct timespec soon, past = {1, 0}, bad = {1, 2000000000};
	pid_t a, b;

	VALUE("overdue, empty", take());
	VALUE("bad time, empty", mq_sys_receive(q, (char[100]){0}, 100, NULL, &bad));
	VALUE("overdue, but it need not wait", mq_sys_send(q, "x", 1, 3, &past));
	VALUE("overdue, but there is one", take());
	struct timespec begun = now();
	soon = in_ms(80);
	VALUE("receive until then", mq_sys_receive(q, (char[100]){0}, 100, NULL, &soon));
	TRUE("it waited", elapsed_ms(&begun) >= 75 && elapsed_ms(&begun) < 5000);
	a = receiver(NULL);
	VALUE("send to one who waits", mq_sys_send(q, "x", 1, 7, NULL));
	text("it got it", await(a));
	soon = in_ms(60000);
	a = receiver(NULL);
	b = receiver(&soon);
	mq_sys_send(q, "x", 1, 1, NULL);
	text("the first of two", await(a));
	mq_sys_send(q, "x", 1, 2, NULL);
	text("the second of two", await(b));
	mq_sys_send(q, "x", 1, 1, NULL);
	mq_sys_send(q, "x", 1, 2, NULL);
	soon = in_ms(80);
	VALUE("full until then", mq_sys_send(q, "x", 1, 3, &soon));
	VALUE("full, overdue", mq_sys_send(q, "x", 1, 3, &past));
	a = sender(9, NULL);
	VALUE("take the highest", take());
	text("the sender goes on", await(a));
	VALUE("what it sent", take());
	VALUE("the last", take());
	VALUE("no more", take());
}

static void interruptions(void)
{
	pid_t a;

	catch_signal(SIGUSR1, 0);
	a = receiver(NULL);
	kill(a, SIGUSR1);
	text("receiver: signal", await(a));
	struct timespec later = in_ms(60000);
	a = receiver(&later);
	kill(a, SIGUSR1);
	text("receiver with a time: signal", await(a));
	catch_signal(SIGUSR1, SA_RESTART);
	a = receiver(NULL);
	kill(a, SIGUSR1);
	nap(50);
	mq_sys_send(q, "x", 1, 4, NULL);
	text("receiver: signal with SA_RESTART", await(a));
	a = receiver(NULL);
	kill(a, SIGKILL);
	text("receiver: killed", await(a));
	mq_sys_send(q, "x", 1, 5, NULL);
	VALUE("the dead one takes nothing", take());
	mq_sys_send(q, "x", 1, 1, NULL);
	mq_sys_send(q, "x", 1, 2, NULL);
	a = sender(6, NULL);
	kill(a, SIGKILL);
	text("sender: killed", await(a));
	VALUE("first", take());
	VALUE("second", take());
	VALUE("the dead one sends nothing", take());
}

static siginfo_t told;
static volatile int times_told;

static void tell(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	told = *info;
	times_told++;
}

static bool is_told(void)
{
	return times_told != 0;
}

static void notification(void)
{
	struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 77};
	struct sigevent none = {.sigev_notify = SIGEV_NONE}, bad = {.sigev_notify = 99}, bad_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};

	sigaction(SIGUSR2, &action, NULL);
	VALUE("mq_notify bad kind", mq_sys_notify(q, &bad));
	VALUE("mq_notify bad signal", mq_sys_notify(q, &bad_signal));
	VALUE("mq_notify bad pointer", mq_sys_notify(q, (struct sigevent *)8));
	VALUE("mq_notify of no queue", mq_sys_notify(1, &event));
	VALUE("mq_notify of no descriptor", mq_sys_notify(999, &event));
	VALUE("nothing to take back", mq_sys_notify(q, NULL));
	VALUE("mq_notify", mq_sys_notify(q, &event));
	VALUE("mq_notify twice", mq_sys_notify(q, &event));
	IN_CHILD(0, VALUE("mq_notify by another", mq_sys_notify(q, &none)));
	IN_CHILD(0, VALUE("another takes nothing back", mq_sys_notify(q, NULL)));
	VALUE("still registered", mq_sys_notify(q, &event));
	mq_sys_send(q, "x", 1, 0, NULL);
	TRUE("told", until(is_told));
	VALUE("code", told.si_code);
	VALUE("value", told.si_value.sival_int);
	TRUE("pid", told.si_pid == getpid());
	VALUE("uid", told.si_uid);
	mq_sys_send(q, "x", 1, 0, NULL);
	nap(30);
	VALUE("told once", times_told);
	VALUE("register while there are messages", mq_sys_notify(q, &event));
	take();
	mq_sys_send(q, "x", 1, 0, NULL);
	nap(30);
	VALUE("not while there are others", times_told);
	take();
	take();
	pid_t a = receiver(NULL);
	mq_sys_send(q, "x", 1, 8, NULL);
	text("a receiver goes first", await(a));
	nap(30);
	VALUE("not told then", times_told);
	mq_sys_send(q, "x", 1, 0, NULL);
	nap(50);
	VALUE("told the next time", times_told);
	take();
	VALUE("SIGEV_NONE", mq_sys_notify(q, &none));
	VALUE("occupies the place", mq_sys_notify(q, &event));
	VALUE("taken back", mq_sys_notify(q, NULL));
	VALUE("free again", mq_sys_notify(q, &none));
	mq_sys_send(q, "x", 1, 0, NULL);
	VALUE("used up by a message", mq_sys_notify(q, &none));
	take();
	mq_sys_notify(q, NULL);
	IN_CHILD(0, mq_sys_notify(q, &none));
	VALUE("free after the end of who had it", mq_sys_notify(q, &none));
	mq_sys_notify(q, NULL);
	a = begin_child(0);
	if (a == 0) {
		mq_sys_notify(q, &none);
		close(q);
		nap(300);
		_exit(0);
	}
	nap(100);
	VALUE("free after the close of who had it", mq_sys_notify(q, &none));
	mq_sys_notify(q, NULL);
	await(a);
}

static void polling(void)
{
	struct pollfd poll_it = {.fd = q, .events = POLLIN};

	pid_t a = begin_child(0);
	if (a == 0) {
		int n = poll(&poll_it, 1, 5000);
		_exit(n == 1 ? poll_it.revents : 200);
	}
	nap(50);
	mq_sys_send(q, "x", 1, 0, NULL);
	text("poll wakes for a message", await(a));
	mq_sys_send(q, "x", 1, 0, NULL);
	a = begin_child(0);
	if (a == 0) {
		poll_it.events = POLLOUT;
		int n = poll(&poll_it, 1, 5000);
		_exit(n == 1 ? poll_it.revents : 200);
	}
	nap(50);
	take();
	text("poll wakes for room", await(a));
	take();
}

void mq_wait_checks(void)
{
	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 100};

	OK("a queue", q = mq_sys_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
	waiting();
	interruptions();
	notification();
	polling();
	close(q);
	VALUE("the end", mq_sys_unlink(NAME));
}
