/*
 * Included first in every file by the build: nothing of libposix is seen from outside, so that data and functions are reached relative
 * to rip and not through a table.
 */
#pragma GCC visibility push(hidden)
