/*
 * From a path of the program to a server and a path for it: base rights, long paths, what leads into other servers, and the
 * names that only libposix can resolve (/proc/self/fd, /proc/self/exe).
 *
 * Above: files, directories, exec. Below: interface vfs of vfs and proc.
 */
#ifndef LIBPOSIX_PATHS_H
#define LIBPOSIX_PATHS_H

#include "fd.h"
#include "linux.h"

#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attributes;

/* A path ready to be sent: relative to `base`. The buffer holds it. */
struct path_at {
	port_name_t base;
	const char *path;
	port_name_t temporary;      /* a right that path_end releases */
	struct description *held;   /* the base descriptor */
	bool self;                  /* base is the open directory /proc/self/fd: path is below "self/fd/" of proc */
	char buffer[L_PATH_MAX];
};

/*
 * Copies the path, chooses its base (root, working directory or descriptor `directory`), and walks down until at most `limit`
 * bytes remain. lookup: VFS_LOOKUP_EMPTY_PATH allows the empty path. 0 or -errno; path_end in any case but an error.
 */
int64_t path_begin(struct path_at *at, int directory, const char *user, uint32_t lookup, size_t limit);
void path_end(struct path_at *at);

/* Names below proc's root that mean something of this process. */
enum self_kind {
	SELF_NONE,
	SELF_LIST,  /* self/fd */
	SELF_FILE,  /* self/fd/N, nothing behind it */
	SELF_EXE,   /* self/exe */
};

/* The last component. Pure. */
const char *path_last(const char *path);

/* What `rest`, a path below proc's root, means; *fd for SELF_FILE. "self", "thread-self" or `pid`. Pure. */
enum self_kind path_parse_self(const char *rest, uint32_t pid, int *fd);

/*
 * For exec: if the path is literally /proc/self/exe, /proc/self/fd/N or /dev/fd/N, `at` becomes what it stands for
 * (and *lookup gets VFS_LOOKUP_EMPTY_PATH). 0 or -errno.
 */
int64_t path_enter_self(struct path_at *at, uint32_t *lookup);

/*
 * An operation on one path. `operation` sends it to whatever base it is given; `on_self`, where it is not NULL, does it to an open
 * descriptor of this process (path /proc/self/fd/N). Both return 0 or a positive errno, EREMOTE as the server says it.
 */
struct path_call {
	int (*operation)(struct path_call *call, port_name_t base, const char *path);
	int (*on_self)(struct path_call *call, enum self_kind kind, int fd);
	uint32_t lookup;            /* VFS_LOOKUP_* */
	uint32_t open_flags, mode;  /* of an open; ~0, 0: the object is only looked at */
	uint32_t server;            /* VFS_SERVER_ID_* of the base that answered */
	/* What a referral that leaves no path said: the right is the object itself. */
	bool referred;
	/* Arguments and results of the various operations. */
	uint32_t kind;
	port_name_t file;
	bool placed;                /* on_self: `result` is the call's result */
	int64_t result;
	union {
		struct attributes *attributes;
		const void *input;
		void *output;
	};
	uint64_t number, number2;
	size_t size, done;
	const char *text;
};

/* Runs it. 0 or a negative errno. */
int64_t path_run(struct path_call *call, int directory, const char *user);

#endif
