/*
 * epoll: sets of descriptors, kept here and nowhere else, watched by readiness words (polling.c).
 *
 * Edge-triggered: an event is told when the word's change count moved since it was last told. A set belongs to the process: a
 * forked child has a copy, and it ends with exec. Nested sets count as ready when something in them is.
 */
#include "linux.h"
#include "local.h"
#include "polling.h"
#include "string.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <io_types.h>

#define ENTRIES_FIRST 64u
#define ENTRIES_MAX 65536u
#define NEST_MAX 5u
#define MILLISECOND UINT64_C(1000000)
#define CONDITIONS (L_POLLERR | L_POLLHUP)

struct epoll_entry {
	struct description *description; /* NULL: free */
	int fd;
	uint32_t events;                 /* as the program gave them */
	uint64_t data;
	uint32_t told;                   /* edge-triggered: events of the last look */
	bool armed;                      /* one-shot ones are disarmed once told */
};

struct epoll {
	struct lock lock;
	uint32_t changes;                /* futex word: the set changed */
	uint32_t size;                   /* entries allocated */
	uint32_t next;                   /* where the next wait begins: everybody gets a turn */
	struct epoll *link;              /* all sets of the process */
	struct epoll_entry *entries;
};

static struct epoll *sets;
static struct lock sets_lock; /* fork takes it with those of the sets: epoll_lock_sets */
static uint32_t nesting;

/* ---- sets ---- */

static struct epoll *set_make(void)
{
	struct epoll *set = pages_allocate(sizeof(*set));
	struct epoll_entry *entries = pages_allocate(ENTRIES_FIRST * sizeof(*entries));

	if (set == NULL || entries == NULL) {
		pages_free(set, sizeof(*set));
		pages_free(entries, ENTRIES_FIRST * sizeof(*entries));
		return NULL;
	}
	set->size = ENTRIES_FIRST;
	set->entries = entries;
	lock_take(&sets_lock);
	set->link = sets;
	sets = set;
	lock_drop(&sets_lock);
	return set;
}

void epoll_release(uint64_t local)
{
	struct epoll *set = (struct epoll *)local;

	if (set == NULL)
		return;
	lock_take(&sets_lock);
	for (struct epoll **at = &sets; *at; at = &(*at)->link)
		if (*at == set) {
			*at = set->link;
			break;
		}
	lock_drop(&sets_lock);
	pages_free(set->entries, set->size * sizeof(struct epoll_entry));
	pages_free(set, sizeof(*set));
}

/*
 * The description at this address is gone. Addresses are not known here (a copy is given), so entries are found by the right or
 * the local state; a description that is in use again under the same address is another one.
 */
void epoll_forget(const struct description *gone)
{
	if (sets == NULL)
		return;
	lock_take(&sets_lock);
	for (struct epoll *set = sets; set; set = set->link)
		for (uint32_t i = 0; i < set->size; i++) {
			struct description *d = set->entries[i].description;
			if (d && (d->references == 0 || (d->name == gone->name && d->local == gone->local && d->type == gone->type)))
				set->entries[i].description = NULL;
		}
	lock_drop(&sets_lock);
}

/* ---- fork ---- */

void epoll_lock_sets(void)
{
	lock_take(&sets_lock);
	for (struct epoll *set = sets; set; set = set->link)
		lock_take(&set->lock);
}

void epoll_unlock_sets(void)
{
	for (struct epoll *set = sets; set; set = set->link)
		lock_drop(&set->lock);
	lock_drop(&sets_lock);
}

void epoll_forked(void)
{
	sets_lock.word = 0;
	nesting = 0;
	for (struct epoll *set = sets; set; set = set->link)
		set->lock.word = 0;
}

static int64_t set_get(int fd, struct description **description, struct epoll **set)
{
	*description = fd_get(fd);
	if (*description == NULL)
		return -EBADF;
	*set = (struct epoll *)(*description)->local;
	if ((*description)->type == DESCRIPTION_EPOLL)
		return 0;
	fd_put(*description);
	return -EINVAL;
}

int64_t sys_epoll_create1(int flags)
{
	if (flags & ~L_O_CLOEXEC)
		return -EINVAL;
	struct epoll *set = set_make();
	if (set == NULL)
		return -ENOMEM;
	struct description *description = fd_describe(PORT_NULL, 0, 0);
	if (description == NULL) {
		epoll_release((uint64_t)set);
		return -ENFILE;
	}
	description->type = DESCRIPTION_EPOLL;
	description->local = (uint64_t)set;
	return fd_install(description, 0, flags & L_O_CLOEXEC);
}

int64_t sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

/* ---- epoll_ctl ---- */

static struct epoll_entry *entry_find(struct epoll *set, int fd, const struct description *description)
{
	for (uint32_t i = 0; i < set->size; i++)
		if (set->entries[i].description == description && set->entries[i].fd == fd)
			return &set->entries[i];
	return NULL;
}

static struct epoll_entry *entry_free(struct epoll *set)
{
	for (uint32_t i = 0; i < set->size; i++)
		if (set->entries[i].description == NULL)
			return &set->entries[i];
	if (set->size >= ENTRIES_MAX)
		return NULL;
	struct epoll_entry *more = pages_allocate(set->size * 2 * sizeof(*more));
	if (more == NULL)
		return NULL;
	memcpy(more, set->entries, set->size * sizeof(*more));
	pages_free(set->entries, set->size * sizeof(*more));
	set->entries = more;
	set->size *= 2;
	return &more[set->size / 2];
}

static int64_t change(struct epoll *set, int operation, int fd, struct description *description, const struct linux_epoll_event *event)
{
	struct epoll_entry *entry = entry_find(set, fd, description);

	if (operation == L_EPOLL_CTL_ADD && entry)
		return -EEXIST;
	if (operation != L_EPOLL_CTL_ADD && entry == NULL)
		return -ENOENT;
	if (operation == L_EPOLL_CTL_DEL) {
		entry->description = NULL;
		return 0;
	}
	if (entry == NULL && (entry = entry_free(set)) == NULL)
		return -ENOMEM;
	*entry = (struct epoll_entry){
		.description = description, .fd = fd, .events = event->events, .data = event->data, .armed = true };
	return 0;
}

int64_t sys_epoll_ctl(int epoll_fd, int operation, int fd, const struct linux_epoll_event *user)
{
	struct linux_epoll_event event = { 0, 0 };
	struct description *holder, *description;
	struct epoll *set;

	if (operation < L_EPOLL_CTL_ADD || operation > L_EPOLL_CTL_MOD)
		return -EINVAL;
	if (operation != L_EPOLL_CTL_DEL && user_get(&event, user))
		return -EFAULT;
	int64_t error = set_get(epoll_fd, &holder, &set);
	if (error)
		return error;
	description = fd_get(fd);
	if (description == NULL) {
		fd_put(holder);
		return -EBADF;
	}
	/* Files and directories cannot be waited for: as Linux, EPERM. */
	if (description == holder)
		error = -EINVAL;
	else if (description->type == DESCRIPTION_REMOTE && (description->kind & IO_FILE_KIND_ALWAYS_READY) &&
		 (description->kind & (IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_DIRECTORY)))
		error = -EPERM;
	if (!error) {
		lock_take(&set->lock);
		error = change(set, operation, fd, description, &event);
		lock_drop(&set->lock);
		__atomic_add_fetch(&set->changes, 1, __ATOMIC_SEQ_CST);
		if (process.threaded)
			trap4(TRAP_futex_wake, (uint64_t)&set->changes, INT32_MAX, FUTEX_SHARED, (uint64_t)FUTEX_BITS_ALL);
	}
	fd_put(description);
	fd_put(holder);
	return error;
}

/* ---- epoll_wait ---- */

/* What this entry has to tell now; 0 nothing. Looks at the word's change count for the edge. */
static uint32_t entry_look(struct epoll_entry *entry, struct watch *watch)
{
	uint32_t stamp, events = watch_events_stamped(watch, entry->description, &stamp) & (entry->events | CONDITIONS);

	if (!entry->armed)
		return 0;
	if (!(entry->events & L_EPOLLET))
		return events;
	/* New are events that were not there at the last look, and all of them when the word has changed since. */
	uint32_t fresh = stamp != entry->told ? events : 0;
	if (watch)
		entry->told = stamp;
	return fresh;
}

static int64_t look(struct epoll *set, struct linux_epoll_event *user, int limit, struct watch *watch)
{
	int64_t found = 0;

	lock_take(&set->lock);
	for (uint32_t n = 0; n < set->size; n++) {
		uint32_t i = (set->next + n) % set->size;
		struct epoll_entry *entry = &set->entries[i];
		if (entry->description == NULL || found >= limit)
			continue;
		uint32_t events = entry_look(entry, watch);
		if (events == 0)
			continue;
		struct linux_epoll_event event = { events, entry->data };
		if (user_put(&user[found], &event)) {
			found = -EFAULT;
			break;
		}
		if (entry->events & L_EPOLLONESHOT)
			entry->armed = false;
		if (++found == limit)
			set->next = (i + 1) % set->size;
	}
	lock_drop(&set->lock);
	return found;
}

uint32_t epoll_events(struct description *description)
{
	struct epoll *set = (struct epoll *)description->local;
	uint32_t found = 0;

	if (nesting >= NEST_MAX)
		return 0;
	nesting++;
	for (uint32_t i = 0; i < set->size && !found; i++)
		if (set->entries[i].description)
			found = entry_look(&set->entries[i], NULL);
	nesting--;
	return found ? L_POLLIN : 0;
}

static int64_t wait_until(int epoll_fd, struct linux_epoll_event *user, int limit, uint64_t deadline)
{
	struct description *holder;
	struct epoll *set;
	int64_t found = 0;

	if (limit <= 0 || limit > (int)(INT32_MAX / sizeof(*user)))
		return -EINVAL;
	int64_t error = set_get(epoll_fd, &holder, &set);
	if (error)
		return error;
	for (;;) {
		struct watch watch;
		watch_begin(&watch, deadline);
		watch.words[0].word = &set->changes;
		watch.words[0].expected = __atomic_load_n(&set->changes, __ATOMIC_SEQ_CST);
		watch.count = process.threaded ? 1 : 0;
		found = look(set, user, limit, &watch);
		if (found || (deadline != DEADLINE_NEVER && clock_monotonic() >= deadline))
			break;
		/* Crowded sets wait on the servers' counters, read before a second look. */
		if (watch.all)
			found = look(set, user, limit, NULL);
		if (!found)
			found = watch_wait(&watch);
		if (found)
			break;
	}
	fd_put(holder);
	return found;
}

static uint64_t timeout_deadline(int timeout)
{
	return timeout < 0 ? DEADLINE_NEVER : deadline_after((uint64_t)timeout * MILLISECOND);
}

int64_t sys_epoll_wait(int fd, struct linux_epoll_event *user, int limit, int timeout)
{
	return wait_until(fd, user, limit, timeout_deadline(timeout));
}

int64_t sys_epoll_pwait(int fd, struct linux_epoll_event *user, int limit, int timeout, const uint64_t *mask, size_t size)
{
	int64_t error = mask ? signals_use_mask(mask, size) : 0;
	return error ? error : masked_result(wait_until(fd, user, limit, timeout_deadline(timeout)));
}

int64_t sys_epoll_pwait2(int fd, struct linux_epoll_event *user, int limit, const struct linux_timespec *timeout, const uint64_t *mask,
			 size_t size)
{
	uint64_t deadline = DEADLINE_NEVER;
	int64_t error = timeout ? deadline_from_user(timeout, &deadline) : 0;
	if (!error && mask)
		error = signals_use_mask(mask, size);
	return error ? error : masked_result(wait_until(fd, user, limit, deadline));
}
