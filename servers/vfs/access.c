/*
 * Who may do what: POSIX permissions with supplementary groups, capabilities, sticky directories, set-id bits.
 *
 * File system ids (fsuid, fsgid) count, which follow the effective ones. See POSIX.1-2017 4.5, man 7 capabilities, man
 * 7 path_resolution.
 */
#include "vfs.h"

bool capable(const struct session *who, unsigned capability)
{
	return (who->cred.cap_effective >> capability & 1) != 0;
}

bool in_group(const struct session *who, uint32_t gid)
{
	if (who->cred.fsgid == gid)
		return true;
	for (uint32_t i = 0; i < who->cred.group_count && i < 64; i++)
		if (who->cred.groups[i] == gid)
			return true;
	return false;
}

bool owns(const struct session *who, const struct vnode *vnode)
{
	return who->cred.fsuid == vnode->uid || capable(who, CAP_FOWNER);
}

static uint32_t mount_flags(struct place place)
{
	return place.mount != NULL ? place.mount->flags : 0;
}

/* Writing to a device or a FIFO does not change the file system. */
static bool read_only(struct place place)
{
	uint32_t type = place.vnode->mode & S_IFMT;

	return (mount_flags(place) & MOUNT_READ_ONLY) != 0 && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK);
}

static bool overridden(const struct session *who, const struct vnode *vnode, uint32_t mask)
{
	if (capable(who, CAP_DAC_OVERRIDE))
		return is_directory(vnode) || (mask & MAY_EXECUTE) == 0 || (vnode->mode & 0111) != 0;
	if (!capable(who, CAP_DAC_READ_SEARCH))
		return false;
	return mask == MAY_READ || (is_directory(vnode) && (mask & MAY_WRITE) == 0);
}

int permission(const struct session *who, struct place place, uint32_t mask)
{
	const struct vnode *vnode = place.vnode;
	uint32_t bits = vnode->mode;

	if ((mask & MAY_WRITE) != 0 && read_only(place))
		return EROFS;
	if ((mask & MAY_EXECUTE) != 0 && is_regular(vnode) && (mount_flags(place) & MOUNT_NO_EXECUTE) != 0)
		return EACCES;
	if (who->cred.fsuid == vnode->uid)
		bits >>= 6;
	else if (in_group(who, vnode->gid))
		bits >>= 3;
	if ((mask & ~bits & 7) == 0 || overridden(who, vnode, mask))
		return 0;
	return EACCES;
}

int may_create(const struct session *who, struct place directory)
{
	if (directory.vnode->links == 0)
		return ENOENT;
	return permission(who, directory, MAY_WRITE | MAY_EXECUTE);
}

int may_remove(const struct session *who, struct place directory, const struct vnode *victim)
{
	const struct vnode *parent = directory.vnode;
	int error = permission(who, directory, MAY_WRITE | MAY_EXECUTE);

	if (error != 0)
		return error;
	if ((parent->mode & S_ISVTX) == 0 || who->cred.fsuid == parent->uid || owns(who, victim))
		return 0;
	return EPERM;
}

struct new_vnode new_vnode_in(const struct session *who, const struct vnode *directory, uint32_t mode)
{
	struct new_vnode what = {.mode = mode, .uid = who->cred.fsuid, .gid = who->cred.fsgid};

	if ((directory->mode & S_ISGID) == 0)
		return what;
	what.gid = directory->gid;
	if ((mode & S_IFMT) == S_IFDIR)
		what.mode |= S_ISGID;
	else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !in_group(who, what.gid) &&
	         !capable(who, CAP_FSETID))
		what.mode &= ~S_ISGID;
	return what;
}

static bool cannot_change(struct place place)
{
	return (mount_flags(place) & MOUNT_READ_ONLY) != 0;
}

int change_mode(const struct session *who, struct place place, uint32_t mode)
{
	struct vnode *vnode = place.vnode;

	if (cannot_change(place))
		return EROFS;
	if (is_symlink(vnode))
		return EOPNOTSUPP;
	if (!owns(who, vnode))
		return EPERM;
	mode &= MODE_BITS;
	if (!in_group(who, vnode->gid) && !capable(who, CAP_FSETID))
		mode &= ~S_ISGID;
	vnode->mode = (vnode->mode & S_IFMT) | mode;
	vnode_changed(vnode);
	return 0;
}

int change_owner(const struct session *who, struct place place, uint32_t uid, uint32_t gid)
{
	struct vnode *vnode = place.vnode;
	bool owner = who->cred.fsuid == vnode->uid;

	if (cannot_change(place))
		return EROFS;
	if (!capable(who, CAP_CHOWN)) {
		if (uid != LEAVE_ID && !(owner && uid == vnode->uid))
			return EPERM;
		if (gid != LEAVE_ID && !(owner && (gid == vnode->gid || in_group(who, gid))))
			return EPERM;
	}
	if (uid != LEAVE_ID)
		vnode->uid = uid;
	if (gid != LEAVE_ID)
		vnode->gid = gid;
	if (!is_directory(vnode)) {
		vnode->mode &= ~S_ISUID;
		if ((vnode->mode & S_IXGRP) != 0)
			vnode->mode &= ~S_ISGID;
	}
	vnode_changed(vnode);
	return 0;
}

/* 0: good; *kind: 0 a time, 1 now, 2 leave. */
static int time_kind(const struct timestamp *time, int *kind)
{
	*kind = time->nanoseconds == TIME_NOW ? 1 : time->nanoseconds == TIME_OMIT ? 2 : 0;
	if (*kind != 0)
		return 0;
	if (time->nanoseconds >= 1000000000 || time->seconds > INT64_C(9000000000) ||
	    time->seconds < -INT64_C(9000000000))
		return EINVAL;
	return 0;
}

static void set_time(int64_t *to, const struct timestamp *time, int kind)
{
	if (kind == 0)
		*to = time->seconds * 1000000000 + time->nanoseconds;
	else if (kind == 1)
		*to = server_realtime();
}

int change_times(const struct session *who, struct place place, const struct timestamp *accessed,
                 const struct timestamp *modified)
{
	struct vnode *vnode = place.vnode;
	int first, second, error = time_kind(accessed, &first);

	if (error == 0)
		error = time_kind(modified, &second);
	if (error != 0)
		return error;
	if (first == 2 && second == 2)
		return 0;
	if (cannot_change(place))
		return EROFS;
	if (!owns(who, vnode)) {
		/* "now" for both is what a writer may do, too */
		if (first != 1 || second != 1)
			return EPERM;
		error = permission(who, place, MAY_WRITE);
		if (error != 0)
			return error;
	}
	set_time(&vnode->accessed, accessed, first);
	set_time(&vnode->modified, modified, second);
	vnode_changed(vnode);
	return 0;
}

void strip_set_id(const struct session *who, struct vnode *vnode)
{
	if (!is_regular(vnode) || (vnode->mode & (S_ISUID | S_ISGID)) == 0)
		return;
	if (who != NULL && capable(who, CAP_FSETID))
		return;
	vnode->mode &= ~S_ISUID;
	if ((vnode->mode & S_IXGRP) != 0)
		vnode->mode &= ~S_ISGID;
}
