/*
 * Linux's rt_sigframe: built on the program's stack before a handler runs, taken down by rt_sigreturn.
 *
 * Follows arch/x86 of Linux as programs see it: return address, ucontext, siginfo, above them the XSAVE image with the software bytes
 * that tell its size. Only the addresses of the copy routines touch the stack.
 */
#include "signals.h"

#include "string.h"
#include "usercopy.h"

#define RED_ZONE 128u
#define VECTORS_HEADER 512u
#define VECTORS_HEADER_SIZE 64u
#define USER_CODE_SELECTOR 0x33
#define USER_STACK_SELECTOR 0x2b
/* What a program may set in rflags: CF PF AF ZF SF TF DF OF RF AC. */
#define FLAGS_SETTABLE UINT64_C(0x50dd5)
#define FLAGS_FIXED UINT64_C(0x202)
#define FLAG_DIRECTION UINT64_C(0x400)
#define FLAG_TRAP UINT64_C(0x100)
#define FLAG_RESUME UINT64_C(0x10000)

static uint64_t mask_of_vectors, size_of_vectors;

uint64_t vectors_mask(void)
{
	if (mask_of_vectors == 0) {
		uint32_t low, high, a = 0xd, b, c = 0, d;
		__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		size_of_vectors = b;
		mask_of_vectors = low | (uint64_t)high << 32;
	}
	return mask_of_vectors;
}

uint64_t vectors_size(void)
{
	vectors_mask();
	return size_of_vectors;
}

struct frame_place frame_place(uint64_t stack_pointer, uint64_t size, uint64_t alternate_base, uint64_t alternate_size)
{
	struct frame_place place;
	uint64_t top = alternate_size ? alternate_base + alternate_size : stack_pointer - RED_ZONE;
	place.vectors = (top - size) & ~UINT64_C(63);
	place.frame = ((place.vectors - sizeof(struct linux_rt_sigframe)) & ~UINT64_C(15)) - 8;
	return place;
}

bool on_alternate_stack(const struct thread_state *thread)
{
	return thread->regs.rsp > thread->stack_base && thread->regs.rsp - thread->stack_base <= thread->stack_size;
}

static void save_context(struct linux_sigcontext *context, const struct portico_frame *regs)
{
	*context = (struct linux_sigcontext){
		.r8 = regs->r8, .r9 = regs->r9, .r10 = regs->r10, .r11 = regs->r11, .r12 = regs->r12, .r13 = regs->r13,
		.r14 = regs->r14, .r15 = regs->r15, .rdi = regs->rdi, .rsi = regs->rsi, .rbp = regs->rbp, .rbx = regs->rbx,
		.rdx = regs->rdx, .rax = regs->rax, .rcx = regs->rcx, .rsp = regs->rsp, .rip = regs->rip,
		.eflags = regs->rflags, .cs = USER_CODE_SELECTOR, .ss = USER_STACK_SELECTOR };
}

static void load_context(struct portico_frame *regs, const struct linux_sigcontext *context)
{
	*regs = (struct portico_frame){
		.r8 = context->r8, .r9 = context->r9, .r10 = context->r10, .r11 = context->r11, .r12 = context->r12,
		.r13 = context->r13, .r14 = context->r14, .r15 = context->r15, .rdi = context->rdi, .rsi = context->rsi,
		.rbp = context->rbp, .rbx = context->rbx, .rdx = context->rdx, .rax = context->rax, .rcx = context->rcx,
		.rsp = context->rsp, .rip = context->rip,
		.rflags = (context->eflags & FLAGS_SETTABLE) | FLAGS_FIXED };
}

/* The vector image: header cleared first, for XSAVE leaves its reserved bytes alone and XRSTOR wants them zero. */
static int save_vectors(uint64_t area)
{
	uint64_t size = vectors_size();
	uint32_t magic = L_FP_XSTATE_MAGIC2;
	struct linux_fpx_software software = {
		.magic1 = L_FP_XSTATE_MAGIC1, .extended_size = (uint32_t)size + 4, .features = vectors_mask(),
		.xstate_size = (uint32_t)size };

	if (user_zero((void *)(area + VECTORS_HEADER), VECTORS_HEADER_SIZE) ||
	    user_save_vectors((void *)area, vectors_mask()) ||
	    user_put((void *)(area + L_FP_SOFTWARE_BYTES), &software) || user_put((void *)(area + size), &magic))
		return -EFAULT;
	return 0;
}

static void enter_handler(struct portico_frame *regs, int signal, const struct linux_sigaction *action, uint64_t frame)
{
	regs->rdi = (uint64_t)signal;
	regs->rsi = frame + __builtin_offsetof(struct linux_rt_sigframe, info);
	regs->rdx = frame + __builtin_offsetof(struct linux_rt_sigframe, uc);
	regs->rax = 0;
	regs->rsp = frame;
	regs->rip = action->handler;
	regs->rflags &= ~(FLAG_DIRECTION | FLAG_TRAP | FLAG_RESUME);
}

int frame_push(struct thread_state *thread, int signal, const struct linux_sigaction *action, const struct linux_siginfo *info,
	       const struct signal_cause *cause)
{
	bool switches = (action->flags & L_SA_ONSTACK) && thread->stack_size && !(thread->stack_flags & L_SS_DISABLE) &&
			!on_alternate_stack(thread);
	struct frame_place place = frame_place(thread->regs.rsp, vectors_size() + 4, thread->stack_base,
					       switches ? thread->stack_size : 0);
	struct linux_rt_sigframe frame = {
		.return_address = action->restorer,
		.uc.flags = L_UC_FP_XSTATE | L_UC_SIGCONTEXT_SS | L_UC_STRICT_RESTORE_SS,
		.uc.stack = { thread->stack_base, thread->stack_flags, 0, thread->stack_size },
		.uc.mask = thread->restore_mask ? thread->saved_mask : signals_blocked(thread),
		.info = *info };

	if (switches && place.frame < thread->stack_base)
		return -EFAULT;
	if (on_alternate_stack(thread))
		frame.uc.stack.flags |= L_SS_ONSTACK;
	save_context(&frame.uc.context, &thread->regs);
	frame.uc.context.fpstate = place.vectors;
	frame.uc.context.old_mask = frame.uc.mask;
	if (cause) {
		frame.uc.context.trap = cause->trap;
		frame.uc.context.error = cause->error;
		frame.uc.context.cr2 = cause->address;
	}
	if (save_vectors(place.vectors) || user_put((void *)place.frame, &frame))
		return -EFAULT;
	if (thread->stack_flags & L_SS_AUTODISARM) {
		thread->stack_base = thread->stack_size = 0;
		thread->stack_flags = L_SS_DISABLE;
	}
	enter_handler(&thread->regs, signal, action, place.frame);
	return 0;
}

static int load_vectors(uint64_t area)
{
	struct linux_fpx_software software;
	uint64_t mask = vectors_mask();

	if (area == 0)
		return 0;
	if (area & 63 || user_get(&software, (const void *)(area + L_FP_SOFTWARE_BYTES)))
		return -EFAULT;
	/* Without the magic the image has only the legacy part, which components 0 and 1 are. */
	if (software.magic1 != L_FP_XSTATE_MAGIC1)
		mask &= 3;
	return user_load_vectors((const void *)area, mask);
}

int frame_pop(struct thread_state *thread)
{
	struct linux_ucontext uc;
	/* The handler's return took the return address away. */
	uint64_t frame = thread->regs.rsp - 8;

	if (user_get(&uc, (const void *)(frame + __builtin_offsetof(struct linux_rt_sigframe, uc))))
		return -EFAULT;
	if (load_vectors(uc.context.fpstate))
		return -EFAULT;
	load_context(&thread->regs, &uc.context);
	if (!(uc.stack.flags & ~(L_SS_DISABLE | L_SS_ONSTACK | L_SS_AUTODISARM)) && !on_alternate_stack(thread)) {
		thread->stack_base = uc.stack.base;
		thread->stack_size = uc.stack.size;
		thread->stack_flags = uc.stack.flags & ~(uint32_t)L_SS_ONSTACK;
	}
	signals_set_blocked(thread, uc.mask);
	return 0;
}
