/*
 * ipcd's start.
 */
#include "ipcd.h"

#include <io_server.h>
#include <ipc_server.h>
#include <portico/ipc_files.h>
#include <portico/keep.h>

SERVER_KEEP_ROOT(struct ipc_root);
SERVER_KEEP_POINTER(server_session, own, struct process);
SERVER_KEEP_OUTSIDE(sem_set, page);
SERVER_KEEP_ENUM(waiter, kind, wait_kind);
SERVER_KEEP_ENUM(open_file, file, ipc_file);
SERVER_KEEP_BEGINS(object, segment);
SERVER_KEEP_BEGINS(object, sem_set);
SERVER_KEEP_BEGINS(object, msg_queue);
SERVER_KEEP_BEGINS(waiter, sem_waiter);
SERVER_KEEP_BEGINS(waiter, send_waiter);
SERVER_KEEP_BEGINS(waiter, receive_waiter);
SERVER_KEEP_BEGINS(waiter, mq_waiter);

struct ipc_root *root;

static struct ipc_caller ordinary;

struct ipc_caller *ipc_caller_get(struct server_call *call)
{
	return BADGE_KIND(call->badge) == BADGE_PROCESS ? &ordinary : NULL;
}

void ipc_caller_put(struct ipc_caller *caller)
{
	(void)caller;
}

int64_t ipcd_seconds(void)
{
	return server_realtime() / 1000000000;
}

/* Linux's defaults. */
static void limits_default(struct limits *limits)
{
	*limits = (struct limits){
	        .shm_max = UINT64_MAX - (UINT64_C(1) << 24),
	        .shm_pages = UINT64_MAX - (UINT64_C(1) << 24),
	        .shm_segments = 4096,
	        .sem_per_set = 32000,
	        .sem_total = 1024000000,
	        .sem_operations = IPC_SEM_OPERATIONS_MAX,
	        .sem_sets = 32000,
	        .msg_text = 8192,
	        .msg_bytes = 16384,
	        .msg_queues = 32000,
	        .mq_queues = 256,
	        .mq_messages = 10,
	        .mq_size = 8192,
	        .mq_messages_default = 10,
	        .mq_size_default = 8192,
	};
}

void ipcd_initialise(void)
{
	root = server_keep_root(sizeof(*root));
	server_register(&ipc_interface);
	server_register(&io_interface);
	server_on_cancel(wait_cancelled);
	server_on_no_senders(files_no_senders);
	if (server_cold()) {
		limits_default(&root->limits);
		root->sig = server_lookup("sig");
	}
	int error = sessions_start(&root->sessions, NOTIFY_CHANGES, session_changed);
	if (error != 0)
		server_panic("ipcd: proc's change log: error %d", error);
}

int server_main(void)
{
	ipcd_initialise();
	server_run();
}
