/*
 * From GRUB to C: multiboot2 header, 32-bit entry, first page tables, long mode, jump to the high half.
 *
 * GRUB enters the boot CPU at boot_entry in 32-bit protected mode without paging, on BIOS and on UEFI alike. The tables made
 * here map the first 4 GiB three times: identity, DIRECT_MAP, and the first GiB at KERNEL_BASE. paging.c replaces them;
 * they live on for the other CPUs' start (trampoline.S), which needs an identity mapping.
 */
#define KERNEL_BASE 0xffffffff80000000
#define LOW(symbol) (symbol - KERNEL_BASE)

	.section .boot.header, "a"
	.balign 8
header:
	.long 0xe85250d6
	.long 0
	.long header_end - header
	.long -(0xe85250d6 + 0 + (header_end - header))
	/* Modules on page boundaries. */
	.balign 8
	.word 6, 0
	.long 8
	.balign 8
	.word 0, 0
	.long 8
header_end:

	.section .boot.text, "ax"
	.code32
	.globl boot_entry
boot_entry:
	cli
	cld
	movl $LOW(boot_stack_top), %esp
	movl %eax, %ebp
	movl %ebx, %edi

	/* Long mode is a must; there is nobody to tell that it is missing. */
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc halt
	cmpl $0x36d76289, %ebp
	jne halt

	movl $LOW(boot_pd), %eax
	movl $0x83, %ebx
1:	movl %ebx, (%eax)
	addl $0x200000, %ebx
	addl $8, %eax
	cmpl $LOW(boot_pd) + 4 * 4096, %eax
	jne 1b

	movl $LOW(boot_pd) + 3, %eax
	movl $LOW(boot_pdpt_low), %ebx
	movl $4, %ecx
2:	movl %eax, (%ebx)
	addl $4096, %eax
	addl $8, %ebx
	loop 2b
	movl $LOW(boot_pd) + 3, LOW(boot_pdpt_high) + 510 * 8
	movl $LOW(boot_pdpt_low) + 3, LOW(boot_pml4)
	movl $LOW(boot_pdpt_low) + 3, LOW(boot_pml4) + 273 * 8
	movl $LOW(boot_pdpt_high) + 3, LOW(boot_pml4) + 511 * 8

	movl %cr4, %eax
	orl $0x20, %eax
	movl %eax, %cr4
	movl $LOW(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax		/* LME, NXE */
	wrmsr
	movl %cr0, %eax
	andl $~0x60000000, %eax		/* caches on */
	orl $0x80010001, %eax
	movl %eax, %cr0
	lgdt boot_gdt_pointer
	ljmp $0x10, $boot_64
halt:
	hlt
	jmp halt

	.code64
boot_64:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %edi, %edi
	movabsq $boot_high, %rax
	jmp *%rax

	.balign 8
	.globl boot_gdt_pointer
boot_gdt:
	.quad 0, 0
	.quad 0x00af9a000000ffff	/* 0x10: 64-bit code */
	.quad 0x00cf92000000ffff	/* 0x18: data */
boot_gdt_end:
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

	.text
boot_high:
	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp
	call arch_start
	ud2

	.section .bss.boot, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt_low:
	.skip 4096
boot_pdpt_high:
	.skip 4096
boot_pd:
	.skip 4 * 4096
	.skip 8192
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
