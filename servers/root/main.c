/*
 * root's start: its own service port and keep, the modules, the servers; then it serves interface root.
 */
#include "root.h"
#include <portico/client.h>
#include <root_server.h>

#define INCARNATION_ATTEMPTS 20u
#define RETRY_NS UINT64_C(2000000)
#define KEEP_SIZE (UINT64_C(1) << 24)

struct root *root;

/* One that cannot be made, because it was destroyed in the making or there is no memory, is tried again a little later. */
static void incarnate(unsigned index)
{
	struct root_client *client = &root->client[index];
	int64_t status = server_incarnate(index, 0);

	if (status >= 0) {
		client->failures = 0;
		return;
	}
	if (++client->failures < INCARNATION_ATTEMPTS) {
		server_set_timer(server_now() + RETRY_NS);
		return;
	}
	server_log("server %s died: status %d", root_plan[index].name, (int)status);
	root->ending = true;
	power_off(POWER_OFF);
}

static void try_again(void)
{
	for (unsigned i = 0; i < root_plan_count && !root->ending; i++)
		if (root->client[i].domain != PORT_NULL && root->client[i].task == PORT_NULL)
			incarnate(i);
}

/* A server's incarnation has ended: the next one goes on. */
static void died(port_name_t name, uint64_t cookie)
{
	if (root->ending || cookie >= root_plan_count || root->client[cookie].task != name)
		return;
	server_release_right(name);
	root->client[cookie].task = PORT_NULL;
	incarnate((unsigned)cookie);
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
	server_on_timer(try_again);
	if (server_cold()) {
		modules_read();
		servers_create();
		servers_start();
	}
	server_run();
}
