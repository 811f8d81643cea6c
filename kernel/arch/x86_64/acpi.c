/*
 * The few things that are taken from ACPI's tables: CPUs and I/O APICs (MADT), HPET, power off and reset (FADT, \_S5).
 * No AML interpreter: \_S5's package of constants is found by its bytes.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct madt {
	struct table table;
	uint32_t lapic, flags;
} __attribute__((packed));

struct address {
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

struct fadt {
	struct table table;
	uint32_t facs, dsdt;
	uint8_t reserved, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	uint8_t other[44];
	struct address reset;
	uint8_t reset_value;
} __attribute__((packed));

struct hpet_table {
	struct table table;
	uint32_t id;
	struct address base;
} __attribute__((packed));

_Static_assert(offsetof(struct fadt, pm1a_control) == 64, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct fadt, reset) == 116, "ACPI 6.4, table 5.9");

#define SPACE_IO 1
#define SLEEP_ENABLE 0x2000u

uint64_t acpi_hpet;
static const struct madt *madt;
static const struct fadt *fadt;
static uint16_t sleep_type_a, sleep_type_b;
static bool can_power_off;

static bool checksum_good(const void *data, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)data)[i];
	return sum == 0;
}

/* One small AML integer at *p: ZeroOp, OneOp or BytePrefix. */
static uint16_t aml_byte(const uint8_t **p)
{
	uint8_t op = *(*p)++;

	if (op == 0x0a)
		return *(*p)++;
	return op; /* 0 and 1 stand for themselves */
}

/* Name (\_S5, Package () { a, b, ... }) */
static void find_sleep_types(const struct table *dsdt)
{
	const uint8_t *p = (const uint8_t *)(dsdt + 1), *end = (const uint8_t *)dsdt + dsdt->length - 12;

	for (; p < end; p++) {
		if (memcmp(p, "_S5_", 4) != 0 || p[4] != 0x12)
			continue;
		p += 5;
		p += 1 + (*p >> 6); /* package length */
		p++;                /* number of elements */
		sleep_type_a = aml_byte(&p);
		sleep_type_b = aml_byte(&p);
		can_power_off = true;
		return;
	}
}

static void visit_table(uint64_t physical)
{
	const struct table *table = direct(physical);

	if (physical == 0 || !checksum_good(table, table->length))
		return;
	if (memcmp(table->signature, "APIC", 4) == 0)
		madt = (const struct madt *)table;
	else if (memcmp(table->signature, "HPET", 4) == 0)
		acpi_hpet = ((const struct hpet_table *)table)->base.address;
	else if (memcmp(table->signature, "FACP", 4) == 0) {
		fadt = (const struct fadt *)table;
		if (fadt->dsdt != 0)
			find_sleep_types(direct(fadt->dsdt));
	}
}

void acpi_init(void)
{
	const struct rsdp *rsdp = (const struct rsdp *)boot_rsdp;
	const struct table *root;
	bool wide = rsdp->revision >= 2 && rsdp->xsdt != 0;
	size_t width = wide ? 8 : 4;

	if (memcmp(rsdp->signature, "RSD PTR ", 8) != 0)
		panic("no ACPI: the boot loader gave no root pointer");
	root = direct(wide ? rsdp->xsdt : rsdp->rsdt);
	for (size_t offset = sizeof(*root); offset + width <= root->length; offset += width) {
		uint64_t physical = 0;
		memcpy(&physical, (const char *)root + offset, width);
		visit_table(physical);
	}
	if (madt == NULL)
		panic("ACPI has no MADT");
}

void acpi_for_each_madt(void (*visit)(const struct acpi_madt_entry *entry))
{
	const char *p = (const char *)(madt + 1), *end = (const char *)madt + madt->table.length;

	while (p + sizeof(struct acpi_madt_entry) <= end) {
		const struct acpi_madt_entry *entry = (const struct acpi_madt_entry *)p;
		if (entry->length < sizeof(*entry) || p + entry->length > end)
			return;
		visit(entry);
		p += entry->length;
	}
}

uint64_t acpi_lapic_address(void) { return madt->lapic; }

bool acpi_power_off(void)
{
	if (fadt == NULL || !can_power_off || fadt->pm1a_control == 0)
		return false;
	if (fadt->smi_command != 0 && fadt->acpi_enable != 0 && (in16((uint16_t)fadt->pm1a_control) & 1) == 0)
		out8((uint16_t)fadt->smi_command, fadt->acpi_enable);
	out16((uint16_t)fadt->pm1a_control, (uint16_t)(sleep_type_a << 10 | SLEEP_ENABLE));
	if (fadt->pm1b_control != 0)
		out16((uint16_t)fadt->pm1b_control, (uint16_t)(sleep_type_b << 10 | SLEEP_ENABLE));
	return true;
}

void acpi_reset(void)
{
	if (fadt != NULL && fadt->table.length > offsetof(struct fadt, reset_value) && fadt->reset.space == SPACE_IO)
		out8((uint16_t)fadt->reset.address, fadt->reset_value);
	out8(0xcf9, 0x06);
	out8(0x64, 0xfe); /* the keyboard controller's reset line */
}
