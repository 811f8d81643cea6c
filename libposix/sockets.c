/*
 * Sockets: making, naming, connecting. Messages are in socket_send.c and socket_receive.c, options in socket_options.c.
 */
#include "sockets.h"

#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <io_client.h>
#include <net_client.h>
#include <vfs_types.h>

#define MODE_MASK 07777u

/* ---- descriptors ---- */

struct description *socket_get(int fd, int64_t *error)
{
	struct description *description = fd_get(fd);

	*error = -EBADF;
	if (description == NULL)
		return NULL;
	if (description->type == DESCRIPTION_REMOTE && (description->kind & IO_FILE_KIND_SOCKET))
		return description;
	*error = -ENOTSOCK;
	fd_put(description);
	return NULL;
}

int64_t socket_install(port_name_t right, uint32_t type, bool close_on_exec)
{
	trap2(TRAP_right_inherit, right, 1);
	struct description *description = fd_describe(right, IO_FILE_KIND_SOCKET, VFS_SERVER_ID_NET);
	if (description == NULL)
		return -ENFILE;
	description->flags = (uint16_t)type;
	return fd_install(description, 0, close_on_exec);
}

/* The flags in a type, or in accept4's argument. */
static bool flags_known(uint32_t flags)
{
	return !(flags & ~(uint32_t)(L_SOCK_CLOEXEC | L_SOCK_NONBLOCK));
}

int64_t sys_socket(uint32_t family, uint32_t type, uint32_t protocol)
{
	uint32_t flags = type & ~(uint32_t)L_SOCK_TYPE_MASK;
	port_name_t made;

	if (!flags_known(flags))
		return -EINVAL;
	type &= L_SOCK_TYPE_MASK;
	int error = net_create(NAME_NET, family, type, protocol, flags & L_SOCK_NONBLOCK, &made);
	return error ? result_of(error) : socket_install(made, type, flags & L_SOCK_CLOEXEC);
}

int64_t sys_socketpair(uint32_t family, uint32_t type, uint32_t protocol, int32_t *user)
{
	uint32_t flags = type & ~(uint32_t)L_SOCK_TYPE_MASK;
	port_name_t first, second;
	int32_t ends[2];

	if (!flags_known(flags))
		return -EINVAL;
	type &= L_SOCK_TYPE_MASK;
	int error = net_pair(NAME_NET, family, type, protocol, flags & L_SOCK_NONBLOCK, &first, &second);
	if (error)
		return result_of(error);
	ends[0] = (int32_t)socket_install(first, type, flags & L_SOCK_CLOEXEC);
	ends[1] = (int32_t)socket_install(second, type, flags & L_SOCK_CLOEXEC);
	int64_t result = ends[0] < 0 ? ends[0] : ends[1] < 0 ? ends[1] : user_copy(user, ends, sizeof(ends));
	for (int i = 0; i < 2 && result < 0; i++)
		if (ends[i] >= 0)
			fd_close(ends[i]);
	return result < 0 ? result : 0;
}

/* ---- names ---- */

/* The file's mode is that of the socket (fchmod before bind), without the umask. */
static int64_t bind(struct description *socket, struct socket_address *address)
{
	struct attributes attributes;
	int error = io_stat(socket->name, &attributes);

	if (error)
		return result_of(error);
	int64_t result = address_make(address, attributes.mode & MODE_MASK);
	if (result)
		return result;
	result = result_of(net_bind(socket->name, address->bytes, address->size, address->name));
	if (result)
		address_unmake(address);
	return result;
}

int64_t sys_bind(int fd, const void *user, int32_t size)
{
	struct socket_address address;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = address_take(&address, user, size);
	if (!result)
		result = bind(socket, &address);
	address_end(&address);
	fd_put(socket);
	return result;
}

typedef int name_getter(port_name_t socket, void *address, size_t room, size_t *size);

static int64_t get_name(int fd, void *user, int32_t *user_size, name_getter *get)
{
	uint8_t bytes[NET_ADDRESS_MAX];
	size_t size = 0;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	int error = get(socket->name, bytes, sizeof(bytes), &size);
	fd_put(socket);
	if (error)
		return result_of(error);
	if (user == NULL)
		return -EFAULT;
	return address_put(user, user_size, bytes, size);
}

int64_t sys_getsockname(int fd, void *user, int32_t *user_size)
{
	return get_name(fd, user, user_size, net_local_address);
}

int64_t sys_getpeername(int fd, void *user, int32_t *user_size)
{
	return get_name(fd, user, user_size, net_peer_address);
}

/* ---- connections ---- */

int64_t sys_listen(int fd, int32_t backlog)
{
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = result_of(net_listen(socket->name, backlog));
	fd_put(socket);
	return result;
}

int64_t sys_accept4(int fd, void *user, int32_t *user_size, uint32_t flags)
{
	uint8_t bytes[NET_ADDRESS_MAX];
	size_t size = 0;
	port_name_t accepted;
	int64_t result;

	if (!flags_known(flags))
		return -EINVAL;
	struct description *socket = socket_get(fd, &result);
	if (socket == NULL)
		return result;
	uint32_t type = socket->flags;
	int error = net_accept(socket->name, flags & L_SOCK_NONBLOCK, &accepted, bytes, sizeof(bytes), &size);
	fd_put(socket);
	if (error)
		return result_of(error);
	int64_t made = socket_install(accepted, type, flags & L_SOCK_CLOEXEC);
	if (made < 0)
		return made;
	result = address_put(user, user_size, bytes, size);
	if (result) {
		fd_close((int)made);
		return result;
	}
	return made;
}

int64_t sys_accept(int fd, void *user, int32_t *user_size)
{
	return sys_accept4(fd, user, user_size, 0);
}

int64_t sys_connect(int fd, const void *user, int32_t size)
{
	struct socket_address address;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = address_take(&address, user, size);
	if (!result)
		result = address_find(&address);
	if (!result)
		result = result_of(net_connect(socket->name, address.bytes, address.size, address.name));
	address_end(&address);
	fd_put(socket);
	return result;
}

int64_t sys_shutdown(int fd, uint32_t how)
{
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = result_of(net_shutdown(socket->name, how));
	fd_put(socket);
	return result;
}
