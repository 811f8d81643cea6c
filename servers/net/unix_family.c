/*
 * AF_UNIX as a family: the table of operations, and those that are too short for a file of their own.
 */
#include "unix.h"

#include <portico/strings.h>

/* ---- begin and end of a record ---- */

static int create(const struct server_session *who, uint32_t type, uint32_t protocol, uint32_t flags, struct socket **made)
{
	if (protocol != 0 && protocol != AF_UNIX)
		return EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM; /* as Linux */
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return ESOCKTNOSUPPORT;
	*made = socket_new(who, sizeof(struct unix_socket), AF_UNIX, type, 0, flags);
	if (*made == NULL)
		return ENOMEM;
	struct unix_socket *u = unix_of(*made);
	list_init(&u->followers);
	u->other = (struct sender){0, UINT32_MAX, UINT32_MAX};
	return 0;
}

static void end(struct socket *s)
{
	unix_name_put(unix_of(s)->name);
}

/* ---- bytes ---- */

static int send(struct socket *s, struct sending *sending)
{
	return s->type == SOCK_STREAM ? unix_stream_send(unix_of(s), sending) : unix_datagram_send(unix_of(s), sending);
}

static int receive(struct socket *s, struct receiving *r)
{
	return s->type == SOCK_STREAM ? unix_stream_receive(unix_of(s), r) : unix_datagram_receive(unix_of(s), r);
}

static int destination(struct socket *s, const uint8_t *address, size_t size, uint64_t node, struct socket **to)
{
	*to = NULL;
	if (s->type == SOCK_STREAM)
		return s->state == SOCKET_CONNECTED ? EISCONN : EOPNOTSUPP;
	if (s->type == SOCK_SEQPACKET)
		return 0; /* not looked at */
	int error = unix_check_address(address, size);
	return error != 0 ? error : unix_find(s, address, size, node, to);
}

/* Room, or an end that those who wait have to be told. */
static bool writable(const struct socket *s)
{
	return s->error != 0 || (s->shutdown & SHUT_SEND) != 0 || unix_writable(unix_const(s));
}

/* May those who wait for room here go on: to connect, or to send? Who finds an end here has to be told that, too. */
static bool visitable(const struct socket *s)
{
	const struct unix_socket *u = unix_const(s);

	if (s->released || (s->shutdown & SHUT_RECEIVE) != 0)
		return true;
	return s->state == SOCKET_LISTENING ? u->pending <= u->backlog : !unix_queue_full(u);
}

static int available(const struct socket *s, uint64_t *bytes)
{
	const struct unix_socket *u = unix_const(s);

	if (s->state == SOCKET_LISTENING)
		return EINVAL;
	*bytes = s->type == SOCK_DGRAM ? (u->first != NULL ? u->first->size : 0) : u->bytes;
	return 0;
}

static uint64_t unsent(const struct socket *s)
{
	return unix_const(s)->charged;
}

/* ---- readiness: Linux's unix_poll() and unix_dgram_poll() ---- */

/* A datagram socket's peer that is not connected back, and has enough. */
static bool peer_full(const struct unix_socket *u)
{
	const struct unix_socket *peer = u->peer;

	return u->socket.type == SOCK_DGRAM && peer != NULL && peer != u && peer->peer != u && unix_queue_full(peer);
}

static uint32_t events(const struct socket *s)
{
	const struct unix_socket *u = unix_const(s);
	uint32_t found = 0;

	if (s->error != 0)
		found |= POLL_ERR;
	if (s->shutdown == SHUT_BOTH)
		found |= POLL_HUP;
	if ((s->shutdown & SHUT_RECEIVE) != 0)
		found |= POLL_RDHUP | POLL_IN;
	if (u->first != NULL || u->pending_first != NULL)
		found |= POLL_IN;
	if (s->type != SOCK_DGRAM && s->state == SOCKET_UNCONNECTED)
		found |= POLL_HUP;
	if (unix_writable(u) && !peer_full(u))
		found |= POLL_OUT;
	return found;
}

/* ---- names ---- */

void unix_put_name(const struct unix_name *name, uint8_t *address, size_t *size)
{
	address[0] = AF_UNIX;
	address[1] = 0;
	*size = UNIX_PATH_OFFSET;
	if (name == NULL)
		return;
	memcpy(address, name->address, name->size);
	*size = name->size;
}

static void local_address(const struct socket *s, uint8_t *address, size_t *size)
{
	unix_put_name(unix_const(s)->name, address, size);
}

static int peer_address(const struct socket *s, uint8_t *address, size_t *size)
{
	const struct unix_socket *peer = unix_const(s)->peer;

	if (peer == NULL)
		return ENOTCONN;
	unix_put_name(peer->name, address, size);
	return 0;
}

static void peer_sender(const struct socket *s, struct sender *peer)
{
	*peer = unix_const(s)->other;
	if (s->state == SOCKET_LISTENING)
		*peer = unix_const(s)->self;
}

/* ---- for collect.c ---- */

static void each_set_of_queue(struct unix_socket *u, void (*visit)(struct passed_set *set))
{
	for (struct unix_message *m = u->first; m != NULL; m = m->next) {
		if (m->rights != NULL)
			visit(m->rights);
	}
}

static void each_set(struct socket *s, void (*visit)(struct passed_set *set))
{
	struct unix_socket *u = unix_of(s);

	each_set_of_queue(u, visit);
	for (struct unix_socket *p = u->pending_first; p != NULL; p = p->next_pending)
		each_set_of_queue(p, visit);
}

const struct family unix_family = {
        .size = sizeof(struct unix_socket),
        .create = create,
        .pair = unix_pair,
        .bind = unix_bind,
        .listen = unix_listen,
        .accept = unix_accept,
        .find = unix_find,
        .connect = unix_connect,
        .destination = destination,
        .send = send,
        .receive = receive,
        .shutdown = unix_shutdown,
        .local_address = local_address,
        .peer_address = peer_address,
        .events = events,
        .writable = writable,
        .visitable = visitable,
        .available = available,
        .unsent = unsent,
        .peer_sender = peer_sender,
        .release = unix_release,
        .each_set = each_set,
        .end = end,
};
