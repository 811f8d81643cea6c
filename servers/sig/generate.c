/*
 * Generation: from a signal and a target to a pending signal and an interrupted thread, or a stop, a continuation, a
 * death.
 *
 * The order follows Linux's: stop and continue clear each other, then what is ignored goes, then it is queued, posted,
 * and a thread that takes it is struck. Posting comes before the reading of masks that counts (signal_page.h): both are done by the
 * commit.
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

/* ---- striking ---- */

#define SURVEY_MAX 24u /* threads that the commit looks at again */

/*
 * Threads as they were when they were looked at. The commit comes later: masks may be others by then, threads may have begun. So what
 * is queued for it is checked there, after the signal was posted; if it does not hold, sig tells itself to look again. From there
 * on whoever unblocks the signal or begins finds it posted (signal_page.h).
 */
struct survey {
	uint64_t slots; /* the word */
	uint32_t count; /* of threads looked at */
	struct glance {
		uint32_t slot, tid; /* tid 0: unused */
		bool takes;
	} thread[SURVEY_MAX], taker;
};

/* True: this one takes the signal. */
static bool look_at(const struct process *p, uint32_t slot, uint64_t bit, struct survey *s)
{
	const struct signal_thread *t = &p->pages.page->thread[slot];
	struct glance g = {.slot = slot, .tid = shared32(&t->tid)};
	if (g.tid != 0)
		g.takes = !(shared64(&t->blocked) & bit) || (shared64(&t->waiting) & bit);
	if (s->count < SURVEY_MAX)
		s->thread[s->count] = g;
	s->count++;
	if (g.takes)
		s->taker = g;
	return g.takes;
}

/* Looks for a thread that takes the signal: the thread itself; or the first thread, then any other. */
static bool find_taker(const struct process *p, uint32_t tid, uint64_t bit, struct survey *s)
{
	int32_t preferred = thread_slot(p, tid ? tid : p->session->pid);
	if (preferred >= 0 && look_at(p, (uint32_t)preferred, bit, s))
		return true;
	if (tid)
		return false;
	s->slots = shared64(&p->pages.page->slots);
	uint32_t slots = s->slots < THREAD_SLOTS ? (uint32_t)s->slots : (uint32_t)THREAD_SLOTS;
	for (uint32_t i = 0; i < slots; i++) {
		if ((int32_t)i != preferred && look_at(p, i, bit, s))
			return true;
	}
	return false;
}

/* The word that begins with the tid: conditions are on 64 bits. */
static const uint64_t *tid_word(const struct signal_thread *t)
{
	return (const uint64_t *)(const void *)t;
}

/* A condition that never holds. */
static void jump(const struct process *p, unsigned skip)
{
	kernel_if(&p->pages.page->pending, 0, 1, skip);
}

static void look_again(void)
{
	kernel_notify(root->self, NOTIFY_LOOK_AGAIN);
}

static void strike_taker(const struct process *p, uint64_t bit, const struct glance *g)
{
	const struct signal_thread *t = &p->pages.page->thread[g->slot];
	kernel_if(tid_word(t), UINT32_MAX, g->tid, 4);
	kernel_if(&t->blocked, bit, bit, 1); /* not blocked: struck */
	kernel_if(&t->waiting, bit, bit, 2); /* blocked and not waited for: not */
	kernel_interrupt(p->task, g->slot);
	jump(p, 1);
	look_again();
}

/* Nobody takes it: that is so if nothing has changed. */
static void verify_nobody(const struct process *p, bool all, uint64_t bit, const struct survey *s)
{
	const struct signal_page *page = p->pages.page;
	unsigned left = all;
	for (uint32_t i = 0; i < s->count; i++)
		left += s->thread[i].tid ? 2 : 1;
	if (all)
		kernel_if(&page->slots, ~UINT64_C(0), s->slots, left--);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct signal_thread *t = &page->thread[s->thread[i].slot];
		if (s->thread[i].tid == 0) {
			kernel_if(tid_word(t), UINT32_MAX, 0, left--);
			continue;
		}
		kernel_if(&t->blocked, bit, bit, left--);
		kernel_if(&t->waiting, bit, 0, left--);
	}
	jump(p, 1);
	look_again();
}

/* `posted`: it was before this transaction began; who does not take it now will look itself. */
static void strike(struct process *p, uint32_t tid, uint64_t bit, bool posted)
{
	struct survey s = {.count = 0};
	bool found = find_taker(p, tid, bit, &s);
	if (found && process_task(p) != PORT_NULL)
		strike_taker(p, bit, &s.taker);
	else if (found || posted || (tid && s.count == 0))
		return;
	else if (s.count > SURVEY_MAX)
		look_again();
	else
		verify_nobody(p, tid == 0, bit, &s);
	if (!(p->unsure & bit))
		p->unsure |= bit;
}

static void strike_unsure(struct process *p)
{
	uint64_t unsure = p->unsure;
	p->unsure = 0;
	for (const struct pending *q = p->first; q && p->pages.page; q = q->next) {
		uint64_t bit = SIGNAL_BIT((uint32_t)q->info.signal);
		if (unsure & bit)
			strike(p, q->tid, bit, true);
	}
}

void generate_look_again(uint64_t bits)
{
	(void)bits;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		struct process *p = s->own;
		if (p && p->unsure)
			strike_unsure(p);
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
	if (p->pages.page)
		strike(p, tid, bit, false);
	return 0;
}
