/*
 * The server's side of readiness words (include/portico/readiness.h): one memory object a server.
 *
 * Slots are numbers from 1; they are long-lived and belong in the keep's records. The object and the free list are
 * rebuilt by readiness_start(), the events by readiness_set().
 */
#ifndef PORTICO_SERVER_READINESS_H
#define PORTICO_SERVER_READINESS_H

#include <portico/readiness.h>
#include <portico/rights.h>
#include <stdint.h>

/* A free slot with no events, or 0 when there are no more. */
uint32_t readiness_slot(void);
/* Publishes the slot's POLL* bits; wakes waiters if they changed. Slot 0 is ignored. */
void readiness_set(uint32_t slot, uint32_t events);
/* The slot's count advances although its events stay (more data came: edge-triggered waiters want to know). */
void readiness_touch(uint32_t slot);
/* The slot is nobody's any more. Slot 0 is ignored. */
void readiness_free(uint32_t slot);
/* The object, readable only, to be copied to clients. PORT_NULL if there was no memory. */
port_name_t readiness_object(void);

#endif
