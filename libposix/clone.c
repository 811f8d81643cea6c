/*
 * clone, clone3, fork, vfork: flags checked and sorted into new threads (threads.c: clone_thread) and new processes
 * (clone_process). Nothing else here.
 */
#include "linux.h"
#include "thread.h"
#include "usercopy.h"

#define EXIT_SIGNAL_MASK 0xffu
#define CLONE_ARGS_FIRST 64u

/* Namespaces, pidfds and cgroups are not there. Files and file-system state are shared by threads only. */
static int64_t clone_any(struct clone_request *request)
{
	uint64_t flags = request->flags;

	if (flags & (L_CLONE_NAMESPACES | L_CLONE_PIDFD | L_CLONE_INTO_CGROUP))
		return -EINVAL;
	if ((flags & L_CLONE_THREAD) && !(flags & L_CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & L_CLONE_SIGHAND) && (!(flags & L_CLONE_VM) || (flags & L_CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	if (request->exit_signal > 64)
		return -EINVAL;
	return flags & L_CLONE_THREAD ? clone_thread(request) : clone_process(request);
}

int64_t sys_clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls)
{
	struct clone_request request = {
		.flags = flags & ~(uint64_t)EXIT_SIGNAL_MASK & UINT32_MAX, .exit_signal = flags & EXIT_SIGNAL_MASK, .stack = stack,
		.parent_tid = parent_tid, .child_tid = child_tid, .tls = tls };
	return clone_any(&request);
}

int64_t sys_clone3(const struct linux_clone_args *user, size_t size)
{
	struct linux_clone_args args = { .flags = 0 };

	if (size < CLONE_ARGS_FIRST)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (user_copy(&args, user, size < sizeof(args) ? size : sizeof(args)))
		return -EFAULT;
	if (args.set_tid_size || (args.stack == 0) != (args.stack_size == 0) || (args.flags & EXIT_SIGNAL_MASK))
		return -EINVAL;
	if (args.exit_signal > EXIT_SIGNAL_MASK)
		return -EINVAL;
	struct clone_request request = {
		.flags = args.flags, .exit_signal = (uint32_t)args.exit_signal, .stack = args.stack ? args.stack + args.stack_size : 0,
		.parent_tid = args.parent_tid, .child_tid = args.child_tid, .tls = args.tls };
	return clone_any(&request);
}

int64_t sys_fork(void)
{
	struct clone_request request = { .exit_signal = L_SIGCHLD };
	return clone_process(&request);
}

int64_t sys_vfork(void)
{
	struct clone_request request = { .flags = L_CLONE_VM | L_CLONE_VFORK, .exit_signal = L_SIGCHLD };
	return clone_process(&request);
}
