/*
 * A server's first C function, and the facts about itself that it keeps outside of the keep because they are the same
 * in every incarnation.
 */
#include "internal.h"

char server_name[17];
uint64_t server_start_flags;

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
	rights_start();
	int status = server_main();
	server_panic("server_main returned %d", status);
}
