/* Signal frames: where they lie, what they hold, and back. */
#include "fakes.h"

#include "../../../libposix/signals.h"

#include <criterion/criterion.h>
#include <string.h>

#define STACK_SIZE 32768

static _Alignas(64) uint8_t stack[STACK_SIZE];

static struct thread_state thread_on_stack(void)
{
	struct thread_state thread;
	memset(&thread, 0, sizeof(thread));
	thread.regs = (struct portico_frame){ .rax = 1, .rbx = 2, .rcx = 3, .rdx = 4, .rsi = 5, .rdi = 6, .rbp = 7, .r8 = 8, .r15 = 15,
		.rip = 0x401000, .rflags = 0x246, .rsp = (uint64_t)stack + STACK_SIZE };
	thread.stack_flags = L_SS_DISABLE;
	return thread;
}

static const struct linux_sigaction action = { .handler = 0x402000, .flags = L_SA_RESTORER | L_SA_SIGINFO, .restorer = 0x403000 };
static const struct linux_siginfo info = { .signo = 10, .code = -6 };

static struct linux_rt_sigframe *frame_of(const struct thread_state *thread)
{
	return (struct linux_rt_sigframe *)thread->regs.rsp;
}

Test(frame, place_is_aligned)
{
	for (uint64_t sp = 0x10000; sp < 0x10040; sp++) {
		struct frame_place place = frame_place(sp, 836, 0, 0);
		cr_assert_eq(place.vectors % 64, 0u);
		cr_assert_eq((place.frame + 8) % 16, 0u);
		cr_assert_leq(place.vectors + 836, sp - 128);
		cr_assert_leq(place.frame + sizeof(struct linux_rt_sigframe), place.vectors);
	}
}

Test(frame, place_on_alternate_stack)
{
	struct frame_place place = frame_place(0x7000, 836, 0x100000, 0x8000);
	cr_assert_lt(place.frame, 0x108000u);
	cr_assert_gt(place.frame, 0x107000u);
}

Test(frame, handler_begins)
{
	struct thread_state thread = thread_on_stack();
	cr_assert_eq(frame_push(&thread, 10, &action, &info, NULL), 0);
	cr_assert_eq(thread.regs.rip, 0x402000u);
	cr_assert_eq(thread.regs.rdi, 10u);
	cr_assert_eq(thread.regs.rsi, (uint64_t)&frame_of(&thread)->info);
	cr_assert_eq(thread.regs.rdx, (uint64_t)&frame_of(&thread)->uc);
	cr_assert_eq(frame_of(&thread)->return_address, 0x403000u);
	cr_assert_eq(frame_of(&thread)->info.signo, 10);
}

Test(frame, direction_and_trap_flags_are_clear)
{
	struct thread_state thread = thread_on_stack();
	thread.regs.rflags = 0x746;
	frame_push(&thread, 10, &action, &info, NULL);
	cr_assert_eq(thread.regs.rflags, 0x246u);
	cr_assert_eq(frame_of(&thread)->uc.context.eflags, 0x746u);
}

Test(frame, cause_is_told)
{
	struct thread_state thread = thread_on_stack();
	struct signal_cause cause = { 14, 6, 0xdead000 };
	frame_push(&thread, 11, &action, &info, &cause);
	cr_assert_eq(frame_of(&thread)->uc.context.trap, 14u);
	cr_assert_eq(frame_of(&thread)->uc.context.error, 6u);
	cr_assert_eq(frame_of(&thread)->uc.context.cr2, 0xdead000u);
}

Test(frame, mask_is_the_saved_one_when_there_is)
{
	struct thread_state thread = thread_on_stack();
	fake_blocked = 0x10;
	frame_push(&thread, 10, &action, &info, NULL);
	cr_assert_eq(frame_of(&thread)->uc.mask, 0x10u);
	thread = thread_on_stack();
	thread.restore_mask = true;
	thread.saved_mask = 0x20;
	frame_push(&thread, 10, &action, &info, NULL);
	cr_assert_eq(frame_of(&thread)->uc.mask, 0x20u);
}

Test(frame, there_and_back)
{
	struct thread_state thread = thread_on_stack();
	struct portico_frame before = thread.regs;
	fake_blocked = 0x1234;
	cr_assert_eq(frame_push(&thread, 10, &action, &info, NULL), 0);
	thread.regs.rsp += 8; /* the handler's return */
	memset(&thread.regs, 0x77, offsetof(struct portico_frame, rsp));
	fake_blocked = 0;
	cr_assert_eq(frame_pop(&thread), 0);
	cr_assert_eq(memcmp(&thread.regs, &before, offsetof(struct portico_frame, fs_base)), 0);
	cr_assert_eq(fake_blocked, 0x1234u);
	cr_assert_eq(loaded_mask, vectors_mask());
}

Test(frame, flags_of_the_system_do_not_come_back)
{
	struct thread_state thread = thread_on_stack();
	frame_push(&thread, 10, &action, &info, NULL);
	frame_of(&thread)->uc.context.eflags = UINT64_MAX;
	thread.regs.rsp += 8;
	cr_assert_eq(frame_pop(&thread), 0);
	cr_assert_eq(thread.regs.rflags & 0x3000, 0u); /* IOPL */
	cr_assert_eq(thread.regs.rflags & 0x20000, 0u); /* VM */
	cr_assert(thread.regs.rflags & 0x200);
}

Test(frame, misaligned_vectors_are_refused)
{
	struct thread_state thread = thread_on_stack();
	frame_push(&thread, 10, &action, &info, NULL);
	frame_of(&thread)->uc.context.fpstate += 8;
	thread.regs.rsp += 8;
	cr_assert_eq(frame_pop(&thread), -EFAULT);
}

Test(frame, without_magic_only_the_old_part_is_loaded)
{
	struct thread_state thread = thread_on_stack();
	frame_push(&thread, 10, &action, &info, NULL);
	memset((void *)(frame_of(&thread)->uc.context.fpstate + L_FP_SOFTWARE_BYTES), 0, 4);
	thread.regs.rsp += 8;
	cr_assert_eq(frame_pop(&thread), 0);
	cr_assert_eq(loaded_mask & ~UINT64_C(3), 0u);
}

Test(frame, alternate_stack)
{
	static _Alignas(64) uint8_t alternate[16384];
	struct linux_sigaction on_stack = action;
	struct thread_state thread = thread_on_stack();
	on_stack.flags |= L_SA_ONSTACK;
	thread.stack_base = (uint64_t)alternate;
	thread.stack_size = sizeof(alternate);
	thread.stack_flags = 0;
	cr_assert_eq(frame_push(&thread, 10, &on_stack, &info, NULL), 0);
	cr_assert(on_alternate_stack(&thread));
	cr_assert_eq(frame_of(&thread)->uc.stack.base, (uint64_t)alternate);
	uint64_t first = thread.regs.rsp;
	cr_assert_eq(frame_push(&thread, 12, &on_stack, &info, NULL), 0);
	cr_assert_lt(thread.regs.rsp, first);
	cr_assert(frame_of(&thread)->uc.stack.flags & L_SS_ONSTACK);
}

Test(frame, too_small_an_alternate_stack)
{
	static uint8_t alternate[256];
	struct linux_sigaction on_stack = action;
	struct thread_state thread = thread_on_stack();
	on_stack.flags |= L_SA_ONSTACK;
	thread.stack_base = (uint64_t)alternate;
	thread.stack_size = sizeof(alternate);
	thread.stack_flags = 0;
	cr_assert_eq(frame_push(&thread, 10, &on_stack, &info, NULL), -EFAULT);
}

Test(frame, bad_stack)
{
	struct thread_state thread = thread_on_stack();
	struct portico_frame before = thread.regs;
	memory_fails = true;
	cr_assert_eq(frame_push(&thread, 10, &action, &info, NULL), -EFAULT);
	cr_assert_eq(memcmp(&thread.regs, &before, sizeof(before)), 0);
	cr_assert_eq(frame_pop(&thread), -EFAULT);
}
