/*
 * The event loop: receive one message, run its handler, answer and receive in one trap.
 *
 * Everything here is volatile: an incarnation registers its interfaces and callbacks anew when it starts. The reply is
 * built in a scratch page and copied to the send page at the end, because a handler may call other servers, whose stubs
 * use the send page, while it fills its out parameters.
 */
#include "internal.h"

#define NOTIFY_HANDLERS 8

static struct {
	const struct server_interface *interface[SERVER_INTERFACES];
	struct {
		uint64_t mask;
		void (*handler)(uint64_t bits);
	} notify[NOTIFY_HANDLERS];
	unsigned notify_count;
	void (*no_senders)(uint64_t badge, uint64_t make_send);
	void (*cancel)(uint64_t request, bool died);
	void (*dead_name)(port_name_t name, uint64_t cookie);
	void (*timer)(void);
	void (*deferred)(void);
	uint64_t deadline;
	port_name_t receive; /* service port, or the set it is in */
} loop = {.deadline = DEADLINE_NEVER, .receive = NAME_SERVICE};

static struct msg_page out_page;

void server_register(const struct server_interface *interface)
{
	if (interface->number >= SERVER_INTERFACES)
		server_panic("interface number %u of %s is too high", interface->number, interface->name);
	loop.interface[interface->number] = interface;
}

void server_on_notify(uint64_t mask, void (*handler)(uint64_t bits))
{
	if (loop.notify_count == NOTIFY_HANDLERS)
		server_panic("too many notification handlers");
	loop.notify[loop.notify_count].mask = mask;
	loop.notify[loop.notify_count++].handler = handler;
}

void server_on_no_senders(void (*handler)(uint64_t badge, uint64_t make_send))
{
	loop.no_senders = handler;
	int64_t status = trap4(TRAP_right_request, NAME_SERVICE, REQUEST_NO_SENDERS, NAME_SERVICE, 0);
	if (status < 0)
		server_panic("no-senders request: status %d", (int)status);
}

void server_on_cancel(void (*handler)(uint64_t request, bool died))
{
	loop.cancel = handler;
}

void server_on_dead_name(void (*handler)(port_name_t name, uint64_t cookie))
{
	loop.dead_name = handler;
}

int server_watch_death(port_name_t name, uint64_t cookie)
{
	return kern_errno(trap4(TRAP_right_request, name, REQUEST_DEAD_NAME, NAME_SERVICE, cookie));
}

void server_set_timer(uint64_t deadline, void (*handler)(void))
{
	loop.deadline = deadline;
	loop.timer = handler;
}

void server_defer(void (*step)(void))
{
	loop.deferred = step;
}

int server_add_port(port_name_t receive)
{
	if (loop.receive == NAME_SERVICE) {
		int64_t set = trap1(TRAP_portset_create, PORT_NULL);
		if (set < 0)
			return kern_errno(set);
		int64_t status = trap2(TRAP_portset_move, NAME_SERVICE, (uint64_t)set);
		if (status < 0) {
			server_release_right((port_name_t)set);
			return kern_errno(status);
		}
		loop.receive = (port_name_t)set;
	}
	return kern_errno(trap2(TRAP_portset_move, receive, loop.receive));
}

/* Op and destination of the trap that answers a dispatched request. */
static uint64_t answer(const struct server_call *call, int64_t result, uint64_t *destination)
{
	struct msg_page *send = client_send_page();

	if (result == SERVER_PARKED || call->request == 0)
		return 0;
	*destination = MSG_DESTINATION(PORT_NULL, 0);
	if (result == SERVER_RESTART)
		return MSG_SEND_REPLY | server_put_restart();
	if (result != 0) {
		*destination = MSG_DESTINATION(PORT_NULL, result);
		return MSG_SEND_REPLY;
	}
	for (uint32_t i = 0; i < call->reply_descriptors; i++)
		send->descriptor[i] = call->out->descriptor[i];
	memcpy(send->data, call->out->data, call->reply_length);
	return MSG_SEND_REPLY | MSG_LENGTH(call->reply_length, call->reply_descriptors);
}

/* A message for no interface of ours: everything that came with it goes. */
static int64_t reject(const struct server_call *call)
{
	for (uint32_t i = 0; i < call->in_descriptors; i++) {
		const struct msg_descriptor *d = &call->in->descriptor[i];

		if (d->type == MSG_DESC_PORT)
			server_release_right(d->name);
		else if (d->type == MSG_DESC_REGION)
			server_release_region(d->address, d->size);
	}
	return ENOSYS;
}

static uint64_t serve(const struct msg_page *page, uint64_t *destination)
{
	struct server_call call = {
	        .principal = page->header.principal,
	        .badge = page->header.badge,
	        .request = page->header.request,
	        .ordinal = page->header.ordinal,
	        .port = page->header.port,
	        .in = page,
	        .out = &out_page,
	        .in_length = page->header.length,
	        .in_descriptors = page->header.descriptors,
	};
	uint32_t number = MSG_INTERFACE(call.ordinal);
	const struct server_interface *interface = number < SERVER_INTERFACES ? loop.interface[number] : NULL;

	return answer(&call, interface != NULL ? interface->dispatch(&call) : reject(&call), destination);
}

static void notified(uint64_t bits)
{
	for (unsigned i = 0; i < loop.notify_count; i++)
		if ((bits & loop.notify[i].mask) != 0)
			loop.notify[i].handler(bits & loop.notify[i].mask);
}

static void control(const struct msg_header *header)
{
	uint64_t word = header->word, badge = header->badge;

	switch (header->kind) {
	case MSG_NOTIFY:
		notified(word);
		break;
	case MSG_NO_SENDERS:
		if (loop.no_senders != NULL)
			loop.no_senders(badge, word);
		break;
	case MSG_CANCEL:
		if (loop.cancel != NULL)
			loop.cancel(word, badge == 1);
		break;
	case MSG_DEAD_NAME:
		if (loop.dead_name != NULL)
			loop.dead_name((port_name_t)word, badge);
		break;
	default:
		break; /* a send-once right nobody used: nothing waits for it */
	}
}

static void run_timer(void)
{
	if (loop.deadline == DEADLINE_NEVER || server_now() < loop.deadline)
		return;
	loop.deadline = DEADLINE_NEVER;
	loop.timer();
}

static void run_deferred(void)
{
	void (*step)(void) = loop.deferred;

	loop.deferred = NULL;
	if (step != NULL)
		step();
}

/* A receive that brought nothing. A reply that the kernel refuses is our own mistake: the caller gets EIO instead. */
static uint64_t failed(int64_t status, uint64_t op, uint64_t *destination)
{
	if (status == KERN_TIMED_OUT || status == KERN_INTERRUPTED)
		return 0;
	if ((op & MSG_SEND_REPLY) == 0 || *destination == MSG_DESTINATION(PORT_NULL, EIO))
		server_panic("receive: status %d", (int)status);
	server_log("reply refused: status %d, op %llx", (int)status, (unsigned long long)op);
	*destination = MSG_DESTINATION(PORT_NULL, EIO);
	return MSG_SEND_REPLY;
}

_Noreturn void server_run(void)
{
	const struct msg_page *page = (const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REQUEST * PAGE_SIZE);
	uint64_t op = 0, destination = 0;

	for (;;) {
		uint64_t deadline = loop.deferred != NULL ? DEADLINE_NOW : loop.deadline;
		int64_t status = trap_msg(op | MSG_RECEIVE, destination, loop.receive, deadline);

		if (status < 0) {
			op = failed(status, op, &destination);
		} else if (page->header.kind == MSG_REQUEST) {
			op = serve(page, &destination);
		} else {
			control(&page->header);
			op = 0;
		}
		run_timer();
		if (loop.deferred != NULL)
			run_deferred();
	}
}
