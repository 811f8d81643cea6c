/*
 * A caught SIGCHLD is there before wait returns: 300 children, each of which the handler must have counted by then, whatever
 * the other CPU does. Else the signal would strike the next call.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 300

static volatile sig_atomic_t signals;

static void on_child(int number)
{
	(void)number;
	signals++;
}

int main(void)
{
	struct sigaction action;
	int late = 0;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_child;
	sigaction(SIGCHLD, &action, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		int before = signals, status;
		pid_t child = fork();
		if (child == 0)
			_exit(i & 127);
		while (waitpid(child, &status, 0) < 0)
			; /* struck before it waited */
		if (signals == before)
			late++;
		if (WEXITSTATUS(status) != (i & 127))
			return 2;
	}
	printf("%d late\n", late);
	return late != 0;
}
