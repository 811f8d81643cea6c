/*
 * Loopback: clients and servers of host tests in one process, without a kernel.
 *
 * Above: generated client stubs through tests/include/portico/client.h, and handlers through <portico/server.h>, whose
 * part about a request in service is here; libserver/host has the rest (clock, callbacks, keep). It emulates what both
 * can see of the kernel: rights under names with badges and counts, regions, windows, parked callers. One thread; a
 * call runs the server's handler before it returns, calls nest. There are two IPC spaces, the client's and that of all
 * servers; every name is unique, so that a name of the wrong space is noticed. Using a name that does not exist on the
 * server's side, or releasing something twice, aborts: it is the bug one looks for.
 *
 * Timing, scheduling and memory protection are not emulated. Link loopback.c, loopback_rights.c, loopback_server.c and
 * libserver/status.c.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <portico/message.h>
#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_interface;
struct server_call;

enum loopback_side { LOOPBACK_CLIENT, LOOPBACK_SERVER };

/* What a stub returns whose caller was parked: an errno of no system. */
#define LOOPBACK_EPARKED 4095

/* ---- set-up ---- */

/* Forget everything and release all memory; NAME_SERVICE is a fresh receive right of the server. Call before each test.
 */
void loopback_reset(void);
/* Serve an interface at NAME_SERVICE; up to 8. libserver's server_register(), where it is not linked, does the same. */
void loopback_register(const struct server_interface *interface);
/* Another server's port that serves one interface: its receive right, a server's. */
port_name_t loopback_service(const struct server_interface *interface);
/* A send right of the servers for a port, with this badge: what server_lookup() should give (host_service). */
port_name_t loopback_server_right(port_name_t receive, uint64_t badge);
/* Told when the last send right of a port with this badge is gone, after `made` were made in all; NULL: nobody. Only
 * NAME_SERVICE's. */
void loopback_on_no_senders(void (*handler)(uint64_t badge, uint64_t made));
/* The principal of the client's messages; 1 at first. Nested calls have principal 0. */
void loopback_set_principal(uint64_t principal);

/* ---- rights: names in the client's space unless said otherwise ---- */

/* A send right of the client for the port of a receive right, with this badge. */
port_name_t loopback_connect(port_name_t receive, uint64_t badge);
/* A port of the client's own: its receive right, to be sent, or to gather notifications. */
port_name_t loopback_port(void);
/* A right of the given kind (enum right_kind) and side for a port that nobody serves: for tests of decoders. */
port_name_t loopback_stray(enum loopback_side side, uint32_t kind);
/* A name on that side of a send right for the port of `receive`, or PORT_NULL: what has become of a right that was
 * sent. */
port_name_t loopback_name_of(enum loopback_side side, port_name_t receive);
/* Kind (enum right_kind) of a name, 0 if there is none; badge of a name. */
uint32_t loopback_kind(port_name_t name);
uint64_t loopback_badge(port_name_t name);
/* Do two names lead to one port? */
bool loopback_same_port(port_name_t a, port_name_t b);
/* The port dies: calls to it give KERN_DEAD. */
void loopback_kill(port_name_t receive);
/* Live rights and regions of a side (not counting ports made by loopback_reset, loopback_service and
 * loopback_server_right): leak tests. */
size_t loopback_rights(enum loopback_side side);
size_t loopback_regions(enum loopback_side side);
/* Zeroed, page aligned memory of a side that can be sent as a region. */
void *loopback_region(enum loopback_side side, size_t size);

/* ---- parked callers ---- */

/* Id of the call that was parked last. */
uint64_t loopback_parked(void);
/* Has it been answered? */
bool loopback_answered(uint64_t id);
/* The next client call takes the answer of this one instead of going to a server: repeat the stub with the same
 * arguments. */
void loopback_resume(uint64_t id);
/* The nth window access from now (1: the next) gives KERN_PEER_FAULT once. */
void loopback_fault_window(unsigned nth);

/* What an event loop does apart from requests (notifications, timers) runs between these: it is the server's side. */
void loopback_enter(void);
void loopback_leave(void);

/* ---- messages by hand ---- */

/*
 * Deliver a request page as it is to a dispatcher, as if the kernel had put it there: rights and regions in it must be
 * the server's. Returns what the dispatcher returns; the reply, if any, is in loopback_reply_page().
 */
int64_t loopback_deliver(const struct server_interface *interface, const struct msg_page *request);

/* ---- below client.h ---- */

struct msg_page *loopback_send_page(void);
struct msg_page *loopback_reply_page(void);
int64_t loopback_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);
int64_t loopback_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);
/* Deliver this reply page (header, descriptors, bytes as they are) to the next client call, without a server. */
void loopback_forge_reply(const struct msg_page *page);
void loopback_release(port_name_t name);
void loopback_unmap(uint64_t address, uint64_t size);

#endif
