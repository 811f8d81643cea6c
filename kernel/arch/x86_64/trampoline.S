/*
 * Start of the other CPUs: copied to TRAMPOLINE (below 1 MiB), entered in real mode by the start-up IPI.
 *
 * Uses the boot page tables for the switch to long mode, then the stack and argument that smp.c left in
 * trampoline_stack and trampoline_argument. CPUs are started one after the other.
 */
#define TRAMPOLINE 0x8000
#define HERE(symbol) (TRAMPOLINE + symbol - trampoline_begin)

	.section .rodata
	.balign 16
	.globl trampoline_begin, trampoline_end
	.code16
trampoline_begin:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl HERE(gdt_pointer)
	movl %cr4, %eax
	orl $0x20, %eax
	movl %eax, %cr4
	movl $boot_pml4 - 0xffffffff80000000, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax
	wrmsr
	movl %cr0, %eax
	andl $~0x60000000, %eax
	orl $0x80010001, %eax
	movl %eax, %cr0
	ljmpl $0x10, $HERE(long_mode)

	.code64
long_mode:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movabsq $trampoline_high, %rax
	jmp *%rax

	.balign 8
gdt:
	.quad 0, 0
	.quad 0x00af9a000000ffff
	.quad 0x00cf92000000ffff
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long HERE(gdt)
trampoline_end:

	.text
trampoline_high:
	movq trampoline_stack(%rip), %rsp
	movq trampoline_argument(%rip), %rdi
	xorl %ebp, %ebp
	call smp_cpu_main
	ud2

	.section .note.GNU-stack, "", @progbits
