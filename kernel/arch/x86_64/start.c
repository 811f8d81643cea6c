/*
 * Start-up of the machine, from boot.S to kernel_main, in the order in which things depend on each other. Also the small port
 * and power services that the rest of the kernel asks for.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>
#include <portico/info.h>
#include <portico/traps.h>

#define COMMAND_LINE_MODULE "cmdline"

_Noreturn void arch_start(uint64_t multiboot_info);

/* The command line as a boot module, so that root reads it as it reads the others. */
static void command_line_module(void)
{
	uint64_t copy = early_allocate(sizeof(boot_command_line));
	size_t size = strlen(boot_command_line) + 1;

	memcpy(direct(copy), boot_command_line, size);
	module_add(COMMAND_LINE_MODULE, copy, size);
}

static void boot_cpu_init(void)
{
	for (uint32_t i = 0; i < CPUS_MAX; i++) {
		for (uint32_t p = 0; p < 32; p++)
			list_init(&cpus[i].run_queue[p]);
	}
	cpu_tables_init();
	cpu_init(&cpus[0]);
	cpus[0].online = true;
}

void arch_start(uint64_t multiboot_info)
{
	console_init();
	msr_write(MSR_GS_BASE, (uint64_t)&cpus[0]); /* panic looks there */
	cpus[0].self = &cpus[0];
	cpu_identify();
	multiboot_parse(multiboot_info);
	paging_init();
	boot_cpu_init();
	kernel_lock();
	fwcfg_init();
	command_line_module();
	paging_finish();
	acpi_init();
	lapic_init();
	lapic_enable();
	cpus[0].apic_id = lapic_id();
	ioapic_init();
	clock_init();
	smp_start();
	kprintf("portico: %u cpus, %lu MiB, tsc %lu kHz, modules %u, command line:%s\n", cpu_count, memory_total >> 20,
		kernel_info_page->tsc_frequency / 1000, boot_module_count, boot_command_line);
	if (command_line_has("console-marker"))
		com1_write("\x1e"); /* what follows is the system's; before it, the firmware's */
	kernel_main();
	cpus[0].current = cpus[0].current != NULL ? cpus[0].current : cpus[0].idle_thread;
	cpus[0].reschedule = true;
	enter_first_thread();
}

uint32_t io_read(uint16_t port, unsigned width) { return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port); }

void io_write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		out8(port, (uint8_t)value);
	else if (width == 2)
		out16(port, (uint16_t)value);
	else
		out32(port, value);
}

void machine_power(uint32_t action)
{
	if (action == POWER_PANIC)
		panic("asked for");
	if (action == POWER_REBOOT)
		acpi_reset();
	else if (!acpi_power_off())
		kprintf("portico: this machine does not say how to power it off\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}
