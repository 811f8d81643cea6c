/*
 * Random bytes for AT_RANDOM and uuids, with fresh ones of the processor in each; the generator is in servers/common.
 */
#include "kernel_ops.h"
#include "proc.h"

void random_bytes(void *to, size_t size)
{
	uint8_t fresh[32];

	kernel_entropy(fresh);
	random_generator_mix(&root->random, fresh, sizeof(fresh));
	random_generator_bytes(&root->random, to, size);
}
