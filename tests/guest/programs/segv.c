/*
 * SIGSEGV on an alternate stack, and the program continues: the handler makes the page writable and the store is repeated. Vector
 * registers must survive, the fault address and code must be right, and a stack overflow must reach the handler too.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static char *page;
static volatile int hits;
static int wrong;
static char *alternate;
static size_t alternate_size;
static sigjmp_buf overflowed;

static void handler(int signal, siginfo_t *info, void *context)
{
	char here;
	(void)context;
	if (signal != SIGSEGV || &here < alternate || &here >= alternate + alternate_size)
		wrong |= 1;
	if ((char *)info->si_addr < page || (char *)info->si_addr >= page + 4096)
		siglongjmp(overflowed, 1);
	if (info->si_code != SEGV_ACCERR)
		wrong |= 2;
	hits++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int recurse(int n)
{
	volatile char big[4096];
	big[0] = (char)n;
	return recurse(n + 1) + big[0];
}

int main(void)
{
	alternate_size = 65536;
	alternate = malloc(alternate_size);
	stack_t stack = { .ss_sp = alternate, .ss_size = alternate_size };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 10; i++) {
		double value = 1.5 * i, copy;
		__asm__ volatile("movsd %1, %%xmm9\n\tmovb $7, (%2)\n\tmovsd %%xmm9, %0" : "=m"(copy) : "m"(value), "r"(page + i) : "xmm9", "memory");
		if (copy != value || page[i] != 7)
			wrong |= 4;
		mprotect(page, 4096, PROT_READ);
	}
	if (sigsetjmp(overflowed, 1) == 0) {
		recurse(0);
		wrong |= 8;
	}
	printf("hits %d wrong %d\n", hits, wrong);
	return hits != 10 || wrong != 0;
}
