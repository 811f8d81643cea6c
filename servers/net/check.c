/*
 * The invariants of net's structures, as a migration must leave them: sockets by badge, waiters by request, lists of what flies and what has a deadline.
 */
#include "unix.h"
#include <portico/server_migration.h>

#define MANY 10000000u /* a list that is longer goes in a circle */

static const char *check_sockets(const struct net_root *n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SOCKET_BUCKETS; i++)
		for (const struct socket *s = n->sockets[i]; s != NULL; s = s->next) {
			if (s->badge % SOCKET_BUCKETS != i || s->references == 0 || s->changed || ++count > MANY)
				return "a socket that is not what its place says";
			if (s->family != AF_UNIX || s->account == NULL || s->state > SOCKET_CONNECTED)
				return "a socket of no family, user or state";
			if (s->held && (s->released || s->made == 0))
				return "a socket that is held and has ended";
		}
	if (count > n->count)
		return "the sockets are not as many as were counted";
	return n->first_changed == NULL && n->last_changed == NULL ? NULL : "a socket whose change was not looked at";
}

static const char *check_waiters(const struct net_root *n)
{
	uint32_t timed = 0, listed = 0;

	for (uint32_t i = 0; i < WAIT_BUCKETS; i++)
		for (const struct waiter *w = n->waiting[i]; w != NULL; w = w->next_request) {
			if (w->request % WAIT_BUCKETS != i || w->kind > WAIT_CONNECT || w->socket == NULL)
				return "a waiter that waits for nothing";
			if (w->queued.next->previous != &w->queued || w->queued.previous->next != &w->queued)
				return "a waiter that is not in its list";
			timed += w->deadline != 0;
		}
	for (const struct list *at = n->timed.next; at != &n->timed; at = at->next)
		if (++listed > timed)
			break;
	return timed == listed ? NULL : "the waiters with a deadline are not those in the list";
}

static const char *check_flying(const struct net_root *n)
{
	uint32_t count = 0;

	for (const struct list *at = n->flying.next; at != &n->flying; at = at->next) {
		const struct socket *s = list_item(at, struct socket, flying);
		if (s->in_flight == 0 || s->released || at->next->previous != at || ++count > MANY)
			return "a socket in flight that is in no set";
	}
	return n->unix_names != NULL ? NULL : "there is no table of names";
}

static const char *check(const void *state)
{
	const char *wrong = check_sockets(state);

	wrong = wrong != NULL ? wrong : check_waiters(state);
	return wrong != NULL ? wrong : check_flying(state);
}

SERVER_CHECK(check);
