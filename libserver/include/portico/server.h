/*
 * libserver: what every server is written against.
 *
 * Above: servers/ and drivers/, and the skeletons that stubgen generates. Below: the kernel's traps, which servers do
 * not call themselves, so that the same handlers run on the host (libserver/host and tests/support/loopback.c take this
 * place).
 *
 * A server is a single-threaded event loop over one service port (NAME_SERVICE): receive one message, run its handler,
 * commit. All effects of a handler that somebody else can see (replies to parked callers, notifications, releases of
 * rights and regions) go through functions of this file. Long-lived state lives in the keep and nowhere else: no other
 * writable global may hold state, and no address of code or stack may be stored there.
 *
 * Order of calls, downwards only: tty, net, ipcd, sig, proc -> vfs -> drivers -> root.
 */
#ifndef PORTICO_SERVER_H
#define PORTICO_SERVER_H

#include <portico/errno.h>
#include <portico/message.h>
#include <portico/rights.h>
#include <portico/status.h>
#include <portico/transaction.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- a request in service: for generated skeletons; handlers read principal and badge ---- */

/*
 * What a handler returns: 0, a positive errno, or one of these.
 * SERVER_PARKED: the reply right was moved to a struct server_reply (server_park) and is answered later.
 * SERVER_RESTART: a window access gave KERN_PEER_FAULT and nothing was changed: the kernel makes the caller's page
 * accessible in the caller's context and the whole request is sent again.
 */
enum server_result {
	SERVER_PARKED = -1,
	SERVER_RESTART = -2,
};

/*
 * Filled by the event loop (or the loopback) before dispatch. `in` is the request page: it stays as it is until the
 * handler has returned. `out` is a scratch page in which the skeleton builds header-less descriptors and inline bytes
 * of the reply; nested calls of the handler do not touch it. The skeleton sets reply_length and reply_descriptors,
 * which count only when dispatch returns 0.
 */
struct server_call {
	uint64_t principal; /* the caller: pid in the low half, exec generation in the high half */
	uint64_t badge;     /* the object */
	uint64_t request;   /* request id; 0: nobody waits for a reply */
	uint32_t ordinal;   /* MSG_ORDINAL(interface, routine) */
	port_name_t port;   /* receive right through which it came */
	const struct msg_page *in;
	struct msg_page *out;
	uint32_t in_length;         /* inline bytes of the request, <= MSG_INLINE_MAX */
	uint32_t in_descriptors;    /* <= MSG_DESCRIPTORS_MAX */
	uint32_t reply_length;      /* bytes of out->data */
	uint32_t reply_descriptors; /* of out->descriptor */
	uint32_t release;           /* bit i: what in->descriptor[i] named is not kept, and goes when the reply leaves */
};

/* One routine of an interface, for logs and tools. */
enum server_routine_kind { SERVER_ROUTINE, SERVER_QUERY, SERVER_ONEWAY, SERVER_ONCE };
struct server_routine {
	const char *name;
	uint16_t ordinal;
	uint8_t kind; /* enum server_routine_kind */
	uint8_t interruptible;
};

/*
 * Generated, one constant an interface. dispatch decodes call->in, runs the handler and builds the reply in call->out.
 * It returns 0 or a positive errno (the reply to send), SERVER_PARKED (nothing is sent now; also for one-way messages),
 * or SERVER_RESTART. In call->release it leaves what is to be released, whatever it returns. A message that does not decode and an unknown ordinal are errors like any other.
 */
struct server_interface {
	uint16_t number;
	uint16_t routine_count;
	uint32_t revision;
	const char *name;
	int64_t (*dispatch)(struct server_call *call);
	const struct server_routine *routines;
};

/*
 * A parked caller. Lives in the keep; all zero: empty. Each is answered once: X_reply_routine() or server_reply_error()
 * empties it. A caller that dies or is interrupted is told by server_on_cancel; it is to be answered all the same.
 */
struct server_reply {
	port_name_t name; /* send-once right, PORT_NULL: empty */
	uint32_t ordinal; /* of the request */
	uint64_t request; /* request id: matches the one told by server_on_cancel */
};

/* An out port: the handler sets name (PORT_NULL: a null right) and, for make_send, badge and RIGHT_* flags. */
struct server_port {
	port_name_t name;
	uint32_t flags;
	uint64_t badge;
};

/* A region: whole pages, page aligned; size in bytes. An in region that is not taken is unmapped by the skeleton. */
struct server_region {
	uint64_t address;
	uint64_t size;
};

/* A window on the caller's memory. May be copied into the keep when the caller is parked, then rebased. */
struct server_window {
	port_name_t reply; /* PORT_NULL: of the request in service */
	uint32_t index;    /* of its descriptor */
	uint64_t size;     /* bytes; 0 also when the caller gave none */
};

/* Takes an incoming right: the name is now the handler's, who releases it in the end. */
static inline port_name_t server_take(port_name_t *name)
{
	port_name_t taken = *name;
	*name = PORT_NULL;
	return taken;
}

/* Takes an incoming region; its mapping is now the handler's. Returns its address. */
static inline uint64_t server_take_region(struct server_region *region)
{
	uint64_t address = region->address;
	region->address = 0;
	region->size = 0;
	return address;
}

/* Moves the reply right of the request in service to `reply`. SERVER_PARKED, or an errno: ENOMEM; EINVAL: one-way. */
int server_park(struct server_call *call, struct server_reply *reply);

/* Makes a window of a request in service usable after server_park() of that request. */
static inline void server_window_rebase(struct server_window *window, const struct server_reply *reply)
{
	window->reply = reply->name;
}

/*
 * Copies between the caller's memory at `offset` of the window and own memory. Returns bytes copied (fewer than
 * `length` only when the window ends there), or a negative kern_status: KERN_PEER_FAULT: the page is to be brought in
 * first (return SERVER_RESTART, or server_restart() for a parked caller; bytes before it may have been copied);
 * KERN_GONE: the caller is no more.
 * The kernel writes past the undo log: `to` may lie in the keep only where the contents do not matter if the request is given up. Bytes on
 * which a decision hangs are sampled (server_sample) right after: the caller can change them while the handler is executed again.
 */
int64_t server_window_read(const struct server_window *window, uint64_t offset, void *to, size_t length);
int64_t server_window_write(const struct server_window *window, uint64_t offset, const void *from, size_t length);

/*
 * For generated X_reply_routine: the page in which a late reply is built, and its sending: lengths as by MSG_LENGTH(),
 * error 0 or an errno (then lengths count as 0). Empties `reply`. Never blocks, never fails; an empty token is ignored.
 */
struct msg_page *server_send_page(void);
void server_send_reply(struct server_reply *reply, uint64_t lengths, int error);
/* Answers a parked caller with an error. */
void server_reply_error(struct server_reply *reply, int error);
/* Gives a parked request up with RESTART at the place where the last window access met KERN_PEER_FAULT. */
void server_restart(struct server_reply *reply);

/* Releases a right of any kind; PORT_NULL is ignored. */
void server_release_right(port_name_t name);
/* Unmaps a region; size 0 is ignored. */
void server_release_region(uint64_t address, uint64_t size);

/* ---- the event loop ---- */

/* The server's own: initialises its root structure, registers interfaces and callbacks, ends in server_run(). */
int server_main(void);

/* Serves an interface on the service port. Interface numbers are below SERVER_INTERFACES. */
#define SERVER_INTERFACES 256u
void server_register(const struct server_interface *interface);

/* port_notify, timers and interrupts: `bits` gathered since the last time. Called for the bits in `mask`; up to 8
 * callbacks. */
void server_on_notify(uint64_t mask, void (*handler)(uint64_t bits));
/*
 * The last send right with `badge` is gone, of `make_send` made since there were none: rights in messages under way count as live. A
 * server that makes rights of one badge again and again compares the count with its own. Badges are never delivered
 * twice without a right made between.
 */
void server_on_no_senders(void (*handler)(uint64_t badge, uint64_t make_send));
/* A parked (or by now answered) request's caller was interrupted or overdue (died: false), or died. Unknown ids are to
 * be ignored. */
void server_on_cancel(void (*handler)(uint64_t request, bool died));
/* A name for which server_watch_death() was called has become a dead name. */
void server_on_dead_name(void (*handler)(port_name_t name, uint64_t cookie));
int server_watch_death(port_name_t name, uint64_t cookie);

/* The timer's handler is called once when monotonic time (ns) reaches `deadline`, as a transaction of its own; the last call
 * counts; DEADLINE_NEVER: off. One timer a server. The deadline is kept; the handler is registered by server_main. */
void server_on_timer(void (*handler)(void));
void server_set_timer(uint64_t deadline);
/* Further steps of a long operation: the handler is called, as a transaction of its own, after a transaction that called server_defer(). */
void server_on_deferred(void (*step)(void));
void server_defer(void);

/* Adds a receive right to those on which the loop receives. 0 or an errno. */
int server_add_port(port_name_t receive);

/* Never returns. */
_Noreturn void server_run(void);

/* ---- time ---- */

/* Monotonic nanoseconds: what deadlines are measured in. */
uint64_t server_now(void);
/* Nanoseconds since 1970-01-01 00:00:00 UTC; in a transaction that changes something, always the same. */
int64_t server_realtime(void);

/* ---- rights ---- */

/* A send right to another service, from root, which may wait until it is up; kept for ever. PORT_NULL: no such service.
 */
port_name_t server_lookup(const char *name);
/* A new send right to the own service port: RIGHT_NOTIFY (badge 0, for others to port_notify), or with a badge and
 * flags. PORT_NULL: no memory. */
port_name_t server_notify_right(void);
port_name_t server_make_right(uint64_t badge, uint32_t flags);
/* Is the name a send right to our own service port? Then its badge. */
bool server_own_badge(port_name_t name, uint64_t *badge);
/* port_notify through a RIGHT_NOTIFY right; never blocks. False: the port is dead. */
bool server_notify(port_name_t name, uint64_t bits);

/* An out port of the skeleton: a right to an object of our own. */
static inline void server_port_badge(struct server_port *port, uint64_t badge, uint32_t flags)
{
	port->name = NAME_SERVICE;
	port->badge = badge;
	port->flags = flags;
}

/* ---- the keep ---- */

/* The root structure: zeroed at first start, at one address for ever. Call once, first thing. Panics if it does not
 * fit. */
void *server_keep_root(size_t size);
/* Zeroed, 16-byte aligned; NULL when the segment or the ledger is exhausted: ENOMEM or ENOSPC to the caller. */
void *keep_allocate(size_t size);
/*
 * The same with `size` bytes of contents, of `room` in all: the rest is zero. Cheaper than to allocate and to fill, because the undo log need not know of
 * what a new block holds.
 */
void *keep_make(const void *contents, size_t size, size_t room);
/* Keeps the contents; NULL: nothing changed. Bytes beyond the old size are zero. */
void *keep_resize(void *p, size_t size);
/* NULL is ignored. Freeing twice panics. */
void keep_free(void *p);
/* Bytes in live blocks: leak tests. */
size_t keep_used(void);
/* How many bytes of another server's keep were ever given out; the first KEEP_EXTENT_BYTES of it are at `start`; 0: it is no keep. It has the same libserver. */
#define KEEP_EXTENT_BYTES 256u
size_t keep_extent(const void *start);

/* ---- log ---- */

/* A line for the kernel log, newline added, cut at 1200 bytes. Not for hot paths. */
void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void server_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
