/*
 * root's start: its own service port and keep, the modules, the servers; then it serves interface root.
 */
#include "root.h"
#include <portico/client.h>
#include <root_server.h>

#define KEEP_SIZE (UINT64_C(1) << 24)

struct root *root;

/* A server's incarnation has ended: the next one goes on. */
static void died(port_name_t name, uint64_t cookie)
{
	if (root->ending || cookie >= root_plan_count || root->client[cookie].task != name)
		return;
	server_release_right(name);
	root->client[cookie].task = PORT_NULL;
	int64_t status = server_incarnate((unsigned)cookie, 0);
	if (status >= 0)
		return;
	server_log("server %s died: status %d", root_plan[cookie].name, (int)status);
	root->ending = true;
	power_off(POWER_OFF);
}

/* The kernel gives the first task neither a service port nor a keep. */
static void furnish(void)
{
	uint64_t flags = VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_SHARE;
	int64_t status = trap2(TRAP_port_create, NAME_SERVICE, 0);

	if (status == KERN_NAME_EXISTS) /* an incarnation before this one */
		return;
	if (status >= 0)
		status = trap6(TRAP_vm_map, TASK_SELF, SERVER_KEEP, KEEP_SIZE, 0, 0, flags);
	if (status >= 0)
		status = trap6(TRAP_vm_map, TASK_SELF, SERVER_LOG, SERVER_LOG_SIZE, 0, 0, flags);
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
	if (server_cold()) {
		modules_read();
		servers_create();
		servers_start();
	}
	server_run();
}
