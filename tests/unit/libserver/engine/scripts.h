/* What happens to the victim: short scripts, one a part of the engine. For the Criterion suite and for the hunt of
 * planted bugs. */
#ifndef TESTS_ENGINE_SCRIPTS_H
#define TESTS_ENGINE_SCRIPTS_H

#include "explore.h"
#include "victim.h"

struct scenario {
	const char *name;
	const struct script *script;
	unsigned length;
	unsigned effects; /* operations and words of commits */
	unsigned stride;  /* of moments: 1, but where there are very many alike */
};
extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/*
 * A request that cannot be served is answered with `error`, once, after `deaths` of incarnations, leaves nothing
 * behind, and the next one is served. NULL, or what is not so.
 */
const char *given_up_problem(enum victim_routine routine, uint64_t error, unsigned deaths);

/* Effects that need more than one commit are done in the order in which they were asked for. NULL, or what is not so.
 */
const char *order_problem(void);
/* What is wrong with a request whose second execution goes another way than the first, which only looked; NULL: nothing. */
const char *wayward_problem(void);

#endif
