/*
 * What is to be done when an incarnation has ended: the next one goes on; gives the request up; begins with nothing;
 * reboot. Pure: the host tests it.
 *
 * Only faults of a server's own climb. A request is blamed if two incarnations end in it; the number of commits tells
 * requests apart. Work that is never over commits again and again: it is the same if it comes back within a minute. Many faults in a short time, whatever they have to do with each other, slow the restarts down.
 */
#include "root.h"

#define FAULTS_WINDOW UINT64_C(10000000000) /* ns */
#define FAULTS_FREE 3u                      /* in the window, before restarts are put off */
#define DELAY UINT64_C(50000000)            /* ns: the first one; doubles */
#define COLD_WINDOW UINT64_C(60000000000)
#define COLD_MAX 3u /* cold starts in that window; one more: reboot */
#define UNBORN_MAX 3u
#define CHAIN_WINDOW UINT64_C(60000000000) /* ns */

static unsigned recent(const uint64_t *time, uint64_t now, uint64_t window)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LADDER_WINDOW; i++)
		if (time[i] != 0 && now - time[i] < window)
			count++;
	return count;
}

static void note(uint64_t *time, uint32_t *next, uint64_t now)
{
	time[(*next)++ % LADDER_WINDOW] = now;
}

static enum action blame(struct ladder *ladder, const struct ending *ending)
{
	if (!ending->own) /* whoever was to give up has still to */
		return ladder->faults == 2 && ladder->blamed == ending->commits ? ACTION_GIVE_UP : ACTION_RESTART;
	bool again = ending->chained && ladder->chain != 0 && ending->now - ladder->chain < CHAIN_WINDOW;
	if (!again && ladder->blamed != ending->commits)
		ladder->faults = 0;
	ladder->blamed = ending->commits;
	ladder->chain = ending->chained ? ending->now : 0;
	switch (++ladder->faults) {
	case 1:
		return ACTION_RESTART;
	case 2:
		return ACTION_GIVE_UP;
	case 3:
		return ACTION_COLD;
	default:
		return ACTION_REBOOT;
	}
}

enum action ladder_step(struct ladder *ladder, const struct ending *ending, uint64_t *delay)
{
	enum action action;

	*delay = 0;
	if (ending->own) {
		note(ladder->fault, &ladder->fault_next, ending->now);
		unsigned faults = recent(ladder->fault, ending->now, FAULTS_WINDOW);
		if (faults > FAULTS_FREE)
			*delay = DELAY << (faults - FAULTS_FREE - 1);
	}
	if (ending->unborn) {
		/* Its keep is half made: nobody could go on with it. */
		ladder->unborn = ending->own ? ladder->unborn + 1 : ladder->unborn;
		return ladder->unborn > UNBORN_MAX ? ACTION_REBOOT : ACTION_COLD;
	}
	ladder->unborn = 0;
	action = blame(ladder, ending);
	if (action == ACTION_COLD) {
		note(ladder->cold, &ladder->cold_next, ending->now);
		if (recent(ladder->cold, ending->now, COLD_WINDOW) > COLD_MAX)
			action = ACTION_REBOOT;
	}
	return action;
}
