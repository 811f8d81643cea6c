/*
 * Operations for enumerated kill points, beside those of operations.c: every routine of every interface, jobs and signals, and what root is asked.
 *
 * Some are made past libposix, with the generated stubs, because no system call leads to the routine, or only with a kind of file that libposix
 * refuses by itself. Their oracle is a transcript: errors and results, compared with what the first execution brought.
 */
#ifndef CAMPAIGN_OPERATIONS_MORE_H
#define CAMPAIGN_OPERATIONS_MORE_H

#include "operation_check.h"

struct operation_more {
	struct operation operation;
	const char *servers; /* which are to end in it, between commas; "*": all but root, which passes 300 points when it is asked for each point */
};
extern const struct operation_more operations_more[];
extern const size_t operation_more_count;

/* Before the first of them: transcripts that are compared with. Prints `transcript NAME DIGEST` for each, once. */
void operations_prepare_more(void);

/* operations_calls.c: an interface, routine by routine. */
bool calls_file(void), calls_directory(void), calls_pipe(void), calls_terminal(void), calls_proc_file(void), calls_queue(void), calls_ipc_file(void);
bool calls_supervisor(void), calls_names(void), calls_proc_names(void), calls_process(void), calls_signals(void), calls_tty(void), calls_ipc(void);
void calls_prepare(void);

/* operations_jobs.c: signals that stop and interrupt, terminals of sessions, ends of tasks. */
bool stopped(void), thread_signal(void), discarded(void), read_interrupted(void), wait_interrupted(void), sem_interrupted(void);
bool terminal_interrupted(void), terminal_timed(void), terminal_much(void), session_terminal(void), task_gone(void), threads_run(void);
bool clock_now_set(void), kernel_message(void), identities(void), pipe_chain(void), tree_unmounted(void), many_readers(void), many_waiters(void);

/* operations_supervise.c: root's own work. */
bool supervise_list(void), supervise_kill(void), supervise_crash(void), supervise_restart(void), supervise_cold(void), supervise_root(void);
bool supervise_update(void), supervise_flip(void);
void supervise_prepare(void);

#endif
