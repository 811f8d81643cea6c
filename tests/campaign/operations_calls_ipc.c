/*
 * Every routine of interface ipc, past libposix: see operations_calls.c. Ids are not noted: each object has another.
 */
#define _GNU_SOURCE
#include "operations_calls.h"
#include <fcntl.h>
#include <ipc_client.h>
#include <portico/client.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>

#define KEY 0x4b51
#define QUEUE "kpcalls"

static char text[4096];

static void release_if(int error, port_name_t right)
{
	if (error == 0 && right != PORT_NULL)
		client_release_right(right);
}

static void segments(void)
{
	struct ipc_shm_status status = {0};
	struct ipc_shm_information info;
	port_name_t object = PORT_NULL;
	uint64_t size = 0;
	int32_t id = -1;
	int error;
	note("shm_get %d", ipc_shm_get(NAME_IPC, KEY, 5000, IPC_CREAT | 0600, &id));
	note("shm_lock %d", ipc_shm_lock(NAME_IPC, id, 1));
	note("shm_lock %d", ipc_shm_lock(NAME_IPC, id, 0));
	note("shm_set %d", ipc_shm_set(NAME_IPC, id, 1, 2, 0640));
	note("shm_attach %d", error = ipc_shm_attach(NAME_IPC, id, 0, &object, &size));
	release_if(error, object);
	note("shm_stat %d", ipc_shm_stat(NAME_IPC, IPC_NAMING_ID, id, &status));
	note("size %u attached %u mode %o uid %u", (unsigned)size, (unsigned)status.attaches, status.perm.mode, status.perm.uid);
	note("shm_info %d", ipc_shm_info(NAME_IPC, &info));
	note("shm_detach %d", ipc_shm_detach(NAME_IPC, id));
	note("shm_remove %d", ipc_shm_remove(NAME_IPC, id));
	note("shm_stat %d", ipc_shm_stat(NAME_IPC, IPC_NAMING_ID, id, &status));
}

static void semaphores(void)
{
	const struct ipc_sem_operation both[2] = {{0, -1, 0}, {1, 2, 0}};
	struct ipc_sem_status status = {0};
	struct ipc_sem_information info;
	uint16_t values[2] = {3, 4};
	port_name_t page = PORT_NULL;
	uint32_t count = 0, value = 0;
	int32_t id = -1;
	int error;
	note("sem_get %d", ipc_sem_get(NAME_IPC, KEY, 2, IPC_CREAT | 0600, &id));
	note("sem_set_all %d", ipc_sem_set_all(NAME_IPC, id, values, sizeof values));
	note("sem_operate %d", ipc_sem_operate(NAME_IPC, id, both, 2));
	note("sem_get_value %d", ipc_sem_get_value(NAME_IPC, id, 1, IPC_SEM_VALUE_VALUE, &value));
	note("is %u", value);
	note("sem_set_value %d", ipc_sem_set_value(NAME_IPC, id, 0, 9));
	note("sem_map %d", error = ipc_sem_map(NAME_IPC, id, &page, &count));
	release_if(error, page);
	note("sem_get_all %d", ipc_sem_get_all(NAME_IPC, id, values, sizeof values, &count));
	note("are %u %u", values[0], values[1]);
	note("sem_set %d", ipc_sem_set(NAME_IPC, id, 1, 2, 0640));
	note("sem_stat %d", ipc_sem_stat(NAME_IPC, IPC_NAMING_ID, id, &status));
	note("count %u uid %u", status.count, status.perm.uid);
	note("sem_info %d", ipc_sem_info(NAME_IPC, &info));
	note("sem_remove %d", ipc_sem_remove(NAME_IPC, id));
}

static void messages(void)
{
	struct ipc_msg_status status = {0};
	struct ipc_msg_information info;
	uint64_t size = 0;
	int64_t found = 0;
	int32_t id = -1;
	size_t count = 0;
	memset(text, 'm', sizeof text);
	note("msg_get %d", ipc_msg_get(NAME_IPC, KEY, IPC_CREAT | 0600, &id));
	note("msg_send_inline %d", ipc_msg_send_inline(NAME_IPC, id, 3, IPC_NOWAIT, text, 50));
	note("msg_send %d", ipc_msg_send(NAME_IPC, id, 4, IPC_NOWAIT, text, 3000));
	note("msg_set %d", ipc_msg_set(NAME_IPC, id, 1, 2, 0640, 10000));
	note("msg_stat %d", ipc_msg_stat(NAME_IPC, IPC_NAMING_ID, id, &status));
	note("messages %u bytes %u of %u uid %u", (unsigned)status.count, (unsigned)status.bytes, (unsigned)status.max_bytes, status.perm.uid);
	memset(text, 0, sizeof text);
	note("msg_receive %d", ipc_msg_receive(NAME_IPC, id, 4, IPC_NOWAIT, text, sizeof text, &found, &size));
	note_bytes(text, size);
	note("msg_receive_inline %d", ipc_msg_receive_inline(NAME_IPC, id, 100, 0, IPC_NOWAIT, &found, text, sizeof text, &count));
	note_bytes(text, count);
	note("type %u", (unsigned)found);
	note("msg_receive_inline %d", ipc_msg_receive_inline(NAME_IPC, id, 100, 0, IPC_NOWAIT, &found, text, sizeof text, &count));
	note("msg_info %d", ipc_msg_info(NAME_IPC, &info));
	note("msg_remove %d", ipc_msg_remove(NAME_IPC, id));
}

static void queues(void)
{
	struct ipc_mq_attributes attributes = {.max_messages = 5, .message_size = 4000}, previous = {0};
	port_name_t queue = PORT_NULL;
	uint32_t priority = 0;
	uint64_t size = 0;
	size_t count = 0;
	int error;
	memset(text, 'q', sizeof text);
	note("mq_open %d", error = ipc_mq_open(NAME_IPC, QUEUE, O_CREAT | O_RDWR | O_NONBLOCK, 0600, 1, &attributes, &queue));
	if (error != 0)
		return;
	note("mq_notify %d", ipc_mq_notify(queue, 1, 0, 0));
	note("mq_notify %d", ipc_mq_notify(queue, UINT32_MAX, 0, 0));
	note("mq_send_inline %d", ipc_mq_send_inline(queue, 1, 0, text, 40));
	note("mq_send %d", ipc_mq_send(queue, 7, 0, text, 3000));
	note("mq_attributes %d", ipc_mq_attributes(queue, 0, 0, &previous));
	note("messages %u", (unsigned)previous.current);
	memset(text, 0, sizeof text);
	note("mq_receive %d", ipc_mq_receive(queue, 0, text, sizeof text, &priority, &size));
	note_bytes(text, size);
	note("mq_receive_inline %d", ipc_mq_receive_inline(queue, sizeof text > 2048 ? 2048 : sizeof text, 0, &priority, text, sizeof text, &count));
	note("mq_receive %d", ipc_mq_receive(queue, 0, text, sizeof text, &priority, &size));
	note("priority %u", priority);
	note("mq_receive %d", ipc_mq_receive(queue, 0, text, sizeof text, &priority, &size));
	client_release_right(queue);
	note("mq_unlink %d", ipc_mq_unlink(NAME_IPC, QUEUE));
}

void calls_ipc_all(void)
{
	segments();
	semaphores();
	messages();
	queues();
}
