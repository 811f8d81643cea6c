/*
 * Receiving: recv, recvfrom, recvmsg, recvmmsg, and read, readv on sockets.
 */
#include "sockets.h"

#include "string.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <net_client.h>

#define GATHER_MAX 524288u

/* One request, for up to `size` bytes from `at` on. */
static int receive_piece(struct description *socket, const struct socket_vector *to, size_t at, size_t size, uint32_t flags,
			 struct socket_got *got, uint64_t *done)
{
	uint8_t bytes[NET_INLINE_MAX];
	size_t count = 0, part;
	void *address;

	vector_at(to, at, &address, &part);
	if (size <= sizeof(bytes)) {
		int error = net_receive_inline(socket->name, flags, (uint32_t)size, &got->result, got->address, sizeof(got->address),
					       &got->address_size, bytes, sizeof(bytes), &count);
		*done = count;
		return error ? error : vector_scatter(to, at, bytes, count) < 0 ? EFAULT : 0;
	}
	if (part >= size)
		return net_receive(socket->name, flags, address, size, done, &got->result, got->address, sizeof(got->address), &got->address_size);
	size = size < GATHER_MAX ? size : GATHER_MAX;
	uint8_t *whole = pages_allocate(size);
	if (whole == NULL)
		return ENOMEM;
	int error = net_receive(socket->name, flags, whole, size, done, &got->result, got->address, sizeof(got->address), &got->address_size);
	if (!error && vector_scatter(to, at, whole, *done) < 0)
		error = EFAULT;
	pages_free(whole, size);
	return error;
}

/* MSG_WAITALL on a stream: more is asked for until all is there, or something ends it. */
static bool wants_more(const struct description *socket, const struct socket_got *got, uint32_t flags, uint64_t part)
{
	return (flags & L_MSG_WAITALL) && !(flags & L_MSG_PEEK) && socket->flags == L_SOCK_STREAM && part != 0 && got->result.bundle == 0;
}

int64_t socket_receive(struct description *socket, const struct socket_vector *to, uint32_t flags, struct socket_got *got)
{
	struct socket_got more, *now = got;
	size_t done = 0;

	memset(got, 0, sizeof(*got));
	for (;;) {
		uint64_t part = 0;
		int error = receive_piece(socket, to, done, to->total - done, flags, now, &part);
		if (error) {
			if (now->result.bundle)
				bundle_discard(now->result.bundle);
			now->result.bundle = 0;
			if (done == 0)
				return result_of(error);
			break;
		}
		if (now != got && now->result.bundle) {
			got->result.bundle = now->result.bundle;
			got->result.descriptors = now->result.descriptors;
		}
		done += part;
		if (done == to->total || !wants_more(socket, got, flags, part))
			break;
		now = &more;
		memset(now, 0, sizeof(*now));
	}
	if ((flags & L_MSG_TRUNC) && (got->result.flags & L_MSG_TRUNC))
		return (int64_t)got->result.size;
	return (int64_t)done;
}

int64_t socket_read(struct description *socket, const struct socket_vector *to, uint32_t flags)
{
	struct socket_got got;

	if (to->total == 0)
		return 0; /* as System V: not even waiting */
	int64_t result = socket_receive(socket, to, flags, &got);
	if (result >= 0)
		bundle_discard(got.result.bundle);
	return result;
}

int64_t sys_recvfrom(int fd, void *user, size_t size, uint32_t flags, void *user_address, int32_t *user_size)
{
	struct linux_iovec element = { (uint64_t)user, size < TRANSFER_MAX ? size : TRANSFER_MAX };
	struct socket_vector vector = { &element, 1, element.len };
	struct socket_got got;
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = socket_receive(socket, &vector, flags, &got);
	fd_put(socket);
	if (result < 0)
		return result;
	bundle_discard(got.result.bundle);
	int64_t error = address_put(user_address, user_size, got.address, got.address_size);
	return error ? error : result;
}

/* ---- recvmsg ---- */

/* What goes back into the header: lengths and flags. */
static int64_t put_header(struct linux_msghdr *user, struct linux_msghdr *header, const struct socket_got *got, uint32_t flags)
{
	uint32_t size = (uint32_t)got->address_size;

	header->flags = (int32_t)(flags & L_MSG_CMSG_CLOEXEC) | (int32_t)got->result.flags;
	int64_t error = control_put(header, &got->result, flags);
	if (error)
		return error;
	if (header->name) {
		if (user_copy((void *)header->name, got->address, size < header->namelen ? size : header->namelen) || user_put(&user->namelen, &size))
			return -EFAULT;
	}
	return user_put(&user->controllen, &header->controllen) || user_put(&user->flags, &header->flags) ? -EFAULT : 0;
}

static int64_t receive_header(struct description *socket, struct linux_msghdr *user, uint32_t flags)
{
	struct linux_msghdr header;
	struct vector_buffer buffer;
	struct socket_vector vector;
	struct socket_got got;

	if (user_get(&header, user))
		return -EFAULT;
	if ((int32_t)header.namelen < 0)
		return -EINVAL;
	int64_t result = vector_take(&buffer, (const struct linux_iovec *)header.iov, header.iovlen, &vector);
	if (!result)
		result = socket_receive(socket, &vector, flags & ~(uint32_t)L_MSG_CMSG_CLOEXEC, &got);
	vector_end(&buffer);
	if (result < 0)
		return result;
	int64_t error = put_header(user, &header, &got, flags);
	return error ? error : result;
}

int64_t sys_recvmsg(int fd, struct linux_msghdr *user, uint32_t flags)
{
	int64_t result;
	struct description *socket = socket_get(fd, &result);

	if (socket == NULL)
		return result;
	result = receive_header(socket, user, flags);
	fd_put(socket);
	return result;
}

/* The timeout counts between messages only, as on Linux. */
int64_t sys_recvmmsg(int fd, struct linux_mmsghdr *user, uint32_t count, uint32_t flags, const struct linux_timespec *timeout)
{
	uint64_t deadline = DEADLINE_NEVER;
	uint32_t done = 0;
	int64_t result = timeout ? deadline_from_user(timeout, &deadline) : 0;

	if (result)
		return result;
	struct description *socket = socket_get(fd, &result);
	if (socket == NULL)
		return result;
	while (done < count) {
		uint32_t once = done && (flags & L_MSG_WAITFORONE) ? L_MSG_DONTWAIT : 0;
		result = receive_header(socket, &user[done].header, (flags & ~(uint32_t)L_MSG_WAITFORONE) | once);
		uint32_t length = (uint32_t)result;
		if (result >= 0 && user_put(&user[done].length, &length))
			result = -EFAULT;
		if (result < 0)
			break;
		done++;
		if (deadline != DEADLINE_NEVER && clock_monotonic() >= deadline)
			break;
	}
	fd_put(socket);
	return done ? (int64_t)done : result;
}
