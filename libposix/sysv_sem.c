/*
 * System V semaphores: semget, semop, semtimedop, semctl. man 2 semop, semctl. Above: table.c. Below: ipcd.
 */
#include "sysv.h"

#include "linux.h"
#include "sem_fast.h"
#include "thread.h"
#include "time.h"
#include "usercopy.h"

#include <ipc_client.h>

#define ALL_VALUES 131072u /* bytes of a window that holds any set */

_Static_assert(sizeof(struct linux_sembuf) == sizeof(struct ipc_sem_operation), "passed on as they are");

int64_t sys_semget(int32_t key, int32_t count, uint32_t flags)
{
	int32_t id = -1;
	int error = ipc_sem_get(NAME_IPC, key, count, flags, &id);
	return error ? result_of(error) : id;
}

/*
 * ipcd answers EINTR when the call was interrupted and when it is overdue. One that was overdue before ipcd saw it is made all the same, and does
 * not wait. semop is never begun again.
 */
static int64_t operate(int32_t id, struct ipc_sem_operation *operations, size_t count, uint64_t deadline)
{
	int error = ipc_sem_operate_until(NAME_IPC, id, operations, count, deadline);

	if (error == EINTR && deadline != DEADLINE_NEVER && clock_monotonic() >= deadline)
		return -EAGAIN;
	if (error == ETIMEDOUT) {
		for (size_t i = 0; i < count; i++)
			operations[i].flags |= L_IPC_NOWAIT;
		error = ipc_sem_operate(NAME_IPC, id, operations, count);
	}
	if (error == EINTR) {
		attend_to_signals();
		return -EINTR;
	}
	return result_of(error);
}

int64_t sys_semtimedop(int32_t id, const struct linux_sembuf *user, uint64_t count, const struct linux_timespec *timeout)
{
	struct ipc_sem_operation operations[IPC_SEM_OPERATIONS_MAX];
	uint64_t deadline = DEADLINE_NEVER;

	if (id < 0 || (uint32_t)count < 1)
		return -EINVAL;
	if ((uint32_t)count > IPC_SEM_OPERATIONS_MAX)
		return -E2BIG;
	count = (uint32_t)count;
	if (user_copy(operations, user, count * sizeof(operations[0])))
		return -EFAULT;
	int64_t error = timeout != NULL ? deadline_from_user(timeout, &deadline) : 0;
	if (error)
		return error;
	return operate(id, operations, count, deadline);
}

int64_t sys_semop(int32_t id, const struct linux_sembuf *user, uint64_t count)
{
	struct ipc_sem_operation operation;

	if (count != 1 || id < 0)
		return sys_semtimedop(id, user, count, NULL);
	if (user_copy(&operation, user, sizeof(operation)))
		return -EFAULT;
	if (sem_fast(id, &operation))
		return 0;
	int64_t result = operate(id, &operation, 1, DEADLINE_NEVER);
	if (result == 0 && !(operation.flags & L_SEM_UNDO))
		sem_fast_learn(id);
	return result;
}

/* ---- semctl ---- */

static int64_t status_of(uint32_t naming, int32_t id, struct linux_semid_ds *user)
{
	struct ipc_sem_status status;
	int error = ipc_sem_stat(NAME_IPC, naming, id, &status);

	if (error)
		return result_of(error);
	struct linux_semid_ds ds = { .perm = sysv_perm(&status.perm), .otime = status.operation_time, .ctime = status.change_time,
				     .nsems = status.count };
	if (user_put(user, &ds))
		return -EFAULT;
	return naming == IPC_NAMING_ID ? 0 : status.id;
}

static int64_t set(int32_t id, const struct linux_semid_ds *user)
{
	struct linux_semid_ds ds;

	if (user_get(&ds, user))
		return -EFAULT;
	return result_of(ipc_sem_set(NAME_IPC, id, ds.perm.uid, ds.perm.gid, ds.perm.mode));
}

static int64_t information(bool usage, struct linux_seminfo *user)
{
	enum { UNDO_SIZE = 20, ADJUST_MAX = 32767, VALUE_MAX = 32767 };
	struct ipc_sem_information info;
	int error = ipc_sem_info(NAME_IPC, &info);

	if (error)
		return result_of(error);
	struct linux_seminfo seminfo = {
		.semmap = (int32_t)info.max_total, .semmni = (int32_t)info.max_sets, .semmns = (int32_t)info.max_total,
		.semmnu = (int32_t)info.max_total, .semmsl = (int32_t)info.max_per_set, .semopm = (int32_t)info.max_operations,
		.semume = (int32_t)info.max_operations, .semusz = usage ? (int32_t)info.sets : UNDO_SIZE, .semvmx = VALUE_MAX,
		.semaem = usage ? (int32_t)info.total : ADJUST_MAX };
	if (user_put(user, &seminfo))
		return -EFAULT;
	return info.highest < 0 ? 0 : info.highest;
}

static int64_t value_of(int32_t id, int32_t number, uint32_t what)
{
	uint32_t value = 0;
	int error = ipc_sem_get_value(NAME_IPC, id, number, what, &value);
	return error ? result_of(error) : value;
}

static int64_t get_all(int32_t id, void *user)
{
	uint32_t count;
	return result_of(ipc_sem_get_all(NAME_IPC, id, user, ALL_VALUES, &count));
}

int64_t sys_semctl(int32_t id, int32_t number, int32_t command, uint64_t argument)
{
	void *user = (void *)argument;

	if (id < 0)
		return -EINVAL;
	switch (command) {
	case L_IPC_INFO:
	case L_SEM_INFO:
		return information(command == L_SEM_INFO, user);
	case L_IPC_STAT:
		return status_of(IPC_NAMING_ID, id, user);
	case L_SEM_STAT:
		return status_of(IPC_NAMING_PLACE, id, user);
	case L_SEM_STAT_ANY:
		return status_of(IPC_NAMING_PLACE_ANY, id, user);
	case L_GETVAL:
		return value_of(id, number, IPC_SEM_VALUE_VALUE);
	case L_GETPID:
		return value_of(id, number, IPC_SEM_VALUE_PID);
	case L_GETNCNT:
		return value_of(id, number, IPC_SEM_VALUE_WAITING_UP);
	case L_GETZCNT:
		return value_of(id, number, IPC_SEM_VALUE_WAITING_ZERO);
	case L_GETALL:
		return get_all(id, user);
	case L_SETALL:
		return result_of(ipc_sem_set_all(NAME_IPC, id, user, ALL_VALUES));
	case L_SETVAL:
		return result_of(ipc_sem_set_value(NAME_IPC, id, number, (int32_t)argument));
	case L_IPC_SET:
		return set(id, user);
	case L_IPC_RMID:
		return result_of(ipc_sem_remove(NAME_IPC, id));
	default:
		return -EINVAL;
	}
}
