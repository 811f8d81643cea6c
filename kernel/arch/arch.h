/*
 * What the machine-independent kernel asks of the machine. Owner: kernel/arch/x86_64; a host version for unit tests is in
 * tests/unit/kernel/host_arch.c. pmap_* belongs to kernel/vm's owner (kernel/arch/x86_64/pmap.c, host: tests/unit/kernel/host_pmap.c).
 */
#ifndef KERNEL_ARCH_ARCH_H
#define KERNEL_ARCH_ARCH_H

#include <kernel/task/thread.h>
#include <stdarg.h>

#define CPUS_MAX 8

/* All of RAM, and the devices below 4 GiB, appear here in the kernel; page_virtual(p) is DIRECT_MAP + p. */
#ifndef DIRECT_MAP /* the host tests have theirs elsewhere */
#define DIRECT_MAP 0xffff888000000000ul
#endif
#define KERNEL_BASE 0xffffffff80000000ul /* the kernel's image: virtual = KERNEL_BASE + physical */
/* The kernel's page table: user address spaces copy its entries 256 to 511, which never change. */
extern uint64_t *kernel_pml4;
/* The page mapped at KERNEL_INFO_ADDRESS in every task (direct map); filled before kernel_main. */
extern struct kernel_info *kernel_info_page;

/*
 * How the machine-independent kernel and the entry code work together:
 *  - start-up calls kernel_main on the boot CPU with the kernel lock held and every cpus[i].run_queue initialised; cpu_count is
 *    final (the other CPUs wait for the lock). kernel_main sets cpus[i].idle_thread for i < cpu_count and returns.
 *  - a trap saves all user registers in current->registers, takes the lock and calls trap_table[number](a..f). The result goes to
 *    registers.rax if cpu->current is still that thread and its state is THREAD_RUNNING; else the handler has seen to registers.
 *    While a thread is in the kernel by a trap, registers.cs is 0 (thread_in_trap): only then thread_block_restart rewinds rip.
 *  - to switch, set cpu->current (schedule and thread_switch_to do). Page table, FPU, fs and gs bases follow on the way out: nobody
 *    but arch calls thread_arch_switch and context_switch_map.
 *  - cpu->reschedule makes the way out call schedule(). It must be set whenever current is blocked, dead, suspended or to be
 *    stopped and thread_switch_to was not called.
 *  - timer_arm only brings the CPU's next tick forward; after each tick timeouts_expire() and timer_arm(timeouts_next()) are called,
 *    and after each schedule() the end of the thread's slice is armed. Whoever queues an earlier timeout calls timer_arm.
 */

/* Per CPU; gs points to it in the kernel. The offsets of the first members are known to entry.S. */
struct cpu {
	struct cpu *self;
	struct thread *current;
	uint64_t user_rsp;       /* scratch of the syscall entry */
	uint64_t kernel_stack;   /* top */
	uint32_t id, apic_id;
	bool reschedule;         /* look at the run queues on the way out */
	bool online, idle;
	uint64_t scratch;        /* of the syscall entry */
	struct vm_map *map;      /* page table loaded; NULL: the kernel's */
	struct thread *loaded;   /* whose fs, gs bases and page table are in the CPU: current, outside of the kernel */
	struct thread *fpu_owner;
	struct thread *idle_thread;
	uint64_t timer_deadline; /* what the local timer is set to */
	uint64_t idle_ns;
	struct list run_queue[32];
	uint32_t run_mask;
	bool fpu_disabled;       /* CR0.TS */
};
struct cpu *cpu_current(void);
extern struct cpu cpus[CPUS_MAX];
extern uint32_t cpu_count;

uint64_t clock_now(void);                       /* monotonic ns */
int64_t clock_realtime_offset(void);
void clock_set_realtime_offset(int64_t offset);
void timer_arm(uint64_t deadline);              /* this CPU's local timer; calls timeouts_expire() then */
void cpu_poke(uint32_t cpu);                    /* make another CPU look at its run queue */
/* TLB shootdown: every CPU on which the map is loaded drops [start, end). Spins; CPUs waiting for the kernel lock serve it. */
void tlb_shootdown(struct vm_map *map, uint64_t start, uint64_t end);

/* The kernel lock: taken by entry code, released on the way to user mode or idle. */
void kernel_lock(void);
void kernel_unlock(void);

/* Context. */
void context_switch_map(struct vm_map *map);    /* load if different */
void thread_arch_init(struct thread *thread);   /* segment selectors, rflags */
/* Caches entry and block for system-call redirection; after task, slot and endpoint are set, and when the task's personality changes. */
void thread_arch_set_personality(struct thread *thread);
static inline bool thread_in_trap(const struct thread *thread) { return thread->registers.cs == 0; }
void thread_arch_free(struct thread *thread);   /* FPU state */
void thread_arch_switch(struct thread *from, struct thread *to); /* FPU, fs and gs bases */
void thread_arch_set_frame(struct thread *thread, const struct portico_frame *frame); /* sanitised */
void thread_arch_get_frame(struct thread *thread, struct portico_frame *frame);
/* Copy with fixup between kernel and the current user address space is not used: see vm_copy_*. */

/* Console and end. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list ap);
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_bytes(const char *text, size_t length); /* kernel log: COM2 */
_Noreturn void machine_power(uint32_t action);   /* enum power_action */

/* Devices. */
void interrupt_enable(uint32_t line);
void interrupt_disable(uint32_t line);
uint32_t io_read(uint16_t port, unsigned width);
void io_write(uint16_t port, unsigned width, uint32_t value);

/* Called by arch: */
void interrupt_arrived(uint32_t line);           /* kernel/task/interrupt.c */
void timeouts_expire(uint64_t now);              /* kernel/task/timeout.c: wake sleepers, fire timers, end slices */
uint64_t timeouts_next(void);                    /* earliest deadline, DEADLINE_NEVER */
struct thread *schedule(void);                   /* kernel/task/sched.c: next thread for this CPU (idle thread if none), now current */
/* kernel/task/trap.c: handlers by trap number; unused entries answer KERN_NOT_SUPPORTED, none is NULL. Called from entry.S. */
extern int64_t (*const trap_table[256])(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
void kernel_main(void);                          /* kernel/task/main.c: after arch start-up on the boot CPU: builds root from the boot modules, starts it */

/* Boot modules (multiboot2), for kernel_main and trap module_get. */
struct boot_module { uint64_t physical, size; char name[64]; };
extern struct boot_module boot_modules[32];
extern uint32_t boot_module_count;
/* The decimal number after a prefix ("kill-every="); 0 if it is not there. */
uint64_t command_line_number(const char *prefix);
extern char boot_command_line[16384]; /* also the boot module "cmdline" */

#endif
