/*
 * /proc as files: interfaces vfs and io on the badges that vfs makes for referrals and on those of files opened here.
 *
 * A file's contents are made at its first read and kept until it is read from the start again or closed, so that a
 * reader with a small buffer sees one state. EREMOTE: the path leads out of /proc (links to other files, ".." of its
 * root); `refer` then answers with server vfs, a null right and an absolute path, which libposix resolves from the
 * caller's root directory.
 */
#include "procfs.h"

#include <io_server.h>
#include <portico/strings.h>
#include <vfs_server.h>

#define TEXT_MAX 131072u
#define PROC_MAGIC 0x9fa0u

enum open_flag {
	OPEN_ACCESS = 3,
	OPEN_WRITE_ONLY = 1,
	OPEN_READ_WRITE = 2,
	OPEN_CREATE = 0100,
	OPEN_EXCLUSIVE = 0200,
	OPEN_TRUNCATE = 01000,
	OPEN_APPEND = 02000,
	OPEN_NONBLOCK = 04000,
	OPEN_DIRECTORY = 0200000,
	OPEN_NO_FOLLOW = 0400000,
	OPEN_PATH = 010000000,
};

/* Volatile: of the request in service, filled anew by each execution. Calls of proc never nest. */
static struct open_file in_service;
static char text_buffer[TEXT_MAX];

static struct proc_file *file_by_badge(uint64_t badge)
{
	struct proc_file *f = root->files;
	while (f && f->badge != badge)
		f = f->next;
	return f;
}

static struct open_file *get(struct server_call *call)
{
	in_service.file = NULL;
	in_service.node = (struct node){.kind = NODE_ROOT};
	if (BADGE_KIND(call->badge) == BADGE_REFERRAL)
		return &in_service;
	if (BADGE_KIND(call->badge) != BADGE_FILE)
		return NULL;
	in_service.file = file_by_badge(call->badge);
	if (!in_service.file)
		return NULL;
	in_service.node = in_service.file->node;
	return &in_service;
}

struct open_file *vfs_file_get(struct server_call *call)
{
	return get(call);
}

void vfs_file_put(struct open_file *file)
{
	(void)file;
}

struct open_file *io_file_get(struct server_call *call)
{
	return get(call);
}

void io_file_put(struct open_file *file)
{
	(void)file;
}

/* Nobody has control over /proc. */
struct vfs_control *vfs_control_get(struct server_call *call)
{
	(void)call;
	return NULL;
}

void vfs_control_put(struct vfs_control *control)
{
	(void)control;
}

void procfs_no_senders(uint64_t badge, uint64_t make_send)
{
	(void)make_send; /* each badge is made into a right once */
	for (struct proc_file **link = &root->files; *link; link = &(*link)->next) {
		struct proc_file *f = *link;
		if (f->badge != badge)
			continue;
		*link = f->next;
		keep_free(f->text);
		keep_free(f);
		return;
	}
}

static uint32_t type_of(const struct node *node)
{
	return node_type(node)->mode & MODE_TYPE;
}

static int open_node(const struct node *node, uint32_t flags, struct server_port *port)
{
	struct proc_file *f = keep_allocate(sizeof(*f));
	if (!f)
		return ENOSPC;
	f->badge = (uint64_t)BADGE_FILE << 56 | ++root->next_file;
	f->node = *node;
	f->flags = flags & ~(uint32_t)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE);
	f->next = root->files;
	root->files = f;
	server_port_badge(port, f->badge, 0);
	return 0;
}

static uint32_t kind_of(const struct node *node)
{
	uint32_t kind = IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_ALWAYS_READY;
	return type_of(node) == MODE_DIRECTORY ? kind | IO_FILE_KIND_DIRECTORY : kind;
}

static int resolve(struct server_call *call, const struct open_file *base, const char *path, bool follow,
                   struct walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	walk->caller = process_of_principal(call->principal);
	walk->follow = follow;
	return node_walk(walk, &base->node, path);
}

/* The machine's files belong to root. */
static bool mode_allows(const struct walk *walk, bool reads, bool writes)
{
	uint32_t mode = node_type(&walk->node)->mode;
	const struct process *p = walk->caller;
	bool owner = walk->node.pid || (p && (p->cred.fsuid == 0 || has_capability(p, CAPABILITY_DAC_OVERRIDE)));
	if (owner)
		return !writes || (mode & 0200);
	return (!writes || (mode & 0002)) && (!reads || (mode & 0004));
}

static int check_open(const struct walk *walk, uint32_t flags)
{
	uint32_t type = type_of(&walk->node), access = flags & OPEN_ACCESS;
	bool writes = access == OPEN_WRITE_ONLY || access == OPEN_READ_WRITE;
	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return EEXIST;
	if (flags & OPEN_PATH)
		return (flags & OPEN_DIRECTORY) && type != MODE_DIRECTORY ? ENOTDIR : 0;
	if (type == MODE_LINK)
		return ELOOP;
	if ((flags & OPEN_DIRECTORY) && type != MODE_DIRECTORY)
		return ENOTDIR;
	if (type == MODE_DIRECTORY && writes)
		return EISDIR;
	if (!mode_allows(walk, access != OPEN_WRITE_ONLY, writes))
		return EACCES;
	return node_readable(walk->caller, &walk->node) ? 0 : EACCES;
}

int vfs_serve_open(struct server_call *call, struct open_file *base, const char *path, uint32_t flags, uint32_t mode,
                   struct server_port *file, uint32_t *kind)
{
	struct walk walk;
	(void)mode;
	int error = resolve(call, base, path, !(flags & OPEN_NO_FOLLOW), &walk);
	if (!error)
		error = check_open(&walk, flags);
	if (!error && node_is_ipc(&walk.node))
		error = EREMOTE;
	if (error)
		return error;
	*kind = kind_of(&walk.node);
	return open_node(&walk.node, flags, file);
}

int vfs_serve_open_directory(struct server_call *call, struct open_file *base, const char *path, uint32_t flags,
                             struct server_port *file)
{
	struct walk walk;
	int error = resolve(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), &walk);
	if (!error && type_of(&walk.node) != MODE_DIRECTORY)
		error = ENOTDIR;
	if (!error && !node_readable(walk.caller, &walk.node))
		error = EACCES;
	return error ? error : open_node(&walk.node, OPEN_DIRECTORY, file);
}

int vfs_serve_stat(struct server_call *call, struct open_file *base, const char *path, uint32_t flags,
                   struct attributes *attr)
{
	struct walk walk;
	int error = resolve(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), &walk);
	if (!error)
		node_attributes(&walk.node, attr);
	return error;
}

int vfs_serve_access(struct server_call *call, struct open_file *base, const char *path, uint32_t mode, uint32_t flags)
{
	struct walk walk;
	int error = resolve(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), &walk);
	if (error)
		return error;
	uint32_t bits = node_type(&walk.node)->mode;
	if (((mode & 2) && !(bits & 0200)) || ((mode & 1) && !(bits & 0111)))
		return EACCES;
	return (mode & 4) && !node_readable(walk.caller, &walk.node) ? EACCES : 0;
}

int vfs_serve_read_link(struct server_call *call, struct open_file *base, const char *path, void *target,
                        size_t *target_count)
{
	struct walk walk;
	char text[PROCFS_PATH_MAX];
	int error = resolve(call, base, path, false, &walk);
	if (!error)
		error = node_link(walk.caller, &walk.node, text, sizeof(text));
	if (error)
		return error;
	*target_count = strlen(text);
	memcpy(target, text, *target_count);
	return 0;
}

/* An open of a file that ipcd serves: allowed by now. */
static int refer_to_ipc(const struct node *node, uint32_t flags, uint32_t *server, struct server_port *target, char *rest, uint32_t *kind)
{
	if (root->ipc == PORT_NULL)
		return ENXIO;
	*server = VFS_SERVER_ID_IPC;
	target->name = root->ipc;
	target->badge = IPC_FILE_BADGE(node->kind - NODE_IPC, flags & ~(uint32_t)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE), ++root->next_file);
	*kind = kind_of(node);
	rest[0] = '\0';
	return 0;
}

int vfs_serve_refer(struct server_call *call, struct open_file *base, const char *path, uint32_t flags,
                    uint32_t open_flags, uint32_t mode, uint32_t *server, struct server_port *target, char *rest,
                    uint32_t *kind)
{
	struct walk walk;
	(void)mode;
	int error = resolve(call, base, path, !(flags & VFS_LOOKUP_NO_FOLLOW), &walk);
	if (!error && node_is_ipc(&walk.node) && open_flags != UINT32_MAX) {
		error = check_open(&walk, open_flags);
		return error ? error : refer_to_ipc(&walk.node, open_flags, server, target, rest, kind);
	}
	if (error != EREMOTE)
		return error ? error : EINVAL;
	*server = VFS_SERVER_ID_VFS;
	target->name = PORT_NULL;
	*kind = 0;
	memcpy(rest, walk.rest, strlen(walk.rest) + 1);
	return 0;
}

int vfs_serve_directory_path(struct server_call *call, struct open_file *base, char *path)
{
	(void)call;
	if (type_of(&base->node) != MODE_DIRECTORY)
		return ENOTDIR;
	if (!node_exists(&base->node))
		return ENOENT;
	node_path(&base->node, path, PROCFS_PATH_MAX);
	return 0;
}

static void fill_file_system(struct io_file_system *result)
{
	memset(result, 0, sizeof(*result));
	result->type = PROC_MAGIC;
	result->block_size = result->fragment_size = 4096;
	result->name_max = 255;
}

int vfs_serve_stat_file_system(struct server_call *call, struct open_file *base, const char *path,
                               struct io_file_system *result)
{
	struct walk walk;
	int error = resolve(call, base, path, true, &walk);
	if (!error)
		fill_file_system(result);
	return error;
}

/* ---- interface io ---- */

/* Makes the contents, if there are none or reading starts anew. */
static int make_text(const struct server_call *call, struct proc_file *f, uint64_t offset)
{
	if (f->text && offset != 0)
		return 0;
	struct text text = {
	        .bytes = text_buffer, .max = sizeof(text_buffer), .reader = process_of_principal(call->principal)};
	int error = f->node.pid ? contents_process(&f->node, &text) : contents_system(f->node.kind, &text);
	if (error)
		return error;
	char *copy = keep_allocate(text.size ? text.size : 1);
	if (!copy)
		return ENOMEM;
	memcpy(copy, text.bytes, text.size);
	keep_free(f->text);
	f->text = copy;
	f->text_size = text.size;
	return 0;
}

/* Finds what a read at `offset` gives, at most `max` bytes. */
static int slice(const struct server_call *call, const struct open_file *file, int64_t offset, uint64_t max,
                 const char **bytes, size_t *size)
{
	struct proc_file *f = file->file;
	if (!f || (f->flags & OPEN_PATH) || (f->flags & OPEN_ACCESS) == OPEN_WRITE_ONLY)
		return EBADF;
	if (type_of(&f->node) == MODE_DIRECTORY)
		return EISDIR;
	if (offset < IO_OFFSET_CURRENT)
		return EINVAL;
	uint64_t at = offset == IO_OFFSET_CURRENT ? f->position : (uint64_t)offset;
	int error = make_text(call, f, at);
	if (error)
		return error;
	*size = at >= f->text_size ? 0 : f->text_size - at < max ? f->text_size - at : max;
	*bytes = f->text + (at < f->text_size ? at : f->text_size);
	return 0;
}

static void move_on(struct proc_file *f, int64_t offset, size_t done)
{
	if (offset == IO_OFFSET_CURRENT)
		f->position += done;
}

int io_serve_read(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                  struct server_window *data, uint64_t *done)
{
	const char *bytes;
	size_t size;
	(void)flags;
	int error = slice(call, file, offset, data->size, &bytes, &size);
	if (error)
		return error;
	if (size > 0) {
		int64_t written = server_window_write(data, 0, bytes, size);
		if (written < 0)
			return written == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
		size = (size_t)written;
	}
	move_on(file->file, offset, size);
	*done = size;
	return 0;
}

int io_serve_read_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                         uint32_t size, void *data, size_t *data_count)
{
	const char *bytes;
	(void)flags;
	int error = slice(call, file, offset, size < 2048 ? size : 2048, &bytes, data_count);
	if (error)
		return error;
	memcpy(data, bytes, *data_count);
	move_on(file->file, offset, *data_count);
	return 0;
}

static int write_bytes(struct server_call *call, const struct open_file *file, int64_t offset, const char *bytes,
                       size_t size)
{
	struct proc_file *f = file->file;
	if (!f || (f->flags & OPEN_ACCESS) == 0)
		return EBADF;
	int error = contents_write(process_of_principal(call->principal), &f->node, bytes, size);
	if (!error)
		move_on(f, offset, size);
	return error;
}

int io_serve_write(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                   struct server_window *data, uint64_t *done)
{
	char bytes[256];
	(void)flags;
	if (data->size > sizeof(bytes))
		return EINVAL;
	int64_t got = data->size ? server_window_read(data, 0, bytes, data->size) : 0;
	if (got < 0)
		return got == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	*done = (uint64_t)got;
	return write_bytes(call, file, offset, bytes, (size_t)got);
}

int io_serve_write_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags,
                          const void *data, size_t data_count, uint64_t *done)
{
	(void)flags;
	*done = data_count;
	return write_bytes(call, file, offset, data, data_count);
}

int io_serve_seek(struct server_call *call, struct open_file *file, int64_t offset, uint32_t whence, int64_t *position)
{
	struct proc_file *f = file->file;
	(void)call;
	if (!f)
		return EINVAL;
	if (whence == 1 && (offset > 0 ? offset > INT64_MAX - (int64_t)f->position : offset < -(int64_t)f->position))
		return EINVAL;
	if (whence > 1)
		return EINVAL; /* there is no end to count from */
	int64_t to = whence == 0 ? offset : (int64_t)f->position + offset;
	if (to < 0)
		return EINVAL;
	f->position = (uint64_t)to;
	*position = to;
	return 0;
}

int io_serve_stat(struct server_call *call, struct open_file *file, struct attributes *attr)
{
	(void)call;
	node_attributes(&file->node, attr);
	return 0;
}

/* struct linux_dirent64, without the name. */
struct entry_head {
	uint64_t inode;
	uint64_t next;
	uint16_t length;
	uint8_t type;
};
#define ENTRY_NAME 19u

static size_t put_entry(char *to, const struct node *node, uint64_t next, const char *name)
{
	struct attributes attr;
	node_attributes(node, &attr);
	size_t length = (ENTRY_NAME + strlen(name) + 1 + 7) & ~(size_t)7;
	struct entry_head head = {attr.inode, next, (uint16_t)length, (uint8_t)((attr.mode & MODE_TYPE) >> 12)};
	memset(to, 0, length);
	memcpy(to, &head, ENTRY_NAME);
	memcpy(to + ENTRY_NAME, name, strlen(name));
	return length;
}

int io_serve_read_directory(struct server_call *call, struct open_file *file, struct server_window *data,
                            uint64_t *done)
{
	struct proc_file *f = file->file;
	(void)call;
	if (!f || type_of(&f->node) != MODE_DIRECTORY)
		return ENOTDIR;
	if (!node_exists(&f->node))
		return ENOENT;
	uint64_t cookie = f->position, next = cookie;
	size_t max = data->size < sizeof(text_buffer) ? data->size : sizeof(text_buffer), size = 0;
	char name[32];
	struct node entry;
	bool more;
	while ((more = node_entry(&f->node, &next, name, &entry))) {
		if (((ENTRY_NAME + strlen(name) + 1 + 7) & ~(size_t)7) > max - size)
			break;
		size += put_entry(text_buffer + size, &entry, next, name);
		cookie = next;
	}
	if (size == 0 && more)
		return EINVAL;
	int64_t written = size ? server_window_write(data, 0, text_buffer, size) : 0;
	if (written < 0)
		return written == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	f->position = cookie;
	*done = size;
	return 0;
}

int io_serve_get_flags(struct server_call *call, struct open_file *file, uint32_t *flags)
{
	(void)call;
	*flags = file->file ? file->file->flags : OPEN_PATH;
	return 0;
}

int io_serve_set_flags(struct server_call *call, struct open_file *file, uint32_t flags)
{
	const uint32_t changeable = OPEN_APPEND | OPEN_NONBLOCK;
	(void)call;
	if (!file->file)
		return EINVAL;
	file->file->flags = (file->file->flags & ~changeable) | (flags & changeable);
	return 0;
}

int io_serve_path(struct server_call *call, struct open_file *file, char *path)
{
	(void)call;
	node_path(&file->node, path, 2049);
	return 0;
}

int io_serve_stat_file_system(struct server_call *call, struct open_file *file, struct io_file_system *result)
{
	(void)call;
	(void)file;
	fill_file_system(result);
	return 0;
}

int io_serve_reopen(struct server_call *call, struct open_file *file, uint32_t flags, struct server_port *port,
                    uint32_t *kind)
{
	struct walk walk = {.caller = process_of_principal(call->principal), .node = file->node};
	int error = check_open(&walk, flags);
	if (error)
		return error;
	*kind = kind_of(&walk.node);
	return open_node(&walk.node, flags, port);
}

int io_serve_sync(struct server_call *call, struct open_file *file, uint8_t data_only)
{
	(void)call;
	(void)file;
	(void)data_only;
	return EINVAL;
}
