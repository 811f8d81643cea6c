/* Windows: a server copies to and from its caller's memory while the call lasts. */
#include "play.h"

#define NOWHERE 0x7000000ul

static void open_window(struct play *p, uint64_t address, uint64_t size, uint16_t flags)
{
	descriptor(p->client, 0, (struct msg_descriptor){.type = MSG_DESC_WINDOW, .address = address, .size = size,
							 .flags = flags});
	cr_assert_eq(call(p->client, p->send, 1, 0, 1), HOST_BLOCKED);
	cr_assert_eq(receive(p->server, p->port), KERN_SUCCESS);
	cr_assert_eq(p->server->endpoint->request->descriptor[0].size, size);
	cr_assert_eq(p->server->endpoint->request->descriptor[0].flags, flags);
	cr_assert_eq(p->server->endpoint->request->descriptor[0].address, 0);
}

Test(windows, read_and_write)
{
	struct play p = play_start();
	char text[16] = "";

	host_put(p.client_task, BUFFER + 100, "from client", 12);
	host_put(p.server_task, BUFFER, "from server", 12);
	open_window(&p, BUFFER + 100, 50, MSG_WINDOW_READ | MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 5, BUFFER + 200, 7), 7);
	host_get(p.server_task, BUFFER + 200, text, 7);
	cr_assert_str_eq(text, "client");
	cr_assert_eq(trap(p.server, window_write, 0, 0, 10, BUFFER, 12), 12);
	host_get(p.client_task, BUFFER + 110, text, 12);
	cr_assert_str_eq(text, "from server");
	cr_assert_eq(trap(p.server, window_read, 0, 0, 50, BUFFER, 0), 0);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 40, BUFFER, 11), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 51, BUFFER, 0), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, window_read, 0, 0, UINT64_MAX, BUFFER, 2), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, window_read, 0, 1, 0, BUFFER, 1), KERN_INVALID_ARGUMENT);
	cr_assert_eq(trap(p.server, window_read, p.port, 0, 0, BUFFER, 1), KERN_INVALID_RIGHT);
	cr_assert_eq(trap(p.server, window_read, 999, 0, 0, BUFFER, 1), KERN_INVALID_NAME);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 0, BUFFER, 1), KERN_GONE);
}

Test(windows, permissions)
{
	struct play p = play_start();

	open_window(&p, BUFFER, 50, MSG_WINDOW_READ);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, BUFFER, 1), KERN_NO_ACCESS);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	open_window(&p, BUFFER, 50, MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 0, BUFFER, 1), KERN_NO_ACCESS);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_WINDOW, .address = BUFFER, .size = 8, .flags = 1});
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), KERN_INVALID_ARGUMENT);
	descriptor(p.client, 0, (struct msg_descriptor){.type = MSG_DESC_WINDOW, .address = BUFFER, .size = USER_MAX, .flags = 2});
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), KERN_FAULT);
}

Test(windows, faults_on_either_side)
{
	struct play p = play_start();

	open_window(&p, NOWHERE, 50, MSG_WINDOW_READ | MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 8, BUFFER, 4), KERN_PEER_FAULT);
	cr_assert_eq(p.server->endpoint->block->result[0], NOWHERE + 8);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 9, BUFFER, 4), KERN_PEER_FAULT);
	cr_assert_eq(p.server->endpoint->block->result[0], NOWHERE + 9);
	cr_assert_eq(reply(p.server, 0, 0, 0), KERN_SUCCESS);
	open_window(&p, BUFFER, 5 * PAGE_SIZE, MSG_WINDOW_READ | MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, NOWHERE, 4), KERN_FAULT);
	cr_assert_eq(trap(p.server, window_read, 0, 0, 0, NOWHERE, 4), KERN_FAULT);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 3 * PAGE_SIZE, BUFFER, PAGE_SIZE + 10), PAGE_SIZE, "up to the fault");
	cr_assert_eq(trap(p.server, window_write, 0, 0, 4 * PAGE_SIZE, BUFFER, 10), KERN_PEER_FAULT);
	cr_assert_eq(p.server->endpoint->block->result[0], BUFFER + 4 * PAGE_SIZE);
}

Test(windows, restart)
{
	struct play p = play_start();
	uint64_t rip = p.client->registers.rip;

	open_window(&p, NOWHERE, 50, MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, BUFFER, 4), KERN_PEER_FAULT);
	descriptor(p.server, 0, (struct msg_descriptor){.address = NOWHERE, .flags = 0});
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RESTART, 0, 0, 0), KERN_INVALID_ARGUMENT);
	descriptor(p.server, 0, (struct msg_descriptor){.address = NOWHERE, .flags = MSG_WINDOW_WRITE});
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RESTART, 0, 0, 0), KERN_SUCCESS);
	cr_assert_eq(p.client->registers.rip, rip);
	cr_assert_eq((int64_t)p.client->registers.rax, -TRAP_msg);
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), KERN_FAULT, "the page cannot be had");
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), HOST_BLOCKED, "that was this once");
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, msg, MSG_SEND_REPLY | MSG_RESTART, 0, 0, 0), KERN_SUCCESS);
	host_map(p.client_task, NOWHERE, 1);
	cr_assert_eq(call(p.client, p.send, 1, 0, 1), HOST_BLOCKED);
	cr_assert_eq(receive(p.server, p.port), KERN_SUCCESS);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, BUFFER, 4), 4);
}

Test(windows, parked)
{
	struct play p = play_start();
	port_name_t parked;
	char text[8] = "";

	open_window(&p, BUFFER, 50, MSG_WINDOW_WRITE);
	host_put(p.server_task, BUFFER, "parked", 7);
	parked = (port_name_t)trap(p.server, reply_park);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, BUFFER, 7), KERN_GONE);
	cr_assert_eq(trap(p.server, window_write, parked, 0, 0, BUFFER, 7), 7);
	host_get(p.client_task, BUFFER, text, 7);
	cr_assert_str_eq(text, "parked");
	descriptor(p.server, 0, (struct msg_descriptor){.address = BUFFER, .flags = MSG_WINDOW_WRITE});
	cr_assert_eq(trap(p.server, msg, MSG_SEND | MSG_TO_ONCE | MSG_RESTART, parked, 0, 0), KERN_SUCCESS);
	cr_assert_eq(kind_of(p.server, parked), RIGHT_NONE);
	cr_assert_eq(host_result(p.client), -TRAP_msg);
}

Test(windows, bounded_chunks)
{
	struct play p = play_start();

	host_map(p.client_task, 0x10000000, 64);
	host_map(p.server_task, 0x10000000, 64);
	open_window(&p, 0x10000000, 64 * PAGE_SIZE, MSG_WINDOW_WRITE);
	cr_assert_eq(trap(p.server, window_write, 0, 0, 0, 0x10000000, 64 * PAGE_SIZE), 0x10000);
}
