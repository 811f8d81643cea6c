/* Recovery domains: what outlives an incarnation, and the commit. The server of the play makes and ends incarnations, as root does. */
#include "play.h"
#include <kernel/task/domain.h>
#include <portico/domain.h>

#define ENDPOINT 0x40000000ul
#define KEEP 0x10000000ul
#define VOLATILE 0x18000000ul
#define SERVICE 0x80000020u

struct life {
	struct play p;
	port_name_t domain, task;
	struct thread *thread; /* the domain's: the same in every incarnation */
	port_name_t to;        /* the client's send right to the service port */
	port_name_t below;     /* the domain's send right to the port of the play's server */
	port_name_t receive;   /* the service port */
};

static struct domain *domain_of(struct life *l)
{
	return (struct domain *)right_of(l->p.server, l->domain)->object;
}

static const struct portico_counters *counters(struct life *l)
{
	return &l->thread->endpoint->block->counters;
}

static void incarnate(struct life *l)
{
	port_name_t thread;

	l->task = (port_name_t)trap(l->p.server, task_create, l->domain);
	cr_assert_gt((int32_t)l->task, 0);
	cr_assert_eq(trap(l->p.server, task_create, l->domain), KERN_BUSY, "one at a time");
	thread = (port_name_t)trap(l->p.server, thread_create, l->task, 0, ENDPOINT, THREAD_SERVER | THREAD_NO_FPU);
	cr_assert_gt((int32_t)thread, 0);
	l->thread = (struct thread *)right_of(l->p.server, thread)->object;
	l->thread->priority = PRIORITY_PROCESS;
	cr_assert_eq(trap(l->p.server, thread_start, thread), KERN_SUCCESS);
	cr_assert_eq(trap(l->p.server, right_release, thread), KERN_SUCCESS);
}

static void kill_incarnation(struct life *l)
{
	cr_assert_eq(trap(l->p.server, task_terminate, l->task), KERN_SUCCESS);
	cr_assert_eq(trap(l->p.server, right_release, l->task), KERN_SUCCESS);
	l->task = PORT_NULL;
}

static struct life live(void)
{
	struct life l = {.p = play_start()};
	struct task *task;

	l.domain = (port_name_t)trap(l.p.server, domain_create);
	cr_assert_gt((int32_t)l.domain, 0);
	incarnate(&l);
	task = l.thread->task;
	host_map(task, KEEP, 2);
	cr_assert_eq(trap(l.thread, vm_inherit, TASK_SELF, KEEP, 2 * PAGE_SIZE, VM_INHERIT_SHARE), KERN_SUCCESS);
	host_map(task, VOLATILE, 1);
	cr_assert_eq(trap(l.thread, vm_inherit, TASK_SELF, VOLATILE, PAGE_SIZE, VM_INHERIT_NONE), KERN_SUCCESS);
	l.receive = (port_name_t)trap(l.thread, port_create, SERVICE);
	cr_assert_eq(l.receive, SERVICE);
	l.to = give_right(port_of(l.thread, SERVICE), BADGE, 0, l.p.client_task);
	l.below = give_right(port_of(l.p.server, l.p.port), 7, 0, task);
	return l;
}

static struct commit_operation *operation(struct life *l, unsigned index)
{
	struct commit_operation *op = (struct commit_operation *)l->thread->endpoint->commit[index / 64] + index % 64;

	memset(op, 0, sizeof(*op));
	return op;
}

static int64_t commit_of(struct life *l, uint64_t op, uint64_t destination, uint64_t count)
{
	return trap(l->thread, msg, op | MSG_COMMIT | MSG_RECEIVE, destination, SERVICE, DEADLINE_NOW, count);
}

Test(domains, rights_and_shared_mappings_outlive_the_incarnation)
{
	struct life l = live();
	uint64_t word = 0x1234, got_word = 0;
	struct thread *before = l.thread;

	host_put(l.thread->task, KEEP, &word, sizeof(word));
	kill_incarnation(&l);
	cr_assert_not(domain_of(&l)->running);
	incarnate(&l);
	cr_assert_eq(l.thread, before);
	host_get(l.thread->task, KEEP, &got_word, sizeof(got_word));
	cr_assert_eq(got_word, word);
	cr_assert_eq(vm_copy_in(l.thread->task->map, &got_word, VOLATILE, 8), 0, "the rest is gone");
	cr_assert_eq(kind_of(l.thread, SERVICE), RIGHT_RECEIVE);
	cr_assert_eq(counters(&l)->incarnation, 2);
}

Test(domains, the_request_in_service_is_found_again)
{
	struct life l = live();

	write_text(l.p.client, "do it once");
	cr_assert_eq(call(l.p.client, l.to, 5, 11, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	cr_assert_eq(counters(&l)->held, 1);
	kill_incarnation(&l);
	cr_assert(host_waits(l.p.client));
	incarnate(&l);
	cr_assert_eq(counters(&l)->held, 1);
	cr_assert_eq(got(l.thread)->badge, BADGE);
	cr_assert_str_eq((char *)l.thread->endpoint->request->data, "do it once");
	uint64_t commits = counters(&l)->commits;
	write_text(l.thread, "done");
	(void)trap(l.thread, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_LENGTH(5, 0), 0, SERVICE, DEADLINE_NOW);
	cr_assert_eq(host_result(l.p.client), KERN_SUCCESS);
	cr_assert_str_eq((char *)l.p.client->endpoint->reply->data, "done");
	cr_assert_eq(counters(&l)->commits, commits + 1);
	cr_assert_eq(counters(&l)->held, 0);
}

Test(domains, messages_queue_while_there_is_no_incarnation)
{
	struct life l = live();

	cr_assert_eq(receive(l.thread, SERVICE), HOST_BLOCKED);
	kill_incarnation(&l);
	cr_assert_eq(call(l.p.client, l.to, 6, 0, 0), HOST_BLOCKED);
	cr_assert_eq(counters(&l)->held, 0);
	incarnate(&l);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	cr_assert_eq(got(l.thread)->ordinal, 6);
	cr_assert_eq(reply_receive(l.thread, 0, 0, SERVICE), HOST_BLOCKED);
	cr_assert_eq(host_result(l.p.client), KERN_SUCCESS);
}

static void nested_call(struct life *l)
{
	write_text(l->thread, "below");
	cr_assert_eq(call(l->thread, l->below, 9, 6, 0), HOST_BLOCKED);
	cr_assert_eq(counters(l)->sent, 1);
	cr_assert_eq(counters(l)->received, 0);
}

static void serve_below(struct life *l)
{
	cr_assert_eq(receive(l->p.server, l->p.port), KERN_SUCCESS);
	cr_assert_str_eq((char *)l->p.server->endpoint->request->data, "below");
	write_text(l->p.server, "answer");
	cr_assert_eq(reply(l->p.server, 0, 7, 0), KERN_SUCCESS);
}

Test(domains, an_answer_comes_while_there_is_no_incarnation)
{
	struct life l = live();

	nested_call(&l);
	kill_incarnation(&l);
	serve_below(&l);
	incarnate(&l);
	cr_assert_eq(counters(&l)->sent, 1);
	cr_assert_eq(counters(&l)->received, 1);
	cr_assert_eq(trap(l.thread, msg, MSG_AWAIT), KERN_SUCCESS);
	cr_assert_str_eq((char *)l.thread->endpoint->reply->data, "answer");
}

Test(domains, the_next_incarnation_waits_for_the_answer)
{
	struct life l = live();

	nested_call(&l);
	cr_assert_eq(receive(l.p.server, l.p.port), KERN_SUCCESS);
	kill_incarnation(&l);
	incarnate(&l);
	cr_assert_eq(call(l.thread, l.below, 9, 0, 0), KERN_BUSY, "one call at a time");
	cr_assert_eq(trap(l.thread, msg, MSG_AWAIT), HOST_BLOCKED);
	cr_assert_eq(reply(l.p.server, 3, 0, 0), KERN_SUCCESS);
	cr_assert_eq(host_result(l.thread), KERN_SUCCESS);
	cr_assert_eq(answer(l.thread)->ordinal, 3);
	cr_assert_eq(counters(&l)->received, 1);
}

Test(domains, a_right_comes_while_there_is_no_incarnation)
{
	struct life l = live();

	nested_call(&l);
	cr_assert_eq(receive(l.p.server, l.p.port), KERN_SUCCESS);
	kill_incarnation(&l);
	descriptor(l.p.server, 0, port_descriptor(l.p.port, MSG_MAKE_SEND));
	cr_assert_eq(reply(l.p.server, 0, 0, 1), KERN_SUCCESS);
	incarnate(&l);
	cr_assert_eq(trap(l.thread, msg, MSG_AWAIT), KERN_SUCCESS);
	cr_assert_eq(kind_of(l.thread, l.thread->endpoint->reply->descriptor[0].name), RIGHT_SEND);
}

Test(domains, the_call_that_nobody_answers)
{
	struct life l = live();

	nested_call(&l);
	kill_incarnation(&l);
	cr_assert_eq(trap(l.p.server, right_release, l.p.port), KERN_SUCCESS);
	incarnate(&l);
	cr_assert_eq(counters(&l)->received, 1);
	cr_assert_eq(trap(l.thread, msg, MSG_AWAIT), KERN_DEAD);
}

Test(domains, counted_operations)
{
	struct life l = live();
	uint64_t before = counters(&l)->operations;
	int64_t name = host_trap(l.thread, TRAP_port_create + TRAP_COUNTED, 0, 0, 0, 0, 0, 0);

	cr_assert_gt(name, 0);
	cr_assert_eq(counters(&l)->operations, before + 1);
	cr_assert_eq(counters(&l)->operation_result, name);
	cr_assert_eq(host_trap(l.thread, TRAP_right_release + TRAP_COUNTED, 0x666, 0, 0, 0, 0, 0), KERN_INVALID_NAME);
	cr_assert_eq(counters(&l)->operations, before + 2);
	cr_assert_eq(counters(&l)->operation_result, KERN_INVALID_NAME);
	cr_assert_eq(host_trap(l.p.client, TRAP_port_create + TRAP_COUNTED, 0, 0, 0, 0, 0, 0), KERN_NOT_SUPPORTED);
	kill_incarnation(&l);
	incarnate(&l);
	cr_assert_eq(counters(&l)->operations, before + 2);
	cr_assert_eq(kind_of(l.thread, (port_name_t)name), RIGHT_RECEIVE);
}

Test(domains, a_parked_caller_outlives_the_incarnation)
{
	struct life l = live();
	int64_t name;

	cr_assert_eq(call(l.p.client, l.to, 5, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	name = host_trap(l.thread, TRAP_reply_park + TRAP_COUNTED, 0, 0, 0, 0, 0, 0);
	cr_assert_gt(name, 0);
	kill_incarnation(&l);
	incarnate(&l);
	cr_assert_eq(counters(&l)->operation_result, name);
	cr_assert_eq(trap(l.thread, msg, MSG_SEND | MSG_TO_ONCE, MSG_DESTINATION(name, 4), 0, 0), KERN_SUCCESS);
	cr_assert_eq(answer(l.p.client)->ordinal, 4);
}

Test(domains, commit_does_what_is_queued_and_then_replies)
{
	struct life l = live();
	struct thread *second = host_thread(l.p.client_task, 0);
	struct commit_operation *op;
	port_name_t gone = (port_name_t)trap(l.thread, port_create);
	uint64_t word = 0xf0f0, value = 0;
	int64_t parked;

	cr_assert_eq(call(second, l.to, 5, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	parked = trap(l.thread, reply_park);
	cr_assert_eq(call(l.p.client, l.to, 6, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	host_put(l.thread->task, KEEP, &word, sizeof(word));

	op = operation(&l, 0);
	op->kind = TRAP_right_release;
	op->a = gone;
	op = operation(&l, 1);
	op->kind = COMMIT_WORD;
	op->a = KEEP;
	op->b = 0xff;
	op->c = 0x100;
	op = operation(&l, 2);
	op->kind = COMMIT_IF; /* holds: nothing is left out */
	op->a = KEEP;
	op->b = 0xfff;
	op->c = 0x1f0;
	op->d = 1;
	op = operation(&l, 3);
	op->kind = COMMIT_REPLY;
	op->a = (uint64_t)parked;
	op->b = 0;
	op->c = MSG_LENGTH(6, 0);
	op->data = PAGE_SIZE + 1024;
	strcpy((char *)l.thread->endpoint->commit[3] + 1024 + MSG_INLINE_OFFSET, "early");
	op = operation(&l, 4);
	op->kind = COMMIT_IF; /* does not hold */
	op->a = KEEP;
	op->b = 0xf;
	op->c = 1;
	op->d = 1;
	op = operation(&l, 5);
	op->kind = COMMIT_WORD;
	op->size = 4;
	op->a = KEEP + 8;
	op->c = 1;

	write_text(l.thread, "late");
	cr_assert_eq(commit_of(&l, MSG_SEND_REPLY | MSG_LENGTH(5, 0), 0, 6), KERN_TIMED_OUT);
	cr_assert_eq(kind_of(l.thread, gone), RIGHT_NONE);
	host_get(l.thread->task, KEEP, &value, sizeof(value));
	cr_assert_eq(value, 0x1f0);
	host_get(l.thread->task, KEEP + 8, &value, sizeof(value));
	cr_assert_eq((uint32_t)value, 0);
	cr_assert_str_eq((char *)second->endpoint->reply->data, "early");
	cr_assert_str_eq((char *)l.p.client->endpoint->reply->data, "late");
	cr_assert_eq(counters(&l)->held, 0);
}

Test(domains, commit_passes_over_what_fails)
{
	struct life l = live();
	struct commit_operation *op;

	cr_assert_eq(call(l.p.client, l.to, 6, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	op = operation(&l, 0);
	op->kind = TRAP_vm_map; /* not one of those that may be queued */
	op = operation(&l, 1);
	op->kind = 65535;
	op = operation(&l, 2);
	op->kind = COMMIT_REPLY;
	op->a = 0x666;
	op->data = 4000;
	op->c = MSG_LENGTH(3000, 0);
	op = operation(&l, 3);
	op->kind = COMMIT_WORD;
	op->a = 0xdead0000;
	op = operation(&l, 4);
	op->kind = TRAP_task_resume;
	op->size = 60000;
	op = operation(&l, 5);
	op->kind = TRAP_task_resume;
	op->size = 8;
	op->data = 6 * PAGE_SIZE;
	descriptor(l.thread, 0, port_descriptor(0x777, MSG_MOVE_SEND)); /* a reply that cannot be sent */
	cr_assert_eq(commit_of(&l, MSG_SEND_REPLY | MSG_LENGTH(0, 1), 0, 6), KERN_TIMED_OUT);
	cr_assert_eq(host_result(l.p.client), KERN_SUCCESS);
	cr_assert_eq(answer(l.p.client)->ordinal, 5, "EIO");
	cr_assert_eq(commit_of(&l, 0, 0, COMMIT_OPERATIONS_MAX + 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(l.p.server, msg, MSG_COMMIT | MSG_RECEIVE, 0, l.p.port, DEADLINE_NOW, 1), KERN_INVALID_ARGUMENT);
}

/* Killed between the making of its thread and the start: the next incarnation's thread is the same one. */
Test(domains, a_thread_of_a_dead_incarnation_is_not_started)
{
	struct life l = live();
	port_name_t thread;

	kill_incarnation(&l);
	l.task = (port_name_t)trap(l.p.server, task_create, l.domain);
	thread = (port_name_t)trap(l.p.server, thread_create, l.task, 0, ENDPOINT, THREAD_SERVER | THREAD_NO_FPU);
	kill_incarnation(&l);
	cr_assert_eq(trap(l.p.server, thread_start, thread), KERN_DEAD);
	incarnate(&l);
	cr_assert_eq(trap(l.p.server, thread_start, thread), KERN_BUSY);
}

Test(domains, why_it_ended)
{
	struct life l = live();
	struct domain_info info;

	cr_assert_eq(call(l.p.client, l.to, 77, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	host_run(l.thread);
	l.thread->registers.rip = 0x401234;
	thread_exception(14, 6, 0x1000, FAULT_UNMAPPED);
	host_leave();
	cr_assert_eq(trap(l.p.server, domain_info, l.domain), KERN_SUCCESS);
	memcpy(&info, l.p.server->endpoint->send->data, sizeof(info));
	cr_assert_eq(info.running, 0);
	cr_assert_eq(info.end, DOMAIN_END_EXCEPTION);
	cr_assert_eq(info.end_held, 1);
	cr_assert_eq(info.vector, 14);
	cr_assert_eq(info.address, 0x1000);
	cr_assert_eq(info.rip, 0x401234);
	cr_assert_eq(info.ordinal, 77);
	cr_assert_eq(info.badge, BADGE);
}

Test(domains, cleared)
{
	struct life l = live();
	uint64_t word = 1;
	int64_t parked, status;

	cr_assert_eq(call(l.p.client, l.to, 5, 0, 0), HOST_BLOCKED);
	cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
	parked = trap(l.thread, reply_park);
	cr_assert_gt(parked, 0);
	cr_assert_eq(trap(l.p.server, domain_clear, l.domain), KERN_BUSY);
	kill_incarnation(&l);
	while ((status = trap(l.p.server, domain_clear, l.domain)) != KERN_SUCCESS || right_of(l.p.server, l.domain) == NULL)
		cr_assert_lt(status, 0);
	cr_assert_eq(host_result(l.p.client), KERN_NO_REPLY);
	incarnate(&l);
	cr_assert_eq(kind_of(l.thread, SERVICE), RIGHT_RECEIVE);
	cr_assert_eq(kind_of(l.thread, l.below), RIGHT_NONE);
	cr_assert_eq(vm_copy_in(l.thread->task->map, &word, KEEP, 8), 0);
}

/* A thousand deaths, in every state; then the domain itself goes, and nothing is left. */
Test(domains, nothing_leaks)
{
	struct life l = live();
	struct host_balance before, after, first;

	for (unsigned i = 0; i < 1000; i++) {
		switch (i % 4) {
		case 0:
			break;
		case 1:
			(void)receive(l.thread, SERVICE);
			break;
		case 2:
			cr_assert_eq(call(l.thread, l.below, 1, 0, 0), HOST_BLOCKED);
			break;
		default:
			cr_assert_eq(receive(l.p.server, l.p.port), KERN_SUCCESS);
			cr_assert_eq(reply(l.p.server, 0, 0, 0), KERN_SUCCESS);
		}
		kill_incarnation(&l);
		incarnate(&l);
		host_reap();
		after = host_balance();
		if (i == 3)
			first = after;
	}
	cr_assert_eq(after.bytes, first.bytes);
	cr_assert_eq(after.pages, first.pages);
	cr_assert_eq(memcmp(first.objects, after.objects, sizeof(after.objects)), 0);

	struct life fresh = {.p = l.p};
	before = host_balance();
	fresh.domain = (port_name_t)trap(l.p.server, domain_create);
	incarnate(&fresh);
	kill_incarnation(&fresh);
	cr_assert_eq(trap(l.p.server, right_release, fresh.domain), KERN_SUCCESS);
	host_reap();
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(after.bytes, before.bytes);
	cr_assert_eq(after.pages, before.pages);
}

/* What the reply releases is released after the operations, which may use it, and before the transaction counts as done. */
Test(domains, releases_are_part_of_the_commit)
{
	struct life l = live();
	port_name_t own = (port_name_t)trap(l.p.client, port_create), send, delivered;
	struct commit_operation *op;

	send = (port_name_t)trap(l.p.client, right_make, own, 3, RIGHT_NOTIFY, 0);
	for (int round = 0; round < 2; round++) {
		descriptor(l.p.client, 0, port_descriptor(send, MSG_MOVE_SEND));
		if (round == 0)
			descriptor(l.p.client, 0, port_descriptor(send, MSG_COPY_SEND));
		cr_assert_eq(call(l.p.client, l.to, 5, 0, 1), HOST_BLOCKED);
		cr_assert_eq(receive(l.thread, SERVICE), KERN_SUCCESS);
		delivered = l.thread->endpoint->request->descriptor[0].name;
		if (round == 0) { /* an incarnation that dies first has released nothing */
			kill_incarnation(&l);
			incarnate(&l);
			cr_assert_eq(kind_of(l.thread, delivered), RIGHT_SEND);
		}
		op = operation(&l, 0);
		op->kind = TRAP_port_notify;
		op->a = delivered;
		op->b = 8;
		cr_assert_eq(counters(&l)->held, 1);
		if (round == 0)
			cr_assert_eq(commit_of(&l, MSG_SEND_REPLY | MSG_RELEASE(0), 0, 1), KERN_TIMED_OUT);
		else
			cr_assert_eq(trap(l.thread, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_RELEASE(0), 0, SERVICE, DEADLINE_NOW),
				     KERN_TIMED_OUT);
		cr_assert_eq(counters(&l)->held, 0);
		cr_assert_eq(kind_of(l.thread, delivered), RIGHT_NONE);
		cr_assert_eq(host_result(l.p.client), KERN_SUCCESS);
		if (round == 0) {
			cr_assert_eq(poll(l.p.client, own), KERN_SUCCESS);
			cr_assert_eq(got(l.p.client)->kind, MSG_NOTIFY);
			cr_assert_eq(got(l.p.client)->word, 8);
		}
	}
	cr_assert_eq(port_of(l.p.client, own)->senders, 0);
}
