/*
 * Walking through a buffer of ancillary data. Pure.
 */
#include "sockets.h"

#include "string.h"

#include <portico/errno.h>

bool control_next(const uint8_t *buffer, size_t size, size_t *at, struct control_element *element, int64_t *error)
{
	struct linux_cmsghdr header;

	*error = 0;
	if (*at >= size || size - *at < sizeof(header))
		return false; /* bytes that hold no header are no element */
	memcpy(&header, buffer + *at, sizeof(header));
	if (header.len < sizeof(header) || header.len > size - *at) {
		*error = -EINVAL;
		return false;
	}
	*element = (struct control_element){ header.level, header.type, buffer + *at + sizeof(header), header.len - sizeof(header) };
	*at += CONTROL_ALIGN(header.len);
	return true;
}
