/*
 * Live update to a program whose keep looks different: what root and libserver agree about.
 *
 * A program carries notes of the owner "portico.layout" (section .note.portico.layout): one of type LAYOUT_NOTE_OWN with its own
 * fingerprint, and one of type LAYOUT_NOTE_FROM for each older layout from which it can migrate. root starts such a program first as a
 * *migrator*: in a recovery domain of its own without rights but the log's, with a copy-on-write copy of the keep at SERVER_KEEP, the keep
 * itself read-only at SERVER_OLD_KEEP, and the start flag SERVER_START_MIGRATE. It ends with one of these statuses.
 */
#ifndef PORTICO_MIGRATION_H
#define PORTICO_MIGRATION_H

#include <stdint.h>

#define LAYOUT_NOTE_OWNER "portico.layout"
#define LAYOUT_NOTE_OWN 1u
#define LAYOUT_NOTE_FROM 2u
#define LAYOUT_KEEP 64u /* digits of the fingerprint: of the keep ... */
#define LAYOUT_LOG 16u  /* ... and of the transaction log */
#define LAYOUT_LENGTH (LAYOUT_KEEP + LAYOUT_LOG)

/* Exit status of a migrator. The odd number: no accident exits with MIGRATION_DONE. */
enum migration_status {
	MIGRATION_DONE = 0x6d696772,
	MIGRATION_UNKNOWN = 1,  /* it has no migration from the layout that the keep says it has */
	MIGRATION_DAMAGED,      /* the keep's heap is not in order before it begins */
	MIGRATION_FAILED,       /* the migration returned an error */
	MIGRATION_DAMAGED_AFTER,
	MIGRATION_CHECK,        /* the server's own check refused the result */
};

/* What the first bytes of each keep are, whatever its layout: root reads the fingerprint there. */
struct keep_identity {
	uint64_t magic; /* KEEP_MAGIC */
	char layout[LAYOUT_LENGTH];
};
#define KEEP_MAGIC UINT64_C(0x7065656b6f636974)

#endif
