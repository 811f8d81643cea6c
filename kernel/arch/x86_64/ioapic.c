/*
 * I/O APICs: interrupt lines as the rest of the kernel names them. A line below 16 is an ISA interrupt, wherever the MADT's
 * overrides have put it; the others are global system interrupts, as PCI devices have them (level, active low).
 *
 * A level-triggered line is masked when it arrives and until interrupt_enable, so that its driver can be a user task. An
 * edge-triggered one is left open: masked, it would lose edges, and open it can only set the same notification bit again.
 */
#include "machine.h"
#include "x86.h"

#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2
#define IOAPICS_MAX 8
#define ISA_LINES 16

#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECTION 0x10
#define REDIRECTION_LOW_ACTIVE (1u << 13)
#define REDIRECTION_LEVEL (1u << 15)
#define REDIRECTION_MASKED (1u << 16)

struct madt_ioapic {
	struct acpi_madt_entry entry;
	uint8_t id, reserved;
	uint32_t address, first;
} __attribute__((packed));

struct madt_override {
	struct acpi_madt_entry entry;
	uint8_t bus, line;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

static struct ioapic {
	volatile uint32_t *registers;
	uint32_t first, count;
} ioapics[IOAPICS_MAX];
static uint32_t ioapic_count;

static struct line {
	uint32_t gsi;
	uint32_t mode; /* polarity and trigger bits of the redirection entry */
} lines[LINES_MAX];

static uint32_t ioapic_read(const struct ioapic *io, uint32_t index)
{
	io->registers[0] = index;
	return io->registers[4];
}

static void ioapic_write(const struct ioapic *io, uint32_t index, uint32_t value)
{
	io->registers[0] = index;
	io->registers[4] = value;
}

static void visit_ioapic(const struct acpi_madt_entry *entry)
{
	const struct madt_ioapic *m = (const struct madt_ioapic *)entry;
	struct ioapic *io = &ioapics[ioapic_count];

	if (entry->type != MADT_IOAPIC || ioapic_count == IOAPICS_MAX)
		return;
	io->registers = direct(m->address);
	io->first = m->first;
	io->count = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < io->count; i++)
		ioapic_write(io, IOAPIC_REDIRECTION + 2 * i, REDIRECTION_MASKED);
	ioapic_count++;
}

static void visit_override(const struct acpi_madt_entry *entry)
{
	const struct madt_override *m = (const struct madt_override *)entry;

	if (entry->type != MADT_OVERRIDE || m->line >= ISA_LINES)
		return;
	lines[m->line].gsi = m->gsi;
	lines[m->line].mode = ((m->flags & 3) == 3 ? REDIRECTION_LOW_ACTIVE : 0) | ((m->flags >> 2 & 3) == 3 ? REDIRECTION_LEVEL : 0);
}

void ioapic_init(void)
{
	for (uint32_t i = 0; i < LINES_MAX; i++)
		lines[i] = (struct line){ i, i < ISA_LINES ? 0 : REDIRECTION_LEVEL | REDIRECTION_LOW_ACTIVE };
	acpi_for_each_madt(visit_ioapic);
	acpi_for_each_madt(visit_override);
}

static void redirect(uint32_t line, uint32_t flags)
{
	uint32_t gsi;

	if (line >= LINES_MAX)
		return;
	gsi = lines[line].gsi;
	for (uint32_t i = 0; i < ioapic_count; i++) {
		const struct ioapic *io = &ioapics[i];
		if (gsi < io->first || gsi - io->first >= io->count)
			continue;
		ioapic_write(io, IOAPIC_REDIRECTION + 2 * (gsi - io->first) + 1, cpus[0].apic_id << 24);
		ioapic_write(io, IOAPIC_REDIRECTION + 2 * (gsi - io->first), (VECTOR_IRQ + line) | lines[line].mode | flags);
	}
}

void interrupt_enable(uint32_t line) { redirect(line, 0); }
void interrupt_disable(uint32_t line) { redirect(line, REDIRECTION_MASKED); }

void ioapic_arrived(uint32_t line)
{
	if (lines[line].mode & REDIRECTION_LEVEL)
		interrupt_disable(line);
}
