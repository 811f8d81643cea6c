/*
 * What the files of libserver share among themselves. Not for servers.
 */
#ifndef LIBSERVER_INTERNAL_H
#define LIBSERVER_INTERNAL_H

#include "undo.h"

#include <portico/block.h>
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/server.h>
#include <portico/strings.h>

/* Puts the RESTART message for the last failed window access into a page: what to add to the op. */
struct msg_page;
uint64_t server_put_restart(struct msg_page *page);

static inline struct portico_block *server_block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

/* rights.c: what an incarnation must know of its own port. */
void rights_start(void);

/* Start flags (SERVER_START_*), from root. */
extern uint64_t server_start_flags;

/* Name that root gave at the start, NUL terminated. */
extern char server_name[17];

/* undo.c: which stores keep the undo log, a byte for each SERVER_KEEP_SIZE of addresses. In the guest it lies at SERVER_STORE_MAP. */
#define STORE_MAP_SIZE ((UINT64_C(1) << 47) / SERVER_KEEP_SIZE)
extern const int8_t server_store_map[STORE_MAP_SIZE];

/* Different in each transaction of a server: its commits before this one. */
uint64_t transaction_number(void);

/* The keep's segment, guest or host: its first byte, and whether it may be used up to `end` bytes, `granted` of which are in use. */
void *keep_segment(void);
bool keep_segment_grow(size_t granted, size_t end);

/* The program's own fingerprint, LAYOUT_LENGTH digits: start.S, filled in by tools/layout after linking. */
extern const char server_layout[];

/* keep.c, for migrations. The root structure, wherever and however large it is. */
void *keep_root(void);
/* Another size, zeroed; NULL: no memory. Where it was if it fits. */
void *keep_place_root(size_t size);
/* Bytes that fit into a live block. */
size_t keep_room(const void *p);
/* Fingerprint of the program that the keep belongs to, LAYOUT_LENGTH characters; NULL: it is no keep. */
const char *keep_layout(void);
void keep_set_layout(const char *layout);
/* Is the heap in order? NULL, or what is wrong. */
const char *keep_check(void);

#endif
