/*
 * The end: a report that a person can use (registers, backtrace with names, who ran where, all threads) on the log and on the
 * console, and a failing exit status for QEMU. The first CPU that panics reports; the others stop where they are.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/task/sched.h>
#include <kernel/task/task.h>

#define FRAMES_MAX 24

/* Made from the linked kernel by tools/symbols; absent in the first link. Sorted by offset from KERNEL_BASE. */
struct kernel_symbol {
	uint32_t offset, name;
};
extern const struct kernel_symbol kernel_symbols[] __attribute__((weak));
extern const uint32_t kernel_symbol_count __attribute__((weak));
extern const char kernel_symbol_names[] __attribute__((weak));

extern char kernel_text_begin[], kernel_text_end[], kernel_data_begin[], kernel_image_end[];

static uint32_t panicking; /* CPU number + 1 */

const char *symbol_find(uint64_t address, uint64_t *distance)
{
	uint32_t low = 0, high;

	if (&kernel_symbol_count == NULL || kernel_symbol_count == 0)
		return NULL;
	if (address < (uint64_t)kernel_text_begin || address >= (uint64_t)kernel_text_end)
		return NULL;
	high = kernel_symbol_count;
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;
		if (KERNEL_BASE + kernel_symbols[middle].offset <= address)
			low = middle;
		else
			high = middle;
	}
	*distance = address - (KERNEL_BASE + kernel_symbols[low].offset);
	return kernel_symbol_names + kernel_symbols[low].name;
}

static void print_address(uint64_t address)
{
	uint64_t distance = 0;
	const char *name = symbol_find(address, &distance);

	if (name != NULL)
		kprintf("  %016lx %s+%#lx\n", address, name, distance);
	else
		kprintf("  %016lx\n", address);
}

/* Return addresses along the frame pointers, as far as they stay in the kernel's data. */
static void backtrace(uint64_t frame)
{
	for (int i = 0; i < FRAMES_MAX; i++) {
		const uint64_t *f = (const uint64_t *)frame;

		if (frame < (uint64_t)kernel_data_begin || frame >= (uint64_t)kernel_image_end - 16 || frame % 8 != 0)
			return;
		if (f[1] == 0)
			return;
		print_address(f[1]);
		if (f[0] <= frame)
			return;
		frame = f[0];
	}
}

static void print_frame(const struct trap_frame *f)
{
	kprintf("vector %lu error %#lx cr2 %016lx cr3 %016lx\n", f->vector, f->error, cr2_read(), cr3_read());
	kprintf("rip %016lx cs %04lx rflags %08lx rsp %016lx ss %04lx\n", f->rip, f->cs, f->rflags, f->rsp, f->ss);
	kprintf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	kprintf("rsi %016lx rdi %016lx rbp %016lx\n", f->rsi, f->rdi, f->rbp);
	kprintf("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
	kprintf("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
}

static void print_registers(const struct registers *r)
{
	kprintf("  rip %016lx rsp %016lx rflags %08lx\n", r->rip, r->rsp, r->rflags);
	kprintf("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
	kprintf("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
	kprintf("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
	kprintf("  r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
}

static void print_running(void)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		const struct thread *t = cpus[i].current;

		if (t == NULL || t == cpus[i].idle_thread || t->task == NULL)
			continue;
		kprintf("cpu %u: task %lu \"%.16s\" thread %lu slot %u, user registers at the last entry:\n", i,
			t->task->object.id, t->task->name, t->object.id, t->slot);
		print_registers(&t->registers);
	}
}

void debug_exit(uint32_t value)
{
	out32(DEBUG_EXIT_PORT, value);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The first CPU returns; a second one stops here, a panic in the panic ends at once. */
static void begin(void)
{
	uint32_t nobody = 0, self = this_cpu() == NULL ? 1 : this_cpu()->id + 1;

	__asm__ volatile("cli");
	if (!__atomic_compare_exchange_n(&panicking, &nobody, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (nobody == self)
			debug_exit(DEBUG_EXIT_PANIC);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	smp_stop_others();
	console_panic_mode();
}

static _Noreturn void finish(uint64_t frame)
{
	kprintf("backtrace:\n");
	backtrace(frame);
	print_running();
	if (all_tasks.next != NULL)
		report_tasks();
	kprintf("portico: panic ends\n");
	debug_exit(DEBUG_EXIT_PANIC);
}

void panic_frame(const struct trap_frame *frame, const char *reason)
{
	begin();
	kprintf("\nportico: panic on cpu %u: %s\n", this_cpu()->id, reason != NULL ? reason : "exception in the kernel");
	print_frame(frame);
	kprintf("at:\n");
	print_address(frame->rip);
	finish(frame->rbp);
}

void panic(const char *format, ...)
{
	va_list ap;

	begin();
	kprintf("\nportico: panic on cpu %u: ", panicking - 1);
	va_start(ap, format);
	kvprintf(format, ap);
	va_end(ap);
	kprintf("\n");
	finish((uint64_t)__builtin_frame_address(0));
}
