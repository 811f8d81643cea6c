/*
 * The event loop: receive one message, run its handler as a transaction, commit and receive in one trap.
 *
 * Registrations here are volatile: an incarnation makes them anew when it starts. What the loop must remember (deadline, deferred
 * work) lies in the keep (state.c). The reply is built in a scratch page and copied to the send page at the end, because a
 * handler may call other servers, whose stubs use the send page, while it fills its out parameters.
 * Timer and deferred work are transactions of their own. Not instrumented: it stores nothing to the keep.
 */
#include "transaction.h"

#define NOTIFY_HANDLERS 8
#define INTERFACES 8
#define ORDINALS 256

static struct {
	const struct server_interface *interface[INTERFACES];
	uint8_t kinds[INTERFACES][ORDINALS];    /* enum server_routine_kind by ordinal */
	uint8_t index[SERVER_INTERFACES];       /* by interface number: place in the arrays above, plus 1 */
	unsigned interfaces;
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
} loop;

static struct msg_page out_page;

static const struct msg_page *request_page(void)
{
	return (const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REQUEST * PAGE_SIZE);
}

/* ---- registration ---- */

void server_register(const struct server_interface *interface)
{
	unsigned at = loop.interfaces;

	if (interface->number >= SERVER_INTERFACES || at == INTERFACES)
		server_panic("interface number %u of %s is too high", interface->number, interface->name);
	loop.interface[at] = interface;
	for (unsigned i = 0; i < interface->routine_count; i++) {
		if (interface->routines[i].ordinal >= ORDINALS)
			server_panic("ordinal %u of %s is too high", interface->routines[i].ordinal, interface->name);
		loop.kinds[at][interface->routines[i].ordinal] = interface->routines[i].kind;
	}
	loop.interfaces = at + 1;
	loop.index[interface->number] = (uint8_t)(at + 1);
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
	if (!server_cold())
		return;
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
	return kern_errno(server_trap(TRAP_right_request, name, REQUEST_DEAD_NAME, NAME_SERVICE, cookie, 0, 0));
}

void server_on_timer(void (*handler)(void))
{
	loop.timer = handler;
}

void server_on_deferred(void (*step)(void))
{
	loop.deferred = step;
}

/* ---- one message ---- */

/* Op and destination of the trap that answers a dispatched request. */
static uint64_t answer(const struct server_call *call, int64_t result, uint64_t *destination)
{
	struct msg_page *send = client_send_page();

	if (result == SERVER_PARKED || call->request == 0)
		return 0;
	*destination = MSG_DESTINATION(PORT_NULL, 0);
	if (result == SERVER_RESTART)
		return MSG_SEND_REPLY | server_put_restart(send);
	if (result != 0) {
		*destination = MSG_DESTINATION(PORT_NULL, result);
		return MSG_SEND_REPLY;
	}
	for (uint32_t i = 0; i < call->reply_descriptors; i++)
		send->descriptor[i] = call->out->descriptor[i];
	memcpy(send->data, call->out->data, call->reply_length);
	return MSG_SEND_REPLY | MSG_LENGTH(call->reply_length, call->reply_descriptors);
}

/* What came with the descriptors in `mask` goes. */
static void release(const struct msg_page *page, uint32_t mask)
{
	for (; mask != 0; mask &= mask - 1) {
		const struct msg_descriptor *d = &page->descriptor[__builtin_ctz(mask)];

		if (d->type == MSG_DESC_PORT)
			server_release_right(d->name);
		else if (d->type == MSG_DESC_REGION)
			server_release_region(d->address, d->size);
	}
}

/* The same as part of the commit, behind its operations; or in the order of what has spilled. */
static uint64_t releases(const struct server_call *call)
{
	if (call->release == 0)
		return 0;
	if (!effects_spilled())
		return MSG_RELEASES(call->release);
	release(call->in, call->release);
	return 0;
}

/* A message for no interface of ours: everything that came with it goes. */
static int64_t reject(const struct server_call *call)
{
	release(call->in, (UINT32_C(1) << call->in_descriptors) - 1);
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
	unsigned at = number < SERVER_INTERFACES ? loop.index[number] : 0;

	uint64_t op = answer(&call, at != 0 ? loop.interface[at - 1]->dispatch(&call) : reject(&call), destination);

	return op | releases(&call);
}

static bool is_query(const struct msg_page *page)
{
	uint32_t number = MSG_INTERFACE(page->header.ordinal), routine = MSG_ROUTINE(page->header.ordinal);
	unsigned at = number < SERVER_INTERFACES ? loop.index[number] : 0;

	return page->header.kind == MSG_REQUEST && at != 0 && routine < ORDINALS &&
	       loop.kinds[at - 1][routine] == SERVER_QUERY;
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

/* ---- transactions ---- */

static uint64_t run(enum transaction_kind kind, uint64_t *destination)
{
	const struct msg_page *page = request_page();

	switch (kind) {
	case TRANSACTION_MESSAGE:
		if (page->header.kind == MSG_REQUEST)
			return serve(page, destination);
		control(&page->header);
		return 0;
	case TRANSACTION_TIMER:
		state_clear_deadline();
		loop.timer();
		return 0;
	case TRANSACTION_DEFERRED:
		state_clear_deferred();
		loop.deferred();
		return 0;
	case TRANSACTION_SPILL:
		effects_take_spilled();
		return 0;
	default:
		return 0;
	}
}

/* The transaction is rolled back and its results are known: an error is all that is left of it. */
static uint64_t give_up(enum transaction_kind kind, uint64_t *destination)
{
	const struct msg_page *page = request_page();

	results_give_up();
	if (kind == TRANSACTION_TIMER)
		state_postpone_deadline();
	if (kind == TRANSACTION_DEFERRED)
		state_clear_deferred();
	if (kind != TRANSACTION_MESSAGE || page->header.kind != MSG_REQUEST)
		return 0;
	struct server_call call = {.in = page, .in_descriptors = page->header.descriptors};
	(void)reject(&call);
	*destination = MSG_DESTINATION(PORT_NULL, LOG->give_up);
	return page->header.request != 0 ? MSG_SEND_REPLY : 0;
}

static uint64_t message(uint64_t *destination)
{
	if (is_query(request_page()))
		transaction_query();
	else
		transaction_begin(TRANSACTION_MESSAGE);
	return run(TRANSACTION_MESSAGE, destination);
}

/* What the incarnation before left: to be executed again, given up, or begun. */
static uint64_t resume(uint64_t *destination)
{
	enum transaction_kind kind = transaction_recover();

	if (kind != TRANSACTION_NONE) {
		if (LOG->give_up != 0)
			return give_up(kind, destination);
		uint64_t op = run(kind, destination);
		if (results_replaying() && !results_forget_rest())
			transaction_abandon(EIO, "the request asked for less than before");
		return op;
	}
	if (counters()->held == 0)
		return 0;
	if ((server_start_flags & SERVER_START_GIVE_UP) == 0)
		return message(destination);
	transaction_begin(TRANSACTION_MESSAGE);
	LOG->give_up = EIO;
	return give_up(TRANSACTION_MESSAGE, destination);
}

static int64_t commit(uint64_t op, uint64_t destination, port_name_t from, uint64_t deadline)
{
	uint64_t count = effects_count();

	kill_point(KILL_COMMIT);
	if (count == 0)
		return trap_msg(op | MSG_RECEIVE, destination, from, deadline);
	return trap5(TRAP_msg, op | MSG_RECEIVE | MSG_COMMIT, destination, from, deadline, count);
}

/* Transactions that no message asks for, in the order in which they come before the next message. */
static enum transaction_kind due(void)
{
	const struct server_state *state = server_state();

	if (state->spilled != NULL)
		return TRANSACTION_SPILL;
	if (state->deadline != DEADLINE_NEVER && server_time() >= state->deadline)
		return TRANSACTION_TIMER;
	return state->deferred ? TRANSACTION_DEFERRED : TRANSACTION_NONE;
}

static void expect_nothing(int64_t status)
{
	if (status != KERN_TIMED_OUT)
		server_panic("commit: status %d", (int)status);
}

/* Sends what `op` says, receives, and runs what comes: what is to be sent next. */
static inline __attribute__((always_inline)) uint64_t next(uint64_t op, uint64_t *destination)
{
	const struct server_state *state = server_state();
	enum transaction_kind kind = due();

	if (kind != TRANSACTION_NONE) {
		expect_nothing(commit(op, *destination, state->nothing, DEADLINE_NOW));
		kill_points_committed();
		kill_points_begin();
		transaction_begin(kind);
		return run(kind, destination);
	}
	int64_t status = commit(op, *destination, state->receive, state->deadline);
	kill_points_committed();
	kill_points_begin();
	kill_point(KILL_RECEIVED);
	if (status == KERN_SUCCESS)
		return message(destination);
	if (status != KERN_TIMED_OUT && status != KERN_INTERRUPTED)
		server_panic("receive: status %d", (int)status);
	transaction_idle();
	return 0;
}

_Noreturn void server_run(void)
{
	uint64_t op = 0, destination = 0;

	if (server_cold())
		state_initialise();
	else
		op = resume(&destination);
	/* Until the first answer, so that those after it cost nothing: root looks at how long nobody was served. */
	LOG->ready = server_time();
	while ((op & MSG_SEND_REPLY) == 0)
		op = next(op, &destination);
	LOG->answered = server_time();
	for (;;)
		op = next(op, &destination);
}
