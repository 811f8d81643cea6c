/*
 * What can be told from a path's text alone. Pure.
 */
#include "paths.h"
#include "string.h"

const char *path_last(const char *path)
{
	const char *last = path;
	for (; *path; path++)
		if (*path == '/' && path[1])
			last = path + 1;
	return last;
}

/* Behind the first component if it names this process, else NULL. */
static const char *skip_self(const char *rest, uint32_t pid)
{
	uint32_t number;

	while (*rest == '/')
		rest++;
	if (text_begins(rest, "self/"))
		return rest + 5;
	if (text_begins(rest, "thread-self/"))
		return rest + 12;
	if (text_number(&rest, &number) && number == pid && *rest == '/')
		return rest + 1;
	return NULL;
}

enum self_kind path_parse_self(const char *rest, uint32_t pid, int *fd)
{
	uint32_t number;
	const char *name = skip_self(rest, pid);

	if (name == NULL)
		return SELF_NONE;
	while (*name == '/')
		name++;
	if (strcmp(name, "exe") == 0)
		return SELF_EXE;
	if (!text_begins(name, "fd"))
		return SELF_NONE;
	name += 2;
	if (*name != '/' && *name != 0)
		return SELF_NONE;
	while (*name == '/')
		name++;
	if (*name == 0)
		return SELF_LIST;
	if (!text_number(&name, &number) || *name != 0 || number > INT32_MAX)
		return SELF_NONE;
	*fd = (int)number;
	return SELF_FILE;
}
