/*
 * The servers' library on the host: what a unit test may do to a server that it has linked in.
 *
 * Calls travel through tests/support/loopback.c; this file stands for the event loop, the clock, root's name service
 * and the keep's segment. Nothing happens by itself: the test says when a notification arrives, a sender goes away,
 * time passes.
 */
#ifndef LIBSERVER_HOST_H
#define LIBSERVER_HOST_H

#include <portico/server.h>

/* Empties the keep, callbacks, clock and records below: first thing in every test. */
void host_reset(void);

/* What the kernel would deliver. */
void host_notify(uint64_t bits);
void host_no_senders(uint64_t badge, uint64_t make_send);
void host_cancel(uint64_t request, bool died);
void host_dead_name(port_name_t name, uint64_t cookie);

/* Sets monotonic time; runs the server's timer when its deadline is reached. Time starts at 1 s. */
void host_set_time(uint64_t now);
/* The server's timer; DEADLINE_NEVER: off. */
uint64_t host_deadline(void);
/* Runs deferred steps until none is left; returns how many. */
unsigned host_run_deferred(void);

/* What server_lookup(name) answers. */
void host_service(const char *name, port_name_t port);
/* Says that a name is a right to the server's own port, with this badge (loopback rights to NAME_SERVICE are known as
 * such). */
void host_own_right(port_name_t name, uint64_t badge);
/* Bits that the server has sent through server_notify(name) since the last time it was asked. */
uint64_t host_notified(port_name_t name);
/* The poll events of a readiness slot, and its changes. */
uint32_t host_readiness(uint32_t slot);
/* The keep's segment gives no more than this from now on: out of memory. */
void host_limit_keep(size_t bytes);

#endif
