/*
 * Sending: send, sendto, sendmsg, sendmmsg, and write, writev on sockets.
 *
 * Few bytes travel in the message, more through a window on one buffer of the program. A datagram goes in one piece, so several large buffers are copied
 * together first; a stream goes in as many pieces as it takes.
 */
#include "sockets.h"

#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <net_client.h>
#include "signals.h"

#define GATHER_MAX 524288u /* more than any datagram */
#define NOTHING ((struct net_ancillary){ 0 })

/* One request: what the server takes of the `size` bytes from `at` on. */
static int send_piece(struct description *socket, const struct socket_vector *from, size_t at, size_t size, uint32_t flags,
		      const struct net_ancillary *with, const struct socket_address *to, uint64_t *done)
{
	static const struct socket_address nowhere = { .size = 0 };
	uint8_t bytes[NET_INLINE_MAX];
	void *address;
	size_t part;

	if (to == NULL)
		to = &nowhere;
	vector_at(from, at, &address, &part);
	if (size <= sizeof(bytes) || (part < sizeof(bytes) && socket->flags == L_SOCK_STREAM)) {
		size = size < sizeof(bytes) ? size : sizeof(bytes);
		if (vector_gather(from, at, bytes, size) < 0)
			return EFAULT;
		return net_send_inline(socket->name, flags, with, to->bytes, to->size, to->name, bytes, size, done);
	}
	if (part >= size || socket->flags == L_SOCK_STREAM)
		return net_send(socket->name, flags, with, to->bytes, to->size, to->name, address, part < size ? part : size, done);
	if (size > GATHER_MAX)
		return EMSGSIZE;
	uint8_t *whole = pages_allocate(size);
	if (whole == NULL)
		return ENOBUFS;
	int error = vector_gather(from, at, whole, size) < 0 ? EFAULT
		    : net_send(socket->name, flags, with, to->bytes, to->size, to->name, whole, size, done);
	pages_free(whole, size);
	return error;
}

/* Only streams break: to others an end of the peer is an error like any other. */
static int64_t send_failed(const struct description *socket, int error, uint32_t flags)
{
	if (error == EPIPE && socket->flags == L_SOCK_STREAM && !(flags & L_MSG_NOSIGNAL))
		signals_raise(L_SIGPIPE);
	return result_of(error);
}

int64_t socket_send(struct description *socket, const struct socket_vector *from, uint32_t flags, struct net_ancillary *with,
		    const struct socket_address *to)
{
	struct net_ancillary nothing = NOTHING;
	size_t done = 0;

	if (with == NULL)
		with = &nothing;
	do {
		uint64_t part = 0;
		int error = send_piece(socket, from, done, from->total - done, flags, with, to, &part);
		if (error) {
			bundle_discard(with->bundle);
			with->bundle = 0;
			return done ? (int64_t)done : send_failed(socket, error, flags);
		}
		with->bundle = 0; /* it went with the first piece */
		done += part;
		if (part == 0)
			break;
	} while (done < from->total);
	return (int64_t)done;
}

int64_t sys_sendto(int fd, const void *user, size_t size, uint32_t flags, const void *user_address, int32_t address_size)
{
	struct linux_iovec element = { (uint64_t)user, size < TRANSFER_MAX ? size : TRANSFER_MAX };
	struct socket_vector vector = { &element, 1, element.len };
	struct socket_address address = { .size = 0 };
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = user_address ? address_take(&address, user_address, address_size) : 0;
	if (!result && socket->flags == L_SOCK_DGRAM)
		result = address_find(&address);
	if (!result)
		result = socket_send(socket, &vector, flags, NULL, &address);
	address_end(&address);
	fd_put(socket);
	return result;
}

/* ---- sendmsg ---- */

static int64_t send_header(struct description *socket, const struct linux_msghdr *header, uint32_t flags)
{
	struct socket_address address = { .size = 0 };
	struct net_ancillary with = NOTHING;
	struct vector_buffer buffer;
	struct socket_vector vector;

	int64_t result = (int32_t)header->namelen < 0 ? -EINVAL : 0;
	if (!result && header->name && header->namelen)
		result = address_take(&address, (const void *)header->name, header->namelen < NET_ADDRESS_MAX ? header->namelen : NET_ADDRESS_MAX);
	if (result)
		return result;
	result = vector_take(&buffer, (const struct linux_iovec *)header->iov, header->iovlen, &vector);
	if (!result)
		result = control_take(header, &with);
	if (!result && socket->flags == L_SOCK_DGRAM)
		result = address_find(&address);
	if (result)
		bundle_discard(with.bundle);
	else
		result = socket_send(socket, &vector, flags, &with, &address);
	address_end(&address);
	vector_end(&buffer);
	return result;
}

int64_t sys_sendmsg(int fd, const struct linux_msghdr *user, uint32_t flags)
{
	struct linux_msghdr header;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = user_get(&header, user) ? -EFAULT : send_header(socket, &header, flags);
	fd_put(socket);
	return result;
}

int64_t sys_sendmmsg(int fd, struct linux_mmsghdr *user, uint32_t count, uint32_t flags)
{
	uint32_t done = 0;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	if (count > IOVEC_MAX)
		count = IOVEC_MAX;
	for (result = 0; done < count && result >= 0; done++) {
		struct linux_msghdr header;
		result = user_get(&header, &user[done].header) ? -EFAULT : send_header(socket, &header, flags);
		uint32_t length = (uint32_t)result;
		if (result >= 0 && user_put(&user[done].length, &length))
			result = -EFAULT;
		if (result < 0)
			break;
	}
	fd_put(socket);
	return done ? (int64_t)done : result;
}
