/*
 * Migrations: how a server's program takes over the keep of an older (or newer) one with another layout. docs/guide/update.md has an example.
 *
 * A migration runs between two requests, on a copy of the keep that is thrown away unless all goes well: it may fault, loop or give up. It may use
 * the keep_* functions, server_log, and what is here; it has no rights, and nothing but the keep is mapped. The copy lies where the keep
 * lies, so pointers in it are valid. It is changed in place; what it was before can be read at migration_old().
 */
#ifndef PORTICO_SERVER_MIGRATION_H
#define PORTICO_SERVER_MIGRATION_H

#include <portico/migration.h>
#include <portico/server.h>

/* 0, or an errno: then the update does not take place. `root` is the root structure as the old program left it. */
typedef int (*server_migrate)(void *root);
/* Are the invariants of the server's structures kept? NULL, or what is wrong. Changes nothing. `root` as server_keep_root() gives it. */
typedef const char *(*server_check)(const void *root);

struct server_migration {
	const char *from; /* LAYOUT_LENGTH digits */
	server_migrate migrate;
};

struct layout_note {
	uint32_t owner_size, size, type;
	char owner[16];
	char layout[LAYOUT_LENGTH];
};

/* At file level: `function` migrates from the layout with this fingerprint (a string literal: NAME_LAYOUT of the header that tools/layout wrote). */
#define SERVER_MIGRATION(fingerprint, function)                                                                        \
	static const struct layout_note migration_note_##function                                                      \
	        __attribute__((section(".note.portico.layout"), used, aligned(4))) = {                                 \
	                sizeof(LAYOUT_NOTE_OWNER), LAYOUT_LENGTH, LAYOUT_NOTE_FROM, LAYOUT_NOTE_OWNER, fingerprint};   \
	static const struct server_migration migration_entry_##function                                                \
	        __attribute__((section("server_migrations"), used)) = {fingerprint, function}

/* At file level, once a program: the check that is made after a migration. */
#define SERVER_CHECK(function)                                                                                         \
	static const server_check server_check_entry __attribute__((section("server_checks"), used)) = function

/* The same bytes as they were before the migration, to be read only. `now`: an address in the keep. */
const void *migration_old(const void *now);
/* Room for a root structure of `size` bytes, zeroed: where the old one is if it fits there, else a new block. NULL: no memory. */
void *migration_root(size_t size);
/*
 * Room for what becomes of an object (the start of a block), zeroed: in its place if the block is large enough, else in a new block; the old
 * one is freed at the end. NULL: no memory. Once an object.
 */
void *migration_place(void *object, size_t size);
/* Where an object is that migration_place() was called for; NULL: it was not. `old`: its address before. */
void *migration_placed(const void *old);
/* The same, but an object that was not placed is where it was. NULL stays NULL. */
void *migration_now(const void *old);

/* A field of the same kind in both: its bytes. */
#define MIGRATION_SAME(to, from, field)                                                                                \
	do {                                                                                                           \
		_Static_assert(sizeof((to)->field) == sizeof((from)->field), "of the same kind");                      \
		memcpy(&(to)->field, &(from)->field, sizeof((to)->field));                                             \
	} while (0)

/* ---- for start.c and tests ---- */

/*
 * The whole of it, on the keep's segment: checks, the migration of the table that fits, checks again. `old`: where the keep can be read as it
 * was. The fingerprint in the keep is the program's own when MIGRATION_DONE is returned.
 */
enum migration_status migration_run(const void *old, const struct server_migration *table, size_t count,
                                    const server_check *check, size_t checks);

#endif
