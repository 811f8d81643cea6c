/*
 * Bytes of local streams. A message's end means nothing, but what goes with it does: descriptors end a read, and with SO_PASSCRED so does another sender.
 */
#include "unix.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- sending ---- */

/* How much of it goes now. 0: none. */
static uint64_t part(const struct unix_socket *u, uint64_t size)
{
	uint64_t limit = u->socket.options.send_buffer;

	if (u->charged >= limit)
		return 0;
	uint64_t room = limit - u->charged;
	return least(size, least(UNIX_PART_MAX, room < 4096 ? 4096 : room));
}

int unix_stream_send(struct unix_socket *u, struct sending *sending)
{
	struct unix_socket *peer = u->peer;
	struct unix_message *m;

	if ((sending->flags & MSG_OOB) != 0)
		return EOPNOTSUPP;
	if (peer == NULL)
		return ENOTCONN;
	bool ended = (u->socket.shutdown & SHUT_SEND) != 0;
	if (ended && !sending->again)
		return EPIPE;
	if (sending->size == 0)
		return 0;
	int error = socket_take_error(&u->socket);
	if (error != 0)
		return error; /* who has waited learns of a reset first */
	if (ended || peer->socket.released || (peer->socket.shutdown & SHUT_RECEIVE) != 0)
		return EPIPE;
	uint64_t size = part(u, sending->size);
	if (size == 0) {
		sending->wait = &u->socket.senders;
		return WOULD_BLOCK;
	}
	error = unix_message_new(u, sending, size, &m);
	if (error == 0)
		unix_message_put(peer, m, sending);
	return error;
}

/* ---- receiving ---- */

static bool same_sender(const struct unix_message *a, const struct unix_message *b)
{
	return a->has_sender == b->has_sender && a->sender.pid == b->sender.pid && a->sender.uid == b->sender.uid && a->sender.gid == b->sender.gid;
}

/* Is this message still of the call that began with the first one? */
static bool goes_on(const struct unix_socket *u, const struct unix_message *m, const struct receiving *r)
{
	if (m == NULL || r->done == r->size)
		return false;
	return m == u->first || !option_on(&u->socket, OPTION_PASSCRED) || same_sender(m, u->first);
}

/* Copies what one call gets; nothing is taken yet. *rights: the message with descriptors that it got, the last one. */
static int copy(const struct unix_socket *u, struct receiving *r, struct unix_message **rights)
{
	struct unix_message *m = u->first;

	*rights = NULL;
	while (goes_on(u, m, r) && *rights == NULL) {
		int error = unix_message_read(m, m->taken, least(m->size - m->taken, r->size - r->done), r);
		if (error != 0)
			return error;
		if (m->rights != NULL)
			*rights = m;
		m = m->next;
	}
	return 0;
}

static void take(struct unix_socket *u, uint64_t size)
{
	while (size != 0) {
		struct unix_message *m = u->first;
		uint64_t some = least(m->size - m->taken, size);
		size -= some;
		if (some == m->size - m->taken) {
			unix_message_drop(u);
			continue;
		}
		m->taken += some;
		m->from->unsent -= some;
		u->bytes -= some;
	}
}

/* Nothing to read. 0: end of file. */
static int empty(struct unix_socket *u)
{
	int error = socket_take_error(&u->socket);

	if (error != 0)
		return error;
	return (u->socket.shutdown & SHUT_RECEIVE) != 0 ? 0 : WOULD_BLOCK;
}

int unix_stream_receive(struct unix_socket *u, struct receiving *r)
{
	struct unix_message *rights;

	if ((r->flags & MSG_OOB) != 0)
		return EOPNOTSUPP;
	if (r->plain && r->size == 0)
		return 0;
	if (u->socket.state != SOCKET_CONNECTED)
		return EINVAL;
	if (u->first == NULL)
		return empty(u);
	if (r->blocking && u->bytes < least(u->socket.options.receive_low, r->size) && u->socket.error == 0 &&
	    (u->socket.shutdown & SHUT_RECEIVE) == 0)
		return WOULD_BLOCK;
	int error = copy(u, r, &rights);
	if (error != 0)
		return error;
	unix_message_tell(u, u->first, r);
	r->result.size = r->done;
	if (rights != NULL) {
		r->rights = rights->rights;
		if ((r->flags & MSG_PEEK) != 0)
			r->rights->references++;
		else
			rights->rights = NULL;
	}
	if ((r->flags & MSG_PEEK) == 0)
		take(u, r->done);
	return 0;
}
