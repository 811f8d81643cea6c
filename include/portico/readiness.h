/*
 * Readiness words: poll, select and epoll without messages.
 *
 * A server that serves pollable descriptions keeps a memory object of 32-bit words, mapped read-only by its clients. A
 * description's word holds its present poll events in the low 16 bits (Linux's POLL* numbers) and a count of changes in the
 * upper 16. The server updates the word and wakes the futex (FUTEX_SHARED). Word 0 counts every change of any word:
 * who waits for more words than futex_wait_many takes waits on it.
 */
#ifndef PORTICO_READINESS_H
#define PORTICO_READINESS_H

#include <stdint.h>

#define READINESS_SLOTS 262144u /* 1 MiB a server, built lazily */
#define READINESS_EVENTS(word) ((word) & 0xffffu)

#endif
