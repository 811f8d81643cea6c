/* Datagrams and packets: boundaries, full queues, who may send to whom. */
#include "fixture.h"

TestSuite(datagram, .init = fixture_begin);

static int send_to(port_name_t socket, const char *words, const char *name, uint32_t flags)
{
	uint8_t address[NET_ADDRESS_MAX] = {AF_UNIX};
	struct net_ancillary with = {0};
	uint64_t done;

	memcpy(address + 3, name, strlen(name));
	return net_send_inline(socket, flags, &with, address, 3 + strlen(name), PORT_NULL, words, strlen(words), &done);
}

Test(datagram, boundaries_and_addresses)
{
	port_name_t a = make(SOCK_DGRAM), b = make(SOCK_DGRAM);

	bind_to(a, "a");
	bind_to(b, "b");
	cr_assert_eq(send_to(a, "one", "b", 0), 0);
	cr_assert_eq(send_to(a, "", "b", 0), 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect_str_eq(text, "one");
	cr_expect_eq(from_size, 4);
	cr_expect_eq(from[3], 'a');
	cr_assert_eq(receive_now(b), 0);
	cr_expect_eq(got.size, 0);
	cr_expect_eq(receive_now(b), EAGAIN);
	cr_expect_eq(send_to(a, "x", "c", 0), ECONNREFUSED);
	cr_expect_eq(send_now(a, "x"), ENOTCONN);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(datagram, a_full_queue_holds_up_others)
{
	port_name_t a = make(SOCK_DGRAM), b = make(SOCK_DGRAM);

	bind_to(b, "b");
	cr_assert_eq(connect_to(a, "b"), 0);
	cr_expect_eq(events_of(a) & POLL_OUT, POLL_OUT);
	int count = 0;
	while (send_now(a, "x") == 0)
		count++;
	cr_expect_eq(count, UNIX_QUEUE_MAX + 1);
	cr_expect_eq(events_of(a) & POLL_OUT, 0);
	uint64_t id = PARKS(send_flags(a, "waits", 0));
	cr_assert_eq(receive_now(b), 0);
	cr_expect(answered(id));
	cr_expect_eq(AFTER(id, send_flags(a, "waits", 0)), 0);
	id = PARKS(send_flags(a, "in vain", 0));
	loopback_release(b);
	cr_expect(answered(id));
	cr_expect_eq(AFTER(id, send_flags(a, "in vain", 0)), ECONNREFUSED);
	loopback_release(a);
	expect_nothing_left();
}

Test(datagram, poll_tells_of_room_in_the_peer)
{
	port_name_t a = make(SOCK_DGRAM), b = make(SOCK_DGRAM);
	uint32_t slot;

	bind_to(b, "b");
	connect_to(a, "b");
	cr_assert_eq(io_ready_slot(a, &slot), 0);
	while (send_now(a, "x") == 0)
		;
	cr_expect_eq(host_readiness(slot) & POLL_OUT, 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect_eq(host_readiness(slot) & POLL_OUT, POLL_OUT);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(datagram, strangers_may_not_send_to_a_pair)
{
	port_name_t a, b, c = make(SOCK_DGRAM);

	pair(SOCK_DGRAM, &a, &b);
	bind_to(a, "a");
	cr_expect_eq(send_to(c, "x", "a", 0), EPERM);
	cr_expect_eq(connect_to(c, "a"), EPERM);
	loopback_release(a);
	cr_expect_eq(send_now(b, "x"), ECONNREFUSED);
	cr_expect_eq(send_now(b, "x"), ENOTCONN);
	loopback_release(b);
	loopback_release(c);
	expect_nothing_left();
}

Test(datagram, credentials)
{
	port_name_t a, b;
	uint32_t on = 1;
	struct net_ancillary with = {.has_credentials = 1, .pid = CHILD, .uid = 1000, .gid = 1000};
	uint64_t done;

	pair(SOCK_DGRAM, &a, &b);
	cr_assert_eq(send_now(a, "x"), 0);
	cr_assert_eq(net_set_option(b, SOL_SOCKET, OPTION_PASSCRED, &on, sizeof(on)), 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect(got.has_credentials == 1 && got.pid == 0 && got.uid == NOBODY_ID);
	as(OTHER);
	cr_assert_eq(send_now(a, "x"), 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect(got.pid == OTHER && got.uid == 2000 && got.gid == 2000, "the sender's principal counts");
	cr_expect_eq(net_send_inline(a, 0, &with, "", 0, PORT_NULL, "x", 1, &done), EPERM);
	as(SUPER);
	cr_assert_eq(net_send_inline(a, 0, &with, "", 0, PORT_NULL, "x", 1, &done), 0);
	cr_assert_eq(receive_now(b), 0);
	cr_expect(got.pid == CHILD && got.uid == 1000);
	with.pid = 4711;
	cr_expect_eq(net_send_inline(a, 0, &with, "", 0, PORT_NULL, "x", 1, &done), ESRCH);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(datagram, packets_end)
{
	port_name_t a, b;

	pair(SOCK_SEQPACKET, &a, &b);
	cr_assert_eq(send_now(a, "one"), 0);
	cr_assert_eq(send_now(a, "two"), 0);
	loopback_release(a);
	cr_assert_eq(receive_now(b), 0);
	cr_expect_str_eq(text, "one");
	cr_assert_eq(receive_now(b), 0);
	cr_expect_eq(receive_now(b), 0);
	cr_expect_str_eq(text, "");
	cr_expect_eq(send_now(b, "x"), EPIPE);
	loopback_release(b);
	expect_nothing_left();
}
