/*
 * The transaction engine on the host: killed at every moment of every kind of operation, and what it gives up.
 *
 * The recoveries of some moments are killed at each of their moments, too; ENGINE_AGAIN=1 takes all.
 */
#include "scripts.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>

#define AGAIN 1500u

ParameterizedTestParameters(engine, a_death_at_any_moment_is_not_seen)
{
	static unsigned number[32];

	for (unsigned i = 0; i < scenario_count; i++)
		number[i] = i;
	return cr_make_param_array(unsigned, number, scenario_count);
}

ParameterizedTest(const unsigned *number, engine, a_death_at_any_moment_is_not_seen)
{
	const struct scenario *s = &scenarios[*number];
	const char *again = getenv("ENGINE_AGAIN");
	struct effort effort = {s->stride, again != NULL ? (unsigned)atoi(again) : AGAIN};
	struct explored explored;

	cr_assert(explore_run(s->script, s->length).finished);
	cr_expect_eq(explore_effects(), s->effects, "%s: %u effects", s->name, explore_effects());
	explore(s->script, s->length, effort, &explored);
	cr_assert_eq(explored.failures, 0, "%s", explored.first);
	cr_expect_gt(explored.moments, 10 * s->length, "only %lu moments", explored.moments);
}

/* ---- what is given up ---- */

static void expect_given_up(enum victim_routine routine, uint64_t error, unsigned deaths)
{
	const char *problem = given_up_problem(routine, error, deaths);

	cr_assert_null(problem, "%s", problem);
}

Test(engine, what_faults_twice_is_given_up_and_undone)
{
	expect_given_up(VICTIM_POISON, EIO, 2);
}

Test(engine, a_full_undo_log_is_out_of_memory)
{
	expect_given_up(VICTIM_FULL, ENOMEM, 1);
}

Test(engine, a_full_result_log_is_out_of_memory)
{
	expect_given_up(VICTIM_CHATTER, ENOMEM, 1);
}

Test(engine, an_execution_that_differs_is_given_up)
{
	expect_given_up(VICTIM_FICKLE, EIO, 2);
}

Test(engine, an_execution_that_looks_at_something_else_goes_on)
{
	const char *problem = wayward_problem();

	cr_assert_null(problem, "%s", problem);
}

Test(engine, a_query_may_not_store)
{
	expect_given_up(VICTIM_SINNER, EIO, 2);
}

Test(engine, a_query_may_not_create)
{
	expect_given_up(VICTIM_CREATOR, EIO, 2);
}

Test(engine, what_does_not_fit_into_a_commit_keeps_its_order)
{
	const char *problem = order_problem();

	cr_assert_null(problem, "%s", problem);
}
