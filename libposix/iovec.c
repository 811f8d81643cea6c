/*
 * Checks of vectors and flags. Pure.
 */
#include "files.h"

#include <portico/errno.h>

enum { FLAG_HIGH_PRIORITY = 1, FLAG_DATA_SYNC = 2, FLAG_SYNC = 4, FLAG_NO_WAIT = 8, FLAG_APPEND = 16 };

int64_t iovec_total(const struct linux_iovec *vector, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (vector[i].len > INT64_MAX)
			return -EINVAL;
		total += vector[i].len;
		if (total > INT64_MAX)
			return -EINVAL;
	}
	return total > TRANSFER_MAX ? TRANSFER_MAX : (int64_t)total;
}

int64_t transfer_flags(int flags)
{
	if (flags & ~(FLAG_HIGH_PRIORITY | FLAG_DATA_SYNC | FLAG_SYNC | FLAG_NO_WAIT | FLAG_APPEND))
		return -EOPNOTSUPP;
	return (flags & FLAG_NO_WAIT ? TRANSFER_NONBLOCKING : 0) | (flags & FLAG_APPEND ? TRANSFER_APPEND : 0);
}
