/*
 * What operations are written with: a check that says what was wrong. In functions that return bool.
 */
#ifndef CAMPAIGN_OPERATION_CHECK_H
#define CAMPAIGN_OPERATION_CHECK_H

#include "operations.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define check(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			snprintf(operation_why, sizeof operation_why, "%s: %s", #x, strerror(errno));                  \
			return false;                                                                                  \
		}                                                                                                      \
	} while (0)

/* operations_ipc.c: System V IPC and POSIX message queues. */
bool sysv_shm(void), sysv_fork(void), sysv_sem(void), sysv_undo(void), sysv_wait(void), sysv_page(void), sysv_msg(void), sysv_msg_wait(void);
bool posix_mq(void), sysv_files(void);
/* Removes what an operation that went wrong may have left. */
void operations_prepare_ipc(void);

/* operations_net.c: local sockets. */
bool unix_stream(void), unix_connect(void), unix_path(void), unix_pass(void), unix_cycle(void), unix_wait(void), unix_poll(void);
void operations_prepare_net(void);

#endif
