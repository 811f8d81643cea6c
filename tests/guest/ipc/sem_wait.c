/* Semaphores: waiting, waking, order, signals, removal, death. */
#include "check.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int id;
static int *log_count; /* shared: who went on, in which order */
static char *log_text;

static int operate(int number, int operation, int flags)
{
	struct sembuf op = {(unsigned short)number, (short)operation, (short)flags};
	return semop(id, &op, 1);
}

static void note(char c)
{
	log_text[__atomic_fetch_add(log_count, 1, __ATOMIC_SEQ_CST)] = c;
}

static void set(int a, int b, int c)
{
	semctl(id, 0, SETALL, (union semun){.array = (unsigned short[]){(unsigned short)a, (unsigned short)b, (unsigned short)c}});
}

static int waiting(void)
{
	int count = 0;
	for (int i = 0; i < 3; i++)
		count += semctl(id, i, GETNCNT) + semctl(id, i, GETZCNT);
	return count;
}

static int expected;

static bool all_wait(void)
{
	return waiting() == expected;
}

static bool all_gone(void)
{
	return waiting() == 0;
}

/* A child that makes the operations, notes its letter if they were done, and exits with the error. It waits when this returns. */
static pid_t waiter(char letter, const struct sembuf *operations, size_t count)
{
	expected = waiting() + 1;
	pid_t pid = begin_child(0);
	if (pid == 0) {
		int status = semop(id, (struct sembuf *)operations, count) ? errno : 0;
		if (status == 0)
			note(letter);
		_exit(status);
	}
	if (!until(all_wait))
		text("does not wait", (char[]){letter, 0});
	return pid;
}

static pid_t simple(char letter, int number, int operation)
{
	return waiter(letter, &(struct sembuf){(unsigned short)number, (short)operation, 0}, 1);
}

static void logged(const char *name)
{
	log_text[*log_count] = 0;
	text(name, log_text);
	*log_count = 0;
}

/* Ends who still waits. */
static void end_all(pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		await(pids[i]);
	}
	until(all_gone);
	*log_count = 0;
}

static int next_step(void)
{
	int before = *log_count;
	for (int i = 0; i < 100 && *log_count == before; i++)
		nap(2);
	return *log_count;
}

static void waking(void)
{
	pid_t pid;

	set(0, 0, 0);
	pid = simple('a', 0, -1);
	VALUE("GETNCNT of one", semctl(id, 0, GETNCNT));
	VALUE("GETZCNT beside it", semctl(id, 0, GETZCNT));
	VALUE("up wakes", operate(0, 1, 0));
	text("woken", await(pid));
	VALUE("what it took is gone", semctl(id, 0, GETVAL));
	TRUE("GETPID is the woken one", semctl(id, 0, GETPID) == pid);
	set(2, 0, 0);
	pid = simple('z', 0, 0);
	VALUE("GETZCNT of one", semctl(id, 0, GETZCNT));
	operate(0, -1, 0);
	VALUE("not yet zero", semctl(id, 0, GETZCNT));
	operate(0, -1, 0);
	text("zero wakes", await(pid));
	set(0, 0, 0);
	pid = simple('s', 0, -3);
	operate(0, 2, 0);
	VALUE("not enough", semctl(id, 0, GETNCNT));
	semctl(id, 0, SETVAL, (union semun){.val = 3});
	text("SETVAL wakes", await(pid));
	pid = simple('t', 1, -1);
	set(0, 1, 0);
	text("SETALL wakes", await(pid));
	*log_count = 0;
}

static void order(void)
{
	pid_t pids[4];

	set(0, 0, 0);
	for (int i = 0; i < 4; i++)
		pids[i] = simple((char)('a' + i), 0, -1);
	for (int i = 0; i < 4; i++) {
		operate(0, 1, 0);
		next_step();
	}
	logged("first come, first served");
	for (int i = 0; i < 4; i++)
		await(pids[i]);
	pids[0] = simple('a', 0, -3);
	pids[1] = simple('b', 0, -1);
	operate(0, 1, 0);
	next_step();
	logged("who needs less overtakes");
	operate(0, 3, 0);
	next_step();
	logged("then the other");
	await(pids[0]);
	await(pids[1]);
	struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
	pids[0] = waiter('x', both, 2);
	pids[1] = simple('y', 0, -1);
	VALUE("GETNCNT with a complex one", semctl(id, 0, GETNCNT));
	VALUE("GETNCNT where it does not block yet", semctl(id, 1, GETNCNT));
	operate(0, 1, 0);
	next_step();
	logged("a simple one overtakes a complex one that cannot go on");
	operate(0, 1, 0);
	VALUE("the complex one blocks at the second", semctl(id, 1, GETNCNT));
	operate(1, 1, 0);
	next_step();
	logged("the complex one");
	await(pids[0]);
	await(pids[1]);
	pids[0] = waiter('x', both, 2);
	pids[1] = simple('y', 0, -1);
	operate(1, 1, 0);
	operate(0, 1, 0);
	next_step();
	logged("a complex one that came first goes first");
	end_all(pids, 2);
	set(1, 0, 0);
	pids[0] = simple('z', 0, 0);
	pids[1] = simple('a', 1, -1);
	struct sembuf swap[2] = {{0, -1, 0}, {1, 1, 0}};
	semop(id, swap, 2);
	next_step();
	nap(20);
	VALUE("both go on", *log_count);
	end_all(pids, 2);
	set(0, 0, 0);
	struct sembuf chain[2] = {{0, -1, 0}, {1, 1, 0}};
	pids[0] = simple('b', 1, -1);
	pids[1] = waiter('a', chain, 2);
	operate(0, 1, 0);
	next_step();
	nap(20);
	VALUE("one sets off the other", *log_count);
	VALUE("nothing is left", semctl(id, 0, GETVAL) + semctl(id, 1, GETVAL));
	end_all(pids, 2);
	set(5, 0, 0);
	struct sembuf zero_and_take[2] = {{0, 0, 0}, {0, 2, 0}};
	pids[0] = waiter('p', zero_and_take, 2);
	pids[1] = waiter('q', zero_and_take, 2);
	semctl(id, 0, SETVAL, (union semun){.val = 0});
	next_step();
	nap(20);
	logged("only one finds zero");
	VALUE("what it left", semctl(id, 0, GETVAL));
	end_all(pids, 2);
}

static void interruptions(void)
{
	pid_t pid;

	set(0, 0, 0);
	catch_signal(SIGUSR1, 0);
	pid = simple('a', 0, -1);
	kill(pid, SIGUSR1);
	TRUE("a signal ends it", !strcmp(await(pid), "exit 4"));
	catch_signal(SIGUSR1, SA_RESTART);
	pid = simple('a', 0, -1);
	kill(pid, SIGUSR1);
	TRUE("also with SA_RESTART", !strcmp(await(pid), "exit 4"));
	VALUE("nobody waits", waiting());
	pid = simple('a', 0, -1);
	kill(pid, SIGKILL);
	text("killed while it waits", await(pid));
	TRUE("nobody waits after a kill", until(all_gone));
	operate(0, 1, 0);
	VALUE("a dead waiter takes nothing", semctl(id, 0, GETVAL));
	set(0, 0, 0);
	struct sembuf undoing = {0, -1, SEM_UNDO};
	pid = waiter('u', &undoing, 1);
	operate(0, 1, 0);
	await(pid);
	for (int i = 0; i < 200 && semctl(id, 0, GETVAL) != 1; i++)
		nap(5);
	VALUE("undo of a waiter that went on", semctl(id, 0, GETVAL));
	set(0, 0, 0);
	pid = simple('v', 0, -1);
	IN_CHILD(0, {
		operate(0, 1, 0);
		operate(1, 1, SEM_UNDO);
	});
	text("woken by a process that ended", await(pid));
	pid = simple('w', 1, -1);
	IN_CHILD(0, {
		semctl(id, 1, SETVAL, (union semun){.val = 0});
		operate(1, 0, 0);
		operate(2, 1, 0);
		operate(2, -1, SEM_UNDO);
	});
	VALUE("undo gave back", semctl(id, 2, GETVAL));
	kill(pid, SIGKILL);
	await(pid);
	set(1, 0, 0);
	pid_t holder = begin_child(0);
	if (holder == 0) {
		operate(0, -1, SEM_UNDO);
		pause();
	}
	for (int i = 0; i < 200 && semctl(id, 0, GETVAL) != 0; i++)
		nap(5);
	pid = simple('x', 0, -1);
	kill(holder, SIGKILL);
	await(holder);
	text("woken by the undo of a killed one", await(pid));
	pid = begin_child(0);
	if (pid == 0) {
		struct timespec time = {0, 50000000};
		_exit(semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &time) ? errno : 0);
	}
	TRUE("overdue", !strcmp(await(pid), "exit 11"));
	pid = begin_child(0);
	if (pid == 0) {
		struct timespec time = {100, 0};
		alarm(1);
		catch_signal(SIGALRM, 0);
		_exit(semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &time) ? errno : 0);
	}
	TRUE("interrupted before its time", !strcmp(await(pid), "exit 4"));
	*log_count = 0;
}

static void removal(void)
{
	pid_t pids[4];
	struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};

	set(0, 0, 1);
	pids[0] = simple('a', 0, -1);
	pids[1] = simple('b', 2, 0);
	pids[2] = waiter('c', both, 2);
	VALUE("IPC_RMID with waiters", semctl(id, 0, IPC_RMID));
	for (int i = 0; i < 3; i++)
		TRUE("a waiter gets EIDRM", !strcmp(await(pids[i]), "exit 43"));
	VALUE("none went on", *log_count);
}

static void throng(void)
{
	enum { MANY = 40 };
	pid_t pids[MANY];

	set(0, 0, 0);
	for (int i = 0; i < MANY; i++) {
		pids[i] = begin_child(0);
		if (pids[i] == 0) {
			for (int k = 0; k < 50; k++) {
				operate(0, -1, SEM_UNDO);
				int inside = __atomic_add_fetch(&log_count[1], 1, __ATOMIC_SEQ_CST);
				if (inside != 1)
					_exit(1);
				__atomic_sub_fetch(&log_count[1], 1, __ATOMIC_SEQ_CST);
				operate(0, 1, SEM_UNDO);
			}
			_exit(0);
		}
	}
	operate(0, 1, 0);
	int good = 0;
	for (int i = 0; i < MANY; i++)
		good += !strcmp(await(pids[i]), "exit 0");
	VALUE("mutual exclusion", good);
	VALUE("the value at the end", semctl(id, 0, GETVAL));
}

void sem_wait_checks(void)
{
	log_count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log_text = (char *)(log_count + 8);
	OK("a set", id = semget(IPC_PRIVATE, 3, 0600));
	waking();
	order();
	interruptions();
	throng();
	removal();
}
