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
/* Where root lets a server hang, at SERVER_HANG bytes from the entry point: for tests of the supervisor. */
	.org 32
	.globl server_hang_here
server_hang_here:
	jmp server_hang_here
	.size _start, . - _start
	.section .note.GNU-stack, "", @progbits
