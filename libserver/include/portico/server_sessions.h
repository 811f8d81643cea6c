/*
 * Session records of sig, tty, net and ipcd: who is who, as proc tells it.
 *
 * proc posts a notification before a change takes effect for anybody; it is received before any request of the process
 * concerned, and the details are pulled here. So a record is always there when a handler looks for its caller.
 * The records live in the keep.
 */
#ifndef PORTICO_SERVER_SESSIONS_H
#define PORTICO_SERVER_SESSIONS_H

#include <portico/rights.h>
#include <proc_types.h>
#include <stdint.h>

struct server_session {
	struct server_session *next_pid;        /* same bucket of the table by pid */
	struct server_session *next, *previous; /* all records, oldest first */
	uint64_t principal;
	uint32_t pid, parent, group, session;
	uint32_t uid, euid, suid, gid, egid;
	void *own; /* the server's own part, in the keep; the server frees it at death */
};

#define SESSION_BUCKETS 256u

/* Part of the server's root structure. */
struct server_sessions {
	struct server_session *bucket[SESSION_BUCKETS];
	struct server_session *first, *last;
	uint64_t cursor;
	uint32_t count;
	port_name_t proc;
};

/*
 * Subscribes to proc with `bit` of the service port's notifications. `changed` is called after the record was brought
 * up to date (death: before it is freed), may be NULL. 0 or an errno.
 */
int sessions_start(struct server_sessions *sessions, uint64_t bit,
                   void (*changed)(const struct proc_change *change, struct server_session *session));
/* Takes one change in; the tests call it, the rest is by notification. */
void sessions_apply(struct server_sessions *sessions, const struct proc_change *change,
                    void (*changed)(const struct proc_change *change, struct server_session *session));
/* NULL: no such process (any more). By principal, an older exec generation of a live pid is found too. */
struct server_session *sessions_by_pid(struct server_sessions *sessions, uint32_t pid);
struct server_session *sessions_by_principal(struct server_sessions *sessions, uint64_t principal);

#endif
