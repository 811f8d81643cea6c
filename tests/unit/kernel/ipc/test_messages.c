/* Calls, replies, one-way messages, receives: what arrives, in what order, and who waits. */
#include "play.h"

Test(messages, call_to_a_waiting_server)
{
	struct play p = play_start();

	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	write_text(p.client, "hello");
	cr_assert_eq(call(p.client, p.send, MSG_ORDINAL(5, 9), 6, 0), HOST_BLOCKED);
	cr_assert_eq(thread_current(), p.server);
	cr_assert_eq(host_result(p.server), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_REQUEST);
	cr_assert_eq(got(p.server)->length, 6);
	cr_assert_eq(got(p.server)->ordinal, MSG_ORDINAL(5, 9));
	cr_assert_eq(got(p.server)->port, p.port);
	cr_assert_eq(got(p.server)->badge, BADGE);
	cr_assert_eq(got(p.server)->principal, CLIENT_PRINCIPAL);
	cr_assert_neq(got(p.server)->request, 0);
	cr_assert_str_eq((char *)p.server->endpoint->request->data, "hello");
	write_text(p.server, "goodbye");
	cr_assert_eq(reply_receive(p.server, 13, 8, p.port), HOST_BLOCKED);
	cr_assert_eq(thread_current(), p.client);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->kind, MSG_REPLY);
	cr_assert_eq(answer(p.client)->ordinal, 13);
	cr_assert_eq(answer(p.client)->length, 8);
	cr_assert_str_eq((char *)p.client->endpoint->reply->data, "goodbye");
}

Test(messages, call_before_the_server_receives)
{
	struct play p = play_start();
	struct thread *other = host_thread(p.client_task, 0);

	write_text(p.client, "one");
	write_text(other, "two");
	cr_assert_eq(call(p.client, p.send, 1, 4, 0), HOST_BLOCKED);
	cr_assert_eq(call(other, p.send, 2, 4, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 1);
	cr_assert_str_eq((char *)p.server->endpoint->request->data, "one");
	cr_assert_eq(reply_receive(p.server, 0, 0, p.port), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 2);
	cr_assert_eq(reply_receive(p.server, 0, 0, p.port), HOST_BLOCKED);
	cr_assert_eq(host_result(other), KERN_SUCCESS);
}

/* No byte beyond the message reaches the other side, though copying goes by words. */
Test(messages, every_length)
{
	struct play p = play_start();

	for (uint32_t length = 0; length <= MSG_INLINE_MAX; length += length < 80 ? 1 : 97) {
		memset(p.client->endpoint->send->data, 0xaa, MSG_INLINE_MAX);
		memset(p.server->endpoint->request->data, 0, MSG_INLINE_MAX);
		cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
		cr_assert_eq(call(p.client, p.send, 1, length, 0), HOST_BLOCKED);
		for (uint32_t i = 0; i < MSG_INLINE_MAX; i++)
			cr_assert_eq(p.server->endpoint->request->data[i], i < length ? 0xaa : 0, "%u of %u", i, length);
		cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	}
	cr_assert_eq(call(p.client, p.send, 1, MSG_INLINE_MAX + 1, 0), KERN_TOO_LARGE);
	cr_assert_eq(call(p.client, p.send, 1, 0, MSG_DESCRIPTORS_MAX + 1), KERN_TOO_LARGE);
}

Test(messages, operations_that_do_not_go_together)
{
	struct play p = play_start();
	uint64_t to = MSG_DESTINATION(p.send, 1);

	cr_assert_eq(trap(p.client, msg, 0, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_SEND, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_RECEIVE, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_SEND | MSG_SEND_REPLY, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_TO_ONCE, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_SEND | MSG_RESTART, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_SEND | UINT64_C(1) << 50, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_SEND | 1u << 17, to, 0, DEADLINE_NOW), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, msg, MSG_RECEIVE, 0, p.send, DEADLINE_NOW), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.client, msg, MSG_RECEIVE, 0, 12345, DEADLINE_NOW), KERN_INVALID_NAME);
	cr_assert_eq(trap(p.client, msg, MSG_SEND | MSG_TO_ONCE, to, 0, DEADLINE_NOW), KERN_INVALID_RIGHT);
	cr_assert_eq(call(p.server, p.port, 1, 0, 0), KERN_INVALID_RIGHT);
}

Test(messages, only_server_threads_receive)
{
	struct play p = play_start();
	struct thread *plain = host_thread(p.server_task, 0);

	cr_assert_null(plain->endpoint->request);
	cr_assert_eq(receive(plain, p.port), KERN_NOT_SUPPORTED);
	cr_assert_eq(reply_receive(plain, 0, 0, p.port), KERN_NOT_SUPPORTED);
}

Test(messages, one_way_queue_is_bounded)
{
	struct play p = play_start();
	struct thread *other = host_thread(p.client_task, 0);

	for (unsigned i = 0; i < QUEUE_LIMIT_DEFAULT; i++) {
		p.client->endpoint->send->data[0] = (uint8_t)i;
		cr_assert_eq(send_oneway(p.client, p.send, i, 1, 0), KERN_SUCCESS);
	}
	cr_assert_eq(send_oneway(p.client, p.send, 1, 1, 0), KERN_QUEUE_FULL);
	other->endpoint->send->data[0] = 0xee;
	cr_assert_eq(trap(other, msg, MSG_SEND | 1, MSG_DESTINATION(p.send, 999), 0, DEADLINE_NEVER), HOST_BLOCKED);
	for (unsigned i = 0; i < QUEUE_LIMIT_DEFAULT; i++) {
		cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
		cr_assert_eq(got(p.server)->ordinal, i);
		cr_assert_eq(got(p.server)->request, 0);
		cr_assert_eq(p.server->endpoint->request->data[0], i);
	}
	/* The waiting sender's trap is repeated. */
	cr_assert_eq((int64_t)other->registers.rax, -TRAP_msg);
	cr_assert_eq(trap(other, msg, MSG_SEND | 1, MSG_DESTINATION(p.send, 999), 0, DEADLINE_NEVER), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 999);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

Test(messages, deadlines)
{
	struct play p = play_start();
	uint64_t rip = p.client->registers.rip;

	cr_assert_eq(trap(p.server, msg, MSG_RECEIVE, 0, p.port, host_clock + 1000), HOST_BLOCKED);
	cr_assert_eq(host_timer, host_clock + 1000);
	host_tick(999);
	cr_assert(host_waits(p.server));
	host_tick(1);
	cr_assert_eq(host_result(p.server), KERN_TIMED_OUT);
	cr_assert_eq(trap(p.client, msg, MSG_CALL, MSG_DESTINATION(p.send, 1), 0, host_clock + 1000), HOST_BLOCKED);
	host_tick(1000);
	cr_assert_eq(host_result(p.client), KERN_TIMED_OUT);
	cr_assert_eq(p.client->registers.rip, rip + 2);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT, "the overdue call was withdrawn");
	cr_assert_eq(trap(p.client, msg, MSG_CALL, MSG_DESTINATION(p.send, 1), 0, host_clock), KERN_TIMED_OUT);
}

Test(messages, a_full_queue_and_a_deadline)
{
	struct play p = play_start();
	uint64_t rip;

	for (unsigned i = 0; i < QUEUE_LIMIT_DEFAULT; i++)
		cr_assert_eq(send_oneway(p.client, p.send, i, 0, 0), KERN_SUCCESS);
	rip = p.client->registers.rip;
	cr_assert_eq(trap(p.client, msg, MSG_SEND, MSG_DESTINATION(p.send, 1), 0, host_clock + 10), HOST_BLOCKED);
	host_tick(10);
	cr_assert_eq(host_result(p.client), KERN_TIMED_OUT);
	cr_assert_eq(p.client->registers.rip, rip + 2, "behind the trap, not before it");
}

Test(messages, send_and_receive_in_one_trap)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create);

	cr_assert_eq(trap(p.client, msg, MSG_SEND | MSG_RECEIVE, MSG_DESTINATION(p.send, 3), own, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 3);
	/* A receive right that is not there: nothing is sent. */
	cr_assert_eq(trap(p.server, msg, MSG_SEND | MSG_RECEIVE, MSG_DESTINATION(p.send, 3), 999, DEADLINE_NEVER),
		     KERN_INVALID_NAME);
}

Test(messages, receiving_with_a_request_in_service)
{
	struct play p = play_start();

	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(receive(p.server, p.port), KERN_BUSY);
	cr_assert_eq(reply_receive(p.server, 0, 0, 12345), KERN_INVALID_NAME);
	cr_assert(host_waits(p.client), "nothing was answered");
	cr_assert_eq(reply(p.server, 5, 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->ordinal, 5);
	cr_assert_eq(reply(p.server, 5, 0, 0), KERN_SUCCESS, "an empty slot is not an error");
}

Test(messages, port_sets)
{
	struct play p = play_start();
	port_name_t set = (port_name_t)trap(p.server, portset_create), second = (port_name_t)trap(p.server, port_create);
	port_name_t to_second = give_right(port_of(p.server, second), 2, 0, p.client_task);

	cr_assert_eq(trap(p.server, portset_move, p.port, set), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, portset_move, second, set), KERN_SUCCESS);
	cr_assert_eq(receive(p.server, set), HOST_BLOCKED);
	cr_assert_eq(call(p.client, to_second, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(thread_current(), p.server, "the direct switch works through a set");
	cr_assert_eq(got(p.server)->port, second);
	cr_assert_eq(reply_receive(p.server, 0, 0, set), HOST_BLOCKED);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(got(p.server)->port, p.port);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	/* Messages of both members, taken in turn. */
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(send_oneway(p.client, p.send, i, 0, 0), KERN_SUCCESS);
		cr_assert_eq(send_oneway(p.client, to_second, i, 0, 0), KERN_SUCCESS);
	}
	for (unsigned i = 0; i < 6; i++) {
		cr_assert_eq(poll(p.server, set), KERN_SUCCESS);
		cr_assert_eq(got(p.server)->port, i % 2 == 0 ? p.port : second);
		cr_assert_eq(got(p.server)->ordinal, i / 2);
	}
	cr_assert_eq(poll(p.server, set), KERN_TIMED_OUT);
	/* A member that leaves keeps its messages. */
	cr_assert_eq(send_oneway(p.client, to_second, 7, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, portset_move, second, 0), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, set), KERN_TIMED_OUT);
	cr_assert_eq(receive(p.server, set), HOST_BLOCKED);
	struct thread *mover = host_thread(p.server_task, 0);
	cr_assert_eq(trap(mover, portset_move, second, set), KERN_SUCCESS);
	cr_assert_eq(host_result(p.server), KERN_SUCCESS, "who waits on the set gets what the new member has");
	cr_assert_eq(got(p.server)->ordinal, 7);
	cr_assert_eq(receive(p.server, set), HOST_BLOCKED);
	cr_assert_eq(trap(mover, right_release, set), KERN_SUCCESS);
	cr_assert_eq(host_result(p.server), KERN_DEAD);
	cr_assert_eq(send_oneway(p.client, to_second, 8, 0, 0), KERN_SUCCESS, "the members live");
}

Test(messages, death_of_a_port)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	struct thread *mover = host_thread(p.server_task, 0);
	struct thread *sender = host_thread(p.client_task, 0);

	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	for (unsigned i = 0; i < QUEUE_LIMIT_DEFAULT; i++)
		cr_assert_eq(send_oneway(sender, p.send, i, 8, 0), KERN_SUCCESS);
	cr_assert_eq(trap(sender, msg, MSG_SEND, MSG_DESTINATION(p.send, 999), 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(trap(mover, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_DEAD);
	cr_assert_eq(trap(sender, msg, MSG_SEND, MSG_DESTINATION(p.send, 999), 0, DEADLINE_NEVER), KERN_DEAD);
	thread_terminate(mover);
	thread_terminate(sender);
	host_leave();
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT], "kept by the client's dead name");
	cr_assert_eq(trap(p.client, right_release, p.send), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT] - 1);
	/* A receiver whose port dies. */
	p.port = (port_name_t)trap(p.server, port_create);
	mover = host_thread(p.server_task, 0);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	cr_assert_eq(trap(mover, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(host_result(p.server), KERN_DEAD);
}

/* The stream of requests and answers goes straight from thread to thread: nothing is allocated. */
Test(messages, the_fast_path_allocates_nothing)
{
	struct play p = play_start();
	uint64_t bytes;

	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	bytes = root_ledger.bytes;
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(call(p.client, p.send, 1, 32, 0), HOST_BLOCKED);
		cr_assert_eq(root_ledger.bytes, bytes);
		cr_assert_eq(reply_receive(p.server, 0, 32, p.port), HOST_BLOCKED);
	}
	cr_assert_eq(root_ledger.bytes, bytes);
	cr_assert_eq(p.server_task->messages, 100);
}
