/*
 * User and group ids, supplementary groups, capabilities: what may change, and what follows from a change.
 *
 * As Linux does it: man 2 setresuid and relatives, man 7 capabilities ("Effect of user ID changes on capabilities",
 * "Transformation of capabilities during execve()"). Every change is told to vfs before the reply and to the upper
 * servers by the log.
 */
#include "proc.h"

#include <portico/strings.h>
#include <proc_server.h>
#include <vfs_client.h>

#define ID_LEAVE UINT32_MAX

enum set_ids_kind { SET_RESUID, SET_RESGID, SET_UID, SET_GID, SET_REUID, SET_REGID, SET_FSUID, SET_FSGID };

/* The four ids of one kind, so that users and groups go through the same rules. */
struct ids {
	uint32_t real, effective, saved, file_system;
};

bool has_capability(const struct process *p, enum capability c)
{
	return (p->cred.cap_effective & CAPABILITY_BIT(c)) != 0;
}

static void changed(struct process *p)
{
	vfs_session_credentials(root->vfs, process_principal(p), &p->cred);
	change_log(p, PROC_CHANGE_KIND_CREDENTIALS, 0, 0);
}

static struct ids user_ids(const struct credentials *c)
{
	return (struct ids){c->uid, c->euid, c->suid, c->fsuid};
}

static struct ids group_ids(const struct credentials *c)
{
	return (struct ids){c->gid, c->egid, c->sgid, c->fsgid};
}

static bool is_one_of(uint32_t id, const struct ids *ids)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

static int set_three(struct ids *ids, bool privileged, uint32_t real, uint32_t effective, uint32_t saved)
{
	const struct ids old = *ids;
	if (!privileged &&
	    ((real != ID_LEAVE && !is_one_of(real, &old)) || (effective != ID_LEAVE && !is_one_of(effective, &old)) ||
	     (saved != ID_LEAVE && !is_one_of(saved, &old))))
		return EPERM;
	if (real != ID_LEAVE)
		ids->real = real;
	if (effective != ID_LEAVE)
		ids->effective = effective;
	if (saved != ID_LEAVE)
		ids->saved = saved;
	ids->file_system = ids->effective;
	return 0;
}

static int set_one(struct ids *ids, bool privileged, uint32_t id)
{
	if (id == ID_LEAVE)
		return EINVAL;
	if (privileged)
		ids->real = ids->saved = id;
	else if (id != ids->real && id != ids->saved)
		return EPERM;
	ids->effective = ids->file_system = id;
	return 0;
}

static int set_two(struct ids *ids, bool privileged, uint32_t real, uint32_t effective)
{
	const struct ids old = *ids;
	if (!privileged && real != ID_LEAVE && real != old.real && real != old.effective)
		return EPERM;
	if (!privileged && effective != ID_LEAVE && !is_one_of(effective, &old))
		return EPERM;
	if (real != ID_LEAVE)
		ids->real = real;
	if (effective != ID_LEAVE)
		ids->effective = effective;
	if (real != ID_LEAVE || (effective != ID_LEAVE && effective != old.real))
		ids->saved = ids->effective;
	ids->file_system = ids->effective;
	return 0;
}

/* setfsuid never fails; it answers with what was before. */
static void set_file_system(struct ids *ids, bool privileged, uint32_t id)
{
	if (id != ID_LEAVE && (privileged || is_one_of(id, ids) || id == ids->file_system))
		ids->file_system = id;
}

/* What a change of user ids does to capabilities. */
static void fix_capabilities(const struct ids *old, struct credentials *c)
{
	if (c->securebits & SECUREBIT_NO_SETUID_FIXUP)
		return;
	bool was_root = old->real == 0 || old->effective == 0 || old->saved == 0;
	bool is_root = c->uid == 0 || c->euid == 0 || c->suid == 0;
	if (was_root && !is_root) {
		if (!(c->securebits & SECUREBIT_KEEP_CAPS)) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (old->effective == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old->effective != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

static void fix_file_capabilities(uint32_t old, struct credentials *c)
{
	if (c->securebits & SECUREBIT_NO_SETUID_FIXUP)
		return;
	if (old == 0 && c->fsuid != 0)
		c->cap_effective &= ~CAPABILITY_FILE_SYSTEM;
	if (old != 0 && c->fsuid == 0)
		c->cap_effective |= c->cap_permitted & CAPABILITY_FILE_SYSTEM;
}

static int apply(uint32_t kind, struct ids *ids, bool privileged, uint32_t real, uint32_t effective, uint32_t saved)
{
	switch (kind) {
	case SET_RESUID:
	case SET_RESGID:
		return set_three(ids, privileged, real, effective, saved);
	case SET_UID:
	case SET_GID:
		return set_one(ids, privileged, real);
	case SET_REUID:
	case SET_REGID:
		return set_two(ids, privileged, real, effective);
	case SET_FSUID:
	case SET_FSGID:
		set_file_system(ids, privileged, real);
		return 0;
	default:
		return EINVAL;
	}
}

static void store_users(struct credentials *c, const struct ids *ids, const struct ids *old, bool file_system)
{
	c->uid = ids->real;
	c->euid = ids->effective;
	c->suid = ids->saved;
	c->fsuid = ids->file_system;
	if (file_system)
		fix_file_capabilities(old->file_system, c);
	else
		fix_capabilities(old, c);
}

static void store_groups(struct credentials *c, const struct ids *ids)
{
	c->gid = ids->real;
	c->egid = ids->effective;
	c->sgid = ids->saved;
	c->fsgid = ids->file_system;
}

/* A change of the effective ids makes the process undumpable and forgets its parent-death signal. */
static void lose_trust(struct process *p, const struct credentials *old)
{
	if (old->euid == p->cred.euid && old->egid == p->cred.egid && old->fsuid == p->cred.fsuid &&
	    old->fsgid == p->cred.fsgid)
		return;
	p->dumpable = false;
	p->death_signal = 0;
}

int proc_serve_set_ids(struct server_call *call, struct proc_right *right, uint32_t kind, uint32_t real,
                       uint32_t effective, uint32_t saved, uint32_t *previous)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	bool groups = kind & 1;
	struct credentials old = p->cred;
	struct ids ids = groups ? group_ids(&old) : user_ids(&old);
	const struct ids before = ids;
	int error = apply(kind, &ids, has_capability(p, groups ? CAPABILITY_SETGID : CAPABILITY_SETUID), real,
	                  effective, saved);
	if (error)
		return error;
	*previous = before.file_system;
	if (memcmp(&ids, &before, sizeof(ids)) == 0)
		return 0;
	if (groups)
		store_groups(&p->cred, &ids);
	else
		store_users(&p->cred, &ids, &before, kind == SET_FSUID);
	lose_trust(p, &old);
	changed(p);
	return 0;
}

int proc_serve_set_groups(struct server_call *call, struct proc_right *right, const uint32_t *groups,
                          size_t groups_count)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (!has_capability(p, CAPABILITY_SETGID))
		return EPERM;
	memset(p->cred.groups, 0, sizeof(p->cred.groups));
	memcpy(p->cred.groups, groups, groups_count * sizeof(groups[0]));
	p->cred.group_count = (uint32_t)groups_count;
	changed(p);
	return 0;
}

int proc_serve_get_credentials(struct server_call *call, struct proc_right *right, uint32_t pid,
                               struct credentials *cred)
{
	(void)right;
	const struct process *p = pid ? process_by_any_id(pid) : process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	*cred = p->cred;
	return 0;
}

int proc_serve_credentials_of(struct server_call *call, struct proc_right *right, uint64_t principal,
                              struct credentials *cred)
{
	(void)call;
	if (!right->server)
		return EACCES;
	const struct process *p = process_of_principal(principal);
	if (!p)
		return ESRCH;
	*cred = p->cred;
	return 0;
}

int proc_serve_set_capabilities(struct server_call *call, struct proc_right *right, uint64_t effective,
                                uint64_t permitted, uint64_t inheritable)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	const struct credentials *c = &p->cred;
	effective &= CAPABILITY_ALL;
	permitted &= CAPABILITY_ALL;
	inheritable &= CAPABILITY_ALL;
	if (permitted & ~c->cap_permitted || effective & ~permitted)
		return EPERM;
	if (!has_capability(p, CAPABILITY_SETPCAP) && inheritable & ~(c->cap_inheritable | c->cap_permitted))
		return EPERM;
	if (inheritable & ~(c->cap_inheritable | c->cap_bounding))
		return EPERM;
	p->cred.cap_effective = effective;
	p->cred.cap_permitted = permitted;
	p->cred.cap_inheritable = inheritable;
	p->cred.cap_ambient &= permitted & inheritable;
	changed(p);
	return 0;
}

/* Root gains all that is not bounded away; others keep what is ambient. */
static void exec_capabilities(struct credentials *c, bool set_id)
{
	if (set_id)
		c->cap_ambient = 0;
	if (!(c->securebits & SECUREBIT_NOROOT) && (c->uid == 0 || c->euid == 0)) {
		c->cap_permitted = c->cap_inheritable | c->cap_bounding;
		c->cap_effective = c->euid == 0 ? c->cap_permitted : c->cap_ambient;
	} else {
		c->cap_permitted = c->cap_ambient;
		c->cap_effective = c->cap_ambient;
	}
	c->securebits &= ~(uint32_t)SECUREBIT_KEEP_CAPS;
}

bool credentials_exec(const struct process *p, uint32_t mode, uint32_t uid, uint32_t gid, struct credentials *cred)
{
	*cred = p->cred;
	bool honoured = !cred->no_new_privileges;
	if (honoured && (mode & 04000))
		cred->euid = uid;
	/* Without group execution the bit means mandatory locking. */
	if (honoured && (mode & 02010) == 02010)
		cred->egid = gid;
	bool set_id = cred->euid != p->cred.euid || cred->egid != p->cred.egid;
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
	exec_capabilities(cred, set_id);
	bool gained = cred->uid != 0 && (cred->cap_permitted & ~cred->cap_ambient) != 0;
	return cred->uid != cred->euid || cred->gid != cred->egid || gained;
}
