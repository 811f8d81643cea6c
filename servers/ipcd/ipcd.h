/*
 * ipcd: System V shared memory, semaphores and message queues, POSIX message queues. Root structure, records, and what the files of this folder offer each other.
 *
 * Above: libposix (interface ipc; interface io on the files of /proc that show and set what is here, and on
 * POSIX queues). Below: sig (mq_notify), proc (who is who, what may it)
 * and the kernel (kernel_ops.h). Nothing is shared with a process but the memory objects of segments. All state hangs off struct ipc_root,
 * in the keep. Behaviour, order of waiters and errors are those of Linux 6.1 (ipc/sem.c, msg.c, shm.c, util.c) and its man pages.
 */
#ifndef IPCD_IPCD_H
#define IPCD_IPCD_H

#include <ipc_types.h>
#include <portico/server.h>
#include <portico/sem_page.h>
#include <portico/server_sessions.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- Linux's numbers ---- */

enum ipc_flag {
	IPC_CREAT = 01000,
	IPC_EXCL = 02000,
	IPC_NOWAIT = 04000,
	SHM_RDONLY = 010000,
	SHM_EXEC = 0100000,
	SHM_HUGETLB = 04000,
	SHM_DEST = 01000,   /* in a segment's mode: removed, still attached */
	SHM_LOCKED = 02000, /* in a segment's mode */
	SEM_UNDO = 0x1000,
	MSG_NOERROR = 010000,
	MSG_EXCEPT = 020000,
	MSG_COPY = 040000,
};

#define IPC_PRIVATE 0
#define MODE_BITS 0777u
#define MAY_READ 0444u
#define MAY_WRITE 0222u
#define MAY_EXECUTE 0111u
#define KEEP_ID 0xffffffffu

#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))
enum ipc_capability { CAPABILITY_IPC_LOCK = 14, CAPABILITY_IPC_OWNER = 15, CAPABILITY_FOWNER = 3, CAPABILITY_DAC_OVERRIDE = 1, CAPABILITY_SYS_ADMIN = 21, CAPABILITY_SYS_RESOURCE = 24 };

#define PLACES_MAX 32768u /* IPCMNI: the largest that SHMMNI, SEMMNI, MSGMNI can be */
#define PLACE_BITS 15
#define SEQUENCE_MAX 0xffffu
#define SEM_VALUE_MAX 32767
#define SEM_PER_SET_MAX 65536u /* what a window of SETALL carries */

/* Bits of port_notify. */
#define NOTIFY_CHANGES UINT64_C(1)

/* Badges on our port. */
#define BADGE_KIND(badge) ((badge) >> 56)
#define BADGE_PROCESS 0u
#define BADGE_QUEUE 3u /* an open POSIX message queue; 2: a file of /proc (portico/ipc_files.h) */

/* ---- objects.c: what segments, sets and queues have in common ---- */

/* Begins the record of every object. */
struct object {
	struct object *next_key; /* same bucket; IPC_PRIVATE ones are in none */
	int32_t key;
	int32_t id; /* sequence << 15 | place */
	uint32_t uid, gid, cuid, cgid;
	uint32_t mode;
	struct account *account; /* of the user who made it */
};

#define TABLE_CHUNK 512u
#define KEY_BUCKETS 256u

/* All objects of a kind, by place and by key. All zero: empty. */
struct table {
	struct object **chunk[PLACES_MAX / TABLE_CHUNK]; /* those up to `high` exist */
	uint64_t used[PLACES_MAX / 64];                  /* a bit a place */
	uint32_t high;                                   /* places from here up were never used */
	uint32_t next;                                   /* place behind the one that was given out last */
	uint32_t sequence;
	uint32_t count;
	struct object *bucket[KEY_BUCKETS];
};

/* The object of an id. EINVAL: there is none, or it is another one by now. */
int table_find(const struct table *table, int32_t id, struct object **found);
struct object *table_at(const struct table *table, uint32_t place); /* NULL: free */
struct object *table_by_key(const struct table *table, int32_t key);
/* Places, keys and permissions of a new object; `limit`: the kind's number of objects. 0, ENOSPC or ENOMEM. */
int table_add(struct table *table, uint32_t limit, struct object *object, const struct server_session *maker, int32_t key, uint32_t flags);
/* The key finds it no more, the id still does (a removed segment that is attached). */
void table_hide(struct table *table, struct object *object);
void table_remove(struct table *table, struct object *object);
int32_t table_highest(const struct table *table); /* place; -1: none */
/* By enum ipc_naming. 0, EINVAL. */
int table_named(const struct table *table, uint32_t naming, int32_t id, struct object **found);

void object_describe(const struct object *object, struct ipc_permission *to);

/* ---- access.c: who may what ---- */

/* What proc said of the caller, kept until it changes; part of struct process. */
struct authority {
	bool known;
	uint64_t capabilities;
	uint32_t group_count;
	uint32_t groups[64];
};

/* The caller. NULL: no such process, or an earlier image of it: ESRCH. */
struct server_session *caller_of(const struct server_call *call);
/* Does the mode give all of `wanted` (MAY_*, permissions as shmget's flags have them)? 0 or EACCES. Like Linux's ipcperms(). */
int access_check(struct server_session *s, const struct object *object, uint32_t wanted);
/* IPC_SET and IPC_RMID: owner, creator or CAP_SYS_ADMIN. 0 or EPERM. */
int access_control(struct server_session *s, const struct object *object);
bool access_capable(struct server_session *s, enum ipc_capability capability);

/* ---- process.c ---- */

/* ipcd's part of a session record; made at the first need. */
struct process {
	struct server_session *session;
	struct attachment *attached;
	struct undo *undo;
	struct authority authority;
};

void session_changed(const struct proc_change *change, struct server_session *session);
/* NULL: no memory. */
struct process *process_record(struct server_session *session);

/* ---- account.c: what a user has here ---- */

struct account {
	struct account *next;
	uint32_t uid;
	uint32_t users;  /* objects that name it */
	uint64_t bytes;  /* of the keep */
	uint64_t mq_bytes; /* of POSIX queues, as RLIMIT_MSGQUEUE counts */
};

/* The account of a user, with one more that names it. NULL: no memory. */
struct account *account_of(uint32_t uid);
void account_put(struct account *account);
/* Charges bytes of the keep. False: the user has its share. uid 0 has no limit. */
bool account_charge(struct account *account, uint64_t bytes);
void account_refund(struct account *account, uint64_t bytes);

/* ---- wait.c: parked callers ---- */

struct list {
	struct list *next, *previous;
};

enum wait_kind { WAIT_SEM, WAIT_SEND, WAIT_RECEIVE, WAIT_MQ_SEND, WAIT_MQ_RECEIVE };

/* Begins the record of every parked caller. */
struct waiter {
	struct waiter *next_request; /* same bucket */
	uint64_t request;
	struct server_reply reply;
	uint32_t kind; /* enum wait_kind */
	uint32_t pid;
};

#define WAIT_BUCKETS 1024u

/* Parks the caller of a request; the record is freed if that fails. SERVER_PARKED or an errno. */
int wait_park(struct server_call *call, struct waiter *waiter, enum wait_kind kind);
/* Out of the table, before it is answered and freed. */
void wait_forget(struct waiter *waiter);
void wait_cancelled(uint64_t request, bool died);

static inline void list_init(struct list *head)
{
	head->next = head->previous = head;
}
static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}
static inline void list_append(struct list *head, struct list *item)
{
	item->next = head;
	item->previous = head->previous;
	head->previous->next = item;
	head->previous = item;
}
static inline void list_unlink(struct list *item)
{
	item->next->previous = item->previous;
	item->previous->next = item->next;
}
#define list_item(item, type, member) ((type *)((char *)(item)-offsetof(type, member)))

/* ---- shm.c ---- */

#define SEGMENT_RIGHTS 4u

struct segment {
	struct object object;
	port_name_t memory;                    /* the object, with all rights */
	port_name_t rights[SEGMENT_RIGHTS];    /* what is handed out: writable 1, executable 2; made at the first need */
	uint64_t size;
	uint64_t attaches;
	int64_t attach_time, detach_time, change_time;
	uint32_t creator_pid, last_pid;
};

/* How often a process has a segment attached. */
struct attachment {
	struct attachment *next;
	struct segment *segment;
	uint64_t count;
};

/* fork: the child has what the parent has. */
void shm_inherit(const struct process *parent, struct process *child);
/* exec and the end. */
void shm_leave(struct process *p);

/* ---- sem.c, sem_queue.c ---- */

struct semaphore {
	int32_t value;
	uint32_t pid;
	uint32_t users; /* operations of waiters that name it */
	struct list alter, zero; /* waiters of one operation: to change it, for 0 */
};

struct sem_set {
	struct object object;
	int64_t operation_time, change_time;
	uint32_t count;
	uint32_t complex; /* waiters with several operations */
	struct undo *undo;
	struct sem_page *page; /* NULL: none */
	port_name_t page_object, page_right;
	uint64_t owned; /* semaphores of which the record counts, not the page */
	struct list alter, zero; /* waiters with several operations; and in `alter` all others, while there are such */
	struct semaphore sem[];
};

/* A caller that waits for a set. */
struct sem_waiter {
	struct waiter waiter;
	struct list queued;
	struct sem_set *set;
	struct undo *undo;
	uint32_t blocking; /* the operation that could not be done */
	bool alters;
	uint32_t count;
	struct ipc_sem_operation operation[];
};

/* What a process has to take back of a set at its end. */
struct undo {
	struct undo *next_set, *next_process;
	struct sem_set *set;
	struct process *process;
	struct account *account; /* of its user */
	int16_t adjust[];
};

/* Does all of `operations`, or nothing. 0, EAGAIN, ERANGE; -1: must wait, *blocking is why. */
int sem_perform(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count, struct undo *undo, uint32_t pid,
                uint32_t *blocking);
/* After a change: whoever can go on does, in Linux's order. operations NULL: anything may have changed. now: for sem_otime. */
void sem_update(struct sem_set *set, const struct ipc_sem_operation *operations, uint32_t count, int64_t now);
void sem_enqueue(struct sem_waiter *waiter);
/* Out of its queue, not answered. */
void sem_dequeue(struct sem_waiter *waiter);
void sem_cancel(struct sem_waiter *waiter);
/* The waiter is answered and freed. */
void sem_answer(struct sem_waiter *waiter, int error);
/* Callers that wait for semaphore `number` to rise, or to be 0. */
uint32_t sem_count_waiting(const struct sem_set *set, uint32_t number, bool zero);
/* Out of its queue and no more: sem_dequeue() without looking at the others. */
void sem_unlink(struct sem_waiter *waiter);

/* sem_page.c: before a semaphore is looked at or changed, its value is taken from the page; afterwards what nobody waits for is given back. */
void sem_own(struct sem_set *set, uint32_t number);
void sem_own_all(struct sem_set *set);
void sem_give(struct sem_set *set);
/* Its value and last pid as they are, taken or not. */
void sem_look(const struct sem_set *set, uint32_t number, int32_t *value, uint32_t *pid);
int64_t sem_time(const struct sem_set *set); /* sem_otime */
/* The page counts no more; all must be owned, or the set goes. */
void sem_page_drop(struct sem_set *set);
/* The process's undo record of the set. NULL: none, or (make) no memory. */
struct undo *undo_find(struct process *p, struct sem_set *set, bool make);
void undo_free(struct undo *undo);
/* The process ends. */
void undo_apply(struct process *p);

/* ---- msg.c, msg_queue.c ---- */

/* Of System V's queues and of POSIX's. */
struct message {
	struct message *next;
	int64_t type; /* POSIX: the priority */
	size_t size;
	size_t room; /* of the record */
	uint8_t text[];
};

/* Where a queue's messages come from: one small record is kept for the next message. */
struct message_store {
	struct account *account;
	struct message *spare;
};

struct msg_queue {
	struct object object;
	struct message_store store;
	int64_t send_time, receive_time, change_time;
	uint64_t bytes, count, max_bytes;
	uint32_t send_pid, receive_pid;
	struct message *first, *last;
	struct list senders, receivers;
};

struct send_waiter {
	struct waiter waiter;
	struct list queued;
	struct msg_queue *queue;
	struct message *message;
	bool in_message; /* msg_send_inline */
};

/* How a receiver chooses. */
struct selection {
	int64_t type;
	uint32_t flags; /* MSG_* */
	uint64_t size;  /* of its buffer */
};

struct receive_waiter {
	struct waiter waiter;
	struct list queued;
	struct msg_queue *queue;
	struct selection selection;
	bool in_message; /* msg_receive_inline */
	struct server_window window;
};

/* The message that the selection means; *link is what points to it. NULL: none. */
struct message *msg_select(struct msg_queue *queue, const struct selection *selection, struct message ***link);
/* A message of `size` bytes, not filled yet, charged to the queue's owner. NULL: no memory, or that user has its share. */
struct message *msg_new(struct message_store *store, int64_t type, size_t size);
void msg_free(struct message_store *store, struct message *message);
/* The queue goes: nothing is kept for later. */
void store_empty(struct message_store *store);
/* A message has room now: put it in, or hand it to a receiver that waits. */
void msg_deliver(struct msg_queue *queue, struct message *message, uint32_t pid, int64_t now);
/* There is room: senders go on. */
void msg_senders(struct msg_queue *queue, int64_t now);
/* Takes a message out of the queue; it is the caller's. */
void msg_take(struct msg_queue *queue, struct message **link, uint32_t pid, int64_t now);
void msg_answer_send(struct send_waiter *waiter, int error);
void msg_answer_receive(struct receive_waiter *waiter, int error);
bool msg_fits(const struct msg_queue *queue, size_t size);

/* ---- mqueue.c, mqueue_serve.c: POSIX message queues ---- */

#define MQ_NAME_MAX 255u
#define MQ_PRIORITIES 32768u
#define MQ_MESSAGES_HARD 65536u /* HARD_MSGMAX; that of sizes is IPC_TEXT_MAX */

/* Messages of one priority, in the order in which they came. */
struct mq_level {
	struct mq_level *next; /* the next lower priority */
	uint32_t priority;
	struct message *first, *last;
};

/* mq_notify: who is to be told of the next message in an empty queue. */
struct mq_notification {
	uint32_t pid; /* 0: nobody */
	uint32_t how; /* SIGEV_SIGNAL, SIGEV_NONE */
	uint32_t signal;
	uint64_t value;
};

struct mqueue {
	struct object object; /* in no table: only owner and mode count */
	struct message_store store;
	struct mqueue *next;
	bool linked;           /* has its name */
	struct open_file *files;
	uint64_t max_messages, message_size;
	uint64_t count, bytes;
	struct mq_level *levels; /* highest first */
	struct list senders, receivers;
	struct mq_notification notification;
	int64_t created;
	uint64_t charged; /* of RLIMIT_MSGQUEUE */
	char name[MQ_NAME_MAX + 1];
};

struct mq_waiter {
	struct waiter waiter;
	struct list queued;
	struct mqueue *queue;
	struct message *message; /* WAIT_MQ_SEND: what is to be sent */
	bool in_message;         /* mq_receive_inline */
	struct server_window window;
};

struct mqueue *mq_find(const char *name);
/* In the order of priorities. False: no memory; nothing changed. */
bool mq_insert(struct mqueue *queue, struct message *message);
struct message *mq_first(const struct mqueue *queue);
/* Takes the first one out; it is the caller's. */
struct message *mq_take(struct mqueue *queue);
/* A message has a place: to a receiver that waits, else into the queue, and who registered is told. 0 or ENOMEM: freed. */
int mq_deliver(struct mqueue *queue, struct message *message, const struct server_session *sender);
/* There is room for one: the first sender that waits goes on. Nobody is notified of that: the queue was not empty for others. */
void mq_room(struct mqueue *queue);
void mq_answer(struct mq_waiter *waiter, int error);
/* Readiness words of all descriptions. */
void mq_ready(const struct mqueue *queue);
/* The last description is gone, or the name: the queue goes with both. */
void mq_closed(struct mqueue *queue);
void mq_unlinked(struct mqueue *queue);
/* A process ends, execs, or closes a descriptor: what it registered at this queue, or at all, is forgotten. */
void mq_forget(struct mqueue *queue, uint32_t pid);
void mq_leave(uint32_t pid);
size_t mq_text(const struct mqueue *queue, uint64_t at, char *to, size_t max);
uint32_t mq_events(const struct mqueue *queue);

/* ---- limits: /proc/sys/kernel, /proc/sys/fs/mqueue ---- */

struct limits {
	uint64_t shm_max, shm_pages;
	uint32_t shm_segments;
	uint32_t sem_per_set, sem_total, sem_operations, sem_sets;
	uint32_t msg_text, msg_bytes, msg_queues;
	uint32_t mq_queues, mq_messages, mq_size, mq_messages_default, mq_size_default;
};

/* ---- files.c: open files: of /proc, and POSIX message queues ---- */

#define FILE_BUCKETS 64u
#define FILE_TEXT_MAX 65536u

struct open_file {
	struct open_file *next; /* same bucket */
	uint64_t badge;
	uint32_t file;  /* enum ipc_file */
	uint32_t flags; /* open(2)'s */
	uint64_t position;
	struct mqueue *queue; /* NULL: a file of /proc */
	struct open_file *next_queue; /* of the same queue */
	uint32_t ready;       /* readiness slot, 0: none yet */
	/* A list: the line that begins at byte `line_start` of the text. */
	uint32_t line;
	uint64_t line_start;
};

/* A new description of a queue; badge not in use. NULL: no memory. */
struct open_file *file_of_queue(struct mqueue *queue, uint32_t flags);
void files_no_senders(uint64_t badge, uint64_t make_send);
/* Up to `max` bytes of the text from byte `at` on. */
size_t list_read(struct open_file *file, uint64_t at, char *to, size_t max);
size_t limit_read(uint32_t file, uint64_t at, char *to, size_t max);
int limit_write(uint32_t file, const char *bytes, size_t size);
const char *limit_path(uint32_t file); /* below /proc */

struct ipc_root {
	struct server_sessions sessions;
	struct limits limits;
	struct table segments, sets, queues;
	uint64_t segment_pages; /* of all segments */
	uint32_t semaphores;    /* of all sets */
	struct account *accounts;
	struct mqueue *mqueues;
	uint32_t mqueue_count;
	uint64_t next_description; /* badges of POSIX queues */
	port_name_t sig;
	struct waiter *waiting[WAIT_BUCKETS];
	struct open_file *files[FILE_BUCKETS];
	uint32_t next_file; /* serial number of badges that reopen makes */
};

extern struct ipc_root *root;

/* A right of interface ipc. */
struct ipc_caller {
	char unused;
};

/* main.c: all of the start but the event loop. */
void ipcd_initialise(void);

/* Seconds since 1970. */
int64_t ipcd_seconds(void);

#endif
