/*
 * Kills a server at every moment, and compares what becomes of it with what an undisturbed server did. See explore.c.
 */
#ifndef TESTS_ENGINE_EXPLORE_H
#define TESTS_ENGINE_EXPLORE_H

#include "machine.h"

struct explored {
	unsigned long moments; /* at which the server was killed */
	unsigned long twice;   /* and killed again in its recovery */
	unsigned long failures;
	char first[400]; /* the first failure, in words */
};

/* What an incarnation or several made of a script. */
struct outcome {
	bool finished;
	unsigned deaths;   /* by itself */
	unsigned given_up; /* starts with SERVER_START_GIVE_UP */
};

/* How much is tried: at every `again`-th moment, the recovery is killed at each of its moments, too; 0: never. */
struct effort {
	unsigned stride, again;
};

/* Runs the script from the first start, without killing; deaths are followed by new incarnations. */
struct outcome explore_run(const struct script *script, unsigned length);

/* The same, killed at every moment of every message. Moments: each instruction that changed what survives, and what the
 * kernel does. */
void explore(const struct script *script, unsigned length, struct effort effort, struct explored *explored);

/* Of the journal: how many replies to `request` there were, and the error of the last. */
unsigned explore_replies(uint64_t request, uint64_t *error);
/* Operations and words of commits. */
unsigned explore_effects(void);
/* Names that live. */
unsigned explore_names(void);
/* A checksum of the keep, of names and of words. */
uint64_t explore_state(void);

#endif
