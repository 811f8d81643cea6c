/*
 * Traps on the system as a whole: log, power, counters, boot modules; and the report on tasks that a panic prints.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/devices.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

int64_t trap_handle_null(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return KERN_SUCCESS;
}

int64_t trap_handle_log_write(uint64_t log, uint64_t length, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status = KERN_SUCCESS;

	(void)c, (void)d, (void)e, (void)f;
	if (right_lookup(self->task->space, (port_name_t)log, KOBJ_LOG, 0, &status) == NULL)
		return status;
	if (length > MSG_INLINE_MAX)
		return KERN_TOO_LARGE;
	log_bytes((const char *)self->endpoint->send->data, length);
	return KERN_SUCCESS;
}

int64_t trap_handle_system_power(uint64_t machine, uint64_t action, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;

	(void)c, (void)d, (void)e, (void)f;
	if (right_lookup(thread_current()->task->space, (port_name_t)machine, KOBJ_MACHINE, 0, &status) == NULL)
		return status;
	if (action > POWER_PANIC)
		return KERN_INVALID_ARGUMENT;
	campaign_report();
	machine_power((uint32_t)action);
}

/* The structure is longer than result[] and goes on into argument[]. */
int64_t trap_handle_system_counters(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct system_counters counters = {.pages_total = pages_total, .pages_free = pages_free, .pages_kernel = pages_kernel};
	char *block = (char *)thread_current()->endpoint->block;

	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	__builtin_memcpy(counters.objects, object_counts, sizeof(counters.objects));
	__builtin_memcpy(block + offsetof(struct portico_block, result), &counters, sizeof(counters));
	return KERN_SUCCESS;
}

int64_t trap_handle_module_get(uint64_t machine, uint64_t index, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	struct ipc_space *space = self->task->space;
	int64_t status = KERN_SUCCESS, name;
	struct memory_object *object;

	(void)c, (void)d, (void)e, (void)f;
	if (right_lookup(space, (port_name_t)machine, KOBJ_MACHINE, 0, &status) == NULL)
		return status;
	if (index >= boot_module_count)
		return KERN_INVALID_ARGUMENT;
	object = memory_object_create_image(boot_modules[index].physical,
					    (boot_modules[index].size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
	if (object == NULL)
		return KERN_NO_MEMORY;
	name = right_enter_object(space, (struct kobject *)object, RIGHT_READ | RIGHT_EXECUTE, PORT_NULL);
	object_unref((struct kobject *)object);
	if (name < 0)
		return name;
	self->endpoint->block->result[0] = (uint64_t)name;
	self->endpoint->block->result[1] = boot_modules[index].size;
	__builtin_memcpy(self->endpoint->send->data, boot_modules[index].name, sizeof(boot_modules[index].name));
	return KERN_SUCCESS;
}

/* ---- report ---- */

static const char *const states[] = {"new", "runnable", "running", "blocked", "dead"};
static const char *const waits[] = {"",	  "receive", "send",  "call queued", "call in service", "futex",
				    "sleep", "page",    "exception"};

static void report_thread(const struct thread *thread)
{
	kprintf("  slot %u cpu %u priority %u %s %s rip %#lx\n", thread->slot, thread->cpu, thread->priority,
		states[thread->state], waits[thread->wait], (unsigned long)thread->registers.rip);
}

void report_tasks(void)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		const struct thread *thread = cpus[i].current;
		if (thread == NULL || thread == cpus[i].idle_thread)
			kprintf("cpu %u: idle\n", i);
		else
			kprintf("cpu %u: task %lu (%s) slot %u\n", i, (unsigned long)thread->task->object.id,
				thread->task->name, thread->slot);
	}
	list_for_each(l, &all_tasks)
	{
		struct task *task = list_entry(l, struct task, all_link);
		kprintf("task %lu (%s) principal %#lx%s%s\n", (unsigned long)task->object.id, task->name,
			(unsigned long)task->principal, task->suspend_count > 0 ? " suspended" : "",
			task->object.dead ? " dead" : "");
		list_for_each(t, &task->threads)
			report_thread(list_entry(t, struct thread, task_link));
	}
}
