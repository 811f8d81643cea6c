/*
 * A vfs and a root server for proc's tests: files by path, sessions told by proc, options, power.
 *
 * Not the generated fake: proc serves interface vfs itself, so that its handlers have the names that the fake would
 * have.
 */
#ifndef FAKE_VFS_H
#define FAKE_VFS_H

#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <types_types.h>

struct fake_file {
	const char *path;
	const void *bytes;
	size_t size;
	uint32_t mode, uid, gid;
	int error;          /* what opening it gives */
	port_name_t object; /* filled when it is opened first */
};

struct fake_session {
	uint64_t principal, parent;
	struct credentials cred;
	bool live;
};

struct fake_vfs {
	port_name_t port; /* receive right */
	struct fake_file file[32];
	unsigned files;
	struct fake_session session[256];
	unsigned sessions;
	int session_error;   /* what session_begin gives */
	unsigned ended_while_running; /* sessions that ended while their task could still run */
	char opened[8][256]; /* paths of open_program calls, in order */
	unsigned opens;
};

struct fake_root {
	port_name_t port;
	const char *run, *init;
	const void *libposix;
	size_t libposix_size;
	unsigned powers;
	uint32_t action;
	int32_t status;
	int64_t clock;
};

extern struct fake_vfs fake_vfs;
extern struct fake_root fake_root;

void fake_servers_reset(void);
void fake_add_file(const char *path, const void *bytes, size_t size, uint32_t mode, uint32_t uid, uint32_t gid);
struct fake_file *fake_find_file(const char *path);
/* The live session of a principal; NULL: none. */
struct fake_session *fake_session(uint64_t principal);
unsigned fake_sessions_live(void);

#endif
