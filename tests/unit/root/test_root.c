/*
 * root's pure parts: options, ELF images, the boot plan.
 */
#include <criterion/criterion.h>
#include <elf.h>
#include <root.h>
#include <string.h>

static char value[16];

static int option(const char *line, const char *name)
{
	return option_find(line, name, value, sizeof(value));
}

Test(options, found_or_not)
{
	cr_assert_eq(option("init=/bin/sh quiet", "init"), 0);
	cr_assert_str_eq(value, "/bin/sh");
	cr_assert_eq(option("init=/bin/sh quiet", "quiet"), 0);
	cr_assert_str_eq(value, "");
	cr_assert_eq(option("init=/bin/sh quiet", "qui"), ENOENT);
	cr_assert_eq(option("init=/bin/sh quiet", "init=/bin/sh"), 0);
	cr_assert_eq(option("", "x"), ENOENT);
	cr_assert_eq(option("  ", "x"), ENOENT);
	cr_assert_eq(option("a b", ""), ENOENT);
}

Test(options, the_last_one_counts)
{
	cr_assert_eq(option("a=1 a=2  a=3", "a"), 0);
	cr_assert_str_eq(value, "3");
}

Test(options, values_have_a_limit)
{
	cr_assert_eq(option("a=123456789012345", "a"), 0);
	cr_assert_eq(option("a=1234567890123456", "a"), ERANGE);
}

Test(options, empty_value)
{
	cr_assert_eq(option("a= b", "a"), 0);
	cr_assert_str_eq(value, "");
}

/* ---- images ---- */

static uint8_t file[3 * 4096];
static struct image image;
#define header ((Elf64_Ehdr *)file)
#define program ((Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)))

static void good(void)
{
	memset(file, 0, sizeof(file));
	memcpy(header->e_ident, "\177ELF\2\1\1", 7);
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_entry = 0x400100;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(Elf64_Phdr);
	header->e_phnum = 2;
	program[0] = (Elf64_Phdr){.p_type = PT_LOAD,
	                          .p_flags = PF_R | PF_X,
	                          .p_offset = 0,
	                          .p_vaddr = 0x400000,
	                          .p_filesz = 0x1000,
	                          .p_memsz = 0x1000};
	program[1] = (Elf64_Phdr){.p_type = PT_LOAD,
	                          .p_flags = PF_R | PF_W,
	                          .p_offset = 0x1010,
	                          .p_vaddr = 0x401010,
	                          .p_filesz = 0x100,
	                          .p_memsz = 0x5000};
}

static const char *parse(void)
{
	return image_parse(file, 4096, sizeof(file), &image);
}

TestSuite(image, .init = good);

Test(image, a_good_one)
{
	cr_assert_null(parse());
	cr_assert_eq(image.entry, 0x400100);
	cr_assert_eq(image.count, 2);
	cr_assert(image.segment[0].execute && !image.segment[0].write);
	cr_assert_eq(image.segment[1].memory_size, 0x5000);
}

Test(image, every_short_file_is_refused)
{
	for (size_t length = 0; length < sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr); length++)
		cr_assert_not_null(image_parse(file, length, length, &image));
}

#define refused(change)                                                                                                \
	do {                                                                                                           \
		good();                                                                                                \
		change;                                                                                                \
		cr_expect_not_null(parse(), #change);                                                                  \
	} while (0)

Test(image, bad_ones)
{
	refused(file[0] = 0);
	refused(file[4] = 1);
	refused(header->e_machine = 3);
	refused(header->e_type = ET_DYN);
	refused(header->e_phentsize = 55);
	refused(header->e_phnum = 65);
	refused(header->e_phoff = 4096);
	refused(header->e_phoff = UINT64_MAX);
	refused(header->e_entry = 0x401020);
	refused(header->e_entry = 0x500000);
	refused(program[0].p_flags = PF_R | PF_W | PF_X);
	refused(program[0].p_offset = 8);
	refused(program[0].p_filesz = 0x2000);
	refused(program[1].p_offset = 0x100010; program[1].p_vaddr = 0x500010);
	refused(program[1].p_filesz = UINT64_MAX - 0x100);
	refused(program[1].p_memsz = UINT64_MAX - 0x100);
	refused(program[1].p_vaddr = 0x400010);
	refused(program[1].p_vaddr = 0x0010);
	refused(program[1].p_vaddr = 0xffffffff80000010);
	refused(program[1].p_type = PT_INTERP);
	refused(program[1].p_type = PT_DYNAMIC);
}

/* ---- the plan ---- */

static int number_of(const char *name)
{
	for (unsigned i = 0; i < root_plan_count; i++)
		if (strcmp(root_plan[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Mintable rights go upwards: vfs makes referrals, but calls nobody above. proc passes on what processes get. */
static bool passed_on(const struct root_plan *plan, const struct root_grant *grant)
{
	return (grant->flags & RIGHT_MINT) != 0 || (strcmp(plan->name, "proc") == 0 && grant->badge == 0);
}

Test(plan, calls_go_down_only)
{
	for (unsigned i = 0; i < root_plan_count; i++) {
		for (const struct root_grant *g = root_plan[i].grant;
		     g < root_plan[i].grant + ROOT_GRANTS && g->name != NULL; g++) {
			int server = number_of(g->server);

			if (strcmp(g->server, "root") == 0) /* /dev/supervisor: for referrals */
				continue;
			cr_assert_geq(server, 0, "%s: nobody is %s", root_plan[i].name, g->server);
			cr_assert(server < (int)i || passed_on(&root_plan[i], g), "%s may call %s", root_plan[i].name,
			          g->name);
		}
	}
}

Test(plan, only_drivers_have_devices)
{
	for (unsigned i = 0; i < root_plan_count; i++)
		if (strcmp(root_plan[i].name, "serial") != 0)
			cr_assert(root_plan[i].ports[0].count == 0 && root_plan[i].line[0] == 0);
}

Test(plan, server_badges_are_unique_at_each_server)
{
	for (unsigned i = 0; i < root_plan_count; i++) {
		for (const struct root_grant *g = root_plan[i].grant;
		     g < root_plan[i].grant + ROOT_GRANTS && g->name != NULL; g++) {
			if (g->badge < BADGE_CONTROL)
				continue;
			for (unsigned k = i + 1; k < root_plan_count; k++)
				for (unsigned n = 0; n < ROOT_GRANTS && root_plan[k].grant[n].name != NULL; n++)
					cr_assert(strcmp(root_plan[k].grant[n].server, g->server) != 0 ||
					          root_plan[k].grant[n].badge != g->badge);
		}
	}
}
