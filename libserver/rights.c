/*
 * Rights: making them, recognising our own, giving them back, and finding other services.
 */
#include "transaction.h"
#include <portico/info.h>
#include <root_client.h>

void server_release_right(port_name_t name)
{
	if (name != PORT_NULL)
		server_queue(TRAP_right_release, name, 0, 0, 0, 0, 0);
}

void server_release_region(uint64_t address, uint64_t size)
{
	if (size != 0)
		server_queue(TRAP_vm_unmap, TASK_SELF, address, size, 0, 0, 0);
}

port_name_t server_make_right(uint64_t badge, uint32_t flags)
{
	int64_t name = server_trap(TRAP_right_make, NAME_SERVICE, badge, flags, PORT_NULL, 0, 0);

	return name < 0 ? PORT_NULL : (port_name_t)name;
}

port_name_t server_notify_right(void)
{
	return server_make_right(0, RIGHT_NOTIFY);
}

static bool info(port_name_t name, struct right_info *result)
{
	return server_trap_results(TRAP_right_info, name, 0, result, sizeof(*result)) >= 0;
}

static uint64_t own_port; /* id of the service port: the same in every incarnation */

void rights_start(void)
{
	struct right_info right;

	if (info(NAME_SERVICE, &right))
		own_port = right.object_id;
}

bool server_own_badge(port_name_t name, uint64_t *badge)
{
	struct right_info right;

	if (name == PORT_NULL || !info(name, &right))
		return false;
	if (right.kind != RIGHT_SEND || right.object != KOBJ_PORT || right.object_id != own_port)
		return false;
	*badge = right.badge;
	return true;
}

bool server_notify(port_name_t name, uint64_t bits)
{
	server_queue(TRAP_port_notify, name, bits, 0, 0, 0, 0);
	return name != PORT_NULL;
}

port_name_t server_lookup(const char *name)
{
	port_name_t port = PORT_NULL;

	return root_lookup(NAME_ROOT_SERVER, name, &port) == 0 ? port : PORT_NULL;
}
