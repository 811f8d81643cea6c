/*
 * rpcbench: what a remote procedure call costs, in instructions (QEMU with -icount shift=0: a tick of the TSC is one).
 *
 * A static musl program. It duplicates its task, gives the copy a server thread and a receive right, and calls it through
 * generated stubs: two tasks in different address spaces, the client's and the server's own instructions included.
 * Prints `name<TAB>instructions`, the mean of ROUNDS after a warm-up. The name of a line
 * asks for that line only; --clock for the monotonic clock instead.
 */
#include "bench_client.h"
#include "bench_server.h"
#include <portico/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 200
#define ROUNDS 2000

static port_name_t server; /* send right */
static uint64_t region_memory[512] __attribute__((aligned(4096)));
static char server_stack[65536] __attribute__((aligned(4096)));

/* ---- the server, in a task of its own ---- */

struct bench_object {
	uint64_t badge;
};
static struct bench_object only = {1};

struct bench_object *bench_target_get(struct server_call *call) { return call->badge == only.badge ? &only : NULL; }
void bench_target_put(struct bench_object *object) { (void)object; }

int bench_serve_empty(struct server_call *call, struct bench_object *object)
{
	(void)call, (void)object;
	return 0;
}

int bench_serve_words(struct server_call *call, struct bench_object *object, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *w,
		      uint64_t *x, uint64_t *y, uint64_t *z)
{
	(void)call, (void)object;
	*w = d;
	*x = c;
	*y = b;
	*z = a;
	return 0;
}

int bench_serve_bytes_256(struct server_call *call, struct bench_object *object, const uint64_t *data, size_t count, uint64_t *echo,
			  size_t *echo_count)
{
	(void)call, (void)object;
	memcpy(echo, data, count * sizeof *echo);
	*echo_count = count;
	return 0;
}

/* The skeleton asks for the release of the right and the region, and the trap that replies does it, as in libserver's loop. */
int bench_serve_port_region(struct server_call *call, struct bench_object *object, port_name_t *port, struct server_region *memory,
			    uint64_t *first)
{
	(void)call, (void)object, (void)port;
	*first = memory->size;
	return 0;
}

void server_release_right(port_name_t name) { trap1(TRAP_right_release, name); }
void server_release_region(uint64_t address, uint64_t size) { trap3(TRAP_vm_unmap, TASK_SELF, address, size); }
struct msg_page *server_send_page(void) { return (struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE); }
/* No routine here parks. */
void server_send_reply(struct server_reply *reply, uint64_t lengths, int error) { (void)reply, (void)lengths, (void)error, abort(); }
void server_reply_error(struct server_reply *reply, int error) { (void)reply, (void)error, abort(); }

int kern_errno(int64_t status) { return status < 0 ? EIO : 0; }

static _Noreturn void serve(void)
{
	const struct msg_page *page = (const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_REQUEST * PAGE_SIZE);
	struct msg_page *send = server_send_page();
	uint64_t op = 0, destination = 0;
	for (;;) {
		if (trap_msg(op | MSG_RECEIVE, destination, NAME_SERVICE, DEADLINE_NEVER) < 0 || page->header.kind != MSG_REQUEST) {
			op = 0;
			continue;
		}
		struct server_call call = {
			.principal = page->header.principal,
			.badge = page->header.badge,
			.request = page->header.request,
			.ordinal = page->header.ordinal,
			.port = page->header.port,
			.in = page,
			.out = send, /* the handlers make no calls, so the reply is built where it is sent from */
			.in_length = page->header.length,
			.in_descriptors = page->header.descriptors,
		};
		int64_t error = bench_interface.dispatch(&call);
		destination = MSG_DESTINATION(PORT_NULL, error);
		op = MSG_SEND_REPLY | MSG_RELEASES(call.release);
		if (error == 0)
			op |= MSG_LENGTH(call.reply_length, 0);
	}
}

/* ---- the client ---- */

static int64_t must(int64_t status, const char *what)
{
	if (status < 0) {
		printf("%s: status %lld\n", what, (long long)status);
		exit(1);
	}
	return status;
}

static void start_server(void)
{
	struct portico_block *block = (struct portico_block *)THREAD_AREAS;
	port_name_t port = (port_name_t)must(trap2(TRAP_port_create, PORT_NULL, 0), "port_create");
	server = (port_name_t)must(trap4(TRAP_right_make, port, only.badge, 0, PORT_NULL), "right_make");
	int64_t task = must(trap4(TRAP_task_duplicate, TASK_SELF, TASK_DUP_MEMORY, 0, PORT_NULL), "task_duplicate");
	must(trap4(TRAP_right_insert, (uint64_t)task, NAME_SERVICE, port, MSG_MOVE_RECEIVE), "right_insert");
	int64_t thread = must(trap5(TRAP_thread_create, (uint64_t)task, 1, SERVER_ENDPOINT, THREAD_SERVER | THREAD_NO_FPU, PORT_NULL), "thread_create");
	struct portico_frame *frame = (void *)block->argument;
	*frame = (struct portico_frame){ .rip = (uint64_t)serve, .rsp = (uint64_t)server_stack + sizeof server_stack - 8, .rflags = 0x202 };
	must(trap1(TRAP_thread_start, (uint64_t)thread), "thread_start");
}

static void check(int error, const char *what)
{
	if (error != 0) {
		printf("%s: errno %d\n", what, error);
		exit(1);
	}
}

static void call_empty(void) { check(bench_empty(server), "empty"); }

static void call_words(void)
{
	uint64_t w, x, y, z;
	check(bench_words(server, 1, 2, 3, 4, &w, &x, &y, &z), "words");
	if (w != 4 || x != 3 || y != 2 || z != 1)
		check(EIO, "words: wrong answer");
}

static void call_bytes(void)
{
	static uint64_t data[31], back[31];
	size_t count;
	check(bench_bytes_256(server, data, 31, back, 31, &count), "bytes");
}

static void call_port_region(void)
{
	uint64_t first;
	check(bench_port_region(server, server, region_memory, sizeof region_memory, &first), "port and region");
	if (first != sizeof region_memory)
		check(EIO, "port and region: wrong answer");
}

static void call_null(void) { trap0(TRAP_null); }
static void call_getpid(void) { syscall(SYS_getpid); }
static void call_nothing(void) { __asm__ volatile("" ::: "memory"); }

static uint64_t ticks(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t measure(void (*operation)(void))
{
	for (int i = 0; i < WARM_UP; i++)
		operation();
	uint64_t began = ticks();
	for (int i = 0; i < ROUNDS; i++)
		operation();
	return (ticks() - began) / ROUNDS;
}

/* The monotonic clock, which starts when the kernel does. */
static int print_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%llu\n", (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
	return 0;
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	if (only != NULL && strcmp(only, "--clock") == 0)
		return print_clock();
	static const struct {
		const char *name;
		void (*operation)(void);
	} line[] = { { "rpc_0", call_empty }, { "rpc_32", call_words }, { "rpc_256", call_bytes }, { "rpc_port_region", call_port_region },
		     { "null_trap", call_null }, { "getpid", call_getpid } };
	region_memory[0] = 1;
	start_server();
	uint64_t overhead = measure(call_nothing);
	for (size_t i = 0; i < sizeof line / sizeof line[0]; i++)
		if (only == NULL || strcmp(only, line[i].name) == 0)
			printf("%s\t%llu\n", line[i].name, (unsigned long long)(measure(line[i].operation) - overhead));
	return 0;
}
