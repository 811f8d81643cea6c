/*
 * The transaction engine, inside of libserver. Layers: undo.c (old values), results.c (what came from outside), effects.c (what
 * waits for the commit), transaction.c (begin, commit, recovery). None of these files is instrumented: they write the log, not the keep.
 *
 * The log lies at SERVER_LOG and outlives the incarnation. Each part is published by one store after its contents.
 */
#ifndef LIBSERVER_TRANSACTION_H
#define LIBSERVER_TRANSACTION_H

#include "internal.h"
#include "killpoint.h"
#include <portico/domain.h>
#include <portico/transaction.h>

#define UNDO_OFFSET 4096u
#define RESULTS_OFFSET (SERVER_LOG_SIZE / 4 * 3)

/* What a transaction runs; also after a crash. */
enum transaction_kind {
	TRANSACTION_NONE,
	TRANSACTION_MESSAGE,  /* the message in the request page */
	TRANSACTION_TIMER,
	TRANSACTION_DEFERRED,
	TRANSACTION_SPILL,    /* effects that did not fit into the commit before */
};

struct transaction_log {
	uint64_t undo_next;       /* address behind the undo log; 0: nothing is logged (before the first server_run, queries) */
	uint64_t tag;             /* commits when the transaction began; stored last by begin */
	uint64_t results_end;     /* address behind the result log */
	uint64_t results_last;    /* address of its last entry */
	uint32_t kind;            /* enum transaction_kind */
	int32_t give_up;          /* errno with which the transaction is to be given up; 0: it is to be executed */
	uint64_t ready, answered; /* monotonic ns: when the incarnation first received, or had its first answer: at SERVER_LOG_TIMES */
	uint64_t undo_limit;      /* undo_next from which there is no room for an entry; 0 if nothing is logged */
};
_Static_assert(offsetof(struct transaction_log, ready) == SERVER_LOG_TIMES, "where root looks");

#define LOG ((struct transaction_log *)SERVER_LOG)
#define UNDO_START (SERVER_LOG + UNDO_OFFSET)
#define UNDO_LIMIT (RESULTS_START - 4096)
#define RESULTS_START (SERVER_LOG + RESULTS_OFFSET)
#define RESULTS_LIMIT (SERVER_LOG + SERVER_LOG_SIZE)

/* Volatile: what this incarnation does at this moment. */
enum engine_mode {
	ENGINE_COLD,        /* before the first server_run(): at once, and for good */
	ENGINE_QUERY,       /* nothing may be changed */
	ENGINE_TRANSACTION,
};
extern enum engine_mode engine_mode;
/* A server that is built to measure what recovery costs queues its effects, but keeps no results: as if there were no transactions. */
#ifdef SERVER_NO_RECOVERY
#define results_mode ENGINE_COLD
#else
#define results_mode engine_mode
#endif

static inline const volatile struct portico_counters *counters(void)
{
	return &server_block()->counters;
}

/* Ordinal of the message in service: for reports. */
static inline uint32_t transaction_ordinal(void)
{
	return ((const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REQUEST * PAGE_SIZE))->header.ordinal;
}

/* The incarnation ends; the next one gives the transaction up with this error. */
_Noreturn void transaction_abandon(int error, const char *why);

/* ---- undo.c ---- */

void undo_roll_back(void);

/* ---- results.c ---- */

enum result_kind {
	RESULT_OPERATION = 1, /* a kernel trap made with TRAP_COUNTED */
	RESULT_CALL,          /* a call to another server */
	RESULT_SAMPLE,        /* a value */
	RESULT_WINDOW,        /* status of a window access, and where it faulted */
};

#define RESULT_ARGUMENTS 4
#define RESULT_BEFORE 3 /* argument: the kernel's counter when the entry was published */

/* An entry. An operation or a call is published before it is made, and `done` set when what it brought is here. */
struct result {
	uint32_t size;    /* with what follows; a multiple of 16 */
	uint16_t kind;    /* enum result_kind */
	uint16_t done;
	uint32_t number;  /* trap number or message ordinal */
	uint32_t length;  /* bytes that follow */
	uint64_t digest;  /* of the arguments */
	int64_t value;    /* result, status */
	uint64_t argument[RESULT_ARGUMENTS]; /* operations: to undo them; calls: lengths and errno of the reply */
	uint8_t bytes[];
};

void results_begin(void);
/* After a crash: settles an operation or call that was under way, and makes the log answer from its beginning. */
void results_recover(void);
bool results_replaying(void);
/*
 * The execution goes another way than the one before it, which another program made, or a faulty one. If that had only looked
 * at the world from here on, nobody knows, and the log ends here. False: it did something that cannot be left out.
 */
bool results_forget_rest(void);
/* A call that an earlier incarnation sent has no answer yet, so the send page may still be read. */
bool results_call_outstanding(void);
/* Next entry while replaying, checked by kind, number and digest; NULL: the log has ended. */
struct result *results_next(enum result_kind kind, uint32_t number, uint64_t digest);
/* A new entry, published; for `length` bytes behind it. */
struct result *results_append(enum result_kind kind, uint32_t number, uint64_t digest, size_t length, bool done);
/* Undoes what the transaction created: queues the inverses. Receives the outstanding answer first. */
void results_give_up(void);

/* Status of a window access: logged, or what the log says. *address, *access: where the caller's memory faulted. */
int64_t results_window(uint64_t digest, int64_t status, bool must_match, uint64_t *address, uint64_t *access);
port_name_t results_parked(void);

/* ---- effects.c, spill.c ---- */

/* An operation of the commit, wherever it lies. */
struct effect {
	uint16_t kind, size;
	uint32_t unused; /* no padding: effects may go to the keep */
	uint64_t a, b, c, d, e, f;
};

void effects_begin(void);
/* False: there is no room in the commit pages. */
bool effects_add(const struct effect *effect, const void *data, const struct msg_page *message);
void effects_spill(const struct effect *effect, const void *data, const struct msg_page *message);
/* From here on everything spills. */
void effects_start_spilling(void);
/* An answer through a send-once right, built in server_send_page(). */
void effects_reply(port_name_t name, uint64_t op, int error);
/* Operations queued for the commit; what is left over lies in the keep. */
uint64_t effects_count(void);
bool effects_spilled(void);
void effects_take_spilled(void);

/* ---- clock.c, time.c ---- */

/* Monotonic ns, and what is to be added for the time of day. Not logged. */
uint64_t clock_read(int64_t *realtime_offset);
/* The time of day is that of another transaction. */
void time_begin(void);

/* ---- transaction.c ---- */

void transaction_begin(enum transaction_kind kind);
void transaction_query(void);
void transaction_idle(void);
/* What the incarnation before was executing; rolled back, ready to be executed again, or given up if log->give_up. */
enum transaction_kind transaction_recover(void);

/* ---- the part of the keep's header that is libserver's own ---- */

struct server_state {
	uint64_t deadline;       /* of the server's timer */
	uint32_t initialised;    /* server_run() was reached */
	uint32_t deferred;
	port_name_t receive;     /* port or set from which the loop receives */
	port_name_t nothing;     /* receive right of a port that nobody can send to: a commit without a message */
	struct spilled *spilled, *spilled_last;
	struct readiness_state *readiness;
	uint64_t unused[8];
};
struct server_state *server_state(void);

/* ---- state.c ---- */

void state_initialise(void);
void state_clear_deadline(void);
void state_postpone_deadline(void);
void state_clear_deferred(void);

/* Monotonic time, not logged. */
uint64_t server_time(void);

#endif
