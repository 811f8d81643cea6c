/*
 * Names and rights.
 *
 * A name is a 32-bit word that means something in one IPC space only. Names with bit 31 set are chosen by the user
 * (every trap that creates takes a chosen name, 0 lets the kernel choose); the others are given by the kernel. The
 * low 8 bits of a kernel-given name are a generation, so that a stale name is an error and not another right.
 * Rights that arrive in messages get kernel-given names. Each right has a name of its own: rights are not merged.
 */
#ifndef PORTICO_RIGHTS_H
#define PORTICO_RIGHTS_H

#include <stdint.h>

typedef uint32_t port_name_t;

#define PORT_NULL 0u
#define NAME_CHOSEN 0x80000000u
#define NAME_CHOSEN_MAX 0x80100000u /* exclusive: about a million chosen names, in a table that grows */
#define TASK_SELF 0u                /* as a task argument: the calling task */
#define THREAD_SELF 0u              /* as a thread argument: the calling thread */

/* Well-known names of a POSIX process, filled by proc at birth and exec; of a server, filled by root. */
enum well_known_name {
	NAME_PROC = 0x80000001,
	NAME_VFS = 0x80000002,
	NAME_SIG = 0x80000003,
	NAME_TTY = 0x80000004,
	NAME_NET = 0x80000005,
	NAME_IPC = 0x80000006,
	NAME_ROOT_SERVER = 0x80000007, /* servers only: send right to root */
	NAME_LOG = 0x80000008,         /* servers, and processes started with --posix-trace: the kernel log */
	NAME_ROOT_DIR = 0x80000010,    /* process: right of its root directory */
	NAME_CWD = 0x80000011,         /* process: right of its working directory */
	NAME_SIGNAL_PAGE = 0x80000012, /* process: memory object of its signal pages */
	NAME_CLOCK = 0x80000013,
	NAME_SERVICE = 0x80000020,     /* server: receive right of its service port */
	NAME_MACHINE = 0x80000021,     /* root, and what root makes of it: KOBJ_MACHINE */
	NAME_SELF_LEDGER = 0x80000022,
	NAME_DYNAMIC = 0x80001000,     /* from here on the owner of the space chooses freely */
};

enum right_kind {
	RIGHT_NONE = 0,
	RIGHT_SEND = 1,      /* also rights to kernel objects */
	RIGHT_RECEIVE = 2,
	RIGHT_SEND_ONCE = 3,
	RIGHT_PORT_SET = 4,
	RIGHT_DEAD_NAME = 5,
};

/* What a right names. */
enum object_kind {
	KOBJ_PORT = 1,
	KOBJ_PORT_SET = 2,
	KOBJ_TASK = 3,
	KOBJ_THREAD = 4,
	KOBJ_SPACE = 5,      /* an IPC space, apart from any address space */
	KOBJ_MEMORY = 6,     /* a memory object */
	KOBJ_LEDGER = 7,
	KOBJ_TIMER = 8,
	KOBJ_INTERRUPT = 9,
	KOBJ_IOPORTS = 10,
	KOBJ_PHYSICAL = 11,
	KOBJ_MACHINE = 12,
	KOBJ_LOG = 13,
	KOBJ_DOMAIN = 14,    /* recovery domain (domain.h) */
};

/* Flags of a right. A copy has the flags of its source or fewer, RIGHT_INHERIT excepted. */
enum right_flags {
	RIGHT_INHERIT = 1 << 0,   /* carried over by task_duplicate */
	RIGHT_MINT = 1 << 1,      /* port: send rights with other badges may be made from it */
	RIGHT_NOTIFY = 1 << 2,    /* port: port_notify is allowed */
	RIGHT_CONTROL = 1 << 3,   /* task, thread, space: everything; memory: resize, supply, discard */
	RIGHT_INTERRUPT = 1 << 4, /* task, thread: interrupt, and nothing else */
	RIGHT_INFO = 1 << 5,      /* task, thread: info */
	RIGHT_READ = 1 << 6,      /* memory: map readable */
	RIGHT_WRITE = 1 << 7,     /* memory: map writable */
	RIGHT_EXECUTE = 1 << 8,   /* memory: map executable */
	RIGHT_PRINCIPAL = 1 << 9, /* task: task_set_principal */
};

/* trap_right_info: written to block->result[0..5]. */
struct right_info {
	uint32_t kind;        /* enum right_kind */
	uint32_t object;      /* enum object_kind */
	uint64_t flags;
	uint64_t badge;
	uint64_t object_id;   /* unique among live objects; equal for rights to one object */
	uint64_t receiver;    /* port: id of the IPC space that holds the receive right, 0 while in transit */
	uint64_t senders;     /* port with receive right: live send rights over all badges */
};

#endif
