/*
 * Users, groups and capabilities. Reading is answered from struct process_state, which only this process's own calls change;
 * supplementary groups and capabilities from proc.
 */
#include "linux.h"
#include "sem_fast.h"
#include "thread.h"
#include "usercopy.h"

#include <proc_client.h>

#define UNCHANGED UINT32_MAX
#define CAPABILITY_VERSION_1 0x19980330u
#define CAPABILITY_VERSION_2 0x20071026u
#define CAPABILITY_VERSION_3 0x20080522u

enum { SET_RES_UID = 0, SET_RES_GID, SET_UID, SET_GID, SET_RE_UID, SET_RE_GID, SET_FS_UID, SET_FS_GID };

static void take_over(const struct credentials *cred)
{
	process.uid = cred->uid;
	process.euid = cred->euid;
	process.suid = cred->suid;
	process.gid = cred->gid;
	process.egid = cred->egid;
	process.sgid = cred->sgid;
}

static int64_t set_ids(uint32_t kind, uint32_t real, uint32_t effective, uint32_t saved)
{
	struct credentials cred;
	uint32_t previous;
	int error = proc_set_ids(NAME_PROC, kind, real, effective, saved, &previous);

	sem_fast_forget();
	if (!error && proc_get_credentials(NAME_PROC, 0, &cred) == 0)
		take_over(&cred);
	if (error)
		return result_of(error);
	return kind >= SET_FS_UID ? previous : 0;
}

int64_t sys_getuid(void)
{
	return process.uid;
}

int64_t sys_geteuid(void)
{
	return process.euid;
}

int64_t sys_getgid(void)
{
	return process.gid;
}

int64_t sys_getegid(void)
{
	return process.egid;
}

int64_t sys_setuid(uint32_t id)
{
	return id == UNCHANGED ? -EINVAL : set_ids(SET_UID, id, id, id);
}

int64_t sys_setgid(uint32_t id)
{
	return id == UNCHANGED ? -EINVAL : set_ids(SET_GID, id, id, id);
}

int64_t sys_setreuid(uint32_t real, uint32_t effective)
{
	return set_ids(SET_RE_UID, real, effective, UNCHANGED);
}

int64_t sys_setregid(uint32_t real, uint32_t effective)
{
	return set_ids(SET_RE_GID, real, effective, UNCHANGED);
}

int64_t sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
	return set_ids(SET_RES_UID, real, effective, saved);
}

int64_t sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved)
{
	return set_ids(SET_RES_GID, real, effective, saved);
}

/* These tell no error, only what was there before. */
int64_t sys_setfsuid(uint32_t id)
{
	int64_t previous = set_ids(SET_FS_UID, id, id, id);
	return previous < 0 ? process.euid : previous;
}

int64_t sys_setfsgid(uint32_t id)
{
	int64_t previous = set_ids(SET_FS_GID, id, id, id);
	return previous < 0 ? process.egid : previous;
}

static int64_t put_three(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t x, uint32_t y, uint32_t z)
{
	return user_put(a, &x) || user_put(b, &y) || user_put(c, &z) ? -EFAULT : 0;
}

int64_t sys_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
	return put_three(real, effective, saved, process.uid, process.euid, process.suid);
}

int64_t sys_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
	return put_three(real, effective, saved, process.gid, process.egid, process.sgid);
}

int64_t sys_getgroups(int size, uint32_t *user)
{
	struct credentials cred;
	int error = proc_get_credentials(NAME_PROC, 0, &cred);

	if (error)
		return result_of(error);
	if (size == 0)
		return cred.group_count;
	if (size < 0 || (uint32_t)size < cred.group_count || cred.group_count > PROC_GROUPS_MAX)
		return -EINVAL;
	return user_copy(user, cred.groups, cred.group_count * sizeof(uint32_t)) ? -EFAULT : (int64_t)cred.group_count;
}

int64_t sys_setgroups(uint32_t count, const uint32_t *user)
{
	uint32_t groups[PROC_GROUPS_MAX];

	if (count > PROC_GROUPS_MAX)
		return -EINVAL;
	if (user_copy(groups, user, count * sizeof(uint32_t)))
		return -EFAULT;
	/* In order, as Linux gives them back. */
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t j = i; j > 0 && groups[j - 1] > groups[j]; j--) {
			uint32_t larger = groups[j - 1];
			groups[j - 1] = groups[j];
			groups[j] = larger;
		}
	sem_fast_forget();
	return result_of(proc_set_groups(NAME_PROC, groups, count));
}

/* ---- capabilities ---- */

struct capability_header { uint32_t version; int32_t pid; };
struct capability_data { uint32_t effective, permitted, inheritable; };

/* Halves of 32 bits that the caller's version has; 0: unknown version, which is told ours. */
static uint32_t halves(struct capability_header *header, struct capability_header *user)
{
	switch (header->version) {
	case CAPABILITY_VERSION_1:
		return 1;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		return 2;
	default:
		header->version = CAPABILITY_VERSION_3;
		user_put(user, header);
		return 0;
	}
}

int64_t sys_capget(struct capability_header *user_header, struct capability_data *user_data)
{
	struct capability_header header;
	struct capability_data data[2];
	struct credentials cred;

	if (user_get(&header, user_header))
		return -EFAULT;
	uint32_t count = halves(&header, user_header);
	if (count == 0)
		return user_data ? -EINVAL : 0;
	if (header.pid < 0)
		return -EINVAL;
	int error = proc_get_credentials(NAME_PROC, (uint32_t)header.pid, &cred);
	if (error)
		return result_of(error);
	for (uint32_t i = 0; i < count; i++)
		data[i] = (struct capability_data){ (uint32_t)(cred.cap_effective >> 32 * i), (uint32_t)(cred.cap_permitted >> 32 * i),
			(uint32_t)(cred.cap_inheritable >> 32 * i) };
	return user_data ? user_copy(user_data, data, count * sizeof(data[0])) : 0;
}

int64_t sys_capset(struct capability_header *user_header, const struct capability_data *user_data)
{
	struct capability_header header;
	struct capability_data data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (user_get(&header, user_header))
		return -EFAULT;
	uint32_t count = halves(&header, user_header);
	if (count == 0)
		return -EINVAL;
	if (header.pid != 0 && (uint32_t)header.pid != process.pid)
		return -EPERM;
	if (user_copy(data, user_data, count * sizeof(data[0])))
		return -EFAULT;
	sem_fast_forget();
	return result_of(proc_set_capabilities(NAME_PROC, data[0].effective | (uint64_t)data[1].effective << 32,
					       data[0].permitted | (uint64_t)data[1].permitted << 32,
					       data[0].inheritable | (uint64_t)data[1].inheritable << 32));
}
