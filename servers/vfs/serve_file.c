/*
 * Handlers of idl/io.idl that are about an open file as such: attributes, size, flags, locks, mappings, readiness, its
 * path.
 */
#include "serve.h"
#include <portico/server_readiness.h>

/* F_SETFL. */
#define CHANGEABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

int io_serve_stat(struct server_call *call, struct open_file *object, struct attributes *attr)
{
	(void)call;
	vnode_attributes(object->place.vnode, attr);
	return 0;
}

int io_serve_truncate(struct server_call *call, struct open_file *object, uint64_t size)
{
	if ((object->flags & O_PATH) != 0)
		return EBADF;
	if (!is_regular(object->place.vnode) || !may_write(object))
		return EINVAL;
	return truncate_vnode(session_of(call), object->place.vnode, size);
}

int io_serve_allocate(struct server_call *call, struct open_file *object, uint32_t mode, uint64_t offset,
                      uint64_t length)
{
	struct vnode *vnode = object->place.vnode;

	if (!may_write(object))
		return EBADF;
	if ((vnode->mode & S_IFMT) == S_IFIFO)
		return ESPIPE;
	if (!is_regular(vnode))
		return ENODEV;
	if (length == 0 || length > INT64_MAX || offset > INT64_MAX)
		return EINVAL;
	int error = operations(vnode)->allocate(vnode, mode, offset, length);
	if (error != 0)
		return error;
	strip_set_id(session_of(call), vnode);
	vnode_modified(vnode);
	return 0;
}

int io_serve_sync(struct server_call *call, struct open_file *object, uint8_t data_only)
{
	uint32_t type = object->place.vnode->mode & S_IFMT;

	(void)call;
	(void)data_only;
	if ((object->flags & O_PATH) != 0)
		return EBADF;
	return type == S_IFREG || type == S_IFDIR ? 0 : EINVAL;
}

int io_serve_get_flags(struct server_call *call, struct open_file *object, uint32_t *flags)
{
	(void)call;
	*flags = object->flags;
	return 0;
}

int io_serve_set_flags(struct server_call *call, struct open_file *object, uint32_t flags)
{
	const struct session *who = session_of(call);

	if ((object->flags & O_PATH) != 0)
		return EBADF;
	if ((flags & O_NOATIME) != 0 && (object->flags & O_NOATIME) == 0 &&
	    (who == NULL || !owns(who, object->place.vnode)))
		return EPERM;
	object->flags = (object->flags & ~CHANGEABLE) | (flags & CHANGEABLE);
	return 0;
}

int io_serve_set_mode(struct server_call *call, struct open_file *object, uint32_t mode)
{
	const struct session *who = session_of(call);

	if ((object->flags & O_PATH) != 0)
		return EBADF;
	return who == NULL ? EPERM : change_mode(who, object->place, mode);
}

int io_serve_set_owner(struct server_call *call, struct open_file *object, uint32_t uid, uint32_t gid)
{
	const struct session *who = session_of(call);

	if ((object->flags & O_PATH) != 0)
		return EBADF;
	return who == NULL ? EPERM : change_owner(who, object->place, uid, gid);
}

int io_serve_set_times(struct server_call *call, struct open_file *object, const struct timestamp *accessed,
                       const struct timestamp *modified)
{
	const struct session *who = session_of(call);

	if ((object->flags & O_PATH) != 0)
		return EBADF;
	return who == NULL ? EPERM : change_times(who, object->place, accessed, modified);
}

int io_serve_lock(struct server_call *call, struct open_file *object, uint8_t operation, const struct io_lock *request,
                  struct io_lock *holder)
{
	return lock_serve(call, object, operation, request, holder);
}

int io_serve_map(struct server_call *call, struct open_file *object_, uint8_t writable, struct server_port *object,
                 uint64_t *size)
{
	struct vnode *vnode = object_->place.vnode;
	const struct mount *mount = object_->place.mount;
	bool executable = mount == NULL || (mount->flags & MOUNT_NO_EXECUTE) == 0;

	(void)call;
	if ((object_->flags & O_PATH) != 0)
		return EBADF;
	if (!may_read(object_) || (writable && !may_write(object_)))
		return EACCES;
	if (!is_regular(vnode) || operations(vnode)->map == NULL)
		return ENODEV;
	enum memory_access access = writable     ? (executable ? MEMORY_ALL : MEMORY_READ_WRITE)
	                            : executable ? MEMORY_READ_EXECUTE
	                                         : MEMORY_READ;
	*size = vnode->size;
	int error = operations(vnode)->map(vnode, access, &object->name);
	if (error != 0)
		return error;
	open_file_accessed(object_);
	if (writable)
		vnode_modified(vnode); /* stores through a mapping are not seen one by one */
	return 0;
}

int io_serve_ready_slot(struct server_call *call, struct open_file *object, uint32_t *slot)
{
	(void)call;
	if ((object->flags & O_PATH) != 0)
		return EBADF;
	if ((object->place.vnode->mode & S_IFMT) != S_IFIFO)
		return EPERM;
	*slot = pipe_slot(object);
	return *slot != 0 ? 0 : ENOSPC;
}

int io_serve_ready_object(struct server_call *call, struct open_file *object_, struct server_port *object)
{
	(void)call;
	(void)object_;
	object->name = readiness_object();
	return object->name != PORT_NULL ? 0 : ENOMEM;
}

int io_serve_path(struct server_call *call, struct open_file *object, char *path)
{
	const struct session *who = session_of(call);

	return path_of_file(object, who != NULL ? who->root : vfs->root, path, 2049) ? 0 : ENOENT;
}

int io_serve_stat_file_system(struct server_call *call, struct open_file *object, struct io_file_system *result)
{
	(void)call;
	file_system_status(object->place.vnode->system, result);
	return 0;
}

int io_serve_available(struct server_call *call, struct open_file *object, uint64_t *bytes)
{
	const struct vnode *vnode = object->place.vnode;

	(void)call;
	if ((object->flags & O_PATH) != 0)
		return EBADF;
	switch (vnode->mode & S_IFMT) {
	case S_IFIFO:
		*bytes = vnode->pipe->count;
		return 0;
	case S_IFREG:
		*bytes = (uint64_t)object->offset < vnode->size ? vnode->size - (uint64_t)object->offset : 0;
		return 0;
	default:
		return ENOTTY;
	}
}

int io_serve_pipe_size(struct server_call *call, struct open_file *object, uint32_t size, uint32_t *result)
{
	const struct session *who = session_of(call);

	if ((object->place.vnode->mode & S_IFMT) != S_IFIFO || (object->flags & O_PATH) != 0)
		return EBADF;
	return pipe_resize(object, size, who != NULL && capable(who, CAP_SYS_RESOURCE), result);
}

int io_serve_reopen(struct server_call *call, struct open_file *object, uint32_t flags, struct server_port *file,
                    uint32_t *kind)
{
	const struct session *who = session_of(call);
	struct open_file *made;

	if (who == NULL)
		return EPERM;
	int error = reopen_file(who, object, flags, &made);
	if (error != 0)
		return error;
	*kind = open_file_kind(made->place.vnode);
	return give(made, file);
}
