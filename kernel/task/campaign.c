/*
 * Fault injection: incarnations of recovery domains are destroyed at instants that nothing else in the system knows of.
 *
 * "kill-every=MICROSECONDS" on the command line turns it on, "kill-seed=N" chooses the sequence. About that often the timer strikes, and the
 * incarnation that it interrupts ends at that instruction; if the CPU runs none, one that waits ends. Nothing here is used otherwise.
 */
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>

#define START_DELAY UINT64_C(300000000) /* ns: proc starts the first process before it is up itself */

static uint64_t period; /* ns; 0: off */
static uint64_t next_kill = DEADLINE_NEVER;
static uint64_t kills_running, kills_waiting;
static uint64_t state = 88172645463325252u;

/* xorshift64, Marsaglia 2003. */
static uint64_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void campaign_init(void)
{
	period = command_line_number("kill-every=") * 1000;
	state ^= command_line_number("kill-seed=") * UINT64_C(0x9e3779b97f4a7c15);
}

/* The system is up: from now on. */
void campaign_begin(void)
{
	if (period == 0 || next_kill != DEADLINE_NEVER)
		return;
	next_kill = clock_now() + START_DELAY;
	timer_arm(next_kill);
}

uint64_t campaign_next(void)
{
	return next_kill;
}

void campaign_report(void)
{
	if (period != 0)
		kprintf("portico: kills %lu running %lu waiting\n", (unsigned long)kills_running, (unsigned long)kills_waiting);
}

static struct task *waiting_victim(void)
{
	struct task *victim = NULL;
	uint64_t seen = 0;

	list_for_each(l, &all_tasks)
	{
		struct task *task = list_entry(l, struct task, all_link);

		if (task->domain != NULL && !task->dying && random() % ++seen == 0)
			victim = task;
	}
	return victim;
}

void campaign_tick(uint64_t now)
{
	struct thread *current = thread_current();
	struct task *victim = current->domain != NULL && !current->task->dying ? current->task : NULL;

	if (now < next_kill)
		return;
	next_kill = now + period / 2 + random() % period;
	timer_arm(next_kill);
	if (victim != NULL)
		kills_running++;
	else if (random() % 4 == 0 && (victim = waiting_victim()) != NULL)
		kills_waiting++;
	else
		return;
	task_terminate(victim);
}
