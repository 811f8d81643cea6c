/*
 * ChaCha20 as a generator. See random_generator.h.
 */
#include "random_generator.h"

#include <portico/strings.h>

#define KEY 4u /* word: the key's first of eight */
#define KEY_BYTES 32u

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

static void chacha_block(uint32_t *state, uint32_t *out)
{
	for (unsigned i = 0; i < 16; i++)
		out[i] = state[i];
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 4; i++)
			quarter(out, i, 4 + i, 8 + i, 12 + i);
		for (unsigned i = 0; i < 4; i++)
			quarter(out, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] += state[i];
	if (++state[12] == 0)
		state[13]++;
}

static void forget(struct random_generator *generator)
{
	uint32_t out[16];

	chacha_block(generator->word, out);
	memcpy(generator->word + KEY, out, KEY_BYTES);
	memset(out, 0, sizeof(out));
}

void random_generator_mix(struct random_generator *generator, const void *bytes, size_t size)
{
	static const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	const uint8_t *from = bytes;

	memcpy(generator->word, constant, sizeof(constant));
	for (size_t i = 0; i < size; i++) {
		generator->word[KEY + i / 4 % 8] ^= (uint32_t)from[i] << i % 4 * 8;
		if (i % KEY_BYTES == KEY_BYTES - 1)
			forget(generator);
	}
	forget(generator);
}

void random_generator_bytes(struct random_generator *generator, void *to, size_t size)
{
	uint32_t out[16];

	for (size_t done = 0; done < size; done += sizeof(out)) {
		chacha_block(generator->word, out);
		memcpy((uint8_t *)to + done, out, size - done < sizeof(out) ? size - done : sizeof(out));
	}
	memset(out, 0, sizeof(out));
	forget(generator);
}
