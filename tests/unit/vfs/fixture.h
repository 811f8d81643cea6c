/*
 * Common to the suites of vfs: a fresh name space behind generated client stubs, and short names for what tests do all
 * the time.
 *
 * Every helper fails the test when the call fails, unless it returns an errno.
 */
#ifndef VFS_FIXTURE_H
#define VFS_FIXTURE_H

#include "memory_host.h"
#include "serve.h"
#include <criterion/criterion.h>
#include <host.h>
#include <io_client.h>
#include <loopback.h>
#include <vfs_client.h>

#define CONTROL_BADGE (UINT64_C(1) << 56)
#define SERVER_BADGE (UINT64_C(2) << 56 | 3)
#define TEST_PID 7u /* of the first session: root */

extern port_name_t control; /* proc's right */
extern port_name_t top;     /* the root directory */

/* A name space with one session, root's, which the calls that follow are made by. */
void start(void);
/* Closes `top` and ends all sessions; then no file may be open, nobody wait, no lock, pipe or memory file be left. */
void stop(void);
/* For after a test, where Criterion counts no assertions: ends the process if it is not so. */
void must(bool condition, const char *otherwise);

/* The calls that follow are made by a process of this user, without capabilities; 0 is root with all of them. */
void become(uint32_t uid, uint32_t gid);
/* The session of the present caller: for tests that change credentials in place. */
struct session *myself(void);

port_name_t opened(const char *path, uint32_t flags, uint32_t mode);
port_name_t opened_at(port_name_t base, const char *path, uint32_t flags, uint32_t mode);
/* errno of open(2); what could be opened is closed again. */
int try_open(const char *path, uint32_t flags, uint32_t mode);
void closed(port_name_t file);

/* A file with these bytes. */
void file_with(const char *path, const char *text);
/* Does the file have exactly these bytes? */
bool has_text(const char *path, const char *text);
bool exists(const char *path);
struct attributes attributes_of(const char *path);
struct attributes attributes_of_link(const char *path);

int make_directory(const char *path);
int unlinked(const char *path);
int removed_directory(const char *path);
int renamed(const char *from, const char *to, uint32_t flags);
int linked(const char *from, const char *to);
int symlinked(const char *target, const char *path);

/* write(2), read(2) at the position through a window: bytes, or -errno. */
int64_t put(port_name_t file, const void *bytes, size_t size);
int64_t get(port_name_t file, void *bytes, size_t size);
int64_t put_text(port_name_t file, const char *text);

#endif
