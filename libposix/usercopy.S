/*
 * The only instructions of libposix that touch the program's memory. An exception between usercopy_begin and usercopy_end goes
 * to usercopy_fault (entry.S), as a return of -EFAULT: so nothing here pushes anything, and rbx, rbp, r12 to r15 are not used.
 * Contracts: usercopy.h.
 */
	.section .text.usercopy, "ax"
	.globl usercopy_begin
usercopy_begin:

/* int user_copy(void *to, const void *from, size_t size) */
	.globl user_copy
user_copy:
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	xorl %eax, %eax
	ret

/* int user_zero(void *to, size_t size) */
	.globl user_zero
user_zero:
	movq %rsi, %rcx
	xorl %eax, %eax
	shrq $3, %rcx
	rep stosq
	movl %esi, %ecx
	andl $7, %ecx
	rep stosb
	ret

/* int64_t user_string(char *to, const char *from, size_t size) */
	.globl user_string
user_string:
	xorl %eax, %eax
	testq %rdx, %rdx
	jz 2f
1:	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	jz 3f
	incq %rax
	cmpq %rdx, %rax
	jb 1b
2:	movq $-36, %rax			/* -ENAMETOOLONG */
3:	ret

/* int64_t user_string_length(const char *from, size_t limit) */
	.globl user_string_length
user_string_length:
	xorl %eax, %eax
1:	cmpq %rsi, %rax
	jae 2f
	cmpb $0, (%rdi, %rax)
	je 3f
	incq %rax
	jmp 1b
2:	movq $-7, %rax			/* -E2BIG */
3:	ret

/* int user_exchange(uint32_t *word, uint32_t expected, uint32_t value, uint32_t *found) */
	.globl user_exchange
user_exchange:
	movl %esi, %eax
	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret

/* int user_save_vectors(void *area, uint64_t mask) */
	.globl user_save_vectors
user_save_vectors:
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
	xsave64 (%rdi)
	xorl %eax, %eax
	ret

/* int user_load_vectors(const void *area, uint64_t mask) */
	.globl user_load_vectors
user_load_vectors:
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
	xrstor64 (%rdi)
	xorl %eax, %eax
	ret

	.globl usercopy_end
usercopy_end:

	.globl usercopy_fault
usercopy_fault:
	movq $-14, %rax			/* -EFAULT */
	ret

	.section .note.GNU-stack, "", @progbits
