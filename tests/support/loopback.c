/*
 * Loopback: messages. Carries a request from the frame of the caller to that of the server, runs the dispatcher,
 * carries the reply back. See loopback.h; rights are in loopback_rights.c, the server library's functions in
 * loopback_server.c.
 */
#include "loopback_internal.h"
#include <stdlib.h>
#include <string.h>

struct frame loopback_frames[DEPTH_MAX];
unsigned loopback_depth;

static struct pending *pendings;
static uint64_t principal, last_request, last_parked, resumed;
static struct msg_page forged;
static bool is_forged;

struct frame *loopback_frame(void)
{
	return &loopback_frames[loopback_depth];
}

enum loopback_side loopback_here(void)
{
	return loopback_depth ? LOOPBACK_SERVER : LOOPBACK_CLIENT;
}

struct msg_page *loopback_send_page(void)
{
	return &loopback_frame()->send;
}

struct msg_page *loopback_reply_page(void)
{
	return &loopback_frame()->reply;
}

void loopback_set_principal(uint64_t value)
{
	principal = value;
}

void loopback_reset(void)
{
	while (pendings)
		loopback_free_pending(pendings);
	loopback_rights_reset();
	memset(loopback_frames, 0, sizeof(loopback_frames));
	loopback_depth = 0;
	principal = 1;
	last_parked = resumed = 0;
	is_forged = false;
	loopback_server_reset();
}

/* ---- parked callers ---- */

struct pending *loopback_pending(uint64_t id)
{
	struct pending *pending = pendings;
	while (pending && pending->id != id)
		pending = pending->next;
	return pending;
}

struct pending *loopback_new_pending(uint64_t id)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	pending->id = id;
	pending->next = pendings;
	pendings = pending;
	return pending;
}

void loopback_free_pending(struct pending *pending)
{
	struct pending **link = &pendings;
	while (*link != pending)
		link = &(*link)->next;
	*link = pending->next;
	free(pending);
}

uint64_t loopback_parked(void)
{
	return last_parked;
}

bool loopback_answered(uint64_t id)
{
	struct pending *pending = loopback_pending(id);
	return pending && pending->answered;
}

void loopback_resume(uint64_t id)
{
	if (!loopback_answered(id))
		loopback_fail("resume of a call that is not answered", id);
	resumed = id;
}

void loopback_forge_reply(const struct msg_page *page)
{
	forged = *page;
	is_forged = true;
}

/* ---- carrying a message ---- */

/* libserver/host's table of rights to the service port, where it is linked. */
__attribute__((weak)) bool server_own_badge(port_name_t name, uint64_t *badge);
__attribute__((weak)) void host_own_right(port_name_t name, uint64_t badge);

/* A right that libserver/host has made without us gets an entry under its name. */
static void adopt(port_name_t name)
{
	uint64_t badge;
	if (loopback_find(name) || !loopback_depth || !server_own_badge || !server_own_badge(name, &badge))
		return;
	struct right *right =
	        loopback_new_right(loopback_find(NAME_SERVICE)->port, RIGHT_SEND, LOOPBACK_SERVER, badge, 0);
	right->name = name;
	right->fixture = true;
}

static bool may_send(const struct msg_descriptor *d, enum loopback_side from)
{
	const struct right *right = loopback_find(d->name);
	if (!right || right->side != from)
		return false;
	switch (d->disposition) {
	case MSG_MOVE_RECEIVE:
		return right->kind == RIGHT_RECEIVE;
	case MSG_MOVE_SEND:
	case MSG_COPY_SEND:
		return right->kind == RIGHT_SEND;
	case MSG_MAKE_SEND:
		return right->kind == RIGHT_RECEIVE || (right->kind == RIGHT_SEND && (right->flags & RIGHT_MINT));
	case MSG_MAKE_SEND_ONCE:
		return right->kind == RIGHT_RECEIVE;
	case MSG_MOVE_SEND_ONCE:
		return right->kind == RIGHT_SEND_ONCE;
	default:
		return false;
	}
}

static int64_t check_descriptor(const struct msg_descriptor *d, enum loopback_side from)
{
	switch (d->type) {
	case MSG_DESC_NONE:
	case MSG_DESC_WINDOW:
		return KERN_SUCCESS;
	case MSG_DESC_PORT:
		adopt(d->name);
		return d->name == PORT_NULL || may_send(d, from) ? KERN_SUCCESS : KERN_INVALID_NAME;
	case MSG_DESC_REGION:
		return (d->address | (d->size == 0)) & 4095 ? KERN_INVALID_ARGUMENT : KERN_SUCCESS;
	default:
		return KERN_INVALID_ARGUMENT;
	}
}

static void carry_port(const struct msg_descriptor *d, struct msg_descriptor *to, enum loopback_side side)
{
	if (d->name == PORT_NULL)
		return;
	struct right *right = loopback_find(d->name), *arrived;
	switch (d->disposition) {
	case MSG_MAKE_SEND:
		loopback_count_made(right->port, d->badge);
		arrived = loopback_new_right(right->port, RIGHT_SEND, side, d->badge, d->flags);
		break;
	case MSG_MAKE_SEND_ONCE:
		arrived = loopback_new_right(right->port, RIGHT_SEND_ONCE, side, d->badge, d->flags);
		break;
	default:
		arrived = loopback_new_right(right->port, right->kind, side, right->badge,
		                             right->flags & ~(uint32_t)RIGHT_INHERIT);
		arrived->reply = right->reply;
		if (d->disposition != MSG_COPY_SEND)
			right->name = PORT_NULL;
	}
	to->name = arrived->name;
	if (side == LOOPBACK_SERVER && arrived->kind == RIGHT_SEND && arrived->port->service && host_own_right)
		host_own_right(arrived->name, arrived->badge);
}

static void carry_region(const struct msg_descriptor *d, struct msg_descriptor *to, enum loopback_side side)
{
	uint8_t *memory = loopback_region(side, d->size);
	memcpy(memory, (const void *)(uintptr_t)d->address, d->size);
	if (d->flags & MSG_REGION_MOVE)
		loopback_unmap(d->address, d->size);
	to->address = (uint64_t)(uintptr_t)memory;
	to->size = d->size;
}

int64_t loopback_transfer(struct msg_page *from, uint64_t op, struct msg_page *to, enum loopback_side side,
                          struct windows *windows)
{
	uint32_t length = MSG_LENGTH_OF(op), count = MSG_DESCRIPTORS_OF(op);
	if (length > MSG_INLINE_MAX || count > MSG_DESCRIPTORS_MAX)
		return KERN_TOO_LARGE;
	for (uint32_t i = 0; i < count; i++) {
		int64_t status = check_descriptor(&from->descriptor[i], loopback_here());
		if (status < 0)
			return status;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct msg_descriptor *d = &from->descriptor[i];
		struct msg_descriptor *arrived = &to->descriptor[i];
		*arrived = (struct msg_descriptor){.type = d->type, .disposition = d->disposition, .flags = d->flags};
		if (d->type == MSG_DESC_PORT)
			carry_port(d, arrived, side);
		else if (d->type == MSG_DESC_REGION)
			carry_region(d, arrived, side);
		else if (d->type == MSG_DESC_WINDOW && windows) {
			windows->address[i] = (uint8_t *)(uintptr_t)d->address;
			windows->size[i] = arrived->size = d->size;
			windows->flags[i] = d->flags;
		}
	}
	memcpy(to->data, from->data, length);
	to->header = (struct msg_header){.length = length, .descriptors = (uint16_t)count};
	return KERN_SUCCESS;
}

/* ---- calls ---- */

/* Run a dispatcher on the request page of the frame above; its reply goes to `reply` of the present frame. */
static int64_t serve(int64_t (*dispatch)(struct server_call *), struct frame *callee)
{
	struct msg_header *header = &callee->request.header;
	struct server_call call = {
	        .principal = header->principal,
	        .badge = header->badge,
	        .request = header->request,
	        .ordinal = header->ordinal,
	        .port = header->port,
	        .in = &callee->request,
	        .out = &callee->out,
	        .in_length = header->length,
	        .in_descriptors = header->descriptors,
	};
	memset(&callee->out, 0xa5, sizeof(callee->out)); /* what a skeleton forgets to write is seen */
	callee->call = &call;
	callee->parked = false;
	loopback_depth++;
	int64_t result = dispatch(&call);
	loopback_service_release(&call);
	struct msg_page *reply = &loopback_frames[loopback_depth - 1].reply;
	int64_t status = KERN_SUCCESS;
	if (result == 0 && header->request)
		status = loopback_transfer(&callee->out, MSG_LENGTH(call.reply_length, call.reply_descriptors), reply,
		                           loopback_depth == 1 ? LOOPBACK_CLIENT : LOOPBACK_SERVER, NULL);
	loopback_depth--;
	callee->call = NULL;
	if (status < 0)
		loopback_fail("the reply cannot be sent: kern_status", (uint64_t)-status);
	if (result > 0)
		reply->header = (struct msg_header){.ordinal = (uint32_t)result};
	reply->header.kind = MSG_REPLY;
	if (result == SERVER_PARKED && header->request && !callee->parked)
		loopback_fail("SERVER_PARKED without server_park in ordinal", header->ordinal);
	return result;
}

/* The dispatcher behind a name; NULL and a status if there is none. */
static int64_t (*route(port_name_t to, struct frame *callee, int64_t *status))(struct server_call *)
{
	struct right *right = loopback_find(to);
	*status = KERN_INVALID_NAME;
	if (!right || right->side != loopback_here())
		return NULL;
	*status = right->kind == RIGHT_SEND ? KERN_DEAD : KERN_INVALID_RIGHT;
	if (right->kind != RIGHT_SEND || right->port->dead)
		return NULL;
	callee->request.header.badge = right->badge;
	if (right->port->interface)
		return right->port->interface->dispatch;
	*status = KERN_TIMED_OUT; /* a port that nobody receives from */
	return right->port->service ? loopback_service_dispatch : NULL;
}

/* A kern_status; *result is what the dispatcher returned. */
static int64_t deliver(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t request, int64_t *result)
{
	struct frame *caller = loopback_frame(), *callee = caller + 1;
	if (loopback_depth + 1 == DEPTH_MAX)
		loopback_fail("calls nest too deep", loopback_depth);
	do {
		int64_t status;
		int64_t (*dispatch)(struct server_call *) = route(to, callee, &status);
		if (!dispatch)
			return status;
		uint64_t badge = callee->request.header.badge;
		status = loopback_transfer(&caller->send, op, &callee->request, LOOPBACK_SERVER, &callee->windows);
		if (status < 0)
			return status;
		callee->request.header.badge = badge;
		callee->request.header.ordinal = ordinal;
		callee->request.header.request = request;
		callee->request.header.principal = loopback_depth ? 0 : principal;
		*result = serve(dispatch, callee);
	} while (*result == SERVER_RESTART);
	return KERN_SUCCESS;
}

/* The answer of a call that was parked, or one that a test forged. */
static bool prepared(int64_t *status)
{
	*status = KERN_SUCCESS;
	if (is_forged) {
		is_forged = false;
		loopback_frame()->reply = forged;
		return true;
	}
	struct pending *pending = resumed ? loopback_pending(resumed) : NULL;
	resumed = 0;
	if (!pending || pending->restart) {
		if (pending)
			loopback_free_pending(pending);
		return false; /* RESTART: the call is made again */
	}
	loopback_frame()->reply = pending->page;
	loopback_free_pending(pending);
	return true;
}

void loopback_enter(void)
{
	if (++loopback_depth == DEPTH_MAX)
		loopback_fail("calls nest too deep", loopback_depth);
	memset(loopback_frame(), 0, sizeof(struct frame));
}

void loopback_leave(void)
{
	loopback_depth--;
}

int64_t loopback_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	int64_t status;
	(void)deadline;
	if (loopback_depth == 0 && prepared(&status))
		return status;
	uint64_t request = ++last_request;
	int64_t result = 0;
	status = deliver(op, to, ordinal, request, &result);
	if (status == KERN_SUCCESS && result == SERVER_PARKED) {
		last_parked = request;
		loopback_frame()->reply.header = (struct msg_header){.kind = MSG_REPLY, .ordinal = LOOPBACK_EPARKED};
	}
	return status;
}

int64_t loopback_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	(void)deadline;
	int64_t result = 0;
	return deliver(op, to, ordinal, 0, &result);
}

int64_t loopback_deliver(const struct server_interface *interface, const struct msg_page *request)
{
	struct frame *callee = loopback_frame() + 1;
	callee->request = *request;
	callee->request.header.kind = MSG_REQUEST;
	memset(&callee->windows, 0, sizeof(callee->windows));
	for (uint32_t i = 0; i < request->header.descriptors; i++) {
		const struct msg_descriptor *d = &request->descriptor[i];
		if (d->type != MSG_DESC_WINDOW)
			continue;
		callee->windows.address[i] = (uint8_t *)(uintptr_t)d->address;
		callee->windows.size[i] = d->size;
		callee->windows.flags[i] = d->flags;
	}
	return serve(interface->dispatch, callee);
}
