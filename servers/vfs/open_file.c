/*
 * Open-file descriptions: one badge each. dup and fork copy the right without our knowing; the last close is the
 * kernel's no-senders notification. A badge is a slot and a generation, so that a late notification never meets the
 * slot's next owner.
 */
#include "vfs.h"

#define FIRST_SLOTS 64u
#define SLOTS_MAX (1u << 20)
#define GENERATION_MASK 0xffffffu /* badges stay below 1 << 56 */

static uint32_t slot_of(uint64_t badge)
{
	return (uint32_t)badge;
}

struct open_file *open_file_find(uint64_t badge)
{
	uint64_t space = BADGE_SPACE(badge);

	if (space == BADGE_CONTROL || space == BADGE_SERVER)
		badge = vfs->base_badge;
	uint32_t slot = slot_of(badge);
	struct open_file *file = slot < vfs->file_slots ? vfs->file[slot] : NULL;
	return file != NULL && file->badge == badge ? file : NULL;
}

static bool grow_table(void)
{
	uint32_t slots = vfs->file_slots != 0 ? vfs->file_slots * 2 : FIRST_SLOTS;

	if (slots > SLOTS_MAX)
		return false;
	struct open_file **file = keep_resize(vfs->file, slots * sizeof(*file));
	if (file == NULL)
		return false;
	vfs->file = file;
	uint32_t *generation = keep_resize(vfs->generation, slots * sizeof(*generation));
	if (generation == NULL)
		return false;
	vfs->generation = generation;
	memset(file + vfs->file_slots, 0, (slots - vfs->file_slots) * sizeof(*file));
	memset(generation + vfs->file_slots, 0, (slots - vfs->file_slots) * sizeof(*generation));
	vfs->file_slots = slots;
	return true;
}

/* A free slot, 0: none. The lowest that is free is never below the hint. */
static uint32_t free_slot(void)
{
	uint32_t slot = vfs->file_free_hint != 0 ? vfs->file_free_hint : 1;

	while (slot < vfs->file_slots && vfs->file[slot] != NULL)
		slot++;
	vfs->file_free_hint = slot;
	if (slot >= vfs->file_slots && !grow_table())
		return 0;
	return slot;
}

/* Counts the new user of the vnode. */
static int attach(struct open_file *file)
{
	struct vnode *vnode = file->place.vnode;

	if ((vnode->mode & S_IFMT) == S_IFIFO && (file->flags & O_PATH) == 0)
		return pipe_attach(file);
	if (!is_regular(vnode) || !may_write(file))
		return 0;
	if (vnode->programs != 0)
		return ETXTBSY;
	vnode->writers++;
	return 0;
}

static void detach(struct open_file *file)
{
	struct vnode *vnode = file->place.vnode;

	if ((vnode->mode & S_IFMT) == S_IFIFO && (file->flags & O_PATH) == 0)
		pipe_detach(file);
	else if (is_regular(vnode) && may_write(file))
		vnode->writers--;
	if (file->program)
		vnode->programs--;
}

int open_file_new(struct place place, uint32_t flags, struct open_file **made)
{
	uint32_t slot = free_slot();
	if (slot == 0)
		return ENFILE;
	uint32_t generation = (vfs->generation[slot] + 1) & GENERATION_MASK;
	struct open_file new = {.place = place, .flags = flags, .badge = (uint64_t)generation << 32 | slot, .references = 1};
	struct open_file *file = keep_make(&new, sizeof(new), sizeof(new));
	if (file == NULL)
		return ENFILE;
	int error = attach(file);
	if (error != 0) {
		keep_free(file);
		return error;
	}
	vfs->generation[slot] = generation;
	place_get(place);
	vfs->file[slot] = file;
	vfs->files_open++;
	*made = file;
	return 0;
}

void open_file_named(struct open_file *file, struct vnode *directory, const char *name)
{
	size_t length = strlen(name);
	char *copy = length != 0 ? keep_make(name, length + 1, length + 1) : NULL;

	if (copy == NULL)
		return; /* it has no path then, and nothing else is lost */
	file->name = copy;
	file->directory = directory;
	if (directory != NULL)
		vnode_get(directory);
}

void open_file_put(struct open_file *file)
{
	uint32_t slot = slot_of(file->badge);

	if (--file->references != 0)
		return;
	if (file->locked)
		lock_release_file(file);
	detach(file);
	vfs->file[slot] = NULL;
	if (slot < vfs->file_free_hint)
		vfs->file_free_hint = slot;
	vfs->files_open--;
	if (file->directory != NULL)
		vnode_put(file->directory);
	keep_free(file->name);
	place_put(file->place);
	keep_free(file);
}

uint32_t open_file_kind(const struct vnode *vnode)
{
	switch (vnode->mode & S_IFMT) {
	case S_IFREG:
		return IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_ALWAYS_READY | IO_FILE_KIND_MAPPABLE;
	case S_IFDIR:
		return IO_FILE_KIND_SEEKABLE | IO_FILE_KIND_ALWAYS_READY | IO_FILE_KIND_DIRECTORY;
	case S_IFIFO:
		return IO_FILE_KIND_PIPE;
	case S_IFCHR:
		return device_kind(vnode->rdevice);
	default:
		return IO_FILE_KIND_ALWAYS_READY; /* O_PATH only */
	}
}

void open_file_accessed(const struct open_file *file)
{
	struct vnode *vnode = file->place.vnode;
	uint32_t flags = file->place.mount != NULL ? file->place.mount->flags : 0;

	if ((file->flags & O_NOATIME) != 0 || (flags & (MOUNT_NO_ATIME | MOUNT_READ_ONLY)) != 0)
		return;
	if (is_directory(vnode) && (flags & MOUNT_NO_DIRECTORY_ATIME) != 0)
		return;
	vnode->accessed = server_realtime();
}

/* ---- getdents64 ---- */

/* struct linux_dirent64 before its name. */
struct directory_record {
	uint64_t inode;
	int64_t next; /* position behind this one */
	uint16_t length;
	uint8_t type;
} __attribute__((packed));

#define RECORDS_MAX 32768u
/* Volatile: records on their way to the caller. */
static uint8_t records[RECORDS_MAX];

static bool put_record(size_t *used, size_t room, const char *name, size_t length, const struct vnode *vnode,
                       uint64_t cookie)
{
	size_t size = (sizeof(struct directory_record) + length + 1 + 7) & ~(size_t)7;
	struct directory_record record = {.inode = vnode->inode,
	                                  .next = (int64_t)cookie,
	                                  .length = (uint16_t)size,
	                                  .type = (uint8_t)(vnode->mode >> 12)};

	if (size > room - *used)
		return false;
	uint8_t *at = records + *used;
	memset(at, 0, size);
	memcpy(at, &record, sizeof(record));
	memcpy(at + sizeof(record), name, length);
	*used += size;
	return true;
}

/* Inode of ".." as it is seen from here: the covered directory's parent where a file system begins. */
static const struct vnode *parent_of(const struct open_file *file)
{
	struct place place = file->place;

	while (place.vnode == place.mount->root && place.mount->covered.mount != NULL)
		place = place.mount->covered;
	return place.vnode->directory.parent;
}

int open_file_read_directory(struct open_file *file, struct buffer *to, uint64_t *done)
{
	struct vnode *vnode = file->place.vnode;
	size_t room = to->size < RECORDS_MAX ? to->size : RECORDS_MAX, used = 0;
	uint64_t cookie = (uint64_t)file->offset;
	bool more = true;

	*done = 0;
	if (!is_directory(vnode))
		return ENOTDIR;
	if (vnode->links == 0)
		return ENOENT;
	if (cookie < 1 && (more = put_record(&used, room, ".", 1, vnode, 1)))
		cookie = 1;
	if (more && cookie < 2 && (more = put_record(&used, room, "..", 2, parent_of(file), 2)))
		cookie = 2;
	struct entry *entry = more ? operations(vnode)->next(vnode, cookie) : NULL;
	for (; entry != NULL; entry = entry->next) {
		more = put_record(&used, room, entry->name, entry->length, entry->vnode, entry->cookie);
		if (!more)
			break;
		cookie = entry->cookie;
	}
	if (used == 0 && !more)
		return EINVAL;
	int64_t n = used != 0 ? buffer_put(to, 0, records, used) : 0;
	if (n < 0)
		return buffer_error(n);
	file->offset = (int64_t)cookie;
	*done = (uint64_t)n;
	open_file_accessed(file);
	return 0;
}
