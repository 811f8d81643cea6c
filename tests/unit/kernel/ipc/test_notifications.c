/* Notifications: bits, no-senders, dead names, send-once rights that were not used; all before queued messages, none ever lost. */
#include "play.h"

Test(notifications, bits_gather)
{
	struct play p = play_start();
	port_name_t notify = give_right(port_of(p.server, p.port), 0, RIGHT_NOTIFY, p.client_task);

	cr_assert_eq(trap(p.client, port_notify, p.send, 1), KERN_NO_ACCESS);
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, port_notify, notify, 1), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, port_notify, notify, 4), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_NOTIFY);
	cr_assert_eq(got(p.server)->word, 5);
	cr_assert_eq(got(p.server)->port, p.port);
	cr_assert_eq(got(p.server)->request, 0);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_REQUEST);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	cr_assert_eq(trap(p.client, port_notify, notify, 2), KERN_SUCCESS);
	cr_assert_eq(host_result(p.server), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->word, 2);
	cr_assert_eq(trap(p.server, port_notify, p.port, 8), KERN_SUCCESS, "the owner of the port too");
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, port_notify, 12345, 8), KERN_INVALID_NAME);
}

Test(notifications, before_messages_of_other_members_of_a_set)
{
	struct play p = play_start();
	port_name_t set = (port_name_t)trap(p.server, portset_create), second = (port_name_t)trap(p.server, port_create);

	cr_assert_eq(trap(p.server, portset_move, p.port, set), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, portset_move, second, set), KERN_SUCCESS);
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, port_notify, second, 1), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, set), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_NOTIFY);
	cr_assert_eq(got(p.server)->port, second);
	cr_assert_eq(poll(p.server, set), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_REQUEST);
}

static void expect_no_senders(struct play *p, uint64_t badge, uint64_t made)
{
	cr_assert_eq(poll(p->server, p->port), KERN_SUCCESS);
	cr_assert_eq(got(p->server)->kind, MSG_NO_SENDERS);
	cr_assert_eq(got(p->server)->badge, badge);
	cr_assert_eq(got(p->server)->word, made);
}

Test(notifications, no_senders_by_badge)
{
	struct play p = play_start();
	port_name_t a, b, c;

	a = give_right(port_of(p.server, p.port), 7, 0, p.client_task);
	cr_assert_eq(trap(p.client, right_release, a), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT, "not armed");
	cr_assert_eq(trap(p.server, right_request, p.port, REQUEST_NO_SENDERS, p.port, 0), KERN_SUCCESS);
	a = give_right(port_of(p.server, p.port), 7, 0, p.client_task);
	b = (port_name_t)trap(p.client, right_copy, a, 0, 0);
	c = give_right(port_of(p.server, p.port), 8, 0, p.client_task);
	cr_assert_eq(trap(p.client, right_release, a), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
	cr_assert_eq(trap(p.client, right_release, b), KERN_SUCCESS);
	expect_no_senders(&p, 7, 1);
	cr_assert_eq(trap(p.client, right_release, c), KERN_SUCCESS);
	expect_no_senders(&p, 8, 1);
	/* Raised again before the server hears of it: told all the same, and the count says so. */
	a = give_right(port_of(p.server, p.port), 9, 0, p.client_task);
	cr_assert_eq(trap(p.client, right_release, a), KERN_SUCCESS);
	a = give_right(port_of(p.server, p.port), 9, 0, p.client_task);
	expect_no_senders(&p, 9, 1);
	cr_assert_eq(trap(p.client, right_release, a), KERN_SUCCESS);
	expect_no_senders(&p, 9, 2);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
	/* Twice before it hears: once told, with the latest count. */
	for (int i = 0; i < 2; i++) {
		a = give_right(port_of(p.server, p.port), 10, 0, p.client_task);
		cr_assert_eq(trap(p.client, right_release, a), KERN_SUCCESS);
	}
	expect_no_senders(&p, 10, 2);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

Test(notifications, no_senders_counts_rights_in_messages)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create);

	cr_assert_eq(trap(p.client, right_request, own, REQUEST_NO_SENDERS, own, 0), KERN_SUCCESS);
	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND, .name = own,
							.badge = 3});
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 1), KERN_SUCCESS);
	cr_assert_eq(poll(p.client, own), KERN_TIMED_OUT);
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(poll(p.client, own), KERN_SUCCESS);
	cr_assert_eq(got(p.client)->kind, MSG_NO_SENDERS);
	cr_assert_eq(got(p.client)->badge, 3);
}

Test(notifications, dead_names)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t own = (port_name_t)trap(p.client, port_create);
	port_name_t renamed;

	cr_assert_eq(trap(p.client, right_request, p.send, REQUEST_DEAD_NAME, own, 0xc0), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_request, p.send, REQUEST_DEAD_NAME, own, 0xc1), KERN_BUSY);
	cr_assert_eq(trap(p.client, right_request, own, REQUEST_DEAD_NAME, own, 0xc1), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.client, right_request, p.send, 9, own, 0xc1), KERN_INVALID_ARGUMENT);
	renamed = (port_name_t)trap(p.client, right_rename, p.send, 0x80004000);
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(poll(p.client, own), KERN_SUCCESS);
	cr_assert_eq(got(p.client)->kind, MSG_DEAD_NAME);
	cr_assert_eq(got(p.client)->word, renamed);
	cr_assert_eq(got(p.client)->badge, 0xc0);
	/* Asked for too late: told at once. */
	cr_assert_eq(trap(p.client, right_request, renamed, REQUEST_DEAD_NAME, own, 0xc2), KERN_SUCCESS);
	cr_assert_eq(poll(p.client, own), KERN_SUCCESS);
	cr_assert_eq(got(p.client)->badge, 0xc2);
	cr_assert_eq(trap(p.client, right_release, renamed), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_release, own), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT] - 1);
}

Test(notifications, a_request_goes_with_its_name)
{
	struct play p = play_start();
	port_name_t own = (port_name_t)trap(p.client, port_create);

	cr_assert_eq(trap(p.client, right_request, p.send, REQUEST_DEAD_NAME, own, 1), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_release, p.send), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(poll(p.client, own), KERN_TIMED_OUT);
	cr_assert_eq(trap(p.client, right_release, own), KERN_SUCCESS);
}

Test(notifications, death_of_tasks_and_threads)
{
	struct play p = play_start();
	port_name_t task = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client_task), RIGHT_CONTROL, 0);
	port_name_t thread = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client), RIGHT_CONTROL, 0);

	cr_assert_eq(trap(p.server, right_request, task, REQUEST_DEAD_NAME, p.port, 1), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_request, thread, REQUEST_DEAD_NAME, p.port, 2), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->badge, 2);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->badge, 1);
	cr_assert_eq(got(p.server)->word, task);
	cr_assert_eq(kind_of(p.server, task), RIGHT_DEAD_NAME);
	cr_assert_eq(trap(p.server, task_info, task), KERN_SUCCESS, "what it used can still be asked for");
	cr_assert_eq(p.server->endpoint->block->result[7], 2);
}

Test(notifications, unused_send_once_right)
{
	struct play p = play_start();

	descriptor(p.server, 0, (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = MSG_MAKE_SEND_ONCE,
							.name = p.port, .badge = 31});
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(reply(p.server, 0, 0, 1), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_release, p.client->endpoint->reply->descriptor[0].name), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_SEND_ONCE);
	cr_assert_eq(got(p.server)->badge, 31);
}

Test(notifications, timers)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t timer = (port_name_t)trap(p.server, timer_create, p.port, 0x10, 0);
	uint64_t start = host_clock;

	cr_assert_eq(trap(p.server, timer_create, p.port, 0, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, timer_set, timer, start + 1000, 1), KERN_INVALID_ARGUMENT);
	host_timer = DEADLINE_NEVER;
	cr_assert_eq(trap(p.server, timer_set, timer, start + 1000000, 1000000), KERN_SUCCESS);
	cr_assert_eq(host_timer, start + 1000000);
	host_tick(999999);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
	host_tick(1);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->word, 0x10);
	host_tick(3500000);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS, "late: once");
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
	cr_assert_eq(timers_next(), start + 5000000, "on the grid");
	cr_assert_eq(trap(p.server, timer_set, timer, DEADLINE_NEVER, 0), KERN_SUCCESS);
	cr_assert_eq(timers_next(), DEADLINE_NEVER);
	cr_assert_eq(trap(p.server, timer_set, timer, start + 9000000, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, timer), KERN_SUCCESS);
	cr_assert_eq(timers_next(), DEADLINE_NEVER);
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_TIMER], before.objects[KOBJ_TIMER]);
}

Test(notifications, interrupts_and_io_ports)
{
	struct play p = play_start();
	port_name_t machine = (port_name_t)right_enter_object(p.server_task->space, &machine_object, RIGHT_CONTROL, 0);
	port_name_t line = (port_name_t)trap(p.server, machine_interrupt, machine, 4, 0), range;

	cr_assert_eq(trap(p.server, machine_interrupt, machine, 4, 0), KERN_BUSY);
	cr_assert_eq(trap(p.server, machine_interrupt, p.port, 5, 0), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.server, machine_interrupt, machine, 256, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, interrupt_bind, line, p.port, 0x80), KERN_SUCCESS);
	cr_assert_eq(host_lines[4], 1);
	interrupt_arrived(4);
	cr_assert_eq(host_lines[4], 0);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->word, 0x80);
	cr_assert_eq(trap(p.server, interrupt_ack, line), KERN_SUCCESS);
	cr_assert_eq(host_lines[4], 1);
	interrupt_arrived(77);
	cr_assert_eq(trap(p.server, right_release, line), KERN_SUCCESS);
	cr_assert_eq(host_lines[4], 0);
	cr_assert_gt(trap(p.server, machine_interrupt, machine, 4, 0), 0);
	range = (port_name_t)trap(p.server, machine_ioports, machine, 0x3f8, 8, 0);
	cr_assert_eq(trap(p.server, ioport_write, range, 7, 1, 0x55), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, ioport_read, range, 7, 1), 0x55);
	cr_assert_eq(trap(p.server, ioport_read, range, 7, 2), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, ioport_read, range, 8, 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, ioport_read, range, 0, 3), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, machine_ioports, machine, 0xfff0, 17, 0), KERN_INVALID_ARGUMENT);
	write_text(p.server, "ab");
	cr_assert_eq(trap(p.server, ioport_write_string, range, 0, 2), KERN_SUCCESS);
	cr_assert_eq(host_ports[0x3f8], 'b');
	cr_assert_eq(trap(p.server, ioport_write_string, range, 0, MSG_INLINE_MAX + 1), KERN_TOO_LARGE);
	cr_assert_eq(trap(p.server, right_release, range), KERN_SUCCESS);
}
