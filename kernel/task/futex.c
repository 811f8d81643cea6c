/*
 * Futexes: waiting on a memory word, on several at once, with deadlines, across tasks.
 *
 * A waiter's records are in its thread, so waiting needs no memory. Keys come from kernel/vm: the word's place in its address space,
 * or in its memory object (FUTEX_SHARED). The check of the word and the wait are one step under the kernel lock.
 */
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>

#define FUTEX_BUCKETS 1024u
#define FUTEX_WORDS 16u

static struct list buckets[FUTEX_BUCKETS];

static struct list *bucket_of(const uint64_t key[2])
{
	uint64_t h = (key[0] * UINT64_C(0x9e3779b97f4a7c15)) ^ (key[1] * UINT64_C(0xc2b2ae3d27d4eb4f));
	struct list *bucket = &buckets[(h >> 40) % FUTEX_BUCKETS];

	if (bucket->next == NULL)
		list_init(bucket);
	return bucket;
}

static bool same_key(const struct futex_wait *wait, const uint64_t key[2])
{
	return wait->key[0] == key[0] && wait->key[1] == key[1];
}

void futex_unlink(struct thread *thread)
{
	for (uint32_t i = 0; i < thread->futex_count; i++)
		list_remove(&thread->futex[i].link);
	thread->futex_count = 0;
}

static void futex_link(struct thread *thread, const uint64_t key[2], uint32_t bits)
{
	struct futex_wait *wait = &thread->futex[thread->futex_count];

	wait->thread = thread;
	wait->key[0] = key[0];
	wait->key[1] = key[1];
	wait->bits = bits;
	wait->index = (uint8_t)thread->futex_count++;
	list_push_back(bucket_of(key), &wait->link);
}

static int64_t wait_check(struct thread *self, uint64_t flags, uint64_t deadline)
{
	if (flags & FUTEX_INTERRUPTIBLE && __atomic_load_n(&self->endpoint->block->interrupted, __ATOMIC_RELAXED) != 0)
		return KERN_INTERRUPTED;
	return deadline != DEADLINE_NEVER && deadline <= clock_now() ? KERN_TIMED_OUT : KERN_SUCCESS;
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

int64_t trap_handle_futex_wait(uint64_t address, uint64_t expected, uint64_t flags, uint64_t deadline, uint64_t bits, uint64_t f)
{
	struct thread *self = thread_current();
	uint64_t key[2];
	uint32_t *word;
	int64_t status;

	(void)f;
	if (flags & ~(uint64_t)(FUTEX_SHARED | FUTEX_INTERRUPTIBLE) || (uint32_t)bits == 0)
		return KERN_INVALID_ARGUMENT;
	status = vm_futex_key(self->task->map, address, flags & FUTEX_SHARED, key, &word);
	if (status != KERN_SUCCESS)
		return status;
	if (load(word) != (uint32_t)expected)
		return KERN_WOULD_BLOCK;
	status = wait_check(self, flags, deadline);
	if (status != KERN_SUCCESS)
		return status;
	self->futex_count = 0;
	futex_link(self, key, (uint32_t)bits);
	thread_block(WAIT_FUTEX, NULL, deadline, flags & FUTEX_INTERRUPTIBLE);
	return KERN_SUCCESS;
}

/* Reads the list of words once; a word that does not hold its value, or cannot be had, ends it with nothing linked. */
static int64_t link_many(struct thread *self, uint64_t count, uint64_t flags)
{
	uint64_t key[2];
	uint32_t *word;
	int64_t status;

	self->futex_count = 0;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t address = self->endpoint->block->argument[2 * i];
		uint64_t expected = self->endpoint->block->argument[2 * i + 1];
		status = vm_futex_key(self->task->map, address, flags & FUTEX_SHARED, key, &word);
		if (status == KERN_SUCCESS && load(word) != (uint32_t)expected)
			status = KERN_WOULD_BLOCK;
		if (status != KERN_SUCCESS) {
			futex_unlink(self);
			return status;
		}
		futex_link(self, key, (uint32_t)FUTEX_BITS_ALL);
	}
	return KERN_SUCCESS;
}

int64_t trap_handle_futex_wait_many(uint64_t count, uint64_t flags, uint64_t deadline, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	int64_t status;

	(void)d, (void)e, (void)f;
	if (count == 0 || count > FUTEX_WORDS || flags & ~(uint64_t)(FUTEX_SHARED | FUTEX_INTERRUPTIBLE))
		return KERN_INVALID_ARGUMENT;
	status = link_many(self, count, flags);
	if (status != KERN_SUCCESS)
		return status;
	status = wait_check(self, flags, deadline);
	if (status != KERN_SUCCESS) {
		futex_unlink(self);
		return status;
	}
	thread_block(WAIT_FUTEX, NULL, deadline, flags & FUTEX_INTERRUPTIBLE);
	return KERN_SUCCESS;
}

static uint32_t wake_key(const uint64_t key[2], uint64_t count, uint32_t bits)
{
	uint32_t woken = 0;
	struct list *bucket = bucket_of(key), *l = bucket->next;

	while (l != bucket && woken < count) {
		struct futex_wait *wait = list_entry(l, struct futex_wait, link);
		l = l->next;
		if (!same_key(wait, key) || !(wait->bits & bits))
			continue;
		while (l != bucket && list_entry(l, struct futex_wait, link)->thread == wait->thread)
			l = l->next; /* its other records go with it */
		thread_wake(wait->thread, wait->index);
		woken++;
	}
	return woken;
}

uint32_t futex_wake_address(struct task *task, uint64_t address, uint32_t count, bool shared, uint32_t bits)
{
	uint64_t key[2];
	uint32_t *word;

	if (task->map == NULL || vm_futex_key(task->map, address, shared, key, &word) != KERN_SUCCESS)
		return 0;
	return wake_key(key, count, bits);
}

int64_t trap_handle_futex_wake(uint64_t address, uint64_t count, uint64_t flags, uint64_t bits, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	uint64_t key[2];
	uint32_t *word;
	int64_t status;

	(void)e, (void)f;
	if (flags & ~(uint64_t)FUTEX_SHARED || (uint32_t)bits == 0)
		return KERN_INVALID_ARGUMENT;
	status = vm_futex_key(self->task->map, address, flags & FUTEX_SHARED, key, &word);
	return status != KERN_SUCCESS ? status : wake_key(key, count, (uint32_t)bits);
}

static uint32_t move_key(const uint64_t from[2], const uint64_t to[2], uint64_t count)
{
	uint32_t moved = 0;
	struct list *bucket = bucket_of(from), *l = bucket->next;
	struct list moving = LIST_INIT(moving);

	while (l != bucket && moved < count) {
		struct futex_wait *wait = list_entry(l, struct futex_wait, link);
		l = l->next;
		if (!same_key(wait, from))
			continue;
		list_remove(&wait->link);
		list_push_back(&moving, &wait->link);
		moved++;
	}
	while ((l = list_pop(&moving)) != NULL) {
		struct futex_wait *wait = list_entry(l, struct futex_wait, link);
		wait->key[0] = to[0];
		wait->key[1] = to[1];
		list_push_back(bucket_of(to), &wait->link);
	}
	return moved;
}

int64_t trap_handle_futex_requeue(uint64_t address, uint64_t wake, uint64_t requeue, uint64_t address2, uint64_t flags,
				  uint64_t expected)
{
	struct vm_map *map = thread_current()->task->map;
	uint64_t from[2], to[2];
	uint32_t *word, *word2;
	uint32_t woken;
	int64_t status;

	if (flags & ~(uint64_t)(FUTEX_SHARED | FUTEX_COMPARE))
		return KERN_INVALID_ARGUMENT;
	status = vm_futex_key(map, address2, flags & FUTEX_SHARED, to, &word2);
	if (status == KERN_SUCCESS)
		status = vm_futex_key(map, address, flags & FUTEX_SHARED, from, &word);
	if (status != KERN_SUCCESS)
		return status;
	if (flags & FUTEX_COMPARE && load(word) != (uint32_t)expected)
		return KERN_WOULD_BLOCK;
	woken = wake_key(from, wake, (uint32_t)FUTEX_BITS_ALL);
	return woken + (int64_t)(from[0] == to[0] && from[1] == to[1] ? 0 : move_key(from, to, requeue));
}
