/*
 * The kernel operations that proc uses, one thin function each, so that the host tests can put a fake kernel here.
 *
 * Above: all of servers/proc. Below: traps (kernel_ops.c), or tests/unit/proc/fake_kernel.c. No policy in here.
 * Results: >= 0 or enum kern_status, as in <portico/traps.h>. Rights made here have kernel-given names and belong to
 * the caller.
 *
 * As transactions see them (docs/guide/recovery-proc-sig.md): what returns a status is done at once, and its result is logged; void:
 * done by the commit, in the order of the calls, and cannot fail if the arguments are right. Queries may only use what reads.
 */
#ifndef PROC_KERNEL_OPS_H
#define PROC_KERNEL_OPS_H

#include <portico/info.h>
#include <portico/traps.h>
#include <stdbool.h>
#include <stddef.h>

int64_t kernel_task_duplicate(port_name_t task, uint32_t flags, port_name_t ledger);
int64_t kernel_task_create(port_name_t ledger);
void kernel_task_terminate(port_name_t task);
void kernel_task_suspend(port_name_t task);
void kernel_task_resume(port_name_t task);
/* Suspends at once a task that the commit is going to terminate: nothing of it may run when other servers hear of its end. */
int64_t kernel_task_freeze(port_name_t task);
/* Of a task that has not run yet. */
int64_t kernel_task_set_principal(port_name_t task, uint64_t principal);
int64_t kernel_task_info(port_name_t task, struct task_info *info);

int64_t kernel_thread_create(port_name_t task, uint32_t slot, uint64_t endpoint);
void kernel_thread_start(port_name_t thread, const struct portico_frame *frame);
void kernel_thread_priority(port_name_t thread, uint32_t priority);
/* 1: runs or could run, 0: waits; negative: status. */
int64_t kernel_thread_runnable(port_name_t thread);

/* Puts a right into a task's space under `chosen`. badge and flags count for MSG_MAKE_SEND. */
int64_t kernel_right_insert(port_name_t task, port_name_t chosen, port_name_t name, uint32_t disposition,
                            uint64_t badge, uint32_t flags);
int64_t kernel_right_copy(port_name_t name, uint32_t flags);
/* Takes a copy of a send right out of a task's space. */
int64_t kernel_right_extract(port_name_t task, port_name_t name);
int64_t kernel_ledger_create(uint64_t pages, uint64_t kernel_bytes);

int64_t kernel_vm_map(port_name_t task, uint64_t address, uint64_t size, port_name_t object, uint64_t offset,
                      uint32_t flags);
int64_t kernel_vm_read(port_name_t task, uint64_t address, void *to, size_t length);
/* Into a task that has not run yet: written again in each execution. */
int64_t kernel_vm_write(port_name_t task, uint64_t address, const void *from, size_t length);
int64_t kernel_vm_query(port_name_t task, uint64_t address, struct vm_query *query);
int64_t kernel_object_read(port_name_t object, uint64_t offset, void *to, size_t length);

/* A status as an errno (libserver). */
int kern_errno(int64_t status);

/* The kernel's information page as it is now. */
void kernel_information(struct kernel_info *info);
void kernel_counters(struct system_counters *counters);

/* Unpredictable bytes: from the processor's generator where there is one, stirred with the jitter of the time-stamp
 * counter. */
void kernel_entropy(uint8_t bytes[32]);
/* AT_HWCAP, AT_HWCAP2 and AT_MINSIGSTKSZ of this processor. */
uint64_t kernel_hwcap(void);
uint64_t kernel_hwcap2(void);
uint64_t kernel_signal_stack_min(void);

#endif
