/*
 * 500 children, all alive at once, each ends with a status of its own; the parent collects every one exactly once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 500

int main(void)
{
	int gate[2];
	pid_t child[CHILDREN];
	char seen[CHILDREN] = { 0 };
	if (pipe(gate) != 0)
		return 2;
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		if (child[i] < 0) {
			printf("fork %d: %s\n", i, strerror(errno));
			return 1;
		}
		if (child[i] == 0) {
			char c;
			close(gate[1]);
			_exit(read(gate[0], &c, 1) == 0 ? i % 251 : 255);
		}
	}
	close(gate[1]);
	for (int n = 0; n < CHILDREN; n++) {
		int status, i;
		pid_t pid = wait(&status);
		for (i = 0; i < CHILDREN && child[i] != pid; i++)
			;
		if (i == CHILDREN || seen[i]++ || !WIFEXITED(status) || WEXITSTATUS(status) != i % 251) {
			printf("wait: pid %d index %d status %x\n", (int)pid, i, status);
			return 1;
		}
	}
	if (wait(NULL) != -1 || errno != ECHILD)
		return 1;
	printf("%d children\n", CHILDREN);
	return 0;
}
