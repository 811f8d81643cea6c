/*
 * Recovery domains: what of a server survives its incarnation. See domain.h.
 * Above: the domain traps, task.c and thread.c, which come here for tasks and threads of a domain. Below: kernel/ipc, kernel/vm.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/vm/vm.h>

/* ---- incarnations ---- */

/* The last incarnation's address space is not needed any more. */
static void release_last(struct domain *domain)
{
	struct task *task = domain->task;

	domain->task = NULL;
	if (task == NULL)
		return;
	if (task->map != NULL)
		reaper_add_task(task);
	object_unref(OBJECT(task));
}

struct task *domain_task_create(struct domain *domain, struct ledger *ledger, int64_t *status)
{
	struct task *task;

	*status = KERN_BUSY;
	if (domain->running)
		return NULL;
	task = task_create(domain->space, ledger, status);
	if (task == NULL)
		return NULL;
	if (domain->task != NULL && domain->task->map != NULL)
		*status = vm_map_duplicate_shared(domain->task->map, task->map);
	if (*status < 0) {
		object_unref(OBJECT(task));
		return NULL;
	}
	release_last(domain);
	task->domain = domain;
	object_ref(OBJECT(domain));
	domain->task = task;
	object_ref(OBJECT(task));
	domain->running = true;
	domain->incarnation++;
	domain->last.end = DOMAIN_END_NONE;
	*status = KERN_SUCCESS;
	return task;
}

struct thread *domain_thread_attach(struct task *task, uint64_t endpoint_address, int64_t *status)
{
	struct domain *domain = task->domain;
	struct thread *thread = domain->thread;

	*status = KERN_BUSY;
	if (!list_empty(&thread->task_link))
		return NULL;
	*status = thread_move(thread, task, endpoint_address);
	if (*status < 0)
		return NULL;
	thread_counters(thread)->incarnation = domain->incarnation;
	domain->seen_ns = 0;
	return thread;
}

/* ---- ends ---- */

void domain_note_end(struct thread *thread, enum domain_end end, uint32_t vector, uint64_t error, uint64_t address)
{
	struct domain *domain = thread->domain;

	if (domain == NULL || domain->last.end != DOMAIN_END_NONE)
		return;
	domain->last.end = end;
	domain->last.vector = vector;
	domain->last.error = error;
	domain->last.address = address;
}

/* Return addresses along the frame pointers, as far as they can be read. */
static void backtrace(struct thread *thread, struct domain_info *info)
{
	uint64_t frame[2], at = info->rbp;

	for (unsigned i = 0; i < DOMAIN_BACKTRACE; i++)
		info->backtrace[i] = 0;
	for (unsigned i = 0; i < DOMAIN_BACKTRACE && at != 0 && at % 8 == 0; i++) {
		if (vm_copy_in(thread->task->map, frame, at, sizeof(frame)) != sizeof(frame) || frame[0] <= at)
			return;
		info->backtrace[i] = frame[1];
		at = frame[0];
	}
}

static void write_epitaph(struct thread *thread)
{
	struct domain_info *info = &thread->domain->last;
	const struct registers *r = &thread->registers;

	domain_note_end(thread, DOMAIN_END_TERMINATED, 0, 0, 0);
	info->end_held = thread_counters(thread)->held;
	info->status = thread->exit_status;
	info->cpu_ns = thread->user_ns + thread->system_ns;
	info->rip = r->rip;
	info->rsp = r->rsp;
	info->rbp = r->rbp;
	info->rflags = r->rflags;
	info->rax = r->rax;
	info->rbx = r->rbx;
	info->rcx = r->rcx;
	info->rdx = r->rdx;
	info->rsi = r->rsi;
	info->rdi = r->rdi;
	info->r8 = r->r8;
	info->r9 = r->r9;
	info->r10 = r->r10;
	info->r11 = r->r11;
	info->r12 = r->r12;
	info->r13 = r->r13;
	info->r14 = r->r14;
	info->r15 = r->r15;
	backtrace(thread, info);
}

/* A domain has one thread that serves; without it the incarnation is over. */
void domain_thread_detach(struct thread *thread)
{
	struct task *task = thread->task;

	write_epitaph(thread);
	thread_leave(thread);
	if (task->dying && task->thread_count == 0)
		task_finish(task);
	else
		task_terminate(task);
	object_unref(OBJECT(thread)); /* the task's list */
}

void domain_task_ended(struct task *task)
{
	struct domain *domain = task->domain;

	task->domain = NULL;
	domain->running = false;
	object_unref(OBJECT(domain));
}

/* No right and no task is left: the identity goes too. */
void domain_destroy(struct domain *domain)
{
	struct thread *thread = domain->thread;
	struct ipc_space *space = domain->space;

	domain->thread = NULL;
	if (thread != NULL) {
		thread->domain = NULL;
		thread->object.dead = true;
		thread->state = THREAD_DEAD;
		ipc_call_drop(thread);
		ipc_endpoint_closed(&thread->endpoint_storage);
		object_died(OBJECT(thread));
		object_unref(OBJECT(thread));
	}
	release_last(domain);
	domain->space = NULL;
	if (space != NULL)
		object_unref((struct kobject *)space);
	object_free(OBJECT(domain), sizeof(*domain));
}

/* ---- traps ---- */

struct domain *domain_create(struct ledger *ledger)
{
	struct domain *domain = object_allocate(KOBJ_DOMAIN, sizeof(*domain), ledger);

	if (domain == NULL)
		return NULL;
	domain->space = ipc_space_create(ledger);
	if (domain->space == NULL) {
		object_unref(OBJECT(domain));
		return NULL;
	}
	return domain;
}

int64_t trap_handle_domain_create(uint64_t ledger_name, uint64_t chosen, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *self = thread_current()->task;
	struct ledger *ledger = self->ledger;
	int64_t status = KERN_SUCCESS, name;
	struct domain *domain;

	(void)c, (void)d, (void)e, (void)f;
	if (ledger_name != 0)
		ledger = right_lookup(self->space, (port_name_t)ledger_name, KOBJ_LEDGER, 0, &status);
	if (status != KERN_SUCCESS)
		return status;
	domain = domain_create(ledger);
	if (domain == NULL)
		return KERN_NO_MEMORY;
	name = right_enter_object(self->space, OBJECT(domain), RIGHT_CONTROL, (port_name_t)chosen);
	object_unref(OBJECT(domain));
	return name;
}

/* The present: counters, time, the message in service. */
static void describe_thread(struct domain *domain, struct domain_info *info)
{
	struct thread *thread = domain->thread;
	const struct portico_counters *counters = thread_counters(thread);
	const struct msg_header *header = &thread->endpoint->request->header;

	info->commits = counters->commits;
	info->held = counters->held;
	info->sent = counters->sent;
	info->received = counters->received;
	info->in_call = thread->called_port != NULL;
	info->calls_port = thread->called_port == NULL ? 0 : ((struct kobject *)thread->called_port)->id;
	info->kind = header->kind;
	info->request = header->request;
	info->ordinal = header->ordinal;
	info->principal = header->principal;
	info->badge = header->badge;
	if (!domain->running)
		return;
	info->cpu_ns = thread->user_ns + thread->system_ns;
	if (domain->seen_commits != info->commits || domain->seen_ns == 0) {
		domain->seen_commits = info->commits;
		domain->seen_ns = info->cpu_ns + 1;
	}
	info->service_ns = info->cpu_ns + 1 - domain->seen_ns;
}

int64_t trap_handle_domain_info(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;
	struct domain *domain = right_lookup(self->task->space, (port_name_t)name, KOBJ_DOMAIN, RIGHT_CONTROL, &status);
	struct domain_info *info = (struct domain_info *)self->endpoint->send->data;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (domain == NULL)
		return status;
	*info = domain->last;
	info->incarnation = domain->incarnation;
	info->running = domain->running;
	if (domain->thread != NULL)
		describe_thread(domain, info);
	return KERN_SUCCESS;
}

int64_t trap_handle_domain_clear(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct domain *domain = right_lookup(thread_current()->task->space, (port_name_t)name, KOBJ_DOMAIN, RIGHT_CONTROL, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (domain == NULL)
		return status;
	if (domain->running)
		return KERN_BUSY;
	release_last(domain);
	if (domain->thread != NULL) {
		ipc_call_drop(domain->thread);
		ipc_endpoint_closed(&domain->thread->endpoint_storage);
		thread_counters(domain->thread)->sent = thread_counters(domain->thread)->received;
		thread_counters(domain->thread)->held = 0;
	}
	if (!ipc_space_clear_step(domain->space))
		thread_preempt_restart();
	return KERN_SUCCESS;
}
