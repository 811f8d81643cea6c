/*
 * proc's start and its callbacks from the event loop.
 */
#include "image.h"
#include "procfs.h"

#include <io_server.h>
#include <portico/keep.h>
#include <portico/strings.h>
#include <proc_server.h>
#include <root_client.h>
#include <vfs_client.h>
#include <vfs_server.h>

struct proc_root *root;

SERVER_KEEP_ROOT(struct proc_root);
SERVER_KEEP_ENUM(process, state, process_state);
SERVER_KEEP_ENUM(node, kind, node_kind);

/* By badge: constants, so that a right needs no memory. No record keeps their address. */
static struct proc_right ordinary = {.server = false}, upper = {.server = true};

struct proc_right *proc_process_get(struct server_call *call)
{
	switch (BADGE_KIND(call->badge)) {
	case BADGE_PROCESS:
		return &ordinary;
	case BADGE_SERVER:
		return &upper;
	default:
		return NULL;
	}
}

void proc_process_put(struct proc_right *right)
{
	(void)right;
}

int proc_serve_identity(struct server_call *call, struct proc_right *right, struct proc_identity *self)
{
	(void)right;
	const struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	self->pid = p->pid;
	self->parent = p->parent ? p->parent->pid : 0;
	self->group = p->group;
	self->session = p->session;
	self->cred = p->cred;
	return 0;
}

int proc_serve_parent(struct server_call *call, struct proc_right *right, uint32_t *pid)
{
	(void)right;
	const struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	*pid = p->parent ? p->parent->pid : 0;
	return 0;
}

/* A task that ended without exit: the kernel killed it over an exception that nobody handled. cookie: its principal. */
static void task_died(port_name_t name, uint64_t cookie)
{
	struct process *p = process_of_principal(cookie);
	if (p && p->task == name)
		process_die(p, SIGNAL_SEGMENT);
}

static void find_libposix(void)
{
	int error = root_module(root->root, "libposix", &root->libposix, &root->libposix_size);
	if (!error)
		error = image_plan(root->libposix, root->libposix_size, &root->libposix_plan);
	if (!error && root->libposix_plan.file_end > root->libposix_size)
		error = ENOEXEC;
	if (error)
		server_panic("proc: libposix: error %d", error);
}

static void find_servers(port_name_t root_server)
{
	char value[16];
	root->root = root_server;
	root->vfs = server_lookup("vfs");
	root->sig = server_lookup("sig");
	root->net = server_lookup("net");
	root->ipc = server_lookup("ipc");
	if (root->vfs == PORT_NULL || root->sig == PORT_NULL)
		server_panic("proc: vfs or sig cannot be found");
	int error = vfs_root_directory(root->vfs, &root->root_directory);
	if (error)
		server_panic("proc: no root directory: error %d", error);
	root->trace = root_option(root->root, "posix-trace", value, sizeof(value)) == 0;
	memcpy(root->host_name[0], "portico", 8);
	memcpy(root->host_name[1], "(none)", 7);
}

void proc_initialise(port_name_t root_server)
{
	root = server_keep_root(sizeof(*root));
	server_register(&proc_interface);
	server_register(&vfs_interface);
	server_register(&io_interface);
	server_on_cancel(wait_cancelled);
	server_on_dead_name(task_died);
	server_on_no_senders(procfs_no_senders);
	server_on_deferred(start_init);
	if (!server_cold())
		return;
	find_servers(root_server);
	find_libposix();
	server_defer();
}

int server_main(void)
{
	proc_initialise(NAME_ROOT_SERVER);
	server_run();
}
