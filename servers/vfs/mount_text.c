/*
 * Mounts as /proc shows them: lines of /proc/mounts and of /proc/self/mountinfo (man 5 proc). Reads only.
 */
#include "vfs.h"

#include <portico/devices.h>
#include <stdarg.h>

/* What is left of the caller's line; what does not fit is cut off. */
struct line {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line->at, line->left, format, arguments);
	va_end(arguments);
	size_t used = (size_t)length < line->left ? (size_t)length : line->left - 1;
	line->at += used;
	line->left -= used;
}

/* A field: what would end it is written in octal. */
static void put_field(struct line *line, const char *text)
{
	for (; *text != 0; text++)
		if (strchr(" \t\n\\", *text) != NULL)
			put(line, "\\%03o", (unsigned)*text);
		else
			put(line, "%c", *text);
}

static void put_options(struct line *line, const struct mount *mount)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} option[] = {
	        {MOUNT_NO_SUID, ",nosuid"},
	        {MOUNT_NO_DEVICES, ",nodev"},
	        {MOUNT_NO_EXECUTE, ",noexec"},
	        {MOUNT_NO_ATIME, ",noatime"},
	};

	put(line, "%s", (mount->flags & MOUNT_READ_ONLY) != 0 ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++)
		if ((mount->flags & option[i].flag) != 0)
			put(line, "%s", option[i].text);
}

static void put_source(struct line *line, const struct mount *mount)
{
	put_field(line, mount->source[0] != 0 ? mount->source : "none");
}

/* Where it is mounted, as `who` sees it. */
static void put_target(struct line *line, const struct mount *mount, const struct session *who)
{
	char buffer[PATH_LENGTH_MAX];
	const char *path = path_of_directory((struct place){(struct mount *)mount, mount->root}, who->root, buffer,
	                                     sizeof(buffer));

	put_field(line, path != NULL ? path : "/");
}

/* The list has the newest first, and the files the oldest. */
static const struct mount *mount_at(uint32_t index)
{
	const struct mount *mount = vfs->mounts;
	uint32_t count = 0;

	for (const struct mount *m = vfs->mounts; m != NULL; m = m->next)
		count++;
	if (index >= count)
		return NULL;
	for (uint32_t i = count - 1; i > index; i--)
		mount = mount->next;
	return mount;
}

bool mount_line(uint32_t index, const struct session *who, char *text, size_t size)
{
	const struct mount *mount = mount_at(index);
	struct line line = {text, size};

	if (mount == NULL)
		return false;
	put_source(&line, mount);
	put(&line, " ");
	put_target(&line, mount, who);
	put(&line, " %s ", file_systems[mount->system->kind].name);
	put_options(&line, mount);
	put(&line, " 0 0");
	return true;
}

bool mount_information_line(uint32_t index, const struct session *who, char *text, size_t size)
{
	const struct mount *mount = mount_at(index);
	struct line line = {text, size};
	char buffer[PATH_LENGTH_MAX];

	if (mount == NULL)
		return false;
	const struct mount *parent = mount->covered.mount != NULL ? mount->covered.mount : mount;
	const char *root = path_in_file_system(mount->root, buffer, sizeof(buffer));
	put(&line, "%u %u %u:%u ", mount->id, parent->id, DEVICE_MAJOR(mount->system->device),
	    DEVICE_MINOR(mount->system->device));
	put_field(&line, root != NULL ? root : "/");
	put(&line, " ");
	put_target(&line, mount, who);
	put(&line, " ");
	put_options(&line, mount);
	put(&line, " - %s ", file_systems[mount->system->kind].name);
	put_source(&line, mount);
	put(&line, " rw");
	return true;
}
