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

/* Where stubs marshal and unmarshal: the endpoint's pages, or others while a transaction is replayed. */
extern struct client_pages {
	struct msg_page *send, *reply;
} client_pages;

static inline struct msg_page *client_send_page(void)
{
	return client_pages.send;
}

/* To be asked for after client_call(). */
static inline const struct msg_page *client_reply_page(void)
{
	return client_pages.reply;
}

/*
 * Sends what lies in the send page and waits for the answer in the reply page. op: MSG_LENGTH() and MSG_INTERRUPTIBLE.
 * Returns kern_status; after KERN_SUCCESS the errno of the callee is header.ordinal of the reply page. In a transaction the call
 * is logged: executed again, it gets the same answer without being made.
 */
int64_t client_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);
/* One-way message. */
int64_t client_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline);

/* A kern_status as an errno, 0 for KERN_SUCCESS. */
int kern_errno(int64_t status);

/* For replies that do not decode: what came with them goes. */
void server_release_right(port_name_t name);
void server_release_region(uint64_t address, uint64_t size);

static inline void client_release_right(port_name_t name)
{
	server_release_right(name);
}

static inline void client_release_region(uint64_t address, uint64_t size)
{
	server_release_region(address, size);
}

#endif
