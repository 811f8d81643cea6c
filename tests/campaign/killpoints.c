/*
 * killpoints: operations, each of which is made again and again while a server ends at the first, second, third ... kill point of it.
 *
 * For a build with the option kill_points. For each operation and each server: the countdown is set through /dev/supervisor, the operation is made and
 * its result checked, and the countdown is read: when something is left, the server had no more points to pass, and the pair is finished.
 * usage: killpoints [STRIDE [AGAIN [FILTER]]]   AGAIN: the server ends once more that many points later, in its recovery.
 */
#include "operations.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POINTS_MAX 20000

static const char *const servers[] = {"vfs", "proc", "sig", "ipcd", "net", "tty", "serial"};

/* ---- the countdown ---- */

/* Sets it and says what was left of the one before; -1: no such thing. The file stays open: closing it comes after the operation. */
static int device = -1;
static long arm_once(const char *server, unsigned n, unsigned again)
{
	char text[100];
	if (device >= 0)
		close(device);
	device = open("/dev/supervisor", O_RDWR);
	int length = sprintf(text, "killpoint %s %u %u\n", server, n, again);
	if (device < 0 || write(device, text, (size_t)length) != length)
		return -1;
	ssize_t got = read(device, text, sizeof text - 1);
	text[got > 0 ? got : 0] = 0;
	long left;
	return sscanf(text, "left %ld", &left) == 1 ? left : -1;
}

/* Between two incarnations there is nobody to be told. */
static long arm(const char *server, unsigned n, unsigned again)
{
	long left = arm_once(server, n, again);
	for (int i = 0; i < 500 && left < 0; i++) {
		usleep(10000);
		left = arm_once(server, n, again);
	}
	return left;
}

int main(int argc, char **argv)
{
	unsigned stride = argc > 1 ? (unsigned)atoi(argv[1]) : 1, again = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	const char *filter = argc > 3 ? argv[3] : "";
	unsigned long points = 0, violations = 0, pairs = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	operations_prepare();
	for (size_t o = 0; o < operation_count; o++) {
		const struct operation *op = &operations[o];
		unsigned long here = 0;
		if (!strstr(op->name, filter))
			continue;
		for (size_t s = 0; s < sizeof servers / sizeof servers[0]; s++) {
			unsigned n = 1 + (unsigned)(o + s) % stride;
			for (; n < POINTS_MAX; n += stride) {
				if (arm(servers[s], n, again) < 0) {
					printf("%s: the countdown cannot be set\n", servers[s]);
					return 2;
				}
				operation_token++;
				bool good = op->run();
				if (good && op->undo)
					good = op->undo();
				long left = arm(servers[s], 0, 0);
				points += left == 0;
				here += left == 0;
				if (!good) {
					violations++;
					printf("violation: %s, %s at point %u: %s\n", op->name, servers[s], n, operation_why);
				}
				if (left != 0 || violations > 50)
					break;
			}
			pairs++;
		}
		printf("# %s %lu points\n", op->name, here);
	}
	printf("pairs %lu points %lu violations %lu\n", pairs, points, violations);
	return violations != 0;
}
