/*
 * System calls on signals: dispositions, masks, sending, waiting, the alternate stack.
 *
 * Above: table.c. Below: signals.c, and sig for all that concerns more than this thread.
 */
#include "signals.h"
#include "time.h"
#include "usercopy.h"

#include <sig_client.h>

#define SET_SIZE 8u
#define MINIMUM_STACK 2048u
#define SLEEP_INTERRUPTIBLE (MSG_INTERRUPTIBLE >> MSG_OP_SHIFT)

static bool is_signal(int signal)
{
	return signal >= 1 && signal <= L_NSIG;
}

int64_t sys_rt_sigaction(int signal, const struct linux_sigaction *action, struct linux_sigaction *old, size_t size)
{
	struct linux_sigaction wanted, previous;

	if (size != SET_SIZE || !is_signal(signal) || (action && (signal == L_SIGKILL || signal == L_SIGSTOP)))
		return -EINVAL;
	if (action && user_get(&wanted, action))
		return -EFAULT;
	previous = signal_actions[signal - 1];
	if (action) {
		wanted.mask &= ~(SIGNAL_BIT(L_SIGKILL) | SIGNAL_BIT(L_SIGSTOP));
		wanted.flags &= ~(uint64_t)L_SA_UNSUPPORTED;
		signal_set_action(signal, &wanted);
	}
	return old ? user_put(old, &previous) : 0;
}

int64_t sys_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
	struct thread_state *thread = thread_self();
	uint64_t blocked = signals_blocked(thread), wanted;

	if (size != SET_SIZE)
		return -EINVAL;
	if (set) {
		if (user_get(&wanted, set))
			return -EFAULT;
		switch (how) {
		case 0:
			wanted |= blocked;
			break;
		case 1:
			wanted = blocked & ~wanted;
			break;
		case 2:
			break;
		default:
			return -EINVAL;
		}
		signals_set_blocked(thread, wanted);
	}
	return old ? user_put(old, &blocked) : 0;
}

/* Comes back with all registers of the frame: by the slow way out, as no system call. */
int64_t sys_rt_sigreturn(void)
{
	struct thread_state *thread = thread_self();

	if (frame_pop(thread)) {
		thread->regs.rip = client_block()->syscall_rip;
		thread->regs.rflags = client_block()->syscall_rflags;
		thread->number = -1;
		attend_to_signals();
		return signals_bad_frame(thread);
	}
	thread->number = -1;
	attend_to_signals();
	return (int64_t)thread->regs.rax;
}

int64_t sys_rt_sigpending(uint64_t *set, size_t size)
{
	struct thread_state *thread = thread_self();
	const struct signal_page *page = signal_page();
	uint64_t pending = (page->pending | page->thread[thread->slot].pending) & signals_blocked(thread);

	if (size > SET_SIZE)
		return -EINVAL;
	return user_copy(set, &pending, size);
}

int64_t sys_rt_sigsuspend(const uint64_t *mask, size_t size)
{
	int64_t error = signals_use_mask(mask, size);
	if (error)
		return error;
	trap2(TRAP_thread_sleep, DEADLINE_NEVER, SLEEP_INTERRUPTIBLE);
	return interrupted_wait();
}

int64_t sys_pause(void)
{
	trap2(TRAP_thread_sleep, DEADLINE_NEVER, SLEEP_INTERRUPTIBLE);
	return interrupted_wait();
}

/* One signal of `set`, now. 0: none. */
static int take_now(struct thread_state *thread, uint64_t set, struct linux_siginfo *info)
{
	struct sig_signal_info taken;
	const struct signal_page *page = signal_page();

	if (!((__atomic_load_n(&page->pending, __ATOMIC_SEQ_CST) |
	       __atomic_load_n(&page->thread[thread->slot].pending, __ATOMIC_SEQ_CST)) & set))
		return 0;
	if (sig_take(NAME_SIG, thread->slot, set, &taken))
		return 0;
	signal_info_convert(&taken, info);
	return taken.signal;
}

static int wait_for_one(struct thread_state *thread, uint64_t set, uint64_t deadline, struct linux_siginfo *info)
{
	for (;;) {
		client_block()->interrupted = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		int signal = take_now(thread, set, info);
		if (signal)
			return signal;
		if (signals_deliverable(thread))
			return -EINTR;
		int64_t status = trap2(TRAP_thread_sleep, deadline, SLEEP_INTERRUPTIBLE);
		if (status != KERN_INTERRUPTED) {
			signal = take_now(thread, set, info);
			return signal ? signal : -EAGAIN;
		}
	}
}

int64_t sys_rt_sigtimedwait(const uint64_t *user_set, struct linux_siginfo *user_info, const struct linux_timespec *timeout,
			    size_t size)
{
	struct thread_state *thread = thread_self();
	struct signal_thread *slot = &signal_page()->thread[thread->slot];
	struct linux_siginfo info;
	uint64_t set, deadline = DEADLINE_NEVER;

	if (size != SET_SIZE)
		return -EINVAL;
	if (user_get(&set, user_set))
		return -EFAULT;
	int64_t error = timeout ? deadline_from_user(timeout, &deadline) : 0;
	if (error)
		return error;
	set &= ~(SIGNAL_BIT(L_SIGKILL) | SIGNAL_BIT(L_SIGSTOP));
	__atomic_store_n(&slot->waiting, set, __ATOMIC_SEQ_CST);
	int64_t result = wait_for_one(thread, set, deadline, &info);
	__atomic_store_n(&slot->waiting, 0, __ATOMIC_SEQ_CST);
	if (signals_deliverable(thread))
		attend_to_signals();
	if (result > 0 && user_info && user_put(user_info, &info))
		return -EFAULT;
	return result;
}

/* After sending: a signal to this very thread is delivered before the call returns. */
static int64_t sent(int error)
{
	if (signals_deliverable(thread_self()))
		attend_to_signals();
	return -(int64_t)error;
}

int64_t sys_kill(int pid, int signal)
{
	if (signal < 0 || signal > L_NSIG)
		return -EINVAL;
	return sent(sig_kill(NAME_SIG, pid, (uint32_t)signal));
}

int64_t sys_tkill(int tid, int signal)
{
	if (tid <= 0 || signal < 0 || signal > L_NSIG)
		return -EINVAL;
	return sent(sig_thread_kill(NAME_SIG, 0, tid, (uint32_t)signal));
}

int64_t sys_tgkill(int group, int tid, int signal)
{
	if (group <= 0 || tid <= 0 || signal < 0 || signal > L_NSIG)
		return -EINVAL;
	return sent(sig_thread_kill(NAME_SIG, group, tid, (uint32_t)signal));
}

static int64_t queue(int pid, int tid, int signal, const struct linux_siginfo *user_info)
{
	struct linux_siginfo info;

	if (user_get(&info, user_info))
		return -EFAULT;
	if (signal < 0 || signal > L_NSIG)
		return -EINVAL;
	/* Only the kernel's own voice has these codes; to oneself everything may be said. */
	if ((info.code >= 0 || info.code == L_SI_TKILL) && pid != (int)process.pid)
		return -EPERM;
	struct sig_signal_info wire = {
		.signal = signal, .error = info.error, .code = info.code, .pid = (uint32_t)info.u.queue.pid,
		.uid = info.u.queue.uid, .value = info.u.queue.value };
	return sent(sig_queue(NAME_SIG, pid, tid, &wire));
}

int64_t sys_rt_sigqueueinfo(int pid, int signal, const struct linux_siginfo *info)
{
	return queue(pid, 0, signal, info);
}

int64_t sys_rt_tgsigqueueinfo(int group, int tid, int signal, const struct linux_siginfo *info)
{
	if (group <= 0 || tid <= 0)
		return -EINVAL;
	return queue(group, tid, signal, info);
}

int64_t sys_sigaltstack(const struct linux_stack *stack, struct linux_stack *old)
{
	struct thread_state *thread = thread_self();
	struct linux_stack wanted, previous = { thread->stack_base, thread->stack_flags, 0, thread->stack_size };

	if (thread->stack_size == 0)
		previous.flags |= L_SS_DISABLE;
	else if (on_alternate_stack(thread))
		previous.flags |= L_SS_ONSTACK;
	if (stack) {
		if (user_get(&wanted, stack))
			return -EFAULT;
		if (previous.flags & L_SS_ONSTACK)
			return -EPERM;
		if (wanted.flags & ~(L_SS_DISABLE | L_SS_ONSTACK | L_SS_AUTODISARM))
			return -EINVAL;
		if (!(wanted.flags & L_SS_DISABLE) && wanted.size < MINIMUM_STACK)
			return -ENOMEM;
		bool off = wanted.flags & L_SS_DISABLE;
		thread->stack_base = off ? 0 : wanted.base;
		thread->stack_size = off ? 0 : wanted.size;
		thread->stack_flags = off ? L_SS_DISABLE : wanted.flags & L_SS_AUTODISARM;
	}
	return old ? user_put(old, &previous) : 0;
}

int64_t sys_restart_syscall(void)
{
	return -EINTR; /* interrupted calls are repeated under their own number: nobody is ever sent here */
}
