/*
 * Local descriptions. See local.h. epoll sets are in epoll.c, their waiting in polling.c.
 */
#include "local.h"

#include "linux.h"
#include "signals.h"
#include "string.h"
#include "time.h"
#include "usercopy.h"

#include <io_client.h>
#include <net_client.h>
#include <sig_client.h>
#include <vfs_types.h>

#define EFD_SEMAPHORE 1u
#define EVENT_MAX (UINT64_MAX - 1)
#define SIGNALFD_RECORD 128u
#define TFD_ABSTIME 1
#define TFD_CANCEL_ON_SET 2

/* In the shared object. Every change of anything advances `changes` and wakes it. */
struct shared_state {
	uint32_t lock;
	uint32_t changes;
	uint64_t count;      /* eventfd: counter */
	uint32_t semaphore;
	uint32_t clock;      /* timerfd */
	uint64_t deadline;   /* timerfd: monotonic ns of the next expiry, 0: disarmed */
	uint64_t interval;
};

/* ---- shared state ---- */

static struct shared_state *state_of(struct description *description)
{
	if (description->local == 0) {
		int64_t address = trap6(TRAP_vm_map, TASK_SELF, LIBPOSIX_HEAP + 0x8000000, PAGE_SIZE, description->name, 0,
					VM_READ | VM_WRITE | VM_INHERIT_SHARE);
		if (address < 0)
			return NULL;
		description->local = (uint64_t)address;
	}
	return (struct shared_state *)description->local;
}

static void state_lock(struct shared_state *state)
{
	uint32_t free = 0;
	if (__atomic_compare_exchange_n(&state->lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&state->lock, 2, __ATOMIC_ACQUIRE) != 0)
		trap5(TRAP_futex_wait, (uint64_t)&state->lock, 2, FUTEX_SHARED, time_add(clock_monotonic(), NANOSECONDS),
		      (uint64_t)FUTEX_BITS_ALL);
}

static void state_unlock(struct shared_state *state)
{
	if (__atomic_exchange_n(&state->lock, 0, __ATOMIC_RELEASE) == 2)
		trap4(TRAP_futex_wake, (uint64_t)&state->lock, 1, FUTEX_SHARED, (uint64_t)FUTEX_BITS_ALL);
}

static void state_changed(struct shared_state *state)
{
	__atomic_add_fetch(&state->changes, 1, __ATOMIC_SEQ_CST);
	trap4(TRAP_futex_wake, (uint64_t)&state->changes, INT32_MAX, FUTEX_SHARED, (uint64_t)FUTEX_BITS_ALL);
}

static int64_t local_open(uint8_t type, uint64_t local, bool close_on_exec, bool nonblocking, struct description **made)
{
	port_name_t name = PORT_NULL;

	if (type == DESCRIPTION_EVENT || type == DESCRIPTION_TIMER) {
		int64_t object = trap5(TRAP_object_create, PAGE_SIZE, 0, PORT_NULL, 0, PORT_NULL);
		if (object < 0)
			return -kern_errno(object);
		name = (port_name_t)object;
		trap2(TRAP_right_inherit, name, 1);
	}
	struct description *description = fd_describe(name, 0, VFS_SERVER_ID_VFS);
	if (description == NULL)
		return -ENFILE;
	description->type = type;
	description->local = local;
	description->flags = nonblocking ? L_O_NONBLOCK : 0;
	if (name != PORT_NULL && state_of(description) == NULL) {
		fd_close(fd_install(description, 0, false));
		return -ENOMEM;
	}
	*made = description;
	return fd_install(description, 0, close_on_exec);
}

void description_release(struct description *description)
{
	epoll_forget(description);
	if (description->type == DESCRIPTION_EPOLL)
		epoll_release(description->local);
	if ((description->type == DESCRIPTION_EVENT || description->type == DESCRIPTION_TIMER) && description->local)
		trap3(TRAP_vm_unmap, TASK_SELF, description->local, PAGE_SIZE);
	client_release_right(description->object);
	client_release_right(description->name);
	/* When close returns, the peer's readiness word says that this end is closed. */
	if (description->type == DESCRIPTION_REMOTE && (description->kind & IO_FILE_KIND_SOCKET))
		net_sync(NAME_NET);
}

/* ---- eventfd ---- */

int64_t sys_eventfd2(uint32_t initial, int flags)
{
	struct description *description;

	if (flags & ~((int)EFD_SEMAPHORE | L_O_CLOEXEC | L_O_NONBLOCK))
		return -EINVAL;
	int64_t fd = local_open(DESCRIPTION_EVENT, 0, flags & L_O_CLOEXEC, flags & L_O_NONBLOCK, &description);
	if (fd >= 0) {
		state_of(description)->count = initial;
		state_of(description)->semaphore = (uint32_t)flags & EFD_SEMAPHORE;
	}
	return fd;
}

int64_t sys_eventfd(uint32_t initial)
{
	return sys_eventfd2(initial, 0);
}

/* Waits until `changes` is no longer `seen`. 0, or what the call returns. */
static int64_t wait_change(struct description *description, struct shared_state *state, uint32_t seen, uint64_t deadline,
			   uint32_t flags)
{
	if ((description->flags & L_O_NONBLOCK) || (flags & 1))
		return -EAGAIN;
	int64_t status = trap5(TRAP_futex_wait, (uint64_t)&state->changes, seen, FUTEX_SHARED | FUTEX_INTERRUPTIBLE, deadline,
			       (uint64_t)FUTEX_BITS_ALL);
	return status == KERN_INTERRUPTED ? result_of(EINTR) : 0;
}

static int64_t event_read(struct description *description, uint64_t *user, uint32_t flags)
{
	struct shared_state *state = state_of(description);
	int64_t result = state ? 0 : -ENOMEM;

	while (!result) {
		state_lock(state);
		uint32_t seen = state->changes;
		uint64_t value = state->count && state->semaphore ? 1 : state->count;
		state->count -= value;
		state_unlock(state);
		if (value) {
			state_changed(state);
			return user_put(user, &value) ? -EFAULT : (int64_t)sizeof(value);
		}
		result = wait_change(description, state, seen, DEADLINE_NEVER, flags);
	}
	return result;
}

static int64_t event_write(struct description *description, const uint64_t *user, uint32_t flags)
{
	struct shared_state *state = state_of(description);
	int64_t result = state ? 0 : -ENOMEM;
	uint64_t value;

	if (user_get(&value, user))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	while (!result) {
		state_lock(state);
		uint32_t seen = state->changes;
		bool fits = value <= EVENT_MAX - state->count;
		state->count += fits ? value : 0;
		state_unlock(state);
		if (fits) {
			state_changed(state);
			return sizeof(value);
		}
		result = wait_change(description, state, seen, DEADLINE_NEVER, flags);
	}
	return result;
}

static uint32_t event_events(const struct shared_state *state)
{
	uint64_t count = __atomic_load_n(&state->count, __ATOMIC_ACQUIRE);
	return (count ? L_POLLIN : 0) | (count < EVENT_MAX ? L_POLLOUT : 0);
}

/* ---- timerfd ---- */

int64_t sys_timerfd_create(int clock, int flags)
{
	struct description *description;

	if (flags & ~(L_O_CLOEXEC | L_O_NONBLOCK))
		return -EINVAL;
	if (clock != L_CLOCK_REALTIME && clock != L_CLOCK_MONOTONIC && clock != L_CLOCK_BOOTTIME)
		return -EINVAL;
	int64_t fd = local_open(DESCRIPTION_TIMER, 0, flags & L_O_CLOEXEC, flags & L_O_NONBLOCK, &description);
	if (fd >= 0)
		state_of(description)->clock = (uint32_t)clock;
	return fd;
}

/* Expiries up to now, which are then past; call with the lock held. */
static uint64_t timer_expire(struct shared_state *state, uint64_t now)
{
	if (state->deadline == 0 || state->deadline > now)
		return 0;
	uint64_t count = 1;
	if (state->interval) {
		count += (now - state->deadline) / state->interval;
		state->deadline += count * state->interval;
	} else {
		state->deadline = 0;
	}
	return count;
}

static struct linux_itimerspec timer_value(const struct shared_state *state)
{
	uint64_t now = clock_monotonic(), left = 0;
	if (state->deadline)
		left = state->deadline > now ? state->deadline - now : 1;
	return (struct linux_itimerspec){ time_to_timespec(state->interval), time_to_timespec(left) };
}

static int64_t timer_get(int fd, struct description **description)
{
	*description = fd_get(fd);
	if (*description == NULL)
		return -EBADF;
	if ((*description)->type == DESCRIPTION_TIMER && state_of(*description))
		return 0;
	fd_put(*description);
	return -EINVAL;
}

int64_t sys_timerfd_settime(int fd, int flags, const struct linux_itimerspec *user, struct linux_itimerspec *old)
{
	struct linux_itimerspec wanted, previous;
	struct description *description;
	uint64_t value, interval;

	if (flags & ~(TFD_ABSTIME | TFD_CANCEL_ON_SET))
		return -EINVAL;
	if (user_get(&wanted, user))
		return -EFAULT;
	if (time_from_timespec(&wanted.value, &value) || time_from_timespec(&wanted.interval, &interval))
		return -EINVAL;
	int64_t error = timer_get(fd, &description);
	if (error)
		return error;
	struct shared_state *state = state_of(description);
	state_lock(state);
	previous = timer_value(state);
	state->interval = interval;
	state->deadline = value == 0 ? 0 : flags & TFD_ABSTIME ? deadline_of_clock((int)state->clock, value) | 1
							       : time_add(clock_monotonic(), value);
	state_unlock(state);
	state_changed(state);
	fd_put(description);
	return old ? user_put(old, &previous) : 0;
}

int64_t sys_timerfd_gettime(int fd, struct linux_itimerspec *user)
{
	struct description *description;
	int64_t error = timer_get(fd, &description);
	if (error)
		return error;
	struct linux_itimerspec value = timer_value(state_of(description));
	fd_put(description);
	return user_put(user, &value);
}

static int64_t timer_read(struct description *description, uint64_t *user, uint32_t flags)
{
	struct shared_state *state = state_of(description);
	int64_t result = state ? 0 : -ENOMEM;

	while (!result) {
		state_lock(state);
		uint32_t seen = state->changes;
		uint64_t count = timer_expire(state, clock_monotonic());
		uint64_t deadline = state->deadline ? state->deadline : DEADLINE_NEVER;
		state_unlock(state);
		if (count)
			return user_put(user, &count) ? -EFAULT : (int64_t)sizeof(count);
		result = wait_change(description, state, seen, deadline, flags);
	}
	return result;
}

/* ---- signalfd ---- */

int64_t sys_signalfd4(int fd, const uint64_t *user_set, size_t size, int flags)
{
	struct description *description;
	uint64_t set;

	if (size != sizeof(set) || (flags & ~(L_O_CLOEXEC | L_O_NONBLOCK)))
		return -EINVAL;
	if (user_get(&set, user_set))
		return -EFAULT;
	set &= ~(SIGNAL_BIT(L_SIGKILL) | SIGNAL_BIT(L_SIGSTOP));
	if (fd == -1)
		return local_open(DESCRIPTION_SIGNAL, set, flags & L_O_CLOEXEC, flags & L_O_NONBLOCK, &description);
	description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	bool right = description->type == DESCRIPTION_SIGNAL;
	if (right)
		description->local = set;
	fd_put(description);
	return right ? fd : -EINVAL;
}

int64_t sys_signalfd(int fd, const uint64_t *set, size_t size)
{
	return sys_signalfd4(fd, set, size, 0);
}

static void signalfd_record(const struct sig_signal_info *info, uint8_t record[SIGNALFD_RECORD])
{
	struct { uint32_t signo; int32_t error, code; uint32_t pid, uid; int32_t fd; uint32_t tid, band, overrun, trap; int32_t status,
		integer; uint64_t pointer, utime, stime, address; } out = {
		.signo = (uint32_t)info->signal, .error = info->error, .code = info->code, .pid = info->pid, .uid = info->uid,
		.tid = (uint32_t)info->timer, .overrun = (uint32_t)info->overrun, .status = info->status,
		.integer = (int32_t)info->value, .pointer = info->value, .utime = info->user_ticks, .stime = info->system_ticks };

	memset(record, 0, SIGNALFD_RECORD);
	memcpy(record, &out, sizeof(out));
}

/* Like sigtimedwait without end: the set counts as waited for meanwhile. */
static int64_t signal_read(struct description *description, uint8_t *user, size_t size, uint32_t flags)
{
	struct thread_state *thread = thread_self();
	struct signal_thread *slot = &signal_page()->thread[thread->slot];
	uint8_t record[SIGNALFD_RECORD];
	struct sig_signal_info info;
	int64_t done = 0;

	while ((size_t)done + sizeof(record) <= size) {
		__atomic_store_n(&slot->waiting, description->local, __ATOMIC_SEQ_CST);
		int error = sig_take(NAME_SIG, thread->slot, description->local, &info);
		if (!error) {
			signalfd_record(&info, record);
			if (user_copy(user + done, record, sizeof(record)))
				done = -EFAULT;
			done += (int64_t)sizeof(record);
		} else if (done || (description->flags & L_O_NONBLOCK) || (flags & 1)) {
			done = done ? done : -EAGAIN;
			break;
		} else if (trap2(TRAP_thread_sleep, DEADLINE_NEVER, MSG_INTERRUPTIBLE >> MSG_OP_SHIFT) == KERN_INTERRUPTED) {
			client_block()->interrupted = 0;
			if (signals_deliverable(thread)) {
				done = result_of(EINTR);
				break;
			}
		}
	}
	__atomic_store_n(&slot->waiting, 0, __ATOMIC_SEQ_CST);
	return done;
}

static uint32_t signal_events(const struct description *description)
{
	const struct signal_page *page = signal_page();
	uint64_t pending = page->pending | page->thread[thread_self()->slot].pending;
	return pending & description->local ? L_POLLIN : 0;
}

/* ---- all of them ---- */

int64_t local_read(struct description *description, void *user, size_t size, uint32_t flags)
{
	switch (description->type) {
	case DESCRIPTION_EVENT:
		return size < sizeof(uint64_t) ? -EINVAL : event_read(description, user, flags);
	case DESCRIPTION_TIMER:
		return size < sizeof(uint64_t) ? -EINVAL : timer_read(description, user, flags);
	case DESCRIPTION_SIGNAL:
		return size < SIGNALFD_RECORD ? -EINVAL : signal_read(description, user, size, flags);
	case DESCRIPTION_FD_LIST:
		return -EISDIR;
	default:
		return -EINVAL;
	}
}

int64_t local_write(struct description *description, const void *user, size_t size, uint32_t flags)
{
	if (description->type == DESCRIPTION_FD_LIST)
		return -EBADF;
	if (description->type != DESCRIPTION_EVENT || size < sizeof(uint64_t))
		return -EINVAL;
	return event_write(description, user, flags);
}

uint32_t local_events(struct description *description, const uint32_t **word, uint32_t *expected, uint64_t *deadline)
{
	struct shared_state *state;

	*word = NULL;
	switch (description->type) {
	case DESCRIPTION_EVENT:
	case DESCRIPTION_TIMER:
		state = state_of(description);
		if (state == NULL)
			return L_POLLERR;
		*word = &state->changes;
		*expected = __atomic_load_n(&state->changes, __ATOMIC_SEQ_CST);
		if (description->type == DESCRIPTION_EVENT)
			return event_events(state);
		if (state->deadline && state->deadline <= clock_monotonic())
			return L_POLLIN;
		if (state->deadline && state->deadline < *deadline)
			*deadline = state->deadline;
		return 0;
	case DESCRIPTION_SIGNAL:
		return signal_events(description);
	case DESCRIPTION_EPOLL:
		return epoll_events(description);
	default:
		return L_POLLIN | L_POLLOUT;
	}
}

void describe_path(const struct description *description, struct text *text)
{
	static const char *const names[] = { [DESCRIPTION_EVENT] = "anon_inode:[eventfd]", [DESCRIPTION_TIMER] = "anon_inode:[timerfd]",
		[DESCRIPTION_SIGNAL] = "anon_inode:[signalfd]", [DESCRIPTION_EPOLL] = "anon_inode:[eventpoll]",
		[DESCRIPTION_FD_LIST] = "/proc/self/fd" };
	char path[2049];
	struct attributes attributes;

	if (description->type != DESCRIPTION_REMOTE) {
		text_put(text, names[description->type]);
		return;
	}
	if (!(description->kind & (IO_FILE_KIND_PIPE | IO_FILE_KIND_SOCKET)) && io_path(description->name, path, sizeof(path)) == 0) {
		text_put(text, path);
		return;
	}
	text_put(text, description->kind & IO_FILE_KIND_SOCKET ? "socket:[" : "pipe:[");
	text_unsigned(text, io_stat(description->name, &attributes) ? 0 : attributes.inode, 10);
	text_put(text, "]");
}

/* One record, if it fits. Its length or 0. */
static size_t list_record(uint8_t *to, size_t size, uint64_t inode, int64_t next, uint8_t type, const char *name)
{
	size_t length = (sizeof(struct linux_dirent64) - 5 + strlen(name) + 1 + 7) & ~(size_t)7;
	uint8_t record[64];
	struct linux_dirent64 *entry = (struct linux_dirent64 *)record;

	if (length > size || length > sizeof(record))
		return 0;
	memset(record, 0, sizeof(record));
	entry->ino = inode;
	entry->off = next;
	entry->reclen = (uint16_t)length;
	entry->type = type;
	memcpy(record + 19, name, strlen(name));
	memcpy(to, record, length);
	return length;
}

/* Positions: 0 ".", 1 "..", 2 + fd. */
int64_t fd_list_read(struct description *description, void *user, size_t size)
{
	uint8_t records[1024];
	size_t used = 0, limit = size < sizeof(records) ? size : sizeof(records);

	for (;;) {
		char name[16];
		struct text text;
		int fd = -1;
		text_begin_in(&text, name, sizeof(name));
		if (description->local < 2) {
			text_put(&text, description->local ? ".." : ".");
		} else {
			fd = fd_next((int)description->local - 2);
			if (fd < 0)
				break;
			text_decimal(&text, fd);
		}
		uint64_t next = fd < 0 ? description->local + 1 : (uint64_t)fd + 3;
		size_t length = list_record(records + used, limit - used, next + 1, (int64_t)next, fd < 0 ? 4 : 10, name);
		if (length == 0)
			break;
		used += length;
		description->local = next;
	}
	if (used == 0)
		return description->local >= 2 && fd_next((int)description->local - 2) < 0 ? 0 : -EINVAL;
	return user_copy(user, records, used) ? -EFAULT : (int64_t)used;
}
