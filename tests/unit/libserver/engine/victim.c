/*
 * A server for the engine's tests; see victim.h. Compiled with the hooks, like every server. Nothing it answers or
 * keeps depends on addresses of its process, so two runs can be compared word by word.
 */
#include "victim.h"
#include "../../../../libserver/internal.h"
#include "../../../../libserver/transaction.h"
#include "machine.h"
#include <portico/server_readiness.h>

#define SLOTS 4u
#define TABLE 16u

struct wide {
	uint64_t word[4];
};

struct node {
	struct node *next;
	uint64_t value;
	uint8_t bytes[24];
};

static struct root {
	uint64_t counter;
	uint32_t half[5];
	uint16_t quarter[3];
	uint8_t byte[83];
	struct {
		unsigned low : 5, middle : 9, high : 18;
	} field;
	struct wide wide[3];
	uint64_t *words; /* an unaligned place in bytes[] */
	struct node *list;
	struct server_reply waiting[SLOTS];
	uint64_t seen[8];
	port_name_t name[8];
	uint64_t address;
	uint32_t slot[4];
	uint64_t timers, steps, steps_left, notes, deaths, cancelled;
	uint8_t table[256];
	char text[64];
	struct right_info info;
	uint8_t moved[200];
} * root;

static const uint64_t *in(const struct server_call *call)
{
	return (const uint64_t *)(const void *)call->in->data;
}

static int64_t answer(struct server_call *call, uint64_t first, uint64_t second)
{
	uint64_t *out = (uint64_t *)(void *)call->out->data;

	out[0] = first;
	out[1] = second;
	call->reply_length = 16;
	return 0;
}

/* ---- stores ---- */

static int64_t store(struct server_call *call)
{
	uint64_t x = in(call)[0] + root->counter++;

	for (unsigned i = 0; i < 5; i++)
		root->half[i] += (uint32_t)x + i;
	root->quarter[1] = (uint16_t)(x * 3);
	root->byte[7] ^= (uint8_t)x;
	root->field.middle = x & 511;
	root->field.high += 3;
	root->wide[0] = (struct wide){{x, x + 1, x + 2, x + 3}};
	root->wide[1] = root->wide[0];
	root->wide[2].word[2] = x << 7;
	uint64_t unaligned = x * 0x0101010101010101u;
	__builtin_memcpy(root->byte + 13, &unaligned, sizeof(unaligned));
	__atomic_fetch_add(&root->seen[0], 5, __ATOMIC_SEQ_CST);
	__atomic_store_n(&root->seen[1], x, __ATOMIC_RELEASE);
	memset(root->table, (int)x, 200);
	memset(root->table + 3, (int)x + 1, 5);
	memset(root->table + 211, (int)x + 2, 20);
	memcpy(root->table + 101, root->byte, sizeof(root->byte));
	memmove(root->table + 9, root->table + 1, 150);
	memmove(root->table + 1, root->table + 30, 150);
	memmove(root->moved + 5, root->table, 90);
	memmove(root->moved + 100, root->moved + 80, 70);
	snprintf(root->text, sizeof(root->text), "%llu of %s", (unsigned long long)x, "many");
	return answer(call, x, root->half[3]);
}

static int64_t heap(struct server_call *call)
{
	for (uint64_t i = 0; i < in(call)[0]; i++) {
		struct node *node = keep_allocate(sizeof(*node) + i * 40);

		if (node == NULL)
			return ENOMEM;
		node->value = i;
		node->next = root->list;
		root->list = node;
	}
	for (unsigned i = 0; root->list != NULL && i < 2; i++) {
		struct node *gone = root->list->next;

		if (gone == NULL)
			break;
		root->list->next = gone->next;
		keep_free(gone);
	}
	struct node filled = {.next = root->list, .value = 1000 + in(call)[0]};
	struct node *made = keep_make(&filled, sizeof(filled), in(call)[1] != 0 ? 700 : sizeof(filled) + 40); /* 700: of what was just freed */
	if (made == NULL)
		return ENOMEM;
	root->list = made;
	root->list = keep_resize(root->list, 700);
	return answer(call, root->list->value, keep_used());
}

/* ---- from outside ---- */

static int64_t create(struct server_call *call)
{
	int64_t object = server_trap(TRAP_object_create, 8192, 0, PORT_NULL, 0, PORT_NULL, 0);

	if (object < 0)
		return kern_errno(object);
	root->name[0] = (port_name_t)object;
	root->address = (uint64_t)server_trap(TRAP_vm_map, TASK_SELF, SERVER_MAPPINGS, 8192, (uint64_t)object, 0,
	                                      VM_READ | VM_WRITE);
	root->name[1] = server_make_right(0x77, RIGHT_MINT);
	int64_t refused = server_trap(TRAP_right_copy, DEAD_PEER, 0, PORT_NULL, 0, 0, 0);
	root->seen[2] = (uint64_t)refused;
	root->name[2] = server_notify_right();
	server_release_right(root->name[2]);
	(void)server_watch_death(root->name[1], root->address);
	return answer(call, root->name[0] + root->name[1], root->address);
}

/* Calls the other server. */
static int peer(port_name_t to, uint32_t ordinal, uint64_t a, uint64_t b, uint64_t *count, uint64_t *sum,
                port_name_t *right)
{
	struct msg_page *page = client_send_page();
	uint64_t *words = (uint64_t *)(void *)page->data;

	words[0] = a;
	words[1] = b;
	int64_t status = client_call(MSG_LENGTH(16, 0), to, ordinal, DEADLINE_NEVER);
	if (status < 0)
		return kern_errno(status);
	const struct msg_page *reply = client_reply_page();
	if (reply->header.ordinal != 0)
		return (int)reply->header.ordinal;
	if (right != NULL)
		*right = reply->descriptor[0].name;
	*count = ((const uint64_t *)(const void *)reply->data)[0];
	*sum = ((const uint64_t *)(const void *)reply->data)[1];
	return 0;
}

static int64_t calls(struct server_call *call)
{
	uint64_t count = 0, sum = 0, last = 0;
	port_name_t right = PORT_NULL;

	root->counter++;
	int error = peer(PEER, PEER_ADD, in(call)[0], root->counter, &count, &sum, NULL);
	root->seen[3] = sum;
	int refused = peer(DEAD_PEER, PEER_ADD, sum, 1, &count, &sum, NULL);
	error += peer(PEER, PEER_RIGHT, sum, count, &count, &sum, &right);
	root->seen[4] += sum;
	int denied = peer(PEER, PEER_FAIL, sum, count, &count, &sum, NULL);
	root->name[3] = right;
	error += peer(PEER, PEER_ADD, right, (uint64_t)denied, &count, &last, NULL);
	root->seen[5] = last;
	return error != 0 ? EIO : answer(call, sum * 100 + (uint64_t)refused, last * 1000 + count);
}

static int64_t sample(struct server_call *call)
{
	uint64_t time = server_now(), random = machine_fleeting();

	root->seen[6] = time;
	root->name[5] = server_make_right(time, 0);
	server_sample(&random, sizeof(random));
	(void)server_trap_results(TRAP_right_info, PEER, 0, &root->info, sizeof(root->info));
	root->seen[7] = root->info.senders;
	server_notify(LISTENER, random);
	(void)server_make_right(random, 0);
	root->wide[0].word[1] = random;
	server_sample(&root->wide[1], sizeof(root->wide[1]));
	int64_t moment = server_realtime();
	root->wide[2].word[0] = (uint64_t)moment;
	if (server_realtime() != moment)
		return EIO;
	return answer(call, time, (uint64_t)moment);
}

/* data[0]: 0: reads, and makes nothing of it outside; 1: writes, and tells; 2: reads, tells, and parks. */
static int64_t window(struct server_call *call)
{
	struct server_window theirs = {.size = 512};
	uint8_t bytes[100] = {1, 2, 3, 4};
	uint64_t count = 0, sum = 0, words;
	int64_t n;

	if (in(call)[0] == 1)
		n = server_window_write(&theirs, 300, bytes, sizeof(bytes));
	else
		n = server_window_read(&theirs, 40, bytes, sizeof(bytes));
	if (n < 0)
		return n == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	memcpy(&words, bytes, sizeof(words));
	memcpy(root->table, bytes, sizeof(bytes));
	if (in(call)[0] != 0)
		(void)peer(PEER, PEER_ADD, words, (uint64_t)n, &count, &sum, NULL);
	root->counter += sum;
	if (in(call)[0] == 2) {
		int result = server_park(call, &root->waiting[3]);

		server_window_rebase(&theirs, &root->waiting[3]);
		root->seen[1] = (uint64_t)server_window_write(&theirs, 200, bytes, sizeof(bytes));
		return result;
	}
	return answer(call, (uint64_t)n, words);
}

/* ---- callers that wait ---- */

static int64_t park(struct server_call *call)
{
	root->counter += 2;
	return server_park(call, &root->waiting[in(call)[0] % SLOTS]);
}

static void reply_parked(struct server_reply *reply, uint64_t value)
{
	struct msg_page *page = server_send_page();

	((uint64_t *)(void *)page->data)[0] = value;
	((uint64_t *)(void *)page->data)[1] = root->counter;
	server_send_reply(reply, MSG_LENGTH(16, 0), 0);
}

static int64_t answer_parked(struct server_call *call)
{
	root->counter += 10;
	server_notify(LISTENER, root->counter);
	reply_parked(&root->waiting[in(call)[0] % SLOTS], in(call)[1]);
	server_reply_error(&root->waiting[in(call)[1] % SLOTS], EINTR);
	server_queue_with(TRAP_thread_start, 5, 0, &root->counter, sizeof(root->counter));
	return answer(call, root->counter, 0);
}

/* ---- queries ---- */

static int64_t query(struct server_call *call)
{
	uint64_t moment = server_now();

	return answer(call, root->counter, moment != 0);
}

static int64_t promote(struct server_call *call)
{
	if (root->seen[0] == ~UINT64_C(0))
		return EINVAL;
	server_promote();
	root->counter += 100;
	uint64_t now = server_now();
	root->seen[2] = now;
	root->name[4] = server_make_right(3, 0);
	return answer(call, root->counter, now);
}

static int64_t query_that_stores(struct server_call *call)
{
	root->counter++;
	return answer(call, 0, 0);
}

static int64_t query_that_creates(struct server_call *call)
{
	return answer(call, server_make_right(1, 0), 0);
}

/* ---- more than fits, later, and words ---- */

static int64_t many(struct server_call *call)
{
	uint64_t count = in(call)[0];
	uint64_t large[32] = {0};

	root->counter++;
	for (large[0] = 0; large[0] < in(call)[1]; large[0]++)
		server_queue_with(TRAP_thread_start, 7, 0, large, sizeof(large));
	for (uint64_t i = 0; i < count; i++)
		server_notify(LISTENER, root->counter << 32 | i);
	reply_parked(&root->waiting[0], count);
	server_queue_with(TRAP_thread_start, 6, 0, &root->counter, sizeof(root->counter));
	return answer(call, count, 0);
}

static int64_t timer(struct server_call *call)
{
	server_set_timer(in(call)[0]);
	root->steps_left = in(call)[1];
	if (root->steps_left != 0)
		server_defer();
	return answer(call, root->timers, root->steps);
}

static void timer_expired(void)
{
	root->timers++;
	server_notify(LISTENER, 0x1000 + root->timers);
	if (root->timers == 1)
		server_set_timer(5000);
}

static void step(void)
{
	root->steps++;
	root->name[5] = server_make_right(root->steps, 0);
	server_notify(LISTENER, 0x2000 + root->steps);
	if (--root->steps_left != 0)
		server_defer();
}

static int64_t ready(struct server_call *call)
{
	for (unsigned i = 0; i < 3; i++)
		if (root->slot[i] == 0)
			root->slot[i] = readiness_slot();
	readiness_set(root->slot[0], (uint32_t)in(call)[0]);
	readiness_touch(root->slot[1]);
	readiness_free(root->slot[2]);
	root->slot[2] = 0;
	server_queue_if((volatile uint64_t *)SERVER_MAPPINGS, 0, in(call)[1], 1);
	server_notify(LISTENER, 0x3000);
	server_notify(LISTENER, 0x3001);
	return answer(call, readiness_object(), root->slot[0]);
}

static int64_t all(struct server_call *call)
{
	uint64_t count = 0, sum = 0, now = server_now();
	port_name_t right = server_make_right(root->counter, 0);
	struct node *node = keep_allocate(sizeof(*node));

	if (node == NULL)
		return ENOMEM;
	node->value = now;
	node->next = root->list;
	root->list = node;
	(void)peer(PEER, PEER_RIGHT, right, root->counter, &count, &sum, &root->name[6]);
	memcpy(node->bytes, &sum, sizeof(sum));
	root->counter += sum;
	server_release_right(right);
	if (call->request != 0)
		(void)server_park(call, &root->waiting[1]);
	(void)peer(PEER, PEER_ADD, root->name[6], root->waiting[1].name, &count, &sum, NULL);
	reply_parked(&root->waiting[1], sum);
	server_set_timer(machine->now + 50);
	return SERVER_PARKED;
}

static int64_t take(struct server_call *call)
{
	if (call->in_descriptors != 1)
		return EINVAL;
	server_release_right(root->name[7]);
	root->name[7] = call->in->descriptor[0].name;
	return answer(call, root->name[7], 0);
}

/* ---- what goes wrong ---- */

static int64_t poison(struct server_call *call)
{
	(void)store(call);
	(void)create(call);
	(void)calls(call);
	(void)server_park(call, &root->waiting[2]);
	server_notify(LISTENER, 0xbad);
	*(volatile int *)16 = 1;
	return 0;
}

static int64_t full(struct server_call *call)
{
	(void)store(call);
	(void)server_make_right(4, 0);
	for (volatile uint64_t *word = &root->counter;;)
		(*word)++;
	return 0;
}

static int64_t chatter(struct server_call *call)
{
	uint8_t bytes[2048] = {0};

	(void)store(call);
	for (;;)
		server_sample(bytes, sizeof(bytes));
	return 0;
}

static int64_t fickle(struct server_call *call)
{
	(void)store(call);
	(void)server_make_right(machine_fleeting(), 0);
	(void)server_make_right(4, 0);
	server_panic("on purpose");
	return 0;
}

/* The first execution is a faulty program's; what it looked at binds nobody. */
static int64_t wayward(struct server_call *call)
{
	bool first = !results_replaying();
	uint64_t value = machine_fleeting();
	uint16_t other = 7;

	server_sample(&value, sizeof(value));
	if (first) {
		server_sample(&value, sizeof(value));
		server_panic("on purpose");
	}
	server_sample(&other, sizeof(other));
	return other == 7 ? store(call) : EPROTO;
}

/* ---- interface and registrations ---- */

#define HANDLERS(H)                                                                                                    \
	H(VICTIM_STORE, store, SERVER_ROUTINE)                                                                         \
	H(VICTIM_HEAP, heap, SERVER_ROUTINE)                                                                           \
	H(VICTIM_CREATE, create, SERVER_ROUTINE)                                                                       \
	H(VICTIM_CALL, calls, SERVER_ROUTINE)                                                                          \
	H(VICTIM_PARK, park, SERVER_ROUTINE)                                                                           \
	H(VICTIM_ANSWER, answer_parked, SERVER_ROUTINE)                                                                \
	H(VICTIM_SAMPLE, sample, SERVER_ROUTINE)                                                                       \
	H(VICTIM_QUERY, query, SERVER_QUERY)                                                                           \
	H(VICTIM_PROMOTE, promote, SERVER_QUERY)                                                                       \
	H(VICTIM_WINDOW, window, SERVER_ROUTINE)                                                                       \
	H(VICTIM_MANY, many, SERVER_ROUTINE)                                                                           \
	H(VICTIM_TIMER, timer, SERVER_ROUTINE)                                                                         \
	H(VICTIM_READY, ready, SERVER_ROUTINE)                                                                         \
	H(VICTIM_ALL, all, SERVER_ROUTINE)                                                                             \
	H(VICTIM_TAKE, take, SERVER_ROUTINE)                                                                           \
	H(VICTIM_POISON, poison, SERVER_ROUTINE)                                                                       \
	H(VICTIM_FULL, full, SERVER_ROUTINE)                                                                           \
	H(VICTIM_CHATTER, chatter, SERVER_ROUTINE)                                                                     \
	H(VICTIM_FICKLE, fickle, SERVER_ROUTINE)                                                                       \
	H(VICTIM_WAYWARD, wayward, SERVER_ROUTINE)                                                                     \
	H(VICTIM_SINNER, query_that_stores, SERVER_QUERY)                                                              \
	H(VICTIM_CREATOR, query_that_creates, SERVER_QUERY)

static int64_t dispatch(struct server_call *call)
{
	switch (MSG_ROUTINE(call->ordinal)) {
#define H(routine, handler, kind)                                                                                      \
	case routine:                                                                                                  \
		return handler(call);
		HANDLERS(H)
#undef H
	default:
		return ENOSYS;
	}
}

static const struct server_routine routines[] = {
#define H(routine, handler, kind) {#handler, routine, kind, 0},
        HANDLERS(H)
#undef H
};

static const struct server_interface interface = {
        .number = VICTIM_INTERFACE,
        .routine_count = sizeof(routines) / sizeof(routines[0]),
        .name = "victim",
        .dispatch = dispatch,
        .routines = routines,
};

static void notified(uint64_t bits)
{
	root->notes |= bits;
	root->name[5] = server_make_right(bits, 0);
	server_notify(LISTENER, root->notes);
}

static void cancelled(uint64_t request, bool died)
{
	root->cancelled += died ? 1000 : 1;
	for (unsigned i = 0; i < SLOTS; i++)
		if (root->waiting[i].request == request)
			server_reply_error(&root->waiting[i], EINTR);
}

static void dead_name(port_name_t name, uint64_t cookie)
{
	root->deaths += cookie;
	server_release_right(name);
}

static void no_senders(uint64_t badge, uint64_t make_send)
{
	root->deaths += badge * make_send;
}

_Noreturn void victim_start(void)
{
	server_start_flags = machine_start_flags;
	rights_start();
	root = server_keep_root(sizeof(*root));
	server_register(&interface);
	server_on_notify(~UINT64_C(0), notified);
	server_on_cancel(cancelled);
	server_on_dead_name(dead_name);
	server_on_no_senders(no_senders);
	server_on_timer(timer_expired);
	server_on_deferred(step);
	if (server_cold()) {
		root->counter = 40;
		server_sample(&root->counter, sizeof(root->counter));
	}
	server_run();
}
