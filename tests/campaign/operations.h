/*
 * Operations with known results, by all servers: see operations.c.
 */
#ifndef CAMPAIGN_OPERATIONS_H
#define CAMPAIGN_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>

struct operation {
	const char *name;
	bool (*run)(void);  /* false: operation_why says what was wrong */
	bool (*undo)(void); /* NULL: it leaves nothing behind */
};
extern const struct operation operations[];
extern const size_t operation_count;

extern char operation_why[200];
/* Different in each execution of an operation; the caller counts it. */
extern unsigned operation_token;

/* Makes the files that operations expect, in /tmp/kp. Before the first operation, and again to forget what went wrong. */
void operations_prepare(void);

#endif
