/*
 * Time: the TSC counts it, calibrated once against the HPET (or the PIT); the local APIC's timer, one shot, interrupts at the next
 * deadline; the wall clock starts from the CMOS clock. What user code needs to tell the time lies in the kernel information page.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>
#include <kernel/vm/vm.h>
#include <portico/info.h>

#define SECOND UINT64_C(1000000000)
#define TSC_SHIFT 32
#define HPET_PERIOD 4 /* byte offset of the upper half of the capabilities: femtoseconds a tick */
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xf0
#define PIT_HZ 1193182
#define HPET_WINDOW UINT64_C(2000000)  /* ns measured with the HPET */
#define PIT_WINDOW UINT64_C(20000000)  /* and with the PIT, which is coarse */
#define LOAD_PERIOD (5 * SECOND)
#define LOAD_SHIFT 11

/* A moment on both clocks: reference in its own ticks, and what the local APIC's timer showed. */
struct sample {
	uint64_t tsc, reference;
	uint32_t lapic;
};

static uint64_t tsc_base, tsc_multiplier;
static uint64_t lapic_ticks_per_ns; /* 32.32 */
static uint64_t load_due;

uint64_t clock_now(void)
{
	return (uint64_t)((unsigned __int128)(tsc_read() - tsc_base) * tsc_multiplier >> TSC_SHIFT);
}

static uint64_t hpet_read(uint32_t offset) { return *(volatile uint64_t *)((char *)direct(acpi_hpet) + offset); }

/* Of several tries the one in which the two clocks were read with the least between them: the host may have paused us. */
static struct sample sample_hpet(void)
{
	struct sample best = { 0 };
	uint64_t least = ~UINT64_C(0);

	for (int i = 0; i < 8; i++) {
		uint64_t before = tsc_read();
		uint64_t reference = hpet_read(HPET_COUNTER);
		uint64_t after = tsc_read();
		if (after - before < least) {
			least = after - before;
			best = (struct sample){ before + least / 2, reference, 0 };
		}
	}
	best.lapic = lapic_timer_read();
	return best;
}

static void set_rates(const struct sample *a, const struct sample *b, uint64_t ns)
{
	uint64_t lapic = a->lapic - b->lapic; /* it counts down */

	tsc_base = a->tsc;
	tsc_multiplier = (ns << TSC_SHIFT) / (b->tsc - a->tsc);
	lapic_ticks_per_ns = (lapic << 32) / ns;
}

static void calibrate_hpet(void)
{
	uint64_t period = *(volatile uint32_t *)((char *)direct(acpi_hpet) + HPET_PERIOD);
	uint64_t ticks = HPET_WINDOW * 1000000 / period;
	struct sample a, b;

	*(volatile uint64_t *)((char *)direct(acpi_hpet) + HPET_CONFIG) |= 1;
	a = sample_hpet();
	while (hpet_read(HPET_COUNTER) - a.reference < ticks)
		cpu_relax();
	b = sample_hpet();
	set_rates(&a, &b, (b.reference - a.reference) * period / 1000000);
}

static void calibrate_pit(void)
{
	uint32_t ticks = (uint32_t)(PIT_WINDOW * PIT_HZ / SECOND);
	struct sample a, b;

	out8(0x61, (in8(0x61) & ~2) | 1); /* channel 2: gate on, speaker off */
	out8(0x43, 0xb0);                 /* mode 0: output rises at the end */
	out8(0x42, (uint8_t)ticks);
	out8(0x42, (uint8_t)(ticks >> 8));
	a = (struct sample){ tsc_read(), 0, lapic_timer_read() };
	while ((in8(0x61) & 0x20) == 0)
		cpu_relax();
	b = (struct sample){ tsc_read(), 0, lapic_timer_read() };
	set_rates(&a, &b, PIT_WINDOW);
}

static uint8_t cmos_read(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

static uint32_t from_bcd(uint8_t value, bool binary) { return binary ? value : (value >> 4) * 10u + (value & 15); }

/* Days since 1970-01-01 of a date in this century. */
static uint64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	uint32_t leap_days = (year - 1969) / 4 + (month > 2 && year % 4 == 0 ? 1 : 0);

	return (year - 1970) * 365u + leap_days + before[(month - 1) % 12] + day - 1;
}

/* Seconds since 1970-01-01 00:00:00 UTC by the CMOS clock, read twice until both agree. */
static uint64_t rtc_read(void)
{
	static const uint8_t index[6] = { 0, 2, 4, 7, 8, 9 }; /* second, minute, hour, day, month, year */
	uint8_t now[6], last[6];
	bool binary = cmos_read(0xb) & 4, twelve = (cmos_read(0xb) & 2) == 0;
	uint32_t hour;

	memset(last, 0xff, sizeof(last));
	for (;;) {
		while (cmos_read(0xa) & 0x80)
			cpu_relax();
		for (int i = 0; i < 6; i++)
			now[i] = cmos_read(index[i]);
		if (memcmp(now, last, sizeof(now)) == 0)
			break;
		memcpy(last, now, sizeof(now));
	}
	hour = from_bcd(now[2] & 0x7f, binary);
	if (twelve)
		hour = hour % 12 + (now[2] & 0x80 ? 12 : 0);
	return days_of(2000 + from_bcd(now[5], binary), from_bcd(now[4], binary), from_bcd(now[3], binary)) * 86400 +
	       hour * 3600 + from_bcd(now[1], binary) * 60 + from_bcd(now[0], binary);
}

static void info_page_init(void)
{
	struct kernel_info *info = kernel_info_page;

	info->version = KERNEL_INFO_VERSION;
	info->tsc_base = tsc_base;
	info->tsc_multiplier = tsc_multiplier;
	info->tsc_shift = TSC_SHIFT;
	info->tick_hz = 100;
	info->realtime_offset = (int64_t)(rtc_read() * SECOND - clock_now());
	info->memory_total = memory_total;
	info->tsc_frequency = (SECOND << TSC_SHIFT) / tsc_multiplier;
	memcpy(info->release, "0.1", 4);
}

void clock_init(void)
{
	lapic_timer_set(~0u);
	if (acpi_hpet != 0)
		calibrate_hpet();
	else
		calibrate_pit();
	lapic_timer_set(0);
	for (uint32_t i = 0; i < CPUS_MAX; i++)
		cpus[i].timer_deadline = DEADLINE_NEVER;
	info_page_init();
}

void clock_wait(uint64_t ns)
{
	uint64_t end = clock_now() + ns;

	while (clock_now() < end)
		cpu_relax();
}

int64_t clock_realtime_offset(void) { return kernel_info_page->realtime_offset; }

void clock_set_realtime_offset(int64_t offset)
{
	struct kernel_info *info = kernel_info_page;

	__atomic_store_n(&info->sequence, info->sequence + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	info->realtime_offset = offset;
	__atomic_store_n(&info->sequence, info->sequence + 1, __ATOMIC_RELEASE);
}

void timer_arm(uint64_t deadline)
{
	struct cpu *cpu = this_cpu();
	uint64_t now, ticks;

	if (deadline >= cpu->timer_deadline)
		return;
	cpu->timer_deadline = deadline;
	now = clock_now();
	ticks = deadline > now ? deadline - now : 1;
	if (ticks > SECOND)
		ticks = SECOND; /* the counter has 32 bits; the tick that comes early sets it again */
	ticks = ticks * lapic_ticks_per_ns >> 32;
	lapic_timer_set(ticks == 0 ? 1 : ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

static uint64_t runnable_threads(void)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].current != NULL && cpus[i].current != cpus[i].idle_thread)
			count++;
		for (uint32_t p = 0; p < 32; p++) {
			list_for_each(link, &cpus[i].run_queue[p])
				count++;
		}
	}
	return count;
}

/* load = load * decay + runnable * (1 - decay), decay = exp(-5 s / 1, 5, 15 min) in units of 2^-LOAD_SHIFT. */
static void load_update(uint64_t now)
{
	static const uint64_t decay[3] = { 1884, 2014, 2037 };
	uint64_t active = runnable_threads() << 16;

	while (load_due <= now) {
		for (int i = 0; i < 3; i++) {
			uint64_t *load = &kernel_info_page->load[i];
			*load = (*load * decay[i] + active * ((1u << LOAD_SHIFT) - decay[i])) >> LOAD_SHIFT;
		}
		load_due += LOAD_PERIOD;
	}
}

void timer_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t now = clock_now();

	cpu->timer_deadline = DEADLINE_NEVER;
	timeouts_expire(now);
	if (now >= load_due)
		load_update(now);
	kernel_info_page->memory_free = pages_free * PAGE_SIZE;
	timer_rearm(cpu);
}
