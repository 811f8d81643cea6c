/* Semaphores: semget, semctl, and semop where it does not wait. Waiting is in sem_wait.c. */
#include "check.h"

#define KEY 0x52520001

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static int id;

static int operate(int number, int operation, int flags)
{
	struct sembuf op = {(unsigned short)number, (short)operation, (short)flags};
	return semop(id, &op, 1);
}

static void get(void)
{
	VALUE("semget no such key", semget(KEY, 1, 0600));
	VALUE("semget of none", semget(KEY, 0, IPC_CREAT | 0600));
	VALUE("semget of a negative number", semget(KEY, -1, IPC_CREAT | 0600));
	VALUE("semget of too many", semget(KEY, 32001, IPC_CREAT | 0600));
	OK("semget creates", id = semget(KEY, 4, IPC_CREAT | 0640));
	TRUE("semget finds", semget(KEY, 0, 0) == id);
	TRUE("semget finds with fewer", semget(KEY, 2, 0) == id);
	VALUE("semget with more", semget(KEY, 5, 0));
	VALUE("semget exclusive", semget(KEY, 4, IPC_CREAT | IPC_EXCL | 0600));
	int big = semget(IPC_PRIVATE, 32000, 0600);
	OK("semget of 32000", big);
	VALUE("its last one", semctl(big, 31999, GETVAL));
	VALUE("beyond it", semctl(big, 32000, GETVAL));
	VALUE("remove it", semctl(big, 0, IPC_RMID));
}

static void control(void)
{
	struct semid_ds ds;
	unsigned short values[4] = {1, 2, 3, 32767};

	VALUE("GETVAL fresh", semctl(id, 0, GETVAL));
	VALUE("GETPID fresh", semctl(id, 0, GETPID));
	VALUE("SETVAL", semctl(id, 1, SETVAL, (union semun){.val = 7}));
	VALUE("GETVAL", semctl(id, 1, GETVAL));
	TRUE("GETPID", semctl(id, 1, GETPID) == getpid());
	VALUE("SETVAL too large", semctl(id, 1, SETVAL, (union semun){.val = 32768}));
	VALUE("SETVAL negative", semctl(id, 1, SETVAL, (union semun){.val = -1}));
	VALUE("SETVAL of no semaphore", semctl(id, 4, SETVAL, (union semun){.val = 1}));
	VALUE("SETVAL of a negative one", semctl(id, -1, SETVAL, (union semun){.val = 1}));
	VALUE("GETVAL of no semaphore", semctl(id, 4, GETVAL));
	VALUE("GETNCNT", semctl(id, 0, GETNCNT));
	VALUE("GETZCNT", semctl(id, 0, GETZCNT));
	VALUE("GETNCNT of no semaphore", semctl(id, 9, GETNCNT));
	VALUE("SETALL", semctl(id, 0, SETALL, (union semun){.array = values}));
	memset(values, 0, sizeof(values));
	VALUE("GETALL", semctl(id, 0, GETALL, (union semun){.array = values}));
	VALUE("first", values[0]);
	VALUE("third", values[2]);
	VALUE("fourth", values[3]);
	values[2] = 40000;
	VALUE("SETALL too large", semctl(id, 0, SETALL, (union semun){.array = values}));
	VALUE("it changed nothing", semctl(id, 2, GETVAL));
	VALUE("GETALL bad pointer", semctl(id, 0, GETALL, (union semun){.array = (unsigned short *)8}));
	VALUE("SETALL bad pointer", semctl(id, 0, SETALL, (union semun){.array = (unsigned short *)8}));
	VALUE("IPC_STAT", semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
	VALUE("number of semaphores", ds.sem_nsems);
	VALUE("mode", ds.sem_perm.mode);
	VALUE("key", ds.sem_perm.__key);
	VALUE("operation time", ds.sem_otime);
	TRUE("change time", ds.sem_ctime != 0);
	VALUE("IPC_STAT bad pointer", semctl(id, 0, IPC_STAT, (union semun){.buf = (struct semid_ds *)8}));
	VALUE("semctl bad id", semctl(id + 9, 0, GETVAL));
	VALUE("semctl stale id", semctl(id + 32768 * 3, 0, GETVAL));
	VALUE("semctl negative id", semctl(-1, 0, GETVAL));
	VALUE("semctl unknown command", semctl(id, 0, 77));
}

static void operations(void)
{
	struct semid_ds ds;
	struct sembuf many[501];

	semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){0, 0, 0, 0}});
	VALUE("semop up", operate(0, 5, 0));
	VALUE("value", semctl(id, 0, GETVAL));
	VALUE("semop down", operate(0, -3, 0));
	VALUE("value after down", semctl(id, 0, GETVAL));
	VALUE("semop down too far, no wait", operate(0, -3, IPC_NOWAIT));
	VALUE("semop for zero, no wait", operate(0, 0, IPC_NOWAIT));
	VALUE("semop for zero", operate(1, 0, 0));
	VALUE("semop down to zero", operate(0, -2, 0));
	semctl(id, 0, IPC_STAT, (union semun){.buf = &ds});
	TRUE("operation time is set", ds.sem_otime != 0);
	VALUE("semop up to the maximum", operate(0, 32767, 0));
	VALUE("semop beyond it", operate(0, 1, 0));
	VALUE("semop of no semaphore", operate(4, 1, 0));
	VALUE("semop bad id", (semop(id + 9, many, 1)));
	VALUE("semop negative id", (semop(-1, many, 1)));
	VALUE("semop of nothing", semop(id, many, 0));
	VALUE("semop bad pointer", semop(id, (struct sembuf *)8, 1));
	VALUE("semop of 501", semop(id, many, 501));
	for (int i = 0; i < 500; i++)
		many[i] = (struct sembuf){1, 1, 0};
	VALUE("semop of 500", semop(id, many, 500));
	VALUE("all were done", semctl(id, 1, GETVAL));
	semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){1, 2, 0, 0}});
	struct sembuf some[3] = {{0, -1, 0}, {1, -1, 0}, {2, -1, IPC_NOWAIT}};
	VALUE("all or nothing", semop(id, some, 3));
	VALUE("nothing of the first", semctl(id, 0, GETVAL));
	VALUE("nothing of the second", semctl(id, 1, GETVAL));
	some[2].sem_op = 1;
	VALUE("all", semop(id, some, 3));
	VALUE("the first", semctl(id, 0, GETVAL));
	VALUE("the second", semctl(id, 1, GETVAL));
	VALUE("the third", semctl(id, 2, GETVAL));
	struct sembuf same[3] = {{0, 1, 0}, {0, -1, 0}, {0, 0, IPC_NOWAIT}};
	VALUE("one semaphore thrice", semop(id, same, 3));
	struct sembuf range[2] = {{0, 1, 0}, {0, 32767, 0}};
	VALUE("beyond the maximum in the second", semop(id, range, 2));
	VALUE("nothing of the first of these", semctl(id, 0, GETVAL));
	TRUE("GETPID after semop", semctl(id, 2, GETPID) == getpid());
	struct timespec none = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
	VALUE("semtimedop at once", semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &none));
	VALUE("semtimedop that need not wait", semtimedop(id, &(struct sembuf){0, 1, 0}, 1, &none));
	VALUE("semtimedop bad time", semtimedop(id, &(struct sembuf){0, 1, 0}, 1, &bad));
	VALUE("semtimedop negative time", semtimedop(id, &(struct sembuf){0, 1, 0}, 1, &negative));
	VALUE("semtimedop bad pointer", semtimedop(id, &(struct sembuf){0, 1, 0}, 1, (struct timespec *)8));
	struct timespec begun = now(), short_time = {0, 60000000};
	VALUE("semtimedop that waits", semtimedop(id, &(struct sembuf){3, -1, 0}, 1, &short_time));
	TRUE("it waited", elapsed_ms(&begun) >= 59 && elapsed_ms(&begun) < 5000);
	VALUE("nobody waits after it", semctl(id, 3, GETNCNT));
}

static void undo(void)
{
	semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){5, 0, 0, 0}});
	IN_CHILD(0, {
		VALUE("undo: down", operate(0, -2, SEM_UNDO));
		VALUE("undo: up", operate(1, 3, SEM_UNDO));
		VALUE("undo: value", semctl(id, 0, GETVAL));
	});
	VALUE("undone", semctl(id, 0, GETVAL));
	VALUE("undone, too", semctl(id, 1, GETVAL));
	pid_t pid = begin_child(0);
	if (pid == 0) {
		operate(0, -4, SEM_UNDO);
		raise(SIGKILL);
	}
	text("killed", await(pid));
	for (int i = 0; i < 200 && semctl(id, 0, GETVAL) != 5; i++)
		nap(5);
	VALUE("undone after a kill", semctl(id, 0, GETVAL));
	TRUE("by whom", semctl(id, 0, GETPID) == pid);
	IN_CHILD(0, {
		operate(0, -2, SEM_UNDO);
		semctl(id, 0, SETVAL, (union semun){.val = 9});
	});
	VALUE("SETVAL clears what is to be undone", semctl(id, 0, GETVAL));
	IN_CHILD(0, {
		operate(0, -2, SEM_UNDO);
		semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){4, 0, 0, 0}});
	});
	VALUE("SETALL clears it", semctl(id, 0, GETVAL));
	IN_CHILD(0, {
		operate(0, 3, SEM_UNDO);
		IN_CHILD(0, VALUE("a grandchild changes", operate(0, -6, 0)));
	});
	VALUE("it never falls below 0", semctl(id, 0, GETVAL));
	IN_CHILD(0, {
		operate(0, 3, SEM_UNDO);
		IN_CHILD(0, (void)0);
		VALUE("a forked child has nothing to undo", semctl(id, 0, GETVAL));
	});
	semctl(id, 0, SETVAL, (union semun){.val = 0});
	IN_CHILD(0, {
		operate(0, 20000, SEM_UNDO);
		operate(0, -20000, 0);
		VALUE("too much to undo", operate(0, 20000, SEM_UNDO));
		VALUE("value then", semctl(id, 0, GETVAL));
	});
	pid = begin_child(0);
	if (pid == 0) {
		semctl(id, 2, SETVAL, (union semun){.val = 1});
		operate(2, -1, SEM_UNDO);
		execl("/proc/self/exe", "ipc", "nothing", (char *)NULL);
	}
	await(pid);
	VALUE("undo stays over exec", semctl(id, 2, GETVAL));
	IN_CHILD(0, {
		struct sembuf both[2] = {{0, 1, SEM_UNDO}, {1, -1, SEM_UNDO | IPC_NOWAIT}};
		VALUE("undo and failure", semop(id, both, 2));
	});
	VALUE("nothing to undo after failure", semctl(id, 0, GETVAL));
	IN_CHILD(0, {
		int own = semget(IPC_PRIVATE, 1, 0600);
		semop(own, &(struct sembuf){0, 1, SEM_UNDO}, 1);
		VALUE("removed with undo pending", semctl(own, 0, IPC_RMID));
	});
}

static void permissions(void)
{
	struct semid_ds ds;

	semctl(id, 0, IPC_STAT, (union semun){.buf = &ds});
	ds.sem_perm.mode = 0600;
	VALUE("IPC_SET", semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
	IN_CHILD(UNUSED_UID, {
		OK("stranger: semget", semget(KEY, 0, 0400));
		VALUE("stranger: GETVAL", semctl(id, 0, GETVAL));
		VALUE("stranger: SETVAL", semctl(id, 0, SETVAL, (union semun){.val = 1}));
		VALUE("stranger: semop", operate(0, 1, 0));
		VALUE("stranger: semop for zero", operate(0, 0, IPC_NOWAIT));
		VALUE("stranger: IPC_STAT", semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
		VALUE("stranger: IPC_RMID", semctl(id, 0, IPC_RMID));
		VALUE("stranger: IPC_SET", semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
		VALUE("stranger: no semaphore", operate(9, 1, 0));
	});
	ds.sem_perm.mode = 0644;
	semctl(id, 0, IPC_SET, (union semun){.buf = &ds});
	semctl(id, 0, SETVAL, (union semun){.val = 0});
	IN_CHILD(UNUSED_UID, {
		VALUE("reader: GETVAL", semctl(id, 0, GETVAL));
		VALUE("reader: semop for zero", operate(0, 0, 0));
		VALUE("reader: semop", operate(0, 1, 0));
		VALUE("reader: SETVAL", semctl(id, 0, SETVAL, (union semun){.val = 1}));
		VALUE("reader: SETALL", semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){1, 1, 1, 1}}));
	});
	ds.sem_perm.uid = UNUSED_UID;
	VALUE("give it away", semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
	IN_CHILD(UNUSED_UID, {
		VALUE("owner: semop", operate(0, 1, 0));
		VALUE("owner: IPC_RMID", semctl(id, 0, IPC_RMID));
	});
	VALUE("removed: GETVAL", semctl(id, 0, GETVAL));
	VALUE("removed: semop", operate(0, 1, 0));
	VALUE("removed: IPC_RMID", semctl(id, 0, IPC_RMID));
}

static void lists(void)
{
	struct seminfo info;
	struct semid_ds ds;
	int a = semget(IPC_PRIVATE, 17, 0600), highest = semctl(0, 0, SEM_INFO, (union semun){.info = &info}), seen = 0;

	OK("SEM_INFO", highest);
	TRUE("sets", info.semusz >= 1);
	TRUE("semaphores", info.semaem >= 17);
	OK("IPC_INFO", semctl(0, 0, IPC_INFO, (union semun){.info = &info}));
	VALUE("SEMMAP", info.semmap);
	VALUE("SEMMNI", info.semmni);
	VALUE("SEMMNS", info.semmns);
	VALUE("SEMMNU", info.semmnu);
	VALUE("SEMMSL", info.semmsl);
	VALUE("SEMOPM", info.semopm);
	VALUE("SEMUME", info.semume);
	VALUE("SEMUSZ", info.semusz);
	VALUE("SEMVMX", info.semvmx);
	VALUE("SEMAEM", info.semaem);
	for (int i = 0; i <= highest; i++)
		seen += semctl(i, 0, SEM_STAT, (union semun){.buf = &ds}) == a && ds.sem_nsems == 17;
	VALUE("SEM_STAT finds it", seen);
	VALUE("SEM_STAT of a free place", semctl(highest + 1, 0, SEM_STAT, (union semun){.buf = &ds}));
	IN_CHILD(UNUSED_UID, {
		VALUE("SEM_STAT of a stranger's", semctl(a % 32768, 0, SEM_STAT, (union semun){.buf = &ds}));
		TRUE("SEM_STAT_ANY of it", semctl(a % 32768, 0, 20, (union semun){.buf = &ds}) == a);
	});
	semctl(a, 0, IPC_RMID);
}

void sem_checks(void)
{
	get();
	control();
	operations();
	undo();
	permissions();
	lists();
}
