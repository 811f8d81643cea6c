/*
 * Parked callers and their memory: how a request in service becomes a record in the keep, and how it is answered.
 *
 * Every send from here is to be queued until the commit one day; so nothing else in a server sends replies.
 */
#include "internal.h"

/* The window access that met KERN_PEER_FAULT last: what SERVER_RESTART and server_restart() send. */
static struct {
	uint64_t address;
	uint16_t access; /* MSG_WINDOW_READ or MSG_WINDOW_WRITE */
} last_fault;

int server_park(struct server_call *call, struct server_reply *reply)
{
	if (call->request == 0)
		return EINVAL;
	int64_t name = trap1(TRAP_reply_park, PORT_NULL);
	if (name < 0)
		return name == KERN_NO_SPACE ? ENOMEM : kern_errno(name);
	reply->name = (port_name_t)name;
	reply->ordinal = call->ordinal;
	reply->request = call->request;
	return SERVER_PARKED;
}

struct msg_page *server_send_page(void)
{
	return client_send_page();
}

static void send_once(struct server_reply *reply, uint64_t op, int error)
{
	port_name_t name = reply->name;

	if (name == PORT_NULL)
		return;
	*reply = (struct server_reply){0};
	int64_t status = trap_msg(op | MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(name, error), PORT_NULL, DEADLINE_NOW);
	/* A caller that is gone leaves a dead name behind; after any other failure it must not wait for ever. */
	if (status < 0)
		server_release_right(name);
}

void server_send_reply(struct server_reply *reply, uint64_t lengths, int error)
{
	send_once(reply, error == 0 ? lengths : 0, error);
}

void server_reply_error(struct server_reply *reply, int error)
{
	send_once(reply, 0, error);
}

uint64_t server_put_restart(void)
{
	client_send_page()->descriptor[0] = (struct msg_descriptor){
	        .type = MSG_DESC_WINDOW,
	        .flags = last_fault.access,
	        .address = last_fault.address,
	};
	return MSG_RESTART | MSG_LENGTH(0, 1);
}

void server_restart(struct server_reply *reply)
{
	send_once(reply, server_put_restart(), 0);
}

/* The trap copies in bounded chunks: go on until everything is there, or it stops. */
static int64_t copy_all(uint64_t trap, const struct server_window *window, uint64_t offset, uint64_t address,
                        size_t length, uint16_t access)
{
	size_t done = 0;

	if (offset > window->size)
		return 0;
	if (length > window->size - offset)
		length = window->size - offset;
	while (done < length) {
		int64_t n = trap6(trap, window->reply, window->index, offset + done, address + done, length - done, 0);
		if (n == KERN_PEER_FAULT) {
			last_fault.address = server_block()->result[0];
			last_fault.access = access;
		}
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int64_t server_window_read(const struct server_window *window, uint64_t offset, void *to, size_t length)
{
	return copy_all(TRAP_window_read, window, offset, (uint64_t)to, length, MSG_WINDOW_READ);
}

int64_t server_window_write(const struct server_window *window, uint64_t offset, const void *from, size_t length)
{
	return copy_all(TRAP_window_write, window, offset, (uint64_t)from, length, MSG_WINDOW_WRITE);
}
