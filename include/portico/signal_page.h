/*
 * Signal pages: one memory object a process, shared by sig (writes pending, reads the rest) and libposix.
 *
 * Protocol: unblocking stores the mask, fences, reads pending; sig posts pending, fences, reads the mask, and interrupts only a
 * thread that takes the signal. sig trusts none of it: a process that lies hurts only itself. Signal n is bit n - 1.
 */
#ifndef PORTICO_SIGNAL_PAGE_H
#define PORTICO_SIGNAL_PAGE_H

#include <portico/layout.h>
#include <stdint.h>

/* signal_page.flags */
#define SIGNAL_PAGE_NO_CHILD_STOP UINT64_C(1) /* SIGCHLD has SA_NOCLDSTOP: not sent when a child stops or goes on */

struct signal_thread {
	uint32_t tid;      /* 0: slot unused; written by libposix */
	uint32_t reserved;
	uint64_t blocked;  /* mask; written by libposix */
	uint64_t pending;  /* directed at this thread; set and cleared by sig */
	uint64_t waiting;  /* sigwait set: a blocked signal in here interrupts all the same; written by libposix */
};

struct signal_page {
	uint64_t pending;  /* directed at the process; set and cleared by sig */
	uint64_t ignored;  /* disposition SIG_IGN, or SIG_DFL where that ignores; written by libposix */
	uint64_t caught;   /* a handler is set; written by libposix */
	uint64_t slots;    /* highest slot in use + 1; written by libposix */
	uint64_t flags;    /* SIGNAL_PAGE_*; written by libposix */
	uint64_t reserved[3];
	struct signal_thread thread[THREAD_SLOTS];
};

#endif
