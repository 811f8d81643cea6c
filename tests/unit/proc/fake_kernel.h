/*
 * A kernel for proc's tests: tasks with sparse memory, file objects, rights by name. Takes the place of
 * servers/proc/kernel_ops.c.
 *
 * Names are those of the loopback, so that a right that is released twice, or never, is noticed.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <portico/traps.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_mapping {
	uint64_t start, end, offset;
	uint32_t flags;
	int object; /* 0: anonymous */
};

struct fake_right {
	port_name_t chosen;
	uint64_t badge;
	uint32_t flags;
};

struct fake_task {
	port_name_t name;
	bool alive, started, has_thread, frozen;
	int suspended;
	uint64_t principal;
	uint32_t duplicate_flags; /* how it was made; 0: from nothing */
	port_name_t thread;
	uint32_t slot, priority;
	uint64_t endpoint;
	struct portico_frame frame;
	struct task_info info;
	struct fake_mapping mapping[64];
	unsigned mappings;
	struct fake_right right[32];
	unsigned rights;
	struct fake_page *pages;
};

void fake_kernel_reset(void);
/* The nth operation from now that can fail (1: the next) gives KERN_NO_MEMORY; 0: none. */
void fake_kernel_fail(unsigned nth);
/* A memory object with these contents: a name that can be sent. The bytes are not copied. */
port_name_t fake_object(const void *bytes, size_t size);
/* The task that carries a principal, alive or not; NULL: none. */
struct fake_task *fake_task(uint64_t principal);
struct fake_task *fake_task_by_name(port_name_t name);
unsigned fake_tasks_alive(void);
/* Reads memory as the process sees it. False: not mapped. */
bool fake_memory(struct fake_task *task, uint64_t address, void *to, size_t length);
uint64_t fake_word(struct fake_task *task, uint64_t address);
/* The right under a name of the task's space; NULL: none. */
const struct fake_right *fake_task_right(const struct fake_task *task, port_name_t chosen);

#endif
