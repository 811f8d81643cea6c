/*
 * Transcripts: what a sequence of calls brought, as text, compared with what it brought the first time.
 */
#ifndef CAMPAIGN_TRANSCRIPT_H
#define CAMPAIGN_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define TRANSCRIPT_MAX 6000

struct transcript {
	char text[TRANSCRIPT_MAX]; /* lines; length 0: there is none yet */
	size_t length;
};

/* A line of the transcript that is being made. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How many bytes, and a digest of them. */
void note_bytes(const void *bytes, size_t count);

/*
 * Makes the calls of `body`. The first time: keeps what it noted in `first`, prints `transcript NAME DIGEST`, true. Then: is it the same? If not,
 * operation_why has the first line that differs.
 */
bool transcript_same(struct transcript *first, const char *name, void (*body)(void));

void mkdir_quietly(const char *path);

#endif
