/*
 * Talking to root: commands, programs for live updates, and the journal. See device.h.
 */
#define _GNU_SOURCE
#include "device.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_TEXT (256 * 1024)

static int device = -1;

void sleep_ms(unsigned ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&time, NULL);
}

unsigned long now_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long)time.tv_sec * 1000 + (unsigned long)time.tv_nsec / 1000000;
}

void device_open(void)
{
	device = open("/dev/supervisor", O_RDWR);
	if (device >= 0)
		return;
	perror("/dev/supervisor");
	exit(2);
}

static bool send(const void *bytes, size_t size)
{
	for (const char *at = bytes; size > 0;) {
		ssize_t n = write(device, at, size);
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static bool receive(char *text, size_t size)
{
	size_t length = 0;
	ssize_t n = 1;
	while (length + 1 < size && (n = read(device, text + length, size - length - 1)) > 0)
		length += (size_t)n;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return n == 0;
}

bool device_ask(char *answer, size_t size, const char *format, ...)
{
	char line[200];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	line[n++] = '\n';
	answer[0] = '\0';
	return send(line, (size_t)n) && receive(answer, size);
}

bool device_update(const char *server, const unsigned char *program, size_t size, unsigned trial_ms, char *answer, size_t answer_size)
{
	if (!device_ask(answer, answer_size, "update %s %zu %u", server, size, trial_ms) || answer[0] != '\0')
		return false;
	return send(program, size) && receive(answer, answer_size) && answer[0] == '\0';
}

void device_await(const char *server, const char *waits, char *answer, size_t size)
{
	unsigned long until = now_ms() + 5000;
	do {
		if (!device_ask(answer, size, "update %s", server))
			return;
		if (strstr(waits, answer) == NULL)
			return;
		sleep_ms(1);
	} while (now_ms() < until);
}

/* ---- the journal ---- */

static unsigned long last_incident;

/* The value behind "name": in an incident's JSON; it ends at a comma or a quotation mark. */
static void field(const char *from, const char *name, char *value, size_t size)
{
	char key[40];
	size_t n = 0;
	snprintf(key, sizeof key, "\"%s\":", name);
	const char *at = strstr(from, key);
	value[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(key);
	if (*at == '"')
		at++;
	while (n + 1 < size && at[n] != '"' && at[n] != ',' && at[n] != '}')
		n++;
	memcpy(value, at, n);
	value[n] = '\0';
}

static char *journal(void)
{
	static char text[JOURNAL_TEXT];
	device_ask(text, sizeof text, "log --json --since %lu", last_incident);
	return text;
}

static unsigned long number_of(const char *incident)
{
	char value[32];
	field(incident, "number", value, sizeof value);
	return strtoul(value, NULL, 10);
}

void device_incidents_skip(void)
{
	for (const char *at = journal(); (at = strstr(at, "{\"number\":")) != NULL; at++)
		last_incident = number_of(at);
}

unsigned device_incidents(char *text, size_t size)
{
	static const char *const names[] = {"server", "cause", "action", "request", "requests", "rip", "vector", "address", "delay_ms"};
	unsigned count = 0;
	size_t length = 0;
	text[0] = '\0';
	for (const char *at = journal(); (at = strstr(at, "{\"number\":")) != NULL; at++) {
		char value[80], cause[80];
		field(at, "cause", cause, sizeof cause);
		last_incident = number_of(at);
		if (strcmp(cause, "update") == 0 || strcmp(cause, "restart") == 0)
			continue;
		count++;
		for (size_t i = 0; i < sizeof names / sizeof names[0] && length + sizeof value + 2 < size; i++) {
			field(at, names[i], value, sizeof value);
			length += (size_t)snprintf(text + length, size - length, "%s%s", i == 0 ? "" : ",", value);
		}
		if (length + 2 < size)
			text[length++] = ';', text[length] = '\0';
	}
	return count;
}
