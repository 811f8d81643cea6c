/* Names and rights: what a space holds, and how rights are made, copied, described, inherited and given up. */
#include "play.h"

Test(names, given_names_carry_a_generation)
{
	struct play p = play_start();
	port_name_t first = (port_name_t)trap(p.client, port_create), second;

	cr_assert_eq(first & NAME_CHOSEN, 0);
	cr_assert_eq(trap(p.client, right_release, first), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_release, first), KERN_INVALID_NAME);
	do {
		second = (port_name_t)trap(p.client, port_create);
		cr_assert_neq(second, first);
		if (second >> 8 != first >> 8)
			continue;
		cr_assert_eq(second & 0xff, (first & 0xff) + 1);
	} while (second >> 8 != first >> 8);
	cr_assert_eq(kind_of(p.client, first), RIGHT_NONE);
	cr_assert_eq(kind_of(p.client, second), RIGHT_RECEIVE);
}

Test(names, chosen_names)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.client, port_create, 0x80001234), 0x80001234);
	cr_assert_eq(trap(p.client, port_create, 0x80001234), KERN_NAME_EXISTS);
	cr_assert_eq(trap(p.client, port_create, 0x1234), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, port_create, NAME_CHOSEN_MAX), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.client, port_create, NAME_CHOSEN_MAX - 1), NAME_CHOSEN_MAX - 1);
	cr_assert_eq(trap(p.client, port_create, 0, QUEUE_LIMIT_MAX + 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(kind_of(p.client, 0x80001235), RIGHT_NONE);
	cr_assert_eq(trap(p.client, right_release, 0x800ffff0), KERN_INVALID_NAME);
}

Test(names, many_names_and_back)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t names[1000];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1000; i++)
			cr_assert_gt((names[i] = (port_name_t)trap(p.client, port_create)), 0);
		for (int i = 0; i < 1000; i++)
			cr_assert_eq(trap(p.client, right_release, names[i]), KERN_SUCCESS);
	}
	after = host_balance();
	cr_assert_eq(after.objects[KOBJ_PORT], before.objects[KOBJ_PORT]);
}

Test(names, send_rights_copy_and_describe)
{
	struct play p = play_start();
	port_name_t made = (port_name_t)trap(p.server, right_make, p.port, 7, RIGHT_MINT | RIGHT_NOTIFY, 0), copy;
	struct right_info info = info_of(p.server, made);

	cr_assert_eq(info.kind, RIGHT_SEND);
	cr_assert_eq(info.object, KOBJ_PORT);
	cr_assert_eq(info.badge, 7);
	cr_assert_eq(info.flags, RIGHT_MINT | RIGHT_NOTIFY);
	cr_assert_eq(info.receiver, p.server_task->space->object.id);
	copy = (port_name_t)trap(p.server, right_copy, made, RIGHT_NOTIFY | RIGHT_INHERIT | RIGHT_CONTROL, 0x80002000);
	cr_assert_eq(copy, 0x80002000);
	info = info_of(p.server, copy);
	cr_assert_eq(info.flags, RIGHT_NOTIFY | RIGHT_INHERIT);
	cr_assert_eq(info_of(p.server, p.port).senders, 3);
	cr_assert_eq(trap(p.server, right_copy, p.port, 0, 0), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.server, right_copy, made, 0, 0x80002000), KERN_NAME_EXISTS);
	cr_assert_eq(info_of(p.server, p.port).senders, 3);
}

Test(names, minting)
{
	struct play p = play_start();
	port_name_t mint = give_right(port_of(p.server, p.port), 0, RIGHT_MINT, p.client_task), made;

	made = (port_name_t)trap(p.client, right_make, mint, 99, 0, 0);
	cr_assert_eq(info_of(p.client, made).badge, 99);
	cr_assert_eq(trap(p.client, right_make, made, 98, 0, 0), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.client, right_make, mint, 98, RIGHT_NOTIFY, 0), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.client, right_make, mint, 98, RIGHT_CONTROL, 0), KERN_INVALID_ARGUMENT);
	cr_assert_gt(trap(p.client, right_make, mint, 98, RIGHT_INHERIT, 0), 0);
}

Test(names, rename)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.server, right_rename, p.port, 0x80003000), 0x80003000);
	cr_assert_eq(kind_of(p.server, p.port), RIGHT_NONE);
	cr_assert_eq(port_of(p.server, 0x80003000)->name, 0x80003000);
	cr_assert_eq(trap(p.server, right_rename, 0x80003000, 0x80003000), KERN_NAME_EXISTS);
	cr_assert_eq(trap(p.server, right_rename, 5, 0x80003001), KERN_INVALID_NAME);
}

Test(names, dead_names)
{
	struct play p = play_start();

	cr_assert_eq(trap(p.server, right_release, p.port), KERN_SUCCESS);
	cr_assert_eq(kind_of(p.client, p.send), RIGHT_DEAD_NAME);
	cr_assert_eq(call(p.client, p.send, 1, 0, 0), KERN_DEAD);
	cr_assert_eq(send_oneway(p.client, p.send, 1, 0, 0), KERN_DEAD);
	cr_assert_eq(trap(p.client, right_copy, p.send, 0, 0), KERN_DEAD);
	cr_assert_eq(trap(p.client, right_release, p.send), KERN_SUCCESS);
}

Test(names, inheritance)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	int64_t status;
	struct task *child;
	port_name_t kept = give_right(port_of(p.server, p.port), 1, RIGHT_INHERIT, p.client_task);
	port_name_t chosen = (port_name_t)trap(p.client, right_copy, kept, RIGHT_INHERIT, 0x80001000);

	child = task_duplicate(p.client_task, TASK_DUP_RIGHTS, p.client_task->ledger, &status);
	cr_assert_not_null(child);
	cr_assert_not_null(space_find(child->space, kept));
	cr_assert_not_null(space_find(child->space, chosen));
	cr_assert_null(space_find(child->space, p.send));
	cr_assert_eq(port_of(p.server, p.port)->senders, 5);
	cr_assert_eq(trap(p.client, right_inherit, p.send, 1), KERN_SUCCESS);
	cr_assert_eq(info_of(p.client, p.send).flags, RIGHT_INHERIT);
	object_unref(OBJECT(child));
	host_reap();
	cr_assert_eq(port_of(p.server, p.port)->senders, 3);
	cr_assert_eq(trap(p.client, right_release, kept), KERN_SUCCESS);
	cr_assert_eq(trap(p.client, right_release, chosen), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
}

Test(names, insert_and_extract)
{
	struct play p = play_start();
	port_name_t task = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client_task), RIGHT_CONTROL, 0);
	port_name_t weak = (port_name_t)right_enter_object(p.server_task->space, OBJECT(p.client_task), RIGHT_INFO, 0);
	int64_t name;

	p.server->endpoint->block->argument[0] = 5;
	p.server->endpoint->block->argument[1] = RIGHT_INHERIT;
	cr_assert_eq(trap(p.server, right_insert, weak, 0x80000002, p.port, MSG_MAKE_SEND), KERN_NO_ACCESS);
	cr_assert_eq(trap(p.server, right_insert, task, 0x80000002, p.port, MSG_MAKE_SEND), 0x80000002);
	cr_assert_eq(info_of(p.client, 0x80000002).badge, 5);
	cr_assert_eq(info_of(p.client, 0x80000002).flags, RIGHT_INHERIT);
	cr_assert_eq(trap(p.server, right_insert, task, 0x80000002, p.port, MSG_MOVE_RECEIVE), KERN_NAME_EXISTS);
	cr_assert_eq(port_of(p.server, p.port)->space, p.server_task->space);
	cr_assert_eq(trap(p.server, right_insert, task, 0x80000003, p.port, MSG_MOVE_RECEIVE), 0x80000003);
	cr_assert_eq(port_of(p.client, 0x80000003)->space, p.client_task->space);
	cr_assert_eq(port_of(p.client, 0x80000003)->name, 0x80000003);
	p.server->endpoint->block->argument[1] = 0;
	name = trap(p.server, right_extract, task, 0x80000002, MSG_COPY_SEND, 0);
	cr_assert_gt(name, 0);
	cr_assert_eq(info_of(p.server, (port_name_t)name).badge, 5);
	cr_assert_eq(trap(p.server, right_extract, task, 0x80000009, MSG_COPY_SEND, 0), KERN_INVALID_NAME);
	cr_assert_eq(trap(p.server, right_extract, task, 0x80000002, 77, 0), KERN_INVALID_ARGUMENT);
}

Test(names, a_space_apart_outlives_its_task)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	port_name_t space = (port_name_t)trap(p.server, space_create), task;

	p.server->endpoint->block->argument[0] = 1;
	cr_assert_eq(trap(p.server, right_insert, space, 0x80000001, p.port, MSG_MAKE_SEND), 0x80000001);
	task = (port_name_t)trap(p.server, task_create, space, 0, 0);
	cr_assert_eq(trap(p.server, task_terminate, task), KERN_SUCCESS);
	cr_assert_eq(kind_of(p.server, task), RIGHT_DEAD_NAME);
	cr_assert_gt(trap(p.server, right_extract, space, 0x80000001, MSG_COPY_SEND, 0x80009999), 0);
	cr_assert_eq(trap(p.server, right_release, 0x80009999), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, task), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, right_release, space), KERN_SUCCESS);
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
}

/* Spaces that hold the last right to one another: the end of one must not go deep into the stack. */
Test(names, chains_of_spaces)
{
	struct play p = play_start();
	struct host_balance before = host_balance(), after;
	struct ipc_space *last = NULL;

	for (int i = 0; i < 1500; i++) {
		struct ipc_space *space = ipc_space_create(p.server_task->ledger);
		cr_assert_not_null(space);
		if (last != NULL) {
			cr_assert_gt(right_enter_object(space, OBJECT(last), RIGHT_CONTROL, 0), 0);
			object_unref(OBJECT(last));
		}
		last = space;
	}
	object_unref(OBJECT(last));
	after = host_balance();
	cr_assert_eq(memcmp(before.objects, after.objects, sizeof(before.objects)), 0);
	cr_assert_eq(after.bytes, before.bytes);
}
