/*
 * The rest of the kernel, as kernel/vm's tests need it: objects, two CPUs, one thread, names, a pager port that records
 * what it is sent. RAM is an arena at the host's DIRECT_MAP.
 */
#ifndef TESTS_KERNEL_VM_FAKES_H
#define TESTS_KERNEL_VM_FAKES_H

#include "../host_pmap.h"
#include <criterion/criterion.h>
#include <kernel/vm/internal.h>

#define MIB (UINT64_C(1) << 20)
#define ARENA_PHYSICAL (16 * MIB)
#define ARENA_SIZE (64 * MIB)
#define BASE 0x100000000ul /* where tests map things */

/* Gives the kernel its memory; every test begins with it. */
void fakes_start(void);
/* Every user page is given back, every object gone, and no kernel memory is charged to the ledger. */
void fakes_check_empty(void);

extern struct task test_task;
extern struct thread test_threads[3];
void fakes_run_thread(unsigned index); /* makes it current, running */
void fakes_run_cpu(unsigned index);

/* Names: a test enters objects itself or by traps. */
extern unsigned fakes_preemptions;
struct kobject *fakes_object(port_name_t name);
port_name_t fakes_enter(struct kobject *object, uint32_t flags);
void fakes_release(port_name_t name);

/* The pager port. */
struct fake_request {
	struct thread *thread;
	uint64_t offset, length;
	uint32_t access;
};
extern struct fake_request fake_requests[16];
extern unsigned fake_request_count;
extern int64_t fake_pager_status;
extern int fake_senders; /* references to it */
#define PAGER_NAME 77u

struct vm_map *fakes_map(void);
void fakes_map_destroy(struct vm_map *map);

/* User accesses; they must succeed. */
uint64_t user_get(struct vm_map *map, uint64_t address);
void user_put(struct vm_map *map, uint64_t address, uint64_t value);
/* The reason why an access fails; 0 if it does not. */
int user_fails(struct vm_map *map, uint64_t address, bool write);

/* vm_map_enter with all rights. */
uint64_t enter(struct vm_map *map, uint64_t address, uint64_t pages, struct memory_object *object, uint64_t flags);
#define PRIVATE (VM_READ | VM_WRITE | VM_INHERIT_COPY)

#endif
