/* Futexes: one word, several, across tasks, with deadlines, bits, requeueing, interruption. */
#include "play.h"

#define WORD BUFFER
#define WORD2 (BUFFER + 8)

static int64_t wait_on(struct thread *thread, uint64_t address, uint32_t expected, uint32_t bits)
{
	return trap(thread, futex_wait, address, expected, 0, DEADLINE_NEVER, bits);
}

Test(futexes, wait_and_wake)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0), *waker = host_thread(p.client_task, 0);

	cr_assert_eq(wait_on(p.client, WORD, 1, ~0u), KERN_WOULD_BLOCK);
	cr_assert_eq(wait_on(p.client, WORD, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(wait_on(p.client, WORD + 1, 0, 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(wait_on(p.client, 0x7000000, 0, 1), KERN_FAULT);
	cr_assert_eq(wait_on(p.client, WORD, 0, 1), HOST_BLOCKED);
	cr_assert_eq(wait_on(second, WORD, 0, 2), HOST_BLOCKED);
	cr_assert_eq(trap(waker, futex_wake, WORD, 10, 0, 4), 0);
	cr_assert_eq(trap(waker, futex_wake, WORD, 10, 0, 2), 1);
	cr_assert_eq(host_result(second), 0);
	cr_assert(host_waits(p.client));
	cr_assert_eq(trap(waker, futex_wake, WORD2, 10, 0, ~0u), 0);
	cr_assert_eq(trap(waker, futex_wake, WORD, 10, FUTEX_SHARED, ~0u), 0, "another key");
	cr_assert_eq(trap(waker, futex_wake, WORD, 10, 0, ~0u), 1);
	cr_assert_eq(host_result(p.client), 0);
}

Test(futexes, first_come_first_woken)
{
	struct play p = play_start();
	struct thread *threads[5];

	for (int i = 0; i < 5; i++) {
		threads[i] = host_thread(p.client_task, 0);
		cr_assert_eq(wait_on(threads[i], WORD, 0, ~0u), HOST_BLOCKED);
	}
	cr_assert_eq(trap(p.client, futex_wake, WORD, 2, 0, ~0u), 2);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(host_waits(threads[i]), i >= 2);
}

Test(futexes, shared_between_tasks)
{
	struct play p = play_start();
	struct memory_object *object = memory_object_create(PAGE_SIZE, NULL);

	cr_assert_geq(vm_map_enter(p.client_task->map, 0x600000, PAGE_SIZE, object, 0, VM_READ | VM_WRITE | VM_FIXED, 7), 0);
	cr_assert_geq(vm_map_enter(p.server_task->map, 0x700000, PAGE_SIZE, object, 0, VM_READ | VM_WRITE | VM_FIXED, 7), 0);
	cr_assert_eq(trap(p.client, futex_wait, 0x600010, 0, FUTEX_SHARED, DEADLINE_NEVER, ~0u), HOST_BLOCKED);
	cr_assert_eq(trap(p.server, futex_wake, 0x700010, 1, 0, ~0u), 0);
	cr_assert_eq(trap(p.server, futex_wake, 0x700010, 1, FUTEX_SHARED, ~0u), 1);
	cr_assert_eq(host_result(p.client), 0);
	object_unref((struct kobject *)object);
}

Test(futexes, deadlines_and_interrupts)
{
	struct play p = play_start();
	struct thread *waker = host_thread(p.client_task, 0);

	cr_assert_eq(trap(p.client, futex_wait, WORD, 0, 0, host_clock, ~0u), KERN_TIMED_OUT);
	cr_assert_eq(trap(p.client, futex_wait, WORD, 0, 0, host_clock + 50, ~0u), HOST_BLOCKED);
	host_tick(50);
	cr_assert_eq(host_result(p.client), KERN_TIMED_OUT);
	cr_assert_eq(trap(waker, futex_wake, WORD, 1, 0, ~0u), 0);
	cr_assert_eq(trap(p.client, futex_wait, WORD, 0, FUTEX_INTERRUPTIBLE, DEADLINE_NEVER, ~0u), HOST_BLOCKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_INTERRUPTED);
	cr_assert_eq(trap(p.client, futex_wait, WORD, 0, FUTEX_INTERRUPTIBLE, DEADLINE_NEVER, ~0u), KERN_INTERRUPTED);
	cr_assert_eq(trap(p.client, futex_wait, WORD, 0, 0, host_clock + 50, ~0u), HOST_BLOCKED);
	cr_assert_eq(trap(waker, futex_wake, WORD, 1, 0, ~0u), 1);
	host_tick(50);
	cr_assert_eq(host_result(p.client), 0, "the deadline went with the wait");
}

Test(futexes, many_words)
{
	struct play p = play_start();
	struct thread *waker = host_thread(p.client_task, 0);
	uint64_t *argument = p.client->endpoint->block->argument;

	for (int i = 0; i < 16; i++) {
		argument[2 * i] = BUFFER + 8 * (uint64_t)i;
		argument[2 * i + 1] = 0;
	}
	cr_assert_eq(trap(p.client, futex_wait_many, 0, 0, DEADLINE_NEVER), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, futex_wait_many, 17, 0, DEADLINE_NEVER), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, futex_wait_many, 16, 0, DEADLINE_NOW), KERN_TIMED_OUT);
	cr_assert_eq(trap(waker, futex_wake, BUFFER, 1, 0, ~0u), 0, "nothing was left behind");
	cr_assert_eq(trap(p.client, futex_wait_many, 16, 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(trap(waker, futex_wake, BUFFER + 72, 1, 0, ~0u), 1);
	cr_assert_eq(host_result(p.client), 9);
	cr_assert_eq(trap(waker, futex_wake, BUFFER, 1, 0, ~0u), 0);
	argument[31] = 1;
	cr_assert_eq(trap(p.client, futex_wait_many, 16, 0, DEADLINE_NEVER), KERN_WOULD_BLOCK);
	argument[30] = 3;
	cr_assert_eq(trap(p.client, futex_wait_many, 16, 0, DEADLINE_NEVER), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(waker, futex_wake, BUFFER, 1, 0, ~0u), 0);
	/* One word twice: woken once. */
	argument[0] = argument[2] = WORD;
	argument[1] = argument[3] = 0;
	cr_assert_eq(trap(p.client, futex_wait_many, 2, 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(trap(waker, futex_wake, WORD, 10, 0, ~0u), 1);
	cr_assert_eq(host_result(p.client), 0);
}

Test(futexes, requeue)
{
	struct play p = play_start();
	struct thread *threads[4];

	for (int i = 0; i < 4; i++) {
		threads[i] = host_thread(p.client_task, 0);
		cr_assert_eq(wait_on(threads[i], WORD, 0, ~0u), HOST_BLOCKED);
	}
	cr_assert_eq(trap(p.client, futex_requeue, WORD, 1, 2, WORD2, FUTEX_COMPARE, 1), KERN_WOULD_BLOCK);
	cr_assert_eq(trap(p.client, futex_requeue, WORD, 1, 2, WORD2, FUTEX_COMPARE, 0), 3);
	cr_assert_eq(host_result(threads[0]), 0);
	cr_assert_eq(trap(p.client, futex_wake, WORD2, 10, 0, ~0u), 2);
	cr_assert_eq(host_result(threads[2]), 0);
	cr_assert_eq(trap(p.client, futex_wake, WORD, 10, 0, ~0u), 1);
	cr_assert_eq(host_result(threads[3]), 0);
}

Test(futexes, a_waiter_dies)
{
	struct play p = play_start();
	struct thread *waker = host_thread(p.client_task, 0);

	cr_assert_eq(wait_on(p.client, WORD, 0, ~0u), HOST_BLOCKED);
	thread_terminate(p.client);
	cr_assert_eq(trap(waker, futex_wake, WORD, 1, 0, ~0u), 0);
}
