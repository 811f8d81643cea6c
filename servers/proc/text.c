/*
 * Strings in the keep.
 */
#include "proc.h"

#include <portico/strings.h>

/* A copy, NULL if there is no text or no memory: such strings are for show only. */
char *keep_string(const char *text)
{
	if (!text)
		return NULL;
	size_t size = strlen(text) + 1;
	char *copy = keep_allocate(size);
	if (copy)
		memcpy(copy, text, size);
	return copy;
}
