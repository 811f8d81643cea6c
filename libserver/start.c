/*
 * A server's first C function, and the facts about itself that it keeps outside of the keep because they are the same
 * in every incarnation.
 */
#include "internal.h"
#include <portico/server_migration.h>

char server_name[17];
uint64_t server_start_flags;

/* Of the program: server.ld. */
extern const struct server_migration server_migrations[], server_migrations_end[];
extern const server_check server_checks[], server_checks_end[];

/* A migrator: what it did is in the keep, what became of it is its exit status. */
static _Noreturn void migrate(void)
{
	enum migration_status status =
	        migration_run((const void *)SERVER_OLD_KEEP, server_migrations, (size_t)(server_migrations_end - server_migrations),
	                      server_checks, (size_t)(server_checks_end - server_checks));

	for (;;)
		trap4(TRAP_thread_exit, 0, 0, 0, status);
}

void server_start(struct portico_block *block, uint64_t name_low, uint64_t name_high, uint64_t flags);

void server_start(struct portico_block *block, uint64_t name_low, uint64_t name_high, uint64_t flags)
{
	server_start_flags = flags;
	memcpy(server_name, &name_low, sizeof(name_low));
	memcpy(server_name + 8, &name_high, sizeof(name_high));
	if (server_name[0] == 0) /* the first task: the kernel gives it no name */
		memcpy(server_name, "portico", sizeof("portico"));
	if (block != server_block())
		server_panic("endpoint is not at SERVER_ENDPOINT");
	if ((flags & SERVER_START_MIGRATE) != 0)
		migrate();
	rights_start();
	int status = server_main();
	server_panic("server_main returned %d", status);
}
