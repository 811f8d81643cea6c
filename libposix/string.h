/*
 * libposix's own memory and string functions: the compiler and the generated stubs call the first ones.
 */
#ifndef LIBPOSIX_STRING_H
#define LIBPOSIX_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
char *strchr(const char *text, int character);

/* Does text begin with prefix? */
static inline bool text_begins(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

/* Copies and terminates; false: cut off. */
bool text_copy(char *to, size_t size, const char *from);

/* Text that is built in a fixed buffer; what does not fit is dropped. Always terminated. */
struct text {
	char *at, *end; /* end: the last byte, for the NUL */
};

void text_begin_in(struct text *text, char *buffer, size_t size);
void text_put(struct text *text, const char *string);
void text_put_bytes(struct text *text, const char *bytes, size_t count);
void text_decimal(struct text *text, int64_t value);
void text_unsigned(struct text *text, uint64_t value, unsigned base);

/* A decimal number at *at, which moves behind it. false: none there, or too large. */
bool text_number(const char **at, uint32_t *value);

#endif
