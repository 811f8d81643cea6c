/*
 * The commit of a domain's transaction: what the server queued is done here, in one trap, before the reply leaves.
 *
 * The operations lie in pages that the server writes; each is read once. What fails is passed over: the server checked what it
 * could, and the request is not to be undone for it. The commit neither waits nor is put off, so that it is one step with
 * regard to the incarnation's death; its length is bounded by COMMIT_OPERATIONS_MAX.
 * Above: message.c. Below: the handlers of the traps, and message.c for answers to parked callers.
 */
#include <kernel/ipc/internal.h>
#include <portico/domain.h>

#define PER_PAGE (PAGE_SIZE / sizeof(struct commit_operation))
#define DATA_PAGES (ENDPOINT_COMMIT_DATA - ENDPOINT_COMMIT) /* index of the first one */
#define ARGUMENT_MAX sizeof(((struct portico_block *)0)->argument)

#define T(name)                                                                                                        \
	int64_t trap_handle_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
COMMIT_TRAPS(T)
#undef T

typedef int64_t trap_handler(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

static trap_handler *const allowed[TRAP_MAX] = {
#define T(name) [TRAP_##name] = trap_handle_##name,
	COMMIT_TRAPS(T)
#undef T
};

/* `size` bytes of the commit data pages at `offset`, all in one page; NULL: there are no such. */
static void *commit_data(const struct thread *self, uint32_t offset, size_t size)
{
	uint64_t at = offset % PAGE_SIZE;

	if (offset / PAGE_SIZE >= COMMIT_DATA_PAGES || offset % 8 != 0 || size > PAGE_SIZE - at)
		return NULL;
	return (char *)self->endpoint->commit[DATA_PAGES + offset / PAGE_SIZE] + at;
}

/* The message lies there as in a send page, so for the time of the send it is the send page. */
static void commit_reply(struct thread *self, const struct commit_operation *op)
{
	uint64_t lengths = op->c & (MSG_RESTART | 0x1ffffu);
	struct msg_page *message = commit_data(self, op->data, MSG_INLINE_OFFSET + MSG_LENGTH_OF(lengths));
	struct msg_page *send = self->endpoint->send;
	struct right *right = space_find(self->task->space, (port_name_t)op->a);
	int64_t status = KERN_INVALID_ARGUMENT;

	if (right == NULL || right->kind != RIGHT_SEND_ONCE)
		return;
	if (message != NULL && MSG_DESCRIPTORS_OF(lengths) <= MSG_DESCRIPTORS_MAX) {
		self->endpoint->send = message;
		status = msg_send_once(self, lengths | MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(op->a, op->b));
		self->endpoint->send = send;
	}
	if (status != KERN_SUCCESS)
		(void)trap_handle_right_release(op->a, 0, 0, 0, 0, 0);
}

static void commit_word(struct thread *self, const struct commit_operation *op)
{
	size_t size = op->size == 4 ? 4 : 8;
	uint64_t old;
	void *word;

	if (op->a % size != 0)
		return;
	word = vm_word(self->task->map, op->a, true);
	if (word == NULL)
		return;
	if (size == 4) {
		uint32_t before = __atomic_load_n((uint32_t *)word, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n((uint32_t *)word, &before, (before & (uint32_t)op->b) | (uint32_t)op->c, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
		return;
	}
	old = __atomic_load_n((uint64_t *)word, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n((uint64_t *)word, &old, (old & op->b) | op->c, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED))
		;
}

/* How many operations are to be left out. A word that cannot be read does not hold. */
static uint64_t commit_if(struct thread *self, const struct commit_operation *op)
{
	uint64_t *word = op->a % 8 == 0 ? vm_word(self->task->map, op->a, false) : NULL;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (word != NULL && (__atomic_load_n(word, __ATOMIC_SEQ_CST) & op->b) == op->c)
		return 0;
	return op->d;
}

static void commit_trap(struct thread *self, const struct commit_operation *op)
{
	trap_handler *handler = op->kind < TRAP_MAX ? allowed[op->kind] : NULL;
	const void *argument;

	if (handler == NULL || op->size > ARGUMENT_MAX)
		return;
	if (op->size > 0) {
		argument = commit_data(self, op->data, op->size);
		if (argument == NULL)
			return;
		__builtin_memcpy(self->endpoint->block->argument, argument, op->size);
	}
	do {
		self->preempted = false;
		(void)handler(op->a, op->b, op->c, op->d, op->e, op->f);
	} while (self->preempted);
}

void commit_operations(struct thread *self, uint64_t count)
{
	struct commit_operation op;

	self->in_commit = true;
	for (uint64_t i = 0; i < count; i++) {
		__builtin_memcpy(&op, (char *)self->endpoint->commit[i / PER_PAGE] + i % PER_PAGE * sizeof(op), sizeof(op));
		switch (op.kind) {
		case COMMIT_REPLY:
			commit_reply(self, &op);
			break;
		case COMMIT_WORD:
			commit_word(self, &op);
			break;
		case COMMIT_IF:
			i += commit_if(self, &op);
			break;
		default:
			commit_trap(self, &op);
		}
	}
	self->in_commit = false;
}
