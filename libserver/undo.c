/*
 * The undo log: what the compiler calls before a store to the keep, and the way back.
 *
 * The compiler puts a look at the store map before every store: a byte for each 64 GiB of addresses, which is 0 but for the keep's. These are
 * the kernel-address hooks with a scale at which the keep is one shadow byte: four instructions for a store to anything else.
 *
 * Entries, newest last: {address, old word} for an aligned word; or old words, padded to 16 bytes, and then {address | 1, number of words}. Each is published by the store to undo_next. Not instrumented: see meson.build.
 */
#include "transaction.h"
#include <portico/keep.h>

struct undo_entry {
	uint64_t address, old;
};

SERVER_LOG_TYPE(undo_entry);

_Static_assert(UNDO_OFFSET == SERVER_LOG_EMPTY, "root empties the log so");
#define BULK 1u
#define LONG 32u /* from this length a range is kept in one entry */

/* The least byte: to the hooks, no part of what it stands for may be stored to without a call. */
const int8_t server_store_map[STORE_MAP_SIZE] __attribute__((section(".store_map"), used)) = {
        [SERVER_KEEP / SERVER_KEEP_SIZE] = INT8_MIN,
};

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

/* There is no room for an entry: the log is full, or nothing is logged. */
static __attribute__((noinline, cold)) void no_entry(void)
{
	if (LOG->undo_next != 0)
		full();
	store_outside();
}

/* `address` is a multiple of 8. */
static inline void log_word(uint64_t address)
{
	struct undo_entry *entry = (struct undo_entry *)LOG->undo_next;

	if (__builtin_expect((uint64_t)entry >= LOG->undo_limit, 0)) {
		no_entry();
		return;
	}
	kill_point(KILL_UNDO_WORD);
	entry->address = address;
	entry->old = *(const uint64_t *)address;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(KILL_UNDO_WORD_WRITTEN);
	LOG->undo_next = (uint64_t)(entry + 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(KILL_UNDO_WORD_DONE);
}

static __attribute__((noinline)) void log_words(uint64_t address, size_t size)
{
	for (uint64_t at = address & ~UINT64_C(7); at < address + size; at += 8)
		log_word(at);
}

/* The words that a range touches, in one entry. Behind the last block of the keep there are bytes that may be read. */
static inline void log_bulk(uint64_t address, size_t size)
{
	uint64_t first = address & ~UINT64_C(7), words = (address + size - first + 7) / 8;
	uint64_t to = LOG->undo_next, end = to + ((words + 1) & ~UINT64_C(1)) * 8, from = first, count = words;
	struct undo_entry *entry = (struct undo_entry *)end;

	if (__builtin_expect(end >= LOG->undo_limit, 0)) {
		no_entry();
		return;
	}
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	entry->address = first | BULK;
	entry->old = words;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(KILL_UNDO_RANGE);
	LOG->undo_next = (uint64_t)(entry + 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(KILL_UNDO_RANGE_DONE);
}

static __attribute__((noinline)) void log_range(uint64_t address, size_t size)
{
	if (size < LONG)
		log_words(address, size);
	else
		log_bulk(address, size);
}

/* Most ranges are none of the keep: those leave at once. */
void undo_range(const void *to, size_t size)
{
#ifdef SERVER_NO_RECOVERY
	return;
#endif
	if (in_keep((uint64_t)to) && size != 0)
		log_range((uint64_t)to, size);
}

/* ---- what the compiler calls ---- */

#define STORE_HOOK(size)                                                                                               \
	void __asan_report_store##size##_noabort(uint64_t address);                                                    \
	void __asan_report_store##size##_noabort(uint64_t address)                                                     \
	{                                                                                                              \
		if (__builtin_expect((address & (size - 1)) == 0, 1))                                                   \
			log_word(address & ~UINT64_C(7));                                                               \
		else                                                                                                   \
			log_words(address, size);                                                                      \
	}
STORE_HOOK(1)
STORE_HOOK(2)
STORE_HOOK(4)
STORE_HOOK(8)

/*
 * Any other size or alignment: called for the first byte, and again for the last one, with the same size. What the second call keeps is not older
 * than what the first one kept; behind the last block of the keep there is room for it.
 */
void __asan_report_store_n_noabort(uint64_t address, size_t size);
void __asan_report_store_n_noabort(uint64_t address, size_t size)
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
		const struct undo_entry *entry = (const struct undo_entry *)at - 1;

		kill_point(KILL_ROLL_BACK);
		at = (uint64_t)entry;
		if ((entry->address & BULK) == 0) {
			*(volatile uint64_t *)entry->address = entry->old;
			continue;
		}
		at -= ((entry->old + 1) & ~UINT64_C(1)) * 8;
		server_copy_plain((void *)(entry->address & ~UINT64_C(7)), (const void *)at, entry->old * 8);
	}
	kill_point(KILL_ROLLED_BACK);
	LOG->undo_next = UNDO_START;
	kill_point(KILL_ROLL_BACK_DONE);
}
