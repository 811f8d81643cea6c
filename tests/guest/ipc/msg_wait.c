/* Message queues: waiting, waking, signals, removal, death. */
#include "check.h"

struct message {
	long type;
	char text[9000];
};

static int id;

/* A child that receives and exits with the type it got, 100 + the length, or 200 for an error other than these: */
static int code_of(int error)
{
	return error == EINTR ? 201 : error == EIDRM ? 202 : error == E2BIG ? 203 : error == EACCES ? 204 : 200;
}

static pid_t receiver(long type, size_t size, int flags)
{
	pid_t pid = begin_child(0);
	if (pid == 0) {
		static struct message m;
		_exit(msgrcv(id, &m, size, type, flags) < 0 ? code_of(errno) : (int)m.type);
	}
	nap(100); /* there is no way to see who waits */
	return pid;
}

static pid_t sender(long type, size_t size)
{
	pid_t pid = begin_child(0);
	if (pid == 0) {
		static struct message m;
		m.type = type;
		_exit(msgsnd(id, &m, size, 0) < 0 ? code_of(errno) : 0);
	}
	nap(100);
	return pid;
}

static int send_one(long type, size_t size)
{
	static struct message m;
	m.type = type;
	return msgsnd(id, &m, size, IPC_NOWAIT);
}

static long take_one(void)
{
	static struct message m;
	return msgrcv(id, &m, sizeof(m.text), 0, IPC_NOWAIT) < 0 ? -1 : m.type;
}

static void receivers(void)
{
	pid_t a = receiver(0, 100, 0), b, c;

	VALUE("send to one who waits", send_one(7, 10));
	text("it got it", await(a));
	VALUE("nothing is left", take_one());
	a = receiver(5, 100, 0);
	b = receiver(0, 100, 0);
	c = receiver(-6, 100, 0);
	send_one(6, 1);
	text("the first that takes it", await(b));
	send_one(6, 1);
	text("the next", await(c));
	send_one(5, 1);
	text("the one with its type", await(a));
	a = receiver(5, 100, MSG_EXCEPT);
	send_one(5, 1);
	VALUE("not for it", take_one());
	send_one(4, 1);
	text("for it", await(a));
	a = receiver(0, 5, 0);
	b = receiver(0, 50, 0);
	send_one(9, 20);
	text("too long for the first", await(a));
	text("the second gets it", await(b));
	a = receiver(0, 5, MSG_NOERROR);
	send_one(9, 20);
	text("cut off for it", await(a));
	a = receiver(0, 8192, 0);
	send_one(11, 8000);
	text("a long one", await(a));
	a = receiver(3, 8192, 0);
	send_one(3, 0);
	text("an empty one", await(a));
}

static void senders(void)
{
	pid_t a, b;

	send_one(1, 8192);
	send_one(2, 8192);
	a = sender(3, 100);
	VALUE("full for others", send_one(4, 1));
	VALUE("take the first", take_one());
	text("the sender goes on", await(a));
	VALUE("the second", take_one());
	VALUE("what it sent", take_one());
	send_one(1, 8192);
	send_one(2, 8192);
	/* Linux wakes every sender whose message fits: which one goes first is not said, so both must have room. */
	a = sender(3, 8000);
	b = sender(4, 100);
	VALUE("take one of three", take_one());
	text("the first sender", await(a));
	text("the second sender", await(b));
	VALUE("what was there before comes first", take_one());
	VALUE("what both sent", take_one() + take_one());
	VALUE("nothing more", take_one());
	struct msqid_ds ds;
	msgctl(id, IPC_STAT, &ds);
	ds.msg_qbytes = 8192;
	msgctl(id, IPC_SET, &ds);
	send_one(1, 8192);
	a = sender(3, 10);
	ds.msg_qbytes = 16384;
	msgctl(id, IPC_SET, &ds);
	text("a larger maximum lets it go on", await(a));
	while (take_one() >= 0)
		;
}

static void interruptions(void)
{
	pid_t a;

	catch_signal(SIGUSR1, 0);
	a = receiver(0, 100, 0);
	kill(a, SIGUSR1);
	text("receiver: signal", await(a));
	catch_signal(SIGUSR1, SA_RESTART);
	a = receiver(0, 100, 0);
	kill(a, SIGUSR1);
	text("receiver: signal with SA_RESTART", await(a));
	a = receiver(0, 100, 0);
	kill(a, SIGKILL);
	text("receiver: killed", await(a));
	send_one(3, 1);
	VALUE("the dead one takes nothing", take_one());
	a = receiver(0, 100, 0);
	kill(a, SIGSTOP);
	nap(20);
	kill(a, SIGCONT);
	nap(20);
	send_one(12, 1);
	text("receiver: stopped and continued", await(a));
	take_one();
	send_one(1, 8192);
	send_one(2, 8192);
	a = sender(3, 100);
	kill(a, SIGUSR1);
	text("sender: signal", await(a));
	a = sender(3, 100);
	kill(a, SIGKILL);
	text("sender: killed", await(a));
	VALUE("first", take_one());
	VALUE("second", take_one());
	VALUE("the dead one sends nothing", take_one());
}

static void permissions(void)
{
	struct msqid_ds ds;

	msgctl(id, IPC_STAT, &ds);
	ds.msg_perm.mode = 0666;
	msgctl(id, IPC_SET, &ds);
	pid_t a = begin_child(UNUSED_UID);
	if (a == 0) {
		struct message m;
		_exit(msgrcv(id, &m, 100, 0, 0) < 0 ? code_of(errno) : 1);
	}
	nap(100);
	ds.msg_perm.mode = 0600;
	msgctl(id, IPC_SET, &ds);
	text("receiver: may no more", await(a));
}

static void removal(void)
{
	pid_t a, b;

	a = receiver(5, 100, 0);
	send_one(1, 8192);
	send_one(2, 8192);
	b = sender(3, 100);
	VALUE("IPC_RMID with both waiting", msgctl(id, IPC_RMID, NULL));
	text("receiver: removed", await(a));
	text("sender: removed", await(b));
}

static void ping_pong(void)
{
	int good = 0;
	pid_t pid = begin_child(0);
	struct message m;

	if (pid == 0) {
		while (msgrcv(id, &m, 100, 1, 0) >= 0 && m.text[0] != 'q') {
			m.type = 2;
			msgsnd(id, &m, 1, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < 500; i++) {
		m.type = 1;
		m.text[0] = (char)('a' + i % 10);
		msgsnd(id, &m, 1, 0);
		good += msgrcv(id, &m, 100, 2, 0) == 1 && m.text[0] == 'a' + i % 10;
	}
	VALUE("ping pong", good);
	m.type = 1;
	m.text[0] = 'q';
	msgsnd(id, &m, 1, 0);
	text("its partner", await(pid));
}

/* Tokens of several senders to several receivers: each arrives once, and those of one sender in order at any receiver. */
static void tokens(void)
{
	enum { SENDERS = 4, RECEIVERS = 3, TOKENS = 300 };
	uint16_t *seen = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[SENDERS + RECEIVERS];
	struct {
		long type;
		int token[2];
	} m;
	int once = 0;

	for (int r = 0; r < RECEIVERS; r++) {
		pids[SENDERS + r] = begin_child(0);
		if (pids[SENDERS + r] == 0) {
			int last[SENDERS] = {-1, -1, -1, -1}, wrong = 0;
			while (msgrcv(id, &m, sizeof(m.token), 0, 0) >= 0 && m.token[0] >= 0) {
				wrong += m.token[1] <= last[m.token[0]];
				last[m.token[0]] = m.token[1];
				__atomic_fetch_add(&seen[m.token[0] * TOKENS + m.token[1]], 1, __ATOMIC_SEQ_CST);
			}
			_exit(wrong != 0);
		}
	}
	for (int s = 0; s < SENDERS; s++) {
		pids[s] = begin_child(0);
		if (pids[s] == 0) {
			for (int i = 0; i < TOKENS; i++) {
				m.type = s + 1;
				m.token[0] = s;
				m.token[1] = i;
				if (msgsnd(id, &m, sizeof(m.token), 0))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int s = 0; s < SENDERS; s++)
		text("sender of tokens", await(pids[s]));
	for (int r = 0; r < RECEIVERS; r++) {
		m.type = 9;
		m.token[0] = -1;
		msgsnd(id, &m, sizeof(m.token), 0);
	}
	for (int r = 0; r < RECEIVERS; r++)
		text("receiver of tokens", await(pids[SENDERS + r]));
	for (int i = 0; i < SENDERS * TOKENS; i++)
		once += seen[i] == 1;
	VALUE("each token once", once);
}

void msg_wait_checks(void)
{
	OK("a queue", id = msgget(IPC_PRIVATE, 0600));
	receivers();
	senders();
	interruptions();
	ping_pong();
	tokens();
	permissions();
	removal();
}
