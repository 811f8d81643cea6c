/*
 * Running programs became larger (or smaller again), and the root structure has a field in its middle: see edits.py. Forked processes share a program.
 */
#include "proc.h"
#include "was.h"
#include "convert.h"

static struct running_program *move_program(struct running_program *program)
{
	struct running_program *now = migration_placed(program);

	if (now != NULL)
		return now;
	now = migration_place(program, sizeof(*now));
	if (now != NULL)
		convert_running_program(now, migration_old(program));
	return now;
}

int migrate_layout(void *state)
{
	struct proc_root *r = migration_root(sizeof(*r));

	if (r == NULL)
		return ENOMEM;
	convert_proc_root(r, migration_old(state));
	for (struct process *p = r->first; p != NULL; p = p->next) {
		if (p->program == NULL)
			continue;
		p->program = move_program(p->program);
		if (p->program == NULL)
			return ENOMEM;
	}
	return 0;
}

SERVER_MIGRATION(WAS_LAYOUT, migrate_layout);
