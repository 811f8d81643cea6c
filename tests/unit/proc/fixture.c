/*
 * See fixture.h.
 */
#include "fixture.h"
#include "make_elf.h"

#include <kernel_ops.h>
#include <portico/layout.h>
#include <sys/mman.h>

port_name_t process_right, server_right;

static struct elf_bytes program, libposix, interpreter, dynamic, static_pie;

/* A port whose requests run what the test wants, as the server: calls from there are the server's. */
static port_name_t inside, root_server;
static void (*inside_action)(void *argument);
static void *inside_argument;

static int64_t inside_dispatch(struct server_call *call)
{
	call->reply_length = call->reply_descriptors = 0;
	inside_action(inside_argument);
	return 0;
}

static const struct server_interface inside_interface = {.number = 200, .name = "inside", .dispatch = inside_dispatch};

void in_server(void (*action)(void *argument), void *argument)
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
	proc_initialise(root_server);
	cr_assert_eq(host_run_deferred(), 1);
}

struct notice {
	port_name_t name;
	uint64_t word;
	bool flag;
};

static void deliver_dead_name(void *argument)
{
	const struct notice *n = argument;
	host_dead_name(n->name, n->word);
}

void dead_name(port_name_t name, uint64_t cookie)
{
	in_server(deliver_dead_name, &(struct notice){.name = name, .word = cookie});
}

void fixture_begin(void)
{
	fixture_begin_with(NULL, NULL);
}

void fixture_begin_with(const char *run, const char *init)
{
	loopback_reset();
	host_reset();
	fake_kernel_reset();
	fake_servers_reset();
	make_elf(&program, 2, 0x400000, NULL);
	make_elf(&static_pie, 3, 0, NULL);
	make_elf(&dynamic, 3, 0, "/lib/ld.so");
	make_elf(&interpreter, 3, 0, NULL);
	make_elf(&libposix, 2, LIBPOSIX_TEXT, NULL);
	fake_root.run = run;
	fake_root.init = init;
	fake_root.libposix = &libposix;
	fake_root.libposix_size = sizeof(libposix);
	fake_add_file("/sbin/init", &program, sizeof(program), 0100755, 0, 0);
	fake_add_file("/sbin/portico-run", &program, sizeof(program), 0100755, 0, 0);
	fake_add_file("/bin/program", &program, sizeof(program), 0100755, 0, 0);
	fake_add_file("/bin/pie", &static_pie, sizeof(static_pie), 0100755, 0, 0);
	fake_add_file("/bin/dynamic", &dynamic, sizeof(dynamic), 0100755, 0, 0);
	fake_add_file("/lib/ld.so", &interpreter, sizeof(interpreter), 0100755, 0, 0);
	host_service("vfs", loopback_server_right(fake_vfs.port, UINT64_C(1) << 56));
	host_service("sig", loopback_server_right(loopback_service(NULL), 0));
	loopback_on_no_senders(host_no_senders);
	root_server = loopback_server_right(fake_root.port, 7);
	inside = loopback_service(&inside_interface);
	in_server(start, NULL);
	process_right = loopback_connect(NAME_SERVICE, 0);
	server_right = loopback_connect(NAME_SERVICE, SERVER_BADGE);
	as(1);
}

struct process *process(uint32_t pid)
{
	return process_by_pid(pid);
}

struct fake_task *task(uint32_t pid)
{
	struct process *p = process_by_pid(pid);
	return p ? fake_task(process_principal(p)) : NULL;
}

void as(uint32_t pid)
{
	struct process *p = process_by_pid(pid);
	loopback_set_principal(p ? process_principal(p) : pid);
}

uint32_t spawn(uint32_t parent)
{
	uint32_t pid = 0;
	as(parent);
	cr_assert_eq(proc_fork(process_right, 0, 0x7ff800001000, 0x7ff90000fff0, 0x1234, 0, 0, SIGNAL_CHILD, &pid), 0);
	cr_assert_neq(pid, 0);
	as(pid);
	return pid;
}

static size_t pack(const char *const *strings, char *to, uint32_t *count)
{
	size_t size = 0;
	*count = 0;
	for (; strings && *strings; strings++) {
		memcpy(to + size, *strings, strlen(*strings) + 1);
		size += strlen(*strings) + 1;
		++*count;
	}
	return size;
}

int exec(uint32_t pid, const char *path, const char *const *argv, const char *const *envp)
{
	static char arguments[1 << 20], environment[1 << 20];
	static const char state[] = "descriptors";
	uint32_t argument_count, environment_count;
	size_t arguments_size = pack(argv, arguments, &argument_count);
	size_t environment_size = pack(envp, environment, &environment_count);
	port_name_t base = loopback_connect(fake_vfs.port, 1);
	as(pid);
	int error = proc_exec(process_right, base, path, 0, arguments, arguments_size, argument_count, environment,
	                      environment_size, environment_count, state, sizeof(state));
	loopback_release(base);
	as(pid);
	return error;
}

uint32_t spawn_program(uint32_t parent)
{
	static const char *const argv[] = {"program", "argument", NULL};
	static const char *const envp[] = {"A=b", NULL};
	uint32_t pid = spawn(parent);
	cr_assert_eq(exec(pid, "/bin/program", argv, envp), 0);
	return pid;
}

void die(uint32_t pid, int32_t status)
{
	as(pid);
	proc_exit(process_right, status);
}

int wait_for(uint32_t pid, uint32_t kind, uint32_t id, uint32_t options, struct proc_wait_result *result)
{
	as(pid);
	memset(result, 0, sizeof(*result));
	return proc_wait(process_right, kind, id, options, result);
}

void become(uint32_t pid, uint32_t uid)
{
	uint32_t previous;
	as(pid);
	cr_assert_eq(proc_set_ids(process_right, 1, uid, uid, uid, &previous), 0);
	cr_assert_eq(proc_set_ids(process_right, 0, uid, uid, uid, &previous), 0);
}
