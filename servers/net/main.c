/*
 * net's start, and the table of families.
 */
#include "unix.h"

#include "kernel_ops.h"
#include <io_server.h>
#include <net_server.h>
#include <portico/keep.h>
#include <vfs_types.h>

SERVER_KEEP_ROOT(struct net_root);
SERVER_KEEP_POINTER(server_session, own, struct process);
SERVER_KEEP_POINTER(waiter, bytes, uint8_t);
SERVER_KEEP_BEGINS(socket, unix_socket);
SERVER_KEEP_ENUM(waiter, kind, wait_kind);
SERVER_KEEP_ENUM(socket, state, socket_state);

struct net_root *root;

const struct family *family_of(uint32_t number)
{
	static const struct family *const families[AF_MAX] = {[AF_UNIX] = &unix_family};

	return number < AF_MAX ? families[number] : NULL;
}

/* Whose descriptors may travel: every server whose rights processes have as files. */
static void find_servers(void)
{
	static const char *const names[KNOWN_SERVERS] = {[VFS_SERVER_ID_VFS] = "vfs", [VFS_SERVER_ID_TTY] = "tty", [VFS_SERVER_ID_PROC] = "proc",
	                                                 [VFS_SERVER_ID_IPC] = "ipc", [VFS_SERVER_ID_ROOT] = "supervisor"};
	uint32_t kind;
	uint64_t badge;

	for (unsigned i = 0; i < KNOWN_SERVERS; i++) {
		port_name_t port = i == VFS_SERVER_ID_NET ? NAME_SERVICE : names[i] != NULL ? server_lookup(names[i]) : PORT_NULL;
		if (port == PORT_NULL || kernel_right_object(port, &kind, &root->port[i], &badge) < 0)
			root->port[i] = 0;
		root->known[i] = i == VFS_SERVER_ID_NET ? PORT_NULL : port; /* kept, so that the id stays that port's */
	}
}

void net_initialise(void)
{
	root = server_keep_root(sizeof(*root));
	server_register(&net_interface);
	server_register(&io_interface);
	server_on_cancel(wait_cancelled);
	server_on_no_senders(sockets_no_senders);
	server_on_timer(wait_overdue);
	server_on_deferred(collect);
	if (server_cold()) {
		list_init(&root->timed);
		list_init(&root->flying);
		unix_names_initialise();
		find_servers();
	}
	int error = sessions_start(&root->sessions, NOTIFY_CHANGES, session_changed);
	if (error != 0)
		server_panic("net: proc's change log: error %d", error);
}

int server_main(void)
{
	net_initialise();
	server_run();
}
