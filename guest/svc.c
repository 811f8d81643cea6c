/*
 * svc: the administrator's view of the servers, through /dev/supervisor, which root serves.
 *
 *   svc list [--json]              the servers: incarnation, uptime, requests, restarts, keep, how the last incarnation ended
 *   svc kill NAME                  ends the incarnation where it is
 *   svc campaign MS NAME...        kills these in turn, one every MS milliseconds; `svc campaign 0` ends it
 *
 * Servers are known by the names of the boot plan; `root` is the supervisor itself. Only uid 0 may open the device.
 * Exit status: 0; 1: the supervisor refused; 2: wrong usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICE "/dev/supervisor"

static _Noreturn void fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "svc: %s: %s\n", what, why);
	exit(status);
}

static _Noreturn void usage(void)
{
	fputs("usage: svc list [--json]\n"
	      "       svc kill NAME\n"
	      "       svc campaign MS NAME... | svc campaign 0\n",
	      stderr);
	exit(2);
}

static int open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(1, DEVICE, errno == EACCES ? "only root may do this" : strerror(errno));
	return fd;
}

static void send(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail(1, DEVICE, strerror(errno));
		bytes += n;
		size -= (size_t)n;
	}
}

/* The whole answer, with a zero at its end. */
static char *receive(int fd)
{
	size_t length = 0, size = 4096;
	char *text = malloc(size);

	for (;;) {
		if (text == NULL)
			fail(1, "answer", "no memory");
		ssize_t n = read(fd, text + length, size - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail(1, DEVICE, strerror(errno));
		if (n == 0)
			break;
		length += (size_t)n;
		if (size - length < 1024)
			text = realloc(text, size *= 2);
	}
	text[length] = '\0';
	return text;
}

/* Prints an answer; errors on standard error. */
static int show(const char *text)
{
	if (strncmp(text, "error: ", 7) == 0) {
		fprintf(stderr, "svc: %s", text + 7);
		return 1;
	}
	fputs(text, stdout);
	return 0;
}

static int command(int count, char **word)
{
	char line[512];
	size_t length = 0;
	int fd = open_device();

	for (int i = 0; i < count; i++) {
		size_t n = strlen(word[i]);
		if (length + n + 2 > sizeof(line) || strpbrk(word[i], " \t\n") != NULL || n == 0)
			fail(2, word[i], "not a word for the supervisor");
		memcpy(line + length, word[i], n);
		length += n;
		line[length++] = i + 1 < count ? ' ' : '\n';
	}
	send(fd, line, length);
	char *text = receive(fd);
	int status = show(text);
	free(text);
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		usage();
	return command(argc - 1, argv + 1);
}
