/*
 * vfs: the name space. What its files share: the root structure, sessions, mounts, walks, open files, waiters.
 *
 * Layers, from above: serve_*.c (handlers of idl/vfs.idl and idl/io.idl) - walk.c, open_file.c, pipe.c, lock.c,
 * device.c - mount.c, session.c, access.c - vnode.h. vfs calls drivers and root only, never upwards: what another
 * server owns is answered with EREMOTE and a referral.
 */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include "vnode.h"
#include <portico/strings.h>
#include <random_generator.h>
#include <vfs_types.h>

/* ---- mounts ---- */

/* A position in the name space: a vnode as seen through a mount. */
struct place {
	struct mount *mount;
	struct vnode *vnode;
};

struct mount {
	struct mount *next;         /* vfs->mounts: the newest first */
	struct file_system *system; /* kept */
	struct vnode *root;         /* kept; of the file system, or a part of it (bind) */
	struct place covered;       /* kept; no mount: the root of all, or detached */
	uint32_t references;        /* places that are kept in it: open files, sessions, mounts on it */
	uint32_t flags;             /* MOUNT_KEPT */
	uint32_t id;                /* for mountinfo */
	bool attached;
	char *source; /* in the keep, for /proc/mounts */
};

/* ---- sessions ---- */

/* What vfs knows of a principal. */
struct session {
	struct session *next; /* same bucket */
	uint64_t principal;
	struct place root; /* kept */
	struct credentials cred;
};
#define SESSION_BUCKETS 256u

/* ---- open files ---- */

/* An open-file description. Freed when its right is gone and nobody waits through it. */
struct open_file {
	uint64_t badge;          /* slot in the low 32 bits, a generation above */
	uint32_t references;     /* 1 for the right, 1 a waiter */
	uint32_t flags;          /* O_* that F_GETFL shows, O_PATH, O_NOATIME */
	struct place place;      /* kept; its mount is NULL for pipes and memory files */
	struct vnode *directory; /* kept: where it was found; NULL for directories and nameless files */
	char *name;              /* there; in the keep */
	int64_t offset;
	bool program; /* counted in vnode->programs */
	bool locked;  /* has or had locks of its own (flock, OFD) */
};

/* ---- waiting ---- */

struct waiter;
struct waiter_queue {
	struct waiter *first, *last;
};

enum waiter_kind { WAIT_PIPE_READ, WAIT_PIPE_WRITE, WAIT_FIFO_OPEN, WAIT_LOCK };

struct lock_request {
	uint64_t start, end; /* inclusive */
	uint64_t owner;      /* pid, or LOCK_OWNER_FILE | badge */
	uint32_t pid;
	uint8_t type; /* enum io_lock_type */
	bool whole;   /* flock */
};

/* A parked caller. */
struct waiter {
	struct waiter *next, *previous;
	struct waiter *next_request; /* same bucket of vfs->waiting */
	struct waiter_queue *queue;
	struct server_reply reply;
	uint64_t request;       /* id: what CANCEL tells */
	struct open_file *file; /* a reference */
	uint8_t kind;           /* enum waiter_kind */
	bool in_message;        /* read_inline, write_inline */
	struct server_window window;
	uint8_t *bytes; /* write_inline: what is to be written, in the keep */
	uint64_t size, done;
	struct lock_request lock;
};
#define WAIT_BUCKETS 64u

/* ---- the root structure ---- */

struct vfs_state {
	uint64_t map_hint; /* memory.c: where to look for room first */
	struct mount *mounts;
	struct file_system *systems;
	struct place root; /* kept: of the name space */
	struct session *session[SESSION_BUCKETS];
	struct session server;   /* other servers: everything is allowed */
	struct open_file **file; /* by slot; slot 0 is never used */
	uint32_t *generation;    /* of each slot */
	uint32_t file_slots, file_free_hint;
	uint32_t files_open;
	uint64_t base_badge; /* the open file behind server badges: the root directory */
	struct waiter *waiting[WAIT_BUCKETS];
	struct file_locks *locked; /* vnodes with locks */
	struct pipe *pumped;       /* pipes in which more is to be moved */
	struct file_system *pipes, *devices, *memory_files;
	uint64_t next_device;
	uint32_t last_mount_id;
	uint32_t device_serial; /* the number in the badge of the last referral to a device */
	port_name_t proc, net;
	port_name_t device_server[VFS_SERVERS]; /* by VFS_SERVER_ID_*; PORT_NULL: not asked for yet */
	uint64_t sockets; /* numbers that were given to socket files */
	struct random_generator random;
	bool random_seeded;
};
extern struct vfs_state *vfs;

/* Badge spaces of the service port. */
#define BADGE_SPACE(badge) ((badge) >> 56)
#define BADGE_CONTROL 1u /* proc */
#define BADGE_SERVER 2u  /* other servers */
/* Badge on proc of a right that leads to the root of /proc. */
#define PROC_REFERRAL_BADGE (UINT64_C(2) << 56)

/* Builds the empty name space (root file system, /dev, /proc). 0 or an errno. */
int vfs_start(void);
/* After the archive is unpacked: directories that must exist, and the mounts on them. 0 or an errno. */
int vfs_mount_standard(void);
/* Interfaces and callbacks of the event loop: at the start of every incarnation. */
void vfs_register(void);

/* ---- mount.c ---- */

void place_get(struct place place);
void place_put(struct place place);
/* Through what is mounted there, to the topmost. */
struct place mount_cross(struct place place);
/* The directory above: through mount roots, not above `root`. */
struct place mount_up(struct place place, struct place root);
/* Mounts `system` (reference taken over on success) at a place, or as root of all where covered.vnode is NULL. */
int mount_add(struct file_system *system, struct vnode *root, struct place covered, const char *source, uint32_t flags,
              struct mount **made);
int mount_remove(struct mount *mount, bool detach);
/* mount(2) with resolved places. `from`: the source, for bind and move. */
int mount_request(const char *source, struct place from, struct place target, const char *type, uint64_t flags,
                  const char *data);

/* ---- mount_text.c ---- */

/* Line of /proc/mounts, of /proc/self/mountinfo; false: past the end. */
bool mount_line(uint32_t index, const struct session *who, char *text, size_t size);
bool mount_information_line(uint32_t index, const struct session *who, char *text, size_t size);

/* ---- path.c ---- */

/* Absolute path of a directory below `root` into the end of `to`; NULL: ENAMETOOLONG, removed, or not below it. */
const char *path_of_directory(struct place place, struct place root, char *to, size_t size);
/* From the root of its own file system; NULL: ENAMETOOLONG, or removed. */
const char *path_in_file_system(const struct vnode *vnode, char *to, size_t size);
/* The same of any open file, " (deleted)" appended where its name is gone. False: no path. */
bool path_of_file(const struct open_file *file, struct place root, char *to, size_t size);

/* ---- session.c ---- */

/* The caller's session; a server's own badge stands for itself. NULL: EPERM. */
const struct session *session_of(const struct server_call *call);
struct session *session_find(uint64_t principal);
int session_begin(uint64_t principal, uint64_t parent, const struct credentials *cred);
int session_end(uint64_t principal);
/* chroot: the session sees `root` as / from now on. */
void session_set_root(struct session *session, struct place root);

/* ---- access.c ---- */

bool capable(const struct session *who, unsigned capability);
bool in_group(const struct session *who, uint32_t gid);
bool owns(const struct session *who, const struct vnode *vnode);
/* mask: MAY_*. 0, EACCES or EROFS. */
int permission(const struct session *who, struct place place, uint32_t mask);
/* May names be made in this directory? 0, ENOENT (removed), EACCES, EROFS. */
int may_create(const struct session *who, struct place directory);
/* May this name go? Sticky bit included. */
int may_remove(const struct session *who, struct place directory, const struct vnode *victim);
/* Mode, owner and group that a new file gets in a directory. `mode` with S_IFMT. */
struct new_vnode new_vnode_in(const struct session *who, const struct vnode *directory, uint32_t mode);
int change_mode(const struct session *who, struct place place, uint32_t mode);
int change_owner(const struct session *who, struct place place, uint32_t uid, uint32_t gid);
int change_times(const struct session *who, struct place place, const struct timestamp *accessed,
                 const struct timestamp *modified);
/* A write by `who` (NULL: unknown) takes set-id bits away. */
void strip_set_id(const struct session *who, struct vnode *vnode);

/* ---- walk.c ---- */

enum walk_flags {
	WALK_NO_FOLLOW = 1, /* a symbolic link at the end is meant itself, unless a slash follows */
	WALK_LAST = 2,   /* the last component is a name to be made or removed: not followed at all, may be missing */
	WALK_CREATE = 4, /* followed, may be missing */
	WALK_EMPTY = 8,  /* "" is the base */
	WALK_LOCAL = 16, /* mount points of other servers are meant themselves */
};

enum walk_last { LAST_NAME, LAST_DOT, LAST_DOT_DOT, LAST_ROOT };

#define WALK_TEXT (2u * PATH_LENGTH_MAX + 2u)
struct walk {
	const struct session *who;
	uint32_t flags;
	struct place parent;            /* directory of the last component */
	struct place place;             /* what was found; vnode NULL: missing */
	struct entry *entry;            /* its name in the parent; NULL: missing, ".", "..", "/" */
	char name[NAME_LENGTH_MAX + 1]; /* last component */
	uint32_t length;
	uint8_t last; /* enum walk_last */
	bool slash;   /* slashes follow it */
	uint32_t symlinks;
	const char *rest;     /* EREMOTE: path below the mount */
	char text[WALK_TEXT]; /* what is still to be walked, at the end */
};
/* 0 or an errno; EREMOTE: leads into proc, see rest. Nothing that it finds is kept: good until the handler changes
 * something. */
int walk_path(struct walk *walk, const struct session *who, const struct open_file *base, const char *path,
              uint32_t flags);

/* ---- open_file.c ---- */

/* NULL: no such file. */
struct open_file *open_file_find(uint64_t badge);
/* A description of the place, with one reference for its right. flags: O_*. Permission is checked already. ENFILE,
 * ETXTBSY, ENOSPC. */
int open_file_new(struct place place, uint32_t flags, struct open_file **made);
/* Remembers the name under which it was found. */
void open_file_named(struct open_file *file, struct vnode *directory, const char *name);
void open_file_put(struct open_file *file);
/* enum io_file_kind for clients. */
uint32_t open_file_kind(const struct vnode *vnode);
static inline bool may_read(const struct open_file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY && !(file->flags & O_PATH);
}
static inline bool may_write(const struct open_file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
}
/* getdents64 records from the file's position on. */
int open_file_read_directory(struct open_file *file, struct buffer *to, uint64_t *done);
/* The file's access time moves, unless its flags or mount forbid it. */
void open_file_accessed(const struct open_file *file);

/* ---- wait.c ---- */

/* A waiter that waits for nothing yet, with a reference to the file. NULL: no memory. */
struct waiter *waiter_new(struct open_file *file, enum waiter_kind kind);
/* Parks the caller at the end of the queue. SERVER_PARKED, or an errno (the waiter is gone then). */
int waiter_park(struct waiter *waiter, struct server_call *call, struct waiter_queue *queue);
/* Out of its queue, and freed; it was answered before, or never parked. */
void waiter_free(struct waiter *waiter);
struct waiter *waiter_find(uint64_t request);
/* MSG_CANCEL. */
void waiter_cancel(uint64_t request, bool died);
/* Answers with an error whatever it waits for. */
void waiter_fail(struct waiter *waiter, int error);

/* ---- pipe.c, fifo.c ---- */

#define PIPE_SIZE 65536u
#define PIPE_SIZE_MAX 1048576u
#define PIPE_SIZE_LIMIT (8u << 20) /* even for root: one transaction may copy it */
#define PIPE_FIRST 4096u           /* bytes of the first ring; it grows up to the capacity */

/* States: readers and writers count open files; a FIFO's pipe lives while somebody has it open. */
struct pipe {
	struct vnode *vnode;
	uint8_t *ring;     /* NULL until something is written */
	uint32_t room;     /* bytes of the ring, a power of two: up to twice the capacity, see pipe.c */
	uint32_t capacity; /* bytes that may wait in it */
	uint32_t head, count;
	uint32_t fresh;       /* bytes behind the last one that held nothing when `transaction` began */
	uint64_t transaction; /* that changed the ring last */
	struct pipe *next_pumped;
	bool pumped; /* is in vfs->pumped: more is to be moved */
	uint32_t readers, writers;
	uint64_t reader_opens, writer_opens; /* ever: a waiting open sees that somebody came and went */
	struct waiter_queue reading, writing, opening;
	uint32_t slot[3]; /* readiness of each access mode; 0: nobody asked */
};

int pipe_new(uint32_t flags, struct open_file **reader, struct open_file **writer);
int pipe_read(struct server_call *call, struct open_file *file, struct buffer *to, bool wait, uint64_t *done);
int pipe_write(struct server_call *call, struct open_file *file, struct buffer *from, bool wait, uint64_t *done);
int pipe_resize(struct open_file *file, uint32_t size, bool privileged, uint32_t *result);
uint32_t pipe_slot(struct open_file *file);
/* An open file of a pipe or FIFO comes, goes. */
int pipe_attach(struct open_file *file);
void pipe_detach(struct open_file *file);
/* Moves bytes between the ring and those who wait, answers whom it can, and publishes readiness. */
void pipe_pump(struct pipe *pipe);
/* A transaction of its own for what pipe_pump left. */
void pipes_go_on(void);
/* open(2) of a FIFO: 0, ENXIO, or SERVER_PARKED: the reply comes when the other side opens. */
int fifo_open(struct server_call *call, struct open_file *file);
/* Answers opens whose other side has come. */
void fifo_pump(struct pipe *pipe);

/* ---- lock.c ---- */

#define LOCK_OWNER_FILE (UINT64_C(1) << 63)

/* io.lock. SERVER_PARKED: the reply comes when the lock is had. */
int lock_serve(struct server_call *call, struct open_file *file, uint8_t operation, const struct io_lock *request,
               struct io_lock *holder);
/* The open file ends: its own locks go. */
void lock_release_file(struct open_file *file);
/* The process ends: its record locks go. */
void lock_release_process(uint32_t pid);
void lock_destroy(struct vnode *vnode);

/* ---- device.c, random.c ---- */

/* Does another server serve it? */
bool device_is_remote(const struct vnode *vnode);
/* A right on the server of a device that is remote, to make referrals of (PORT_NULL: it is not there), and which it is: VFS_SERVER_ID_*. */
port_name_t device_server(uint64_t device, uint32_t *server);
uint32_t device_kind(uint64_t device);
/* ENXIO: no such device. */
int device_open(const struct vnode *vnode);
int device_read(uint64_t device, struct buffer *to, uint64_t *done);
int device_write(uint64_t device, struct buffer *from, uint64_t *done);
/* The nodes of /dev. */
int device_populate(struct vnode *directory);
void random_bytes(void *to, size_t size);
void random_stir(const void *from, size_t size);

/* ---- cpio.c ---- */

/* Unpacks a newc archive below a directory. 0, or EINVAL (malformed: *where tells the offset), ENOSPC. What came before
 * stays. */
int cpio_unpack(struct vnode *root, const uint8_t *archive, uint64_t size, uint64_t *where);

#endif
