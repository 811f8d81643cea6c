/*
 * Sockets of AF_UNIX. Above: struct family (unix_family.c). Linux's net/unix/af_unix.c is what they are compared with.
 *
 * A connection is two sockets that are each other's peer. Bytes and datagrams lie in the receiver's queue as messages that the sender is charged for.
 * A stream's or seqpacket's peer that ended stays the peer, released, until this one ends; a datagram socket lets go of it when it
 * next sends.
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include "net.h"

#define UNIX_ADDRESS_MAX 110u  /* sizeof(struct sockaddr_un) */
#define UNIX_NAME_MAX 111u     /* ... and the zero byte of a path for which there was no room in it */
#define UNIX_PATH_OFFSET 2u    /* of sun_path */
#define UNIX_QUEUE_MAX 10u     /* max_dgram_qlen: messages in a queue before senders that are not its peer wait */
#define UNIX_PART_MAX 65536u   /* of a stream, in one request */

/* A name that a socket is bound to. Shared by a listener and the connections that were accepted from it. */
struct unix_name {
	struct unix_name *next; /* same bucket, while it has an owner */
	uint32_t references;
	struct unix_socket *owner; /* who is found by it; NULL: nobody any more */
	uint64_t node;             /* number of the socket file; 0: an abstract name */
	uint32_t size;
	uint8_t address[UNIX_NAME_MAX];
};

#define UNIX_NAME_BUCKETS 512u

struct unix_names {
	struct unix_name *bucket[UNIX_NAME_BUCKETS];
	uint32_t next_automatic;
};

struct unix_message {
	struct unix_message *next;
	struct unix_socket *from; /* with a reference: charged, and its name is the sender's address */
	uint64_t size, taken;     /* bytes, and how many of them were read */
	struct sender sender;
	bool has_sender;
	struct passed_set *rights;
	uint8_t bytes[];
};

struct unix_socket {
	struct socket socket;
	struct unix_name *name;
	struct unix_socket *peer; /* with a reference */
	struct sender self, other; /* SO_PEERCRED: what the peer is told, what this one is told */
	struct unix_message *first, *last;
	uint64_t bytes;    /* in the queue */
	uint32_t messages; /* in the queue */
	uint64_t charged;  /* for messages that nobody has read */
	uint64_t unsent;   /* bytes of those */
	/* Datagrams: sockets whose peer this one is, and this one's place among those of its own peer. */
	struct list followers, follows;
	/* A listener: connections that nobody has accepted, each a reference. */
	struct unix_socket *pending_first, *pending_last, *next_pending;
	uint32_t pending, backlog;
};

static inline struct unix_socket *unix_of(struct socket *s)
{
	return (struct unix_socket *)s;
}
static inline const struct unix_socket *unix_const(const struct socket *s)
{
	return (const struct unix_socket *)s;
}

/* ---- unix_name.c ---- */

void unix_names_initialise(void);
/* An address as it can be bound to or looked for. 0 or EINVAL. */
int unix_check_address(const uint8_t *address, size_t size);
int unix_bind(struct socket *s, const uint8_t *address, size_t size, uint64_t node);
/* bind to a name of our choice, if it has none. */
int unix_bind_automatic(struct unix_socket *u);
/* Who is bound to it, with a reference. ECONNREFUSED, EPROTOTYPE, EINVAL. */
int unix_find(struct socket *s, const uint8_t *address, size_t size, uint64_t node, struct socket **to);
/* It is found no more; the name itself stays to be told. */
void unix_name_leave(struct unix_socket *u);
void unix_name_put(struct unix_name *name);

/* ---- unix_queue.c ---- */

/* A message of `size` bytes from the sending's window or bytes, behind those that were taken already. 0, SERVER_RESTART, EFAULT, ENOBUFS, ENOMEM. */
int unix_message_new(struct unix_socket *from, struct sending *sending, uint64_t size, struct unix_message **made);
/* Into the queue. With the sending's rights and sender. */
void unix_message_put(struct unix_socket *to, struct unix_message *m, struct sending *sending);
/* The first one, out of the queue and freed. Its rights are released if they are still there. */
void unix_message_drop(struct unix_socket *u);
/* Copies `size` bytes of a message, from `skip` on, to where they are wanted, behind r->done. 0, SERVER_RESTART, EFAULT. */
int unix_message_read(const struct unix_message *m, uint64_t skip, uint64_t size, struct receiving *r);
/* Sender's credentials and address, as of this message. */
void unix_message_tell(const struct unix_socket *u, const struct unix_message *m, struct receiving *r);

/* ---- unix_connect.c ---- */

int unix_listen(struct socket *s, const struct server_session *who, int32_t backlog);
int unix_accept(struct socket *s, uint32_t flags, struct socket **made, uint8_t *address, size_t *size);
int unix_connect(struct socket *s, const struct server_session *who, struct socket *to, struct list **list);
int unix_pair(const struct server_session *who, struct socket *first, struct socket *second);
int unix_shutdown(struct socket *s, uint32_t how);
void unix_release(struct socket *s);
/* This queue is full now, or not any more: whether its followers can send hangs on it. */
void unix_tell_followers(struct unix_socket *u);
/* The peer of a datagram socket is another one, or none. */
void unix_disconnect(struct unix_socket *u);

/* ---- unix_stream.c, unix_datagram.c ---- */

int unix_stream_send(struct unix_socket *u, struct sending *sending);
int unix_stream_receive(struct unix_socket *u, struct receiving *r);
int unix_datagram_send(struct unix_socket *u, struct sending *sending);
int unix_datagram_receive(struct unix_socket *u, struct receiving *r);
bool unix_queue_full(const struct unix_socket *u);
bool unix_writable(const struct unix_socket *u);

/* As getsockname(2) tells it; NULL: the family alone. */
void unix_put_name(const struct unix_name *name, uint8_t *address, size_t *size);

extern const struct family unix_family;

#endif
