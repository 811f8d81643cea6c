/*
 * See fixture.h.
 */
#include "fixture.h"

#include <stdlib.h>

port_name_t process_right, server_right;
struct asked asked;
struct answers answers;

static struct proc_change queue[64];
static size_t queued;
static uint32_t generation[256];

uint64_t principal_of(uint32_t pid)
{
	return (uint64_t)generation[pid] << 32 | pid;
}

void as(uint32_t pid)
{
	loopback_set_principal(principal_of(pid));
}

/* ---- the kernel ---- */

/*
 * What the commit does is done at once here, in the same order: conditions leave out what follows. The hook runs before the first one:
 * between the handler's look at the pages and the commit's.
 */
static unsigned skipped;
void (*before_commit)(void);

static bool is_skipped(void)
{
	if (skipped == 0)
		return false;
	skipped--;
	return true;
}

void kernel_post(uint64_t *word, uint64_t value)
{
	if (!is_skipped())
		*word = value;
}

void kernel_if(const uint64_t *word, uint64_t mask, uint64_t value, unsigned skip)
{
	if (is_skipped())
		return;
	if (before_commit)
		before_commit();
	before_commit = NULL;
	if ((*word & mask) != value)
		skipped = skip;
}

void kernel_interrupt(port_name_t task, uint32_t slot)
{
	if (is_skipped())
		return;
	asked.interrupts++;
	asked.interrupted_slot = slot;
	for (struct server_session *s = root->sessions.first; s; s = s->next) {
		const struct process *p = s->own;
		if (p && p->task == task)
			asked.interrupted_pid = s->pid;
	}
}

void kernel_notify(port_name_t right, uint64_t bits)
{
	cr_assert(right == root->self && bits == NOTIFY_LOOK_AGAIN);
	if (!is_skipped())
		asked.looks++;
}

int64_t kernel_task_time(port_name_t task, uint64_t *user, uint64_t *system)
{
	(void)task;
	*user = answers.user_ns;
	*system = answers.system_ns;
	return KERN_SUCCESS;
}

/* The keep's memory is not searched for pointers by the leak checker: nothing on the heap. */
static struct signal_page pool[32];
static bool pool_used[32];

int64_t kernel_pages_create(struct signal_pages *pages)
{
	unsigned i = 0;
	while (i < 32 && pool_used[i])
		i++;
	if (i == 32)
		return KERN_NO_MEMORY;
	pool_used[i] = true;
	memset(&pool[i], 0, sizeof(pool[i]));
	pages->page = &pool[i];
	pages->object = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	pages->shared = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	return KERN_SUCCESS;
}

void kernel_pages_destroy(struct signal_pages *pages)
{
	if (pages->page)
		pool_used[pages->page - pool] = false;
	server_release_right(pages->object);
	server_release_right(pages->shared);
	*pages = (struct signal_pages){0};
}

uint32_t kernel_cpus(void)
{
	return 1;
}

_Noreturn void server_run(void)
{
	abort();
}

/* ---- proc ---- */

static int subscribe(struct server_call *call, struct proc_right *right, port_name_t *notify, uint64_t bits,
                     uint64_t *cursor)
{
	(void)call;
	(void)right;
	(void)bits;
	server_release_right(server_take(notify));
	*cursor = 0;
	return 0;
}

static int changes(struct server_call *call, struct proc_right *right, uint64_t cursor, struct proc_change *list,
                   size_t *count, uint64_t *next)
{
	(void)call;
	(void)right;
	memcpy(list, queue, queued * sizeof(queue[0]));
	*count = queued;
	*next = cursor + queued;
	queued = 0;
	return 0;
}

static int interrupt_right(struct server_call *call, struct proc_right *right, uint32_t pid, struct server_port *task)
{
	static port_name_t lent;
	(void)call;
	(void)right;
	(void)pid;
	if (loopback_kind(lent))
		server_release_right(lent);
	lent = task->name = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	return 0;
}

static int kill_hook(struct server_call *call, struct proc_right *right, uint32_t pid, int32_t status)
{
	(void)call;
	(void)right;
	asked.kills++;
	asked.killed = pid;
	asked.kill_status = status;
	return 0;
}

static int stop_hook(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t signal)
{
	(void)call;
	(void)right;
	asked.stops++;
	asked.stopped = pid;
	asked.stop_signal = signal;
	return 0;
}

static int resume_hook(struct server_call *call, struct proc_right *right, uint32_t pid)
{
	(void)call;
	(void)right;
	asked.resumes++;
	asked.resumed = pid;
	return 0;
}

static int credentials_of(struct server_call *call, struct proc_right *right, uint64_t principal,
                          struct credentials *cred)
{
	(void)call;
	(void)right;
	(void)principal;
	cred->cap_effective = answers.capabilities;
	return 0;
}

static int limit(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t resource, uint8_t set,
                 const struct proc_limit *value, struct proc_limit *previous)
{
	(void)call;
	(void)right;
	(void)pid;
	(void)value;
	cr_assert(resource == 11 && !set);
	previous->current = answers.limit;
	return 0;
}

static int get_session(struct server_call *call, struct proc_right *right, uint32_t pid, uint32_t *session)
{
	(void)call;
	(void)right;
	*session = 0;
	return pid == answers.zombie ? 0 : ESRCH;
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

static void start(void *unused)
{
	(void)unused;
	sig_initialise();
}

static void notify(void *unused)
{
	(void)unused;
	host_notify(NOTIFY_CHANGES);
}

static void notify_again(void *unused)
{
	(void)unused;
	host_notify(NOTIFY_LOOK_AGAIN);
}

void look_again(void)
{
	in_server(notify_again, NULL);
}

static void pass_time(void *now)
{
	host_set_time(*(const uint64_t *)now);
}

void at(uint64_t now)
{
	in_server(pass_time, &now);
}

void change_full(const struct proc_change *entry)
{
	queue[queued++] = *entry;
	in_server(notify, NULL);
}

void birth(uint32_t pid, uint32_t parent, uint32_t group, uint32_t session, uint32_t uid)
{
	change_full(&(struct proc_change){.principal = principal_of(pid),
	                                  .pid = pid,
	                                  .parent = parent,
	                                  .group = group,
	                                  .session = session,
	                                  .uid = uid,
	                                  .euid = uid,
	                                  .suid = uid,
	                                  .kind = PROC_CHANGE_KIND_BIRTH});
}

/* The record as it is, with another kind. */
void change(uint32_t pid, uint8_t kind, int32_t status)
{
	const struct server_session *s = sessions_by_pid(&root->sessions, pid);
	change_full(&(struct proc_change){.principal = principal_of(pid),
	                                  .pid = pid,
	                                  .parent = s->parent,
	                                  .group = s->group,
	                                  .session = s->session,
	                                  .uid = s->uid,
	                                  .euid = s->euid,
	                                  .suid = s->suid,
	                                  .status = status,
	                                  .exit_signal = SIGNAL_CHILD,
	                                  .kind = kind});
}

void execed(uint32_t pid)
{
	generation[pid]++;
	change(pid, PROC_CHANGE_KIND_EXEC, 0);
}

struct signal_page *page(uint32_t pid)
{
	return process_by_pid(pid)->pages.page;
}

void attach(uint32_t pid)
{
	port_name_t pages;
	as(pid);
	cr_assert_eq(sig_attach(process_right, &pages), 0);
	loopback_release(pages);
	page(pid)->thread[0].tid = pid;
	page(pid)->slots = 1;
}

int kill_(int32_t pid, uint32_t signal)
{
	return sig_kill(process_right, pid, signal);
}

int32_t take(uint32_t pid, uint64_t set, struct sig_signal_info *info)
{
	struct sig_signal_info unused;
	as(pid);
	info = info ? info : &unused;
	return sig_take(process_right, 0, set, info) == 0 ? info->signal : 0;
}

bool is_pending(uint32_t pid, uint32_t signal)
{
	return (page(pid)->pending & SIGNAL_BIT(signal)) != 0;
}

static void hooks(void)
{
	proc_fake_reset();
	proc_fake.subscribe = subscribe;
	proc_fake.changes = changes;
	proc_fake.interrupt_right = interrupt_right;
	proc_fake.kill = kill_hook;
	proc_fake.stop = stop_hook;
	proc_fake.resume = resume_hook;
	proc_fake.credentials_of = credentials_of;
	proc_fake.limit = limit;
	proc_fake.get_session = get_session;
}

void fixture_begin(void)
{
	loopback_reset();
	host_reset();
	hooks();
	memset(pool_used, 0, sizeof(pool_used));
	memset(generation, 0, sizeof(generation));
	memset(&asked, 0, sizeof(asked));
	answers = (struct answers){.limit = 100};
	queued = skipped = 0;
	before_commit = NULL;
	host_service("proc", loopback_server_right(loopback_service(&proc_interface), SERVER_BADGE));
	inside = loopback_service(&inside_interface);
	in_server(start, NULL);
	process_right = loopback_connect(NAME_SERVICE, 0);
	server_right = loopback_connect(NAME_SERVICE, SERVER_BADGE);
	birth(1, 0, 0, 0, 0);
	birth(10, 1, 10, 10, 1000);
	birth(20, 10, 20, 10, 1000);
	attach(1);
	attach(10);
	attach(20);
	as(10);
}
