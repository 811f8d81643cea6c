/*
 * What loopback.c (messages) shares with loopback_rights.c (names, regions) and loopback_server.c (the server library).
 */
#ifndef LOOPBACK_INTERNAL_H
#define LOOPBACK_INTERNAL_H

#include "loopback.h"
#include <portico/server.h>

#define DEPTH_MAX 8

struct port {
	struct port *next;
	const struct server_interface *interface; /* of loopback_service(); NULL: see service */
	bool service;                             /* NAME_SERVICE: loopback_register() */
	bool dead;
};

struct right {
	port_name_t name; /* 0: free */
	uint32_t kind;    /* enum right_kind */
	enum loopback_side side;
	bool fixture; /* made by the loopback itself: not counted */
	uint32_t flags;
	uint64_t badge;
	struct port *port;
	struct pending *reply; /* the right answers this parked caller */
};

/* A caller's window memory, by descriptor index. */
struct windows {
	uint8_t *address[MSG_DESCRIPTORS_MAX];
	uint64_t size[MSG_DESCRIPTORS_MAX];
	uint16_t flags[MSG_DESCRIPTORS_MAX];
};

/* A parked caller. */
struct pending {
	struct pending *next;
	uint64_t id;
	bool answered, restart;
	struct windows windows;
	struct msg_page page; /* the answer */
};

/* The endpoint of the client (frame 0) or of the server that is called at that depth. */
struct frame {
	struct msg_page send, reply, request, out;
	struct windows windows; /* of the request in service */
	struct server_call *call;
	bool parked;
};

extern struct frame loopback_frames[DEPTH_MAX];
extern unsigned loopback_depth;

struct frame *loopback_frame(void);
enum loopback_side loopback_here(void);

struct port *loopback_new_port(void);
struct right *loopback_find(port_name_t name);
struct right *loopback_new_right(struct port *port, uint32_t kind, enum loopback_side side, uint64_t badge,
                                 uint32_t flags);
/* Removes a right; a last send right of a served port becomes a no-senders event. */
void loopback_remove(struct right *right);
/* Counts a send right made for (port, badge), as the make-send count of no-senders. */
void loopback_count_made(struct port *port, uint64_t badge);
void loopback_rights_reset(void);

/* Carry descriptors and bytes from a send page to a receiver's page. KERN_SUCCESS, or nothing has happened. */
int64_t loopback_transfer(struct msg_page *from, uint64_t op, struct msg_page *to, enum loopback_side side,
                          struct windows *windows);

struct pending *loopback_pending(uint64_t id);
struct pending *loopback_new_pending(uint64_t id);
void loopback_free_pending(struct pending *pending);

/* The dispatcher of the interfaces registered at NAME_SERVICE. */
int64_t loopback_service_dispatch(struct server_call *call);
void loopback_service_release(const struct server_call *call); /* MSG_RELEASE */
void loopback_server_reset(void);

_Noreturn void loopback_fail(const char *what, uint64_t value);

#endif
