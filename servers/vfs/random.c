/*
 * Random numbers for /dev/random and /dev/urandom: the generator is in servers/common.
 */
#include "vfs.h"

static struct random_generator *generator(void)
{
	if (!vfs->random_seeded) {
		uint64_t entropy[4];
		for (unsigned i = 0; i < 4; i++)
			entropy[i] = memory_entropy();
		random_generator_mix(&vfs->random, entropy, sizeof(entropy));
		vfs->random_seeded = true;
	}
	return &vfs->random;
}

void random_bytes(void *to, size_t size)
{
	random_generator_bytes(generator(), to, size);
}

void random_stir(const void *from, size_t size)
{
	random_generator_mix(generator(), from, size);
}
