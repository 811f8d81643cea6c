/*
 * What the files of kernel/ipc share among themselves: the objects of the message path and the steps between them.
 *
 *   space.c     names: tables of rights, chosen and given; teardown in steps
 *   right.c     what a right is made of, copied, released; senders and send-once rights; the right traps
 *   port.c      ports and port sets: creation, death, ready lists, queues
 *   notify.c    control notifications, dead-name requests, no-senders, notify bits
 *   carry.c     rights, regions and windows in messages: check, take, deliver, release
 *   message.c   trap_msg in general: send, call, reply, receive; kernel messages; cancelling
 *   fastpath.c  trap_msg when the receiver already waits and nothing but bytes is sent
 *   commit.c    the queued operations of a recovery domain's transaction
 *   window.c    window_read and window_write
 *
 * Above: the trap table. Below: kernel/task (blocking and waking), kernel/vm (copies, regions), kernel/object.c.
 * Nothing here waits: what cannot be done now is a record on a list and a blocked thread.
 */
#ifndef KERNEL_IPC_INTERNAL_H
#define KERNEL_IPC_INTERNAL_H

#include <kernel/arch/arch.h>
#include <kernel/ipc/ipc.h>
#include <kernel/lib/list.h>
#include <kernel/task/domain.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>
#include <portico/traps.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* ---- names (space.c) ---- */

/* An entry of an IPC space. Free: kind RIGHT_NONE, and for given names `next_free`. */
struct right {
	uint8_t kind;        /* enum right_kind; RIGHT_DEAD_NAME is never stored: a dead object behind a send right is one */
	uint8_t object_kind; /* enum object_kind; RIGHT_SEND_ONCE: KOBJ_PORT (struct once) or KOBJ_THREAD (a parked caller) */
	uint8_t generation;  /* given names: low byte of the name */
	bool requested;      /* a dead-name request is armed for this name */
	uint32_t flags;      /* RIGHT_* */
	union {
		void *pointer;
		struct kobject *object;     /* RIGHT_SEND to a kernel object */
		struct port_sender *sender; /* RIGHT_SEND to a port */
		struct port *port;          /* RIGHT_RECEIVE */
		struct port_set *set;       /* RIGHT_PORT_SET */
		struct once *once;          /* RIGHT_SEND_ONCE, KOBJ_PORT */
		struct thread *parked;      /* RIGHT_SEND_ONCE, KOBJ_THREAD */
		uint64_t next_free;
	};
};

#define RIGHT_CHUNK 64u
#define RIGHT_INDEX_MAX 0x100000u /* rights of one kind of name in one space */

struct right_table {
	struct right **chunk; /* directory: pointers to RIGHT_CHUNK rights, or NULL */
	uint32_t chunks;      /* size of the directory */
};

struct ipc_space {
	struct kobject object;
	struct right_table given, chosen;
	uint32_t given_chunks;         /* chunks of given that exist; they are dense */
	uint32_t free_head, free_tail; /* free given names, oldest first; 0: none */
	uint32_t rights;               /* in use */
	uint32_t cursor;               /* teardown: next index, given then chosen */
	bool in_teardown;
	struct list reap_link;
};

static inline struct right *space_find(const struct ipc_space *space, port_name_t name)
{
	const struct right_table *table = name & NAME_CHOSEN ? &space->chosen : &space->given;
	uint32_t index = name & NAME_CHOSEN ? name & ~NAME_CHOSEN : name >> 8;
	struct right *chunk, *right;

	if (unlikely(index / RIGHT_CHUNK >= table->chunks))
		return NULL;
	chunk = table->chunk[index / RIGHT_CHUNK];
	if (unlikely(chunk == NULL))
		return NULL;
	right = &chunk[index % RIGHT_CHUNK];
	if (unlikely(right->kind == RIGHT_NONE))
		return NULL;
	if (!(name & NAME_CHOSEN) && unlikely(right->generation != (uint8_t)name))
		return NULL;
	return right;
}

/* A free entry under `chosen`, or under a given name; *name tells. NULL and *status. The caller fills it at once. */
struct right *space_allocate(struct ipc_space *space, port_name_t chosen, port_name_t *name, int64_t *status);
/* Makes an entry free; what it pointed to is the caller's. */
void space_free(struct ipc_space *space, port_name_t name, struct right *right);
/* Fills a free entry: the right's reference passes to the space. Returns the name, or a status and keeps nothing. */
int64_t space_enter(struct ipc_space *space, port_name_t chosen, const struct right *right);

/* ---- rights (right.c) ---- */

/* One per (port, badge) that has send rights: they all point here. */
struct port_sender {
	struct port *port;           /* reference */
	uint64_t badge;
	uint64_t refs;               /* send rights in spaces, in messages and in kernel objects */
	uint64_t make_send;          /* send rights ever made for the badge */
	struct port_sender *hash_next;
	struct control no_senders;   /* word = make_send when the count last fell to 0 */
};

/* A send-once right to a port. */
struct once {
	struct port *port;           /* reference */
	uint64_t badge;
	struct ledger *ledger;       /* reference, or NULL */
	struct control unused;       /* MSG_SEND_ONCE */
};

/* Gives up what a right points to, as right_release does: the port of a receive right dies, and so on. */
void right_drop(uint8_t kind, uint8_t object_kind, void *pointer);
/* right_release of a name. KERN_INVALID_NAME. */
int64_t right_release(struct ipc_space *space, port_name_t name);
/* Finds or makes the sender for a badge, without counting; NULL and *status. */
struct port_sender *sender_find(struct port *port, uint64_t badge, int64_t *status);
struct once *once_create(struct port *port, uint64_t badge, struct ledger *ledger);
void once_free(struct once *once);
void sender_free(struct port_sender *sender);
/*
 * A right as a disposition (enum msg_disposition) obtains it from a name, in three steps: check, take, commit or undo.
 * Check changes nothing. Take adds references, for a move it only notes what the name holds; it can run out of memory.
 * Undo gives back what take added; commit frees the name that was moved.
 */
struct right_source {
	port_name_t name;
	uint32_t flags;      /* made: flags of the new right. Copied, moved: flags to keep, 0: all */
	uint64_t badge;      /* made */
	uint8_t disposition;
};
int64_t right_check(struct ipc_space *space, const struct right_source *source);
int64_t right_take(struct ipc_space *space, const struct right_source *source, struct ledger *ledger, struct right *taken);
void right_undo(const struct right_source *source, const struct right *taken);
void right_commit(struct ipc_space *space, const struct right_source *source);
/* True if what a send right leads to is gone: the name is a dead name. */
bool right_is_dead(const struct right *right);

/* ---- ports (port.c) ---- */

#define QUEUE_LIMIT_DEFAULT 64u
#define QUEUE_LIMIT_MAX 4096u

/*
 * A port lives while its receive right does (object.dead tells) and its memory while anything points to it.
 * The receive right is in a space (space, name), or in a message (space NULL, transit: the port it is queued on).
 */
struct port {
	struct kobject object;
	struct ipc_space *space;      /* no reference: the space's right points here */
	port_name_t name;
	struct port *transit;
	struct port_set *set;
	struct list set_link;         /* set->members */
	struct list ready_link;       /* set->ready while there is something to receive */
	struct list receivers;        /* threads waiting on this port itself: thread.wait_link */
	struct list controls;         /* control.link: received first */
	struct list messages;         /* message.link */
	struct list blocked_senders;  /* threads waiting for room: thread.wait_link */
	struct list dying_link;
	uint32_t queued, queue_limit; /* one-way messages; calls are bounded by the threads that make them */
	uint64_t next_request;
	uint64_t notify_bits;
	struct control notify;
	struct port *no_senders_to;   /* reference unless it is this port; NULL: not armed */
	uint64_t senders;             /* live send rights, all badges */
	bool kernel_messages;         /* the kernel has sent here: pager, exception handler */
};

static inline void sender_ref(struct port_sender *sender)
{
	sender->refs++;
	sender->port->senders++;
}

struct port_set {
	struct kobject object;
	struct ipc_space *space;
	port_name_t name;
	struct list members, ready, receivers;
};

/* The receive right is gone: pending calls end with KERN_DEAD, messages are released, dead names are told. */
void port_kill(struct port *port);
void port_set_kill(struct port_set *set);
void port_leave_set(struct port *port);
/* The receive right moves away: whoever waits on it gets KERN_DEAD. */
void port_evict(struct port *port);
static inline bool port_has_work(const struct port *port)
{
	return !list_empty(&port->controls) || !list_empty(&port->messages);
}
/* Puts the port on its set's ready list, or takes it off, as it has something to receive or not. */
void port_update_ready(struct port *port);
/* First thread that waits on the port or its set, or NULL. */
static inline struct thread *port_receiver(struct port *port)
{
	struct list *l = list_first(&port->receivers);
	if (l == NULL && port->set != NULL)
		l = list_first(&port->set->receivers);
	return l == NULL ? NULL : list_entry(l, struct thread, wait_link);
}

/* ---- notifications (notify.c) ---- */

/* Queues a control record, or hands it to a waiting receiver; a pending one stays where it is. A dead port discards it. */
void control_post(struct port *port, struct control *control);
/* Writes the record as a message into the receiver's request page and disposes of it. */
void control_deliver(struct thread *receiver, struct port *port, struct control *control);
/* Disposes of a record that nobody will receive. */
void control_discard(struct control *control);
void sender_count_fell(struct port_sender *sender);
/* A name was released or renamed: its dead-name request goes or follows. */
void request_cancel(struct ipc_space *space, port_name_t name, struct kobject *object);
void request_rename(struct ipc_space *space, port_name_t from, port_name_t to, struct kobject *object);
struct kobject *right_target(const struct right *right);

/* ---- what messages carry (carry.c) ---- */

enum carry_where {
	CARRY_CALL,   /* windows allowed */
	CARRY_ONEWAY,
};

/*
 * Reads `count` descriptors from the sender's send page once, checks all of them, then takes them: on an error nothing
 * has changed. `destination` guards against a receive right that is sent to itself; NULL for replies.
 */
int64_t carry_take(struct thread *sender, uint32_t count, enum carry_where where, struct port *destination,
		   struct carried *carried);
/* Hands everything to the receiver and writes the descriptors it sees. What cannot be had arrives as null. */
void carry_deliver(struct thread *receiver, struct msg_page *page, struct carried *carried, uint32_t count);
void carry_release(struct carried *carried, uint32_t count);
/* MSG_RELEASE: gives up what the descriptors in the mask of the thread's request page name. */
void carry_release_delivered(struct thread *receiver, uint64_t mask);

/* ---- messages (message.c) ---- */

/* Copies inline bytes by words; bytes past the end of the last word arrive as zero. Both pages have room for it. */
static inline void copy_words(void *to, const void *from, uint32_t length)
{
	uint64_t *t = to;
	const uint64_t *f = from;
	uint64_t words = length / 8, tail = words;

	switch (words) {
	case 8: t[7] = f[7]; /* fall through */
	case 7: t[6] = f[6]; /* fall through */
	case 6: t[5] = f[5]; /* fall through */
	case 5: t[4] = f[4]; /* fall through */
	case 4: t[3] = f[3]; /* fall through */
	case 3: t[2] = f[2]; /* fall through */
	case 2: t[1] = f[1]; /* fall through */
	case 1: t[0] = f[0]; /* fall through */
	case 0: break;
	default: /* at this length the start of a string instruction costs no more than a loop */
		__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	}
	if (length % 8 != 0)
		t[tail] = f[tail] & ((UINT64_C(1) << length % 8 * 8) - 1);
}

/* Receives what is first in line on a port that has work. The message is in the request page afterwards. */
void receive_from(struct thread *receiver, struct port *port);
/* Takes a message that nobody will receive off its port and releases it; a calling thread is woken with `status`. */
void message_discard(struct message *message, struct port *port, int64_t status);
/* Writes a message into a receiver's request page; the caller, if any, is in the reply slot afterwards. */
void message_deliver(struct thread *receiver, struct port *port, struct message *message);
/* A parked or in-service call whose reply right was destroyed unused. */
void call_abandon(struct thread *caller);
/* The call is over, whatever the answer: the caller is off the slot, nothing about it is pending. */
void call_finish(struct thread *caller);
/* Answers a parked or in-service call from the send page of `server`; wakes the caller. */
int64_t reply_to(struct thread *server, struct thread *caller, uint64_t op, uint32_t error);
/* MSG_SEND | MSG_TO_ONCE: through a send-once right, which is consumed. */
int64_t msg_send_once(struct thread *self, uint64_t op, uint64_t destination);
/* A caller's wait ends with a status; one without incarnation finds it when the next one asks. */
void call_answered(struct thread *caller, int64_t status);
/* The first `count` operations of the commit pages of a domain's thread. */
void commit_operations(struct thread *self, uint64_t count);
int64_t trap_handle_right_release(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
/* A deadline or an interrupt before a wait began. */
int64_t wait_refused(struct thread *self, uint64_t op, uint64_t deadline);
/* MSG_CALL, all checked but the names. */
int64_t msg_call(struct thread *self, uint64_t op, uint64_t destination, uint64_t deadline);
/* Whether a receive would get as far as to look for a message: nothing is changed. */
bool msg_may_receive(struct thread *self, uint64_t op, uint64_t receive);
int64_t msg_general(uint64_t op, uint64_t destination, uint64_t receive, uint64_t deadline, uint64_t count);

#endif
