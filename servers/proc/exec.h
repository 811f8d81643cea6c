/*
 * execve (exec.c): what start.c and the tests use of it.
 */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include "proc.h"

struct exec_request {
	uint32_t argument_count, environment_count;
	const char *arguments, *environment; /* NUL-terminated strings one after another */
	size_t arguments_size, environment_size;
	const void *state; /* libposix's own bytes; state_size 0: a first process */
	size_t state_size;
};

/* The first image of a process that has no task yet. 0 or an errno. */
int exec_first(struct process *p, const char *path, const struct exec_request *strings);
/* Are these exactly `count` NUL-terminated strings, none too long? 0, E2BIG, EINVAL. */
int exec_check_strings(const char *strings, size_t size, uint32_t count);

#endif
