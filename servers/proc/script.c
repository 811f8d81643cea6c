/*
 * "#!" lines. See script.h.
 */
#include "script.h"

#include <portico/errno.h>
#include <portico/strings.h>

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* End of the word at `p`: a blank, a NUL or `end`. */
static const char *word_end(const char *p, const char *end)
{
	while (p < end && !is_blank(*p) && *p != '\0')
		p++;
	return p;
}

int script_parse(const char *bytes, size_t length, struct script *script)
{
	if (length < 2 || bytes[0] != '#' || bytes[1] != '!')
		return ENOEXEC;
	if (length > SCRIPT_LINE_MAX)
		length = SCRIPT_LINE_MAX;
	const char *p = bytes + 2;
	const char *newline = memchr(p, '\n', length - 2);
	const char *end = newline ? newline : bytes + length;
	while (p < end && is_blank(*p))
		p++;
	const char *name_end = word_end(p, end);
	if (name_end == p)
		return ENOEXEC;
	/* A name that runs to the end of the buffer may be cut off: better none than a wrong one. */
	if (!newline && name_end == end && length == SCRIPT_LINE_MAX)
		return ENOEXEC;

	memset(script, 0, sizeof(*script));
	memcpy(script->interpreter, p, (size_t)(name_end - p));
	p = name_end;
	while (p < end && is_blank(*p))
		p++;
	const char *nul = p < end ? memchr(p, '\0', (size_t)(end - p)) : NULL;
	if (nul)
		end = nul;
	while (end > p && is_blank(end[-1]))
		end--;
	memcpy(script->argument, p, (size_t)(end - p));
	return 0;
}
