/*
 * The invariants of the driver's structures, as a migration must leave them: lines that are there have their ports, and queues with their own bytes.
 */
#include "serial.h"
#include <portico/server_migration.h>

static const char *check(const void *state)
{
	const struct serial *s = state;

	for (unsigned i = 0; i < SERIAL_LINES; i++) {
		const struct serial_line *line = &s->line[i];

		if (line->input.data != line->input_bytes || line->output.data != line->output_bytes)
			return "a line whose queues are not its own";
		if (line->input.size != SERIAL_INPUT_SIZE || line->output.size != SERIAL_OUTPUT_SIZE ||
		    ring_count(&line->input) > SERIAL_INPUT_SIZE || ring_count(&line->output) > SERIAL_OUTPUT_SIZE)
			return "a queue with more bytes than it holds";
		if (line->present && line->ports == PORT_NULL)
			return "a line without ports";
	}
	return s->interrupt != PORT_NULL ? NULL : "no interrupt line";
}

SERVER_CHECK(check);
