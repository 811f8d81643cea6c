/*
 * What a transaction does that others can see, or that cannot be taken back: queued in the commit pages, done by the commit trap.
 *
 * The pages belong to the endpoint and are emptied when a transaction begins or is executed again. What does not fit spills into the
 * keep, as a part of the transaction, and is done by transactions of its own before the next message is received. Not instrumented,
 * but for the spilled part (spill.c).
 */
#include "transaction.h"

#define OPERATIONS ((struct commit_operation *)(SERVER_ENDPOINT + ENDPOINT_COMMIT * PAGE_SIZE))
#define DATA (SERVER_ENDPOINT + ENDPOINT_COMMIT_DATA * PAGE_SIZE)
#define DATA_SIZE (COMMIT_DATA_PAGES * PAGE_SIZE)

static struct {
	uint64_t count;
	uint64_t data; /* offset of the first free byte of the data pages */
} queue;

static struct msg_page reply_page; /* where an answer to a parked caller is built */

void effects_begin(void)
{
	queue.count = queue.data = 0;
}

uint64_t effects_count(void)
{
	return queue.count;
}

/* `size` bytes in one page; false: there is no room. */
static bool data_allocate(size_t size, uint64_t *offset)
{
	uint64_t at = queue.data;

	if (at % PAGE_SIZE + size > PAGE_SIZE)
		at = (at + PAGE_SIZE - 1) & -PAGE_SIZE;
	if (at + size > DATA_SIZE)
		return false;
	*offset = at;
	queue.data = (at + size + 63) & ~UINT64_C(63);
	return true;
}

bool effects_add(const struct effect *effect, const void *data, const struct msg_page *message)
{
	struct commit_operation *op = &OPERATIONS[queue.count];
	size_t descriptors = MSG_DESCRIPTORS_OF(effect->c) * sizeof(struct msg_descriptor);
	size_t length = MSG_LENGTH_OF(effect->c);
	uint64_t offset = 0;

	if (queue.count == COMMIT_OPERATIONS_MAX)
		return false;
	if (message != NULL) {
		if (!data_allocate(MSG_INLINE_OFFSET + ((length + 7) & ~(size_t)7), &offset))
			return false;
		server_copy_plain((void *)(DATA + offset + MSG_DESCRIPTORS_OFFSET), message->descriptor, descriptors);
		server_copy_plain((void *)(DATA + offset + MSG_INLINE_OFFSET), message->data, length);
	} else if (effect->size > 0 && data != NULL) {
		if (!data_allocate(effect->size, &offset))
			return false;
		server_copy_plain((void *)(DATA + offset), data, effect->size);
	}
	op->kind = effect->kind;
	op->size = effect->size;
	op->data = (uint32_t)offset;
	op->a = effect->a;
	op->b = effect->b;
	op->c = effect->c;
	op->d = effect->d;
	op->e = effect->e;
	op->f = effect->f;
	kill_point(KILL_EFFECT);
	queue.count++;
	return true;
}

/* Once something has spilled, what comes later does too: order is kept. */
static void add(const struct effect *effect, const void *data, const struct msg_page *message)
{
	if (effects_spilled() || !effects_add(effect, data, message))
		effects_spill(effect, data, message);
}

void server_queue(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct effect effect = {.kind = (uint16_t)number, .a = a, .b = b, .c = c, .d = d, .e = e, .f = f};

	if (engine_mode == ENGINE_COLD)
		(void)trap6(number, a, b, c, d, e, f);
	else
		add(&effect, NULL, NULL);
}

void server_queue_with(uint64_t number, uint64_t a, uint64_t b, const void *argument, size_t size)
{
	struct effect effect = {.kind = (uint16_t)number, .size = (uint16_t)size, .a = a, .b = b};

	if (engine_mode == ENGINE_COLD) {
		server_copy_plain(server_block()->argument, argument, size);
		(void)trap2(number, a, b);
	} else {
		add(&effect, argument, NULL);
	}
}

void server_queue_word64(volatile uint64_t *word, uint64_t keep, uint64_t set)
{
	struct effect effect = {.kind = COMMIT_WORD, .size = 8, .a = (uint64_t)word, .b = keep, .c = set};

	if (engine_mode == ENGINE_COLD)
		__atomic_store_n(word, (*word & keep) | set, __ATOMIC_SEQ_CST);
	else
		add(&effect, NULL, NULL);
}

void server_queue_word32(volatile uint32_t *word, uint32_t keep, uint32_t set)
{
	struct effect effect = {.kind = COMMIT_WORD, .size = 4, .a = (uint64_t)word, .b = keep, .c = set};

	if (engine_mode == ENGINE_COLD)
		__atomic_store_n(word, (*word & keep) | set, __ATOMIC_SEQ_CST);
	else
		add(&effect, NULL, NULL);
}

/* Conditions and what hangs on them must be in one commit. */
void server_queue_if(const volatile uint64_t *word, uint64_t mask, uint64_t value, unsigned skip)
{
	struct effect effect = {.kind = COMMIT_IF, .a = (uint64_t)word, .b = mask, .c = value, .d = skip};

	if (engine_mode == ENGINE_COLD)
		server_panic("a condition outside of a transaction");
	if (queue.count + skip + 8 > COMMIT_OPERATIONS_MAX && !effects_spilled())
		effects_start_spilling();
	add(&effect, NULL, NULL);
}

/* ---- answers to parked callers ---- */

struct msg_page *server_send_page(void)
{
	return &reply_page;
}

void effects_reply(port_name_t name, uint64_t op, int error)
{
	struct effect effect = {.kind = COMMIT_REPLY, .a = name, .b = (uint64_t)error, .c = op};

	if (engine_mode == ENGINE_COLD)
		server_panic("an answer outside of a transaction");
	add(&effect, NULL, &reply_page);
}
