/*
 * Kernel operations as traps. See kernel_ops.h.
 */
#include "kernel_ops.h"

#include <portico/layout.h>
#include <portico/server.h>
#include <portico/strings.h>

static struct portico_block *block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

int64_t kernel_task_duplicate(port_name_t task, uint32_t flags, port_name_t ledger)
{
	return server_trap(TRAP_task_duplicate, task, flags, ledger, PORT_NULL, 0, 0);
}

int64_t kernel_task_create(port_name_t ledger)
{
	return server_trap(TRAP_task_create, 0, ledger, PORT_NULL, 0, 0, 0);
}

void kernel_task_terminate(port_name_t task)
{
	server_queue(TRAP_task_terminate, task, 0, 0, 0, 0, 0);
}

void kernel_task_suspend(port_name_t task)
{
	server_queue(TRAP_task_suspend, task, 0, 0, 0, 0, 0);
}

void kernel_task_resume(port_name_t task)
{
	server_queue(TRAP_task_resume, task, 0, 0, 0, 0, 0);
}

int64_t kernel_task_freeze(port_name_t task)
{
	return server_trap(TRAP_task_suspend, task, 0, 0, 0, 0, 0);
}

int64_t kernel_task_set_principal(port_name_t task, uint64_t principal)
{
	return server_trap(TRAP_task_set_principal, task, principal, 0, 0, 0, 0);
}

int64_t kernel_task_info(port_name_t task, struct task_info *info)
{
	return server_trap_results(TRAP_task_info, task, 0, info, sizeof(*info));
}

int64_t kernel_thread_create(port_name_t task, uint32_t slot, uint64_t endpoint)
{
	return server_trap(TRAP_thread_create, task, slot, endpoint, 0, PORT_NULL, 0);
}

void kernel_thread_start(port_name_t thread, const struct portico_frame *frame)
{
	server_queue_with(TRAP_thread_start, thread, 0, frame, sizeof(*frame));
}

void kernel_thread_priority(port_name_t thread, uint32_t priority)
{
	server_queue(TRAP_thread_priority, thread, priority, 0, 0, 0, 0);
}

int64_t kernel_thread_runnable(port_name_t thread)
{
	enum { STATE_RUNNABLE = 1, STATE_RUNNING = 2 };
	uint64_t result[3];
	int64_t status = server_trap_results(TRAP_thread_info, thread, 0, result, sizeof(result));
	if (status < 0)
		return status;
	return result[2] == STATE_RUNNABLE || result[2] == STATE_RUNNING;
}

int64_t kernel_right_insert(port_name_t task, port_name_t chosen, port_name_t name, uint32_t disposition,
                            uint64_t badge, uint32_t flags)
{
	block()->argument[0] = badge;
	block()->argument[1] = flags;
	return server_trap(TRAP_right_insert, task, chosen, name, disposition, 0, 0);
}

int64_t kernel_right_copy(port_name_t name, uint32_t flags)
{
	return server_trap(TRAP_right_copy, name, flags, PORT_NULL, 0, 0, 0);
}

int64_t kernel_right_extract(port_name_t task, port_name_t name)
{
	return server_trap(TRAP_right_extract, task, name, MSG_COPY_SEND, PORT_NULL, 0, 0);
}

int64_t kernel_ledger_create(uint64_t pages, uint64_t kernel_bytes)
{
	return server_trap(TRAP_ledger_create, 0, pages, kernel_bytes, PORT_NULL, 0, 0);
}

int64_t kernel_vm_map(port_name_t task, uint64_t address, uint64_t size, port_name_t object, uint64_t offset,
                      uint32_t flags)
{
	return server_trap(TRAP_vm_map, task, address, size, object, offset, flags);
}

/* Status and bytes as they were found first: `to` lies outside of the keep. */
static int64_t sample_bytes(int64_t got, void *to)
{
	server_sample(&got, sizeof(got));
	if (got > 0)
		server_sample(to, (size_t)got);
	return got;
}

int64_t kernel_vm_read(port_name_t task, uint64_t address, void *to, size_t length)
{
	return sample_bytes(trap4(TRAP_vm_read, task, address, (uint64_t)to, length), to);
}

/* The bytes lie in volatile memory, whose address is not to count: so it is not logged as an operation, but simply repeated. */
int64_t kernel_vm_write(port_name_t task, uint64_t address, const void *from, size_t length)
{
	int64_t status = trap4(TRAP_vm_write, task, address, (uint64_t)from, length);
	server_sample(&status, sizeof(status));
	return status;
}

int64_t kernel_vm_query(port_name_t task, uint64_t address, struct vm_query *query)
{
	return server_trap_results(TRAP_vm_query, task, address, query, sizeof(*query));
}

int64_t kernel_object_read(port_name_t object, uint64_t offset, void *to, size_t length)
{
	return sample_bytes(trap4(TRAP_object_read, object, offset, (uint64_t)to, length), to);
}

void kernel_information(struct kernel_info *info)
{
	memcpy(info, (const void *)KERNEL_INFO_ADDRESS, sizeof(*info));
	server_sample(info, sizeof(*info));
}

void kernel_counters(struct system_counters *counters)
{
	if (server_trap_results(TRAP_system_counters, 0, 0, counters, sizeof(*counters)) < 0)
		memset(counters, 0, sizeof(*counters));
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static uint64_t timestamp_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t processor_random(void)
{
	uint64_t value = 0;
	uint8_t valid = 0;
	for (int i = 0; i < 16 && !valid; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(valid) : : "cc");
	return valid ? value : 0;
}

void kernel_entropy(uint8_t bytes[32])
{
	bool generator = cpuid(1, 0).ecx >> 30 & 1;
	uint64_t state = timestamp_counter();
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t round = 0; round < 64; round++) {
			state ^= timestamp_counter();
			state *= UINT64_C(0x9e3779b97f4a7c15);
			state ^= state >> 29;
		}
		uint64_t word = state ^ (generator ? processor_random() : 0);
		memcpy(bytes + i * 8, &word, sizeof(word));
	}
	server_sample(bytes, 32);
}

uint64_t kernel_hwcap(void)
{
	return cpuid(1, 0).edx;
}

uint64_t kernel_hwcap2(void)
{
	return cpuid(7, 0).ebx & 1 ? 2 : 0; /* HWCAP2_FSGSBASE */
}

uint64_t kernel_signal_stack_min(void)
{
	bool xsave = cpuid(1, 0).ecx >> 26 & 1;
	/* rt_sigframe without the vector state is below 1 KiB; FXSAVE is 512 bytes; Linux's MINSIGSTKSZ is the least.
	 */
	uint64_t size = 1024 + 64 + (xsave ? cpuid(0xd, 0).ecx : 512);
	return size < 2048 ? 2048 : size;
}
