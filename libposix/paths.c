/*
 * Paths. See paths.h.
 */
#include "paths.h"

#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <vfs_client.h>

#define REFERRALS_MAX 16

/* ---- base and length ---- */

static int64_t choose_base(struct path_at *at, int directory)
{
	if (at->path[0] == '/') {
		at->base = process.root;
		return 0;
	}
	if (directory == L_AT_FDCWD) {
		at->base = process.cwd;
		return 0;
	}
	at->held = fd_get(directory);
	if (at->held == NULL)
		return -EBADF;
	at->base = at->held->name;
	at->self = at->held->type == DESCRIPTION_FD_LIST;
	if (at->base == PORT_NULL && !at->self)
		return -ENOTDIR;
	return 0;
}

/* The last '/' such that what is before it fits a message; NULL: a component is too long. */
static char *split(char *path, size_t limit)
{
	char *found = NULL;
	for (size_t i = 1; i <= limit && path[i]; i++)
		if (path[i] == '/')
			found = path + i;
	return found;
}

static int64_t shorten(struct path_at *at, size_t limit)
{
	char *path = at->buffer;
	size_t length = strlen(path);

	while (length > limit) {
		port_name_t next;
		char *slash = split(path, limit);
		if (slash == NULL)
			return -ENAMETOOLONG;
		*slash = 0;
		int error = vfs_open_directory(at->base, path, 0, &next);
		if (error)
			return -(int64_t)(error == EREMOTE ? ENAMETOOLONG : error);
		client_release_right(at->temporary);
		at->base = at->temporary = next;
		length -= (size_t)(slash + 1 - path);
		path = slash + 1;
		while (*path == '/') {
			path++;
			length--;
		}
	}
	at->path = *path ? path : ".";
	return 0;
}

int64_t path_begin(struct path_at *at, int directory, const char *user, uint32_t lookup, size_t limit)
{
	at->temporary = PORT_NULL;
	at->held = NULL;
	at->self = false;
	at->path = at->buffer;
	int64_t length = user_string(at->buffer, user, sizeof(at->buffer));
	if (length < 0)
		return length;
	if (length == 0 && !(lookup & VFS_LOOKUP_EMPTY_PATH))
		return -ENOENT;
	int64_t error = choose_base(at, directory);
	if (!error && (size_t)length > limit)
		error = shorten(at, limit);
	if (error)
		path_end(at);
	return error;
}

void path_end(struct path_at *at)
{
	client_release_right(at->temporary);
	if (at->held)
		fd_put(at->held);
	at->temporary = PORT_NULL;
	at->held = NULL;
}

/* ---- this process's own names ---- */

static const char *below_proc(const char *path)
{
	static const char proc[] = "/proc/", descriptors[] = "/dev/fd/";
	if (text_begins(path, proc))
		return path + sizeof(proc) - 1;
	return text_begins(path, descriptors) ? path : NULL;
}

int64_t path_enter_self(struct path_at *at, uint32_t *lookup)
{
	const char *rest = below_proc(at->path);
	enum self_kind kind = SELF_NONE;
	uint32_t number = 0;
	int fd = -1;

	if (rest == NULL)
		return 0;
	if (*rest == '/') {
		const char *digits = rest + strlen("/dev/fd/");
		if (text_number(&digits, &number) && *digits == 0) {
			kind = SELF_FILE;
			fd = (int)number;
		}
	} else {
		kind = path_parse_self(rest, process.pid, &fd);
	}
	if (kind == SELF_EXE && process.path[0]) {
		text_copy(at->buffer, sizeof(at->buffer), process.path);
		at->path = at->buffer;
	}
	if (kind != SELF_FILE)
		return 0;
	at->held = fd_get(fd);
	if (at->held == NULL || at->held->name == PORT_NULL)
		return -ENOENT;
	at->base = at->held->name;
	at->path = "";
	*lookup |= VFS_LOOKUP_EMPTY_PATH;
	return 0;
}

/* ---- running an operation ---- */

/* Once more from the root, with the text that stands for the link. */
static int run_at(struct path_call *call, const char *path)
{
	int error = call->operation(call, process.root, path);
	call->server = VFS_SERVER_ID_VFS;
	return error;
}

static int run_on_descriptor(struct path_call *call, int fd)
{
	char path[2049];
	struct description *description = fd_get(fd);

	if (description == NULL)
		return ENOENT;
	int error = description->name == PORT_NULL ? EACCES : io_path(description->name, path, sizeof(path));
	fd_put(description);
	return error ? error : run_at(call, path);
}

/* The path leads to something of this process. -1: no, let proc answer. */
static int run_self(struct path_call *call, const char *rest)
{
	int fd = -1;
	enum self_kind kind = path_parse_self(rest, process.pid, &fd);

	if (kind == SELF_NONE)
		return -1;
	if (call->on_self) {
		int error = call->on_self(call, kind, fd);
		if (error >= 0)
			return error;
	}
	if (kind == SELF_FILE)
		return run_on_descriptor(call, fd);
	if (kind == SELF_EXE && !(call->lookup & VFS_LOOKUP_NO_FOLLOW) && process.path[0])
		return run_at(call, process.path);
	return -1;
}

/* Follows referrals from `base` until a server answers. */
static int follow(struct path_call *call, port_name_t base, const char *path)
{
	char rest[2][PORTICO_PATH_MAX + 1];
	port_name_t held = PORT_NULL;
	int error = EREMOTE;

	for (int i = 0; i < REFERRALS_MAX && error == EREMOTE; i++) {
		char *next = rest[i & 1];
		port_name_t target = PORT_NULL;
		uint32_t server, kind;
		error = vfs_refer(base, path, call->lookup, call->open_flags, call->mode, &server, &target, next,
				  PORTICO_PATH_MAX + 1, &kind);
		client_release_right(held);
		held = target;
		if (error)
			break;
		call->server = server;
		if (server == VFS_SERVER_ID_PROC && (error = run_self(call, next)) >= 0)
			break;
		/* Opening: a referral without a rest that tells a kind is the opened object itself. */
		if (call->open_flags != UINT32_MAX && *next == 0 && server != VFS_SERVER_ID_PROC && server != VFS_SERVER_ID_VFS) {
			call->file = target;
			call->kind = kind;
			return 0;
		}
		error = call->operation(call, target, next);
		base = target;
		path = next;
	}
	client_release_right(held);
	return error == EREMOTE ? ELOOP : error;
}

int64_t path_run(struct path_call *call, int directory, const char *user)
{
	struct path_at at;
	int64_t result = path_begin(&at, directory, user, call->lookup, PORTICO_PATH_MAX);
	int error;

	if (result)
		return result;
	call->server = at.held ? at.held->server : VFS_SERVER_ID_VFS;
	if (at.self) {
		char name[32];
		struct text text;
		text_begin_in(&text, name, sizeof(name));
		text_put(&text, "self/fd/");
		text_put(&text, strcmp(at.path, ".") ? at.path : "");
		error = run_self(call, name);
		error = error < 0 ? ENOENT : error;
	} else {
		error = call->operation(call, at.base, at.path);
		if (error == EREMOTE)
			error = follow(call, at.base, at.path);
	}
	path_end(&at);
	return result_of(error);
}
