/*
 * Operations: what root does for an administrator, and what it does when an incarnation ends. See operations_more.h.
 *
 * The server that was ended must serve, and root must answer; how many incarnations there were is told by svc, not here: others end, too.
 */
#define _GNU_SOURCE
#include "device.h"
#include "operations_more.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PROGRAM "/killpoints.sig" /* sig's own program, for an update to itself */

static char answer[16384];
static unsigned char *program;
static size_t program_size;

/* A command that root has to obey; one that comes between two incarnations may be refused, and is given again. */
static bool command(const char *line)
{
	for (int i = 0; i < 2000; i++) {
		check(device_ask(answer, sizeof answer, "%s", line));
		if (strncmp(answer, "error:", 6) != 0)
			return true;
		if (!strstr(answer, "not running") && !strstr(answer, "busy"))
			break;
		sleep_ms(1);
	}
	snprintf(operation_why, sizeof operation_why, "%s: %.100s", line, answer);
	return false;
}

static bool sig_serves(void)
{
	check(kill(getpid(), 0) == 0);
	return true;
}
static bool tty_serves(void)
{
	struct termios settings;
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	check(fd >= 0 && tcgetattr(fd, &settings) == 0 && tcdrain(fd) == 0 && close(fd) == 0);
	return true;
}

bool supervise_list(void)
{
	check(command("list") && strstr(answer, "proc") != NULL && strstr(answer, "root") != NULL);
	check(command("list --json") && answer[0] == '[');
	check(command("updates") && command("log --since 1000000") && command("campaign 0"));
	check(device_ask(answer, sizeof answer, "nonsense") && strncmp(answer, "error:", 6) == 0);
	return true;
}

bool supervise_kill(void) { return command("kill sig") && sig_serves() && command("kill vfs") && access("/tmp/kp/file", F_OK) == 0; }
bool supervise_crash(void) { return command("crash sig") && sig_serves() && sig_serves(); }
bool supervise_restart(void) { return command("restart sig") && sig_serves() && command("restart tty") && tty_serves(); }
/* What is still to be written is written first. tty then looks its servers up, attaches its lines and subscribes at proc again; files of the terminal that were open before are made anew. */
bool supervise_cold(void) { return tty_serves() && command("restart tty --cold") && tty_serves(); }
bool supervise_root(void) { return command("kill root") && command("list"); }
bool supervise_flip(void) { return command("flip sig") && strncmp(answer, "bits ", 5) == 0; }

bool supervise_update(void)
{
	if (!program) {
		snprintf(operation_why, sizeof operation_why, "no program at " PROGRAM);
		return false;
	}
	for (int i = 0; i < 2000; i++) {
		if (device_update("sig", program, program_size, 1, answer, sizeof answer))
			break;
		sleep_ms(1);
	}
	for (int i = 0; i < 3000; i++) {
		check(device_ask(answer, sizeof answer, "update sig") && sig_serves());
		if (strncmp(answer, "done", 4) == 0)
			return true;
		sleep_ms(1);
	}
	snprintf(operation_why, sizeof operation_why, "update: %.100s", answer);
	return false;
}

void supervise_prepare(void)
{
	struct stat st;
	int fd = program ? -1 : open(PROGRAM, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	program_size = (size_t)st.st_size;
	program = malloc(program_size);
	if (!program || read(fd, program, program_size) != (ssize_t)program_size) {
		printf("violation: " PROGRAM " cannot be read\n");
		exit(2);
	}
	close(fd);
}
