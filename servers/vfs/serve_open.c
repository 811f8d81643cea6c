/*
 * Handlers of idl/vfs.idl that give out rights: open and its relatives, referrals, pipes, memory files, programs.
 *
 * A right is the open file's badge on our own port; it goes out with the reply, and comes back as a no-senders
 * notification.
 */
#include "serve.h"
#include <portico/devices.h>
#include <portico/net_badge.h>

/* What F_GETFL never shows. */
#define OPEN_ONLY (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC | O_TMPFILE_BIT)
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct open_file *vfs_file_get(struct server_call *call)
{
	return open_file_find(call->badge);
}

/* Nothing frees a file while it is in service: notifications are messages of their own. */
void vfs_file_put(struct open_file *object)
{
	(void)object;
}

/* ---- checks ---- */

static uint32_t mask_of(uint32_t flags)
{
	static const uint32_t mask[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, 0};

	return mask[flags & O_ACCMODE] | ((flags & O_TRUNC) != 0 ? MAY_WRITE : 0);
}

/* Does this kind of file open this way at all? */
static int check_type(struct place place, uint32_t flags)
{
	const struct vnode *vnode = place.vnode;

	switch (vnode->mode & S_IFMT) {
	case S_IFLNK:
		return ELOOP;
	case S_IFDIR:
		return (mask_of(flags) & MAY_WRITE) != 0 || (flags & O_CREAT) != 0 ? EISDIR : 0;
	case S_IFSOCK:
		return ENXIO;
	case S_IFCHR:
	case S_IFBLK:
		if (place.mount != NULL && (place.mount->flags & MOUNT_NO_DEVICES) != 0)
			return EACCES;
		return device_open(vnode);
	default:
		return 0;
	}
}

int check_open(const struct session *who, struct place place, uint32_t flags)
{
	const struct vnode *vnode = place.vnode;

	if ((flags & O_DIRECTORY) != 0 && !is_directory(vnode))
		return ENOTDIR;
	if ((flags & O_PATH) != 0)
		return is_symlink(vnode) && (flags & O_NOFOLLOW) == 0 ? ELOOP : 0;
	int error = check_type(place, flags);
	if (error == 0)
		error = permission(who, place, mask_of(flags));
	if (error != 0)
		return error;
	if ((flags & O_NOATIME) != 0 && !owns(who, vnode))
		return EPERM;
	if (is_regular(vnode) && vnode->programs != 0 && (mask_of(flags) & MAY_WRITE) != 0)
		return ETXTBSY;
	return 0;
}

int truncate_vnode(const struct session *who, struct vnode *vnode, uint64_t size)
{
	if (size > INT64_MAX)
		return EINVAL;
	int error = operations(vnode)->truncate(vnode, size);
	if (error != 0)
		return error;
	strip_set_id(who, vnode);
	vnode_modified(vnode);
	return 0;
}

/* ---- open ---- */

static uint32_t kept_flags(uint32_t flags)
{
	return (flags & ~OPEN_ONLY) | ((flags & O_PATH) == 0 ? O_LARGEFILE : 0);
}

/* A new file where the walk found none. */
static int create_file(const struct session *who, struct walk *walk, uint32_t mode)
{
	struct vnode *directory = walk->parent.vnode;
	int error = may_create(who, walk->parent);

	if (error != 0)
		return error;
	if (operations(directory)->create == NULL)
		return EPERM;
	struct new_vnode what = new_vnode_in(who, directory, S_IFREG | (mode & MODE_BITS));
	error = operations(directory)->create(directory, walk->name, walk->length, &what, &walk->place.vnode);
	walk->place.mount = walk->parent.mount;
	return error;
}

/* Resolves, creates, checks. *created: no permission is to be asked for. */
static int find_file(const struct session *who, struct walk *walk, const struct open_file *base, const char *path,
                     uint32_t flags, uint32_t mode, bool *created)
{
	bool exclusive = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
	uint32_t how = ((flags & O_CREAT) != 0 ? WALK_CREATE : 0) |
	               ((flags & O_NOFOLLOW) != 0 || exclusive ? WALK_NO_FOLLOW : 0);
	int error = walk_path(walk, who, base, path, how);

	*created = false;
	if (error != 0)
		return error;
	if ((flags & O_CREAT) != 0 && (walk->slash || walk->last != LAST_NAME))
		return exclusive && walk->place.vnode != NULL ? EEXIST : EISDIR;
	if (walk->place.vnode == NULL) {
		*created = true;
		return create_file(who, walk, mode);
	}
	if (exclusive)
		return EEXIST;
	return check_open(who, walk->place, flags);
}

/* O_TMPFILE: a file without a name in the file system of a directory. */
static int temporary_file(const struct session *who, struct walk *walk, const struct open_file *base, const char *path,
                          uint32_t flags, uint32_t mode)
{
	int error = walk_path(walk, who, base, path, 0);

	if (error != 0)
		return error;
	struct vnode *directory = walk->place.vnode;
	if ((flags & O_DIRECTORY) == 0 || (flags & O_ACCMODE) == O_RDONLY)
		return EINVAL;
	if (!is_directory(directory))
		return ENOTDIR;
	error = may_create(who, walk->place);
	if (error != 0)
		return error;
	if (operations(directory)->create_unnamed == NULL)
		return EOPNOTSUPP;
	struct new_vnode what = new_vnode_in(who, directory, S_IFREG | (mode & MODE_BITS));
	return operations(directory)->create_unnamed(directory->system, &what, &walk->place.vnode);
}

int give(struct open_file *file, struct server_port *port)
{
	server_port_badge(port, file->badge, 0);
	return 0;
}

/* The description; FIFOs may park. The vnode goes with it if it was new and the description fails. */
static int finish_open(struct server_call *call, struct walk *walk, uint32_t flags, struct server_port *port,
                       uint32_t *kind)
{
	struct vnode *vnode = walk->place.vnode;
	struct open_file *file;

	vnode_get(vnode);
	int error = open_file_new(walk->place, kept_flags(flags), &file);
	vnode_put(vnode);
	if (error != 0)
		return error;
	if (!is_directory(vnode) && walk->last == LAST_NAME)
		open_file_named(file, walk->parent.vnode, walk->name);
	*kind = open_file_kind(vnode);
	if ((vnode->mode & S_IFMT) == S_IFIFO && (flags & O_PATH) == 0) {
		error = fifo_open(call, file);
		if (error == SERVER_PARKED)
			return error;
		if (error != 0) {
			open_file_put(file);
			return error;
		}
	}
	return give(file, port);
}

int vfs_serve_open(struct server_call *call, struct open_file *object, const char *path, uint32_t flags, uint32_t mode,
                   struct server_port *file, uint32_t *kind)
{
	const struct session *who = session_of(call);
	bool nameless = (flags & O_TMPFILE_BIT) != 0, created = nameless;
	struct walk walk;

	if (who == NULL)
		return EPERM;
	if ((flags & O_PATH) != 0) {
		flags &= PATH_FLAGS;
		nameless = created = false;
	} else if ((flags & O_ACCMODE) == O_ACCMODE ||
	           ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0 && !nameless)) {
		return EINVAL;
	}
	int error = nameless ? temporary_file(who, &walk, object, path, flags, mode)
	                     : find_file(who, &walk, object, path, flags, mode, &created);
	if (error != 0)
		return error;
	if (nameless) {
		walk.last = LAST_DOT;
		flags &= ~O_DIRECTORY;
	}
	if ((flags & O_PATH) == 0 && device_is_remote(walk.place.vnode))
		return EREMOTE;
	if ((flags & O_TRUNC) != 0 && !created && is_regular(walk.place.vnode)) {
		error = truncate_vnode(who, walk.place.vnode, 0);
		if (error != 0)
			return error;
	}
	return finish_open(call, &walk, flags, file, kind);
}

int vfs_serve_open_directory(struct server_call *call, struct open_file *object, const char *path, uint32_t flags,
                             struct server_port *file)
{
	const struct session *who = session_of(call);
	struct open_file *made;
	struct walk walk;

	if (who == NULL)
		return EPERM;
	int error = walk_path(&walk, who, object, path, walk_flags_of(flags));
	if (error == 0 && !is_directory(walk.place.vnode))
		error = ENOTDIR;
	if (error == 0)
		error = permission(who, walk.place, MAY_EXECUTE);
	if (error == 0)
		error = open_file_new(walk.place, O_PATH | O_DIRECTORY, &made);
	return error == 0 ? give(made, file) : error;
}

int vfs_serve_set_root(struct server_call *call, struct open_file *object, const char *path, struct server_port *file)
{
	struct session *session = session_find(call->principal);
	int error;

	if (session == NULL || session_of(call) != session || !capable(session, CAP_SYS_CHROOT))
		return EPERM;
	error = vfs_serve_open_directory(call, object, path, 0, file);
	if (error == 0)
		session_set_root(session, open_file_find(file->badge)->place);
	return error;
}

/* ---- referrals ---- */

static port_name_t other_server(port_name_t *kept, const char *name)
{
	if (*kept == PORT_NULL)
		*kept = server_lookup(name);
	return *kept;
}

port_name_t net_server(void)
{
	return other_server(&vfs->net, "net");
}

/* connect(2), sendto(2): writing is what the mode has to allow. */
static int refer_to_socket(const struct session *who, const struct walk *walk, uint32_t open_flags, uint32_t *server, struct server_port *target,
                           uint32_t *kind)
{
	int error = open_flags != ~0u ? permission(who, walk->place, mask_of(open_flags)) : 0;

	if (error != 0)
		return error;
	target->name = net_server();
	if (target->name == PORT_NULL)
		return ENXIO;
	target->badge = NET_BADGE(NET_BADGE_FILE, walk->place.vnode->socket);
	*server = VFS_SERVER_ID_NET;
	*kind = IO_FILE_KIND_SOCKET;
	return 0;
}

static int refer_to_proc(const struct walk *walk, uint32_t *server, struct server_port *target, char *rest,
                         uint32_t *kind)
{
	size_t length = strlen(walk->rest);

	if (length > PORTICO_PATH_MAX)
		return ENAMETOOLONG;
	target->name = other_server(&vfs->proc, "proc");
	if (target->name == PORT_NULL)
		return ENXIO;
	target->badge = PROC_REFERRAL_BADGE;
	memcpy(rest, walk->rest, length + 1);
	*server = VFS_SERVER_ID_PROC;
	*kind = length == 0 ? IO_FILE_KIND_DIRECTORY | IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_ALWAYS_READY : 0;
	return 0;
}

static int refer_to_device(const struct session *who, const struct walk *walk, uint32_t open_flags, uint32_t *server,
                           struct server_port *target, uint32_t *kind)
{
	const struct vnode *vnode = walk->place.vnode;

	if (vnode == NULL)
		return EINVAL;
	if (!device_is_remote(vnode)) {
		int error = open_flags != ~0u ? permission(who, walk->place, mask_of(open_flags)) : 0;
		return error != 0 ? error : EINVAL;
	}
	if (open_flags != ~0u) {
		int error = check_open(who, walk->place, open_flags);
		if (error != 0)
			return error;
	}
	target->name = device_server(vnode->rdevice, server);
	if (target->name == PORT_NULL)
		return ENXIO;
	target->badge =
	        DEVICE_BADGE(vnode->rdevice, open_flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), ++vfs->device_serial);
	*kind = device_kind(vnode->rdevice);
	return 0;
}

int vfs_serve_refer(struct server_call *call, struct open_file *object, const char *path, uint32_t flags,
                    uint32_t open_flags, uint32_t mode, uint32_t *server, struct server_port *target, char *rest,
                    uint32_t *kind)
{
	const struct session *who = session_of(call);
	struct walk walk;
	bool creates = open_flags != ~0u && (open_flags & O_CREAT) != 0;

	(void)mode; /* nothing is created on the way to another server */
	if (who == NULL)
		return EPERM;
	int error = walk_path(&walk, who, object, path, walk_flags_of(flags) | (creates ? WALK_CREATE : 0));
	if (error == EREMOTE)
		return refer_to_proc(&walk, server, target, rest, kind);
	if (error != 0)
		return error;
	if (walk.place.vnode != NULL && (walk.place.vnode->mode & S_IFMT) == S_IFSOCK)
		return refer_to_socket(who, &walk, open_flags, server, target, kind);
	return refer_to_device(who, &walk, open_flags, server, target, kind);
}

/* ---- files without names ---- */

int vfs_serve_pipe(struct server_call *call, struct open_file *object, uint32_t flags, struct server_port *reader,
                   struct server_port *writer)
{
	struct open_file *ends[2];

	(void)call;
	(void)object;
	if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) != 0)
		return EINVAL;
	int error = pipe_new(flags & O_NONBLOCK, &ends[0], &ends[1]);
	if (error != 0)
		return error;
	give(ends[0], reader);
	return give(ends[1], writer);
}

int vfs_serve_memory_file(struct server_call *call, struct open_file *object, const char *name, uint32_t flags,
                          struct server_port *file, uint32_t *kind)
{
	const struct session *who = session_of(call);
	struct place place = {NULL, NULL};
	struct open_file *made;

	(void)object;
	if (who == NULL)
		return EPERM;
	if ((flags & ~(MEMORY_FILE_CLOEXEC | MEMORY_FILE_SEALING | MEMORY_FILE_NO_EXECUTE | MEMORY_FILE_EXECUTE)) != 0)
		return EINVAL;
	struct new_vnode what = {.mode = S_IFREG | ((flags & MEMORY_FILE_NO_EXECUTE) != 0 ? 0666 : 0777),
	                         .uid = who->cred.fsuid,
	                         .gid = who->cred.fsgid};
	if (file_systems[vfs->memory_files->kind].create_unnamed(vfs->memory_files, &what, &place.vnode) != 0)
		return ENFILE;
	vnode_get(place.vnode);
	int error = open_file_new(place, O_RDWR | O_LARGEFILE, &made);
	vnode_put(place.vnode);
	if (error != 0)
		return error;
	open_file_named(made, NULL, name);
	*kind = open_file_kind(made->place.vnode);
	return give(made, file);
}

int reopen_file(const struct session *who, const struct open_file *from, uint32_t flags, struct open_file **made)
{
	struct place place = from->place;
	struct vnode *vnode = place.vnode;
	bool fifo = (vnode->mode & S_IFMT) == S_IFIFO;

	if ((flags & O_ACCMODE) == O_ACCMODE || (flags & O_TMPFILE_BIT) != 0)
		return EINVAL;
	if ((flags & O_PATH) != 0)
		flags &= PATH_FLAGS;
	int error = check_open(who, place, flags & ~O_CREAT);
	/* Nobody waits here for the other side of a FIFO: as with O_NONBLOCK. */
	if (error == 0 && fifo && (flags & O_ACCMODE) == O_WRONLY && (vnode->pipe == NULL || vnode->pipe->readers == 0))
		error = ENXIO;
	if (error == 0 && (flags & O_TRUNC) != 0 && is_regular(vnode))
		error = truncate_vnode(who, vnode, 0);
	if (error == 0)
		error = open_file_new(place, kept_flags(flags), made);
	if (error != 0)
		return error;
	if (from->name != NULL)
		open_file_named(*made, from->directory, from->name);
	if (fifo && (*made)->place.vnode->pipe != NULL)
		fifo_pump(vnode->pipe);
	return 0;
}
