/*
 * Timers, interrupt objects, I/O-port ranges, and the one machine object and kernel log: ends of their lives.
 */
#ifndef KERNEL_TASK_DEVICES_H
#define KERNEL_TASK_DEVICES_H

#include <kernel/object.h>

extern struct kobject machine_object, log_object;

void timer_destroy(struct kobject *timer);
void interrupt_destroy(struct kobject *interrupt);
void ioports_destroy(struct kobject *range);
/* Fires timers that are due; earliest deadline of one, DEADLINE_NEVER if none is armed. */
void timers_expire(uint64_t now);
uint64_t timers_next(void);

#endif
