/*
 * IPC as the rest of the kernel sees it. Owner: kernel/ipc (space.c, right.c, port.c, message.c, fastpath.c, notify.c, window.c).
 */
#ifndef KERNEL_IPC_IPC_H
#define KERNEL_IPC_IPC_H

#include <kernel/object.h>
#include <kernel/task/thread.h>
#include <portico/message.h>
#include <portico/rights.h>
#include <portico/status.h>

struct ipc_space;
struct port;
struct port_sender; /* one per (port, badge): the count of send rights, make-send count, preallocated no-senders record */

struct ipc_space *ipc_space_create(struct ledger *ledger);
/* Releases all rights in bounded steps; false while there is more (the reaper calls again). */
bool ipc_space_destroy_step(struct ipc_space *space);
/* Releases all but well-known chosen names (below NAME_DYNAMIC), in bounded steps; false while there is more. */
bool ipc_space_clear_step(struct ipc_space *space);
/* TASK_DUP_RIGHTS: inheritable rights under the same names. */
int64_t ipc_space_duplicate(struct ipc_space *from, struct ipc_space *to);

/* The object of that kind behind a name, no reference taken; NULL and *status (INVALID_NAME, INVALID_RIGHT, NO_ACCESS, DEAD). */
void *right_lookup(struct ipc_space *space, port_name_t name, enum object_kind kind, uint32_t needed_flags, int64_t *status);
/* As right_lookup for a task argument, where TASK_SELF is the current task; likewise threads. */
struct task *task_argument(uint64_t name, uint32_t needed_flags, int64_t *status);
struct thread *thread_argument(uint64_t name, uint32_t needed_flags, int64_t *status);
/* The port of a receive right, no reference taken; NULL and *status. */
struct port *receive_lookup(struct ipc_space *space, port_name_t name, int64_t *status);
/* A new right to a kernel object in a space: chosen or PORT_NULL -> name. Takes a reference of its own. */
int64_t right_enter_object(struct ipc_space *space, struct kobject *object, uint32_t flags, port_name_t chosen);
/* The port_sender behind a send right, with a reference of its own (released by port_sender_release). */
struct port_sender *right_take_sender(struct ipc_space *space, port_name_t name, int64_t *status);
struct port_sender *port_make_sender(struct port *port, uint64_t badge, int64_t *status);
void port_sender_release(struct port_sender *sender);
/* True if the port is dead: nothing sent there will be answered. */
bool port_sender_dead(const struct port_sender *sender);

/* Upward notification, never fails: timers, interrupts. Pins nothing: the source holds a reference to the port. */
void port_notify_bits(struct port *port, uint64_t bits);
/* A message from the kernel on behalf of a blocked thread (pager, exception): thread->fault_message is used. */
int64_t port_send_kernel(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data, size_t length);
/* As port_send_kernel, but the thread is a caller (WAIT_EXCEPTION): the receiver's reply comes to exception_answered. */
int64_t port_call_kernel(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data, size_t length);
/* Death of a task or thread: dead-name notifications to whoever asked. */
void object_died(struct kobject *object);
/*
 * A thread's wait for a message is to end early: a queued call is withdrawn; the server of one in service is told. True: the
 * thread waits no more (the caller of this wakes it); false: it goes on waiting for the server's answer. If it died: always true.
 */
bool ipc_abort_wait(struct thread *thread, bool died);
/* A pending call of a domain without incarnation is given up as if its caller had died. */
void ipc_call_drop(struct thread *thread);
/* The record behind thread->fault_message. Dropped at the thread's death: one that is still queued goes with its delivery. */
struct kernel_message *kernel_message_create(struct thread *owner, struct ledger *ledger);
void kernel_message_free(struct kernel_message *message);
void kernel_message_drop(struct kernel_message *message);
/* The endpoint of a thread that dies: who is in its reply slot gets KERN_NO_REPLY. */
void ipc_endpoint_closed(struct endpoint *endpoint);

void port_destroy(struct port *port);
void port_set_destroy(struct kobject *set);
void ipc_space_destroy(struct ipc_space *space);

#define IPC_TRAPS(T) T(msg) T(reply_park) T(window_read) T(window_write) T(port_create) T(portset_create) T(portset_move) \
	T(right_make) T(right_copy) T(right_release) T(right_info) T(right_inherit) T(right_insert) T(right_extract) \
	T(right_request) T(port_notify) T(right_rename) T(space_create)

#endif
