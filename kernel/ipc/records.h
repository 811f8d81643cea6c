/*
 * Records that the message path keeps inside threads and other objects, so that waiting, cancelling and notifying never
 * need memory. Known to kernel/task/thread.h, which embeds them; used by kernel/ipc only.
 */
#ifndef KERNEL_IPC_RECORDS_H
#define KERNEL_IPC_RECORDS_H

#include <kernel/lib/list.h>
#include <kernel/object.h>
#include <portico/message.h>

struct ledger;
struct memory_object;
struct port;
struct port_sender;
struct thread;

/* A control notification, pending on a port or idle (link points to itself). Coalesces: there is one per source. */
struct control {
	struct list link;
	uint32_t kind;      /* enum msg_kind */
	uint64_t word, badge;
};

/* A right, region or window on its way: taken from the sender, not yet the receiver's. */
struct carried {
	uint8_t type;       /* enum msg_descriptor_type; MSG_DESC_NONE: a null right, or already released */
	uint8_t kind;       /* port: enum right_kind */
	uint8_t object_kind;
	uint8_t disposition;
	uint32_t flags;     /* RIGHT_* or MSG_WINDOW_*, MSG_REGION_* */
	union {
		void *pointer;             /* port: what struct right points to, with its reference */
		uint64_t address;          /* window */
		struct {
			struct memory_object *object;
			uint64_t offset;
		} region;
	};
	uint64_t size;
};

enum message_type {
	MESSAGE_CALL,       /* thread.call: the bytes stay in the caller's send page */
	MESSAGE_ONEWAY,     /* allocated, with its own bytes */
	MESSAGE_KERNEL,     /* struct kernel_message */
};

/* A message on its way: queued on a port, or handed straight to a receiver. */
struct message {
	struct list link;
	struct thread *caller;     /* waits for the answer; NULL: nobody does */
	const void *data;
	struct carried *carried;
	uint32_t ordinal;
	uint16_t length;
	uint8_t count;             /* carried */
	uint8_t type;              /* enum message_type */
	uint64_t badge, principal;
};

/* A message of the kernel on behalf of a blocked thread; bytes in place. */
#define KERNEL_MESSAGE_MAX 128u
struct kernel_message {
	struct message message;
	struct thread *owner;      /* whose fault_message it is; NULL: freed once delivered */
	struct ledger *ledger;
	uint8_t data[KERNEL_MESSAGE_MAX];
};

#endif
