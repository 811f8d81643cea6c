/*
 * root's start: its own service port and keep, the modules, the servers; then it serves interface root, and io for the
 * administrator.
 */
#include "root.h"
#include <io_server.h>
#include <portico/client.h>
#include <portico/keep.h>
#include <root_server.h>

#define KEEP_SIZE (UINT64_C(1) << 24)

struct root *root;

SERVER_KEEP_ROOT(struct root);

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
	server_register(&io_interface);
	server_on_no_senders(supervisor_closed);
	supervise_register();
	if (server_cold()) {
		supervisor_start();
		modules_read();
		servers_create();
		servers_start();
		supervise_start();
		killpoint_boot(SERVER_ROOT, PORT_NULL);
	}
	server_run();
}
