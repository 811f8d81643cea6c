/*
 * root's pure parts: options, ELF images, the boot plan.
 */
#include <criterion/criterion.h>
#include <elf.h>
#include <portico/migration.h>
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

Test(image, notes_are_found)
{
	program[1].p_type = PT_NOTE;
	cr_assert_null(parse());
	cr_assert_eq(image.note_offset, 0x1010);
	cr_assert_eq(image.note_size, 0x100);
	program[1].p_offset = sizeof(file);
	cr_assert_null(parse());
	cr_assert_eq(image.note_size, 0);
}

/* ---- layout notes ---- */

static const char *layout(const void *notes, size_t size)
{
	size_t length = 0;
	const char *found = image_layout(notes, size, 1, 0, &length);

	cr_assert(found == NULL || (found >= (const char *)notes && found + length <= (const char *)notes + size));
	return found;
}

Test(layout, found_behind_another_note)
{
	static const struct {
		uint32_t a_name, a_size, a_type;
		char a_owner[4], a[8];
		uint32_t name, size, type;
		char owner[16], value[8];
	} notes = {4, 5, 1, "GNU", "12345", 15, 8, 1, "portico.layout", "layout1"};

	cr_assert_str_eq(layout(&notes, sizeof(notes)), "layout1");
	for (size_t size = 0; size < sizeof(notes); size++)
		cr_assert_null(layout(&notes, size));
}

Test(layout, by_type_and_number)
{
	struct one {
		uint32_t name, size, type;
		char owner[16], value[4];
	};
	static const struct one notes[] = {{15, 4, 2, "portico.layout", "old"},
	                                   {15, 4, 1, "portico.layout", "own"},
	                                   {15, 4, 2, "portico.layout", "two"}};
	size_t length;

	cr_assert_str_eq(image_layout(notes, sizeof(notes), 1, 0, &length), "own");
	cr_assert_eq(length, 4);
	cr_assert_null(image_layout(notes, sizeof(notes), 1, 1, &length));
	cr_assert_str_eq(image_layout(notes, sizeof(notes), 2, 0, &length), "old");
	cr_assert_str_eq(image_layout(notes, sizeof(notes), 2, 1, &length), "two");
	cr_assert_null(image_layout(notes, sizeof(notes), 2, 2, &length));
	cr_assert_null(image_layout(notes, sizeof(notes), 3, 0, &length));
}

/* ---- migrators ---- */

static enum migration_end verdict(enum domain_end end, uint64_t status, bool hung, bool migrated)
{
	struct domain_info info = {.end = end, .status = status};

	return migration_verdict(&info, hung, migrated);
}

Test(migrator, only_the_right_status_with_the_right_keep_is_success)
{
	cr_assert_eq(verdict(DOMAIN_END_EXIT, MIGRATION_DONE, false, true), MIGRATION_END_DONE);
	cr_assert_eq(verdict(DOMAIN_END_EXIT, MIGRATION_DONE, false, false), MIGRATION_END_EXIT);
	cr_assert_eq(verdict(DOMAIN_END_EXIT, 0, false, true), MIGRATION_END_EXIT);
	cr_assert_eq(verdict(DOMAIN_END_NONE, MIGRATION_DONE, false, true), MIGRATION_END_EXIT);
	cr_assert_eq(verdict(DOMAIN_END_TERMINATED, MIGRATION_DONE, false, true), MIGRATION_END_KILLED);
	cr_assert_eq(verdict(DOMAIN_END_EXCEPTION, MIGRATION_DONE, false, true), MIGRATION_END_EXCEPTION);
	cr_assert_eq(verdict(DOMAIN_END_TERMINATED, 0, true, true), MIGRATION_END_HANG);
	cr_assert_eq(verdict(DOMAIN_END_EXIT, MIGRATION_DONE, true, true), MIGRATION_END_HANG);
}

Test(migrator, refusals_are_told_apart)
{
	static const uint8_t ends[] = {[MIGRATION_UNKNOWN] = MIGRATION_END_UNKNOWN,
	                               [MIGRATION_DAMAGED] = MIGRATION_END_DAMAGED,
	                               [MIGRATION_FAILED] = MIGRATION_END_REFUSED,
	                               [MIGRATION_DAMAGED_AFTER] = MIGRATION_END_CHECK,
	                               [MIGRATION_CHECK] = MIGRATION_END_CHECK};

	for (size_t i = 1; i < sizeof(ends); i++) {
		cr_assert_eq(verdict(DOMAIN_END_EXIT, i, false, false), ends[i]);
		cr_assert_gt(strlen(migration_end_text(ends[i])), 20);
	}
}

Test(layout, nonsense)
{
	uint32_t notes[16];

	memset(notes, 0xff, sizeof(notes));
	cr_assert_null(layout(notes, sizeof(notes)));
	notes[0] = 15;
	cr_assert_null(layout(notes, sizeof(notes)));
}

/* ---- the ladder ---- */

#define SECOND UINT64_C(1000000000)

static struct ladder ladder;
static uint64_t delay;

static void forget(void)
{
	ladder = (struct ladder){0};
}

static enum action fault(uint64_t commits, uint64_t now)
{
	return ladder_step(&ladder, &(struct ending){.own = true, .commits = commits, .now = now}, &delay);
}

static enum action killed(uint64_t commits, uint64_t now)
{
	return ladder_step(&ladder, &(struct ending){.commits = commits, .now = now}, &delay);
}

TestSuite(ladder, .init = forget);

Test(ladder, one_request_climbs)
{
	cr_assert_eq(fault(7, 100 * SECOND), ACTION_RESTART);
	cr_assert_eq(fault(7, 120 * SECOND), ACTION_GIVE_UP);
	cr_assert_eq(fault(7, 140 * SECOND), ACTION_COLD);
	cr_assert_eq(delay, 0);
	cr_assert_eq(fault(7, 160 * SECOND), ACTION_REBOOT);
}

Test(ladder, different_requests_do_not)
{
	for (uint64_t i = 1; i < 50; i++) {
		cr_assert_eq(fault(i, i * 20 * SECOND), ACTION_RESTART);
		cr_assert_eq(delay, 0);
	}
}

Test(ladder, kills_from_outside_do_not_count)
{
	for (uint64_t i = 1; i < 50; i++) {
		cr_assert_eq(killed(7, SECOND + i), ACTION_RESTART);
		cr_assert_eq(delay, 0);
	}
	cr_assert_eq(fault(7, 2 * SECOND), ACTION_RESTART);
	cr_assert_eq(killed(7, 2 * SECOND), ACTION_RESTART);
	cr_assert_eq(fault(7, 3 * SECOND), ACTION_GIVE_UP);
}

Test(ladder, giving_up_survives_a_kill)
{
	fault(7, SECOND);
	cr_assert_eq(fault(7, 2 * SECOND), ACTION_GIVE_UP);
	cr_assert_eq(killed(7, 3 * SECOND), ACTION_GIVE_UP);
	cr_assert_eq(killed(8, 4 * SECOND), ACTION_RESTART);
}

Test(ladder, many_faults_are_slowed_down)
{
	uint64_t last = 0;

	for (uint64_t i = 1; i <= 8; i++) {
		cr_assert_eq(fault(i, 100 * SECOND + i), ACTION_RESTART);
		cr_assert(i <= 3 ? delay == 0 : delay > last);
		last = delay;
	}
	fault(9, 200 * SECOND);
	cr_assert_eq(delay, 0);
}

Test(ladder, cold_starts_have_an_end)
{
	unsigned cold = 0;
	enum action action = ACTION_RESTART;

	for (uint64_t i = 0; i < 30 && action != ACTION_REBOOT; i++) {
		action = fault(1 + i / 3, 100 * SECOND + i);
		cold += action == ACTION_COLD;
	}
	cr_assert_eq(action, ACTION_REBOOT);
	cr_assert_eq(cold, 3);
}

static enum action chain(uint64_t commits, uint64_t now)
{
	return ladder_step(&ladder, &(struct ending){.own = true, .chained = true, .commits = commits, .now = now}, &delay);
}

Test(ladder, work_that_is_never_over_climbs_although_it_commits)
{
	cr_assert_eq(chain(1000, 100 * SECOND), ACTION_RESTART);
	cr_assert_eq(chain(2000, 110 * SECOND), ACTION_GIVE_UP);
	cr_assert_eq(killed(2000, 111 * SECOND), ACTION_GIVE_UP);
	cr_assert_eq(chain(3000, 120 * SECOND), ACTION_COLD);
}

Test(ladder, work_that_takes_long_now_and_then_does_not_climb)
{
	for (uint64_t i = 1; i < 20; i++)
		cr_assert_eq(chain(i * 1000, i * 70 * SECOND), ACTION_RESTART);
}

Test(ladder, a_fault_is_not_blamed_on_work_that_was_never_over)
{
	cr_assert_eq(chain(1000, 100 * SECOND), ACTION_RESTART);
	cr_assert_eq(fault(1500, 110 * SECOND), ACTION_RESTART);
	cr_assert_eq(chain(2000, 120 * SECOND), ACTION_RESTART);
}

Test(ladder, what_never_began_begins_again)
{
	struct ending ending = {.unborn = true, .now = SECOND};

	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(ladder_step(&ladder, &ending, &delay), ACTION_COLD);
	ending.own = true;
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(ladder_step(&ladder, &ending, &delay), ACTION_COLD);
	cr_assert_eq(ladder_step(&ladder, &ending, &delay), ACTION_REBOOT);
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
