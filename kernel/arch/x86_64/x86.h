/*
 * The instructions and registers of x86_64 that C cannot say. No state, no policy.
 */
#ifndef KERNEL_ARCH_X86_64_X86_H
#define KERNEL_ARCH_X86_64_X86_H

#include <stdint.h>

/* Segment selectors: the user's are those that Linux programs expect to see. The order is what SYSCALL and SYSRET need. */
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_CS32 0x23
#define USER_DS 0x2b
#define USER_CS 0x33
#define TSS_SELECTOR 0x40 /* of CPU 0; 16 bytes each */

#define RFLAGS_CARRY UINT64_C(0x1)
#define RFLAGS_FIXED UINT64_C(0x2)
#define RFLAGS_TF UINT64_C(0x100)
#define RFLAGS_IF UINT64_C(0x200)
#define RFLAGS_DF UINT64_C(0x400)
#define RFLAGS_NT UINT64_C(0x4000)
#define RFLAGS_IOPL UINT64_C(0x3000)
#define RFLAGS_RF UINT64_C(0x10000)
#define RFLAGS_AC UINT64_C(0x40000)
#define RFLAGS_ID UINT64_C(0x200000)
/* What a user may set: CF PF AF ZF SF TF DF OF AC ID. */
#define RFLAGS_USER (UINT64_C(0x8d5) | RFLAGS_TF | RFLAGS_DF | RFLAGS_AC | RFLAGS_ID)

#define CR0_MP UINT64_C(0x2)
#define CR0_EM UINT64_C(0x4)
#define CR0_TS UINT64_C(0x8)
#define CR0_NE UINT64_C(0x20)
#define CR0_WP UINT64_C(0x10000)
#define CR4_PGE UINT64_C(0x80)
#define CR4_OSFXSR UINT64_C(0x200)
#define CR4_OSXMMEXCPT UINT64_C(0x400)
#define CR4_UMIP UINT64_C(0x800)
#define CR4_FSGSBASE UINT64_C(0x10000)
#define CR4_OSXSAVE UINT64_C(0x40000)
#define CR4_SMEP UINT64_C(0x100000)
#define CR4_SMAP UINT64_C(0x200000)

#define MSR_APIC_BASE 0x1b
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define EFER_SCE UINT64_C(0x1)
#define EFER_LME UINT64_C(0x100)
#define EFER_NXE UINT64_C(0x800)

#define PTE_PRESENT UINT64_C(0x1)
#define PTE_WRITE UINT64_C(0x2)
#define PTE_LARGE UINT64_C(0x80)
#define PTE_GLOBAL UINT64_C(0x100)
#define PTE_NX (UINT64_C(1) << 63)

static inline void out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline void out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
static inline void out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

#define X86_CONTROL_REGISTER(name)                                                                                     \
	static inline uint64_t name##_read(void)                                                                       \
	{                                                                                                              \
		uint64_t v;                                                                                            \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v) : : "memory");                                        \
		return v;                                                                                              \
	}                                                                                                              \
	static inline void name##_write(uint64_t v) { __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory"); }
X86_CONTROL_REGISTER(cr0)
X86_CONTROL_REGISTER(cr2)
X86_CONTROL_REGISTER(cr3)
X86_CONTROL_REGISTER(cr4)

static inline void xcr0_write(uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline uint64_t fs_base_read(void)
{
	uint64_t v;
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static inline void fs_base_write(uint64_t v) { __asm__ volatile("wrfsbase %0" : : "r"(v)); }

/* The user's gs base, while the kernel's is in use. No memory access through gs may come between the two swaps. */
static inline uint64_t user_gs_base_read(void)
{
	uint64_t v;
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(v) : : "memory");
	return v;
}

static inline void user_gs_base_write(uint64_t v)
{
	__asm__ volatile("swapgs; wrgsbase %0; swapgs" : : "r"(v) : "memory");
}

static inline uint64_t user_gs_base_exchange(uint64_t v)
{
	uint64_t old;
	__asm__ volatile("swapgs; rdgsbase %0; wrgsbase %1; swapgs" : "=&r"(old) : "r"(v) : "memory");
	return old;
}

static inline void invlpg(uint64_t address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
/*
 * In a spin. No PAUSE: QEMU's emulation leaves the CPU loop at each and fights for its global lock, which made a TLB shootdown take
 * 2 ms instead of 20 us when the host was busy.
 */
static inline void cpu_relax(void) { __asm__ volatile("" : : : "memory"); }

#endif
