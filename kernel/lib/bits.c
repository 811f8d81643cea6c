/*
 * What gcc calls for __builtin_popcountll on a CPU that may lack POPCNT; its own library is not linked.
 */
#include <stdint.h>

int __popcountdi2(int64_t value);

int __popcountdi2(int64_t value)
{
	uint64_t v = (uint64_t)value;

	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (int)(v * 0x0101010101010101 >> 56);
}
