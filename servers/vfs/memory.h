/*
 * Memory behind files: kernel memory objects that are mapped into vfs, so that windows copy straight to and from them.
 *
 * Above: data.c, cpio.c, main.c. Below: traps (memory.c); host tests put a file of their own in its place.
 */
#ifndef VFS_MEMORY_H
#define VFS_MEMORY_H

#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_access {
	MEMORY_READ = 0, /* map readable */
	MEMORY_READ_EXECUTE = 1,
	MEMORY_READ_WRITE = 2,
	MEMORY_ALL = 3,
	MEMORY_ACCESSES = 4,
};

/* All zero: none. Lives in the keep. */
struct memory {
	port_name_t object;                 /* PORT_NULL: none */
	port_name_t right[MEMORY_ACCESSES]; /* restricted rights for clients, made when first asked for */
	uint8_t *address;                   /* where it is mapped in vfs; reaches beyond the object's end */
	uint64_t mapped;                    /* bytes of the mapping */
	uint64_t size;                      /* bytes of the object, whole pages */
};

/* A new object of at least `size` bytes, zero. 0 or ENOSPC. */
int memory_create(struct memory *memory, uint64_t size);
/*
 * Makes it longer, at once, or shorter, by the commit; bytes are kept, new ones are zero; the address may change. 0 or
 * ENOSPC (nothing changed).
 */
int memory_resize(struct memory *memory, uint64_t size);
/* Whole pages read as zero and take no memory, from the commit on: not to be read before. Multiples of PAGE_SIZE. */
void memory_discard(struct memory *memory, uint64_t offset, uint64_t length);
/* Unmaps and releases everything. */
void memory_destroy(struct memory *memory);
/* Maps an object that somebody else made, readable; takes the right over, on errors too. 0 or an errno. */
int memory_attach(struct memory *memory, port_name_t object, uint64_t size);
/* A right for clients; belongs to `memory`. PORT_NULL: no memory. */
port_name_t memory_right(struct memory *memory, enum memory_access access);
/* Pages that exist, whoever touched them. */
uint64_t memory_resident(const struct memory *memory);

/* Bytes of the machine's memory, and how many vfs may still take without harm to itself. */
uint64_t memory_machine(void);
uint64_t memory_available(void);

/* Bits that cannot be guessed, as good as the machine has them. */
uint64_t memory_entropy(void);

/* A number that each transaction has for itself, and again when it is executed again. */
uint64_t memory_transaction(void);
/* A line for the kernel's log, written once however often the transaction is executed. */
void memory_log(const char *line, size_t length);

#endif
