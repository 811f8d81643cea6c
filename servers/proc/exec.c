/*
 * execve: strings in, program and interpreters found, new task built, old one gone.
 *
 * Until replace() nothing of the caller has changed and every error goes back to it. The new image is a new task
 * (design.md, section 5): whatever could reach into the old one stays behind; inheritable rights come along. The old task's end
 * and the new one's start are done by the transaction's commit, in one step.
 */
#include "exec.h"

#include "image.h"
#include "kernel_ops.h"
#include "script.h"

#include <io_client.h>
#include <portico/layout.h>
#include <portico/strings.h>
#include <proc_server.h>
#include <vfs_client.h>

#define STRING_MAX 131072u     /* one argument, as Linux: MAX_ARG_STRLEN */
#define STRINGS_MAX (2u << 20) /* all of them: a quarter of the largest stack */
#define STATE_MAX (1u << 20)
#define PATH_BYTES 2816u /* types.idl's path_max and a NUL */
/* Room before the arguments for what scripts put there. */
#define HEADROOM (SCRIPT_LEVELS * (2 * SCRIPT_LINE_MAX + PATH_BYTES))

/* Scratch of one exec, valid within one request only. */
static struct {
	char arguments[HEADROOM + STRINGS_MAX];
	char environment[STRINGS_MAX];
	uint8_t state[STATE_MAX];
} scratch;

/* Everything an exec holds until it is done. */
struct exec {
	struct process *process;
	struct exec_request strings;
	struct program main, interpreter;
	bool has_interpreter;
	port_name_t base;          /* where `path` starts; borrowed */
	port_name_t root_dir, cwd; /* of the process; ours */
	char path[PATH_BYTES];     /* of the file that is opened next */
	char execfn[PATH_BYTES];
	char name[16];
	char exe[2049];
	char interpreter_path[ELF_INTERPRETER_MAX];
	struct script script;
	struct credentials cred;
	bool secure;
	struct image_layout layout;
	port_name_t task, thread;
};

/* Volatile: an exec is one request, and each execution of it fills this anew. Too large for the stack. */
static struct exec exec_in_service;

/* ---- strings ---- */

static int window_error(int64_t status)
{
	return status == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
}

static int fetch(const struct server_window *window, void *to, size_t max, size_t *size)
{
	*size = 0;
	if (window->size == 0)
		return 0;
	if (window->size > max)
		return E2BIG;
	int64_t got = server_window_read(window, 0, to, window->size);
	if (got < 0)
		return window_error(got);
	if ((uint64_t)got != window->size)
		return EFAULT;
	*size = window->size;
	return 0;
}

int exec_check_strings(const char *strings, size_t size, uint32_t count)
{
	uint32_t found = 0;
	const char *p = strings, *end = strings + size;
	while (p < end) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));
		if (!nul)
			return EINVAL;
		if ((size_t)(nul - p) >= STRING_MAX)
			return E2BIG;
		p = nul + 1;
		found++;
	}
	return found == count ? 0 : EINVAL;
}

/* The stack's limit, within what is reserved; at least enough for a program to begin. */
static uint64_t stack_size_of(const struct process *p)
{
	uint64_t size = p->limit[RESOURCE_STACK].current;
	if (size > STACK_MAX_SIZE)
		size = STACK_MAX_SIZE;
	if (size < 4 * 0x20000)
		size = 4 * 0x20000;
	return size & ~(PAGE_SIZE - 1);
}

static int check_total(const struct exec *e)
{
	const struct exec_request *s = &e->strings;
	uint64_t limit = stack_size_of(e->process) / 4;
	uint64_t pointers = ((uint64_t)s->argument_count + s->environment_count) * 8;
	return s->arguments_size + s->environment_size + pointers > limit ? E2BIG : 0;
}

static int fetch_strings(struct exec *e, struct server_window *arguments, uint32_t argument_count,
                         struct server_window *environment, uint32_t environment_count, struct server_window *state)
{
	struct exec_request *s = &e->strings;
	char *into = scratch.arguments + HEADROOM;
	int error = fetch(arguments, into, STRINGS_MAX, &s->arguments_size);
	if (!error)
		error = fetch(environment, scratch.environment, STRINGS_MAX, &s->environment_size);
	if (!error)
		error = fetch(state, scratch.state, STATE_MAX, &s->state_size);
	if (!error)
		error = exec_check_strings(into, s->arguments_size, argument_count);
	if (!error)
		error = exec_check_strings(scratch.environment, s->environment_size, environment_count);
	if (error)
		return error;
	s->arguments = into;
	s->argument_count = argument_count;
	s->environment = scratch.environment;
	s->environment_count = environment_count;
	s->state = scratch.state;
	if (argument_count == 0) { /* Linux since 5.18: there is always an argv[0] */
		into[0] = '\0';
		s->arguments_size = 1;
		s->argument_count = 1;
	}
	return check_total(e);
}

/* Puts a string before the arguments. There is room: SCRIPT_LEVELS is kept. */
static void push_argument(struct exec_request *s, const char *text)
{
	size_t size = strlen(text) + 1;
	s->arguments -= size;
	memcpy((char *)s->arguments, text, size);
	s->arguments_size += size;
	s->argument_count++;
}

static void drop_argument(struct exec_request *s)
{
	size_t size = strlen(s->arguments) + 1;
	s->arguments += size;
	s->arguments_size -= size;
	s->argument_count--;
}

/* ---- files ---- */

static void program_release(struct program *program)
{
	server_release_right(program->object);
	server_release_right(program->file);
	program->object = program->file = PORT_NULL;
}

static void exec_release(struct exec *e)
{
	program_release(&e->main);
	program_release(&e->interpreter);
	server_release_right(e->root_dir);
	server_release_right(e->cwd);
	if (e->task != PORT_NULL) {
		kernel_task_terminate(e->task);
		server_release_right(e->thread);
		server_release_right(e->task);
	}
	e->root_dir = e->cwd = e->task = e->thread = PORT_NULL;
}

/* The process whose image "/proc/N/exe" or "/proc/self/exe" means; NULL: another path. */
static const struct process *exe_link(const struct exec *e)
{
	const char *p = e->path;
	if (strncmp(p, "/proc/", 6) != 0)
		return NULL;
	p += 6;
	if (strcmp(p, "self/exe") == 0 || strcmp(p, "thread-self/exe") == 0)
		return e->process;
	uint32_t pid = 0;
	while (*p >= '0' && *p <= '9' && pid < PID_MAX)
		pid = pid * 10 + (uint32_t)(*p++ - '0');
	return strcmp(p, "/exe") == 0 ? process_by_pid(pid) : NULL;
}

static int open_program(struct exec *e, const char *path, uint32_t flags, struct program *program)
{
	struct attributes attr;
	port_name_t base = path[0] == '/' ? e->root_dir : e->base;
	uint64_t principal = process_principal(e->process);
	int error = vfs_open_program(root->vfs, principal, base, path, flags, &program->object, &program->size, &attr,
	                             &program->file);
	if (error)
		return error;
	program->mode = attr.mode;
	program->uid = attr.uid;
	program->gid = attr.gid;
	return 0;
}

static int open_main(struct exec *e, uint32_t flags)
{
	int error = open_program(e, e->path, flags, &e->main);
	if (error != EREMOTE)
		return error;
	/* Another server's files are not programs, but a link in /proc may lead to one. */
	const struct process *p = exe_link(e);
	if (!p || !p->exe || strlen(p->exe) >= sizeof(e->path))
		return p ? ENOENT : EACCES;
	return open_program(e, p->exe, 0, &e->main);
}

static int follow_script(struct exec *e)
{
	char line[SCRIPT_LINE_MAX];
	size_t length = e->main.size < sizeof(line) ? e->main.size : sizeof(line);
	if (length < 2)
		return ENOEXEC;
	int64_t got = kernel_object_read(e->main.object, 0, line, length);
	if (got < 0)
		return EIO;
	int error = script_parse(line, (size_t)got, &e->script);
	if (error)
		return error;
	drop_argument(&e->strings);
	push_argument(&e->strings, e->path);
	if (e->script.argument[0] != '\0')
		push_argument(&e->strings, e->script.argument);
	push_argument(&e->strings, e->script.interpreter);
	memcpy(e->path, e->script.interpreter, sizeof(e->script.interpreter));
	e->base = e->cwd;
	program_release(&e->main);
	return check_total(e);
}

static void set_name(struct exec *e, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	memset(e->name, 0, sizeof(e->name));
	memcpy(e->name, name, strnlen(name, sizeof(e->name) - 1));
}

/* Opens the program, through scripts, until there is an ELF file with a plan. */
static int find_program(struct exec *e, uint32_t flags)
{
	for (int level = 0;; level++) {
		int error = open_main(e, flags);
		if (error)
			return error;
		error = image_plan(e->main.object, e->main.size, &e->main.plan);
		if (error != ENOEXEC)
			return error;
		if (level == SCRIPT_LEVELS)
			return ELOOP;
		error = follow_script(e);
		if (error)
			return error;
		flags = 0;
	}
}

/* PT_INTERP. Whatever is wrong with it is ELIBBAD, unless it cannot be opened. */
static int find_interpreter(struct exec *e)
{
	if (e->main.plan.interpreter[0] == '\0')
		return 0;
	memcpy(e->interpreter_path, e->main.plan.interpreter, sizeof(e->interpreter_path));
	e->base = e->cwd;
	int error = open_program(e, e->interpreter_path, 0, &e->interpreter);
	if (error)
		return error;
	error = image_plan(e->interpreter.object, e->interpreter.size, &e->interpreter.plan);
	if (!error)
		error = image_place(&e->interpreter, true);
	e->has_interpreter = true;
	return error == ENOEXEC ? ELIBBAD : error;
}

static void find_exe_path(struct exec *e)
{
	if (io_path(e->main.file, e->exe, sizeof(e->exe)) != 0)
		e->exe[0] = '\0';
}

/* ---- the new task ---- */

static int build(struct exec *e)
{
	struct process *p = e->process;
	int64_t status = p->task != PORT_NULL ? kernel_task_duplicate(p->task, TASK_DUP_RIGHTS, ledger_of(p->cred.uid))
	                                      : kernel_task_create(PORT_NULL);
	if (status < 0)
		return birth_failed(p, "exec: task", status == KERN_NO_MEMORY ? ENOMEM : EAGAIN);
	e->task = (port_name_t)status;
	const struct image_request request = {
	        .main = &e->main,
	        .interpreter = e->has_interpreter ? &e->interpreter : NULL,
	        .strings = &e->strings,
	        .execfn = e->execfn,
	        .path = e->exe,
	        .name = e->name,
	        .process = p,
	        .cred = &e->cred,
	        .secure = e->secure,
	        .stack_size = stack_size_of(p),
	};
	int error = image_build(e->task, &request, &e->layout);
	if (error)
		return error;
	status = kernel_thread_create(e->task, 0, THREAD_AREAS);
	if (status < 0)
		return birth_failed(p, "exec: thread", kern_errno(status));
	e->thread = (port_name_t)status;
	kernel_thread_priority(e->thread, nice_priority(p->nice));
	return 0;
}

static void set_range(struct image_range *range, const struct program *program, const char *path)
{
	range->start = program->plan.low + program->bias;
	range->end = program->plan.high + program->bias;
	range->path = keep_string(path);
}

/* What /proc tells of the image. */
static void describe_image(struct process *p, const struct exec *e)
{
	const struct image_layout *l = &e->layout;
	keep_free(p->exe);
	p->exe = e->exe[0] ? keep_string(e->exe) : NULL;
	memcpy(p->name, e->name, sizeof(p->name));
	p->arguments_start = l->arguments_start;
	p->arguments_end = l->arguments_end;
	p->environment_start = l->environment_start;
	p->environment_end = l->environment_end;
	p->stack_start = l->stack;
	p->brk_start = l->brk;
	p->code_start = e->main.plan.low + e->main.bias;
	p->code_end = e->main.plan.high + e->main.bias;
	for (uint32_t i = 0; i < IMAGES_MAX; i++) {
		keep_free(p->image[i].path);
		p->image[i] = (struct image_range){0};
	}
	set_range(&p->image[0], &e->main, e->exe);
	if (e->has_interpreter)
		set_range(&p->image[1], &e->interpreter, e->interpreter_path);
}

static void end_old_task(struct process *p)
{
	if (p->task == PORT_NULL)
		return;
	kernel_task_freeze(p->task); /* other threads than the caller */
	task_usage(p->task, &p->usage);
	kernel_task_terminate(p->task);
	server_release_right(p->thread);
	server_release_right(p->task);
	program_leave(p);
}

static void start(const struct process *p)
{
	struct portico_frame frame = {
	        .rip = root->libposix_plan.entry,
	        .rdi = THREAD_AREAS,
	        .rsp = THREAD_AREAS + THREAD_AREA_STACK_TOP,
	        .rflags = 0x202,
	};
	kernel_thread_start(p->thread, &frame);
}

/* The new image takes the old one's place. Fails only before anything has changed. */
static int replace(struct exec *e)
{
	struct process *p = e->process;
	uint64_t old = process_principal(p);
	bool first = p->task == PORT_NULL;
	struct running_program *program = program_create(e->main.file);
	if (!program)
		return ENOMEM;
	uint32_t generation = ++root->generations;
	uint64_t principal = (uint64_t)generation << 32 | p->pid;
	int error = task_equip(e->task, principal, first ? root->root_directory : PORT_NULL,
	                       first ? root->root_directory : PORT_NULL);
	const char *step = "exec: rights";
	if (!error) {
		step = "exec: session";
		error = session_begin(principal, old, &e->cred);
	}
	if (error) {
		keep_free(program);
		return birth_failed(p, step, error);
	}
	end_old_task(p);
	p->program = program;
	e->main.file = PORT_NULL;
	vfs_session_end(root->vfs, old);
	p->generation = generation;
	p->task = e->task;
	p->thread = e->thread;
	e->task = e->thread = PORT_NULL;
	bool changed = memcmp(&p->cred, &e->cred, sizeof(p->cred)) != 0;
	p->cred = e->cred;
	p->executed = true;
	p->exit_signal = SIGNAL_CHILD;
	p->dumpable = !e->secure;
	if (e->secure)
		p->death_signal = 0;
	thread_ids_destroy(p);
	waiters_drop(p);
	describe_image(p, e);
	if (p->stopped)
		kernel_task_suspend(p->task);
	change_log(p, PROC_CHANGE_KIND_EXEC, 0, 0);
	if (changed)
		change_log(p, PROC_CHANGE_KIND_CREDENTIALS, 0, 0);
	vfork_release(p);
	start(p);
	return 0;
}

/* From an opened-to-be path and strings to a running image. */
static int run(struct exec *e, uint32_t flags)
{
	int error = find_program(e, flags);
	if (!error)
		error = image_place(&e->main, false);
	if (!error)
		error = find_interpreter(e);
	if (error)
		return error;
	find_exe_path(e);
	e->secure = credentials_exec(e->process, e->main.mode, e->main.uid, e->main.gid, &e->cred);
	error = build(e);
	/* Linux finds this when the old image is gone already. */
	if (error == EFAULT && e->process->task != PORT_NULL)
		process_die(e->process, SIGNAL_SEGMENT);
	return error ? error : replace(e);
}

static struct exec *begin(struct process *p, const char *path)
{
	struct exec *e = &exec_in_service;
	memset(e, 0, sizeof(*e));
	e->process = p;
	memcpy(e->path, path, strnlen(path, sizeof(e->path) - 1));
	memcpy(e->execfn, e->path, sizeof(e->execfn));
	set_name(e, e->path);
	return e;
}

/* Rights of the process's own root and working directory. */
static int own_directories(struct exec *e)
{
	int64_t root_dir = kernel_right_extract(e->process->task, NAME_ROOT_DIR);
	if (root_dir < 0)
		return ENOENT;
	e->root_dir = (port_name_t)root_dir;
	int64_t cwd = kernel_right_extract(e->process->task, NAME_CWD);
	if (cwd < 0)
		return ENOENT;
	e->cwd = (port_name_t)cwd;
	return 0;
}

int proc_serve_exec(struct server_call *call, struct proc_right *right, port_name_t *base, const char *path,
                    uint32_t flags, struct server_window *arguments, uint32_t argument_count,
                    struct server_window *environment, uint32_t environment_count, struct server_window *state)
{
	(void)right;
	struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	struct exec *e = begin(p, path);
	e->base = *base;
	int error = fetch_strings(e, arguments, argument_count, environment, environment_count, state);
	if (!error)
		error = own_directories(e);
	if (!error)
		error = run(e, flags);
	exec_release(e);
	return error;
}

int exec_first(struct process *p, const char *path, const struct exec_request *strings)
{
	struct exec *e = begin(p, path);
	char *into = scratch.arguments + HEADROOM;
	if (strings->arguments_size > STRINGS_MAX)
		return E2BIG;
	memcpy(into, strings->arguments, strings->arguments_size);
	e->strings = *strings;
	e->strings.arguments = into;
	int64_t copy = kernel_right_copy(root->root_directory, ~0u);
	int64_t second = kernel_right_copy(root->root_directory, ~0u);
	e->root_dir = copy > 0 ? (port_name_t)copy : PORT_NULL;
	e->cwd = second > 0 ? (port_name_t)second : PORT_NULL;
	e->base = e->cwd;
	/* vfs opens the program with the credentials of the process as it was before. */
	uint64_t before = process_principal(p);
	int error = session_begin(before, 0, &p->cred);
	if (error == 0) {
		error = run(e, 0);
		vfs_session_end(root->vfs, before);
	}
	exec_release(e);
	return error;
}
