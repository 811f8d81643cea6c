/*
 * operations: what a program may ask of each server, once, with its result checked. For the campaigns that disturb servers meanwhile.
 *
 * An operation leaves nothing behind, so that it can be made again and again; its token makes each execution different from the last.
 */
#define _GNU_SOURCE
#include "operation_check.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DIR_ "/tmp/kp"

char operation_why[200];

unsigned operation_token;
#define count_now operation_token

/* ---- files ---- */

static bool create(void)
{
	int fd = open(DIR_ "/new", O_CREAT | O_EXCL | O_RDWR, 0640);
	struct stat st;
	check(fd >= 0);
	check(fstat(fd, &st) == 0 && st.st_nlink == 1 && (st.st_mode & 0777) == 0640);
	check(close(fd) == 0);
	return true;
}
static bool uncreate(void) { return unlink(DIR_ "/new") == 0; }
static bool exclusive(void)
{
	check(open(DIR_ "/file", O_CREAT | O_EXCL | O_RDWR, 0600) == -1 && errno == EEXIST);
	return true;
}
static bool write_read(void)
{
	char back[32] = "", text[32];
	int length = sprintf(text, "token %u", count_now), fd = open(DIR_ "/file", O_RDWR | O_TRUNC);
	check(fd >= 0);
	check(write(fd, text, (size_t)length) == length);
	check(lseek(fd, 0, SEEK_CUR) == length);
	check(pread(fd, back, sizeof back, 0) == length && strcmp(text, back) == 0);
	check(close(fd) == 0);
	return true;
}
static off_t appended;
static bool append(void)
{
	int fd = open(DIR_ "/log", O_WRONLY | O_APPEND | O_CREAT, 0600);
	struct stat st;
	check(fd >= 0);
	check(write(fd, "0123456789", 10) == 10);
	appended += 10;
	check(fstat(fd, &st) == 0 && st.st_size == appended);
	check(close(fd) == 0);
	return true;
}
static bool grow_shrink(void)
{
	struct stat st;
	char byte = 1;
	int fd = open(DIR_ "/file", O_RDWR);
	check(fd >= 0);
	check(ftruncate(fd, 20000) == 0 && fstat(fd, &st) == 0 && st.st_size == 20000);
	check(pread(fd, &byte, 1, 19999) == 1 && byte == 0);
	check(ftruncate(fd, 5) == 0 && fstat(fd, &st) == 0 && st.st_size == 5);
	check(close(fd) == 0);
	return true;
}
static bool renames(void)
{
	struct stat st;
	check(rename(DIR_ "/file", DIR_ "/moved") == 0);
	check(stat(DIR_ "/file", &st) == -1 && errno == ENOENT);
	check(rename(DIR_ "/moved", DIR_ "/file") == 0);
	check(stat(DIR_ "/file", &st) == 0 && st.st_nlink == 1);
	return true;
}
static bool links(void)
{
	struct stat st;
	check(link(DIR_ "/file", DIR_ "/link") == 0);
	check(stat(DIR_ "/file", &st) == 0 && st.st_nlink == 2);
	check(unlink(DIR_ "/link") == 0);
	check(stat(DIR_ "/file", &st) == 0 && st.st_nlink == 1);
	check(unlink(DIR_ "/link") == -1 && errno == ENOENT);
	return true;
}
static bool symlinks(void)
{
	char target[64];
	check(symlink("file", DIR_ "/sym") == 0);
	check(readlink(DIR_ "/sym", target, sizeof target) == 4);
	check(access(DIR_ "/sym", R_OK) == 0);
	check(unlink(DIR_ "/sym") == 0);
	return true;
}
static bool directories(void)
{
	struct stat st;
	check(mkdir(DIR_ "/dir", 0700) == 0);
	check(mkdir(DIR_ "/dir", 0700) == -1 && errno == EEXIST);
	check(stat(DIR_, &st) == 0 && st.st_nlink == 4);
	check(rmdir(DIR_ "/dir") == 0);
	check(stat(DIR_, &st) == 0 && st.st_nlink == 3);
	return true;
}
static bool attributes(void)
{
	struct stat st;
	struct timespec times[2] = {{count_now, 0}, {count_now + 1, 0}};
	check(chmod(DIR_ "/file", 0600 | (count_now & 7)) == 0);
	check(chown(DIR_ "/file", 5, 6) == 0);
	check(utimensat(AT_FDCWD, DIR_ "/file", times, 0) == 0);
	check(stat(DIR_ "/file", &st) == 0 && (st.st_mode & 0777) == (0600 | (count_now & 7)) && st.st_uid == 5 && st.st_gid == 6);
	check(st.st_mtime == (time_t)count_now + 1);
	return true;
}
static bool listing(void)
{
	unsigned n = 0;
	DIR *d = opendir(DIR_ "/full");
	check(d);
	while (readdir(d))
		n++;
	check(closedir(d) == 0 && n == 12);
	return true;
}
static bool pipes(void)
{
	int fd[2];
	char back[16] = "";
	struct pollfd p;
	check(pipe(fd) == 0);
	p = (struct pollfd){.fd = fd[0], .events = POLLIN};
	check(poll(&p, 1, 0) == 0);
	check(write(fd[1], "through", 7) == 7);
	check(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	check(read(fd[0], back, sizeof back) == 7 && strcmp(back, "through") == 0);
	check(close(fd[1]) == 0 && read(fd[0], back, 1) == 0);
	check(close(fd[0]) == 0);
	return true;
}
static bool fifos(void)
{
	char byte;
	check(mkfifo(DIR_ "/fifo", 0600) == 0);
	int reader = open(DIR_ "/fifo", O_RDONLY | O_NONBLOCK), writer = open(DIR_ "/fifo", O_WRONLY);
	check(reader >= 0 && writer >= 0);
	check(write(writer, "x", 1) == 1 && read(reader, &byte, 1) == 1 && byte == 'x');
	check(close(writer) == 0 && close(reader) == 0 && unlink(DIR_ "/fifo") == 0);
	return true;
}
static bool locks(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	int fd = open(DIR_ "/file", O_RDWR);
	check(fd >= 0);
	check(fcntl(fd, F_SETLK, &lock) == 0);
	lock.l_type = F_UNLCK;
	check(fcntl(fd, F_SETLK, &lock) == 0);
	check(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0);
	check(close(fd) == 0);
	return true;
}
static bool descriptors(void)
{
	int fd = open(DIR_ "/file", O_RDONLY), other = dup(fd), flags;
	check(fd >= 0 && other >= 0);
	check(lseek(fd, 3, SEEK_SET) == 3 && lseek(other, 0, SEEK_CUR) == 3);
	check(close(fd) == 0);
	check((flags = fcntl(other, F_GETFL)) >= 0 && fcntl(other, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(other, F_GETFL) == (flags | O_NONBLOCK));
	check(close(other) == 0);
	return true;
}
static bool places(void)
{
	char path[100];
	struct statfs fs;
	check(chdir(DIR_ "/full") == 0 && getcwd(path, sizeof path) && strcmp(path, DIR_ "/full") == 0);
	check(chdir("/") == 0 && statfs("/tmp", &fs) == 0);
	return true;
}
static bool mapped(void)
{
	int fd = open(DIR_ "/map", O_RDWR | O_CREAT, 0600);
	check(fd >= 0 && ftruncate(fd, 8192) == 0);
	unsigned *word = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), back = 0;
	check(word != MAP_FAILED);
	word[1024] = count_now;
	check(pread(fd, &back, 4, 4096) == 4 && back == count_now);
	check(munmap(word, 8192) == 0 && close(fd) == 0 && unlink(DIR_ "/map") == 0);
	return true;
}
static bool devices(void)
{
	char buffer[16];
	int fd = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), random = open("/dev/urandom", O_RDONLY);
	check(fd >= 0 && null >= 0 && random >= 0);
	check(read(fd, buffer, 16) == 16 && buffer[5] == 0 && write(null, buffer, 16) == 16 && read(random, buffer, 16) == 16);
	check(close(fd) == 0 && close(null) == 0 && close(random) == 0);
	return true;
}
static bool mounts(void)
{
	check(syscall(165, "none", DIR_ "/full", "tmpfs", 0, NULL) == 0);
	check(access(DIR_ "/full/0", F_OK) == -1);
	check(syscall(166, DIR_ "/full", 0) == 0);
	check(access(DIR_ "/full/0", F_OK) == 0);
	return true;
}

/* ---- processes ---- */

static bool fork_wait(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit((int)(count_now % 100));
	check(pid > 0);
	check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == (int)(count_now % 100));
	check(waitpid(pid, &status, 0) == -1 && errno == ECHILD);
	return true;
}
static bool exec_wait(void)
{
	int status = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/bin/busybox", "sh", "-c", "exit 7", NULL);
		_exit(99);
	}
	check(pid > 0);
	check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	return true;
}
static bool kill_child(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	check(pid > 0);
	check(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	check(kill(pid, SIGCONT) == 0 && kill(pid, SIGTERM) == 0);
	check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	return true;
}
static bool groups(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(setsid() != getpid() || getpgrp() != getpid() || getsid(0) != getpid() || setuid(1000) != 0 || getuid() != 1000 || setuid(0) != -1);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return true;
}
static bool limits(void)
{
	struct rlimit limit = {100 + count_now % 50, 1024}, back;
	struct rusage usage;
	char name[65];
	check(setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &back) == 0 && back.rlim_cur == limit.rlim_cur);
	check(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	sprintf(name, "host%u", count_now);
	check(sethostname(name, strlen(name)) == 0);
	check(setpriority(PRIO_PROCESS, 0, 1) == 0 && getpriority(PRIO_PROCESS, 0) == 1 && setpriority(PRIO_PROCESS, 0, 0) == 0);
	return true;
}
static bool proc_files(void)
{
	char text[400];
	int fd = open("/proc/self/status", O_RDONLY);
	check(fd >= 0 && read(fd, text, sizeof text) > 20 && close(fd) == 0);
	check(readlink("/proc/self/cwd", text, sizeof text) == 1);
	return true;
}

/* ---- signals ---- */

static volatile sig_atomic_t struck;
static void on_signal(int signal) { (void)signal, struck++; }
static bool handler(void)
{
	sig_atomic_t before = struck;
	signal(SIGUSR1, on_signal);
	check(kill(getpid(), SIGUSR1) == 0);
	check(struck == before + 1);
	return true;
}
static bool queued(void)
{
	sigset_t set;
	siginfo_t info;
	struct timespec none = {0};
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	check(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = (int)count_now}) == 0);
	check(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = (int)count_now + 1}) == 0);
	check(sigtimedwait(&set, &info, &none) == SIGRTMIN && info.si_value.sival_int == (int)count_now);
	check(sigtimedwait(&set, &info, &none) == SIGRTMIN && info.si_value.sival_int == (int)count_now + 1);
	check(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	return true;
}
static bool timers(void)
{
	sig_atomic_t before = struck;
	struct itimerval interval = {.it_value = {0, 3000}};
	sigset_t others, alarm;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	signal(SIGALRM, on_signal);
	sigprocmask(SIG_BLOCK, &alarm, &others);
	sigdelset(&others, SIGALRM);
	check(setitimer(ITIMER_REAL, &interval, NULL) == 0);
	check(sigsuspend(&others) == -1 && errno == EINTR && struck == before + 1);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	return true;
}
static bool posix_timer(void)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec value = {.it_value = {1000, 0}}, left;
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &value, NULL) == 0);
	check(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec >= 990 && timer_delete(timer) == 0);
	return true;
}

/* ---- the terminal ---- */

static bool terminal(void)
{
	struct termios settings;
	struct winsize size = {.ws_row = (unsigned short)(20 + count_now % 30), .ws_col = 80}, back;
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);
	check(fd >= 0 && tcgetattr(fd, &settings) == 0);
	settings.c_lflag ^= ECHOK;
	check(tcsetattr(fd, TCSANOW, &settings) == 0);
	check(ioctl(fd, TIOCSWINSZ, &size) == 0 && ioctl(fd, TIOCGWINSZ, &back) == 0 && back.ws_row == size.ws_row);
	check(close(fd) == 0);
	return true;
}
static bool console_output(void)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY);
	check(fd >= 0 && write(fd, ".", 1) == 1 && tcdrain(fd) == 0 && close(fd) == 0);
	return true;
}

static int console_with(tcflag_t local)
{
	struct termios settings;
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || tcgetattr(fd, &settings) != 0)
		return -1;
	settings.c_lflag = (settings.c_lflag & ~(tcflag_t)(ICANON | ECHO | ISIG)) | local;
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSAFLUSH, &settings) == 0 ? fd : -1;
}
static bool type(int fd, const char *text)
{
	for (; *text; text++)
		check(ioctl(fd, TIOCSTI, text) == 0);
	return true;
}
static bool typed_line(void)
{
	char back[16] = "";
	int fd = console_with(ICANON), n = 0;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	check(fd >= 0);
	check(poll(&p, 1, 0) == 0 && read(fd, back, 1) == -1 && errno == EAGAIN);
	check(type(fd, "ab\177c\nd\025e\n"));
	check(poll(&p, 1, 0) == 1 && p.revents == POLLIN && ioctl(fd, FIONREAD, &n) == 0 && n >= 3);
	check(read(fd, back, sizeof back) == 3 && memcmp(back, "ac\n", 3) == 0);
	check(read(fd, back, sizeof back) == 2 && memcmp(back, "e\n", 2) == 0);
	check(read(fd, back, 1) == -1 && errno == EAGAIN);
	check(close(fd) == 0);
	return true;
}
static bool typed_raw(void)
{
	char back[16] = "";
	int fd = console_with(0);
	check(fd >= 0 && type(fd, "x\177\003"));
	check(read(fd, back, sizeof back) == 3 && memcmp(back, "x\177\003", 3) == 0);
	check(type(fd, "lost") && tcflush(fd, TCIFLUSH) == 0 && read(fd, back, 1) == -1 && errno == EAGAIN);
	check(tcgetsid(fd) == getsid(0) || errno == ENOTTY);
	check(close(fd) == 0 && (fd = console_with(ICANON | ECHO | ISIG)) >= 0 && close(fd) == 0);
	return true;
}
static bool console_lines(void)
{
	char text[240];
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY), n = 1;
	memset(text, '.', sizeof text);
	for (size_t i = 39; i < sizeof text; i += 40)
		text[i] = '\n';
	check(fd >= 0 && write(fd, text, sizeof text) == sizeof text);
	check(tcdrain(fd) == 0 && ioctl(fd, TIOCOUTQ, &n) == 0 && n == 0);
	check(close(fd) == 0);
	return true;
}

const struct operation operations[] = {
	{"create", create, uncreate}, {"exclusive", exclusive, NULL}, {"write_read", write_read, NULL}, {"append", append, NULL},
	{"grow_shrink", grow_shrink, NULL}, {"rename", renames, NULL}, {"link", links, NULL}, {"symlink", symlinks, NULL},
	{"directory", directories, NULL}, {"attributes", attributes, NULL}, {"listing", listing, NULL}, {"pipe", pipes, NULL},
	{"fifo", fifos, NULL}, {"locks", locks, NULL}, {"descriptors", descriptors, NULL}, {"places", places, NULL}, {"mapped", mapped, NULL},
	{"devices", devices, NULL}, {"mount", mounts, NULL}, {"fork_wait", fork_wait, NULL}, {"exec_wait", exec_wait, NULL},
	{"kill_child", kill_child, NULL}, {"groups", groups, NULL}, {"limits", limits, NULL}, {"proc_files", proc_files, NULL},
	{"handler", handler, NULL}, {"queued", queued, NULL}, {"timers", timers, NULL}, {"posix_timer", posix_timer, NULL},
	{"terminal", terminal, NULL}, {"console_output", console_output, NULL}, {"typed_line", typed_line, NULL}, {"typed_raw", typed_raw, NULL},
	{"console_lines", console_lines, NULL},
	{"sysv_shm", sysv_shm, NULL}, {"sysv_fork", sysv_fork, NULL}, {"sysv_sem", sysv_sem, NULL}, {"sysv_undo", sysv_undo, NULL},
	{"sysv_wait", sysv_wait, NULL}, {"sysv_page", sysv_page, NULL}, {"sysv_msg", sysv_msg, NULL}, {"sysv_msg_wait", sysv_msg_wait, NULL},
	{"sysv_files", sysv_files, NULL}, {"posix_mq", posix_mq, NULL},
	{"unix_stream", unix_stream, NULL}, {"unix_connect", unix_connect, NULL}, {"unix_path", unix_path, NULL}, {"unix_pass", unix_pass, NULL},
	{"unix_cycle", unix_cycle, NULL}, {"unix_wait", unix_wait, NULL}, {"unix_poll", unix_poll, NULL},
};
const size_t operation_count = sizeof operations / sizeof operations[0];

void operations_prepare(void)
{
	char name[64];
	static const char *const leftovers[] = {"new", "moved", "link", "sym", "fifo", "map", "log"};
	mkdir(DIR_, 0700);
	mkdir(DIR_ "/full", 0700);
	rmdir(DIR_ "/dir");
	for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
		sprintf(name, DIR_ "/%s", leftovers[i]);
		unlink(name);
	}
	for (int i = 0; i < 10; i++) {
		sprintf(name, DIR_ "/full/%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	close(open(DIR_ "/file", O_CREAT | O_WRONLY, 0600));
	appended = 0;
	operations_prepare_ipc();
	operations_prepare_net();
}
