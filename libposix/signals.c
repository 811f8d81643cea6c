/*
 * Signals: dispositions, the page shared with sig, and what happens to pending ones on the way back to the program.
 *
 * Above: every return to the program on which the thread was interrupted (entry.S). Below: sig (pending sets), proc (death).
 * Protocol with sig: see include/portico/signal_page.h. Does not queue anything itself: sig's queues are the only ones.
 */
#include "signals.h"

#include "string.h"
#include "usercopy.h"

#include <proc_client.h>
#include <sig_client.h>

#define UNBLOCKABLE (SIGNAL_BIT(L_SIGKILL) | SIGNAL_BIT(L_SIGSTOP))
#define SYSCALL_INSTRUCTION 2u
#define CHILD_STOPPED 5
#define CHILD_CONTINUED 6

struct linux_sigaction signal_actions[L_NSIG];
PROCESS_LOCK actions_lock;

enum default_action signal_default(int signal)
{
	switch (signal) {
	case L_SIGCHLD:
	case L_SIGURG:
	case L_SIGWINCH:
		return DEFAULT_IGNORE;
	case L_SIGCONT:
		return DEFAULT_CONTINUE;
	case L_SIGSTOP:
	case L_SIGTSTP:
	case L_SIGTTIN:
	case L_SIGTTOU:
		return DEFAULT_STOP;
	default:
		return DEFAULT_TERMINATE;
	}
}

/* ---- the page ---- */

static struct signal_thread *page_of(const struct thread_state *thread)
{
	return &signal_page()->thread[thread->slot];
}

uint64_t signals_blocked(const struct thread_state *thread)
{
	return page_of(thread)->blocked;
}

uint64_t signals_ignored(void)
{
	uint64_t set = 0;
	for (int signal = 1; signal <= L_NSIG; signal++)
		if (signal_actions[signal - 1].handler == L_SIG_IGN)
			set |= SIGNAL_BIT(signal);
	return set;
}

static uint64_t pending_in(const struct thread_state *thread)
{
	return __atomic_load_n(&signal_page()->pending, __ATOMIC_SEQ_CST) |
	       __atomic_load_n(&page_of(thread)->pending, __ATOMIC_SEQ_CST);
}

static uint64_t deliverable_in(const struct thread_state *thread)
{
	return pending_in(thread) & ~page_of(thread)->blocked;
}

bool signals_deliverable(struct thread_state *thread)
{
	return deliverable_in(thread) != 0;
}

void signals_set_blocked(struct thread_state *thread, uint64_t mask)
{
	__atomic_store_n(&page_of(thread)->blocked, mask & ~UNBLOCKABLE, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (signals_deliverable(thread))
		attend_to_signals();
}

int64_t signals_use_mask(const uint64_t *mask, size_t size)
{
	struct thread_state *thread = thread_self();
	uint64_t wanted;

	if (size != sizeof(wanted))
		return -EINVAL;
	if (user_get(&wanted, mask))
		return -EFAULT;
	if (!thread->restore_mask) {
		thread->saved_mask = signals_blocked(thread);
		thread->restore_mask = true;
	}
	signals_set_blocked(thread, wanted);
	return 0;
}

static void publish_action(int signal)
{
	const struct linux_sigaction *action = &signal_actions[signal - 1];
	uint64_t bit = SIGNAL_BIT(signal);
	bool ignored = action->handler == L_SIG_IGN || (action->handler == L_SIG_DFL && signal_default(signal) == DEFAULT_IGNORE);
	bool caught = action->handler != L_SIG_IGN && action->handler != L_SIG_DFL;
	struct signal_page *page = signal_page();

	page->ignored = ignored ? page->ignored | bit : page->ignored & ~bit;
	page->caught = caught ? page->caught | bit : page->caught & ~bit;
}

static bool reaps_itself(const struct linux_sigaction *action)
{
	return action->handler == L_SIG_IGN || (action->flags & L_SA_NOCLDWAIT);
}

void signal_set_action(int signal, const struct linux_sigaction *action)
{
	lock_take(&actions_lock);
	bool reaped = reaps_itself(&signal_actions[signal - 1]);
	signal_actions[signal - 1] = *action;
	publish_action(signal);
	lock_drop(&actions_lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if ((signal_page()->ignored & SIGNAL_BIT(signal)) && (pending_in(thread_self()) & SIGNAL_BIT(signal)))
		sig_discard(NAME_SIG, SIGNAL_BIT(signal));
	if (signal == L_SIGCHLD && reaped != reaps_itself(action))
		proc_child_policy(NAME_PROC, reaps_itself(action));
}

/* Maps the page that sig gives; without sig a private one takes its place, and no signal ever comes. */
void signals_attach(bool fresh)
{
	port_name_t pages = PORT_NULL;
	uint64_t size = (sizeof(struct signal_page) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	int64_t status = KERN_DEAD;

	if (sig_attach(NAME_SIG, &pages) == 0 && pages != PORT_NULL) {
		status = trap6(TRAP_vm_map, TASK_SELF, LIBPOSIX_SHARED, size, pages, 0,
			       VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE);
		client_release_right(pages);
	}
	if (status < 0)
		trap6(TRAP_vm_map, TASK_SELF, LIBPOSIX_SHARED, size, PORT_NULL, 0,
		      VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE);
	(void)fresh;
	for (int signal = 1; signal <= L_NSIG; signal++)
		publish_action(signal);
}

void signals_inherit(uint64_t ignored, uint64_t blocked)
{
	for (int signal = 1; signal <= L_NSIG; signal++) {
		if (!(ignored & SIGNAL_BIT(signal)))
			continue;
		signal_actions[signal - 1].handler = L_SIG_IGN;
		publish_action(signal);
	}
	signals_thread_begin(thread_self(), blocked);
}

/* A forked child: dispositions came with the memory; its pages are new. */
void signals_child(const struct child_start *start)
{
	if (start->clear_handlers)
		for (int i = 0; i < L_NSIG; i++)
			if (signal_actions[i].handler != L_SIG_IGN)
				signal_actions[i] = (struct linux_sigaction){ .handler = L_SIG_DFL };
	signals_attach(true);
	signals_thread_begin(thread_self(), start->blocked);
}

void signals_thread_begin(struct thread_state *thread, uint64_t blocked)
{
	struct signal_page *page = signal_page();
	struct signal_thread *slot = page_of(thread);
	uint64_t slots = __atomic_load_n(&page->slots, __ATOMIC_RELAXED);

	slot->waiting = 0;
	slot->blocked = blocked & ~UNBLOCKABLE;
	__atomic_store_n(&slot->tid, thread->tid, __ATOMIC_SEQ_CST);
	while (slots < thread->slot + 1u &&
	       !__atomic_compare_exchange_n(&page->slots, &slots, thread->slot + 1u, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (signals_deliverable(thread))
		attend_to_signals();
}

void signals_thread_end(struct thread_state *thread)
{
	page_of(thread)->blocked = ~UINT64_C(0);
	__atomic_store_n(&page_of(thread)->tid, 0, __ATOMIC_SEQ_CST);
}

/* ---- delivery ---- */

void signal_info_convert(const struct sig_signal_info *from, struct linux_siginfo *to)
{
	*to = (struct linux_siginfo){ .signo = from->signal, .error = from->error, .code = from->code };
	if (from->code == L_SI_TIMER) {
		to->u.timer.timer = from->timer;
		to->u.timer.overrun = from->overrun;
		to->u.timer.value = from->value;
	} else if (from->code <= 0 || from->code == L_SI_KERNEL) {
		to->u.queue.pid = (int32_t)from->pid;
		to->u.queue.uid = from->uid;
		to->u.queue.value = from->value;
	} else if (from->signal == L_SIGCHLD) {
		to->u.child.pid = (int32_t)from->pid;
		to->u.child.uid = from->uid;
		to->u.child.status = from->status;
		to->u.child.utime = (int64_t)from->user_ticks;
		to->u.child.stime = (int64_t)from->system_ticks;
	} else {
		to->u.fault.address = from->value;
	}
}

/* The mask while a handler runs; the old one is in its frame. */
static void block_for_handler(struct thread_state *thread, int signal, const struct linux_sigaction *action)
{
	uint64_t mask = signals_blocked(thread) | action->mask;
	if (!(action->flags & L_SA_NODEFER))
		mask |= SIGNAL_BIT(signal);
	thread->restore_mask = false;
	__atomic_store_n(&page_of(thread)->blocked, mask & ~UNBLOCKABLE, __ATOMIC_SEQ_CST);
}

static void run_handler(struct thread_state *thread, int signal, const struct linux_siginfo *info, const struct signal_cause *cause)
{
	struct linux_sigaction action = signal_actions[signal - 1];

	if (frame_push(thread, signal, &action, info, cause)) {
		/* As Linux: no room for a frame is a segmentation fault, and none for that one's is the end. */
		process_exit(L_SIGSEGV);
	}
	block_for_handler(thread, signal, &action);
	if (action.flags & L_SA_RESETHAND) {
		struct linux_sigaction reset = { .handler = L_SIG_DFL };
		signal_set_action(signal, &reset);
	}
}

/* Nothing but the default action. Returns if the process goes on. */
static void act_by_default(int signal)
{
	switch (signal_default(signal)) {
	case DEFAULT_TERMINATE:
		process_exit(signal);
	case DEFAULT_STOP:
		sig_stop(NAME_SIG, (uint32_t)signal);
		break;
	case DEFAULT_IGNORE:
	case DEFAULT_CONTINUE:
		break;
	}
}

/* A call that a signal ended: what the program sees before its handler runs. */
static void settle_restart(struct thread_state *thread, int64_t number, const struct linux_sigaction *action)
{
	int64_t result = (int64_t)thread->regs.rax;
	bool again = result == -ERESTARTNOINTR || (result == -ERESTARTSYS && (action->flags & L_SA_RESTART));
	if (again) {
		thread->regs.rax = (uint64_t)number;
		thread->regs.rip -= SYSCALL_INSTRUCTION;
	} else {
		thread->regs.rax = (uint64_t)-(int64_t)EINTR;
	}
}

static bool dropped(const struct linux_sigaction *action, const struct sig_signal_info *info)
{
	if (action->handler == L_SIG_IGN)
		return true;
	return info->signal == L_SIGCHLD && (action->flags & L_SA_NOCLDSTOP) &&
	       (info->code == CHILD_STOPPED || info->code == CHILD_CONTINUED);
}

/* Takes and acts on every signal that may be delivered. `restart`: call `number` was interrupted; cleared when settled. */
static void deliver_pending(struct thread_state *thread, int64_t number, bool *restart)
{
	uint64_t set;

	while ((set = deliverable_in(thread)) != 0) {
		struct sig_signal_info taken;
		struct linux_siginfo info;
		if (sig_take(NAME_SIG, thread->slot, set, &taken) || taken.signal < 1 || taken.signal > L_NSIG)
			return;
		const struct linux_sigaction *action = &signal_actions[taken.signal - 1];
		if (dropped(action, &taken))
			continue;
		if (action->handler == L_SIG_DFL) {
			act_by_default(taken.signal);
			continue;
		}
		if (*restart)
			settle_restart(thread, number, action);
		*restart = false;
		signal_info_convert(&taken, &info);
		run_handler(thread, taken.signal, &info, NULL);
	}
}

static bool is_restart(const struct thread_state *thread)
{
	int64_t result = (int64_t)thread->regs.rax;
	return result <= -ERESTART_FIRST && result >= -ERESTART_LAST;
}

/* The interrupted call once more, from here: the program need not know. */
static void call_again(struct thread_state *thread, int64_t number)
{
	const struct portico_frame *regs = &thread->regs;
	syscall_handler *handler = (syscall_handler *)(uintptr_t)syscall_handlers[number];

	thread->restarting = true;
	thread->number = number;
	int64_t result = handler(regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9);
	thread->number = -1;
	thread->restarting = false;
	thread->regs.rax = (uint64_t)result;
}

/*
 * On the way to the program, after an interrupt or whenever something is to be looked at: takes over the registers of a system
 * call, acts on signals, repeats interrupted calls, and leaves all registers in the block's frame.
 */
void personality_leave(struct portico_block *block)
{
	struct thread_state *thread = (struct thread_state *)block->personality;
	int64_t number = thread->number;
	bool restart = false;

	if (number >= 0) {
		thread->regs.rip = thread->regs.rcx = block->syscall_rip;
		thread->regs.rflags = thread->regs.r11 = block->syscall_rflags;
		thread->number = -1;
		restart = is_restart(thread);
	}
	do {
		block->interrupted = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		deliver_pending(thread, number, &restart);
		if (restart) {
			call_again(thread, number);
			restart = is_restart(thread);
			/* The mask of a wait that goes on stays; sigreturn and exec never come back as a restart. */
		} else if (thread->restore_mask) {
			thread->restore_mask = false;
			signals_set_blocked(thread, thread->saved_mask);
		}
	} while (restart || thread->restore_mask || block->interrupted);
	block->frame = thread->regs;
	__asm__ volatile("rdfsbase %0" : "=r"(block->frame.fs_base));
	__asm__ volatile("rdgsbase %0" : "=r"(block->frame.gs_base));
}

/* ---- exceptions ---- */

static int32_t vector_code(uint32_t status, uint32_t masked)
{
	uint32_t raised = status & ~masked & 0x3f;
	return raised & 1 ? L_FPE_FLTINV : raised & 4 ? 3 : raised & 0x12 ? 5 : raised & 8 ? 4 : raised & 0x20 ? 6 : L_FPE_FLTINV;
}

static void describe_page_fault(const struct portico_block *block, struct linux_siginfo *info)
{
	info->signo = L_SIGSEGV;
	info->code = L_SEGV_MAPERR;
	info->u.fault.address = block->address;
	if (block->fault == FAULT_PROTECTION)
		info->code = L_SEGV_ACCERR;
	if (block->fault == FAULT_BEYOND || block->fault == FAULT_PAGER || block->fault == FAULT_NO_MEMORY) {
		info->signo = L_SIGBUS;
		info->code = L_BUS_ADRERR;
	}
}

static void describe_exception(const struct portico_block *block, struct linux_siginfo *info)
{
	uint32_t status;
	*info = (struct linux_siginfo){ .signo = L_SIGSEGV, .code = L_SI_KERNEL };
	switch (block->vector) {
	case 0:
		info->signo = L_SIGFPE;
		info->code = L_FPE_INTDIV;
		info->u.fault.address = block->frame.rip;
		break;
	case 1:
		info->signo = L_SIGTRAP;
		info->code = L_TRAP_TRACE;
		info->u.fault.address = block->frame.rip;
		break;
	case 3:
		info->signo = L_SIGTRAP;
		break;
	case 6:
		info->signo = L_SIGILL;
		info->code = L_ILL_ILLOPN;
		info->u.fault.address = block->frame.rip;
		break;
	case 14:
		describe_page_fault(block, info);
		break;
	case 16:
		__asm__ volatile("fnstsw %%ax" : "=a"(status));
		info->signo = L_SIGFPE;
		info->code = vector_code(status, 0);
		info->u.fault.address = block->frame.rip;
		break;
	case 17:
		info->signo = L_SIGBUS;
		info->code = L_BUS_ADRALN;
		break;
	case 19:
		__asm__ volatile("stmxcsr %0" : "=m"(status));
		info->signo = L_SIGFPE;
		info->code = vector_code(status, status >> 7);
		info->u.fault.address = block->frame.rip;
		break;
	}
}

/* A signal that cannot wait: where it is blocked or ignored, the process ends. */
static void force(struct thread_state *thread, const struct linux_siginfo *info, const struct signal_cause *cause)
{
	int signal = info->signo;
	uint64_t handler = signal_actions[signal - 1].handler;

	if (handler == L_SIG_DFL || handler == L_SIG_IGN || (signals_blocked(thread) & SIGNAL_BIT(signal)))
		process_exit(signal);
	run_handler(thread, signal, info, cause);
}

/* An exception within libposix is its own mistake (or the program jumped into it): nothing can be saved. */
static bool is_ours(uint64_t rip)
{
	return rip >= (uint64_t)text_begin && rip < (uint64_t)text_end;
}

/* From personality_event: an exception or an interrupt struck the program; its registers are in the block's frame. */
void event_arrived(struct portico_block *block)
{
	struct thread_state *thread = (struct thread_state *)block->personality;

	if (block->event == EVENT_EXCEPTION && is_ours(block->frame.rip)) {
		trace_crash(block);
		process_exit(L_SIGSEGV);
	}
	thread->regs = block->frame;
	thread->number = -1;
	if (block->event != EVENT_EXCEPTION)
		return;
	struct linux_siginfo info;
	struct signal_cause cause = { block->vector, block->error, block->vector == 14 ? block->address : 0 };
	describe_exception(block, &info);
	force(thread, &info, &cause);
}

void signals_raise(int signal)
{
	if (signal_actions[signal - 1].handler == L_SIG_IGN)
		return;
	sig_thread_kill(NAME_SIG, (int32_t)process.pid, (int32_t)thread_self()->tid, (uint32_t)signal);
	if (signals_deliverable(thread_self()))
		attend_to_signals();
}

int64_t signals_bad_frame(struct thread_state *thread)
{
	struct linux_siginfo info = { .signo = L_SIGSEGV, .code = L_SI_KERNEL };
	force(thread, &info, NULL);
	return (int64_t)thread->regs.rax;
}
