/*
 * What GRUB tells: command line, modules, memory map, ACPI's root pointer. Also the boot-time owner of all memory, until
 * paging_finish gives it to kernel/vm.
 */
#include "machine.h"
#include <kernel/lib/string.h>

enum multiboot_tag {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
};

#define MEMORY_AVAILABLE 1
#define LOW_MEMORY_END UINT64_C(0x100000)
#define BOOT_MAPPED UINT64_C(0x100000000)

struct tag {
	uint32_t type, size;
};

struct tag_module {
	struct tag tag;
	uint32_t begin, end;
	char name[];
};

struct tag_memory_map {
	struct tag tag;
	uint32_t entry_size, entry_version;
	struct memory_map_entry {
		uint64_t base, length;
		uint32_t type, reserved;
	} entry[];
};

struct memory_range memory_ranges[128];
uint32_t memory_range_count;
uint64_t memory_top, memory_total;
uint8_t boot_rsdp[40];
struct boot_module boot_modules[32];
uint32_t boot_module_count;
char boot_command_line[16384] __attribute__((aligned(4096)));

extern char kernel_image_end[];

static void range_add(uint64_t begin, uint64_t end)
{
	if (begin < end && memory_range_count < 128)
		memory_ranges[memory_range_count++] = (struct memory_range){ begin, end };
}

/* Whatever lies in [begin, end) is no longer free. */
static void range_remove(uint64_t begin, uint64_t end)
{
	uint32_t count = memory_range_count;

	begin &= ~(PAGE_SIZE - 1);
	end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	for (uint32_t i = 0; i < count; i++) {
		struct memory_range *r = &memory_ranges[i];
		uint64_t old_end = r->end;

		if (end <= r->begin || r->end <= begin)
			continue;
		r->end = begin > r->begin ? begin : r->begin;
		range_add(end, old_end);
	}
}

static void parse_memory_map(const struct tag_memory_map *map)
{
	const char *end = (const char *)map + map->tag.size;

	for (const char *p = (const char *)map->entry; p + map->entry_size <= end; p += map->entry_size) {
		const struct memory_map_entry *e = (const struct memory_map_entry *)p;
		uint64_t begin = (e->base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		uint64_t limit = (e->base + e->length) & ~(PAGE_SIZE - 1);

		if (e->type != MEMORY_AVAILABLE || limit <= begin)
			continue;
		memory_total += limit - begin;
		if (limit > memory_top)
			memory_top = limit;
		range_add(begin, limit);
	}
}

void module_add(const char *name, uint64_t physical, uint64_t size)
{
	struct boot_module *module = &boot_modules[boot_module_count];
	size_t length = strlen(name);

	if (boot_module_count == 32)
		panic("more than 32 boot modules");
	if (length >= sizeof(module->name))
		length = sizeof(module->name) - 1;
	memcpy(module->name, name, length);
	module->physical = physical;
	module->size = size;
	boot_module_count++;
}

static void parse_tag(const struct tag *tag)
{
	const struct tag_module *module = (const struct tag_module *)tag;
	size_t length = tag->size - sizeof(*tag);

	switch (tag->type) {
	case TAG_COMMAND_LINE:
		if (length > sizeof(boot_command_line))
			length = sizeof(boot_command_line);
		memcpy(boot_command_line, tag + 1, length);
		boot_command_line[sizeof(boot_command_line) - 1] = '\0';
		break;
	case TAG_MODULE:
		module_add(module->name, module->begin, module->end - module->begin);
		break;
	case TAG_MEMORY_MAP:
		parse_memory_map((const struct tag_memory_map *)tag);
		break;
	case TAG_ACPI_OLD:
		if (boot_rsdp[0] != 0)
			break;
		/* fallthrough */
	case TAG_ACPI_NEW:
		memcpy(boot_rsdp, tag + 1, length < sizeof(boot_rsdp) ? length : sizeof(boot_rsdp));
		break;
	}
}

void multiboot_parse(uint64_t info)
{
	const struct tag *tag = (const struct tag *)((char *)direct(info) + 8);

	while (tag->type != TAG_END) {
		parse_tag(tag);
		tag = (const struct tag *)((const char *)tag + ((tag->size + 7) & ~7u));
	}
	range_remove(0, LOW_MEMORY_END);
	range_remove(LOW_MEMORY_END, (uint64_t)kernel_image_end - KERNEL_BASE);
	for (uint32_t i = 0; i < boot_module_count; i++)
		range_remove(boot_modules[i].physical, boot_modules[i].physical + boot_modules[i].size);
}

void memory_give_back(uint64_t physical, uint64_t size)
{
	range_add(physical, (physical + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
}

uint64_t early_allocate(uint64_t size)
{
	struct memory_range *best = NULL;

	size = (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	for (uint32_t i = 0; i < memory_range_count; i++) {
		struct memory_range *r = &memory_ranges[i];
		if (r->end > BOOT_MAPPED || r->end - r->begin < size)
			continue;
		if (best == NULL || r->end - r->begin > best->end - best->begin)
			best = r;
	}
	if (best == NULL)
		panic("no memory for %lu bytes at start-up", size);
	best->end -= size;
	memset(direct(best->end), 0, size);
	return best->end;
}

bool command_line_has(const char *word)
{
	size_t length = strlen(word);

	for (const char *p = boot_command_line; *p != '\0'; p++) {
		if ((p == boot_command_line || p[-1] == ' ') && strncmp(p, word, length) == 0 &&
		    (p[length] == ' ' || p[length] == '\0'))
			return true;
	}
	return false;
}

uint64_t command_line_number(const char *prefix)
{
	size_t length = strlen(prefix);
	uint64_t number = 0;

	for (const char *p = boot_command_line; *p != '\0'; p++) {
		if ((p != boot_command_line && p[-1] != ' ') || strncmp(p, prefix, length) != 0)
			continue;
		for (p += length; *p >= '0' && *p <= '9'; p++)
			number = number * 10 + (uint64_t)(*p - '0');
		return number;
	}
	return 0;
}
