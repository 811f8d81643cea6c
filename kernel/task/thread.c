/*
 * Threads: birth, waiting and waking, death.
 *
 * A thread is started by thread_start (thread_traps.c), blocks by thread_block*, and is made runnable by thread_wake*. Its death is asked for by
 * thread_terminate and done by thread_finish, at once if it runs nowhere, else by schedule() on the CPU where it runs.
 * Above: kernel/ipc, kernel/vm, the traps. Below: sched.c, timeout.c, kernel/arch for context.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

#define SYSCALL_LENGTH 2 /* bytes of the syscall instruction */

/* ---- waiting ---- */

static void block(struct thread *self, enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible)
{
	self->state = THREAD_BLOCKED;
	self->wait = (uint8_t)wait;
	self->wait_object = object;
	self->interruptible = interruptible;
	self->rewound = false;
	self->deadline = DEADLINE_NEVER;
	self->voluntary_switches++;
	if (deadline != DEADLINE_NEVER)
		timeout_set(self, deadline);
	cpu_current()->reschedule = true;
}

void thread_block(enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible)
{
	block(thread_current(), wait, object, deadline, interruptible);
}

void thread_rewind(struct thread *thread)
{
	thread->registers.rip -= SYSCALL_LENGTH;
}

/* A fault is repeated by itself; a trap has its instruction behind it. rax still holds the trap's number. */
void thread_block_restart(enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible)
{
	struct thread *self = thread_current();

	block(self, wait, object, deadline, interruptible);
	if (thread_in_trap(self)) {
		thread_rewind(self);
		self->rewound = true;
	}
}

/* Not a wait: the thread stays runnable, and comes again when those before it have run. */
void thread_preempt_restart(void)
{
	struct thread *self = thread_current();

	if (self->in_commit) {
		self->preempted = true;
		return;
	}
	if (thread_in_trap(self))
		thread_rewind(self);
	thread_make_runnable(self);
	cpu_current()->reschedule = true;
}

static void wait_ended(struct thread *thread)
{
	if (thread->deadline != DEADLINE_NEVER)
		timeout_clear(thread);
	if (thread->wait == WAIT_FUTEX)
		futex_unlink(thread);
	list_remove(&thread->wait_link);
	thread->wait = WAIT_NONE;
	thread->wait_object = NULL;
	thread->interruptible = false;
}

void thread_wake(struct thread *thread, int64_t status)
{
	wait_ended(thread);
	if (thread->rewound)
		thread->registers.rip += SYSCALL_LENGTH;
	thread->rewound = false;
	thread->registers.rax = (uint64_t)status;
	thread_make_runnable(thread);
}

void thread_wake_restart(struct thread *thread)
{
	wait_ended(thread);
	thread->rewound = false;
	thread_make_runnable(thread);
}

void thread_hand_over(struct thread *next, int64_t status)
{
	struct cpu *cpu = cpu_current();

	if (cpu->current->attention != 0 || !sched_may_switch(cpu, next)) {
		thread_wake(next, status);
		return;
	}
	wait_ended(next);
	next->registers.rax = (uint64_t)status;
	next->state = THREAD_RUNNING;
	next->cpu = cpu->id;
	cpu->current = next;
	cpu->reschedule = false;
}

bool thread_leave_wait(struct thread *thread, bool died)
{
	if (thread->wait == WAIT_PAGE) {
		vm_abort_page_wait(thread);
		return true;
	}
	return ipc_abort_wait(thread, died);
}

static void restart_waits_of(struct task *task)
{
	list_for_each(l, &task->threads)
	{
		struct thread *thread = list_entry(l, struct thread, task_link);
		if (thread->state == THREAD_BLOCKED && thread->wait == WAIT_PAGE)
			thread_wake_restart(thread);
	}
}

void restart_page_waits(void)
{
	list_for_each(l, &all_tasks)
		restart_waits_of(list_entry(l, struct task, all_link));
}

/* ---- birth ---- */

static uint32_t endpoint_pages(const struct thread *thread)
{
	if (thread->domain != NULL)
		return ENDPOINT_DOMAIN_PAGES;
	return thread->flags & THREAD_SERVER ? ENDPOINT_PAGES : ENDPOINT_PAGES - 1;
}

/* All pages in the order in which they are mapped; NULL from endpoint_pages() on. */
static void endpoint_list(const struct endpoint *e, void *pages[ENDPOINT_DOMAIN_PAGES])
{
	pages[ENDPOINT_BLOCK] = e->block;
	pages[ENDPOINT_SEND] = e->send;
	pages[ENDPOINT_REPLY] = e->reply;
	pages[ENDPOINT_REQUEST] = e->request;
	for (unsigned i = ENDPOINT_COMMIT; i < ENDPOINT_DOMAIN_PAGES; i++)
		pages[i] = e->commit[i - ENDPOINT_COMMIT];
}

static void endpoint_release(struct thread *thread)
{
	struct endpoint *e = &thread->endpoint_storage;
	void *pages[ENDPOINT_DOMAIN_PAGES];
	uint64_t count = 0;

	endpoint_list(e, pages);
	e->block = NULL;
	e->send = e->reply = e->request = NULL;
	for (unsigned i = 0; i < ENDPOINT_DOMAIN_PAGES; i++)
		if (pages[i] != NULL) {
			page_release(pages[i]);
			count++;
		}
	ledger_credit_pages(thread->object.ledger, count);
}

static bool endpoint_allocate(struct thread *thread, uint64_t user)
{
	struct endpoint *e = &thread->endpoint_storage;
	uint32_t count = endpoint_pages(thread);
	void *pages[ENDPOINT_DOMAIN_PAGES] = {NULL};

	thread->endpoint = e;
	if (!ledger_charge_pages(thread->object.ledger, count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		pages[i] = page_allocate();
		if (pages[i] == NULL) {
			ledger_credit_pages(thread->object.ledger, count);
			while (i-- > 0)
				page_release(pages[i]);
			return false;
		}
	}
	e->block = pages[ENDPOINT_BLOCK];
	e->send = pages[ENDPOINT_SEND];
	e->reply = pages[ENDPOINT_REPLY];
	e->request = pages[ENDPOINT_REQUEST];
	for (unsigned i = ENDPOINT_COMMIT; i < ENDPOINT_DOMAIN_PAGES; i++)
		e->commit[i - ENDPOINT_COMMIT] = pages[i];
	e->user = user;
	e->block->self = user;
	e->block->slot = thread->slot;
	return true;
}

static int64_t endpoint_map(struct thread *thread)
{
	struct endpoint *e = &thread->endpoint_storage;
	void *pages[ENDPOINT_DOMAIN_PAGES];

	endpoint_list(e, pages);
	return vm_map_enter_pages(thread->task->map, e->user, pages, endpoint_pages(thread), VM_READ | VM_WRITE);
}

static bool slot_taken(struct task *task, uint32_t slot)
{
	list_for_each(l, &task->threads)
		if (list_entry(l, struct thread, task_link)->slot == slot)
			return true;
	return false;
}

static int64_t create_check(struct task *task, uint32_t slot, uint64_t address, uint32_t flags)
{
	if (task->dying)
		return KERN_DEAD;
	if (slot >= THREAD_SLOTS || flags & ~(uint32_t)(THREAD_NO_FPU | THREAD_SERVER) || address % PAGE_SIZE != 0 ||
	    address < USER_MIN || address > USER_MAX - ENDPOINT_DOMAIN_PAGES * PAGE_SIZE)
		return KERN_INVALID_ARGUMENT;
	return slot_taken(task, slot) ? KERN_NAME_EXISTS : KERN_SUCCESS;
}

static struct thread *thread_allocate(struct task *task, uint32_t slot, uint32_t flags)
{
	struct thread *thread = object_allocate(KOBJ_THREAD, sizeof(*thread), task->ledger);

	if (thread == NULL)
		return NULL;
	thread->task = task;
	thread->slot = slot;
	thread->flags = flags;
	thread->state = THREAD_NEW;
	thread->priority = PRIORITY_PROCESS;
	thread->affinity = ~0u;
	thread->cpu = cpu_current()->id;
	thread->slice_left = SLICE_NS;
	thread->deadline = DEADLINE_NEVER;
	list_init(&thread->task_link);
	list_init(&thread->run_link);
	list_init(&thread->wait_link);
	list_init(&thread->cancel.link);
	list_init(&thread->call.link);
	list_init(&thread->page_wait.link);
	thread->cancel.kind = MSG_CANCEL;
	thread->call.type = MESSAGE_CALL;
	object_ref(OBJECT(task));
	return thread;
}

/* On the task's list, which takes a reference; ready to be started. */
static void enter_task(struct thread *thread, struct task *task)
{
	list_push_back(&task->threads, &thread->task_link);
	task->thread_count++;
	if (task->suspend_count > 0)
		thread->attention |= ATTENTION_STOP;
	object_ref(OBJECT(thread));
	thread_arch_init(thread);
	thread_arch_set_personality(thread);
}

struct thread *thread_create(struct task *task, uint32_t slot, uint64_t endpoint_address, uint32_t flags, int64_t *status)
{
	struct thread *thread;

	*status = create_check(task, slot, endpoint_address, flags);
	if (*status != KERN_SUCCESS)
		return NULL;
	if (task->domain != NULL && flags & THREAD_SERVER && task->domain->thread != NULL)
		return domain_thread_attach(task, endpoint_address, status);
	*status = KERN_NO_MEMORY;
	thread = thread_allocate(task, slot, flags);
	if (thread == NULL)
		return NULL;
	if (task->domain != NULL && flags & THREAD_SERVER)
		thread->domain = task->domain;
	thread->fault_message = kernel_message_create(thread, task->ledger);
	if (thread->fault_message == NULL || !endpoint_allocate(thread, endpoint_address)) {
		object_unref(OBJECT(thread));
		return NULL;
	}
	*status = endpoint_map(thread);
	if (*status < 0) {
		object_unref(OBJECT(thread));
		return NULL;
	}
	*status = KERN_SUCCESS;
	enter_task(thread, task);
	if (thread->domain != NULL) {
		thread->domain->thread = thread;
		object_ref(OBJECT(thread));
		thread_counters(thread)->commits = 1;
		thread_counters(thread)->incarnation = thread->domain->incarnation;
	}
	return thread;
}

int64_t thread_move(struct thread *thread, struct task *task, uint64_t endpoint_address)
{
	struct task *old = thread->task;
	int64_t status;

	thread->task = task;
	thread->endpoint_storage.user = endpoint_address;
	status = endpoint_map(thread);
	if (status < 0) {
		thread->task = old;
		return status;
	}
	object_ref(OBJECT(task));
	object_unref(OBJECT(old));
	thread->endpoint_storage.block->self = endpoint_address;
	object_ref(OBJECT(thread)); /* the caller's */
	enter_task(thread, task);
	return KERN_SUCCESS;
}

/* ---- death ---- */

static void leave_task(struct thread *thread)
{
	struct task *task = thread->task;

	list_remove(&thread->task_link);
	task->thread_count--;
	task->user_ns += thread->user_ns;
	task->system_ns += thread->system_ns;
	task->voluntary_switches += thread->voluntary_switches;
	task->involuntary_switches += thread->involuntary_switches;
}

void thread_leave(struct thread *thread)
{
	struct task *task = thread->task;

	if (thread->state == THREAD_RUNNABLE)
		sched_dequeue(thread);
	if (thread->state == THREAD_BLOCKED) {
		if (thread->wait != WAIT_QUEUED && thread->wait != WAIT_REPLY)
			(void)thread_leave_wait(thread, true);
		wait_ended(thread);
	}
	thread->state = THREAD_NEW;
	thread->attention = 0;
	thread->rewound = false;
	thread->in_commit = false;
	thread->exit_status = 0;
	thread_arch_free(thread);
	if (task->map != NULL)
		(void)vm_map_remove(task->map, thread->endpoint_storage.user, endpoint_pages(thread) * PAGE_SIZE);
	leave_task(thread);
	thread->user_ns = thread->system_ns = 0;
}

void thread_finish(struct thread *thread)
{
	struct task *task = thread->task;

	if (thread->object.dead)
		return;
	if (thread->domain != NULL) {
		domain_thread_detach(thread);
		return;
	}
	thread->object.dead = true;
	if (thread->state == THREAD_RUNNABLE)
		sched_dequeue(thread);
	if (thread->state == THREAD_BLOCKED) {
		(void)thread_leave_wait(thread, true);
		wait_ended(thread);
	}
	thread->state = THREAD_DEAD;
	ipc_endpoint_closed(&thread->endpoint_storage);
	thread_arch_free(thread);
	if (task->map != NULL)
		(void)vm_map_remove(task->map, thread->endpoint_storage.user, endpoint_pages(thread) * PAGE_SIZE);
	endpoint_release(thread);
	kernel_message_drop(thread->fault_message);
	thread->fault_message = NULL;
	leave_task(thread);
	object_died(OBJECT(thread));
	if (task->dying && task->thread_count == 0)
		task_finish(task);
	object_unref(OBJECT(thread));
}

void thread_terminate(struct thread *thread)
{
	if (thread->object.dead || thread->attention & ATTENTION_DYING)
		return;
	thread->attention |= ATTENTION_DYING;
	if (thread->state == THREAD_RUNNING)
		sched_kick(thread);
	else
		thread_finish(thread);
}

/* Last reference gone: dead, or never complete. */
void thread_destroy(struct thread *thread)
{
	struct task *task = thread->task;

	if (thread->fault_message != NULL)
		kernel_message_drop(thread->fault_message);
	if (thread->endpoint_storage.block != NULL)
		endpoint_release(thread);
	object_free(OBJECT(thread), sizeof(*thread));
	object_unref(OBJECT(task));
}
