/*
 * A kernel for proc's tests. See fake_kernel.h.
 */
#include "fake_kernel.h"
#include "fake_vfs.h"

#include <kernel_ops.h>
#include <loopback.h>
#include <portico/info.h>
#include <portico/layout.h>
#include <stdlib.h>
#include <string.h>

#define TASKS 256
#define OBJECTS 64

struct fake_page {
	struct fake_page *next;
	uint64_t address;
	uint8_t bytes[PAGE_SIZE];
};

static struct fake_task *tasks[TASKS];
static unsigned task_count;
static struct {
	port_name_t name;
	const uint8_t *bytes;
	size_t size;
} objects[OBJECTS];
static unsigned object_count;
static unsigned fail_at;
static struct kernel_info info;

static bool fails(void)
{
	return fail_at && --fail_at == 0;
}

static port_name_t new_name(void)
{
	return loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
}

static void free_task(struct fake_task *t)
{
	while (t->pages) {
		struct fake_page *p = t->pages;
		t->pages = p->next;
		free(p);
	}
	free(t);
}

void fake_kernel_reset(void)
{
	for (unsigned i = 0; i < task_count; i++)
		free_task(tasks[i]);
	task_count = object_count = fail_at = 0;
	memset(&info, 0, sizeof(info));
	info.cpus = 2;
	info.memory_total = 256u << 20;
	info.memory_free = 128u << 20;
	info.tsc_frequency = 2000000000u;
	info.load[0] = 0x18000; /* 1.50 */
	memcpy(info.release, "6.1.0-portico", 14);
}

void fake_kernel_fail(unsigned nth)
{
	fail_at = nth;
}

port_name_t fake_object(const void *bytes, size_t size)
{
	objects[object_count].name = new_name();
	objects[object_count].bytes = bytes;
	objects[object_count].size = size;
	return objects[object_count++].name;
}

struct fake_task *fake_task_by_name(port_name_t name)
{
	for (unsigned i = task_count; i-- > 0;) {
		if (tasks[i]->name == name)
			return tasks[i];
	}
	return NULL;
}

struct fake_task *fake_task(uint64_t principal)
{
	for (unsigned i = task_count; i-- > 0;) {
		if (tasks[i]->principal == principal)
			return tasks[i];
	}
	return NULL;
}

unsigned fake_tasks_alive(void)
{
	unsigned count = 0;
	for (unsigned i = 0; i < task_count; i++)
		count += tasks[i]->alive;
	return count;
}

const struct fake_right *fake_task_right(const struct fake_task *task, port_name_t chosen)
{
	for (unsigned i = 0; i < task->rights; i++) {
		if (task->right[i].chosen == chosen)
			return &task->right[i];
	}
	return NULL;
}

/* ---- tasks and threads ---- */

static struct fake_task *new_task(uint32_t flags)
{
	if (task_count == TASKS)
		abort();
	struct fake_task *t = calloc(1, sizeof(*t));
	t->name = new_name();
	t->alive = true;
	t->duplicate_flags = flags;
	tasks[task_count++] = t;
	return t;
}

int64_t kernel_task_create(port_name_t ledger)
{
	(void)ledger;
	return fails() ? KERN_NO_MEMORY : (int64_t)new_task(0)->name;
}

static struct fake_page *copy_pages(const struct fake_page *from)
{
	struct fake_page *first = NULL;
	for (; from; from = from->next) {
		struct fake_page *page = malloc(sizeof(*page));
		*page = *from;
		page->next = first;
		first = page;
	}
	return first;
}

int64_t kernel_task_duplicate(port_name_t task, uint32_t flags, port_name_t ledger)
{
	struct fake_task *parent = fake_task_by_name(task);
	(void)ledger;
	if (!parent || !parent->alive)
		return KERN_DEAD;
	if (fails())
		return KERN_NO_MEMORY;
	struct fake_task *t = new_task(flags);
	if (flags & (TASK_DUP_MEMORY | TASK_DUP_SHARE)) {
		memcpy(t->mapping, parent->mapping, sizeof(t->mapping));
		t->mappings = parent->mappings;
		t->pages = copy_pages(parent->pages);
	}
	for (unsigned i = 0; i < parent->rights && (flags & TASK_DUP_RIGHTS); i++) {
		if (parent->right[i].flags & RIGHT_INHERIT)
			t->right[t->rights++] = parent->right[i];
	}
	return t->name;
}

void kernel_task_terminate(port_name_t task)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !t->alive)
		return;
	t->alive = false;
}

void kernel_task_suspend(port_name_t task)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !t->alive)
		return;
	t->suspended++;
}

void kernel_task_resume(port_name_t task)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !t->alive)
		return;
	t->suspended--;
}

int64_t kernel_task_freeze(port_name_t task)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !t->alive)
		return KERN_DEAD;
	t->frozen = true;
	return KERN_SUCCESS;
}

int64_t kernel_task_set_principal(port_name_t task, uint64_t principal)
{
	fake_task_by_name(task)->principal = principal;
	return KERN_SUCCESS;
}

int64_t kernel_task_info(port_name_t task, struct task_info *into)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !t->alive)
		return KERN_DEAD;
	*into = t->info;
	return KERN_SUCCESS;
}

static struct fake_task *by_thread(port_name_t thread)
{
	for (unsigned i = 0; i < task_count; i++) {
		if (tasks[i]->has_thread && tasks[i]->thread == thread)
			return tasks[i];
	}
	return NULL;
}

int64_t kernel_thread_create(port_name_t task, uint32_t slot, uint64_t endpoint)
{
	struct fake_task *t = fake_task_by_name(task);
	if (fails())
		return KERN_NO_MEMORY;
	t->has_thread = true;
	t->slot = slot;
	t->endpoint = endpoint;
	t->thread = new_name();
	return t->thread;
}

void kernel_thread_start(port_name_t thread, const struct portico_frame *frame)
{
	struct fake_task *t = by_thread(thread);
	if (!t)
		abort(); /* proc must never ask for this */
	t->started = true;
	t->frame = *frame;
}

void kernel_thread_priority(port_name_t thread, uint32_t priority)
{
	struct fake_task *t = by_thread(thread);
	if (!t)
		abort(); /* proc must never ask for this */
	t->priority = priority;
}

int64_t kernel_thread_runnable(port_name_t thread)
{
	return by_thread(thread) ? 0 : KERN_INVALID_NAME;
}

/* ---- rights ---- */

int64_t kernel_right_insert(port_name_t task, port_name_t chosen, port_name_t name, uint32_t disposition,
                            uint64_t badge, uint32_t flags)
{
	struct fake_task *t = fake_task_by_name(task);
	(void)disposition;
	if (loopback_kind(name) == 0 && name != NAME_SERVICE)
		return KERN_INVALID_NAME;
	if (fails())
		return KERN_NO_MEMORY;
	for (unsigned i = 0; i < t->rights; i++) {
		if (t->right[i].chosen == chosen)
			return KERN_NAME_EXISTS;
	}
	t->right[t->rights++] = (struct fake_right){chosen, badge, flags};
	return chosen;
}

int64_t kernel_right_copy(port_name_t name, uint32_t flags)
{
	(void)flags;
	if (loopback_kind(name) == 0)
		return KERN_INVALID_NAME;
	return fails() ? KERN_NO_MEMORY : (int64_t)new_name();
}

int64_t kernel_right_extract(port_name_t task, port_name_t name)
{
	struct fake_task *t = fake_task_by_name(task);
	if (!t || !fake_task_right(t, name))
		return KERN_INVALID_NAME;
	/* Every directory right of a process leads to the fake vfs. */
	return loopback_server_right(fake_vfs.port, name);
}

int64_t kernel_ledger_create(uint64_t pages, uint64_t kernel_bytes)
{
	(void)pages;
	(void)kernel_bytes;
	return new_name();
}

/* ---- memory ---- */

static int object_index(port_name_t name)
{
	for (unsigned i = 0; i < object_count; i++) {
		if (loopback_kind(name) && loopback_same_port(objects[i].name, name))
			return (int)i;
	}
	return -1;
}

int64_t kernel_vm_map(port_name_t task, uint64_t address, uint64_t size, port_name_t object, uint64_t offset,
                      uint32_t flags)
{
	struct fake_task *t = fake_task_by_name(task);
	if ((address | size | offset) % PAGE_SIZE || size == 0 || t->mappings == 64)
		abort(); /* proc must never ask for this */
	if ((flags & VM_WRITE) && (flags & VM_EXECUTE) && !(flags & VM_ALLOW_WX))
		abort();
	if (fails())
		return KERN_NO_MEMORY;
	/* The caller may release its name: what is kept is which object it was. */
	int i = object == PORT_NULL ? -1 : object_index(object);
	if (object != PORT_NULL && i < 0)
		return KERN_INVALID_NAME;
	t->mapping[t->mappings++] = (struct fake_mapping){address, address + size, offset, flags, i + 1};
	return (int64_t)address;
}

static const struct fake_mapping *mapping_at(const struct fake_task *t, uint64_t address)
{
	for (unsigned i = t->mappings; i-- > 0;) {
		if (address >= t->mapping[i].start && address < t->mapping[i].end)
			return &t->mapping[i];
	}
	return NULL;
}

static struct fake_page *page_at(struct fake_task *t, uint64_t address)
{
	uint64_t start = address & ~(PAGE_SIZE - 1);
	for (struct fake_page *p = t->pages; p; p = p->next) {
		if (p->address == start)
			return p;
	}
	const struct fake_mapping *m = mapping_at(t, address);
	if (!m)
		return NULL;
	struct fake_page *p = calloc(1, sizeof(*p));
	p->address = start;
	p->next = t->pages;
	t->pages = p;
	if (m->object == 0)
		return p;
	int i = m->object - 1;
	uint64_t offset = m->offset + (start - m->start);
	if (offset < objects[i].size)
		memcpy(p->bytes, objects[i].bytes + offset,
		       objects[i].size - offset < PAGE_SIZE ? objects[i].size - offset : PAGE_SIZE);
	return p;
}

static int64_t copy(struct fake_task *t, uint64_t address, uint8_t *bytes, size_t length, bool write)
{
	for (size_t done = 0; done < length;) {
		struct fake_page *p = page_at(t, address + done);
		if (!p)
			return done ? (int64_t)done : KERN_FAULT;
		size_t at = (address + done) % PAGE_SIZE, n = PAGE_SIZE - at;
		n = n < length - done ? n : length - done;
		if (write)
			memcpy(p->bytes + at, bytes + done, n);
		else
			memcpy(bytes + done, p->bytes + at, n);
		done += n;
	}
	return (int64_t)length;
}

int64_t kernel_vm_read(port_name_t task, uint64_t address, void *to, size_t length)
{
	struct fake_task *t = fake_task_by_name(task);
	return t && t->alive ? copy(t, address, to, length, false) : KERN_DEAD;
}

int64_t kernel_vm_write(port_name_t task, uint64_t address, const void *from, size_t length)
{
	return fails() ? KERN_NO_MEMORY : copy(fake_task_by_name(task), address, (uint8_t *)from, length, true);
}

bool fake_memory(struct fake_task *task, uint64_t address, void *to, size_t length)
{
	return copy(task, address, to, length, false) == (int64_t)length;
}

uint64_t fake_word(struct fake_task *task, uint64_t address)
{
	uint64_t word = 0;
	fake_memory(task, address, &word, sizeof(word));
	return word;
}

int64_t kernel_vm_query(port_name_t task, uint64_t address, struct vm_query *query)
{
	struct fake_task *t = fake_task_by_name(task);
	const struct fake_mapping *best = NULL;
	for (unsigned i = 0; i < t->mappings; i++) {
		const struct fake_mapping *m = &t->mapping[i];
		if (m->end > address && (!best || m->start < best->start))
			best = m;
	}
	if (!best)
		return KERN_FAULT;
	*query =
	        (struct vm_query){.start = best->start, .end = best->end, .flags = best->flags, .offset = best->offset};
	query->object_id = best->object ? 7 : 0;
	return KERN_SUCCESS;
}

int64_t kernel_object_read(port_name_t object, uint64_t offset, void *to, size_t length)
{
	int i = object_index(object);
	if (i < 0)
		return KERN_INVALID_NAME;
	if (fails())
		return KERN_NO_MEMORY;
	if (offset > objects[i].size)
		return 0;
	if (length > objects[i].size - offset)
		length = objects[i].size - offset;
	memcpy(to, objects[i].bytes + offset, length);
	return (int64_t)length;
}

/* ---- the rest ---- */

void kernel_information(struct kernel_info *into)
{
	*into = info;
}

void kernel_counters(struct system_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	counters->pages_total = 1000;
	counters->pages_free = 600;
	counters->pages_kernel = 100;
	counters->objects[KOBJ_PORT] = 12;
	counters->objects[KOBJ_TASK] = 3;
}

void kernel_entropy(uint8_t bytes[32])
{
	static uint8_t seed;
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(seed++ * 37 + i);
}

uint64_t kernel_hwcap(void)
{
	return 0x178bfbff;
}

uint64_t kernel_hwcap2(void)
{
	return 2;
}

uint64_t kernel_signal_stack_min(void)
{
	return 2048;
}

_Noreturn void server_run(void)
{
	abort(); /* the tests deliver messages themselves */
}
