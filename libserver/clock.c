/*
 * Time from the kernel information page: no trap.
 */
#include "transaction.h"
#include <portico/info.h>

static const volatile struct kernel_info *kernel_info(void)
{
	return (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
}

/* One consistent reading; the kernel makes `sequence` odd while it writes. */
uint64_t clock_read(int64_t *realtime_offset)
{
	const volatile struct kernel_info *k = kernel_info();
	uint64_t sequence, now;

	do {
		while (((sequence = k->sequence) & 1) != 0)
			__builtin_ia32_pause();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		uint64_t ticks = __builtin_ia32_rdtsc() - k->tsc_base;
		now = (uint64_t)((unsigned __int128)ticks * k->tsc_multiplier >> k->tsc_shift);
		*realtime_offset = k->realtime_offset;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (k->sequence != sequence);
	return now;
}

uint64_t server_time(void)
{
	int64_t offset;

	return clock_read(&offset);
}
