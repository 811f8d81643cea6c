/*
 * The descriptor table: fd -> open-file description -> send right. One right a description, however many descriptors share it.
 *
 * Above: all handlers that take descriptors. Below: traps on rights only. Copied by fork with the IPC space; written into
 * `state` and read back across exec (fd_save, fd_load).
 */
#ifndef LIBPOSIX_FD_H
#define LIBPOSIX_FD_H

#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FD_MAX 65536u
#define FILE_LIMIT_MAX 1048576u /* Linux's nr_open: no higher limit can be asked for */
#define READY_SLOT_UNKNOWN 0xffffffffu
#define READY_SLOT_NONE 0xfffffffeu /* the server has none: always ready */

/* Bits of `kind` that are libposix's own: a null or zero device that is open so, and so needs no message. */
#define KIND_READS 0x40000000u
#define KIND_WRITES 0x80000000u

/* Who answers: a server, or libposix itself. */
enum description_type {
	DESCRIPTION_REMOTE = 0,
	DESCRIPTION_EVENT,     /* eventfd: state in a shared memory object, which `name` is */
	DESCRIPTION_TIMER,     /* timerfd: the same */
	DESCRIPTION_SIGNAL,    /* signalfd: `local` is the set */
	DESCRIPTION_EPOLL,     /* `local` is struct epoll * */
	DESCRIPTION_FD_LIST,   /* open directory /proc/self/fd: `local` is the position */
};

struct description {
	port_name_t name;      /* PORT_NULL: none */
	uint32_t kind;         /* IO_FILE_KIND_* */
	uint32_t references;   /* descriptors and calls in progress, atomic; 0: free */
	uint32_t ready_slot;   /* in its server's readiness object */
	port_name_t object;    /* cached answer of io.map, read-only; not inherited */
	uint8_t server;        /* VFS_SERVER_ID_* */
	uint8_t type;          /* enum description_type */
	uint16_t flags;        /* local types: O_NONBLOCK; sockets: SOCK_* type */
	uint64_t object_size;
	uint64_t local;
};

/*
 * The description behind fd, with a reference that fd_put gives back; NULL: EBADF.
 */
struct description *fd_get(int fd);
void fd_put(struct description *description);
/* The same with a reference in any case, for fd_install or fd_replace. */
struct description *fd_hold(int fd);

/* A new description with one reference, for fd_install; takes over `name`. NULL: ENFILE, and `name` is released. */
struct description *fd_describe(port_name_t name, uint32_t kind, uint8_t server);
/* Lowest free descriptor >= low; consumes the reference. The descriptor, or -EMFILE, -EINVAL. */
int fd_install(struct description *description, int low, bool close_on_exec);
/* describe and install. */
int fd_open(port_name_t name, uint32_t kind, uint8_t server, bool close_on_exec);
/* At exactly `fd`, closing what is there; consumes the reference. fd, or -EBADF. */
int fd_replace(struct description *description, int fd, bool close_on_exec);
int fd_close(int fd);              /* 0 or -EBADF */
int fd_flags(int fd);              /* FD_CLOEXEC or 0, or -EBADF */
int fd_set_flags(int fd, bool close_on_exec);
void fd_close_range(uint32_t first, uint32_t last, bool only_mark);
/* Smallest descriptor >= fd that is open, or -1. */
int fd_next(int fd);
/* Is this description one that only a process like this can hold? (epoll, signalfd: not carried over exec) */
bool fd_is_private(const struct description *description);

/* exec: size of the saved table, and the table. fd_load takes descriptors without close-on-exec and releases the others. */
size_t fd_saved_size(void);
size_t fd_save(void *to, size_t size);
/* Bytes used, or 0 if the bytes make no sense. */
size_t fd_load(const void *from, size_t size);

/* In a forked child: references of the parent's other threads are dropped. */
void fd_forked(void);

/* Called when the last reference goes; also on the host tests' side. Releases rights and local state. */
void description_release(struct description *description);

#endif
