/*
 * The ways into libposix and back to the program.
 *
 * Below: the kernel, which enters here for every system call of the program (personality_entry + slot * 16), for its exceptions
 * and interrupts (personality_event), and at personality_restart when an interrupt strikes between restart_begin and restart_end.
 * Above: C handlers, on the thread's own libposix stack at the end of its area; nothing is ever pushed on the program's stack.
 *
 * All registers of the program lie in thread_state.regs from entry to exit, so that the way out can be begun again at any
 * instruction. rcx and r11 are free by Linux's contract.
 */
#include "offsets.h"

	.section .text.entry, "ax"

/* One stub a thread slot: rcx = control block. THREAD_AREAS + slot * THREAD_AREA_SIZE; THREAD_SLOTS of them. */
	.balign 4096
	.globl personality_entry
personality_entry:
	.set slot, 0
	.rept 4096
	.balign 16
	movabsq $(0x7ff900000000 + slot * 0x10000), %rcx
	jmp entry_common
	.set slot, slot + 1
	.endr

	.balign 64
entry_common:
	movq %rsp, R_RSP(%rcx)
	leaq 0x10000(%rcx), %rsp
	movq %rbx, R_RBX(%rcx)
	movq %rcx, %rbx
	movq %rax, S_NUMBER(%rbx)
	movq %rdx, R_RDX(%rbx)
	movq %rsi, R_RSI(%rbx)
	movq %rdi, R_RDI(%rbx)
	movq %r8, R_R8(%rbx)
	movq %r9, R_R9(%rbx)
	movq %r10, R_R10(%rbx)
	movq %rbp, R_RBP(%rbx)
	movq %r12, R_R12(%rbx)
	movq %r13, R_R13(%rbx)
	movq %r14, R_R14(%rbx)
	movq %r15, R_R15(%rbx)
	movq %r10, %rcx
	movq syscall_handlers(%rip), %r11
	cmpq $SYSCALL_COUNT, %rax
	jae entry_unknown
	call *(%r11, %rax, 8)
entry_result:
	movq %rax, R_RAX(%rbx)

/* From here to restart_end an interrupt begins anew at personality_restart. */
	.globl restart_begin
restart_begin:
	cmpq $0, BLOCK_INTERRUPTED(%rbx)
	jne leave_slowly
	movq BLOCK_SYSCALL_RFLAGS(%rbx), %r11
	movq BLOCK_SYSCALL_RIP(%rbx), %rcx
	movq R_RDX(%rbx), %rdx
	movq R_RSI(%rbx), %rsi
	movq R_RDI(%rbx), %rdi
	movq R_R8(%rbx), %r8
	movq R_R9(%rbx), %r9
	movq R_R10(%rbx), %r10
	pushq %r11
	popfq
	movq R_RSP(%rbx), %rsp
	movq R_RBX(%rbx), %rbx
	jmp *%rcx

/* rbx: block. The frame in it holds all registers. */
leave_by_frame:
	cmpq $0, BLOCK_INTERRUPTED(%rbx)
	jne leave_slowly
	movq $-TRAP_FRAME_RESUME, %rax
	syscall
	.globl restart_end
restart_end:
	ud2

entry_unknown:
	call syscall_unknown
	jmp entry_result

/* rdi: block. */
	.globl personality_restart
personality_restart:
	movq %rdi, %rbx
	leaq 0x10000(%rbx), %rsp
	cld

/* Signals and restarts: C sets regs and copies them to the frame. */
leave_slowly:
	movq %rbx, %rdi
	call personality_leave
	jmp leave_by_frame

/* rdi: block; the registers are in its frame. A fault of the copy routines ends the copy. */
	.globl personality_event
personality_event:
	cld
	movq BLOCK_FRAME_RIP(%rdi), %rax
	leaq usercopy_begin(%rip), %rcx
	cmpq %rcx, %rax
	jb 1f
	leaq usercopy_end(%rip), %rcx
	cmpq %rcx, %rax
	jae 1f
	leaq usercopy_fault(%rip), %rcx
	movq %rcx, BLOCK_FRAME_RIP(%rdi)
	movq $-TRAP_FRAME_RESUME, %rax
	syscall
	ud2
1:	movq %rdi, %rbx
	leaq 0x10000(%rbx), %rsp
	xorl %ebp, %ebp
	call event_arrived
	jmp leave_slowly

/* A new image's first instruction: rdi = block. image_start fills regs. */
	.globl _start
_start:
	cld
	movq %rdi, %rbx
	leaq 0x10000(%rbx), %rsp
	xorl %ebp, %ebp
	call image_start
	jmp leave_slowly

/*
 * A forked process's or a new thread's first instruction: rdi = block, rsp = struct child_start, which the parent left there.
 */
	.globl child_entry
child_entry:
	cld
	movq %rdi, %rbx
	movq %rsp, %rsi
	andq $-64, %rsp
	xorl %ebp, %ebp
	call child_begin
	leaq 0x10000(%rbx), %rsp
	jmp leave_slowly

/* thread_leave(address, size, word, status): the stack goes with the thread. */
	.globl thread_leave
thread_leave:
	movq %rcx, %r10
	movq $-TRAP_THREAD_EXIT, %rax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
