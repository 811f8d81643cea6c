/*
 * The program's address space: brk, mmap and their relatives.
 *
 * Above: table.c. Below: the kernel's vm traps; file mappings come from the object that interface io gives for a file. What lies
 * from LIBPOSIX_TEXT up is libposix's own, and no call here touches it.
 */
#include "fd.h"
#include "linux.h"
#include "sysv.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>

#define RESIDENT_CHUNK 1024u
#define LOW_TOP 0x80000000ul /* MAP_32BIT: below */
#define KEEP_BELOW LIBPOSIX_TEXT

enum { ADVICE_NORMAL = 0, ADVICE_WILLNEED = 3, ADVICE_DONTNEED = 4, ADVICE_FREE = 8, ADVICE_DONTFORK = 10, ADVICE_DOFORK = 11 };

PROCESS_LOCK brk_lock;

static uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Memory calls know ENOMEM where the kernel sees a fault or no room. */
static int64_t memory_result(int64_t status)
{
	if (status >= 0)
		return status;
	return status == KERN_FAULT || status == KERN_NO_SPACE ? -ENOMEM : -(int64_t)kern_errno(status);
}

/* Is [address, address + size) the program's? size is rounded already. */
static bool in_program(uint64_t address, uint64_t size)
{
	return size <= KEEP_BELOW && address <= KEEP_BELOW - size;
}

static uint64_t protection_flags(int protection)
{
	uint64_t flags = 0;
	if (protection & L_PROT_READ)
		flags |= VM_READ;
	if (protection & L_PROT_WRITE)
		flags |= VM_WRITE | VM_READ;
	if (protection & L_PROT_EXEC)
		flags |= VM_EXECUTE | VM_READ;
	if ((flags & (VM_WRITE | VM_EXECUTE)) == (VM_WRITE | VM_EXECUTE))
		flags |= VM_ALLOW_WX;
	return flags;
}

/* ---- brk ---- */

static bool brk_move(uint64_t wanted)
{
	uint64_t old_end = page_up(process.brk), new_end = page_up(wanted);

	if (new_end > old_end)
		return trap6(TRAP_vm_map, TASK_SELF, old_end, new_end - old_end, PORT_NULL, 0,
			     VM_READ | VM_WRITE | VM_FIXED_NOREPLACE | VM_INHERIT_COPY) >= 0;
	if (new_end < old_end)
		return trap3(TRAP_vm_unmap, TASK_SELF, new_end, old_end - new_end) >= 0;
	return true;
}

int64_t sys_brk(uint64_t wanted)
{
	lock_take(&brk_lock);
	if (wanted >= process.brk_start && wanted < MMAP_TOP && brk_move(wanted))
		process.brk = wanted;
	int64_t result = (int64_t)process.brk;
	lock_drop(&brk_lock);
	return result;
}

/* ---- mmap ---- */

struct mapping {
	uint64_t address, size, offset;
	uint64_t flags;              /* VM_* */
	port_name_t object;
	bool owned;                  /* the object's name is to be released */
};

/* The memory object behind a file. Read-only ones are kept with the description, for programs map the parts of a file one by one. */
static int64_t file_object(struct description *description, bool shared, bool writes, struct mapping *mapping)
{
	uint64_t size;
	port_name_t object;

	if (description->type != DESCRIPTION_REMOTE || !(description->kind & IO_FILE_KIND_MAPPABLE))
		return -ENODEV;
	if (shared) {
		int error = io_map(description->name, 1, &object, &size);
		if (error && (writes || error != EACCES))
			return result_of(error);
		if (!error) {
			mapping->object = object;
			mapping->owned = true;
			return 0;
		}
	}
	if (description->object == PORT_NULL || process.threaded) {
		int error = io_map(description->name, 0, &object, &size);
		if (error)
			return result_of(error);
		mapping->object = object;
		mapping->owned = process.threaded;
		if (!process.threaded)
			description->object = object;
		return 0;
	}
	mapping->object = description->object;
	return 0;
}

static int64_t enter(const struct mapping *mapping, uint64_t address, uint64_t extra)
{
	return trap6(TRAP_vm_map, TASK_SELF, address, mapping->size, mapping->object, mapping->offset, mapping->flags | extra);
}

static int64_t enter_low(const struct mapping *mapping)
{
	int64_t address = enter(mapping, LOW_TOP, VM_TOP_DOWN);
	if (address >= 0 && (uint64_t)address + mapping->size > LOW_TOP) {
		trap3(TRAP_vm_unmap, TASK_SELF, (uint64_t)address, mapping->size);
		return KERN_NO_SPACE;
	}
	return address;
}

/* Exactly there, or where the hint says if that is free, or the highest free place. */
static int64_t place(const struct mapping *mapping, int flags)
{
	if (flags & L_MAP_FIXED_NOREPLACE)
		return enter(mapping, mapping->address, VM_FIXED_NOREPLACE);
	if (flags & L_MAP_FIXED)
		return enter(mapping, mapping->address, VM_FIXED);
	if (flags & L_MAP_32BIT)
		return enter_low(mapping);
	uint64_t hint = mapping->address & ~(PAGE_SIZE - 1);
	if (hint >= USER_MIN && in_program(hint, mapping->size)) {
		int64_t address = enter(mapping, hint, VM_FIXED_NOREPLACE);
		if (address >= 0)
			return address;
	}
	return enter(mapping, MMAP_TOP, VM_TOP_DOWN);
}

static int64_t check_mapping(const struct mapping *mapping, int flags)
{
	if (mapping->size == 0)
		return -ENOMEM;
	if (mapping->offset & (PAGE_SIZE - 1) || (int64_t)(mapping->offset + mapping->size) < (int64_t)mapping->offset)
		return mapping->offset & (PAGE_SIZE - 1) ? -EINVAL : -EOVERFLOW;
	if (!(flags & (L_MAP_FIXED | L_MAP_FIXED_NOREPLACE)))
		return mapping->size > KEEP_BELOW ? -ENOMEM : 0;
	if (mapping->address & (PAGE_SIZE - 1))
		return -EINVAL;
	if (mapping->address < USER_MIN)
		return -EPERM;
	return in_program(mapping->address, mapping->size) ? 0 : -ENOMEM;
}

/* /dev/zero is memory without a name. */
static int64_t zero_object(uint32_t kind, bool writes, struct mapping *mapping)
{
	if (!(kind & KIND_READS) || (writes && !(kind & KIND_WRITES)))
		return -EACCES;
	mapping->offset = 0;
	mapping->flags &= ~(uint64_t)VM_COPY;
	return 0;
}

static int64_t map_file(int fd, bool shared, int protection, int flags, struct mapping *mapping)
{
	struct description *description = fd_get(fd);
	if (description == NULL)
		return -EBADF;
	bool writes = shared && (protection & L_PROT_WRITE), zero = description->kind & IO_FILE_KIND_ZERO_DEVICE;
	int64_t result = zero && (description->kind & (KIND_READS | KIND_WRITES)) ? zero_object(description->kind, writes, mapping)
										  : file_object(description, shared, writes, mapping);
	if (!result)
		result = memory_result(place(mapping, flags));
	if (mapping->owned)
		client_release_right(mapping->object);
	fd_put(description);
	return result;
}

int64_t sys_mmap(uint64_t address, uint64_t size, int protection, int flags, int fd, uint64_t offset)
{
	struct mapping mapping = { .address = address, .size = page_up(size), .offset = offset, .flags = protection_flags(protection) };
	bool shared;

	switch (flags & L_MAP_TYPE) {
	case L_MAP_SHARED:
	case L_MAP_SHARED_VALIDATE:
		shared = true;
		break;
	case L_MAP_PRIVATE:
		shared = false;
		break;
	default:
		return -EINVAL;
	}
	if (size == 0)
		return -EINVAL;
	int64_t result = check_mapping(&mapping, flags);
	if (result)
		return result;
	mapping.flags |= shared ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
	if (flags & L_MAP_ANONYMOUS) {
		mapping.offset = 0;
		mapping.flags |= flags & L_MAP_GROWSDOWN ? VM_GROWS_DOWN : 0;
		result = memory_result(place(&mapping, flags));
	} else {
		mapping.flags |= shared ? 0 : VM_COPY;
		result = map_file(fd, shared, protection, flags, &mapping);
	}
	if (result >= 0 && (flags & L_MAP_FIXED))
		shm_unmapped((uint64_t)result, mapping.size);
	if (result >= 0 && (flags & (L_MAP_POPULATE | L_MAP_LOCKED)))
		trap4(TRAP_vm_advise, TASK_SELF, (uint64_t)result, mapping.size, VM_ADVISE_WILLNEED);
	return result;
}

int64_t sys_munmap(uint64_t address, uint64_t size)
{
	if (address & (PAGE_SIZE - 1) || size == 0 || !in_program(address, page_up(size)))
		return -EINVAL;
	int64_t status = trap3(TRAP_vm_unmap, TASK_SELF, address, page_up(size));
	if (status >= 0)
		shm_unmapped(address, page_up(size));
	return memory_result(status);
}

int64_t sys_mprotect(uint64_t address, uint64_t size, int protection)
{
	if (address & (PAGE_SIZE - 1) ||
	    (protection & ~(L_PROT_READ | L_PROT_WRITE | L_PROT_EXEC | L_PROT_GROWSDOWN | L_PROT_GROWSUP)))
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!in_program(address, page_up(size)))
		return -ENOMEM;
	int64_t status = trap4(TRAP_vm_protect, TASK_SELF, address, page_up(size), protection_flags(protection));
	return status == KERN_NO_ACCESS ? -EACCES : memory_result(status);
}

int64_t sys_mremap(uint64_t address, uint64_t size, uint64_t new_size, int flags, uint64_t to)
{
	uint64_t rounded = page_up(new_size);

	if (address & (PAGE_SIZE - 1) || (flags & ~(L_MREMAP_MAYMOVE | L_MREMAP_FIXED)) || new_size == 0 || size == 0)
		return -EINVAL;
	if ((flags & L_MREMAP_FIXED) && (!(flags & L_MREMAP_MAYMOVE) || to & (PAGE_SIZE - 1) || !in_program(to, rounded) ||
					 (to < address + page_up(size) && address < to + rounded)))
		return -EINVAL;
	if (!in_program(address, page_up(size)))
		return -EFAULT;
	uint64_t how = flags & L_MREMAP_FIXED ? VM_FIXED : flags & L_MREMAP_MAYMOVE ? VM_TOP_DOWN : 0;
	int64_t status = trap6(TRAP_vm_move, TASK_SELF, address, page_up(size), flags & L_MREMAP_FIXED ? to : 0, rounded, how);
	if (status >= 0) {
		if ((uint64_t)status != address)
			shm_moved(address, (uint64_t)status);
		shm_unmapped(address, page_up(size));
		if (flags & L_MREMAP_FIXED)
			shm_unmapped(to, rounded);
	}
	return status == KERN_FAULT ? -EFAULT : memory_result(status);
}

/* ---- advice and the like ---- */

int64_t sys_madvise(uint64_t address, uint64_t size, int advice)
{
	uint64_t what = 0;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	switch (advice) {
	case ADVICE_DONTNEED:
		what = VM_ADVISE_DONTNEED;
		break;
	case ADVICE_FREE:
		what = VM_ADVISE_FREE;
		break;
	case ADVICE_WILLNEED:
		what = VM_ADVISE_WILLNEED;
		break;
	case ADVICE_DONTFORK:
	case ADVICE_DOFORK:
		break;
	default:
		/* Normal, random, sequential, huge pages, merging, dumping: nothing to do, or unknown. */
		return advice >= ADVICE_NORMAL && advice <= 21 && advice != 9 ? 0 : -EINVAL;
	}
	if (size == 0)
		return 0;
	if (!in_program(address, page_up(size)))
		return -ENOMEM;
	if (what)
		return memory_result(trap4(TRAP_vm_advise, TASK_SELF, address, page_up(size), what));
	return memory_result(trap4(TRAP_vm_inherit, TASK_SELF, address, page_up(size),
				   advice == ADVICE_DONTFORK ? VM_INHERIT_NONE : VM_INHERIT_COPY));
}

/* The first page of the range that is not mapped makes ENOMEM. */
static int64_t check_mapped(uint64_t address, uint64_t size)
{
	uint64_t end = address + size;

	while (address < end) {
		if (trap2(TRAP_vm_query, TASK_SELF, address) < 0 || client_block()->result[0] > address)
			return -ENOMEM;
		address = client_block()->result[1];
	}
	return 0;
}

static int64_t check_range(uint64_t address, uint64_t size)
{
	if (!in_program(address, size))
		return -ENOMEM;
	return check_mapped(address, size);
}

/* Shared pages of a file are the file's cache itself: there is nothing to write back to. */
int64_t sys_msync(uint64_t address, uint64_t size, int flags)
{
	if (address & (PAGE_SIZE - 1) || (flags & ~(L_MS_ASYNC | L_MS_SYNC | L_MS_INVALIDATE)) ||
	    (flags & (L_MS_ASYNC | L_MS_SYNC)) == (L_MS_ASYNC | L_MS_SYNC))
		return -EINVAL;
	return check_range(address, page_up(size));
}

int64_t sys_mincore(uint64_t address, uint64_t size, uint8_t *user)
{
	uint64_t pages = page_up(size) / PAGE_SIZE;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	int64_t error = check_range(address, page_up(size));
	while (!error && pages) {
		uint8_t present[RESIDENT_CHUNK];
		uint64_t part = pages < RESIDENT_CHUNK ? pages : RESIDENT_CHUNK;
		int64_t status = trap3(TRAP_vm_resident, TASK_SELF, address, part);
		if (status < 0)
			return memory_result(status);
		for (uint64_t i = 0; i < part; i++)
			present[i] = client_send_page()->data[i / 8] >> i % 8 & 1;
		if (user_copy(user, present, part))
			return -EFAULT;
		user += part;
		address += part * PAGE_SIZE;
		pages -= part;
	}
	return error;
}

/* Nothing is ever paged out to a disk: locking means to bring in. */
static int64_t lock_range(uint64_t address, uint64_t size, bool bring_in)
{
	uint64_t start = address & ~(PAGE_SIZE - 1), length = page_up(address + size) - start;
	int64_t error = size ? check_range(start, length) : 0;
	if (!error && size && bring_in)
		trap4(TRAP_vm_advise, TASK_SELF, start, length, VM_ADVISE_WILLNEED);
	return error;
}

int64_t sys_mlock(uint64_t address, uint64_t size)
{
	return lock_range(address, size, true);
}

int64_t sys_mlock2(uint64_t address, uint64_t size, int flags)
{
	return flags & ~1 ? -EINVAL : lock_range(address, size, !(flags & 1));
}

int64_t sys_munlock(uint64_t address, uint64_t size)
{
	return lock_range(address, size, false);
}

int64_t sys_mlockall(int flags)
{
	return flags == 0 || flags & ~7 || flags == 4 ? -EINVAL : 0;
}

int64_t sys_munlockall(void)
{
	return 0;
}
