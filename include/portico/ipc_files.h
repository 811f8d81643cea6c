/*
 * The files below /proc that ipcd serves, and the badge that proc gives to a right on ipcd when it refers an open to it.
 *
 * proc knows their names, modes and attributes; ipcd what they say.
 */
#ifndef PORTICO_IPC_FILES_H
#define PORTICO_IPC_FILES_H

#include <stdint.h>

enum ipc_file {
	IPC_FILE_LIST_SHM, /* /proc/sysvipc */
	IPC_FILE_LIST_SEM,
	IPC_FILE_LIST_MSG,
	IPC_FILE_SHMMAX, /* /proc/sys/kernel */
	IPC_FILE_SHMALL,
	IPC_FILE_SHMMNI,
	IPC_FILE_SEM,
	IPC_FILE_MSGMAX,
	IPC_FILE_MSGMNB,
	IPC_FILE_MSGMNI,
	IPC_FILE_MQ_QUEUES_MAX, /* /proc/sys/fs/mqueue */
	IPC_FILE_MQ_MSG_MAX,
	IPC_FILE_MQ_MSGSIZE_MAX,
	IPC_FILE_MQ_MSG_DEFAULT,
	IPC_FILE_MQ_MSGSIZE_DEFAULT,
	IPC_FILES,
};

#define IPC_BADGE_KIND_FILE 2u

/* Badge of a referred right: the file, open flags (O_ACCMODE, O_NONBLOCK, ...), a serial number that tells descriptions apart. */
#define IPC_FILE_BADGE(file, flags, serial) \
	((uint64_t)IPC_BADGE_KIND_FILE << 56 | (uint64_t)(file) << 48 | (uint64_t)((flags) & 0xffffff) << 24 | ((serial) & 0xffffff))
#define IPC_BADGE_FILE(badge) ((uint32_t)((badge) >> 48) & 0xffu)
#define IPC_BADGE_FLAGS(badge) ((uint32_t)((badge) >> 24) & 0xffffffu)

#endif
