/*
 * First instructions of every server. root enters with rdi = control block, rsi and rdx = the server's name (16 bytes),
 * rcx = start flags (SERVER_START_*),
 * rsp = top of the stack.
 */
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	andq $-16, %rsp
	call server_start
	ud2
	.size _start, . - _start
	.section .note.GNU-stack, "", @progbits
