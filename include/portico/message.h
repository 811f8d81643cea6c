/*
 * Messages: the layout of the endpoint pages and of what they carry.
 *
 * An endpoint is four pages, mapped into the task and into the kernel for as long as its thread lives, so that
 * copying an inline message cannot fault:
 *
 *   page 0  control block   (block.h)
 *   page 1  send            what this thread sends next: requests, replies, one-way messages
 *   page 2  call reply      the answer to this thread's own call
 *   page 3  request         what this thread receives; the kernel does not write it until the next receive
 *
 * Pages 1 to 3 share one layout: header, descriptors, inline bytes. The kernel never trusts them: it reads each
 * field once. Length, descriptor count, destination and ordinal travel in registers (trap_msg).
 */
#ifndef PORTICO_MESSAGE_H
#define PORTICO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MSG_INLINE_MAX 3072u
#define MSG_DESCRIPTORS_MAX 16u

enum endpoint_page {
	ENDPOINT_BLOCK = 0,
	ENDPOINT_SEND = 1,
	ENDPOINT_REPLY = 2,
	ENDPOINT_REQUEST = 3,
	ENDPOINT_PAGES = 4,
};

/* What a receiver got. Control kinds are received before anything else. */
enum msg_kind {
	MSG_REQUEST = 0,     /* a message from a task (or the kernel as a client of idl/pager.idl, idl/exception.idl) */
	MSG_REPLY = 1,       /* in the call-reply page only */
	MSG_NOTIFY = 2,      /* port_notify, timers, interrupts: word = bits gathered since the last one */
	MSG_NO_SENDERS = 3,  /* badge = the badge without senders, word = its make-send count */
	MSG_DEAD_NAME = 4,   /* word = the name, in the receiver's space, that became a dead name; badge = cookie */
	MSG_SEND_ONCE = 5,   /* a send-once right for this port was destroyed unused; badge = its badge */
	MSG_CANCEL = 6,      /* word = request id whose caller was interrupted, timed out or died; badge = 1 if it died */
};

/* Header of pages 1 to 3. On the send page only the descriptors and inline bytes are read. */
struct msg_header {
	uint32_t length;     /* inline bytes */
	uint16_t descriptors;
	uint16_t kind;       /* enum msg_kind */
	uint32_t ordinal;    /* request: MSG_ORDINAL(interface, ordinal); reply: the errno, 0 for success */
	uint32_t port;       /* name of the receive right it came to */
	uint64_t badge;      /* names the object: badge of the send right it was sent through */
	uint64_t principal;  /* names the caller: stamped by the kernel */
	uint64_t request;    /* request id, unique for the life of the port; 0 if nobody waits for a reply */
	uint64_t word;       /* see enum msg_kind */
	uint32_t reserved[4];
};

#define MSG_ORDINAL(interface, ordinal) ((uint32_t)(interface) << 16 | (uint32_t)(ordinal))
#define MSG_INTERFACE(o) ((uint32_t)(o) >> 16)
#define MSG_ROUTINE(o) ((uint32_t)(o) & 0xffffu)

enum msg_descriptor_type {
	MSG_DESC_NONE = 0,
	MSG_DESC_PORT = 1,
	MSG_DESC_REGION = 2,
	MSG_DESC_WINDOW = 3,
};

/* How a port descriptor's right is obtained from the sender's name. */
enum msg_disposition {
	MSG_MOVE_RECEIVE = 1,
	MSG_MOVE_SEND = 2,
	MSG_COPY_SEND = 3,
	MSG_MAKE_SEND = 4,      /* name: a receive right or a mintable send right; badge from the descriptor */
	MSG_MAKE_SEND_ONCE = 5, /* name: a receive right; badge from the descriptor */
	MSG_MOVE_SEND_ONCE = 6,
};

enum {
	MSG_REGION_MOVE = 1,    /* unmapped from the sender; otherwise copied on write */
	MSG_WINDOW_READ = 2,    /* the receiver may window_read it */
	MSG_WINDOW_WRITE = 4,   /* the receiver may window_write it */
};

/*
 * Sent: type, disposition (port) or flags (region, window), name or address, size, badge.
 * Received: port: name (0: null right), disposition tells the kind of right; region: the kernel maps it at an
 * address that it chooses and writes address and size here; window: size and flags, address 0. A window is named
 * by the index of its descriptor and lives until the reply.
 */
struct msg_descriptor {
	uint8_t type;        /* enum msg_descriptor_type */
	uint8_t disposition; /* enum msg_disposition; the right arrives as the kind it names */
	uint16_t flags;      /* MSG_REGION_*, MSG_WINDOW_*; ports: RIGHT_* flags for a right that is made */
	uint32_t name;
	uint64_t address;    /* page aligned for regions */
	uint64_t size;       /* bytes */
	uint64_t badge;
};

#define MSG_DESCRIPTORS_OFFSET 64u
#define MSG_INLINE_OFFSET (MSG_DESCRIPTORS_OFFSET + MSG_DESCRIPTORS_MAX * 32u) /* 576 */

struct msg_page {
	struct msg_header header;
	struct msg_descriptor descriptor[MSG_DESCRIPTORS_MAX];
	uint8_t data[MSG_INLINE_MAX];
	uint8_t unused[4096 - MSG_INLINE_OFFSET - MSG_INLINE_MAX];
};

_Static_assert(sizeof(struct msg_header) == 64, "header");
_Static_assert(sizeof(struct msg_descriptor) == 32, "descriptor");
_Static_assert(sizeof(struct msg_page) == 4096, "a page");
_Static_assert(offsetof(struct msg_page, data) == MSG_INLINE_OFFSET, "inline bytes");

/*
 * First argument of trap_msg: what to do, and the size of what is sent.
 *
 *   bits 0-11   inline bytes to send
 *   bits 12-16  descriptors to send
 *   bits 32-40  operation flags
 *   bits 48-63  MSG_RELEASE(i), one for each descriptor of the request
 *
 * MSG_SEND          send to `destination` (queued if no receiver waits; the queue is bounded: waits, or KERN_QUEUE_FULL).
 * MSG_CALL          send with a send-once reply right in the receiver's reply slot and wait for the answer, which
 *                   arrives in the call-reply page.
 * MSG_SEND_REPLY    answer the request in the reply slot from the send page; never blocks and never fails for the
 *                   sake of the caller. `destination` upper half = errno. A no-op if the slot is empty.
 * MSG_RECEIVE       then receive into the request page, from the receive right or port set `receive`.
 * MSG_SEND_REPLY|MSG_RECEIVE and MSG_CALL are the fast path.
 * MSG_TO_ONCE       with MSG_SEND: `destination` is a send-once right (a parked reply); consumed; never blocks.
 * MSG_INTERRUPTIBLE the wait ends with KERN_INTERRUPTED when thread_interrupt strikes, or has struck (block->interrupted).
 * MSG_RESTART       with MSG_SEND_REPLY or MSG_TO_ONCE: not an answer: the kernel makes the caller's memory at
 *                   descriptor[0].address accessible (flags: MSG_WINDOW_READ or _WRITE) in the caller's context and
 *                   repeats the caller's trap.
 * MSG_AWAIT         alone: waits for the answer of the call that an earlier incarnation of a domain made (domain.h).
 * MSG_RELEASE(i)    with MSG_RECEIVE: first (after the operations of a commit) what descriptor i of the request page names is
 *                   released as by right_release, or unmapped as by vm_unmap. What is not there is passed over. That is done
 *                   also if the rest fails.
 * MSG_COMMIT        with MSG_RECEIVE, and MSG_SEND_REPLY or not: the operations in the commit pages are done first (domain.h).
 *
 * A call that is interrupted or overdue while still queued is withdrawn; one already received gets MSG_CANCEL to the
 * server, and the server's reply decides what the call returns.
 */
#define MSG_OP_SHIFT 32
#define MSG_SEND (UINT64_C(1) << 32)
#define MSG_CALL (UINT64_C(1) << 33)
#define MSG_SEND_REPLY (UINT64_C(1) << 34)
#define MSG_RECEIVE (UINT64_C(1) << 35)
#define MSG_TO_ONCE (UINT64_C(1) << 36)
#define MSG_INTERRUPTIBLE (UINT64_C(1) << 37)
#define MSG_RESTART (UINT64_C(1) << 38)
#define MSG_COMMIT (UINT64_C(1) << 39)
#define MSG_AWAIT (UINT64_C(1) << 40)
#define MSG_RELEASE_SHIFT 48
#define MSG_RELEASE(descriptor) (UINT64_C(1) << (MSG_RELEASE_SHIFT + (descriptor)))
#define MSG_RELEASES(mask) ((uint64_t)(mask) << MSG_RELEASE_SHIFT)

#define MSG_LENGTH(length, descriptors) ((uint64_t)(length) | (uint64_t)(descriptors) << 12)
#define MSG_LENGTH_OF(op) ((uint32_t)(op) & 0xfffu)
#define MSG_DESCRIPTORS_OF(op) ((uint32_t)(op) >> 12 & 0x1fu)
#define MSG_DESTINATION(name, ordinal_or_errno) ((uint64_t)(uint32_t)(name) | (uint64_t)(uint32_t)(ordinal_or_errno) << 32)

#define DEADLINE_NOW UINT64_C(0)    /* poll */
#define DEADLINE_NEVER (~UINT64_C(0))

#endif
