/*
 * Runs a generated fuzz target on pseudo-random inputs, the same ones each time, without libFuzzer. It traps on a
 * failure.
 */
#include "everything_fake.h"
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RUNS 60000u

static uint64_t state = 88172645463325252u;

static uint32_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

int main(void)
{
	static uint8_t data[3200];
	unsigned handled = 0;
	for (unsigned run = 0; run < RUNS; run++) {
		size_t size = draw() % (run % 16 ? 256 : sizeof(data));
		for (size_t i = 0; i < size; i++)
			data[i] = draw() % 4 ? (uint8_t)(draw() % 8) : (uint8_t)draw();
		if (size > 3 && run % 4)
			data[3] = 0xf; /* all repairs: into the handlers */
		LLVMFuzzerTestOneInput(data, size);
		for (size_t i = 0; i < sizeof(everything_fake.calls) / sizeof(everything_fake.calls[0]); i++)
			handled += everything_fake.calls[i];
	}
	printf("%u requests, %u reached a handler\n", RUNS, handled);
	return handled < RUNS / 10;
}
