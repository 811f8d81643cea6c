/*
 * Descriptions that libposix serves itself: eventfd, timerfd, signalfd, epoll, the list of descriptors.
 *
 * The state of an eventfd or timerfd lies in a shared memory object, so that it outlives fork and exec as the descriptor does. An
 * epoll set is private to the process and ends with its image; a forked child starts from a copy of it.
 */
#ifndef LIBPOSIX_LOCAL_H
#define LIBPOSIX_LOCAL_H

#include "fd.h"

struct text;

/* What /proc/self/fd/N points to. */
void describe_path(const struct description *description, struct text *text);

/* The next entries of /proc/self/fd as getdents64 gives them. Bytes, or -EINVAL. */
int64_t fd_list_read(struct description *description, void *user, size_t size);

/* read and write on local descriptions, flags: 1 do not block. Bytes or a negative errno. */
int64_t local_read(struct description *description, void *user, size_t size, uint32_t flags);
int64_t local_write(struct description *description, const void *user, size_t size, uint32_t flags);

/*
 * poll on local descriptions: present events. *word, *expected: a futex word that changes when the events may change (NULL:
 * none); *deadline: brought forward to when they change by themselves.
 */
uint32_t local_events(struct description *description, const uint32_t **word, uint32_t *expected, uint64_t *deadline);

/* epoll.c */
void epoll_release(uint64_t local);
uint32_t epoll_events(struct description *description);
/* A descriptor was closed for good: its description leaves every epoll set of the process. */
void epoll_forget(const struct description *gone);
/* Around fork, so that no set is in the middle of a change; and in the child, where all are free. */
void epoll_lock_sets(void);
void epoll_unlock_sets(void);
void epoll_forked(void);

#endif
