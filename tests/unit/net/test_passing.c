/* Descriptors in flight: what may travel, who can collect it, and what is collected when nobody can. */
#include "fixture.h"

#include <vfs_types.h>

TestSuite(passing, .init = fixture_begin);

static port_name_t a, b;
static struct net_passed what;
static port_name_t right;

static void begin(void)
{
	pair(SOCK_STREAM, &a, &b);
}

/* Into the queue behind `to`. */
static void fly(port_name_t socket, port_name_t through)
{
	uint64_t bundle = 0;
	cr_assert_eq(stage(socket, 0, &bundle), 0);
	cr_assert_eq(send_with(through, "x", bundle), 0);
}

Test(passing, a_file)
{
	begin();
	uint64_t bundle = 0;
	port_name_t file = vfs_file(55);
	cr_assert_eq(stage(file, 0, &bundle), 0);
	cr_assert_eq(send_with(a, "x", bundle), 0);
	loopback_release(file);
	cr_expect_eq(send_with(a, "x", bundle), EINVAL, "it is used up");
	cr_assert_eq(receive_now(b), 0);
	cr_expect_eq(got.descriptors, 1);
	as(OTHER);
	cr_expect_eq(collect_one(got.bundle, &what, &right), EINVAL, "it is not this one's");
	as(OWNER);
	cr_assert_eq(collect_one(got.bundle, &what, &right), 0);
	cr_expect_eq(what.server, VFS_SERVER_ID_VFS, "found out, not believed");
	cr_expect_eq(what.kind, 5);
	cr_expect_eq(loopback_badge(right), 55);
	cr_expect_eq(collect_one(got.bundle, &what, &right), EINVAL, "there is no more");
	loopback_release(right);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(passing, what_may_not_travel)
{
	uint64_t bundle = 0;
	port_name_t mine = own_port(), memory = memory_object();

	cr_expect_eq(stage(mine, 0, &bundle), EBADF, "a port of the sender's own");
	bundle = 0;
	cr_expect_eq(stage(net, 0, &bundle), EBADF, "no socket");
	bundle = 0;
	cr_expect_eq(stage(memory, 0, &bundle), EBADF, "memory that is no description");
	bundle = 0;
	cr_expect_eq(stage(PORT_NULL, 0, &bundle), EBADF);
	bundle = 0;
	cr_expect_eq(stage(memory, 1, &bundle), 0, "an eventfd");
	cr_expect_eq(stage(PORT_NULL, 3, &bundle), 0, "a signalfd");
	cr_expect_eq(stage(mine, 0, &bundle), EBADF);
	cr_expect_eq(net_discard(net, bundle), EINVAL, "an error ends it");
	loopback_release(mine);
	loopback_release(memory);
	expect_nothing_left();
}

Test(passing, a_bundle_ends_with_its_process)
{
	uint64_t bundle = 0;
	port_name_t file = vfs_file(1);

	as(CHILD);
	cr_assert_eq(stage(file, 0, &bundle), 0);
	loopback_release(file);
	change(CHILD, PROC_CHANGE_KIND_EXEC);
	cr_expect_eq(net_discard(net, bundle), EINVAL);
	expect_nothing_left();
}

Test(passing, a_socket_in_flight_is_not_closed)
{
	port_name_t c, d;

	begin();
	pair(SOCK_STREAM, &c, &d);
	fly(d, a);
	loopback_release(d);
	cr_expect_eq(events_of(c) & POLL_HUP, 0);
	cr_assert_eq(receive_now(b), 0);
	cr_assert_eq(collect_one(got.bundle, &what, &d), 0);
	cr_expect_eq(what.server, VFS_SERVER_ID_NET);
	cr_assert_eq(send_now(c, "hello"), 0);
	cr_assert_eq(receive_now(d), 0);
	cr_expect_str_eq(text, "hello");
	loopback_release(d);
	cr_expect_eq(events_of(c) & POLL_HUP, POLL_HUP);
	loopback_release(c);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(passing, peeking_gives_them_twice)
{
	begin();
	uint64_t bundle = 0;
	port_name_t file = vfs_file(9), again;
	stage(file, 0, &bundle);
	loopback_release(file);
	send_with(a, "x", bundle);
	cr_assert_eq(receive_flags(b, MSG_PEEK), 0);
	uint64_t peeked = got.bundle;
	cr_assert_eq(receive_now(b), 0);
	cr_assert_eq(collect_one(peeked, &what, &right), 0);
	cr_assert_eq(collect_one(got.bundle, &what, &again), 0);
	cr_expect_eq(loopback_badge(right), 9);
	cr_expect_eq(loopback_badge(again), 9);
	loopback_release(right);
	loopback_release(again);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(passing, read_takes_the_bytes_alone)
{
	begin();
	uint64_t bundle = 0;
	port_name_t file = vfs_file(9);
	size_t count;
	stage(file, 0, &bundle);
	loopback_release(file);
	send_with(a, "x", bundle);
	cr_assert_eq(io_read_inline(b, IO_OFFSET_CURRENT, 1, 10, text, sizeof(text), &count), 0);
	cr_expect_eq(count, 1);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}

Test(passing, own_queue)
{
	begin();
	fly(b, a);
	loopback_release(b);
	host_run_deferred();
	cr_expect_eq(send_now(a, "x"), EPIPE, "nobody can receive it any more");
	loopback_release(a);
	expect_nothing_left();
}

Test(passing, a_cycle_is_collected_when_it_cannot_be_reached)
{
	port_name_t c, d;

	begin();
	pair(SOCK_DGRAM, &c, &d);
	fly(b, c); /* b in d's queue */
	fly(d, a); /* d in b's queue */
	loopback_release(b);
	host_run_deferred();
	cr_expect_eq(send_now(a, "x"), 0, "b can be received from d, which is held");
	loopback_release(d);
	host_run_deferred();
	cr_expect_eq(send_now(a, "x"), EPIPE);
	cr_expect_eq(send_now(c, "x"), ECONNREFUSED, "b and d are gone");
	loopback_release(a);
	loopback_release(c);
	expect_nothing_left();
}

Test(passing, a_bundle_keeps_a_cycle_alive)
{
	begin();
	fly(b, a);
	cr_assert_eq(receive_flags(b, MSG_PEEK), 0);
	loopback_release(b);
	host_run_deferred();
	cr_expect_eq(events_of(a) & POLL_HUP, 0, "it can be collected by hand");
	cr_assert_eq(collect_one(got.bundle, &what, &b), 0);
	cr_assert_eq(receive_now(b), 0);
	loopback_release(b);
	loopback_release(a);
	expect_nothing_left();
}

Test(passing, no_more_than_the_limit)
{
	begin();
	port_name_t file = vfs_file(1);
	int error = 0, count = 0;
	while (count < 3000) {
		uint64_t bundle = 0;
		error = stage(file, 0, &bundle);
		if (error != 0)
			break;
		count++;
		cr_assert_eq(send_with(a, "x", bundle), 0);
	}
	cr_expect_eq(error, ETOOMANYREFS);
	cr_expect_eq(count, 1024);
	as(SUPER);
	uint64_t bundle = 0;
	cr_expect_eq(stage(file, 0, &bundle), 0);
	as(OWNER);
	loopback_release(file);
	loopback_release(a);
	loopback_release(b);
	expect_nothing_left();
}
