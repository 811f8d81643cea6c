/*
 * Devices: what lies behind the character nodes that vfs serves itself, which ones belong to the tty server or to root,
 * and the nodes of /dev.
 *
 * A node is a device wherever mknod made it; the number alone counts.
 */
#include "vfs.h"
#include <portico/devices.h>

#define CHUNK 16384u
#define LOG_LINE 480u
#define RANDOM_MAX (4u << 20) /* in one read: nobody else is served meanwhile; the rest is a short read's */

enum device_class {
	DEVICE_CLASS_NONE,
	DEVICE_CLASS_LOCAL,
	DEVICE_CLASS_TTY,
	DEVICE_CLASS_OUTPUT,
	DEVICE_CLASS_SUPERVISOR
};

static const struct {
	const char *name;
	uint64_t device;
	uint32_t mode;
} nodes[] = {
        {"null", DEVICE_NULL, 0666},
        {"zero", DEVICE_ZERO, 0666},
        {"full", DEVICE_FULL, 0666},
        {"random", DEVICE_RANDOM, 0666},
        {"urandom", DEVICE_URANDOM, 0666},
        {"kmsg", DEVICE_KMSG, 0644},
        {"tty", DEVICE_TTY, 0666},
        {"console", DEVICE_CONSOLE, 0600},
        {"ptmx", DEVICE_PTMX, 0666},
        {"ttyS0", DEVICE_SERIAL(0), 0660},
        {"hostout", DEVICE_HOST_OUTPUT, 0622},
        {"hosterr", DEVICE_HOST_ERROR, 0622},
        {"supervisor", DEVICE_SUPERVISOR, 0600},
};

static enum device_class class_of(uint64_t device)
{
	switch (device) {
	case DEVICE_NULL:
	case DEVICE_ZERO:
	case DEVICE_FULL:
	case DEVICE_RANDOM:
	case DEVICE_URANDOM:
	case DEVICE_KMSG:
		return DEVICE_CLASS_LOCAL;
	case DEVICE_HOST_OUTPUT:
	case DEVICE_HOST_ERROR:
		return DEVICE_CLASS_OUTPUT;
	case DEVICE_SUPERVISOR:
		return DEVICE_CLASS_SUPERVISOR;
	default:
		break;
	}
	uint32_t major = DEVICE_MAJOR(device), minor = DEVICE_MINOR(device);
	if ((major == 5 && minor <= 2) || (major == 4 && minor >= 64 && minor < 68) || major == 136)
		return DEVICE_CLASS_TTY;
	return DEVICE_CLASS_NONE;
}

bool device_is_remote(const struct vnode *vnode)
{
	enum device_class class = class_of(vnode->rdevice);

	return (vnode->mode & S_IFMT) == S_IFCHR && class != DEVICE_CLASS_NONE && class != DEVICE_CLASS_LOCAL;
}

uint32_t device_kind(uint64_t device)
{
	switch (class_of(device)) {
	case DEVICE_CLASS_TTY:
		return IO_FILE_KIND_TERMINAL;
	case DEVICE_CLASS_OUTPUT:
	case DEVICE_CLASS_SUPERVISOR:
		return IO_FILE_KIND_ALWAYS_READY;
	default:
		return IO_FILE_KIND_ALWAYS_READY | (device != DEVICE_KMSG ? IO_FILE_KIND_SEEKABLE : 0) |
		       (device == DEVICE_NULL ? IO_FILE_KIND_NULL_DEVICE : device == DEVICE_ZERO ? IO_FILE_KIND_ZERO_DEVICE : 0);
	}
}

int device_open(const struct vnode *vnode)
{
	return (vnode->mode & S_IFMT) == S_IFCHR && class_of(vnode->rdevice) != DEVICE_CLASS_NONE ? 0 : ENXIO;
}

/* Volatile: random bytes on their way. */
static uint8_t chunk[CHUNK];

static int64_t read_random(struct buffer *to)
{
	uint64_t done = 0, size = to->size < RANDOM_MAX ? to->size : RANDOM_MAX;

	while (done < size) {
		uint64_t part = size - done < CHUNK ? size - done : CHUNK;
		random_bytes(chunk, part);
		int64_t n = buffer_put(to, done, chunk, part);
		if (n < 0)
			return n;
		done += (uint64_t)n;
		if ((uint64_t)n < part)
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return (int64_t)done;
}

int device_read(uint64_t device, struct buffer *to, uint64_t *done)
{
	int64_t n = 0;

	*done = 0;
	switch (device) {
	case DEVICE_NULL:
		break;
	case DEVICE_ZERO:
	case DEVICE_FULL:
		n = buffer_clear(to, 0, to->size);
		break;
	case DEVICE_RANDOM:
	case DEVICE_URANDOM:
		n = read_random(to);
		break;
	default:
		return EINVAL; /* the kernel's log is not kept where vfs could read it */
	}
	if (n < 0)
		return buffer_error(n);
	*done = (uint64_t)n;
	return 0;
}

/* Takes up to `limit` bytes of what is written; a negative kern_status. */
static int64_t take(struct buffer *from, size_t limit)
{
	return buffer_take(from, 0, chunk, from->size < limit ? from->size : limit);
}

static int write_log(struct buffer *from)
{
	char line[LOG_LINE + 8];
	int64_t n = take(from, LOG_LINE);

	if (n < 0)
		return buffer_error(n);
	server_sample(chunk, (size_t)n); /* the length of the line hangs on them */
	while (n > 0 && (chunk[n - 1] == '\n' || chunk[n - 1] == 0))
		n--;
	memory_log(line, (size_t)snprintf(line, sizeof(line), "vfs: %.*s\n", (int)n, (const char *)chunk));
	return 0;
}

static int write_random(struct buffer *from)
{
	int64_t n = take(from, CHUNK);

	if (n < 0)
		return buffer_error(n);
	random_stir(chunk, (size_t)n);
	return 0;
}

int device_write(uint64_t device, struct buffer *from, uint64_t *done)
{
	int error = 0;

	*done = 0;
	if (device == DEVICE_FULL)
		return from->size != 0 ? ENOSPC : 0;
	if (device == DEVICE_KMSG)
		error = write_log(from);
	else if (device == DEVICE_RANDOM || device == DEVICE_URANDOM)
		error = write_random(from);
	if (error == 0)
		*done = from->size;
	return error;
}

static int make_node(struct vnode *directory, const char *name, const struct new_vnode *what, struct vnode **made)
{
	return operations(directory)->create(directory, name, strlen(name), what, made);
}

int device_populate(struct vnode *directory)
{
	static const struct {
		const char *name, *target;
	} links[] = {
	        {"fd", "/proc/self/fd"},
	        {"stdin", "/proc/self/fd/0"},
	        {"stdout", "/proc/self/fd/1"},
	        {"stderr", "/proc/self/fd/2"},
	};
	struct vnode *vnode;
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		struct new_vnode what = {.mode = S_IFCHR | nodes[i].mode, .rdevice = nodes[i].device};
		error = make_node(directory, nodes[i].name, &what, &vnode);
		if (error == 0)
			vnode->inode = DEVFS_INODE(nodes[i].device);
	}
	for (size_t i = 0; error == 0 && i < sizeof(links) / sizeof(links[0]); i++)
		error = make_node(directory, links[i].name,
		                  &(struct new_vnode){.mode = S_IFLNK | 0777, .target = links[i].target}, &vnode);
	if (error == 0)
		error = make_node(directory, "shm", &(struct new_vnode){.mode = S_IFDIR | 01777}, &vnode);
	if (error == 0)
		error = make_node(directory, "pts", &(struct new_vnode){.mode = S_IFDIR | 0755}, &vnode);
	return error;
}
