/*
 * Explores all scenarios, or those named; for mutants.py and by hand. ENGINE_AGAIN=n: every n-th recovery is killed at
 * all its moments, too. Exit status 1 at the first failure.
 */
#include "scripts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	const char *again = getenv("ENGINE_AGAIN");
	unsigned failures = 0;

	for (unsigned i = 0; i < scenario_count; i++) {
		const struct scenario *s = &scenarios[i];
		struct effort effort = {s->stride, again != NULL ? (unsigned)atoi(again) : 0};
		struct explored explored;

		if (!wanted(s->name, argc, argv))
			continue;
		unsigned effects = explore_run(s->script, s->length).finished ? explore_effects() : 0;
		explore(s->script, s->length, effort, &explored);
		if (effects != s->effects)
			printf("%s: %u effects, not %u\n", s->name, effects, s->effects);
		explored.failures += effects != s->effects;
		printf("%s: %lu moments, %lu in recovery, %lu failures %s\n", s->name, explored.moments, explored.twice,
		       explored.failures, explored.first);
		failures += explored.failures != 0;
		if (failures != 0 && getenv("ENGINE_ALL") == NULL)
			break;
	}
	if (wanted("given-up", argc, argv)) {
		const char *problem = given_up_problem(VICTIM_FULL, ENOMEM, 1);

		printf("given-up: %s\n", problem != NULL ? problem : "no failures");
		failures += problem != NULL;
	}
	if (wanted("order", argc, argv)) {
		const char *problem = order_problem();

		printf("order: %s\n", problem != NULL ? problem : "no failures");
		failures += problem != NULL;
	}
	return failures != 0;
}
