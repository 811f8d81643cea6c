/*
 * Ports and port sets: creation, membership, death.
 *
 * A set keeps a list of those members that have something to receive, members with control notifications first, so that a
 * receive finds its port in constant time. The death of a port can release further receive rights that were queued on it; these
 * are taken from a list, not by recursion, so that no chain of ports can go deep into the kernel stack.
 * Above: right.c (a receive right given up), the traps. Below: message.c, notify.c for what is queued.
 */
#include <kernel/ipc/internal.h>

static struct list dying = LIST_INIT(dying);

static struct port *port_create(uint32_t queue_limit, struct ledger *ledger)
{
	struct port *port = object_allocate(KOBJ_PORT, sizeof(*port), ledger);

	if (port == NULL)
		return NULL;
	list_init(&port->set_link);
	list_init(&port->ready_link);
	list_init(&port->receivers);
	list_init(&port->controls);
	list_init(&port->messages);
	list_init(&port->blocked_senders);
	list_init(&port->dying_link);
	list_init(&port->notify.link);
	port->notify.kind = MSG_NOTIFY;
	port->queue_limit = queue_limit;
	return port;
}

void port_update_ready(struct port *port)
{
	list_remove(&port->ready_link);
	if (port->set == NULL || !port_has_work(port))
		return;
	if (list_empty(&port->controls))
		list_push_back(&port->set->ready, &port->ready_link);
	else
		list_push_front(&port->set->ready, &port->ready_link);
}

void port_leave_set(struct port *port)
{
	list_remove(&port->set_link);
	list_remove(&port->ready_link);
	port->set = NULL;
}

static void wake_all(struct list *waiters, int64_t status)
{
	struct list *l;

	while ((l = list_pop(waiters)) != NULL)
		thread_wake(list_entry(l, struct thread, wait_link), status);
}

void port_evict(struct port *port)
{
	wake_all(&port->receivers, KERN_DEAD);
}

/* The port is marked dead; now what was queued on it. */
static void port_drain(struct port *port)
{
	struct list *l;

	wake_all(&port->receivers, KERN_DEAD);
	while ((l = list_pop(&port->blocked_senders)) != NULL)
		thread_wake_restart(list_entry(l, struct thread, wait_link));
	while ((l = list_pop(&port->controls)) != NULL)
		control_discard(list_entry(l, struct control, link));
	while ((l = list_first(&port->messages)) != NULL)
		message_discard(list_entry(l, struct message, link), port, KERN_DEAD);
	object_died(OBJECT(port));
	if (port->kernel_messages)
		restart_page_waits();
	if (port->no_senders_to != NULL && port->no_senders_to != port)
		object_unref(OBJECT(port->no_senders_to));
	port->no_senders_to = NULL;
}

void port_kill(struct port *port)
{
	static bool draining;
	struct list *l;

	if (port->object.dead)
		return;
	port->object.dead = true;
	port->space = NULL;
	port->name = PORT_NULL;
	port->transit = NULL;
	port_leave_set(port);
	object_ref(OBJECT(port));
	list_push_back(&dying, &port->dying_link);
	if (draining)
		return;
	draining = true;
	while ((l = list_pop(&dying)) != NULL) {
		port = list_entry(l, struct port, dying_link);
		port_drain(port);
		object_unref(OBJECT(port));
	}
	draining = false;
}

/* No right, message or object points here any more. */
void port_destroy(struct port *port)
{
	object_free(OBJECT(port), sizeof(*port));
}

void port_set_kill(struct port_set *set)
{
	struct list *l;

	set->object.dead = true;
	while ((l = list_first(&set->members)) != NULL)
		port_leave_set(list_entry(l, struct port, set_link));
	wake_all(&set->receivers, KERN_DEAD);
}

void port_set_destroy(struct kobject *set)
{
	object_free(set, sizeof(struct port_set));
}

/* ---- traps ---- */

int64_t trap_handle_port_create(uint64_t chosen, uint64_t limit, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	struct right right = {.kind = RIGHT_RECEIVE, .object_kind = KOBJ_PORT};
	int64_t name;

	(void)c, (void)d, (void)e, (void)f;
	if (limit > QUEUE_LIMIT_MAX)
		return KERN_INVALID_ARGUMENT;
	right.port = port_create(limit == 0 ? QUEUE_LIMIT_DEFAULT : (uint32_t)limit, task->ledger);
	if (right.port == NULL)
		return KERN_NO_MEMORY;
	name = space_enter(task->space, (port_name_t)chosen, &right);
	if (name < 0)
		object_unref(OBJECT(right.port));
	return name;
}

int64_t trap_handle_portset_create(uint64_t chosen, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	struct right right = {.kind = RIGHT_PORT_SET, .object_kind = KOBJ_PORT_SET};
	struct port_set *set = object_allocate(KOBJ_PORT_SET, sizeof(*set), task->ledger);
	int64_t name;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (set == NULL)
		return KERN_NO_MEMORY;
	list_init(&set->members);
	list_init(&set->ready);
	list_init(&set->receivers);
	right.set = set;
	name = space_enter(task->space, (port_name_t)chosen, &right);
	if (name < 0)
		object_unref(OBJECT(set));
	return name;
}

/* Those who wait on the set get what the new member already has. */
static void set_feed(struct port *port)
{
	struct thread *receiver;

	while (port_has_work(port) && (receiver = port_receiver(port)) != NULL) {
		list_remove(&receiver->wait_link);
		receive_from(receiver, port);
		thread_wake(receiver, KERN_SUCCESS);
	}
}

int64_t trap_handle_portset_move(uint64_t name, uint64_t set_name, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	int64_t status = KERN_SUCCESS;
	struct port *port = receive_lookup(space, (port_name_t)name, &status);
	struct port_set *set = NULL;

	(void)c, (void)d, (void)e, (void)f;
	if (port == NULL)
		return status;
	if (set_name != PORT_NULL) {
		set = right_lookup(space, (port_name_t)set_name, KOBJ_PORT_SET, 0, &status);
		if (set == NULL)
			return status;
	}
	port_leave_set(port);
	if (set != NULL) {
		port->set = set;
		list_push_back(&set->members, &port->set_link);
		port_update_ready(port);
		set_feed(port);
	}
	return KERN_SUCCESS;
}
