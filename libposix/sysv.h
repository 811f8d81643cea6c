/*
 * System V IPC: Linux's structures and commands, and what sysv_*.c and memory.c offer each other.
 *
 * Layouts: Linux's uapi headers ipc.h, shmbuf.h, sembuf.h, msgbuf.h on x86_64; checked in tests/unit/libposix.
 */
#ifndef LIBPOSIX_SYSV_H
#define LIBPOSIX_SYSV_H

#include <ipc_types.h>
#include <stdint.h>

enum {
	L_IPC_RMID = 0, L_IPC_SET = 1, L_IPC_STAT = 2, L_IPC_INFO = 3, L_IPC_NOWAIT = 04000,
	L_MSG_STAT = 11, L_MSG_INFO = 12, L_MSG_STAT_ANY = 13, L_MSG_NOERROR = 010000, L_MSG_EXCEPT = 020000, L_MSG_COPY = 040000,
	L_SHM_LOCK = 11, L_SHM_UNLOCK = 12, L_SHM_STAT = 13, L_SHM_INFO = 14, L_SHM_STAT_ANY = 15,
	L_SHM_RDONLY = 010000, L_SHM_RND = 020000, L_SHM_REMAP = 040000, L_SHM_EXEC = 0100000,
	L_GETPID = 11, L_GETVAL = 12, L_GETALL = 13, L_GETNCNT = 14, L_GETZCNT = 15, L_SETVAL = 16, L_SETALL = 17, L_SEM_STAT = 18,
	L_SEM_UNDO = 0x1000, L_SEM_INFO = 19, L_SEM_STAT_ANY = 20,
};

struct linux_ipc_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad;
	uint32_t pad2;
	uint64_t unused[2];
};

struct linux_shmid_ds {
	struct linux_ipc_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	uint64_t nattch, unused[2];
};

struct linux_shminfo { uint64_t shmmax, shmmin, shmmni, shmseg, shmall, unused[4]; };

struct linux_shm_info {
	int32_t used_ids, pad;
	uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

struct linux_sembuf { uint16_t num; int16_t op, flg; };

struct linux_semid_ds {
	struct linux_ipc_perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2, nsems, unused3[2];
};

struct linux_seminfo { int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem; };

struct linux_msqid_ds {
	struct linux_ipc_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused[2];
};

struct linux_msginfo {
	int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	uint16_t msgseg, pad;
};

_Static_assert(sizeof(struct linux_ipc_perm) == 48, "Linux");
_Static_assert(sizeof(struct linux_shmid_ds) == 112, "Linux");
_Static_assert(sizeof(struct linux_semid_ds) == 104, "Linux");
_Static_assert(sizeof(struct linux_msqid_ds) == 120, "Linux");

static inline struct linux_ipc_perm sysv_perm(const struct ipc_permission *from)
{
	return (struct linux_ipc_perm){ .key = from->key, .uid = from->uid, .gid = from->gid, .cuid = from->cuid, .cgid = from->cgid,
					.mode = from->mode, .seq = (uint16_t)from->sequence };
}

/*
 * The program's mappings of [address, address + size) are gone or others (munmap, mmap over them): attachments of which nothing is left are
 * detached. moved: a mapping that lay at `from` is now at `to`.
 */
void shm_unmapped(uint64_t address, uint64_t size);
void shm_moved(uint64_t from, uint64_t to);

/* mqueue.c: a descriptor is about to be closed: if it is a queue's, what this process asked to be told of it is forgotten. */
void mq_close(int fd);

#endif
