/*
 * execve, execveat: gathers the strings and libposix's own state, and asks proc for a new image. Success never returns.
 *
 * Above: table.c. Below: proc.exec. The old image is left as it is until proc ends it, so an error is only a return.
 */
#include "fd.h"
#include "linux.h"
#include "paths.h"
#include "start.h"
#include "string.h"
#include "usercopy.h"

#include <proc_client.h>
#include <vfs_types.h>

#define STRINGS_MAX 0x200000u /* as Linux with its default stack: both lists together */
#define STRING_MAX 0x20000u
#define NAME_SHOWN 16u        /* of a program's name, as Linux */

/* A list of strings of the program, one after another with their NULs. */
struct strings {
	uint8_t *bytes;
	size_t size, allocated;
	uint32_t count;
};

static int64_t measure(const uint64_t *list, struct strings *strings)
{
	for (; list; list++, strings->count++) {
		uint64_t at;
		if (user_get(&at, list))
			return -EFAULT;
		if (at == 0)
			break;
		int64_t length = user_string_length((const char *)at, STRING_MAX);
		if (length < 0)
			return length;
		strings->size += (size_t)length + 1;
		if (strings->size + strings->count * sizeof(uint64_t) > STRINGS_MAX)
			return -E2BIG;
	}
	return 0;
}

/* The program may change the strings meanwhile: what no longer fits is E2BIG. */
static int64_t gather(const uint64_t *list, struct strings *strings)
{
	size_t used = 0;

	for (uint32_t i = 0; i < strings->count; i++) {
		uint64_t at;
		if (user_get(&at, &list[i]))
			return -EFAULT;
		int64_t length = user_string((char *)strings->bytes + used, (const char *)at, strings->size - used);
		if (length < 0)
			return length == -EFAULT ? -EFAULT : -E2BIG;
		used += (size_t)length + 1;
	}
	strings->size = used;
	return 0;
}

static int64_t collect(const uint64_t *list, struct strings *strings)
{
	int64_t error = measure(list, strings);
	if (error)
		return error;
	strings->allocated = strings->size + 1;
	strings->bytes = pages_allocate(strings->allocated);
	return strings->bytes ? gather(list, strings) : -ENOMEM;
}

static int64_t request(struct path_at *at, const char *name, uint32_t lookup, const struct strings *arguments, const struct strings *environment)
{
	size_t size = state_size();
	void *state = pages_allocate(size);
	int64_t result = -ENOMEM;

	if (state && state_save(state, size, name))
		result = -(int64_t)proc_exec(NAME_PROC, at->base, at->path, lookup, arguments->bytes, arguments->size,
					     arguments->count, environment->bytes, environment->size, environment->count, state,
					     size);
	pages_free(state, size);
	return result == -EREMOTE ? -EACCES : result;
}

static int64_t execute(int base, const char *path, const uint64_t *arguments, const uint64_t *environment, int flags)
{
	struct strings argument = { .bytes = NULL }, variable = { .bytes = NULL };
	struct path_at at;
	uint32_t lookup = 0;
	char name[NAME_SHOWN];

	if (flags & ~(L_AT_EMPTY_PATH | L_AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	lookup |= flags & L_AT_EMPTY_PATH ? VFS_LOOKUP_EMPTY_PATH : 0;
	lookup |= flags & L_AT_SYMLINK_NOFOLLOW ? VFS_LOOKUP_NO_FOLLOW : 0;
	int64_t result = path_begin(&at, base, path, lookup, PORTICO_PATH_MAX);
	if (result)
		return result;
	text_copy(name, sizeof(name), path_last(at.path));
	result = path_enter_self(&at, &lookup);
	if (!result)
		result = collect(arguments, &argument);
	if (!result)
		result = collect(environment, &variable);
	/* A program always has a name: Linux gives an empty one, too. */
	if (!result && argument.count == 0) {
		argument.count = 1;
		argument.size = 1;
	}
	if (!result)
		result = request(&at, name, lookup, &argument, &variable);
	pages_free(argument.bytes, argument.allocated);
	pages_free(variable.bytes, variable.allocated);
	path_end(&at);
	return result;
}

int64_t sys_execve(const char *path, const uint64_t *arguments, const uint64_t *environment)
{
	return execute(L_AT_FDCWD, path, arguments, environment, 0);
}

int64_t sys_execveat(int base, const char *path, const uint64_t *arguments, const uint64_t *environment, int flags)
{
	return execute(base, path, arguments, environment, flags);
}
