/*
 * Migration of a keep to this program's layout; see portico/server_migration.h. Above: start.c, in a migrator; the server's own migrations.
 * Below: keep.c. Instrumented, like all that changes the keep, although a migrator keeps no log: guest and host.
 *
 * The order: is this a keep from whose layout we can migrate, and is its heap in order; the migration; is the heap still in order, are
 * the server's invariants kept; and only then the new fingerprint, which root looks for.
 */
#include "transaction.h"
#include <portico/server_migration.h>

#define TABLE_FIRST 64u

/* Objects by the address that they had. Open addressing; a power of two. */
struct placed {
	uint64_t old;
	void *now;
};

/* Volatile: a migrator lives once. The table is a block of the keep and freed at the end. */
static struct {
	const char *old; /* where the keep can be read as it was */
	struct placed *table;
	size_t size, count;
} run;

const void *migration_old(const void *now)
{
	return run.old + ((const char *)now - (const char *)keep_segment());
}

/* ---- objects by old address ---- */

static struct placed *slot_of(struct placed *table, size_t size, uint64_t old)
{
	size_t at = (size_t)(old * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (size - 1);

	while (table[at].old != 0 && table[at].old != old)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static bool enlarge(void)
{
	size_t size = run.size == 0 ? TABLE_FIRST : run.size * 2;
	struct placed *table = keep_allocate(size * sizeof(*table));

	if (table == NULL)
		return false;
	for (size_t i = 0; i < run.size; i++)
		if (run.table[i].old != 0)
			*slot_of(table, size, run.table[i].old) = run.table[i];
	keep_free(run.table);
	run.table = table;
	run.size = size;
	return true;
}

static bool remember(const void *old, void *now)
{
	if (run.count * 2 >= run.size && !enlarge())
		return false;
	struct placed *slot = slot_of(run.table, run.size, (uint64_t)old);
	if (slot->old != 0)
		server_panic("migration: %p is placed twice", old);
	slot->old = (uint64_t)old;
	slot->now = now;
	run.count++;
	return true;
}

void *migration_placed(const void *old)
{
	return run.size != 0 ? slot_of(run.table, run.size, (uint64_t)old)->now : NULL;
}

void *migration_now(const void *old)
{
	void *now = old != NULL ? migration_placed(old) : NULL;

	return now != NULL ? now : (void *)(uintptr_t)old;
}

void *migration_place(void *object, size_t size)
{
	void *now = object;

	if (keep_room(object) >= size)
		memset(object, 0, size);
	else
		now = keep_allocate(size);
	return now != NULL && remember(object, now) ? now : NULL;
}

void *migration_root(size_t size)
{
	return keep_place_root(size);
}

/* Old blocks of what was moved. Not earlier: a new object at the address of an old one could not be told from it. */
static void finish(void)
{
	for (size_t i = 0; i < run.size; i++)
		if (run.table[i].old != 0 && run.table[i].now != (void *)run.table[i].old)
			keep_free((void *)run.table[i].old);
	keep_free(run.table);
	run.table = NULL;
	run.size = run.count = 0;
}

/* ---- the whole ---- */

static const struct server_migration *find(const struct server_migration *table, size_t count, const char *layout)
{
	for (size_t i = 0; layout != NULL && i < count; i++)
		if (memcmp(table[i].from, layout, LAYOUT_LENGTH) == 0)
			return &table[i];
	return NULL;
}

static enum migration_status refuse(enum migration_status status, const char *what)
{
	server_log("migration: %s", what);
	return status;
}

enum migration_status migration_run(const void *old, const struct server_migration *table, size_t count,
                                    const server_check *check, size_t checks)
{
	const struct server_migration *migration = find(table, count, keep_layout());
	const char *wrong;

	run.old = old;
	run.table = NULL;
	run.size = run.count = 0;
	if (migration == NULL)
		return refuse(MIGRATION_UNKNOWN, "from no layout that this program knows");
	wrong = keep_check();
	if (wrong != NULL)
		return refuse(MIGRATION_DAMAGED, wrong);
	int error = migration->migrate(keep_root());
	if (error != 0) {
		server_log("migration: error %d", error);
		return MIGRATION_FAILED;
	}
	finish();
	wrong = keep_check();
	if (wrong != NULL)
		return refuse(MIGRATION_DAMAGED_AFTER, wrong);
	for (size_t i = 0; i < checks; i++) {
		wrong = check[i](keep_root());
		if (wrong != NULL)
			return refuse(MIGRATION_CHECK, wrong);
	}
	keep_set_layout(server_layout);
	return MIGRATION_DONE;
}
