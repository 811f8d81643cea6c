/*
 * Vnodes and file systems: making, counting, freeing. A vnode lives while it has a name or a reference.
 */
#include "vfs.h"
#include <portico/devices.h>

#define PAGE 4096u
/* Memory that a vnode and its name take, about: keeps a flood of empty files below the limit of bytes. */
#define INODES_PER_PAGE 2u

struct vnode *vnode_new(struct file_system *system, const struct new_vnode *what)
{
	if (system->inodes >= system->inodes_limit)
		return NULL;
	int64_t now = server_realtime();
	struct vnode new = {
	        .system = system,
	        .mode = what->mode,
	        .uid = what->uid,
	        .gid = what->gid,
	        .rdevice = what->rdevice,
	        .inode = system->next_inode,
	        .born = now,
	        .accessed = now,
	        .modified = now,
	        .changed = now,
	};
	struct vnode *vnode = keep_make(&new, sizeof(new), sizeof(new));
	if (vnode == NULL)
		return NULL;
	system->next_inode++;
	if (is_symlink(vnode)) {
		vnode->size = strlen(what->target);
		vnode->target = keep_allocate(vnode->size + 1);
		if (vnode->target == NULL) {
			keep_free(vnode);
			return NULL;
		}
		memcpy(vnode->target, what->target, vnode->size);
	}
	system->inodes++;
	return vnode;
}

void vnode_get(struct vnode *vnode)
{
	vnode->references++;
}

void vnode_drop_unused(struct vnode *vnode)
{
	if (vnode->references == 0 && vnode->links == 0)
		operations(vnode)->release(vnode);
}

void vnode_put(struct vnode *vnode)
{
	if (vnode->references == 0)
		server_panic("vnode %llu: reference dropped twice", (unsigned long long)vnode->inode);
	vnode->references--;
	vnode_drop_unused(vnode);
}

struct timestamp vnode_timestamp(int64_t nanoseconds)
{
	int64_t seconds = nanoseconds / 1000000000, rest = nanoseconds % 1000000000;

	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	return (struct timestamp){.seconds = seconds, .nanoseconds = (uint32_t)rest};
}

static uint64_t pages_of(const struct vnode *vnode)
{
	if (is_regular(vnode))
		return data_pages(vnode);
	return 0;
}

void vnode_attributes(const struct vnode *vnode, struct attributes *to)
{
	*to = (struct attributes){
	        .device = vnode->system->device,
	        .inode = vnode->inode,
	        .links = vnode->system->kind == FILE_SYSTEM_PIPE ? 1 : vnode->links,
	        .mode = vnode->mode,
	        .uid = vnode->uid,
	        .gid = vnode->gid,
	        .rdevice = vnode->rdevice,
	        .size = is_directory(vnode) ? 40 + (uint64_t)vnode->directory.count * 20 : vnode->size,
	        .block_size = PAGE,
	        .blocks = pages_of(vnode) * (PAGE / 512),
	        .accessed = vnode_timestamp(vnode->accessed),
	        .modified = vnode_timestamp(vnode->modified),
	        .changed = vnode_timestamp(vnode->changed),
	        .born = vnode_timestamp(vnode->born),
	};
}

void vnode_modified(struct vnode *vnode)
{
	vnode->modified = vnode->changed = server_realtime();
}

void vnode_changed(struct vnode *vnode)
{
	vnode->changed = server_realtime();
}

/* ---- file systems ---- */

/* Without owners and vnodes it goes. */
static void free_unused(struct file_system *system)
{
	struct file_system **link = &vfs->systems;

	if (system->references != 0 || system->inodes != 0)
		return;
	while (*link != system)
		link = &(*link)->next;
	*link = system->next;
	keep_free(system);
}

void vnode_free(struct vnode *vnode)
{
	struct file_system *system = vnode->system;
	struct vnode *parent = NULL;

	lock_destroy(vnode);
	if (is_directory(vnode)) {
		parent = vnode->directory.parent != vnode ? vnode->directory.parent : NULL;
		directory_destroy(vnode);
	} else if (is_symlink(vnode)) {
		keep_free(vnode->target);
	} else if (is_regular(vnode)) {
		data_destroy(vnode);
	}
	keep_free(vnode);
	if (parent != NULL)
		vnode_put(parent); /* of the same file system, which therefore still has a vnode */
	system->inodes--;
	free_unused(system);
}

struct file_system *file_system_new(enum file_system_kind kind, uint64_t pages, uint32_t mode)
{
	struct file_system *system = keep_allocate(sizeof(*system));

	if (system == NULL)
		return NULL;
	system->kind = (uint8_t)kind;
	system->device = kind == FILE_SYSTEM_PROC ? PROCFS_DEVICE : ++vfs->next_device;
	system->next_inode = 1;
	system->pages_limit = pages;
	system->inodes_limit = pages * INODES_PER_PAGE + 64;
	system->root = vnode_new(system, &(struct new_vnode){.mode = S_IFDIR | mode});
	if (system->root == NULL) {
		keep_free(system);
		return NULL;
	}
	system->root->links = 2;
	system->root->references = 1;
	system->root->directory.parent = system->root;
	system->references = 1;
	system->next = vfs->systems;
	vfs->systems = system;
	return system;
}

static void remove_child(struct entry *entry)
{
	struct vnode *child = entry->vnode;

	child->links = is_directory(child) ? 0 : child->links - 1;
	directory_remove(entry);
	vnode_drop_unused(child);
}

#define EMPTY_STEP 64u /* names in one transaction */

/*
 * Names of a tree go, the deepest first; files that somebody has open stay until they are closed. False: there are
 * more, for the next transaction.
 */
static bool empty_tree(struct vnode *root)
{
	struct vnode *at = root;
	unsigned removed = 0;

	while (at != root || root->directory.first != NULL) {
		struct entry *entry = at->directory.first;

		if (entry != NULL && is_directory(entry->vnode) && entry->vnode->directory.first != NULL) {
			at = entry->vnode;
			continue;
		}
		if (removed++ == EMPTY_STEP)
			return false;
		if (entry == NULL) {
			struct vnode *parent = at->directory.parent;
			remove_child(at->names);
			at = parent;
		} else {
			remove_child(entry);
		}
	}
	return true;
}

/* Nobody has it mounted any more: its tree goes, and with the last vnode the system. */
static void empty(struct file_system *system)
{
	struct vnode *root = system->root;

	if (!empty_tree(root)) {
		server_defer();
		return;
	}
	system->root = NULL;
	root->links = 0;
	vnode_put(root); /* and with it, if nobody has a file of it open, the system */
}

void file_systems_go_on(void)
{
	for (struct file_system *system = vfs->systems; system != NULL; system = system->next) {
		if (system->references == 0 && system->root != NULL) {
			server_defer(); /* there may be another one */
			empty(system);
			return;
		}
	}
}

void file_system_get(struct file_system *system)
{
	system->references++;
}

void file_system_put(struct file_system *system)
{
	if (--system->references == 0)
		empty(system);
}

bool file_system_charge(struct file_system *system, uint64_t pages)
{
	if (pages > system->pages_limit || system->pages > system->pages_limit - pages)
		return false;
	if (pages != 0 && memory_available() / PAGE < pages)
		return false;
	system->pages += pages;
	return true;
}

void file_system_credit(struct file_system *system, uint64_t pages)
{
	system->pages -= pages;
}
