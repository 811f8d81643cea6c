/* POSIX message queues, and the files below /proc. */
#include "fixture.h"

#include <io_client.h>
#include <portico/ipc_files.h>

TestSuite(mqueue, .init = fixture_begin);
TestSuite(files, .init = fixture_begin);

#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NONBLOCK 04000u
#define IN 0x41u
#define OUT 0x104u

static char text[4096];
static uint32_t priority;
static size_t size;

static int open_queue(const char *name, uint32_t flags, int64_t messages, int64_t length, port_name_t *queue)
{
	struct ipc_mq_attributes a = {.max_messages = messages, .message_size = length};
	return ipc_mq_open(ipc, name, flags, 0600, messages != 0, &a, queue);
}

static int send(port_name_t queue, const char *words, uint32_t of_priority)
{
	return ipc_mq_send_inline(queue, of_priority, 0, words, strlen(words));
}

static int receive(port_name_t queue)
{
	memset(text, 0, sizeof(text));
	return ipc_mq_receive_inline(queue, 2048, 0, &priority, text, IPC_INLINE_MAX, &size);
}

Test(mqueue, open_and_unlink)
{
	port_name_t a, b;
	cr_expect_eq(open_queue("q", O_RDWR, 0, 0, &a), ENOENT);
	cr_expect_eq(open_queue("", O_RDWR | O_CREAT, 0, 0, &a), ENOENT);
	cr_expect_eq(open_queue("a/b", O_RDWR | O_CREAT, 0, 0, &a), EACCES);
	cr_expect_eq(open_queue("q", O_RDWR | O_CREAT, 11, 10, &a), EINVAL, "more than msg_max");
	cr_expect_eq(open_queue("q", O_RDWR | O_CREAT, -1, 10, &a), EINVAL);
	cr_assert_eq(open_queue("q", O_RDWR | O_CREAT, 2, 10, &a), 0);
	cr_expect_eq(open_queue("q", O_RDWR | O_CREAT | O_EXCL, 2, 10, &b), EEXIST);
	cr_assert_eq(open_queue("q", O_RDWR, 0, 0, &b), 0);
	cr_assert_eq(send(a, "hello", 0), 0);
	as(OTHER);
	port_name_t c;
	cr_expect_eq(open_queue("q", O_RDWR, 0, 0, &c), EACCES);
	cr_expect_eq(ipc_mq_unlink(ipc, "q"), EPERM);
	as(OWNER);
	cr_assert_eq(ipc_mq_unlink(ipc, "q"), 0);
	cr_expect_eq(ipc_mq_unlink(ipc, "q"), ENOENT);
	loopback_release(a);
	cr_assert_eq(receive(b), 0);
	cr_expect_str_eq(text, "hello");
	loopback_release(b);
	expect_nothing_left();
}

Test(mqueue, priorities)
{
	port_name_t q;
	cr_assert_eq(open_queue("q", O_RDWR | O_CREAT, 6, 10, &q), 0);
	static const uint32_t order[6] = {3, 1, 3, 32767, 1, 0};
	for (int i = 0; i < 6; i++)
		cr_assert_eq(send(q, (char[]){(char)('a' + i), 0}, order[i]), 0);
	cr_expect_eq(send(q, "x", 32768), EINVAL);
	cr_expect_eq(send(q, "longer than 10", 0), EMSGSIZE);
	char got[7] = "";
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(receive(q), 0);
		got[i] = text[0];
	}
	cr_expect_str_eq(got, "dacbef");
	ipc_mq_unlink(ipc, "q");
	loopback_release(q);
	expect_nothing_left();
}

Test(mqueue, waiting)
{
	port_name_t q;
	cr_assert_eq(open_queue("q", O_RDWR | O_CREAT, 1, 10, &q), 0);
	uint64_t a = PARKS(receive(q));
	cr_assert_eq(send(q, "one", 5), 0);
	cr_expect_eq(AFTER(a, receive(q)), 0);
	cr_expect_eq(priority, 5);
	cr_assert_eq(send(q, "two", 5), 0);
	uint64_t b = PARKS(send(q, "three", 1));
	cr_expect_eq(ipc_mq_send_inline(q, 1, 1, "x", 1), ETIMEDOUT);
	cr_assert_eq(receive(q), 0);
	cr_expect_eq(AFTER(b, send(q, "three", 1)), 0);
	cr_assert_eq(receive(q), 0);
	cr_expect_str_eq(text, "three");
	a = PARKS(receive(q));
	host_cancel(a, false);
	cr_expect_eq(AFTER(a, receive(q)), EINTR);
	struct ipc_mq_attributes previous;
	cr_assert_eq(ipc_mq_attributes(q, 1, O_NONBLOCK, &previous), 0);
	cr_expect_eq(previous.flags, 0);
	cr_expect_eq(receive(q), EAGAIN);
	cr_expect_eq(ipc_mq_attributes(q, 1, 1, &previous), EINVAL);
	ipc_mq_unlink(ipc, "q");
	loopback_release(q);
	expect_nothing_left();
}

Test(mqueue, notification)
{
	port_name_t q;
	cr_assert_eq(open_queue("q", O_RDWR | O_CREAT, 5, 10, &q), 0);
	cr_assert_eq(ipc_mq_notify(q, 0, 12, 99), 0);
	cr_expect_eq(ipc_mq_notify(q, 0, 12, 99), EBUSY);
	as(CHILD);
	cr_assert_eq(ipc_mq_notify(q, UINT32_MAX, 0, 0), 0, "not the caller's");
	cr_assert_eq(send(q, "x", 0), 0);
	cr_expect_eq(signals, 1);
	cr_expect_eq(signalled_pid, OWNER);
	cr_expect_eq(signalled.signal, 12);
	cr_expect_eq(signalled.code, -3);
	cr_expect_eq(signalled.pid, CHILD);
	cr_expect_eq(signalled.value, 99);
	cr_assert_eq(receive(q), 0);
	cr_assert_eq(send(q, "x", 0), 0);
	cr_expect_eq(signals, 1, "once");
	cr_assert_eq(receive(q), 0);
	cr_assert_eq(ipc_mq_notify(q, 0, 12, 0), 0);
	uint64_t a = PARKS(receive(q));
	cr_assert_eq(send(q, "x", 0), 0);
	cr_expect_eq(signals, 1, "one who waits goes first");
	cr_expect_eq(AFTER(a, receive(q)), 0);
	change(CHILD, PROC_CHANGE_KIND_EXEC);
	as(OWNER);
	cr_assert_eq(ipc_mq_notify(q, 1, 0, 0), 0, "free after its exec");
	cr_expect_eq(ipc_mq_notify(q, 2, 0, 0), EINVAL);
	cr_expect_eq(ipc_mq_notify(q, 0, 65, 0), EINVAL);
	ipc_mq_unlink(ipc, "q");
	loopback_release(q);
	expect_nothing_left();
}

Test(mqueue, readiness)
{
	port_name_t q;
	uint32_t slot;
	cr_assert_eq(open_queue("q", O_RDWR | O_CREAT, 1, 10, &q), 0);
	cr_assert_eq(io_ready_slot(q, &slot), 0);
	cr_expect_eq(host_readiness(slot) & 0xffff, OUT);
	cr_assert_eq(send(q, "x", 0), 0);
	cr_expect_eq(host_readiness(slot) & 0xffff, IN);
	cr_assert_eq(receive(q), 0);
	cr_expect_eq(host_readiness(slot) & 0xffff, OUT);
	ipc_mq_unlink(ipc, "q");
	loopback_release(q);
	expect_nothing_left();
}

Test(mqueue, one_user_s_share)
{
	port_name_t q[32];
	int count = 0, error = 0;
	char name[] = "queue-a";
	while (count < 32 && (name[6] = (char)('a' + count), error = open_queue(name, O_RDWR | O_CREAT, 0, 0, &q[count])) == 0)
		count++;
	cr_expect_eq(error, EMFILE);
	cr_expect_eq(count, 9);
	as(OTHER);
	cr_expect_eq(open_queue("another", O_RDWR | O_CREAT, 0, 0, &q[31]), 0);
}

Test(mqueue, a_queue_s_right_is_needed)
{
	cr_expect_eq(send(ipc, "x", 0), EBADF);
	port_name_t q = loopback_connect(NAME_SERVICE, UINT64_C(3) << 56 | 77);
	cr_expect_eq(send(q, "x", 0), EBADF);
}

static port_name_t open_file(uint32_t file, uint32_t flags)
{
	static uint32_t serial;
	return loopback_connect(NAME_SERVICE, IPC_FILE_BADGE(file, flags, ++serial));
}

static const char *contents(port_name_t file, uint32_t step)
{
	static char all[32768];
	size_t length = 0, got;
	do {
		cr_assert_eq(io_read_inline(file, -1, 0, step, all + length, step, &got), 0);
		length += got;
	} while (got != 0);
	all[length] = 0;
	return all;
}

Test(files, lists_in_pieces)
{
	int32_t id;
	for (int i = 0; i < 40; i++)
		cr_assert_eq(ipc_sem_get(ipc, 100 + i, i + 1, IPC_CREAT | 0600, &id), 0);
	port_name_t file = open_file(IPC_FILE_LIST_SEM, 0);
	char whole[16384];
	strcpy(whole, contents(file, 2048));
	cr_expect_str_eq(contents(open_file(IPC_FILE_LIST_SEM, 0), 7), whole);
	int lines = 0;
	for (const char *p = whole; *p; p++)
		lines += *p == '\n';
	cr_expect_eq(lines, 41);
	int64_t position;
	cr_assert_eq(io_seek(file, 0, 0, &position), 0);
	cr_expect_str_eq(contents(file, 100), whole);
	loopback_release(file);
}

Test(files, limits)
{
	port_name_t file = open_file(IPC_FILE_SEM, 2);
	uint64_t done;
	cr_expect_str_eq(contents(file, 100), "32000\t1024000000\t500\t32000\n");
	cr_expect_eq(io_write_inline(file, -1, 0, "10 20", 5, &done), 0);
	cr_expect_eq(io_write_inline(file, -1, 0, "10 x", 4, &done), EINVAL);
	cr_expect_eq(io_write_inline(file, -1, 0, "10 20 501", 9, &done), EINVAL);
	cr_expect_eq(io_write_inline(file, -1, 0, "1 2 3 4 5", 9, &done), EINVAL);
	cr_expect_eq(io_write_inline(file, -1, 0, " \n", 2, &done), EINVAL);
	cr_expect_str_eq(contents(open_file(IPC_FILE_SEM, 0), 100), "10\t20\t500\t32000\n");
	int32_t id;
	cr_expect_eq(ipc_sem_get(ipc, IPC_PRIVATE, 11, 0600, &id), EINVAL);
	cr_expect_eq(io_write_inline(open_file(IPC_FILE_SEM, 0), -1, 0, "1", 1, &done), EBADF);
	cr_expect_eq(io_write_inline(open_file(IPC_FILE_LIST_SHM, 2), -1, 0, "1", 1, &done), EIO);
	size_t got;
	cr_expect_eq(io_read_inline(open_file(IPC_FILES, 0), -1, 0, 10, text, 10, &got), EBADF, "no such file");
	loopback_release(file);
}
