/*
 * Handlers of idl/vfs.idl for proc: sessions, the first directories, programs.
 */
#include "serve.h"

struct vfs_control *vfs_control_get(struct server_call *call)
{
	return BADGE_SPACE(call->badge) == BADGE_CONTROL ? (struct vfs_control *)vfs : NULL;
}

void vfs_control_put(struct vfs_control *object)
{
	(void)object;
}

int vfs_serve_session_begin(struct server_call *call, struct vfs_control *object, uint64_t principal, uint64_t parent,
                            const struct credentials *cred)
{
	(void)call;
	(void)object;
	return session_begin(principal, parent, cred);
}

int vfs_serve_session_credentials(struct server_call *call, struct vfs_control *object, uint64_t principal,
                                  const struct credentials *cred)
{
	struct session *session = session_find(principal);

	(void)call;
	(void)object;
	if (session == NULL)
		return ESRCH;
	session->cred = *cred;
	return 0;
}

int vfs_serve_session_end(struct server_call *call, struct vfs_control *object, uint64_t principal)
{
	(void)call;
	(void)object;
	return session_end(principal);
}

int vfs_serve_root_directory(struct server_call *call, struct vfs_control *object, struct server_port *file)
{
	struct open_file *made;

	(void)call;
	(void)object;
	int error = open_file_new(vfs->root, O_PATH | O_DIRECTORY, &made);
	return error != 0 ? error : give(made, file);
}

static int check_program(const struct session *who, struct place place)
{
	const struct vnode *vnode = place.vnode;

	if (is_symlink(vnode))
		return ELOOP;
	if (!is_regular(vnode))
		return EACCES;
	int error = permission(who, place, MAY_EXECUTE);
	if (error != 0)
		return error;
	return vnode->writers != 0 ? ETXTBSY : 0;
}

int vfs_serve_open_program(struct server_call *call, struct vfs_control *object_, uint64_t principal, port_name_t *base,
                           const char *path, uint32_t flags, struct server_port *object, uint64_t *size,
                           struct attributes *attr, struct server_port *file)
{
	const struct session *who = session_find(principal);
	const struct open_file *from = file_of_right(*base);
	struct open_file *made;
	struct walk walk;

	(void)call;
	(void)object_;
	if (who == NULL || from == NULL)
		return EACCES;
	int error = walk_path(&walk, who, from, path, walk_flags_of(flags));
	if (error == 0)
		error = check_program(who, walk.place);
	if (error != 0)
		return error;
	struct vnode *vnode = walk.place.vnode;
	error = operations(vnode)->map(vnode, MEMORY_READ_EXECUTE, &object->name);
	if (error == 0)
		error = open_file_new(walk.place, O_RDONLY | O_LARGEFILE, &made);
	if (error != 0)
		return error;
	made->program = true;
	vnode->programs++;
	if (walk.last == LAST_NAME)
		open_file_named(made, walk.parent.vnode, walk.name);
	vnode_attributes(vnode, attr);
	if (walk.place.mount != NULL && (walk.place.mount->flags & MOUNT_NO_SUID) != 0)
		attr->mode &= ~(S_ISUID | S_ISGID);
	*size = vnode->size;
	return give(made, file);
}
