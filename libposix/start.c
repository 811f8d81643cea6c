/*
 * The beginning of an image: from what proc left on the start page, and what the old image left in `state`, to the program's
 * first instruction.
 *
 * Above: _start (entry.S). Below: sig.attach, vfs for a first process's descriptors.
 */
#include "start.h"

#include "fd.h"
#include "linux.h"
#include "paths.h"
#include "signals.h"
#include "string.h"

#include <portico/start.h>
#include <proc_client.h>
#include <vfs_client.h>

#define STATE_MAGIC UINT64_C(0x31657461747378)
#define FILE_LIMIT_DEFAULT 1024
#define FLAGS_INITIAL 0x202

struct process_state process;

struct saved_state {
	uint64_t magic;
	uint64_t ignored, blocked;
	uint64_t file_limit;
	uint32_t umask;
	port_name_t root, cwd;
	uint32_t reserved;
	char name[16]; /* last component of the path that exec was given */
};

size_t state_size(void)
{
	return sizeof(struct saved_state) + fd_saved_size();
}

bool state_save(void *to, size_t size, const char *path)
{
	struct saved_state *state = to;

	if (size < state_size())
		return false;
	*state = (struct saved_state){
		.magic = STATE_MAGIC, .ignored = signals_ignored(), .blocked = signals_blocked(thread_self()),
		.file_limit = process.file_limit, .umask = process.umask, .root = process.root, .cwd = process.cwd };
	text_copy(state->name, sizeof(state->name), path_last(path));
	return fd_save(state + 1, size - sizeof(*state)) != 0;
}

void personality_register(void)
{
	struct personality personality = {
		.entry = (uint64_t)personality_entry, .entry_stride = 16, .event_entry = (uint64_t)personality_event,
		.text_begin = (uint64_t)text_begin, .text_end = (uint64_t)text_end,
		.restart_begin = (uint64_t)restart_begin, .restart_end = (uint64_t)restart_end,
		.restart = (uint64_t)personality_restart };

	memcpy(client_block()->argument, &personality, sizeof(personality));
	trap1(TRAP_task_personality, TASK_SELF);
}

static void take_identity(const struct posix_start *start)
{
	process.pid = start->pid;
	process.parent = start->parent;
	process.group = start->group;
	process.session = start->session;
	process.uid = start->uid;
	process.euid = start->euid;
	process.suid = start->suid;
	process.gid = start->gid;
	process.egid = start->egid;
	process.sgid = start->sgid;
	process.secure = start->secure;
	process.brk_start = process.brk = start->brk;
	process.thread_count = 1;
	memcpy(process.name, start->name, sizeof(process.name) - 1);
	text_copy(process.path, sizeof(process.path), start->path);
}

/* A first process has the console as its standard descriptors, as Linux's has. */
static void open_console(void)
{
	port_name_t file, target;
	uint32_t kind = 0, server = VFS_SERVER_ID_VFS;
	char rest[PORTICO_PATH_MAX + 1];
	int error = vfs_open(NAME_ROOT_DIR, "/dev/console", L_O_RDWR, 0, &file, &kind);

	if (error == EREMOTE) {
		error = vfs_refer(NAME_ROOT_DIR, "/dev/console", 0, L_O_RDWR, 0, &server, &target, rest, sizeof(rest), &kind);
		file = target;
	}
	if (error)
		return;
	trap2(TRAP_right_inherit, file, 1);
	for (int fd = fd_open(file, kind, (uint8_t)server, false); fd >= 0 && fd < 2; fd++)
		fd_install(fd_hold(fd), 0, false);
}

static void take_state(const struct posix_start *start)
{
	const struct saved_state *state = (const void *)(start + 1);

	process.umask = 022;
	process.root = NAME_ROOT_DIR;
	process.cwd = NAME_CWD;
	process.file_limit = FILE_LIMIT_DEFAULT;
	if (start->state_size < sizeof(*state) || state->magic != STATE_MAGIC) {
		signals_inherit(0, 0);
		open_console();
		return;
	}
	process.umask = state->umask;
	process.root = state->root;
	process.cwd = state->cwd;
	process.file_limit = state->file_limit;
	/* A program that is found by a link of /proc is called as the link is. */
	if (state->name[0] && strcmp(state->name, process.name)) {
		text_copy(process.name, sizeof(process.name), state->name);
		proc_set_name(NAME_PROC, process.name);
	}
	signals_inherit(state->ignored, state->blocked);
	fd_load(state + 1, start->state_size - sizeof(*state));
}

/* From _start. Leaves the program's first registers in the thread's state. */
void image_start(struct portico_block *block)
{
	const struct posix_start *start = (const struct posix_start *)LIBPOSIX_HEAP;
	struct thread_state *thread = thread_self();

	memset(thread, 0, sizeof(*thread));
	thread->number = -1;
	thread->stack_flags = L_SS_DISABLE;
	personality_register();
	if (start->magic != START_MAGIC)
		process_exit(L_SIGKILL);
	take_identity(start);
	thread->tid = process.pid;
	threads_begin();
	signals_attach(true);
	take_state(start);
	if (start->trace)
		trace_start();
	thread->regs.rip = start->entry;
	thread->regs.rsp = start->stack;
	thread->regs.rflags = FLAGS_INITIAL;
	(void)block;
}
