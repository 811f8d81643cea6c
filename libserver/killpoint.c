/*
 * The end of an incarnation at a kill point, and what the log is told of it: server, step, and what was in service. Not instrumented.
 *
 * tools/killpoints reads these lines: they are the proof that a routine was in service when its server ended.
 */
#include "transaction.h"

#ifdef SERVER_KILL_POINTS

static const char *const step_name[] = {
#define KILL_STEP_NAME(name, text) text,
        KILL_STEPS(KILL_STEP_NAME)};

static const struct msg_header *header(void)
{
	return &((const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REQUEST * PAGE_SIZE))->header;
}

static const char *message_name(void)
{
	switch (header()->kind) {
	case MSG_REQUEST:
		return "request";
	case MSG_NOTIFY:
		return "notification";
	case MSG_NO_SENDERS:
		return "no-senders";
	case MSG_CANCEL:
		return "cancel";
	case MSG_DEAD_NAME:
		return "dead-name";
	default:
		return "message";
	}
}

/* As a new incarnation would see it: by tag and counters, not by what this one believes. */
static const char *service_name(void)
{
	if (LOG->tag == counters()->commits) {
		switch (LOG->kind) {
		case TRANSACTION_TIMER:
			return "timer";
		case TRANSACTION_DEFERRED:
			return "deferred";
		case TRANSACTION_SPILL:
			return "spilled";
		default:
			return message_name();
		}
	}
	if (counters()->held != 0)
		return message_name();
	return engine_mode == ENGINE_COLD && server_cold() ? "start" : "nothing";
}

void kill_point_reached(enum kill_step step)
{
	const char *service = service_name();
	bool nothing = strcmp(service, "nothing") == 0;
	uint32_t ordinal = header()->ordinal;
	bool again = KILL_POINTS->recovering != 0;

	KILL_POINTS->countdown = again ? 0 : KILL_POINTS->again;
	KILL_POINTS->again = 0;
	KILL_POINTS->recovering = 1;
	/* Of one that had not begun nothing is left, and the next incarnation's first commit is an empty one. */
	KILL_POINTS->spent = counters()->commits + (nothing ? 2 : 1);
	KILL_POINTS->step = step;
	KILL_POINTS->ends++;
	if (service[0] == 'r')
		server_log("kill point %s%s %s %u.%u", again ? "again " : "", step_name[step], service, (unsigned)MSG_INTERFACE(ordinal),
		           (unsigned)MSG_ROUTINE(ordinal));
	else
		server_log("kill point %s%s %s", again ? "again " : "", step_name[step], service);
	for (;;) /* counts as killed from outside: nothing is wrong with the request */
		trap1(TRAP_thread_terminate, THREAD_SELF);
}

void kill_points_begin(void)
{
	if (KILL_POINTS->each == 0 || KILL_POINTS->spent >= counters()->commits + 1)
		return;
	KILL_POINTS->countdown = KILL_POINTS->each;
	KILL_POINTS->recovering = 0;
}

void kill_points_committed(void)
{
	if (KILL_POINTS->recovering == 0)
		return;
	KILL_POINTS->left = KILL_POINTS->countdown;
	KILL_POINTS->countdown = 0;
	KILL_POINTS->recovering = 0;
}

#endif
