/* System V message queues. */
#include "fixture.h"

static int32_t id;
static char text[20000];
static int64_t type;
static size_t size;

static void make(void)
{
	fixture_begin();
	cr_assert_eq(ipc_msg_get(ipc, IPC_PRIVATE, 0622, &id), 0);
}

TestSuite(msg, .init = make);

static int send(int64_t of_type, const char *words, uint32_t flags)
{
	return ipc_msg_send_inline(ipc, id, of_type, flags, words, strlen(words));
}

static int receive(int64_t of_type, uint32_t flags)
{
	memset(text, 0, sizeof(text));
	return ipc_msg_receive_inline(ipc, id, 100, of_type, flags, &type, text, IPC_INLINE_MAX, &size);
}

static int send_long(int64_t of_type, size_t length, uint32_t flags)
{
	return ipc_msg_send(ipc, id, of_type, flags, text, length);
}

static int receive_long(uint64_t room, uint32_t flags)
{
	uint64_t got = 0;
	int error = ipc_msg_receive(ipc, id, 0, flags, text, room, &type, &got);
	size = got;
	return error;
}

static void done(void)
{
	as(OWNER);
	cr_assert_eq(ipc_msg_remove(ipc, id), 0);
	expect_nothing_left();
}

Test(msg, in_and_out)
{
	cr_expect_eq(send(0, "x", 0), EINVAL);
	cr_expect_eq(send(-1, "x", 0), EINVAL);
	cr_assert_eq(send(3, "hello", 0), 0);
	cr_assert_eq(send(2, "you", 0), 0);
	cr_expect_eq(receive(2, 0), 0);
	cr_expect_str_eq(text, "you");
	cr_expect_eq(receive(0, 0), 0);
	cr_expect_eq(type, 3);
	cr_expect_eq(receive(0, IPC_NOWAIT), ENOMSG);
	done();
}

Test(msg, selection)
{
	send(4, "four", 0), send(2, "two", 0), send(3, "three", 0), send(2, "two again", 0);
	cr_expect_eq(receive(-3, 0), 0);
	cr_expect_str_eq(text, "two");
	cr_expect_eq(receive(4, MSG_EXCEPT), 0);
	cr_expect_str_eq(text, "three");
	cr_expect_eq(receive(1, MSG_COPY | IPC_NOWAIT), 0);
	cr_expect_str_eq(text, "two again");
	cr_expect_eq(receive(2, MSG_COPY | IPC_NOWAIT), ENOMSG);
	cr_expect_eq(receive(0, MSG_COPY), EINVAL);
	cr_expect_eq(receive(INT64_MIN, 0), 0);
	cr_expect_str_eq(text, "two again");
	cr_expect_eq(receive(0, 0), 0);
	cr_expect_str_eq(text, "four");
	done();
}

Test(msg, receivers_wait)
{
	uint64_t a = PARKS(receive(5, 0)), b = PARKS(receive(0, 0));
	cr_assert_eq(send(6, "six", 0), 0);
	cr_expect(answered(b) && !answered(a));
	cr_expect_eq(AFTER(b, receive(0, 0)), 0);
	cr_expect_str_eq(text, "six");
	cr_assert_eq(send(5, "five", 0), 0);
	cr_expect_eq(AFTER(a, receive(5, 0)), 0);
	cr_expect_str_eq(text, "five");
	cr_expect_eq(receive(0, IPC_NOWAIT), ENOMSG);
	a = PARKS(receive(0, 0));
	host_cancel(a, false);
	cr_expect_eq(AFTER(a, receive(0, 0)), EINTR);
	cr_assert_eq(send(5, "stays", 0), 0);
	cr_expect_eq(receive(0, 0), 0);
	done();
}

Test(msg, senders_wait)
{
	root->limits.msg_bytes = 10;
	cr_assert_eq(ipc_msg_remove(ipc, id), 0);
	cr_assert_eq(ipc_msg_get(ipc, IPC_PRIVATE, 0600, &id), 0);
	cr_assert_eq(send(1, "12345678", 0), 0);
	cr_expect_eq(send(2, "345", IPC_NOWAIT), EAGAIN);
	uint64_t a = PARKS(send(2, "345", 0)), b = PARKS(send(3, "6789012", 0));
	cr_assert_eq(send(4, "ab", IPC_NOWAIT), 0, "what fits goes in");
	cr_assert_eq(receive(1, 0), 0);
	cr_expect(answered(a) && !answered(b));
	cr_expect_eq(AFTER(a, send(2, "345", 0)), 0);
	cr_assert_eq(receive(0, 0), 0);
	cr_expect_str_eq(text, "ab");
	cr_expect(answered(b));
	cr_expect_eq(AFTER(b, send(3, "6789012", 0)), 0);
	a = PARKS(send(2, "too much", 0));
	host_cancel(a, true);
	cr_assert_eq(receive(0, 0), 0);
	cr_assert_eq(receive(0, 0), 0);
	cr_expect_eq(receive(0, IPC_NOWAIT), ENOMSG, "a dead one sends nothing");
	cr_expect_eq(AFTER(a, send(2, "too much", 0)), EINTR);
	done();
}

Test(msg, long_ones_through_windows)
{
	for (int i = 0; i < 8000; i++)
		text[i] = (char)(i * 3);
	loopback_fault_window(1);
	cr_assert_eq(send_long(7, 8000, 0), 0);
	cr_expect_eq(send_long(7, 8193, 0), EINVAL);
	memset(text, 0, sizeof(text));
	cr_expect_eq(receive_long(5000, 0), E2BIG);
	loopback_fault_window(1);
	cr_assert_eq(receive_long(8000, 0), 0);
	cr_expect_eq(size, 8000);
	for (int i = 0; i < 8000; i++)
		cr_assert_eq(text[i], (char)(i * 3));
	uint64_t a = PARKS(receive_long(8192, 0));
	cr_assert_eq(send(9, "short", 0), 0);
	cr_expect_eq(AFTER(a, receive_long(8192, 0)), 0);
	cr_expect_eq(size, 5);
	cr_expect_eq(memcmp(text, "short", 5), 0);
	done();
}

Test(msg, a_parked_receiver_s_page_is_missing)
{
	uint64_t a = PARKS(receive_long(8192, 0));
	loopback_fault_window(1);
	cr_assert_eq(send(9, "kept", 0), 0);
	cr_expect(answered(a), "it begins again");
	cr_expect_eq(receive(0, IPC_NOWAIT), 0, "the message is not lost");
	cr_expect_str_eq(text, "kept");
	done();
}

Test(msg, too_long_for_who_waits)
{
	uint64_t a = PARKS(ipc_msg_receive_inline(ipc, id, 3, 0, 0, &type, text, IPC_INLINE_MAX, &size)), b = PARKS(receive(0, 0));
	cr_assert_eq(send(1, "12345", 0), 0);
	cr_expect_eq(AFTER(a, ipc_msg_receive_inline(ipc, id, 3, 0, 0, &type, text, IPC_INLINE_MAX, &size)), E2BIG);
	cr_expect_eq(AFTER(b, receive(0, 0)), 0);
	cr_expect_str_eq(text, "12345");
	a = PARKS(ipc_msg_receive_inline(ipc, id, 3, 0, MSG_NOERROR, &type, text, IPC_INLINE_MAX, &size));
	cr_assert_eq(send(1, "12345", 0), 0);
	cr_expect_eq(AFTER(a, ipc_msg_receive_inline(ipc, id, 3, 0, MSG_NOERROR, &type, text, IPC_INLINE_MAX, &size)), 0);
	cr_expect_eq(size, 3);
	done();
}

Test(msg, removal_and_permissions)
{
	as(OTHER);
	cr_expect_eq(send(1, "a stranger may write", 0), 0);
	cr_expect_eq(receive(0, IPC_NOWAIT), EACCES);
	cr_expect_eq(ipc_msg_remove(ipc, id), EPERM);
	as(OWNER);
	cr_expect_eq(ipc_msg_set(ipc, id, 1000, 1000, 0666, 16385), EPERM, "more than MSGMNB");
	cr_expect_eq(ipc_msg_set(ipc, id, 1000, 1000, 0666, 16384), 0);
	as(OTHER);
	cr_expect_eq(receive(0, 0), 0);
	uint64_t a = PARKS(receive(0, 0));
	as(OWNER);
	uint64_t b = PARKS(receive(1, 0));
	cr_expect_eq(ipc_msg_set(ipc, id, 1000, 1000, 0600, 16384), 0);
	cr_expect(answered(a) && !answered(b), "who may no more is told");
	cr_expect_eq(AFTER(a, receive(0, 0)), EACCES);
	cr_assert_eq(ipc_msg_remove(ipc, id), 0);
	cr_expect_eq(AFTER(b, receive(1, 0)), EIDRM);
	cr_expect_eq(send(1, "x", 0), EINVAL);
	expect_nothing_left();
}

Test(msg, one_user_does_not_take_all)
{
	root->limits.msg_bytes = INT32_MAX;
	root->limits.msg_text = 1u << 20;
	cr_assert_eq(ipc_msg_remove(ipc, id), 0);
	cr_assert_eq(ipc_msg_get(ipc, IPC_PRIVATE, 0666, &id), 0);
	static char much[1u << 20];
	int count = 0, error = 0;
	while (count < 1000 && (error = ipc_msg_send(ipc, id, 1, IPC_NOWAIT, much, sizeof(much))) == 0)
		count++;
	cr_expect_eq(error, ENOMEM);
	cr_expect(count > 20 && count < 40);
	int32_t full = id;
	as(OTHER);
	cr_assert_eq(ipc_msg_get(ipc, IPC_PRIVATE, 0600, &id), 0);
	cr_expect_eq(send(2, "others are not disturbed", 0), 0);
	cr_assert_eq(ipc_msg_remove(ipc, id), 0);
	id = full;
	done();
}
