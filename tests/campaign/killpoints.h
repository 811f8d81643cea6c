/* What the files of killpoints share: an operation checks its results, and says what was wrong. */
#ifndef KILLPOINTS_H
#define KILLPOINTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern char why[200];
extern unsigned count_now; /* a token: different in each execution of an operation */

#define check(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			snprintf(why, sizeof why, "%s: %s", #x, strerror(errno));                                      \
			return false;                                                                                  \
		}                                                                                                      \
	} while (0)

/* killpoints_ipc.c */
bool sysv_shm(void), sysv_fork(void), sysv_sem(void), sysv_undo(void), sysv_wait(void), sysv_page(void), sysv_msg(void), sysv_msg_wait(void);
bool posix_mq(void), sysv_files(void);

#endif
