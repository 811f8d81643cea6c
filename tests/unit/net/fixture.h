/*
 * A running net for tests: calls through generated stubs over the loopback; below, the generated fake of proc and a fake kernel.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <criterion/criterion.h>
#include <host.h>
#include <io_client.h>
#include <loopback.h>
#include <net.h>
#include <net_client.h>
#include <portico/client.h>
#include <portico/net_badge.h>
#include <proc_fake.h>
#include <string.h>
#include <unix.h>

enum { OWNER = 10, CHILD = 11, OTHER = 20, SUPER = 1 }; /* processes; OWNER and CHILD: uid 1000, OTHER: 2000, SUPER: 0 */

void fixture_begin(void);
extern port_name_t net; /* an ordinary process's right */

/* The process that calls from now on. */
void as(uint32_t pid);
void change(uint32_t pid, uint8_t kind);

/* A right of the client to a file of vfs; to a port of its own; to a memory object. */
port_name_t vfs_file(uint64_t badge);
port_name_t own_port(void);
port_name_t memory_object(void);
/* What vfs would mint for socket file `number`. */
port_name_t socket_file(bool new, uint64_t number);

/* The call parks; its id. Its answer comes with the same call after answered(id). */
uint64_t parked(int status);
#define PARKS(call) parked(call)
#define answered(id) loopback_answered(id)
#define AFTER(id, call) (loopback_resume(id), (call))

/* Nothing is left behind: all rights are closed by now, all processes end. */
void expect_nothing_left(void);

/* ---- short forms ---- */

extern char text[NET_INLINE_MAX + 1]; /* what was received last */
extern struct net_received got;
extern uint8_t from[NET_ADDRESS_MAX];
extern size_t from_size;

port_name_t make(uint32_t type);
void pair(uint32_t type, port_name_t *a, port_name_t *b);
int bind_to(port_name_t socket, const char *abstract);
int connect_to(port_name_t socket, const char *abstract);
int send_flags(port_name_t socket, const char *words, uint32_t flags);
int send_with(port_name_t socket, const char *words, uint64_t bundle);
int receive_flags(port_name_t socket, uint32_t flags);
static inline int send_now(port_name_t socket, const char *words)
{
	return send_flags(socket, words, MSG_DONTWAIT);
}
static inline int receive_now(port_name_t socket)
{
	return receive_flags(socket, MSG_DONTWAIT);
}
/* Stages one descriptor. */
int stage(port_name_t right, uint8_t type, uint64_t *bundle);
/* Collects one. */
int collect_one(uint64_t bundle, struct net_passed *what, port_name_t *right);
uint32_t events_of(port_name_t socket);

#endif
