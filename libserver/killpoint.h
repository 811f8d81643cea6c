/*
 * Enumerated kill points (meson option kill_points; not in ordinary builds): places in the engine at which an incarnation can be told to end.
 *
 * root writes the countdown into the control block (command `killpoint` of /dev/supervisor); the n-th place that is passed is the last. `again` counts
 * from there, so that recovery can be interrupted too.
 */
#ifndef LIBSERVER_KILLPOINT_H
#define LIBSERVER_KILLPOINT_H

#ifdef SERVER_KILL_POINTS
#include <portico/killpoint.h>
#include <portico/layout.h>
#include <portico/traps.h>

static inline void kill_point(void)
{
	volatile struct kill_points *points = (struct kill_points *)KILL_POINTS_ADDRESS;

	if (__builtin_expect(points->countdown == 0, 1) || --points->countdown != 0)
		return;
	points->countdown = points->again;
	points->again = 0;
	for (;;) /* counts as killed from outside: nothing is wrong with the request */
		trap1(TRAP_thread_terminate, THREAD_SELF);
}
#else
static inline void kill_point(void)
{
}
#endif

#endif
