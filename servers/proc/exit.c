/*
 * The end of a process: exit, death by a signal, death of the task by itself; and what becomes of its children.
 *
 * POSIX.1-2017 _exit(), "Consequences of Process Termination". The order here: the task is frozen first, so that nothing of
 * the process runs any more when others hear of it; the commit ends it.
 */
#include "kernel_ops.h"
#include "proc.h"

#include <portico/layout.h>
#include <portico/strings.h>
#include <proc_server.h>
#include <root_client.h>
#include <vfs_client.h>

void usage_add(struct rusage *sum, const struct rusage *more)
{
	sum->user_ns += more->user_ns;
	sum->system_ns += more->system_ns;
	if (more->max_rss_kib > sum->max_rss_kib)
		sum->max_rss_kib = more->max_rss_kib;
	sum->minor_faults += more->minor_faults;
	sum->major_faults += more->major_faults;
	sum->voluntary_switches += more->voluntary_switches;
	sum->involuntary_switches += more->involuntary_switches;
}

/* Adds what the task used. */
void task_usage(port_name_t task, struct rusage *usage)
{
	struct task_info info;
	if (task == PORT_NULL || kernel_task_info(task, &info) < 0)
		return;
	struct rusage used = {
	        .user_ns = info.user_ns,
	        .system_ns = info.system_ns,
	        .max_rss_kib = info.max_resident_pages * (PAGE_SIZE / 1024),
	        .minor_faults = info.faults,
	        .voluntary_switches = info.voluntary_switches,
	        .involuntary_switches = info.involuntary_switches,
	};
	usage_add(usage, &used);
}

void vfork_release(struct process *child)
{
	if (child->vfork.name != PORT_NULL)
		proc_reply_fork(&child->vfork, 0, child->pid);
}

/* Who takes over the children: the nearest ancestor that asked for it, else pid 1. */
static struct process *reaper_of(const struct process *p)
{
	for (struct process *a = p->parent; a; a = a->parent) {
		if (a->subreaper && a->state == PROCESS_ALIVE)
			return a;
	}
	return root->init;
}

static void reap(struct process *zombie)
{
	usage_add(&root->dead_usage, &zombie->usage);
	process_destroy(zombie);
}

static void orphan(struct process *child, struct process *reaper)
{
	process_adopt(reaper, child);
	if (child->state == PROCESS_ALIVE) {
		change_record(child, PROC_CHANGE_KIND_REPARENT, 0, child->death_signal);
		return;
	}
	child->exit_signal = SIGNAL_CHILD;
	if (reaper->no_zombies)
		reap(child);
}

/* Who got them; NULL: there were none, or nobody is left. Its waiters may have something to hear now. */
static struct process *give_children_away(struct process *p)
{
	struct process *reaper = reaper_of(p);
	if (!p->children || !reaper || reaper == p) /* pid 1 itself: the system ends */
		return NULL;
	while (p->children)
		orphan(p->children, reaper);
	changes_announce();
	return reaper;
}

/* Nothing of the image runs any more after this. */
static void end_task(struct process *p)
{
	kernel_task_freeze(p->task);
	task_usage(p->task, &p->usage);
	kernel_task_terminate(p->task);
	server_release_right(p->thread);
	server_release_right(p->task);
	p->task = p->thread = PORT_NULL;
	program_leave(p);
}

static void end_system(int32_t status)
{
	root->ended = true;
	int error = root_power(root->root, POWER_OFF, status);
	server_log("proc: power off refused: %d", error);
}

void process_die(struct process *p, int32_t status)
{
	if (p->state != PROCESS_ALIVE)
		return;
	end_task(p);
	p->state = PROCESS_ZOMBIE;
	p->status = status;
	p->stopped = p->continued = p->stop_reported = p->continue_reported = false;
	vfs_session_end(root->vfs, process_principal(p));
	vfork_release(p);
	waiters_drop(p);
	thread_ids_destroy(p);
	p->thread_count = 1;
	/* Children first: who learns of this death sees a world without the dead parent. */
	struct process *reaper = give_children_away(p);
	change_log(p, PROC_CHANGE_KIND_DEATH, status, p->exit_signal);
	if (p == root->init) {
		end_system(status);
		return;
	}
	struct process *parent = p->parent;
	if (parent->no_zombies && p->exit_signal == SIGNAL_CHILD)
		reap(p);
	/* From here on a waiter may have collected `p`. */
	waiters_check(parent);
	if (reaper && reaper != parent)
		waiters_check(reaper);
}

int proc_serve_exit(struct server_call *call, struct proc_right *right, int32_t status)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	process_die(p, status & 0xffff);
	return 0;
}
