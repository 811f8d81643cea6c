/* Personalities: system calls redirected, exceptions and interrupts delivered; exception messages for tasks that have none. */
#include "play.h"

#define ENTRY 0x7ff800000000ul
#define EVENT (ENTRY + 0x1000)
#define RESTART_BEGIN (ENTRY + 0x2000)
#define RESTART_END (ENTRY + 0x2010)
#define RESTART (ENTRY + 0x3000)
#define TEXT_END (ENTRY + 0x10000)
#define PROGRAM 0x400000ul

static void register_personality(struct thread *thread)
{
	struct personality personality = {.entry = ENTRY, .entry_stride = 16, .event_entry = EVENT, .text_begin = ENTRY,
					  .text_end = TEXT_END, .restart_begin = RESTART_BEGIN, .restart_end = RESTART_END,
					  .restart = RESTART};

	memcpy(thread->endpoint->block->argument, &personality, sizeof(personality));
	cr_assert_eq(trap(thread, task_personality, 0), KERN_SUCCESS);
	cr_assert_eq(thread->redirect_entry, ENTRY + 16 * thread->slot);
}

static void run_at(struct thread *thread, uint64_t rip)
{
	host_run(thread);
	thread->registers.rip = rip;
	thread->registers.rdi = 0x1111;
	thread->registers.rflags = 0x202 | 0x400 | 0x100;
	thread->registers.cs = 0x33;
}

/* The thread runs, an interrupt strikes, the kernel is entered. */
static void interrupt(struct thread *thread)
{
	cr_assert_eq(thread_interrupt(thread), KERN_SUCCESS);
	host_leave();
}

Test(exceptions, personality_arguments)
{
	struct play p = play_start();
	struct personality personality = {.entry = USER_MAX};

	memcpy(p.client->endpoint->block->argument, &personality, sizeof(personality));
	cr_assert_eq(trap(p.client, task_personality, 0), KERN_INVALID_ARGUMENT);
	register_personality(p.client);
	memset(&personality, 0, sizeof(personality));
	memcpy(p.client->endpoint->block->argument, &personality, sizeof(personality));
	cr_assert_eq(trap(p.client, task_personality, 0), KERN_SUCCESS);
	cr_assert_eq(p.client->redirect_entry, 0);
}

Test(exceptions, delivered_to_the_personality)
{
	struct play p = play_start();
	const struct portico_block *block = p.client->endpoint->block;

	register_personality(p.client);
	run_at(p.client, PROGRAM);
	p.client->registers.rsp = 0x9999;
	thread_exception(14, 6, 0xdead, FAULT_UNMAPPED);
	cr_assert_eq(p.client->registers.rip, EVENT);
	cr_assert_eq(p.client->registers.rdi, p.client->endpoint->user);
	cr_assert_eq(p.client->registers.rsp, 0x9999);
	cr_assert_eq(p.client->registers.rflags & 0x500, 0);
	cr_assert_eq(block->event, EVENT_EXCEPTION);
	cr_assert_eq(block->vector, 14);
	cr_assert_eq(block->error, 6);
	cr_assert_eq(block->address, 0xdead);
	cr_assert_eq(block->fault, FAULT_UNMAPPED);
	cr_assert_eq(block->frame.rip, PROGRAM);
	cr_assert_eq(block->frame.rdi, 0x1111);
	/* And back. */
	cr_assert_eq(trap(p.client, frame_resume), 0);
	cr_assert_eq(p.client->registers.rip, PROGRAM);
	cr_assert_eq(p.client->registers.rdi, 0x1111);
}

/* A personality that faults at its first instruction cannot be helped. */
Test(exceptions, a_broken_event_entry_ends_the_task)
{
	struct play p = play_start();

	register_personality(p.client);
	run_at(p.client, EVENT);
	object_ref(OBJECT(p.client_task));
	thread_exception(14, 4, EVENT, FAULT_UNMAPPED);
	host_leave();
	cr_assert(p.client_task->object.dead);
	cr_assert_not_null(strstr(host_console, "exception 14"));
}

Test(exceptions, interrupt_in_the_program)
{
	struct play p = play_start();
	const struct portico_block *block = p.client->endpoint->block;

	register_personality(p.client);
	run_at(p.client, PROGRAM);
	interrupt(p.client);
	cr_assert_eq(thread_current(), p.client);
	cr_assert_eq(block->event, EVENT_INTERRUPT);
	cr_assert_eq(block->frame.rip, PROGRAM);
	cr_assert_eq(block->interrupted, 0);
	cr_assert_eq(p.client->registers.rip, EVENT);
	cr_assert_eq(p.client->registers.rdi, p.client->endpoint->user);
}

Test(exceptions, interrupt_inside_the_personality)
{
	struct play p = play_start();
	struct portico_block *block = p.client->endpoint->block;

	register_personality(p.client);
	run_at(p.client, ENTRY + 8);
	interrupt(p.client);
	cr_assert_eq(block->interrupted, 1);
	cr_assert_eq(p.client->registers.rip, ENTRY + 8);
	cr_assert_eq(block->event, EVENT_NONE);
	block->interrupted = 0;
	run_at(p.client, RESTART_BEGIN + 4);
	interrupt(p.client);
	cr_assert_eq(block->interrupted, 1);
	cr_assert_eq(p.client->registers.rip, RESTART);
	cr_assert_eq(p.client->registers.rdi, p.client->endpoint->user);
	run_at(p.client, RESTART_END);
	interrupt(p.client);
	cr_assert_eq(p.client->registers.rip, RESTART_END);
}

Test(exceptions, interrupt_of_a_wait_in_the_restart_range)
{
	struct play p = play_start();

	register_personality(p.client);
	run_at(p.client, RESTART_BEGIN);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), KERN_INTERRUPTED, "the result is not lost by a restart");
	cr_assert_eq(p.client->registers.rip, RESTART_BEGIN + 2);
}

Test(exceptions, interrupt_on_another_cpu)
{
	struct play p = play_start();

	register_personality(p.client);
	run_at(p.client, PROGRAM);
	host_use_cpu(1);
	host_poked = 0;
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert_eq(host_poked, 1);
	cr_assert_eq(p.client->registers.rip, PROGRAM, "its registers are not ours yet");
	host_use_cpu(0);
	host_leave();
	cr_assert_eq(p.client->registers.rip, EVENT);
}

/* It entered the kernel to wait before the other CPU's interrupt came. */
Test(exceptions, interrupt_overtaken_by_a_wait)
{
	struct play p = play_start();

	register_personality(p.client);
	cr_assert_eq(receive(p.server, p.port), HOST_BLOCKED);
	run_at(p.client, ENTRY);
	host_use_cpu(1);
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	host_use_cpu(0);
	cr_assert_eq(trap(p.client, msg, MSG_CALL | MSG_INTERRUPTIBLE, MSG_DESTINATION(p.send, 1), 0, DEADLINE_NEVER), HOST_BLOCKED);
	cr_assert_eq(p.client->endpoint->block->interrupted, 1);
	cr_assert_eq(got(p.server)->kind, MSG_REQUEST);
	cr_assert_eq(p.client->wait, WAIT_REPLY);
	host_run(p.server);
	cr_assert_eq(trap(p.server, reply_park, 0x80001111), 0x80001111);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->kind, MSG_CANCEL);
}

Test(exceptions, task_interrupt_finds_the_slot)
{
	struct play p = play_start();
	port_name_t task = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client_task), RIGHT_INTERRUPT, 0);

	cr_assert_eq(trap(p.server, task_interrupt, task, p.client->slot), KERN_SUCCESS);
	cr_assert_eq(p.client->endpoint->block->interrupted, 1);
	cr_assert_eq(trap(p.server, task_interrupt, task, 4000), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.server, task_info, task), KERN_NO_ACCESS);
}

/* ---- exception messages ---- */

struct exception_message {
	uint64_t task;
	uint32_t slot, vector;
	uint64_t error, address, rip, rsp;
	uint32_t fault;
};

static void raise(struct play *p)
{
	struct personality personality = {.exception_port = p->send};

	memcpy(p->client->endpoint->block->argument, &personality, sizeof(personality));
	cr_assert_eq(trap(p->client, task_personality, 0), KERN_SUCCESS);
	run_at(p->client, PROGRAM);
	thread_exception(13, 7, 0, 0);
	host_leave();
	cr_assert(host_waits(p->client));
}

Test(exceptions, message_and_resume)
{
	struct play p = play_start();
	struct exception_message m;

	raise(&p);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, MSG_ORDINAL(2, 1));
	cr_assert_eq(got(p.server)->badge, BADGE);
	cr_assert_neq(got(p.server)->request, 0);
	memcpy(&m, p.server->endpoint->request->data, sizeof(m));
	cr_assert_eq(m.task, p.client_task->object.id);
	cr_assert_eq(m.slot, p.client->slot);
	cr_assert_eq(m.vector, 13);
	cr_assert_eq(m.error, 7);
	cr_assert_eq(m.rip, PROGRAM);
	cr_assert_eq(reply_receive(p.server, 0, 0, p.port), HOST_BLOCKED);
	cr_assert(!host_waits(p.client));
	cr_assert_eq(p.client->registers.rip, PROGRAM);
}

Test(exceptions, message_and_end)
{
	struct play p = play_start();

	raise(&p);
	object_ref(OBJECT(p.client_task));
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(reply(p.server, 1, 0, 0), KERN_SUCCESS);
	cr_assert(p.client_task->object.dead);
}

Test(exceptions, the_handler_dies)
{
	struct play p = play_start();

	raise(&p);
	object_ref(OBJECT(p.client_task));
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert(p.client_task->object.dead);
}

Test(exceptions, the_task_dies_with_its_exception_queued)
{
	struct play p = play_start();

	raise(&p);
	task_terminate(p.client_task);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

Test(exceptions, nobody_takes_it)
{
	struct play p = play_start();
	object_ref(OBJECT(p.client_task));

	run_at(p.client, PROGRAM);
	thread_exception(6, 0, 0, 0);
	host_leave();
	cr_assert(p.client_task->object.dead);
	cr_assert_not_null(strstr(host_console, "exception 6"));
}

/* ---- pages that a pager supplies ---- */

static port_name_t paged_object(struct play *p, port_name_t pager)
{
	port_name_t own = (port_name_t)trap(p->server, object_create, 4 * PAGE_SIZE, 0, pager, 77, 0);
	struct memory_object *object = (struct memory_object *)right_of(p->server, own)->object;

	cr_assert_gt((int32_t)own, 0);
	cr_assert_geq(vm_map_enter(p->client_task->map, 0x20000000, 4 * PAGE_SIZE, object, 0, VM_READ | VM_WRITE | VM_FIXED, 7), 0);
	return own;
}

Test(exceptions, a_pager_is_asked_and_answers)
{
	struct play p = play_start();
	port_name_t object = paged_object(&p, p.port);
	enum portico_fault why;
	char text[4] = "";

	run_at(p.client, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20000000, VM_READ, &why), KERN_BUSY);
	host_leave();
	cr_assert(host_waits(p.client));
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(got(p.server)->ordinal, MSG_ORDINAL(3, 1));
	cr_assert_eq(got(p.server)->badge, 77);
	cr_assert_eq(got(p.server)->request, 0);
	host_put(p.server_task, BUFFER, "abc", 4);
	cr_assert_eq(trap(p.server, object_supply, object, 0, BUFFER, PAGE_SIZE), KERN_SUCCESS);
	cr_assert(!host_waits(p.client));
	cr_assert_eq(p.client->registers.rip, PROGRAM);
	host_get(p.client_task, 0x20000000, text, 4);
	cr_assert_str_eq(text, "abc");
}

Test(exceptions, the_pager_dies)
{
	struct play p = play_start();
	struct thread *second = host_thread(p.client_task, 0);
	enum portico_fault why = 0;

	(void)paged_object(&p, p.port);
	run_at(p.client, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20000000, VM_READ, &why), KERN_BUSY);
	host_leave();
	run_at(second, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20000000, VM_READ, &why), KERN_BUSY);
	host_leave();
	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert(!host_waits(p.client) && !host_waits(second));
	run_at(p.client, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20000000, VM_READ, &why), KERN_FAULT);
	cr_assert_eq(why, FAULT_PAGER);
}

Test(exceptions, interrupt_of_a_program_that_waits_for_a_page)
{
	struct play p = play_start();
	enum portico_fault why;

	(void)paged_object(&p, p.port);
	register_personality(p.client);
	run_at(p.client, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20000000, VM_READ, &why), KERN_BUSY);
	host_leave();
	cr_assert_eq(thread_interrupt(p.client), KERN_SUCCESS);
	cr_assert(!host_waits(p.client));
	cr_assert_eq(p.client->registers.rip, EVENT);
	cr_assert_eq(p.client->endpoint->block->frame.rip, PROGRAM);
	/* The request is still with the pager; another fault has a message of its own. */
	run_at(p.client, PROGRAM);
	cr_assert_eq(vm_fault(p.client_task->map, 0x20001000, VM_READ, &why), KERN_BUSY);
	host_leave();
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(poll(p.server, p.port), KERN_TIMED_OUT);
}

/* A window into memory that must be paged in: the server gives the call up, the caller waits for the page, the call comes again. */
Test(exceptions, restart_through_a_pager)
{
	struct play p = play_start();
	port_name_t pager_port = (port_name_t)trap(p.server, port_create), object = paged_object(&p, pager_port);

	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_WINDOW, .address = 0x20000000, .size = 8,
							.flags = MSG_WINDOW_READ});
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 0, BUFFER, 8), KERN_PEER_FAULT);
	descriptor(p.server, 0, (struct msg_descriptor){.address = 0x20000000, .flags = MSG_WINDOW_READ});
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RESTART, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), HOST_BLOCKED, "it waits for the page");
	cr_assert_eq(p.client->wait, WAIT_PAGE);
	cr_assert_eq(poll(p.server, pager_port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, object_supply, object, 0, BUFFER, PAGE_SIZE), KERN_SUCCESS);
	cr_assert_eq(host_result(p.client), -TRAP_msg);
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 0, BUFFER, 8), 8);
}
