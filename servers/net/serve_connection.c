/*
 * Handlers that make, name and connect sockets: create, pair, bind, listen, accept, connect, shutdown, addresses, options; and the same for callers that were
 * parked.
 */
#include "net.h"

#include <net_server.h>
#include <portico/net_badge.h>
#include <portico/strings.h>

static struct net_caller ordinary;

struct net_caller *net_caller_get(struct server_call *call)
{
	return call->badge == 0 ? &ordinary : NULL;
}

void net_caller_put(struct net_caller *caller)
{
	(void)caller;
}

/* Notifications are received before messages: this one comes behind them. */
int net_serve_sync(struct server_call *call, struct net_caller *object)
{
	(void)call, (void)object;
	return 0;
}

struct open_file *net_socket_get(struct server_call *call)
{
	return (struct open_file *)socket_by_badge(call->badge);
}

void net_socket_put(struct open_file *file)
{
	(void)file;
}

int file_number(port_name_t name, bool new, uint64_t *number)
{
	uint64_t badge;

	*number = 0;
	if (name == PORT_NULL)
		return 0;
	if (!server_own_badge(name, &badge) || NET_BADGE_KIND(badge) != (new ? NET_BADGE_NEW_FILE : NET_BADGE_FILE))
		return EINVAL;
	*number = NET_BADGE_NUMBER(badge);
	return 0;
}

/* ---- making ---- */

static int create(const struct server_session *who, uint32_t number, uint32_t type, uint32_t protocol, uint32_t flags, struct socket **made)
{
	if (number >= AF_MAX)
		return EAFNOSUPPORT;
	if (type >= SOCK_MAX)
		return EINVAL;
	const struct family *of = family_of(number);
	return of != NULL ? of->create(who, type, protocol, flags, made) : EAFNOSUPPORT;
}

int net_serve_create(struct server_call *call, struct net_caller *object, uint32_t number, uint32_t type, uint32_t protocol, uint32_t flags,
                     struct server_port *made)
{
	const struct server_session *who = caller_of(call);
	struct socket *s;

	(void)object;
	if (who == NULL)
		return EACCES;
	int error = create(who, number, type, protocol, flags, &s);
	if (error == 0)
		socket_give(s, made);
	return error;
}

int net_serve_pair(struct server_call *call, struct net_caller *object, uint32_t number, uint32_t type, uint32_t protocol, uint32_t flags,
                   struct server_port *first, struct server_port *second)
{
	const struct server_session *who = caller_of(call);
	struct socket *a, *b;

	(void)object;
	if (who == NULL)
		return EACCES;
	int error = create(who, number, type, protocol, flags, &a);
	if (error != 0)
		return error;
	error = create(who, number, type, protocol, flags, &b);
	if (error != 0) {
		socket_release(a);
	} else {
		error = family(a)->pair != NULL ? family(a)->pair(who, a, b) : EOPNOTSUPP;
		if (error != 0) {
			socket_release(a);
			socket_release(b);
		}
	}
	if (error == 0) {
		socket_give(a, first);
		socket_give(b, second);
	}
	sockets_settle();
	return error;
}

/* ---- names ---- */

int net_serve_bind(struct server_call *call, struct open_file *file, const void *address, size_t address_count, port_name_t *name)
{
	struct socket *s = &file->socket;
	uint64_t node;

	(void)call;
	int error = file_number(*name, true, &node);
	if (error == 0)
		error = family(s)->bind(s, address, address_count, node);
	sockets_settle();
	return error;
}

int net_serve_local_address(struct server_call *call, struct open_file *file, void *address, size_t *address_count)
{
	(void)call;
	family(&file->socket)->local_address(&file->socket, address, address_count);
	return 0;
}

int net_serve_peer_address(struct server_call *call, struct open_file *file, void *address, size_t *address_count)
{
	(void)call;
	return family(&file->socket)->peer_address(&file->socket, address, address_count);
}

/* ---- connections ---- */

int net_serve_listen(struct server_call *call, struct open_file *file, int32_t backlog)
{
	struct socket *s = &file->socket;
	const struct server_session *who = caller_of(call);

	if (who == NULL)
		return EINVAL;
	if (backlog < 0 || backlog > BACKLOG_MAX)
		backlog = BACKLOG_MAX;
	int error = family(s)->listen(s, who, backlog);
	sockets_settle();
	return error;
}

int net_serve_accept(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *accepted, void *address,
                     size_t *address_count)
{
	struct socket *s = &file->socket, *made;
	struct waiter *w;
	int error = family(s)->accept(s, flags, &made, address, address_count);

	if (error == 0)
		socket_give(made, accepted);
	if (error == WOULD_BLOCK && (s->flags & O_NONBLOCK) != 0)
		error = EAGAIN;
	if (error == WOULD_BLOCK)
		error = wait_park(call, s, &s->receivers, WAIT_ACCEPT, s->options.receive_timeout, &w);
	if (error == SERVER_PARKED)
		w->flags = flags;
	sockets_settle();
	return error;
}

int accept_again(struct waiter *w)
{
	uint8_t address[NET_ADDRESS_MAX];
	struct server_port port = {.name = PORT_NULL};
	struct socket *made;
	size_t size = 0;
	int error = family(w->socket)->accept(w->socket, w->flags, &made, address, &size);

	if (error != 0)
		return error;
	socket_give(made, &port);
	net_reply_accept(&w->reply, 0, &port, address, size);
	return 0;
}

int net_serve_connect(struct server_call *call, struct open_file *file, const void *address, size_t address_count, port_name_t *name)
{
	struct socket *s = &file->socket, *to = NULL;
	const struct server_session *who = caller_of(call);
	struct list *list = NULL;
	struct waiter *w;
	uint64_t node;

	if (who == NULL)
		return EINVAL;
	int error = file_number(*name, false, &node);
	if (error == 0)
		error = family(s)->find(s, address, address_count, node, &to);
	if (error == 0)
		error = family(s)->connect(s, who, to, &list);
	if (error == WOULD_BLOCK && (s->flags & O_NONBLOCK) != 0)
		error = EAGAIN;
	if (error == WOULD_BLOCK)
		error = wait_park(call, s, list, WAIT_CONNECT, s->options.send_timeout, &w);
	if (error == SERVER_PARKED)
		w->to = to;
	else if (to != NULL)
		socket_put(to);
	sockets_settle();
	return error;
}

int connect_again(struct waiter *w, struct list **list)
{
	const struct server_session *who = sessions_by_principal(&root->sessions, w->principal);
	int error = who != NULL ? family(w->socket)->connect(w->socket, who, w->to, list) : EINTR;

	if (error == 0)
		net_reply_connect(&w->reply, 0);
	return error;
}

int net_serve_shutdown(struct server_call *call, struct open_file *file, uint32_t how)
{
	static const uint32_t modes[3] = {SHUT_RECEIVE, SHUT_SEND, SHUT_BOTH};
	struct socket *s = &file->socket;

	(void)call;
	if (how >= 3)
		return EINVAL;
	int error = family(s)->shutdown(s, modes[how]);
	sockets_settle();
	return error;
}

/* ---- options ---- */

int net_serve_get_option(struct server_call *call, struct open_file *file, uint32_t level, uint32_t option, uint32_t room, void *value,
                         size_t *value_count)
{
	(void)call;
	if (level != SOL_SOCKET)
		return EOPNOTSUPP;
	int error = option_get(&file->socket, option, value, value_count);
	if (error == 0 && *value_count > room)
		*value_count = room;
	sockets_settle();
	return error;
}

int net_serve_set_option(struct server_call *call, struct open_file *file, uint32_t level, uint32_t option, const void *value, size_t value_count)
{
	struct server_session *who = caller_of(call);

	if (level != SOL_SOCKET)
		return EOPNOTSUPP;
	if (who == NULL)
		return EINVAL;
	int error = option_set(who, &file->socket, option, value, value_count);
	sockets_settle();
	return error;
}

int net_serve_unsent(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	(void)call;
	if (file->socket.state == SOCKET_LISTENING)
		return EINVAL;
	*bytes = family(&file->socket)->unsent(&file->socket);
	return 0;
}
