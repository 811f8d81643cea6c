/* See check.h. */
#include "check.h"
#include <grp.h>

volatile sig_atomic_t caught;

static const char *error_name(int error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {{EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"}, {EINTR, "EINTR"}, {E2BIG, "E2BIG"}, {EBADF, "EBADF"},
		     {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"}, {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"}, {EEXIST, "EEXIST"},
		     {EINVAL, "EINVAL"}, {EFBIG, "EFBIG"}, {ENOSPC, "ENOSPC"}, {ERANGE, "ERANGE"}, {ENOSYS, "ENOSYS"}, {ENOMSG, "ENOMSG"},
		     {EIDRM, "EIDRM"}, {EMSGSIZE, "EMSGSIZE"}, {ETIMEDOUT, "ETIMEDOUT"}, {EMFILE, "EMFILE"}, {ENAMETOOLONG, "ENAMETOOLONG"},
		     {EPIPE, "EPIPE"}, {ESPIPE, "ESPIPE"}, {ENOTTY, "ENOTTY"}, {ENOTDIR, "ENOTDIR"}, {ENXIO, "ENXIO"}, {ENODEV, "ENODEV"},
		     {EDOM, "EDOM"}, {EPROTOTYPE, "EPROTOTYPE"}, {ENOPROTOOPT, "ENOPROTOOPT"}, {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
		     {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EAFNOSUPPORT, "EAFNOSUPPORT"}, {EADDRINUSE, "EADDRINUSE"},
		     {ECONNRESET, "ECONNRESET"}, {ENOBUFS, "ENOBUFS"}, {EISCONN, "EISCONN"}, {ENOTCONN, "ENOTCONN"}, {ENOTSOCK, "ENOTSOCK"},
		     {ETOOMANYREFS, "ETOOMANYREFS"}, {ECONNREFUSED, "ECONNREFUSED"}, {EDESTADDRREQ, "EDESTADDRREQ"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == error)
			return names[i].name;
	}
	return strerror(error);
}

void result(const char *name, long value, int error)
{
	if (value == -1)
		printf("%s: -1 %s\n", name, error_name(error));
	else
		printf("%s: %ld\n", name, value);
	fflush(stdout);
}

void succeeds(const char *name, long value, int error)
{
	if (value == -1)
		result(name, value, error);
	else
		text(name, "ok");
}

void text(const char *name, const char *value)
{
	printf("%s: %s\n", name, value);
	fflush(stdout);
}

pid_t begin_child(uid_t uid)
{
	pid_t pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0 && uid != 0 && (setgid(uid) || setuid(uid))) {
		perror("setuid");
		exit(2);
	}
	return pid;
}

void setgroups_and_user(gid_t groups[2])
{
	if (setgroups(2, groups) || setgid(UNUSED_UID + 1) || setuid(UNUSED_UID + 1)) {
		perror("setgroups");
		exit(2);
	}
}

_Noreturn void end_child(void)
{
	fflush(stdout);
	_exit(0);
}

const char *await(pid_t pid)
{
	static char described[32];
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return "no child";
	if (WIFEXITED(status))
		snprintf(described, sizeof(described), "exit %d", WEXITSTATUS(status));
	else
		snprintf(described, sizeof(described), "signal %d", WTERMSIG(status));
	return described;
}

pid_t start(int (*body)(void))
{
	pid_t pid = begin_child(0);
	if (pid == 0) {
		int status = body();
		fflush(stdout);
		_exit(status);
	}
	return pid;
}

void nap(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

bool until(bool (*condition)(void))
{
	for (int i = 0; i < 1000; i++) {
		if (condition())
			return true;
		nap(5);
	}
	return false;
}

struct timespec now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time;
}

long elapsed_ms(const struct timespec *since)
{
	struct timespec time = now();
	return (time.tv_sec - since->tv_sec) * 1000 + (time.tv_nsec - since->tv_nsec) / 1000000;
}

static void handler(int signal)
{
	(void)signal;
	caught++;
}

void catch_signal(int signal, int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigaction(signal, &action, NULL);
}

bool sleeps(pid_t pid)
{
	char path[64], line[256];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	close(fd);
	if (got <= 0)
		return false;
	line[got] = 0;
	const char *end = strrchr(line, ')');
	return end != NULL && end[2] == 'S';
}

void until_asleep(pid_t pid)
{
	int calm = 0;

	for (int i = 0; i < 2000 && calm < 3; i++) {
		calm = sleeps(pid) ? calm + 1 : 0;
		nap(2);
	}
	if (calm < 3)
		fprintf(stderr, "process %d does not wait\n", (int)pid);
}

int run_parts(int argc, char **argv, const struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool wanted = argc == 1;
		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], parts[i].name);
		if (wanted)
			parts[i].run();
	}
	return 0;
}
