/*
 * What the system says of itself: uname, sysinfo, host names, random bytes, CPUs and scheduling.
 */
#include "linux.h"
#include "string.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <portico/info.h>
#include <proc_client.h>

#define HOST_NAME_MAX 64
#define RANDOM_CHUNK 256u
#define GRND_FLAGS 7u
#define SCHED_RESET_ON_FORK 0x40000000

static const volatile struct kernel_info *info_page(void)
{
	return (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
}

/* ---- uname ---- */

/* Programs look at the number (the C library refuses to run on what it thinks is too old), people at the rest. */
#define RELEASE "6.1.0-portico"

int64_t sys_uname(struct linux_utsname *user)
{
	struct linux_utsname name;

	memset(&name, 0, sizeof(name));
	text_copy(name.sysname, sizeof(name.sysname), "Linux");
	text_copy(name.release, sizeof(name.release), RELEASE);
	text_copy(name.version, sizeof(name.version), "#1 SMP Portico");
	text_copy(name.machine, sizeof(name.machine), "x86_64");
	if (proc_host_name(NAME_PROC, 0, name.nodename, sizeof(name.nodename)))
		text_copy(name.nodename, sizeof(name.nodename), "(none)");
	if (proc_host_name(NAME_PROC, 1, name.domainname, sizeof(name.domainname)))
		text_copy(name.domainname, sizeof(name.domainname), "(none)");
	return user_put(user, &name);
}

static int64_t set_host_name(uint8_t domain, const char *user, size_t size)
{
	char name[HOST_NAME_MAX + 1];

	if (size > HOST_NAME_MAX)
		return -EINVAL;
	if (user_copy(name, user, size))
		return -EFAULT;
	name[size] = 0;
	return result_of(proc_set_host_name(NAME_PROC, domain, name));
}

int64_t sys_sethostname(const char *user, size_t size)
{
	return set_host_name(0, user, size);
}

int64_t sys_setdomainname(const char *user, size_t size)
{
	return set_host_name(1, user, size);
}

int64_t sys_sysinfo(struct linux_sysinfo *user)
{
	struct proc_system_information system;
	int error = proc_system(NAME_PROC, &system);

	if (error)
		return result_of(error);
	struct linux_sysinfo info = {
		.uptime = (int64_t)(system.uptime_ns / NANOSECONDS),
		.loads = { system.load[0], system.load[1], system.load[2] },
		.totalram = system.memory_total, .freeram = system.memory_free,
		.procs = (uint16_t)(system.processes > UINT16_MAX ? UINT16_MAX : system.processes), .mem_unit = 1 };
	return user_put(user, &info);
}

/* ---- random bytes ---- */

PROCESS_LOCK random_lock;
static uint64_t random_state[4];
static uint64_t random_owner;

static bool cpu_random(uint64_t *value)
{
	static int available = -1;
	uint8_t done = 0;

	if (available < 0) {
		uint32_t a = 1, b, c = 0, d;
		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		available = c >> 30 & 1;
	}
	for (int i = 0; available && !done && i < 10; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(done));
	return done;
}

static uint64_t rotate(uint64_t value, int by)
{
	return value << by | value >> (64 - by);
}

/*
 * Words from the CPU's generator where it has one. Otherwise xoshiro256** over what the machine's clock gives, seeded anew in every
 * process: unpredictable enough for hash seeds and temporary names, not for keys; docs/caveats.md says so.
 */
static uint64_t random_word(void)
{
	uint64_t word;
	uint32_t low, high;

	if (cpu_random(&word))
		return word;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	if (random_owner != process.pid) {
		random_owner = process.pid;
		for (int i = 0; i < 4; i++)
			random_state[i] ^= ((uint64_t)high << 32 | low) * UINT64_C(0x9e3779b97f4a7c15) + process.pid * UINT64_C(0xbf58476d1ce4e5b9) +
					   (uint64_t)clock_realtime() + (uint64_t)i;
	}
	uint64_t result = rotate(random_state[1] * 5, 7) * 9, t = random_state[1] << 17;
	random_state[2] ^= random_state[0];
	random_state[3] ^= random_state[1];
	random_state[1] ^= random_state[2];
	random_state[0] ^= random_state[3];
	random_state[2] ^= t;
	random_state[3] = rotate(random_state[3], 45) ^ low;
	return result ^ ((uint64_t)low << 32 | high);
}

int64_t sys_getrandom(uint8_t *user, size_t size, uint32_t flags)
{
	size_t done = 0;

	if ((flags & ~GRND_FLAGS) || (flags & 6) == 6)
		return -EINVAL;
	if (size > INT32_MAX)
		size = INT32_MAX;
	while (done < size) {
		uint64_t words[RANDOM_CHUNK / 8];
		size_t part = size - done < sizeof(words) ? size - done : sizeof(words);
		lock_take(&random_lock);
		for (size_t i = 0; i < (part + 7) / 8; i++)
			words[i] = random_word();
		lock_drop(&random_lock);
		if (user_copy(user + done, words, part))
			return done ? (int64_t)done : -EFAULT;
		done += part;
	}
	return (int64_t)done;
}

/* ---- CPUs and scheduling: one class of plain time sharing ---- */

int64_t sys_sched_yield(void)
{
	trap0(TRAP_thread_yield);
	return 0;
}

int64_t sys_getcpu(uint32_t *user_cpu, uint32_t *user_node)
{
	uint32_t cpu = 0, node = 0;

	if (trap1(TRAP_thread_info, THREAD_SELF) >= 0)
		cpu = (uint32_t)client_block()->result[5];
	if ((user_cpu && user_put(user_cpu, &cpu)) || (user_node && user_put(user_node, &node)))
		return -EFAULT;
	return 0;
}

static uint64_t online_mask(void)
{
	uint32_t cpus = info_page()->cpus;
	return cpus == 0 ? 1 : cpus >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << cpus) - 1;
}

static uint64_t own_mask;

int64_t sys_sched_getaffinity(int pid, size_t size, uint64_t *user)
{
	uint64_t mask = own_mask && (pid == 0 || (uint32_t)pid == thread_self()->tid) ? own_mask : online_mask();

	if (pid < 0)
		return -ESRCH;
	if (size < sizeof(mask) || size & 7)
		return -EINVAL;
	return user_put(user, &mask) ? -EFAULT : (int64_t)sizeof(mask);
}

int64_t sys_sched_setaffinity(int pid, size_t size, const uint64_t *user)
{
	uint64_t mask = 0;

	if (user_copy(&mask, user, size < sizeof(mask) ? size : sizeof(mask)))
		return -EFAULT;
	mask &= online_mask();
	if (mask == 0)
		return -EINVAL;
	if (pid != 0 && (uint32_t)pid != thread_self()->tid)
		return -EPERM;
	trap1(TRAP_thread_info, THREAD_SELF);
	int64_t status = trap3(TRAP_thread_priority, THREAD_SELF, client_block()->result[4], mask);
	if (status < 0 && status != KERN_NO_ACCESS)
		return -(int64_t)kern_errno(status);
	own_mask = mask;
	return 0;
}

static bool is_policy(int policy)
{
	return policy == 0 || policy == 3 || policy == 5; /* OTHER, BATCH, IDLE */
}

int64_t sys_sched_getscheduler(int pid)
{
	return pid < 0 ? -EINVAL : 0;
}

int64_t sys_sched_setscheduler(int pid, int policy, const int32_t *user)
{
	int32_t priority;

	if (pid < 0 || user_get(&priority, user))
		return pid < 0 ? -EINVAL : -EFAULT;
	policy &= ~SCHED_RESET_ON_FORK;
	if (policy == 1 || policy == 2)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM; /* real-time classes are not there */
	return is_policy(policy) && priority == 0 ? 0 : -EINVAL;
}

int64_t sys_sched_getparam(int pid, int32_t *user)
{
	int32_t priority = 0;
	return pid < 0 ? -EINVAL : user_put(user, &priority);
}

int64_t sys_sched_setparam(int pid, const int32_t *user)
{
	int32_t priority;
	if (pid < 0 || user_get(&priority, user))
		return pid < 0 ? -EINVAL : -EFAULT;
	return priority == 0 ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_max(int policy)
{
	return policy == 1 || policy == 2 ? 99 : is_policy(policy) ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_min(int policy)
{
	return policy == 1 || policy == 2 ? 1 : is_policy(policy) ? 0 : -EINVAL;
}

int64_t sys_sched_rr_get_interval(int pid, struct linux_timespec *user)
{
	struct linux_timespec slice = { 0, 10000000 };
	return pid < 0 ? -EINVAL : user_put(user, &slice);
}

/* Barriers on all threads: a query says that nothing is there, and programs use their own fences. */
int64_t sys_membarrier(int command, uint32_t flags)
{
	return command == 0 && flags == 0 ? 0 : -EINVAL;
}
