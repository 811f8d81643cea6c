/*
 * What /proc does not do, and with which error: nothing can be made, removed, renamed, mapped, locked or changed in it.
 *
 * Errors are Linux's for its own /proc. A name that leads out of /proc gets EREMOTE here as everywhere.
 */
#include "procfs.h"

#include <io_server.h>
#include <portico/strings.h>
#include <vfs_server.h>

#define UNUSED2(a, b) ((void)(a), (void)(b))
#define UNUSED3(a, b, c) ((void)(a), (void)(b), (void)(c))

/* A name that is to be made: EEXIST if it is there, else ENOENT, as nothing can appear. */
static int refuse_new(struct server_call *call, const struct open_file *base, const char *path)
{
	struct walk walk;
	memset(&walk, 0, sizeof(walk));
	walk.caller = process_of_principal(call->principal);
	int error = node_walk(&walk, &base->node, path);
	return error ? error : EEXIST;
}

/* A name that is to be changed. */
static int refuse_change(struct server_call *call, const struct open_file *base, const char *path, bool follow,
                         int refusal)
{
	struct walk walk;
	memset(&walk, 0, sizeof(walk));
	walk.caller = process_of_principal(call->principal);
	walk.follow = follow;
	int error = node_walk(&walk, &base->node, path);
	return error ? error : refusal;
}

int vfs_serve_make_directory(struct server_call *call, struct open_file *base, const char *path, uint32_t mode)
{
	(void)mode;
	return refuse_new(call, base, path);
}

int vfs_serve_make_socket(struct server_call *call, struct open_file *base, const char *path, uint32_t mode, struct server_port *name)
{
	UNUSED2(mode, name);
	return refuse_new(call, base, path);
}

int vfs_serve_make_node(struct server_call *call, struct open_file *base, const char *path, uint32_t mode,
                        uint64_t device)
{
	UNUSED2(mode, device);
	return refuse_new(call, base, path);
}

int vfs_serve_make_symlink(struct server_call *call, struct open_file *base, const char *target, const char *path)
{
	(void)target;
	return refuse_new(call, base, path);
}

int vfs_serve_link(struct server_call *call, struct open_file *base, const char *path, port_name_t *to,
                   const char *to_path, uint32_t flags)
{
	UNUSED3(to, to_path, flags);
	return refuse_change(call, base, path, false, EXDEV);
}

int vfs_serve_remove(struct server_call *call, struct open_file *base, const char *path, uint32_t flags)
{
	(void)flags;
	return refuse_change(call, base, path, false, EPERM);
}

int vfs_serve_rename(struct server_call *call, struct open_file *base, const char *path, port_name_t *to,
                     const char *to_path, uint32_t flags)
{
	UNUSED3(to, to_path, flags);
	return refuse_change(call, base, path, false, EPERM);
}

int vfs_serve_set_mode(struct server_call *call, struct open_file *base, const char *path, uint32_t mode,
                       uint32_t flags)
{
	(void)mode;
	return refuse_change(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), EPERM);
}

int vfs_serve_set_owner(struct server_call *call, struct open_file *base, const char *path, uint32_t uid, uint32_t gid,
                        uint32_t flags)
{
	UNUSED2(uid, gid);
	return refuse_change(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), EPERM);
}

int vfs_serve_set_times(struct server_call *call, struct open_file *base, const char *path,
                        const struct timestamp *accessed, const struct timestamp *modified, uint32_t flags)
{
	UNUSED2(accessed, modified);
	return refuse_change(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), EPERM);
}

int vfs_serve_truncate(struct server_call *call, struct open_file *base, const char *path, uint64_t size)
{
	(void)size;
	return refuse_change(call, base, path, true, EACCES);
}

int vfs_serve_mount(struct server_call *call, struct open_file *base, const char *source, const char *target,
                    const char *type, uint64_t flags, const char *data)
{
	UNUSED3(source, type, data);
	(void)flags;
	return refuse_change(call, base, target, true, EPERM);
}

int vfs_serve_unmount(struct server_call *call, struct open_file *base, const char *target, uint32_t flags)
{
	(void)flags;
	return refuse_change(call, base, target, true, EINVAL);
}

int vfs_serve_mount_entry(struct server_call *call, struct open_file *base, uint32_t index, char *line)
{
	UNUSED3(call, base, index);
	(void)line;
	return ENOENT;
}

int vfs_serve_mount_information(struct server_call *call, struct open_file *base, uint32_t index, char *line)
{
	return vfs_serve_mount_entry(call, base, index, line);
}

int vfs_serve_set_root(struct server_call *call, struct open_file *base, const char *path, struct server_port *file)
{
	(void)file;
	return refuse_change(call, base, path, true, EPERM);
}

int vfs_serve_pipe(struct server_call *call, struct open_file *base, uint32_t flags, struct server_port *reader,
                   struct server_port *writer)
{
	UNUSED3(call, base, flags);
	UNUSED2(reader, writer);
	return EINVAL;
}

/* There is nothing that could be written back. */
int vfs_serve_sync_all(struct server_call *call, struct open_file *base)
{
	UNUSED2(call, base);
	return 0;
}

int vfs_serve_memory_file(struct server_call *call, struct open_file *base, const char *name, uint32_t flags,
                          struct server_port *file, uint32_t *kind)
{
	UNUSED3(call, base, name);
	UNUSED3(flags, file, kind);
	return EINVAL;
}

/* Object control does not exist here (vfs_control_get), so these are never reached; they say so. */
int vfs_serve_session_begin(struct server_call *call, struct vfs_control *control, uint64_t principal, uint64_t parent,
                            const struct credentials *cred)
{
	UNUSED3(call, control, principal);
	UNUSED2(parent, cred);
	return EBADF;
}

int vfs_serve_session_credentials(struct server_call *call, struct vfs_control *control, uint64_t principal,
                                  const struct credentials *cred)
{
	UNUSED2(call, control);
	UNUSED2(principal, cred);
	return EBADF;
}

int vfs_serve_session_end(struct server_call *call, struct vfs_control *control, uint64_t principal)
{
	UNUSED3(call, control, principal);
	return EBADF;
}

int vfs_serve_root_directory(struct server_call *call, struct vfs_control *control, struct server_port *file)
{
	UNUSED3(call, control, file);
	return EBADF;
}

int vfs_serve_open_program(struct server_call *call, struct vfs_control *control, uint64_t principal, port_name_t *base,
                           const char *path, uint32_t flags, struct server_port *object, uint64_t *size,
                           struct attributes *attr, struct server_port *file)
{
	UNUSED3(call, control, principal);
	UNUSED3(base, path, flags);
	UNUSED2(object, size);
	UNUSED2(attr, file);
	return EBADF;
}

int io_serve_truncate(struct server_call *call, struct open_file *file, uint64_t size)
{
	UNUSED2(call, size);
	/* Shells truncate what they write to: a file that takes writes does not mind. */
	return file->file && (node_type(&file->node)->mode & 0200) ? 0 : EINVAL;
}

int io_serve_allocate(struct server_call *call, struct open_file *file, uint32_t mode, uint64_t offset, uint64_t length)
{
	UNUSED3(call, file, mode);
	UNUSED2(offset, length);
	return EOPNOTSUPP;
}

int io_serve_set_mode(struct server_call *call, struct open_file *file, uint32_t mode)
{
	UNUSED3(call, file, mode);
	return EPERM;
}

int io_serve_set_owner(struct server_call *call, struct open_file *file, uint32_t uid, uint32_t gid)
{
	UNUSED2(call, file);
	UNUSED2(uid, gid);
	return EPERM;
}

int io_serve_set_times(struct server_call *call, struct open_file *file, const struct timestamp *accessed,
                       const struct timestamp *modified)
{
	UNUSED2(call, file);
	UNUSED2(accessed, modified);
	return EPERM;
}

int io_serve_lock(struct server_call *call, struct open_file *file, uint8_t operation, const struct io_lock *request,
                  struct io_lock *holder)
{
	UNUSED3(call, file, operation);
	UNUSED2(request, holder);
	return ENOLCK;
}

int io_serve_map(struct server_call *call, struct open_file *file, uint8_t writable, struct server_port *object,
                 uint64_t *size)
{
	UNUSED3(call, file, writable);
	UNUSED2(object, size);
	return ENODEV;
}

/* Always ready (file_kind): there is no word for it. */
int io_serve_ready_slot(struct server_call *call, struct open_file *file, uint32_t *slot)
{
	UNUSED3(call, file, slot);
	return EPERM;
}

int io_serve_ready_object(struct server_call *call, struct open_file *file, struct server_port *object)
{
	UNUSED3(call, file, object);
	return ENOSYS;
}

int io_serve_available(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	UNUSED3(call, file, bytes);
	return ENOTTY;
}

int io_serve_pipe_size(struct server_call *call, struct open_file *file, uint32_t size, uint32_t *result)
{
	UNUSED2(call, file);
	UNUSED2(size, result);
	return EBADF;
}

int io_serve_copy_range(struct server_call *call, struct open_file *file, int64_t offset, port_name_t *to,
                        int64_t to_offset, uint64_t length, uint64_t *done)
{
	UNUSED3(call, file, offset);
	UNUSED2(to, to_offset);
	UNUSED2(length, done);
	return EXDEV;
}
