/*
 * What tests may say about the machine's memory.
 */
#ifndef MEMORY_HOST_H
#define MEMORY_HOST_H

#include <stdint.h>

extern uint64_t host_machine;     /* bytes: memory_machine() */
extern uint64_t host_available;   /* bytes: memory_available() */
extern unsigned host_objects;     /* live memory objects */
extern uint64_t host_transaction; /* 0: each look at the number of the transaction finds another one */

#endif
