/*
 * Random bytes for AT_RANDOM: ChaCha20 keyed from the processor (kernel_entropy). The key is in the keep and changes
 * with each use.
 */
#include "kernel_ops.h"
#include "proc.h"

#include <portico/strings.h>

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

/* One block of RFC 8439's function with a 64-bit counter and no nonce. */
static void chacha_block(const uint8_t key[32], uint64_t counter, uint8_t out[64])
{
	uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	memcpy(&state[4], key, 32);
	memcpy(&state[12], &counter, sizeof(counter));
	uint32_t x[16];
	memcpy(x, state, sizeof(x));
	for (int round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++)
			quarter(x, i, 4 + i, 8 + i, 12 + i);
		for (unsigned i = 0; i < 4; i++)
			quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	for (unsigned i = 0; i < 16; i++)
		x[i] += state[i];
	memcpy(out, x, sizeof(x));
}

void random_bytes(void *to, size_t size)
{
	uint8_t fresh[32], block[64];
	uint8_t *out = to;

	kernel_entropy(fresh);
	for (size_t i = 0; i < sizeof(fresh); i++)
		root->random_key[i] ^= fresh[i];
	while (size > 0) {
		/* Half of each block is the next key, so that what was given out cannot be computed back. */
		chacha_block(root->random_key, root->random_count++, block);
		memcpy(root->random_key, block, 32);
		size_t n = size < 32 ? size : 32;
		memcpy(out, block + 32, n);
		out += n;
		size -= n;
	}
	memset(block, 0, sizeof(block));
}
