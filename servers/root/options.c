/*
 * Words of the kernel command line. Pure: the host tests it.
 */
#include "root.h"
#include <portico/strings.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

int option_find(const char *line, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);
	int result = ENOENT;

	if (name_length == 0)
		return ENOENT;
	while (*line != '\0') {
		while (blank(*line))
			line++;
		size_t length = 0;
		while (line[length] != '\0' && !blank(line[length]))
			length++;
		bool named = length >= name_length && strncmp(line, name, name_length) == 0;
		if (named && (length == name_length || line[name_length] == '=')) {
			size_t skip = length == name_length ? length : name_length + 1;
			result = length - skip < size ? 0 : ERANGE;
			if (result == 0) {
				memcpy(value, line + skip, length - skip);
				value[length - skip] = '\0';
			}
		}
		line += length;
	}
	return result;
}
