/*
 * One line of text for a system call, like strace's. Pure but for strings of the program, which go through a reader.
 */
#ifndef LIBPOSIX_TRACE_H
#define LIBPOSIX_TRACE_H

#include "string.h"

/* Reads a string of the program: its length or a negative errno. NULL: addresses are shown. */
typedef int64_t trace_string(char *to, const char *from, size_t size);

/* Name and argument kinds of a call; false: not in the list (syscalls.h). */
bool trace_describe(uint64_t number, const char **name, const char **kinds);
/* name(arguments) */
void trace_format_call(struct text *text, uint64_t number, const uint64_t arguments[6], trace_string *read);
/* " = result" with the name of an errno. */
void trace_format_result(struct text *text, uint64_t number, int64_t result);

#endif
