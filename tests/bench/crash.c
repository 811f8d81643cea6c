/*
 * From crash to answer: for each server, the longest that a call took in which, or before which, it crashed. A line NAME<TAB>NS a figure; with
 * --icount (see the script `crash` here) a nanosecond is an instruction, all that the machine executes meanwhile.
 *
 * A child makes one call after the other, each of which reaches the server; the parent has root crash it (a jump to where nothing is mapped), five times.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CRASHES 5

static struct {
	volatile unsigned long calls, longest, wrong;
} *shared;

static int file, terminal, set;

static int call_vfs(void)
{
	struct stat status;
	return fstat(file, &status);
}

static int call_proc(void)
{
	return getppid() > 0 ? 0 : -1;
}

static int call_sig(void)
{
	return kill(getpid(), 0);
}

static int call_tty(void)
{
	struct winsize size;
	return ioctl(terminal, TIOCGWINSZ, &size);
}

static int call_ipcd(void)
{
	return semctl(set, 0, GETVAL) == 3 ? 0 : -1;
}

static unsigned long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long)time.tv_sec * 1000000000 + (unsigned long)time.tv_nsec;
}

static void sleep_ms(long ms)
{
	struct timespec time = {0, ms * 1000000};
	nanosleep(&time, NULL);
}

static void ask(int (*call)(void))
{
	for (;;) {
		unsigned long before = now();
		if (call() != 0)
			shared->wrong++;
		unsigned long took = now() - before;
		if (took > shared->longest)
			shared->longest = took;
		shared->calls++;
	}
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
	return x < y ? -1 : x > y;
}

static int crash(const char *server)
{
	char command[32], answer[200] = "";
	int device = open("/dev/supervisor", O_RDWR), length = snprintf(command, sizeof(command), "crash %s\n", server);
	ssize_t n = device >= 0 && write(device, command, (size_t)length) == length ? read(device, answer, sizeof(answer) - 1) : -1;

	if (device >= 0)
		close(device);
	if (n >= 0 && strncmp(answer, "error", 5) != 0)
		return 0;
	fprintf(stderr, "crash %s: %s\n", server, n < 0 ? "/dev/supervisor does not answer" : answer);
	return -1;
}

/* The calls without a crash are interrupted by the timer, too: that is what a longest one is to be compared with. */
static int measure(const char *server, int (*call)(void))
{
	unsigned long longest[CRASHES], quiet;
	int failed = 0;
	pid_t child = fork();

	if (child == 0)
		ask(call);
	sleep_ms(20);
	shared->longest = 0;
	sleep_ms(100);
	quiet = shared->longest;
	for (int i = 0; i < CRASHES && failed == 0; i++) {
		shared->longest = 0;
		unsigned long calls = shared->calls;
		failed = crash(server);
		for (int wait = 0; wait < 30 || shared->calls == calls; wait++)
			sleep_ms(1);
		longest[i] = shared->longest;
		sleep_ms(30); /* so that it is no storm, which the ladder would slow down */
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (failed != 0 || shared->wrong != 0) {
		fprintf(stderr, "%s: %lu wrong answers\n", server, shared->wrong);
		return 1;
	}
	qsort(longest, CRASHES, sizeof(longest[0]), compare);
	printf("%s_undisturbed\t%lu\n%s_median\t%lu\n%s_longest\t%lu\n", server, quiet, server, longest[CRASHES / 2], server, longest[CRASHES - 1]);
	return fflush(stdout);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file = open("/etc/profile", O_RDONLY);
	terminal = open("/dev/console", O_RDWR | O_NOCTTY);
	set = semget(IPC_PRIVATE, 1, 0600);
	if (shared == MAP_FAILED || file < 0 || terminal < 0 || set < 0 || semctl(set, 0, SETVAL, 3) != 0) {
		perror("crash");
		return 1;
	}
	return measure("vfs", call_vfs) + measure("proc", call_proc) + measure("sig", call_sig) + measure("tty", call_tty) + measure("ipcd", call_ipcd);
}
