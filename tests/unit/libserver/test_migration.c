/*
 * Migrations, on the host. What root does with a copy-on-write copy, fork does here: the child is the migrator, the parent keeps the old keep.
 */
#include "../../../libserver/internal.h"
#include <criterion/criterion.h>
#include <host.h>
#include <portico/server_migration.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLD "1111111111111111111111111111111111111111111111111111111111111111" "1111111111111111"
#define ITEMS 200u

/* The old layout and the new one: an item is larger, and the root has its fields elsewhere. Two items share a note. */
struct note {
	uint32_t users;
};
struct old_item {
	struct old_item *next;
	struct note *note;
	uint32_t value;
};
struct old_root {
	struct old_item *first;
	uint32_t count;
};
struct new_note {
	uint64_t users, added;
};
struct item {
	uint64_t added;
	struct item *next;
	struct new_note *note;
	uint64_t value, more[3];
};
struct root {
	uint64_t added;
	uint64_t count;
	struct item *first;
};

static size_t root_size = sizeof(struct root);
static int fail_at = -1; /* the n-th object ... */
static enum { ERROR, FAULT, EXIT } fail_how;
static char *old_copy;

static void build(void)
{
	host_reset();
	struct old_root *root = server_keep_root(sizeof(*root));

	for (uint32_t i = 0; i < ITEMS; i++) {
		struct old_item *item = keep_allocate(sizeof(*item));

		item->next = root->first;
		item->value = i;
		item->note = i % 2 == 1 ? root->first->note : keep_allocate(sizeof(struct note));
		item->note->users++;
		root->first = item;
		root->count++;
		keep_free(keep_allocate(i * 3)); /* holes */
	}
	keep_set_layout(OLD);
	fail_at = -1;
	root_size = sizeof(struct root);
}

TestSuite(migration, .init = build);

static int step(void)
{
	if (fail_at < 0 || fail_at-- > 0)
		return 0;
	if (fail_how == FAULT)
		raise(SIGSEGV);
	if (fail_how == EXIT)
		_exit(77);
	return EIO;
}

static struct new_note *move_note(struct note *note)
{
	struct new_note *now = migration_placed(note);

	if (now != NULL)
		return now;
	now = migration_place(note, sizeof(*now));
	if (now != NULL)
		now->users = ((const struct note *)migration_old(note))->users;
	return now;
}

static int migrate(void *was)
{
	const struct old_root *from = migration_old(was);
	struct root *to = migration_root(root_size);

	if (to == NULL)
		return ENOMEM;
	to->count = from->count;
	struct item **link = &to->first;
	for (struct old_item *at = from->first, *next; at != NULL; at = next) {
		const struct old_item *item = migration_old(at);
		struct item *now = migration_place(at, sizeof(*now));
		int error = step();

		if (now == NULL)
			return ENOMEM;
		if (error != 0)
			return error;
		next = item->next;
		now->value = item->value;
		now->note = move_note(item->note);
		if (now->note == NULL)
			return ENOMEM;
		*link = now;
		link = &now->next;
	}
	return 0;
}

static int damage(void *was)
{
	struct old_root *root = was;

	((uint32_t *)root->first)[-3] = 7; /* neither live nor free */
	return 0;
}

static const char *good(const void *p)
{
	const struct root *root = p;
	uint32_t count = 0;

	for (const struct item *i = root->first; i != NULL; i = i->next, count++) {
		if (i->value != ITEMS - 1 - count || i->added != 0 || i->more[2] != 0)
			return "an item is not what it was";
		if (i->note->users != 2 || (count % 2 == 1 && root->first == NULL))
			return "a note is not what it was";
		if (count % 2 == 0 && i->next->note != i->note)
			return "two items do not share their note any more";
	}
	return count == ITEMS && root->count == ITEMS && root->added == 0 ? NULL : "items are missing";
}

static const char *never(const void *root)
{
	(void)root;
	return "never";
}

static const struct server_migration table[] = {{"2222222222222222222222222222222222222222222222222222222222222222" "2222222222222222", damage},
                                                {OLD, migrate}};
static const server_check checks[] = {good};

static size_t keep_size(void)
{
	return 1u << 20;
}

/* As root does it: the keep as it was is to be read elsewhere. */
static enum migration_status run(const struct server_migration *from, size_t count, const server_check *check)
{
	old_copy = malloc(keep_size());
	memcpy(old_copy, keep_segment(), keep_size());
	return migration_run(old_copy, from, count, check, check != NULL);
}

/* Wait status of a migrator, whatever becomes of it; and the old keep must be what it was. */
static int migrator(const struct server_migration *from, size_t count, const server_check *check)
{
	char *before = malloc(keep_size());
	int status = 0;

	memcpy(before, keep_segment(), keep_size());
	pid_t pid = fork();
	if (pid == 0) {
		enum migration_status end = run(from, count, check);
		bool own = keep_layout() != NULL && memcmp(keep_layout(), server_layout, LAYOUT_LENGTH) == 0;

		_exit(end == MIGRATION_DONE && own ? 0 : own ? 99 : (int)end);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(memcmp(before, keep_segment(), keep_size()), 0, "the old keep was touched");
	free(before);
	return status;
}

static void ends_with(int expected, int status)
{
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status %x, not %d", status, expected);
}

Test(migration, converts_what_it_finds)
{
	cr_assert_eq(run(table, 2, checks), MIGRATION_DONE);
	cr_assert_null(keep_check());
	cr_assert_null(good(server_keep_root(sizeof(struct root))), "a new incarnation finds it");
	size_t used = keep_used();
	struct root *root = keep_root();
	for (struct item *i = root->first, *next; i != NULL; i = next) {
		next = i->next;
		if (--i->note->users == 0)
			keep_free(i->note);
		keep_free(i);
	}
	cr_assert_eq(keep_used(), 0, "of %zu bytes all belong to somebody", used);
}

Test(migration, root_that_does_not_fit_moves)
{
	root_size = 100000;
	cr_assert_eq(run(table, 2, checks), MIGRATION_DONE);
	struct root *moved = server_keep_root(100000);
	cr_assert_null(good(moved));
	cr_assert_null(keep_check());
	size_t used = keep_used();
	cr_assert_eq(keep_place_root(100), moved, "it has room now");
	void *again = keep_place_root(1000000);
	cr_assert_neq(again, moved);
	cr_assert_lt(keep_used(), used + 1300000, "and its old block is free");
	cr_assert_null(keep_check());
}

Test(migration, unknown_layout)
{
	ends_with(MIGRATION_UNKNOWN, migrator(table, 1, NULL));
	ends_with(MIGRATION_UNKNOWN, migrator(NULL, 0, NULL));
}

Test(migration, no_keep)
{
	host_reset();
	ends_with(MIGRATION_UNKNOWN, migrator(table, 2, NULL));
}

Test(migration, check_refuses)
{
	static const server_check refuses[] = {never};

	ends_with(MIGRATION_CHECK, migrator(table, 2, refuses));
	ends_with(0, migrator(table, 2, checks));
}

Test(migration, damaged_heap)
{
	static const struct server_migration damages[] = {{OLD, damage}};

	ends_with(MIGRATION_DAMAGED_AFTER, migrator(damages, 1, NULL));
	damage(keep_root());
	ends_with(MIGRATION_DAMAGED, migrator(table, 2, checks));
}

Test(migration, failure_at_every_object_leaves_the_old_keep)
{
	for (int n = 0; n <= (int)ITEMS; n++) {
		static const int statuses[] = {[ERROR] = MIGRATION_FAILED, [EXIT] = 77};
		int how = n % 3;

		fail_at = n;
		fail_how = how;
		int status = migrator(table, 2, checks);
		if (n == (int)ITEMS)
			ends_with(0, status);
		else if (how == FAULT)
			cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0, "status %x", status);
		else
			ends_with(statuses[how], status);
	}
}

Test(migration, no_memory_at_any_step)
{
	unsigned refused = 0;
	size_t limit;

	for (limit = 65536; limit < keep_size(); limit += 65536) {
		host_limit_keep(limit);
		int status = migrator(table, 2, checks);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			break;
		ends_with(MIGRATION_FAILED, status);
		refused++;
	}
	cr_assert_geq(refused, 1, "it needs no memory?");
	cr_assert_lt(limit, keep_size());
}

Test(migration, an_object_is_placed_once, .signal = SIGABRT)
{
	void *p = keep_allocate(40);

	old_copy = keep_segment();
	(void)migration_place(p, 40);
	(void)migration_place(p, 40);
}

Test(migration, pointers_follow)
{
	char *small = keep_allocate(16), *large = keep_allocate(16), *other = keep_allocate(16);

	memset(small, 1, 16);
	memset(large, 1, 16);
	void *in_place = migration_place(small, 16), *moved = migration_place(large, 5000);

	cr_assert_eq(in_place, small);
	cr_assert_neq(moved, large);
	cr_assert_eq(small[0] | small[15], 0, "what becomes of an object begins as zeroes, where it was, too");
	cr_assert_eq(large[0] & large[15], 1, "an old block is not touched");
	cr_assert_eq(migration_now(small), small);
	cr_assert_eq(migration_now(large), moved);
	cr_assert_eq(migration_now(other), other);
	cr_assert_null(migration_now(NULL));
	cr_assert_null(migration_placed(other));
}

/* ---- the heap's own check ---- */

Test(migration, check_finds_damage)
{
	char *block = keep_allocate(100), *unused = keep_allocate(300);

	keep_free(unused);
	cr_assert_null(keep_check());
	uint32_t *class = (uint32_t *)(block - 16), *state = class + 1;
	uint32_t was = *class;
	*class = 500;
	cr_assert_not_null(keep_check());
	*class = was + 1;
	cr_assert_not_null(keep_check());
	*class = was;
	*state = 0;
	cr_assert_not_null(keep_check());
	keep_set_layout(server_layout);
	*state = 0x80000000u; /* free, and on no list */
	cr_assert_not_null(keep_check());
	*state = 0x6c697665u;
	cr_assert_null(keep_check());
	void **next = (void **)(unused - 8), *end = *next;
	*next = unused - 16; /* a circle */
	cr_assert_not_null(keep_check());
	*next = end;
	cr_assert_null(keep_check());
}

Test(migration, a_keep_of_another_layout_is_refused, .signal = SIGABRT)
{
	server_keep_root(sizeof(struct old_root));
}
