/*
 * Bytes to and from callers. A window's owner may unmap or die at any time: nothing here is trusted, and no status is
 * lost.
 */
#include "vfs.h"

#define PAGE 4096u
#define PROBE_MAX (1u << 20)

int64_t buffer_put(struct buffer *buffer, uint64_t at, const void *from, size_t size)
{
	if (buffer->window != NULL)
		return server_window_write(buffer->window, at, from, size);
	if (at > buffer->size)
		return 0;
	if (size > buffer->size - at)
		size = buffer->size - at;
	memcpy(buffer->bytes + at, from, size);
	return (int64_t)size;
}

int64_t buffer_take(struct buffer *buffer, uint64_t at, void *to, size_t size)
{
	if (buffer->window != NULL)
		return server_window_read(buffer->window, at, to, size);
	if (at > buffer->size)
		return 0;
	if (size > buffer->size - at)
		size = buffer->size - at;
	memcpy(to, buffer->bytes + at, size);
	return (int64_t)size;
}

int64_t buffer_clear(struct buffer *buffer, uint64_t at, uint64_t size)
{
	static const uint8_t zero[4 * PAGE];
	uint64_t done = 0;

	while (done < size) {
		uint64_t part = size - done < sizeof(zero) ? size - done : sizeof(zero);
		int64_t n = buffer_put(buffer, at + done, zero, part);

		if (n < 0)
			return n;
		done += (uint64_t)n;
		if ((uint64_t)n < part)
			break;
	}
	return (int64_t)done;
}

int buffer_error(int64_t status)
{
	if (status == KERN_PEER_FAULT)
		return SERVER_RESTART;
	if (status == KERN_GONE)
		return EINTR;
	return status == KERN_NO_MEMORY || status == KERN_FAULT ? ENOSPC : EFAULT;
}

int buffer_probe(struct buffer *buffer, uint64_t at, uint64_t size)
{
	uint64_t end = at + (size < PROBE_MAX ? size : PROBE_MAX);
	uint8_t byte;

	if (buffer->window == NULL || size == 0)
		return 0;
	for (uint64_t offset = at; offset < end; offset += PAGE) {
		int64_t n = buffer_take(buffer, offset, &byte, 1);
		if (n < 0)
			return buffer_error(n);
	}
	int64_t n = buffer_take(buffer, end - 1, &byte, 1);
	return n < 0 ? buffer_error(n) : 0;
}
