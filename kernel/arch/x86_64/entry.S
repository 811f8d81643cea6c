/*
 * The ways into the kernel and out of it.
 *
 * From user mode all registers are saved in current->registers, the kernel lock is taken and the CPU's one kernel stack is used
 * from its top: nothing on it outlives the entry. Interrupts stay off in the kernel but for the halt of an idle CPU
 * (context.c), so an interrupt from kernel mode can only come from there. NMI, double fault and machine check have stacks of
 * their own and find their CPU by them, for they may strike between any two instructions here.
 */
#include "offsets.h"

#define KERNEL_CS 0x10
#define USER_DS 0x2b
#define USER_CS 0x33

	.text

/* Clear AC, so that SMAP holds whatever the user did; cpu_has_smap is constant after boot. */
	.macro CLEAR_AC
	cmpb $0, cpu_has_smap(%rip)
	je 1f
	clac
1:
	.endm

/* Clobbers rcx, and at contention all that C may. */
	.macro LOCK_KERNEL
	movl $1, %ecx
	xchgl %ecx, kernel_lock_word(%rip)
	testl %ecx, %ecx
	.endm

/*
 * syscall: rax >= 0 is a Linux system call for the personality: no stack, no lock. SFMASK has cleared IF, TF, DF, AC and NT.
 */
	.balign 64
	.globl syscall_entry
syscall_entry:
	swapgs
	testq %rax, %rax
	js kernel_trap
	movq %rcx, %gs:CPU_SCRATCH
	movq %gs:CPU_CURRENT, %rcx
	movq THREAD_REDIRECT_BLOCK(%rcx), %rcx
	jrcxz no_personality
	movq %r11, BLOCK_SYSCALL_RFLAGS(%rcx)
	movq %gs:CPU_SCRATCH, %r11
	movq %r11, BLOCK_SYSCALL_RIP(%rcx)
	movq %gs:CPU_CURRENT, %rcx
	movq THREAD_REDIRECT_ENTRY(%rcx), %rcx
	movl $0x202, %r11d
	swapgs
	sysretq

no_personality:
	movq %gs:CPU_SCRATCH, %rcx
	xorl %eax, %eax			/* trap 0: not supported */

	.balign 16
kernel_trap:
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_CURRENT, %rsp
	movq %rax, R_RAX(%rsp)
	movq %rbx, R_RBX(%rsp)
	movq %rdx, R_RDX(%rsp)
	movq %rsi, R_RSI(%rsp)
	movq %rdi, R_RDI(%rsp)
	movq %rbp, R_RBP(%rsp)
	movq %r8, R_R8(%rsp)
	movq %r9, R_R9(%rsp)
	movq %r10, R_R10(%rsp)
	movq %r12, R_R12(%rsp)
	movq %r13, R_R13(%rsp)
	movq %r14, R_R14(%rsp)
	movq %r15, R_R15(%rsp)
	movq %rcx, R_RIP(%rsp)
	movq %r11, R_RFLAGS(%rsp)
	movq $0, R_CS(%rsp)		/* thread_in_trap */
	movq %rsp, %rbx
	movq %gs:CPU_USER_RSP, %rcx
	movq %rcx, R_RSP(%rbx)
	movq %gs:CPU_KERNEL_STACK, %rsp
	LOCK_KERNEL
	jne trap_contended
trap_locked:
	xorl %ebp, %ebp
	negq %rax
	cmpq $TRAPS_MAX, %rax
	jae trap_unknown
	movq %r10, %rcx
	call *trap_table(, %rax, 8)
trap_done:
	cmpb $0, %gs:CPU_RESCHEDULE
	jne trap_reschedule
	cmpq %rbx, %gs:CPU_CURRENT
	jne switch
	movq %rax, R_RAX(%rbx)

/* rbx: the thread, whose context is loaded. Nothing but the unlocking may follow the restoring. */
return_to_user:
	cmpq $0, R_CS(%rbx)
	jne return_by_iret
	movq R_RIP(%rbx), %rcx
	movq %rcx, %rax
	shrq $47, %rax			/* sysret to a non-canonical address would fault in the kernel */
	jne return_by_iret_from_trap
	movq R_RFLAGS(%rbx), %r11
	movq R_RAX(%rbx), %rax
	movq R_RDX(%rbx), %rdx
	movq R_RSI(%rbx), %rsi
	movq R_RDI(%rbx), %rdi
	movq R_RBP(%rbx), %rbp
	movq R_R8(%rbx), %r8
	movq R_R9(%rbx), %r9
	movq R_R10(%rbx), %r10
	movq R_R12(%rbx), %r12
	movq R_R13(%rbx), %r13
	movq R_R14(%rbx), %r14
	movq R_R15(%rbx), %r15
	movq R_RSP(%rbx), %rsp
	movq R_RBX(%rbx), %rbx
	movl $0, kernel_lock_word(%rip)
	swapgs
	sysretq

return_by_iret_from_trap:
	movq $USER_CS, R_CS(%rbx)
	movq $USER_DS, R_SS(%rbx)
return_by_iret:
	movq %gs:CPU_KERNEL_STACK, %rsp
	movq R_RIP(%rbx), %rax
	shrq $47, %rax			/* likewise iret; the last user address is never mapped */
	jne bad_rip
rip_checked:
	pushq $USER_DS
	pushq R_RSP(%rbx)
	pushq R_RFLAGS(%rbx)
	pushq $USER_CS
	pushq R_RIP(%rbx)
	movq R_RAX(%rbx), %rax
	movq R_RCX(%rbx), %rcx
	movq R_RDX(%rbx), %rdx
	movq R_RSI(%rbx), %rsi
	movq R_RDI(%rbx), %rdi
	movq R_RBP(%rbx), %rbp
	movq R_R8(%rbx), %r8
	movq R_R9(%rbx), %r9
	movq R_R10(%rbx), %r10
	movq R_R11(%rbx), %r11
	movq R_R12(%rbx), %r12
	movq R_R13(%rbx), %r13
	movq R_R14(%rbx), %r14
	movq R_R15(%rbx), %r15
	movq R_RBX(%rbx), %rbx
	movl $0, kernel_lock_word(%rip)
	swapgs
	iretq

bad_rip:
	movabsq $0x7ffffffff000, %rax
	movq %rax, R_RIP(%rbx)
	jmp rip_checked

/* The direct switch of a message. */
switch:
	call switch_context
	movq %rax, %rbx
	jmp return_to_user

trap_unknown:
	xorl %eax, %eax
	call *trap_table(, %rax, 8)
	jmp trap_done

trap_contended:
	call kernel_lock_wait
	movq R_RAX(%rbx), %rax
	movq R_RDI(%rbx), %rdi
	movq R_RSI(%rbx), %rsi
	movq R_RDX(%rbx), %rdx
	movq R_R10(%rbx), %r10
	movq R_R8(%rbx), %r8
	movq R_R9(%rbx), %r9
	jmp trap_locked

trap_reschedule:
	movq %rbx, %rdi
	movq %rax, %rsi
	call trap_result
leave:
	call leave_kernel
	movq %rax, %rbx
	jmp return_to_user

/* Start-up's last act on each CPU: lock held, on the kernel stack. */
	.globl enter_first_thread
enter_first_thread:
	movq %gs:CPU_KERNEL_STACK, %rsp
	xorl %ebp, %ebp
	jmp leave

/*
 * Exceptions and interrupts. Stubs of 16 bytes: error code (0 if the CPU gives none), vector.
 */
	.balign 16
	.globl vector_stubs
vector_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	.else
	pushq $0
	.endif
	pushq $vector
	.if vector == 2 || vector == 8 || vector == 18
	jmp paranoid_entry
	.else
	jmp interrupt_entry
	.endif
	.set vector, vector + 1
	.endr

	.balign 16
interrupt_entry:
	cld
	testb $3, 24(%rsp)
	jz kernel_interrupted
	swapgs
	pushq %rdi
	movq %gs:CPU_CURRENT, %rdi
	movq %rax, R_RAX(%rdi)
	movq %rbx, R_RBX(%rdi)
	movq %rcx, R_RCX(%rdi)
	movq %rdx, R_RDX(%rdi)
	movq %rsi, R_RSI(%rdi)
	popq R_RDI(%rdi)
	movq %rbp, R_RBP(%rdi)
	movq %r8, R_R8(%rdi)
	movq %r9, R_R9(%rdi)
	movq %r10, R_R10(%rdi)
	movq %r11, R_R11(%rdi)
	movq %r12, R_R12(%rdi)
	movq %r13, R_R13(%rdi)
	movq %r14, R_R14(%rdi)
	movq %r15, R_R15(%rdi)
	popq %r12			/* vector */
	popq %r13			/* error code */
	popq R_RIP(%rdi)
	popq R_CS(%rdi)
	popq R_RFLAGS(%rdi)
	popq R_RSP(%rdi)
	popq R_SS(%rdi)
	movq %rdi, %rbx
	movq %cr2, %r14
	xorl %ebp, %ebp
	CLEAR_AC
	LOCK_KERNEL
	jne interrupt_contended
interrupt_locked:
	movq %r12, %rdi
	movq %r13, %rsi
	movq %r14, %rdx
	call user_interrupted
	cmpb $0, %gs:CPU_RESCHEDULE
	jne leave
	cmpq %rbx, %gs:CPU_CURRENT
	jne leave
	jmp return_to_user

interrupt_contended:
	call kernel_lock_wait
	jmp interrupt_locked

	.macro PUSH_ALL
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro POP_ALL
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	.endm

/* An interrupt of an idle CPU, or an exception in the kernel, which is the end. */
kernel_interrupted:
	PUSH_ALL
	movq %rsp, %rdi
	movq %rsp, %rbp
	andq $-16, %rsp
	call kernel_was_interrupted
	movq %rbp, %rsp
	POP_ALL
	iretq

/* gs may hold anything: the CPU's own address lies at the top of its IST stack. */
paranoid_entry:
	cld
	PUSH_ALL
	CLEAR_AC
	movq %rsp, %rdi
	movq %rsp, %rbp
	rdgsbase %rbx
	movq 22 * 8(%rsp), %rax
	wrgsbase %rax
	andq $-16, %rsp
	call paranoid_interrupted
	wrgsbase %rbx
	movq %rbp, %rsp
	POP_ALL
	iretq

	.section .note.GNU-stack, "", @progbits
