/*
 * The archive that the first root file system is filled from: cpio "newc" (and "crc", whose sums are not checked), as
 * the Linux kernel takes it for initramfs. Nothing in it is trusted: sizes are checked before they are used, and names
 * that lead out are errors.
 *
 * Hard links: the members of a group have equal inode and device numbers, and one of them, the last as a rule, has the
 * bytes.
 */
#include "vfs.h"

#define HEADER 110u
#define TRAILER "TRAILER!!!"
#define LINK_BUCKETS 256u
#define PATH_MAX_HERE 1024u

struct member {
	uint32_t inode, mode, uid, gid, links, time, size, device_major, device_minor, rdevice_major, rdevice_minor,
	        name_size;
	const char *name;
	const uint8_t *bytes;
};

struct reader {
	const uint8_t *archive;
	uint64_t size, at;
};

/* A file that other members may be names of. */
struct linked {
	struct linked *next;
	uint64_t device;
	uint32_t inode;
	struct vnode *vnode;
};

struct unpacking {
	struct vnode *root;
	struct linked *linked[LINK_BUCKETS];
};

static bool parse_hex(const uint8_t *text, uint32_t *value)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t c = text[i], lower = c | 0x20;
		if (c >= '0' && c <= '9')
			n = n << 4 | (uint32_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			n = n << 4 | (uint32_t)(lower - 'a' + 10);
		else
			return false;
	}
	*value = n;
	return true;
}

static uint64_t round_up(uint64_t at)
{
	return (at + 3) & ~UINT64_C(3);
}

/* Reads the member at reader->at and moves behind it. */
static int next_member(struct reader *reader, struct member *member)
{
	const uint8_t *header = reader->archive + reader->at;
	uint32_t *field[] = {&member->inode,         &member->mode,          &member->uid,
	                     &member->gid,           &member->links,         &member->time,
	                     &member->size,          &member->device_major,  &member->device_minor,
	                     &member->rdevice_major, &member->rdevice_minor, &member->name_size};

	if (reader->size - reader->at < HEADER)
		return EINVAL;
	if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
		return EINVAL;
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (!parse_hex(header + 6 + 8 * i, field[i]))
			return EINVAL;
	uint64_t name = reader->at + HEADER, bytes = round_up(name + member->name_size), end = bytes + member->size;
	if (member->name_size == 0 || bytes > reader->size || end > reader->size)
		return EINVAL;
	member->name = (const char *)reader->archive + name;
	member->bytes = reader->archive + bytes;
	if (member->name[member->name_size - 1] != 0 || strlen(member->name) != member->name_size - 1)
		return EINVAL;
	reader->at = round_up(end) < reader->size ? round_up(end) : reader->size;
	return 0;
}

static int create(struct vnode *directory, const char *name, size_t length, const struct new_vnode *what,
                  struct vnode **made)
{
	return operations(directory)->create(directory, name, length, what, made);
}

/* The directory that is to hold the member; missing ones are made. *last: its name there, "" for the root itself. */
static int find_directory(struct unpacking *u, const char *path, struct vnode **directory, const char **last,
                          size_t *length)
{
	struct vnode *at = u->root;

	for (;;) {
		while (*path == '/')
			path++;
		const char *slash = strchr(path, '/');
		size_t part = slash != NULL ? (size_t)(slash - path) : strlen(path);
		if (part > NAME_LENGTH_MAX || (part == 2 && memcmp(path, "..", 2) == 0))
			return EINVAL;
		if (part == 1 && *path == '.') {
			path += part;
			continue;
		}
		const char *after = path + part;
		while (*after == '/')
			after++;
		if (*after == 0) {
			*directory = at;
			*last = path;
			*length = part;
			return 0;
		}
		struct entry *entry = operations(at)->find(at, path, part);
		struct vnode *child = entry != NULL ? entry->vnode : NULL;
		int error =
		        child == NULL ? create(at, path, part, &(struct new_vnode){.mode = S_IFDIR | 0755}, &child) : 0;
		if (error != 0)
			return error;
		if (!is_directory(child))
			return EINVAL;
		at = child;
		path = after;
	}
}

static int write_bytes(struct vnode *vnode, const struct member *member)
{
	struct buffer from = {.bytes = (uint8_t *)(uintptr_t)member->bytes, .size = member->size};
	uint64_t done = 0;
	int error = member->size != 0 ? operations(vnode)->write(vnode, &from, 0, member->size, &done) : 0;

	return error == 0 && done != member->size ? ENOSPC : error;
}

static void set_attributes(struct vnode *vnode, const struct member *member)
{
	vnode->mode = (vnode->mode & S_IFMT) | (member->mode & MODE_BITS);
	vnode->uid = member->uid;
	vnode->gid = member->gid;
	vnode->modified = vnode->accessed = (int64_t)member->time * 1000000000;
}

static struct linked **bucket_of(struct unpacking *u, const struct member *member)
{
	return &u->linked[member->inode % LINK_BUCKETS];
}

static uint64_t device_of(const struct member *member)
{
	return (uint64_t)member->device_major << 32 | member->device_minor;
}

static struct vnode *find_linked(struct unpacking *u, const struct member *member)
{
	for (struct linked *l = *bucket_of(u, member); l != NULL; l = l->next)
		if (l->inode == member->inode && l->device == device_of(member))
			return l->vnode;
	return NULL;
}

static int remember(struct unpacking *u, const struct member *member, struct vnode *vnode)
{
	struct linked *linked = keep_allocate(sizeof(*linked));

	if (linked == NULL)
		return ENOSPC;
	*linked = (struct linked){
	        .next = *bucket_of(u, member), .device = device_of(member), .inode = member->inode, .vnode = vnode};
	*bucket_of(u, member) = linked;
	vnode_get(vnode); /* a later member may take its last name */
	return 0;
}

/* What was there under the name goes, as with Linux: later archives may replace files of earlier ones. */
static int make_way(struct vnode *directory, const char *name, size_t length)
{
	struct entry *entry = operations(directory)->find(directory, name, length);

	if (entry == NULL)
		return 0;
	if (is_directory(entry->vnode))
		return EINVAL;
	operations(directory)->remove(entry);
	return 0;
}

static int unpack_directory(struct vnode *directory, const char *name, size_t length, const struct member *member)
{
	struct entry *entry = length != 0 ? operations(directory)->find(directory, name, length) : NULL;
	struct vnode *vnode = length == 0 ? directory : entry != NULL ? entry->vnode : NULL;
	int error = 0;

	if (vnode == NULL)
		error = create(directory, name, length, &(struct new_vnode){.mode = S_IFDIR | 0755}, &vnode);
	if (error == 0 && !is_directory(vnode))
		error = EINVAL;
	if (error == 0)
		set_attributes(vnode, member);
	return error;
}

/* Everything but directories. */
static int unpack_file(struct unpacking *u, struct vnode *directory, const char *name, size_t length,
                       const struct member *member)
{
	char target[PATH_MAX_HERE];
	uint32_t type = member->mode & S_IFMT;
	struct new_vnode what = {.mode = type, .target = target};
	struct vnode *vnode = type == S_IFREG && member->links > 1 ? find_linked(u, member) : NULL;
	int error;

	if (length == 0)
		return EINVAL;
	if (type == S_IFLNK) {
		if (member->size == 0 || member->size >= sizeof(target) ||
		    memchr(member->bytes, 0, member->size) != NULL)
			return EINVAL;
		memcpy(target, member->bytes, member->size);
		target[member->size] = 0;
	}
	if (type == S_IFCHR || type == S_IFBLK)
		what.rdevice = (uint64_t)member->rdevice_major << 8 | (member->rdevice_minor & 0xff);
	error = make_way(directory, name, length);
	if (error != 0)
		return error;
	if (vnode != NULL) {
		error = operations(directory)->link(directory, name, length, vnode);
	} else {
		error = create(directory, name, length, &what, &vnode);
		if (error == 0 && type == S_IFREG && member->links > 1)
			error = remember(u, member, vnode);
	}
	if (error == 0 && type == S_IFREG)
		error = write_bytes(vnode, member);
	if (error == 0)
		set_attributes(vnode, member);
	return error;
}

static int unpack_member(struct unpacking *u, const struct member *member)
{
	struct vnode *directory;
	const char *name;
	size_t length;
	uint32_t type = member->mode & S_IFMT;
	int error = find_directory(u, member->name, &directory, &name, &length);

	if (error != 0)
		return error;
	switch (type) {
	case S_IFDIR:
		return unpack_directory(directory, name, length, member);
	case S_IFREG:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return unpack_file(u, directory, name, length, member);
	default:
		return EINVAL;
	}
}

static int unpack_all(struct unpacking *u, struct reader *reader, uint64_t *where)
{
	struct member member;

	for (;;) {
		*where = reader->at;
		int error = next_member(reader, &member);
		if (error != 0)
			return error;
		if (strcmp(member.name, TRAILER) == 0)
			return 0;
		error = unpack_member(u, &member);
		if (error != 0)
			return error;
	}
}

int cpio_unpack(struct vnode *root, const uint8_t *archive, uint64_t size, uint64_t *where)
{
	struct reader reader = {.archive = archive, .size = size};
	struct unpacking *u = keep_allocate(sizeof(*u));

	*where = 0;
	if (u == NULL)
		return ENOSPC;
	u->root = root;
	int error = unpack_all(u, &reader, where);
	for (unsigned i = 0; i < LINK_BUCKETS; i++) {
		while (u->linked[i] != NULL) {
			struct linked *linked = u->linked[i];
			u->linked[i] = linked->next;
			vnode_put(linked->vnode);
			keep_free(linked);
		}
	}
	keep_free(u);
	return error;
}
