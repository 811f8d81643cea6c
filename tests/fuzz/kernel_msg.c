/*
 * libFuzzer target for the kernel's message path: two tasks with three threads each, whose traps, arguments and send pages come from the
 * input. After each step the threads must be in states that make sense; at the end both tasks are terminated and every object and every
 * byte must have come back.
 *
 *   fuzz-kernel-msg -max_len=4096 [CORPUS]
 */
#include "../unit/kernel/host_arch.h"
#include <stdlib.h>
#include <string.h>

#define TASKS 2
#define THREADS 3
#define NAMES 16 /* that a task remembers */
#define BUFFER 0x500000ul
#define STEPS_MAX 400

struct input {
	const uint8_t *data;
	size_t size;
};

struct player {
	struct task *task;
	struct thread *thread[THREADS];
	port_name_t name[NAMES];
	unsigned next;
	port_name_t other; /* task right to the other task */
};

static struct player players[TASKS];

static uint8_t byte(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static uint64_t word(struct input *in)
{
	uint64_t w = byte(in);

	return w < 0xf0 ? w : (w & 15) << byte(in) % 64;
}

static void check(bool condition, const char *what)
{
	if (condition)
		return;
	report_tasks();
	panic("%s\n%s", what, host_console);
}

static port_name_t name(struct player *player, struct input *in)
{
	uint8_t b = byte(in);

	if (b < 0xc0)
		return player->name[b % NAMES];
	return b < 0xe0 ? NAME_CHOSEN | (b & 7) : (port_name_t)word(in) << 8 | byte(in);
}

static port_name_t chosen(struct input *in)
{
	uint8_t b = byte(in);

	return b < 0xc0 ? PORT_NULL : NAME_CHOSEN | (b & 7);
}

static void remember(struct player *player, int64_t result)
{
	if (result > 0 && result != HOST_BLOCKED)
		player->name[player->next++ % NAMES] = (port_name_t)result;
}

/* Rights that came in a message are remembered too. */
static void learn(struct player *player, const struct msg_page *page)
{
	for (unsigned i = 0; i < page->header.descriptors && i < MSG_DESCRIPTORS_MAX; i++)
		if (page->descriptor[i].type == MSG_DESC_PORT)
			remember(player, page->descriptor[i].name);
}

static uint64_t address(struct input *in)
{
	return BUFFER + (word(in) << 8) % (5 * PAGE_SIZE); /* the last page is not there */
}

static unsigned fill_descriptors(struct player *player, struct thread *thread, struct input *in)
{
	unsigned count = byte(in) % 5;

	for (unsigned i = 0; i < count; i++) {
		struct msg_descriptor *d = &thread->endpoint->send->descriptor[i];
		d->type = byte(in) % 5;
		d->disposition = byte(in) % 8;
		d->flags = (uint16_t)word(in);
		d->name = name(player, in);
		d->address = d->type == MSG_DESC_REGION ? address(in) & ~(PAGE_SIZE - 1) : address(in);
		d->size = word(in) * 64;
		d->badge = byte(in) % 4;
	}
	return count;
}

static void message(struct player *player, struct thread *thread, struct input *in)
{
	static const uint64_t operations[] = {
		MSG_CALL, MSG_CALL | MSG_INTERRUPTIBLE, MSG_SEND, MSG_SEND | MSG_TO_ONCE, MSG_RECEIVE, MSG_SEND_REPLY,
		MSG_SEND_REPLY | MSG_RECEIVE, MSG_SEND | MSG_RECEIVE, MSG_SEND | MSG_TO_ONCE | MSG_RECEIVE,
		MSG_SEND_REPLY | MSG_RESTART, MSG_SEND | MSG_TO_ONCE | MSG_RESTART, MSG_RECEIVE | MSG_INTERRUPTIBLE,
		MSG_SEND_REPLY | MSG_RECEIVE | MSG_RESTART,
	};
	uint8_t which = byte(in);
	uint64_t op = which < 0xf8 ? operations[which % (sizeof(operations) / sizeof(operations[0]))] : word(in) << 32;
	uint64_t length = word(in) % 4096, deadline = DEADLINE_NEVER;
	unsigned count = which & 0x40 ? fill_descriptors(player, thread, in) : 0;
	port_name_t to = name(player, in), from = name(player, in);

	if (which & 0x20)
		deadline = byte(in) % 2 ? DEADLINE_NOW : host_clock + byte(in);
	(void)trap(thread, msg, op | MSG_LENGTH(length, count), MSG_DESTINATION(to, byte(in)), from, deadline);
}

static void right_trap(struct player *player, struct thread *thread, struct input *in)
{
	port_name_t a = name(player, in);
	uint64_t *argument = thread->endpoint->block->argument;

	argument[0] = byte(in) % 4;
	argument[1] = word(in);
	switch (byte(in) % 12) {
	case 0:
		remember(player, trap(thread, right_make, a, byte(in) % 4, word(in) & 7, chosen(in)));
		return;
	case 1:
		remember(player, trap(thread, right_copy, a, word(in), chosen(in)));
		return;
	case 2:
		(void)trap(thread, right_release, a);
		return;
	case 3:
		(void)trap(thread, right_info, a);
		return;
	case 4:
		(void)trap(thread, right_inherit, a, byte(in) & 1);
		return;
	case 5:
		(void)trap(thread, right_insert, player->other, chosen(in), a, byte(in) % 8);
		return;
	case 6:
		remember(player, trap(thread, right_extract, player->other, a, byte(in) % 8, chosen(in)));
		return;
	case 7:
		(void)trap(thread, right_request, a, byte(in) % 4, name(player, in), byte(in));
		return;
	case 8:
		(void)trap(thread, port_notify, a, word(in));
		return;
	case 9:
		remember(player, trap(thread, right_rename, a, chosen(in)));
		return;
	case 10:
		(void)trap(thread, portset_move, a, name(player, in));
		return;
	default:
		remember(player, trap(thread, reply_park, chosen(in)));
		return;
	}
}

static void window(struct player *player, struct thread *thread, struct input *in)
{
	port_name_t parked = byte(in) % 2 ? name(player, in) : PORT_NULL;

	if (byte(in) % 2)
		(void)trap(thread, window_read, parked, byte(in) % 5, word(in), address(in), word(in));
	else
		(void)trap(thread, window_write, parked, byte(in) % 5, word(in), address(in), word(in));
}

static void futex(struct thread *thread, struct input *in)
{
	uint64_t at = BUFFER + byte(in) % 4 * 4, flags = byte(in) % 4;
	uint64_t deadline = byte(in) % 2 ? DEADLINE_NEVER : host_clock + byte(in);

	if (byte(in) % 2)
		(void)trap(thread, futex_wait, at, 0, flags, deadline, byte(in));
	else
		(void)trap(thread, futex_wake, at, byte(in) % 4, flags & FUTEX_SHARED, byte(in));
}

/* What happens to a thread from outside. */
static void strike(struct thread *thread, struct input *in)
{
	switch (byte(in) % 4) {
	case 0:
		thread_terminate(thread);
		break;
	case 1:
		(void)thread_interrupt(thread);
		break;
	case 2:
		thread->endpoint->block->interrupted = 0;
		break;
	default:
		host_tick(byte(in));
		break;
	}
	host_leave();
}

static void task_trap(struct player *player, struct thread *thread, struct input *in)
{
	switch (byte(in) % 5) {
	case 0:
		(void)trap(thread, task_suspend, player->other);
		return;
	case 1:
		(void)trap(thread, task_resume, player->other);
		return;
	case 2:
		remember(player, trap(thread, task_duplicate, 0, byte(in) % 8, 0, 0));
		return;
	case 3:
		remember(player, trap(thread, space_create, chosen(in)));
		return;
	default:
		remember(player, trap(thread, thread_priority, 0, byte(in) % 32, 0));
		return;
	}
}

static void step(struct player *player, struct thread *thread, struct input *in)
{
	switch (byte(in) % 16) {
	case 0:
		remember(player, trap(thread, port_create, chosen(in), byte(in) % 4));
		return;
	case 1:
		remember(player, trap(thread, portset_create, chosen(in)));
		return;
	case 2 ... 4:
		right_trap(player, thread, in);
		return;
	case 5:
		window(player, thread, in);
		return;
	case 6:
		futex(thread, in);
		return;
	case 7:
		task_trap(player, thread, in);
		return;
	default:
		message(player, thread, in);
		return;
	}
}

/* ---- what must always hold ---- */

static void check_thread(struct thread *thread)
{
	bool waits = thread->state == THREAD_BLOCKED;

	check(waits == (thread->wait != WAIT_NONE), "state and wait disagree");
	check(list_empty(&thread->run_link) || thread->state == THREAD_RUNNABLE, "queued to run, but not runnable");
	check(thread->endpoint->caller == NULL || thread->endpoint->caller->service == thread->endpoint, "slot");
	check(thread->service == NULL || (thread->service->caller == thread && thread->wait == WAIT_REPLY), "service");
	check((thread->called_port != NULL) == (thread->wait == WAIT_QUEUED || thread->wait == WAIT_REPLY), "called port");
	check(list_empty(&thread->call.link) == (thread->wait != WAIT_QUEUED), "call record");
	check(thread->wait != WAIT_REPLY || thread->service != NULL || thread->call_parked, "nobody can answer");
}

static void check_all(void)
{
	list_for_each(l, &all_tasks)
	{
		struct task *task = list_entry(l, struct task, all_link);
		list_for_each(t, &task->threads)
			check_thread(list_entry(t, struct thread, task_link));
	}
}

static bool can_run(const struct thread *thread)
{
	return !thread->object.dead && (thread->state == THREAD_RUNNING || thread->state == THREAD_RUNNABLE) &&
	       !(thread->attention & (ATTENTION_STOP | ATTENTION_DYING)) &&
	       (thread->state != THREAD_RUNNING || thread->cpu == cpu_current()->id);
}

/* ---- a run ---- */

static void begin(void)
{
	for (unsigned t = 0; t < TASKS; t++) {
		memset(&players[t], 0, sizeof(players[t]));
		players[t].task = host_task();
		host_map(players[t].task, BUFFER, 4);
		for (unsigned i = 0; i < THREADS; i++) {
			players[t].thread[i] = host_thread(players[t].task, THREAD_SERVER | (i == 0 ? THREAD_NO_FPU : 0));
			object_ref(OBJECT(players[t].thread[i]));
		}
	}
	for (unsigned t = 0; t < TASKS; t++) {
		players[t].other = (port_name_t)right_enter_object(players[t].task->space, OBJECT(players[1 - t].task),
								   RIGHT_CONTROL, PORT_NULL);
		remember(&players[t], players[t].other);
	}
}

static void end(void)
{
	for (unsigned t = 0; t < TASKS; t++) {
		task_terminate(players[t].task);
		host_leave();
	}
	for (unsigned t = 0; t < TASKS; t++) {
		for (unsigned i = 0; i < THREADS; i++)
			object_unref(OBJECT(players[t].thread[i]));
		object_unref(OBJECT(players[t].task));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct input in = {data, size};
	struct host_balance before, after;

	if (!started) {
		cpu_count = 1;
		host_start();
		started = true;
	}
	before = host_balance();
	begin();
	for (unsigned n = 0; n < STEPS_MAX && in.size > 0; n++) {
		uint8_t who = byte(&in);
		struct player *player = &players[who % TASKS];
		struct thread *thread = player->thread[who / TASKS % THREADS];
		if (who >= 0xe0 && !thread->object.dead)
			strike(thread, &in);
		else if (can_run(thread))
			step(player, thread, &in);
		if (!thread->object.dead && thread->state != THREAD_BLOCKED) {
			learn(player, thread->endpoint->request);
			learn(player, thread->endpoint->reply);
		}
		check_all();
	}
	end();
	after = host_balance();
	check(memcmp(before.objects, after.objects, sizeof(before.objects)) == 0, "objects were lost");
	check(before.pages == after.pages, "pages were lost");
	check(before.bytes == after.bytes, "kernel memory was lost");
	return 0;
}
