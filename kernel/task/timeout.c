/*
 * Deadlines of blocked threads, one queue for the machine. The tick (kernel/arch) calls timeouts_expire; whoever brings an earlier deadline arms
 * this CPU's timer for it.
 */
#include <kernel/task/devices.h>
#include <kernel/task/sched.h>

static struct heap queue;

void timeout_set(struct thread *thread, uint64_t deadline)
{
	thread->deadline = deadline;
	thread->timeout.key = deadline;
	heap_insert(&queue, &thread->timeout);
	if (queue.root == &thread->timeout)
		timer_arm(deadline);
}

void timeout_clear(struct thread *thread)
{
	if (heap_holds(&queue, &thread->timeout))
		heap_remove(&queue, &thread->timeout);
	thread->deadline = DEADLINE_NEVER;
}

/* A call in service goes on waiting: its server has been told. */
static void overdue(struct thread *thread)
{
	int64_t status = thread->wait == WAIT_SLEEP ? KERN_SUCCESS : KERN_TIMED_OUT;

	timeout_clear(thread);
	if (thread_leave_wait(thread, false))
		thread_wake(thread, status);
}

void timeouts_expire(uint64_t now)
{
	while (queue.root != NULL && queue.root->key <= now)
		overdue(list_entry(queue.root, struct thread, timeout));
	timers_expire(now);
	sched_tick(now);
	campaign_tick(now);
}

uint64_t timeouts_next(void)
{
	uint64_t next = queue.root == NULL ? DEADLINE_NEVER : queue.root->key;
	uint64_t timer = timers_next();
	struct cpu *cpu = cpu_current();

	if (cpu->current == cpu->idle_thread && reaper_pending())
		return clock_now();
	if (campaign_next() < next)
		next = campaign_next();
	return timer < next ? timer : next;
}
