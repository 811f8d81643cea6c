/*
 * oracle: operations whose effects and answers are known exactly, while something destroys servers.
 *
 * Each operation has a token of its own. What must happen once is seen to have happened once: an exclusive creation succeeds and its file is
 * there, a second one fails; every record appended to a shared file is in it once and whole; bytes of a pipe arrive once and in order; a child is
 * waited for once and with its status; a queued signal is taken once and with its value; a name is renamed, linked and removed once.
 * usage: oracle PROCESSES ROUNDS. Prints violations, then "operations N violations N"; fails if there were any.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORD 64
#define LOG "/tmp/oracle/appended"

static struct shared {
	uint64_t operations, violations;
} *shared;
static unsigned worker;
static unsigned round_now;

static void violation(const char *format, ...)
{
	char text[300];
	va_list arguments;
	va_start(arguments, format);
	int n = snprintf(text, sizeof text, "violation: worker %u round %u: ", worker, round_now);
	n += vsnprintf(text + n, sizeof text - (size_t)n - 1, format, arguments);
	va_end(arguments);
	text[n++] = '\n';
	if (write(1, text, (size_t)n) != n)
		_exit(3);
	__atomic_fetch_add(&shared->violations, 1, __ATOMIC_SEQ_CST);
}

static void done(void) { __atomic_fetch_add(&shared->operations, 1, __ATOMIC_SEQ_CST); }

#define must(call, ...)                                                                                                \
	do {                                                                                                           \
		if (!(call))                                                                                           \
			violation(__VA_ARGS__);                                                                        \
		done();                                                                                                \
	} while (0)

static void name_of(char *name, const char *what) { sprintf(name, "/tmp/oracle/%s.%u.%u", what, worker, round_now); }

static void files(void)
{
	char a[64], b[64], c[64], text[40], back[40] = "";
	struct stat st;
	name_of(a, "a"), name_of(b, "b"), name_of(c, "c");
	int length = sprintf(text, "token %u.%u", worker, round_now);
	int fd = open(a, O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0, "exclusive creation: %s", strerror(errno));
	must(write(fd, text, (size_t)length) == length, "write: %s", strerror(errno));
	must(lseek(fd, 0, SEEK_CUR) == length, "offset after write");
	must(pread(fd, back, sizeof back, 0) == length && memcmp(text, back, (size_t)length) == 0, "read back \"%s\"", back);
	must(open(a, O_CREAT | O_EXCL | O_RDWR, 0600) == -1 && errno == EEXIST, "second exclusive creation");
	must(link(a, c) == 0, "link: %s", strerror(errno));
	must(fstat(fd, &st) == 0 && st.st_nlink == 2, "links %u", (unsigned)st.st_nlink);
	must(rename(a, b) == 0, "rename: %s", strerror(errno));
	must(stat(a, &st) == -1 && errno == ENOENT, "old name is still there");
	must(unlink(b) == 0, "unlink: %s", strerror(errno));
	must(unlink(b) == -1 && errno == ENOENT, "second unlink");
	must(unlink(c) == 0, "unlink of the link: %s", strerror(errno));
	must(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == length, "links after removal");
	must(ftruncate(fd, 3) == 0 && fstat(fd, &st) == 0 && st.st_size == 3, "truncation");
	must(close(fd) == 0, "close: %s", strerror(errno));
	must(mkdir(a, 0700) == 0, "mkdir: %s", strerror(errno));
	must(mkdir(a, 0700) == -1 && errno == EEXIST, "second mkdir");
	must(rmdir(a) == 0, "rmdir: %s", strerror(errno));
}

static void append(void)
{
	char record[RECORD + 1];
	memset(record, '.', RECORD);
	record[sprintf(record, "%u %u", worker, round_now)] = ' ';
	record[RECORD - 1] = '\n';
	int fd = open(LOG, O_WRONLY | O_APPEND);
	must(fd >= 0, "open for appending: %s", strerror(errno));
	must(write(fd, record, RECORD) == RECORD, "append: %s", strerror(errno));
	close(fd);
}

static void child_writes(int fd, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t word = round_now * 1000 + i;
		if (write(fd, &word, sizeof word) != sizeof word)
			_exit(1);
	}
	_exit((int)(round_now % 200));
}

static void pipes_and_children(void)
{
	enum { WORDS = 20 };
	int fd[2], status = 0;
	must(pipe(fd) == 0, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		child_writes(fd[1], WORDS);
	}
	must(pid > 0, "fork: %s", strerror(errno));
	close(fd[1]);
	uint32_t words[WORDS + 1];
	size_t have = 0;
	ssize_t n;
	while ((n = read(fd[0], (char *)words + have, sizeof words - have)) > 0)
		have += (size_t)n;
	must(n == 0 && have == WORDS * sizeof words[0], "%zu bytes through the pipe: %s", have, strerror(errno));
	for (unsigned i = 0; i < WORDS && have == WORDS * sizeof words[0]; i++)
		if (words[i] != round_now * 1000 + i)
			violation("word %u is %u", i, words[i]);
	close(fd[0]);
	must(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	must(WIFEXITED(status) && WEXITSTATUS(status) == (int)(round_now % 200), "status %x", status);
	must(waitpid(pid, &status, 0) == -1 && errno == ECHILD, "second waitpid");
}

static void signals(void)
{
	sigset_t set;
	siginfo_t info;
	struct timespec none = {0};
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	for (int i = 0; i < 3; i++)
		must(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = (int)round_now * 10 + i}) == 0, "sigqueue: %s", strerror(errno));
	for (int i = 0; i < 3; i++)
		must(sigtimedwait(&set, &info, &none) == SIGRTMIN && info.si_value.sival_int == (int)round_now * 10 + i, "queued signal %d", i);
	must(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN, "a signal too many");
}

static volatile sig_atomic_t alarms;
static void on_usr1(int signal) { (void)signal, alarms++; }

static void handlers(void)
{
	sig_atomic_t before = alarms;
	must(kill(getpid(), SIGUSR1) == 0, "kill: %s", strerror(errno));
	must(alarms == before + 1, "handler ran %d times", (int)(alarms - before));
}

static void work(unsigned rounds)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, on_usr1);
	for (round_now = 0; round_now < rounds; round_now++) {
		files();
		append();
		pipes_and_children();
		signals();
		handlers();
	}
	_exit(0);
}

/* Every record once, whole, and those of one worker in order. */
static void check_appended(unsigned workers, unsigned rounds)
{
	unsigned *next = calloc(workers, sizeof *next);
	char record[RECORD + 1] = "";
	unsigned w, r;
	int fd = open(LOG, O_RDONLY);
	if (fd < 0)
		violation("the log is gone: %s", strerror(errno));
	while (read(fd, record, RECORD) == RECORD) {
		if (sscanf(record, "%u %u", &w, &r) != 2 || w >= workers || record[RECORD - 1] != '\n')
			violation("garbled record");
		else if (r != next[w]++)
			violation("record %u.%u where %u was due", w, r, next[w] - 1);
	}
	for (w = 0; w < workers; w++)
		if (next[w] != rounds)
			violation("worker %u has %u records", w, next[w]);
	free(next);
}

int main(int argc, char **argv)
{
	unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 4, rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	setvbuf(stdout, NULL, _IONBF, 0);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	mkdir("/tmp/oracle", 0700);
	close(open(LOG, O_CREAT | O_TRUNC | O_WRONLY, 0600));
	for (worker = 0; worker < workers; worker++) {
		pid_t pid = fork();
		if (pid == 0)
			work(rounds);
		if (pid < 0)
			violation("fork: %s", strerror(errno));
	}
	unsigned ended = 0;
	int status;
	while (wait(&status) > 0) {
		ended++;
		if (status != 0)
			violation("a worker ended with status %x", status);
	}
	if (ended != workers)
		violation("%u workers ended", ended);
	check_appended(workers, rounds);
	printf("operations %llu violations %llu\n", (unsigned long long)shared->operations, (unsigned long long)shared->violations);
	return shared->violations != 0;
}
