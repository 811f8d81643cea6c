/*
 * The undo log: the hooks that the compiler puts before every store, and the way back.
 *
 * Entries, newest last: {address, old word} for an aligned word; or old bytes of a range, padded to 16, and then
 * {address | 1, length}. Each is published by the store to undo_next. Not instrumented: see meson.build.
 */
#include "transaction.h"
#include <portico/keep.h>

struct undo {
	uint64_t address, old;
};

SERVER_LOG_TYPE(undo);

#define UNDO_LIMIT (RESULTS_START - 4096)
_Static_assert(UNDO_OFFSET == SERVER_LOG_EMPTY, "root empties the log so");
#define BULK 1u
#define LONG 64u /* from this length a range is kept in one entry */

static inline bool in_keep(uint64_t address)
{
	return (address ^ SERVER_KEEP) / SERVER_KEEP_SIZE == 0;
}

static __attribute__((noinline, cold)) void store_outside(void)
{
	if (engine_mode == ENGINE_QUERY)
		server_panic("query %x stored to the keep", (unsigned)transaction_ordinal());
}

static __attribute__((noinline, cold)) void full(void)
{
	transaction_abandon(ENOMEM, "the undo log is full");
}

/* `address` is a multiple of 8. */
static inline void log_word(uint64_t address)
{
	struct undo *entry = (struct undo *)LOG->undo_next;

	if (__builtin_expect(entry == NULL, 0)) {
		store_outside();
		return;
	}
	if (__builtin_expect((uint64_t)entry >= UNDO_LIMIT, 0))
		full();
	kill_point();
	entry->address = address;
	entry->old = *(const uint64_t *)address;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point();
	LOG->undo_next = (uint64_t)(entry + 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point();
}

static __attribute__((noinline)) void log_words(uint64_t address, size_t size)
{
	for (uint64_t at = address & ~UINT64_C(7); at < address + size; at += 8)
		log_word(at);
}

static void log_bulk(uint64_t address, size_t size)
{
	uint64_t start = LOG->undo_next, end;
	struct undo *entry;

	if (start == 0) {
		store_outside();
		return;
	}
	end = start + ((size + 15) & ~(size_t)15);
	if (end >= UNDO_LIMIT)
		full();
	server_copy_plain((void *)start, (const void *)address, size);
	entry = (struct undo *)end;
	entry->address = address & ~UINT64_C(7);
	entry->old = (size << 3 | (address & 7)) << 1 | BULK;
	entry->address |= BULK;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point();
	LOG->undo_next = (uint64_t)(entry + 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point();
}

void undo_range(const void *to, size_t size)
{
	uint64_t address = (uint64_t)to;

	if (size == 0 || !in_keep(address))
		return;
	if (size < LONG)
		log_words(address, size);
	else
		log_bulk(address, size);
}

/* ---- what the compiler calls ---- */

#define STORE_HOOK(size)                                                                                               \
	void __asan_store##size##_noabort(uint64_t address);                                                           \
	void __asan_store##size##_noabort(uint64_t address)                                                            \
	{                                                                                                              \
		if (!in_keep(address))                                                                                 \
			return;                                                                                        \
		if (__builtin_expect((address & 7) + size <= 8, 1))                                                     \
			log_word(address & ~UINT64_C(7));                                                               \
		else                                                                                                   \
			log_words(address, size);                                                                      \
	}
STORE_HOOK(1)
STORE_HOOK(2)
STORE_HOOK(4)
STORE_HOOK(8)
STORE_HOOK(16)

void __asan_storeN_noabort(uint64_t address, size_t size);
void __asan_storeN_noabort(uint64_t address, size_t size)
{
	undo_range((const void *)address, size);
}

void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

/* ---- the way back ---- */

/* Newest first. The log is shortened only when all is undone, so that a death in between is made good by doing it again. */
void undo_roll_back(void)
{
	uint64_t at = LOG->undo_next;

	while (at > UNDO_START) {
		const struct undo *entry = (const struct undo *)at - 1;

		kill_point();
		at = (uint64_t)entry;
		if ((entry->address & BULK) == 0) {
			*(volatile uint64_t *)entry->address = entry->old;
			continue;
		}
		size_t size = entry->old >> 4;
		at -= (size + 15) & ~(size_t)15;
		server_copy_plain((void *)((entry->address & ~UINT64_C(7)) | (entry->old >> 1 & 7)), (const void *)at, size);
	}
	kill_point();
	LOG->undo_next = UNDO_START;
	kill_point();
}
