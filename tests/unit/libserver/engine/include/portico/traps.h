/*
 * Kernel traps for the engine's tests: the numbers and types of the real header, but a trap is a call of the simulated
 * kernel (machine.c). Stands before include/ in the include path.
 */
#ifndef TESTS_ENGINE_TRAPS_H
#define TESTS_ENGINE_TRAPS_H

#define trap0 instruction_trap0
#define trap1 instruction_trap1
#define trap2 instruction_trap2
#define trap3 instruction_trap3
#define trap4 instruction_trap4
#define trap5 instruction_trap5
#define trap6 instruction_trap6
#define trap_msg instruction_trap_msg
#include_next <portico/traps.h>
#undef trap0
#undef trap1
#undef trap2
#undef trap3
#undef trap4
#undef trap5
#undef trap6
#undef trap_msg

int64_t machine_trap(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

static inline int64_t trap6(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return machine_trap(n, a, b, c, d, e, f);
}

static inline int64_t trap5(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return machine_trap(n, a, b, c, d, e, 0);
}

static inline int64_t trap4(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return machine_trap(n, a, b, c, d, 0, 0);
}

static inline int64_t trap2(uint64_t n, uint64_t a, uint64_t b)
{
	return machine_trap(n, a, b, 0, 0, 0, 0);
}

static inline int64_t trap1(uint64_t n, uint64_t a)
{
	return machine_trap(n, a, 0, 0, 0, 0, 0);
}

static inline int64_t trap_msg(uint64_t op, uint64_t destination, port_name_t receive, uint64_t deadline)
{
	return machine_trap(TRAP_msg, op, destination, receive, deadline, 0, 0);
}

#endif
