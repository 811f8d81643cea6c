/* Names, socket files, options, and who a request is from. */
#include "fixture.h"

TestSuite(names, .init = fixture_begin);

static const uint8_t path[] = {AF_UNIX, 0, '/', 'p', 0};

Test(names, abstract_ones)
{
	port_name_t a = make(SOCK_STREAM), b = make(SOCK_STREAM), c = make(SOCK_DGRAM);

	cr_assert_eq(bind_to(a, "n"), 0);
	cr_expect_eq(bind_to(a, "m"), EINVAL);
	cr_expect_eq(bind_to(b, "n"), EADDRINUSE);
	cr_expect_eq(bind_to(c, "n"), 0, "another type, another name");
	loopback_release(a);
	cr_expect_eq(bind_to(b, "n"), 0, "it is free");
	cr_assert_eq(net_local_address(b, from, sizeof(from), &from_size), 0);
	cr_expect_eq(from_size, 4);
	cr_expect_eq(net_peer_address(b, from, sizeof(from), &from_size), ENOTCONN);
	loopback_release(b);
	loopback_release(c);
	expect_nothing_left();
}

Test(names, bad_addresses)
{
	port_name_t a = make(SOCK_STREAM);
	uint8_t other[20] = {2};

	cr_expect_eq(net_bind(a, "", 0, PORT_NULL), EINVAL);
	cr_expect_eq(net_bind(a, other, sizeof(other), PORT_NULL), EINVAL);
	cr_expect_eq(net_bind(a, path, sizeof(path), PORT_NULL), EINVAL, "no file was shown");
	cr_expect_eq(net_connect(a, path, sizeof(path), PORT_NULL), ECONNREFUSED);
	cr_expect_eq(net_connect(a, other, sizeof(other), PORT_NULL), EINVAL);
	loopback_release(a);
	expect_nothing_left();
}

Test(names, files)
{
	port_name_t a = make(SOCK_STREAM), b = make(SOCK_STREAM), new = socket_file(true, 7), same = socket_file(false, 7), other = socket_file(false, 8);

	cr_expect_eq(net_bind(a, path, sizeof(path), same), EINVAL, "it was made for somebody else");
	cr_expect_eq(net_bind(a, path, sizeof(path), net), EINVAL, "no file at all");
	cr_assert_eq(net_bind(a, path, sizeof(path), new), 0);
	cr_expect_eq(net_bind(b, path, sizeof(path), new), EINVAL, "shown twice");
	cr_expect_eq(net_connect(b, path, sizeof(path), new), EINVAL, "not to connect with");
	cr_assert_eq(net_listen(a, 1), 0);
	cr_expect_eq(net_connect(b, path, sizeof(path), other), ECONNREFUSED);
	cr_expect_eq(net_connect(b, path, sizeof(path), same), 0);
	loopback_release(b);
	port_name_t datagram = make(SOCK_DGRAM);
	cr_expect_eq(net_connect(datagram, path, sizeof(path), same), EPROTOTYPE);
	loopback_release(datagram);
	loopback_release(a);
	b = make(SOCK_STREAM);
	cr_expect_eq(net_connect(b, path, sizeof(path), same), ECONNREFUSED);
	loopback_release(b);
	loopback_release(new);
	loopback_release(same);
	loopback_release(other);
	expect_nothing_left();
}

Test(names, a_file_is_no_socket)
{
	port_name_t file = socket_file(false, 3);
	uint64_t done;

	cr_expect_eq(net_listen(file, 1), EBADF);
	cr_expect_eq(io_write_inline(file, IO_OFFSET_CURRENT, 0, "x", 1, &done), EBADF);
	cr_expect_eq(net_listen(net, 1), EBADF);
	loopback_release(file);
	expect_nothing_left();
}

Test(names, peers)
{
	port_name_t listener = make(SOCK_STREAM), client, server;
	struct sender who;
	size_t size;

	bind_to(listener, "l");
	net_listen(listener, 1);
	as(OTHER);
	client = make(SOCK_STREAM);
	cr_assert_eq(connect_to(client, "l"), 0);
	cr_assert_eq(net_get_option(client, SOL_SOCKET, 17, sizeof(who), &who, sizeof(who), &size), 0);
	cr_expect(who.pid == OWNER && who.uid == 1000);
	as(OWNER);
	net_accept(listener, 0, &server, from, sizeof(from), &from_size);
	cr_assert_eq(net_get_option(server, SOL_SOCKET, 17, sizeof(who), &who, sizeof(who), &size), 0);
	cr_expect(who.pid == OTHER && who.uid == 2000 && who.gid == 2000);
	cr_expect_eq(net_get_option(server, SOL_SOCKET, 999, 4, &who, sizeof(who), &size), ENOPROTOOPT);
	loopback_release(listener);
	loopback_release(client);
	loopback_release(server);
	expect_nothing_left();
}

Test(names, families_and_types)
{
	port_name_t made;

	cr_expect_eq(net_create(net, 2, SOCK_STREAM, 0, 0, &made), EAFNOSUPPORT);
	cr_expect_eq(net_create(net, 4000000000u, SOCK_STREAM, 0, 0, &made), EAFNOSUPPORT);
	cr_expect_eq(net_create(net, AF_UNIX, 4, 0, 0, &made), ESOCKTNOSUPPORT);
	cr_expect_eq(net_create(net, AF_UNIX, 99, 0, 0, &made), EINVAL);
	cr_expect_eq(net_create(net, AF_UNIX, SOCK_STREAM, 9, 0, &made), EPROTONOSUPPORT);
	as(4711);
	cr_expect_eq(net_create(net, AF_UNIX, SOCK_STREAM, 0, 0, &made), EACCES, "nobody that proc knows");
	as(OWNER);
	expect_nothing_left();
}
