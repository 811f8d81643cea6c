/*
 * The keep's segment in the guest: root mapped it at SERVER_KEEP before the server started.
 */
#include "internal.h"
#include <portico/info.h>

/* Pages left to others when the keep grows: a server that is out of memory must still be able to answer. */
#define RESERVE_PAGES 64u

void *keep_segment(void)
{
	return (void *)SERVER_KEEP;
}

static size_t segment_size(void)
{
	if (trap2(TRAP_vm_query, TASK_SELF, SERVER_KEEP) < 0)
		return 0;
	const struct vm_query *entry = (const void *)server_block()->result;
	return entry->start == SERVER_KEEP ? entry->end - entry->start : 0;
}

bool keep_segment_grow(size_t granted, size_t end)
{
	static size_t size; /* of the mapping: fixed for the life of the task */

	if (size == 0)
		size = segment_size();
	if (end > size)
		return false;
	if (trap1(TRAP_ledger_info, 0) < 0)
		return false;
	uint64_t used = server_block()->result[0], limit = server_block()->result[1];
	const volatile struct kernel_info *info = (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
	uint64_t pages = (end - granted + PAGE_SIZE - 1) / PAGE_SIZE + RESERVE_PAGES;
	if (used > limit || limit - used < pages)
		return false;
	if (info->memory_free != 0 && info->memory_free / PAGE_SIZE < pages)
		return false;
	return true;
}
