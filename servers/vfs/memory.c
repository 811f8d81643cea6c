/*
 * Memory objects by traps; see memory.h. The only file of vfs that knows the kernel; host tests have another in its
 * place.
 *
 * A mapping is made longer than its object, so that a file that grows is mapped anew only when it has doubled.
 */
#include "memory.h"
#include "vfs.h"
#include <portico/block.h>
#include <portico/client.h>
#include <portico/info.h>
#include <portico/keep.h>
#include <portico/layout.h>
#include <portico/server.h>
#include <portico/traps.h>

#define MAPPING_MIN 65536u
#define MAPPINGS_END UINT64_C(0x7f0000000000)
#define RESERVE 1024u /* pages left alone: page tables, the keep, replies */

SERVER_KEEP_OUTSIDE(memory, address);

static const volatile struct kernel_info *info(void)
{
	return (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
}

static uint64_t whole_pages(uint64_t size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Address, 0: no room. */
static uint64_t map(port_name_t object, uint64_t size, uint64_t flags)
{
	int64_t address;

	/* Where the last search ended: only saves time. */
	if (vfs->map_hint < SERVER_MAPPINGS || vfs->map_hint + size > MAPPINGS_END)
		vfs->map_hint = SERVER_MAPPINGS;
	address = server_trap(TRAP_vm_map, TASK_SELF, vfs->map_hint, size, object, 0, flags | VM_INHERIT_SHARE);
	if (address < 0)
		return 0;
	vfs->map_hint = (uint64_t)address + size;
	return (uint64_t)address;
}

/* A mapping of the object that reaches up to `size` at least. */
static bool map_object(struct memory *memory, uint64_t size)
{
	uint64_t room = MAPPING_MIN;

	while (room < size)
		room *= 2;
	uint64_t address = map(memory->object, room, VM_READ | VM_WRITE);
	if (address == 0)
		return false;
	if (memory->address != NULL)
		server_queue(TRAP_vm_unmap, TASK_SELF, (uint64_t)memory->address, memory->mapped, 0, 0, 0);
	memory->address = (uint8_t *)address;
	memory->mapped = room;
	return true;
}

int memory_create(struct memory *memory, uint64_t size)
{
	size = whole_pages(size);
	int64_t object = server_trap(TRAP_object_create, size, 0, PORT_NULL, 0, PORT_NULL, 0);
	if (object < 0)
		return ENOSPC;
	*memory = (struct memory){.object = (port_name_t)object, .size = size};
	if (map_object(memory, size))
		return 0;
	memory_destroy(memory);
	return ENOSPC;
}

int memory_resize(struct memory *memory, uint64_t size)
{
	size = whole_pages(size);
	if (size == memory->size)
		return 0;
	if (size > memory->mapped && !map_object(memory, size))
		return ENOSPC;
	/* What is cut off is gone for good: by the commit. No handler makes an object longer that it has made shorter.
	 */
	if (size < memory->size)
		server_queue(TRAP_object_resize, memory->object, size, 0, 0, 0, 0);
	else if (server_trap(TRAP_object_resize, memory->object, size, 0, 0, 0, 0) < 0)
		return ENOSPC;
	memory->size = size;
	return 0;
}

void memory_discard(struct memory *memory, uint64_t offset, uint64_t length)
{
	server_queue(TRAP_object_discard, memory->object, offset, length, 0, 0, 0);
}

void memory_destroy(struct memory *memory)
{
	if (memory->address != NULL)
		server_queue(TRAP_vm_unmap, TASK_SELF, (uint64_t)memory->address, memory->mapped, 0, 0, 0);
	for (unsigned i = 0; i < MEMORY_ACCESSES; i++)
		server_release_right(memory->right[i]);
	server_release_right(memory->object);
	*memory = (struct memory){0};
}

int memory_attach(struct memory *memory, port_name_t object, uint64_t size)
{
	size = whole_pages(size);
	*memory = (struct memory){.object = object, .size = size, .mapped = size};
	memory->address = (uint8_t *)map(object, size, VM_READ);
	if (memory->address != NULL)
		return 0;
	memory_destroy(memory);
	return ENOMEM;
}

port_name_t memory_right(struct memory *memory, enum memory_access access)
{
	static const uint64_t flags[MEMORY_ACCESSES] = {
	        [MEMORY_READ] = RIGHT_READ,
	        [MEMORY_READ_EXECUTE] = RIGHT_READ | RIGHT_EXECUTE,
	        [MEMORY_READ_WRITE] = RIGHT_READ | RIGHT_WRITE,
	        [MEMORY_ALL] = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE,
	};

	if (memory->right[access] == PORT_NULL) {
		int64_t name = server_trap(TRAP_right_copy, memory->object, flags[access], PORT_NULL, 0, 0, 0);
		if (name > 0)
			memory->right[access] = (port_name_t)name;
	}
	return memory->right[access];
}

uint64_t memory_resident(const struct memory *memory)
{
	uint64_t result[2];

	if (memory->object == PORT_NULL ||
	    server_trap_results(TRAP_object_info, memory->object, 0, result, sizeof(result)) < 0)
		return 0;
	return result[1];
}

uint64_t memory_machine(void)
{
	return info()->memory_total;
}

/* Asked of the kernel each time: the information page is as old as the last tick, which a large write outruns. */
static uint64_t free_pages(void)
{
	struct system_counters counters;
	int64_t status = server_trap_results(TRAP_system_counters, 0, 0, &counters, sizeof(counters));

	return status >= 0 ? counters.pages_free : server_sample_word(info()->memory_free / PAGE_SIZE);
}

uint64_t memory_available(void)
{
	uint64_t pages = free_pages(), result[2];

	if (server_trap_results(TRAP_ledger_info, 0, 0, result, sizeof(result)) >= 0) {
		uint64_t used = result[0], limit = result[1];
		uint64_t left = limit > used ? limit - used : 0;
		pages = left < pages ? left : pages;
	}
	return pages > RESERVE ? (pages - RESERVE) * PAGE_SIZE : 0;
}

static uint64_t time_stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void identify(uint32_t leaf, uint32_t *b, uint32_t *c)
{
	uint32_t a = leaf, d;

	*c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(*c), "=d"(d));
}

/* RDSEED, else RDRAND, else 0. */
static uint64_t hardware_random(void)
{
	uint32_t b, c, highest = 0, leaf = 0, d;
	uint64_t value = 0;
	uint8_t good = 0;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(b), "=c"(c), "=d"(d) : "c"(0));
	highest = leaf;
	identify(7, &b, &c);
	if (highest >= 7 && (b >> 18 & 1) != 0)
		for (unsigned i = 0; i < 32 && !good; i++)
			__asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(good) : : "cc");
	identify(1, &b, &c);
	if (!good && (c >> 30 & 1) != 0)
		for (unsigned i = 0; i < 32 && !good; i++)
			__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(good) : : "cc");
	return good ? value : 0;
}

uint64_t memory_entropy(void)
{
	uint64_t bits = time_stamp() * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)server_realtime();

	for (unsigned i = 0; i < 4; i++) /* the traps' own time varies a little */
		bits = (bits << 13 | bits >> 51) ^ time_stamp() ^ (uint64_t)trap0(TRAP_null);
	return server_sample_word(bits ^ hardware_random());
}

uint64_t memory_transaction(void)
{
	return ((const volatile struct portico_block *)SERVER_ENDPOINT)->counters.commits;
}

void memory_log(const char *line, size_t length)
{
	memcpy(client_send_page()->data, line, length);
	(void)server_trap(TRAP_log_write, NAME_LOG, length, 0, 0, 0, 0);
}
