/* The server that is killed: ordinals of its interface, and its start. Everything that libserver offers to handlers is
 * in one of them. */
#ifndef TESTS_ENGINE_VICTIM_H
#define TESTS_ENGINE_VICTIM_H

#include <portico/message.h>

#define VICTIM_INTERFACE 9u
#define VICTIM(routine) MSG_ORDINAL(VICTIM_INTERFACE, routine)

enum victim_routine {
	VICTIM_STORE = 1, /* stores of all sizes and kinds */
	VICTIM_HEAP,      /* data[0] blocks allocated, resized, freed */
	VICTIM_CREATE,    /* kernel objects; names and addresses go to the keep */
	VICTIM_CALL,      /* calls to the other server, one depending on the other; some fail */
	VICTIM_PARK,      /* the caller waits in slot data[0] */
	VICTIM_ANSWER,    /* the caller in slot data[0] is answered; others are told */
	VICTIM_SAMPLE,    /* what is never the same twice */
	VICTIM_QUERY,
	VICTIM_PROMOTE, /* a query that goes on as a transaction */
	VICTIM_WINDOW,
	VICTIM_MANY,  /* data[0] effects, and data[1] large ones before: more than one commit takes */
	VICTIM_TIMER, /* timer at data[0]; deferred work */
	VICTIM_READY, /* readiness slots and a condition */
	VICTIM_ALL,   /* some of everything, in an order in which each depends on what came before */
	VICTIM_TAKE,  /* keeps the right that came */
	VICTIM_ONEWAY,
	VICTIM_POISON,  /* does much, then faults, always */
	VICTIM_FULL,    /* stores until the undo log is full */
	VICTIM_CHATTER, /* samples until the result log is full */
	VICTIM_FICKLE,  /* asks for something else in each execution */
	VICTIM_WAYWARD, /* looks at something else in its second execution */
	VICTIM_SINNER,  /* a query that stores */
	VICTIM_CREATOR, /* a query that creates */
};

_Noreturn void victim_start(void);

#endif
