/*
 * Access to the program's memory. Above: all handlers. A bad pointer is -EFAULT, never a signal.
 */
#ifndef LIBPOSIX_USERCOPY_H
#define LIBPOSIX_USERCOPY_H

#include <stddef.h>
#include <stdint.h>

/* Copies `size` bytes, either side the program's. 0 or -EFAULT (part may have been copied). */
int user_copy(void *to, const void *from, size_t size);
int user_zero(void *to, size_t size);
/* Copies a string and its NUL into `size` bytes. Its length, -EFAULT, or -ENAMETOOLONG. */
int64_t user_string(char *to, const char *from, size_t size);
/* Length of a string, -EFAULT, or -E2BIG if it is `limit` or longer. */
int64_t user_string_length(const char *from, size_t limit);
/* Atomic compare and exchange; *found is what was there. 0 or -EFAULT. */
int user_exchange(uint32_t *word, uint32_t expected, uint32_t value, uint32_t *found);
/* XSAVE, XRSTOR with the components of `mask`; area 64-byte aligned. 0 or -EFAULT (also for a bad image). */
int user_save_vectors(void *area, uint64_t mask);
int user_load_vectors(const void *area, uint64_t mask);

/* Copies one object of the type of *to or *from. */
#define user_get(to, from) user_copy((to), (from), sizeof(*(to)))
#define user_put(to, from) user_copy((to), (from), sizeof(*(from)))

#endif
