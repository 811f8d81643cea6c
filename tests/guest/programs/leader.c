/*
 * The first thread ends before the others, in the first process's child and in a child of a process with threads: the process
 * goes on, hears signals, and ends with its last thread, and its status is that of the last one, as on Linux since 6.0.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t heard;

static void on_signal(int number)
{
	(void)number;
	heard = 1;
}

/* Never by pthread_exit: musl's first thread of a forked child cannot leave that way. */
static void leave(int status)
{
	syscall(SYS_exit, status);
}

static void *outlive(void *pipe_end)
{
	char c = 'x';
	usleep(100000);
	if (write((int)(long)pipe_end, &c, 1) != 1)
		_exit(20);
	while (!heard)
		usleep(10000);
	leave(5);
	return NULL;
}

static void *idle(void *nothing)
{
	pause();
	return nothing;
}

static int check(const char *what)
{
	int ready[2], status = 0;
	char c;
	if (pipe(ready) != 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		signal(SIGUSR1, on_signal);
		if (pthread_create(&thread, NULL, outlive, (void *)(long)ready[1]) != 0)
			_exit(21);
		leave(3);
	}
	int got = (int)read(ready[0], &c, 1);
	int early = (int)waitpid(child, &status, WNOHANG);
	int sent = kill(child, SIGUSR1);
	if (got != 1 || early != 0 || sent != 0 || waitpid(child, &status, 0) != child || status != 5 << 8) {
		printf("%s: read %d, wait %d, kill %d, status %x\n", what, got, early, sent, status);
		return 1;
	}
	close(ready[0]);
	close(ready[1]);
	return 0;
}

int main(void)
{
	pthread_t thread;
	int failures = check("one thread");
	if (pthread_create(&thread, NULL, idle, NULL) != 0)
		return 1;
	failures += check("two threads");
	return failures != 0;
}
