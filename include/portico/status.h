/*
 * Status codes of kernel traps.
 *
 * Every trap returns one signed 64-bit word: a value >= 0 is success (a name, a count, an address or 0),
 * a negative value is one of these. libposix and the generated stubs turn them into errno values in one place.
 */
#ifndef PORTICO_STATUS_H
#define PORTICO_STATUS_H

enum kern_status {
	KERN_SUCCESS = 0,
	KERN_INVALID_ARGUMENT = -1,  /* a value out of range, misaligned, or flags that do not go together */
	KERN_INVALID_NAME = -2,      /* the IPC space holds no right under that name */
	KERN_INVALID_RIGHT = -3,     /* there is a right, of the wrong kind or for the wrong kind of object */
	KERN_NAME_EXISTS = -4,       /* the chosen name is in use */
	KERN_NO_ACCESS = -5,         /* the right does not allow this operation */
	KERN_DEAD = -6,              /* the port, task or thread behind the right is gone (dead name) */
	KERN_NO_MEMORY = -7,         /* the ledger is exhausted, or the machine is */
	KERN_TIMED_OUT = -8,         /* the deadline passed first */
	KERN_INTERRUPTED = -9,       /* thread_interrupt ended the wait */
	KERN_FAULT = -10,            /* an address is not mapped, or not with that access, or not resident (windows) */
	KERN_QUEUE_FULL = -11,       /* the port's queue is full and the deadline was "now" */
	KERN_TOO_LARGE = -12,        /* more bytes or descriptors than a message carries */
	KERN_WOULD_BLOCK = -13,      /* futex: the word does not hold the expected value */
	KERN_BUSY = -14,             /* the object is in a state that excludes the operation */
	KERN_NO_SPACE = -15,         /* no room in the address space or the name table */
	KERN_NOT_SUPPORTED = -16,    /* unknown trap, or the machine cannot do it */
	KERN_NO_REPLY = -17,         /* the reply right of our call was destroyed unused */
	KERN_PEER_FAULT = -18,       /* a window: the caller's memory faults; answer with MSG_RESTART */
	KERN_GONE = -19,             /* the caller of a parked request has died or withdrawn */
};

#endif
