/*
 * The transport under generated client stubs, for servers: the endpoint lies at SERVER_ENDPOINT, a call is one trap.
 *
 * libposix and the host tests have a header of the same name and the same functions; which one counts is a matter of
 * the include path. Stubs marshal into client_send_page() and unmarshal from client_reply_page().
 */
#ifndef PORTICO_CLIENT_H
#define PORTICO_CLIENT_H

#include <portico/errno.h>
#include <portico/layout.h>
#include <portico/traps.h>

static inline struct msg_page *client_send_page(void)
{
	return (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE);
}

static inline const struct msg_page *client_reply_page(void)
{
	return (const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REPLY * PAGE_SIZE);
}

/*
 * Sends what lies in the send page and waits for the answer in the reply page. op: MSG_LENGTH() and MSG_INTERRUPTIBLE.
 * Returns kern_status; after KERN_SUCCESS the errno of the callee is header.ordinal of the reply page.
 */
static inline int64_t client_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return trap_msg(op | MSG_CALL, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
}

/* One-way message. */
static inline int64_t client_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	return trap_msg(op | MSG_SEND, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
}

/* A kern_status as an errno, 0 for KERN_SUCCESS. */
int kern_errno(int64_t status);

/* For replies that do not decode: what came with them goes. */
static inline void client_release_right(port_name_t name)
{
	if (name != PORT_NULL)
		trap1(TRAP_right_release, name);
}

static inline void client_release_region(uint64_t address, uint64_t size)
{
	if (size != 0)
		trap3(TRAP_vm_unmap, TASK_SELF, address, size);
}

#endif
