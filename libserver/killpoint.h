/*
 * Enumerated kill points (meson option kill_points; not in ordinary builds): places in the engine at which an incarnation can be told to end.
 * Orders and steps: portico/killpoint.h. killpoint.c ends it, and logs at which step, and in the service of what.
 */
#ifndef LIBSERVER_KILLPOINT_H
#define LIBSERVER_KILLPOINT_H

#include <portico/killpoint.h>

#ifdef SERVER_KILL_POINTS

#define KILL_POINTS ((volatile struct kill_points *)KILL_POINTS_ADDRESS)

_Noreturn void kill_point_reached(enum kill_step step);
/* A transaction begins that no incarnation has begun before, or a query. */
void kill_points_begin(void);
/* A commit is done. */
void kill_points_committed(void);

static inline void kill_point(enum kill_step step)
{
	if (__builtin_expect(KILL_POINTS->countdown == 0, 1) || --KILL_POINTS->countdown != 0)
		return;
	kill_point_reached(step);
}
#else
static inline void kill_point(enum kill_step step)
{
	(void)step;
}
static inline void kill_points_begin(void)
{
}
static inline void kill_points_committed(void)
{
}
#endif

#endif
