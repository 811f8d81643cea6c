/* The life of a call: parked, abandoned, cancelled, interrupted, its caller or its server gone. */
#include "play.h"

#define PARKED 0x80005000u

static void in_service(struct play *p, uint64_t flags)
{
	cr_assert_eq(trap(p->client, msg, MSG_CALL | flags, MSG_DESTINATION(p->send, 1), 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(receive(p->server, p->port), KERN_SUCCESS);
}

static int64_t answer_parked(struct play *p, port_name_t name, uint32_t error)
{
	return trap(p->server, msg, MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(name, error), 0, DEADLINE_NEVER);
}

static void expect_cancel(struct play *p, uint64_t request, uint64_t died)
{
	cr_assert_eq(poll(p->server, p->port), KERN_SUCCESS);
	cr_assert_eq(got(p->server)->kind, MSG_CANCEL);
	cr_assert_eq(got(p->server)->word, request);
	cr_assert_eq(got(p->server)->badge, died);
}

Test(calls, parked_and_answered_out_of_order)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0);

	in_service(&p, 0);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(trap(p.server, reply_park, 0), KERN_GONE);
	cr_assert_eq(call(second, p.send, 2, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, reply_park, PARKED), KERN_NAME_EXISTS);
	cr_assert_eq(reply(p.server, 22, 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(second), KERN_SUCCESS);
	cr_assert(host_waits(p.client));
	write_text(p.server, "late");
	cr_assert_eq(trap(p.server, msg, MSG_SEND | MSG_TO_ONCE | MSG_LENGTH(5, 0), MSG_DESTINATION(PARKED, 11), 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->ordinal, 11);
	cr_assert_str_eq((char *)p.client->endpoint->reply->data, "late");
	cr_assert_eq(kind_of(p.server, PARKED), RIGHT_NONE);
	cr_assert_eq(answer_parked(&p, PARKED, 0), KERN_INVALID_NAME);
}

Test(calls, a_parked_reply_can_be_handed_on)
{
	struct play p = play_start();
	struct task *other_task = host_task();
	struct thread *other = host_thread(other_task, THREAD_SERVER);
	port_name_t other_port = (port_name_t)trap(other, port_create), moved;
	port_name_t to_other = give_right(port_of(other, other_port), 0, 0, p.server_task);

	in_service(&p, 0);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	descriptor(p.server, 0, port_descriptor(PARKED, MSG_MOVE_SEND_ONCE));
	cr_assert_eq(send_oneway(p.server, to_other, 1, 0, 1), KERN_SUCCESS);
	cr_assert_eq(poll(other, other_port), KERN_SUCCESS);
	moved = other->endpoint->request->descriptor[0].name;
	cr_assert_eq(trap(other, msg, MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(moved, 3), 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->ordinal, 3);
}

Test(calls, a_reply_right_that_is_destroyed)
{
	struct play p = play_start();

	in_service(&p, 0);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(trap(p.server, right_release, PARKED), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_NO_REPLY);
}

Test(calls, the_server_dies)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0), *third = host_thread(p.client_task, 0);

	in_service(&p, 0);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(call(second, p.send, 2, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(call(third, p.send, 3, 0, 0), HOST_BLOCKED);
	task_terminate(p.server_task);
	host_leave();
	cr_assert_eq(host_result(p.client), KERN_NO_REPLY, "parked");
	cr_assert_eq(host_result(second), KERN_NO_REPLY, "in service");
	cr_assert_eq(host_result(third), KERN_DEAD, "queued");
	cr_assert_eq(kind_of(p.client, p.send), RIGHT_DEAD_NAME);
}

/* A thread of the server dies, its port lives: only what it held is lost. */
Test(calls, the_serving_thread_dies)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0), *heir = host_thread(p.server_task, THREAD_SERVER);

	in_service(&p, 0);
	cr_assert_eq(call(second, p.send, 2, 0, 0), HOST_BLOCKED);
	thread_terminate(p.server);
	host_leave();
	cr_assert_eq(host_result(p.client), KERN_NO_REPLY);
	cr_assert(host_waits(second));
	cr_assert_eq(receive(heir, p.port), KERN_SUCCESS);
	cr_assert_eq(got(heir)->ordinal, 2);
}

Test(calls, interrupted_while_queued)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_INTERRUPTED);
	cr_assert_eq(p.client->endpoint->block->interrupted, 1);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT, "withdrawn");
	/* It sticks: the next interruptible wait does not begin. */
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER),
		     KERN_INTERRUPTED);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER),
		     KERN_INTERRUPTED, "nor on the fast path");
	p.client->endpoint->block->interrupted = 0;
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER), HOST_BLOCKED);
}

Test(calls, not_interruptible)
{
	struct play p = play_start();

	in_service(&p, 0);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(p.client->endpoint->block->interrupted, 1);
	cr_assert(host_waits(p.client));
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT, "the server was not bothered");
}

Test(calls, interrupted_in_service)
{
	struct play p = play_start();
	uint64_t request;

	in_service(&p, MSG_INTERRUPTIBLE);
	request = got(p.server)->request;
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(send_oneway(host_thread(p.client_task, 0), p.send, 9, 0, 0), KERN_SUCCESS);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert(host_waits(p.client), "the server decides");
	expect_cancel(&p, request, 0);
	cr_assert_eq(answer_parked(&p, PARKED, 4), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->ordinal, 4);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 9);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

/* Answered before the cancellation was received: it is taken back. */
Test(calls, a_cancellation_that_is_too_late)
{
	struct play p = play_start();
	port_name_t set = (port_name_t)trap(p.server, portset_create);

	cr_assert_eq(trap(p.server, portset_move, p.port, set), KERN_SUCCESS);
	in_service(&p, MSG_INTERRUPTIBLE);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(reply_receive(p.server, 0, 0, set), HOST_BLOCKED);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(p.client->object.refs, 1);
}

Test(calls, overdue_in_service)
{
	struct play p = play_start();
	uint64_t request;

	cr_assert_eq(trap(p.client, msg, MSG_CALL, MSG_DESTINATION(p.send, 1), 0, host_clock + 100), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	request = got(p.server)->request;
	host_tick(100);
	cr_assert(host_waits(p.client));
	cr_assert_eq(reply_receive(p.server, 0, 0, p.port), HOST_BLOCKED, "answered first");
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, msg, MSG_CALL, MSG_DESTINATION(p.send, 1), 0, host_clock + 100), HOST_BLOCKED);
	cr_assert_eq(got(p.server)->request, request + 1);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	host_tick(100);
	cr_assert_eq(host_result(p.server), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_CANCEL);
	cr_assert_eq(got(p.server)->word, request + 1);
}

Test(calls, the_caller_dies)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0), *third = host_thread(p.client_task, 0);
	struct host_balance before = host_balance(), after;
	uint64_t first_request, second_request;

	in_service(&p, 0);
	first_request = got(p.server)->request;
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(call(second, p.send, 2, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	second_request = got(p.server)->request;
	cr_assert_eq(call(third, p.send, 3, 0, 0), HOST_BLOCKED);
	task_terminate(p.client_task);
	cr_assert_eq(p.server->endpoint->caller, NULL, "the slot is empty");
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS, "an answer to nobody");
	expect_cancel(&p, first_request, 1);
	expect_cancel(&p, second_request, 1);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT, "the queued call was withdrawn");
	cr_assert_eq(trap(p.server, window_read, PARKED, 0, 0, BUFFER, 1), KERN_GONE);
	cr_assert_eq(answer_parked(&p, PARKED, 0), KERN_SUCCESS, "vanishes");
	object_unref(OBJECT(p.client_task));
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_THREAD], before.objects[KOBJ_THREAD] - 3);
	cr_assert_eq(after.objects[KOBJ_TASK], before.objects[KOBJ_TASK] - 1);
	cr_assert_eq(after.objects[KOBJ_SPACE], before.objects[KOBJ_SPACE] - 1);
	cr_assert_eq(after.objects[KOBJ_LEDGER], before.objects[KOBJ_LEDGER] - 1, "and whatever it was charged for");
}

Test(calls, the_caller_dies_and_then_the_port)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;

	in_service(&p, 0);
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	task_terminate(p.client_task);
	object_unref(OBJECT(p.client_task));
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, PARKED), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT] - 1);
	cr_assert_eq(after.objects[KOBJ_THREAD], before.objects[KOBJ_THREAD] - 1);
}

/* Interrupted first, then dead: one notification tells both. */
Test(calls, cancellations_coalesce)
{
	struct play p = play_start();
	uint64_t request;

	in_service(&p, MSG_INTERRUPTIBLE);
	request = got(p.server)->request;
	cr_assert_eq(trap(p.server, reply_park, PARKED), PARKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	thread_terminate(p.client);
	expect_cancel(&p, request, 1);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

Test(calls, interrupted_receive_after_a_reply)
{
	struct play p = play_start();

	in_service(&p, 0);
	p.server->endpoint->block->interrupted = 1;
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_INTERRUPTIBLE, MSG_DESTINATION(0, 6), p.port, DEADLINE_NEVER),
		     KERN_INTERRUPTED);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS, "the reply is not lost");
	cr_assert_eq(answer(p.client)->ordinal, 6);
}
