/*
 * Two-CPU stress: 16 processes at once do forks, pipes, signals, file creation and mappings for SECONDS, each checking its own
 * results. Prints operations done per kind; status 1 at the first wrong result.
 *
 *   stress [SECONDS]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 16

static struct shared {
	volatile long done[5];
	volatile int failed;
} *shared;
static volatile sig_atomic_t got;
static int worker;

static void on_signal(int signal) { (void)signal; got++; }

static _Noreturn void fail(const char *what)
{
	int error = errno;
	shared->failed = 1;
	dprintf(2, "worker %d: %s: %s\n", worker, what, strerror(error));
	_exit(1);
}

static void do_fork(unsigned n)
{
	pid_t pid = fork();
	int status;
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		_exit((int)(n & 127));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != (int)(n & 127))
		fail("exit status");
}

static void do_pipe(unsigned n)
{
	int ends[2];
	uint32_t word = n, total = 0;
	if (pipe(ends) != 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid < 0)
		fail("fork for pipe");
	if (pid == 0) {
		for (uint32_t i = 0; i < 200; i++, word++)
			if (write(ends[1], &word, sizeof word) != sizeof word)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	for (;;) {
		ssize_t r = read(ends[0], &word, sizeof word);
		if (r == 0)
			break;
		if (r < 0 && errno == EINTR)
			continue;
		if (r != sizeof word || word != n + total)
			fail("pipe data");
		total++;
	}
	close(ends[0]);
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid for pipe");
	if (total != 200 || status != 0)
		fail("pipe total");
}

static void do_signal(unsigned n)
{
	sig_atomic_t before = got;
	(void)n;
	if (kill(getpid(), SIGUSR1) != 0)
		fail("kill");
	if (got != before + 1)
		fail("signal to self");
}

static void do_file(unsigned n)
{
	char path[64], other[64], data[5000], back[5000];
	snprintf(path, sizeof path, "/tmp/stress.%d.%u", worker, n & 7);
	snprintf(other, sizeof other, "/tmp/stress.%d.x", worker);
	memset(data, (int)n, sizeof data);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		fail("open");
	if (write(fd, data, sizeof data) != sizeof data || pread(fd, back, sizeof back, 0) != sizeof back)
		fail("file data");
	if (memcmp(data, back, sizeof data) != 0)
		fail("file compare");
	close(fd);
	if (rename(path, other) != 0 || unlink(other) != 0)
		fail("rename and unlink");
}

static void do_map(unsigned n)
{
	size_t size = 4096 * (1 + (n & 31));
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	for (size_t i = 0; i < size; i += 4096) {
		if (p[i] != 0)
			fail("fresh memory not zero");
		p[i] = (unsigned char)n;
	}
	if (mprotect(p, 4096, PROT_READ) != 0 || p[0] != (unsigned char)n || munmap(p, size) != 0)
		fail("mprotect and munmap");
}

static _Noreturn void work(time_t end)
{
	static void (*const operation[5])(unsigned) = { do_fork, do_pipe, do_signal, do_file, do_map };
	unsigned seed = 12345u + (unsigned)worker;
	signal(SIGUSR1, on_signal);
	while (time(NULL) < end && !shared->failed) {
		seed = seed * 1103515245u + 12345u;
		unsigned kind = (seed >> 16) % 5;
		operation[kind](seed >> 8);
		__sync_fetch_and_add(&shared->done[kind], 1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int bad = 0;
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (worker = 0; worker < WORKERS; worker++) {
		pid_t pid = fork();
		if (pid < 0)
			return perror("fork"), 1;
		if (pid == 0)
			work(end);
	}
	for (int i = 0; i < WORKERS; i++) {
		int status;
		if (wait(&status) < 0 || status != 0)
			bad = 1;
	}
	printf("forks %ld pipes %ld signals %ld files %ld maps %ld: %s\n", shared->done[0], shared->done[1], shared->done[2],
	       shared->done[3], shared->done[4], bad || shared->failed ? "FAILED" : "ok");
	return bad || shared->failed;
}
