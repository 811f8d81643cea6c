/*
 * A server and a client for the tests of the message path: two tasks, a thread each, a port of the server's and a send right with a
 * badge in the client's space.
 */
#ifndef TESTS_KERNEL_IPC_PLAY_H
#define TESTS_KERNEL_IPC_PLAY_H

#include "../host_arch.h"
#include <criterion/criterion.h>
#include <string.h>

#define BADGE 42u
#define CLIENT_PRINCIPAL 0x77u
#define BUFFER 0x500000ul /* four pages in each task */

struct play {
	struct task *server_task, *client_task;
	struct thread *server, *client;
	port_name_t port; /* receive right, the server's */
	port_name_t send; /* send right, the client's */
};

static inline struct right *right_of(struct thread *thread, port_name_t name)
{
	return space_find(thread->task->space, name);
}

static inline struct port *port_of(struct thread *thread, port_name_t name)
{
	return right_of(thread, name)->port;
}

static inline port_name_t give_right(struct port *port, uint64_t badge, uint32_t flags, struct task *task)
{
	int64_t status = KERN_SUCCESS;
	struct right right = {.kind = RIGHT_SEND, .object_kind = KOBJ_PORT, .flags = flags};

	right.sender = port_make_sender(port, badge, &status);
	cr_assert_not_null(right.sender);
	status = space_enter(task->space, PORT_NULL, &right);
	cr_assert_geq(status, 0);
	return (port_name_t)status;
}

static inline struct play play_start(void)
{
	struct play p;

	host_start();
	p.server_task = host_task();
	p.client_task = host_task();
	p.client_task->principal = CLIENT_PRINCIPAL;
	p.server = host_thread(p.server_task, THREAD_SERVER | THREAD_NO_FPU);
	p.client = host_thread(p.client_task, THREAD_SERVER);
	p.server->priority = p.client->priority = PRIORITY_PROCESS;
	host_map(p.server_task, BUFFER, 4);
	host_map(p.client_task, BUFFER, 4);
	p.port = (port_name_t)trap(p.server, port_create);
	cr_assert_gt((int32_t)p.port, 0);
	p.send = give_right(port_of(p.server, p.port), BADGE, 0, p.client_task);
	return p;
}

static inline void write_text(struct thread *thread, const char *text)
{
	strcpy((char *)thread->endpoint->send->data, text);
}

static inline int64_t receive(struct thread *thread, port_name_t name)
{
	return trap(thread, msg, MSG_RECEIVE, 0, name, DEADLINE_NEVER);
}

static inline int64_t poll(struct thread *thread, port_name_t name)
{
	return trap(thread, msg, MSG_RECEIVE, 0, name, DEADLINE_NOW);
}

static inline int64_t call(struct thread *thread, port_name_t to, uint32_t ordinal, uint32_t length, uint32_t descriptors)
{
	return trap(thread, msg, MSG_CALL | MSG_LENGTH(length, descriptors), MSG_DESTINATION(to, ordinal), 0, DEADLINE_NEVER);
}

static inline int64_t send_oneway(struct thread *thread, port_name_t to, uint32_t ordinal, uint32_t length, uint32_t descriptors)
{
	return trap(thread, msg, MSG_SEND | MSG_LENGTH(length, descriptors), MSG_DESTINATION(to, ordinal), 0, DEADLINE_NOW);
}

static inline int64_t reply(struct thread *thread, uint32_t error, uint32_t length, uint32_t descriptors)
{
	return trap(thread, msg, MSG_SEND_REPLY | MSG_LENGTH(length, descriptors), MSG_DESTINATION(0, error), 0,
		    DEADLINE_NEVER);
}

static inline int64_t reply_receive(struct thread *thread, uint32_t error, uint32_t length, port_name_t port)
{
	return trap(thread, msg, MSG_SEND_REPLY | MSG_RECEIVE | MSG_LENGTH(length, 0), MSG_DESTINATION(0, error), port,
		    DEADLINE_NEVER);
}

static inline const struct msg_header *got(struct thread *thread) { return &thread->endpoint->request->header; }
static inline const struct msg_header *answer(struct thread *thread) { return &thread->endpoint->reply->header; }

static inline void descriptor(struct thread *thread, unsigned index, struct msg_descriptor d)
{
	thread->endpoint->send->descriptor[index] = d;
}

static inline struct msg_descriptor port_descriptor(port_name_t name, uint8_t disposition)
{
	return (struct msg_descriptor){.type = MSG_DESC_PORT, .disposition = disposition, .name = name};
}

static inline uint32_t kind_of(struct thread *thread, port_name_t name)
{
	struct right_info info;

	if (trap(thread, right_info, name) != KERN_SUCCESS)
		return RIGHT_NONE;
	memcpy(&info, thread->endpoint->block->result, sizeof(info));
	return info.kind;
}

static inline struct right_info info_of(struct thread *thread, port_name_t name)
{
	struct right_info info;

	cr_assert_eq(trap(thread, right_info, name), KERN_SUCCESS);
	memcpy(&info, thread->endpoint->block->result, sizeof(info));
	return info;
}

#endif
