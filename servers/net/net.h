/*
 * net: sockets. Root structure, records, and what the files of this folder offer each other.
 *
 * Above: libposix (interface net; interface io on sockets). Below: proc (who is who, what may it) and the kernel (kernel_ops.h). vfs mints rights on this server's
 * port for socket files (portico/net_badge.h). All state hangs off struct net_root, in the keep. Behaviour and errors are those of Linux
 * (net/socket.c, net/core/sock.c, net/unix/) and its man pages.
 *
 * Layers: serve_*.c (handlers: arguments, sessions) -> socket.c, wait.c, options.c (any socket) -> struct family -> unix_*.c. See docs/decisions/009.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <net_types.h>
#include <portico/server.h>
#include <portico/server_sessions.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- Linux's numbers ---- */

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_MAX = 46 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_MAX = 11 };
enum { MSG_OOB = 1, MSG_PEEK = 2, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000 };
enum { SHUT_RECEIVE = 1, SHUT_SEND = 2, SHUT_BOTH = 3 }; /* in a record */
#define SOL_SOCKET 1u
#define O_RDWR 2u
#define O_NONBLOCK 04000u
#define SEND_BUFFER_DEFAULT 212992u
#define BACKLOG_MAX 4096

#define POLL_IN 0x0041u  /* POLLIN | POLLRDNORM */
#define POLL_OUT 0x0304u /* POLLOUT | POLLWRNORM | POLLWRBAND */
#define POLL_ERR 0x0008u
#define POLL_HUP 0x0010u
#define POLL_RDHUP 0x2000u

#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))
enum net_capability { CAPABILITY_CHOWN = 0, CAPABILITY_FOWNER = 3, CAPABILITY_SETGID = 6, CAPABILITY_SETUID = 7, CAPABILITY_NET_ADMIN = 12, CAPABILITY_SYS_ADMIN = 21, CAPABILITY_SYS_RESOURCE = 24 };

/* Bits of port_notify. */
#define NOTIFY_CHANGES UINT64_C(1)

/* What an operation returns that cannot be done now. No errno, no server_result. */
#define WOULD_BLOCK (-100)

/* ---- lists ---- */

struct list {
	struct list *next, *previous;
};

static inline void list_init(struct list *head)
{
	head->next = head->previous = head;
}
static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}
static inline void list_append(struct list *head, struct list *item)
{
	item->next = head;
	item->previous = head->previous;
	head->previous->next = item;
	head->previous = item;
}
static inline void list_unlink(struct list *item)
{
	item->next->previous = item->previous;
	item->previous->next = item->next;
}
#define list_item(item, type, member) ((type *)((char *)(item)-offsetof(type, member)))

/* ---- account.c: what a user has here ---- */

struct account {
	struct account *next;
	uint32_t uid;
	uint32_t users;     /* records that name it */
	uint64_t bytes;     /* of the keep */
	uint64_t in_flight; /* descriptors */
};

/* The account of a user, with one more that names it. NULL: no memory. */
struct account *account_of(uint32_t uid);
void account_put(struct account *account);
/* Charges bytes of the keep. False: the user has its share. uid 0 has no limit. */
bool account_charge(struct account *account, uint64_t bytes);
void account_refund(struct account *account, uint64_t bytes);

/* ---- process.c, access.c: who calls, and what it may ---- */

/* What proc said of the caller, kept until it changes. */
struct authority {
	bool known;
	uint64_t capabilities;
	uint32_t sgid;
};

/* net's part of a session record; made at the first need. */
struct process {
	struct server_session *session;
	struct bundle *bundles;
	struct authority authority;
};

/* Who sent a message, or whom a peer is: as of then. pid 0: nobody. */
struct sender {
	uint32_t pid, uid, gid;
};
#define NOBODY_ID 65534u /* what an id is shown as that is not known */

void session_changed(const struct proc_change *change, struct server_session *session);
/* NULL: no memory. */
struct process *process_record(struct server_session *session);
/* The caller. NULL: no such process, or an earlier image of it: ESRCH. */
struct server_session *caller_of(const struct server_call *call);
bool access_capable(struct server_session *s, enum net_capability capability);
/* May a process say that it is this sender (SCM_CREDENTIALS)? 0, EPERM, ESRCH. */
int access_credentials(struct server_session *s, const struct sender *claimed);

/* ---- passed.c: descriptors in flight ---- */

struct passed {
	struct net_passed what;
	port_name_t right;     /* PORT_NULL: a socket of ours, or none */
	struct socket *socket; /* in flight, by a reference */
};

/* Descriptors that travel together. */
struct passed_set {
	uint32_t references; /* messages, bundles, parked senders */
	uint32_t count, room;
	struct account *account; /* of who sent them */
	struct passed item[];
};

/* A set that a process can name. */
struct bundle {
	struct bundle *next;
	struct process *process;
	uint64_t number;
	uint32_t taken; /* of the set's items */
	struct passed_set *set;
};

struct bundle *bundle_find(const struct process *p, uint64_t number);
/* The process may collect the set; takes over the reference. NULL: no memory, and the reference is the caller's still. */
struct bundle *bundle_new(struct process *p, struct passed_set *set);
/* What a `send` names: the set with a reference more; *set NULL for bundle 0. 0 or EINVAL. */
int bundle_set(const struct server_session *s, uint64_t number, struct passed_set **set);
/* The message is on its way: the sender has the bundle no more. */
void bundle_used(const struct server_session *s, uint64_t number);
void bundle_free(struct bundle *bundle);
void set_put(struct passed_set *set);

/* ---- collect.c ---- */

/* Something changed because of which sockets in flight may be garbage: looked for by a transaction of its own. */
void collect_later(void);
void collect(void);

/* ---- socket.c: records, ends, changes ---- */

enum socket_state { SOCKET_UNCONNECTED, SOCKET_LISTENING, SOCKET_CONNECTED };

/* Options of SOL_SOCKET that are kept; what they mean is the family's. */
struct socket_options {
	uint32_t send_buffer, receive_buffer;
	uint32_t receive_low, priority, mark;
	uint64_t receive_timeout, send_timeout; /* ns; 0: for ever */
	uint32_t linger_on, linger_seconds;
	uint32_t on; /* a bit for each that is on or off: 1 << its number */
	int32_t peek_offset;
};

/* Begins the record of every socket, whatever its family. */
struct socket {
	struct socket *next; /* same bucket of the table by badge */
	uint64_t badge;      /* 0: nobody has had a right yet */
	uint64_t made;       /* rights that were made of it since there were none */
	bool held;           /* processes have some */
	bool released;
	bool changed, fresh; /* in the list of what is to be looked at; new data */
	uint8_t family, type; /* a constant of net_types or Linux */
	uint8_t state;       /* enum socket_state */
	uint8_t shutdown;    /* SHUT_* */
	uint32_t protocol;
	uint32_t flags;      /* O_NONBLOCK */
	uint32_t references; /* 1 until it is released; messages, peers, waiters */
	uint32_t in_flight;  /* sets that it is in */
	struct list flying;  /* all sockets with in_flight != 0 */
	uint32_t outside;    /* collect.c */
	bool suspect;
	int32_t error;       /* SO_ERROR */
	uint32_t ready;      /* readiness slot; 0: none yet */
	uint32_t events;     /* that its word says */
	struct socket *next_changed;
	struct list receivers; /* parked: receive, accept */
	struct list senders;   /* parked: send */
	struct list visitors;  /* parked callers of others: connect, or send to this one */
	struct account *account;
	uint64_t inode;
	uint32_t uid, gid, mode;
	int64_t created; /* ns since 1970 */
	struct socket_options options;
};

/* Interface io's name for it. */
struct open_file {
	struct socket socket;
};

#define SOCKET_BUCKETS 4096u

/* A record of `size` bytes that begins with a struct socket, for nobody yet. NULL: no memory, or the user has its share. */
struct socket *socket_new(const struct server_session *s, size_t size, uint32_t family, uint32_t type, uint32_t protocol, uint32_t flags);
/* A process gets a right: gives the socket its badge, fills the out port. */
void socket_give(struct socket *s, struct server_port *port);
/* The same as a name of ours, to be moved. PORT_NULL: no memory. */
port_name_t socket_right(struct socket *s);
struct socket *socket_by_badge(uint64_t badge);
void socket_get(struct socket *s);
void socket_put(struct socket *s);
/* It is in one set more, or less; in the second case it may be released. */
void socket_flies(struct socket *s);
void socket_lands(struct socket *s);
/* Nobody has it, or can have it: it ends now. */
void socket_release(struct socket *s);
void sockets_no_senders(uint64_t badge, uint64_t make_send);
/* Something happened to it: waiters are tried and its word is set before the handler returns. fresh: data or a connection came. */
void socket_changed(struct socket *s, bool fresh);
/* Goes through what has changed until nothing has: at the end of each transaction. */
void sockets_settle(void);
/* SO_ERROR, which is cleared. */
int socket_take_error(struct socket *s);

/* ---- wait.c: parked callers ---- */

enum wait_kind {
	WAIT_READ, WAIT_READ_INLINE, WAIT_RECEIVE, WAIT_RECEIVE_INLINE, /* receivers */
	WAIT_ACCEPT,
	WAIT_WRITE, WAIT_WRITE_INLINE, WAIT_SEND, WAIT_SEND_INLINE,
	WAIT_CONNECT,
};

/* What a send is about. The bytes come from the window, or are in `message` already. */
struct sending {
	uint32_t flags;
	uint64_t size;
	struct server_window *window; /* NULL: in `bytes` */
	const void *bytes;
	struct sender sender;
	bool explicit_sender;     /* SCM_CREDENTIALS */
	bool again;               /* the caller has waited */
	struct passed_set *rights;
	struct socket *to;        /* the destination that was named; NULL: the peer */
	/* result */
	uint64_t done;
	struct list *wait; /* WOULD_BLOCK: where the caller waits */
};

/* What a receive is about, and what it gave. */
struct receiving {
	uint32_t flags;
	uint64_t size;
	struct server_window *window; /* NULL: to `bytes` */
	void *bytes;
	bool plain;    /* read(2): nobody takes what goes with the bytes */
	bool blocking; /* the caller can be parked */
	/* result */
	uint64_t done;
	struct net_received result;
	struct passed_set *rights; /* a reference */
	uint8_t address[NET_ADDRESS_MAX];
	size_t address_size;
};

struct waiter {
	struct list queued;
	struct waiter *next_request; /* same bucket */
	uint64_t request;
	struct server_reply reply;
	uint32_t kind; /* enum wait_kind */
	uint32_t flags;
	uint64_t principal;
	struct socket *socket; /* whose call it is, with a reference */
	struct list timed;     /* all with a deadline, soonest first */
	uint64_t deadline;     /* 0: none */
	struct server_window window;
	uint64_t size;
	void *bytes; /* WAIT_SEND_INLINE: what is to be sent */
	struct sender sender;
	bool explicit_sender;
	uint64_t bundle; /* used up when it is sent */
	struct passed_set *rights;
	struct socket *to;
};

#define WAIT_BUCKETS 1024u

/* Parks the caller of a request in a list; ns of SO_*TIMEO, 0: for ever. *made is to be filled. SERVER_PARKED or an errno. */
int wait_park(struct server_call *call, struct socket *s, struct list *list, enum wait_kind kind, uint64_t timeout, struct waiter **made);
/* Tries those in the list again, in their order, until one must go on waiting. */
void wait_retry(struct list *list);
/* All of them are answered with this error. */
void wait_fail(struct list *list, int error);
/* Answers with an error (or SERVER_RESTART) and forgets the caller; the second: it was answered. */
void wait_answer(struct waiter *w, int error);
void wait_done(struct waiter *w);
void wait_cancelled(uint64_t request, bool died);
void wait_overdue(void);

/* ---- serve_transfer.c, serve_connection.c: what is tried again; 0: it is answered; WOULD_BLOCK: in *list; else the error to answer with ---- */

int transfer_receive_again(struct waiter *w);
int transfer_send_again(struct waiter *w, struct list **list);
int accept_again(struct waiter *w);
int connect_again(struct waiter *w, struct list **list);

/* The number of the socket file that a right of vfs's making names; 0 without a right. new: it was made for this call. 0 or EINVAL. */
int file_number(port_name_t name, bool new, uint64_t *number);

/* ---- family.c: what each address family does ---- */

/*
 * Operations return 0 or an errno; those that may wait return WOULD_BLOCK then, having changed nothing. They mark sockets as changed.
 * `s` is of the family. NULL operations: EOPNOTSUPP.
 */
struct family {
	size_t size; /* of a record */
	int (*create)(const struct server_session *who, uint32_t type, uint32_t protocol, uint32_t flags, struct socket **made);
	int (*pair)(const struct server_session *who, struct socket *first, struct socket *second);
	/* node: number of a socket file, by vfs; 0: none was given. */
	int (*bind)(struct socket *s, const uint8_t *address, size_t size, uint64_t node);
	int (*listen)(struct socket *s, const struct server_session *who, int32_t backlog);
	int (*accept)(struct socket *s, uint32_t flags, struct socket **made, uint8_t *address, size_t *size);
	/* Whom connect(2) means, with a reference; NULL: nobody (AF_UNSPEC). */
	int (*find)(struct socket *s, const uint8_t *address, size_t size, uint64_t node, struct socket **to);
	/* WOULD_BLOCK: *list is where the caller waits. */
	int (*connect)(struct socket *s, const struct server_session *who, struct socket *to, struct list **list);
	/* Whom a message with an address is for, with a reference; NULL: the peer. */
	int (*destination)(struct socket *s, const uint8_t *address, size_t size, uint64_t node, struct socket **to);
	/* On success the rights are the message's. */
	int (*send)(struct socket *s, struct sending *sending);
	int (*receive)(struct socket *s, struct receiving *receiving);
	int (*shutdown)(struct socket *s, uint32_t how);
	void (*local_address)(const struct socket *s, uint8_t *address, size_t *size);
	int (*peer_address)(const struct socket *s, uint8_t *address, size_t *size);
	uint32_t (*events)(const struct socket *s);
	/* Room came: may those who wait to send be tried? */
	bool (*writable)(const struct socket *s);
	bool (*visitable)(const struct socket *s);
	int (*available)(const struct socket *s, uint64_t *bytes);
	uint64_t (*unsent)(const struct socket *s);
	void (*peer_sender)(const struct socket *s, struct sender *peer);
	/* It ends: names, peer, queue. The record stays until its references are gone. */
	void (*release)(struct socket *s);
	/* Calls `visit` for each set in the queues that only this socket can empty. */
	void (*each_set)(struct socket *s, void (*visit)(struct passed_set *set));
	/* The record goes. */
	void (*end)(struct socket *s);
};

/* NULL: no such family. */
const struct family *family_of(uint32_t number);
static inline const struct family *family(const struct socket *s)
{
	return family_of(s->family);
}

/* ---- options.c ---- */

int option_get(struct socket *s, uint32_t option, uint8_t *value, size_t *size);
int option_set(struct server_session *who, struct socket *s, uint32_t option, const uint8_t *value, size_t size);
#define OPTION_PASSCRED 16u
static inline bool option_on(const struct socket *s, uint32_t option)
{
	return (s->options.on >> option & 1) != 0;
}

/* ---- the root structure ---- */

/* Servers whose files may be in flight: by VFS_SERVER_ID_*. */
#define KNOWN_SERVERS 8u

struct net_root {
	struct server_sessions sessions;
	struct socket *sockets[SOCKET_BUCKETS];
	uint64_t next_badge, next_inode, next_bundle;
	uint32_t count;
	struct account *accounts;
	struct waiter *waiting[WAIT_BUCKETS];
	struct list timed;
	struct list flying;
	struct socket *first_changed, *last_changed; /* none between transactions */
	bool collecting; /* a collection is due */
	struct unix_names *unix_names;
	uint64_t port[KNOWN_SERVERS]; /* object ids of their service ports; 0: there is none */
	port_name_t known[KNOWN_SERVERS];
};

extern struct net_root *root;

/* A right of interface net that is no socket. */
struct net_caller {
	char unused;
};

/* main.c: all of the start but the event loop. */
void net_initialise(void);

#endif
