/*
 * Messages with boundaries: SOCK_DGRAM and SOCK_SEQPACKET.
 *
 * A receiver whose queue is full (UNIX_QUEUE_MAX) holds up all senders but its own peer, which is bounded by its send buffer alone.
 */
#include "unix.h"

#define SEND_SPARE 32u /* Linux: of the send buffer, which a datagram cannot use */

bool unix_queue_full(const struct unix_socket *u)
{
	return u->messages > UNIX_QUEUE_MAX;
}

bool unix_writable(const struct unix_socket *u)
{
	return u->socket.state != SOCKET_LISTENING && u->charged * 4 <= u->socket.options.send_buffer;
}

/* ---- sending ---- */

/* The receiver is no more. What datagrams do then is to forget it. */
static int receiver_ended(struct unix_socket *u, const struct unix_socket *to)
{
	if (u->socket.type == SOCK_SEQPACKET)
		return EPIPE;
	if (u->peer == to)
		unix_disconnect(u);
	return ECONNREFUSED;
}

/* What of the sender itself forbids it. */
static int check_sender(struct unix_socket *u, const struct sending *sending)
{
	if (sending->size + SEND_SPARE > u->socket.options.send_buffer)
		return EMSGSIZE;
	int error = socket_take_error(&u->socket);
	if (error != 0)
		return error;
	return (u->socket.shutdown & SHUT_SEND) != 0 ? EPIPE : 0;
}

/* ... and what of the receiver. */
static int check_receiver(struct unix_socket *u, const struct unix_socket *to)
{
	if (to->socket.released)
		return receiver_ended(u, to);
	if (to->peer != NULL && to->peer != u)
		return EPERM;
	return (to->socket.shutdown & SHUT_RECEIVE) != 0 ? EPIPE : 0;
}

int unix_datagram_send(struct unix_socket *u, struct sending *sending)
{
	struct unix_socket *to = sending->to != NULL ? unix_of(sending->to) : u->peer;
	struct unix_message *m;
	int error = 0;

	if ((sending->flags & MSG_OOB) != 0)
		return EOPNOTSUPP;
	if (u->socket.type == SOCK_SEQPACKET) {
		error = socket_take_error(&u->socket);
		if (error == 0 && u->socket.state != SOCKET_CONNECTED)
			error = ENOTCONN;
	}
	if (error == 0 && to == NULL)
		error = ENOTCONN;
	if (error == 0 && option_on(&u->socket, OPTION_PASSCRED))
		error = unix_bind_automatic(u);
	if (error == 0)
		error = check_sender(u, sending);
	if (error != 0)
		return error;
	if (u->charged >= u->socket.options.send_buffer) {
		sending->wait = &u->socket.senders;
		return WOULD_BLOCK;
	}
	error = check_receiver(u, to);
	if (error != 0)
		return error;
	if (to != u && to->peer != u && unix_queue_full(to)) {
		sending->wait = &to->socket.visitors;
		return WOULD_BLOCK;
	}
	error = unix_message_new(u, sending, sending->size, &m);
	if (error == 0)
		unix_message_put(to, m, sending);
	return error;
}

/* ---- receiving ---- */

/* Nothing to read: end of file, as far as there is one. Linux: a datagram socket that must not wait is told EAGAIN even then. */
static int empty(const struct unix_socket *u, const struct receiving *r)
{
	bool ended = (u->socket.shutdown & SHUT_RECEIVE) != 0;

	return ended && (u->socket.type == SOCK_SEQPACKET || r->blocking) ? 0 : WOULD_BLOCK;
}

int unix_datagram_receive(struct unix_socket *u, struct receiving *r)
{
	struct unix_message *m = u->first;

	if ((r->flags & MSG_OOB) != 0)
		return EOPNOTSUPP;
	if (r->plain && r->size == 0)
		return 0;
	if (u->socket.type == SOCK_SEQPACKET && u->socket.state != SOCKET_CONNECTED)
		return ENOTCONN;
	int error = socket_take_error(&u->socket);
	if (error != 0)
		return error;
	if (m == NULL)
		return empty(u, r);
	error = unix_message_read(m, 0, m->size < r->size ? m->size : r->size, r);
	if (error != 0)
		return error;
	unix_message_tell(u, m, r);
	r->result.size = m->size;
	if (m->size > r->size)
		r->result.flags |= MSG_TRUNC;
	r->rights = m->rights;
	if ((r->flags & MSG_PEEK) != 0) {
		if (r->rights != NULL)
			r->rights->references++;
		return 0;
	}
	m->rights = NULL;
	unix_message_drop(u);
	return 0;
}
