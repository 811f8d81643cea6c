/*
 * QEMU's firmware configuration device: `run` passes command line and extra boot modules by it, so that one image serves all runs.
 * opt/portico/command-line is appended to the boot loader's; opt/portico/module/NAME becomes boot module NAME,
 * instead of one of that name from the image.
 * On a machine without the device there is nothing to find.
 */
#include "machine.h"
#include "x86.h"
#include <kernel/lib/string.h>

#define FWCFG_SELECT 0x510
#define FWCFG_DATA 0x511
#define FWCFG_DMA_HIGH 0x514
#define FWCFG_DMA_LOW 0x518
#define FWCFG_SIGNATURE 0
#define FWCFG_ID 1
#define FWCFG_DIRECTORY 0x19
#define FWCFG_HAS_DMA 2
#define DMA_ERROR 1u
#define DMA_READ 2u
#define DMA_SELECT 8u
#define PREFIX "opt/portico/"

struct fwcfg_file {
	uint32_t size;
	uint16_t select, reserved;
	char name[56];
};

struct fwcfg_dma {
	uint32_t control, length;
	uint64_t address;
};

static void read_bytes(void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = in8(FWCFG_DATA);
}

static bool device_present(void)
{
	char signature[4];
	uint32_t id;

	out16(FWCFG_SELECT, FWCFG_SIGNATURE);
	read_bytes(signature, sizeof(signature));
	if (memcmp(signature, "QEMU", 4) != 0)
		return false;
	out16(FWCFG_SELECT, FWCFG_ID);
	read_bytes(&id, sizeof(id));
	return id & FWCFG_HAS_DMA;
}

/* Reads an item to physical memory. The device does it while we write to its port; all its words are big endian. */
static void read_item(uint16_t select, uint64_t physical, uint32_t size)
{
	volatile struct fwcfg_dma *dma = direct(early_allocate(sizeof(*dma)));
	uint64_t address = (uint64_t)dma - DIRECT_MAP;

	dma->length = __builtin_bswap32(size);
	dma->address = __builtin_bswap64(physical);
	dma->control = __builtin_bswap32((uint32_t)select << 16 | DMA_SELECT | DMA_READ);
	out32(FWCFG_DMA_HIGH, __builtin_bswap32((uint32_t)(address >> 32)));
	out32(FWCFG_DMA_LOW, __builtin_bswap32((uint32_t)address));
	while (__builtin_bswap32(dma->control) & ~DMA_ERROR)
		cpu_relax();
	if (dma->control != 0)
		panic("the firmware configuration device failed");
}

static void append_command_line(uint16_t select, uint32_t size)
{
	size_t length = strlen(boot_command_line);
	uint64_t copy = early_allocate(size);

	if (length + 1 + size >= sizeof(boot_command_line))
		panic("the command line is too long: %u bytes", size);
	read_item(select, copy, size);
	boot_command_line[length] = ' ';
	memcpy(boot_command_line + length + 1, direct(copy), size);
	boot_command_line[length + 1 + size] = '\0';
}

static void set_module(const char *name, uint16_t select, uint32_t size)
{
	uint64_t physical = early_allocate(size);

	read_item(select, physical, size);
	for (uint32_t i = 0; i < boot_module_count; i++) {
		struct boot_module *old = &boot_modules[i];
		if (strcmp(old->name, name) != 0)
			continue;
		memory_give_back(old->physical, old->size);
		old->physical = physical;
		old->size = size;
		return;
	}
	module_add(name, physical, size);
}

static void visit(const struct fwcfg_file *file)
{
	uint32_t size = __builtin_bswap32(file->size);
	uint16_t select = __builtin_bswap16(file->select);

	if (strncmp(file->name, PREFIX, strlen(PREFIX)) != 0 || size == 0)
		return;
	if (strcmp(file->name, PREFIX "command-line") == 0)
		append_command_line(select, size);
	else if (strncmp(file->name, PREFIX "module/", strlen(PREFIX "module/")) == 0)
		set_module(file->name + strlen(PREFIX "module/"), select, size);
}

void fwcfg_init(void)
{
	uint32_t count;
	struct fwcfg_file *files;

	if (!device_present())
		return;
	out16(FWCFG_SELECT, FWCFG_DIRECTORY);
	read_bytes(&count, sizeof(count));
	count = __builtin_bswap32(count);
	files = direct(early_allocate(count * sizeof(*files)));
	read_bytes(files, count * sizeof(*files));
	for (uint32_t i = 0; i < count; i++) {
		files[i].name[sizeof(files[i].name) - 1] = '\0';
		visit(&files[i]);
	}
}
