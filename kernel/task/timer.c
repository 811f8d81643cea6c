/*
 * Timers: at the deadline, and then at each interval, bits are notified to a port. One that is late fires once, and the next time falls on
 * the grid of its intervals.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/devices.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>

#define INTERVAL_MIN UINT64_C(100000) /* ns: a shorter one would keep the CPU busy with itself */

struct timer {
	struct kobject object;
	struct heap_node node;
	bool armed;
	uint64_t interval;
	struct port *port;   /* reference */
	uint64_t bits;
};

static struct heap queue;

static void disarm(struct timer *timer)
{
	if (timer->armed)
		heap_remove(&queue, &timer->node);
	timer->armed = false;
}

static void arm(struct timer *timer, uint64_t deadline)
{
	timer->node.key = deadline;
	timer->armed = true;
	heap_insert(&queue, &timer->node);
	if (queue.root == &timer->node)
		timer_arm(deadline);
}

void timers_expire(uint64_t now)
{
	while (queue.root != NULL && queue.root->key <= now) {
		struct timer *timer = list_entry(queue.root, struct timer, node);
		uint64_t due = timer->node.key;
		disarm(timer);
		if (timer->interval != 0)
			arm(timer, due + ((now - due) / timer->interval + 1) * timer->interval);
		port_notify_bits(timer->port, timer->bits);
	}
}

uint64_t timers_next(void)
{
	return queue.root == NULL ? DEADLINE_NEVER : queue.root->key;
}

void timer_destroy(struct kobject *object)
{
	struct timer *timer = (struct timer *)object;

	disarm(timer);
	object_unref((struct kobject *)timer->port);
	object_free(object, sizeof(*timer));
}

int64_t trap_handle_timer_create(uint64_t port_name, uint64_t bits, uint64_t chosen, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	int64_t status = KERN_SUCCESS, name;
	struct port *port = receive_lookup(task->space, (port_name_t)port_name, &status);
	struct timer *timer;

	(void)d, (void)e, (void)f;
	if (port == NULL)
		return status;
	if (bits == 0)
		return KERN_INVALID_ARGUMENT;
	timer = object_allocate(KOBJ_TIMER, sizeof(*timer), task->ledger);
	if (timer == NULL)
		return KERN_NO_MEMORY;
	timer->port = port;
	timer->bits = bits;
	object_ref((struct kobject *)port);
	name = right_enter_object(task->space, OBJECT(timer), 0, (port_name_t)chosen);
	object_unref(OBJECT(timer));
	return name;
}

int64_t trap_handle_timer_set(uint64_t name, uint64_t deadline, uint64_t interval, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct timer *timer = right_lookup(thread_current()->task->space, (port_name_t)name, KOBJ_TIMER, 0, &status);

	(void)d, (void)e, (void)f;
	if (timer == NULL)
		return status;
	if (interval != 0 && interval < INTERVAL_MIN)
		return KERN_INVALID_ARGUMENT;
	disarm(timer);
	timer->interval = interval;
	if (deadline != DEADLINE_NEVER)
		arm(timer, deadline);
	return KERN_SUCCESS;
}

int64_t trap_handle_clock_set(uint64_t machine, uint64_t offset, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;

	(void)c, (void)d, (void)e, (void)f;
	if (right_lookup(thread_current()->task->space, (port_name_t)machine, KOBJ_MACHINE, 0, &status) == NULL)
		return status;
	clock_set_realtime_offset((int64_t)offset);
	return KERN_SUCCESS;
}
