/* Message queues: msgget, msgctl, and msgsnd and msgrcv where they do not wait. Waiting is in msg_wait.c. */
#include "check.h"

#define KEY 0x53530001

struct message {
	long type;
	char text[10000];
};

static int id;
static struct message m;

static int send_text(long type, const char *words)
{
	m.type = type;
	strcpy(m.text, words);
	return msgsnd(id, &m, strlen(words) + 1, IPC_NOWAIT);
}

/* The text that comes, or the error. */
static void receive(const char *name, long type, int flags)
{
	memset(&m, 0, sizeof(m));
	errno = 0;
	ssize_t got = msgrcv(id, &m, 100, type, flags | IPC_NOWAIT);
	if (got < 0)
		result(name, got, errno);
	else
		text(name, m.text);
}

static void get(void)
{
	VALUE("msgget no such key", msgget(KEY, 0600));
	OK("msgget creates", id = msgget(KEY, IPC_CREAT | 0640));
	TRUE("msgget finds", msgget(KEY, 0) == id);
	VALUE("msgget exclusive", msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
}

static void stat(void)
{
	struct msqid_ds ds;

	VALUE("IPC_STAT", msgctl(id, IPC_STAT, &ds));
	VALUE("mode", ds.msg_perm.mode);
	VALUE("key", ds.msg_perm.__key);
	VALUE("bytes", ds.msg_cbytes);
	VALUE("messages", ds.msg_qnum);
	VALUE("maximum", ds.msg_qbytes);
	VALUE("last sender", ds.msg_lspid);
	VALUE("last receiver", ds.msg_lrpid);
	VALUE("send time", ds.msg_stime);
	VALUE("receive time", ds.msg_rtime);
	TRUE("change time", ds.msg_ctime != 0);
	send_text(1, "hello");
	send_text(1, "you");
	msgctl(id, IPC_STAT, &ds);
	VALUE("bytes of two", ds.msg_cbytes);
	VALUE("two messages", ds.msg_qnum);
	TRUE("last sender is me", ds.msg_lspid == getpid());
	TRUE("send time is set", ds.msg_stime != 0);
	receive("the first", 0, 0);
	msgctl(id, IPC_STAT, &ds);
	VALUE("bytes of one", ds.msg_cbytes);
	TRUE("last receiver is me", ds.msg_lrpid == getpid());
	TRUE("receive time is set", ds.msg_rtime != 0);
	receive("the second", 0, 0);
	receive("no more", 0, 0);
	VALUE("IPC_STAT bad pointer", msgctl(id, IPC_STAT, (struct msqid_ds *)8));
	VALUE("IPC_STAT bad id", msgctl(id + 9, IPC_STAT, &ds));
	VALUE("IPC_STAT stale id", msgctl(id + 32768 * 3, IPC_STAT, &ds));
	VALUE("IPC_STAT negative id", msgctl(-1, IPC_STAT, &ds));
	VALUE("unknown command", msgctl(id, 77, &ds));
}

static void sending(void)
{
	m.type = 0;
	VALUE("type 0", msgsnd(id, &m, 1, 0));
	m.type = -1;
	VALUE("negative type", msgsnd(id, &m, 1, 0));
	m.type = 1;
	VALUE("too long", msgsnd(id, &m, 8193, 0));
	VALUE("negative length", msgsnd(id, &m, (size_t)-1, 0));
	VALUE("longest", msgsnd(id, &m, 8192, 0));
	VALUE("longest again", msgsnd(id, &m, 8192, 0));
	VALUE("full", msgsnd(id, &m, 1, IPC_NOWAIT));
	VALUE("an empty one fits", msgsnd(id, &m, 0, IPC_NOWAIT));
	VALUE("bad id", msgsnd(id + 9, &m, 1, 0));
	VALUE("negative id", msgsnd(-1, &m, 1, 0));
	VALUE("bad pointer", msgsnd(id, (void *)8, 1, 0));
	char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	*(long *)(edge + 4096 - 8) = 1;
	VALUE("text beyond the end", msgsnd(id, edge + 4096 - 8, 4, 0));
	VALUE("long text beyond the end", msgsnd(id, edge + 4096 - 8, 4000, 0));
	VALUE("receive the longest", msgrcv(id, &m, sizeof(m.text), 0, 0));
	VALUE("receive it shortened", msgrcv(id, &m, 5000, 0, MSG_NOERROR));
	VALUE("receive the empty one", msgrcv(id, &m, 0, 0, 0));
	munmap(edge, 4096);
	m.type = LONG_MAX;
	VALUE("the highest type", msgsnd(id, &m, 1, 0));
	VALUE("receive it", msgrcv(id, &m, 1, LONG_MAX, 0));
	TRUE("its type", m.type == LONG_MAX);
	for (int i = 0; i < 3000; i++)
		m.text[i] = (char)(i * 7);
	m.type = 3;
	VALUE("middle length", msgsnd(id, &m, 3000, 0));
	memset(&m, 0, sizeof(m));
	VALUE("received", msgrcv(id, &m, 3000, 3, 0));
	int wrong = 0;
	for (int i = 0; i < 3000; i++)
		wrong += m.text[i] != (char)(i * 7);
	VALUE("its bytes", wrong);
	TRUE("nothing behind them", m.text[3000] == 0);
}

static void selecting(void)
{
	send_text(4, "four");
	send_text(2, "two");
	send_text(3, "three");
	send_text(2, "two again");
	send_text(5, "five");
	receive("type 3", 3, 0);
	receive("type 3 again", 3, 0);
	receive("lowest up to 4", -4, 0);
	receive("lowest up to 4 again", -4, 0);
	receive("lowest up to 4, third", -4, 0);
	receive("lowest up to 4, fourth", -4, 0);
	send_text(6, "six");
	receive("not five", 5, MSG_EXCEPT);
	receive("not five again", 5, MSG_EXCEPT);
	receive("lowest of all", LONG_MIN, 0);
	send_text(1, "first");
	send_text(9, "second");
	receive("except with type 0", 0, MSG_EXCEPT);
	receive("copy of the first", 0, MSG_COPY);
	receive("copy of none", 1, MSG_COPY);
	VALUE("copy and wait", msgrcv(id, &m, 100, 0, MSG_COPY));
	VALUE("copy and except", msgrcv(id, &m, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT));
	receive("it is still there", 0, 0);
	send_text(1, "a long one that does not fit");
	VALUE("too short", msgrcv(id, &m, 5, 0, 0));
	memset(&m, 0, sizeof(m));
	VALUE("copy too short", msgrcv(id, &m, 5, 0, MSG_COPY | IPC_NOWAIT));
	VALUE("copy shortened", msgrcv(id, &m, 5, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT));
	VALUE("shortened", msgrcv(id, &m, 6, 0, MSG_NOERROR));
	text("what came", m.text);
	VALUE("the rest is lost", msgrcv(id, &m, 6, 0, IPC_NOWAIT));
	VALUE("receive bad id", msgrcv(id + 9, &m, 1, 0, 0));
	VALUE("receive negative id", msgrcv(-1, &m, 1, 0, 0));
	VALUE("receive negative length", msgrcv(id, &m, (size_t)-1, 0, 0));
	for (int i = 0; i < 5; i++)
		send_text(i + 1, "x");
	VALUE("number", msgrcv(id, &m, 5, 3, MSG_COPY | IPC_NOWAIT));
	VALUE("its type", m.type);
	while (msgrcv(id, &m, 5, 0, IPC_NOWAIT) >= 0)
		;
}

static void limits(void)
{
	struct msqid_ds ds;
	int count = 0;

	msgctl(id, IPC_STAT, &ds);
	ds.msg_qbytes = 100;
	VALUE("IPC_SET of the maximum", msgctl(id, IPC_SET, &ds));
	m.type = 1;
	VALUE("more than the maximum", msgsnd(id, &m, 101, IPC_NOWAIT));
	VALUE("as much as that", msgsnd(id, &m, 100, IPC_NOWAIT));
	msgrcv(id, &m, 100, 0, 0);
	while (count < 1000 && msgsnd(id, &m, 0, IPC_NOWAIT) == 0)
		count++;
	VALUE("empty messages", count);
	VALUE("why no more", msgsnd(id, &m, 0, IPC_NOWAIT));
	while (msgrcv(id, &m, 5, 0, IPC_NOWAIT) >= 0)
		;
	ds.msg_qbytes = 16384;
	VALUE("the maximum again", msgctl(id, IPC_SET, &ds));
	VALUE("IPC_SET bad pointer", msgctl(id, IPC_SET, (struct msqid_ds *)8));
	ds.msg_perm.uid = (uid_t)-1;
	VALUE("IPC_SET of no owner", msgctl(id, IPC_SET, &ds));
}

static void permissions(void)
{
	struct msqid_ds ds;

	msgctl(id, IPC_STAT, &ds);
	ds.msg_perm.mode = 0600;
	msgctl(id, IPC_SET, &ds);
	IN_CHILD(UNUSED_UID, {
		OK("stranger: msgget", msgget(KEY, 0400));
		VALUE("stranger: msgsnd", send_text(1, "x"));
		VALUE("stranger: msgrcv", msgrcv(id, &m, 5, 0, IPC_NOWAIT));
		VALUE("stranger: IPC_STAT", msgctl(id, IPC_STAT, &ds));
		VALUE("stranger: IPC_SET", msgctl(id, IPC_SET, &ds));
		VALUE("stranger: IPC_RMID", msgctl(id, IPC_RMID, NULL));
	});
	ds.msg_perm.mode = 0602;
	msgctl(id, IPC_SET, &ds);
	IN_CHILD(UNUSED_UID, {
		VALUE("writer: msgsnd", send_text(1, "from a stranger"));
		VALUE("writer: msgrcv", msgrcv(id, &m, 50, 0, IPC_NOWAIT));
	});
	receive("the stranger's message", 0, 0);
	ds.msg_perm.uid = UNUSED_UID;
	msgctl(id, IPC_SET, &ds);
	IN_CHILD(UNUSED_UID, {
		VALUE("owner: more than the maximum", (ds.msg_qbytes = 20000, msgctl(id, IPC_SET, &ds)));
		VALUE("owner: the maximum", (ds.msg_qbytes = 16384, msgctl(id, IPC_SET, &ds)));
		VALUE("owner: IPC_RMID", msgctl(id, IPC_RMID, NULL));
	});
	VALUE("removed: msgsnd", send_text(1, "x"));
	VALUE("removed: msgrcv", msgrcv(id, &m, 5, 0, 0));
	VALUE("removed: IPC_RMID", msgctl(id, IPC_RMID, NULL));
}

static void lists(void)
{
	struct msginfo info;
	struct msqid_ds ds;
	int a = msgget(IPC_PRIVATE, 0600), highest, seen = 0;

	id = a;
	send_text(1, "12345678");
	OK("MSG_INFO", highest = msgctl(0, MSG_INFO, (void *)&info));
	TRUE("queues", info.msgpool >= 1);
	TRUE("messages", info.msgmap >= 1);
	TRUE("bytes", info.msgtql >= 9);
	OK("IPC_INFO", msgctl(0, IPC_INFO, (void *)&info));
	VALUE("MSGMAX", info.msgmax);
	VALUE("MSGMNB", info.msgmnb);
	VALUE("MSGMNI", info.msgmni);
	VALUE("MSGSSZ", info.msgssz);
	VALUE("MSGSEG", info.msgseg);
	VALUE("MSGPOOL", info.msgpool);
	VALUE("MSGMAP", info.msgmap);
	VALUE("MSGTQL", info.msgtql);
	for (int i = 0; i <= highest; i++)
		seen += msgctl(i, MSG_STAT, &ds) == a && ds.msg_qnum == 1;
	VALUE("MSG_STAT finds it", seen);
	VALUE("MSG_STAT of a free place", msgctl(highest + 1, MSG_STAT, &ds));
	IN_CHILD(UNUSED_UID, {
		VALUE("MSG_STAT of a stranger's", msgctl(a % 32768, MSG_STAT, &ds));
		TRUE("MSG_STAT_ANY of it", msgctl(a % 32768, 13, &ds) == a);
	});
	VALUE("remove one that is not empty", msgctl(a, IPC_RMID, NULL));
}

void msg_checks(void)
{
	get();
	stat();
	sending();
	selecting();
	limits();
	permissions();
	lists();
}
