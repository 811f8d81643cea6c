/*
 * Process 1 of `./run -- CMD`: runs one command with the host's pipes as its output, and ends the machine with its
 * status.
 *
 *   portico-run CMD [ARG...]
 *
 * An ordinary Linux program (static, musl): it shows what an unmodified init can do here. Standard input is /dev/null,
 * output and error are /dev/hostout and /dev/hosterr. CMD runs in a session of its own, in /root. Orphans that come
 * here are reaped. When CMD has ended, so does pid 1, and with it the system. Exit status: CMD's; 128 + n if signal n
 * killed it; 126, 127 as shells do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void complain(const char *what, const char *name)
{
	dprintf(STDERR_FILENO, "portico-run: %s %s: %s\n", what, name, strerror(errno));
}

/* Opens a file under a given descriptor. */
static void open_as(int fd, const char *path, int flags)
{
	int opened = open(path, flags);
	if (opened < 0) {
		complain("cannot open", path);
		_exit(125);
	}
	if (opened == fd)
		return;
	if (dup2(opened, fd) < 0) {
		complain("cannot use", path);
		_exit(125);
	}
	close(opened);
}

static void run(char **command)
{
	static char *environment[] = {"HOME=/root",
	                              "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
	                              "TERM=dumb",
	                              "USER=root",
	                              "LOGNAME=root",
	                              "SHELL=/bin/sh",
	                              NULL};
	setsid();
	if (chdir("/root") != 0)
		complain("cannot enter", "/root");
	environ = environment;
	execvp(command[0], command);
	int error = errno;
	complain("cannot run", command[0]);
	_exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* Reaps whatever ends, until `child` has. */
static int wait_for(pid_t child)
{
	for (;;) {
		int status;
		pid_t pid = wait(&status);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) {
			complain("cannot wait for", "the command");
			return 125;
		}
		if (pid == child)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

int main(int argc, char **argv)
{
	open_as(STDIN_FILENO, "/dev/null", O_RDONLY);
	open_as(STDOUT_FILENO, "/dev/hostout", O_WRONLY);
	open_as(STDERR_FILENO, "/dev/hosterr", O_WRONLY);
	if (argc < 2) {
		dprintf(STDERR_FILENO, "portico-run: no command\n");
		return 125;
	}
	pid_t child = fork();
	if (child < 0) {
		complain("cannot start", argv[1]);
		return 125;
	}
	if (child == 0)
		run(argv + 1);
	return wait_for(child);
}
