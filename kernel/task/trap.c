/*
 * The trap table: one line of include/portico/traps.h, one handler. entry.S calls it with the arguments as they came.
 */
#include <kernel/arch/arch.h>
#include <kernel/task/domain.h>
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

static int64_t trap_counted(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
int64_t (*const trap_table[2 * TRAP_MAX])(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) = {
	[0 ... TRAP_MAX - 1] = trap_unknown,
	[TRAP_COUNTED ... TRAP_COUNTED + TRAP_MAX - 1] = trap_counted,
#define T(name, number, arguments) [number] = trap_handle_##name,
	PORTICO_TRAPS(T)
#undef T
};
#pragma GCC diagnostic pop

_Static_assert(TRAP_COUNTED == TRAP_MAX, "the second half of the table");

/*
 * A trap of a domain's thread that is counted with its effect (include/portico/domain.h). One that is put off, or waits, has
 * not been done yet and comes again.
 */
static int64_t trap_counted(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct thread *self = thread_current();
	uint64_t number = (uint64_t)-(int64_t)self->registers.rax - TRAP_COUNTED;
	int64_t result;

	if (self->domain == NULL || number == TRAP_msg)
		return KERN_NOT_SUPPORTED;
	result = trap_table[number](a, b, c, d, e, f);
	if (self->state == THREAD_RUNNING) {
		thread_counters(self)->operations++;
		thread_counters(self)->operation_result = result;
	}
	return result;
}
