/*
 * Loopback: what <portico/server.h> says of a request in service: parking and answering, windows, releasing.
 */
#include "loopback_internal.h"
#include <string.h>

#define INTERFACES 8

static const struct server_interface *interfaces[INTERFACES];
static unsigned interface_count;
static unsigned fault_at;

void loopback_server_reset(void)
{
	interface_count = 0;
	fault_at = 0;
}

void loopback_register(const struct server_interface *interface)
{
	if (interface_count == INTERFACES)
		loopback_fail("too many interfaces", interface->number);
	interfaces[interface_count++] = interface;
}

/* libserver's loop has its own, where it is linked. */
__attribute__((weak)) void server_register(const struct server_interface *interface)
{
	loopback_register(interface);
}

int64_t loopback_service_dispatch(struct server_call *call)
{
	for (unsigned i = 0; i < interface_count; i++) {
		if (interfaces[i]->number == MSG_INTERFACE(call->ordinal))
			return interfaces[i]->dispatch(call);
	}
	call->release = (UINT32_C(1) << call->in_descriptors) - 1;
	return ENOSYS;
}

void loopback_service_release(const struct server_call *call)
{
	for (uint32_t i = 0; i < call->in_descriptors; i++) {
		const struct msg_descriptor *d = &call->in->descriptor[i];
		if ((call->release >> i & 1) == 0)
			continue;
		if (d->type == MSG_DESC_PORT)
			server_release_right(d->name);
		else if (d->type == MSG_DESC_REGION)
			server_release_region(d->address, d->size);
	}
}

void server_release_right(port_name_t name)
{
	if (name != PORT_NULL)
		loopback_release(name);
}

void server_release_region(uint64_t address, uint64_t size)
{
	if (size != 0)
		loopback_unmap(address, size);
}

/* ---- parking ---- */

int server_park(struct server_call *call, struct server_reply *reply)
{
	struct frame *frame = loopback_frame();
	if (frame->call != call)
		loopback_fail("park of a call that is not in service", call->request);
	if (call->request == 0)
		return EINVAL;
	struct pending *pending = loopback_new_pending(call->request);
	struct right *right = loopback_new_right(loopback_new_port(), RIGHT_SEND_ONCE, LOOPBACK_SERVER, 0, 0);
	right->reply = pending;
	pending->windows = frame->windows;
	frame->parked = true;
	*reply = (struct server_reply){.name = right->name, .ordinal = call->ordinal, .request = call->request};
	return SERVER_PARKED;
}

struct msg_page *server_send_page(void)
{
	return loopback_send_page();
}

/* The parked caller of a token, which is emptied and whose right is used up; NULL for an empty one. */
static struct pending *redeem(struct server_reply *reply)
{
	struct right *right = loopback_find(reply->name);
	if (reply->name == PORT_NULL)
		return NULL;
	if (!right || !right->reply)
		loopback_fail("answer through a name that is not a parked caller's", reply->name);
	struct pending *pending = right->reply;
	right->name = PORT_NULL;
	*reply = (struct server_reply){0};
	pending->answered = true;
	return pending;
}

void server_send_reply(struct server_reply *reply, uint64_t lengths, int error)
{
	struct pending *pending = redeem(reply);
	if (!pending)
		return;
	/* The answer is carried as if a server sent it, also when a test calls the server's functions directly. */
	unsigned depth = loopback_depth;
	struct msg_page *page = server_send_page();
	loopback_depth = depth ? depth : 1;
	int64_t status = error ? KERN_SUCCESS : loopback_transfer(page, lengths, &pending->page, LOOPBACK_CLIENT, NULL);
	loopback_depth = depth;
	if (status < 0)
		loopback_fail("the late reply cannot be sent: kern_status", (uint64_t)-status);
	if (error)
		pending->page.header = (struct msg_header){.ordinal = (uint32_t)error};
	pending->page.header.kind = MSG_REPLY;
}

void server_reply_error(struct server_reply *reply, int error)
{
	server_send_reply(reply, 0, error);
}

void server_restart(struct server_reply *reply)
{
	struct pending *pending = redeem(reply);
	if (pending)
		pending->restart = true;
}

/* ---- windows ---- */

void loopback_fault_window(unsigned nth)
{
	fault_at = nth;
}

/* Address of `*length` bytes (cut at the end) at `offset` of a window, or a status. */
static int64_t window(const struct server_window *w, uint64_t offset, size_t *length, uint16_t access,
                      uint8_t **address)
{
	struct windows *windows = &loopback_frame()->windows;
	if (w->reply != PORT_NULL) {
		struct right *right = loopback_find(w->reply);
		if (!right || !right->reply)
			return KERN_INVALID_NAME;
		windows = &right->reply->windows;
	} else if (!loopback_frame()->call || loopback_frame()->parked) {
		return KERN_INVALID_NAME;
	}
	if (w->index >= MSG_DESCRIPTORS_MAX || !(windows->flags[w->index] & access))
		return KERN_NO_ACCESS;
	if (fault_at && --fault_at == 0)
		return KERN_PEER_FAULT;
	uint64_t size = windows->size[w->index];
	*length = offset >= size ? 0 : *length > size - offset ? (size_t)(size - offset) : *length;
	*address = windows->address[w->index] + offset;
	return KERN_SUCCESS;
}

int64_t server_window_read(const struct server_window *w, uint64_t offset, void *to, size_t length)
{
	uint8_t *from;
	int64_t status = window(w, offset, &length, MSG_WINDOW_READ, &from);
	if (status < 0)
		return status;
	if (length)
		memcpy(to, from, length);
	return (int64_t)length;
}

int64_t server_window_write(const struct server_window *w, uint64_t offset, const void *from, size_t length)
{
	uint8_t *to;
	int64_t status = window(w, offset, &length, MSG_WINDOW_WRITE, &to);
	if (status < 0)
		return status;
	if (length)
		memcpy(to, from, length);
	return (int64_t)length;
}
