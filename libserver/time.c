/*
 * The time as transactions see it: the same when they are executed again. Not instrumented.
 */
#include "transaction.h"

static struct {
	bool known;
	int64_t realtime;
} present; /* volatile: an incarnation that executes the transaction again finds the sample in the log */

void time_begin(void)
{
	present.known = false;
}

uint64_t server_now(void)
{
	int64_t offset;

	return server_sample_word(clock_read(&offset));
}

int64_t server_realtime(void)
{
	int64_t offset;

	if (present.known)
		return present.realtime;
	uint64_t now = clock_read(&offset);
	present.realtime = (int64_t)server_sample_word(now + (uint64_t)offset);
	present.known = engine_mode == ENGINE_TRANSACTION;
	return present.realtime;
}
