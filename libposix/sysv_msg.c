/*
 * System V message queues: msgget, msgsnd, msgrcv, msgctl. man 2 msgop, msgctl. Above: table.c. Below: ipcd.
 *
 * Short texts travel in the message to ipcd, long ones through a window on the program's buffer.
 */
#include "sysv.h"

#include "linux.h"
#include "thread.h"
#include "usercopy.h"

#include <ipc_client.h>

/* struct msgbuf: the type, and the text behind it. */
#define TEXT_OFFSET sizeof(int64_t)

int64_t sys_msgget(int32_t key, uint32_t flags)
{
	int32_t id = -1;
	int error = ipc_msg_get(NAME_IPC, key, flags, &id);
	return error ? result_of(error) : id;
}

/* Neither call is begun again after a handler. */
static int64_t waited(int error)
{
	return error == EINTR ? interrupted_wait() : result_of(error);
}

int64_t sys_msgsnd(int32_t id, const void *user, uint64_t size, uint32_t flags)
{
	const uint8_t *text = (const uint8_t *)user + TEXT_OFFSET;
	uint8_t bytes[IPC_INLINE_MAX];
	int64_t type;

	if (user_get(&type, (const int64_t *)user))
		return -EFAULT;
	if (id < 0 || type < 1 || size > IPC_TEXT_MAX)
		return -EINVAL;
	if (size > sizeof(bytes))
		return waited(ipc_msg_send(NAME_IPC, id, type, flags, text, size));
	if (user_copy(bytes, text, size))
		return -EFAULT;
	return waited(ipc_msg_send_inline(NAME_IPC, id, type, flags, bytes, size));
}

int64_t sys_msgrcv(int32_t id, void *user, uint64_t size, int64_t type, uint32_t flags)
{
	uint8_t *text = (uint8_t *)user + TEXT_OFFSET;
	uint8_t bytes[IPC_INLINE_MAX];
	int64_t found = 0;
	uint64_t got = 0;
	size_t count = 0;
	int error;

	if (id < 0 || (int64_t)size < 0)
		return -EINVAL;
	if (size > sizeof(bytes)) {
		error = ipc_msg_receive(NAME_IPC, id, type, flags, text, size < IPC_TEXT_MAX ? size : IPC_TEXT_MAX, &found, &got);
	} else {
		error = ipc_msg_receive_inline(NAME_IPC, id, (uint32_t)size, type, flags, &found, bytes, sizeof(bytes), &count);
		got = count;
	}
	if (error)
		return waited(error);
	if (user_put((int64_t *)user, &found) || (size <= sizeof(bytes) && user_copy(text, bytes, got)))
		return -EFAULT;
	return (int64_t)got;
}

/* ---- msgctl ---- */

static int64_t status_of(uint32_t naming, int32_t id, struct linux_msqid_ds *user)
{
	struct ipc_msg_status status;
	int error = ipc_msg_stat(NAME_IPC, naming, id, &status);

	if (error)
		return result_of(error);
	struct linux_msqid_ds ds = {
		.perm = sysv_perm(&status.perm), .stime = status.send_time, .rtime = status.receive_time, .ctime = status.change_time,
		.cbytes = status.bytes, .qnum = status.count, .qbytes = status.max_bytes, .lspid = (int32_t)status.send_pid,
		.lrpid = (int32_t)status.receive_pid };
	if (user_put(user, &ds))
		return -EFAULT;
	return naming == IPC_NAMING_ID ? 0 : status.id;
}

static int64_t set(int32_t id, const struct linux_msqid_ds *user)
{
	struct linux_msqid_ds ds;

	if (user_get(&ds, user))
		return -EFAULT;
	return result_of(ipc_msg_set(NAME_IPC, id, ds.perm.uid, ds.perm.gid, ds.perm.mode, ds.qbytes));
}

static int64_t information(bool usage, struct linux_msginfo *user)
{
	enum { POOL_KIB = 512000, MAP_ENTRIES = 16384, HEADERS = 16384, SEGMENT_BYTES = 16, SEGMENTS = 0xffff };
	struct ipc_msg_information info;
	int error = ipc_msg_info(NAME_IPC, &info);

	if (error)
		return result_of(error);
	struct linux_msginfo msginfo = {
		.msgpool = usage ? (int32_t)info.queues : POOL_KIB, .msgmap = usage ? (int32_t)info.messages : MAP_ENTRIES,
		.msgmax = (int32_t)info.max_text, .msgmnb = (int32_t)info.max_bytes, .msgmni = (int32_t)info.max_queues,
		.msgssz = SEGMENT_BYTES, .msgtql = usage ? (int32_t)info.bytes : HEADERS, .msgseg = SEGMENTS };
	if (user_put(user, &msginfo))
		return -EFAULT;
	return info.highest < 0 ? 0 : info.highest;
}

int64_t sys_msgctl(int32_t id, int32_t command, void *user)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case L_IPC_INFO:
	case L_MSG_INFO:
		return information(command == L_MSG_INFO, user);
	case L_IPC_STAT:
		return status_of(IPC_NAMING_ID, id, user);
	case L_MSG_STAT:
		return status_of(IPC_NAMING_PLACE, id, user);
	case L_MSG_STAT_ANY:
		return status_of(IPC_NAMING_PLACE_ANY, id, user);
	case L_IPC_SET:
		return set(id, user);
	case L_IPC_RMID:
		return result_of(ipc_msg_remove(NAME_IPC, id));
	default:
		return -EINVAL;
	}
}
