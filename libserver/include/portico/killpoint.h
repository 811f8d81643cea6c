/*
 * Enumerated kill points (meson option kill_points): what libserver, root and the guest's tests/campaign/killpoints share.
 *
 * A step is a place in the engine at which an incarnation can be told to end. The orders lie in the control block's part that belongs to libserver, so
 * they outlive the incarnation. root writes them (command `killpoint` of /dev/supervisor, options kill-each and kill-servers), libserver obeys.
 */
#ifndef PORTICO_KILLPOINT_H
#define PORTICO_KILLPOINT_H

#include <portico/block.h>
#include <portico/layout.h>
#include <stdint.h>

/* Names as they appear in the log: `start` is what a server does before its first receive, `recover` what only a new incarnation does. */
#define KILL_STEPS(S)                                                                                                  \
	S(COLD, "start-trap") S(COLD_DONE, "start-trap-made") S(COLD_CALL, "start-call-made")                            \
	S(RECEIVED, "loop-received") S(COMMIT, "loop-commit")                                                              \
	S(BEGIN, "begin") S(BEGIN_UNDO, "begin-undo") S(BEGIN_RESULTS, "begin-results") S(BEGIN_KIND, "begin-kind")         \
	S(BEGIN_TAG, "begin-tag")                                                                                          \
	S(UNDO_WORD, "undo-word") S(UNDO_WORD_WRITTEN, "undo-word-written") S(UNDO_WORD_DONE, "undo-word-done")             \
	S(UNDO_RANGE, "undo-range-written") S(UNDO_RANGE_DONE, "undo-range-done")                                          \
	S(RESULT_LAST, "result-last") S(RESULT_DONE, "result-published") S(RESULT_FORGOTTEN, "result-forgotten")           \
	S(OPERATION, "operation-made") S(OPERATION_VALUE, "operation-value") S(OPERATION_DONE, "operation-done")           \
	S(CALL, "call-made") S(ANSWER, "answer-copied") S(ANSWER_END, "answer-published") S(ANSWER_DONE, "answer-done")    \
	S(EFFECT, "effect-written")                                                                                        \
	S(RECOVER, "recover") S(ROLL_BACK, "recover-undo") S(ROLLED_BACK, "recover-undone")                                \
	S(ROLL_BACK_DONE, "recover-undo-emptied") S(SETTLE, "recover-results") S(SETTLE_VALUE, "recover-operation-value")  \
	S(SETTLED, "recover-results-settled") S(RECOVERED, "recover-done")

#define KILL_STEP_CONSTANT(name, text) KILL_##name,
enum kill_step { KILL_STEPS(KILL_STEP_CONSTANT) KILL_STEP_COUNT };

struct kill_points {
	/* The orders. */
	uint64_t countdown;  /* points until the end; 0: none */
	uint64_t again;      /* from there, points until it ends once more, if its recovery has as many; 0: once */
	uint64_t recovering; /* it has ended, and the transaction in which it did is not committed */
	uint64_t left;       /* of the countdown for the second end, when that transaction was committed */
	/* Beside them. */
	uint64_t each;       /* every transaction ends once, at this point of it; 0: none */
	uint64_t spent;      /* up to this number of `commits`, plus 1, `each` has had its end */
	/* Reports. */
	uint64_t ends;       /* by kill points, since boot */
	uint64_t step;       /* enum kill_step of the last one */
};
#define KILL_ORDERS offsetof(struct kill_points, each) /* bytes that a new order writes: the reports stay */

#define KILL_POINTS_ADDRESS (SERVER_ENDPOINT + offsetof(struct portico_block, personality))

#endif
