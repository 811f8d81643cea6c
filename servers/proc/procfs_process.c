/*
 * /proc files about one process or thread.
 *
 * What only the process itself knows (descriptors, umask, signal masks) is not told: libposix answers for
 * /proc/self where it can. Fields that Linux has and Portico does not know are 0, as man 5 proc allows.
 */
#include "kernel_ops.h"
#include "procfs.h"

#include <portico/layout.h>
#include <portico/strings.h>
#include <root_client.h>
#include <vfs_client.h>

#define TICK_NS UINT64_C(10000000)

typedef unsigned long long ull; /* for formats only */

struct numbers {
	struct rusage usage;
	struct task_info info;
	char state;
	const char *state_name;
};

static bool is_running(const struct process *p, const struct text *text)
{
	return p == text->reader || (p->thread != PORT_NULL && kernel_thread_runnable(p->thread) == 1);
}

static void gather(const struct process *p, const struct text *text, struct numbers *n)
{
	memset(n, 0, sizeof(*n));
	n->usage = p->usage;
	n->state = 'Z';
	n->state_name = "zombie";
	if (p->state != PROCESS_ALIVE)
		return;
	task_usage(p->task, &n->usage);
	if (kernel_task_info(p->task, &n->info) < 0)
		memset(&n->info, 0, sizeof(n->info));
	n->state = p->stopped ? 'T' : is_running(p, text) ? 'R' : 'S';
	n->state_name = p->stopped ? "stopped" : n->state == 'R' ? "running" : "sleeping";
}

static uint32_t parent_pid(const struct process *p)
{
	return p->parent ? p->parent->pid : 0;
}

static void print_stat(const struct process *p, uint32_t id, struct text *text)
{
	struct numbers n;
	gather(p, text, &n);
	const struct rusage *c = &p->children_usage;
	const struct terminal *t = terminal_of_session(p->session);
	text_print(text, "%u (%s) %c %u %u %u ", id, p->name, n.state, parent_pid(p), p->group, p->session);
	text_print(text, "%u %d 0 ", t ? t->device : 0, t ? (int32_t)t->group : -1);
	text_print(text, "%llu %llu %llu %llu ", (ull)n.usage.minor_faults, (ull)c->minor_faults,
	           (ull)n.usage.major_faults, (ull)c->major_faults);
	text_print(text, "%llu %llu %llu %llu ", (ull)(n.usage.user_ns / TICK_NS), (ull)(n.usage.system_ns / TICK_NS),
	           (ull)(c->user_ns / TICK_NS), (ull)(c->system_ns / TICK_NS));
	text_print(text, "%d %d %u 0 %llu ", 20 + p->nice, p->nice, p->thread_count, (ull)(p->start_time / TICK_NS));
	text_print(text, "%llu %llu %llu ", (ull)(n.info.virtual_pages * PAGE_SIZE), (ull)n.info.resident_pages,
	           (ull)p->limit[RESOURCE_RSS].current);
	text_print(text, "%llu %llu %llu 0 0 0 0 0 0 0 0 0 ", (ull)p->code_start, (ull)p->code_end,
	           (ull)p->stack_start);
	text_print(text, "%u 0 0 0 0 0 0 0 0 ", p->exit_signal);
	text_print(text, "%llu %llu %llu %llu %llu %d\n", (ull)p->brk_start, (ull)p->arguments_start,
	           (ull)p->arguments_end, (ull)p->environment_start, (ull)p->environment_end,
	           p->state == PROCESS_ZOMBIE ? p->status : 0);
}

static void print_statm(const struct process *p, struct text *text)
{
	struct numbers n;
	gather(p, text, &n);
	uint64_t code = (p->code_end - p->code_start) / PAGE_SIZE;
	uint64_t data = n.info.virtual_pages > code ? n.info.virtual_pages - code : 0;
	text_print(text, "%llu %llu 0 %llu 0 %llu 0\n", (ull)n.info.virtual_pages, (ull)n.info.resident_pages,
	           (ull)code, (ull)data);
}

static void print_status_memory(const struct numbers *n, struct text *text)
{
	ull size = n->info.virtual_pages * (PAGE_SIZE / 1024), resident = n->info.resident_pages * (PAGE_SIZE / 1024);
	text_print(text, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\n", size, size,
	           (ull)n->usage.max_rss_kib, resident);
}

static void print_status_capabilities(const struct credentials *c, struct text *text)
{
	text_print(text, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
	           (ull)c->cap_inheritable, (ull)c->cap_permitted, (ull)c->cap_effective, (ull)c->cap_bounding,
	           (ull)c->cap_ambient);
	text_print(text, "NoNewPrivs:\t%u\nSeccomp:\t0\n", c->no_new_privileges);
}

static void print_status(const struct process *p, uint32_t id, struct text *text)
{
	const struct credentials *c = &p->cred;
	struct numbers n;
	gather(p, text, &n);
	text_print(text, "Name:\t%s\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
	           p->name, n.state, n.state_name, p->pid, id, parent_pid(p));
	text_print(text, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
	text_print(text, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
	text_print(text, "Groups:\t");
	for (uint32_t i = 0; i < c->group_count; i++)
		text_print(text, "%u ", c->groups[i]);
	text_print(text, "\nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", p->pid, id, p->group, p->session);
	if (p->state == PROCESS_ALIVE)
		print_status_memory(&n, text);
	text_print(text, "Threads:\t%u\n", p->thread_count);
	print_status_capabilities(c, text);
	text_print(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
	           (ull)n.usage.voluntary_switches, (ull)n.usage.involuntary_switches);
}

/* A stretch of the process's memory, as far as it can be read. */
static void print_memory(const struct process *p, uint64_t start, uint64_t end, struct text *text)
{
	if (p->state != PROCESS_ALIVE || end <= start)
		return;
	uint64_t length = end - start;
	if (length > text->max - text->size)
		length = text->max - text->size;
	int64_t got = kernel_vm_read(p->task, start, text->bytes + text->size, length);
	if (got > 0)
		text->size += (size_t)got;
}

static const char *name_of_range(const struct process *p, const struct vm_query *q)
{
	for (uint32_t i = 0; i < IMAGES_MAX; i++) {
		const struct image_range *r = &p->image[i];
		if (r->path && q->start >= r->start && q->end <= r->end)
			return r->path;
	}
	if (p->stack_start >= q->start && p->stack_start < q->end)
		return "[stack]";
	if (q->start == p->brk_start)
		return "[heap]";
	if (q->start >= LIBPOSIX_TEXT && q->start < KERNEL_INFO_ADDRESS)
		return "[libposix]";
	return q->start == KERNEL_INFO_ADDRESS ? "[vvar]" : "";
}

static void print_mapping(const struct process *p, const struct vm_query *q, struct text *text)
{
	const char *name = name_of_range(p, q);
	bool private_copy =
	        (q->flags & VM_COPY) || q->object_id == 0 || (q->flags & VM_INHERIT_MASK) != VM_INHERIT_SHARE;
	char line[96];
	int length = snprintf(line, sizeof(line), "%08llx-%08llx %c%c%c%c %08llx 00:00 %llu", (ull)q->start,
	                      (ull)q->end, q->flags & VM_READ ? 'r' : '-', q->flags & VM_WRITE ? 'w' : '-',
	                      q->flags & VM_EXECUTE ? 'x' : '-', private_copy ? 'p' : 's', (ull)q->offset,
	                      (ull)q->object_id);
	text_print(text, "%s%*s%s\n", line, name[0] && length < 73 ? 73 - length : 1, "", name);
}

static void print_maps(const struct process *p, struct text *text)
{
	struct vm_query q;
	uint64_t at = 0;
	if (p->state != PROCESS_ALIVE)
		return;
	while (at < USER_MAX && kernel_vm_query(p->task, at, &q) >= 0 && q.end > at) {
		print_mapping(p, &q, text);
		at = q.end;
	}
}

static void print_limit_value(struct text *text, uint64_t value)
{
	if (value == RESOURCE_UNLIMITED)
		text_print(text, "%-20s ", "unlimited");
	else
		text_print(text, "%-20llu ", (ull)value);
}

static void print_limits(const struct process *p, struct text *text)
{
	static const struct {
		const char *name, *unit;
	} rows[RESOURCES] = {
	        [RESOURCE_CPU] = {"Max cpu time", "seconds"},
	        [RESOURCE_FSIZE] = {"Max file size", "bytes"},
	        [RESOURCE_DATA] = {"Max data size", "bytes"},
	        [RESOURCE_STACK] = {"Max stack size", "bytes"},
	        [RESOURCE_CORE] = {"Max core file size", "bytes"},
	        [RESOURCE_RSS] = {"Max resident set", "bytes"},
	        [RESOURCE_NPROC] = {"Max processes", "processes"},
	        [RESOURCE_NOFILE] = {"Max open files", "files"},
	        [RESOURCE_MEMLOCK] = {"Max locked memory", "bytes"},
	        [RESOURCE_AS] = {"Max address space", "bytes"},
	        [RESOURCE_LOCKS] = {"Max file locks", "locks"},
	        [RESOURCE_SIGPENDING] = {"Max pending signals", "signals"},
	        [RESOURCE_MSGQUEUE] = {"Max msgqueue size", "bytes"},
	        [RESOURCE_NICE] = {"Max nice priority", ""},
	        [RESOURCE_RTPRIO] = {"Max realtime priority", ""},
	        [RESOURCE_RTTIME] = {"Max realtime timeout", "us"},
	};
	text_print(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (uint32_t i = 0; i < RESOURCES; i++) {
		text_print(text, "%-25s ", rows[i].name);
		print_limit_value(text, p->limit[i].current);
		print_limit_value(text, p->limit[i].maximum);
		text_print(text, "%-10s\n", rows[i].unit);
	}
}

static int mount_text(bool information, uint32_t index, char *line, size_t size)
{
	return information ? vfs_mount_information(root->root_directory, index, line, size)
	                   : vfs_mount_entry(root->root_directory, index, line, size);
}

static void print_mounts(bool information, struct text *text)
{
	char line[2801];
	for (uint32_t i = 0; mount_text(information, i, line, sizeof(line)) == 0; i++) {
		size_t length = strlen(line);
		text_bytes(text, line, length);
		if (length == 0 || line[length - 1] != '\n')
			text_bytes(text, "\n", 1);
	}
}

int contents_process(const struct node *node, struct text *text)
{
	const struct process *p = process_by_pid(node->pid);
	uint32_t id = node->tid ? node->tid : node->pid;
	if (!p || !node_exists(node))
		return ESRCH;
	switch (node->kind) {
	case NODE_STAT:
		print_stat(p, id, text);
		return 0;
	case NODE_STATM:
		print_statm(p, text);
		return 0;
	case NODE_STATUS:
		print_status(p, id, text);
		return 0;
	case NODE_CMDLINE:
		print_memory(p, p->arguments_start, p->arguments_end, text);
		return 0;
	case NODE_ENVIRON:
		print_memory(p, p->environment_start, p->environment_end, text);
		return 0;
	case NODE_COMM:
		text_print(text, "%s\n", p->name);
		return 0;
	case NODE_MAPS:
		print_maps(p, text);
		return 0;
	case NODE_LIMITS:
		print_limits(p, text);
		return 0;
	case NODE_MOUNTS:
		print_mounts(false, text);
		return 0;
	case NODE_MOUNT_INFORMATION:
		print_mounts(true, text);
		return 0;
	default:
		return EINVAL;
	}
}

static int write_host_name(const struct process *caller, uint32_t domain, const char *bytes, size_t size)
{
	if (!has_capability(caller, CAPABILITY_SYS_ADMIN))
		return EPERM;
	const char *newline = memchr(bytes, '\n', size);
	if (newline)
		size = (size_t)(newline - bytes);
	if (size > HOST_NAME_MAX)
		return EINVAL;
	memset(root->host_name[domain], 0, sizeof(root->host_name[domain]));
	memcpy(root->host_name[domain], bytes, size);
	return 0;
}

/* Linux's keys that end the system: c: panic, b: reboot, o: power off. */
static int write_sysrq(const struct process *caller, const char *bytes, size_t size)
{
	if (!has_capability(caller, CAPABILITY_SYS_BOOT))
		return EPERM;
	switch (size ? bytes[0] : '\0') {
	case 'c':
		return root_power(root->root, POWER_PANIC, 0);
	case 'b':
		return root_power(root->root, POWER_REBOOT, 0);
	case 'o':
		return root_power(root->root, POWER_OFF, 0);
	default:
		return EINVAL;
	}
}

int contents_write(const struct process *caller, const struct node *node, const char *bytes, size_t size)
{
	struct process *p = node->pid ? process_by_pid(node->pid) : NULL;
	if (!caller)
		return EACCES;
	switch (node->kind) {
	case NODE_HOSTNAME:
	case NODE_DOMAINNAME:
		return write_host_name(caller, node->kind == NODE_DOMAINNAME, bytes, size);
	case NODE_SYSRQ_TRIGGER:
		return write_sysrq(caller, bytes, size);
	case NODE_COMM:
		if (p != caller)
			return EINVAL;
		memset(p->name, 0, sizeof(p->name));
		memcpy(p->name, bytes, size < sizeof(p->name) ? size : sizeof(p->name) - 1);
		return 0;
	default:
		return EACCES;
	}
}
