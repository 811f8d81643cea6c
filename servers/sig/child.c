/*
 * What follows from changes of processes: SIGCHLD for the parent, HUP and CONT for groups that become orphaned with
 * stopped members, parent-death signals; and the records of our own.
 *
 * POSIX.1-2017 _exit() and 3.264 "Orphaned Process Group".
 */
#include "sig.h"

#include <portico/strings.h>
#include <sig_server.h>

#define TICK_NS 10000000u /* siginfo counts in clock ticks of 100 Hz */

enum child_code { CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_STOPPED = 5, CLD_CONTINUED = 6 };

/* Does this member tie its group to the session: by a parent outside the group but in the same session? */
static bool is_tie(const struct server_session *member)
{
	const struct server_session *parent = sessions_by_pid(&root->sessions, member->parent);
	return parent && parent->pid != 1 && parent->group != member->group && parent->session == member->session;
}

bool group_is_orphaned(uint32_t group, const struct process *except)
{
	for (const struct server_session *s = root->sessions.first; s; s = s->next) {
		if (s->group == group && s->own != except && is_tie(s))
			return false;
	}
	return true;
}

static bool has_stopped_member(uint32_t group, const struct process *except)
{
	for (const struct server_session *s = root->sessions.first; s; s = s->next) {
		const struct process *p = s->own;
		if (p && p != except && s->group == group && p->stopped)
			return true;
	}
	return false;
}

static void signal_orphans(uint32_t group, const struct process *except)
{
	if (!group_is_orphaned(group, except) || !has_stopped_member(group, except))
		return;
	struct sig_signal_info info = {.signal = SIGNAL_HUP, .code = CODE_KERNEL};
	generate_group(group, 0, &info);
	info.signal = SIGNAL_CONTINUE;
	generate_group(group, 0, &info);
}

/* siginfo of SIGCHLD from a wait status. */
static void fill_child(const struct proc_change *change, struct sig_signal_info *info)
{
	int32_t status = change->status;
	memset(info, 0, sizeof(*info));
	info->signal = (int32_t)change->exit_signal;
	info->pid = change->pid;
	info->uid = change->uid;
	info->user_ticks = change->user_ns / TICK_NS;
	info->system_ticks = change->system_ns / TICK_NS;
	if (change->kind == PROC_CHANGE_KIND_STOPPED) {
		info->code = CLD_STOPPED;
		info->status = status >> 8 & 0xff;
	} else if (change->kind == PROC_CHANGE_KIND_CONTINUED) {
		info->code = CLD_CONTINUED;
		info->status = SIGNAL_CONTINUE;
	} else if ((status & 0x7f) == 0) {
		info->code = CLD_EXITED;
		info->status = status >> 8 & 0xff;
	} else {
		info->code = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
		info->status = status & 0x7f;
	}
}

static bool wants_stops(const struct process *parent)
{
	const struct signal_page *page = parent->pages.page;
	return !page || !(shared64(&page->flags) & SIGNAL_PAGE_NO_CHILD_STOP);
}

static void tell_parent(const struct proc_change *change)
{
	struct process *parent = process_by_pid(change->parent);
	if (!parent || change->exit_signal == 0 || change->exit_signal > SIGNALS)
		return;
	struct sig_signal_info info;
	fill_child(change, &info);
	if (change->kind != PROC_CHANGE_KIND_DEATH) {
		info.signal = SIGNAL_CHILD;
		if (!wants_stops(parent))
			return;
	}
	generate(parent, 0, &info, 0);
}

static void died(const struct proc_change *change, struct process *p)
{
	bool tie = is_tie(p->session);
	tell_parent(change);
	if (tie)
		signal_orphans(change->group, p);
	process_destroy(p);
}

/* The old parent ends; its record is still there. */
static void reparented(const struct proc_change *change, struct process *p)
{
	const struct server_session *old = sessions_by_pid(&root->sessions, p->parent);
	if (old && old->group != change->group && old->session == change->session)
		signal_orphans(change->group, NULL);
	if (change->exit_signal != 0 && change->exit_signal <= SIGNALS) { /* PR_SET_PDEATHSIG */
		struct sig_signal_info info = {
		        .signal = (int32_t)change->exit_signal, .code = CODE_USER, .pid = p->parent};
		generate(p, 0, &info, 0);
	}
}

void session_changed(const struct proc_change *change, struct server_session *session)
{
	struct process *p = session->own ? session->own : process_create(session);
	if (!p)
		return;
	switch (change->kind) {
	case PROC_CHANGE_KIND_DEATH:
		died(change, p);
		return; /* p is gone */
	case PROC_CHANGE_KIND_EXEC:
		timers_exec(p);
		process_detach(p);
		break;
	case PROC_CHANGE_KIND_STOPPED:
		p->stopped = true;
		tell_parent(change);
		break;
	case PROC_CHANGE_KIND_CONTINUED:
		p->stopped = false;
		tell_parent(change);
		break;
	case PROC_CHANGE_KIND_REPARENT:
		reparented(change, p);
		break;
	default:
		break;
	}
	p->parent = change->parent;
}
