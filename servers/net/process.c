/*
 * Processes as net knows them: the bundles that they can name, what they may do, and what follows from execs and deaths.
 */
#include "net.h"

#include <proc_client.h>

struct process *process_record(struct server_session *session)
{
	if (session->own != NULL)
		return session->own;
	server_promote();
	struct process *p = keep_allocate(sizeof(*p));
	if (p != NULL) {
		p->session = session;
		session->own = p;
	}
	return p;
}

/* Its image ends: what it was about to send or to collect goes. */
static void drop_bundles(struct process *p)
{
	while (p->bundles != NULL)
		bundle_free(p->bundles);
}

void session_changed(const struct proc_change *change, struct server_session *session)
{
	struct process *p = session->own;

	if (p == NULL)
		return;
	switch (change->kind) {
	case PROC_CHANGE_KIND_DEATH:
		drop_bundles(p);
		session->own = NULL;
		keep_free(p);
		break;
	case PROC_CHANGE_KIND_EXEC:
		drop_bundles(p);
		p->authority.known = false;
		break;
	case PROC_CHANGE_KIND_CREDENTIALS:
		p->authority.known = false;
		break;
	default:
		break;
	}
	sockets_settle();
}

struct server_session *caller_of(const struct server_call *call)
{
	struct server_session *s = sessions_by_principal(&root->sessions, call->principal);

	return s != NULL && s->principal == call->principal ? s : NULL;
}

/* ---- authority: asked of proc when it decides ---- */

/* NULL: nobody can tell; the caller has no capabilities then. */
static const struct authority *authority_of(struct server_session *s)
{
	struct process *p = process_record(s);
	struct credentials cred;

	if (p == NULL)
		return NULL;
	if (p->authority.known)
		return &p->authority;
	server_promote();
	if (proc_credentials_of(root->sessions.proc, s->principal, &cred) != 0)
		return NULL;
	p->authority.capabilities = cred.cap_effective;
	p->authority.sgid = cred.sgid;
	p->authority.known = true;
	return &p->authority;
}

bool access_capable(struct server_session *s, enum net_capability capability)
{
	const struct authority *a = authority_of(s);

	return a != NULL && (a->capabilities & CAPABILITY_BIT(capability)) != 0;
}

static bool has_group(struct server_session *s, uint32_t gid)
{
	if (gid == s->gid || gid == s->egid)
		return true;
	const struct authority *a = authority_of(s);
	return a != NULL && gid == a->sgid;
}

/* As Linux's scm_check_creds(): any of one's own ids. A pid of another must be somebody's. */
int access_credentials(struct server_session *s, const struct sender *claimed)
{
	if (claimed->pid != s->pid && !access_capable(s, CAPABILITY_SYS_ADMIN))
		return EPERM;
	if (claimed->uid != s->uid && claimed->uid != s->euid && claimed->uid != s->suid && !access_capable(s, CAPABILITY_SETUID))
		return EPERM;
	if (!has_group(s, claimed->gid) && !access_capable(s, CAPABILITY_SETGID))
		return EPERM;
	return sessions_by_pid(&root->sessions, claimed->pid) != NULL ? 0 : ESRCH;
}
