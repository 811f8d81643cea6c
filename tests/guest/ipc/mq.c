/* POSIX message queues, by the system calls: libc's mq_notify and names differ between libraries. Waiting is in mq_wait.c. */
#include "check.h"
#include "mq.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/stat.h>

#define NAME "portico-test"

static char buffer[20000];

static int open_queue(const char *name, int flags, int mode, long messages, long size)
{
	struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = size};
	return mq_sys_open(name, flags, mode, messages != 0 ? &attr : NULL);
}

static void opening(void)
{
	struct mq_attr attr;
	char name[300];

	memset(name, 'n', sizeof(name));
	name[299] = 0;
	VALUE("mq_open of none", open_queue(NAME, O_RDWR, 0, 0, 0));
	VALUE("mq_open of the empty name", open_queue("", O_RDWR | O_CREAT, 0600, 0, 0));
	VALUE("mq_open with a slash", open_queue("a/b", O_RDWR | O_CREAT, 0600, 0, 0));
	VALUE("mq_open of .", open_queue(".", O_RDWR | O_CREAT, 0600, 0, 0));
	VALUE("mq_open of ..", open_queue("..", O_RDWR | O_CREAT, 0600, 0, 0));
	VALUE("mq_open of a long name", open_queue(name, O_RDWR | O_CREAT, 0600, 0, 0));
	VALUE("mq_open no messages", open_queue(NAME, O_RDWR | O_CREAT, 0600, -1, 10));
	VALUE("mq_open no size", open_queue(NAME, O_RDWR | O_CREAT, 0600, 10, 0));
	VALUE("mq_open negative size", open_queue(NAME, O_RDWR | O_CREAT, 0600, 10, -5));
	VALUE("mq_open too many messages", open_queue(NAME, O_RDWR | O_CREAT, 0600, 1000000, 10));
	VALUE("mq_open too large", open_queue(NAME, O_RDWR | O_CREAT, 0600, 10, 17000000));
	VALUE("mq_open bad pointer", mq_sys_open((const char *)8, O_RDWR | O_CREAT, 0600, NULL));
	VALUE("mq_open bad attributes", mq_sys_open(NAME, O_RDWR | O_CREAT, 0600, (struct mq_attr *)8));
	int q = open_queue(NAME, O_RDWR | O_CREAT | O_EXCL, 0640, 0, 0);
	OK("mq_open creates", q);
	VALUE("mq_getattr", mq_sys_getsetattr(q, NULL, &attr));
	VALUE("default messages", attr.mq_maxmsg);
	VALUE("default size", attr.mq_msgsize);
	VALUE("none in it", attr.mq_curmsgs);
	VALUE("flags", attr.mq_flags);
	VALUE("close on exec", fcntl(q, F_GETFD));
	VALUE("mq_open exclusive", open_queue(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, 0, 0));
	VALUE("mq_open bad access", open_queue(NAME, 3, 0, 0, 0));
	int r = open_queue(NAME, O_RDONLY | O_CREAT, 0600, 3, 3);
	OK("mq_open finds", r);
	mq_sys_getsetattr(r, NULL, &attr);
	VALUE("attributes are those of the first", attr.mq_maxmsg);
	struct stat st;
	VALUE("fstat", fstat(q, &st));
	VALUE("mode", st.st_mode);
	VALUE("size", st.st_size);
	VALUE("uid", st.st_uid);
	VALUE("lseek", lseek(q, 0, SEEK_CUR) >= 0 || errno == ESPIPE ? 0 : -1);
	VALUE("write", write(q, "x", 1));
	VALUE("send to a reader's", mq_sys_send(r, "x", 1, 0, NULL));
	VALUE("mq_setattr", mq_sys_getsetattr(r, &(struct mq_attr){.mq_flags = O_NONBLOCK}, &attr));
	VALUE("flags before", attr.mq_flags);
	mq_sys_getsetattr(r, NULL, &attr);
	VALUE("flags after", attr.mq_flags);
	VALUE("fcntl sees it", (fcntl(r, F_GETFL) & O_NONBLOCK) != 0);
	VALUE("the other description has it not", (fcntl(q, F_GETFL) & O_NONBLOCK) != 0);
	VALUE("mq_setattr of others", mq_sys_getsetattr(r, &(struct mq_attr){.mq_flags = O_APPEND}, &attr));
	VALUE("mq_getattr bad pointer", mq_sys_getsetattr(r, NULL, (struct mq_attr *)8));
	VALUE("mq_getattr of no queue", mq_sys_getsetattr(1, NULL, &attr));
	VALUE("mq_getattr of no descriptor", mq_sys_getsetattr(999, NULL, &attr));
	VALUE("receive empty, no wait", mq_sys_receive(r, buffer, sizeof(buffer), NULL, NULL));
	close(r);
	r = open_queue(NAME, O_WRONLY, 0, 0, 0);
	VALUE("receive from a writer's", mq_sys_receive(r, buffer, sizeof(buffer), NULL, NULL));
	close(r);
	VALUE("mq_unlink", mq_sys_unlink(NAME));
	VALUE("mq_unlink again", mq_sys_unlink(NAME));
	VALUE("mq_unlink bad pointer", mq_sys_unlink((const char *)8));
	VALUE("open after unlink", open_queue(NAME, O_RDWR, 0, 0, 0));
	VALUE("it works unlinked", mq_sys_send(q, "x", 1, 0, NULL));
	fstat(q, &st);
	VALUE("links", st.st_nlink);
	int other = open_queue(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, 2, 20);
	OK("another of that name", other);
	mq_sys_getsetattr(other, NULL, &attr);
	VALUE("it is empty", attr.mq_curmsgs);
	close(q);
	close(other);
	VALUE("it stays without descriptors", mq_sys_unlink(NAME));
}

static void messages(void)
{
	int q = open_queue(NAME, O_RDWR | O_CREAT | O_NONBLOCK, 0600, 4, 3000);
	struct mq_attr attr;
	unsigned priority = 99;
	struct timespec bad = {0, -1};

	VALUE("send", mq_sys_send(q, "low", 3, 1, NULL));
	VALUE("send high", mq_sys_send(q, "high", 4, 32767, NULL));
	VALUE("send low again", mq_sys_send(q, "low again", 9, 1, NULL));
	VALUE("send too high", mq_sys_send(q, "x", 1, 32768, NULL));
	VALUE("send too long", mq_sys_send(q, buffer, 3001, 0, NULL));
	VALUE("send bad pointer", mq_sys_send(q, (char *)8, 1, 0, NULL));
	VALUE("send bad pointer, long", mq_sys_send(q, (char *)8, 2500, 0, NULL));
	VALUE("send empty", mq_sys_send(q, "", 0, 0, NULL));
	VALUE("send to a full one", mq_sys_send(q, "x", 1, 0, NULL));
	VALUE("send bad time", mq_sys_send(q, "x", 1, 0, &bad));
	VALUE("send bad time pointer", mq_sys_send(q, "x", 1, 0, (struct timespec *)8));
	VALUE("send to no queue", mq_sys_send(0, "x", 1, 0, NULL));
	VALUE("send to no descriptor", mq_sys_send(999, "x", 1, 0, NULL));
	mq_sys_getsetattr(q, NULL, &attr);
	VALUE("how many", attr.mq_curmsgs);
	VALUE("receive too short", mq_sys_receive(q, buffer, 2999, &priority, NULL));
	VALUE("receive the highest", mq_sys_receive(q, buffer, 3000, &priority, NULL));
	VALUE("its priority", priority);
	VALUE("its text", strncmp(buffer, "high", 4));
	VALUE("receive the next", mq_sys_receive(q, buffer, 3000, &priority, NULL));
	VALUE("the first of its priority", strncmp(buffer, "low", 4) == 0 || buffer[3] == 'h');
	VALUE("priority", priority);
	VALUE("receive the third", mq_sys_receive(q, buffer, 3000, NULL, NULL));
	VALUE("its text", strncmp(buffer, "low again", 9));
	VALUE("receive the empty one", mq_sys_receive(q, buffer, 3000, &priority, NULL));
	VALUE("no more", mq_sys_receive(q, buffer, 3000, &priority, NULL));
	memset(buffer, 'z', sizeof(buffer));
	VALUE("send a long one", mq_sys_send(q, buffer, 3000, 5, NULL));
	memset(buffer, 0, sizeof(buffer));
	VALUE("receive a long one", mq_sys_receive(q, buffer, 5000, &priority, NULL));
	TRUE("all of it", buffer[0] == 'z' && buffer[2999] == 'z' && buffer[3000] == 0);
	mq_sys_send(q, "x", 1, 0, NULL);
	VALUE("receive, bad pointer", mq_sys_receive(q, (char *)8, 3000, &priority, NULL));
	while (mq_sys_receive(q, buffer, 3000, &priority, NULL) >= 0)
		;
	struct pollfd poll_it = {.fd = q, .events = POLLIN | POLLOUT};
	VALUE("poll of an empty one", poll(&poll_it, 1, 0));
	VALUE("its events", poll_it.revents);
	mq_sys_send(q, "x", 1, 0, NULL);
	poll(&poll_it, 1, 0);
	VALUE("events with one", poll_it.revents);
	for (int i = 0; i < 3; i++)
		mq_sys_send(q, "x", 1, 0, NULL);
	poll(&poll_it, 1, 0);
	VALUE("events of a full one", poll_it.revents);
	char status[100] = "";
	lseek(q, 0, SEEK_SET);
	VALUE("read", read(q, status, 99));
	text("what it says", status);
	int same = dup(q);
	VALUE("receive by a duplicate", mq_sys_receive(same, buffer, 3000, NULL, NULL));
	close(same);
	IN_CHILD(0, VALUE("receive in a child", mq_sys_receive(q, buffer, 3000, NULL, NULL)));
	mq_sys_getsetattr(q, NULL, &attr);
	VALUE("two are left", attr.mq_curmsgs);
	close(q);
	mq_sys_unlink(NAME);
	int order[6] = {3, 1, 3, 2, 1, 2};
	q = open_queue(NAME, O_RDWR | O_CREAT | O_NONBLOCK, 0600, 6, 1);
	for (int i = 0; i < 6; i++)
		mq_sys_send(q, (char[]){(char)('a' + i)}, 1, (unsigned)order[i], NULL);
	char got[7] = "";
	for (int i = 0; i < 6; i++)
		mq_sys_receive(q, got + i, 1, NULL, NULL);
	text("by priority and age", got);
	close(q);
	mq_sys_unlink(NAME);
}

static void permissions(void)
{
	umask(022);
	int q = open_queue(NAME, O_RDWR | O_CREAT, 0666, 0, 0);
	struct stat st;

	fstat(q, &st);
	VALUE("the umask counts", st.st_mode & 0777);
	IN_CHILD(UNUSED_UID, {
		OK("stranger: read", open_queue(NAME, O_RDONLY, 0, 0, 0));
		VALUE("stranger: write", open_queue(NAME, O_WRONLY, 0, 0, 0));
		VALUE("stranger: both", open_queue(NAME, O_RDWR, 0, 0, 0));
		VALUE("stranger: unlink", mq_sys_unlink(NAME));
		OK("stranger: an own one", open_queue(NAME "-2", O_RDWR | O_CREAT, 0600, 0, 0));
		VALUE("stranger: more than may be", open_queue(NAME "-3", O_RDWR | O_CREAT, 0600, 11, 10));
		VALUE("stranger: larger than may be", open_queue(NAME "-3", O_RDWR | O_CREAT, 0600, 10, 8193));
	});
	OK("the superuser opens it", open_queue(NAME "-2", O_RDWR, 0, 0, 0));
	VALUE("the superuser unlinks it", mq_sys_unlink(NAME "-2"));
	close(q);
	mq_sys_unlink(NAME);
	umask(0);
	q = open_queue(NAME, O_RDWR | O_CREAT, 0, 0, 0);
	OK("mode 0", q);
	IN_CHILD(UNUSED_UID, VALUE("stranger: mode 0", open_queue(NAME, O_RDONLY, 0, 0, 0)));
	close(q);
	mq_sys_unlink(NAME);
	int queues[40], count = 0;
	char name[40];
	while (count < 40 && (snprintf(name, sizeof(name), NAME "-%d", count), queues[count] = open_queue(name, O_RDWR | O_CREAT, 0600, 0, 0)) >= 0)
		count++;
	VALUE("queues of the default size", count);
	VALUE("why no more", open_queue(name, O_RDWR | O_CREAT, 0600, 0, 0));
	while (count-- > 0) {
		snprintf(name, sizeof(name), NAME "-%d", count);
		close(queues[count]);
		mq_sys_unlink(name);
	}
}

void mq_checks(void)
{
	opening();
	messages();
	permissions();
}
