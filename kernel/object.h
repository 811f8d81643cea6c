/*
 * Kernel objects: what every one begins with, and how its life ends.
 *
 * A reference is held by each right in an IPC space or in a message in transit, and by other kernel objects that
 * point to it. The last unref destroys it through the table in kernel/object.c (one line a kind). Everything here, as
 * all kernel data, is guarded by the kernel lock (kernel/arch/arch.h): there is one, and it is held from entry to exit.
 */
#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H

#include <portico/rights.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger;

struct kobject {
	uint16_t kind;         /* enum object_kind */
	bool dead;             /* port without receiver, terminated task or thread: operations give KERN_DEAD */
	uint32_t refs;
	uint64_t id;           /* never reused */
	struct ledger *ledger; /* charged for its kernel memory; holds a reference */
};

/* Number of live objects by kind: system_counters, and the leak tests. */
extern uint64_t object_counts[16];

/*
 * Allocates `size` zeroed bytes whose first member is a struct kobject with one reference, charged to `ledger`
 * (NULL: the kernel's own). NULL if the ledger or the machine is exhausted.
 */
void *object_allocate(enum object_kind kind, size_t size, struct ledger *ledger);
/* Returns the memory of an object whose references are gone; called at the end of a kind's destroy function. */
void object_free(struct kobject *object, size_t size);

static inline void object_ref(struct kobject *object) { object->refs++; }
void object_destroy(struct kobject *object); /* by kind: port_destroy, task_destroy, ... */
static inline void object_unref(struct kobject *object)
{
	if (--object->refs == 0)
		object_destroy(object);
}

#define OBJECT(x) (&(x)->object)

#endif
