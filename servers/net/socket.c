/*
 * Sockets of any family: records by badge, who holds them, when they end, and what is done when one has changed.
 *
 * A socket is released when no process holds it and it is in no set of descriptors; then its family gives up names, peer and queue. The record
 * goes with the last reference. Both happen in sockets_settle(), one after the other and not inside each other: a queue may hold sockets
 * whose queues hold sockets.
 */
#include "net.h"

#include <net_server.h>
#include <portico/net_badge.h>
#include <portico/server_readiness.h>
#include <portico/strings.h>

#define USER_SOCKETS_BYTES 1024u /* what a socket is charged besides its record */

static struct socket **bucket_of(uint64_t badge)
{
	return &root->sockets[badge % SOCKET_BUCKETS];
}

struct socket *socket_by_badge(uint64_t badge)
{
	struct socket *s = *bucket_of(badge);

	while (s != NULL && s->badge != badge)
		s = s->next;
	return s;
}

/* ---- making ---- */

struct socket *socket_new(const struct server_session *who, size_t size, uint32_t of_family, uint32_t type, uint32_t protocol, uint32_t flags)
{
	struct account *account = account_of(who->euid);
	struct socket *s = NULL;

	if (account == NULL)
		return NULL;
	if (account_charge(account, size + USER_SOCKETS_BYTES)) {
		s = keep_allocate(size);
		if (s == NULL)
			account_refund(account, size + USER_SOCKETS_BYTES);
	}
	if (s == NULL) {
		account_put(account);
		return NULL;
	}
	s->account = account;
	s->family = (uint8_t)of_family;
	s->type = (uint8_t)type;
	s->protocol = protocol;
	s->flags = flags & O_NONBLOCK;
	s->references = 1;
	list_init(&s->receivers);
	list_init(&s->senders);
	list_init(&s->visitors);
	s->inode = ++root->next_inode;
	s->uid = who->euid;
	s->gid = who->egid;
	s->mode = 0777;
	s->created = server_realtime();
	s->options.send_buffer = s->options.receive_buffer = SEND_BUFFER_DEFAULT;
	s->options.receive_low = 1;
	s->options.peek_offset = -1;
	root->count++;
	return s;
}

static void count_right(struct socket *s)
{
	if (s->badge == 0) {
		s->badge = NET_BADGE(NET_BADGE_SOCKET, ++root->next_badge);
		s->next = *bucket_of(s->badge);
		*bucket_of(s->badge) = s;
	}
	s->made++;
	s->held = true;
}

void socket_give(struct socket *s, struct server_port *port)
{
	count_right(s);
	server_port_badge(port, s->badge, 0);
}

port_name_t socket_right(struct socket *s)
{
	port_name_t name = server_make_right(s->badge, 0);

	if (name != PORT_NULL)
		count_right(s);
	return name;
}

/* ---- references ---- */

void socket_get(struct socket *s)
{
	s->references++;
}

static void forget_badge(struct socket *s)
{
	struct socket **link = bucket_of(s->badge);

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
}

void socket_put(struct socket *s)
{
	if (--s->references != 0)
		return;
	size_t size = family(s)->size;
	family(s)->end(s);
	if (s->badge != 0)
		forget_badge(s);
	account_refund(s->account, size + USER_SOCKETS_BYTES);
	account_put(s->account);
	root->count--;
	keep_free(s);
}

void socket_flies(struct socket *s)
{
	if (s->in_flight++ == 0)
		list_append(&root->flying, &s->flying);
}

void socket_lands(struct socket *s)
{
	if (--s->in_flight == 0)
		list_unlink(&s->flying);
	if (!s->held)
		socket_changed(s, false);
}

/* A right that was made after the kernel counted is still on its way: the next notification tells of it. */
void sockets_no_senders(uint64_t badge, uint64_t make_send)
{
	struct socket *s = NET_BADGE_KIND(badge) == NET_BADGE_SOCKET ? socket_by_badge(badge) : NULL;

	if (s == NULL || make_send != s->made)
		return;
	s->made = 0; /* the kernel counts anew */
	s->held = false;
	socket_changed(s, false);
	sockets_settle();
}

void socket_release(struct socket *s)
{
	if (s->released)
		return;
	s->released = true;
	family(s)->release(s);
	readiness_free(s->ready);
	s->ready = 0;
	socket_changed(s, false);
	socket_put(s);
}

/* ---- changes ---- */

void socket_changed(struct socket *s, bool fresh)
{
	s->fresh |= fresh;
	if (s->changed)
		return;
	s->changed = true;
	socket_get(s);
	s->next_changed = NULL;
	*(root->last_changed != NULL ? &root->last_changed->next_changed : &root->first_changed) = s;
	root->last_changed = s;
}

/* Nobody holds it: released, or looked at whether it is garbage. Connections that were not accepted have no badge and belong to their listener. */
static void check_end(struct socket *s)
{
	if (s->released || s->held || s->badge == 0)
		return;
	if (s->in_flight == 0)
		socket_release(s);
	else
		collect_later();
}

static void publish(struct socket *s, bool fresh)
{
	uint32_t events = family(s)->events(s);

	if (READINESS_EVENTS(events) != s->events) {
		s->events = events;
		readiness_set(s->ready, events);
	} else if (fresh) {
		readiness_touch(s->ready);
	}
}

static void settle(struct socket *s, bool fresh)
{
	const struct family *of = family(s);

	check_end(s);
	if (s->released) {
		wait_fail(&s->receivers, EBADF); /* of processes that are ending */
		wait_fail(&s->senders, EBADF);
	} else {
		wait_retry(&s->receivers);
		if (!list_empty(&s->senders) && of->writable(s))
			wait_retry(&s->senders);
	}
	if (!list_empty(&s->visitors) && of->visitable(s))
		wait_retry(&s->visitors);
	if (s->ready != 0)
		publish(s, fresh);
}

void sockets_settle(void)
{
	while (root->first_changed != NULL) {
		struct socket *s = root->first_changed;
		bool fresh = s->fresh;

		root->first_changed = s->next_changed;
		if (root->first_changed == NULL)
			root->last_changed = NULL;
		s->changed = s->fresh = false;
		settle(s, fresh);
		socket_put(s);
	}
}

int socket_take_error(struct socket *s)
{
	int error = s->error;

	if (error != 0) {
		s->error = 0;
		socket_changed(s, false);
	}
	return error;
}
