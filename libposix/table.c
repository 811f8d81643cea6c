/*
 * From Linux system-call numbers to handlers.
 *
 * A handler takes up to six arguments and returns a result or a negative errno (or a restart_result, thread.h). Handlers
 * have parameters of their own types, so the table only knows their addresses.
 */
#include "syscalls.h"
#include "thread.h"

#define S(number, name, kinds) extern const char sys_##name[];
#define N(number, name, kinds)
SYSCALLS(S, N)
#undef S
#undef N

int64_t syscall_unknown(void);

/* Every slot first, then the handlers over them. */
#pragma GCC diagnostic ignored "-Woverride-init"
static const void *const handlers[SYSCALL_HANDLERS] = {
	[0 ... SYSCALL_HANDLERS - 1] = (const void *)syscall_unknown,
#define S(number, name, kinds) [number] = sys_##name,
#define N(number, name, kinds)
	SYSCALLS(S, N)
#undef S
#undef N
};

const void *const *syscall_handlers = handlers;
const void *const *const syscall_real_handlers = handlers;

/* Calls that nobody handles, by number (the last counts all beyond the table): to be seen with a debugger or in a core. */
static uint32_t unknown_calls[SYSCALL_HANDLERS + 1];

int64_t syscall_unknown(void)
{
	uint64_t number = (uint64_t)thread_self()->number;
	__atomic_add_fetch(&unknown_calls[number < SYSCALL_HANDLERS ? number : SYSCALL_HANDLERS], 1, __ATOMIC_RELAXED);
	return -ENOSYS;
}
