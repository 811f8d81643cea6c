/*
 * Building the servers: once their domain (IPC space, keep, endpoint), service port and ledger; for every incarnation a
 * task in that domain, with text, data and stack, and a thread that takes the endpoint over.
 *
 * A server whose domain cannot be built ends the start-up: there is nobody yet to whom it could be reported but the
 * log. An incarnation that cannot be built is undone and reported to the caller.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/info.h>
#include <portico/strings.h>

static struct portico_block *block(void)
{
	return (struct portico_block *)SERVER_ENDPOINT;
}

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE_SIZE - 1) & -PAGE_SIZE;
}

/* A trap without which the server cannot be built. */
static uint64_t must(int64_t status, const struct root_plan *plan, const char *what)
{
	if (status < 0)
		server_panic("server %s: %s: status %d", plan->name, what, (int)status);
	return (uint64_t)status;
}

/* ---- once ---- */

/* Memory that lives as long as the domain: each incarnation finds it where it was. */
static int64_t map_shared(port_name_t task, uint64_t address, uint64_t size)
{
	int64_t object = server_trap(TRAP_object_create, size, 0, PORT_NULL, 0, PORT_NULL, 0), status;

	if (object < 0)
		return object;
	status = server_trap(TRAP_vm_map, task, address, size, (uint64_t)object, 0,
	                     VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_SHARE);
	if (status >= 0)
		return object;
	server_release_right((port_name_t)object);
	return status;
}

/* Keep and log, empty. */
static int64_t furnish(struct root_client *client)
{
	int64_t keep = map_shared(client->task, SERVER_KEEP, ROOT_KEEP_SIZE), log;

	if (keep < 0)
		return keep;
	client->keep = (port_name_t)keep;
	log = map_shared(client->task, SERVER_LOG, SERVER_LOG_SIZE);
	server_release_right(client->log);
	client->log = log >= 0 ? (port_name_t)log : PORT_NULL;
	client->cold = true;
	client->remap = false;
	return log;
}

static void insert(const struct root_plan *plan, port_name_t task, port_name_t chosen, port_name_t name,
                   uint32_t disposition, uint64_t badge)
{
	block()->argument[0] = badge;
	block()->argument[1] = 0;
	must(server_trap(TRAP_right_insert, task, chosen, name, disposition, 0, 0), plan, "right");
}

/* The first task of a domain is made for the sake of what is put into the domain through it; its thread comes later. */
static void create_service(const struct root_plan *plan, struct root_client *client, unsigned index)
{
	uint64_t receive = must(server_trap(TRAP_port_create, PORT_NULL, 0, 0, 0, 0, 0), plan, "service port");
	const volatile struct kernel_info *info = (const volatile struct kernel_info *)KERNEL_INFO_ADDRESS;
	uint64_t pages = info->memory_total / PAGE_SIZE * plan->memory_percent / 100;

	client->service =
	        (port_name_t)must(server_trap(TRAP_right_make, receive, 0, RIGHT_MINT | RIGHT_NOTIFY, PORT_NULL, 0, 0),
	                          plan, "service right");
	client->ledger = (port_name_t)must(
	        server_trap(TRAP_ledger_create, 0, pages, (uint64_t)plan->kernel_kib * 1024, PORT_NULL, 0, 0), plan,
	        "ledger");
	client->domain = (port_name_t)must(server_trap(TRAP_domain_create, client->ledger, PORT_NULL, 0, 0, 0, 0), plan,
	                                   "domain");
	client->task = (port_name_t)must(
	        server_trap(TRAP_task_create, client->domain, client->ledger, PORT_NULL, 0, 0, 0), plan, "task");
	insert(plan, client->task, NAME_SERVICE, (port_name_t)receive, MSG_MOVE_RECEIVE, 0);
	insert(plan, client->task, NAME_LOG, NAME_LOG, MSG_COPY_SEND, 0);
	insert(plan, client->task, NAME_ROOT_SERVER, NAME_SERVICE, MSG_MAKE_SEND, index + 1);
	insert(plan, client->task, NAME_SELF_LEDGER, client->ledger, MSG_COPY_SEND, 0);
	must(furnish(client), plan, "keep");
}

void servers_create(void)
{
	for (unsigned i = 0; i < root_plan_count; i++) {
		if (module_find(root_plan[i].name) != NULL)
			create_service(&root_plan[i], &root->client[i], i);
		else
			server_log("no boot module %s: it is not started", root_plan[i].name);
	}
}

/* ---- an incarnation ---- */

/* Bytes of the last file page that belong to the zeroed part, and the pages after it. */
static int64_t clear_tail(port_name_t task, const struct image_segment *s)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint64_t file_end = s->address + s->file_size, memory_end = s->address + s->memory_size;
	uint64_t in_page = page_up(file_end) - file_end;
	uint64_t start = s->file_size > 0 ? page_up(file_end) : s->address & -PAGE_SIZE;
	int64_t status = KERN_SUCCESS;

	if (s->file_size > 0 && in_page > 0)
		status = server_trap(TRAP_vm_write, task, file_end, (uint64_t)zeros, in_page, 0, 0);
	if (status >= 0 && page_up(memory_end) > start)
		status = server_trap(TRAP_vm_map, task, start, page_up(memory_end) - start, 0, 0,
		                     VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE);
	return status;
}

static int64_t load_segment(port_name_t task, port_name_t object, const struct image_segment *s)
{
	uint64_t flags = VM_READ | VM_FIXED | VM_INHERIT_NONE | (s->write ? VM_WRITE | VM_COPY : 0) |
	                 (s->execute ? VM_EXECUTE : 0);
	uint64_t start = s->address & -PAGE_SIZE;
	int64_t status = KERN_SUCCESS;

	if (s->file_size > 0)
		status = server_trap(TRAP_vm_map, task, start, page_up(s->address + s->file_size) - start, object,
		                     s->offset & -PAGE_SIZE, flags);
	return status >= 0 && s->write ? clear_tail(task, s) : status;
}

static int64_t load_image(const struct root_plan *plan, port_name_t task, const struct root_image *program, uint64_t *entry)
{
	static uint8_t headers[PAGE_SIZE];
	struct image image;
	size_t length = program->size < sizeof(headers) ? program->size : sizeof(headers);
	int64_t status = trap4(TRAP_object_read, program->object, 0, (uint64_t)headers, length);
	const char *wrong = image_parse(headers, status > 0 ? (size_t)status : 0, program->size, &image);

	if (wrong != NULL) {
		server_log("program of %s: %s", plan->name, wrong);
		return KERN_INVALID_ARGUMENT;
	}
	for (unsigned i = 0; i < image.count && status >= 0; i++)
		status = load_segment(task, program->object, &image.segment[i]);
	*entry = image.entry;
	return status;
}

/* The registers with which a server begins: see libserver/start.S. */
static void queue_start(const struct root_plan *plan, port_name_t thread, uint64_t entry, uint64_t flags)
{
	struct portico_frame frame = {
	        .rip = entry, .rsp = SERVER_STACK_TOP, .rdi = SERVER_ENDPOINT, .rcx = flags, .rflags = 0x202};
	char name[16] = {0};

	memcpy(name, plan->name, strnlen(plan->name, sizeof(name)));
	memcpy(&frame.rsi, name, 8);
	memcpy(&frame.rdx, name + 8, 8);
	server_queue_with(TRAP_thread_start, thread, 0, &frame, sizeof(frame));
}

int64_t server_equip(const struct root_plan *plan, port_name_t task, const struct root_image *program, uint64_t cookie,
                     uint64_t flags, struct server_thread *thread)
{
	int64_t status = load_image(plan, task, program, &thread->entry);

	if (status >= 0)
		status = server_trap(TRAP_vm_map, task, SERVER_STACK_TOP - SERVER_STACK_SIZE, SERVER_STACK_SIZE, 0, 0,
		                     VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_NONE);
	if (status >= 0)
		status = server_trap(TRAP_thread_create, task, 0, SERVER_ENDPOINT, THREAD_NO_FPU | THREAD_SERVER,
		                     PORT_NULL, 0);
	if (status < 0)
		return status;
	thread->name = (port_name_t)status;
	trap3(TRAP_thread_priority, thread->name, plan->priority, 0);
	int error = server_watch_death(task, cookie);
	if (error != 0)
		server_log("server %s: watching it: error %d", plan->name, error);
	if (cookie < ROOT_SERVERS && root->client[cookie].incarnation == 0)
		killpoint_boot((unsigned)cookie, task);
	queue_start(plan, thread->name, thread->entry, flags);
	return KERN_SUCCESS;
}

/* The rest of an incarnation, in a task that has the domain's memory already: but for the keep, after an update that replaced it. */
static int64_t equip(unsigned index, port_name_t task, uint64_t flags)
{
	struct root_client *client = &root->client[index];
	const struct root_image program = update_image(index);
	struct server_thread thread;
	int64_t status = KERN_SUCCESS;

	if (client->remap)
		status = server_trap(TRAP_vm_map, task, SERVER_KEEP, ROOT_KEEP_SIZE, client->keep, 0,
		                     VM_READ | VM_WRITE | VM_FIXED | VM_INHERIT_SHARE);
	if (status >= 0)
		status = server_equip(&root_plan[index], task, &program, index, flags, &thread);
	if (status < 0)
		return status;
	client->remap = false;
	client->entry = thread.entry;
	client->thread = thread.name;
	return KERN_SUCCESS;
}

uint64_t server_entry(unsigned index)
{
	return root->client[index].entry;
}

/* The task is ended, and the domain has no incarnation. */
static int64_t undo(struct root_client *client, int64_t status)
{
	server_queue(TRAP_task_terminate, client->task, 0, 0, 0, 0, 0);
	server_release_right(client->task);
	client->task = PORT_NULL;
	return status;
}

int64_t server_incarnate_cold(unsigned index)
{
	struct root_client *client = &root->client[index];
	int64_t status = server_trap(TRAP_domain_clear, client->domain, 0, 0, 0, 0, 0);

	if (status >= 0)
		status = server_trap(TRAP_task_create, client->domain, client->ledger, PORT_NULL, 0, 0, 0);
	if (status < 0)
		return status;
	client->task = (port_name_t)status;
	migrate_settle(index); /* a keep that is older still is of no use now */
	server_release_right(client->keep);
	client->keep = PORT_NULL;
	status = furnish(client);
	return status < 0 ? undo(client, status) : server_incarnate(index, 0);
}

int64_t server_incarnate(unsigned index, uint64_t flags)
{
	struct root_client *client = &root->client[index];
	int64_t status = client->task;

	if (client->task == PORT_NULL)
		status = server_trap(TRAP_task_create, client->domain, client->ledger, PORT_NULL, 0, 0, 0);
	if (status < 0)
		return status;
	client->task = (port_name_t)status;
	status = equip(index, client->task, flags);
	if (status < 0)
		return undo(client, status);
	client->incarnation++;
	client->started = server_now();
	return KERN_SUCCESS;
}

void servers_start(void)
{
	for (unsigned i = 0; i < root_plan_count; i++) {
		if (root->client[i].domain == PORT_NULL)
			continue;
		int64_t status = server_incarnate(i, 0);
		if (status < 0) { /* nothing would ever serve: the end, without an exit status */
			server_log("server %s cannot be started: status %d", root_plan[i].name, (int)status);
			power_off(POWER_OFF);
		}
	}
}
