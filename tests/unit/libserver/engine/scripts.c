/* See scripts.h. */
#include "scripts.h"
#include <portico/traps.h>

#define ASK(routine, ...)                                                                                              \
	{                                                                                                              \
		.kind = MSG_REQUEST, .ordinal = VICTIM(routine), .data = { __VA_ARGS__ }                               \
	}

static const struct script stores[] = {
        ASK(VICTIM_STORE, 5),
        ASK(VICTIM_QUERY, 0),
        ASK(VICTIM_STORE, 77),
        ASK(VICTIM_QUERY, 0),
};

static const struct script heap[] = {
        ASK(VICTIM_HEAP, 4),
        ASK(VICTIM_HEAP, 3),
        ASK(VICTIM_HEAP, 1),
        ASK(VICTIM_HEAP, 1, 1),
};

static const struct script creation[] = {
        ASK(VICTIM_CREATE, 0),
        {.kind = MSG_DEAD_NAME, .word = 0x102, .badge = 44},
        ASK(VICTIM_CREATE, 0),
        {.kind = MSG_NO_SENDERS, .word = 3, .badge = 0x77},
};

static const struct script calls[] = {
        ASK(VICTIM_CALL, 11),
        ASK(VICTIM_CALL, 12),
};

static const struct script samples[] = {
        ASK(VICTIM_SAMPLE, 0), ASK(VICTIM_PROMOTE, 0), ASK(VICTIM_SAMPLE, 0),
        ASK(VICTIM_QUERY, 0),  ASK(VICTIM_PROMOTE, 0),
};

static const struct script windows[] = {
        ASK(VICTIM_WINDOW, 0),
        {.kind = MSG_REQUEST, .ordinal = VICTIM(VICTIM_WINDOW), .badge = BADGE_FLEETING},
        {.kind = MSG_REQUEST, .ordinal = VICTIM(VICTIM_WINDOW), .badge = BADGE_FLEETING, .data = {1}},
        ASK(VICTIM_WINDOW, 2),
        ASK(VICTIM_ANSWER, 3, 3),
};

static const struct script parking[] = {
        ASK(VICTIM_PARK, 0),
        ASK(VICTIM_PARK, 1),
        ASK(VICTIM_ANSWER, 0, 1),
        ASK(VICTIM_PARK, 2),
        {.kind = MSG_CANCEL, .word = 4, .badge = 1},
        ASK(VICTIM_ANSWER, 2, 3),
};

static const struct script overflow[] = {
        ASK(VICTIM_PARK, 0),
        ASK(VICTIM_MANY, 140),
        ASK(VICTIM_MANY, 10, 100),
        ASK(VICTIM_STORE, 1),
};

static const struct script later[] = {
        ASK(VICTIM_TIMER, 2000, 2),          ASK(VICTIM_STORE, 3),
        {.kind = SCRIPT_WAIT, .word = 2500}, {.kind = MSG_NOTIFY, .word = 6},
        {.kind = SCRIPT_WAIT, .word = 9000}, ASK(VICTIM_QUERY, 0),
};

static const struct script readiness[] = {
        ASK(VICTIM_READY, 4, 0),
        ASK(VICTIM_READY, 1, 1),
        ASK(VICTIM_READY, 1, 0),
};

static const struct script mixed[] = {
        ASK(VICTIM_ALL, 0),
        {.kind = MSG_REQUEST, .ordinal = VICTIM(VICTIM_TAKE), .right = true},
        {.kind = MSG_REQUEST, .ordinal = VICTIM(99)},
        {.kind = MSG_REQUEST, .ordinal = MSG_ORDINAL(200, 1), .right = true},
        {.kind = MSG_REQUEST, .ordinal = VICTIM(VICTIM_TAKE), .right = true},
        {.kind = SCRIPT_WAIT, .word = 1200},
        ASK(VICTIM_ALL, 0),
        {.kind = MSG_SEND_ONCE, .badge = 1},
};

#define SCENARIO(name, effects, stride)                                                                                \
	{                                                                                                              \
#name, name, sizeof(name) / sizeof(name[0]), effects, stride                                           \
	}
const struct scenario scenarios[] = {
        SCENARIO(stores, 0, 1),  SCENARIO(heap, 0, 1),       SCENARIO(creation, 3, 1), SCENARIO(calls, 0, 1),
        SCENARIO(samples, 2, 1), SCENARIO(windows, 2, 1),    SCENARIO(parking, 4, 1),  SCENARIO(overflow, 252, 11),
        SCENARIO(later, 5, 1),   SCENARIO(readiness, 26, 1), SCENARIO(mixed, 5, 1),
};
const unsigned scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

/* ---- what is given up ---- */

const char *given_up_problem(enum victim_routine routine, uint64_t error, unsigned deaths)
{
	struct script script[] = {
	        ASK(VICTIM_STORE, 3),
	        {.kind = MSG_REQUEST, .ordinal = VICTIM(routine), .right = true},
	        ASK(VICTIM_QUERY, 0),
	};
	uint64_t answered = 0;

	if (!explore_run(script, 1).finished)
		return "the request before it is not served";
	uint64_t state = explore_state();
	unsigned names = explore_names();
	struct outcome outcome = explore_run(script, 2);
	if (!outcome.finished || outcome.deaths != deaths)
		return "incarnations end more or less often than expected";
	if (explore_replies(2, &answered) != 1 || answered != error)
		return "there is not one answer with the error";
	if (explore_state() != state)
		return "the keep is not as if nobody had asked";
	if (explore_names() != names)
		return "rights are left over or lost";
	if (!explore_run(script, 3).finished || explore_replies(3, &answered) != 1 || answered != 0)
		return "the next request is not served";
	return NULL;
}

const char *wayward_problem(void)
{
	struct script script[] = {ASK(VICTIM_WAYWARD, 3), ASK(VICTIM_QUERY, 0)};
	uint64_t answered = 1;
	struct outcome outcome = explore_run(script, 1);

	if (!outcome.finished || outcome.deaths != 1)
		return "incarnations end more or less often than expected";
	if (explore_replies(1, &answered) != 1 || answered != 0)
		return "the request is not served";
	return explore_run(script, 2).finished ? NULL : "the next request is not served";
}

/* ---- order ---- */

const char *order_problem(void)
{
	static const struct script script[] = {ASK(VICTIM_MANY, 10, 100)};
	uint64_t large = 0, small = 0;

	if (!explore_run(script, 1).finished)
		return "the request is not served";
	for (uint32_t at = 0; at < machine->journal_end; at += 1 + (uint32_t)machine->journal[at]) {
		const uint64_t *word = &machine->journal[at + 1];

		if (machine->journal[at] >> 32 != JOURNAL_EFFECT)
			continue;
		if (word[0] == TRAP_thread_start && word[1] == 7 && (word[5] != large++ || small != 0))
			return "a large effect is not in its place";
		if (word[0] == TRAP_port_notify && ((uint32_t)word[2] != small++ || large != 100))
			return "a small effect is not in its place";
	}
	return large == 100 && small == 10 ? NULL : "effects are missing";
}
