/* The undo log as memory functions see it. */
#ifndef LIBSERVER_UNDO_H
#define LIBSERVER_UNDO_H

#include <stddef.h>

/* Copies without undo log: for what is not in the keep. */
void server_copy_plain(void *to, const void *from, size_t size);
/* Writes zeros without undo log: to what is dead if the transaction is undone. */
void server_zero_plain(void *to, size_t size);
/* Before a range of memory is written: logs what of it is in the keep. */
void undo_range(const void *to, size_t size);

#endif
