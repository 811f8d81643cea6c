/*
 * Files apart from their names and from who has them open: vnodes, directories, the bytes of regular files, file
 * systems.
 *
 * Above: walk.c, serve_*.c. Below: the keep (libserver) and memory.h. All of it lives in the keep and has no pointer to
 * code: a file system is a kind, and the kind finds its operations in a constant table.
 */
#ifndef VFS_VNODE_H
#define VFS_VNODE_H

#include "memory.h"
#include "posix.h"
#include <io_types.h>
#include <portico/server.h>
#include <types_types.h>

struct vnode;
struct pipe;
struct file_locks;

/* A name in a directory. */
struct entry {
	struct entry *next_hash;       /* same bucket */
	struct entry *next, *previous; /* in the order of cookies */
	struct entry *next_name;       /* another name of the same vnode */
	struct vnode *directory;       /* that it is in */
	struct vnode *vnode;
	uint64_t cookie; /* position for readdir: never reused in one directory */
	uint32_t hash;
	uint32_t length;
	char name[]; /* NUL-terminated */
};

struct directory {
	struct vnode *parent;  /* kept; itself for the root of a file system */
	struct entry **bucket; /* a power of two of them */
	uint32_t buckets, count;
	struct entry *first, *last;
	uint64_t next_cookie;
};

/* Pages [first, end) that were written. */
struct extent {
	uint64_t first, end;
};

/*
 * The bytes of a regular file: up to SMALL_FILE of them in the keep, more in a memory object. What lies beyond the size
 * in allocated pages is undefined: whoever makes a file longer clears the gap.
 */
#define SMALL_FILE 4096u
struct data {
	uint8_t *small; /* NULL: no bytes yet, or in `memory` */
	uint32_t small_room;
	bool shared; /* mapped writable by somebody: pages may exist that `extent` does not know */
	struct memory memory;
	struct extent *extent; /* sorted, apart from each other */
	uint32_t extents, extent_room;
	uint64_t pages; /* charged to the file system */
};

struct vnode {
	struct file_system *system;
	uint32_t references; /* besides names: open files, children's parent, mounts, sessions */
	uint32_t links;      /* st_nlink; 0: freed with the last reference */
	uint32_t mode, uid, gid;
	uint32_t mounts; /* mounts that cover it */
	uint64_t inode, rdevice, size;
	uint64_t socket; /* S_IFSOCK: its number at the net server; 0: no socket was ever bound to it */
	int64_t accessed, modified, changed, born; /* nanoseconds since 1970 */
	struct entry *names;
	uint32_t writers;         /* open files that may write */
	uint32_t programs;        /* open files of running programs: no writers then */
	struct file_locks *locks; /* NULL: none */
	union {
		struct directory directory; /* S_IFDIR */
		struct data data;           /* S_IFREG */
		char *target;               /* S_IFLNK, in the keep */
		struct pipe *pipe;          /* S_IFIFO; NULL: nobody has it open */
	};
};

enum file_system_kind {
	FILE_SYSTEM_NONE = 0,
	FILE_SYSTEM_TMPFS,
	FILE_SYSTEM_DEVTMPFS,
	FILE_SYSTEM_PROC, /* another server's: a walk into it ends with EREMOTE */
	FILE_SYSTEM_PIPE, /* of pipe(2): vnodes without names */
	FILE_SYSTEM_KINDS,
};

/* One file system, mounted any number of times. */
struct file_system {
	struct file_system *next;
	uint8_t kind;        /* enum file_system_kind */
	uint32_t references; /* mounts, and vfs itself; at 0 the tree is emptied, with the last vnode it goes */
	uint64_t device;     /* st_dev */
	struct vnode *root;  /* kept */
	uint64_t next_inode;
	uint64_t pages, pages_limit; /* 4 KiB each */
	uint64_t inodes, inodes_limit;
};

/* What a new vnode is to be. */
struct new_vnode {
	uint32_t mode, uid, gid; /* mode with S_IFMT */
	uint64_t rdevice;
	const char *target; /* of a symbolic link */
};

/* Bytes on their way to or from a caller: a window, or bytes of a message. */
struct buffer {
	struct server_window *window; /* NULL: bytes */
	uint8_t *bytes;
	uint64_t size;
};

/*
 * What a file system can do. The caller has checked permissions, types and names; directories that are passed are
 * directories of this file system. NULL: EPERM or EROFS, by the caller. Errors are errnos, SERVER_RESTART where a
 * buffer is passed.
 */
struct file_system_operations {
	const char *name;
	uint64_t magic;
	/* NULL: no such name. */
	struct entry *(*find)(struct vnode *directory, const char *name, size_t length);
	int (*create)(struct vnode *directory, const char *name, size_t length, const struct new_vnode *what,
	              struct vnode **made);
	int (*create_unnamed)(struct file_system *system, const struct new_vnode *what, struct vnode **made);
	int (*link)(struct vnode *directory, const char *name, size_t length, struct vnode *vnode);
	void (*remove)(struct entry *entry);
	/* Moves `from` to a name in `directory`; `target`: the entry that is there now and is replaced, or NULL. */
	int (*rename)(struct entry *from, struct vnode *directory, const char *name, size_t length,
	              struct entry *target);
	void (*exchange)(struct entry *a, struct entry *b);
	/* The first entry with a cookie greater than this. */
	struct entry *(*next)(struct vnode *directory, uint64_t cookie);
	int (*read)(struct vnode *vnode, struct buffer *to, uint64_t offset, uint64_t size, uint64_t *done);
	int (*write)(struct vnode *vnode, struct buffer *from, uint64_t offset, uint64_t size, uint64_t *done);
	int (*truncate)(struct vnode *vnode, uint64_t size);
	int (*allocate)(struct vnode *vnode, uint32_t mode, uint64_t offset, uint64_t length);
	/* SEEK_TO_DATA or SEEK_TO_HOLE. ENXIO: there is none. */
	int (*seek)(struct vnode *vnode, uint64_t offset, uint32_t whence, uint64_t *position);
	int (*map)(struct vnode *vnode, enum memory_access access, port_name_t *right);
	/* No name and no reference is left. */
	void (*release)(struct vnode *vnode);
};
extern const struct file_system_operations file_systems[FILE_SYSTEM_KINDS];

static inline const struct file_system_operations *operations(const struct vnode *vnode)
{
	return &file_systems[vnode->system->kind];
}

static inline bool is_directory(const struct vnode *vnode)
{
	return (vnode->mode & S_IFMT) == S_IFDIR;
}

static inline bool is_regular(const struct vnode *vnode)
{
	return (vnode->mode & S_IFMT) == S_IFREG;
}

static inline bool is_symlink(const struct vnode *vnode)
{
	return (vnode->mode & S_IFMT) == S_IFLNK;
}

/* ---- vnode.c ---- */

/* A new file system with a root directory; NULL: no memory. `pages`: limit of its size. */
struct file_system *file_system_new(enum file_system_kind kind, uint64_t pages, uint32_t mode);
void file_system_get(struct file_system *system);
void file_system_put(struct file_system *system);
/* A transaction of its own: more of the trees of file systems that nobody has any more. */
void file_systems_go_on(void);
/* Charges pages; false: they are not to be had. */
bool file_system_charge(struct file_system *system, uint64_t pages);
void file_system_credit(struct file_system *system, uint64_t pages);

/* A vnode without a name and with no reference, for a file system's create. NULL: no memory or no inodes left. */
struct vnode *vnode_new(struct file_system *system, const struct new_vnode *what);
/* Undoes vnode_new, and frees what hangs on it. */
void vnode_free(struct vnode *vnode);
void vnode_get(struct vnode *vnode);
void vnode_put(struct vnode *vnode);
/* After a name went: frees it if nothing else keeps it. */
void vnode_drop_unused(struct vnode *vnode);

void vnode_attributes(const struct vnode *vnode, struct attributes *to);
struct timestamp vnode_timestamp(int64_t nanoseconds);
/* Sets modified and changed to now. */
void vnode_modified(struct vnode *vnode);
void vnode_changed(struct vnode *vnode);

/* ---- directory.c ---- */

struct entry *directory_find(struct vnode *directory, const char *name, size_t length);
/* 0 or ENOSPC. The vnode gains a name; link counts are the caller's. */
int directory_add(struct vnode *directory, const char *name, size_t length, struct vnode *vnode);
void directory_remove(struct entry *entry);
/* The entry names another vnode from now on. */
void directory_repoint(struct entry *entry, struct vnode *vnode);
struct entry *directory_next(struct vnode *directory, uint64_t cookie);
/* Frees the table of an empty one. */
void directory_destroy(struct vnode *directory);

/* ---- data.c, extent.c: regular files in memory ---- */

int data_read(struct vnode *vnode, struct buffer *to, uint64_t offset, uint64_t size, uint64_t *done);
int data_write(struct vnode *vnode, struct buffer *from, uint64_t offset, uint64_t size, uint64_t *done);
int data_truncate(struct vnode *vnode, uint64_t size);
int data_allocate(struct vnode *vnode, uint32_t mode, uint64_t offset, uint64_t length);
int data_seek(struct vnode *vnode, uint64_t offset, uint32_t whence, uint64_t *position);
int data_map(struct vnode *vnode, enum memory_access access, port_name_t *right);
void data_destroy(struct vnode *vnode);
/* st_blocks / 8. */
uint64_t data_pages(const struct vnode *vnode);

/* First extent that ends after `page`: its index, or the count of extents. */
uint32_t extent_at(const struct data *data, uint64_t page);
/* Pages of [first, end) that are in no extent. */
uint64_t extent_missing(const struct data *data, uint64_t first, uint64_t end);
/* Makes [first, end) part of the extents; 0 or ENOSPC. */
int extent_add(struct data *data, uint64_t first, uint64_t end);
/* Takes [first, end) out; *removed pages were in. 0 or ENOSPC (one extent would become two and there is no memory). */
int extent_remove(struct data *data, uint64_t first, uint64_t end, uint64_t *removed);

/* ---- buffer.c ---- */

/* Copies `size` bytes to the caller at `at`, or from it. Bytes copied, or a negative kern_status. */
int64_t buffer_put(struct buffer *buffer, uint64_t at, const void *from, size_t size);
int64_t buffer_take(struct buffer *buffer, uint64_t at, void *to, size_t size);
/* Zero bytes to the caller. */
int64_t buffer_clear(struct buffer *buffer, uint64_t at, uint64_t size);
/* What a handler returns for such a status: SERVER_RESTART, or an errno. */
int buffer_error(int64_t status);
/* Are the first `size` bytes from `at` readable by us? SERVER_RESTART, an errno, or 0; looks at 1 MiB at most. */
int buffer_probe(struct buffer *buffer, uint64_t at, uint64_t size);

#endif
