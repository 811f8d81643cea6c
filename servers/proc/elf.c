/*
 * ELF64 headers -> plan. See elf.h.
 *
 * Decode, then check everything: a field is copied out of the file once, and sums are only formed when they cannot
 * wrap.
 */
#include "elf.h"

#include <portico/errno.h>
#include <portico/layout.h>
#include <portico/strings.h>
#include <portico/traps.h>

enum {
	ELF_CLASS_64 = 2,
	ELF_LITTLE_ENDIAN = 1,
	ELF_TYPE_EXECUTABLE = 2,
	ELF_TYPE_SHARED = 3,
	ELF_MACHINE_X86_64 = 62,
	ELF_LOAD = 1,
	ELF_INTERPRETER = 3,
	ELF_GNU_STACK = 0x6474e551,
	ELF_EXECUTE = 1,
	ELF_WRITE = 2,
	ELF_READ = 4,
};

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers, section_headers;
	uint32_t flags;
	uint16_t header_size, program_header_size, program_header_count;
	uint16_t section_header_size, section_header_count, section_names;
};

struct elf_program_header {
	uint32_t type, flags;
	uint64_t offset, address, physical_address, file_size, memory_size, alignment;
};

_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");
_Static_assert(sizeof(struct elf_program_header) == 56, "Elf64_Phdr");

static int read_header(const struct elf_source *source, struct elf_header *header)
{
	static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

	if (source->size < sizeof(*header))
		return ENOEXEC;
	int error = source->read(source, 0, header, sizeof(*header));
	if (error)
		return error;
	if (memcmp(header->ident, magic, sizeof(magic)) != 0 || header->ident[4] != ELF_CLASS_64 ||
	    header->ident[5] != ELF_LITTLE_ENDIAN || header->ident[6] != 1 || header->version != 1)
		return ENOEXEC;
	if (header->machine != ELF_MACHINE_X86_64 ||
	    (header->type != ELF_TYPE_EXECUTABLE && header->type != ELF_TYPE_SHARED))
		return ENOEXEC;
	if (header->program_header_size != sizeof(struct elf_program_header) || header->program_header_count == 0 ||
	    header->program_header_count > ELF_HEADERS_MAX)
		return ENOEXEC;
	uint64_t bytes = (uint64_t)header->program_header_count * sizeof(struct elf_program_header);
	if (header->program_headers > source->size || bytes > source->size - header->program_headers)
		return ENOEXEC;
	return 0;
}

static uint32_t protection_of(uint32_t flags)
{
	return (flags & ELF_READ ? VM_READ : 0u) | (flags & ELF_WRITE ? VM_WRITE : 0u) |
	       (flags & ELF_EXECUTE ? VM_EXECUTE : 0u);
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(PAGE_SIZE - 1);
}

/* A PT_LOAD header becomes a segment of the plan. */
static int add_segment(const struct elf_program_header *p, struct elf_plan *plan)
{
	if (p->memory_size == 0)
		return p->file_size == 0 ? 0 : ENOEXEC;
	if (p->file_size > p->memory_size || p->address >= USER_MAX || p->memory_size > USER_MAX - p->address)
		return ENOEXEC;
	if (p->offset > INT64_MAX - p->file_size)
		return ENOEXEC;
	if ((p->alignment & (p->alignment - 1)) != 0 || ((p->address ^ p->offset) & (PAGE_SIZE - 1)) != 0)
		return ENOEXEC;
	if (plan->segment_count == ELF_SEGMENTS_MAX)
		return ENOEXEC;

	uint64_t start = page_down(p->address);
	uint64_t end = page_down(p->address + p->memory_size + PAGE_SIZE - 1);
	if (plan->segment_count == 0)
		plan->low = start;
	else if (start < plan->high)
		return ENOEXEC; /* not ascending, or two segments on one page */
	plan->high = end;
	if (p->file_size > 0 && p->offset + p->file_size > plan->file_end)
		plan->file_end = p->offset + p->file_size;
	plan->segment[plan->segment_count++] = (struct elf_segment){
	        .address = p->address,
	        .memory_size = p->memory_size,
	        .offset = p->offset,
	        .file_size = p->file_size,
	        .protection = protection_of(p->flags),
	};
	return 0;
}

/* PT_INTERP: a NUL-terminated path and nothing behind it. The first one counts. */
static int add_interpreter(const struct elf_source *source, const struct elf_program_header *p, struct elf_plan *plan)
{
	if (plan->interpreter[0] != '\0')
		return 0;
	if (p->file_size < 2 || p->file_size > sizeof(plan->interpreter) || p->offset > source->size ||
	    p->file_size > source->size - p->offset)
		return ENOEXEC;
	int error = source->read(source, p->offset, plan->interpreter, p->file_size);
	if (error)
		return error;
	if (memchr(plan->interpreter, '\0', p->file_size) != plan->interpreter + p->file_size - 1)
		return ENOEXEC;
	return 0;
}

static int add_program_header(const struct elf_source *source, const struct elf_program_header *p,
                              struct elf_plan *plan)
{
	switch (p->type) {
	case ELF_LOAD:
		return add_segment(p, plan);
	case ELF_INTERPRETER:
		return add_interpreter(source, p, plan);
	case ELF_GNU_STACK:
		plan->executable_stack = (p->flags & ELF_EXECUTE) != 0;
		return 0;
	default:
		return 0;
	}
}

/* Where the program headers are in memory: in the segment whose file part holds them all. */
static uint64_t mapped_headers(const struct elf_plan *plan, uint64_t offset, uint64_t bytes)
{
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct elf_segment *s = &plan->segment[i];
		if (offset >= s->offset && bytes <= s->file_size && offset - s->offset <= s->file_size - bytes)
			return s->address + (offset - s->offset);
	}
	return 0;
}

int elf_plan(const struct elf_source *source, struct elf_plan *plan)
{
	struct elf_header header;
	int error = read_header(source, &header);
	if (error)
		return error;

	memset(plan, 0, sizeof(*plan));
	plan->relocatable = header.type == ELF_TYPE_SHARED;
	plan->entry = header.entry;
	plan->header_count = header.program_header_count;
	for (uint32_t i = 0; i < header.program_header_count; i++) {
		struct elf_program_header p;
		error = source->read(source, header.program_headers + i * sizeof(p), &p, sizeof(p));
		if (!error)
			error = add_program_header(source, &p, plan);
		if (error)
			return error;
	}
	if (plan->segment_count == 0 || plan->entry >= USER_MAX)
		return ENOEXEC;
	if (!plan->relocatable && plan->low < USER_MIN)
		return ENOEXEC;
	plan->headers = mapped_headers(plan, header.program_headers,
	                               header.program_header_count * sizeof(struct elf_program_header));
	return 0;
}
