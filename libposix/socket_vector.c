/*
 * Arrays of buffers: readv, writev, recvmsg, sendmsg on sockets.
 */
#include "sockets.h"

#include "thread.h"
#include "usercopy.h"

int64_t vector_take(struct vector_buffer *buffer, const struct linux_iovec *user, uint64_t count, struct socket_vector *vector)
{
	buffer->count = 0;
	buffer->elements = buffer->few;
	if (count > IOVEC_MAX)
		return -EMSGSIZE;
	if (count > sizeof(buffer->few) / sizeof(buffer->few[0])) {
		buffer->elements = pages_allocate(count * sizeof(buffer->few[0]));
		if (buffer->elements == NULL) {
			buffer->elements = buffer->few;
			return -ENOMEM;
		}
	}
	buffer->count = (size_t)count;
	if (user_copy(buffer->elements, user, (size_t)count * sizeof(buffer->few[0])))
		return -EFAULT;
	int64_t total = iovec_total(buffer->elements, (size_t)count);
	if (total < 0)
		return total;
	*vector = (struct socket_vector){ buffer->elements, (size_t)count, (size_t)total };
	return 0;
}

void vector_end(struct vector_buffer *buffer)
{
	if (buffer->elements != buffer->few)
		pages_free(buffer->elements, buffer->count * sizeof(buffer->few[0]));
}

void vector_at(const struct socket_vector *vector, size_t at, void **address, size_t *size)
{
	*address = NULL;
	*size = 0;
	for (size_t i = 0; i < vector->count; i++) {
		if (at < vector->element[i].len) {
			*address = (uint8_t *)vector->element[i].base + at;
			*size = vector->element[i].len - at;
			return;
		}
		at -= vector->element[i].len;
	}
}

int64_t vector_gather(const struct socket_vector *vector, size_t from, void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		void *address;
		size_t part;
		vector_at(vector, from + done, &address, &part);
		part = part < size - done ? part : size - done;
		if (part == 0)
			break;
		if (user_copy((uint8_t *)to + done, address, part))
			return -EFAULT;
		done += part;
	}
	return (int64_t)done;
}

int64_t vector_scatter(const struct socket_vector *vector, size_t at, const void *from, size_t size)
{
	size_t done = 0;

	while (done < size) {
		void *address;
		size_t part;
		vector_at(vector, at + done, &address, &part);
		part = part < size - done ? part : size - done;
		if (part == 0)
			break;
		if (user_copy(address, (const uint8_t *)from + done, part))
			return -EFAULT;
		done += part;
	}
	return (int64_t)done;
}
