/*
 * Open files as other parts of libposix use them: reading and writing as the system calls do, iovecs.
 */
#ifndef LIBPOSIX_FILES_H
#define LIBPOSIX_FILES_H

#include "fd.h"
#include "linux.h"

#define IOVEC_MAX 1024u
#define TRANSFER_MAX 0x7ffff000u /* what Linux moves in one call at most */

/* flags of io.read and io.write */
enum { TRANSFER_NONBLOCKING = 1, TRANSFER_APPEND = 2 };

/* Bytes, or a negative result as a handler returns it. offset: IO_OFFSET_CURRENT or a position. */
int64_t file_read(struct description *description, void *user, size_t size, int64_t offset, uint32_t flags);
int64_t file_write(struct description *description, const void *user, size_t size, int64_t offset, uint32_t flags);

/* The sum of the lengths, cut at TRANSFER_MAX, or -EINVAL. Pure. */
int64_t iovec_total(const struct linux_iovec *vector, size_t count);

/* What preadv2's and pwritev2's flags mean as flags of io.*; -EOPNOTSUPP: not known. Pure. */
int64_t transfer_flags(int flags);

#endif
