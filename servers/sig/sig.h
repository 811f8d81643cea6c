/*
 * sig: signals. Records of processes, their pending signals and timers; what the files of this folder offer each other.
 *
 * Above: libposix, tty, net. Below: proc (stops, deaths, rights to interrupt) and the kernel (kernel_ops.h).
 * What is pending is what lies in the queues here; the words in the signal pages only mirror it for the process. Masks
 * and dispositions are the process's own words, read once each time and never trusted: a lie hurts only who tells it.
 */
#ifndef SIG_SIG_H
#define SIG_SIG_H

#include "kernel_ops.h"

#include <portico/server.h>
#include <portico/server_sessions.h>
#include <sig_types.h>
#include <stdbool.h>
#include <stdint.h>

#define SIGNALS 64u
#define SIGNAL_REAL_TIME 32u /* the first of those that queue */
#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))
#define TIMERS_MAX 128u /* POSIX timers of a process */

/* Bits of port_notify. */
#define NOTIFY_CHANGES UINT64_C(1)    /* from proc */
#define NOTIFY_LOOK_AGAIN UINT64_C(2) /* from sig itself */

enum signal_number {
	SIGNAL_HUP = 1,
	SIGNAL_KILL = 9,
	SIGNAL_ALARM = 14,
	SIGNAL_CHILD = 17,
	SIGNAL_CONTINUE = 18,
	SIGNAL_STOP = 19,
	SIGNAL_TERMINAL_STOP = 20,
	SIGNAL_TERMINAL_INPUT = 21,
	SIGNAL_TERMINAL_OUTPUT = 22,
	SIGNAL_VIRTUAL_ALARM = 26,
	SIGNAL_PROFILE = 27,
};

#define SIGNALS_STOPPING                                                                                               \
	(SIGNAL_BIT(SIGNAL_STOP) | SIGNAL_BIT(SIGNAL_TERMINAL_STOP) | SIGNAL_BIT(SIGNAL_TERMINAL_INPUT) |              \
	 SIGNAL_BIT(SIGNAL_TERMINAL_OUTPUT))
/* Caused by the thread's own instructions: taken first. ILL, TRAP, BUS, FPE, SEGV, SYS. */
#define SIGNALS_SYNCHRONOUS                                                                                            \
	(SIGNAL_BIT(4) | SIGNAL_BIT(5) | SIGNAL_BIT(7) | SIGNAL_BIT(8) | SIGNAL_BIT(11) | SIGNAL_BIT(31))

/* siginfo's si_code. */
enum signal_code {
	CODE_USER = 0,
	CODE_KERNEL = 0x80,
	CODE_QUEUE = -1,
	CODE_TIMER = -2,
	CODE_THREAD_KILL = -6,
};

enum timer_clock {
	TIMER_MONOTONIC, /* ns since boot */
	TIMER_USER,      /* user time of the process */
	TIMER_CPU,       /* user and system time */
};

enum timer_notify { NOTIFY_SIGNAL = 0, NOTIFY_NONE = 1, NOTIFY_THREAD = 4 };

/* A signal that waits to be taken. */
struct pending {
	struct pending *next;
	struct sig_signal_info info;
	uint32_t tid;  /* 0: for whatever thread takes it */
	int32_t timer; /* its POSIX timer + 1; 0: none */
};

/* An interval or POSIX timer. Armed ones are in the root's list, ordered by `due`. */
struct timer {
	struct timer *next_armed;
	struct timer *next; /* of the process; interval timers are not in that list */
	struct process *process;
	int32_t id;
	uint8_t clock;  /* enum timer_clock */
	uint8_t notify; /* enum timer_notify */
	bool armed;
	bool queued;   /* its signal has not been taken yet */
	bool realtime; /* CLOCK_REALTIME: absolute times are converted */
	uint32_t signal, tid;
	uint64_t value;
	uint64_t expires; /* on its clock */
	uint64_t interval;
	uint64_t due; /* monotonic time at which to look */
	uint32_t overrun, last_overrun;
};

/* sig's part of a session record. */
struct process {
	struct server_session *session;
	struct signal_pages pages; /* page NULL: not attached (yet) */
	port_name_t task;          /* right to interrupt; PORT_NULL: not asked for yet */
	bool stopped;
	uint32_t parent; /* as it was before the last change */
	struct pending *first, *last;
	uint32_t queued;
	uint64_t unsure; /* signals that may have to be looked at again (generate.c) */
	uint64_t directed[THREAD_SLOTS / 64]; /* slots whose word of pending signals may not be 0 */
	uint64_t cpu_user, cpu_system; /* last seen */
	struct timer interval[3];
	struct timer *timers;
	int32_t next_timer;
};

struct sig_root {
	struct server_sessions sessions;
	port_name_t self; /* right to notify sig itself */
	struct timer *armed;
};

extern struct sig_root *root;

/* A right of interface sig, by its badge. */
struct sig_right {
	bool server;
};

/* ---- main.c ---- */

/* All of the start but the event loop. Panics if proc cannot be had. */
void sig_initialise(void);

/* ---- record.c ---- */

/* The caller of a request. NULL: no such process, or an earlier image. */
struct process *process_of_principal(uint64_t principal);
struct process *process_by_pid(uint32_t pid);
struct process *process_create(struct server_session *session);
void process_destroy(struct process *p);
/* The image changed: pages and right of the old one go. */
void process_detach(struct process *p);
/* The right to interrupt, asked of proc if need be. PORT_NULL: there is none. */
port_name_t process_task(struct process *p);

/* ---- queue.c: what is pending ---- */

/* 0; EAGAIN: the user's limit is reached, or no memory. A standard signal that is pending already: 0, the first stays.
 */
int queue_add(struct process *p, uint32_t tid, const struct sig_signal_info *info, int32_t timer);
/* Takes one out of `set` for the thread `tid`: its own first. False: none. */
bool queue_take(struct process *p, uint32_t tid, uint64_t set, struct pending *taken);
/* Drops all of `set`, whatever thread they are for. */
void queue_discard(struct process *p, uint64_t set);
/* After exec: what was for other threads goes. */
void queue_keep_leader(struct process *p);
void queue_free(struct process *p);
/* The process may have scribbled over the word of this slot: it is to be written whatever it is. */
void queue_distrust(struct process *p, uint32_t slot);
/* Brings the words in the pages up to date. */
void queue_mirror(struct process *p);

/* ---- generate.c ---- */

/* Generates a signal for a process (tid 0) or one of its threads. 0, EAGAIN, ESRCH (thread). */
int generate(struct process *p, uint32_t tid, const struct sig_signal_info *info, int32_t timer);
/* Notification NOTIFY_LOOK_AGAIN: what the commit found other than it was when a signal was generated. */
void generate_look_again(uint64_t bits);
/* The slot of a thread; -1: none. */
int32_t thread_slot(const struct process *p, uint32_t tid);
/* Slots that the process says are in use; never more than there are. */
uint32_t slots_in_use(const struct signal_page *page);
/* Would the process as it is take no notice: blocked or ignored? */
bool is_blocked_or_ignored(const struct process *p, uint32_t signal);

/* ---- send.c ---- */

/* A signal to all members of a group; session 0: any. 0, or ESRCH. */
int generate_group(uint32_t group, uint32_t session, const struct sig_signal_info *info);

/* ---- child.c ---- */

/* Is the group orphaned, `except` left out? */
bool group_is_orphaned(uint32_t group, const struct process *except);
void session_changed(const struct proc_change *change, struct server_session *session);

/* ---- timer.c ---- */

void timers_run(void);
/* exec: interval timers stay, POSIX timers go. */
void timers_exec(struct process *p);
void timers_free(struct process *p);
/* Its signal was taken: fills in the overrun. */
void timer_taken(struct process *p, int32_t id, struct sig_signal_info *info);

#endif
