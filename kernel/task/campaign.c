/*
 * Fault injection: incarnations of recovery domains are destroyed at instants that nothing else in the system knows of.
 *
 * "kill-every=MICROSECONDS" on the command line turns it on, "kill-seed=N" chooses the sequence. About that often the timer strikes, and the
 * incarnation that it interrupts ends at that instruction; if the CPU runs none, one that waits ends. "kill-count=N" ends it after N kills,
 * "kill-delay=MILLISECONDS" after boot (300 if not given) begins it.
 * "kill-pairs=1": each kill is followed by that of another domain, within PAIR_DELAY, so also while the first is being made again; the partner is the one
 * with which the first had the fewest kills so far. Nothing here is used otherwise.
 */
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>

#define START_DELAY 300 /* ms: proc starts the first process before it is up itself */

static uint64_t period; /* ns; 0: off */
static uint64_t next_kill = DEADLINE_NEVER;
#define PAIR_DELAY UINT64_C(400000) /* ns, at most */
#define DOMAINS_MAX 16

static uint64_t kills_running, kills_waiting;
static uint64_t kills_left; /* UINT64_MAX: no end */
static bool pairs;
static const struct domain *known[DOMAINS_MAX]; /* domains as they were first hit; compared, never followed */
static uint64_t pair_kills[DOMAINS_MAX][DOMAINS_MAX];
static int first = -1, partner = -1; /* of the pair under way: in known[] */
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
	kills_left = command_line_number("kill-count=");
	if (kills_left == 0)
		kills_left = UINT64_MAX;
	pairs = command_line_number("kill-pairs=") != 0;
}

/* The system is up: from now on. */
void campaign_begin(void)
{
	if (period == 0 || next_kill != DEADLINE_NEVER)
		return;
	uint64_t delay = command_line_number("kill-delay=");
	next_kill = clock_now() + (delay != 0 ? delay : START_DELAY) * 1000000;
	timer_arm(next_kill);
}

uint64_t campaign_next(void)
{
	return next_kill;
}

static int domain_index(const struct domain *domain)
{
	for (int i = 0; i < DOMAINS_MAX; i++) {
		if (known[i] == NULL)
			known[i] = domain;
		if (known[i] == domain)
			return i;
	}
	return -1;
}

/* All domains are known, and in the order of their creation, before the first strike: `pair 0 1` is the same pair in every boot. */
static void learn_domains(void)
{
	uint64_t last = 0;

	for (int i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *next = NULL;

		list_for_each(l, &all_tasks)
		{
			const struct domain *domain = list_entry(l, struct task, all_link)->domain;

			if (domain != NULL && domain->object.id > last && (next == NULL || domain->object.id < next->object.id))
				next = domain;
		}
		if (next == NULL)
			return;
		last = next->object.id;
		(void)domain_index(next);
	}
}

void campaign_report(void)
{
	if (period == 0)
		return;
	kprintf("portico: kills %lu running %lu waiting\n", (unsigned long)kills_running, (unsigned long)kills_waiting);
	for (int i = 0; pairs && i < DOMAINS_MAX; i++)
		for (int j = i + 1; j < DOMAINS_MAX && known[j] != NULL; j++)
			kprintf("portico: pair %d %d %lu\n", i, j, (unsigned long)(pair_kills[i][j] + pair_kills[j][i]));
}

static struct task *incarnation_of(const struct domain *domain)
{
	list_for_each(l, &all_tasks)
	{
		struct task *task = list_entry(l, struct task, all_link);

		if (task->domain == domain && !task->dying)
			return task;
	}
	return NULL;
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

static void choose_partner(void)
{
	partner = -1;
	for (int i = 0; i < DOMAINS_MAX && known[i] != NULL; i++)
		if (i != first && (partner < 0 || pair_kills[first][i] + pair_kills[i][first] < pair_kills[first][partner] + pair_kills[partner][first]))
			partner = i;
}

/* The second kill of a pair. A partner that has no incarnation at this instant is being made again itself: later. */
static void strike_partner(uint64_t now)
{
	struct task *victim = incarnation_of(known[partner]);

	next_kill = now + (victim == NULL ? PAIR_DELAY / 8 : period / 2 + random() % period);
	if (victim == NULL)
		return;
	kills_waiting += victim != thread_current()->task;
	kills_running += victim == thread_current()->task;
	pair_kills[first][partner]++;
	partner = -1;
	task_terminate(victim);
}

static void strike(uint64_t now)
{
	struct thread *current = thread_current();
	struct task *victim = current->domain != NULL && !current->task->dying ? current->task : NULL;

	next_kill = now + period / 2 + random() % period;
	if (victim != NULL)
		kills_running++;
	else if (random() % 4 == 0 && (victim = waiting_victim()) != NULL)
		kills_waiting++;
	else
		return;
	if (pairs) {
		first = domain_index(victim->domain);
		choose_partner();
		next_kill = now + random() % PAIR_DELAY;
	}
	task_terminate(victim);
}

void campaign_tick(uint64_t now)
{
	if (now < next_kill)
		return;
	if (known[0] == NULL)
		learn_domains();
	if (partner >= 0)
		strike_partner(now);
	else
		strike(now);
	if (kills_running + kills_waiting >= kills_left && partner < 0)
		next_kill = DEADLINE_NEVER;
	timer_arm(next_kill);
}
