/*
 * The transport under the benchmark's client stubs: the main thread of a POSIX process, whose endpoint is that of slot 0, calls
 * past libposix. Not for other programs: libposix uses the same pages between two of their instructions.
 */
#ifndef PORTICO_CLIENT_H
#define PORTICO_CLIENT_H

#include <portico/errno.h>
#include <portico/layout.h>
#include <portico/traps.h>

static inline struct msg_page *client_send_page(void)
{
	return (struct msg_page *)(THREAD_AREAS + ENDPOINT_SEND * PAGE_SIZE);
}

static inline const struct msg_page *client_reply_page(void)
{
	return (const struct msg_page *)(THREAD_AREAS + ENDPOINT_REPLY * PAGE_SIZE);
}

static inline int64_t client_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return trap_msg(op | MSG_CALL, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
}

static inline int64_t client_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return trap_msg(op | MSG_SEND, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
}

int kern_errno(int64_t status);

static inline void client_release_right(port_name_t name) { trap1(TRAP_right_release, name); }

static inline void client_release_region(uint64_t address, uint64_t size) { trap3(TRAP_vm_unmap, TASK_SELF, address, size); }

#endif
