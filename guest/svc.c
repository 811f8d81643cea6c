/* clang-format off: a table */
/*
 * svc: the administrator's view of the servers, through /dev/supervisor, which root serves (docs/guide/supervision.md).
 *
 *   list [--json]           the servers: incarnation, uptime, requests, restarts, keep, how the last incarnation ended
 *   watch                   the list, again each second
 *   log [--json] [--since N]  the journal: each end of an incarnation, with registers and the request in service; those after number N
 *   kill NAME               ends the incarnation where it is
 *   crash NAME              lets it fault by itself
 *   hang NAME               lets it loop for ever
 *   restart NAME [--cold]   ends it between two requests; --cold: the next one has forgotten everything
 *   update NAME FILE [--trial SECONDS]   the next incarnation is made of this program, on trial for so long (1)
 *   update NAME [--back]    what became of that; --back: the program on trial goes, the old one comes back
 *   updates [--json]        updates of each server, and how long it served nobody because of them
 *   campaign MS NAME...     kills these in turn, one every MS milliseconds; `svc campaign 0` ends it
 *
 * Servers are known by the names of the boot plan; `root` is the supervisor itself. Only uid 0 may open the device.
 * Exit status: 0; 1: the supervisor refused; 2: wrong usage.
 */
/* clang-format on */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	      "       svc watch\n"
	      "       svc log [--json] [--since NUMBER]\n"
	      "       svc kill NAME\n"
	      "       svc crash NAME\n"
	      "       svc hang NAME\n"
	      "       svc restart NAME [--cold]\n"
	      "       svc update NAME FILE [--trial SECONDS]\n"
	      "       svc update NAME [--back]\n"
	      "       svc updates [--json]\n"
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

/* Sends the words as a line; the answer is still to be read. */
static int ask(int count, char **word)
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
	return fd;
}

static int finish(int fd)
{
	char *text = receive(fd);
	int status = show(text);

	free(text);
	close(fd);
	return status;
}

static int command(int count, char **word)
{
	return finish(ask(count, word));
}

static int watch(void)
{
	char *list[] = {"list"};

	for (;;) {
		fputs("\033[H\033[2J", stdout);
		if (command(1, list) != 0)
			return 1;
		fflush(stdout);
		sleep(1);
	}
}

/* What became of an update, as soon as that is clear; `trial`: it is not waited for the end of the trial. */
static int await_update(char *name, int trial)
{
	char *word[] = {"update", name};

	for (;;) {
		int fd = ask(2, word);
		char *text = receive(fd);
		close(fd);
		if (strcmp(text, "waiting\n") != 0 && strcmp(text, "going back\n") != 0 && (trial || strcmp(text, "on trial\n") != 0))
			return show(text);
		free(text);
		usleep(50000);
	}
}

static int update(char *name, const char *path, const char *seconds)
{
	static char bytes[32768];
	char size[24], trial[24];
	char *word[] = {"update", name, size, trial};
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (file < 0 || fstat(file, &st) != 0)
		fail(1, path, strerror(errno));
	snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
	if (seconds != NULL) {
		char *end;
		double value = strtod(seconds, &end);
		if (end == seconds || *end != '\0' || !(value >= 0 && value <= 86400))
			fail(2, seconds, "not a number of seconds up to 86400");
		snprintf(trial, sizeof(trial), "%.0f", value * 1000);
	}
	int fd = ask(seconds != NULL ? 4 : 3, word);
	char *refused = receive(fd);
	if (*refused != '\0')
		return show(refused);
	for (off_t left = st.st_size; left > 0; left -= n) {
		n = read(file, bytes, left < (off_t)sizeof(bytes) ? (size_t)left : sizeof(bytes));
		if (n <= 0)
			fail(1, path, n < 0 ? strerror(errno) : "has become shorter");
		send(fd, bytes, (size_t)n);
	}
	close(file);
	return finish(fd) != 0 ? 1 : await_update(name, seconds != NULL && strtod(seconds, NULL) > 0);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		usage();
	if (strcmp(argv[1], "watch") == 0 && argc == 2)
		return watch();
	if (strcmp(argv[1], "update") == 0 && argc == 4 && strcmp(argv[3], "--back") == 0)
		return command(argc - 1, argv + 1) != 0 ? 1 : await_update(argv[2], 1);
	if (strcmp(argv[1], "update") == 0 && argc != 3) {
		if (argc != 4 && (argc != 6 || strcmp(argv[4], "--trial") != 0))
			usage();
		return update(argv[2], argv[3], argc == 6 ? argv[5] : NULL);
	}
	return command(argc - 1, argv + 1);
}
