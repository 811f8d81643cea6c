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

int32_t thread_slot(const struct process *p, uint32_t tid)
{
	const struct signal_page *page = p->pages.page;
	uint32_t slots = page ? slots_in_use(page) : 0;
	for (uint32_t i = 0; i < slots; i++) {
		if (shared32(&page->thread[i].tid) == tid)
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
	/* A thread that waits for it counts as blocking it: even an ignored signal is then wanted. */
	return (shared64(&t->blocked) & bit) || (shared32(&t->tid) != 0 && (shared64(&t->waiting) & bit));
}

/* Dropped at once: ignored and not blocked; for pid 1 also what it does not catch. */
static bool is_dropped(const struct process *p, uint32_t tid, uint32_t signal)
{
	const struct signal_page *page = p->pages.page;
	uint64_t bit = SIGNAL_BIT(signal);
	if (!page || is_blocked(p, tid, bit))
		return false;
	if (shared64(&page->ignored) & bit)
		return true;
	return p->session->pid == 1 && !(shared64(&page->caught) & bit);
}

bool is_blocked_or_ignored(const struct process *p, uint32_t signal)
{
	const struct signal_page *page = p->pages.page;
	uint64_t bit = SIGNAL_BIT(signal);
	return page && (is_blocked(p, 0, bit) || (shared64(&page->ignored) & bit));
}

/*
 * The threads that may take the signal, the preferred one first: the thread itself; or the first thread, then any other. Which of them does
 * is for the commit to see, after it has posted: a mask that is read now may be another one then.
 */
static uint32_t candidates(const struct process *p, uint32_t tid, uint32_t slot[STRIKE_MAX])
{
	const struct signal_page *page = p->pages.page;
	int32_t preferred = thread_slot(p, tid ? tid : p->session->pid);
	uint32_t count = 0;
	if (preferred >= 0)
		slot[count++] = (uint32_t)preferred;
	if (tid)
		return count;
	uint32_t slots = slots_in_use(page);
	for (uint32_t i = 0; i < slots && count < STRIKE_MAX; i++) {
		if ((int32_t)i != preferred && shared32(&page->thread[i].tid) != 0)
			slot[count++] = i;
	}
	return count;
}

static void strike(struct process *p, uint32_t tid, uint64_t bit)
{
	uint32_t slot[STRIKE_MAX];
	uint32_t count = candidates(p, tid, slot);
	if (count == 0 || process_task(p) == PORT_NULL)
		return;
	kernel_strike(p->task, p->pages.page, slot, count, bit);
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
	if (p->pages.page)
		strike(p, tid, bit);
	return 0;
}
