/*
 * Small ELF64 programs for tests: well formed, to be spoiled field by field.
 */
#ifndef MAKE_ELF_H
#define MAKE_ELF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ELF_BYTES 0x3000u
#define ELF_TYPE 16u
#define ELF_MACHINE 18u
#define ELF_VERSION 20u
#define ELF_ENTRY 24u
#define ELF_PHOFF 32u
#define ELF_PHENTSIZE 54u
#define ELF_PHNUM 56u
#define PHDR(i) (64u + 56u * (i))
#define P_TYPE 0u
#define P_FLAGS 4u
#define P_OFFSET 8u
#define P_VADDR 16u
#define P_FILESZ 32u
#define P_MEMSZ 40u
#define P_ALIGN 48u

struct elf_bytes {
	uint8_t b[ELF_BYTES];
};

static inline void put16(struct elf_bytes *e, size_t at, uint16_t v)
{
	memcpy(e->b + at, &v, sizeof(v));
}

static inline void put32(struct elf_bytes *e, size_t at, uint32_t v)
{
	memcpy(e->b + at, &v, sizeof(v));
}

static inline void put64(struct elf_bytes *e, size_t at, uint64_t v)
{
	memcpy(e->b + at, &v, sizeof(v));
}

static inline void put_phdr(struct elf_bytes *e, unsigned i, uint32_t type, uint32_t flags, uint64_t offset,
                            uint64_t vaddr, uint64_t filesz, uint64_t memsz)
{
	put32(e, PHDR(i) + P_TYPE, type);
	put32(e, PHDR(i) + P_FLAGS, flags);
	put64(e, PHDR(i) + P_OFFSET, offset);
	put64(e, PHDR(i) + P_VADDR, vaddr);
	put64(e, PHDR(i) + P_FILESZ, filesz);
	put64(e, PHDR(i) + P_MEMSZ, memsz);
	put64(e, PHDR(i) + P_ALIGN, 0x1000);
}

/* type: 2 executable, 3 relocatable. Text (read, execute) with the headers, data (read, write) with bss, a stack note;
 * then PT_INTERP if asked for. */
static inline void make_elf(struct elf_bytes *e, uint16_t type, uint64_t base, const char *interpreter)
{
	static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	memset(e, 0, sizeof(*e));
	memcpy(e->b, ident, sizeof(ident));
	put16(e, ELF_TYPE, type);
	put16(e, ELF_MACHINE, 62);
	put32(e, ELF_VERSION, 1);
	put64(e, ELF_ENTRY, base + 0x400);
	put64(e, ELF_PHOFF, 64);
	put16(e, 52, 64);
	put16(e, ELF_PHENTSIZE, 56);
	put16(e, ELF_PHNUM, interpreter ? 4 : 3);
	put_phdr(e, 0, 1, 5, 0, base, 0x1000, 0x1000);
	put_phdr(e, 1, 1, 6, 0x1000, base + 0x1000, 0x123, 0x2800);
	put_phdr(e, 2, 0x6474e551, 6, 0, 0, 0, 0);
	memset(e->b + 0x400, 0x90, 0xc00);
	memset(e->b + 0x1000, 0xdd, 0x1000); /* beyond 0x123 it must read as zero */
	if (interpreter) {
		put_phdr(e, 3, 3, 4, 0x800, base + 0x800, strlen(interpreter) + 1, strlen(interpreter) + 1);
		memcpy(e->b + 0x800, interpreter, strlen(interpreter) + 1);
	}
}

#endif
