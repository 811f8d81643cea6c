/*
 * Operations: signals that stop, interrupt and are dropped, terminals of sessions, tasks that end by themselves, threads, credentials, and what servers do
 * in several transactions. See operations_more.h.
 */
#define _GNU_SOURCE
#include "operations_more.h"
#include <fcntl.h>
#include <portico/traps.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- signals ---- */

static volatile sig_atomic_t struck;
static void on_signal(int signal) { (void)signal, struck++; }

bool stopped(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		raise(SIGTSTP);
		_exit(11);
	}
	check(pid > 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	check(kill(pid, SIGCONT) == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 11);
	return true;
}

bool thread_signal(void)
{
	sig_atomic_t before = struck;
	signal(SIGUSR2, on_signal);
	check(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2) == 0 && struck == before + 1);
	check(syscall(SYS_tkill, 0x7ffffff, SIGUSR2) == -1 && errno == ESRCH);
	return true;
}

bool discarded(void)
{
	sigset_t set, others, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	signal(SIGUSR2, on_signal);
	sigprocmask(SIG_BLOCK, &set, &others);
	check(kill(getpid(), SIGUSR2) == 0 && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2));
	signal(SIGUSR2, SIG_IGN);
	check(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR2));
	sigprocmask(SIG_SETMASK, &others, NULL);
	return true;
}

/* Strikes again and again, so that the first one may come before the call waits. */
static void alarms(bool on)
{
	struct itimerval interval = {{0, on ? 5000 : 0}, {0, on ? 5000 : 0}};
	struct sigaction action = {.sa_handler = on ? on_signal : SIG_IGN};
	if (on)
		sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
	if (!on)
		sigaction(SIGALRM, &action, NULL);
}

bool read_interrupted(void)
{
	int fd[2];
	char byte;
	check(pipe(fd) == 0);
	alarms(true);
	ssize_t n = read(fd[0], &byte, 1);
	int error = errno;
	alarms(false);
	check(n == -1 && error == EINTR);
	check(write(fd[1], "r", 1) == 1 && read(fd[0], &byte, 1) == 1 && byte == 'r');
	check(close(fd[0]) == 0 && close(fd[1]) == 0);
	return true;
}

bool wait_interrupted(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	alarms(true);
	pid_t ended = waitpid(pid, &status, 0);
	int error = errno;
	alarms(false);
	check(ended == -1 && error == EINTR);
	check(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return true;
}

bool sem_interrupted(void)
{
	struct sembuf down = {0, -1, 0};
	int id = semget(IPC_PRIVATE, 1, 0600);
	check(id >= 0);
	alarms(true);
	int result = semop(id, &down, 1), error = errno;
	alarms(false);
	check(result == -1 && error == EINTR && semctl(id, 0, GETNCNT) == 0);
	check(semctl(id, 0, IPC_RMID) == 0);
	return true;
}

/* ---- terminals ---- */

static int raw_terminal(int flags, int least, int tenths)
{
	struct termios settings;
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY | flags);
	if (fd < 0 || tcgetattr(fd, &settings) != 0)
		return -1;
	settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	settings.c_cc[VMIN] = (cc_t)least;
	settings.c_cc[VTIME] = (cc_t)tenths;
	return tcsetattr(fd, TCSAFLUSH, &settings) == 0 ? fd : -1;
}

bool terminal_interrupted(void)
{
	char byte;
	int fd = raw_terminal(0, 1, 0);
	check(fd >= 0);
	alarms(true);
	ssize_t n = read(fd, &byte, 1);
	int error = errno;
	alarms(false);
	check(n == -1 && error == EINTR);
	check(ioctl(fd, TIOCSTI, "i") == 0 && read(fd, &byte, 1) == 1 && byte == 'i');
	check(close(fd) == 0);
	return true;
}

bool terminal_timed(void)
{
	char byte;
	int fd = raw_terminal(0, 0, 1);
	check(fd >= 0 && read(fd, &byte, 1) == 0);
	check(close(fd) == 0);
	return true;
}

/* More than one run of a terminal takes (8 KiB). */
bool terminal_much(void)
{
	static char text[12000];
	int fd = open("/dev/ttyS0", O_WRONLY | O_NOCTTY);
	memset(text, ',', sizeof text);
	for (size_t i = 99; i < sizeof text; i += 100)
		text[i] = '\n';
	check(fd >= 0);
	for (size_t done = 0; done < sizeof text;) {
		ssize_t n = write(fd, text + done, sizeof text - done);
		check(n > 0);
		done += (size_t)n;
	}
	check(tcdrain(fd) == 0 && close(fd) == 0);
	return true;
}

/* In a session of its own: interrupted from the terminal, refused in the background, and left. Returns what was wrong, 0: nothing. */
static int in_session(void)
{
	int fd, status;
	char byte;
	signal(SIGINT, on_signal);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	if (setsid() < 0)
		return 1;
	if ((fd = open("/dev/ttyS0", O_RDWR | O_NONBLOCK)) < 0)
		return 2;
	if (tcgetsid(fd) != getpid() || tcgetpgrp(fd) != getpid())
		return 3;
	struct termios settings;
	if (tcgetattr(fd, &settings) != 0)
		return 4;
	settings.c_lflag |= ISIG | ICANON;
	settings.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSANOW, &settings) != 0)
		return 5;
	struck = 0;
	if (ioctl(fd, TIOCSTI, "\003") != 0)
		return 6;
	for (int i = 0; i < 1000 && struck == 0; i++)
		usleep(1000);
	if (struck != 1)
		return 7;
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(read(fd, &byte, 1) == -1 && errno == EIO ? 0 : 1);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 8;
	if (tcsetpgrp(fd, getpid()) != 0)
		return 9;
	if (ioctl(fd, TIOCNOTTY) != 0)
		return 10;
	return 0;
}

bool session_terminal(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_session());
	check(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status != 0)
		snprintf(operation_why, sizeof operation_why, "in the session: status %x", status);
	return status == 0;
}

/* ---- processes ---- */

/* A task that ends without a word to proc. */
bool task_gone(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			trap1(TRAP_task_terminate, TASK_SELF);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	return true;
}

static void *thread_body(void *argument)
{
	return (char *)argument + syscall(SYS_gettid);
}

bool threads_run(void)
{
	int status = 0;
	pid_t pid = fork(); /* with threads of its own: ours stays alone */
	if (pid == 0) {
		pthread_t thread;
		void *result = NULL;
		_exit(pthread_create(&thread, NULL, thread_body, NULL) != 0 || pthread_join(thread, &result) != 0 || (long)result <= getpid());
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return true;
}

bool clock_now_set(void)
{
	struct timespec now, then;
	check(clock_gettime(CLOCK_REALTIME, &now) == 0);
	now.tv_sec += 3600;
	check(clock_settime(CLOCK_REALTIME, &now) == 0 && clock_gettime(CLOCK_REALTIME, &then) == 0);
	check(then.tv_sec >= now.tv_sec && then.tv_sec < now.tv_sec + 30);
	then.tv_sec -= 3600;
	check(clock_settime(CLOCK_REALTIME, &then) == 0);
	return true;
}

bool kernel_message(void)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	check(fd >= 0 && write(fd, "operation\n", 10) == 10 && close(fd) == 0);
	return true;
}

bool identities(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		uid_t r, e, s;
		int fd = open("/tmp/kp/file", O_RDWR);
		if (fd < 0 || setgid(7) != 0 || setresuid(8, 8, 9) != 0 || getresuid(&r, &e, &s) != 0 || r != 8 || e != 8 || s != 9)
			_exit(1);
		if (open("/tmp/kp/file", O_RDWR) != -1 || errno != EACCES) /* vfs knows */
			_exit(2);
		if (kill(1, 0) != -1 || errno != EPERM) /* sig knows */
			_exit(3);
		_exit(0);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status != 0)
		snprintf(operation_why, sizeof operation_why, "with another identity: status %x", status);
	return status == 0;
}

/* ---- work in several transactions ---- */

/* A writer waits with more than one transaction moves. */
bool pipe_chain(void)
{
	enum { SIZE = 5 << 20, CAPACITY = 1 << 20 };
	static char *bytes, *back;
	int fd[2], status;
	if (!bytes)
		bytes = malloc(SIZE), back = malloc(SIZE);
	check(bytes && back && pipe(fd) == 0 && fcntl(fd[1], F_SETPIPE_SZ, CAPACITY) >= CAPACITY);
	memset(bytes, (int)operation_token, SIZE);
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		_exit(write(fd[1], bytes, SIZE) != SIZE);
	}
	check(pid > 0 && close(fd[1]) == 0);
	size_t done = 0;
	for (ssize_t n; done < SIZE; done += (size_t)n)
		if ((n = read(fd[0], back + done, SIZE - done)) <= 0)
			break;
	check(done == SIZE && memcmp(bytes, back, SIZE) == 0 && read(fd[0], back, 1) == 0);
	check(close(fd[0]) == 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return true;
}

bool tree_unmounted(void)
{
	char name[64];
	check(mount("none", "/tmp/kp/full", "tmpfs", 0, NULL) == 0);
	for (int i = 0; i < 200; i++) {
		sprintf(name, "/tmp/kp/full/file%d", i);
		int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		check(fd >= 0 && close(fd) == 0);
	}
	check(umount("/tmp/kp/full") == 0);
	check(access("/tmp/kp/full/0", F_OK) == 0 && access("/tmp/kp/full/file0", F_OK) == -1);
	return true;
}

/* In a child: `count` threads that wait in `body`; each returns NULL if all went well. */
#define WAITERS 160
static int waiters_fd[2], waiters_id;
static void *waiting_reader(void *unused)
{
	char byte;
	(void)unused;
	return read(waiters_fd[0], &byte, 1) == 0 ? NULL : waiters_fd;
}
static void *waiting_down(void *unused)
{
	struct sembuf down = {0, -1, 0};
	(void)unused;
	return semop(waiters_id, &down, 1) == -1 && errno == EIDRM ? NULL : waiters_fd;
}

static bool many(void *(*body)(void *), bool (*all_wait)(void), bool (*end)(void))
{
	static pthread_t thread[WAITERS];
	pthread_attr_t attributes;
	void *result = NULL;
	bool good = true;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	for (int i = 0; i < WAITERS; i++)
		if (pthread_create(&thread[i], &attributes, body, NULL) != 0)
			_exit(2);
	for (int i = 0; i < 2000 && !all_wait(); i++)
		usleep(1000);
	good = end();
	for (int i = 0; i < WAITERS; i++)
		good = pthread_join(thread[i], &result) == 0 && result == NULL && good;
	return good;
}

/* Nobody tells how many wait at a pipe: threads that have no time of their own any more do. */
static bool some_time(void)
{
	static int looks;
	return ++looks % 40 == 0;
}
static bool sems_wait(void) { return semctl(waiters_id, 0, GETNCNT) == WAITERS; }
static bool end_pipe(void) { return close(waiters_fd[1]) == 0; }
static bool end_set(void) { return semctl(waiters_id, 0, IPC_RMID) == 0; }

bool many_readers(void)
{
	int status = 0;
	check(pipe(waiters_fd) == 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(many(waiting_reader, some_time, end_pipe) ? 0 : 1);
	check(close(waiters_fd[1]) == 0 && close(waiters_fd[0]) == 0);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return true;
}

bool many_waiters(void)
{
	int status = 0;
	waiters_id = semget(IPC_PRIVATE, 1, 0600);
	check(waiters_id >= 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(many(waiting_down, sems_wait, end_set) ? 0 : 1);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	check(semctl(waiters_id, 0, GETVAL) == -1 && errno == EINVAL);
	return true;
}
