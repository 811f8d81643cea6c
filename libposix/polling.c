/*
 * poll, select and their relatives. No message is sent but the first ones that learn where a description's readiness word is.
 *
 * Above: table.c, epoll.c. Below: io.ready_slot, io.ready_object, and the kernel's wait on several words.
 */
#include "polling.h"

#include "linux.h"
#include "local.h"
#include "string.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <io_client.h>
#include <portico/readiness.h>
#include <vfs_types.h>

#define READY_AREA (LIBPOSIX_SHARED + 0x1000000ul)
#define READY_STRIDE (READINESS_SLOTS * sizeof(uint32_t))
#define ALWAYS (L_POLLIN | L_POLLOUT | L_POLLRDNORM | L_POLLWRNORM)
#define SELECT_MAX 1024u
#define MILLISECOND UINT64_C(1000000)

/* ---- readiness words ---- */

static bool server_mapped[VFS_SERVERS];
PROCESS_LOCK servers_lock;

static const uint32_t *server_words(uint8_t server)
{
	return (const uint32_t *)(READY_AREA + server * READY_STRIDE);
}

/* The server's words, mapped at the first need of any of its descriptions. */
static bool map_server(const struct description *description)
{
	port_name_t object = PORT_NULL;
	uint8_t server = description->server;

	if (server >= VFS_SERVERS)
		return false;
	lock_take(&servers_lock);
	if (!server_mapped[server] && io_ready_object(description->name, &object) == 0 && object != PORT_NULL) {
		server_mapped[server] = trap6(TRAP_vm_map, TASK_SELF, (uint64_t)server_words(server), READY_STRIDE, object, 0,
					      VM_READ | VM_FIXED | VM_INHERIT_SHARE) >= 0;
		client_release_right(object);
	}
	bool mapped = server_mapped[server];
	lock_drop(&servers_lock);
	return mapped;
}

/* Its word, or NULL: such a description is always ready. */
static const uint32_t *word_of(struct description *description)
{
	uint32_t slot;

	if (description->kind & IO_FILE_KIND_ALWAYS_READY)
		return NULL;
	if (description->ready_slot == READY_SLOT_UNKNOWN)
		description->ready_slot = io_ready_slot(description->name, &slot) == 0 && slot < READINESS_SLOTS ? slot
														: READY_SLOT_NONE;
	if (description->ready_slot == READY_SLOT_NONE || !map_server(description))
		return NULL;
	return server_words(description->server) + description->ready_slot;
}

/* ---- watches ---- */

void watch_begin(struct watch *watch, uint64_t deadline)
{
	watch->count = 0;
	watch->all = false;
	watch->crowded = false;
	watch->deadline = deadline;
}

/*
 * Too many words: from now on the words 0 count, whatever they say now. What was missed between reading a word and reading word 0
 * would be missed for good, so the caller is made to look once more: the first wait returns at once.
 */
static void watch_everything(struct watch *watch)
{
	uint32_t kept = 0;
	watch->all = true;
	for (uint32_t i = 0; i < watch->count; i++)
		if ((uint64_t)watch->words[i].word < READY_AREA || (uint64_t)watch->words[i].word >= READY_AREA + VFS_SERVERS * READY_STRIDE)
			watch->words[kept++] = watch->words[i];
	watch->count = kept;
	for (uint8_t server = 0; server < VFS_SERVERS && watch->count < WATCH_WORDS; server++) {
		if (!server_mapped[server])
			continue;
		watch->words[watch->count].word = server_words(server);
		watch->words[watch->count++].expected = __atomic_load_n(server_words(server), __ATOMIC_SEQ_CST);
	}
}

static void watch_add(struct watch *watch, const uint32_t *word, uint32_t expected, bool remote)
{
	if (watch == NULL || (watch->all && remote))
		return;
	if (watch->count == WATCH_WORDS) {
		if (!watch->all)
			watch_everything(watch);
		if (remote)
			return;
		/* Still no room: look again soon. Sixteen eventfds at once are rare. */
		if (watch->count == WATCH_WORDS) {
			if (watch->crowded)
				return;
			watch->crowded = true;
			uint64_t soon = time_add(clock_monotonic(), 10 * MILLISECOND);
			watch->deadline = soon < watch->deadline ? soon : watch->deadline;
			return;
		}
	}
	watch->words[watch->count].word = word;
	watch->words[watch->count++].expected = expected;
}

/* A stamp is never 0: that is "never told" in an epoll set. */
uint32_t watch_events_stamped(struct watch *watch, struct description *description, uint32_t *stamp)
{
	const uint32_t *word;
	uint32_t value;
	uint64_t never = DEADLINE_NEVER;

	*stamp = 1;
	if (description->type != DESCRIPTION_REMOTE) {
		/* `expected` was read before the events, so that no change lies between. */
		uint32_t expected = 0;
		value = local_events(description, &word, &expected, watch ? &watch->deadline : &never);
		if (word)
			watch_add(watch, word, expected, false);
		*stamp = word && expected ? expected : value | 0x10000;
		return value | (value & L_POLLIN ? L_POLLRDNORM : 0) | (value & L_POLLOUT ? L_POLLWRNORM : 0);
	}
	word = word_of(description);
	if (word == NULL)
		return ALWAYS;
	value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	watch_add(watch, word, value, true);
	if (value)
		*stamp = value;
	return READINESS_EVENTS(value);
}

uint32_t watch_events(struct watch *watch, struct description *description)
{
	uint32_t stamp;

	return watch_events_stamped(watch, description, &stamp);
}

int64_t watch_wait(const struct watch *watch)
{
	uint64_t *argument = client_block()->argument;
	int64_t status;

	for (uint32_t i = 0; i < watch->count; i++) {
		argument[2 * i] = (uint64_t)watch->words[i].word;
		argument[2 * i + 1] = watch->words[i].expected;
	}
	if (watch->count)
		status = trap3(TRAP_futex_wait_many, watch->count, FUTEX_SHARED | FUTEX_INTERRUPTIBLE, watch->deadline);
	else
		status = trap2(TRAP_thread_sleep, watch->deadline, MSG_INTERRUPTIBLE >> MSG_OP_SHIFT);
	return status == KERN_INTERRUPTED ? interrupted_wait() : 0;
}

/* ---- poll ---- */

#define POLL_CHUNK 64u

/* One look at all of them: how many have something to tell. The program's array is read and written in pieces. */
static int64_t poll_once(struct linux_pollfd *user, uint32_t count, struct watch *watch)
{
	struct linux_pollfd part[POLL_CHUNK];
	int64_t ready = 0;

	for (uint32_t at = 0; at < count; at += POLL_CHUNK) {
		uint32_t size = count - at < POLL_CHUNK ? count - at : POLL_CHUNK;
		if (user_copy(part, user + at, size * sizeof(part[0])))
			return -EFAULT;
		for (uint32_t i = 0; i < size; i++) {
			struct description *description = part[i].fd < 0 ? NULL : fd_get(part[i].fd);
			uint32_t events = part[i].fd < 0 ? 0 : L_POLLNVAL;
			if (description) {
				events = watch_events(watch, description) & ((uint16_t)part[i].events | L_POLLERR | L_POLLHUP);
				fd_put(description);
			}
			part[i].revents = (int16_t)events;
			ready += events != 0;
		}
		if (user_copy(user + at, part, size * sizeof(part[0])))
			return -EFAULT;
	}
	return ready;
}

static int64_t poll_until(struct linux_pollfd *user, uint32_t count, uint64_t deadline)
{
	bool crowded = false;

	if (count > process.file_limit && count > FD_MAX)
		return -EINVAL;
	for (;;) {
		struct watch watch;
		watch_begin(&watch, deadline);
		if (crowded)
			watch_everything(&watch);
		int64_t ready = poll_once(user, count, &watch);
		if (ready || (deadline != DEADLINE_NEVER && clock_monotonic() >= deadline))
			return ready;
		if (watch.all && !crowded) {
			crowded = true;
			continue;
		}
		int64_t interrupted = watch_wait(&watch);
		if (interrupted)
			return interrupted;
	}
}

int64_t sys_poll(struct linux_pollfd *user, uint32_t count, int timeout)
{
	return poll_until(user, count, timeout < 0 ? DEADLINE_NEVER : deadline_after((uint64_t)timeout * MILLISECOND));
}

int64_t sys_ppoll(struct linux_pollfd *user, uint32_t count, const struct linux_timespec *timeout, const uint64_t *mask, size_t size)
{
	uint64_t deadline = DEADLINE_NEVER;
	int64_t error = timeout ? deadline_from_user(timeout, &deadline) : 0;

	if (!error && mask)
		error = signals_use_mask(mask, size);
	return error ? error : masked_result(poll_until(user, count, deadline));
}

/* ---- select ---- */

struct sets { uint64_t words[3][SELECT_MAX / 64]; };

static int64_t take_sets(int count, uint64_t *const user[3], struct sets *sets)
{
	size_t bytes = ((size_t)count + 63) / 64 * 8;
	memset(sets, 0, sizeof(*sets));
	for (int i = 0; i < 3; i++)
		if (user[i] && user_copy(sets->words[i], user[i], bytes))
			return -EFAULT;
	return 0;
}

/* What select's three sets ask of one descriptor, as Linux maps them to poll's events. */
static uint32_t wanted_events(int set)
{
	return set == 0 ? L_POLLIN | L_POLLRDNORM | L_POLLRDBAND | L_POLLHUP | L_POLLERR
			: set == 1 ? L_POLLOUT | L_POLLWRNORM | L_POLLWRBAND | L_POLLERR : L_POLLPRI;
}

static int64_t select_once(int count, const struct sets *asked, struct sets *found, struct watch *watch)
{
	int64_t ready = 0;

	memset(found, 0, sizeof(*found));
	for (int fd = 0; fd < count; fd++) {
		uint64_t bit = UINT64_C(1) << fd % 64;
		if (!((asked->words[0][fd / 64] | asked->words[1][fd / 64] | asked->words[2][fd / 64]) & bit))
			continue;
		struct description *description = fd_get(fd);
		if (description == NULL)
			return -EBADF;
		uint32_t events = watch_events(watch, description);
		fd_put(description);
		for (int set = 0; set < 3; set++) {
			if (!(asked->words[set][fd / 64] & bit) || !(events & wanted_events(set)))
				continue;
			found->words[set][fd / 64] |= bit;
			ready++;
		}
	}
	return ready;
}

static int64_t select_until(int count, uint64_t *const user[3], uint64_t deadline)
{
	struct sets asked, found;
	bool crowded = false;

	if (count < 0)
		return -EINVAL;
	count = count < (int)SELECT_MAX ? count : (int)SELECT_MAX;
	int64_t ready = take_sets(count, user, &asked);
	while (!ready) {
		struct watch watch;
		watch_begin(&watch, deadline);
		if (crowded)
			watch_everything(&watch);
		ready = select_once(count, &asked, &found, &watch);
		if (ready || (deadline != DEADLINE_NEVER && clock_monotonic() >= deadline))
			break;
		if (watch.all && !crowded)
			crowded = true;
		else
			ready = watch_wait(&watch);
	}
	for (int i = 0; i < 3 && ready >= 0; i++)
		if (user[i] && user_copy(user[i], found.words[i], ((size_t)count + 63) / 64 * 8))
			return -EFAULT;
	return ready;
}

/* Linux leaves the time that was left. */
static void put_rest(struct linux_timeval *timeval, struct linux_timespec *timespec, uint64_t deadline)
{
	uint64_t now = clock_monotonic(), left = deadline > now ? deadline - now : 0;
	struct linux_timeval rest = time_to_timeval(left);
	struct linux_timespec precise = time_to_timespec(left);
	if (timeval)
		user_put(timeval, &rest);
	if (timespec)
		user_put(timespec, &precise);
}

int64_t sys_select(int count, uint64_t *reads, uint64_t *writes, uint64_t *excepts, struct linux_timeval *timeout)
{
	uint64_t *const user[3] = { reads, writes, excepts };
	struct linux_timeval time;
	uint64_t ns, deadline = DEADLINE_NEVER;

	if (timeout) {
		if (user_get(&time, timeout))
			return -EFAULT;
		if (time.usec >= 1000000 && time.usec <= INT64_MAX / 2) {
			time.sec += time.usec / 1000000;
			time.usec %= 1000000;
		}
		int64_t error = time_from_timeval(&time, &ns);
		if (error)
			return error;
		deadline = deadline_after(ns);
	}
	int64_t result = select_until(count, user, deadline);
	if (timeout && (result >= 0 || result == -ERESTARTNOHAND))
		put_rest(timeout, NULL, deadline);
	return result;
}

struct masked { const uint64_t *mask; size_t size; };

int64_t sys_pselect6(int count, uint64_t *reads, uint64_t *writes, uint64_t *excepts, struct linux_timespec *timeout,
		     const struct masked *user_mask)
{
	uint64_t *const user[3] = { reads, writes, excepts };
	struct masked mask = { NULL, 0 };
	uint64_t deadline = DEADLINE_NEVER;

	int64_t error = timeout ? deadline_from_user(timeout, &deadline) : 0;
	if (!error && user_mask && user_copy(&mask, user_mask, sizeof(mask)))
		error = -EFAULT;
	if (!error && mask.mask)
		error = signals_use_mask(mask.mask, mask.size);
	if (error)
		return masked_result(error);
	int64_t result = select_until(count, user, deadline);
	if (timeout && (result >= 0 || result == -ERESTARTNOHAND))
		put_rest(NULL, timeout, deadline);
	return masked_result(result);
}
