/*
 * Sessions: what vfs knows of each principal. proc tells it, before the process concerned can send anything: births
 * (with the parent's root directory), new credentials, ends. A process that execs has a new principal; both live for a
 * moment.
 */
#include "vfs.h"

static struct session **bucket(uint64_t principal)
{
	return &vfs->session[(principal ^ principal >> 32) % SESSION_BUCKETS];
}

struct session *session_find(uint64_t principal)
{
	for (struct session *s = *bucket(principal); s != NULL; s = s->next)
		if (s->principal == principal)
			return s;
	return NULL;
}

const struct session *session_of(const struct server_call *call)
{
	uint64_t space = BADGE_SPACE(call->badge);

	if (space == BADGE_CONTROL || space == BADGE_SERVER)
		return &vfs->server;
	return session_find(call->principal);
}

int session_begin(uint64_t principal, uint64_t parent, const struct credentials *cred)
{
	const struct session *from = session_find(parent);

	if (session_find(principal) != NULL)
		return EEXIST;
	struct session *session = keep_allocate(sizeof(*session));
	if (session == NULL)
		return ENOMEM;
	session->principal = principal;
	session->cred = *cred;
	session->root = from != NULL ? from->root : vfs->root;
	place_get(session->root);
	session->next = *bucket(principal);
	*bucket(principal) = session;
	return 0;
}

static bool same_process(uint64_t principal)
{
	for (struct session *s = *bucket(principal); s != NULL; s = s->next)
		if ((uint32_t)s->principal == (uint32_t)principal)
			return true;
	/* Another generation of the same pid may be in any bucket. */
	for (unsigned i = 0; i < SESSION_BUCKETS; i++)
		for (struct session *s = vfs->session[i]; s != NULL; s = s->next)
			if ((uint32_t)s->principal == (uint32_t)principal)
				return true;
	return false;
}

int session_end(uint64_t principal)
{
	struct session **link = bucket(principal);

	while (*link != NULL && (*link)->principal != principal)
		link = &(*link)->next;
	struct session *session = *link;
	if (session == NULL)
		return ESRCH;
	*link = session->next;
	place_put(session->root);
	keep_free(session);
	if (vfs->locked != NULL && !same_process(principal))
		lock_release_process((uint32_t)principal);
	return 0;
}

void session_set_root(struct session *session, struct place root)
{
	place_get(root);
	place_put(session->root);
	session->root = root;
}
