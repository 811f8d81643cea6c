/*
 * The scheduler: 32 priorities, a run queue a priority and CPU, round robin among equals, wake-up preemption, idle CPUs steal.
 *
 * schedule() is the one place where a CPU changes threads other than by the direct switch of a message; it also sees to what happened to
 * the thread meanwhile (attention): death, suspension, interrupts. When nothing can run it does the reaper's work.
 * Above: the way out of the kernel (kernel/arch). Below: reaper.c, exception.c.
 */
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

#define IDLE_STEPS 8 /* of the reaper, before interrupts are let in again */
#define IDLE_PAGES 4 /* zeroed ahead, likewise */
#define OFFER_NS UINT64_C(500000) /* after so long an idle CPU is told of threads that wait here */

static struct thread idle_threads[CPUS_MAX];
static uint64_t accounted[CPUS_MAX]; /* clock at the last account() */

void sched_init(void)
{
	uint64_t now = clock_now();

	for (uint32_t i = 0; i < cpu_count; i++) {
		struct thread *idle = &idle_threads[i];
		idle->object.kind = KOBJ_THREAD;
		idle->object.refs = 1;
		idle->task = &kernel_task;
		idle->state = THREAD_RUNNING;
		idle->cpu = i;
		idle->affinity = 1u << i;
		idle->slice_left = SLICE_NS;
		list_init(&idle->run_link);
		list_init(&idle->wait_link);
		cpus[i].idle_thread = idle;
		if (cpus[i].current == NULL)
			cpus[i].current = idle;
		accounted[i] = now;
	}
}

static inline bool is_idle(const struct cpu *cpu)
{
	return cpu->current == cpu->idle_thread || cpu->current == NULL;
}

/* ---- run queues ---- */

static void enqueue(struct cpu *cpu, struct thread *thread, bool front)
{
	struct list *queue = &cpu->run_queue[thread->priority];

	thread->cpu = cpu->id;
	if (front)
		list_push_front(queue, &thread->run_link);
	else
		list_push_back(queue, &thread->run_link);
	cpu->run_mask |= 1u << thread->priority;
}

static void unlink_run(struct cpu *cpu, struct thread *thread)
{
	list_remove(&thread->run_link);
	if (list_empty(&cpu->run_queue[thread->priority]))
		cpu->run_mask &= ~(1u << thread->priority);
}

void sched_dequeue(struct thread *thread)
{
	if (!list_empty(&thread->run_link))
		unlink_run(&cpus[thread->cpu], thread);
}

/* An interrupt of another CPU is dear: where the flag is set, one is on its way, or the CPU waits for the kernel lock. */
static void kick_cpu(struct cpu *cpu)
{
	if (cpu->reschedule)
		return;
	cpu->reschedule = true;
	if (cpu != cpu_current())
		cpu_poke(cpu->id);
}

void sched_kick(struct thread *thread)
{
	kick_cpu(&cpus[thread->cpu]);
}

static bool may_use(const struct thread *thread, const struct cpu *cpu)
{
	return cpu->online && thread->affinity & 1u << cpu->id;
}

/* Where a thread that wakes shall run: where it ran last, unless that CPU is busy and another one idle. */
static struct cpu *choose_cpu(const struct thread *thread)
{
	struct cpu *last = &cpus[thread->cpu], *any = NULL;

	if (may_use(thread, last) && is_idle(last) && last->run_mask == 0)
		return last;
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (!may_use(thread, &cpus[i]))
			continue;
		if (is_idle(&cpus[i]) && cpus[i].run_mask == 0)
			return &cpus[i];
		if (any == NULL)
			any = &cpus[i];
	}
	if (may_use(thread, last))
		return last;
	return any != NULL ? any : cpu_current();
}

static struct cpu *idle_cpu(void)
{
	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i].online && is_idle(&cpus[i]) && cpus[i].run_mask == 0)
			return &cpus[i];
	return NULL;
}

/*
 * Threads of one task that wake each other in turns would do so across CPUs, with an interrupt and a halt for every turn. So they stay
 * here at first: the waker is likely to wait soon. If it does not, an idle CPU takes them: offer().
 */
static bool stays_here(const struct cpu *self, const struct thread *thread)
{
	const struct thread *waker = self->current;

	return !is_idle(self) && waker->task == thread->task && waker->priority == thread->priority && may_use(thread, self);
}

void thread_make_runnable(struct thread *thread)
{
	struct cpu *cpu = cpu_current();

	thread->state = THREAD_RUNNABLE;
	if (thread->attention & (ATTENTION_STOP | ATTENTION_DYING))
		return;
	if (!stays_here(cpu, thread))
		cpu = choose_cpu(thread);
	else if (idle_cpu() != NULL)
		timer_arm(clock_now() + OFFER_NS);
	enqueue(cpu, thread, false);
	if (is_idle(cpu) || cpu->current->state != THREAD_RUNNING || thread->priority > cpu->current->priority)
		kick_cpu(cpu);
}

/* ---- time ---- */

/* A thread that was in its personality when the clock struck was in the system, as its program sees it. */
static bool in_system(const struct thread *thread)
{
	const struct personality *p = &thread->task->personality;

	return thread->registers.rip >= p->text_begin && thread->registers.rip < p->text_end;
}

static void account(struct cpu *cpu, uint64_t now)
{
	struct thread *thread = cpu->current;
	uint64_t ran = now - accounted[cpu->id];

	accounted[cpu->id] = now;
	if (thread == NULL || thread == cpu->idle_thread)
		return;
	if (in_system(thread))
		thread->system_ns += ran;
	else
		thread->user_ns += ran;
	thread->slice_left -= ran < thread->slice_left ? ran : thread->slice_left;
}

/* The tick: the running thread's slice may be over. */
static void slice_check(struct cpu *cpu)
{
	struct thread *thread = cpu->current;

	if (is_idle(cpu) || thread->slice_left > 0)
		return;
	if (cpu->run_mask >> thread->priority != 0)
		cpu->reschedule = true;
	else
		thread->slice_left = SLICE_NS;
}

static void offer(const struct cpu *cpu, uint64_t now)
{
	struct cpu *idle = cpu->run_mask == 0 ? NULL : idle_cpu();

	if (idle == NULL)
		return;
	kick_cpu(idle);
	timer_arm(now + OFFER_NS); /* it takes one; there may be more */
}

void sched_tick(uint64_t now)
{
	struct cpu *cpu = cpu_current();

	account(cpu, now);
	slice_check(cpu);
	offer(cpu, now);
}

/* ---- choosing ---- */

static struct thread *pick(struct cpu *cpu)
{
	struct thread *thread;
	unsigned priority;

	if (cpu->run_mask == 0)
		return NULL;
	priority = 31 - (unsigned)__builtin_clz(cpu->run_mask);
	thread = list_entry(list_first(&cpu->run_queue[priority]), struct thread, run_link);
	unlink_run(cpu, thread);
	return thread;
}

static struct thread *steal_from(struct cpu *victim, const struct cpu *thief)
{
	for (uint32_t mask = victim->run_mask; mask != 0;) {
		unsigned priority = 31 - (unsigned)__builtin_clz(mask);
		list_for_each(l, &victim->run_queue[priority])
		{
			struct thread *thread = list_entry(l, struct thread, run_link);
			if (thread->affinity & 1u << thief->id) {
				unlink_run(victim, thread);
				return thread;
			}
		}
		mask &= ~(1u << priority);
	}
	return NULL;
}

static struct thread *steal(const struct cpu *thief)
{
	struct thread *thread;

	for (uint32_t i = 0; i < cpu_count; i++) {
		if (&cpus[i] == thief || is_idle(&cpus[i]))
			continue;
		thread = steal_from(&cpus[i], thief);
		if (thread != NULL)
			return thread;
	}
	return NULL;
}

/* What became of the thread that leaves the CPU, or might go on. */
static void put_back(struct cpu *cpu, struct thread *thread)
{
	bool over = thread->slice_left == 0;

	if (thread->attention & ATTENTION_INTERRUPT)
		interrupt_deliver(thread);
	if (over)
		thread->slice_left = SLICE_NS;
	if (thread->state != THREAD_RUNNING)
		return;
	thread->state = THREAD_RUNNABLE;
	if (thread->attention & (ATTENTION_STOP | ATTENTION_DYING))
		return;
	enqueue(cpu, thread, !over);
}

static struct thread *choose(struct cpu *cpu)
{
	struct thread *next;

	for (int step = 0; step <= IDLE_STEPS; step++) {
		next = pick(cpu);
		if (next == NULL)
			next = steal(cpu);
		if (next != NULL || !reaper_step())
			break;
	}
	for (int i = 0; next == NULL && i < IDLE_PAGES; i++)
		if (!page_zero_ahead())
			break;
	return next == NULL ? cpu->idle_thread : next;
}

struct thread *schedule(void)
{
	struct cpu *cpu = cpu_current();
	struct thread *previous = cpu->current, *next;

	account(cpu, clock_now());
	cpu->reschedule = false;
	if (previous != NULL && previous != cpu->idle_thread) {
		put_back(cpu, previous);
		cpu->current = cpu->idle_thread;
		if (previous->attention & ATTENTION_DYING) {
			thread_finish(previous);
			previous = NULL;
		}
	}
	next = choose(cpu);
	if (previous != NULL && previous != next && previous->state == THREAD_RUNNABLE)
		previous->involuntary_switches++;
	next->state = THREAD_RUNNING;
	next->cpu = cpu->id;
	cpu->current = next;
	return next;
}
