/*
 * Where the countdown of enumerated kill points lies: in the control block's part that belongs to libserver. Used by libserver and root.
 */
#ifndef PORTICO_KILLPOINT_H
#define PORTICO_KILLPOINT_H

#include <portico/block.h>
#include <portico/layout.h>
#include <stdint.h>

struct kill_points {
	uint64_t countdown; /* 0: off */
	uint64_t again;
};

#define KILL_POINTS_ADDRESS (SERVER_ENDPOINT + offsetof(struct portico_block, personality))

#endif
