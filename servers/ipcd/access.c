/*
 * Permissions: modes by owner, group and others, and the capabilities that override them. As Linux's ipcperms() and ipcctl_obtain_check().
 *
 * User and group come with the session record. Supplementary groups and capabilities are asked of proc when they decide, and kept until proc
 * tells of a change (process.c): owners of their objects never need them.
 */
#include "ipcd.h"

#include <portico/strings.h>
#include <proc_client.h>

struct server_session *caller_of(const struct server_call *call)
{
	struct server_session *s = sessions_by_principal(&root->sessions, call->principal);

	return s != NULL && s->principal == call->principal ? s : NULL;
}

/* NULL: nobody can tell; the caller has neither groups nor capabilities then. */
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
	struct authority *a = &p->authority;
	a->capabilities = cred.cap_effective;
	a->group_count = cred.group_count < sizeof(a->groups) / sizeof(a->groups[0]) ? cred.group_count : sizeof(a->groups) / sizeof(a->groups[0]);
	memcpy(a->groups, cred.groups, a->group_count * sizeof(a->groups[0]));
	a->known = true;
	return a;
}

static bool in_group(struct server_session *s, uint32_t group)
{
	if (s->egid == group)
		return true;
	const struct authority *a = authority_of(s);
	for (uint32_t i = 0; a != NULL && i < a->group_count; i++) {
		if (a->groups[i] == group)
			return true;
	}
	return false;
}

bool access_capable(struct server_session *s, enum ipc_capability capability)
{
	const struct authority *a = authority_of(s);

	return a != NULL && (a->capabilities & CAPABILITY_BIT(capability)) != 0;
}

int access_check(struct server_session *s, const struct object *object, uint32_t wanted)
{
	uint32_t asked = (wanted >> 6 | wanted >> 3 | wanted) & 7, granted = object->mode;

	if (s->euid == object->cuid || s->euid == object->uid)
		granted >>= 6;
	else if ((asked & ~granted & 7) == 0 && (asked & ~(granted >> 3) & 7) == 0)
		return 0; /* whether it is in the group makes no difference */
	else if (in_group(s, object->cgid) || in_group(s, object->gid))
		granted >>= 3;
	if ((asked & ~granted & 7) == 0 || access_capable(s, CAPABILITY_IPC_OWNER))
		return 0;
	return EACCES;
}

int access_control(struct server_session *s, const struct object *object)
{
	if (s->euid == object->cuid || s->euid == object->uid || access_capable(s, CAPABILITY_SYS_ADMIN))
		return 0;
	return EPERM;
}
