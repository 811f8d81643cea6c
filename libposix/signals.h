/*
 * Signals within libposix: dispositions, the page shared with sig, frames on the program's stack.
 *
 * signals.c decides, signal_frame.c builds frames and takes them down, signal_calls.c holds the system calls.
 */
#ifndef LIBPOSIX_SIGNALS_H
#define LIBPOSIX_SIGNALS_H

#include "linux.h"
#include "thread.h"

#include <portico/signal_page.h>

struct sig_signal_info;

/* Dispositions, by signal - 1; shared by the process's threads, copied by fork. */
extern struct linux_sigaction signal_actions[L_NSIG];

static inline struct signal_page *signal_page(void)
{
	return (struct signal_page *)LIBPOSIX_SHARED;
}

/* What a signal does where no handler is set. */
enum default_action { DEFAULT_TERMINATE, DEFAULT_IGNORE, DEFAULT_STOP, DEFAULT_CONTINUE };
enum default_action signal_default(int signal);

/* Changes a disposition and tells sig and proc what follows from it. */
void signal_set_action(int signal, const struct linux_sigaction *action);

/* sig's account of a signal as the program sees it. */
void signal_info_convert(const struct sig_signal_info *from, struct linux_siginfo *to);

/* What an exception leaves in a frame besides the registers. */
struct signal_cause { uint64_t trap, error, address; };

/* Where a frame goes. Pure. */
struct frame_place { uint64_t frame, vectors; };
struct frame_place frame_place(uint64_t stack_pointer, uint64_t vectors_size, uint64_t alternate_base, uint64_t alternate_size);
bool on_alternate_stack(const struct thread_state *thread);

/*
 * Pushes a frame for `signal` and sets regs so that the handler begins. 0, or -EFAULT: the stack cannot take it.
 */
int frame_push(struct thread_state *thread, int signal, const struct linux_sigaction *action, const struct linux_siginfo *info,
	       const struct signal_cause *cause);
/* The program's registers from the frame at regs.rsp. 0 or -EFAULT. */
int frame_pop(struct thread_state *thread);

/* The vector state: components in use, and the size of their area. */
/* rt_sigreturn found no frame: SIGSEGV. The new rax. */
int64_t signals_bad_frame(struct thread_state *thread);

/* The vector state: components in use, and the size of their area. */
uint64_t vectors_mask(void);
uint64_t vectors_size(void);

#endif
