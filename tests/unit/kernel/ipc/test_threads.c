/* Scheduling: who runs, on which CPU, for how long; sleeping; suspension; the end of a thread. */
#include "play.h"

Test(threads, the_more_urgent_runs)
{
	struct play p = play_start();
	struct thread *urgent = host_thread(p.server_task, THREAD_SERVER);

	urgent->priority = PRIORITY_SERVER;
	host_use_cpu(1); /* keep the other CPU busy with something as urgent */
	struct thread *busy = host_thread(p.server_task, 0);
	busy->priority = PRIORITY_SERVER;
	host_run(busy);
	host_use_cpu(0);
	cr_assert_eq(receive(urgent, p.port), HOST_BLOCKED);
	host_run(p.client);
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 0), KERN_SUCCESS);
	cr_assert_eq(thread_current(), urgent, "preempted at once");
	cr_assert_eq(p.client->state, THREAD_RUNNABLE);
}

Test(threads, an_idle_cpu_is_used)
{
	struct play p = play_start();

	host_run(p.server);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	host_run(p.client);
	cpus[1].reschedule = false; /* it has looked, and found nothing */
	host_poked = 0;
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 0), KERN_SUCCESS);
	cr_assert_eq(thread_current(), p.client);
	cr_assert_eq(p.server->cpu, 1);
	cr_assert_eq(host_poked, 2);
	host_use_cpu(1);
	cr_assert(cpus[1].reschedule);
	host_leave();
	cr_assert_eq(thread_current(), p.server);
}

Test(threads, round_robin)
{
	struct play p = play_start();
	struct thread *threads[3];

	cpu_count = 1;
	for (int i = 0; i < 3; i++)
		threads[i] = host_thread(p.client_task, 0);
	thread_terminate(p.client);
	thread_terminate(p.server);
	cpus[0].reschedule = true;
	host_leave();
	struct thread *first = thread_current();
	host_tick(SLICE_NS / 2);
	cr_assert_eq(thread_current(), first);
	host_tick(SLICE_NS / 2);
	cr_assert_neq(thread_current(), first);
	for (int i = 0; i < 30; i++)
		host_tick(SLICE_NS);
	for (int i = 0; i < 3; i++) {
		uint64_t ran = threads[i]->user_ns / SLICE_NS;
		cr_assert(ran >= 10 && ran <= 11, "%lu slices", (unsigned long)ran);
	}
}

Test(threads, stealing_honours_affinity)
{
	struct play p = play_start();
	struct thread *stays = host_new_thread(p.client_task, 0), *goes = host_new_thread(p.client_task, 0);

	host_run(p.client);
	cpus[1].online = false;
	stays->affinity = 1;
	thread_make_runnable(stays);
	thread_make_runnable(goes);
	cpus[1].online = true;
	thread_terminate(p.server);
	host_use_cpu(1);
	(void)schedule();
	cr_assert_eq(thread_current(), goes);
	(void)schedule();
	thread_terminate(goes);
	host_leave();
	cr_assert_eq(thread_current(), cpus[1].idle_thread);
	cr_assert_eq(stays->state, THREAD_RUNNABLE);
}

Test(threads, yield)
{
	struct play p = play_start();
	struct thread *other = host_thread(p.client_task, 0);

	cpu_count = 1;
	thread_terminate(p.server);
	cr_assert_eq(trap(p.client, thread_yield), KERN_SUCCESS);
	cr_assert_eq(thread_current(), other);
}

Test(threads, sleep)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.client, thread_sleep, host_clock, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, thread_sleep, 0, 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_sleep, host_clock + 10, 0), HOST_BLOCKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert(host_waits(p.client));
	host_tick(10);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	p.client->endpoint->block->interrupted = 0;
	cr_assert_eq(trap(p.client, thread_sleep, DEADLINE_NEVER, MSG_INTERRUPTIBLE >> 32), HOST_BLOCKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_INTERRUPTED);
	cr_assert_eq(trap(p.client, thread_sleep, DEADLINE_NEVER, MSG_INTERRUPTIBLE >> 32), KERN_INTERRUPTED);
}

/* Many deadlines, in no order: each ends in its turn. */
Test(threads, many_sleepers)
{
	struct play p = play_start();
	struct thread *sleepers[100];
	uint64_t start = host_clock;

	for (unsigned i = 0; i < 100; i++) {
		sleepers[i] = host_thread(p.client_task, 0);
		cr_assert_eq(trap(sleepers[i], thread_sleep, start + 1 + i * 37 % 100, 0), HOST_BLOCKED);
	}
	thread_terminate(sleepers[50]);
	for (unsigned t = 1; t <= 100; t++) {
		cr_assert_leq(timeouts_next(), start + t + 1);
		host_tick(1);
		for (unsigned i = 0; i < 100; i++)
			if (i != 50)
				cr_assert_eq(host_waits(sleepers[i]), 1 + i * 37 % 100 > t);
	}
	cr_assert_eq(timeouts_next(), DEADLINE_NEVER);
}

Test(threads, suspension)
{
	struct play p = play_start();
	port_name_t task = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client_task), RIGHT_CONTROL, 0);
	struct thread *runs = host_thread(p.client_task, 0);

	host_use_cpu(1);
	host_run(runs);
	host_use_cpu(0);
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	host_poked = 0;
	cr_assert_eq(trap(p.server, task_suspend, task), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, task_suspend, task), KERN_SUCCESS);
	cr_assert_eq(host_poked, 2);
	host_use_cpu(1);
	host_leave();
	cr_assert_eq(thread_current(), cpus[1].idle_thread);
	host_use_cpu(0);
	cr_assert_eq(reply_receive(p.server, 0, 0, p.port), HOST_BLOCKED);
	cr_assert_eq(p.client->state, THREAD_RUNNABLE, "answered, but it does not run");
	cr_assert_eq(thread_current(), cpus[0].idle_thread);
	struct thread *resumer = host_thread(p.server_task, 0);
	cr_assert_eq(trap(resumer, task_resume, task), KERN_SUCCESS);
	cr_assert(list_empty(&p.client->run_link));
	cr_assert_eq(trap(resumer, task_resume, task), KERN_SUCCESS);
	cr_assert(!list_empty(&p.client->run_link) || p.client->state == THREAD_RUNNING);
	cr_assert_eq(trap(resumer, task_resume, task), KERN_INVALID_ARGUMENT);
}

Test(threads, create_and_start)
{
	struct play p = play_start();
	struct portico_frame frame = {.rip = 0x401000, .rsp = 0x7000, .rdi = 3, .rflags = 0x202};
	struct host_balance before = host_balance(), after;
	port_name_t name;

	cr_assert_eq(trap(p.client, thread_create, 0, THREAD_SLOTS, 0x20000000, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_create, 0, 77, 0x20000001, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_create, 0, 77, USER_MAX - PAGE_SIZE, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_create, 0, 77, 0x20000000, 8, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_create, 0, p.client->slot, 0x20000000, 0, 0), KERN_NAME_EXISTS);
	name = (port_name_t)trap(p.client, thread_create, 0, 77, 0x20000000, 0, 0);
	cr_assert_eq(trap(p.client, thread_info, name), KERN_SUCCESS);
	cr_assert_eq(p.client->endpoint->block->result[3], 77);
	cr_assert_eq(p.client->endpoint->block->result[2], THREAD_NEW);
	memcpy(p.client->endpoint->block->argument, &frame, sizeof(frame));
	cr_assert_eq(trap(p.client, thread_start, name), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, thread_start, name), KERN_BUSY);
	cr_assert_eq(trap(p.client, thread_set_state, name), KERN_BUSY);
	cr_assert_eq(trap(p.client, thread_get_state, name), KERN_SUCCESS);
	cr_assert_eq(((struct portico_frame *)p.client->endpoint->block->argument)->rip, 0x401000);
	cr_assert_eq(trap(p.client, thread_terminate, name), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, thread_terminate, name), KERN_DEAD);
	cr_assert_eq(trap(p.client, right_release, name), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(before.pages, after.pages);
}

Test(threads, priorities_are_not_raised_above_ones_own)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.client, thread_priority, 0, PRIORITY_PROCESS + 1, 0), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.client, thread_priority, 0, 32, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, thread_priority, 0, 3, 4), KERN_INVALID_ARGUMENT, "no such CPU");
	cr_assert_eq(trap(p.client, thread_priority, 0, 3, 1), KERN_SUCCESS);
	cr_assert_eq(p.client->priority, 3);
	cr_assert_eq(p.client->affinity, 1);
}

Test(threads, exit_tells_who_waits)
{
	struct play p = play_start();
	struct thread *leaver = host_thread(p.client_task, 0);
	uint32_t word = 1;
	struct host_balance before = host_balance(), after;

	host_map(p.client_task, 0x30000000, 4);
	host_put(p.client_task, BUFFER, &word, sizeof(word));
	cr_assert_eq(trap(p.client, futex_wait, BUFFER, 1, FUTEX_SHARED, DEADLINE_NEVER, ~0u), HOST_BLOCKED);
	cr_assert_eq(trap(leaver, thread_exit, 0x30000000, 4 * PAGE_SIZE, BUFFER, 0), HOST_BLOCKED);
	cr_assert_eq(host_result(p.client), 0);
	host_get(p.client_task, BUFFER, &word, sizeof(word));
	cr_assert_eq(word, 0);
	cr_assert_eq(vm_copy_in(p.client_task->map, &word, 0x30000000, 1), 0);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_THREAD], before.objects[KOBJ_THREAD] - 1);
	cr_assert_eq(p.client_task->thread_count, 1);
}

/* A thread that runs on another CPU ends when that CPU enters the kernel, not before, and blocks nothing until then. */
Test(threads, terminated_on_another_cpu)
{
	struct play p = play_start();
	struct thread *victim = host_thread(p.client_task, 0);

	host_use_cpu(1);
	host_run(victim);
	host_use_cpu(0);
	object_ref(OBJECT(victim));
	host_poked = 0;
	thread_terminate(victim);
	cr_assert_eq(host_poked, 2);
	cr_assert(!victim->object.dead);
	host_use_cpu(1);
	/* It makes a call before the interrupt comes: that does not save it. */
	cr_assert_eq(call(victim, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert(victim->object.dead);
	cr_assert_eq(victim->state, THREAD_DEAD);
	object_unref(OBJECT(victim));
	host_use_cpu(0);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

Test(threads, direct_switch_respects_who_is_more_urgent)
{
	struct play p = play_start();
	struct thread *urgent = host_new_thread(p.server_task, 0);

	cpu_count = 1;
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	host_run(p.client);
	urgent->priority = 20;
	thread_make_runnable(urgent);
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(thread_current(), urgent);
	cr_assert_eq(p.server->state, THREAD_RUNNABLE);
	cr_assert_eq(got(p.server)->ordinal, 1);
}
