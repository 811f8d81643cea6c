/*
 * System V shared memory: shmget, shmat, shmdt, shmctl. man 2 shmop.
 *
 * Above: table.c; memory.c tells of mappings that go. Below: ipcd, which counts attachments, and the kernel, which maps. The list of what is
 * attached where is the process's own: a forked child gets it with the memory, a new image begins with an empty one.
 */
#include "sysv.h"

#include "linux.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <ipc_client.h>
#include <portico/layout.h>

struct attached {
	uint64_t address, size; /* whole pages */
	uint64_t object;        /* its id, as vm_query tells it */
	int32_t id;
	uint32_t reserved;
};

PROCESS_LOCK attached_lock;
static struct attached *attached;
static uint32_t attached_count, attached_room;

static uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* ---- the list ---- */

static bool have_room(void)
{
	if (attached_count < attached_room)
		return true;
	uint32_t room = attached_room != 0 ? attached_room * 2 : (uint32_t)(PAGE_SIZE / sizeof(*attached));
	struct attached *more = pages_allocate(room * sizeof(*more));
	if (more == NULL)
		return false;
	if (attached != NULL) {
		memcpy(more, attached, attached_count * sizeof(*more));
		pages_free(attached, attached_room * sizeof(*attached));
	}
	attached = more;
	attached_room = room;
	return true;
}

/* The order does not matter. */
static void forget(uint32_t index)
{
	attached[index] = attached[--attached_count];
}

/* The entry of the map at or above `address`: false: none below `end`. Ends where the range does. */
static bool query(uint64_t address, uint64_t end, struct vm_query *found)
{
	if (trap2(TRAP_vm_query, TASK_SELF, address) < 0)
		return false;
	memcpy(found, client_block()->result, sizeof(*found));
	if (found->start < address)
		found->start = address;
	if (found->end > end)
		found->end = end;
	return found->start < end;
}

/* Is any page of it still mapped? */
static bool is_mapped(const struct attached *a)
{
	struct vm_query found;
	uint64_t end = a->address + a->size;

	for (uint64_t at = a->address; query(at, end, &found); at = found.end) {
		if (found.object_id == a->object)
			return true;
	}
	return false;
}

void shm_unmapped(uint64_t address, uint64_t size)
{
	if (attached_count == 0)
		return;
	lock_take(&attached_lock);
	for (uint32_t i = attached_count; i-- > 0;) {
		struct attached a = attached[i];
		if (a.address >= address + size || address >= a.address + a.size || is_mapped(&a))
			continue;
		forget(i);
		ipc_shm_detach(NAME_IPC, a.id);
	}
	lock_drop(&attached_lock);
}

void shm_moved(uint64_t from, uint64_t to)
{
	if (attached_count == 0)
		return;
	lock_take(&attached_lock);
	for (uint32_t i = 0; i < attached_count; i++) {
		if (attached[i].address == from) {
			attached[i].address = to;
			break;
		}
	}
	lock_drop(&attached_lock);
}

/* ---- shmget, shmat, shmdt ---- */

int64_t sys_shmget(int32_t key, uint64_t size, uint32_t flags)
{
	int32_t id = -1;
	int error = ipc_shm_get(NAME_IPC, key, size, flags, &id);
	return error ? result_of(error) : id;
}

/* Where to, with VM_*; 0 or -EINVAL. */
static int64_t place_of(uint64_t *address, uint32_t flags, uint64_t *how)
{
	if (*address & (PAGE_SIZE - 1)) {
		if (!(flags & L_SHM_RND))
			return -EINVAL;
		*address &= ~(PAGE_SIZE - 1);
	}
	if (*address == 0) {
		*how = VM_TOP_DOWN;
		return flags & L_SHM_REMAP ? -EINVAL : 0;
	}
	*how = flags & L_SHM_REMAP ? VM_FIXED : VM_FIXED_NOREPLACE;
	return 0;
}

static int64_t map(port_name_t object, uint64_t address, uint64_t size, uint64_t how, uint32_t flags)
{
	uint64_t protection = VM_READ | (flags & L_SHM_RDONLY ? 0 : VM_WRITE) | (flags & L_SHM_EXEC ? VM_EXECUTE : 0);

	if ((protection & (VM_WRITE | VM_EXECUTE)) == (VM_WRITE | VM_EXECUTE))
		protection |= VM_ALLOW_WX;
	if (how != VM_TOP_DOWN && (size > LIBPOSIX_TEXT || address > LIBPOSIX_TEXT - size || address < USER_MIN))
		return -EINVAL;
	int64_t status = trap6(TRAP_vm_map, TASK_SELF, how == VM_TOP_DOWN ? MMAP_TOP : address, size, object, 0,
			       protection | VM_INHERIT_SHARE | how);
	if (status >= 0)
		return status;
	return how != VM_TOP_DOWN && status == KERN_NAME_EXISTS ? -EINVAL : -ENOMEM;
}

/* A new attachment lies over others, of the same segment perhaps. */
static void replaced(uint64_t address, uint64_t size)
{
	for (uint32_t i = attached_count; i-- > 0;) {
		struct attached a = attached[i];
		bool within = a.address >= address && a.address + a.size <= address + size;
		if (a.address >= address + size || address >= a.address + a.size || (!within && is_mapped(&a)))
			continue;
		forget(i);
		ipc_shm_detach(NAME_IPC, a.id);
	}
}

static int64_t attach(int32_t id, uint64_t address, uint64_t how, uint32_t flags)
{
	struct vm_query found;
	port_name_t object;
	uint64_t size;

	if (!have_room())
		return -ENOMEM;
	int error = ipc_shm_attach(NAME_IPC, id, flags, &object, &size);
	if (error)
		return result_of(error);
	size = page_up(size);
	int64_t result = map(object, address, size, how, flags);
	client_release_right(object);
	if (result >= 0 && how == VM_FIXED)
		replaced((uint64_t)result, size);
	if (result >= 0 && query((uint64_t)result, (uint64_t)result + size, &found))
		attached[attached_count++] =
			(struct attached){ .address = (uint64_t)result, .size = size, .object = found.object_id, .id = id };
	else
		ipc_shm_detach(NAME_IPC, id);
	return result;
}

int64_t sys_shmat(int32_t id, uint64_t address, uint32_t flags)
{
	uint64_t how;
	int64_t result = id < 0 ? -EINVAL : place_of(&address, flags, &how);

	if (result)
		return result;
	lock_take(&attached_lock);
	result = attach(id, address, how, flags);
	lock_drop(&attached_lock);
	return result;
}

/* Unmaps what is left of it, and nothing that was mapped over it. */
static void unmap(const struct attached *a)
{
	struct vm_query found;
	uint64_t end = a->address + a->size;

	for (uint64_t at = a->address; query(at, end, &found); at = found.end) {
		if (found.object_id == a->object)
			trap3(TRAP_vm_unmap, TASK_SELF, found.start, found.end - found.start);
	}
}

int64_t sys_shmdt(uint64_t address)
{
	int64_t result = -EINVAL;

	lock_take(&attached_lock);
	for (uint32_t i = attached_count; i-- > 0;) {
		if (attached[i].address != address)
			continue;
		struct attached a = attached[i];
		unmap(&a);
		forget(i);
		result = result_of(ipc_shm_detach(NAME_IPC, a.id));
		break;
	}
	lock_drop(&attached_lock);
	return result;
}

/* ---- shmctl ---- */

static int64_t status_of(uint32_t naming, int32_t id, struct linux_shmid_ds *user)
{
	struct ipc_shm_status status;
	int error = ipc_shm_stat(NAME_IPC, naming, id, &status);

	if (error)
		return result_of(error);
	struct linux_shmid_ds ds = {
		.perm = sysv_perm(&status.perm), .segsz = status.size, .atime = status.attach_time, .dtime = status.detach_time,
		.ctime = status.change_time, .cpid = (int32_t)status.creator_pid, .lpid = (int32_t)status.last_pid,
		.nattch = status.attaches };
	if (user_put(user, &ds))
		return -EFAULT;
	return naming == IPC_NAMING_ID ? 0 : status.id;
}

static int64_t set(int32_t id, const struct linux_shmid_ds *user)
{
	struct linux_shmid_ds ds;

	if (user_get(&ds, user))
		return -EFAULT;
	return result_of(ipc_shm_set(NAME_IPC, id, ds.perm.uid, ds.perm.gid, ds.perm.mode));
}

static int64_t information(bool usage, void *user)
{
	struct ipc_shm_information info;
	int error = ipc_shm_info(NAME_IPC, &info);

	if (error)
		return result_of(error);
	struct linux_shminfo limits = {
		.shmmax = info.max_size, .shmmin = 1, .shmmni = info.max_segments, .shmseg = info.max_segments, .shmall = info.max_pages };
	struct linux_shm_info used = { .used_ids = (int32_t)info.segments, .shm_tot = info.pages, .shm_rss = info.resident };
	if (usage ? user_copy(user, &used, sizeof(used)) : user_copy(user, &limits, sizeof(limits)))
		return -EFAULT;
	return info.highest < 0 ? 0 : info.highest;
}

int64_t sys_shmctl(int32_t id, int32_t command, void *user)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case L_IPC_INFO:
	case L_SHM_INFO:
		return information(command == L_SHM_INFO, user);
	case L_IPC_STAT:
		return status_of(IPC_NAMING_ID, id, user);
	case L_SHM_STAT:
		return status_of(IPC_NAMING_PLACE, id, user);
	case L_SHM_STAT_ANY:
		return status_of(IPC_NAMING_PLACE_ANY, id, user);
	case L_IPC_SET:
		return set(id, user);
	case L_IPC_RMID:
		return result_of(ipc_shm_remove(NAME_IPC, id));
	case L_SHM_LOCK:
	case L_SHM_UNLOCK:
		return result_of(ipc_shm_lock(NAME_IPC, id, command == L_SHM_LOCK));
	default:
		return -EINVAL;
	}
}
