/*
 * POSIX message queues: mq_open and its relatives. A queue's descriptor is one like any other, served by ipcd: poll, fstat, fcntl and close are
 * interface io's.
 *
 * Above: table.c. Below: ipcd. libc has taken the slash from the names. Timeouts are absolute, on CLOCK_REALTIME.
 */
#include "fd.h"
#include "linux.h"
#include "string.h"
#include "sysv.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <ipc_client.h>
#include <vfs_types.h>

#define PRIORITIES 32768u
#define KIND_QUEUE 0u /* no IO_FILE_KIND_*; ipcd's other files are seekable */
#define NOTIFY_REMOVE UINT32_MAX

enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1 };

struct linux_mq_attr { int64_t flags, maxmsg, msgsize, curmsgs, reserved[4]; };
struct linux_sigevent_head { uint64_t value; int32_t signal, notify; };

/* This process has asked for a notification: closing a queue takes it back. */
static bool registered;

/* The queue behind a descriptor, with a reference for fd_put. NULL: EBADF. */
static struct description *queue_get(int fd)
{
	struct description *description = fd_get(fd);

	if (description == NULL)
		return NULL;
	if (description->type == DESCRIPTION_REMOTE && description->server == VFS_SERVER_ID_IPC && description->kind == KIND_QUEUE)
		return description;
	fd_put(description);
	return NULL;
}

/* A name, or -errno. */
static int64_t name_of(char name[PORTICO_NAME_MAX + 1], const char *user)
{
	int64_t length = user_string(name, user, PORTICO_NAME_MAX + 1);

	if (length < 0)
		return length;
	return length == 0 ? -ENOENT : 0;
}

int64_t sys_mq_open(const char *user_name, uint32_t flags, uint32_t mode, const struct linux_mq_attr *user_attributes)
{
	struct ipc_mq_attributes attributes = { 0, 0, 0, 0 };
	struct linux_mq_attr given;
	char name[PORTICO_NAME_MAX + 1];
	port_name_t queue;

	if (user_attributes && user_get(&given, user_attributes))
		return -EFAULT;
	int64_t result = name_of(name, user_name);
	if (result)
		return result;
	if (user_attributes) {
		attributes.max_messages = given.maxmsg;
		attributes.message_size = given.msgsize;
	}
	int error = ipc_mq_open(NAME_IPC, name, flags, mode & ~process.umask, user_attributes != NULL, &attributes, &queue);
	if (error)
		return result_of(error);
	trap2(TRAP_right_inherit, queue, 1);
	return fd_open(queue, KIND_QUEUE, VFS_SERVER_ID_IPC, true);
}

int64_t sys_mq_unlink(const char *user_name)
{
	char name[PORTICO_NAME_MAX + 1];
	int64_t result = name_of(name, user_name);

	return result ? result : result_of(ipc_mq_unlink(NAME_IPC, name));
}

/* ---- sending and receiving ---- */

static int64_t deadline_of(const struct linux_timespec *user, uint64_t *deadline)
{
	struct linux_timespec time;
	uint64_t ns;

	*deadline = DEADLINE_NEVER;
	if (user == NULL)
		return 0;
	if (user_get(&time, user))
		return -EFAULT;
	int64_t error = time_from_timespec(&time, &ns);
	if (!error)
		*deadline = deadline_of_clock(L_CLOCK_REALTIME, ns);
	return error;
}

/* A call that was overdue before ipcd saw it: it is made once more, without a deadline and without waiting. */
static bool is_late(int error, uint64_t deadline, bool *no_wait)
{
	if (error != ETIMEDOUT || deadline == DEADLINE_NEVER || *no_wait)
		return false;
	*no_wait = true;
	return true;
}

/* ipcd answers EINTR also when the call is overdue. */
static int64_t waited(int error, uint64_t deadline)
{
	return error == EINTR && deadline != DEADLINE_NEVER && clock_monotonic() >= deadline ? -ETIMEDOUT : result_of(error);
}

static int send(port_name_t queue, const uint8_t *user, const uint8_t *bytes, size_t size, uint32_t priority, bool no_wait, uint64_t deadline)
{
	if (no_wait)
		deadline = DEADLINE_NEVER;
	if (size > IPC_INLINE_MAX)
		return ipc_mq_send_until(queue, priority, no_wait, user, size, deadline);
	return ipc_mq_send_inline_until(queue, priority, no_wait, bytes, size, deadline);
}

int64_t sys_mq_timedsend(int fd, const uint8_t *user, uint64_t size, uint32_t priority, const struct linux_timespec *timeout)
{
	uint8_t bytes[IPC_INLINE_MAX];
	uint64_t deadline;
	bool no_wait = false;
	int error;

	int64_t result = priority >= PRIORITIES ? -EINVAL : deadline_of(timeout, &deadline);
	if (result)
		return result;
	struct description *description = queue_get(fd);
	if (description == NULL)
		return -EBADF;
	if (size > IPC_TEXT_MAX) {
		result = -EMSGSIZE;
	} else if (size <= sizeof(bytes) && user_copy(bytes, user, size)) {
		result = -EFAULT;
	} else {
		do
			error = send(description->name, user, bytes, size, priority, no_wait, deadline);
		while (is_late(error, deadline, &no_wait));
		result = waited(error, deadline);
	}
	fd_put(description);
	return result;
}

struct received {
	uint8_t bytes[IPC_INLINE_MAX];
	uint64_t size;
	uint32_t priority;
};

static int receive(port_name_t queue, uint8_t *user, uint64_t size, struct received *got, bool no_wait, uint64_t deadline)
{
	if (no_wait)
		deadline = DEADLINE_NEVER;
	if (size > IPC_INLINE_MAX)
		return ipc_mq_receive_until(queue, no_wait, user, size < IPC_TEXT_MAX ? size : IPC_TEXT_MAX, &got->priority, &got->size, deadline);
	size_t count = 0;
	int error = ipc_mq_receive_inline_until(queue, (uint32_t)size, no_wait, &got->priority, got->bytes, sizeof(got->bytes), &count, deadline);
	got->size = count;
	return error;
}

int64_t sys_mq_timedreceive(int fd, uint8_t *user, uint64_t size, uint32_t *user_priority, const struct linux_timespec *timeout)
{
	struct received got;
	uint64_t deadline;
	bool no_wait = false;
	int error;

	int64_t result = deadline_of(timeout, &deadline);
	if (result)
		return result;
	struct description *description = queue_get(fd);
	if (description == NULL)
		return -EBADF;
	do
		error = receive(description->name, user, size, &got, no_wait, deadline);
	while (is_late(error, deadline, &no_wait));
	fd_put(description);
	if (error)
		return waited(error, deadline);
	if ((size <= sizeof(got.bytes) && user_copy(user, got.bytes, got.size)) || (user_priority && user_put(user_priority, &got.priority)))
		return -EFAULT;
	return (int64_t)got.size;
}

/* ---- notification and attributes ---- */

int64_t sys_mq_notify(int fd, const struct linux_sigevent_head *user)
{
	struct linux_sigevent_head event = { 0, 0, 0 };

	if (user) {
		if (user_get(&event, user))
			return -EFAULT;
		/* SIGEV_THREAD comes with a socket of libc's own, which it cannot have. */
		if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_NONE)
			return -EINVAL;
		if (event.notify == SIGEV_SIGNAL && (event.signal < 0 || event.signal > L_NSIG))
			return -EINVAL;
	}
	struct description *description = queue_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = ipc_mq_notify(description->name, user ? (uint32_t)event.notify : NOTIFY_REMOVE, (uint32_t)event.signal, event.value);
	fd_put(description);
	if (user && !error)
		registered = true;
	return result_of(error);
}

void mq_close(int fd)
{
	struct description *description = registered ? queue_get(fd) : NULL;

	if (description == NULL)
		return;
	ipc_mq_notify(description->name, NOTIFY_REMOVE, 0, 0);
	fd_put(description);
}

int64_t sys_mq_getsetattr(int fd, const struct linux_mq_attr *user, struct linux_mq_attr *old)
{
	struct ipc_mq_attributes previous;
	struct linux_mq_attr wanted = { .flags = 0 };

	if (user && user_get(&wanted, user))
		return -EFAULT;
	if (user && (wanted.flags & ~(int64_t)L_O_NONBLOCK))
		return -EINVAL;
	struct description *description = queue_get(fd);
	if (description == NULL)
		return -EBADF;
	int error = ipc_mq_attributes(description->name, user != NULL, wanted.flags, &previous);
	fd_put(description);
	if (error || old == NULL)
		return result_of(error);
	struct linux_mq_attr attr = { .flags = previous.flags, .maxmsg = previous.max_messages, .msgsize = previous.message_size,
				      .curmsgs = previous.current };
	return user_put(old, &attr);
}
