/*
 * Parked callers and their memory: how a request in service becomes a record in the keep, and how it is answered: at the commit.
 * Instrumented: the records lie in the keep.
 */
#include "transaction.h"

/* The window access that met KERN_PEER_FAULT last: what SERVER_RESTART and server_restart() send. */
static struct {
	uint64_t address;
	uint64_t access; /* MSG_WINDOW_READ or MSG_WINDOW_WRITE */
} last_fault;

int server_park(struct server_call *call, struct server_reply *reply)
{
	if (call->request == 0)
		return EINVAL;
	int64_t name = server_trap(TRAP_reply_park, PORT_NULL, 0, 0, 0, 0, 0);
	if (name < 0)
		return name == KERN_NO_SPACE ? ENOMEM : kern_errno(name);
	reply->name = (port_name_t)name;
	reply->ordinal = call->ordinal;
	reply->request = call->request;
	return SERVER_PARKED;
}

static void send_once(struct server_reply *reply, uint64_t op, int error)
{
	port_name_t name = reply->name;

	if (name == PORT_NULL)
		return;
	*reply = (struct server_reply){0};
	effects_reply(name, op, error);
}

void server_send_reply(struct server_reply *reply, uint64_t lengths, int error)
{
	send_once(reply, error == 0 ? lengths : 0, error);
}

void server_reply_error(struct server_reply *reply, int error)
{
	send_once(reply, 0, error);
}

uint64_t server_put_restart(struct msg_page *page)
{
	page->descriptor[0] = (struct msg_descriptor){
	        .type = MSG_DESC_WINDOW,
	        .flags = (uint16_t)last_fault.access,
	        .address = last_fault.address,
	};
	return MSG_RESTART | MSG_LENGTH(0, 1);
}

void server_restart(struct server_reply *reply)
{
	send_once(reply, server_put_restart(server_send_page()), 0);
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

/*
 * The bytes are copied in each execution; the status is what it was in the first. What the caller's other threads did to its memory in
 * between changes at most the bytes that it sees or sends itself.
 */
static int64_t access_window(uint64_t trap, const struct server_window *window, uint64_t offset, uint64_t address, size_t length,
                             uint16_t access)
{
	struct server_window now = *window;

	/* The request may have been parked already, by the execution whose results are being replayed. */
	if (now.reply == PORT_NULL && results_replaying())
		now.reply = results_parked();
	int64_t status = copy_all(trap, &now, offset, address, length, access);

	return results_window(trap << 8 ^ window->index, status, trap == TRAP_window_read, &last_fault.address, &last_fault.access);
}

int64_t server_window_read(const struct server_window *window, uint64_t offset, void *to, size_t length)
{
	return access_window(TRAP_window_read, window, offset, (uint64_t)to, length, MSG_WINDOW_READ);
}

int64_t server_window_write(const struct server_window *window, uint64_t offset, const void *from, size_t length)
{
	return access_window(TRAP_window_write, window, offset, (uint64_t)from, length, MSG_WINDOW_WRITE);
}
