/*
 * Random numbers for /dev/random and /dev/urandom: ChaCha20 (RFC 8439) as a generator that forgets. After each request
 * the key is replaced by output that nobody has seen, so that what was given out cannot be computed from what is in
 * memory later.
 */
#include "vfs.h"

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

static void seed(struct random_state *random)
{
	static const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	for (unsigned i = 0; i < 4; i++)
		random->word[i] = constant[i];
	for (unsigned i = 4; i < 16; i += 2) {
		uint64_t bits = memory_entropy();
		random->word[i] ^= (uint32_t)bits;
		random->word[i + 1] ^= (uint32_t)(bits >> 32);
	}
	random->seeded = 1;
}

static void forget(struct random_state *random)
{
	uint32_t out[16];

	chacha_block(random->word, out);
	memcpy(random->word + 4, out, 32);
	memset(out, 0, sizeof(out));
}

void random_bytes(void *to, size_t size)
{
	struct random_state *random = &vfs->random;
	uint32_t out[16];

	if (!random->seeded)
		seed(random);
	for (size_t done = 0; done < size; done += sizeof(out)) {
		chacha_block(random->word, out);
		memcpy((uint8_t *)to + done, out, size - done < sizeof(out) ? size - done : sizeof(out));
	}
	memset(out, 0, sizeof(out));
	forget(random);
}

void random_stir(const void *from, size_t size)
{
	struct random_state *random = &vfs->random;
	const uint8_t *bytes = from;

	if (!random->seeded)
		seed(random);
	for (size_t i = 0; i < size; i++) {
		random->word[4 + i / 4 % 8] ^= (uint32_t)bytes[i] << i % 4 * 8;
		if (i % 32 == 31)
			forget(random);
	}
	forget(random);
}
