/* Rights and regions in messages: obtained as the disposition says, all or nothing, released when nobody takes them. */
#include "play.h"

/* One message with the descriptors of the client's send page; what the server got is in its request page. */
static void pass(struct play *p, uint32_t count)
{
	cr_assert_eq(send_oneway(p->client, p->send, 1, 0, count), KERN_SUCCESS);
	cr_assert_eq(poll(p->server, p->port), KERN_SUCCESS);
	cr_assert_eq(got(p->server)->descriptors, count);
}

static const struct msg_descriptor *arrived(struct play *p, unsigned index)
{
	return &p->server->endpoint->request->descriptor[index];
}

Test(carried, every_disposition)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create), send, moved;

	send = (port_name_t)trap(p.client, right_make, own, 3, RIGHT_NOTIFY, 0);
	moved = (port_name_t)trap(p.client, right_make, own, 4, 0, 0);
	descriptor(p.client, 0, port_descriptor(send, MSG_COPY_SEND));
	descriptor(p.client, 1, port_descriptor(moved, MSG_MOVE_SEND));
	descriptor(p.client, 2, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = own,
							.badge = 5, .flags = RIGHT_MINT});
	descriptor(p.client, 3, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND_ONCE,
							.name = own, .badge = 6});
	descriptor(p.client, 4, port_descriptor(PORT_NULL, MSG_COPY_SEND));
	pass(&p, 5);
	cr_assert_eq(kind_of(p.client, send), RIGHT_SEND);
	cr_assert_eq(kind_of(p.client, moved), RIGHT_NONE);
	cr_assert_eq(info_of(p.server, arrived(&p, 0)->name).badge, 3);
	cr_assert_eq(info_of(p.server, arrived(&p, 0)->name).flags, RIGHT_NOTIFY);
	cr_assert_eq(info_of(p.server, arrived(&p, 1)->name).badge, 4);
	cr_assert_eq(info_of(p.server, arrived(&p, 2)->name).badge, 5);
	cr_assert_eq(info_of(p.server, arrived(&p, 2)->name).flags, RIGHT_MINT);
	cr_assert_eq(info_of(p.server, arrived(&p, 3)->name).kind, RIGHT_SEND_ONCE);
	cr_assert_eq(arrived(&p, 4)->type, MSG_DESC_PORT);
	cr_assert_eq(arrived(&p, 4)->name, PORT_NULL);
	/* The send-once right works once. */
	cr_assert_eq(trap(p.server, msg, MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(arrived(&p, 3)->name, 9), 0, 0), KERN_SUCCESS);
	cr_assert_eq(kind_of(p.server, arrived(&p, 3)->name), RIGHT_NONE);
	cr_assert_eq(poll(p.client, own), KERN_SUCCESS);
	cr_assert_eq(got(p.client)->badge, 6);
	cr_assert_eq(got(p.client)->ordinal, 9);
}

Test(carried, a_receive_right_moves_with_its_messages)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create), new;
	port_name_t to_own = (port_name_t)trap(p.client, right_make, own, 3, 0, 0);
	struct port *port = port_of(p.client, own);
	struct thread *waiter = host_thread(p.client_task, THREAD_SERVER);

	cr_assert_eq(receive(waiter, own), HOST_BLOCKED);
	descriptor(p.client, 0, port_descriptor(own, MSG_MOVE_RECEIVE));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 1), KERN_SUCCESS);
	cr_assert_eq(host_result(waiter), KERN_DEAD);
	cr_assert_null(port->space);
	cr_assert_eq(send_oneway(p.client, to_own, 77, 0, 0), KERN_SUCCESS);
	cr_assert_eq(info_of(p.client, to_own).receiver, 0);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	new = arrived(&p, 0)->name;
	cr_assert_eq(port_of(p.server, new), port);
	cr_assert_eq(port->space, p.server_task->space);
	cr_assert_eq(poll(p.server, new), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, 77);
}

Test(carried, a_receive_right_cannot_be_queued_on_itself)
{
	struct play p = play_start();
	port_name_t a = (port_name_t)trap(p.client, port_create), b = (port_name_t)trap(p.client, port_create);
	port_name_t to_a = (port_name_t)trap(p.client, right_make, a, 0, 0, 0);
	port_name_t to_b = (port_name_t)trap(p.client, right_make, b, 0, 0, 0);

	descriptor(p.client, 0, port_descriptor(a, MSG_MOVE_RECEIVE));
	cr_assert_eq(send_oneway(p.client, to_a, 1, 0, 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(send_oneway(p.client, to_b, 1, 0, 1), KERN_SUCCESS);
	descriptor(p.client, 0, port_descriptor(b, MSG_MOVE_RECEIVE));
	cr_assert_eq(send_oneway(p.client, to_a, 1, 0, 1), KERN_INVALID_ARGUMENT);
}

Test(carried, all_or_nothing)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create), send;
	struct host_balance before, after;

	send = (port_name_t)trap(p.client, right_make, own, 3, 0, 0);
	before = host_balance();
	descriptor(p.client, 0, port_descriptor(send, MSG_MOVE_SEND));
	descriptor(p.client, 1, port_descriptor(own, MSG_MOVE_RECEIVE));
	descriptor(p.client, 2, port_descriptor(12345, MSG_COPY_SEND));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_NAME);
	descriptor(p.client, 2, port_descriptor(send, MSG_COPY_SEND));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_NAME, "it would be gone by then");
	descriptor(p.client, 2, port_descriptor(p.send, MSG_MOVE_RECEIVE));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_RIGHT);
	descriptor(p.client, 2, port_descriptor(p.send, 99));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_ARGUMENT);
	descriptor(p.client, 2, (struct msg_descriptor){.type = 99});
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_ARGUMENT);
	descriptor(p.client, 2, (struct msg_descriptor){.type = MSG_DESC_WINDOW, .flags = MSG_WINDOW_READ, .address = BUFFER,
							.size = 8});
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_ARGUMENT, "windows are for calls");
	descriptor(p.client, 2, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER + 1, .size = 8});
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_INVALID_ARGUMENT);
	descriptor(p.client, 2, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = 0x123456000, .size = 8});
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 3), KERN_FAULT);
	cr_assert_eq(kind_of(p.client, send), RIGHT_SEND);
	cr_assert_eq(kind_of(p.client, own), RIGHT_RECEIVE);
	after = host_balance();
	cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0);
}

/* Wherever memory runs out, the sender is told and has lost nothing. */
Test(carried, out_of_memory_at_every_step)
{
	struct play p = play_start();
	struct ledger *ledger = p.client_task->ledger;
	port_name_t own = (port_name_t)trap(p.client, port_create), send;
	struct host_balance before;
	int64_t status;
	int failures = 0;

	send = (port_name_t)trap(p.client, right_make, own, 3, 0, 0);
	host_put(p.client_task, BUFFER, "region", 7);
	descriptor(p.client, 0, port_descriptor(send, MSG_MOVE_SEND));
	descriptor(p.client, 1, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = own,
							.badge = 500});
	descriptor(p.client, 2, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND_ONCE,
							.name = own});
	descriptor(p.client, 3, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER, .size = 4096,
							.flags = MSG_REGION_MOVE});
	before = host_balance();
	for (uint64_t room = 0;; room += 32) {
		ledger->byte_limit = ledger->bytes + room;
		status = send_oneway(p.client, p.send, 1, 100, 4);
		if (status == KERN_SUCCESS)
			break;
		failures++;
		cr_assert_eq(status, KERN_NO_MEMORY);
		cr_assert_eq(kind_of(p.client, send), RIGHT_SEND);
		cr_assert_eq(port_of(p.client, own)->senders, 1);
		struct host_balance after = host_balance();
		cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0);
	}
	cr_assert_gt(failures, 3);
	cr_assert_eq(kind_of(p.client, send), RIGHT_NONE);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_neq(arrived(&p, 3)->address, 0);
}

Test(carried, regions)
{
	struct play p = play_start();
	char text[16] = "";

	host_put(p.client_task, BUFFER, "shared", 7);
	host_put(p.client_task, BUFFER + PAGE_SIZE, "moved", 6);
	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER, .size = 100});
	descriptor(p.client, 1, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER + PAGE_SIZE,
							.size = PAGE_SIZE, .flags = MSG_REGION_MOVE});
	pass(&p, 2);
	cr_assert_eq(arrived(&p, 0)->size, 100);
	host_put(p.client_task, BUFFER, "CHANGED", 8);
	host_get(p.server_task, arrived(&p, 0)->address, text, 7);
	cr_assert_str_eq(text, "shared", "a copy");
	host_get(p.server_task, arrived(&p, 1)->address, text, 6);
	cr_assert_str_eq(text, "moved");
	cr_assert_eq(vm_copy_in(p.client_task->map, text, BUFFER + PAGE_SIZE, 1), 0, "gone from the sender");
}

/* A receiver that has no room gets a null right; the right is released. */
Test(carried, a_receiver_without_room)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create);
	struct ledger *ledger = p.server_task->ledger;

	while (p.server_task->space->free_head != 0)
		cr_assert_gt(trap(p.server, right_make, p.port, 1, 0, 0), 0);
	ledger->byte_limit = ledger->bytes;
	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = own});
	pass(&p, 1);
	cr_assert_eq(arrived(&p, 0)->type, MSG_DESC_PORT);
	cr_assert_eq(arrived(&p, 0)->name, PORT_NULL);
	cr_assert_eq(port_of(p.client, own)->senders, 0);
}

Test(carried, rights_in_undelivered_messages_are_released)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create), inner = (port_name_t)trap(p.client, port_create);
	port_name_t to_inner = (port_name_t)trap(p.client, right_make, inner, 0, 0, 0);
	struct thread *caller = host_thread(p.client_task, 0);

	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = own});
	descriptor(caller, 0, port_descriptor(inner, MSG_MOVE_RECEIVE));
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 1), KERN_SUCCESS);
	cr_assert_eq(call(caller, p.send, 1, 0, 1), HOST_BLOCKED);
	cr_assert_eq(port_of(p.client, own)->senders, 1);
	cr_assert_eq(kind_of(p.client, to_inner), RIGHT_SEND);
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(port_of(p.client, own)->senders, 0);
	cr_assert_eq(kind_of(p.client, to_inner), RIGHT_DEAD_NAME);
	cr_assert_eq(host_result(caller), KERN_DEAD);
}

/* Each port lies in a message on the next: their death goes down the chain without going down the stack. */
Test(carried, chains_of_ports)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t first = (port_name_t)trap(p.client, port_create), last = first, next, to_next;

	for (int i = 0; i < 2000; i++) {
		next = (port_name_t)trap(p.client, port_create);
		to_next = (port_name_t)trap(p.client, right_make, next, 0, 0, 0);
		descriptor(p.client, 0, port_descriptor(last, MSG_MOVE_RECEIVE));
		cr_assert_eq(send_oneway(p.client, to_next, 1, 0, 1), KERN_SUCCESS);
		cr_assert_eq(trap(p.client, right_release, to_next), KERN_SUCCESS);
		last = next;
	}
	cr_assert_eq(trap(p.client, right_release, last), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT]);
}

Test(carried, in_replies)
{
	struct play p = play_start();

	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	descriptor(p.server, 0, port_descriptor(12345, MSG_COPY_SEND));
	cr_assert_eq(reply(p.server, 0, 0, 1), KERN_INVALID_NAME);
	cr_assert(host_waits(p.client));
	descriptor(p.server, 0, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = p.port,
							.badge = 8, .flags = RIGHT_INHERIT});
	cr_assert_eq(reply(p.server, 0, 0, 1), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_SUCCESS);
	cr_assert_eq(answer(p.client)->descriptors, 1);
	cr_assert_eq(info_of(p.client, p.client->endpoint->reply->descriptor[0].name).badge, 8);
	cr_assert_eq(info_of(p.client, p.client->endpoint->reply->descriptor[0].name).flags, RIGHT_INHERIT);
	/* An answer that nobody waits for any more: its rights are released. */
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	thread_terminate(p.client);
	cr_assert_eq(port_of(p.server, p.port)->senders, 2);
	cr_assert_eq(reply(p.server, 0, 0, 1), KERN_SUCCESS);
	cr_assert_eq(port_of(p.server, p.port)->senders, 2);
}

/* The reply releases what came with the request, as far as its bits say and the request page still names it. */
Test(carried, a_reply_releases_what_was_delivered)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create), send, first, second;
	uint64_t address;

	send = (port_name_t)trap(p.client, right_make, own, 3, 0, 0);
	host_put(p.client_task, BUFFER, "abc", 4);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	for (int round = 0; round < 3; round++) {
		descriptor(p.client, 0, port_descriptor(send, MSG_COPY_SEND));
		descriptor(p.client, 1, (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER, .size = 100});
		descriptor(p.client, 2, port_descriptor(send, MSG_COPY_SEND));
		cr_assert_eq(call(p.client, p.send, 1, 0, 3), HOST_BLOCKED);
		first = arrived(&p, 0)->name;
		address = arrived(&p, 1)->address;
		second = arrived(&p, 2)->name;
		cr_assert_eq(kind_of(p.server, first), RIGHT_SEND);
		/* Without a receive there is no release, with a send neither. */
		cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RELEASE(0), 0, p.port, DEADLINE_NEVER), KERN_INVALID_ARGUMENT);
		cr_assert_eq(trap(p.server, msg, MSG_CALL | MSG_RELEASE(0), MSG_DESTINATION(second, 0), 0, DEADLINE_NEVER),
			     KERN_INVALID_ARGUMENT);
		cr_assert_eq(kind_of(p.server, first), RIGHT_SEND);
		/* What is refused has released nothing: the caller has no reply yet; there is no such port. */
		cr_assert_eq(trap(p.server, msg, MSG_RECEIVE | MSG_RELEASE(0), 0, p.port, DEADLINE_NEVER), KERN_BUSY);
		cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_RELEASE(0), 0, 0x7777, DEADLINE_NEVER), KERN_INVALID_NAME);
		cr_assert_eq(kind_of(p.server, first), RIGHT_SEND);
		/* By the fast path, and by the other one. */
		cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_RELEASES(round == 1 ? 3 : 0xfffb), 0, p.port,
				  round == 2 ? host_clock + 1000 : DEADLINE_NEVER), HOST_BLOCKED);
		cr_assert_eq(host_result(p.client), KERN_SUCCESS);
		cr_assert_null(right_of(p.server, first));
		cr_assert_not_null(right_of(p.server, second));
		cr_assert_eq(vm_copy_in(p.server_task->map, &address, address, 1), 0);
		if (round == 2)
			host_tick(2000);
		if (round == 2)
			cr_assert_eq(host_result(p.server), KERN_TIMED_OUT);
	}
}

/* The server's page is its own: it may name anything there, its own receive right too. */
Test(carried, a_release_of_the_port_itself)
{
	struct play p = play_start();
	struct msg_descriptor *d = &p.server->endpoint->request->descriptor[0];

	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	*d = port_descriptor(p.port, 0);
	d[1] = (struct msg_descriptor){.type = MSG_DESC_REGION, .address = ~UINT64_C(0), .size = ~UINT64_C(0)};
	d[2] = (struct msg_descriptor){.type = MSG_DESC_REGION, .address = BUFFER, .size = PAGE_SIZE};
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_RELEASES(7), 0, p.port, DEADLINE_NEVER), KERN_INVALID_NAME);
	cr_assert_eq(kind_of(p.server, p.port), RIGHT_NONE);
	cr_assert_eq(vm_copy_in(p.server_task->map, &d, BUFFER, 1), 0);
	cr_assert_eq(vm_copy_in(p.server_task->map, &d, BUFFER + PAGE_SIZE, 1), 1);
}

/* A thread that cannot receive asks for the release of what it cannot have received. */
Test(carried, nothing_to_release)
{
	struct play p = play_start();
	struct thread *plain = host_thread(p.client_task, 0);

	cr_assert_lt(trap(plain, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_RELEASE(0) | MSG_RELEASE(15), 0, p.port, DEADLINE_NOW), 0);
	cr_assert_lt(trap(plain, msg, MSG_SEND_REPLY | MSG_RELEASE(3), 0, 0, DEADLINE_NOW), 1);
}
