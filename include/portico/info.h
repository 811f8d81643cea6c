/*
 * The kernel information page: read-only at KERNEL_INFO_ADDRESS in every task. Time needs no trap.
 */
#ifndef PORTICO_INFO_H
#define PORTICO_INFO_H

#include <stdint.h>

#define KERNEL_INFO_VERSION 1

struct kernel_info {
	uint32_t version;
	uint32_t cpus;             /* CPUs running */
	/*
	 * Monotonic nanoseconds = (tsc - tsc_base) * tsc_multiplier >> tsc_shift (128-bit product).
	 * Wall clock = monotonic + realtime_offset. `sequence` is odd while an update is under way.
	 */
	uint64_t sequence;
	uint64_t tsc_base;
	uint64_t tsc_multiplier;
	uint32_t tsc_shift;
	uint32_t tick_hz;          /* 100: what times() and sysconf(_SC_CLK_TCK) speak of */
	int64_t realtime_offset;   /* nanoseconds since 1970-01-01 00:00:00 UTC at monotonic 0 */
	uint64_t memory_total;     /* bytes of RAM given to the kernel */
	uint64_t memory_free;      /* bytes, refreshed by the timer tick */
	uint64_t tsc_frequency;    /* hertz */
	uint64_t load[3];          /* load averages, 16.16 fixed point: 1, 5, 15 minutes */
	uint64_t idle_time[64];    /* nanoseconds idle, per CPU */
	char release[32];          /* kernel release, NUL terminated */
};

#endif
