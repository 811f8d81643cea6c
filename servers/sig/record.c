/*
 * Records of processes: made at birth, freed at death, as the change log of proc says (child.c).
 */
#include "sig.h"

#include <portico/keep.h>
#include <portico/strings.h>
#include <proc_client.h>
#include <sig_server.h>

SERVER_KEEP_POINTER(server_session, own, struct process);

struct process *process_by_pid(uint32_t pid)
{
	struct server_session *s = sessions_by_pid(&root->sessions, pid);
	return s ? s->own : NULL;
}

struct process *process_of_principal(uint64_t principal)
{
	struct server_session *s = sessions_by_principal(&root->sessions, principal);
	return s && s->principal == principal ? s->own : NULL;
}

struct process *process_create(struct server_session *session)
{
	struct process *p = keep_allocate(sizeof(*p));
	if (!p) {
		server_log("sig: no memory for process %u: it gets no signals", session->pid);
		return NULL;
	}
	p->session = session;
	p->parent = session->parent;
	for (uint32_t i = 0; i < 3; i++) {
		static const uint32_t signals[3] = {SIGNAL_ALARM, SIGNAL_VIRTUAL_ALARM, SIGNAL_PROFILE};
		static const uint8_t clocks[3] = {TIMER_MONOTONIC, TIMER_USER, TIMER_CPU};
		p->interval[i].process = p;
		p->interval[i].id = -1;
		p->interval[i].signal = signals[i];
		p->interval[i].clock = clocks[i];
	}
	session->own = p;
	return p;
}

void process_detach(struct process *p)
{
	kernel_pages_destroy(&p->pages);
	server_release_right(p->task);
	p->task = PORT_NULL;
}

void process_destroy(struct process *p)
{
	timers_free(p);
	queue_free(p);
	process_detach(p);
	p->session->own = NULL;
	keep_free(p);
}

port_name_t process_task(struct process *p)
{
	if (p->task == PORT_NULL && proc_interrupt_right(root->sessions.proc, p->session->pid, &p->task) != 0)
		p->task = PORT_NULL;
	return p->task;
}

int sig_serve_attach(struct server_call *call, struct sig_right *right, struct server_port *pages)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	struct signal_pages fresh;
	if (kernel_pages_create(&fresh) < 0)
		return ENOMEM;
	kernel_pages_destroy(&p->pages);
	p->pages = fresh;
	memset(p->directed, 0, sizeof(p->directed));
	queue_keep_leader(p);
	/* The leader's slot is 0 after exec; libposix writes its tid, its signals are there before. */
	queue_distrust(p, 0);
	queue_mirror(p);
	pages->name = fresh.shared;
	return 0;
}
