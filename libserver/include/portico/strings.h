/*
 * Memory, strings and formatted text for servers: the C standard's functions of the same names, as far as they are
 * here.
 *
 * On the host the C library's own are used.
 */
#ifndef PORTICO_STRINGS_H
#define PORTICO_STRINGS_H

#include <stdarg.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* %d %i %u %x %X %o %c %s %p %%, with l ll z h hh j t, flags - 0 + space #, width, precision, and * for both. Returns
 * the length that it would have. */
int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
