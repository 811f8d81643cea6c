/*
 * Advisory locks: record locks of processes (fcntl F_SETLK), of open files (F_OFD_SETLK), and flock(2), which do not
 * see the others.
 *
 * Record locks of one owner never overlap in the list; the list is sorted by start. A process that would close a circle
 * of waiting ones gets EDEADLK. See POSIX.1-2017 fcntl, man 2 fcntl, man 2 flock.
 */
#include "vfs.h"
#include <io_server.h>

#define TO_THE_END UINT64_MAX

struct lock_record {
	struct lock_record *next;
	struct lock_request held;
};

struct file_locks {
	struct file_locks *next, *previous; /* vfs->locked */
	struct vnode *vnode;
	struct lock_record *first; /* sorted by start; flock ones among them */
	struct waiter_queue waiting;
};

static struct file_locks *locks_of(struct vnode *vnode)
{
	struct file_locks *locks = vnode->locks;

	if (locks != NULL)
		return locks;
	struct file_locks new = {.vnode = vnode, .next = vfs->locked};
	locks = keep_make(&new, sizeof(new), sizeof(new));
	if (locks == NULL)
		return NULL;
	if (vfs->locked != NULL)
		vfs->locked->previous = locks;
	vfs->locked = locks;
	vnode->locks = locks;
	return locks;
}

static void free_unused(struct file_locks *locks)
{
	if (locks->first != NULL || locks->waiting.first != NULL)
		return;
	*(locks->previous != NULL ? &locks->previous->next : &vfs->locked) = locks->next;
	if (locks->next != NULL)
		locks->next->previous = locks->previous;
	locks->vnode->locks = NULL;
	keep_free(locks);
}

void lock_destroy(struct vnode *vnode)
{
	struct file_locks *locks = vnode->locks;

	if (locks == NULL)
		return;
	while (locks->first != NULL) {
		struct lock_record *record = locks->first;
		locks->first = record->next;
		keep_free(record);
	}
	free_unused(locks);
}

static bool overlap(const struct lock_request *a, const struct lock_request *b)
{
	return a->whole == b->whole && a->start <= b->end && b->start <= a->end;
}

static bool in_the_way(const struct lock_request *held, const struct lock_request *wanted)
{
	return held->owner != wanted->owner && overlap(held, wanted) &&
	       (held->type == IO_LOCK_TYPE_WRITE || wanted->type == IO_LOCK_TYPE_WRITE);
}

static const struct lock_request *conflict(const struct file_locks *locks, const struct lock_request *wanted)
{
	if (wanted->type == IO_LOCK_TYPE_UNLOCK)
		return NULL;
	for (const struct lock_record *r = locks->first; r != NULL; r = r->next)
		if (in_the_way(&r->held, wanted))
			return &r->held;
	return NULL;
}

/* ---- taking and giving back ---- */

static void insert(struct file_locks *locks, struct lock_record *record)
{
	struct lock_record **link = &locks->first;

	while (*link != NULL && (*link)->held.start < record->held.start)
		link = &(*link)->next;
	record->next = *link;
	*link = record;
}

/* Is the range in the middle of one record of its owner? */
static bool splits(const struct file_locks *locks, const struct lock_request *range)
{
	for (const struct lock_record *r = locks->first; r != NULL; r = r->next)
		if (r->held.owner == range->owner && overlap(&r->held, range) && r->held.start < range->start && r->held.end > range->end)
			return true;
	return false;
}

/* Takes the range out of what its owner has; `spare` is used where one record becomes two, and NULL then. */
static void carve(struct file_locks *locks, const struct lock_request *range, struct lock_record **spare)
{
	for (struct lock_record **link = &locks->first, *record; (record = *link) != NULL;) {
		struct lock_request *held = &record->held;

		if (held->owner != range->owner || !overlap(held, range)) {
			link = &record->next;
		} else if (held->start < range->start) {
			if (held->end > range->end) {
				struct lock_record *tail = *spare;
				*spare = NULL;
				tail->held = *held;
				tail->held.start = range->end + 1;
				held->end = range->start - 1;
				insert(locks, tail);
				return;
			}
			held->end = range->start - 1;
			link = &record->next;
		} else if (held->end > range->end) { /* its place in the order changes, if at all, towards the end */
			*link = record->next;
			held->start = range->end + 1;
			insert(locks, record);
			return;
		} else {
			*link = record->next;
			keep_free(record);
		}
	}
}

/* Neighbours of one owner and type become one record. */
static void join(struct file_locks *locks, struct lock_record *record)
{
	for (struct lock_record **link = &locks->first, *other; (other = *link) != NULL;) {
		struct lock_request *a = &record->held, *b = &other->held;
		bool near = (b->end != TO_THE_END && b->end + 1 == a->start) ||
		            (a->end != TO_THE_END && a->end + 1 == b->start);

		if (other == record || b->owner != a->owner || b->type != a->type || b->whole != a->whole || !near) {
			link = &other->next;
			continue;
		}
		a->start = a->start < b->start ? a->start : b->start;
		a->end = a->end > b->end ? a->end : b->end;
		*link = other->next;
		keep_free(other);
	}
}

/* What was asked for, and does not conflict, becomes true. ENOLCK: no memory, and nothing changed. */
static int apply(struct file_locks *locks, const struct lock_request *wanted)
{
	bool taken = wanted->type != IO_LOCK_TYPE_UNLOCK, split = splits(locks, wanted);
	struct lock_record new = {.held = *wanted}, *record = taken ? keep_make(&new, sizeof(new), sizeof(new)) : NULL;
	struct lock_record *spare = split ? keep_allocate(sizeof(*spare)) : NULL;

	if ((taken && record == NULL) || (split && spare == NULL)) {
		keep_free(record);
		keep_free(spare);
		return ENOLCK;
	}
	carve(locks, wanted, &spare);
	if (!taken)
		return 0;
	insert(locks, record);
	join(locks, record);
	return 0;
}

/* Something was given back: those who wait try again, the first first. */
static void retry(struct file_locks *locks)
{
	static const struct io_lock none;
	struct vnode *vnode = locks->vnode;

	if (locks->waiting.first == NULL) {
		free_unused(locks);
		return;
	}
	vnode_get(vnode); /* the last waiter's open file may be all that keeps it */
	for (struct waiter *waiter = locks->waiting.first; waiter != NULL;) {
		if (conflict(locks, &waiter->lock) != NULL) {
			waiter = waiter->next;
			continue;
		}
		io_reply_lock(&waiter->reply, apply(locks, &waiter->lock), &none);
		waiter_free(waiter);
		/* Its file may have ended with it, and unlocked more, or all. */
		waiter = vnode->locks == locks ? locks->waiting.first : NULL;
	}
	if (vnode->locks == locks)
		free_unused(locks);
	vnode_put(vnode);
}

/* ---- deadlock ---- */

/* Waiters looked at for one request: many threads of many processes could make the search as long as they like. */
#define SEARCH_MAX 4096u
#define DEPTH_MAX 64u

/* Does the process `from`, through those it waits for, wait for `target`? *budget: waiters that may still be looked at.
 */
static bool waits_for(uint64_t from, uint64_t target, unsigned depth, unsigned *budget)
{
	if (depth == DEPTH_MAX)
		return false;
	for (struct file_locks *locks = vfs->locked; locks != NULL; locks = locks->next) {
		for (struct waiter *w = locks->waiting.first; w != NULL && *budget != 0; w = w->next) {
			(*budget)--;
			if (w->lock.owner != from || w->lock.whole)
				continue;
			const struct lock_request *blocker = conflict(locks, &w->lock);
			if (blocker != NULL &&
			    (blocker->owner == target || waits_for(blocker->owner, target, depth + 1, budget)))
				return true;
		}
	}
	return false;
}

static bool deadlock(const struct file_locks *locks, const struct lock_request *wanted)
{
	unsigned budget = SEARCH_MAX;

	if (wanted->whole || (wanted->owner & LOCK_OWNER_FILE) != 0)
		return false;
	for (const struct lock_record *r = locks->first; r != NULL; r = r->next)
		if (in_the_way(&r->held, wanted) && waits_for(r->held.owner, wanted->owner, 0, &budget))
			return true;
	return false;
}

/* ---- the calls ---- */

static int set(struct server_call *call, struct open_file *file, const struct lock_request *wanted, bool wait)
{
	struct file_locks *locks = locks_of(file->place.vnode);
	int result;

	if (locks == NULL)
		return ENOLCK;
	if (wanted->whole && wanted->type != IO_LOCK_TYPE_UNLOCK && conflict(locks, wanted) != NULL) {
		/* flock gives up what it has before it waits for something else */
		struct lock_request unlock = *wanted;
		unlock.type = IO_LOCK_TYPE_UNLOCK;
		result = apply(locks, &unlock);
		if (result != 0)
			return result;
		retry(locks);
		locks = locks_of(file->place.vnode);
		if (locks == NULL)
			return ENOLCK;
	}
	if (conflict(locks, wanted) != NULL) {
		if (!wait)
			return EAGAIN;
		if (deadlock(locks, wanted))
			return EDEADLK;
		struct waiter *waiter = waiter_new(file, WAIT_LOCK);
		if (waiter == NULL)
			return ENOLCK;
		waiter->lock = *wanted;
		return waiter_park(waiter, call, &locks->waiting);
	}
	result = apply(locks, wanted);
	retry(locks);
	return result;
}

static int get(const struct open_file *file, const struct lock_request *wanted, struct io_lock *holder)
{
	const struct file_locks *locks = file->place.vnode->locks;
	const struct lock_request *found = locks != NULL ? conflict(locks, wanted) : NULL;

	if (found == NULL) {
		holder->type = IO_LOCK_TYPE_UNLOCK;
		return 0;
	}
	*holder = (struct io_lock){.start = found->start,
	                           .length = found->end == TO_THE_END ? 0 : found->end - found->start + 1,
	                           .pid = found->owner & LOCK_OWNER_FILE ? UINT32_MAX : found->pid,
	                           .type = found->type};
	return 0;
}

int lock_serve(struct server_call *call, struct open_file *file, uint8_t operation, const struct io_lock *request,
               struct io_lock *holder)
{
	bool whole = operation == IO_LOCK_OPERATION_FLOCK || operation == IO_LOCK_OPERATION_FLOCK_WAIT;
	bool own = whole || operation >= IO_LOCK_OPERATION_OFD_GET;
	bool wait = operation == IO_LOCK_OPERATION_SET_WAIT || operation == IO_LOCK_OPERATION_FLOCK_WAIT ||
	            operation == IO_LOCK_OPERATION_OFD_SET_WAIT;
	struct lock_request wanted = {
	        .start = whole ? 0 : request->start,
	        .end = whole || request->length == 0 ? TO_THE_END : request->start + request->length - 1,
	        .owner = own ? LOCK_OWNER_FILE | file->badge : (uint32_t)call->principal,
	        .pid = (uint32_t)call->principal,
	        .type = request->type,
	        .whole = whole,
	};

	*holder = *request;
	if (request->type > IO_LOCK_TYPE_UNLOCK || wanted.end < wanted.start || (file->flags & O_PATH) != 0)
		return (file->flags & O_PATH) != 0 ? EBADF : EINVAL;
	if (operation == IO_LOCK_OPERATION_GET || operation == IO_LOCK_OPERATION_OFD_GET)
		return get(file, &wanted, holder);
	if (!whole && ((request->type == IO_LOCK_TYPE_READ && !may_read(file)) ||
	               (request->type == IO_LOCK_TYPE_WRITE && !may_write(file))))
		return EBADF;
	if (own)
		file->locked = true;
	else if (request->type == IO_LOCK_TYPE_UNLOCK && file->place.vnode->locks == NULL)
		return 0; /* every close of a process says this */
	return set(call, file, &wanted, wait);
}

/* Everything that the owner has on this file. */
static void release_owner(struct file_locks *locks, uint64_t owner)
{
	bool released = false;

	for (struct lock_record **link = &locks->first, *record; (record = *link) != NULL;) {
		if (record->held.owner != owner) {
			link = &record->next;
			continue;
		}
		*link = record->next;
		keep_free(record);
		released = true;
	}
	if (released)
		retry(locks);
}

void lock_release_file(struct open_file *file)
{
	if (file->place.vnode->locks != NULL)
		release_owner(file->place.vnode->locks, LOCK_OWNER_FILE | file->badge);
}

void lock_release_process(uint32_t pid)
{
	struct file_locks *next;

	/* A waiter that is let in here may end and take its file's record with it: begin again after each change of the
	 * list. */
	for (struct file_locks *locks = vfs->locked; locks != NULL; locks = next) {
		next = locks->next;
		bool has = false;
		for (struct lock_record *r = locks->first; r != NULL && !has; r = r->next)
			has = r->held.owner == pid;
		if (has) {
			release_owner(locks, pid);
			next = vfs->locked;
		}
	}
}
