/*
 * Building the servers' tasks: service port, ledger, address space from the ELF image, keep, rights, thread.
 *
 * The keep is an object of root's own, so that it can outlive the task. A server that cannot be built ends the
 * start-up: there is nobody yet to whom it could be reported but the log.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/info.h>
#include <portico/strings.h>

#define KEEP_SIZE (UINT64_C(1) << 30)

static struct portico_block *block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

/* A trap without which the server cannot be built. */
static uint64_t must(int64_t status, const struct root_plan *plan, const char *what)
{
	if (status < 0)
		server_panic("server %s: %s: status %d", plan->name, what, (int)status);
	return (uint64_t)status;
}

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE_SIZE - 1) & -PAGE_SIZE;
}

static void create_service(const struct root_plan *plan, struct root_client *client)
{
	uint64_t receive = must(trap2(TRAP_port_create, PORT_NULL, 0), plan, "service port");
	const volatile struct kernel_info *info = (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
	uint64_t pages = info->memory_total / PAGE_SIZE * plan->memory_percent / 100;

	client->service =
	        (port_name_t)must(trap4(TRAP_right_make, receive, 0, RIGHT_MINT, PORT_NULL), plan, "service right");
	client->ledger = (port_name_t)must(
	        trap4(TRAP_ledger_create, 0, pages, (uint64_t)plan->kernel_kib * 1024, PORT_NULL), plan, "ledger");
	client->task = (port_name_t)must(trap3(TRAP_task_create, 0, client->ledger, PORT_NULL), plan, "task");
	must(trap4(TRAP_right_insert, client->task, NAME_SERVICE, receive, MSG_MOVE_RECEIVE), plan, "service port");
}

void servers_create(void)
{
	for (unsigned i = 0; i < root_plan_count; i++) {
		if (module_find(root_plan[i].name) != NULL)
			create_service(&root_plan[i], &root->client[i]);
		else
			server_log("no boot module %s: it is not started", root_plan[i].name);
	}
}

/* Bytes of the last file page that belong to the zeroed part, and the pages after it. */
static void clear_tail(const struct root_plan *plan, port_name_t task, const struct image_segment *s)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint64_t file_end = s->address + s->file_size, memory_end = s->address + s->memory_size;
	uint64_t in_page = page_up(file_end) - file_end;
	uint64_t flags = VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_COPY;

	if (s->file_size > 0 && in_page > 0)
		must(trap4(TRAP_vm_write, task, file_end, (uint64_t)zeros, in_page), plan, "clearing the bss");
	uint64_t start = s->file_size > 0 ? page_up(file_end) : s->address & -PAGE_SIZE;
	if (page_up(memory_end) > start)
		must(trap6(TRAP_vm_map, task, start, page_up(memory_end) - start, 0, 0, flags), plan,
		     "mapping the bss");
}

static void load_segment(const struct root_plan *plan, port_name_t task, const struct root_module *module,
                         const struct image_segment *s)
{
	uint64_t flags = VM_READ | VM_FIXED | VM_INHERIT_COPY | (s->write ? VM_WRITE | VM_COPY : 0) |
	                 (s->execute ? VM_EXECUTE : 0);
	uint64_t start = s->address & -PAGE_SIZE;

	if (s->file_size > 0)
		must(trap6(TRAP_vm_map, task, start, page_up(s->address + s->file_size) - start, module->object,
		           s->offset & -PAGE_SIZE, flags),
		     plan, "mapping a segment");
	if (s->write)
		clear_tail(plan, task, s);
}

static uint64_t load_image(const struct root_plan *plan, port_name_t task)
{
	static uint8_t headers[PAGE_SIZE];
	const struct root_module *module = module_find(plan->name);
	struct image image;
	size_t length = module->size < sizeof(headers) ? module->size : sizeof(headers);

	int64_t n = trap4(TRAP_object_read, module->object, 0, (uint64_t)headers, length);
	const char *wrong = image_parse(headers, n > 0 ? (size_t)n : 0, module->size, &image);
	if (wrong != NULL)
		server_panic("boot module %s: %s", plan->name, wrong);
	for (unsigned i = 0; i < image.count; i++)
		load_segment(plan, task, module, &image.segment[i]);
	return image.entry;
}

static void map_memory(const struct root_plan *plan, struct root_client *client)
{
	uint64_t flags = VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE;

	client->keep =
	        (port_name_t)must(trap5(TRAP_object_create, KEEP_SIZE, 0, PORT_NULL, 0, PORT_NULL), plan, "keep");
	must(trap6(TRAP_vm_map, client->task, SERVER_KEEP, KEEP_SIZE, client->keep, 0, flags), plan,
	     "mapping the keep");
	must(trap6(TRAP_vm_map, client->task, SERVER_STACK_TOP - SERVER_STACK_SIZE, SERVER_STACK_SIZE, 0, 0, flags),
	     plan, "stack");
}

static void insert_rights(const struct root_plan *plan, struct root_client *client, unsigned index)
{
	must(trap4(TRAP_right_insert, client->task, NAME_LOG, NAME_LOG, MSG_COPY_SEND), plan, "log right");
	block()->argument[0] = index + 1;
	block()->argument[1] = 0;
	must(trap4(TRAP_right_insert, client->task, NAME_ROOT_SERVER, NAME_SERVICE, MSG_MAKE_SEND), plan, "root right");
	must(trap4(TRAP_right_insert, client->task, NAME_SELF_LEDGER, client->ledger, MSG_COPY_SEND), plan,
	     "ledger right");
}

static void start_server(const struct root_plan *plan, struct root_client *client, unsigned index)
{
	uint64_t entry = load_image(plan, client->task);
	char name[16] = {0};

	map_memory(plan, client);
	insert_rights(plan, client, index);
	client->thread = (port_name_t)must(
	        trap5(TRAP_thread_create, client->task, 0, SERVER_ENDPOINT, THREAD_NO_FPU | THREAD_SERVER, PORT_NULL),
	        plan, "thread");
	must(trap3(TRAP_thread_priority, client->thread, plan->priority, 0), plan, "priority");
	int error = server_watch_death(client->task, index);
	if (error != 0)
		server_panic("server %s: watching it: error %d", plan->name, error);
	memcpy(name, plan->name, strnlen(plan->name, sizeof(name)));
	struct portico_frame frame = {.rip = entry, .rsp = SERVER_STACK_TOP, .rdi = SERVER_ENDPOINT, .rflags = 0x202};
	memcpy(&frame.rsi, name, 8);
	memcpy(&frame.rdx, name + 8, 8);
	memcpy(block()->argument, &frame, sizeof(frame));
	must(trap1(TRAP_thread_start, client->thread), plan, "starting it");
	client->running = true;
}

void servers_start(void)
{
	for (unsigned i = 0; i < root_plan_count; i++)
		if (root->client[i].task != PORT_NULL)
			start_server(&root_plan[i], &root->client[i], i);
}
