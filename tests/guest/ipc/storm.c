/*
 * Everything at once by eighteen processes, for some seconds, and then exact accounts: no increment, message, attachment or undo is lost or done
 * twice. Meant to run while ipcd is killed again and again; on Linux the same lines come out.
 */
#include "check.h"

enum { WORKERS = 4, LOCKERS = 4, VICTIMS = 3, SENDERS = 2, RECEIVERS = 2, MAPPERS = 3, TOKENS = 1500, SECONDS = 6 };

static struct {
	volatile bool stop;
	long counter;           /* guarded by semaphore 0 */
	long own[WORKERS];      /* increments of each worker */
	long quick;             /* guarded by the other set, whose operations need no undo */
	long own_quick[LOCKERS];
	unsigned char seen[SENDERS][TOKENS];
	long mapped[MAPPERS];
	int wrong;
} *shared;

static int set, quick_set, queue, segment;

static int operate(int number, int operation, int flags)
{
	struct sembuf op = {(unsigned short)number, (short)operation, (short)flags};
	return semop(set, &op, 1);
}

static void complain(const char *what)
{
	__atomic_add_fetch(&shared->wrong, 1, __ATOMIC_SEQ_CST);
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
}

/* Takes the lock, changes what it guards in a way that shows a second one inside, gives it back. */
static int worker(int number)
{
	while (!shared->stop) {
		if (operate(0, -1, SEM_UNDO))
			complain("lock");
		long before = shared->counter;
		for (volatile int i = 0; i < 200; i++)
			;
		shared->counter = before + 1;
		shared->own[number]++;
		if (operate(0, 1, SEM_UNDO))
			complain("unlock");
	}
	return 0;
}

/* The same without undo: most operations need not wait, and some do. */
static int locker(int number)
{
	struct sembuf down = {0, -1, 0}, up = {0, 1, 0};

	while (!shared->stop) {
		if (semop(quick_set, &down, 1))
			complain("quick lock");
		long before = shared->quick;
		for (volatile int i = 0; i < 100 + number * 50; i++)
			;
		shared->quick = before + 1;
		shared->own_quick[number]++;
		if (semop(quick_set, &up, 1))
			complain("quick unlock");
		if (before % 64 == number)
			nap(1); /* others find it free now and then */
	}
	return 0;
}

/* Takes several semaphores with undo, and is killed with them. */
static _Noreturn void victim(void)
{
	struct sembuf some[3] = {{1, -1, SEM_UNDO}, {2, 2, SEM_UNDO}, {3, -3, SEM_UNDO}};

	for (;;) {
		if (semop(set, some, 3))
			complain("victim takes");
		for (int i = 0; i < 3; i++)
			some[i].sem_op = (short)-some[i].sem_op;
		if (semop(set, some, 3))
			complain("victim gives back");
		for (int i = 0; i < 3; i++)
			some[i].sem_op = (short)-some[i].sem_op;
	}
}

struct token {
	long type;
	int sender, number;
	char filling[300];
};

static int sender(int who)
{
	struct token token = {.type = who + 1, .sender = who};

	for (token.number = 0; token.number < TOKENS; token.number++) {
		if (msgsnd(queue, &token, sizeof(token) - sizeof(long), 0))
			complain("send");
	}
	return 0;
}

static int receiver(void)
{
	struct token token;

	while (msgrcv(queue, &token, sizeof(token) - sizeof(long), 0, 0) >= 0) {
		if (token.sender < 0)
			return 0;
		__atomic_add_fetch(&shared->seen[token.sender][token.number], 1, __ATOMIC_SEQ_CST);
	}
	complain("receive");
	return 1;
}

static int mapper(int number)
{
	struct shmid_ds ds;

	while (!shared->stop) {
		char *a = shmat(segment, NULL, 0), *b = shmat(segment, NULL, SHM_RDONLY);
		if (a == (char *)-1 || b == (char *)-1)
			complain("attach");
		a[number] = (char)(a[number] + 1);
		if (a[number] != b[number] || shmctl(segment, IPC_STAT, &ds) || ds.shm_nattch < 2)
			complain("attached");
		if (number == 0 && fork() == 0)
			_exit(0); /* with both */
		if (shmdt(a) || shmdt(b))
			complain("detach");
		if (number == 0)
			wait(NULL);
		shared->mapped[number]++;
	}
	return 0;
}

static pid_t begin(int kind, int number)
{
	pid_t pid = begin_child(0);
	if (pid == 0)
		_exit(kind == 0 ? worker(number) : kind == 1 ? (victim(), 0) : kind == 2 ? sender(number) : kind == 3 ? receiver() : kind == 4 ? mapper(number) : locker(number));
	return pid;
}

static void accounts(void)
{
	union {
		unsigned short *array;
	} values = {.array = (unsigned short[4]){0}};
	struct shmid_ds ds;
	long sum = 0, once = 0;

	for (int i = 0; i < WORKERS; i++)
		sum += shared->own[i];
	TRUE("increments", shared->counter == sum && sum > 100);
	sum = 0;
	for (int i = 0; i < LOCKERS; i++)
		sum += shared->own_quick[i];
	TRUE("quick increments", shared->quick == sum && sum > 1000);
	VALUE("the quick lock is free", semctl(quick_set, 0, GETVAL));
	VALUE("nobody waits for it", semctl(quick_set, 0, GETNCNT));
	semctl(set, 0, GETALL, values);
	VALUE("the lock is free", values.array[0]);
	VALUE("undone: first", values.array[1]);
	VALUE("undone: second", values.array[2]);
	VALUE("undone: third", values.array[3]);
	for (int s = 0; s < SENDERS; s++) {
		for (int i = 0; i < TOKENS; i++)
			once += shared->seen[s][i] == 1;
	}
	VALUE("tokens that came once", once);
	VALUE("no more messages", msgrcv(queue, &(struct token){0}, sizeof(struct token) - sizeof(long), 0, IPC_NOWAIT));
	shmctl(segment, IPC_STAT, &ds);
	VALUE("attachments", ds.shm_nattch);
	TRUE("mappers", shared->mapped[0] > 5 && shared->mapped[1] > 5 && shared->mapped[2] > 5);
	VALUE("errors", shared->wrong);
}

void storm_checks(void)
{
	pid_t victims[VICTIMS], pids[32];
	int count = 0;
	struct timespec begun = now();

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	set = semget(IPC_PRIVATE, 4, 0600);
	quick_set = semget(IPC_PRIVATE, 2, 0600);
	semop(quick_set, &(struct sembuf){0, 1, 0}, 1);
	queue = msgget(IPC_PRIVATE, 0600);
	segment = shmget(IPC_PRIVATE, 10000, 0600);
	semop(set, (struct sembuf[]){{0, 1, 0}, {1, 3, 0}, {3, 9, 0}}, 3);
	for (int i = 0; i < VICTIMS; i++)
		victims[i] = begin(1, i);
	for (int i = 0; i < WORKERS; i++)
		pids[count++] = begin(0, i);
	for (int i = 0; i < LOCKERS; i++)
		pids[count++] = begin(5, i);
	for (int i = 0; i < MAPPERS; i++)
		pids[count++] = begin(4, i);
	for (int i = 0; i < RECEIVERS; i++)
		pids[count++] = begin(3, i);
	int first_sender = count;
	for (int i = 0; i < SENDERS; i++)
		pids[count++] = begin(2, i);
	for (int i = 0; elapsed_ms(&begun) < SECONDS * 1000; i++) {
		nap(20);
		kill(victims[i % VICTIMS], SIGKILL);
		waitpid(victims[i % VICTIMS], NULL, 0);
		victims[i % VICTIMS] = begin(1, 0);
	}
	for (int i = 0; i < VICTIMS; i++) {
		kill(victims[i], SIGKILL);
		waitpid(victims[i], NULL, 0);
	}
	for (int i = 0; i < SENDERS; i++)
		text("sender", await(pids[first_sender + i]));
	for (int i = 0; i < RECEIVERS; i++)
		msgsnd(queue, &(struct token){.type = 99, .sender = -1}, sizeof(struct token) - sizeof(long), 0);
	shared->stop = true;
	for (int i = 0; i < first_sender; i++)
		text("the others", await(pids[i]));
	for (int i = 0; i < 400 && semctl(set, 2, GETVAL) != 0; i++)
		nap(5); /* undo follows death */
	accounts();
	semctl(set, 0, IPC_RMID);
	semctl(quick_set, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
	shmctl(segment, IPC_RMID, NULL);
}
