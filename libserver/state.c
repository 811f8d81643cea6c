/*
 * What the loop keeps: deadline of the timer, deferred work, where messages come from. Instrumented: it lies in the keep.
 */
#include "transaction.h"

#define POSTPONED UINT64_C(1000000000) /* ns: a timer whose work had to be given up */

bool server_cold(void)
{
	return server_state()->initialised == 0;
}

void server_set_timer(uint64_t deadline)
{
	struct server_state *state = server_state();

	if (state->deadline != deadline)
		state->deadline = deadline;
}

void server_defer(void)
{
	server_state()->deferred = 1;
}

void state_clear_deadline(void)
{
	server_state()->deadline = DEADLINE_NEVER;
}

void state_postpone_deadline(void)
{
	server_state()->deadline = server_time() + POSTPONED;
}

void state_clear_deferred(void)
{
	server_state()->deferred = 0;
}

/* In the first incarnation only, before the first receive. */
void state_initialise(void)
{
	struct server_state *state = server_state();
	int64_t nothing = trap2(TRAP_port_create, PORT_NULL, 0);

	if (nothing < 0)
		server_panic("no port: status %d", (int)nothing);
	state->nothing = (port_name_t)nothing;
	state->initialised = 1;
}

int server_add_port(port_name_t receive)
{
	struct server_state *state = server_state();

	if (state->receive == NAME_SERVICE) {
		int64_t set = server_trap(TRAP_portset_create, PORT_NULL, 0, 0, 0, 0, 0);
		if (set < 0)
			return kern_errno(set);
		int64_t status = server_trap(TRAP_portset_move, NAME_SERVICE, (uint64_t)set, 0, 0, 0, 0);
		if (status < 0) {
			server_release_right((port_name_t)set);
			return kern_errno(status);
		}
		state->receive = (port_name_t)set;
	}
	return kern_errno(server_trap(TRAP_portset_move, receive, state->receive, 0, 0, 0, 0));
}
