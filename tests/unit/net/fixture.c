/*
 * See fixture.h.
 */
#include "fixture.h"

#include <kernel_ops.h>
#include <portico/server_migration.h>
#include <stdlib.h>

port_name_t net;
char text[NET_INLINE_MAX + 1];
struct net_received got;
uint8_t from[NET_ADDRESS_MAX];
size_t from_size;

static struct proc_change queue[64];
static size_t queued, keep_at_start, rights_at_start;
static port_name_t vfs_port, proc_port, memory_port;

void as(uint32_t pid)
{
	loopback_set_principal(pid);
}

uint64_t parked(int status)
{
	cr_assert_eq(status, LOOPBACK_EPARKED, "%d", status);
	return loopback_parked();
}

/* ---- the kernel ---- */

enum { ID_SELF = 100, ID_VFS, ID_PROC, ID_MEMORY, ID_OTHER };

int64_t kernel_right_object(port_name_t right, uint32_t *kind, uint64_t *id, uint64_t *badge)
{
	*kind = KOBJ_PORT;
	*badge = 0;
	if (right == NAME_SERVICE || server_own_badge(right, badge)) {
		*id = ID_SELF;
	} else if (loopback_same_port(right, vfs_port)) {
		*id = ID_VFS;
	} else if (loopback_same_port(right, proc_port)) {
		*id = ID_PROC;
	} else if (memory_port != PORT_NULL && loopback_same_port(right, memory_port)) {
		*kind = KOBJ_MEMORY;
		*id = ID_MEMORY;
	} else {
		*id = ID_OTHER;
	}
	return 0;
}

/* Only files of vfs are received twice here. */
int64_t kernel_right_copy(port_name_t right)
{
	return loopback_server_right(vfs_port, loopback_badge(right));
}

_Noreturn void server_run(void)
{
	abort();
}

port_name_t vfs_file(uint64_t badge)
{
	return loopback_connect(vfs_port, badge);
}

port_name_t own_port(void)
{
	return loopback_connect(loopback_port(), 0);
}

port_name_t memory_object(void)
{
	memory_port = loopback_port();
	return loopback_connect(memory_port, 0);
}

port_name_t socket_file(bool new, uint64_t number)
{
	return loopback_connect(NAME_SERVICE, NET_BADGE(new ? NET_BADGE_NEW_FILE : NET_BADGE_FILE, number));
}

/* ---- proc ---- */

static int subscribe(struct server_call *call, struct proc_right *right, port_name_t *notify, uint64_t bits, uint64_t *cursor)
{
	(void)call, (void)right, (void)bits;
	server_release_right(server_take(notify));
	*cursor = 0;
	return 0;
}

static int changes(struct server_call *call, struct proc_right *right, uint64_t cursor, struct proc_change *list, size_t *count, uint64_t *next)
{
	(void)call, (void)right;
	memcpy(list, queue, queued * sizeof(queue[0]));
	*count = queued;
	*next = cursor + queued;
	queued = 0;
	return 0;
}

static int credentials_of(struct server_call *call, struct proc_right *right, uint64_t principal, struct credentials *cred)
{
	(void)call, (void)right;
	cred->cap_effective = principal == SUPER ? UINT64_MAX : 0;
	return 0;
}

/* ---- running as the server ---- */

static port_name_t inside;
static void (*inside_action)(void);

static int64_t inside_dispatch(struct server_call *call)
{
	call->reply_length = call->reply_descriptors = 0;
	inside_action();
	return 0;
}

static const struct server_interface inside_interface = {.number = 200, .name = "inside", .dispatch = inside_dispatch};
static const struct server_interface vfs_stand_in = {.number = 201, .name = "vfs", .dispatch = inside_dispatch};

static void in_server(void (*action)(void))
{
	port_name_t right = loopback_connect(inside, 0);
	inside_action = action;
	cr_assert_eq(loopback_call(0, right, MSG_ORDINAL(200, 1), DEADLINE_NEVER), 0);
	loopback_release(right);
}

static void notify(void)
{
	host_notify(NOTIFY_CHANGES);
}

static void tell(uint32_t pid, uint32_t uid, uint8_t kind)
{
	queue[queued++] = (struct proc_change){
	        .principal = pid, .pid = pid, .uid = uid, .euid = uid, .suid = uid, .gid = uid, .egid = uid, .kind = kind};
	in_server(notify);
}

void change(uint32_t pid, uint8_t kind)
{
	tell(pid, sessions_by_pid(&root->sessions, pid)->euid, kind);
}

void fixture_begin(void)
{
	loopback_reset();
	host_reset();
	proc_fake_reset();
	proc_fake.subscribe = subscribe;
	proc_fake.changes = changes;
	proc_fake.credentials_of = credentials_of;
	queued = 0;
	memory_port = PORT_NULL;
	proc_port = loopback_service(&proc_interface);
	host_service("proc", loopback_server_right(proc_port, 1));
	vfs_port = loopback_service(&vfs_stand_in);
	host_service("vfs", loopback_server_right(vfs_port, 0));
	inside = loopback_service(&inside_interface);
	in_server(net_initialise);
	loopback_on_no_senders(sockets_no_senders);
	net = loopback_connect(NAME_SERVICE, 0);
	keep_at_start = keep_used();
	rights_at_start = loopback_rights(LOOPBACK_SERVER);
	tell(SUPER, 0, PROC_CHANGE_KIND_BIRTH);
	tell(OWNER, 1000, PROC_CHANGE_KIND_BIRTH);
	tell(CHILD, 1000, PROC_CHANGE_KIND_BIRTH);
	tell(OTHER, 2000, PROC_CHANGE_KIND_BIRTH);
	as(OWNER);
}

/* check.c, by the section in which SERVER_CHECK puts it. */
extern const server_check __start_server_checks[];

void expect_nothing_left(void)
{
	cr_expect_null(__start_server_checks[0](root), "%s", __start_server_checks[0](root));
	while (root->sessions.first != NULL)
		change(root->sessions.first->pid, PROC_CHANGE_KIND_DEATH);
	host_run_deferred();
	cr_expect_eq(root->count, 0, "%u sockets are left", root->count);
	cr_expect_null(root->accounts, "somebody still has something");
	cr_expect(list_empty(&root->flying));
	cr_expect(list_empty(&root->timed));
	cr_expect_null(root->first_changed);
	if (root->count == 0)
		cr_expect_eq(keep_used(), keep_at_start, "%zu bytes", keep_used() - keep_at_start);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights_at_start);
}

/* ---- short forms ---- */

port_name_t make(uint32_t type)
{
	port_name_t made;
	cr_assert_eq(net_create(net, AF_UNIX, type, 0, 0, &made), 0);
	return made;
}

void pair(uint32_t type, port_name_t *a, port_name_t *b)
{
	cr_assert_eq(net_pair(net, AF_UNIX, type, 0, 0, a, b), 0);
}

static size_t address(uint8_t *bytes, const char *abstract)
{
	bytes[0] = AF_UNIX;
	bytes[1] = bytes[2] = 0;
	memcpy(bytes + 3, abstract, strlen(abstract));
	return 3 + strlen(abstract);
}

int bind_to(port_name_t socket, const char *abstract)
{
	uint8_t bytes[NET_ADDRESS_MAX];
	return net_bind(socket, bytes, address(bytes, abstract), PORT_NULL);
}

int connect_to(port_name_t socket, const char *abstract)
{
	uint8_t bytes[NET_ADDRESS_MAX];
	return net_connect(socket, bytes, address(bytes, abstract), PORT_NULL);
}

int send_with(port_name_t socket, const char *words, uint64_t bundle)
{
	struct net_ancillary with = {.bundle = bundle};
	uint64_t done;
	return net_send_inline(socket, MSG_DONTWAIT, &with, "", 0, PORT_NULL, words, strlen(words), &done);
}

int send_flags(port_name_t socket, const char *words, uint32_t flags)
{
	struct net_ancillary with = {0};
	uint64_t done = 0;
	int error = net_send_inline(socket, flags, &with, "", 0, PORT_NULL, words, strlen(words), &done);
	if (error == 0)
		cr_expect_eq(done, strlen(words));
	return error;
}

int receive_flags(port_name_t socket, uint32_t flags)
{
	size_t size = 0;
	memset(text, 0, sizeof(text));
	int error = net_receive_inline(socket, flags, NET_INLINE_MAX, &got, from, sizeof(from), &from_size, text, NET_INLINE_MAX, &size);
	return error;
}

int stage(port_name_t right, uint8_t type, uint64_t *bundle)
{
	struct net_passed what = {.type = type, .kind = 5, .server = 77};
	return net_stage(net, *bundle, &what, 1, right, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, bundle);
}

int collect_one(uint64_t bundle, struct net_passed *what, port_name_t *right)
{
	struct net_passed all[NET_PASSED_BATCH];
	port_name_t none;
	size_t count = 0;
	int error = net_collect(net, bundle, 1, all, NET_PASSED_BATCH, &count, right, &none, &none, &none, &none, &none, &none, &none, &none, &none,
	                        &none, &none);
	if (error == 0) {
		cr_expect_eq(count, 1);
		*what = all[0];
	}
	return error;
}

uint32_t events_of(port_name_t socket)
{
	uint32_t slot = 0;
	cr_assert_eq(io_ready_slot(socket, &slot), 0);
	return host_readiness(slot) & 0xffff;
}
