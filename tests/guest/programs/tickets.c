/*
 * The oracle of docs/guide/example-server.md: four processes take numbers from /dev/tickets, each in another way, while a fifth pauses the dispenser. In
 * the end each number from the first to the highest must have been given to one of them, and none to two. There must be no numbers in reserve before.
 *
 *   tickets SECONDS
 *
 * Prints a line of figures; status 1 if a number is missing or was given out twice, or if anything else went wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/tickets"
#define NUMBERS (1u << 22)
#define PAGE 4096u
#define DRAIN_MAX 10000u

static struct {
	volatile int stop;
	unsigned first, taken, interrupted; /* first: the number that was taken before the others began */
	unsigned char times[NUMBERS + 1];
} *shared;

static _Noreturn void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static int open_device(int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC);

	if (fd < 0)
		fail("open " DEVICE);
	return fd;
}

/* What a read brought: the number, of which there must be a whole line and nothing else. */
static unsigned long note(const char *line, ssize_t size)
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);

	if (size < 2 || line[size - 1] != '\n' || end != line + size - 1 || number == 0) {
		printf("not a number: %.*s (%zd bytes)\n", size > 0 ? (int)size : 0, line, size);
		fflush(stdout);
		_exit(1);
	}
	if (number >= NUMBERS) {
		shared->stop = 1;
		return number;
	}
	if (__atomic_fetch_add(&shared->times[number], 1, __ATOMIC_RELAXED) == 255)
		shared->times[number] = 255;
	__atomic_fetch_add(&shared->taken, 1, __ATOMIC_RELAXED);
	return number;
}

static unsigned long take(int fd)
{
	char line[64];
	ssize_t size = read(fd, line, sizeof(line));

	if (size < 0)
		fail("read");
	return note(line, size);
}

/* ---- the four ---- */

/* Small reads, whose bytes come in the answer; now and then poll, and a read that does not wait. */
static void take_small(void)
{
	int fd = open_device(O_RDONLY), quick = open_device(O_RDONLY | O_NONBLOCK);
	struct pollfd ready = {.fd = quick, .events = POLLIN};
	char line[64];

	for (unsigned i = 1; !shared->stop; i++) {
		take(fd);
		if (i % 8 != 0)
			continue;
		if (poll(&ready, 1, 10000) != 1)
			fail("poll");
		ssize_t size = read(quick, line, sizeof(line));
		if (size >= 0)
			note(line, size);
		else if (errno != EAGAIN)
			fail("read without waiting");
	}
}

/* Reads through a window, into pages that are not there yet; some of them into a page that cannot be written, which must take no number. */
static void take_into_new_pages(void)
{
	int fd = open_device(O_RDONLY);
	char *constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (!shared->stop) {
		if (constant == MAP_FAILED || read(fd, constant, PAGE) != -1 || errno != EFAULT)
			fail("read into a page that cannot be written");
		char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			fail("mmap");
		ssize_t size = read(fd, page, PAGE);
		if (size < 0)
			fail("read into a new page");
		note(page, size);
		munmap(page, PAGE);
	}
}

static void nothing(int signal)
{
	(void)signal;
}

/* Reads that a signal interrupts: one that says EINTR has taken no number. */
static void take_interrupted(void)
{
	int fd = open_device(O_RDONLY);
	struct itimerval often = {{0, 700}, {0, 700}};
	char line[64];

	sigaction(SIGALRM, &(struct sigaction){.sa_handler = nothing}, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (!shared->stop) {
		ssize_t size = read(fd, line, sizeof(line));

		if (size >= 0)
			note(line, size);
		else if (errno == EINTR)
			shared->interrupted++;
		else
			fail("interrupted read");
	}
}

/* Reserves some numbers, which must be in a row, and leaves some of them to others. */
static void take_reserved(void)
{
	for (unsigned count = 1; !shared->stop; count = count % 7 + 1) {
		int fd = open_device(O_RDWR);
		unsigned long first = 0;

		if (dprintf(fd, "%u\n", count) < 0)
			fail("reserve");
		for (unsigned i = 0; i < count - count / 3; i++) {
			unsigned long number = take(fd);

			first = i == 0 ? number : first;
			if (number != first + i) {
				printf("reserved %lu after %lu\n", number, first + i - 1);
				fflush(stdout);
				_exit(1);
			}
		}
		close(fd);
	}
}

/* ---- the fifth ---- */

static void sleep_us(unsigned us)
{
	nanosleep(&(struct timespec){.tv_nsec = us * 1000l}, NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Pauses again and again; the end of a pause is told, or comes with the close. Returns how many there were. */
static unsigned pause_it(double seconds)
{
	double end = now() + seconds;
	unsigned pauses = 0;

	for (; now() < end && !shared->stop; pauses++) {
		int fd = open_device(O_WRONLY);

		if (write(fd, "pause\n", 6) != 6)
			fail("pause");
		sleep_us(3000);
		if (pauses % 2 == 0 && write(fd, "resume", 6) != 6)
			fail("resume");
		close(fd);
		sleep_us(6000);
	}
	return pauses;
}

/* ---- the account ---- */

static unsigned highest(void)
{
	unsigned number = NUMBERS - 1;

	while (number > 0 && shared->times[number] == 0)
		number--;
	return number;
}

/* What was reserved and not read is given out before new numbers. */
static void drain(void)
{
	int fd = open_device(O_RDONLY);

	for (unsigned i = 0; i < DRAIN_MAX; i++)
		if (take(fd) == shared->first + shared->taken - 1)
			return;
}

static int report(unsigned pauses)
{
	unsigned last = highest(), missing = 0, twice = 0;

	for (unsigned number = shared->first; number <= last; number++) {
		missing += shared->times[number] == 0;
		twice += shared->times[number] > 1;
	}
	printf("numbers %u to %u: %u missing, %u given out twice; %u pauses, %u interrupted reads\n", shared->first, last, missing, twice, pauses, shared->interrupted);
	return missing != 0 || twice != 0;
}

int main(int argc, char **argv)
{
	static void (*const takers[])(void) = {take_small, take_into_new_pages, take_interrupted, take_reserved};
	int failed = 0, status;

	if (argc != 2 || atof(argv[1]) <= 0) {
		fprintf(stderr, "usage: tickets SECONDS\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	shared->first = (unsigned)take(open_device(O_RDONLY));
	for (unsigned i = 0; i < 4; i++) {
		if (fork() == 0) {
			takers[i]();
			_exit(0);
		}
	}
	unsigned pauses = pause_it(atof(argv[1]));
	shared->stop = 1;
	while (wait(&status) > 0)
		failed |= status != 0;
	drain();
	return report(pauses) || failed;
}
