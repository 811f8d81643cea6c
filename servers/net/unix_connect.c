/*
 * Connections of local sockets: how they begin, what closing and shutting down does to the other side.
 *
 * connect(2) on a stream makes the other end at once, and puts it into the listener's queue; it is usable before it is accepted.
 */
#include "unix.h"

#include <portico/strings.h>

static struct sender credentials_of(const struct server_session *who)
{
	return (struct sender){.pid = who->pid, .uid = who->euid, .gid = who->egid};
}

/* `u` has a peer now, with a reference. */
static void set_peer(struct unix_socket *u, struct unix_socket *peer)
{
	u->peer = peer;
	socket_get(&peer->socket);
	u->socket.state = SOCKET_CONNECTED;
	if (u->socket.type == SOCK_DGRAM)
		list_append(&peer->followers, &u->follows);
	socket_changed(&u->socket, false);
}

/* The reference is the caller's now. */
static struct unix_socket *take_peer(struct unix_socket *u)
{
	struct unix_socket *peer = u->peer;

	u->peer = NULL;
	if (u->socket.type == SOCK_DGRAM && peer != NULL)
		list_unlink(&u->follows);
	return peer;
}

void unix_tell_followers(struct unix_socket *u)
{
	for (struct list *at = u->followers.next; at != &u->followers; at = at->next) {
		struct unix_socket *follower = list_item(at, struct unix_socket, follows);
		if (follower->socket.ready != 0)
			socket_changed(&follower->socket, false);
	}
}

int unix_pair(const struct server_session *who, struct socket *first, struct socket *second)
{
	struct unix_socket *a = unix_of(first), *b = unix_of(second);

	a->other = b->other = credentials_of(who);
	set_peer(a, b);
	set_peer(b, a);
	return 0;
}

/* ---- listeners ---- */

int unix_listen(struct socket *s, const struct server_session *who, int32_t backlog)
{
	struct unix_socket *u = unix_of(s);

	if (s->type == SOCK_DGRAM)
		return EOPNOTSUPP;
	if (u->name == NULL || s->state == SOCKET_CONNECTED)
		return EINVAL;
	u->backlog = (uint32_t)backlog;
	s->state = SOCKET_LISTENING;
	u->self = credentials_of(who);
	socket_changed(s, false); /* who waits to connect may find more room */
	return 0;
}

static struct unix_socket *pop_pending(struct unix_socket *u)
{
	struct unix_socket *made = u->pending_first;

	u->pending_first = made->next_pending;
	if (u->pending_first == NULL)
		u->pending_last = NULL;
	made->next_pending = NULL;
	u->pending--;
	socket_changed(&u->socket, false);
	return made;
}

int unix_accept(struct socket *s, uint32_t flags, struct socket **made, uint8_t *address, size_t *size)
{
	struct unix_socket *u = unix_of(s);

	if (s->type == SOCK_DGRAM)
		return EOPNOTSUPP;
	if (s->state != SOCKET_LISTENING || (s->shutdown & SHUT_RECEIVE) != 0)
		return EINVAL;
	if (u->pending_first == NULL)
		return WOULD_BLOCK;
	struct unix_socket *accepted = pop_pending(u);
	accepted->socket.flags = flags & O_NONBLOCK;
	unix_put_name(accepted->peer->name, address, size);
	*made = &accepted->socket;
	return 0;
}

/* ---- connect ---- */

static int connect_stream(struct unix_socket *u, const struct server_session *who, struct unix_socket *to, struct list **list)
{
	struct socket *made;

	if (to->socket.released || to->socket.state != SOCKET_LISTENING || (to->socket.shutdown & SHUT_RECEIVE) != 0)
		return ECONNREFUSED;
	if (u->socket.state != SOCKET_UNCONNECTED)
		return u->socket.state == SOCKET_CONNECTED ? EISCONN : EINVAL;
	if (to->pending > to->backlog) {
		*list = &to->socket.visitors;
		return WOULD_BLOCK;
	}
	int error = unix_family.create(who, u->socket.type, u->socket.protocol, 0, &made);
	if (error != 0)
		return error;
	struct unix_socket *end = unix_of(made);
	end->socket.options = (struct socket_options){
	        .send_buffer = SEND_BUFFER_DEFAULT, .receive_buffer = SEND_BUFFER_DEFAULT, .receive_low = 1, .peek_offset = -1};
	end->name = to->name;
	end->name->references++;
	u->other = to->self;
	end->other = credentials_of(who);
	set_peer(u, end);
	set_peer(end, u);
	*(to->pending_last != NULL ? &to->pending_last->next_pending : &to->pending_first) = end;
	to->pending_last = end;
	to->pending++;
	socket_changed(&to->socket, true);
	return 0;
}

void unix_disconnect(struct unix_socket *u)
{
	struct unix_socket *peer = take_peer(u);

	if (peer == NULL)
		return;
	u->socket.state = SOCKET_UNCONNECTED;
	/* Datagrams of the old peer are lost; one that was connected to us is told. */
	while (u->first != NULL)
		unix_message_drop(u);
	if (!peer->socket.released && peer->peer == u) {
		peer->socket.error = ECONNRESET;
		socket_changed(&peer->socket, false);
	}
	socket_changed(&u->socket, false);
	socket_put(&peer->socket);
}

static int connect_datagram(struct unix_socket *u, struct unix_socket *to)
{
	if (to != NULL && to->socket.released)
		return ECONNREFUSED;
	if (to != NULL && to->peer != NULL && to->peer != u)
		return EPERM;
	if (to != NULL && to == u->peer)
		return 0;
	unix_disconnect(u);
	if (to != NULL)
		set_peer(u, to);
	return 0;
}

int unix_connect(struct socket *s, const struct server_session *who, struct socket *to, struct list **list)
{
	struct unix_socket *u = unix_of(s);

	if (to != NULL && option_on(s, OPTION_PASSCRED)) {
		int error = unix_bind_automatic(u);
		if (error != 0)
			return error;
	}
	return s->type == SOCK_DGRAM ? connect_datagram(u, to != NULL ? unix_of(to) : NULL) : connect_stream(u, who, unix_of(to), list);
}

/* ---- the end ---- */

int unix_shutdown(struct socket *s, uint32_t how)
{
	struct unix_socket *peer = unix_of(s)->peer;

	s->shutdown |= (uint8_t)how;
	socket_changed(s, true);
	if (peer == NULL || s->type == SOCK_DGRAM)
		return 0;
	peer->socket.shutdown |= (uint8_t)(((how & SHUT_RECEIVE) != 0 ? SHUT_SEND : 0) | ((how & SHUT_SEND) != 0 ? SHUT_RECEIVE : 0));
	socket_changed(&peer->socket, true);
	return 0;
}

/* The other end learns; it is a reset if something was not read, or nobody accepted the connection. */
static void leave_peer(struct unix_socket *u, bool unread)
{
	struct unix_socket *peer = take_peer(u);

	if (peer == NULL)
		return;
	if (u->socket.type != SOCK_DGRAM && !peer->socket.released) {
		peer->socket.shutdown = SHUT_BOTH;
		if (unread)
			peer->socket.error = ECONNRESET;
		socket_changed(&peer->socket, true);
	}
	socket_put(&peer->socket);
}

void unix_release(struct socket *s)
{
	struct unix_socket *u = unix_of(s);

	unix_name_leave(u);
	while (u->pending_first != NULL) {
		struct unix_socket *end = pop_pending(u);
		leave_peer(end, true);
		socket_release(&end->socket);
	}
	leave_peer(u, u->first != NULL);
	while (u->first != NULL)
		unix_message_drop(u);
	s->state = SOCKET_UNCONNECTED;
	s->shutdown = SHUT_BOTH;
}
