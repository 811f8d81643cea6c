/*
 * Mounts: which file system, or which part of one, is seen where. Places and how to get from one to the next across
 * mounts.
 *
 * A mount covers a vnode as seen through another mount; several may lie on one another. Kept places count in their
 * mount, and a mount that is counted by others than itself is busy.
 */
#include "vfs.h"

#define SOURCE_MAX 512u

void place_get(struct place place)
{
	if (place.mount != NULL)
		place.mount->references++;
	vnode_get(place.vnode);
}

/* A detached mount goes with the last place in it. */
static void mount_free_unused(struct mount *mount)
{
	struct vnode *root = mount->root;
	struct file_system *system = mount->system;

	if (mount->attached || mount->references != 0)
		return;
	keep_free(mount->source);
	keep_free(mount);
	vnode_put(root);
	file_system_put(system);
}

void place_put(struct place place)
{
	vnode_put(place.vnode);
	if (place.mount != NULL) {
		place.mount->references--;
		mount_free_unused(place.mount);
	}
}

static struct mount *mounted_on(struct place place)
{
	if (place.vnode->mounts == 0)
		return NULL;
	for (struct mount *m = vfs->mounts; m != NULL; m = m->next)
		if (m->covered.mount == place.mount && m->covered.vnode == place.vnode)
			return m;
	return NULL;
}

struct place mount_cross(struct place place)
{
	for (struct mount *m = mounted_on(place); m != NULL; m = mounted_on(place))
		place = (struct place){m, m->root};
	return place;
}

struct place mount_up(struct place place, struct place root)
{
	if (place.vnode == root.vnode && place.mount == root.mount)
		return place;
	while (place.vnode == place.mount->root) {
		if (place.mount->covered.mount == NULL)
			return place;
		place = place.mount->covered;
		if (place.vnode == root.vnode && place.mount == root.mount)
			return place;
	}
	place.vnode = place.vnode->directory.parent;
	return mount_cross(place);
}

static char *copy_text(const char *text)
{
	size_t length = strnlen(text, SOURCE_MAX);
	char *copy = keep_allocate(length + 1);

	if (copy != NULL)
		memcpy(copy, text, length);
	return copy;
}

int mount_add(struct file_system *system, struct vnode *root, struct place covered, const char *source, uint32_t flags,
              struct mount **made)
{
	struct mount *mount = keep_allocate(sizeof(*mount));
	char *copy = copy_text(source);

	if (mount == NULL || copy == NULL) {
		keep_free(mount);
		keep_free(copy);
		return ENOMEM;
	}
	mount->system = system;
	mount->root = root;
	mount->flags = flags & MOUNT_KEPT;
	mount->source = copy;
	mount->attached = true;
	mount->id = ++vfs->last_mount_id;
	mount->covered = covered;
	vnode_get(root);
	if (covered.vnode != NULL) {
		place_get(covered);
		covered.vnode->mounts++;
	}
	mount->next = vfs->mounts;
	vfs->mounts = mount;
	*made = mount;
	return 0;
}

static void detach(struct mount *mount)
{
	struct mount **link = &vfs->mounts;
	struct place covered = mount->covered;

	while (*link != mount)
		link = &(*link)->next;
	*link = mount->next;
	mount->attached = false;
	mount->covered = (struct place){0};
	covered.vnode->mounts--;
	mount_free_unused(mount);
	place_put(covered);
}

static struct mount *mount_inside(const struct mount *mount)
{
	for (struct mount *m = vfs->mounts; m != NULL; m = m->next)
		if (m->covered.mount == mount)
			return m;
	return NULL;
}

int mount_remove(struct mount *mount, bool lazily)
{
	if (mount->covered.mount == NULL)
		return EINVAL; /* the root of all */
	if (!lazily && mount->references != 0)
		return EBUSY;
	for (;;) { /* what is mounted below goes with it, the deepest first */
		struct mount *deepest = mount;
		for (struct mount *m = mount_inside(deepest); m != NULL; m = mount_inside(m))
			deepest = m;
		detach(deepest);
		if (deepest == mount)
			return 0;
	}
}

/* ---- mount(2) ---- */

struct tmpfs_options {
	uint64_t pages, inodes;
	uint32_t mode, uid, gid;
};

/* A number with k, m, g or % after it; false: malformed. */
static bool parse_size(const char *text, size_t length, uint64_t whole, uint64_t *value)
{
	size_t i = 0;
	uint64_t n = 0;

	for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		if (n > UINT64_MAX / 16)
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	if (i == 0 || i + 1 < length)
		return false;
	char unit = i < length ? text[i] : 0;
	unsigned shift = unit == 'k' || unit == 'K'   ? 10
	                 : unit == 'm' || unit == 'M' ? 20
	                 : unit == 'g' || unit == 'G' ? 30
	                                              : 0;
	if (unit == '%')
		n = n <= 100 ? whole / 100 * n : whole;
	else if ((unit != 0 && shift == 0) || n > UINT64_MAX >> shift)
		return false;
	*value = n << shift;
	return true;
}

static bool parse_number(const char *text, size_t length, uint32_t base, uint32_t *value)
{
	uint32_t n = 0;

	for (size_t i = 0; i < length; i++) {
		uint32_t digit = (uint32_t)(text[i] - '0');
		if (digit >= base || n > (UINT32_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*value = n;
	return length != 0;
}

static bool parse_option(const char *text, size_t length, struct tmpfs_options *options)
{
	const char *equals = memchr(text, '=', length);
	size_t name = equals != NULL ? (size_t)(equals - text) : length;
	const char *value = text + name + 1;
	size_t rest = equals != NULL ? length - name - 1 : 0;
	uint64_t bytes;

	if (name == 4 && memcmp(text, "size", 4) == 0) {
		if (!parse_size(value, rest, memory_machine(), &bytes))
			return false;
		options->pages = bytes / 4096 + (bytes % 4096 != 0);
		return true;
	}
	if (name == 9 && memcmp(text, "nr_blocks", 9) == 0)
		return parse_size(value, rest, 0, &options->pages);
	if (name == 9 && memcmp(text, "nr_inodes", 9) == 0)
		return parse_size(value, rest, 0, &options->inodes);
	if (name == 4 && memcmp(text, "mode", 4) == 0)
		return parse_number(value, rest, 8, &options->mode);
	if (name == 3 && memcmp(text, "uid", 3) == 0)
		return parse_number(value, rest, 10, &options->uid);
	if (name == 3 && memcmp(text, "gid", 3) == 0)
		return parse_number(value, rest, 10, &options->gid);
	return false;
}

static int parse_options(const char *data, struct tmpfs_options *options)
{
	while (*data != 0) {
		const char *comma = strchr(data, ',');
		size_t length = comma != NULL ? (size_t)(comma - data) : strlen(data);

		if (length != 0 && !parse_option(data, length, options))
			return EINVAL;
		data += length + (comma != NULL);
	}
	return 0;
}

static int mount_tmpfs(const char *source, struct place target, uint64_t flags, const char *data)
{
	struct tmpfs_options options = {.pages = memory_machine() / 4096 / 2, .mode = 01777};
	struct mount *made;
	int error = parse_options(data, &options);

	if (error != 0)
		return error;
	struct file_system *system = file_system_new(FILE_SYSTEM_TMPFS, options.pages, options.mode & MODE_BITS);
	if (system == NULL)
		return ENOMEM;
	system->root->uid = options.uid;
	system->root->gid = options.gid;
	if (options.inodes != 0)
		system->inodes_limit = options.inodes;
	error = mount_add(system, system->root, target, source, (uint32_t)flags, &made);
	if (error != 0)
		file_system_put(system);
	return error;
}

static int mount_shared(struct file_system *system, struct vnode *root, struct place target, const char *source,
                        uint64_t flags)
{
	struct mount *made;
	int error = mount_add(system, root, target, source, (uint32_t)flags, &made);

	if (error == 0)
		file_system_get(system);
	return error;
}

static int mount_new(const char *source, struct place target, const char *type, uint64_t flags, const char *data)
{
	if (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0)
		return mount_tmpfs(source, target, flags, data);
	if (strcmp(type, "devtmpfs") == 0)
		return mount_shared(vfs->devices, vfs->devices->root, target, source, flags);
	if (strcmp(type, "proc") != 0)
		return ENODEV;
	struct mount *made;
	struct file_system *system = file_system_new(FILE_SYSTEM_PROC, 0, 0555);
	if (system == NULL)
		return ENOMEM;
	int error = mount_add(system, system->root, target, source, (uint32_t)flags, &made);
	if (error != 0)
		file_system_put(system);
	return error;
}

static int remount(struct place target, uint64_t flags, const char *data)
{
	struct file_system *system = target.mount->system;
	struct tmpfs_options options = {.pages = system->pages_limit, .inodes = system->inodes_limit};

	if (target.vnode != target.mount->root)
		return EINVAL;
	int error = parse_options(data, &options);
	if (error != 0)
		return error;
	if (options.pages < system->pages || options.inodes < system->inodes)
		return EINVAL;
	if ((flags & MOUNT_BIND) == 0) {
		system->pages_limit = options.pages;
		system->inodes_limit = options.inodes;
	}
	target.mount->flags = (uint32_t)flags & MOUNT_KEPT;
	return 0;
}

/* Is `place` in a mount that is, or hangs below, this one? */
static bool below(struct place place, const struct mount *mount)
{
	for (struct mount *m = place.mount; m != NULL; m = m->covered.mount)
		if (m == mount)
			return true;
	return false;
}

static int move(struct place from, struct place target)
{
	struct mount *mount = from.mount;
	struct place old = mount->covered;

	if (from.vnode != mount->root || old.mount == NULL)
		return EINVAL;
	if (below(target, mount))
		return ELOOP;
	place_get(target);
	target.vnode->mounts++;
	mount->covered = target;
	old.vnode->mounts--;
	place_put(old);
	return 0;
}

int mount_request(const char *source, struct place from, struct place target, const char *type, uint64_t flags,
                  const char *data)
{
	if ((flags & MOUNT_REMOUNT) != 0)
		return remount(target, flags, data);
	if ((flags & (MOUNT_BIND | MOUNT_MOVE)) != 0) {
		if (is_directory(from.vnode) != is_directory(target.vnode))
			return ENOTDIR;
		if ((flags & MOUNT_MOVE) != 0)
			return move(from, target);
		return mount_shared(from.mount->system, from.vnode, target, source, from.mount->flags);
	}
	if (!is_directory(target.vnode))
		return ENOTDIR;
	return mount_new(source, target, type, flags, data);
}
