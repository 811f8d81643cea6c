/*
 * ELF64 programs: from the bytes of a file to a plan of what is to be mapped where.
 *
 * Pure: reads through a callback, maps nothing, allocates nothing, so the host tests and the fuzzers feed it anything.
 * Above: exec.c and image.c. Every field of the file is checked before it is used; whatever is not a well-formed x86_64
 * program is ENOEXEC, never a crash. As on Linux, headers must be there, but segments may lie beyond the end of the
 * file: whoever touches them gets SIGBUS. Follows the System V ABI, its x86_64 supplement, and `man 5 elf`.
 */
#ifndef PROC_ELF_H
#define PROC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 16u
#define ELF_HEADERS_MAX 64u
#define ELF_INTERPRETER_MAX 256u

struct elf_segment {
	uint64_t address;     /* as linked */
	uint64_t memory_size; /* > 0, >= file_size */
	uint64_t offset;      /* congruent to address modulo a page */
	uint64_t file_size;   /* not all of it need be in the file: see elf_plan.file_end */
	uint32_t protection;  /* VM_READ, VM_WRITE, VM_EXECUTE */
};

struct elf_plan {
	uint64_t entry;     /* as linked */
	uint64_t headers;   /* address of the program headers in memory as linked, 0: not mapped */
	uint64_t low, high; /* page-aligned span of all segments as linked */
	uint64_t file_end;  /* of all segments; beyond the end of a file that was cut off */
	uint32_t header_count;
	uint32_t segment_count;
	bool relocatable;                             /* ET_DYN: goes anywhere */
	bool executable_stack;                        /* PT_GNU_STACK asks for it */
	char interpreter[ELF_INTERPRETER_MAX];        /* "" : none */
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* ascending, on disjoint pages */
};

/* Where the bytes come from. read: fills `to` with exactly `length` bytes at `offset`; 0 or an errno. */
struct elf_source {
	int (*read)(const struct elf_source *source, uint64_t offset, void *to, size_t length);
	uint64_t size;   /* of the file */
	uint64_t handle; /* for the callback: a memory object's name, or an address on the host */
};

/* Builds the plan. 0; ENOEXEC: not a program for this machine, or malformed; else what `read` gave. */
int elf_plan(const struct elf_source *source, struct elf_plan *plan);

#endif
