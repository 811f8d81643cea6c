/*
 * ELF headers of a server's image: decode, check everything, promise nothing that is not there. Pure: the host tests
 * it.
 */
#include "root.h"
#include <portico/layout.h>
#include <portico/strings.h>

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t size, program_size, program_count, section_size, section_count, names;
};

struct elf_program {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, align;
};

#define PT_LOAD 1u
#define PT_DYNAMIC 2u
#define PT_INTERP 3u
#define PT_NOTE 4u
#define PF_EXECUTE 1u
#define PF_WRITE 2u

static const char *check_segment(const struct image_segment *s, uint64_t file_size, uint64_t after)
{
	if (s->offset % PAGE_SIZE != s->address % PAGE_SIZE)
		return "a segment is not page congruent";
	if (s->offset > file_size || s->file_size > file_size - s->offset)
		return "a segment lies beyond the file";
	if (s->memory_size < s->file_size)
		return "a segment is larger in the file than in memory";
	if (s->address < USER_MIN || s->address >= SERVER_KEEP || s->memory_size > SERVER_KEEP - s->address)
		return "a segment lies outside of the image's range";
	if (s->address < after)
		return "segments overlap or do not ascend";
	if (s->write && s->execute)
		return "a segment is writable and executable";
	return NULL;
}

static const char *add_segment(const struct elf_program *p, uint64_t file_size, struct image *image)
{
	uint64_t after = 0;

	if (p->type == PT_DYNAMIC || p->type == PT_INTERP)
		return "not static";
	if (p->type == PT_NOTE && p->offset <= file_size && p->file_size <= file_size - p->offset) {
		image->note_offset = p->offset;
		image->note_size = p->file_size;
	}
	if (p->type != PT_LOAD || p->memory_size == 0)
		return NULL;
	if (image->count == IMAGE_SEGMENTS)
		return "too many segments";
	if (image->count > 0) {
		const struct image_segment *last = &image->segment[image->count - 1];
		after = (last->address + last->memory_size + PAGE_SIZE - 1) & -PAGE_SIZE;
	}
	struct image_segment *s = &image->segment[image->count];
	*s = (struct image_segment){
	        .address = p->address,
	        .memory_size = p->memory_size,
	        .offset = p->offset,
	        .file_size = p->file_size,
	        .write = (p->flags & PF_WRITE) != 0,
	        .execute = (p->flags & PF_EXECUTE) != 0,
	};
	image->count++;
	return check_segment(s, file_size, after);
}

const char *image_parse(const void *bytes, size_t length, uint64_t file_size, struct image *image)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	struct elf_header header;

	*image = (struct image){0};
	if (length < sizeof(header))
		return "too short for an ELF header";
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.ident, ident, sizeof(ident)) != 0 || header.machine != 62)
		return "not an ELF64 file for x86_64";
	if (header.type != 2)
		return "not a static executable";
	if (header.program_size != sizeof(struct elf_program) || header.program_count > 64)
		return "strange program headers";
	if (header.program_offset > length ||
	    header.program_count * sizeof(struct elf_program) > length - header.program_offset)
		return "program headers are not at the beginning";
	for (unsigned i = 0; i < header.program_count; i++) {
		struct elf_program program;

		memcpy(&program, (const char *)bytes + header.program_offset + i * sizeof(program), sizeof(program));
		const char *wrong = add_segment(&program, file_size, image);
		if (wrong != NULL)
			return wrong;
	}
	image->entry = header.entry;
	for (unsigned i = 0; i < image->count; i++) {
		const struct image_segment *s = &image->segment[i];

		if (s->execute && header.entry >= s->address && header.entry - s->address < s->file_size)
			return NULL;
	}
	return "the entry point is in no executable segment";
}

/* ---- notes ---- */

struct elf_note {
	uint32_t name_size, size, type;
};

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

const void *image_layout(const void *notes, size_t size, uint32_t type, unsigned n, size_t *length)
{
	static const char owner[] = "portico.layout";
	const uint8_t *at = notes;
	struct elf_note note;

	while (size >= sizeof(note)) {
		memcpy(&note, at, sizeof(note));
		at += sizeof(note);
		size -= sizeof(note);
		if (note.name_size > size || padded(note.name_size) > size || note.size > size - padded(note.name_size))
			return NULL;
		const uint8_t *description = at + padded(note.name_size);
		if (note.name_size == sizeof(owner) && memcmp(at, owner, sizeof(owner)) == 0 && note.type == type && n-- == 0) {
			*length = note.size;
			return description;
		}
		size_t whole = padded(note.name_size) + padded(note.size);
		if (whole > size)
			return NULL;
		at += whole;
		size -= whole;
	}
	return NULL;
}
