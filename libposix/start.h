/*
 * What goes from one image to the next through exec, and what begins with an image.
 */
#ifndef LIBPOSIX_START_H
#define LIBPOSIX_START_H

#include "thread.h"

/* The `state` bytes of proc.exec: descriptor table, ignored signals, mask, umask, and the name that `path` gives the program. */
size_t state_size(void);
bool state_save(void *to, size_t size, const char *path);

/* threads.c: slot 0 is in use. */
void threads_begin(void);
/* trace.c: from now on every call is logged. */
void trace_start(void);

#endif
