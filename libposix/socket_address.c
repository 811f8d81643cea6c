/*
 * Addresses between the program and net; path names of local sockets.
 *
 * vfs makes and finds socket files and gives a right for each, which net recognises: so net needs to know nothing of paths.
 */
#include "sockets.h"

#include "paths.h"
#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <vfs_client.h>

#define PATH_OFFSET 2u /* of sun_path */
#define ADDRESS_UNIX_MAX 110u

int64_t sys_unlink(const char *path);

int64_t address_take(struct socket_address *address, const void *user, int64_t size)
{
	address->name = PORT_NULL;
	address->size = 0;
	if (size < 0 || size > (int64_t)sizeof(address->bytes))
		return -EINVAL;
	if (user_copy(address->bytes, user, (size_t)size))
		return -EFAULT;
	address->size = (uint32_t)size;
	return 0;
}

static bool is_path(const struct socket_address *address)
{
	return address->size > PATH_OFFSET && address->size <= ADDRESS_UNIX_MAX && address->bytes[0] == L_AF_UNIX && address->bytes[1] == 0 &&
	       address->bytes[PATH_OFFSET] != 0;
}

/* With a zero byte behind it. */
static void path_of(const struct socket_address *address, char path[ADDRESS_UNIX_MAX])
{
	size_t size = address->size - PATH_OFFSET;

	memset(path, 0, ADDRESS_UNIX_MAX);
	memcpy(path, address->bytes + PATH_OFFSET, size);
}

/* Anything but a socket that may be written refuses. What is below /proc may be a descriptor of this process: EREMOTE, and path_run looks. */
static int find(struct path_call *call, port_name_t base, const char *path)
{
	char rest[PORTICO_PATH_MAX + 1];
	uint32_t server, kind;
	port_name_t target = PORT_NULL;
	int error = vfs_refer(base, path, call->lookup, L_O_WRONLY, 0, &server, &target, rest, sizeof(rest), &kind);

	if (error)
		return error == EINVAL ? ECONNREFUSED : error;
	if (server == VFS_SERVER_ID_NET) {
		call->file = target;
		return 0;
	}
	client_release_right(target);
	return server == VFS_SERVER_ID_PROC ? EREMOTE : ECONNREFUSED;
}

int64_t address_find(struct socket_address *address)
{
	struct path_call call = { .operation = find, .open_flags = UINT32_MAX };
	char path[ADDRESS_UNIX_MAX];

	if (!is_path(address))
		return 0;
	path_of(address, path);
	int64_t result = path_run(&call, L_AT_FDCWD, path);
	if (!result)
		address->name = call.file;
	return result;
}

static int make(struct path_call *call, port_name_t base, const char *path)
{
	int error = vfs_make_socket(base, path, call->mode, &call->file);
	return error == EEXIST ? EADDRINUSE : error;
}

int64_t address_make(struct socket_address *address, uint32_t mode)
{
	struct path_call call = { .operation = make, .open_flags = UINT32_MAX, .mode = mode & ~process.umask };
	char path[ADDRESS_UNIX_MAX];

	if (!is_path(address))
		return 0;
	path_of(address, path);
	int64_t result = path_run(&call, L_AT_FDCWD, path);
	if (!result)
		address->name = call.file;
	return result;
}

void address_unmake(const struct socket_address *address)
{
	char path[ADDRESS_UNIX_MAX];

	if (!is_path(address))
		return;
	path_of(address, path);
	sys_unlink(path);
}

void address_end(struct socket_address *address)
{
	client_release_right(address->name);
	address->name = PORT_NULL;
}

int64_t address_put(void *user, int32_t *user_size, const uint8_t *bytes, size_t size)
{
	int32_t room, whole = (int32_t)size;

	if (user == NULL)
		return 0;
	if (user_get(&room, user_size))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (user_copy(user, bytes, room < whole ? (size_t)room : size))
		return -EFAULT;
	return user_put(user_size, &whole);
}
