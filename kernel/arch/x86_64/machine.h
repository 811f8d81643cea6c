/*
 * What the files of this folder share with each other, and nobody else uses.
 */
#ifndef KERNEL_ARCH_X86_64_MACHINE_H
#define KERNEL_ARCH_X86_64_MACHINE_H

#include <kernel/arch/x86_64/current.h>
#include <portico/layout.h>

#define COM1 0x3f8
#define COM2 0x2f8
#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_PANIC 0x31 /* QEMU ends with (this << 1) | 1 = 99 */

#define VECTOR_NMI 2
#define VECTOR_NO_FPU 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_IRQ 0x30     /* + interrupt line */
#define VECTOR_SERVICE 0xf0 /* smp.c: requests that other CPUs make */
#define VECTOR_POKE 0xf1    /* look at the run queue */
#define VECTOR_TIMER 0xf2
#define VECTOR_SPURIOUS 0xff
#define LINES_MAX 192

#define KERNEL_STACK_SIZE 16384
#define IST_STACK_SIZE 8192
#define IST_COUNT 3 /* NMI, double fault, machine check */

/* A CPU's stacks, each with an unmapped page below it. */
struct cpu_stacks {
	uint8_t guard[PAGE_SIZE];
	uint8_t kernel[KERNEL_STACK_SIZE];
	struct {
		uint8_t guard[PAGE_SIZE];
		uint8_t stack[IST_STACK_SIZE];
	} ist[IST_COUNT];
};
extern struct cpu_stacks cpu_stacks[CPUS_MAX];

/* As pushed by the exception stubs when the kernel itself was interrupted. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline void *direct(uint64_t physical) { return (void *)(DIRECT_MAP + physical); }

static inline struct cpu *this_cpu(void) { return cpu_current(); }

/* multiboot.c */
struct memory_range {
	uint64_t begin, end;
};
extern struct memory_range memory_ranges[128]; /* usable RAM that nothing occupies, page aligned, not sorted */
extern uint32_t memory_range_count;
extern uint64_t memory_top;   /* end of the highest RAM */
extern uint64_t memory_total; /* bytes of usable RAM */
extern uint8_t boot_rsdp[40]; /* ACPI's root pointer, zero if there is none */
void multiboot_parse(uint64_t info);
/* Takes memory out of the ranges for good: zeroed, below 4 GiB, page aligned. Panics when there is none. */
uint64_t early_allocate(uint64_t size);
void memory_give_back(uint64_t physical, uint64_t size); /* a module's memory */
void module_add(const char *name, uint64_t physical, uint64_t size);
bool command_line_has(const char *word);

/* paging.c */
void paging_init(void);
void paging_finish(void); /* hands what is left of the memory to the page allocator */

/* cpu.c */
extern uint64_t cpu_xsave_mask;
extern uint32_t cpu_xsave_size;
void cpu_identify(void);          /* boot CPU: features; panics if one is missing that the kernel needs */
void cpu_tables_init(void);       /* boot CPU: GDT and IDT contents */
void cpu_init(struct cpu *cpu);   /* on the CPU itself */

/* acpi.c */
struct acpi_madt_entry {
	uint8_t type, length;
} __attribute__((packed));
extern uint64_t acpi_hpet;         /* physical address, 0: none */
void acpi_init(void);
void acpi_for_each_madt(void (*visit)(const struct acpi_madt_entry *entry));
uint64_t acpi_lapic_address(void);
bool acpi_power_off(void);
void acpi_reset(void);

/* apic.c */
void lapic_init(void);                   /* boot CPU: find and map it, mask the PICs */
void lapic_enable(void);                 /* on each CPU */
uint32_t lapic_id(void);
void lapic_end_of_interrupt(void);
void lapic_send(uint32_t apic_id, uint32_t command);
void lapic_timer_set(uint32_t count);    /* one shot; 0 stops it */
uint32_t lapic_timer_read(void);
#define LAPIC_IPI_FIXED 0x4000u
#define LAPIC_IPI_NMI_OTHERS 0xc4400u
#define LAPIC_IPI_INIT 0x4500u
#define LAPIC_IPI_STARTUP 0x4600u

/* ioapic.c */
void ioapic_init(void);
void ioapic_arrived(uint32_t line);      /* masks level-triggered lines until interrupt_enable */

/* clock.c */
void clock_init(void);
void clock_wait(uint64_t ns);            /* spins */
void timer_interrupt(void);

/* fwcfg.c */
void fwcfg_init(void);

/* smp.c */
void smp_start(void);
void smp_service(void);                  /* do what other CPUs have asked of this one; interrupts off */
void smp_stop_others(void);              /* panic: never returns them */
void smp_fpu_fetch(struct thread *thread); /* wherever its FPU state is live, have it saved */
void kernel_lock_wait(void); /* spins until the lock is ours */

/* fpu.c */
void fpu_init(void);                     /* on each CPU */
bool fpu_load(struct thread *thread);    /* #NM; false: no memory */
void fpu_save_owner(struct cpu *cpu);
void fpu_free(struct thread *thread);

/* context.c */
struct thread *leave_kernel(void);       /* the way out, but for its asm part: what runs now on this CPU */
void timer_rearm(struct cpu *cpu);       /* for the next timeout and the end of the running slice */
struct thread *switch_context(void);     /* its last part: the current thread's context is in the CPU */
_Noreturn void enter_first_thread(void); /* entry.S */

/* panic.c */
_Noreturn void panic_frame(const struct trap_frame *frame, const char *reason);
_Noreturn void debug_exit(uint32_t value);
/* Name of the function that holds an address and the distance from its start; NULL if it is not kernel text. */
const char *symbol_find(uint64_t address, uint64_t *distance);

/* console.c */
void console_init(void);
void console_panic_mode(void);           /* from now on COM1 gets everything too */
void com1_write(const char *text);

#endif
