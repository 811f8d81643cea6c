/*
 * A thread's machine context, and the way out of the kernel: which thread runs next on this CPU, with its page table, segment bases
 * and vector registers. An idle CPU waits here, without the kernel lock and with the kernel's own page table.
 */
#include "fpu.h"
#include "machine.h"
#include "offsets.h"
#include "x86.h"
#include <kernel/task/task.h>
#include <kernel/vm/internal.h>
#include <portico/info.h>

_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "entry.S");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "entry.S");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "entry.S");
_Static_assert(offsetof(struct cpu, kernel_stack) == CPU_KERNEL_STACK, "entry.S");
_Static_assert(offsetof(struct cpu, reschedule) == CPU_RESCHEDULE, "entry.S");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "entry.S");
#define ASSERT_REGISTER(field, offset)                                                                                 \
	_Static_assert(offsetof(struct thread, registers) + offsetof(struct registers, field) == (offset), "entry.S")
ASSERT_REGISTER(rax, R_RAX);
ASSERT_REGISTER(rbx, R_RBX);
ASSERT_REGISTER(rcx, R_RCX);
ASSERT_REGISTER(rdx, R_RDX);
ASSERT_REGISTER(rsi, R_RSI);
ASSERT_REGISTER(rdi, R_RDI);
ASSERT_REGISTER(rbp, R_RBP);
ASSERT_REGISTER(rsp, R_RSP);
ASSERT_REGISTER(r8, R_R8);
ASSERT_REGISTER(r15, R_R15);
ASSERT_REGISTER(rip, R_RIP);
ASSERT_REGISTER(rflags, R_RFLAGS);
ASSERT_REGISTER(cs, R_CS);
ASSERT_REGISTER(ss, R_SS);
_Static_assert(offsetof(struct thread, redirect_entry) == THREAD_REDIRECT_ENTRY, "entry.S");
_Static_assert(offsetof(struct thread, redirect_block) == THREAD_REDIRECT_BLOCK, "entry.S");
_Static_assert(offsetof(struct portico_block, syscall_rip) == BLOCK_SYSCALL_RIP, "entry.S");
_Static_assert(offsetof(struct portico_block, syscall_rflags) == BLOCK_SYSCALL_RFLAGS, "entry.S");

#define CANONICAL_LIMIT (UINT64_C(1) << 47)

static uint64_t canonical(uint64_t address)
{
	return address < CANONICAL_LIMIT || address >= -CANONICAL_LIMIT ? address : 0;
}

void thread_arch_init(struct thread *thread)
{
	thread->registers.cs = USER_CS;
	thread->registers.ss = USER_DS;
	thread->registers.rflags = RFLAGS_IF | RFLAGS_FIXED;
	if (thread->endpoint != NULL && thread->task != NULL)
		thread_arch_set_personality(thread);
}

void thread_arch_set_personality(struct thread *thread)
{
	const struct task *task = thread->task;
	uint64_t entry = task->personality.entry + thread->slot * task->personality.entry_stride;

	if (!task->has_personality || entry == 0 || entry >= USER_MAX || thread->endpoint == NULL) {
		thread->redirect_entry = 0;
		thread->redirect_block = NULL;
		return;
	}
	thread->redirect_entry = entry;
	thread->redirect_block = thread->endpoint->block;
}

/* The CPU's registers are the truth about a loaded thread's segment bases; after this they are in the thread too. */
static void bases_store(struct thread *thread)
{
	thread->fs_base = fs_base_read();
	thread->gs_base = user_gs_base_read();
}

static void bases_load(const struct thread *thread)
{
	fs_base_write(thread->fs_base);
	user_gs_base_write(thread->gs_base);
}

void thread_arch_set_frame(struct thread *thread, const struct portico_frame *frame)
{
	struct portico_frame f = *frame; /* may lie in shared memory: read once */

	thread->registers = (struct registers){
		.rax = f.rax, .rbx = f.rbx, .rcx = f.rcx, .rdx = f.rdx, .rsi = f.rsi, .rdi = f.rdi,
		.rbp = f.rbp, .rsp = f.rsp, .r8 = f.r8, .r9 = f.r9, .r10 = f.r10, .r11 = f.r11,
		.r12 = f.r12, .r13 = f.r13, .r14 = f.r14, .r15 = f.r15, .rip = f.rip,
		.rflags = (f.rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_FIXED, .cs = USER_CS, .ss = USER_DS,
	};
	thread->fs_base = canonical(f.fs_base);
	thread->gs_base = canonical(f.gs_base);
	if (this_cpu()->loaded == thread)
		bases_load(thread);
}

void thread_arch_get_frame(struct thread *thread, struct portico_frame *frame)
{
	const struct registers *r = &thread->registers;

	if (this_cpu()->loaded == thread)
		bases_store(thread);
	*frame = (struct portico_frame){
		.rax = r->rax, .rbx = r->rbx, .rcx = r->rcx, .rdx = r->rdx, .rsi = r->rsi, .rdi = r->rdi,
		.rbp = r->rbp, .rsp = r->rsp, .r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11,
		.r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15, .rip = r->rip, .rflags = r->rflags,
		.fs_base = thread->fs_base, .gs_base = thread->gs_base,
	};
}

static inline void map_load(struct cpu *cpu, struct vm_map *map)
{
	if (cpu->map == map)
		return;
	cpu->map = map;
	cr3_write((uint64_t)(map == NULL ? kernel_pml4 : map->pmap.root) - DIRECT_MAP);
}

void context_switch_map(struct vm_map *map) { map_load(this_cpu(), map); }

/* On every change of threads: one of the kernel's hottest places. `from` is loaded; NULL: nobody is. */
static inline void context_load(struct cpu *cpu, struct thread *from, struct thread *to)
{
	if (from != NULL) {
		from->fs_base = fs_base_read();
		from->gs_base = user_gs_base_exchange(to->gs_base);
	} else {
		user_gs_base_write(to->gs_base);
	}
	fs_base_write(to->fs_base);
	fpu_switch(cpu, to);
	cpu->loaded = to;
	map_load(cpu, to->task->map);
}

void thread_arch_switch(struct thread *from, struct thread *to) { context_load(this_cpu(), from, to); }

/* Takes the last thread's context off this CPU, so that nothing here refers to it or to its address space. */
static void context_unload(struct cpu *cpu)
{
	if (cpu->loaded != NULL)
		bases_store(cpu->loaded);
	cpu->loaded = NULL;
	context_switch_map(NULL);
}

/* The thread is dead. If its context is still on this CPU, its address space may be torn down before another is loaded. */
void thread_arch_free(struct thread *thread)
{
	struct cpu *cpu = this_cpu();

	fpu_free(thread);
	if (cpu->loaded == thread) {
		cpu->loaded = NULL;
		context_switch_map(NULL);
	}
}

static void idle(struct cpu *cpu)
{
	uint64_t began = clock_now();

	context_unload(cpu);
	timer_rearm(cpu);
	cpu->idle = true;
	kernel_unlock();
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	kernel_lock();
	cpu->idle = false;
	cpu->idle_ns += clock_now() - began;
	kernel_info_page->idle_time[cpu->id] = cpu->idle_ns;
}

void timer_rearm(struct cpu *cpu)
{
	uint64_t next = timeouts_next(), end;

	if (cpu->current != cpu->idle_thread) {
		end = clock_now() + cpu->current->slice_left;
		next = end < next ? end : next;
	}
	timer_arm(next);
}

static void choose_thread(struct cpu *cpu)
{
	while (cpu->reschedule) {
		struct thread *next;

		cpu->reschedule = false;
		next = schedule();
		cpu->current = next;
		if (next != cpu->idle_thread) {
			timer_rearm(cpu);
			continue;
		}
		if (!cpu->reschedule) /* what was done meanwhile may have woken somebody */
			idle(cpu);
		cpu->reschedule = true;
	}
}

struct thread *leave_kernel(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->reschedule)
		choose_thread(cpu);
	return switch_context();
}

struct thread *switch_context(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *from = cpu->loaded, *to = cpu->current;

	if (from != to)
		context_load(cpu, from, to);
	return to;
}

/* Called by entry.S when a trap handler has returned and a reschedule is due: the result belongs to a thread that goes on. */
void trap_result(struct thread *thread, int64_t result);
void trap_result(struct thread *thread, int64_t result)
{
	if (this_cpu()->current == thread && thread->state == THREAD_RUNNING)
		thread->registers.rax = (uint64_t)result;
}
