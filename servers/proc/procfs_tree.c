/*
 * The tree of /proc: names, numbers, attributes, paths.
 */
#include "kernel_ops.h"
#include "procfs.h"

#include <io_client.h>
#include <portico/devices.h>
#include <portico/strings.h>

#define LINKS_MAX 16          /* each level keeps a path on the stack */
#define COOKIE_STATIC 2u      /* after "." and ".." */
#define COOKIE_NUMBERS 0x100u /* numbered entries: this + number */

#define DIRECTORY (MODE_DIRECTORY | 0555u)
#define LINK (MODE_LINK | 0777u)
#define FILE_ALL (MODE_FILE | 0444u)
#define FILE_WRITE (MODE_FILE | 0644u)
#define FILE_OWNER (MODE_FILE | 0400u)

static const struct node_type types[NODE_KINDS] = {
        [NODE_ROOT] = {NULL, NODE_NONE, DIRECTORY, false},
        [NODE_SYS] = {"sys", NODE_ROOT, DIRECTORY, false},
        [NODE_SYS_KERNEL] = {"kernel", NODE_SYS, DIRECTORY, false},
        [NODE_SYSVIPC] = {"sysvipc", NODE_ROOT, DIRECTORY, false},
        [NODE_SYS_FS] = {"fs", NODE_SYS, DIRECTORY, false},
        [NODE_SYS_FS_MQUEUE] = {"mqueue", NODE_SYS_FS, DIRECTORY, false},
        [NODE_PORTICO] = {"portico", NODE_ROOT, DIRECTORY, false},
        [NODE_PROCESS] = {NULL, NODE_ROOT, DIRECTORY, false},
        [NODE_TASKS] = {"task", NODE_PROCESS, DIRECTORY, false},
        [NODE_THREAD] = {NULL, NODE_TASKS, DIRECTORY, false},
        [NODE_DESCRIPTORS] = {"fd", NODE_PROCESS, MODE_DIRECTORY | 0500u, true},
        [NODE_SELF] = {"self", NODE_ROOT, LINK, false},
        [NODE_THREAD_SELF] = {"thread-self", NODE_ROOT, LINK, false},
        [NODE_MOUNTS_LINK] = {"mounts", NODE_ROOT, LINK, false},
        [NODE_EXE] = {"exe", NODE_PROCESS, LINK, true},
        [NODE_CWD] = {"cwd", NODE_PROCESS, LINK, true},
        [NODE_ROOT_LINK] = {"root", NODE_PROCESS, LINK, true},
        [NODE_UPTIME] = {"uptime", NODE_ROOT, FILE_ALL, false},
        [NODE_LOADAVG] = {"loadavg", NODE_ROOT, FILE_ALL, false},
        [NODE_MEMINFO] = {"meminfo", NODE_ROOT, FILE_ALL, false},
        [NODE_VERSION] = {"version", NODE_ROOT, FILE_ALL, false},
        [NODE_CPUINFO] = {"cpuinfo", NODE_ROOT, FILE_ALL, false},
        [NODE_SYSTEM_STAT] = {"stat", NODE_ROOT, FILE_ALL, false},
        [NODE_FILESYSTEMS] = {"filesystems", NODE_ROOT, FILE_ALL, false},
        [NODE_KERNEL_CMDLINE] = {"cmdline", NODE_ROOT, FILE_ALL, false},
        [NODE_HOSTNAME] = {"hostname", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_DOMAINNAME] = {"domainname", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_OSRELEASE] = {"osrelease", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_OSTYPE] = {"ostype", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_OSVERSION] = {"version", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_PID_MAX] = {"pid_max", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_NGROUPS_MAX] = {"ngroups_max", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_CAP_LAST_CAP] = {"cap_last_cap", NODE_SYS_KERNEL, FILE_ALL, false},
        [NODE_SYS_RANDOM] = {"random", NODE_SYS_KERNEL, DIRECTORY, false},
        [NODE_RANDOM_UUID] = {"uuid", NODE_SYS_RANDOM, FILE_ALL, false},
        [NODE_COUNTERS] = {"counters", NODE_PORTICO, FILE_ALL, false},
        [NODE_SYSRQ_TRIGGER] = {"sysrq-trigger", NODE_ROOT, MODE_FILE | 0200u, false},
        [NODE_IPC + IPC_FILE_LIST_SHM] = {"shm", NODE_SYSVIPC, FILE_ALL, false},
        [NODE_IPC + IPC_FILE_LIST_SEM] = {"sem", NODE_SYSVIPC, FILE_ALL, false},
        [NODE_IPC + IPC_FILE_LIST_MSG] = {"msg", NODE_SYSVIPC, FILE_ALL, false},
        [NODE_IPC + IPC_FILE_SHMMAX] = {"shmmax", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_SHMALL] = {"shmall", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_SHMMNI] = {"shmmni", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_SEM] = {"sem", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MSGMAX] = {"msgmax", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MSGMNB] = {"msgmnb", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MSGMNI] = {"msgmni", NODE_SYS_KERNEL, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MQ_QUEUES_MAX] = {"queues_max", NODE_SYS_FS_MQUEUE, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MQ_MSG_MAX] = {"msg_max", NODE_SYS_FS_MQUEUE, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MQ_MSGSIZE_MAX] = {"msgsize_max", NODE_SYS_FS_MQUEUE, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MQ_MSG_DEFAULT] = {"msg_default", NODE_SYS_FS_MQUEUE, FILE_WRITE, false},
        [NODE_IPC + IPC_FILE_MQ_MSGSIZE_DEFAULT] = {"msgsize_default", NODE_SYS_FS_MQUEUE, FILE_WRITE, false},
        [NODE_STAT] = {"stat", NODE_PROCESS, FILE_ALL, false},
        [NODE_STATM] = {"statm", NODE_PROCESS, FILE_ALL, false},
        [NODE_STATUS] = {"status", NODE_PROCESS, FILE_ALL, false},
        [NODE_CMDLINE] = {"cmdline", NODE_PROCESS, FILE_ALL, false},
        [NODE_COMM] = {"comm", NODE_PROCESS, FILE_WRITE, false},
        [NODE_ENVIRON] = {"environ", NODE_PROCESS, FILE_OWNER, true},
        [NODE_MAPS] = {"maps", NODE_PROCESS, FILE_ALL, true},
        [NODE_LIMITS] = {"limits", NODE_PROCESS, FILE_ALL, false},
        [NODE_MOUNTS] = {"mounts", NODE_PROCESS, FILE_ALL, false},
        [NODE_MOUNT_INFORMATION] = {"mountinfo", NODE_PROCESS, FILE_ALL, false},
};

const struct node_type *node_type(const struct node *node)
{
	return &types[node->kind];
}

static const struct process *process_of(const struct node *node)
{
	return node->pid ? process_by_pid(node->pid) : NULL;
}

static bool thread_exists(uint32_t pid, uint32_t tid)
{
	if (tid == pid)
		return true;
	const struct thread_id *t = thread_by_tid(tid);
	return t && t->process->pid == pid;
}

bool node_exists(const struct node *node)
{
	if (node->pid && !process_of(node))
		return false;
	return !node->tid || thread_exists(node->pid, node->tid);
}

bool node_readable(const struct process *caller, const struct node *node)
{
	const struct process *p = process_of(node);
	if (!node_type(node)->owner_only || !p || p == caller)
		return true;
	if (!caller)
		return false;
	if (has_capability(caller, CAPABILITY_SYS_PTRACE))
		return true;
	return p->dumpable && caller->cred.fsuid == p->cred.uid && caller->cred.fsuid == p->cred.euid &&
	       caller->cred.fsuid == p->cred.suid;
}

static uint64_t inode_of(const struct node *node)
{
	return (uint64_t)node->tid << 40 | (uint64_t)node->pid << 8 | node->kind;
}

void node_attributes(const struct node *node, struct attributes *attr)
{
	const struct process *p = process_of(node);
	int64_t now = server_realtime();
	struct timestamp time = {.seconds = now / 1000000000, .nanoseconds = (uint32_t)(now % 1000000000)};
	memset(attr, 0, sizeof(*attr));
	attr->device = PROCFS_DEVICE;
	attr->inode = inode_of(node);
	attr->mode = node_type(node)->mode;
	attr->links = (attr->mode & MODE_TYPE) == MODE_DIRECTORY ? 2 : 1;
	if (p && p->dumpable) {
		attr->uid = p->cred.euid;
		attr->gid = p->cred.egid;
	}
	attr->block_size = 1024;
	attr->accessed = attr->modified = attr->changed = attr->born = time;
}

/* ---- directories ---- */

/* The kind whose entries a directory has: a thread's are those of a process. */
static uint32_t entries_of(uint32_t kind)
{
	return kind == NODE_THREAD ? NODE_PROCESS : kind;
}

static bool has_entry(const struct node *directory, uint32_t kind)
{
	if (!types[kind].name || types[kind].parent != entries_of(directory->kind))
		return false;
	return directory->kind != NODE_THREAD || kind != NODE_TASKS;
}

static struct node child_of(const struct node *directory, uint32_t kind)
{
	return (struct node){.kind = kind, .pid = directory->pid, .tid = directory->tid};
}

static struct node parent_of(const struct node *node)
{
	struct node parent = {.kind = types[node->kind].parent, .pid = node->pid, .tid = node->tid};
	if (node->kind == NODE_PROCESS)
		parent.pid = parent.tid = 0;
	else if (node->kind == NODE_THREAD)
		parent.tid = 0;
	else if (node->tid && parent.kind == NODE_PROCESS)
		parent.kind = NODE_THREAD;
	if (parent.kind == NODE_NONE)
		parent.kind = NODE_ROOT;
	return parent;
}

/* Least number above `after` among pids (root) or tids (task). 0: none. */
static uint32_t next_number(const struct node *directory, uint32_t after)
{
	uint32_t best = 0;
	if (directory->kind == NODE_ROOT) {
		for (const struct process *p = root->first; p; p = p->next) {
			if (p->pid > after && (!best || p->pid < best))
				best = p->pid;
		}
	} else if (directory->kind == NODE_TASKS) {
		const struct process *p = process_of(directory);
		if (!p)
			return 0;
		if (p->pid > after)
			best = p->pid;
		for (const struct thread_id *t = p->threads; t; t = t->process_next) {
			if (t->tid > after && (!best || t->tid < best))
				best = t->tid;
		}
	}
	return best;
}

static struct node numbered(const struct node *directory, uint32_t number)
{
	if (directory->kind == NODE_ROOT)
		return (struct node){.kind = NODE_PROCESS, .pid = number};
	return (struct node){.kind = NODE_THREAD, .pid = directory->pid, .tid = number};
}

bool node_entry(const struct node *directory, uint64_t *cookie, char name[32], struct node *entry)
{
	if (*cookie < COOKIE_STATIC) {
		*entry = *cookie == 0 ? *directory : parent_of(directory);
		snprintf(name, 32, "%s", *cookie == 0 ? "." : "..");
		++*cookie;
		return true;
	}
	for (uint64_t kind = *cookie - COOKIE_STATIC; kind < NODE_KINDS; kind++) {
		if (!has_entry(directory, (uint32_t)kind))
			continue;
		*entry = child_of(directory, (uint32_t)kind);
		snprintf(name, 32, "%s", types[kind].name);
		*cookie = COOKIE_STATIC + kind + 1;
		return true;
	}
	uint32_t number = next_number(directory, *cookie < COOKIE_NUMBERS ? 0 : (uint32_t)(*cookie - COOKIE_NUMBERS));
	if (number == 0)
		return false;
	*entry = numbered(directory, number);
	snprintf(name, 32, "%u", number);
	*cookie = COOKIE_NUMBERS + number;
	return true;
}

/* A decimal number without leading zeros that fills the whole component; 0: none. */
static uint32_t parse_number(const char *name, size_t length)
{
	uint32_t number = 0;
	if (length == 0 || length > 9 || name[0] == '0')
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(name[i] - '0');
	}
	return number;
}

static bool find_static(const struct node *directory, const char *name, size_t length, struct node *found)
{
	for (uint32_t kind = 0; kind < NODE_KINDS; kind++) {
		if (!has_entry(directory, kind) || strlen(types[kind].name) != length ||
		    memcmp(types[kind].name, name, length) != 0)
			continue;
		*found = child_of(directory, kind);
		return true;
	}
	return false;
}

static bool find_numbered(const struct node *directory, const char *name, size_t length, struct node *found)
{
	uint32_t number = parse_number(name, length);
	if (number == 0)
		return false;
	if (directory->kind == NODE_ROOT) {
		/* A thread's directory can be entered under its number too, but is not listed. */
		const struct process *p = process_by_any_id(number);
		if (p)
			*found = numbered(directory, p->pid);
		return p != NULL;
	}
	if (directory->kind == NODE_TASKS && thread_exists(directory->pid, number)) {
		*found = numbered(directory, number);
		return true;
	}
	return false;
}

void node_path(const struct node *node, char *path, size_t size)
{
	char part[48], whole[96] = "";
	struct node n = *node;
	while (n.kind != NODE_ROOT) {
		char tail[96];
		if (types[n.kind].name)
			snprintf(part, sizeof(part), "/%s", types[n.kind].name);
		else
			snprintf(part, sizeof(part), "/%u", n.kind == NODE_PROCESS ? n.pid : n.tid);
		memcpy(tail, whole, sizeof(tail));
		snprintf(whole, sizeof(whole), "%s%s", part, tail);
		n = parent_of(&n);
	}
	snprintf(path, size, "/proc%s", whole);
}

/* ---- links ---- */

/* The path of a directory right in another process's space, as vfs tells it. A query of interface vfs that comes to such a link (stat,
 * access, readlink) goes on as a transaction; nothing was sampled on the way here. */
static int directory_link(const struct process *p, port_name_t name, char *target, size_t size)
{
	if (p->state != PROCESS_ALIVE)
		return ENOENT;
	server_promote();
	int64_t right = kernel_right_extract(p->task, name);
	if (right < 0)
		return ENOENT;
	int error = io_path((port_name_t)right, target, size);
	server_release_right((port_name_t)right);
	return error;
}

int node_link(const struct process *caller, const struct node *node, char *target, size_t size)
{
	const struct process *p = process_of(node);
	target[0] = '\0';
	if (!node_readable(caller, node))
		return EACCES;
	switch (node->kind) {
	case NODE_SELF:
		snprintf(target, size, "%u", caller ? caller->pid : 0);
		return caller ? 0 : ENOENT;
	case NODE_THREAD_SELF:
		snprintf(target, size, "%u/task/%u", caller ? caller->pid : 0, caller ? caller->pid : 0);
		return caller ? 0 : ENOENT;
	case NODE_MOUNTS_LINK:
		snprintf(target, size, "self/mounts");
		return 0;
	case NODE_EXE:
		if (!p || !p->exe)
			return ENOENT;
		snprintf(target, size, "%s", p->exe);
		return 0;
	case NODE_CWD:
		return p ? directory_link(p, NAME_CWD, target, size) : ENOENT;
	case NODE_ROOT_LINK:
		return p ? directory_link(p, NAME_ROOT_DIR, target, size) : ENOENT;
	default:
		return EINVAL;
	}
}

/* ---- walking ---- */

static int leave(struct walk *walk, const char *to, const char *path)
{
	while (*path == '/')
		path++;
	const char *slash = *path && to[0] && to[strlen(to) - 1] != '/' ? "/" : "";
	int length = snprintf(walk->rest, sizeof(walk->rest), "%s%s%s", to, slash, path);
	return (size_t)length < sizeof(walk->rest) ? EREMOTE : ENAMETOOLONG;
}

static int step(const struct node *directory, const char *name, size_t length, struct node *found)
{
	if ((node_type(directory)->mode & MODE_TYPE) != MODE_DIRECTORY)
		return ENOTDIR;
	if (length == 1 && name[0] == '.')
		*found = *directory;
	else if (length == 2 && name[0] == '.' && name[1] == '.')
		*found = parent_of(directory);
	else if (!find_static(directory, name, length, found) && !find_numbered(directory, name, length, found))
		return ENOENT;
	return 0;
}

/* Follows the link at walk->node; `from`: the directory that it lies in. */
static int follow(struct walk *walk, const struct node *from, const char *path, int depth);

static int walk_from(struct walk *walk, struct node at, const char *path, int depth)
{
	bool directory_meant = false;
	while (*path == '/')
		path++;
	while (*path != '\0') {
		const char *end = path;
		while (*end != '/' && *end != '\0')
			end++;
		size_t length = (size_t)(end - path);
		const char *next = end;
		while (*next == '/')
			next++;
		directory_meant = *end == '/' && *next == '\0';
		if (at.kind == NODE_ROOT && length == 2 && path[0] == '.' && path[1] == '.')
			return leave(walk, "/", next);
		struct node found;
		int error = step(&at, path, length, &found);
		if (error)
			return error;
		bool last = *next == '\0';
		if ((types[found.kind].mode & MODE_TYPE) == MODE_LINK && (!last || walk->follow || directory_meant)) {
			walk->node = found;
			return follow(walk, &at, next, depth);
		}
		at = found;
		path = next;
	}
	walk->node = at;
	return directory_meant && (types[at.kind].mode & MODE_TYPE) != MODE_DIRECTORY ? ENOTDIR : 0;
}

static int follow(struct walk *walk, const struct node *from, const char *path, int depth)
{
	char target[PROCFS_PATH_MAX];
	if (depth == LINKS_MAX)
		return ELOOP;
	int error = node_link(walk->caller, &walk->node, target, sizeof(target));
	if (error)
		return error;
	if (target[0] == '/')
		return leave(walk, target, path);
	/* Relative ones stay within /proc. */
	bool follow_last = walk->follow;
	walk->follow = true;
	error = walk_from(walk, *from, target, depth + 1);
	walk->follow = follow_last;
	return error || *path == '\0' ? error : walk_from(walk, walk->node, path, depth + 1);
}

int node_walk(struct walk *walk, const struct node *from, const char *path)
{
	if (!node_exists(from))
		return ENOENT;
	return walk_from(walk, *from, path, 0);
}
