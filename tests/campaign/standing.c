/*
 * Files, an unlinked file, a position, a pipe with bytes in it, a lock, a pending signal, an armed timer, a shared segment, a semaphore, a message, and a
 * child that waits: see standing.h.
 */
#define _GNU_SOURCE
#include "standing.h"
#include "operation_check.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/tmp/standing"
#define FILES 6
#define VALUE 4711
#define KEY 0x5354 /* of the segment, the semaphores and the queue */

static const size_t sizes[FILES] = {0, 1, 100, 4096, 5000, 20000};
static int positioned, unlinked, held[2], to_child[2], from_child[2], segment, semaphores, queue;
static unsigned *shared;
static struct {
	long type;
	char bytes[600];
} message;
static pid_t child, parent;
static timer_t timer;
static unsigned char bytes[20000], expected[20000];

static void pattern(unsigned file)
{
	for (size_t i = 0; i < sizes[file]; i++)
		expected[i] = (unsigned char)((i * 7 + file * 13 + (i >> 8)) & 0xff);
}

static void name_of(char *name, unsigned file)
{
	sprintf(name, FOLDER "/%u", file);
}

static bool make_files(void)
{
	char name[64];
	mkdir(FOLDER, 0750);
	for (unsigned i = 0; i < FILES; i++) {
		name_of(name, i);
		unlink(name);
		int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600 | (i & 5));
		pattern(i);
		check(fd >= 0 && write(fd, expected, sizes[i]) == (ssize_t)sizes[i] && close(fd) == 0);
	}
	unlink(FOLDER "/gone");
	unlinked = open(FOLDER "/gone", O_CREAT | O_EXCL | O_RDWR, 0600);
	check(unlinked >= 0 && write(unlinked, "still here", 10) == 10 && unlink(FOLDER "/gone") == 0);
	positioned = open(FOLDER "/5", O_RDWR);
	check(positioned >= 0 && lseek(positioned, 777, SEEK_SET) == 777);
	check(pipe(held) == 0 && write(held[1], "held bytes", 10) == 10);
	return true;
}

static void remove_ipc(void)
{
	if ((segment = shmget(KEY, 0, 0)) >= 0)
		shmctl(segment, IPC_RMID, NULL);
	if ((semaphores = semget(KEY, 0, 0)) >= 0)
		semctl(semaphores, 0, IPC_RMID);
	if ((queue = msgget(KEY, 0)) >= 0)
		msgctl(queue, IPC_RMID, NULL);
}

static bool put_message(void)
{
	message.type = 7;
	memset(message.bytes, 'm', sizeof message.bytes);
	check(msgsnd(queue, &message, sizeof message.bytes, IPC_NOWAIT) == 0);
	return true;
}

/* The parent owes the first semaphore 2, which its end would take back. */
static bool make_ipc(void)
{
	struct sembuf down = {0, -2, SEM_UNDO};
	remove_ipc();
	segment = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0640);
	check(segment >= 0 && (shared = shmat(segment, NULL, 0)) != (void *)-1);
	shared[1024] = VALUE;
	semaphores = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
	check(semaphores >= 0 && semctl(semaphores, 0, SETVAL, 9) == 0 && semctl(semaphores, 2, SETVAL, 5) == 0 && semop(semaphores, &down, 1) == 0);
	queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	check(queue >= 0);
	return put_message();
}

/* Answers each byte with whether it still is a child of this parent, and whether the lock and the segment are seen. */
static _Noreturn void child_run(void)
{
	char byte;
	int fd = open(FOLDER "/lock", O_RDWR);
	while (read(to_child[0], &byte, 1) == 1) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
		bool good = getppid() == parent && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid == parent && shared[1024] == VALUE;
		byte = good ? (char)(byte + 1) : 0;
		if (write(from_child[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

bool standing_make(void)
{
	sigset_t set;
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec value = {.it_value = {100000, 0}};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 5};
	if (!make_files() || !make_ipc())
		return false;
	int fd = open(FOLDER "/lock", O_CREAT | O_RDWR, 0600); /* opened once: any close would end the lock */
	check(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	check(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = VALUE}) == 0);
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &value, NULL) == 0);
	check(pipe(to_child) == 0 && pipe(from_child) == 0);
	parent = getpid();
	child = fork();
	if (child == 0)
		child_run();
	check(child > 0 && close(to_child[0]) == 0 && close(from_child[1]) == 0);
	return true;
}

static bool check_files(void)
{
	char name[64];
	struct stat st;
	unsigned names = 0;
	for (unsigned i = 0; i < FILES; i++) {
		name_of(name, i);
		int fd = open(name, O_RDONLY);
		pattern(i);
		check(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == (off_t)sizes[i] && st.st_nlink == 1 && (st.st_mode & 0777) == (0600 | (i & 5)));
		check(read(fd, bytes, sizeof bytes) == (ssize_t)sizes[i] && memcmp(bytes, expected, sizes[i]) == 0);
		check(close(fd) == 0);
	}
	check(pread(unlinked, bytes, 20, 0) == 10 && memcmp(bytes, "still here", 10) == 0 && fstat(unlinked, &st) == 0 && st.st_nlink == 0);
	check(lseek(positioned, 0, SEEK_CUR) == 777);
	DIR *directory = opendir(FOLDER);
	check(directory);
	while (readdir(directory))
		names++;
	check(closedir(directory) == 0 && names == FILES + 3);
	return true;
}

static bool check_pipe(void)
{
	int n = 0;
	check(ioctl(held[0], FIONREAD, &n) == 0 && n == 10);
	check(read(held[0], bytes, 20) == 10 && memcmp(bytes, "held bytes", 10) == 0);
	check(write(held[1], "held bytes", 10) == 10);
	return true;
}

static bool check_signals(void)
{
	sigset_t set;
	siginfo_t info;
	struct timespec none = {0};
	struct itimerspec left;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	check(sigtimedwait(&set, &info, &none) == SIGRTMIN + 3 && info.si_value.sival_int == VALUE && info.si_pid == getpid());
	check(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	check(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = VALUE}) == 0);
	check(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 50000 && left.it_value.tv_sec <= 100000);
	return true;
}

static bool check_ipc(void)
{
	struct shmid_ds ds;
	check(shmget(KEY, 0, 0) == segment && shmctl(segment, IPC_STAT, &ds) == 0 && ds.shm_segsz == 5000 && ds.shm_nattch == 2);
	check(ds.shm_cpid == getpid() && (ds.shm_perm.mode & 0777) == 0640);
	check(semctl(semaphores, 0, GETVAL) == 7 && semctl(semaphores, 1, GETVAL) == 0 && semctl(semaphores, 2, GETVAL) == 5);
	check(msgrcv(queue, &message, sizeof message.bytes, 0, IPC_NOWAIT) == sizeof message.bytes && message.type == 7 && message.bytes[599] == 'm');
	check(msgrcv(queue, &message, sizeof message.bytes, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
	return put_message();
}

static bool check_child(void)
{
	static char token = 1;
	char answer = 0;
	token = (char)(token % 100 + 1);
	check(write(to_child[1], &token, 1) == 1 && read(from_child[0], &answer, 1) == 1 && answer == token + 1);
	check(waitpid(-1, NULL, WNOHANG) == 0);
	check(getsid(child) == getsid(0) && getpgid(child) == getpgrp() && getppid() > 0);
	return true;
}

bool standing_check(void)
{
	return check_files() && check_pipe() && check_signals() && check_ipc() && check_child();
}

void standing_end(void)
{
	remove_ipc();
	if (child > 0)
		kill(child, SIGKILL);
}
