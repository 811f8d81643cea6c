/* Streams: bytes, parking, room, ends, time limits. */
#include "fixture.h"

TestSuite(stream, .init = fixture_begin);

static port_name_t a, b;

static void close_both(void)
{
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(stream, bytes_have_no_boundaries)
{
	pair(SOCK_STREAM, &a, &b);
	cr_assert_eq(send_now(a, "one "), 0);
	cr_assert_eq(send_now(a, "two"), 0);
	cr_assert_eq(receive_flags(b, MSG_PEEK | MSG_DONTWAIT), 0);
	cr_expect_str_eq(text, "one two");
	cr_assert_eq(receive_now(b), 0);
	cr_expect_str_eq(text, "one two");
	cr_expect_eq(receive_now(b), EAGAIN);
	close_both();
}

Test(stream, a_receiver_parks_until_data_comes)
{
	pair(SOCK_STREAM, &a, &b);
	uint64_t first = PARKS(receive_flags(b, 0)), second = PARKS(receive_flags(b, 0));
	cr_assert_eq(send_now(a, "first"), 0);
	cr_expect(answered(first));
	cr_expect_not(answered(second), "one message, one receiver");
	cr_assert_eq(AFTER(first, receive_flags(b, 0)), 0);
	cr_expect_str_eq(text, "first");
	loopback_release(a);
	cr_expect(answered(second));
	cr_assert_eq(AFTER(second, receive_flags(b, 0)), 0);
	cr_expect_str_eq(text, "", "the end");
	a = make(SOCK_STREAM);
	close_both();
}

Test(stream, cancelled_receiver_is_forgotten)
{
	pair(SOCK_STREAM, &a, &b);
	uint64_t id = PARKS(receive_flags(b, 0));
	host_cancel(id, false);
	cr_expect_eq(AFTER(id, receive_flags(b, 0)), EINTR);
	cr_assert_eq(send_now(a, "kept"), 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect_str_eq(text, "kept");
	close_both();
}

Test(stream, a_full_buffer_parks_the_sender)
{
	static char much[200000];
	struct net_ancillary with = {0};
	uint64_t done, total = 0;

	pair(SOCK_STREAM, &a, &b);
	int error;
	while ((error = net_send(a, MSG_DONTWAIT, &with, "", 0, PORT_NULL, much, sizeof(much), &done)) == 0) {
		cr_expect_leq(done, UNIX_PART_MAX);
		total += done;
	}
	cr_expect_eq(error, EAGAIN);
	cr_expect_geq(total, SEND_BUFFER_DEFAULT / 2);
	cr_expect_eq(events_of(a) & POLL_OUT, 0);
	uint64_t id = PARKS(send_flags(a, "last words", 0));
	static char back[400000];
	uint64_t read = 0;
	while (read < total) {
		cr_assert_eq(net_receive(b, MSG_DONTWAIT, back, sizeof(back), &done, &got, from, sizeof(from), &from_size), 0);
		read += done;
	}
	cr_expect(answered(id));
	cr_expect_eq(AFTER(id, send_flags(a, "last words", 0)), 0);
	cr_expect_eq(events_of(a) & POLL_OUT, POLL_OUT);
	if (read == total) {
		cr_assert_eq(receive_now(b), 0);
		cr_expect_str_eq(text, "last words");
	}
	close_both();
}

Test(stream, pages_that_are_not_there_change_nothing)
{
	static char bytes[5000] = "window", back[5000];
	struct net_ancillary with = {0};
	uint64_t done;

	pair(SOCK_STREAM, &a, &b);
	loopback_fault_window(1);
	cr_assert_eq(net_send(a, 0, &with, "", 0, PORT_NULL, bytes, sizeof(bytes), &done), 0);
	cr_expect_eq(done, sizeof(bytes), "the call was begun again");
	loopback_fault_window(1);
	cr_assert_eq(net_receive(b, 0, back, sizeof(back), &done, &got, from, sizeof(from), &from_size), 0);
	cr_expect_eq(done, sizeof(bytes));
	cr_expect_arr_eq(bytes, back, sizeof(bytes));
	cr_expect_eq(receive_now(b), EAGAIN, "nothing came twice");
	close_both();
}

Test(stream, ends)
{
	pair(SOCK_STREAM, &a, &b);
	cr_assert_eq(send_now(a, "unread"), 0);
	cr_assert_eq(send_now(b, "kept"), 0);
	loopback_release(b);
	cr_expect_eq(events_of(a), POLL_IN | POLL_OUT | POLL_ERR | POLL_HUP | POLL_RDHUP);
	cr_expect_eq(send_now(a, "x"), EPIPE);
	cr_assert_eq(receive_now(a), 0);
	cr_expect_str_eq(text, "kept");
	cr_expect_eq(receive_now(a), ECONNRESET);
	cr_expect_eq(receive_now(a), 0);
	b = make(SOCK_STREAM);
	close_both();
}

Test(stream, half_close)
{
	pair(SOCK_STREAM, &a, &b);
	cr_assert_eq(net_shutdown(a, 1), 0);
	cr_expect_eq(send_now(a, "x"), EPIPE);
	cr_expect_eq(receive_now(b), 0);
	cr_assert_eq(send_now(b, "back"), 0);
	cr_assert_eq(receive_now(a), 0);
	cr_expect_str_eq(text, "back");
	cr_expect_eq(net_shutdown(a, 3), EINVAL);
	close_both();
}

Test(stream, connections)
{
	port_name_t listener = make(SOCK_STREAM), client = make(SOCK_STREAM), more = make(SOCK_STREAM), server;

	cr_expect_eq(net_listen(listener, 5), EINVAL, "no name");
	cr_assert_eq(bind_to(listener, "l"), 0);
	cr_expect_eq(connect_to(client, "l"), ECONNREFUSED);
	cr_assert_eq(net_listen(listener, 0), 0);
	cr_assert_eq(connect_to(client, "l"), 0);
	cr_expect_eq(connect_to(client, "l"), EISCONN);
	cr_assert_eq(send_now(client, "early"), 0);
	uint64_t waits = PARKS(connect_to(more, "l"));
	cr_expect_eq(events_of(listener), POLL_IN);
	cr_assert_eq(net_accept(listener, 0, &server, from, sizeof(from), &from_size), 0);
	cr_expect_eq(from_size, 2, "the family alone");
	cr_expect(answered(waits));
	cr_expect_eq(AFTER(waits, connect_to(more, "l")), 0);
	cr_assert_eq(receive_now(server), 0);
	cr_expect_str_eq(text, "early");
	loopback_release(listener);
	cr_expect_eq(receive_now(more), ECONNRESET, "nobody accepted it");
	cr_assert_eq(send_now(server, "still"), 0);
	loopback_release(client);
	loopback_release(more);
	loopback_release(server);
	expect_nothing_left();
}

Test(stream, an_accepter_parks)
{
	port_name_t listener = make(SOCK_STREAM), client = make(SOCK_STREAM), server;

	bind_to(listener, "l");
	cr_assert_eq(net_listen(listener, 5), 0);
	uint64_t id = PARKS(net_accept(listener, 0, &server, from, sizeof(from), &from_size));
	cr_assert_eq(connect_to(client, "l"), 0);
	cr_expect(answered(id));
	cr_assert_eq(AFTER(id, net_accept(listener, 0, &server, from, sizeof(from), &from_size)), 0);
	cr_assert_eq(send_now(server, "hello"), 0);
	cr_assert_eq(receive_now(client), 0);
	cr_expect_str_eq(text, "hello");
	id = PARKS(net_accept(listener, 0, &server, from, sizeof(from), &from_size));
	cr_assert_eq(net_shutdown(listener, 0), 0);
	cr_expect_eq(AFTER(id, net_accept(listener, 0, &server, from, sizeof(from), &from_size)), EINVAL);
	loopback_release(listener);
	loopback_release(client);
	loopback_release(server);
	expect_nothing_left();
}

Test(stream, time_limits)
{
	int64_t time[2] = {0, 5000}, longer[2] = {0, 9000};

	pair(SOCK_STREAM, &a, &b);
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
	cr_assert_eq(net_set_option(b, SOL_SOCKET, 20, longer, sizeof(longer)), 0);
	uint64_t late = PARKS(receive_flags(b, 0));
	cr_assert_eq(net_set_option(b, SOL_SOCKET, 20, time, sizeof(time)), 0);
	uint64_t soon = PARKS(receive_flags(b, 0));
	cr_expect_eq(host_deadline(), 1005000000u);
	host_set_time(1005000000u);
	cr_expect(answered(soon));
	cr_expect_not(answered(late));
	cr_expect_eq(AFTER(soon, receive_flags(b, 0)), EAGAIN);
	cr_expect_eq(host_deadline(), 1009000000u);
	cr_assert_eq(send_now(a, "x"), 0);
	cr_expect(answered(late));
	cr_expect_eq(host_deadline(), DEADLINE_NEVER);
	cr_expect_eq(AFTER(late, receive_flags(b, 0)), 0);
	close_both();
}

Test(stream, memory_that_is_not_there)
{
	pair(SOCK_STREAM, &a, &b);
	host_limit_keep(0);
	int error = 0;
	for (int i = 0; i < 3000 && error == 0; i++)
		error = send_now(a, "0123456789012345678901234567890123456789012345678901234567890123456789");
	cr_expect(error == ENOMEM || error == EAGAIN, "%d", error);
	host_limit_keep((size_t)1 << 28);
	cr_assert_eq(receive_now(b), 0);
	close_both();
}
