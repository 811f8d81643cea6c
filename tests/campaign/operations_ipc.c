/*
 * operations: System V IPC and POSIX message queues; see operations.c.
 */
#define _GNU_SOURCE
#include "operation_check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 0x4b50
#define QUEUE "kp"

union semun {
	int val;
	unsigned short *array;
};

struct text {
	long type;
	char bytes[100];
};

bool sysv_shm(void)
{
	struct shmid_ds ds;
	int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600);
	check(id >= 0 && shmget(KEY, 0, 0) == id);
	unsigned *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
	check(p != (void *)-1 && q != (void *)-1);
	*p = operation_token;
	check(*q == operation_token);
	check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2);
	check(shmctl(id, IPC_RMID, NULL) == 0 && shmget(KEY, 0, 0) == -1 && errno == ENOENT);
	check(shmdt(p) == 0 && shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 1);
	check(shmdt(q) == 0 && shmctl(id, IPC_STAT, &ds) == -1 && errno == EINVAL);
	return true;
}

bool sysv_fork(void)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 5000, 0600), status;
	int *p = shmat(id, NULL, 0);
	check(p != (void *)-1);
	pid_t pid = fork();
	if (pid == 0)
		_exit(shmctl(id, IPC_STAT, &ds) != 0 || ds.shm_nattch != 2 || (*p = 5) != 5);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && *p == 5);
	check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 1);
	check(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(p) == 0 && shmctl(id, IPC_STAT, &ds) == -1);
	return true;
}

bool sysv_sem(void)
{
	struct sembuf both[2] = {{0, -1, 0}, {1, 2, 0}}, down = {0, -2, IPC_NOWAIT};
	unsigned short values[2] = {2, (unsigned short)(operation_token % 100)}, back[2];
	int id = semget(KEY, 2, IPC_CREAT | IPC_EXCL | 0600);
	check(id >= 0 && semctl(id, 0, SETALL, (union semun){.array = values}) == 0);
	check(semop(id, both, 2) == 0);
	check(semop(id, &down, 1) == -1 && errno == EAGAIN);
	check(semctl(id, 0, GETALL, (union semun){.array = back}) == 0 && back[0] == 1 && back[1] == values[1] + 2);
	check(semctl(id, 0, SETVAL, (union semun){.val = 7}) == 0 && semctl(id, 0, GETVAL) == 7 && semctl(id, 0, GETPID) == getpid());
	check(semctl(id, 0, IPC_RMID) == 0 && semctl(id, 0, GETVAL) == -1 && errno == EINVAL);
	return true;
}

bool sysv_undo(void)
{
	struct sembuf some[2] = {{0, -3, SEM_UNDO}, {1, 4, SEM_UNDO}};
	int id = semget(IPC_PRIVATE, 2, 0600), status;
	check(id >= 0 && semctl(id, 0, SETVAL, (union semun){.val = 5}) == 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(semop(id, some, 2) != 0 || semctl(id, 0, GETVAL) != 2);
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	check(semctl(id, 0, GETVAL) == 5 && semctl(id, 1, GETVAL) == 0 && semctl(id, 0, GETPID) == pid);
	check(semctl(id, 0, IPC_RMID) == 0);
	return true;
}

bool sysv_wait(void)
{
	struct sembuf down = {0, -1, 0}, up = {0, 1, 0};
	int id = semget(IPC_PRIVATE, 1, 0600), status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1) != 0);
	check(id >= 0 && pid > 0);
	for (int i = 0; i < 1000 && semctl(id, 0, GETNCNT) == 0; i++)
		usleep(1000);
	check(semctl(id, 0, GETNCNT) == 1 && semop(id, &up, 1) == 0);
	check(waitpid(pid, &status, 0) == pid && status == 0 && semctl(id, 0, GETVAL) == 0);
	pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1) != -1 || errno != EIDRM);
	check(pid > 0);
	for (int i = 0; i < 1000 && semctl(id, 0, GETNCNT) == 0; i++)
		usleep(1000);
	check(semctl(id, 0, IPC_RMID) == 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return true;
}

/* Some operations in a row, so that the rest is made in the page; then ipcd takes words and gives them back. */
bool sysv_page(void)
{
	struct sembuf up = {0, 1, 0}, down = {0, -1, 0}, both[2] = {{0, -3, 0}, {1, 1, 0}};
	int id = semget(IPC_PRIVATE, 2, 0600);
	check(id >= 0);
	for (int i = 0; i < 8; i++)
		check(semop(id, &up, 1) == 0);
	check(semctl(id, 0, GETVAL) == 8 && semop(id, both, 2) == 0);
	check(semop(id, &down, 1) == 0 && semctl(id, 0, GETVAL) == 4);
	check(semctl(id, 0, SETVAL, (union semun){.val = 20}) == 0 && semop(id, &down, 1) == 0 && semctl(id, 0, GETVAL) == 19);
	check(semctl(id, 0, IPC_RMID) == 0 && semop(id, &down, 1) == -1 && errno == EINVAL);
	return true;
}

bool sysv_msg(void)
{
	struct text m = {.type = 3}, back;
	struct msqid_ds ds;
	int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	check(id >= 0);
	sprintf(m.bytes, "token %u", operation_token);
	check(msgsnd(id, &m, 50, 0) == 0);
	m.type = 2;
	check(msgsnd(id, &m, 20, 0) == 0);
	check(msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qnum == 2 && ds.msg_cbytes == 70);
	check(msgrcv(id, &back, 100, -5, 0) == 20 && back.type == 2);
	check(msgrcv(id, &back, 100, 0, 0) == 50 && back.type == 3 && strcmp(back.bytes, m.bytes) == 0);
	check(msgrcv(id, &back, 100, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
	check(msgctl(id, IPC_RMID, NULL) == 0);
	return true;
}

bool sysv_msg_wait(void)
{
	static struct {
		long type;
		char bytes[5000];
	} m = {.type = 1}, back;
	int id = msgget(IPC_PRIVATE, 0600), status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(msgrcv(id, &back, 5000, 0, 0) != 4000 || back.bytes[3999] != (char)operation_token);
	check(id >= 0 && pid > 0);
	usleep(2000);
	m.bytes[3999] = (char)operation_token;
	check(msgsnd(id, &m, 4000, 0) == 0);
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check(msgrcv(id, &back, 5000, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
	check(msgctl(id, IPC_RMID, NULL) == 0);
	return true;
}

bool posix_mq(void)
{
	char bytes[8192];
	unsigned priority;
	int q = (int)syscall(SYS_mq_open, QUEUE, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, NULL);
	check(q >= 0);
	check(syscall(SYS_mq_timedsend, q, "low", 3, 1, NULL) == 0 && syscall(SYS_mq_timedsend, q, "high", 4, 9, NULL) == 0);
	check(syscall(SYS_mq_timedreceive, q, bytes, 8192, &priority, NULL) == 4 && priority == 9);
	check(syscall(SYS_mq_timedreceive, q, bytes, 8192, &priority, NULL) == 3 && priority == 1);
	check(syscall(SYS_mq_timedreceive, q, bytes, 8192, &priority, NULL) == -1 && errno == EAGAIN);
	check(syscall(SYS_mq_unlink, QUEUE) == 0 && close(q) == 0);
	check(syscall(SYS_mq_open, QUEUE, O_RDWR, 0, NULL) == -1 && errno == ENOENT);
	return true;
}

bool sysv_files(void)
{
	char text[2000];
	int fd = open("/proc/sysvipc/sem", O_RDONLY), length;
	check(fd >= 0 && read(fd, text, sizeof text) > 50 && close(fd) == 0);
	fd = open("/proc/sys/kernel/msgmni", O_RDWR);
	length = sprintf(text, "%u\n", 1000 + operation_token % 1000);
	check(fd >= 0 && write(fd, text, (size_t)length) == length);
	char back[20] = "";
	check(pread(fd, back, sizeof back, 0) == length && strcmp(back, text) == 0 && close(fd) == 0);
	return true;
}

void operations_prepare_ipc(void)
{
	int id;
	if ((id = shmget(KEY, 0, 0)) >= 0)
		shmctl(id, IPC_RMID, NULL);
	if ((id = semget(KEY, 0, 0)) >= 0)
		semctl(id, 0, IPC_RMID);
	if ((id = msgget(KEY, 0)) >= 0)
		msgctl(id, IPC_RMID, NULL);
	syscall(SYS_mq_unlink, QUEUE);
}
