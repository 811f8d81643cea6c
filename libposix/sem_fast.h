/*
 * Semaphores without messages; see sem_fast.c.
 */
#ifndef LIBPOSIX_SEM_FAST_H
#define LIBPOSIX_SEM_FAST_H

#include "thread.h"

#include <ipc_types.h>

/* Makes one operation. False: not here; nothing has changed. */
bool sem_fast(int32_t id, const struct ipc_sem_operation *op);
/* An operation was made by a message that could have been made here. */
void sem_fast_learn(int32_t id);
/* Who the process is has changed: what it may do is asked again. */
void sem_fast_forget(void);

#endif
