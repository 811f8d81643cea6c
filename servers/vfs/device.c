/*
 * Devices: the nodes of /dev, which server each belongs to, and what lies behind those that vfs serves itself.
 *
 * A node is a device wherever mknod made it; the number alone counts.
 */
#include "vfs.h"
#include <portico/devices.h>

#define CHUNK 16384u
#define LOG_LINE 480u
#define RANDOM_MAX (4u << 20) /* in one read: nobody else is served meanwhile; the rest is a short read's */

#define LOCAL (IO_FILE_KIND_ALWAYS_READY | IO_FILE_KIND_SEEKABLE)

/* The nodes of /dev, who serves them, and what is told about an open file of them (io.idl, file_kind). */
static const struct device {
	const char *name;
	uint64_t number;
	uint32_t mode;
	uint32_t server; /* VFS_SERVER_ID_* */
	uint32_t kind;
} devices[] = {
        {"null", DEVICE_NULL, 0666, VFS_SERVER_ID_VFS, LOCAL | IO_FILE_KIND_NULL_DEVICE},
        {"zero", DEVICE_ZERO, 0666, VFS_SERVER_ID_VFS, LOCAL | IO_FILE_KIND_ZERO_DEVICE},
        {"full", DEVICE_FULL, 0666, VFS_SERVER_ID_VFS, LOCAL},
        {"random", DEVICE_RANDOM, 0666, VFS_SERVER_ID_VFS, LOCAL},
        {"urandom", DEVICE_URANDOM, 0666, VFS_SERVER_ID_VFS, LOCAL},
        {"kmsg", DEVICE_KMSG, 0644, VFS_SERVER_ID_VFS, IO_FILE_KIND_ALWAYS_READY},
        {"tty", DEVICE_TTY, 0666, VFS_SERVER_ID_TTY, IO_FILE_KIND_TERMINAL},
        {"console", DEVICE_CONSOLE, 0600, VFS_SERVER_ID_TTY, IO_FILE_KIND_TERMINAL},
        {"ptmx", DEVICE_PTMX, 0666, VFS_SERVER_ID_TTY, IO_FILE_KIND_TERMINAL},
        {"ttyS0", DEVICE_SERIAL(0), 0660, VFS_SERVER_ID_TTY, IO_FILE_KIND_TERMINAL},
        {"hostout", DEVICE_HOST_OUTPUT, 0622, VFS_SERVER_ID_TTY, IO_FILE_KIND_ALWAYS_READY},
        {"hosterr", DEVICE_HOST_ERROR, 0622, VFS_SERVER_ID_TTY, IO_FILE_KIND_ALWAYS_READY},
        {"supervisor", DEVICE_SUPERVISOR, 0600, VFS_SERVER_ID_ROOT, IO_FILE_KIND_ALWAYS_READY},
};

/* What vfs asks root for, to get a right from which it makes the referrals to a server (servers/root/plan.c). */
static const char *const referral[VFS_SERVERS] = {
        [VFS_SERVER_ID_TTY] = "tty",
        [VFS_SERVER_ID_ROOT] = "supervisor",
};

/* Serial lines and pseudo-terminals that have no node of their own. */
static const struct device terminal = {.server = VFS_SERVER_ID_TTY, .kind = IO_FILE_KIND_TERMINAL};

/* NULL: there is no such device. */
static const struct device *find(uint64_t number)
{
	uint32_t major = DEVICE_MAJOR(number), minor = DEVICE_MINOR(number);

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (devices[i].number == number)
			return &devices[i];
	return (major == 4 && minor >= 64 && minor < 68) || major == 136 ? &terminal : NULL;
}

bool device_is_remote(const struct vnode *vnode)
{
	const struct device *device = (vnode->mode & S_IFMT) == S_IFCHR ? find(vnode->rdevice) : NULL;

	return device != NULL && device->server != VFS_SERVER_ID_VFS;
}

port_name_t device_server(uint64_t number, uint32_t *server)
{
	const struct device *device = find(number);

	*server = device->server;
	port_name_t *kept = &vfs->device_server[device->server];
	if (*kept == PORT_NULL)
		*kept = server_lookup(referral[device->server]);
	return *kept;
}

uint32_t device_kind(uint64_t number)
{
	const struct device *device = find(number);

	return device != NULL ? device->kind : LOCAL;
}

int device_open(const struct vnode *vnode)
{
	return (vnode->mode & S_IFMT) == S_IFCHR && find(vnode->rdevice) != NULL ? 0 : ENXIO;
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

	for (size_t i = 0; error == 0 && i < sizeof(devices) / sizeof(devices[0]); i++) {
		struct new_vnode what = {.mode = S_IFCHR | devices[i].mode, .rdevice = devices[i].number};
		error = make_node(directory, devices[i].name, &what, &vnode);
		if (error == 0)
			vnode->inode = DEVFS_INODE(devices[i].number);
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
