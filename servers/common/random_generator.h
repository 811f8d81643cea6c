/*
 * A generator of random bytes: ChaCha20 (RFC 8439) that forgets. After each request the key is replaced by output that
 * nobody has seen, so that what was given out cannot be computed from what is in memory later.
 *
 * Above: vfs (/dev/random) and proc (AT_RANDOM, uuid). Pure: where the unpredictable bytes come from is the caller's
 * affair. The state may lie in a keep.
 */
#ifndef SERVERS_RANDOM_GENERATOR_H
#define SERVERS_RANDOM_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

struct random_generator {
	uint32_t word[16]; /* constants, key, counter and nonce; all zero: new */
};

/* Mixes bytes into the key: entropy, or whatever somebody writes. Never makes it more predictable. */
void random_generator_mix(struct random_generator *generator, const void *bytes, size_t size);
/* Output. Something unpredictable must have been mixed in before. */
void random_generator_bytes(struct random_generator *generator, void *to, size_t size);

#endif
