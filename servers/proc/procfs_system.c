/*
 * /proc files about the machine.
 */
#include "kernel_ops.h"
#include "procfs.h"

#include <portico/layout.h>
#include <portico/strings.h>
#include <root_client.h>

#define TICK_NS UINT64_C(10000000)
#define SECOND_NS UINT64_C(1000000000)
#define CPUS_MAX 64u

void text_bytes(struct text *text, const void *bytes, size_t size)
{
	size_t room = text->max - text->size;
	if (size > room)
		size = room;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

void text_print(struct text *text, const char *format, ...)
{
	char line[1200];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > 0)
		text_bytes(text, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

static uint32_t cpu_count(const struct kernel_info *info)
{
	return info->cpus < 1 ? 1 : info->cpus > CPUS_MAX ? CPUS_MAX : info->cpus;
}

/* Time used by processes, dead ones included. */
static void used_time(struct rusage *sum)
{
	*sum = root->dead_usage;
	for (const struct process *p = root->first; p; p = p->next) {
		usage_add(sum, &p->usage);
		if (p->state == PROCESS_ALIVE)
			task_usage(p->task, sum);
	}
}

static uint64_t idle_total(const struct kernel_info *info)
{
	uint64_t idle = 0;
	for (uint32_t i = 0; i < cpu_count(info); i++)
		idle += info->idle_time[i];
	return idle;
}

static void print_uptime(struct text *text)
{
	struct kernel_info info;
	kernel_information(&info);
	uint64_t up = server_now(), idle = idle_total(&info);
	text_print(text, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(up / SECOND_NS),
	           (unsigned long long)(up % SECOND_NS / TICK_NS), (unsigned long long)(idle / SECOND_NS),
	           (unsigned long long)(idle % SECOND_NS / TICK_NS));
}

static void count_processes(uint32_t *running, uint32_t *threads)
{
	*running = *threads = 0;
	for (const struct process *p = root->first; p; p = p->next) {
		*threads += p->thread_count;
		*running += p->state == PROCESS_ALIVE && !p->stopped;
	}
}

static void print_loadavg(struct text *text)
{
	struct kernel_info info;
	kernel_information(&info);
	uint32_t running, threads;
	count_processes(&running, &threads);
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t load = info.load[i];
		text_print(text, "%u.%02u ", (unsigned)(load >> 16), (unsigned)((load & 0xffff) * 100 >> 16));
	}
	text_print(text, "%u/%u %u\n", running, threads, root->last_pid);
}

static void print_kib(struct text *text, const char *name, uint64_t bytes)
{
	text_print(text, "%-15s %8llu kB\n", name, (unsigned long long)(bytes / 1024));
}

static void print_meminfo(struct text *text)
{
	struct kernel_info info;
	kernel_information(&info);
	struct system_counters counters;
	kernel_counters(&counters);
	/* Not the information page's figure: that is the last tick's, and none before the first. */
	uint64_t available = counters.pages_free * PAGE_SIZE;
	print_kib(text, "MemTotal:", info.memory_total);
	print_kib(text, "MemFree:", available);
	print_kib(text, "MemAvailable:", available);
	print_kib(text, "Buffers:", 0);
	print_kib(text, "Cached:", 0);
	print_kib(text, "SwapCached:", 0);
	print_kib(text, "Active:", info.memory_total - available);
	print_kib(text, "Inactive:", 0);
	print_kib(text, "SwapTotal:", 0);
	print_kib(text, "SwapFree:", 0);
	print_kib(text, "Shmem:", 0);
	print_kib(text, "Slab:", counters.pages_kernel * PAGE_SIZE);
}

static void print_cpu_line(struct text *text, const char *name, uint64_t user, uint64_t system, uint64_t idle)
{
	text_print(text, "%s %llu 0 %llu %llu 0 0 0 0 0 0\n", name, (unsigned long long)(user / TICK_NS),
	           (unsigned long long)(system / TICK_NS), (unsigned long long)(idle / TICK_NS));
}

/* What is not idle and not a process's user time counts as system time: the servers' work is that. */
static void print_stat(struct text *text)
{
	struct kernel_info info;
	kernel_information(&info);
	uint32_t cpus = cpu_count(&info), running, threads;
	uint64_t up = server_now(), idle = idle_total(&info);
	uint64_t busy = up * cpus > idle ? up * cpus - idle : 0;
	struct rusage used;
	used_time(&used);
	count_processes(&running, &threads);
	uint64_t user = used.user_ns < busy ? used.user_ns : busy;
	print_cpu_line(text, "cpu ", user, busy - user, idle);
	for (uint32_t i = 0; i < cpus; i++) {
		char name[16];
		uint64_t cpu_busy = up > info.idle_time[i] ? up - info.idle_time[i] : 0;
		uint64_t share =
		        busy / TICK_NS ? user / TICK_NS * (cpu_busy / TICK_NS) / (busy / TICK_NS) * TICK_NS : 0;
		snprintf(name, sizeof(name), "cpu%u", i);
		print_cpu_line(text, name, share, cpu_busy - share, info.idle_time[i]);
	}
	text_print(text, "intr 0\nctxt %llu\nbtime %lld\nprocesses %llu\nprocs_running %u\nprocs_blocked 0\n",
	           (unsigned long long)(used.voluntary_switches + used.involuntary_switches),
	           (long long)(info.realtime_offset / (int64_t)SECOND_NS), (unsigned long long)root->forks, running);
}

struct cpu_leaf {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpu_leaf cpu_leaf(uint32_t leaf)
{
	struct cpu_leaf r;
	__asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
	return r;
}

static void print_flags(struct text *text)
{
	static const char *const edx[32] = {"fpu",  "vme",   "de",   "pse",     "tsc",  "msr", "pae", "mce",
	                                    "cx8",  "apic",  NULL,   "sep",     "mtrr", "pge", "mca", "cmov",
	                                    "pat",  "pse36", NULL,   "clflush", NULL,   NULL,  NULL,  "mmx",
	                                    "fxsr", "sse",   "sse2", "ss",      "ht",   NULL,  NULL,  NULL};
	static const char *const ecx[32] = {
	        [0] = "pni",     [1] = "pclmulqdq", [9] = "ssse3",  [12] = "fma",    [13] = "cx16",
	        [19] = "sse4_1", [20] = "sse4_2",   [22] = "movbe", [23] = "popcnt", [25] = "aes",
	        [26] = "xsave",  [28] = "avx",      [29] = "f16c",  [30] = "rdrand", [31] = "hypervisor"};
	struct cpu_leaf leaf = cpu_leaf(1);
	text_print(text, "flags\t\t:");
	for (uint32_t i = 0; i < 32; i++) {
		if (edx[i] && leaf.edx >> i & 1)
			text_print(text, " %s", edx[i]);
	}
	for (uint32_t i = 0; i < 32; i++) {
		if (ecx[i] && leaf.ecx >> i & 1)
			text_print(text, " %s", ecx[i]);
	}
	text_print(text, " lm\n");
}

static void cpu_brand(char brand[49])
{
	memset(brand, 0, 49);
	if (cpu_leaf(0x80000000u).eax < 0x80000004u)
		return;
	for (uint32_t i = 0; i < 3; i++) {
		struct cpu_leaf leaf = cpu_leaf(0x80000002u + i);
		memcpy(brand + 16 * i, &leaf, sizeof(leaf));
	}
}

static void print_cpuinfo(struct text *text)
{
	struct kernel_info info;
	kernel_information(&info);
	struct cpu_leaf name = cpu_leaf(0), id = cpu_leaf(1);
	uint32_t vendor[3] = {name.ebx, name.edx, name.ecx};
	uint32_t family = (id.eax >> 8 & 0xf) + (id.eax >> 20 & 0xff);
	uint32_t model = (id.eax >> 4 & 0xf) | (id.eax >> 12 & 0xf0);
	char brand[49];
	cpu_brand(brand);
	uint64_t khz = info.tsc_frequency / 1000;
	for (uint32_t i = 0; i < cpu_count(&info); i++) {
		text_print(text,
		           "processor\t: %u\nvendor_id\t: %.12s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n",
		           i, (const char *)vendor, family, model, brand);
		text_print(text,
		           "stepping\t: %u\ncpu MHz\t\t: %llu.%03llu\nsiblings\t: %u\ncpu cores\t: %u\nfpu\t\t: yes\n",
		           id.eax & 0xf, (unsigned long long)(khz / 1000), (unsigned long long)(khz % 1000), info.cpus,
		           info.cpus);
		print_flags(text);
		text_print(text, "bogomips\t: %llu.%02llu\n\n", (unsigned long long)(khz / 500),
		           (unsigned long long)(khz % 500 / 5));
	}
}

/* What the leak tests compare: live kernel objects by kind, and pages. */
static void print_counters(struct text *text)
{
	static const char *const kinds[] = {[KOBJ_PORT] = "ports",
	                                    [KOBJ_PORT_SET] = "port_sets",
	                                    [KOBJ_TASK] = "tasks",
	                                    [KOBJ_THREAD] = "threads",
	                                    [KOBJ_SPACE] = "spaces",
	                                    [KOBJ_MEMORY] = "memory_objects",
	                                    [KOBJ_LEDGER] = "ledgers",
	                                    [KOBJ_TIMER] = "timers",
	                                    [KOBJ_INTERRUPT] = "interrupts",
	                                    [KOBJ_IOPORTS] = "io_ports",
	                                    [KOBJ_PHYSICAL] = "physical_ranges"};
	struct system_counters counters;
	kernel_counters(&counters);
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i])
			text_print(text, "%s %llu\n", kinds[i], (unsigned long long)counters.objects[i]);
	}
	text_print(text, "pages_total %llu\npages_free %llu\npages_used %llu\npages_kernel %llu\n",
	           (unsigned long long)counters.pages_total, (unsigned long long)counters.pages_free,
	           (unsigned long long)(counters.pages_total - counters.pages_free),
	           (unsigned long long)counters.pages_kernel);
}

static void print_random_uuid(struct text *text)
{
	uint8_t b[16];
	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (uint32_t i = 0; i < 16; i++)
		text_print(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_print(text, "\n");
}

static void print_command_line(struct text *text)
{
	char value[2049];
	/* The kernel's own words, as far as they are asked for by name. */
	static const char *const words[] = {"init", "run", "posix-trace"};
	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (root_option(root->root, words[i], value, sizeof(value)) != 0)
			continue;
		text_print(text, "%s%s%s%s", text->size ? " " : "", words[i], value[0] ? "=" : "", value);
	}
	text_print(text, "\n");
}

static void print_release(struct text *text, const char *before)
{
	struct kernel_info info;
	kernel_information(&info);
	text_print(text, "%s%s\n", before, info.release);
}

int contents_system(uint32_t kind, struct text *text)
{
	switch (kind) {
	case NODE_UPTIME:
		print_uptime(text);
		return 0;
	case NODE_LOADAVG:
		print_loadavg(text);
		return 0;
	case NODE_MEMINFO:
		print_meminfo(text);
		return 0;
	case NODE_VERSION:
		print_release(text, "Portico version ");
		return 0;
	case NODE_CPUINFO:
		print_cpuinfo(text);
		return 0;
	case NODE_SYSTEM_STAT:
		print_stat(text);
		return 0;
	case NODE_FILESYSTEMS:
		text_print(text, "nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\n");
		return 0;
	case NODE_KERNEL_CMDLINE:
		print_command_line(text);
		return 0;
	case NODE_HOSTNAME:
	case NODE_DOMAINNAME:
		text_print(text, "%s\n", root->host_name[kind == NODE_DOMAINNAME]);
		return 0;
	case NODE_OSRELEASE:
		print_release(text, "");
		return 0;
	case NODE_OSTYPE:
		text_print(text, "Linux\n"); /* what uname(2) says to programs, see libposix */
		return 0;
	case NODE_OSVERSION:
		text_print(text, "Portico\n");
		return 0;
	case NODE_PID_MAX:
		text_print(text, "%u\n", PID_MAX);
		return 0;
	case NODE_NGROUPS_MAX:
		text_print(text, "%u\n", PROC_GROUPS_MAX);
		return 0;
	case NODE_CAP_LAST_CAP:
		text_print(text, "%d\n", CAPABILITY_LAST);
		return 0;
	case NODE_COUNTERS:
		print_counters(text);
		return 0;
	case NODE_RANDOM_UUID:
		print_random_uuid(text);
		return 0;
	default:
		return EINVAL;
	}
}
