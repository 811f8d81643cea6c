/*
 * Generation: from a signal and a target to a pending signal and an interrupted thread, or a stop, a continuation, a
 * death.
 *
 * The order follows Linux's: stop and continue clear each other, then what is ignored goes, then it is queued, posted,
 * and a thread that takes it is struck. Posting comes before reading masks (signal_page.h).
 */
#include "sig.h"

#include <portico/strings.h>
#include <proc_client.h>

static uint32_t slots_of(const struct signal_page *page)
{
	uint64_t slots = __atomic_load_n(&page->slots, __ATOMIC_RELAXED);
	return slots < THREAD_SLOTS ? (uint32_t)slots : (uint32_t)THREAD_SLOTS;
}

int32_t thread_slot(const struct process *p, uint32_t tid)
{
	const struct signal_page *page = p->pages.page;
	uint32_t slots = page ? slots_of(page) : 0;
	for (uint32_t i = 0; i < slots; i++) {
		if (__atomic_load_n(&page->thread[i].tid, __ATOMIC_RELAXED) == tid)
			return (int32_t)i;
	}
	return -1;
}

static bool thread_takes(const struct signal_thread *t, uint64_t bit)
{
	if (__atomic_load_n(&t->tid, __ATOMIC_RELAXED) == 0)
		return false;
	return !(__atomic_load_n(&t->blocked, __ATOMIC_SEQ_CST) & bit) ||
	       (__atomic_load_n(&t->waiting, __ATOMIC_SEQ_CST) & bit);
}

/* Does the thread wait for it, so that even an ignored one counts? */
static bool thread_waits(const struct signal_thread *t, uint64_t bit)
{
	return __atomic_load_n(&t->tid, __ATOMIC_RELAXED) != 0 &&
	       (__atomic_load_n(&t->waiting, __ATOMIC_RELAXED) & bit);
}

/* The slot that is to be struck: the thread itself, or the first thread if it takes the signal, or any other. -1: none.
 */
static int32_t choose_slot(const struct process *p, uint32_t tid, uint64_t bit)
{
	const struct signal_page *page = p->pages.page;
	int32_t preferred = thread_slot(p, tid ? tid : p->session->pid);
	if (preferred >= 0 && thread_takes(&page->thread[preferred], bit))
		return preferred;
	if (tid)
		return -1;
	uint32_t slots = slots_of(page);
	for (uint32_t i = 0; i < slots; i++) {
		if (thread_takes(&page->thread[i], bit))
			return (int32_t)i;
	}
	return -1;
}

/* The mask that counts for dropping ignored signals: of the thread, or of the first one. */
static bool is_blocked(const struct process *p, uint32_t tid, uint64_t bit)
{
	int32_t slot = thread_slot(p, tid ? tid : p->session->pid);
	if (slot < 0)
		slot = 0;
	const struct signal_thread *t = &p->pages.page->thread[slot];
	return (__atomic_load_n(&t->blocked, __ATOMIC_RELAXED) & bit) || thread_waits(t, bit);
}

/* Dropped at once: ignored and not blocked; for pid 1 also what it does not catch. */
static bool is_dropped(const struct process *p, uint32_t tid, uint32_t signal)
{
	const struct signal_page *page = p->pages.page;
	uint64_t bit = SIGNAL_BIT(signal);
	if (!page || is_blocked(p, tid, bit))
		return false;
	if (__atomic_load_n(&page->ignored, __ATOMIC_RELAXED) & bit)
		return true;
	return p->session->pid == 1 && !(__atomic_load_n(&page->caught, __ATOMIC_RELAXED) & bit);
}

bool is_blocked_or_ignored(const struct process *p, uint32_t signal)
{
	const struct signal_page *page = p->pages.page;
	uint64_t bit = SIGNAL_BIT(signal);
	return page && (is_blocked(p, 0, bit) || (__atomic_load_n(&page->ignored, __ATOMIC_RELAXED) & bit));
}

static void strike(struct process *p, uint32_t tid, uint64_t bit)
{
	int32_t slot = choose_slot(p, tid, bit);
	if (slot < 0)
		return;
	port_name_t task = process_task(p);
	if (task == PORT_NULL)
		return;
	if (kernel_task_interrupt(task, (uint32_t)slot) == KERN_DEAD) {
		server_release_right(p->task);
		p->task = PORT_NULL;
	}
}

/* KILL and STOP do not queue. True: done. */
static bool act_at_once(struct process *p, uint32_t signal)
{
	uint32_t pid = p->session->pid;
	if (signal != SIGNAL_KILL && signal != SIGNAL_STOP)
		return false;
	if (pid == 1)
		return true; /* the first process cannot be killed or stopped */
	if (signal == SIGNAL_KILL)
		proc_kill(root->sessions.proc, pid, SIGNAL_KILL);
	else
		proc_stop(root->sessions.proc, pid, SIGNAL_STOP);
	return true;
}

int generate(struct process *p, uint32_t tid, const struct sig_signal_info *info, int32_t timer)
{
	uint32_t signal = (uint32_t)info->signal;
	uint64_t bit = SIGNAL_BIT(signal);
	if (bit & SIGNALS_STOPPING)
		queue_discard(p, SIGNAL_BIT(SIGNAL_CONTINUE));
	if (signal == SIGNAL_CONTINUE) {
		queue_discard(p, SIGNALS_STOPPING);
		proc_resume(root->sessions.proc, p->session->pid);
	}
	if (act_at_once(p, signal) || is_dropped(p, tid, signal))
		return 0;
	int error = queue_add(p, tid, info, timer);
	if (error)
		return error;
	queue_mirror(p);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (p->pages.page)
		strike(p, tid, bit);
	return 0;
}
