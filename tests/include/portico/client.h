/*
 * Client transport of host tests: generated stubs call servers in the same process through tests/support/loopback.c.
 *
 * The same header exists in libserver/include and libposix/include, on kernel traps; the include path chooses. Above:
 * X_client.c.
 */
#ifndef PORTICO_CLIENT_H
#define PORTICO_CLIENT_H

#include <portico/errno.h>
#include <portico/status.h>

#include "../../support/loopback.h"

static inline struct msg_page *client_send_page(void)
{
	return loopback_send_page();
}

static inline const struct msg_page *client_reply_page(void)
{
	return loopback_reply_page();
}

static inline int64_t client_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return loopback_call(op, to, ordinal, deadline);
}

static inline int64_t client_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return loopback_send(op, to, ordinal, deadline);
}

static inline void client_release_right(port_name_t name)
{
	loopback_release(name);
}

static inline void client_release_region(uint64_t address, uint64_t size)
{
	loopback_unmap(address, size);
}

/* A kern_status as an errno, 0 for KERN_SUCCESS. A call that was parked answers LOOPBACK_EPARKED. */
int kern_errno(int64_t status);

#endif
