/*
 * Injected corruption: one bit of a server's keep changes its value while the server waits for a message, as memory that
 * decays or another's wild store would have it. For tests of what becomes of that (docs/guide/faults.md).
 */
#include "root.h"
#include <portico/client.h>

static int64_t sampled_read(port_name_t object, uint64_t offset, void *to, size_t size)
{
	int64_t n = trap4(TRAP_object_read, object, offset, (uint64_t)to, size);

	server_sample(&n, sizeof(n));
	server_sample(to, size);
	return n;
}

static uint64_t extent(port_name_t keep)
{
	uint8_t start[KEEP_EXTENT_BYTES] = {0};

	return sampled_read(keep, 0, start, sizeof(start)) == (int64_t)sizeof(start) ? keep_extent(start) : 0;
}

static void flip(port_name_t keep, uint64_t bit, uint64_t only, struct answer *answer)
{
	uint8_t byte = 0, flipped;

	if (sampled_read(keep, bit / 8, &byte, 1) != 1) {
		answer_add(answer, "error: bit %llu cannot be read\n", (unsigned long long)bit);
		return;
	}
	flipped = byte ^ (uint8_t)(1u << bit % 8);
	if (only != FLIP_ANY && byte != only)
		answer_add(answer, "byte 0x%x kept\n", byte);
	else if (server_trap(TRAP_object_write, keep, bit / 8, (uint64_t)&flipped, 1, 0, 0) < 0)
		answer_add(answer, "error: bit %llu cannot be written\n", (unsigned long long)bit);
	else
		answer_add(answer, "byte 0x%x was 0x%x\n", flipped, byte);
}

void flip_size(unsigned index, struct answer *answer)
{
	answer_add(answer, "bits %llu\n", (unsigned long long)extent(root->client[index].keep) * 8);
}

/* The place of the next word that is not zero, at or after `offset`; the end: there is none. Not sampled. */
static uint64_t next_used(port_name_t keep, uint64_t offset, uint64_t end)
{
	static uint64_t words[PAGE_SIZE / sizeof(uint64_t)];

	for (offset &= -UINT64_C(8); offset < end; offset += sizeof(words)) {
		int64_t n = trap4(TRAP_object_read, keep, offset, (uint64_t)words, sizeof(words));
		for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(words[0]) && offset + i * 8 < end; i++)
			if (words[i] != 0)
				return offset + i * sizeof(words[0]);
	}
	return end;
}

void flip_used(unsigned index, uint64_t bit, struct answer *answer)
{
	port_name_t keep = root->client[index].keep;
	uint64_t end = extent(keep), at = server_sample_word(next_used(keep, bit / 8, end));

	if (at >= end)
		answer_add(answer, "error: all is zero from bit %llu on\n", (unsigned long long)bit);
	else
		answer_add(answer, "bit %llu\n", (unsigned long long)(at / 8 == bit / 64 ? bit : at * 8 + bit % 64));
}

int flip_bit(unsigned index, uint64_t bit, uint64_t only, struct answer *answer)
{
	struct root_client *client = &root->client[index];

	if (client->task == PORT_NULL)
		return ESRCH;
	(void)server_trap(TRAP_task_suspend, client->task, 0, 0, 0, 0, 0);
	bool between = supervise_between(index);
	if (between && bit / 8 >= extent(client->keep))
		answer_add(answer, "error: the keep has no bit %llu\n", (unsigned long long)bit);
	else if (between)
		flip(client->keep, bit, only, answer);
	server_queue(TRAP_task_resume, client->task, 0, 0, 0, 0, 0);
	return between ? 0 : EBUSY;
}
