/*
 * Between operations_calls.c and operations_calls_ipc.c.
 */
#ifndef CAMPAIGN_OPERATIONS_CALLS_H
#define CAMPAIGN_OPERATIONS_CALLS_H

#include "transcript.h"

/* Every routine of interface ipc, noted. */
void calls_ipc_all(void);

#endif
