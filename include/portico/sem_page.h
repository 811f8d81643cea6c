/*
 * The page of a set of semaphores that ipcd shares with processes that may read and alter it: operations that need not wait are made there.
 *
 * A process changes a word by compare and exchange, from one without SEM_PAGE_SLOW to the new value and its pid. ipcd sets SEM_PAGE_SLOW
 * before it reads a word, and from then on nobody changes it but ipcd, until ipcd stores the word without the bit: while somebody waits, or in the
 * middle of a request. A process that breaks the rules changes values that it may change anyway; ipcd believes none of it but the value, and
 * that only within its range. With SEM_PAGE_DEAD the page counts no more: the set is gone, or its owner or mode has changed.
 */
#ifndef PORTICO_SEM_PAGE_H
#define PORTICO_SEM_PAGE_H

#include <stdint.h>

#define SEM_PAGE_MAX 64u /* semaphores of a set that has a page */
#define SEM_PAGE_SLOW (UINT64_C(1) << 16)
#define SEM_PAGE_DEAD (UINT64_C(1) << 17)

/* value: 0 to 32767. */
#define SEM_PAGE_WORD(value, pid) ((uint64_t)(uint32_t)(pid) << 32 | (uint64_t)(value))
#define SEM_PAGE_VALUE(word) ((int32_t)((word)&0xffff))
#define SEM_PAGE_PID(word) ((uint32_t)((word) >> 32))

struct sem_page {
	int64_t time; /* of the last operation that was made here, ns since 1970 */
	uint64_t reserved[7];
	uint64_t word[SEM_PAGE_MAX];
};

#endif
