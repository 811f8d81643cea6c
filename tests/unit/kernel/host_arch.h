/*
 * The machine that the kernel runs on in the host tests: two CPUs that take turns when the test says so, a clock that the test sets, RAM
 * in an arena at DIRECT_MAP. On top, what a test needs to play user programs: tasks, threads, traps.
 */
#ifndef TESTS_KERNEL_HOST_ARCH_H
#define TESTS_KERNEL_HOST_ARCH_H

#include <kernel/arch/arch.h>
#include <kernel/ipc/internal.h>
#include <kernel/task/devices.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>
#include <kernel/vm/vm.h>
#include <portico/traps.h>

#define HOST_BLOCKED INT64_C(0x7fff0000) /* trap(): the thread waits */

extern uint64_t host_clock;
extern uint64_t host_timer;                /* earliest timer_arm since the test reset it */
extern uint32_t host_poked;                /* mask of CPUs */
extern char host_console[4096];            /* what the kernel printed, the latest at the end */
extern uint8_t host_lines[256];            /* interrupt lines: 1 enabled */
extern uint32_t host_ports[65536];         /* I/O ports: what was last written is read */

/* Memory, idle threads. Once a process. */
void host_start(void);
void host_use_cpu(uint32_t cpu);

struct task *host_task(void);
/* A started thread, runnable, with its endpoint at an address of its own. */
struct thread *host_thread(struct task *task, uint32_t flags);
struct thread *host_new_thread(struct task *task, uint32_t flags); /* not started */

/*
 * The thread takes the CPU and makes a trap. Returns its result, or HOST_BLOCKED; when others are to run they are made current as
 * they would be in the machine.
 */
int64_t host_trap(struct thread *thread, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#define trap(thread, name, ...) host_trap_(thread, TRAP_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define host_trap_(thread, number, a, b, c, d, e, f, ...)                                                              \
	host_trap(thread, number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f))
/* Result of a trap that waited: the thread must wait no more. */
int64_t host_result(struct thread *thread);
bool host_waits(const struct thread *thread);
/* Puts the thread on the current CPU as if the scheduler had chosen it. */
void host_run(struct thread *thread);
/* The way out of the kernel: schedules while that is asked for. */
void host_leave(void);
/* All that the reaper has to do. */
void host_reap(void);
void host_tick(uint64_t ns); /* the clock advances, the tick strikes on the current CPU */

/* User memory of a task: pages at an address; bytes in and out. */
uint64_t host_map(struct task *task, uint64_t address, uint64_t pages);
void host_put(struct task *task, uint64_t address, const void *data, size_t length);
void host_get(struct task *task, uint64_t address, void *data, size_t length);

/* Live objects and charged memory; equal before and after whatever gives everything back. */
struct host_balance {
	uint64_t objects[16], bytes, pages;
};
struct host_balance host_balance(void);

#endif
