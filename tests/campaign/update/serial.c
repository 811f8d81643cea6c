/*
 * Each line has a field more in front (or less again), so all that is in the root structure lies elsewhere: see edits.py. The queues point to their own bytes.
 */
#include "serial.h"
#include "was.h"
#include "convert.h"

int migrate_layout(void *root)
{
	struct serial *s = migration_root(sizeof(*s));

	if (s == NULL)
		return ENOMEM;
	convert_serial(s, migration_old(root));
	for (unsigned i = 0; i < SERIAL_LINES; i++) {
		s->line[i].input.data = s->line[i].input_bytes;
		s->line[i].output.data = s->line[i].output_bytes;
	}
	return 0;
}

SERVER_MIGRATION(WAS_LAYOUT, migrate_layout);
