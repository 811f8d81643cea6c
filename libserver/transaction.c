/*
 * Begin, and what an incarnation finds of the one before it. The protocol and its rules: docs/guide/recovery.md. Not instrumented.
 */
#include "transaction.h"
#include <portico/keep.h>

enum engine_mode engine_mode = ENGINE_COLD;

SERVER_LOG_TYPE(transaction_log);

/* The tag is stored last: until then a new incarnation finds no transaction, and begins. */
void transaction_begin(enum transaction_kind kind)
{
	struct transaction_log *log = LOG;

	kill_point(KILL_BEGIN);
	effects_begin();
	time_begin();
#ifdef SERVER_NO_RECOVERY
	(void)log, (void)kind;
	engine_mode = ENGINE_TRANSACTION;
	return;
#endif
	log->undo_limit = UNDO_LIMIT;
	log->undo_next = UNDO_START;
	kill_point(KILL_BEGIN_UNDO);
	results_begin();
	kill_point(KILL_BEGIN_RESULTS);
	log->kind = kind;
	log->give_up = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(KILL_BEGIN_KIND);
	log->tag = counters()->commits;
	kill_point(KILL_BEGIN_TAG);
	engine_mode = ENGINE_TRANSACTION;
}

uint64_t transaction_number(void)
{
	return counters()->commits;
}

/* Nothing is logged: a query is run again from its beginning. */
void transaction_query(void)
{
	effects_begin();
	time_begin();
	LOG->undo_next = 0;
	LOG->undo_limit = 0;
	engine_mode = ENGINE_QUERY;
}

void server_promote(void)
{
	if (engine_mode != ENGINE_QUERY)
		return;
	if (effects_count() != 0)
		server_panic("query %x had effects before it was promoted", (unsigned)transaction_ordinal());
	transaction_begin(TRANSACTION_MESSAGE);
}

/* Between transactions. */
void transaction_idle(void)
{
	effects_begin();
}

enum transaction_kind transaction_recover(void)
{
	struct transaction_log *log = LOG;

	if (log->tag != counters()->commits)
		return TRANSACTION_NONE;
	kill_point(KILL_RECOVER);
	undo_roll_back();
	results_recover();
	kill_point(KILL_RECOVERED);
	effects_begin();
	if (log->give_up == 0 && (server_start_flags & SERVER_START_GIVE_UP) != 0)
		log->give_up = EIO;
	engine_mode = ENGINE_TRANSACTION;
	return (enum transaction_kind)log->kind;
}

_Noreturn void transaction_abandon(int error, const char *why)
{
	LOG->give_up = error;
	server_panic("given up: %s", why);
}
