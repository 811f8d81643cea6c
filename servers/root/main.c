/*
 * root's start: its own service port and keep, the modules, the servers; then it serves interface root.
 */
#include "root.h"
#include <portico/client.h>
#include <root_server.h>

#define KEEP_SIZE (UINT64_C(1) << 24)

struct root *root;

/* A server's task has died. Nobody can take its place yet. */
static void died(port_name_t name, uint64_t cookie)
{
	(void)name;
	if (root->ending || cookie >= root_plan_count)
		return;
	root->client[cookie].running = false;
	server_log("server %s died", root_plan[cookie].name);
	root->ending = true;
	power_off(POWER_OFF);
}

/* The kernel gives the first task neither a service port nor a keep. */
static void furnish(void)
{
	int64_t status = trap2(TRAP_port_create, NAME_SERVICE, 0);

	if (status >= 0)
		status = trap6(TRAP_vm_map, TASK_SELF, SERVER_KEEP, KEEP_SIZE, 0, 0,
		               VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE);
	if (status < 0)
		server_panic("root: service port or keep: status %d", (int)status);
}

int server_main(void)
{
	furnish();
	root = server_keep_root(sizeof(*root));
	trap3(TRAP_thread_priority, THREAD_SELF, 24, 0);
	server_register(&root_interface);
	server_on_dead_name(died);
	modules_read();
	servers_create();
	servers_start();
	server_run();
}
