/*
 * Pending signals: one list a process, oldest first.
 *
 * A standard signal is there once for each target (the first siginfo stays); real-time signals queue, up to
 * RLIMIT_SIGPENDING of the receiver's user. POSIX.1-2017 2.4.1, man 7 signal.
 */
#include "sig.h"

#include <portico/strings.h>
#include <proc_client.h>

#define RESOURCE_SIGPENDING 11u

static uint64_t bit_of(const struct pending *q)
{
	return SIGNAL_BIT((uint32_t)q->info.signal);
}

static uint32_t queued_of_user(uint32_t uid)
{
	uint32_t count = 0;
	for (const struct server_session *s = root->sessions.first; s; s = s->next) {
		const struct process *p = s->own;
		if (p && s->uid == uid)
			count += p->queued;
	}
	return count;
}

static bool within_limit(const struct process *p)
{
	struct proc_limit none = {0, 0}, limit;
	if (proc_limit(root->sessions.proc, p->session->pid, RESOURCE_SIGPENDING, 0, &none, &limit) != 0)
		return false;
	return queued_of_user(p->session->uid) < limit.current;
}

static bool is_pending(const struct process *p, uint32_t tid, uint32_t signal)
{
	for (const struct pending *q = p->first; q; q = q->next) {
		if ((uint32_t)q->info.signal == signal && q->tid == tid)
			return true;
	}
	return false;
}

int queue_add(struct process *p, uint32_t tid, const struct sig_signal_info *info, int32_t timer)
{
	uint32_t signal = (uint32_t)info->signal;
	if (signal < SIGNAL_REAL_TIME && is_pending(p, tid, signal))
		return 0;
	if (signal >= SIGNAL_REAL_TIME && !within_limit(p))
		return EAGAIN;
	struct pending *q = keep_allocate(sizeof(*q));
	if (!q)
		return EAGAIN;
	q->info = *info;
	q->tid = tid;
	q->timer = timer;
	if (p->last)
		p->last->next = q;
	else
		p->first = q;
	p->last = q;
	p->queued++;
	return 0;
}

/* Takes the element after `previous` (NULL: the first) off the list. */
static struct pending *unlink_after(struct process *p, struct pending *previous)
{
	struct pending *q = previous ? previous->next : p->first;
	if (previous)
		previous->next = q->next;
	else
		p->first = q->next;
	if (p->last == q)
		p->last = previous;
	p->queued--;
	return q;
}

static uint64_t pending_set(const struct process *p, uint32_t tid)
{
	uint64_t set = 0;
	for (const struct pending *q = p->first; q; q = q->next)
		set |= q->tid == tid ? bit_of(q) : 0;
	return set;
}

static uint32_t choose(uint64_t set)
{
	if (set & SIGNALS_SYNCHRONOUS)
		set &= SIGNALS_SYNCHRONOUS;
	return (uint32_t)__builtin_ctzll(set) + 1;
}

static bool take_one(struct process *p, uint32_t tid, uint64_t set, struct pending *taken)
{
	set &= pending_set(p, tid);
	if (set == 0)
		return false;
	uint32_t signal = choose(set);
	struct pending *previous = NULL, *q = p->first;
	while ((uint32_t)q->info.signal != signal || q->tid != tid) {
		previous = q;
		q = q->next;
	}
	unlink_after(p, previous);
	*taken = *q;
	keep_free(q);
	return true;
}

bool queue_take(struct process *p, uint32_t tid, uint64_t set, struct pending *taken)
{
	bool found = (tid != 0 && take_one(p, tid, set, taken)) || take_one(p, 0, set, taken);
	if (found)
		queue_mirror(p);
	return found;
}

static void drop_after(struct process *p, struct pending *previous)
{
	struct pending *q = unlink_after(p, previous);
	struct sig_signal_info info = q->info;
	if (q->timer != 0)
		timer_taken(p, q->timer - 1, &info);
	keep_free(q);
}

void queue_discard(struct process *p, uint64_t set)
{
	struct pending *previous = NULL;
	for (struct pending *q = p->first, *next; q; q = next) {
		next = q->next;
		if (bit_of(q) & set)
			drop_after(p, previous);
		else
			previous = q;
	}
	queue_mirror(p);
}

void queue_keep_leader(struct process *p)
{
	struct pending *previous = NULL;
	for (struct pending *q = p->first, *next; q; q = next) {
		next = q->next;
		if (q->tid != 0 && q->tid != p->session->pid)
			drop_after(p, previous);
		else
			previous = q;
	}
}

void queue_free(struct process *p)
{
	while (p->first)
		drop_after(p, NULL);
}

uint32_t slots_in_use(const struct signal_page *page)
{
	uint64_t slots = shared64(&page->slots);
	return slots < THREAD_SLOTS ? (uint32_t)slots : (uint32_t)THREAD_SLOTS;
}

void queue_distrust(struct process *p, uint32_t slot)
{
	uint64_t bit = UINT64_C(1) << slot % 64;
	if (!(p->directed[slot / 64] & bit))
		p->directed[slot / 64] |= bit;
}

/* Before libposix has written slot 0, after exec, it is the leader's. */
static void mirror_slot(struct process *p, uint32_t slot)
{
	struct signal_thread *t = &p->pages.page->thread[slot];
	uint32_t tid = shared32(&t->tid);
	if (tid == 0 && slot == 0)
		tid = p->session->pid;
	uint64_t set = tid ? pending_set(p, tid) : 0;
	kernel_post(&t->pending, set);
	if (set == 0)
		p->directed[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* Absolute words, from the queue: what lies in the page now may be older than what is queued already. */
void queue_mirror(struct process *p)
{
	struct signal_page *page = p->pages.page;
	if (!page)
		return;
	kernel_post(&page->pending, pending_set(p, 0));
	for (const struct pending *q = p->first; q; q = q->next) {
		int32_t slot = q->tid ? thread_slot(p, q->tid) : -1;
		if (slot >= 0)
			queue_distrust(p, (uint32_t)slot);
	}
	for (uint32_t i = 0; i < THREAD_SLOTS / 64; i++) {
		for (uint64_t left = p->directed[i]; left; left &= left - 1)
			mirror_slot(p, i * 64 + (uint32_t)__builtin_ctzll(left));
	}
}
