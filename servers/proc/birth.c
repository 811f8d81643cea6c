/*
 * New tasks: fork in all its forms, and the rights every process starts with.
 *
 * Decode and check, then build: until the child's thread is started, by the transaction's commit, everything can be taken back.
 */
#include "kernel_ops.h"
#include "proc.h"

#include <portico/layout.h>
#include <portico/strings.h>
#include <proc_server.h>
#include <vfs_client.h>

#define FLAGS_INTERRUPTS_ON 0x202u

/*
 * The ledger that pays for a user's processes: root's is proc's own, others get one that cannot take the whole machine.
 * PORT_NULL: proc's own, also when no more ledgers can be had.
 */
port_name_t ledger_of(uint32_t uid)
{
	if (uid == 0)
		return PORT_NULL;
	for (uint32_t i = 0; i < root->ledger_count; i++) {
		if (root->ledger[i].uid == uid)
			return root->ledger[i].ledger;
	}
	if (root->ledger_count == LEDGERS_MAX)
		return PORT_NULL;
	struct kernel_info info;
	kernel_information(&info);
	uint64_t pages = info.memory_total / PAGE_SIZE;
	int64_t ledger = kernel_ledger_create(pages - pages / 8, pages / 8 * PAGE_SIZE);
	if (ledger < 0)
		return PORT_NULL;
	root->ledger[root->ledger_count++] = (struct ledger_of_user){.uid = uid, .ledger = (port_name_t)ledger};
	return (port_name_t)ledger;
}

int birth_failed(const struct process *p, const char *step, int error)
{
	enum { NOTED_MAX = 16 };
	if (root->failures_noted < NOTED_MAX) {
		root->failures_noted++;
		server_log("proc: process %u (%s): %s: error %d", p->pid, p->name, step, error);
	}
	return error;
}

static int insert_copy(port_name_t task, port_name_t chosen, port_name_t name, uint32_t flags)
{
	if (name == PORT_NULL)
		return 0;
	int64_t status = kernel_right_insert(task, chosen, name, MSG_COPY_SEND, 0, flags);
	return status < 0 ? kern_errno(status) : 0;
}

/* root_dir, cwd: for a task that has not inherited them, else PORT_NULL. */
int task_equip(port_name_t task, uint64_t principal, port_name_t root_dir, port_name_t cwd)
{
	int64_t status = kernel_task_set_principal(task, principal);
	if (status >= 0)
		status = kernel_right_insert(task, NAME_PROC, NAME_SERVICE, MSG_MAKE_SEND, BADGE_PROCESS, 0);
	if (status < 0)
		return kern_errno(status);
	int error = insert_copy(task, NAME_SIG, root->sig, 0);
	if (!error)
		error = insert_copy(task, NAME_NET, root->net, 0);
	if (!error)
		error = insert_copy(task, NAME_IPC, root->ipc, 0);
	if (!error && root->trace)
		error = insert_copy(task, NAME_LOG, NAME_LOG, 0);
	if (!error)
		error = insert_copy(task, NAME_ROOT_DIR, root_dir, RIGHT_INHERIT);
	if (!error)
		error = insert_copy(task, NAME_CWD, cwd, RIGHT_INHERIT);
	if (!error)
		error = server_watch_death(task, principal);
	return error;
}

/* A request that was given up may have left the session: its principal is used again, as the record was rolled back. */
int session_begin(uint64_t principal, uint64_t parent, const struct credentials *cred)
{
	int error = vfs_session_begin(root->vfs, principal, parent, cred);
	if (error != EEXIST)
		return error;
	vfs_session_end(root->vfs, principal);
	return vfs_session_begin(root->vfs, principal, parent, cred);
}

static bool may_fork(const struct process *p)
{
	return p->cred.uid == 0 || has_capability(p, CAPABILITY_SYS_RESOURCE) ||
	       has_capability(p, CAPABILITY_SYS_ADMIN) ||
	       processes_of_user(p->cred.uid) < p->limit[RESOURCE_NPROC].current;
}

static void inherit_image(const struct process *parent, struct process *child)
{
	memcpy(child->name, parent->name, sizeof(child->name));
	child->program = parent->program;
	if (child->program)
		child->program->users++;
	child->exe = keep_string(parent->exe);
	child->arguments_start = parent->arguments_start;
	child->arguments_end = parent->arguments_end;
	child->environment_start = parent->environment_start;
	child->environment_end = parent->environment_end;
	child->stack_start = parent->stack_start;
	child->code_start = parent->code_start;
	child->code_end = parent->code_end;
	child->brk_start = parent->brk_start;
	for (uint32_t i = 0; i < IMAGES_MAX; i++) {
		child->image[i] = parent->image[i];
		child->image[i].path = keep_string(parent->image[i].path);
	}
}

static void inherit(const struct process *parent, struct process *child, uint32_t exit_signal)
{
	child->generation = ++root->generations;
	child->group = parent->group;
	child->session = parent->session;
	child->cred = parent->cred;
	memcpy(child->limit, parent->limit, sizeof(child->limit));
	child->nice = parent->nice;
	child->no_zombies = parent->no_zombies;
	child->dumpable = parent->dumpable;
	child->exit_signal = exit_signal;
	inherit_image(parent, child);
}

static int make_task(const struct process *parent, struct process *child, uint32_t flags, uint32_t slot)
{
	uint32_t memory = flags & PROC_FORK_FLAGS_SHARE_MEMORY ? TASK_DUP_SHARE : TASK_DUP_MEMORY;
	int64_t status = kernel_task_duplicate(parent->task, memory | TASK_DUP_RIGHTS, ledger_of(parent->cred.uid));
	if (status < 0)
		return birth_failed(parent, "fork: task", status == KERN_NO_MEMORY ? ENOMEM : EAGAIN);
	child->task = (port_name_t)status;
	int error = task_equip(child->task, process_principal(child), PORT_NULL, PORT_NULL);
	if (error)
		return birth_failed(parent, "fork: rights", error);
	status = kernel_thread_create(child->task, slot, THREAD_AREAS + slot * THREAD_AREA_SIZE);
	if (status < 0)
		return birth_failed(parent, "fork: thread", kern_errno(status));
	child->thread = (port_name_t)status;
	kernel_thread_priority(child->thread, nice_priority(child->nice));
	error = session_begin(process_principal(child), process_principal(parent), &child->cred);
	return error ? birth_failed(parent, "fork: session", error) : 0;
}

/* A child that never ran. */
static void unmake(struct process *child)
{
	if (child->task != PORT_NULL)
		kernel_task_terminate(child->task);
	server_release_right(child->thread);
	server_release_right(child->task);
	process_destroy(child);
}

int proc_serve_fork(struct server_call *call, struct proc_right *right, uint32_t flags, uint64_t entry, uint64_t stack,
                    uint64_t fs_base, uint64_t gs_base, uint32_t slot, uint32_t exit_signal, uint32_t *pid)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (slot >= THREAD_SLOTS || exit_signal > SIGNALS)
		return EINVAL;
	if (!may_fork(p))
		return EAGAIN;
	struct process *child = process_create();
	if (!child)
		return birth_failed(p, "fork: record", EAGAIN);
	inherit(p, child, exit_signal);
	int error = make_task(p, child, flags, slot);
	if (error) {
		unmake(child);
		return error;
	}
	if (flags & PROC_FORK_FLAGS_WAIT) {
		error = server_park(call, &child->vfork);
		if (error != SERVER_PARKED) {
			vfs_session_end(root->vfs, process_principal(child));
			unmake(child);
			return error;
		}
	}
	bool sibling = (flags & PROC_FORK_FLAGS_SHARE_PARENT) && p->parent;
	process_adopt(sibling ? p->parent : p, child);
	if (sibling)
		child->exit_signal = p->exit_signal;
	root->forks++;
	change_log(child, PROC_CHANGE_KIND_BIRTH, (int32_t)p->pid, 0);
	struct portico_frame frame = {
	        .rip = entry,
	        .rsp = stack,
	        .rdi = THREAD_AREAS + slot * THREAD_AREA_SIZE,
	        .rflags = FLAGS_INTERRUPTS_ON,
	        .fs_base = fs_base,
	        .gs_base = gs_base,
	};
	*pid = child->pid;
	kernel_thread_start(child->thread, &frame);
	return flags & PROC_FORK_FLAGS_WAIT ? SERVER_PARKED : 0;
}
