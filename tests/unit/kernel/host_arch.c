/* See host_arch.h. */
#define _GNU_SOURCE
#include "host_arch.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_PHYSICAL (UINT64_C(16) << 20)
#define ARENA_SIZE (UINT64_C(128) << 20)
#define TEXT 0x400000ul

struct cpu cpus[CPUS_MAX];
uint32_t cpu_count = 2;
static uint64_t upper_half[512];
uint64_t *kernel_pml4 = upper_half;
struct kernel_info *kernel_info_page;
struct boot_module boot_modules[32];
uint32_t boot_module_count;
char boot_command_line[16384];

uint64_t host_clock = 1000000;
uint64_t host_timer = DEADLINE_NEVER;
uint32_t host_poked;
char host_console[4096];
uint8_t host_lines[256];
uint32_t host_ports[65536];

static uint32_t running_cpu;
static uint64_t next_endpoint = 0x300000000000ul;
static int64_t realtime_offset;

struct cpu *cpu_current(void) { return &cpus[running_cpu]; }
struct thread *thread_current(void) { return cpus[running_cpu].current; }
uint64_t clock_now(void) { return host_clock; }
int64_t clock_realtime_offset(void) { return realtime_offset; }
void clock_set_realtime_offset(int64_t offset) { realtime_offset = offset; }
void timer_arm(uint64_t deadline) { host_timer = deadline < host_timer ? deadline : host_timer; }
void cpu_poke(uint32_t cpu) { host_poked |= 1u << cpu; }
void kernel_lock(void) {}
void kernel_unlock(void) {}

void context_switch_map(struct vm_map *map) { cpus[running_cpu].map = map; }
void thread_arch_free(struct thread *thread) { (void)thread; }
void thread_arch_switch(struct thread *from, struct thread *to) { (void)from, (void)to; }
void interrupt_enable(uint32_t line) { host_lines[line] = 1; }
void interrupt_disable(uint32_t line) { host_lines[line] = 0; }
uint32_t io_read(uint16_t port, unsigned width) { return host_ports[port] & (uint32_t)((UINT64_C(1) << width * 8) - 1); }
void io_write(uint16_t port, unsigned width, uint32_t value) { (void)width, host_ports[port] = value; }

void thread_arch_init(struct thread *thread)
{
	thread->registers.cs = 0x33;
	thread->registers.rflags = 0x202;
}

void thread_arch_set_personality(struct thread *thread)
{
	const struct task *task = thread->task;

	thread->redirect_entry = task->has_personality
					 ? task->personality.entry + thread->slot * task->personality.entry_stride
					 : 0;
}

void thread_arch_set_frame(struct thread *thread, const struct portico_frame *frame)
{
	struct registers *r = &thread->registers;

	*r = (struct registers){.rax = frame->rax, .rbx = frame->rbx, .rdi = frame->rdi, .rsi = frame->rsi, .rsp = frame->rsp,
				.rip = frame->rip, .rflags = frame->rflags, .cs = 0x33};
}

void thread_arch_get_frame(struct thread *thread, struct portico_frame *frame)
{
	const struct registers *r = &thread->registers;

	*frame = (struct portico_frame){.rax = r->rax, .rbx = r->rbx, .rdi = r->rdi, .rsi = r->rsi, .rsp = r->rsp,
					.rip = r->rip, .rflags = r->rflags};
}

void log_bytes(const char *text, size_t length)
{
	size_t used = strlen(host_console);

	if (length >= sizeof(host_console))
		length = sizeof(host_console) - 1;
	if (used + length >= sizeof(host_console))
		used = 0;
	memcpy(host_console + used, text, length);
	host_console[used + length] = '\0';
}

void kprintf(const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log_bytes(line, strlen(line));
}

void panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	abort();
}

void machine_power(uint32_t action)
{
	exit((int)action);
}

/* ---- what a test plays ---- */

void host_start(void)
{
	void *arena = mmap((void *)(DIRECT_MAP + ARENA_PHYSICAL), ARENA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		panic("no arena");
	for (uint32_t i = 0; i < CPUS_MAX; i++) {
		cpus[i].self = &cpus[i];
		cpus[i].id = i;
		cpus[i].online = i < cpu_count;
		for (int p = 0; p < 32; p++)
			list_init(&cpus[i].run_queue[p]);
	}
	page_add_range(ARENA_PHYSICAL, ARENA_SIZE);
	kernel_info_page = page_allocate();
	sched_init();
	host_reap();
}

void host_use_cpu(uint32_t cpu) { running_cpu = cpu; }

struct task *host_task(void)
{
	int64_t status;
	struct ledger *ledger = ledger_create(&root_ledger, 4096, 4096 * 1024);
	struct task *task = task_create(NULL, ledger, &status);

	if (task == NULL)
		panic("no task: %d", (int)status);
	object_unref(OBJECT(ledger));
	return task;
}

struct thread *host_new_thread(struct task *task, uint32_t flags)
{
	static uint32_t slot;
	int64_t status;
	struct thread *thread = thread_create(task, slot++ % 4096, next_endpoint, flags, &status);

	if (thread == NULL)
		panic("no thread: %d", (int)status);
	next_endpoint += THREAD_AREA_SIZE;
	thread->registers.rip = TEXT;
	object_unref(OBJECT(thread));
	return thread;
}

struct thread *host_thread(struct task *task, uint32_t flags)
{
	struct thread *thread = host_new_thread(task, flags);

	thread_make_runnable(thread);
	return thread;
}

void host_leave(void)
{
	while (cpus[running_cpu].reschedule)
		(void)schedule();
}

void host_run(struct thread *thread)
{
	struct cpu *cpu = cpu_current();

	if (cpu->current == thread)
		return;
	if (thread->state == THREAD_RUNNING && thread->cpu != cpu->id)
		panic("the thread runs on another CPU");
	if (thread->state != THREAD_RUNNABLE)
		panic("the thread cannot run: state %d wait %d", thread->state, thread->wait);
	sched_dequeue(thread);
	if (cpu->current != cpu->idle_thread) {
		struct thread *old = cpu->current;
		cpu->current = cpu->idle_thread;
		thread_make_runnable(old);
	}
	cpu->reschedule = false;
	thread->state = THREAD_RUNNING;
	thread->cpu = cpu->id;
	cpu->current = thread;
}

/* As entry.S: the registers are saved, the handler called, its result stored if the thread goes on. */
int64_t host_trap(struct thread *thread, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct registers *r = &thread->registers;
	int64_t result;

	host_run(thread);
	r->rax = -number;
	r->rdi = a;
	r->rip += 2;
	r->cs = 0;
	object_ref(OBJECT(thread));
	result = trap_table[number](a, b, c, d, e, f);
	if (thread_current() == thread && thread->state == THREAD_RUNNING)
		r->rax = (uint64_t)result;
	host_leave();
	result = thread->state == THREAD_RUNNING || thread->state == THREAD_RUNNABLE ? (int64_t)r->rax : HOST_BLOCKED;
	object_unref(OBJECT(thread));
	return result;
}

bool host_waits(const struct thread *thread) { return thread->state == THREAD_BLOCKED; }

int64_t host_result(struct thread *thread)
{
	return host_waits(thread) ? HOST_BLOCKED : (int64_t)thread->registers.rax;
}

void host_reap(void)
{
	while (reaper_step())
		;
}

void host_tick(uint64_t ns)
{
	host_clock += ns;
	timeouts_expire(host_clock);
	host_leave();
}

uint64_t host_map(struct task *task, uint64_t address, uint64_t pages)
{
	int64_t at = vm_map_enter(task->map, address, pages * PAGE_SIZE, NULL, 0,
				  VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_COPY, VM_READ | VM_WRITE | VM_EXECUTE);

	if (at < 0)
		panic("no mapping: %d", (int)at);
	return (uint64_t)at;
}

void host_put(struct task *task, uint64_t address, const void *data, size_t length)
{
	if (vm_copy_out(task->map, address, data, length) != length)
		panic("user memory cannot be written");
}

void host_get(struct task *task, uint64_t address, void *data, size_t length)
{
	if (vm_copy_in(task->map, data, address, length) != length)
		panic("user memory cannot be read");
}

struct host_balance host_balance(void)
{
	struct host_balance balance;

	host_reap();
	memset(&balance, 0, sizeof(balance));
	memcpy(balance.objects, object_counts, sizeof(balance.objects));
	balance.bytes = root_ledger.bytes;
	balance.pages = root_ledger.pages;
	return balance;
}

uint64_t command_line_number(const char *prefix)
{
	(void)prefix;
	return 0;
}
