/*
 * Badges on the net server's port: processes' rights (0), sockets, and the rights that vfs mints for socket files.
 *
 * A file's number is vfs's and is not used again while the system runs.
 */
#ifndef PORTICO_NET_BADGE_H
#define PORTICO_NET_BADGE_H

#include <stdint.h>

#define NET_BADGE_KIND(badge) ((uint32_t)((badge) >> 56))
#define NET_BADGE_CALLER 0u
#define NET_BADGE_SOCKET 1u
#define NET_BADGE_NEW_FILE 2u /* vfs.make_socket: a socket may be bound to it */
#define NET_BADGE_FILE 3u     /* vfs.refer: it may be connected to */

#define NET_BADGE(kind, number) ((uint64_t)(kind) << 56 | (number))
#define NET_BADGE_NUMBER(badge) ((badge) & ((UINT64_C(1) << 56) - 1))

#endif
