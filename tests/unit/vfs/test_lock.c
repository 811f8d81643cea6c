/*
 * Record locks of processes and of open files, flock, waiting, deadlock.
 */
#include "fixture.h"
#include <stdlib.h>

static port_name_t file;

static void start_lock(void)
{
	start();
	file = opened("f", O_CREAT | O_RDWR, 0666);
	cr_assert_eq(vfs_set_mode(top, "f", 0666, 0), 0);
}

static void stop_lock(void)
{
	closed(file);
	stop();
}

TestSuite(lock, .init = start_lock, .fini = stop_lock);

static int lock(uint8_t operation, uint8_t type, uint64_t from, uint64_t length)
{
	struct io_lock request = {.start = from, .length = length, .type = type}, holder;
	return io_lock(file, operation, &request, &holder);
}

static int set(uint8_t type, uint64_t from, uint64_t length)
{
	return lock(IO_LOCK_OPERATION_SET, type, from, length);
}

static int wait_for(uint8_t type, uint64_t from, uint64_t length)
{
	return lock(IO_LOCK_OPERATION_SET_WAIT, type, from, length);
}

static struct io_lock holder_of(uint8_t type, uint64_t from, uint64_t length)
{
	struct io_lock request = {.start = from, .length = length, .type = type}, holder;
	cr_assert_eq(io_lock(file, IO_LOCK_OPERATION_GET, &request, &holder), 0);
	return holder;
}

#define READ IO_LOCK_TYPE_READ
#define WRITE IO_LOCK_TYPE_WRITE
#define UNLOCK IO_LOCK_TYPE_UNLOCK

Test(lock, conflicts)
{
	cr_expect_eq(set(WRITE, 0, 10), 0);
	become(5, 5);
	cr_expect_eq(set(READ, 5, 1), EAGAIN);
	cr_expect_eq(set(WRITE, 9, 5), EAGAIN);
	cr_expect_eq(set(WRITE, 10, 5), 0);
	struct io_lock holder = holder_of(WRITE, 0, 0);
	cr_expect_eq(holder.pid, TEST_PID);
	cr_expect_eq(holder.start, 0);
	cr_expect_eq(holder.length, 10);
	cr_expect_eq(holder.type, WRITE);
	cr_expect_eq(holder_of(READ, 10, 5).type, UNLOCK);
	become(0, 0);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	become(5, 5);
	cr_expect_eq(set(WRITE, 0, 10), 0);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	become(0, 0);
}

Test(lock, readers_share)
{
	cr_expect_eq(set(READ, 0, 0), 0);
	become(5, 5);
	cr_expect_eq(set(READ, 0, 0), 0);
	cr_expect_eq(set(WRITE, 100, 1), EAGAIN);
	become(0, 0);
	cr_expect_eq(set(WRITE, 0, 1), EAGAIN);
	become(5, 5);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	become(0, 0);
	cr_expect_eq(set(WRITE, 0, 1), 0);
}

Test(lock, arguments)
{
	cr_expect_eq(set(9, 0, 1), EINVAL);
	cr_expect_eq(set(READ, UINT64_MAX, 5), EINVAL);
	port_name_t reader = opened("f", O_RDONLY, 0);
	struct io_lock request = {.length = 1, .type = WRITE}, holder;
	cr_expect_eq(io_lock(reader, IO_LOCK_OPERATION_SET, &request, &holder), EBADF);
	request.type = READ;
	cr_expect_eq(io_lock(reader, IO_LOCK_OPERATION_SET, &request, &holder), 0);
	cr_expect_eq(io_lock(reader, IO_LOCK_OPERATION_FLOCK, &request, &holder), 0);
	closed(reader);
}

Test(lock, waiting)
{
	cr_expect_eq(set(WRITE, 0, 10), 0);
	become(5, 5);
	cr_assert_eq(wait_for(WRITE, 5, 1), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	become(0, 0);
	cr_expect_eq(set(UNLOCK, 0, 5), 0);
	cr_expect(!loopback_answered(id));
	cr_expect_eq(set(UNLOCK, 5, 1), 0);
	cr_assert(loopback_answered(id));
	become(5, 5);
	loopback_resume(id);
	cr_expect_eq(wait_for(WRITE, 5, 1), 0);
	become(0, 0);
	cr_expect_eq(set(WRITE, 5, 1), EAGAIN);
}

Test(lock, cancelled_wait)
{
	cr_expect_eq(set(WRITE, 0, 10), 0);
	become(5, 5);
	cr_assert_eq(wait_for(WRITE, 0, 1), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_expect_eq(wait_for(WRITE, 0, 1), EINTR);
	become(0, 0);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
}

Test(lock, deadlock)
{
	cr_expect_eq(set(WRITE, 0, 1), 0);
	become(5, 5);
	cr_expect_eq(set(WRITE, 1, 1), 0);
	become(6, 6);
	cr_expect_eq(set(WRITE, 2, 1), 0);
	cr_assert_eq(wait_for(WRITE, 1, 1), LOOPBACK_EPARKED);
	uint64_t six = loopback_parked();
	become(5, 5);
	cr_assert_eq(wait_for(READ, 0, 1), LOOPBACK_EPARKED);
	uint64_t five = loopback_parked();
	become(0, 0);
	cr_expect_eq(wait_for(WRITE, 2, 1), EDEADLK);
	cr_expect_eq(set(UNLOCK, 0, 1), 0);
	cr_expect(loopback_answered(five));
	become(5, 5);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	cr_expect(loopback_answered(six));
	become(0, 0);
}

Test(lock, open_file_locks_belong_to_the_description)
{
	port_name_t other = opened("f", O_RDWR, 0);
	struct io_lock request = {.start = 0, .length = 10, .type = WRITE}, holder;
	cr_expect_eq(io_lock(other, IO_LOCK_OPERATION_OFD_SET, &request, &holder), 0);
	cr_expect_eq(set(WRITE, 0, 1), EAGAIN);
	cr_expect_eq(holder_of(WRITE, 0, 1).pid, UINT32_MAX);
	cr_expect_eq(lock(IO_LOCK_OPERATION_OFD_SET, WRITE, 0, 1), EAGAIN);
	cr_assert_eq(wait_for(WRITE, 0, 1), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	closed(other);
	cr_expect(loopback_answered(id));
	cr_expect_eq(lock(IO_LOCK_OPERATION_OFD_SET, WRITE, 0, 1), EAGAIN); /* our own process has it now */
}

Test(lock, flock)
{
	port_name_t other = opened("f", O_RDWR, 0);
	struct io_lock shared = {.type = READ}, exclusive = {.type = WRITE}, unlock = {.type = UNLOCK}, holder;
	cr_expect_eq(io_lock(file, IO_LOCK_OPERATION_FLOCK, &shared, &holder), 0);
	cr_expect_eq(io_lock(other, IO_LOCK_OPERATION_FLOCK, &shared, &holder), 0);
	cr_expect_eq(io_lock(other, IO_LOCK_OPERATION_FLOCK, &exclusive, &holder), EAGAIN);
	cr_expect_eq(set(WRITE, 0, 0), 0); /* record locks are another matter */
	cr_assert_eq(io_lock(other, IO_LOCK_OPERATION_FLOCK_WAIT, &exclusive, &holder), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(io_lock(file, IO_LOCK_OPERATION_FLOCK, &unlock, &holder), 0);
	cr_expect(loopback_answered(id));
	cr_expect_eq(io_lock(file, IO_LOCK_OPERATION_FLOCK, &shared, &holder), EAGAIN);
	closed(other);
	cr_expect_eq(io_lock(file, IO_LOCK_OPERATION_FLOCK, &exclusive, &holder), 0);
}

Test(lock, locks_end_with_the_process_but_not_with_exec)
{
	become(5, 5);
	cr_expect_eq(set(WRITE, 0, 10), 0);
	uint64_t old = 1005, new = 1005 | UINT64_C(1) << 32;
	cr_expect_eq(vfs_session_begin(control, new, old, &myself()->cred), 0);
	cr_expect_eq(vfs_session_end(control, old), 0);
	become(0, 0);
	cr_expect_eq(set(WRITE, 0, 1), EAGAIN);
	cr_assert_eq(wait_for(WRITE, 0, 1), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(vfs_session_end(control, new), 0);
	cr_expect(loopback_answered(id));
}

Test(lock, unlock_without_locks_is_nothing)
{
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	cr_expect_null(vfs->locked);
}

/* Two processes take and give ranges; an array of owners tells what must be allowed. */
#define CELLS 64u
Test(lock, random_ranges)
{
	static uint8_t held[2][CELLS]; /* 0 none, 1 read, 2 write */
	srand(7);
	memset(held, 0, sizeof(held));
	for (unsigned step = 0; step < 4000; step++) {
		unsigned who = (unsigned)rand() % 2, from = (unsigned)rand() % CELLS,
		         size = (unsigned)rand() % (CELLS - from) + 1;
		uint8_t type = (uint8_t)(rand() % 3), mark = type == READ ? 1 : type == WRITE ? 2 : 0;
		bool free = true;
		for (unsigned i = from; i < from + size; i++)
			free = free && (mark == 0 || held[!who][i] == 0 || (held[!who][i] == 1 && mark == 1));
		become(who ? 5 : 0, 0);
		cr_assert_eq(set(type, from, size), free ? 0 : EAGAIN, "step %u", step);
		if (free)
			memset(held[who] + from, mark, size);
		unsigned probe = (unsigned)rand() % CELLS;
		uint8_t found = holder_of(WRITE, probe, 1).type;
		cr_assert_eq(found,
		             held[!who][probe] == 0   ? UNLOCK
		             : held[!who][probe] == 1 ? READ
		                                      : WRITE,
		             "step %u", step);
	}
	become(5, 0);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
	become(0, 0);
	cr_expect_eq(set(UNLOCK, 0, 0), 0);
}
