/*
 * From files back to names: getcwd, and the names under which files were opened. Directories have one name each; they
 * are asked for it upwards to the root of the session.
 */
#include "vfs.h"

/* Puts "/name" before `at`; NULL: no room. */
static char *prepend(char *start, char *at, const char *name, size_t length)
{
	if ((size_t)(at - start) < length + 1)
		return NULL;
	at -= length;
	memcpy(at, name, length);
	*--at = '/';
	return at;
}

static bool same(struct place a, struct place b)
{
	return a.vnode == b.vnode && a.mount == b.mount;
}

const char *path_of_directory(struct place place, struct place root, char *to, size_t size)
{
	char *at = to + size - 1;

	*at = 0;
	while (at != NULL && !same(place, root)) {
		if (place.mount == NULL)
			return NULL;
		if (place.vnode == place.mount->root) {
			place = place.mount->covered;
			if (place.vnode == NULL)
				return NULL; /* detached, or outside of the root */
			continue;
		}
		const struct entry *entry = place.vnode->names;
		if (entry == NULL)
			return NULL;
		at = prepend(to, at, entry->name, entry->length);
		place.vnode = entry->directory;
	}
	if (at != NULL && *at == 0)
		*--at = '/';
	return at;
}

const char *path_in_file_system(const struct vnode *vnode, char *to, size_t size)
{
	char *at = to + size - 1;

	*at = 0;
	while (at != NULL && vnode != vnode->system->root) {
		const struct entry *entry = vnode->names;
		if (entry == NULL)
			return NULL;
		at = prepend(to, at, entry->name, entry->length);
		vnode = entry->directory;
	}
	if (at != NULL && *at == 0)
		*--at = '/';
	return at;
}

/* The entry under which the file can still be found: the one that it was opened by, or another of its names. */
static const struct entry *present_name(const struct open_file *file)
{
	if (file->directory != NULL) {
		const struct file_system_operations *ops = operations(file->directory);
		const struct entry *entry =
		        ops->find != NULL ? ops->find(file->directory, file->name, strlen(file->name)) : NULL;
		if (entry != NULL && entry->vnode == file->place.vnode)
			return entry;
	}
	return file->place.vnode->names;
}

bool path_of_file(const struct open_file *file, struct place root, char *to, size_t size)
{
	static const char deleted[] = " (deleted)";
	const struct entry *entry = present_name(file);
	const char *name = entry != NULL ? entry->name : file->name;
	struct place parent = {file->place.mount, entry != NULL ? entry->directory : file->directory};
	char text[PATH_LENGTH_MAX];

	if (is_directory(file->place.vnode) && file->place.vnode->links != 0) {
		const char *path = path_of_directory(file->place, root, text, sizeof(text));
		if (path == NULL)
			return false;
		return (size_t)snprintf(to, size, "%s", path) < size;
	}
	if ((file->place.vnode->mode & S_IFMT) == S_IFIFO && file->place.mount == NULL)
		return (size_t)snprintf(to, size, "pipe:[%llu]", (unsigned long long)file->place.vnode->inode) < size;
	if (name == NULL)
		return false;
	if (file->place.mount == NULL) /* a memory file */
		return (size_t)snprintf(to, size, "/memfd:%s%s", name, deleted) < size;
	/* A file can be a mount's root itself: bind. */
	if (file->place.vnode == file->place.mount->root && file->place.mount->covered.vnode != NULL) {
		entry = file->place.mount->covered.vnode->names;
		if (entry == NULL)
			return false;
		parent = (struct place){file->place.mount->covered.mount, entry->directory};
		name = entry->name;
	}
	const char *path = parent.vnode != NULL ? path_of_directory(parent, root, text, sizeof(text)) : NULL;
	if (path == NULL)
		return false;
	return (size_t)snprintf(to, size, "%s/%s%s", path[1] != 0 ? path : "", name, entry != NULL ? "" : deleted) <
	       size;
}
