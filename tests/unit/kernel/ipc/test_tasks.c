/* Tasks: birth, duplication, principals, death in any state; nothing is left over. */
#include "play.h"

static port_name_t own_right(struct thread *holder, struct task *task)
{
	return (port_name_t)right_enter_object(holder->task->space, OBJECT(task), RIGHT_CONTROL, 0);
}

Test(tasks, create_and_terminate)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t task = (port_name_t)trap(p.server, task_create);

	cr_assert_eq(trap(p.server, task_info, task), KERN_SUCCESS);
	cr_assert_eq(p.server->endpoint->block->result[7], 0);
	cr_assert_eq(trap(p.server, thread_create, task, 0, 0x20000000, THREAD_SERVER, 0x80006000), 0x80006000);
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_DEAD);
	cr_assert_eq(trap(p.server, thread_create, task, 0, 0x20000000, 0, 0), KERN_DEAD);
	cr_assert_eq(trap(p.server, thread_start, 0x80006000), KERN_DEAD);
	cr_assert_eq(trap(p.server, right_release, task), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, 0x80006000), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(after.pages, before.pages);
}

/* A task that nobody names and that has no threads goes by itself. */
Test(tasks, forgotten)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t task = (port_name_t)trap(p.server, task_create);

	cr_assert_eq(trap(p.server, right_insert, task, 0x80000001, p.port, MSG_MAKE_SEND), 0x80000001);
	cr_assert_eq(trap(p.server, right_release, task), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(port_of(p.server, p.port)->senders, 1);
}

Test(tasks, principals)
{
	struct play p = play_start();
	port_name_t by_system = (port_name_t)trap(p.server, task_create);
	port_name_t by_process = (port_name_t)trap(p.client, task_create);

	cr_assert_eq(trap(p.server, task_set_principal, by_system, 99), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, task_set_principal, by_process, 99), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.client, task_set_principal, 0, 0), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.client, task_info, by_process), KERN_SUCCESS);
	cr_assert_eq(p.client->endpoint->block->result[1], CLIENT_PRINCIPAL, "its maker's");
}

Test(tasks, duplicate)
{
	struct play p = play_start();
	char text[8] = "";
	struct task *child;
	port_name_t name;

	host_put(p.client_task, BUFFER, "parent", 7);
	cr_assert_eq(trap(p.client, task_duplicate, 0, TASK_DUP_MEMORY | TASK_DUP_SHARE, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, task_duplicate, 0, 8, 0, 0), KERN_INVALID_ARGUMENT);
	name = (port_name_t)trap(p.client, task_duplicate, 0, TASK_DUP_MEMORY | TASK_DUP_RIGHTS, 0, 0);
	child = (struct task *)right_of(p.client, name)->object;
	host_put(p.client_task, BUFFER, "PARENT", 7);
	host_get(child, BUFFER, text, 7);
	cr_assert_str_eq(text, "parent");
	cr_assert_eq(child->principal, CLIENT_PRINCIPAL);
	cr_assert_eq(child->thread_count, 0);
	cr_assert_null(space_find(child->space, p.send));
}

Test(tasks, out_of_memory_while_duplicating)
{
	struct play p = play_start();
	struct ledger *ledger = p.client_task->ledger;
	struct host_balance before, after;
	int64_t result;
	int failures = 0;

	for (int i = 0; i < 100; i++)
		(void)give_right(port_of(p.server, p.port), 1, RIGHT_INHERIT, p.client_task);
	before = host_balance();
	for (uint64_t room = 0;; room += 64) {
		ledger->byte_limit = ledger->bytes + room;
		result = trap(p.client, task_duplicate, 0, TASK_DUP_MEMORY | TASK_DUP_RIGHTS, 0, 0x80007000);
		if (result > 0)
			break;
		cr_assert_eq(result, KERN_NO_MEMORY);
		failures++;
		after = host_balance();
		cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	}
	cr_assert_gt(failures, 5);
	cr_assert_eq(port_of(p.server, p.port)->senders, 201);
}

/* A task dies with threads in every kind of wait. */
Test(tasks, death_in_every_state)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	struct task *victim = host_task();
	struct thread *threads[8], *runs;
	port_name_t task = own_right(p.server, victim), port, send;

	for (int i = 0; i < 8; i++)
		threads[i] = host_thread(victim, THREAD_SERVER);
	host_map(victim, BUFFER, 4);
	send = give_right(port_of(p.server, p.port), 1, 0, victim);
	port = (port_name_t)trap(threads[0], port_create);
	cr_assert_eq(call(threads[1], send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(threads[0], thread_sleep, host_clock + 1000, 0), HOST_BLOCKED);
	cr_assert_eq(receive(threads[2], port), HOST_BLOCKED);
	cr_assert_eq(trap(threads[3], futex_wait, BUFFER, 0, 0, host_clock + 1000, ~0u), HOST_BLOCKED);
	cr_assert_eq(call(threads[4], send, 1, 0, 0), HOST_BLOCKED);
	for (unsigned i = 0; i < QUEUE_LIMIT_DEFAULT; i++)
		cr_assert_eq(send_oneway(threads[5], send, i, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap(threads[5], msg, MSG_SEND, MSG_DESTINATION(send, 1), 0, host_clock + 1000), HOST_BLOCKED);
	(void)host_new_thread(victim, 0);
	runs = threads[6];
	host_use_cpu(1);
	host_run(runs);
	host_use_cpu(0);
	object_unref(OBJECT(victim));
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_SUCCESS);
	cr_assert(!victim->object.dead, "a thread still runs");
	host_use_cpu(1);
	host_leave();
	host_use_cpu(0);
	cr_assert(victim->object.dead);
	cr_assert_eq(trap(p.server, right_release, task), KERN_SUCCESS);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	while (poll(p.server, p.port) == KERN_SUCCESS)
		;
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(timeouts_next(), DEADLINE_NEVER);
	cr_assert_eq(after.pages, before.pages);
}

Test(tasks, a_task_ends_itself)
{
	struct play p = play_start();

	object_ref(OBJECT(p.client_task));
	cr_assert_eq(trap(p.client, task_terminate, TASK_SELF), HOST_BLOCKED);
	cr_assert(p.client_task->object.dead);
	cr_assert_neq(thread_current(), p.client);
	object_unref(OBJECT(p.client_task));
}

/* Great numbers of rights are released in steps. */
Test(tasks, a_big_space_is_torn_down_in_steps)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	struct task *victim = host_task();

	for (int i = 0; i < 1000; i++)
		(void)give_right(port_of(p.server, p.port), (uint64_t)i, 0, victim);
	cr_assert_eq(port_of(p.server, p.port)->senders, 1001);
	task_terminate(victim);
	cr_assert_gt(port_of(p.server, p.port)->senders, 800);
	object_unref(OBJECT(victim));
	after = host_balance();
	cr_assert_eq(port_of(p.server, p.port)->senders, 1);
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(after.bytes, before.bytes);
}

Test(tasks, traps_that_do_not_exist)
{
	struct play p = play_start();

	for (uint64_t n = 113; n < TRAP_MAX; n++)
		cr_assert_eq(host_trap(p.client, n, 0, 0, 0, 0, 0, 0), KERN_NOT_SUPPORTED);
	cr_assert_eq(host_trap(p.client, 0, 0, 0, 0, 0, 0, 0), KERN_NOT_SUPPORTED);
	cr_assert_eq(trap(p.client, null), KERN_SUCCESS);
}

/* Every trap with arguments that make no sense: an error, and nothing else happens. */
Test(tasks, nonsense_in_every_trap)
{
	struct play p = play_start();
	static const uint64_t values[] = {0, 1, 0x80000001, 0xffffffff, 1ull << 47, ~0ull, 0x500001};
	struct thread *thread = host_thread(p.client_task, 0);

	for (uint64_t n = 0; n < TRAP_MAX; n++) {
		if (n == TRAP_thread_exit || n == TRAP_task_terminate || n == TRAP_thread_terminate || n == TRAP_frame_resume)
			continue;
		for (unsigned i = 0; i < 7; i++)
			for (unsigned j = 0; j < 7; j++) {
				if (thread->state != THREAD_RUNNABLE && thread->state != THREAD_RUNNING) {
					thread_terminate(thread);
					thread = host_thread(p.client_task, 0);
				}
				if (p.client_task->suspend_count > 0)
					p.client_task->suspend_count = 0, thread->attention = 0;
				(void)host_trap(thread, n, values[i], values[j], values[(i + j) % 7], values[(i + 2) % 7],
						values[j], values[i]);
			}
	}
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
}

Test(tasks, system_traps)
{
	struct play p = play_start();
	port_name_t machine = (port_name_t)right_enter_object(p.server_task->space, &machine_object, RIGHT_CONTROL, 0);
	port_name_t log = (port_name_t)right_enter_object(p.server_task->space, &log_object, 0, 0);
	struct system_counters counters;

	write_text(p.server, "logged");
	cr_assert_eq(trap(p.server, log_write, log, 6), KERN_SUCCESS);
	cr_assert_not_null(strstr(host_console, "logged"));
	cr_assert_eq(trap(p.server, log_write, log, MSG_INLINE_MAX + 1), KERN_TOO_LARGE);
	cr_assert_eq(trap(p.server, log_write, machine, 6), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.server, system_counters), KERN_SUCCESS);
	memcpy(&counters, p.server->endpoint->block->result, sizeof(counters));
	cr_assert_eq(counters.objects[KOBJ_TASK], 2);
	cr_assert_eq(counters.pages_total, pages_total);
	cr_assert_eq(trap(p.server, clock_set, machine, 12345), KERN_SUCCESS);
	cr_assert_eq(clock_realtime_offset(), 12345);
	cr_assert_eq(trap(p.server, system_power, machine, 3), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, module_get, machine, 0), KERN_INVALID_ARGUMENT);
	report_tasks();
	cr_assert_not_null(strstr(host_console, "task"));
}
