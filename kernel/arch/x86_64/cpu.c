/*
 * What a CPU needs before it can run anything: segments, vectors, task state, control registers, the syscall registers.
 * The features that the kernel relies on are checked once, on the boot CPU.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>

struct descriptor {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

#define GATE_KERNEL 0x8e
#define GATE_USER 0xee
#define TSS_INDEX (TSS_SELECTOR / 8)

struct cpu cpus[CPUS_MAX];
uint32_t cpu_count = 1;
uint8_t cpu_has_smap; /* entry.S reads it */
uint64_t cpu_xsave_mask;
uint32_t cpu_xsave_size;

static uint64_t cpu_cr4;
static struct tss tss[CPUS_MAX];
static struct gate idt[256] __attribute__((aligned(16)));
static uint64_t gdt[TSS_INDEX + 2 * CPUS_MAX] __attribute__((aligned(16))) = {
	[KERNEL_CS / 8] = 0x00af9b000000ffff, [KERNEL_DS / 8] = 0x00cf93000000ffff, [USER_CS32 / 8] = 0x00cffb000000ffff,
	[USER_DS / 8] = 0x00cff3000000ffff,   [USER_CS / 8] = 0x00affb000000ffff,
};

extern char vector_stubs[], syscall_entry[];

static void need(bool present, const char *feature)
{
	if (!present)
		panic("this CPU lacks %s", feature);
}

void cpu_identify(void)
{
	struct cpuid basic = cpuid(1, 0), extended = cpuid(7, 0), amd = cpuid(0x80000001, 0);
	struct cpuid xsave;

	need(amd.edx & 1u << 20, "NX");
	need(amd.edx & 1u << 11, "SYSCALL");
	need(basic.edx & 1u << 9, "a local APIC");
	need(basic.ecx & 1u << 26, "XSAVE");
	need(extended.ebx & 1u << 0, "FSGSBASE");
	cpu_cr4 = CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;
	if (extended.ebx & 1u << 7)
		cpu_cr4 |= CR4_SMEP;
	if (extended.ebx & 1u << 20)
		cpu_cr4 |= CR4_SMAP;
	if (extended.ecx & 1u << 2)
		cpu_cr4 |= CR4_UMIP;
	cpu_has_smap = (cpu_cr4 & CR4_SMAP) != 0;
	xsave = cpuid(0xd, 0);
	cpu_xsave_mask = xsave.eax & 0xe7; /* x87, SSE, AVX, AVX-512 */
}

static void gate_set(unsigned vector, uint8_t type, uint8_t ist)
{
	uint64_t address = (uint64_t)vector_stubs + vector * 16;

	idt[vector] = (struct gate){ .offset_low = (uint16_t)address,
				     .selector = KERNEL_CS,
				     .ist = ist,
				     .type = type,
				     .offset_middle = (uint16_t)(address >> 16),
				     .offset_high = (uint32_t)(address >> 32) };
}

void cpu_tables_init(void)
{
	for (unsigned v = 0; v < 256; v++)
		gate_set(v, GATE_KERNEL, 0);
	gate_set(3, GATE_USER, 0); /* int3 */
	gate_set(4, GATE_USER, 0);
	gate_set(VECTOR_NMI, GATE_KERNEL, 1);
	gate_set(VECTOR_DOUBLE_FAULT, GATE_KERNEL, 2);
	gate_set(VECTOR_MACHINE_CHECK, GATE_KERNEL, 3);
}

static void tss_init(struct cpu *cpu)
{
	struct tss *t = &tss[cpu->id];
	uint64_t base = (uint64_t)t, *entry = &gdt[TSS_INDEX + 2 * cpu->id];
	struct cpu_stacks *stacks = &cpu_stacks[cpu->id];

	cpu->kernel_stack = (uint64_t)(stacks->kernel + KERNEL_STACK_SIZE);
	t->rsp[0] = cpu->kernel_stack;
	t->io_map = sizeof(*t);
	for (int i = 0; i < IST_COUNT; i++) {
		/* The paranoid entry finds its CPU at the top of the stack. */
		uint64_t *top = (uint64_t *)(stacks->ist[i].stack + IST_STACK_SIZE) - 2;
		*top = (uint64_t)cpu;
		t->ist[i] = (uint64_t)top;
	}
	entry[0] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	entry[1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR + 16 * cpu->id));
}

static void segments_load(void)
{
	struct descriptor g = { sizeof(gdt) - 1, (uint64_t)gdt }, i = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:\n\t"
			 "movl %1, %%eax; movl %%eax, %%ss; xorl %%eax, %%eax; movl %%eax, %%ds; movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs; movl %%eax, %%gs"
			 :
			 : "i"(KERNEL_CS), "i"(KERNEL_DS)
			 : "rax", "memory");
}

void cpu_init(struct cpu *cpu)
{
	cpu->self = cpu;
	segments_load();
	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	tss_init(cpu);
	cr4_write(cr4_read() | cpu_cr4);
	cr0_write((cr0_read() & ~(CR0_EM | CR0_TS)) | CR0_WP | CR0_NE | CR0_MP);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
	msr_write(MSR_STAR, (uint64_t)USER_CS32 << 48 | (uint64_t)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
	msr_write(MSR_SFMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_IOPL | RFLAGS_AC | RFLAGS_RF);
	user_gs_base_write(0);
	fpu_init();
}
