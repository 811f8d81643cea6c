/* State of the fakes (fakes.c), for the tests to set and look at. */
#ifndef TEST_LIBPOSIX_FAKES_H
#define TEST_LIBPOSIX_FAKES_H

#include "../../../libposix/fd.h"

extern port_name_t released[16];
extern unsigned released_count;
extern bool memory_fails;      /* every access to user memory is -EFAULT */
extern uint64_t fake_blocked;  /* the thread's signal mask */
extern uint64_t loaded_mask;   /* of the last vector image that was loaded */

#endif
