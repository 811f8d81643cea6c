/*
 * What the handler files share. Above: the generated dispatchers.
 */
#ifndef VFS_SERVE_H
#define VFS_SERVE_H

#include "vfs.h"
#include <io_server.h>
#include <vfs_server.h>

/* Walk flags of AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH as they come in a message. */
static inline uint32_t walk_flags_of(uint32_t lookup)
{
	return ((lookup & VFS_LOOKUP_NO_FOLLOW) != 0 ? WALK_NO_FOLLOW : 0) |
	       ((lookup & VFS_LOOKUP_EMPTY_PATH) != 0 ? WALK_EMPTY : 0);
}

/* The open file's right goes out. Returns 0. */
int give(struct open_file *file, struct server_port *port);
/* The open file of ours that a caller's right names; NULL: somebody else's. */
static inline struct open_file *file_of_right(port_name_t name)
{
	uint64_t badge;

	return server_own_badge(name, &badge) ? open_file_find(badge) : NULL;
}
/* May `who` open it like this? flags: O_*. */
int check_open(const struct session *who, struct place place, uint32_t flags);
/* A right to the net server, with which others can be minted; PORT_NULL: there is none. */
port_name_t net_server(void);
/* truncate(2) after all checks. */
int truncate_vnode(const struct session *who, struct vnode *vnode, uint64_t size);
/* Another description of the same file, with a mode of its own. */
int reopen_file(const struct session *who, const struct open_file *from, uint32_t flags, struct open_file **made);
void file_system_status(const struct file_system *system, struct io_file_system *to);

#endif
