/*
 * What the end of a migrator means. Pure: the host tests it.
 */
#include "root.h"
#include <portico/migration.h>

enum migration_end migration_verdict(const struct domain_info *info, bool hung, bool migrated)
{
	if (hung)
		return MIGRATION_END_HANG;
	switch (info->end) {
	case DOMAIN_END_EXCEPTION:
		return MIGRATION_END_EXCEPTION;
	case DOMAIN_END_TERMINATED:
		return MIGRATION_END_KILLED;
	case DOMAIN_END_EXIT:
		break;
	default:
		return MIGRATION_END_EXIT;
	}
	switch (info->status) {
	case MIGRATION_DONE:
		return migrated ? MIGRATION_END_DONE : MIGRATION_END_EXIT;
	case MIGRATION_UNKNOWN:
		return MIGRATION_END_UNKNOWN;
	case MIGRATION_DAMAGED:
		return MIGRATION_END_DAMAGED;
	case MIGRATION_FAILED:
		return MIGRATION_END_REFUSED;
	case MIGRATION_DAMAGED_AFTER:
	case MIGRATION_CHECK:
		return MIGRATION_END_CHECK;
	default:
		return MIGRATION_END_EXIT;
	}
}

const char *migration_end_text(enum migration_end end)
{
	static const char *const text[] = {
	        [MIGRATION_END_NONE] = "the new program failed; the old one goes on",
	        [MIGRATION_END_DONE] = "the new program failed before it answered; the old one goes on with the old keep",
	        [MIGRATION_END_KILLED] = "the migration was killed again and again; the old program goes on",
	        [MIGRATION_END_EXCEPTION] = "the migration faulted; the old program goes on",
	        [MIGRATION_END_HANG] = "the migration did not end; the old program goes on",
	        [MIGRATION_END_EXIT] = "the migration panicked; the old program goes on",
	        [MIGRATION_END_UNKNOWN] = "the keep is none that the new program can migrate; the old one goes on",
	        [MIGRATION_END_DAMAGED] = "the keep is damaged: not migrated; the old program goes on",
	        [MIGRATION_END_REFUSED] = "the migration gave up; the old program goes on",
	        [MIGRATION_END_CHECK] = "the check refused what the migration made; the old program goes on",
	        [MIGRATION_END_NO_MEMORY] = "no memory for the migration; the old program goes on",
	};

	return text[end];
}
