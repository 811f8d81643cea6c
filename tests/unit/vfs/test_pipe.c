/*
 * Pipes and FIFOs: bytes, atomic writes, parked readers and writers, cancelling, readiness, opening from two sides.
 */
#include "fixture.h"
#include <portico/readiness.h>

static port_name_t reader, writer;

static void start_pipe(void)
{
	start();
	cr_assert_eq(vfs_pipe(top, 0, &reader, &writer), 0);
}

static void stop_pipe(void)
{
	if (reader != PORT_NULL)
		closed(reader);
	if (writer != PORT_NULL)
		closed(writer);
	stop();
}

TestSuite(pipe, .init = start_pipe, .fini = stop_pipe);
TestSuite(fifo, .init = start, .fini = stop);

static void close_end(port_name_t *end)
{
	closed(*end);
	*end = PORT_NULL;
}

static void fill(port_name_t end, size_t size)
{
	static uint8_t bytes[PIPE_SIZE];
	cr_assert_eq(put(end, bytes, size), (int64_t)size);
}

Test(pipe, bytes_pass)
{
	char bytes[8] = {0};
	struct attributes attr;
	cr_expect_eq(put_text(writer, "abc"), 3);
	cr_expect_eq(put_text(writer, "def"), 3);
	cr_expect_eq(get(reader, bytes, 4), 4);
	cr_expect_str_eq(bytes, "abcd");
	cr_expect_eq(get(reader, bytes, 8), 2);
	cr_expect_eq(io_stat(reader, &attr), 0);
	cr_expect_eq(attr.mode & S_IFMT, S_IFIFO);
	cr_expect_eq(get(writer, bytes, 1), -EBADF);
	cr_expect_eq(put(reader, bytes, 1), -EBADF);
	int64_t position;
	cr_expect_eq(io_seek(reader, 0, 0, &position), ESPIPE);
	uint64_t done;
	cr_expect_eq(io_read(reader, 0, 0, bytes, 1, &done), ESPIPE);
	cr_expect_eq(io_write(writer, 0, 0, bytes, 1, &done), ESPIPE);
}

Test(pipe, end_of_file_and_broken_pipe)
{
	char bytes[8];
	cr_expect_eq(put_text(writer, "x"), 1);
	close_end(&writer);
	cr_expect_eq(get(reader, bytes, 8), 1);
	cr_expect_eq(get(reader, bytes, 8), 0);
	close_end(&reader);
	cr_assert_eq(vfs_pipe(top, 0, &reader, &writer), 0);
	close_end(&reader);
	cr_expect_eq(put_text(writer, "x"), -EPIPE);
	cr_expect_eq(put_text(writer, ""), 0);
}

Test(pipe, without_waiting)
{
	char bytes[8];
	uint64_t done;
	cr_expect_eq(io_read(reader, IO_OFFSET_CURRENT, 1, bytes, 8, &done), EAGAIN);
	cr_expect_eq(io_set_flags(reader, O_NONBLOCK), 0);
	cr_expect_eq(get(reader, bytes, 8), -EAGAIN);
	cr_expect_eq(io_set_flags(writer, O_NONBLOCK), 0);
	fill(writer, PIPE_SIZE - 10);
	static uint8_t big[PIPE_SIZE];
	cr_expect_eq(put(writer, big, 11), -EAGAIN);
	cr_expect_eq(put(writer, big, 5000), 10);
	cr_expect_eq(put(writer, big, 5000), -EAGAIN);
	cr_expect_eq(put(writer, big, 1), -EAGAIN);
}

Test(pipe, a_parked_reader_is_woken_by_the_writer)
{
	char bytes[8] = {0};
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect(!loopback_answered(id));
	cr_expect_eq(put_text(writer, "hi"), 2);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(get(reader, bytes, 8), 2);
	cr_expect_str_eq(bytes, "hi");
}

Test(pipe, a_parked_inline_reader)
{
	char bytes[2048] = {0};
	size_t got = 0;
	uint64_t done;
	cr_assert_eq(io_read_inline(reader, IO_OFFSET_CURRENT, 0, 5, bytes, sizeof(bytes), &got), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(io_write_inline(writer, IO_OFFSET_CURRENT, 0, "inline bytes", 12, &done), 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(io_read_inline(reader, IO_OFFSET_CURRENT, 0, 5, bytes, sizeof(bytes), &got), 0);
	cr_expect_eq(got, 5);
	cr_expect_eq(memcmp(bytes, "inlin", 5), 0);
	cr_expect_eq(get(reader, bytes, 100), 7);
}

Test(pipe, parked_readers_get_end_of_file)
{
	char bytes[8];
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t first = loopback_parked();
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t second = loopback_parked();
	close_end(&writer);
	cr_assert(loopback_answered(first) && loopback_answered(second));
	loopback_resume(first);
	cr_expect_eq(get(reader, bytes, 8), 0);
	loopback_resume(second);
	cr_expect_eq(get(reader, bytes, 8), 0);
}

Test(pipe, readers_are_served_in_order)
{
	char a[4] = {0}, b[4] = {0};
	cr_assert_eq(get(reader, a, 2), -LOOPBACK_EPARKED);
	uint64_t first = loopback_parked();
	cr_assert_eq(get(reader, b, 2), -LOOPBACK_EPARKED);
	uint64_t second = loopback_parked();
	cr_expect_eq(put_text(writer, "12"), 2);
	cr_expect(loopback_answered(first));
	cr_expect(!loopback_answered(second));
	cr_expect_eq(put_text(writer, "345"), 3);
	cr_assert(loopback_answered(second));
	cr_expect_str_eq(a, "12");
	cr_expect_str_eq(b, "34");
}

Test(pipe, an_atomic_write_waits_for_all_of_its_room)
{
	static uint8_t back[PIPE_SIZE];
	fill(writer, PIPE_SIZE - 100);
	cr_assert_eq(put(writer, "0123456789", 10), 10);
	static uint8_t bytes[4096];
	cr_assert_eq(put(writer, bytes, 4096), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(get(reader, back, 4000), 4000);
	cr_expect(!loopback_answered(id));
	cr_expect_eq(get(reader, back, 6), 6);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(put(writer, bytes, 4096), 4096);
}

Test(pipe, a_long_write_goes_in_parts)
{
	static uint8_t bytes[300000], back[300000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 17 + i / 999);
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	size_t got = 0;
	while (got < sizeof(back)) {
		int64_t n = get(reader, back + got, 7777);
		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_expect_eq(memcmp(bytes, back, sizeof(back)), 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(put(writer, bytes, sizeof(bytes)), sizeof(bytes));
}

Test(pipe, nobody_overtakes_a_parked_writer)
{
	static uint8_t back[PIPE_SIZE];
	fill(writer, PIPE_SIZE);
	cr_assert_eq(put_text(writer, "first"), -LOOPBACK_EPARKED);
	uint64_t first = loopback_parked();
	cr_assert_eq(put_text(writer, "second"), -LOOPBACK_EPARKED);
	uint64_t second = loopback_parked();
	cr_expect_eq(get(reader, back, 5), 5);
	cr_expect(loopback_answered(first));
	cr_expect(!loopback_answered(second));
	cr_expect_eq(get(reader, back, PIPE_SIZE), PIPE_SIZE);
	cr_expect(loopback_answered(second));
	cr_expect_eq(memcmp(back + PIPE_SIZE - 5, "first", 5), 0);
	cr_expect_eq(get(reader, back, 100), 6);
	cr_expect_eq(memcmp(back, "second", 6), 0);
}

Test(pipe, cancelled_reader)
{
	char bytes[8];
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(get(reader, bytes, 8), -EINTR);
	host_cancel(id, false);
	host_cancel(123456, true);
	cr_expect_eq(put_text(writer, "kept"), 4);
	cr_expect_eq(get(reader, bytes, 8), 4);
}

Test(pipe, cancelled_writer_tells_what_went)
{
	static uint8_t bytes[PIPE_SIZE + 1000];
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_expect_eq(put(writer, bytes, sizeof(bytes)), PIPE_SIZE);
	cr_assert_eq(put_text(writer, "x"), -LOOPBACK_EPARKED);
	id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_expect_eq(put_text(writer, "x"), -EINTR);
}

Test(pipe, parked_writer_and_the_last_reader)
{
	static uint8_t bytes[PIPE_SIZE + 1000];
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t partial = loopback_parked();
	cr_assert_eq(put_text(writer, "x"), -LOOPBACK_EPARKED);
	uint64_t nothing = loopback_parked();
	close_end(&reader);
	cr_assert(loopback_answered(partial) && loopback_answered(nothing));
	loopback_resume(partial);
	cr_expect_eq(put(writer, bytes, sizeof(bytes)), PIPE_SIZE);
	loopback_resume(nothing);
	cr_expect_eq(put_text(writer, "x"), -EPIPE);
}

Test(pipe, faults_lose_nothing)
{
	char bytes[8] = {0};
	loopback_fault_window(1);
	cr_expect_eq(put_text(writer, "abc"), 3);
	loopback_fault_window(1);
	cr_expect_eq(get(reader, bytes, 8), 3);
	cr_expect_str_eq(bytes, "abc");
	/* A parked reader whose buffer is not there is asked to repeat its request. */
	memset(bytes, 0, sizeof(bytes));
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	loopback_fault_window(2);
	cr_expect_eq(put_text(writer, "def"), 3);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_expect_eq(get(reader, bytes, 8), 3);
	cr_expect_str_eq(bytes, "def");
}

Test(pipe, closing_while_a_call_waits)
{
	char bytes[8];
	cr_assert_eq(get(reader, bytes, 8), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	close_end(&reader); /* another thread closes the descriptor: the call goes on */
	cr_expect_eq(put_text(writer, "late"), 4);
	cr_assert(loopback_answered(id));
	cr_expect_eq(memcmp(bytes, "late", 4), 0);
	cr_expect_eq(put_text(writer, "x"), -EPIPE);
}

Test(pipe, readiness)
{
	uint32_t in = 0, out = 0;
	static uint8_t bytes[PIPE_SIZE];
	cr_expect_eq(io_ready_slot(reader, &in), 0);
	cr_expect_eq(io_ready_slot(writer, &out), 0);
	cr_expect_neq(in, out);
	cr_expect_eq(READINESS_EVENTS(host_readiness(in)), 0);
	cr_expect_eq(READINESS_EVENTS(host_readiness(out)), POLL_OUT);
	fill(writer, 10);
	uint32_t word = host_readiness(in);
	cr_expect_eq(READINESS_EVENTS(word), POLL_IN);
	fill(writer, 10);
	cr_expect_neq(host_readiness(in), word); /* more came: edge-triggered waiters want to know */
	fill(writer, PIPE_SIZE - 20);
	cr_expect_eq(READINESS_EVENTS(host_readiness(out)), 0);
	cr_expect_eq(get(reader, bytes, PIPE_SIZE), PIPE_SIZE);
	cr_expect_eq(READINESS_EVENTS(host_readiness(out)), POLL_OUT);
	close_end(&writer);
	cr_expect_eq(READINESS_EVENTS(host_readiness(in)), POLL_HANG_UP);
	close_end(&reader);
	cr_assert_eq(vfs_pipe(top, 0, &reader, &writer), 0);
	cr_expect_eq(io_ready_slot(writer, &out), 0);
	close_end(&reader);
	cr_expect_eq(READINESS_EVENTS(host_readiness(out)), POLL_OUT | POLL_ERROR);
}

Test(pipe, capacity)
{
	uint32_t size = 0;
	static uint8_t bytes[PIPE_SIZE];
	cr_expect_eq(io_pipe_size(reader, 0, &size), 0);
	cr_expect_eq(size, PIPE_SIZE);
	fill(writer, 5000);
	cr_expect_eq(io_pipe_size(writer, 4096, &size), EBUSY);
	cr_expect_eq(io_pipe_size(writer, 5000, &size), 0);
	cr_expect_eq(size, 8192);
	cr_expect_eq(io_set_flags(writer, O_NONBLOCK), 0);
	cr_expect_eq(put(writer, bytes, 8192), 3192);
	cr_expect_eq(get(reader, bytes, PIPE_SIZE), 8192);
	become(5, 5);
	cr_expect_eq(io_pipe_size(writer, PIPE_SIZE_MAX, &size), 0);
	cr_expect_eq(io_pipe_size(writer, PIPE_SIZE_MAX * 2, &size), EPERM);
	become(0, 0);
	cr_expect_eq(io_pipe_size(writer, PIPE_SIZE_MAX * 2, &size), 0);
	cr_expect_eq(io_pipe_size(top, 0, &size), EBADF);
	uint64_t available;
	fill(writer, 77);
	cr_expect_eq(io_available(reader, &available), 0);
	cr_expect_eq(available, 77);
}

Test(pipe, a_larger_capacity_lets_a_writer_go_on)
{
	uint32_t size;
	fill(writer, PIPE_SIZE);
	cr_assert_eq(put_text(writer, "x"), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(io_pipe_size(reader, PIPE_SIZE * 2, &size), 0);
	cr_expect(loopback_answered(id));
}

Test(pipe, flags)
{
	uint32_t flags;
	port_name_t a = PORT_NULL, b = PORT_NULL;
	cr_expect_eq(vfs_pipe(top, 0x80000000u, &a, &b), EINVAL);
	cr_expect_eq(vfs_pipe(top, O_NONBLOCK | O_CLOEXEC, &a, &b), 0);
	cr_expect_eq(io_get_flags(b, &flags), 0);
	cr_expect_eq(flags, O_WRONLY | O_NONBLOCK);
	closed(a);
	closed(b);
}

Test(pipe, out_of_memory)
{
	port_name_t a = PORT_NULL, b = PORT_NULL;
	host_limit_keep(0);
	int error;
	unsigned made = 0;
	static port_name_t kept[4096];
	while (made < 4096 && (error = vfs_pipe(top, 0, &a, &b)) == 0) {
		kept[made++] = a;
		kept[made++] = b;
	}
	cr_expect_eq(error, ENFILE);
	host_limit_keep((size_t)1 << 28);
	while (made > 0)
		closed(kept[--made]);
}

/* ---- FIFOs ---- */

static void make_fifo(void)
{
	cr_assert_eq(vfs_make_node(top, "/tmp/p", S_IFIFO | 0666, 0), 0);
}

static int open_fifo(uint32_t flags, port_name_t *file)
{
	uint32_t kind;
	return vfs_open(top, "/tmp/p", flags, 0, file, &kind);
}

Test(fifo, both_sides_wait_for_one_another)
{
	port_name_t in = PORT_NULL, out = PORT_NULL;
	char bytes[8] = {0};
	make_fifo();
	cr_assert_eq(open_fifo(O_RDONLY, &in), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_assert_eq(open_fifo(O_WRONLY, &out), 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(open_fifo(O_RDONLY, &in), 0);
	cr_expect_eq(put_text(out, "fifo"), 4);
	cr_expect_eq(get(in, bytes, 8), 4);
	closed(in);
	closed(out);
}

Test(fifo, writer_first)
{
	port_name_t in = PORT_NULL, out = PORT_NULL;
	make_fifo();
	cr_assert_eq(open_fifo(O_WRONLY, &out), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_assert_eq(open_fifo(O_RDONLY, &in), 0);
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(open_fifo(O_WRONLY, &out), 0);
	closed(out);
	closed(in);
}

Test(fifo, without_waiting)
{
	port_name_t in = PORT_NULL, out = PORT_NULL, both = PORT_NULL;
	char byte;
	make_fifo();
	cr_expect_eq(open_fifo(O_WRONLY | O_NONBLOCK, &out), ENXIO);
	cr_expect_eq(open_fifo(O_RDONLY | O_NONBLOCK, &in), 0);
	cr_expect_eq(get(in, &byte, 1), 0);
	cr_expect_eq(open_fifo(O_WRONLY | O_NONBLOCK, &out), 0);
	cr_expect_eq(get(in, &byte, 1), -EAGAIN);
	closed(out);
	closed(in);
	cr_expect_eq(open_fifo(O_RDWR, &both), 0);
	cr_expect_eq(put_text(both, "x"), 1);
	cr_expect_eq(get(both, &byte, 1), 1);
	closed(both);
}

Test(fifo, cancelled_open)
{
	port_name_t in = PORT_NULL, out = PORT_NULL;
	make_fifo();
	cr_assert_eq(open_fifo(O_RDONLY, &in), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_expect_eq(open_fifo(O_RDONLY, &in), EINTR);
	cr_expect_eq(open_fifo(O_WRONLY | O_NONBLOCK, &out), ENXIO);
	cr_expect_eq(vfs->files_open, 2);
}

Test(fifo, bytes_go_with_the_last_one)
{
	port_name_t both = PORT_NULL;
	char byte;
	make_fifo();
	cr_expect_eq(open_fifo(O_RDWR | O_NONBLOCK, &both), 0);
	cr_expect_eq(put_text(both, "x"), 1);
	closed(both);
	cr_expect_eq(open_fifo(O_RDWR | O_NONBLOCK, &both), 0);
	cr_expect_eq(get(both, &byte, 1), -EAGAIN);
	closed(both);
}

Test(fifo, unlinked_while_open)
{
	port_name_t both = PORT_NULL;
	char byte;
	make_fifo();
	uint64_t inodes = vfs->root.vnode->system->inodes;
	cr_expect_eq(open_fifo(O_RDWR, &both), 0);
	cr_expect_eq(unlinked("/tmp/p"), 0);
	cr_expect_eq(put_text(both, "x"), 1);
	cr_expect_eq(get(both, &byte, 1), 1);
	closed(both);
	cr_expect_eq(vfs->root.vnode->system->inodes, inodes - 1);
}

Test(fifo, the_other_side_came_and_went)
{
	port_name_t in = PORT_NULL, out = PORT_NULL;
	char byte;
	make_fifo();
	cr_assert_eq(open_fifo(O_RDONLY, &in), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_assert_eq(open_fifo(O_WRONLY, &out), 0);
	closed(out);
	loopback_resume(id);
	cr_assert_eq(open_fifo(O_RDONLY, &in), 0);
	cr_expect_eq(get(in, &byte, 1), 0);
	closed(in);
}

/* ---- recovery: what a new incarnation must find ---- */

static struct pipe *the_pipe(void)
{
	for (uint32_t slot = 1; slot < vfs->file_slots; slot++)
		if (vfs->file[slot] != NULL && (vfs->file[slot]->place.vnode->mode & S_IFMT) == S_IFIFO)
			return vfs->file[slot]->place.vnode->pipe;
	return NULL;
}

static void fill_pattern(uint8_t *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
}

static bool ring_holds(const struct pipe *found, const uint8_t *bytes)
{
	for (uint32_t i = 0; i < found->count; i++)
		if (found->ring[(found->head + i) & (found->room - 1)] != bytes[i])
			return false;
	return true;
}

/* The kernel fills the ring without undo log: what was in it when a transaction began must be there when it is undone.
 */
Test(pipe, what_a_transaction_takes_out_stays_in_place)
{
	static uint8_t bytes[4 * PIPE_SIZE], back[PIPE_SIZE];
	fill_pattern(bytes, sizeof(bytes), 1);
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	for (unsigned round = 0; round < 3; round++) {
		struct pipe before = *the_pipe();
		size_t at = round * PIPE_SIZE;
		cr_assert_eq(before.count, PIPE_SIZE);
		host_transaction = 100 + round;
		cr_assert_eq(get(reader, back, PIPE_SIZE), PIPE_SIZE);
		cr_expect_eq(memcmp(back, bytes + at, PIPE_SIZE), 0);
		cr_expect(ring_holds(&before, bytes + at), "round %u", round);
		cr_expect(ring_holds(the_pipe(), bytes + at + PIPE_SIZE), "round %u", round);
	}
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), sizeof(bytes));
	host_transaction = 0;
}

Test(pipe, one_transaction_serves_a_part_of_many_waiters)
{
	static uint8_t bytes[4u << 20], back[100][PIPE_SIZE];
	uint64_t reading[100];
	fill_pattern(bytes, sizeof(bytes), 2);
	for (unsigned i = 0; i < 60; i++) {
		cr_assert_eq(get(reader, back[i], PIPE_SIZE), -LOOPBACK_EPARKED);
		reading[i] = loopback_parked();
	}
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t writing = loopback_parked();
	cr_expect(!loopback_answered(reading[59]));
	cr_expect_gt(host_run_deferred(), 1);
	for (unsigned i = 0; i < 60; i++) {
		cr_assert(loopback_answered(reading[i]), "reader %u", i);
		loopback_resume(reading[i]);
		cr_expect_eq(get(reader, back[i], PIPE_SIZE), PIPE_SIZE);
		cr_expect_eq(memcmp(back[i], bytes + i * PIPE_SIZE, PIPE_SIZE), 0);
	}
	for (unsigned i = 60; i < 64; i++) {
		cr_expect_eq(get(reader, back[i], PIPE_SIZE), PIPE_SIZE);
		cr_expect_eq(memcmp(back[i], bytes + i * PIPE_SIZE, PIPE_SIZE), 0);
	}
	cr_assert(loopback_answered(writing));
	loopback_resume(writing);
	cr_expect_eq(put(writer, bytes, sizeof(bytes)), (int64_t)sizeof(bytes));
}

/* A pipe whose ring cannot grow goes by way of the undo log, and gives the same bytes. */
Test(pipe, without_memory_for_a_larger_ring)
{
	static uint8_t bytes[3 * PIPE_SIZE], back[PIPE_SIZE];
	fill_pattern(bytes, sizeof(bytes), 3);
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), -LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_limit_keep(0);
	for (unsigned i = 0; i < 3; i++) {
		host_transaction = 200 + i;
		cr_assert_eq(get(reader, back, PIPE_SIZE), PIPE_SIZE);
		cr_expect_eq(memcmp(back, bytes + i * PIPE_SIZE, PIPE_SIZE), 0);
	}
	host_transaction = 0;
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(put(writer, bytes, sizeof(bytes)), sizeof(bytes));
}
