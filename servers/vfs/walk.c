/*
 * Path resolution: POSIX.1-2017 4.13, man 7 path_resolution. Above: the handlers. Below: directories through their
 * operations, mounts, permissions. Nothing is changed and nothing is kept.
 *
 * The text that is still to be walked lies at the end of walk->text, so that the target of a symbolic link is put
 * before it.
 */
#include "vfs.h"

static bool is_remote(struct place place)
{
	return place.vnode->system->kind == FILE_SYSTEM_PROC;
}

static const char *skip_slashes(const char *at)
{
	while (*at == '/')
		at++;
	return at;
}

static size_t component_length(const char *at)
{
	size_t length = 0;

	while (at[length] != 0 && at[length] != '/')
		length++;
	return length;
}

/* Puts the target before what is left of the path; the new beginning, or NULL: too long. */
static const char *expand(struct walk *walk, const char *rest, const struct vnode *symlink)
{
	size_t length = symlink->size, room = (size_t)(rest - walk->text);

	if (length > room)
		return NULL;
	char *at = walk->text + room - length;
	memcpy(at, symlink->target, length);
	return at;
}

/* Follows the symbolic link that `child` is; *at: the rest of the path, before and after. */
static int follow(struct walk *walk, struct place child, const char **at)
{
	if (++walk->symlinks > SYMLINKS_MAX)
		return ELOOP;
	if (child.vnode->size == 0)
		return ENOENT;
	*at = expand(walk, *at, child.vnode);
	if (*at == NULL)
		return ENAMETOOLONG;
	if (**at == '/') {
		walk->place = walk->who->root;
		walk->last = LAST_ROOT;
		walk->entry = NULL;
	}
	return 0;
}

static bool follows_last(const struct walk *walk)
{
	return (walk->flags & WALK_LAST) == 0 && ((walk->flags & WALK_NO_FOLLOW) == 0 || walk->slash);
}

static bool is_dots(const char *at, size_t length)
{
	return at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.'));
}

/* "." and "..": true if it was one. */
static bool dots(struct walk *walk, const char *at, size_t length)
{
	if (!is_dots(at, length))
		return false;
	walk->parent = walk->place;
	walk->entry = NULL;
	walk->length = 0;
	if (length == 1) {
		walk->last = LAST_DOT;
	} else {
		walk->last = LAST_DOT_DOT;
		walk->place = mount_up(walk->place, walk->who->root);
	}
	return true;
}

/* One component of walk->place; *at moves behind it. `final`: nothing but slashes follow. */
static int step(struct walk *walk, const char **at, bool final)
{
	size_t length = component_length(*at);
	const char *name = *at;
	struct place child = walk->place;

	*at += length;
	if (dots(walk, name, length))
		return 0;
	struct entry *entry = operations(walk->place.vnode)->find(walk->place.vnode, name, length);
	if (final || entry == NULL) {
		memcpy(walk->name, name, length);
		walk->name[length] = 0;
		walk->length = (uint32_t)length;
	}
	walk->last = LAST_NAME;
	walk->parent = walk->place;
	walk->entry = entry;
	if (entry == NULL) {
		walk->place.vnode = NULL;
		return final && (walk->flags & (WALK_LAST | WALK_CREATE)) != 0 ? 0 : ENOENT;
	}
	child.vnode = entry->vnode;
	if (is_symlink(child.vnode) && (!final || follows_last(walk)))
		return follow(walk, child, at);
	walk->place = mount_cross(child);
	return 0;
}

/* A directory in which to look for the next component. */
static int enter(struct walk *walk, const char *at)
{
	if (!is_directory(walk->place.vnode))
		return ENOTDIR;
	size_t length = component_length(at);
	if (length > NAME_LENGTH_MAX)
		return ENAMETOOLONG;
	if (is_remote(walk->place) && !is_dots(at, length)) {
		walk->rest = at;
		return EREMOTE;
	}
	return permission(walk->who, walk->place, MAY_EXECUTE);
}

static int components(struct walk *walk, const char *at)
{
	for (at = skip_slashes(at); *at != 0; at = skip_slashes(at)) {
		int error = enter(walk, at);
		if (error != 0)
			return error;
		const char *after = at + component_length(at);
		bool final = *skip_slashes(after) == 0;
		walk->slash = final && *after != 0;
		error = step(walk, &at, final);
		if (error != 0)
			return error;
		if (walk->place.vnode == NULL)
			return 0;
	}
	if (walk->slash && !is_directory(walk->place.vnode))
		return ENOTDIR;
	return 0;
}

int walk_path(struct walk *walk, const struct session *who, const struct open_file *base, const char *path,
              uint32_t flags)
{
	size_t length = strlen(path);
	char *at = walk->text + WALK_TEXT - 1 - length;

	walk->who = who;
	walk->flags = flags;
	walk->entry = NULL;
	walk->last = LAST_DOT;
	walk->slash = false;
	walk->symlinks = 0;
	walk->length = 0;
	walk->name[0] = 0;
	walk->rest = "";
	walk->place = base->place;
	walk->parent = base->place;
	if (length == 0)
		return (flags & WALK_EMPTY) != 0 ? 0 : ENOENT;
	if (length >= PATH_LENGTH_MAX)
		return ENAMETOOLONG;
	memcpy(at, path, length + 1);
	if (*at == '/') {
		walk->place = walk->parent = who->root;
		walk->last = LAST_ROOT;
	} else if (!is_directory(base->place.vnode)) {
		return ENOTDIR;
	}
	int error = components(walk, at);
	if (error == 0 && walk->place.vnode != NULL && is_remote(walk->place) && (flags & WALK_LOCAL) == 0)
		return EREMOTE;
	return error;
}
