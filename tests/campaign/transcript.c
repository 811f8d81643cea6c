/*
 * See transcript.h.
 */
#include "transcript.h"
#include "operations.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct transcript now;

/* FNV-1a, 64 bits. */
static uint64_t digest(const void *bytes, size_t count)
{
	const unsigned char *p = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	while (count-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

void note(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(now.text + now.length, sizeof now.text - now.length, format, arguments);
	va_end(arguments);
	if (n < 0 || now.length + (size_t)n + 2 > sizeof now.text) {
		printf("violation: a transcript is too long\n");
		exit(2);
	}
	now.length += (size_t)n;
	now.text[now.length++] = '\n';
}

void note_bytes(const void *bytes, size_t count)
{
	note("%zu bytes %llx", count, (unsigned long long)digest(bytes, count));
}

/* Up to its end, without the newline. */
static int line_length(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));
	return (int)((newline ? newline : end) - text);
}

static bool compare(const struct transcript *first)
{
	size_t at = 0, line = 0;
	unsigned number = 1;
	while (at < now.length && at < first->length && now.text[at] == first->text[at])
		if (now.text[at++] == '\n')
			line = at, number++;
	if (at == now.length && at == first->length)
		return true;
	snprintf(operation_why, sizeof operation_why, "line %u: %.*s; it was: %.*s", number, line_length(now.text + line, now.text + now.length),
		 now.text + line, line_length(first->text + line, first->text + first->length), first->text + line);
	return false;
}

bool transcript_same(struct transcript *first, const char *name, void (*body)(void))
{
	now.length = 0;
	body();
	if (first->length != 0)
		return compare(first);
	*first = now;
	printf("transcript %s %llx\n", name, (unsigned long long)digest(now.text, now.length));
	if (getenv("TRANSCRIPTS"))
		fwrite(now.text, 1, now.length, stdout);
	return true;
}

void mkdir_quietly(const char *path)
{
	(void)mkdir(path, 0700);
}
