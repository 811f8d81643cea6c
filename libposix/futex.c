/*
 * futex: the kernel's waits and wakes under Linux's call. Priority inheritance is not there: a PI lock is a plain one that keeps
 * Linux's word format (owner's tid, FUTEX_WAITERS), which is all that programs can see.
 */
#include "futex.h"

#include "linux.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#define TID_MASK UINT32_C(0x3fffffff)
#define WAITERS UINT32_C(0x80000000)
#define OWNER_DIED UINT32_C(0x40000000)

static int64_t deadline_of(const struct futex_request *request, const struct linux_timespec *timeout, uint64_t *deadline)
{
	struct linux_timespec time;
	uint64_t ns;

	*deadline = DEADLINE_NEVER;
	if (timeout == NULL)
		return 0;
	if (!request->absolute)
		return deadline_from_user(timeout, deadline);
	if (user_get(&time, timeout))
		return -EFAULT;
	int64_t error = time_from_timespec(&time, &ns);
	if (!error)
		*deadline = deadline_of_clock(request->realtime ? L_CLOCK_REALTIME : L_CLOCK_MONOTONIC, ns);
	return error;
}

static int64_t wait_for(uint64_t word, uint32_t expected, const struct futex_request *request, uint64_t deadline, uint32_t bits)
{
	if (bits == 0)
		return -EINVAL;
	int64_t status = trap5(TRAP_futex_wait, word, expected, (request->shared ? FUTEX_SHARED : 0) | FUTEX_INTERRUPTIBLE, deadline,
			       bits);
	if (status >= 0)
		return 0;
	if (status == KERN_INTERRUPTED) {
		attend_to_signals();
		return deadline == DEADLINE_NEVER ? -ERESTARTSYS : -ERESTARTNOHAND;
	}
	return -(int64_t)kern_errno(status);
}

static int64_t wake(uint64_t word, int count, bool shared, uint32_t bits)
{
	if (bits == 0)
		return -EINVAL;
	int64_t status = trap4(TRAP_futex_wake, word, count < 1 ? 1 : (uint64_t)count, shared ? FUTEX_SHARED : 0, bits);
	return status < 0 ? -(int64_t)kern_errno(status) : status;
}

static int64_t requeue(uint64_t word, int wake_count, int move_count, uint64_t to, const struct futex_request *request,
		       uint32_t expected)
{
	uint64_t flags = (request->shared ? FUTEX_SHARED : 0) | (request->operation == FUTEX_OP_CMP_REQUEUE ? FUTEX_COMPARE : 0);
	if (wake_count < 0 || move_count < 0)
		return -EINVAL;
	int64_t status = trap6(TRAP_futex_requeue, word, (uint64_t)wake_count, (uint64_t)move_count, to, flags, expected);
	return status < 0 ? -(int64_t)kern_errno(status) : status;
}

static int64_t wake_both(uint64_t word, int count, uint64_t other, int other_count, uint32_t encoded, bool shared)
{
	uint32_t old, value, found;
	bool wakes;

	if (user_get(&old, (const uint32_t *)other))
		return -EFAULT;
	for (;; old = found) {
		int64_t error = futex_wake_op(encoded, old, &value, &wakes);
		if (error)
			return error;
		if (user_exchange((uint32_t *)other, old, value, &found))
			return -EFAULT;
		if (found == old)
			break;
	}
	int64_t woken = wake(word, count, shared, UINT32_MAX);
	if (woken < 0 || !wakes)
		return woken;
	int64_t more = wake(other, other_count, shared, UINT32_MAX);
	return more < 0 ? more : woken + more;
}

static int64_t lock_pi(uint64_t word, const struct futex_request *request, uint64_t deadline, bool only_try)
{
	uint32_t tid = thread_self()->tid, value, found;

	if (user_get(&value, (const uint32_t *)word))
		return -EFAULT;
	for (;;) {
		if ((value & TID_MASK) == tid)
			return -EDEADLK;
		bool free = (value & TID_MASK) == 0;
		if (!free && only_try)
			return -EAGAIN;
		uint32_t wanted = free ? (value & (WAITERS | OWNER_DIED)) | tid : value | WAITERS;
		if (user_exchange((uint32_t *)word, value, wanted, &found))
			return -EFAULT;
		if (found == value) {
			if (free)
				return 0;
			int64_t status = trap5(TRAP_futex_wait, word, wanted,
					       (request->shared ? FUTEX_SHARED : 0) | FUTEX_INTERRUPTIBLE, deadline, UINT32_MAX);
			if (status == KERN_INTERRUPTED)
				return interrupted_wait();
			if (status < 0 && status != KERN_WOULD_BLOCK)
				return -(int64_t)kern_errno(status);
			if (user_get(&value, (const uint32_t *)word))
				return -EFAULT;
		} else {
			value = found;
		}
	}
}

/* The waiter that wakes takes the lock itself and leaves WAITERS set, which costs at most one idle wake. */
static int64_t unlock_pi(uint64_t word, bool shared)
{
	uint32_t tid = thread_self()->tid, value, found;

	if (user_get(&value, (const uint32_t *)word))
		return -EFAULT;
	for (;; value = found) {
		if ((value & TID_MASK) != tid)
			return -EPERM;
		if (user_exchange((uint32_t *)word, value, value & WAITERS, &found))
			return -EFAULT;
		if (found == value)
			break;
	}
	if (value & WAITERS && wake(word, 1, shared, UINT32_MAX) == 0 && user_exchange((uint32_t *)word, WAITERS, 0, &found))
		return -EFAULT;
	return 0;
}

int64_t sys_futex(uint64_t word, uint32_t op, uint32_t value, uint64_t timeout, uint64_t other, uint32_t value3)
{
	struct futex_request request;
	uint64_t deadline = DEADLINE_NEVER;

	int64_t error = futex_decode(op, &request);
	if (error)
		return error;
	if (word & 3)
		return -EINVAL;
	bool waits = request.operation == FUTEX_OP_WAIT || request.operation == FUTEX_OP_WAIT_BITSET ||
		     request.operation == FUTEX_OP_LOCK_PI;
	if (waits)
		error = deadline_of(&request, (const struct linux_timespec *)timeout, &deadline);
	if (error)
		return error;
	switch (request.operation) {
	case FUTEX_OP_WAIT:
		return wait_for(word, value, &request, deadline, UINT32_MAX);
	case FUTEX_OP_WAIT_BITSET:
		return wait_for(word, value, &request, deadline, value3);
	case FUTEX_OP_WAKE:
		return wake(word, (int)value, request.shared, UINT32_MAX);
	case FUTEX_OP_WAKE_BITSET:
		return wake(word, (int)value, request.shared, value3);
	case FUTEX_OP_REQUEUE:
	case FUTEX_OP_CMP_REQUEUE:
		return requeue(word, (int)value, (int)timeout, other, &request, value3);
	case FUTEX_OP_WAKE_OP:
		return wake_both(word, (int)value, other, (int)timeout, value3, request.shared);
	case FUTEX_OP_LOCK_PI:
	case FUTEX_OP_TRYLOCK_PI:
		return lock_pi(word, &request, deadline, request.operation == FUTEX_OP_TRYLOCK_PI);
	case FUTEX_OP_UNLOCK_PI:
		return unlock_pi(word, request.shared);
	default:
		return -ENOSYS;
	}
}
