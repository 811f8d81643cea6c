/*
 * The result log: what a transaction got from outside, in the order in which it got it, and the answers from it when the
 * transaction is executed again. Not instrumented.
 *
 * An operation of the kernel or a call is published before it is made. After a crash the kernel's counters tell whether it was
 * made; what it brought is then taken from the control block or the call-reply page, before anything can overwrite it.
 */
#include "transaction.h"
#include <portico/keep.h>

SERVER_LOG_TYPE(result);

static struct {
	uint64_t at;       /* next entry to be handed out; results_end when the log has ended */
	bool outstanding;  /* the last entry is a call that has left and has no answer yet */
} replay;

struct client_pages client_pages = {
	.send = (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE),
	.reply = (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REPLY * PAGE_SIZE),
};
static struct msg_page scratch_send, scratch_reply;

static struct msg_page *real_send(void)
{
	return (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE);
}

static struct msg_page *real_reply(void)
{
	return (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REPLY * PAGE_SIZE);
}

static size_t entry_size(size_t length)
{
	return (sizeof(struct result) + length + 15) & ~(size_t)15;
}

static void publish(enum kill_step step)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	kill_point(step);
}

/* While the log answers, stubs use pages of their own: the endpoint's may hold a call that is under way. */
static void replay_until(uint64_t at)
{
	replay.at = at;
	bool over = at == LOG->results_end && !replay.outstanding;
	client_pages.send = over ? real_send() : &scratch_send;
	client_pages.reply = over ? real_reply() : &scratch_reply;
}

void results_begin(void)
{
	LOG->results_end = RESULTS_START;
	LOG->results_last = 0;
	replay.at = RESULTS_START;
	client_pages.send = real_send();
	client_pages.reply = real_reply();
}

bool results_replaying(void)
{
	return replay.at != LOG->results_end;
}

bool results_call_outstanding(void)
{
	return counters()->sent != counters()->received;
}

bool results_forget_rest(void)
{
	for (uint64_t at = replay.at; at < LOG->results_end; at += ((const struct result *)at)->size) {
		const struct result *entry = (const struct result *)at;

		if (entry->kind != RESULT_SAMPLE && entry->kind != RESULT_WINDOW)
			return false;
	}
	LOG->results_end = replay.at;
	publish(KILL_RESULT_FORGOTTEN);
	replay_until(LOG->results_end);
	return true;
}

struct result *results_next(enum result_kind kind, uint32_t number, uint64_t digest)
{
	struct result *entry = (struct result *)replay.at;

	if (__builtin_expect(replay.at == LOG->results_end, 1))
		return NULL;
	if (entry->kind != kind || entry->number != number || entry->digest != digest) {
		if (results_forget_rest())
			return NULL;
		transaction_abandon(EIO, "the request was not executed as before");
	}
	if (entry->done || kind != RESULT_CALL)
		replay_until(replay.at + entry->size);
	return entry;
}

struct result *results_append(enum result_kind kind, uint32_t number, uint64_t digest, size_t length, bool done)
{
	struct result *entry = (struct result *)LOG->results_end;
	size_t size = entry_size(length);

	if ((uint64_t)entry + size > RESULTS_LIMIT - PAGE_SIZE)
		transaction_abandon(ENOMEM, "the result log is full");
	entry->size = (uint32_t)size;
	entry->kind = (uint16_t)kind;
	entry->done = done;
	entry->number = number;
	entry->length = (uint32_t)length;
	entry->digest = digest;
	/* What tells, after a crash, whether it was made. A call that was refused has not left. */
	entry->argument[RESULT_BEFORE] = kind == RESULT_OPERATION ? counters()->operations : counters()->sent;
	LOG->results_last = (uint64_t)entry;
	publish(KILL_RESULT_LAST);
	LOG->results_end = (uint64_t)entry + size;
	publish(KILL_RESULT_DONE);
	replay.at = LOG->results_end;
	return entry;
}

/* ---- operations of the kernel ---- */

static uint64_t mix(uint64_t digest, uint64_t word)
{
	return (digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

int64_t server_trap(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	if (results_mode == ENGINE_COLD) {
		kill_point(KILL_COLD);
		int64_t made = trap6(number, a, b, c, d, e, f);
		kill_point(KILL_COLD_DONE);
		return made;
	}
	if (results_mode == ENGINE_QUERY)
		server_panic("query %x made trap %u", (unsigned)transaction_ordinal(), (unsigned)number);
	uint64_t digest = mix(mix(mix(mix(mix(mix(number, a), b), c), d), e), f);
	struct result *entry = results_next(RESULT_OPERATION, (uint32_t)number, digest);
	if (entry != NULL)
		return entry->value;
	entry = results_append(RESULT_OPERATION, (uint32_t)number, digest, 0, false);
	entry->argument[0] = a;
	entry->argument[1] = b;
	entry->argument[2] = c;
	int64_t value = trap6(number | TRAP_COUNTED, a, b, c, d, e, f);
	publish(KILL_OPERATION);
	entry->value = value;
	publish(KILL_OPERATION_VALUE);
	entry->done = true;
	publish(KILL_OPERATION_DONE);
	return entry->value;
}

/* ---- values ---- */

void server_sample(void *value, size_t size)
{
	if (results_mode != ENGINE_TRANSACTION)
		return;
	struct result *entry = results_next(RESULT_SAMPLE, 0, size);
	if (entry != NULL) {
		undo_range(value, size);
		server_copy_plain(value, entry->bytes, size);
		return;
	}
	/* The bytes first: the entry is whole when it is published. */
	entry = (struct result *)LOG->results_end;
	if ((uint64_t)entry + entry_size(size) > RESULTS_LIMIT - PAGE_SIZE)
		transaction_abandon(ENOMEM, "the result log is full");
	server_copy_plain(entry->bytes, value, size);
	(void)results_append(RESULT_SAMPLE, 0, size, size, true);
}

int64_t server_trap_results(uint64_t number, uint64_t a, uint64_t b, void *results, size_t size)
{
	struct {
		int64_t status;
		uint8_t bytes[sizeof(server_block()->result) + sizeof(server_block()->argument)];
	} found;

	if (size > sizeof(found.bytes))
		server_panic("too many results");
	if (results_mode != ENGINE_TRANSACTION || !results_replaying()) {
		found.status = trap2(number, a, b);
		server_copy_plain(found.bytes, (const uint8_t *)server_block() + offsetof(struct portico_block, result), size);
	}
	server_sample(&found, sizeof(found.status) + size);
	undo_range(results, size);
	server_copy_plain(results, found.bytes, size);
	return found.status;
}

/* ---- windows ---- */

int64_t results_window(uint64_t digest, int64_t status, bool must_match, uint64_t *address, uint64_t *access)
{
	if (results_mode != ENGINE_TRANSACTION)
		return status;
	struct result *entry = results_next(RESULT_WINDOW, 0, digest);
	if (entry != NULL && entry->value != status && !results_replaying()) { /* nothing was made of it yet: it is as it is now */
		LOG->results_end = replay.at = (uint64_t)entry;
		entry = NULL;
	}
	if (entry == NULL) {
		entry = (struct result *)LOG->results_end;
		entry->value = status;
		entry->argument[0] = *address;
		entry->argument[1] = *access;
		(void)results_append(RESULT_WINDOW, 0, digest, 0, true);
		return status;
	}
	*address = entry->argument[0];
	*access = entry->argument[1];
	/* What the caller sent cannot be had any more: it was killed. */
	if (must_match && entry->value >= 0 && status != entry->value)
		transaction_abandon(EIO, "the caller's memory is gone");
	return entry->value;
}

/* ---- calls ---- */

static uint64_t digest_of(uint64_t op, port_name_t to, uint32_t ordinal, const struct msg_page *page)
{
	uint64_t digest = mix(mix(ordinal, to), op & 0x1ffffu);
	const uint64_t *words = (const uint64_t *)page->data;

	for (uint32_t i = 0; i < MSG_DESCRIPTORS_OF(op); i++)
		digest = mix(mix(digest, page->descriptor[i].name), page->descriptor[i].badge);
	for (uint32_t i = 0; i < MSG_LENGTH_OF(op) / 8; i++)
		digest = mix(digest, words[i]);
	for (uint32_t i = MSG_LENGTH_OF(op) & ~7u; i < MSG_LENGTH_OF(op); i++)
		digest = mix(digest, page->data[i]);
	return digest;
}

/* The answer is in the call-reply page. The entry is the last: it can grow. */
static void call_answered(struct result *entry, int64_t status)
{
	const struct msg_page *page = real_reply();
	uint32_t length = page->header.length, descriptors = page->header.descriptors;
	size_t place = descriptors * sizeof(struct msg_descriptor);

	if (status != KERN_SUCCESS)
		length = descriptors = 0, place = 0;
	entry->value = status;
	entry->argument[0] = length;
	entry->argument[1] = descriptors;
	entry->argument[2] = page->header.ordinal;
	server_copy_plain(entry->bytes, page->descriptor, place);
	server_copy_plain(entry->bytes + place, page->data, length);
	entry->length = (uint32_t)(place + length);
	entry->size = (uint32_t)entry_size(entry->length);
	publish(KILL_ANSWER);
	LOG->results_end = (uint64_t)entry + entry->size;
	publish(KILL_ANSWER_END);
	entry->done = true;
	publish(KILL_ANSWER_DONE);
}

static int64_t call_replayed(const struct result *entry)
{
	struct msg_page *page = &scratch_reply;
	uint32_t length = (uint32_t)entry->argument[0], descriptors = (uint32_t)entry->argument[1];
	size_t place = descriptors * sizeof(struct msg_descriptor);

	page->header = (struct msg_header){.length = length, .descriptors = (uint16_t)descriptors, .kind = MSG_REPLY};
	page->header.ordinal = (uint32_t)entry->argument[2];
	server_copy_plain(page->descriptor, entry->bytes, place);
	server_copy_plain(page->data, entry->bytes + place, length);
	client_pages.reply = page; /* the stub looks there, even if this was the last entry */
	return entry->value;
}

static int64_t call_now(struct result *entry, uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	client_pages.reply = real_reply();
	int64_t status = trap_msg(op | MSG_CALL, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
	publish(KILL_CALL);
	call_answered(entry, status);
	replay.at = LOG->results_end;
	return status;
}

static int64_t await_answer(struct result *entry)
{
	int64_t status = trap_msg(MSG_AWAIT, 0, PORT_NULL, DEADLINE_NEVER);

	call_answered(entry, status);
	replay.outstanding = false;
	return status;
}

/* The marshalled request lies in the send page: an end before the trap is one before it was marshalled. */
static int64_t call_cold(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	int64_t status = trap_msg(op | MSG_CALL, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);

	kill_point(KILL_COLD_CALL);
	return status;
}

int64_t client_call(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	if (results_mode == ENGINE_COLD)
		return call_cold(op, to, ordinal, deadline);
	if (results_mode == ENGINE_QUERY)
		server_panic("query %x called %x", (unsigned)transaction_ordinal(), (unsigned)ordinal);
	uint64_t digest = digest_of(op, to, ordinal, client_pages.send);
	struct result *entry = results_next(RESULT_CALL, ordinal, digest);
	if (entry == NULL) {
		entry = results_append(RESULT_CALL, ordinal, digest, 0, false);
		return call_now(entry, op, to, ordinal, deadline);
	}
	if (!entry->done) {
		(void)await_answer(entry);
		replay_until(LOG->results_end);
	}
	int64_t status = call_replayed(entry);
	return status;
}

/* One-way messages would be seen at once: nobody sends any today. */
int64_t client_send(uint64_t op, port_name_t to, uint32_t ordinal, uint64_t deadline)
{
	if (results_mode != ENGINE_COLD)
		server_panic("a one-way message in a transaction");
	return trap_msg(op | MSG_SEND, MSG_DESTINATION(to, ordinal), PORT_NULL, deadline);
}

/* ---- after a crash ---- */

static void drop(struct result *entry)
{
	LOG->results_end = (uint64_t)entry;
	LOG->results_last = 0;
}

/* The entry that was published and not done: was it made? */
static void settle_last(struct result *entry)
{
	uint64_t before = entry->argument[RESULT_BEFORE];

	if (entry->kind == RESULT_OPERATION) {
		if (counters()->operations == before) {
			drop(entry);
			return;
		}
		entry->value = counters()->operation_result;
		publish(KILL_SETTLE_VALUE);
		entry->done = true;
		return;
	}
	/* Its answer may have been half copied: back to the bare entry. */
	entry->size = (uint32_t)entry_size(0);
	LOG->results_end = (uint64_t)entry + entry->size;
	if (counters()->sent == before)
		drop(entry);
	else if (counters()->received != counters()->sent)
		replay.outstanding = true;
	else
		call_answered(entry, counters()->call_status);
}

/* The name under which an execution before this one parked the request, 0 if none did. */
port_name_t results_parked(void)
{
	for (uint64_t at = replay.at; at < LOG->results_end; at += ((const struct result *)at)->size) {
		const struct result *entry = (const struct result *)at;

		if (entry->kind == RESULT_OPERATION && entry->number == TRAP_reply_park && entry->done && entry->value > 0)
			return (port_name_t)entry->value;
	}
	return PORT_NULL;
}

void results_recover(void)
{
	struct result *last = (struct result *)LOG->results_last;

	publish(KILL_SETTLE);
	if (last != NULL && (uint64_t)last < LOG->results_end && !last->done)
		settle_last(last);
	publish(KILL_SETTLED);
	replay_until(RESULTS_START);
}

/* ---- giving up ---- */

static void release(uint64_t name)
{
	server_queue(TRAP_right_release, name, 0, 0, 0, 0, 0);
}

static void undo_operation(const struct result *entry)
{
	if (entry->value < 0)
		return;
	switch (entry->number) {
	case TRAP_task_create:
	case TRAP_task_duplicate:
		server_queue(TRAP_task_terminate, (uint64_t)entry->value, 0, 0, 0, 0, 0);
		release((uint64_t)entry->value);
		break;
	case TRAP_domain_create:
	case TRAP_machine_interrupt:
	case TRAP_machine_ioports:
	case TRAP_machine_physical:
	case TRAP_port_create:
	case TRAP_portset_create:
	case TRAP_right_make:
	case TRAP_right_copy:
	case TRAP_right_extract:
	case TRAP_object_create:
	case TRAP_object_clone:
	case TRAP_space_create:
	case TRAP_thread_create:
	case TRAP_timer_create:
	case TRAP_ledger_create:
		release((uint64_t)entry->value);
		break;
	case TRAP_task_suspend:
		server_queue(TRAP_task_resume, entry->argument[0], 0, 0, 0, 0, 0);
		break;
	case TRAP_reply_park:
		effects_reply((port_name_t)entry->value, 0, LOG->give_up);
		break;
	case TRAP_vm_map:
		if (entry->argument[0] == TASK_SELF)
			server_queue(TRAP_vm_unmap, TASK_SELF, (uint64_t)entry->value, entry->argument[2], 0, 0, 0);
		break;
	default:
		break;
	}
}

/* Rights that came with an answer. */
static void undo_call(const struct result *entry)
{
	const struct msg_descriptor *d = (const struct msg_descriptor *)(const void *)entry->bytes;

	for (uint64_t i = 0; i < entry->argument[1]; i++)
		if (d[i].type == MSG_DESC_PORT && d[i].name != PORT_NULL)
			release(d[i].name);
}

void results_give_up(void)
{
	if (replay.outstanding)
		(void)await_answer((struct result *)LOG->results_last);
	for (uint64_t at = RESULTS_START; at < LOG->results_end; at += ((const struct result *)at)->size) {
		const struct result *entry = (const struct result *)at;

		if (entry->kind == RESULT_OPERATION)
			undo_operation(entry);
		else if (entry->kind == RESULT_CALL)
			undo_call(entry);
	}
	replay_until(LOG->results_end);
}
