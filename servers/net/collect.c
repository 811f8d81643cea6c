/*
 * Collection of sockets in flight that nobody can receive: each lies in the queue of a socket that nobody holds, or of one that lies there.
 *
 * Suspects are the sockets in flight that no process holds. Each is referred to by sets; those that lie in queues of suspects are subtracted. A suspect with
 * references left is alive, and so is, step by step, what its queue holds. The rest is released; their queues, and with them the last
 * references, go. As Linux's net/unix/garbage.c before 6.10. One transaction: its work is bounded by the descriptors in flight.
 */
#include "net.h"

void collect_later(void)
{
	if (root->collecting || list_empty(&root->flying))
		return;
	root->collecting = true;
	server_defer();
}

static struct socket *flying(struct list *item)
{
	return list_item(item, struct socket, flying);
}

/* A set that a bundle or a parked sender has, too, is somebody's. */
static void subtract(struct passed_set *set)
{
	if (set->references != 1)
		return;
	for (uint32_t i = 0; i < set->count; i++) {
		struct socket *s = set->item[i].socket;
		if (s != NULL && s->suspect)
			s->outside--;
	}
}

/* What lies in the queue of a live socket lives, too. Found by going round again: `found_alive`. */
static bool found_alive;

static void revive(struct passed_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		struct socket *s = set->item[i].socket;
		if (s == NULL || !s->suspect || s->outside != 0)
			continue;
		s->outside = 1;
		found_alive = true;
	}
}

/* Suspects with references from outside, and what they hold, are none. */
static void clear_living(void)
{
	do {
		found_alive = false;
		for (struct list *at = root->flying.next; at != &root->flying; at = at->next) {
			struct socket *s = flying(at);
			if (!s->suspect || s->outside == 0)
				continue;
			s->suspect = false;
			family(s)->each_set(s, revive);
			found_alive = true;
		}
	} while (found_alive);
}

void collect(void)
{
	struct list *at;

	if (!root->collecting)
		return;
	root->collecting = false;
	for (at = root->flying.next; at != &root->flying; at = at->next) {
		struct socket *s = flying(at);
		s->suspect = !s->held;
		s->outside = s->in_flight;
	}
	for (at = root->flying.next; at != &root->flying; at = at->next) {
		if (flying(at)->suspect)
			family(flying(at))->each_set(flying(at), subtract);
	}
	clear_living();
	/* A release changes the list: begin again after each. */
	for (at = root->flying.next; at != &root->flying;) {
		struct socket *s = flying(at);
		at = at->next;
		if (!s->suspect)
			continue;
		s->suspect = false;
		socket_release(s);
		at = root->flying.next;
	}
	sockets_settle();
}
