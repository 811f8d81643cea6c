/*
 * Handlers that move bytes: send, receive, and interface io's read and write on sockets; and the same for callers that were parked.
 *
 * The family does it, or says that it cannot now. Here are sessions, bundles, parking, and the four forms in which the bytes of each may travel.
 */
#include "net.h"

#include <io_server.h>
#include <net_server.h>
#include <portico/strings.h>

#define IO_NO_WAIT 1u

/* Volatile: bytes on their way into the answer to a parked caller. */
static uint8_t answer_bytes[NET_INLINE_MAX];

static bool may_wait(const struct socket *s, uint32_t flags)
{
	return (flags & MSG_DONTWAIT) == 0 && (s->flags & O_NONBLOCK) == 0;
}

/* ---- receiving ---- */

/* What came with the bytes becomes the receiver's. who NULL: it is gone. */
static void hand_over(struct server_session *who, const struct socket *s, struct receiving *r)
{
	struct bundle *bundle = NULL;

	if (r->rights != NULL && !r->plain && who != NULL)
		bundle = bundle_new(process_record(who), r->rights);
	if (bundle != NULL) {
		r->result.bundle = bundle->number;
		r->result.descriptors = bundle->set->count;
	} else if (r->rights != NULL) {
		set_put(r->rights); /* read(2) takes none */
		collect_later();
	}
	r->rights = NULL;
	r->result.has_credentials = option_on(s, OPTION_PASSCRED);
}

static int receive(struct server_call *call, struct socket *s, struct receiving *r, enum wait_kind kind)
{
	struct server_session *who = caller_of(call);
	struct waiter *w;

	if (who == NULL)
		return ESRCH;
	r->blocking = may_wait(s, r->flags);
	int error = family(s)->receive(s, r);
	if (error == 0)
		hand_over(who, s, r);
	if (error == WOULD_BLOCK && !r->blocking)
		error = EAGAIN;
	if (error == WOULD_BLOCK)
		error = wait_park(call, s, &s->receivers, kind, s->options.receive_timeout, &w);
	if (error == SERVER_PARKED) {
		w->flags = r->flags;
		w->size = r->size;
		if (r->window != NULL) {
			w->window = *r->window;
			server_window_rebase(&w->window, &w->reply);
		}
	}
	sockets_settle();
	return error;
}

static void answer_receive(struct waiter *w, const struct receiving *r)
{
	switch (w->kind) {
	case WAIT_READ:
		io_reply_read(&w->reply, 0, r->done);
		break;
	case WAIT_READ_INLINE:
		io_reply_read_inline(&w->reply, 0, r->bytes, r->done);
		break;
	case WAIT_RECEIVE:
		net_reply_receive(&w->reply, 0, r->done, &r->result, r->address, r->address_size);
		break;
	default:
		net_reply_receive_inline(&w->reply, 0, &r->result, r->address, r->address_size, r->bytes, r->done);
		break;
	}
}

int transfer_receive_again(struct waiter *w)
{
	bool windowed = w->kind == WAIT_READ || w->kind == WAIT_RECEIVE;
	struct receiving r = {.flags = w->flags,
	                      .size = w->size,
	                      .window = windowed ? &w->window : NULL,
	                      .bytes = answer_bytes,
	                      .plain = w->kind == WAIT_READ || w->kind == WAIT_READ_INLINE,
	                      .blocking = true};
	int error = family(w->socket)->receive(w->socket, &r);

	if (error != 0)
		return error;
	hand_over(sessions_by_principal(&root->sessions, w->principal), w->socket, &r);
	answer_receive(w, &r);
	return 0;
}

int net_serve_receive(struct server_call *call, struct open_file *file, uint32_t flags, struct server_window *data, uint64_t *done,
                      struct net_received *result, void *address, size_t *address_count)
{
	struct receiving r = {.flags = flags, .size = data->size, .window = data};
	int error = receive(call, &file->socket, &r, WAIT_RECEIVE);

	*done = r.done;
	*result = r.result;
	memcpy(address, r.address, r.address_size);
	*address_count = r.address_size;
	return error;
}

int net_serve_receive_inline(struct server_call *call, struct open_file *file, uint32_t flags, uint32_t size, struct net_received *result,
                             void *address, size_t *address_count, void *data, size_t *data_count)
{
	struct receiving r = {.flags = flags, .size = size < NET_INLINE_MAX ? size : NET_INLINE_MAX, .bytes = data};
	int error = receive(call, &file->socket, &r, WAIT_RECEIVE_INLINE);

	*data_count = r.done;
	*result = r.result;
	memcpy(address, r.address, r.address_size);
	*address_count = r.address_size;
	return error;
}

int io_serve_read(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, struct server_window *data, uint64_t *done)
{
	struct receiving r = {.flags = (flags & IO_NO_WAIT) != 0 ? MSG_DONTWAIT : 0, .size = data->size, .window = data, .plain = true};

	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	int error = receive(call, &file->socket, &r, WAIT_READ);
	*done = r.done;
	return error;
}

int io_serve_read_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, uint32_t size, void *data,
                         size_t *data_count)
{
	struct receiving r = {.flags = (flags & IO_NO_WAIT) != 0 ? MSG_DONTWAIT : 0, .bytes = data, .plain = true};

	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	r.size = size < NET_INLINE_MAX ? size : NET_INLINE_MAX;
	int error = receive(call, &file->socket, &r, WAIT_READ_INLINE);
	*data_count = r.done;
	return error;
}

/* ---- sending ---- */

/* Keeps what a parked sender is about; the request page is gone then. 0 or ENOMEM. */
static int keep_sending(struct waiter *w, struct sending *sending)
{
	w->flags = sending->flags;
	w->size = sending->size;
	w->sender = sending->sender;
	w->explicit_sender = sending->explicit_sender;
	w->rights = sending->rights;
	w->to = sending->to;
	sending->rights = NULL;
	sending->to = NULL;
	if (sending->window != NULL) {
		w->window = *sending->window;
		server_window_rebase(&w->window, &w->reply);
		return 0;
	}
	w->bytes = keep_allocate(sending->size);
	if (w->bytes == NULL)
		return ENOMEM;
	memcpy(w->bytes, sending->bytes, sending->size);
	return 0;
}

/* sending->rights and ->to are used up. bundle: what they came from. */
static int send(struct server_call *call, struct server_session *who, struct socket *s, struct sending *sending, uint64_t bundle, enum wait_kind kind)
{
	struct waiter *w;
	int error = family(s)->send(s, sending);

	if (error == 0)
		bundle_used(who, bundle);
	if (error == WOULD_BLOCK && !may_wait(s, sending->flags))
		error = EAGAIN;
	if (error == WOULD_BLOCK)
		error = wait_park(call, s, sending->wait, kind, s->options.send_timeout, &w);
	if (error == SERVER_PARKED) {
		w->bundle = bundle;
		if (keep_sending(w, sending) != 0)
			wait_answer(w, ENOMEM);
	}
	set_put(sending->rights);
	if (sending->to != NULL)
		socket_put(sending->to);
	sockets_settle();
	return error;
}

int transfer_send_again(struct waiter *w, struct list **list)
{
	bool windowed = w->kind == WAIT_WRITE || w->kind == WAIT_SEND;
	struct sending sending = {.flags = w->flags,
	                          .size = w->size,
	                          .window = windowed ? &w->window : NULL,
	                          .bytes = w->bytes,
	                          .sender = w->sender,
	                          .explicit_sender = w->explicit_sender,
	                          .rights = w->rights,
	                          .to = w->to,
	                          .again = true,
	                          .wait = *list};
	int error = family(w->socket)->send(w->socket, &sending);

	w->rights = sending.rights;
	*list = sending.wait;
	if (error != 0)
		return error;
	bundle_used(sessions_by_principal(&root->sessions, w->principal), w->bundle);
	switch (w->kind) {
	case WAIT_WRITE:
		io_reply_write(&w->reply, 0, sending.done);
		break;
	case WAIT_WRITE_INLINE:
		io_reply_write_inline(&w->reply, 0, sending.done);
		break;
	case WAIT_SEND:
		net_reply_send(&w->reply, 0, sending.done);
		break;
	default:
		net_reply_send_inline(&w->reply, 0, sending.done);
		break;
	}
	return 0;
}

static struct sender sender_of(const struct server_session *who)
{
	return (struct sender){.pid = who->pid, .uid = who->uid, .gid = who->gid};
}

/* Whom the caller says that it is; itself if it says nothing. */
static int check_sender(struct server_session *who, const struct net_ancillary *with, struct sending *sending)
{
	sending->sender = sender_of(who);
	if (with->has_credentials == 0)
		return 0;
	sending->explicit_sender = true;
	sending->sender = (struct sender){.pid = with->pid, .uid = with->uid, .gid = with->gid};
	return access_credentials(who, &sending->sender);
}

static int send_message(struct server_call *call, struct socket *s, struct sending *sending, const struct net_ancillary *with, const void *address,
                        size_t address_count, port_name_t name, uint64_t *done, enum wait_kind kind)
{
	struct server_session *who = caller_of(call);
	uint64_t node = 0;

	if (who == NULL)
		return ESRCH;
	int error = check_sender(who, with, sending);
	if (error == 0)
		error = file_number(name, false, &node);
	if (error == 0 && address_count != 0)
		error = family(s)->destination(s, address, address_count, node, &sending->to);
	if (error == 0)
		error = bundle_set(who, with->bundle, &sending->rights);
	if (error != 0) {
		if (sending->to != NULL)
			socket_put(sending->to);
		return error;
	}
	error = send(call, who, s, sending, with->bundle, kind);
	*done = sending->done;
	return error;
}

int net_serve_send(struct server_call *call, struct open_file *file, uint32_t flags, const struct net_ancillary *with, const void *address,
                   size_t address_count, port_name_t *name, struct server_window *data, uint64_t *done)
{
	struct sending sending = {.flags = flags, .size = data->size, .window = data};

	return send_message(call, &file->socket, &sending, with, address, address_count, *name, done, WAIT_SEND);
}

int net_serve_send_inline(struct server_call *call, struct open_file *file, uint32_t flags, const struct net_ancillary *with, const void *address,
                          size_t address_count, port_name_t *name, const void *data, size_t data_count, uint64_t *done)
{
	struct sending sending = {.flags = flags, .size = data_count, .bytes = data};

	return send_message(call, &file->socket, &sending, with, address, address_count, *name, done, WAIT_SEND_INLINE);
}

static int write_bytes(struct server_call *call, struct socket *s, int64_t offset, uint32_t flags, struct sending *sending, uint64_t *done,
                       enum wait_kind kind)
{
	struct server_session *who = caller_of(call);

	if (offset != IO_OFFSET_CURRENT)
		return ESPIPE;
	if (who == NULL)
		return ESRCH;
	sending->flags = (flags & IO_NO_WAIT) != 0 ? MSG_DONTWAIT : 0;
	sending->sender = sender_of(who);
	int error = send(call, who, s, sending, 0, kind);
	*done = sending->done;
	return error;
}

int io_serve_write(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, struct server_window *data, uint64_t *done)
{
	struct sending sending = {.size = data->size, .window = data};

	return write_bytes(call, &file->socket, offset, flags, &sending, done, WAIT_WRITE);
}

int io_serve_write_inline(struct server_call *call, struct open_file *file, int64_t offset, uint32_t flags, const void *data, size_t data_count,
                          uint64_t *done)
{
	struct sending sending = {.size = data_count, .bytes = data};

	return write_bytes(call, &file->socket, offset, flags, &sending, done, WAIT_WRITE_INLINE);
}
