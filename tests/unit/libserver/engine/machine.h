/*
 * The kernel as the engine's tests see it: counters, counted traps, the commit, calls to another server, messages from
 * a script.
 *
 * All that a kernel remembers is in one structure in shared memory, beside the keep, the log and the endpoint: an
 * incarnation is a process, so its end takes everything but these. What others see is written into a journal, in order.
 */
#ifndef TESTS_ENGINE_MACHINE_H
#define TESTS_ENGINE_MACHINE_H

#include <portico/domain.h>
#include <portico/message.h>
#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names that the machine knows beside those that it gives. */
#define PEER 0x80000001u      /* send right to the other server */
#define DEAD_PEER 0x80000002u /* calls fail before they leave */
#define LISTENER 0x80000003u  /* right to notify */

/* Ordinals that the other server knows. */
#define PEER_ADD 0x70001u   /* two words: answers with its count of calls and the sum */
#define PEER_RIGHT 0x70002u /* answers the same and a new right */
#define PEER_FAIL 0x70003u  /* answers with EPERM */

/* A value that differs each time it is read has this in its upper half. */
#define FLEETING UINT64_C(0x5a3b1e7d)

#define NAMES 1024u
#define JOURNAL 4096u
#define WORDS 4

/* Badge of a caller whose memory is there for one access only, until it repeats its request. */
#define BADGE_FLEETING 1u

/* What happens to the server. kind: enum msg_kind, or SCRIPT_WAIT: time passes until `word`. */
#define SCRIPT_WAIT 100u
struct script {
	uint32_t kind;
	uint32_t ordinal; /* of the victim's interface */
	uint64_t badge, word;
	uint64_t data[WORDS];
	bool right; /* a right comes with it */
};

enum journal_kind {
	JOURNAL_REPLY = 1, /* request, errno, lengths, contents */
	JOURNAL_CALL,      /* what the other server received */
	JOURNAL_OPERATION, /* a trap that creates */
	JOURNAL_EFFECT,    /* an operation of a commit */
	JOURNAL_WORD,
	JOURNAL_LOST, /* a caller that nobody can answer */
};

struct machine {
	struct portico_counters counters;
	uint32_t next, limit; /* position in the script, and where it ends for this run */
	uint64_t now;
	uint64_t caller;     /* request in the reply slot; 0: none */
	uint64_t requests;   /* ids given */
	uint64_t accesses;   /* of windows, since the delivery */
	uint64_t badge;      /* of the request in service */
	uint8_t name[NAMES]; /* by number: enum right_kind, 0: gone */
	uint64_t request_of[NAMES];
	uint32_t names;
	uint64_t mapped; /* bytes from SERVER_MAPPINGS */
	bool pending;    /* a call is under way */
	uint64_t pending_op, pending_ordinal;
	uint64_t peer_calls;
	uint64_t fleeting;    /* times that something was read that is never the same */
	uint8_t client[4096]; /* memory of the caller, for windows */
	uint32_t journal_end;
	uint64_t journal[JOURNAL];
};
extern struct machine *machine;

/* The incarnation's exit status. */
enum { ENDED_FINISHED = 0, ENDED_BY_ITSELF = 3 };

/* Maps what survives incarnations; once. */
void machine_map(void);
/* Kernel, keep, log and endpoint as at the first start. */
void machine_reset(void);
/* The other server takes the call that is under way, and answers. */
void machine_answer(void);
void machine_publish(void);
/* A read of something that is never the same: for the victim. */
uint64_t machine_fleeting(void);

/* Called at the end of each trap, and inside those that have moments at which an incarnation can end. */
extern void (*machine_moment)(void);
/* Traps are steps of their own: while the machine works, nobody looks at what is changing. */
extern volatile bool machine_busy;

/* What to run, and how it was told to start. */
extern const struct script *machine_script;
extern uint64_t machine_start_flags;

/* The parts of memory that survive and that are looked at. */
struct area {
	void *start;
	size_t size;
};
extern struct area machine_area[];
extern const size_t machine_areas;

#endif
