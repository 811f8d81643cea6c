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

/* What the keep looks like: a note of the owner "portico.layout" (portico/migration.h), which tools/layout fills in. */
	.section .note.portico.layout, "a", @note
	.balign 4
	.long 15, 80, 1
	.asciz "portico.layout"
	.balign 4
	.globl server_layout
server_layout:
	.fill 80, 1, '?'
	.balign 4
	.section .note.GNU-stack, "", @progbits
