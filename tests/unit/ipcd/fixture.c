/*
 * See fixture.h.
 */
#include "fixture.h"

#include <kernel_ops.h>
#include <stdlib.h>

port_name_t ipc;
uint64_t capabilities;
uint32_t extra_group;
unsigned asked, signals, memory_objects;
struct sig_signal_info signalled;
uint32_t signalled_pid;
struct sem_page *shared_sem_page;

static struct proc_change queue[64];
static size_t queued, keep_at_start, rights_at_start;

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

int64_t kernel_memory_create(uint64_t size)
{
	if (size > UINT64_C(1) << 46)
		return KERN_INVALID_ARGUMENT;
	memory_objects++;
	return loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
}

int64_t kernel_memory_right(port_name_t memory, bool writable, bool executable)
{
	(void)writable;
	(void)executable;
	cr_assert(loopback_kind(memory));
	return loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
}

int64_t kernel_page_create(struct shared_page *shared)
{
	/* The keep's memory is not searched for pointers by the leak checker: nothing on the heap. */
	static struct sem_page pool[16];
	static unsigned used;
	struct sem_page *page = &pool[used++ % 16];

	memset(page, 0, sizeof(*page));
	*shared = (struct shared_page){.page = page, .object = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND),
	                               .right = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND)};
	shared_sem_page = shared->page;
	return 0;
}

/* The page itself stays: processes have it. */
void kernel_page_destroy(const struct shared_page *shared)
{
	server_release_right(shared->object);
	server_release_right(shared->right);
}

uint64_t kernel_memory_resident(port_name_t memory)
{
	cr_assert(loopback_kind(memory));
	return 1;
}

_Noreturn void server_run(void)
{
	abort();
}

/* ---- proc and sig ---- */

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
	asked++;
	cred->cap_effective = principal == SUPER ? UINT64_MAX : capabilities;
	cred->group_count = extra_group != 0;
	cred->groups[0] = extra_group;
	return 0;
}

static struct sig_right *any_right(struct server_call *call)
{
	(void)call;
	return (struct sig_right *)&signalled;
}

static int signal_process(struct server_call *call, struct sig_right *right, uint32_t pid, const struct sig_signal_info *info)
{
	(void)call, (void)right;
	signals++;
	signalled_pid = pid;
	signalled = *info;
	return 0;
}

/* ---- running as the server ---- */

static port_name_t inside;
static void (*inside_action)(void *argument);
static void *inside_argument;

static int64_t inside_dispatch(struct server_call *call)
{
	call->reply_length = call->reply_descriptors = 0;
	inside_action(inside_argument);
	return 0;
}

static const struct server_interface inside_interface = {.number = 200, .name = "inside", .dispatch = inside_dispatch};

static void in_server(void (*action)(void *argument), void *argument)
{
	port_name_t right = loopback_connect(inside, 0);
	inside_action = action;
	inside_argument = argument;
	cr_assert_eq(loopback_call(0, right, MSG_ORDINAL(200, 1), DEADLINE_NEVER), 0);
	loopback_release(right);
}

static void begin(void *unused)
{
	(void)unused;
	ipcd_initialise();
}

static void notify(void *unused)
{
	(void)unused;
	host_notify(NOTIFY_CHANGES);
}

static void tell(uint32_t pid, uint32_t uid, int32_t status, uint8_t kind)
{
	queue[queued++] = (struct proc_change){.principal = pid, .pid = pid, .uid = uid, .euid = uid, .suid = uid, .gid = uid, .egid = uid,
	                                       .status = status, .kind = kind};
	in_server(notify, NULL);
}

void birth(uint32_t pid, uint32_t forked_by, uint32_t uid)
{
	tell(pid, uid, (int32_t)forked_by, PROC_CHANGE_KIND_BIRTH);
}

void change(uint32_t pid, uint8_t kind)
{
	tell(pid, sessions_by_pid(&root->sessions, pid)->euid, 0, kind);
}

void fixture_begin(void)
{
	loopback_reset();
	host_reset();
	proc_fake_reset();
	sig_fake_reset();
	proc_fake.subscribe = subscribe;
	proc_fake.changes = changes;
	proc_fake.credentials_of = credentials_of;
	sig_fake.process_get = any_right;
	sig_fake.signal_process = signal_process;
	capabilities = extra_group = 0;
	asked = signals = memory_objects = 0;
	queued = 0;
	host_service("proc", loopback_server_right(loopback_service(&proc_interface), 1));
	host_service("sig", loopback_server_right(loopback_service(&sig_interface), 1));
	inside = loopback_service(&inside_interface);
	in_server(begin, NULL);
	loopback_on_no_senders(files_no_senders);
	ipc = loopback_connect(NAME_SERVICE, 0);
	keep_at_start = keep_used();
	rights_at_start = loopback_rights(LOOPBACK_SERVER);
	birth(SUPER, 0, 0);
	birth(OWNER, SUPER, 1000);
	birth(CHILD, OWNER, 1000);
	birth(OTHER, SUPER, 2000);
	as(OWNER);
}

/* But for chunks of the tables of places. */
void expect_nothing_left(void)
{
	const struct table *tables[] = {&root->segments, &root->sets, &root->queues};
	while (root->sessions.first != NULL)
		change(root->sessions.first->pid, PROC_CHANGE_KIND_DEATH);
	cr_expect_null(root->accounts, "somebody still has something");
	loopback_enter();
	for (size_t t = 0; t < 3; t++) {
		cr_expect_eq(tables[t]->count, 0);
		keep_free(tables[t]->chunk[0]);
	}
	loopback_leave();
	cr_expect_eq(keep_used(), keep_at_start);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), rights_at_start);
}
