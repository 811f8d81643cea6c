/*
 * Several CPUs: starting them, the kernel lock, and what one asks of another.
 *
 * A request (drop translations, give up a thread's vector registers) is made with the kernel lock held, so there is one at a
 * time. A CPU serves it from its interrupt, or while it waits for the lock; the asker spins until all have.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>
#include <kernel/vm/vm.h>
#include <portico/info.h>

#define TRAMPOLINE 0x8000
#define MADT_LAPIC 0
#define MADT_LAPIC_USABLE 1u
#define START_TIMEOUT UINT64_C(200000000)
#define FLUSH_PAGES_MAX 32 /* from so many pages on, the whole TLB goes */

struct madt_lapic {
	struct acpi_madt_entry entry;
	uint8_t processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

/*
 * 1: held. entry.S takes and releases it too. Not in order of arrival: where a hypervisor takes a waiting CPU away, the others
 * would have to wait for it as well.
 */
uint32_t kernel_lock_word;

/* For trampoline.S. */
uint64_t trampoline_stack;
struct cpu *trampoline_argument;
extern char trampoline_begin[], trampoline_end[];
_Noreturn void smp_cpu_main(struct cpu *cpu);

static struct {
	uint32_t pending; /* mask of CPUs that have not served it yet; atomic */
	uint64_t start, end;
	struct thread *fpu; /* not NULL: its vector registers; else drop [start, end) */
} request;

void kernel_lock_wait(void)
{
	do {
		while (__atomic_load_n(&kernel_lock_word, __ATOMIC_RELAXED) != 0) {
			smp_service();
			cpu_relax();
		}
	} while (__atomic_exchange_n(&kernel_lock_word, 1, __ATOMIC_ACQUIRE) != 0);
}

void kernel_lock(void)
{
	if (__atomic_exchange_n(&kernel_lock_word, 1, __ATOMIC_ACQUIRE) != 0)
		kernel_lock_wait();
}

void kernel_unlock(void) { __atomic_store_n(&kernel_lock_word, 0, __ATOMIC_RELEASE); }

static void flush_local(uint64_t start, uint64_t end)
{
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		cr3_write(cr3_read());
		return;
	}
	for (uint64_t a = start & ~(PAGE_SIZE - 1); a < end; a += PAGE_SIZE)
		invlpg(a);
}

void smp_service(void)
{
	struct cpu *cpu = this_cpu();
	uint32_t bit = 1u << cpu->id;

	if ((__atomic_load_n(&request.pending, __ATOMIC_ACQUIRE) & bit) == 0)
		return;
	if (request.fpu == NULL)
		flush_local(request.start, request.end);
	else if (request.fpu == cpu->fpu_owner)
		fpu_save_owner(cpu);
	__atomic_fetch_and(&request.pending, ~bit, __ATOMIC_RELEASE);
}

static void ask(uint32_t mask)
{
	__atomic_store_n(&request.pending, mask, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (mask & 1u << i)
			lapic_send(cpus[i].apic_id, LAPIC_IPI_FIXED | VECTOR_SERVICE);
	}
	while (__atomic_load_n(&request.pending, __ATOMIC_ACQUIRE) != 0)
		cpu_relax();
}

void tlb_shootdown(struct vm_map *map, uint64_t start, uint64_t end)
{
	struct cpu *self = this_cpu();
	uint32_t mask = 0;

	if (self->map == map)
		flush_local(start, end);
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (&cpus[i] != self && cpus[i].online && cpus[i].map == map)
			mask |= 1u << i;
	}
	if (mask == 0)
		return;
	request.start = start;
	request.end = end;
	request.fpu = NULL;
	ask(mask);
}

void smp_fpu_fetch(struct thread *thread)
{
	struct cpu *self = this_cpu();

	for (uint32_t i = 0; i < cpu_count; i++) {
		if (&cpus[i] == self || cpus[i].fpu_owner != thread)
			continue;
		request.fpu = thread;
		ask(1u << i);
	}
}

void cpu_poke(uint32_t cpu)
{
	if (&cpus[cpu] == this_cpu())
		this_cpu()->reschedule = true;
	else if (cpus[cpu].online)
		lapic_send(cpus[cpu].apic_id, LAPIC_IPI_FIXED | VECTOR_POKE);
}

void smp_stop_others(void)
{
	if (cpu_count > 1)
		lapic_send(0, LAPIC_IPI_NMI_OTHERS);
}

/* The first C code of a started CPU: on its kernel stack, with the boot page tables. */
void smp_cpu_main(struct cpu *cpu)
{
	cr3_write((uint64_t)kernel_pml4 - DIRECT_MAP);
	cpu_init(cpu);
	lapic_enable();
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	kernel_lock(); /* held by the boot CPU until the system runs */
	cpu->current = cpu->idle_thread;
	cpu->reschedule = true;
	enter_first_thread();
}

static bool wait_online(const struct cpu *cpu, uint64_t ns)
{
	uint64_t end = clock_now() + ns;

	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
		if (clock_now() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static void start_cpu(const struct acpi_madt_entry *entry)
{
	const struct madt_lapic *m = (const struct madt_lapic *)entry;
	struct cpu *cpu = &cpus[cpu_count];

	if (entry->type != MADT_LAPIC || (m->flags & MADT_LAPIC_USABLE) == 0 || m->apic_id == cpus[0].apic_id)
		return;
	if (cpu_count == CPUS_MAX)
		return;
	cpu->id = cpu_count;
	cpu->apic_id = m->apic_id;
	trampoline_stack = (uint64_t)(cpu_stacks[cpu->id].kernel + KERNEL_STACK_SIZE);
	trampoline_argument = cpu;
	lapic_send(m->apic_id, LAPIC_IPI_INIT);
	clock_wait(100000);
	for (int tries = 0; tries < 2; tries++) {
		lapic_send(m->apic_id, LAPIC_IPI_STARTUP | TRAMPOLINE >> 12);
		if (wait_online(cpu, START_TIMEOUT)) {
			cpu_count++;
			return;
		}
	}
	kprintf("cpu with APIC id %u does not start\n", m->apic_id);
}

void smp_start(void)
{
	static uint8_t saved[512]; /* a boot module may lie there */
	size_t size = (size_t)(trampoline_end - trampoline_begin);

	if (size > sizeof(saved))
		panic("the trampoline has grown");
	memcpy(saved, direct(TRAMPOLINE), size);
	memcpy(direct(TRAMPOLINE), trampoline_begin, size);
	acpi_for_each_madt(start_cpu);
	memcpy(direct(TRAMPOLINE), saved, size);
	kernel_info_page->cpus = cpu_count;
}
