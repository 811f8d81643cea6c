/*
 * What the pure parts of libposix take from the others: user memory is ordinary memory, released rights are remembered.
 */
#include "fakes.h"

#include "../../../libposix/signals.h"
#include "../../../libposix/usercopy.h"

struct process_state process = { .file_limit = 1024 };
port_name_t released[16];
unsigned released_count;
bool memory_fails;
uint64_t fake_blocked;

void description_release(struct description *description)
{
	if (released_count < 16)
		released[released_count++] = description->name;
}

void lock_slowly(struct lock *lock)
{
	lock->word = 2;
}

void unlock_slowly(struct lock *lock)
{
	lock->word = 0;
}

int user_copy(void *to, const void *from, size_t size)
{
	if (memory_fails)
		return -EFAULT;
	__builtin_memcpy(to, from, size);
	return 0;
}

int user_zero(void *to, size_t size)
{
	if (memory_fails)
		return -EFAULT;
	__builtin_memset(to, 0, size);
	return 0;
}

int user_save_vectors(void *area, uint64_t mask)
{
	__builtin_memset(area, 0x5a, 512);
	__builtin_memcpy((char *)area + 512, &mask, sizeof(mask));
	return 0;
}

uint64_t loaded_mask;

int user_load_vectors(const void *area, uint64_t mask)
{
	(void)area;
	loaded_mask = mask;
	return 0;
}

uint64_t signals_blocked(const struct thread_state *thread)
{
	(void)thread;
	return fake_blocked;
}

void signals_set_blocked(struct thread_state *thread, uint64_t mask)
{
	(void)thread;
	fake_blocked = mask;
}
