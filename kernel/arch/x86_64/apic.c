/*
 * The local APIC: who we are, inter-processor interrupts, the one-shot timer. The old interrupt controllers are silenced.
 */
#include "machine.h"
#include "x86.h"

#define LAPIC_ID 0x20
#define LAPIC_TPR 0x80
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_COUNT 0x380
#define LAPIC_TIMER_NOW 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0

#define LAPIC_ENABLE 0x100u
#define LAPIC_MASKED 0x10000u
#define LAPIC_ICR_PENDING 0x1000u
#define DIVIDE_BY_1 0xbu
#define APIC_BASE_ENABLE UINT64_C(0x800)

static volatile uint32_t *lapic;

static uint32_t lapic_read(uint32_t offset) { return lapic[offset / 4]; }
static void lapic_write(uint32_t offset, uint32_t value) { lapic[offset / 4] = value; }

void lapic_init(void)
{
	lapic = direct(acpi_lapic_address());
	/* Both PICs: vectors away from the exceptions, everything masked. */
	out8(0x20, 0x11);
	out8(0xa0, 0x11);
	out8(0x21, 0x20);
	out8(0xa1, 0x28);
	out8(0x21, 4);
	out8(0xa1, 2);
	out8(0x21, 1);
	out8(0xa1, 1);
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
}

void lapic_enable(void)
{
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_LINT0, LAPIC_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LAPIC_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LAPIC_MASKED);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
}

uint32_t lapic_id(void) { return lapic_read(LAPIC_ID) >> 24; }
void lapic_end_of_interrupt(void) { lapic_write(LAPIC_EOI, 0); }
void lapic_timer_set(uint32_t count) { lapic_write(LAPIC_TIMER_COUNT, count); }
uint32_t lapic_timer_read(void) { return lapic_read(LAPIC_TIMER_NOW); }

void lapic_send(uint32_t apic_id, uint32_t command)
{
	while (lapic_read(LAPIC_ICR_LOW) & LAPIC_ICR_PENDING)
		cpu_relax();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR_LOW, command);
}
