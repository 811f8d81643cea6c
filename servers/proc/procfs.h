/*
 * /proc: nodes, and what the files procfs*.c offer each other.
 *
 * procfs.c serves interfaces vfs and io on /proc badges; procfs_tree.c knows names, attributes and paths;
 * procfs_process.c and procfs_system.c write contents; procfs_refuse.c answers what /proc does not do. Formats are
 * Linux's (man 5 proc).
 */
#ifndef PROC_PROCFS_H
#define PROC_PROCFS_H

#include "proc.h"

#include <portico/ipc_files.h>
#include <vfs_types.h>

#define PROCFS_PATH_MAX 2801u

enum node_kind {
	NODE_NONE,
	/* directories */
	NODE_ROOT,
	NODE_SYS,
	NODE_SYS_KERNEL,
	NODE_SYSVIPC,
	NODE_SYS_FS,
	NODE_SYS_FS_MQUEUE,
	NODE_PORTICO,
	NODE_PROCESS,
	NODE_TASKS,
	NODE_THREAD,
	NODE_DESCRIPTORS,
	/* symbolic links */
	NODE_SELF,
	NODE_THREAD_SELF,
	NODE_MOUNTS_LINK,
	NODE_EXE,
	NODE_CWD,
	NODE_ROOT_LINK,
	/* files of the system */
	NODE_UPTIME,
	NODE_LOADAVG,
	NODE_MEMINFO,
	NODE_VERSION,
	NODE_CPUINFO,
	NODE_SYSTEM_STAT,
	NODE_FILESYSTEMS,
	NODE_KERNEL_CMDLINE,
	NODE_HOSTNAME,
	NODE_DOMAINNAME,
	NODE_OSRELEASE,
	NODE_OSTYPE,
	NODE_OSVERSION,
	NODE_PID_MAX,
	NODE_NGROUPS_MAX,
	NODE_CAP_LAST_CAP,
	NODE_RANDOM_UUID,
	NODE_SYS_RANDOM,
	NODE_COUNTERS,
	NODE_SYSRQ_TRIGGER,
	/* files that ipcd serves, in the order of enum ipc_file */
	NODE_IPC,
	NODE_IPC_LAST = NODE_IPC + IPC_FILES - 1,
	/* files of a process or thread */
	NODE_STAT,
	NODE_STATM,
	NODE_STATUS,
	NODE_CMDLINE,
	NODE_COMM,
	NODE_ENVIRON,
	NODE_MAPS,
	NODE_LIMITS,
	NODE_MOUNTS,
	NODE_MOUNT_INFORMATION,
	NODE_KINDS,
};

/* A place in the tree. pid and tid: below a process's directory. */
struct node {
	uint32_t kind;
	uint32_t pid;
	uint32_t tid; /* 0: the process as a whole */
};

struct node_type {
	const char *name; /* NULL: the name is a number */
	uint8_t parent;   /* enum node_kind */
	uint16_t mode;    /* S_IFMT and permissions */
	bool owner_only;  /* read by the owner and with CAP_SYS_PTRACE only */
};

/* An open file of /proc, or the base of a path. In the keep. */
struct proc_file {
	struct proc_file *next;
	uint64_t badge;
	struct node node;
	uint32_t flags; /* open(2)'s */
	uint64_t position;
	char *text; /* contents as of the first read; NULL: not read yet */
	size_t text_size;
};

/* What interfaces vfs and io speak of. Referrals all mean the root and have no state: file is NULL. */
struct open_file {
	struct proc_file *file;
	struct node node;
};

/* Is it a file whose contents are ipcd's? */
static inline bool node_is_ipc(const struct node *node)
{
	return node->kind >= NODE_IPC && node->kind <= NODE_IPC_LAST;
}

#define MODE_DIRECTORY 0040000u
#define MODE_LINK 0120000u
#define MODE_FILE 0100000u
#define MODE_TYPE 0170000u

/* ---- procfs_tree.c ---- */

const struct node_type *node_type(const struct node *node);
/* Is what the node speaks of still there? */
bool node_exists(const struct node *node);
void node_attributes(const struct node *node, struct attributes *attr);
/* The n-th entry of a directory from `cookie` on, "." and ".." first; its name and number, and the cookie of the one
 * after. False: no more. */
bool node_entry(const struct node *directory, uint64_t *cookie, char name[32], struct node *entry);
/* Absolute path, as if /proc were mounted there. */
void node_path(const struct node *node, char *path, size_t size);

struct walk {
	const struct process *caller;
	bool follow;                /* a final link is followed */
	struct node node;           /* result */
	char rest[PROCFS_PATH_MAX]; /* EREMOTE: an absolute path outside of /proc */
};
/* Resolves `path` below `from`. 0, ENOENT, ENOTDIR, ELOOP, EACCES, or EREMOTE: leads outside, see rest. */
int node_walk(struct walk *walk, const struct node *from, const char *path);
/* What a link says. 0, ENOENT, EACCES; EINVAL: no link. */
int node_link(const struct process *caller, const struct node *node, char *target, size_t size);
/* May the caller read it? */
bool node_readable(const struct process *caller, const struct node *node);

/* ---- contents ---- */

/* Text under construction; what does not fit is cut. */
struct text {
	char *bytes;
	size_t size, max;
	const struct process *reader; /* who asks; it waits for us, but counts as running */
};
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *text, const void *bytes, size_t size);

/* 0 or an errno: ESRCH: the process is gone. */
int contents_system(uint32_t kind, struct text *text);
int contents_process(const struct node *node, struct text *text);
/* Writes to the few files that take it. 0, EACCES, EINVAL, EPERM. */
int contents_write(const struct process *caller, const struct node *node, const char *bytes, size_t size);

#endif
