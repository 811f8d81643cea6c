/*
 * The trap table: one line of include/portico/traps.h, one handler. entry.S calls it with the arguments as they came.
 */
#include <kernel/arch/arch.h>
#include <portico/traps.h>

#define T(name, number, arguments)                                                                                     \
	int64_t trap_handle_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
PORTICO_TRAPS(T)
#undef T

static int64_t trap_unknown(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return KERN_NOT_SUPPORTED;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
int64_t (*const trap_table[128])(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) = {
	[0 ... 127] = trap_unknown,
#define T(name, number, arguments) [number] = trap_handle_##name,
	PORTICO_TRAPS(T)
#undef T
};
#pragma GCC diagnostic pop
