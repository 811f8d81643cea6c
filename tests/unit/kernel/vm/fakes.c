/* See fakes.h. */
#define _GNU_SOURCE
#include "fakes.h"
#include <kernel/ipc/internal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* ---- objects ---- */

uint64_t object_counts[16];
static uint64_t next_id = 1;

void *object_allocate(enum object_kind kind, size_t size, struct ledger *ledger)
{
	struct kobject *object = kalloc(size, ledger);
	if (object == NULL)
		return NULL;
	object->kind = (uint16_t)kind;
	object->refs = 1;
	object->id = next_id++;
	object->ledger = ledger;
	if (ledger != NULL)
		object_ref(OBJECT(ledger));
	object_counts[kind]++;
	return object;
}

void object_free(struct kobject *object, size_t size)
{
	struct ledger *ledger = object->ledger;
	object_counts[object->kind]--;
	kfree(object, size, ledger);
	if (ledger != NULL)
		object_unref(OBJECT(ledger));
}

void object_destroy(struct kobject *object)
{
	if (object->kind == KOBJ_MEMORY)
		memory_object_destroy((struct memory_object *)object);
	else if (object->kind == KOBJ_LEDGER)
		ledger_destroy((struct ledger *)object);
	else
		abort();
}

/* ---- machine ---- */

struct cpu cpus[CPUS_MAX];
uint32_t cpu_count = 2;
static unsigned running_cpu;
static uint64_t upper_half[512];
uint64_t *kernel_pml4 = upper_half;
struct kernel_info *kernel_info_page;

struct cpu *cpu_current(void)
{
	return &cpus[running_cpu];
}
void fakes_run_cpu(unsigned index)
{
	running_cpu = index;
}

void panic(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	abort();
}

/* ---- the threads ---- */

struct task test_task;
struct thread test_threads[3];
static struct endpoint endpoints[3];
static struct portico_block blocks[3];
static struct msg_page pages[3];
static unsigned running_thread;
unsigned fakes_preemptions;

struct thread *thread_current(void)
{
	return &test_threads[running_thread];
}

void fakes_run_thread(unsigned index)
{
	running_thread = index;
	test_threads[index].state = THREAD_RUNNING;
}

void thread_block_restart(enum wait_kind wait, struct kobject *object, uint64_t deadline, bool interruptible)
{
	(void)deadline, (void)interruptible;
	thread_current()->state = THREAD_BLOCKED;
	thread_current()->wait = (uint8_t)wait;
	thread_current()->wait_object = object;
}

void thread_wake_restart(struct thread *thread)
{
	list_remove(&thread->wait_link);
	thread->state = THREAD_RUNNABLE;
}

void thread_preempt_restart(void)
{
	fakes_preemptions++;
}

/* ---- names ---- */

static struct {
	struct kobject *object;
	uint32_t flags;
} names[64];

port_name_t fakes_enter(struct kobject *object, uint32_t flags)
{
	for (port_name_t n = 1; n < 64; n++) {
		if (names[n].object != NULL)
			continue;
		names[n].object = object;
		names[n].flags = flags;
		object_ref(object);
		return n;
	}
	abort();
}

struct kobject *fakes_object(port_name_t name)
{
	return names[name].object;
}

void fakes_release(port_name_t name)
{
	struct kobject *object = names[name].object;
	names[name].object = NULL;
	object_unref(object);
}

int64_t right_enter_object(struct ipc_space *space, struct kobject *object, uint32_t flags, port_name_t chosen)
{
	(void)space, (void)chosen;
	return fakes_enter(object, flags);
}

void *right_lookup(struct ipc_space *space, port_name_t name, enum object_kind kind, uint32_t needed, int64_t *status)
{
	(void)space;
	*status = KERN_INVALID_NAME;
	if (name >= 64 || names[name].object == NULL)
		return NULL;
	*status = names[name].object->kind != kind ? KERN_INVALID_RIGHT : KERN_NO_ACCESS;
	if (names[name].object->kind != kind || (names[name].flags & needed) != needed)
		return NULL;
	return names[name].object;
}

struct task *task_argument(uint64_t name, uint32_t needed, int64_t *status)
{
	(void)needed;
	*status = KERN_INVALID_NAME;
	return name == TASK_SELF ? &test_task : NULL;
}

/* ---- the pager port ---- */

static struct port pager_port;
static struct port_sender pager_right = {.port = &pager_port, .badge = 5};
struct fake_request fake_requests[16];
unsigned fake_request_count;
int64_t fake_pager_status;
int fake_senders;

struct port_sender *right_take_sender(struct ipc_space *space, port_name_t name, int64_t *status)
{
	(void)space;
	*status = KERN_INVALID_NAME;
	if (name != PAGER_NAME)
		return NULL;
	fake_senders++;
	return &pager_right;
}

struct port_sender *port_make_sender(struct port *port, uint64_t badge, int64_t *status)
{
	(void)port, (void)badge;
	*status = KERN_NO_ACCESS;
	return NULL;
}

void port_sender_release(struct port_sender *sender)
{
	(void)sender;
	fake_senders--;
}

int64_t port_send_kernel(struct port_sender *to, struct thread *on_behalf, uint32_t ordinal, const void *data,
                         size_t length)
{
	const uint64_t *words = data;
	cr_assert(to == &pager_right);
	cr_assert_eq(ordinal, MSG_ORDINAL(3, 1));
	cr_assert_eq(length, 24);
	if (fake_pager_status != KERN_SUCCESS)
		return fake_pager_status;
	cr_assert_lt(fake_request_count, 16);
	fake_requests[fake_request_count++] = (struct fake_request){on_behalf, words[0], words[1], (uint32_t)words[2]};
	return KERN_SUCCESS;
}

/* ---- start and end ---- */

void fakes_start(void)
{
	void *arena = mmap((void *)(DIRECT_MAP + ARENA_PHYSICAL), ARENA_SIZE, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	cr_assert(arena == (void *)(DIRECT_MAP + ARENA_PHYSICAL));
	page_add_range(ARENA_PHYSICAL, ARENA_SIZE);
	kernel_info_page = page_allocate();
	for (unsigned i = 256; i < 512; i++)
		upper_half[i] = i << 12 | 3;
	for (unsigned i = 0; i < CPUS_MAX; i++)
		cpus[i].id = i;
	static struct ipc_space no_names;
	test_task.space = &no_names;
	test_task.ledger = &root_ledger;
	for (unsigned i = 0; i < 3; i++) {
		endpoints[i].block = &blocks[i];
		endpoints[i].send = &pages[i];
		test_threads[i].endpoint = &endpoints[i];
		test_threads[i].task = &test_task;
		list_init(&test_threads[i].wait_link);
	}
	fakes_run_thread(0);
}

void fakes_check_empty(void)
{
	while (!memory_reap_step())
		;
	cr_expect_eq(object_counts[KOBJ_MEMORY], 0);
	cr_expect_eq(root_ledger.pages, 0);
	cr_expect_eq(root_ledger.bytes, 0);
	/* What is not free is the kernel's, but for the information page. */
	cr_expect_eq(pages_free + pages_kernel + 1, pages_total);
}

struct vm_map *fakes_map(void)
{
	struct vm_map *map = vm_map_create(&root_ledger);
	cr_assert_not_null(map);
	return map;
}

void fakes_map_destroy(struct vm_map *map)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].map == map)
			cpus[i].map = NULL;
	while (!vm_map_destroy_step(map))
		;
}

uint64_t user_get(struct vm_map *map, uint64_t address)
{
	int64_t status;
	enum portico_fault why = 0;
	const uint64_t *word = host_user(map, address, false, &status, &why);
	cr_assert_not_null(word, "read of %lx: status %ld, reason %d", address, (long)status, why);
	return *word;
}

void user_put(struct vm_map *map, uint64_t address, uint64_t value)
{
	int64_t status;
	enum portico_fault why = 0;
	uint64_t *word = host_user(map, address, true, &status, &why);
	cr_assert_not_null(word, "write to %lx: status %ld, reason %d", address, (long)status, why);
	*word = value;
}

int user_fails(struct vm_map *map, uint64_t address, bool write)
{
	int64_t status;
	enum portico_fault why = 0;
	if (host_user(map, address, write, &status, &why) != NULL)
		return 0;
	return status == KERN_FAULT ? (int)why : (int)status;
}

uint64_t enter(struct vm_map *map, uint64_t address, uint64_t count, struct memory_object *object, uint64_t flags)
{
	if (address != 0)
		flags |= VM_FIXED;
	int64_t at = vm_map_enter(map, address, count * PAGE_SIZE, object, 0, flags, PROTECTION_MASK);
	cr_assert_geq(at, 0, "vm_map_enter: %ld", (long)at);
	return (uint64_t)at;
}
