/*
 * getsockopt, setsockopt, and the ioctls that only sockets have.
 */
#include "sockets.h"

#include "thread.h"
#include "usercopy.h"

#include <net_client.h>

int64_t sys_getsockopt(int fd, uint32_t level, uint32_t option, void *user, int32_t *user_size)
{
	uint8_t value[NET_OPTION_MAX];
	size_t size = 0;
	int32_t room, length;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = user_get(&room, user_size) ? -EFAULT : room < 0 ? -EINVAL : 0;
	if (!result)
		result = result_of(net_get_option(socket->name, level, option, (uint32_t)room, value, sizeof(value), &size));
	fd_put(socket);
	if (result)
		return result;
	length = (int32_t)size;
	if (user_copy(user, value, size))
		return -EFAULT;
	return user_put(user_size, &length);
}

int64_t sys_setsockopt(int fd, uint32_t level, uint32_t option, const void *user, int32_t size)
{
	uint8_t value[NET_OPTION_MAX];
	size_t given = size > (int32_t)sizeof(value) ? sizeof(value) : (size_t)size;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	if (size < 0)
		result = -EINVAL;
	else if (user_copy(value, user, given))
		result = -EFAULT;
	else
		result = result_of(net_set_option(socket->name, level, option, value, given));
	fd_put(socket);
	return result;
}

int64_t socket_ioctl(const struct description *socket, uint32_t request, uint64_t argument)
{
	enum { SIOCOUTQ = 0x5411 };
	uint64_t bytes = 0;

	if (request != SIOCOUTQ)
		return -ENOTTY;
	int error = net_unsent(socket->name, &bytes);
	int32_t number = bytes > INT32_MAX ? INT32_MAX : (int32_t)bytes;
	return error ? result_of(error) : user_put((int32_t *)argument, &number);
}
