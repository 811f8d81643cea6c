/*
 * Transactions: what a handler does outside of the keep, so that an incarnation can die at any instruction.
 *
 * Everything between the delivery of a message (or the firing of the timer) and the commit is one transaction. Its stores
 * to the keep are undo-logged by the compiler's hooks. What it gets from outside is logged as it comes, and handed
 * back in the same order when the handler runs again after a crash: generated client stubs, server_park(), the window
 * functions, server_now(), server_make_right() and the like do that by themselves, and the functions here for the rest.
 * What others would see at once waits for the commit: server_notify(), server_release_right(), answers to parked callers,
 * and server_queue*() here.
 *
 * In a `query` nothing is logged and nothing may be stored to the keep: it is simply run again. A query may not use this file
 * (nor client stubs, nor server_park); a routine that must is declared `routine`.
 *
 * Before the first server_run() (server_cold() is true) there is no transaction: operations are done at once, and a server
 * that dies there is started again with an empty keep.
 *
 * A handler must do the same when it is run again with the same keep, request and logged results: no decision may hang on an
 * address of the stack, on a volatile cache, or on shared memory that was not sampled.
 */
#ifndef PORTICO_TRANSACTION_H
#define PORTICO_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True in the first incarnation until server_run(): the keep is new. */
bool server_cold(void);

/*
 * A kernel trap whose effect must happen once: everything that creates or maps. Logged: a later incarnation gets the
 * result and does not do it again. Creating traps are undone when the request is given up (names released, tasks ended,
 * own mappings removed). Own mappings are shared with the next incarnation unless they are VM_INHERIT_NONE.
 */
int64_t server_trap(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/*
 * A kernel trap that only reads, and puts what it finds into block->result: copied from there, `size` bytes (<= 384: block->argument
 * follows). Logged in a transaction; also for queries.
 */
int64_t server_trap_results(uint64_t number, uint64_t a, uint64_t b, void *results, size_t size);

/*
 * A kernel trap of COMMIT_TRAPS (portico/domain.h) that is done by the commit: what cannot be taken back or is seen by
 * others. Its status is not known. The second form fills block->argument first (thread_start's registers; <= 256 bytes).
 * Order is kept. What does not fit into one commit is kept and done before the next message is received.
 */
void server_queue(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
void server_queue_with(uint64_t number, uint64_t a, uint64_t b, const void *argument, size_t size);

/* At the commit: *word = *word & keep | set, atomically; memory shared with others, mapped writable, resident. */
void server_queue_word64(volatile uint64_t *word, uint64_t keep, uint64_t set);
void server_queue_word32(volatile uint32_t *word, uint32_t keep, uint32_t set);
/* At the commit: unless (*word & mask) == value, the next `skip` queued operations are left out. */
void server_queue_if(const volatile uint64_t *word, uint64_t mask, uint64_t value, unsigned skip);

/*
 * A query that finds that it must store something (a record made at the first use of an object, say) goes on as a transaction. Nothing
 * may have been sampled before.
 */
void server_promote(void);

/* A value that another execution might find different (shared memory, counters of the kernel, random bits): logged. */
void server_sample(void *value, size_t size);
static inline uint64_t server_sample_word(uint64_t value)
{
	server_sample(&value, sizeof(value));
	return value;
}

#endif
