/* The simulated kernel. See machine.h. Above: explore.c, which starts incarnations. Runs in the incarnation's process.
 */
#include "machine.h"
#include "../../../../libserver/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEEP_BYTES ((size_t)1 << 20)
#define MAPPINGS_BYTES ((size_t)1 << 22)
#define ENDPOINT_BYTES (ENDPOINT_DOMAIN_PAGES * PAGE_SIZE)
#define FIRST_NAME 0x100u

struct machine *machine;
void (*machine_moment)(void);
volatile bool machine_busy;
const struct script *machine_script;
uint64_t machine_start_flags;
uint64_t server_start_flags;
char server_name[17] = "victim";
const char server_layout[] = "00000000000000000000000000000000000000000000000000000000000000000000000000000000";

struct area machine_area[] = {
        {NULL, sizeof(struct machine)},
        {(void *)SERVER_KEEP, 52 * 1024},
        {(void *)SERVER_LOG, 96 * 1024},
        {(void *)(SERVER_LOG + SERVER_LOG_SIZE / 4 * 3), 32 * 1024},
        {(void *)SERVER_ENDPOINT, ENDPOINT_BYTES},
        {(void *)SERVER_MAPPINGS, 4096},
};
const size_t machine_areas = sizeof(machine_area) / sizeof(machine_area[0]);

static struct portico_block *block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

static struct msg_page *page(unsigned number)
{
	return (struct msg_page *)(SERVER_ENDPOINT + number * PAGE_SIZE);
}

/* ---- memory that survives ---- */

static void *map(uint64_t address, size_t size)
{
	void *p = mmap((void *)address, size, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | (address != 0 ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	if (p == MAP_FAILED || (address != 0 && p != (void *)address)) {
		perror("mmap");
		abort();
	}
	return p;
}

void machine_map(void)
{
	if (machine != NULL)
		return;
	machine = map(0, sizeof(*machine));
	machine_area[0].start = machine;
	map(SERVER_KEEP, KEEP_BYTES);
	map(SERVER_LOG, SERVER_LOG_SIZE);
	map(SERVER_ENDPOINT, ENDPOINT_BYTES);
	map(SERVER_MAPPINGS, MAPPINGS_BYTES);
	memcpy(map(SERVER_STORE_MAP, PAGE_SIZE), server_store_map, sizeof(server_store_map));
}

static void empty(uint64_t address, size_t size)
{
	if (madvise((void *)address, size, MADV_REMOVE) != 0)
		abort();
}

void machine_reset(void)
{
	empty(SERVER_KEEP, KEEP_BYTES);
	empty(SERVER_LOG, SERVER_LOG_SIZE);
	empty(SERVER_ENDPOINT, ENDPOINT_BYTES);
	empty(SERVER_MAPPINGS, MAPPINGS_BYTES);
	empty((uint64_t)machine, (sizeof(*machine) + PAGE_SIZE - 1) & -PAGE_SIZE);
	machine->now = 1000;
	for (size_t i = 0; i < sizeof(machine->client); i++)
		machine->client[i] = (uint8_t)(i * 7);
}

void machine_publish(void)
{
	block()->counters = machine->counters;
}

void *keep_segment(void)
{
	return (void *)SERVER_KEEP;
}

bool keep_segment_grow(size_t granted, size_t end)
{
	(void)granted;
	return end <= KEEP_BYTES;
}

/* ---- the journal, and names ---- */

static void note(enum journal_kind kind, const uint64_t *words, size_t count)
{
	if (machine->journal_end + count + 1 > JOURNAL) {
		fprintf(stderr, "the journal is full\n");
		abort();
	}
	machine->journal[machine->journal_end++] = (uint64_t)kind << 32 | count;
	for (size_t i = 0; i < count; i++)
		machine->journal[machine->journal_end++] = words[i];
}

static port_name_t give(enum right_kind kind)
{
	if (machine->names == NAMES)
		abort();
	machine->name[machine->names] = (uint8_t)kind;
	return FIRST_NAME + machine->names++;
}

static bool given(uint64_t name)
{
	return name >= FIRST_NAME && name < FIRST_NAME + machine->names && machine->name[name - FIRST_NAME] != 0;
}

uint64_t machine_fleeting(void)
{
	return FLEETING << 32 | ++machine->fleeting;
}

/* Time passes by the script only: it is the same in each execution. */
uint64_t server_time(void)
{
	return machine->now;
}

uint64_t clock_read(int64_t *realtime_offset)
{
	*realtime_offset = 0;
	return machine_fleeting();
}

/* ---- calls to the other server ---- */

void machine_answer(void)
{
	const struct msg_page *sent = page(ENDPOINT_SEND);
	struct msg_page *reply = page(ENDPOINT_REPLY);
	const uint64_t *in = (const uint64_t *)sent->data;
	uint64_t *out = (uint64_t *)reply->data;
	uint64_t words[] = {machine->pending_ordinal, in[0], in[1]};

	/* The message is taken from the page only now. */
	note(JOURNAL_CALL, words, 3);
	machine->pending = false;
	machine->peer_calls++;
	reply->header = (struct msg_header){.kind = MSG_REPLY, .length = 16};
	out[0] = machine->peer_calls;
	out[1] = in[0] + in[1];
	if (machine->pending_ordinal == PEER_RIGHT) {
		reply->header.descriptors = 1;
		reply->descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT, .name = give(RIGHT_SEND)};
	} else if (machine->pending_ordinal == PEER_FAIL) {
		reply->header = (struct msg_header){.kind = MSG_REPLY, .ordinal = 1};
	}
	machine->counters.received++;
	machine->counters.call_status = KERN_SUCCESS;
	machine_publish();
}

static int64_t call(uint64_t op, uint64_t destination)
{
	if (machine->pending)
		return KERN_BUSY;
	if ((port_name_t)destination != PEER)
		return KERN_DEAD;
	machine->pending = true;
	machine->pending_op = op;
	machine->pending_ordinal = destination >> 32;
	machine->counters.sent++;
	machine_publish();
	machine_moment();
	machine_answer();
	machine_moment();
	return KERN_SUCCESS;
}

static int64_t await_answer(void)
{
	if (machine->pending)
		machine_answer();
	return machine->counters.call_status;
}

/* ---- the commit ---- */

static void reply(uint64_t request, uint64_t lengths, uint64_t error, const struct msg_page *message)
{
	const uint64_t *data = (const uint64_t *)message->data;
	uint64_t words[3 + WORDS * 2 + 1] = {request, error, lengths & 0x1ffff};
	size_t count = 3;

	for (size_t i = 0; error == 0 && i < MSG_LENGTH_OF(lengths) / 8 && i < WORDS * 2; i++)
		words[count++] = data[i];
	if (error == 0 && MSG_DESCRIPTORS_OF(lengths) != 0)
		words[count++] = message->descriptor[0].name;
	note(JOURNAL_REPLY, words, count);
}

static void release(uint64_t name)
{
	if (given(name) && machine->name[name - FIRST_NAME] == RIGHT_SEND_ONCE)
		note(JOURNAL_LOST, &machine->request_of[name - FIRST_NAME], 1);
	if (given(name))
		machine->name[name - FIRST_NAME] = 0;
}

/* An operation that others see. Releasing what is not there is seen, too. */
static void effect(const struct commit_operation *op)
{
	uint64_t words[] = {op->kind, op->a, op->b, op->c, op->d, 0};

	if (op->size != 0)
		words[5] = *(const uint64_t *)(SERVER_ENDPOINT + ENDPOINT_COMMIT_DATA * PAGE_SIZE + op->data);
	note(JOURNAL_EFFECT, words, 6);
	if (op->kind == TRAP_right_release)
		release(op->a);
}

static void store_word(const struct commit_operation *op)
{
	if (op->size == 4)
		*(uint32_t *)op->a = (*(uint32_t *)op->a & (uint32_t)op->b) | (uint32_t)op->c;
	else
		*(uint64_t *)op->a = (*(uint64_t *)op->a & op->b) | op->c;
	uint64_t words[] = {op->a, op->c};
	note(JOURNAL_WORD, words, 2);
}

static void commit_operation(const struct commit_operation *op, uint64_t *skip)
{
	switch (op->kind) {
	case COMMIT_REPLY:
		if (given(op->a) && machine->name[op->a - FIRST_NAME] == RIGHT_SEND_ONCE) {
			machine->name[op->a - FIRST_NAME] = 0;
			reply(machine->request_of[op->a - FIRST_NAME], op->c, op->b,
			      (const void *)(SERVER_ENDPOINT + ENDPOINT_COMMIT_DATA * PAGE_SIZE + op->data));
		}
		break;
	case COMMIT_WORD:
		store_word(op);
		break;
	case COMMIT_IF:
		*skip = (*(uint64_t *)op->a & op->b) == op->c ? 0 : op->d;
		break;
	default:
		effect(op);
	}
}

static void commit(uint64_t op, uint64_t destination, uint64_t count)
{
	const struct commit_operation *operation = (const void *)(SERVER_ENDPOINT + ENDPOINT_COMMIT * PAGE_SIZE);

	for (uint64_t i = 0; (op & MSG_COMMIT) != 0 && i < count; i++) {
		uint64_t skip = 0;

		commit_operation(&operation[i], &skip);
		i += skip;
	}
	if (machine->caller != 0 && (op & MSG_RESTART) != 0 && (op & MSG_SEND_REPLY) != 0)
		machine->next--, machine->requests--; /* the caller repeats it */
	else if (machine->caller != 0 && (op & MSG_SEND_REPLY) != 0)
		reply(machine->caller, op, destination >> 32, page(ENDPOINT_SEND));
	else if (machine->caller != 0)
		note(JOURNAL_LOST, &machine->caller, 1);
	machine->caller = 0;
	machine->counters.commits++;
	machine->counters.held = 0;
	machine_publish();
	machine_moment();
}

/* ---- messages from the script ---- */

static void deliver(const struct script *s)
{
	struct msg_page *request = page(ENDPOINT_REQUEST);

	request->header = (struct msg_header){
	        .kind = (uint16_t)s->kind,
	        .ordinal = s->ordinal,
	        .badge = s->badge,
	        .word = s->word,
	        .port = NAME_SERVICE,
	};
	if (s->kind == MSG_REQUEST) {
		request->header.length = sizeof(s->data);
		request->header.request = machine->caller = ++machine->requests;
		for (size_t i = 0; i < WORDS; i++)
			((uint64_t *)request->data)[i] = s->data[i];
	}
	if (s->right) {
		request->header.descriptors = 1;
		request->descriptor[0] = (struct msg_descriptor){.type = MSG_DESC_PORT, .name = give(RIGHT_SEND)};
	}
	machine->accesses = 0;
	machine->badge = s->badge;
	machine->counters.held = 1;
	machine_publish();
}

static int64_t receive(port_name_t from, uint64_t deadline)
{
	for (;;) {
		const struct script *s = &machine_script[machine->next];

		if (from != NAME_SERVICE || deadline <= machine->now)
			return KERN_TIMED_OUT;
		if (machine->next == machine->limit)
			_exit(ENDED_FINISHED);
		if (s->kind != SCRIPT_WAIT) {
			machine->next++;
			deliver(s);
			return KERN_SUCCESS;
		}
		if (deadline < s->word) {
			machine->now = deadline;
			return KERN_TIMED_OUT;
		}
		machine->now = s->word;
		machine->next++;
	}
}

static int64_t message(uint64_t op, uint64_t destination, uint64_t from, uint64_t deadline, uint64_t count)
{
	if (op == MSG_AWAIT)
		return await_answer();
	if ((op & MSG_CALL) != 0)
		return call(op, destination);
	commit(op, destination, count);
	return receive((port_name_t)from, deadline);
}

/* ---- other traps ---- */

static int64_t park(void)
{
	if (machine->caller == 0)
		return KERN_INVALID_ARGUMENT;
	port_name_t name = give(RIGHT_SEND_ONCE);
	machine->request_of[name - FIRST_NAME] = machine->caller;
	machine->caller = 0;
	return name;
}

/* The caller is the one in the reply slot, or a parked one. */
static int64_t window(bool read, uint64_t name, uint64_t offset, uint64_t address, uint64_t length)
{
	uint8_t *own = (uint8_t *)address, *theirs = machine->client + offset, *to = read ? own : theirs;
	const uint8_t *from = read ? theirs : own;

	if (name == PORT_NULL ? machine->caller == 0 : !given(name))
		return KERN_GONE;
	if (machine->accesses++ > 0 && machine->badge == BADGE_FLEETING) {
		block()->result[0] = offset;
		return KERN_PEER_FAULT;
	}
	for (uint64_t i = 0; i < length; i++)
		to[i] = from[i];
	return (int64_t)length;
}

static int64_t right_info(uint64_t name)
{
	struct right_info *info = (struct right_info *)block()->result;

	*info = (struct right_info){
	        .kind = RIGHT_SEND,
	        .object = KOBJ_PORT,
	        .object_id = name,
	        .senders = machine_fleeting(),
	};
	return KERN_SUCCESS;
}

static int64_t map_trap(uint64_t size)
{
	uint64_t address = SERVER_MAPPINGS + machine->mapped;

	machine->mapped += size;
	return (int64_t)address;
}

static int64_t trap(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	switch (number) {
	case TRAP_reply_park:
		return park();
	case TRAP_right_info:
		return right_info(a);
	case TRAP_vm_map:
		return map_trap(c);
	case TRAP_port_create:
	case TRAP_portset_create:
		return give(RIGHT_RECEIVE);
	case TRAP_object_create:
	case TRAP_right_make:
	case TRAP_right_copy:
		return a == DEAD_PEER ? KERN_DEAD : give(RIGHT_SEND);
	case TRAP_right_request:
	case TRAP_portset_move:
		return KERN_SUCCESS;
	case TRAP_log_write:
		if (getenv("ENGINE_LOG") != NULL)
			fprintf(stderr, "%.*s", (int)b, (const char *)page(ENDPOINT_SEND)->data);
		return KERN_SUCCESS;
	case TRAP_task_terminate:
		if (a == TASK_SELF)
			_exit(ENDED_BY_ITSELF);
		return KERN_SUCCESS;
	default: { /* an operation that belongs into a commit, done at once */
		struct commit_operation op = {.kind = (uint16_t)number, .a = a, .b = b, .c = c, .d = d};
		effect(&op);
		return KERN_SUCCESS;
	}
	}
}

static int64_t counted(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	int64_t result = trap(number, a, b, c, d);
	uint64_t words[] = {number, a, b, c, (uint64_t)result};

	note(JOURNAL_OPERATION, words, 5);
	machine->counters.operations++;
	machine->counters.operation_result = result;
	machine_publish();
	return result;
}

int64_t machine_trap(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t result;

	machine_busy = true;
	if (number == TRAP_msg)
		result = message(a, b, c, d, e);
	else if (number == TRAP_window_read || number == TRAP_window_write)
		result = window(number == TRAP_window_read, a, c, d, e);
	else if ((number & TRAP_COUNTED) != 0)
		result = counted(number & ~(uint64_t)TRAP_COUNTED, a, b, c, d);
	else
		result = trap(number, a, b, c, d);
	(void)f;
	machine_moment();
	machine_busy = false;
	return result;
}
