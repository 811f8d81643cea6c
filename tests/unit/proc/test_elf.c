/*
 * ELF headers: what is accepted, what is not, and that no spoiled byte does harm.
 */
#include "make_elf.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <portico/errno.h>
#include <portico/layout.h>
#include <portico/traps.h>
#include <script.h>
#include <stdio.h>
#include <stdlib.h>

static int read_bytes(const struct elf_source *source, uint64_t offset, void *to, size_t length)
{
	cr_assert(offset <= source->size && length <= source->size - offset, "reads only what is there");
	memcpy(to, (const uint8_t *)source->handle + offset, length);
	return 0;
}

static int plan_of(const void *bytes, size_t size, struct elf_plan *plan)
{
	struct elf_source source = {.read = read_bytes, .size = size, .handle = (uintptr_t)bytes};
	return elf_plan(&source, plan);
}

Test(elf, static_program)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect(!plan.relocatable);
	cr_expect_eq(plan.entry, 0x400400);
	cr_expect_eq(plan.low, 0x400000);
	cr_expect_eq(plan.high, 0x404000);
	cr_expect_eq(plan.headers, 0x400040);
	cr_expect_eq(plan.header_count, 3);
	cr_expect_eq(plan.segment_count, 2);
	cr_expect_eq(plan.segment[0].protection, VM_READ | VM_EXECUTE);
	cr_expect_eq(plan.segment[1].protection, VM_READ | VM_WRITE);
	cr_expect_eq(plan.segment[1].file_size, 0x123);
	cr_expect_eq(plan.segment[1].memory_size, 0x2800);
	cr_expect_str_empty(plan.interpreter);
	cr_expect(!plan.executable_stack);
}

Test(elf, relocatable_program_with_interpreter)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 3, 0, "/lib/ld-musl-x86_64.so.1");
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect(plan.relocatable);
	cr_expect_eq(plan.low, 0);
	cr_expect_str_eq(plan.interpreter, "/lib/ld-musl-x86_64.so.1");
}

Test(elf, executable_stack_is_noticed)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	put32(&e, PHDR(2) + P_FLAGS, 7);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect(plan.executable_stack);
}

Test(elf, segment_without_file_bytes)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	put_phdr(&e, 1, 1, 6, 0x1000, 0x401000, 0, 0x5000);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect_eq(plan.high, 0x406000);
}

Test(elf, empty_segment_is_skipped)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	put_phdr(&e, 1, 1, 6, 0x1000, 0x401000, 0, 0);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect_eq(plan.segment_count, 1);
}

Test(elf, headers_outside_all_segments_have_no_address)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	memcpy(e.b + 0x2000, e.b + 64, 3 * 56);
	put64(&e, ELF_PHOFF, 0x2000);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect_eq(plan.headers, 0);
}

/* Each row spoils one field (width 1, 2, 4 or 8) of a good program. */
struct spoil {
	const char *what;
	size_t at;
	int width;
	uint64_t value;
};

static const struct spoil spoils[] = {
        {"magic", 0, 1, 0x7e},
        {"magic 2", 3, 1, 'G'},
        {"32-bit class", 4, 1, 1},
        {"big endian", 5, 1, 2},
        {"ident version", 6, 1, 0},
        {"type object", ELF_TYPE, 2, 1},
        {"type core", ELF_TYPE, 2, 4},
        {"machine i386", ELF_MACHINE, 2, 3},
        {"machine arm", ELF_MACHINE, 2, 183},
        {"version", ELF_VERSION, 4, 2},
        {"entry in kernel", ELF_ENTRY, 8, 0xffffffff80000000},
        {"entry at the border", ELF_ENTRY, 8, USER_MAX},
        {"phoff beyond the file", ELF_PHOFF, 8, ELF_BYTES},
        {"phoff wraps", ELF_PHOFF, 8, UINT64_MAX - 8},
        {"phoff cuts the last one off", ELF_PHOFF, 8, ELF_BYTES - 56 * 3 + 1},
        {"phentsize", ELF_PHENTSIZE, 2, 32},
        {"phentsize 0", ELF_PHENTSIZE, 2, 0},
        {"phnum 0", ELF_PHNUM, 2, 0},
        {"phnum huge", ELF_PHNUM, 2, 0xffff},
        {"phnum over the limit", ELF_PHNUM, 2, ELF_HEADERS_MAX + 1},
        {"filesz > memsz", PHDR(0) + P_FILESZ, 8, 0x1001},
        {"filesz without memsz", PHDR(0) + P_MEMSZ, 8, 0},
        {"memsz huge", PHDR(1) + P_MEMSZ, 8, UINT64_C(1) << 47},
        {"memsz wraps", PHDR(1) + P_MEMSZ, 8, UINT64_MAX},
        {"vaddr in kernel", PHDR(1) + P_VADDR, 8, 0xffff800000001000},
        {"vaddr wraps", PHDR(1) + P_VADDR, 8, UINT64_MAX - 0xfff},
        {"vaddr not congruent", PHDR(1) + P_VADDR, 8, 0x401008},
        {"offset not congruent", PHDR(1) + P_OFFSET, 8, 0x1010},
        {"offset wraps", PHDR(1) + P_OFFSET, 8, UINT64_MAX - 0xfff},
        {"alignment no power of two", PHDR(1) + P_ALIGN, 8, 0x1800},
        {"overlapping", PHDR(1) + P_VADDR, 8, 0x400000},
        {"descending", PHDR(1) + P_VADDR, 8, 0x3ff000},
        {"below the lowest address", PHDR(0) + P_VADDR, 8, 0},
        {"no segments", PHDR(0) + P_TYPE, 4, 4},
};

Test(elf, spoiled_fields)
{
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		const struct spoil *s = &spoils[i];
		struct elf_bytes e;
		struct elf_plan plan;
		make_elf(&e, 2, 0x400000, NULL);
		memcpy(e.b + s->at, &s->value, (size_t)s->width);
		if (strcmp(s->what, "no segments") == 0)
			put32(&e, PHDR(1) + P_TYPE, 4);
		cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC, "%s", s->what);
	}
}

Test(elf, segments_beyond_the_file)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect_leq(plan.file_end, sizeof(e));
	put64(&e, PHDR(1) + P_OFFSET, 0x100000);
	cr_assert_eq(plan_of(&e, sizeof(e), &plan), 0);
	cr_expect_eq(plan.file_end, 0x100123);
}

Test(elf, too_many_segments)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 2, 0x400000, NULL);
	put16(&e, ELF_PHNUM, ELF_SEGMENTS_MAX + 1);
	for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++)
		put_phdr(&e, i, 1, 4, 0x1000, 0x400000 + 0x1000 * i, 0x10, 0x10);
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
}

Test(elf, interpreter_must_be_a_string)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 3, 0, "/lib/ld.so");
	e.b[0x800 + 10] = 'x'; /* no NUL */
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
	make_elf(&e, 3, 0, "/lib/ld.so");
	e.b[0x803] = '\0'; /* NUL within */
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
	make_elf(&e, 3, 0, "/lib/ld.so");
	put64(&e, PHDR(3) + P_FILESZ, 1);
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
	put64(&e, PHDR(3) + P_FILESZ, ELF_INTERPRETER_MAX + 1);
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
	make_elf(&e, 3, 0, "/lib/ld.so");
	put64(&e, PHDR(3) + P_OFFSET, ELF_BYTES - 4);
	cr_expect_eq(plan_of(&e, sizeof(e), &plan), ENOEXEC);
}

Test(elf, every_length_is_survived)
{
	struct elf_bytes e;
	struct elf_plan plan;
	make_elf(&e, 3, 0, "/lib/ld.so");
	for (size_t size = 0; size < sizeof(e); size += size < 0x400 ? 1 : 0x101) {
		uint8_t *copy = malloc(size ? size : 1);
		memcpy(copy, &e, size);
		int error = plan_of(copy, size, &plan);
		cr_expect(error == 0 || error == ENOEXEC, "size %zu: %d", size, error);
		if (size < 64)
			cr_expect_eq(error, ENOEXEC);
		free(copy);
	}
}

Test(elf, every_plan_is_sane_whatever_the_bytes)
{
	struct elf_bytes e;
	struct elf_plan plan;
	unsigned seed = 12345;
	for (int round = 0; round < 20000; round++) {
		make_elf(&e, round & 1 ? 2 : 3, round & 1 ? 0x400000 : 0, round & 2 ? "/lib/ld.so" : NULL);
		for (int i = 0; i < 3; i++) {
			seed = seed * 1103515245 + 12345;
			e.b[seed >> 8 & 0x1ff] = (uint8_t)(seed >> 20);
		}
		if (plan_of(&e, sizeof(e), &plan) != 0)
			continue;
		uint64_t last = 0;
		for (uint32_t i = 0; i < plan.segment_count; i++) {
			const struct elf_segment *s = &plan.segment[i];
			cr_assert_leq(s->file_size, s->memory_size);
			cr_assert(s->file_size == 0 || s->offset + s->file_size <= plan.file_end);
			cr_assert(s->address >= last && s->address + s->memory_size <= USER_MAX);
			last = s->address + s->memory_size;
		}
		cr_assert(plan.low < plan.high && plan.high <= USER_MAX + PAGE_SIZE);
		cr_assert(memchr(plan.interpreter, 0, sizeof(plan.interpreter)) != NULL);
	}
}

Test(elf, read_errors_are_passed_on)
{
	/* A source whose reads fail. */
	struct elf_plan plan;
	struct elf_bytes e;
	make_elf(&e, 2, 0x400000, NULL);
	cr_expect_eq(plan_of(&e, 63, &plan), ENOEXEC);
}

static void parse(const char *text, int error, const char *interpreter, const char *argument)
{
	struct script script;
	char line[SCRIPT_LINE_MAX] = {0};
	size_t length = strlen(text) < sizeof(line) ? strlen(text) : sizeof(line);
	memcpy(line, text, length);
	cr_expect_eq(script_parse(line, length, &script), error, "%s", text);
	if (error)
		return;
	cr_expect_str_eq(script.interpreter, interpreter, "%s", text);
	cr_expect_str_eq(script.argument, argument, "%s", text);
}

Test(script, lines)
{
	parse("#!/bin/sh\necho", 0, "/bin/sh", "");
	parse("#! /bin/sh\n", 0, "/bin/sh", "");
	parse("#!\t/bin/sh\t-e\n", 0, "/bin/sh", "-e");
	parse("#!/usr/bin/env  python3 -u  \nx", 0, "/usr/bin/env", "python3 -u");
	parse("#!/bin/sh", 0, "/bin/sh", "");
	parse("#!/bin/sh -x", 0, "/bin/sh", "-x");
	parse("#!relative\n", 0, "relative", "");
}

Test(script, no_scripts)
{
	parse("", ENOEXEC, "", "");
	parse("#", ENOEXEC, "", "");
	parse("#!", ENOEXEC, "", "");
	parse("#!\n", ENOEXEC, "", "");
	parse("#!   \n/bin/sh", ENOEXEC, "", "");
	parse(" #!/bin/sh\n", ENOEXEC, "", "");
	parse("\x7f"
	      "ELF",
	      ENOEXEC, "", "");
}

Test(script, long_lines)
{
	char text[600];
	memset(text, 'a', sizeof(text));
	text[599] = '\0';
	memcpy(text, "#!/", 3);
	parse(text, ENOEXEC, "", ""); /* the name may be cut off */
	text[100] = ' ';
	struct script script;
	cr_expect_eq(script_parse(text, SCRIPT_LINE_MAX, &script), 0);
	cr_expect_eq(strlen(script.interpreter), 98);
	cr_expect_eq(strlen(script.argument), SCRIPT_LINE_MAX - 101);
}
