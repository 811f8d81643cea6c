/*
 * Memory objects of the vfs server on the host: anonymous mappings, exactly as long as the object, that move when they
 * grow, so that an address which is used too long or too far is a fault.
 */
#define _GNU_SOURCE
#include "memory_host.h"
#include "memory.h"
#include <loopback.h>
#include <portico/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul

uint64_t host_machine = UINT64_C(256) << 20;
uint64_t host_available = UINT64_C(256) << 20;
unsigned host_objects;

static uint64_t whole_pages(uint64_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

static uint8_t *map(uint64_t size)
{
	void *address = mmap(NULL, size ? size : PAGE, PROT_READ | PROT_WRITE,
	                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return address == MAP_FAILED ? NULL : address;
}

static void unmap(struct memory *memory)
{
	munmap(memory->address, memory->mapped ? memory->mapped : PAGE);
}

int memory_create(struct memory *memory, uint64_t size)
{
	size = whole_pages(size);
	uint8_t *address = map(size);
	if (address == NULL)
		return ENOSPC;
	*memory = (struct memory){.object = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND),
	                          .address = address,
	                          .mapped = size,
	                          .size = size};
	host_objects++;
	return 0;
}

int memory_resize(struct memory *memory, uint64_t size)
{
	size = whole_pages(size);
	if (size == memory->size)
		return 0;
	uint64_t kept = size < memory->mapped ? size : memory->mapped;
	uint8_t *address = map(size);
	if (address == NULL)
		return ENOSPC;
	/* Pages move, holes stay holes. */
	if (kept != 0 && mremap(memory->address, kept, kept, MREMAP_MAYMOVE | MREMAP_FIXED, address) == MAP_FAILED)
		abort();
	if (memory->mapped > kept || kept == 0)
		munmap(memory->address + kept, memory->mapped > kept ? memory->mapped - kept : PAGE);
	memory->address = address;
	memory->mapped = memory->size = size;
	return 0;
}

void memory_discard(struct memory *memory, uint64_t offset, uint64_t length)
{
	if ((offset | length) % PAGE != 0 || offset > memory->size || length > memory->size - offset)
		abort();
	madvise(memory->address + offset, length, MADV_DONTNEED);
}

void memory_destroy(struct memory *memory)
{
	if (memory->object == PORT_NULL)
		return;
	unmap(memory);
	for (unsigned i = 0; i < MEMORY_ACCESSES; i++)
		server_release_right(memory->right[i]);
	server_release_right(memory->object);
	*memory = (struct memory){0};
	host_objects--;
}

int memory_attach(struct memory *memory, port_name_t object, uint64_t size)
{
	(void)memory;
	(void)size;
	server_release_right(object);
	return ENOMEM;
}

port_name_t memory_right(struct memory *memory, enum memory_access access)
{
	if (memory->right[access] == PORT_NULL)
		memory->right[access] = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	return memory->right[access];
}

uint64_t memory_resident(const struct memory *memory)
{
	uint64_t pages = 0;
	for (uint64_t at = 0; at < memory->size; at += PAGE) {
		unsigned char in = 0;
		mincore(memory->address + at, PAGE, &in);
		pages += in & 1;
	}
	return pages;
}

uint64_t memory_machine(void)
{
	return host_machine;
}

uint64_t memory_available(void)
{
	return host_available;
}

/* Each look is another transaction, unless a test says that one is under way. */
uint64_t host_transaction;

uint64_t memory_transaction(void)
{
	static uint64_t number;
	return host_transaction != 0 ? host_transaction : ++number | UINT64_C(1) << 63;
}

void memory_log(const char *line, size_t length)
{
	fwrite(line, 1, length, stderr);
}

uint64_t memory_entropy(void)
{
	static uint64_t word = 88172645463325252u;
	word ^= word << 13;
	word ^= word >> 7;
	word ^= word << 17;
	return word;
}
