/*
 * Sockets as libposix's files share them: descriptors that are sockets, addresses, messages, ancillary data.
 *
 * Above: table.c, files.c. Below: interface net; vfs for path names of local sockets.
 */
#ifndef LIBPOSIX_SOCKETS_H
#define LIBPOSIX_SOCKETS_H

#include "fd.h"
#include "files.h"
#include "linux.h"

#include <net_types.h>

/* The socket behind a descriptor, with a reference for fd_put. NULL: *error is -EBADF or -ENOTSOCK. */
struct description *socket_get(int fd, int64_t *error);
/* A descriptor for a right that a server gave. */
int64_t socket_install(port_name_t right, uint32_t type, bool close_on_exec);

/* ---- socket_address.c ---- */

/* What the program gave, and vfs's right for it, if it is a path; address_end releases that. */
struct socket_address {
	uint8_t bytes[NET_ADDRESS_MAX];
	uint32_t size; /* 0: none */
	port_name_t name;
};

/* Copies it. 0, -EFAULT, -EINVAL. */
int64_t address_take(struct socket_address *address, const void *user, int64_t size);
/* Finds the socket file that it names, if it names one: for connect and sendto. */
int64_t address_find(struct socket_address *address);
/* Makes it: for bind. */
int64_t address_make(struct socket_address *address, uint32_t mode);
/* bind failed: the file that address_make made goes. */
void address_unmake(const struct socket_address *address);
void address_end(struct socket_address *address);
/* To the program: as much as *user_size says there is room for; *user_size becomes the whole length. user NULL: nothing. */
int64_t address_put(void *user, int32_t *user_size, const uint8_t *bytes, size_t size);

/* ---- messages ---- */

/* Where bytes come from or go to: elements of the program's memory. */
struct socket_vector {
	const struct linux_iovec *element;
	size_t count;
	size_t total;
};

/* socket_send.c: bytes sent, or a handler's result. SIGPIPE is raised here. with, to: may be NULL. */
int64_t socket_send(struct description *socket, const struct socket_vector *from, uint32_t flags, struct net_ancillary *with,
		    const struct socket_address *to);

struct socket_got {
	struct net_received result; /* of the first message, where several were read (MSG_WAITALL) */
	uint8_t address[NET_ADDRESS_MAX];
	size_t address_size;
};

/* socket_receive.c: bytes received, or a handler's result. A bundle in got->result is to be collected or discarded. */
int64_t socket_receive(struct description *socket, const struct socket_vector *to, uint32_t flags, struct socket_got *got);
/* read(2), readv(2): what came with the bytes is dropped. */
int64_t socket_read(struct description *socket, const struct socket_vector *to, uint32_t flags);

/* ---- socket_control.c ---- */

/* The program's ancillary data, as what net.send takes; descriptors are staged. 0 or -errno. */
int64_t control_take(const struct linux_msghdr *header, struct net_ancillary *with);
/*
 * Puts what came with a message into the program's buffer, opens the descriptors, sets header->controllen and MSG_CTRUNC. 0 or -EFAULT.
 */
int64_t control_put(struct linux_msghdr *header, const struct net_received *result, uint32_t flags);
/* Drops a bundle; 0 is none. */
void bundle_discard(uint64_t bundle);

/* control_text.c, pure: the next element of a control buffer. */
struct control_element {
	int32_t level, type;
	const uint8_t *data;
	size_t size;
};
/* True: *element is the next one, *at moves behind it. False: the end; *error is -EINVAL if there is something that is none. */
bool control_next(const uint8_t *buffer, size_t size, size_t *at, struct control_element *element, int64_t *error);
#define CONTROL_ALIGN(n) (((n) + 7) & ~(size_t)7)

/* The sum of lengths is there: an iovec array of the program. vector: room for `room` elements, or pages that vector_end frees. */
struct vector_buffer {
	struct linux_iovec few[16], *elements;
	size_t count;
};
int64_t vector_take(struct vector_buffer *buffer, const struct linux_iovec *user, uint64_t count, struct socket_vector *vector);
void vector_end(struct vector_buffer *buffer);
/* Pieces of it, own memory on the other side. Bytes, or -EFAULT. */
int64_t vector_gather(const struct socket_vector *vector, size_t from, void *to, size_t size);
int64_t vector_scatter(const struct socket_vector *vector, size_t at, const void *from, size_t size);
/* The element in which byte `at` lies, and what is left of it. */
void vector_at(const struct socket_vector *vector, size_t at, void **address, size_t *size);

#endif
