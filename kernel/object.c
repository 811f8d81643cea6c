/*
 * Kernel objects: allocation, counting, and the end of each kind.
 *
 * Above: everything that makes an object. Below: kalloc and ledgers (kernel/vm). Knows each kind only by its destroy function.
 */
#include <kernel/arch/arch.h>
#include <kernel/ipc/ipc.h>
#include <kernel/object.h>
#include <kernel/task/devices.h>
#include <kernel/task/domain.h>
#include <kernel/task/task.h>
#include <kernel/task/thread.h>
#include <kernel/vm/vm.h>

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
	switch ((enum object_kind)object->kind) {
	case KOBJ_PORT:
		port_destroy((struct port *)object);
		return;
	case KOBJ_PORT_SET:
		port_set_destroy(object);
		return;
	case KOBJ_TASK:
		task_destroy((struct task *)object);
		return;
	case KOBJ_THREAD:
		thread_destroy((struct thread *)object);
		return;
	case KOBJ_SPACE:
		ipc_space_destroy((struct ipc_space *)object);
		return;
	case KOBJ_MEMORY:
		memory_object_destroy((struct memory_object *)object);
		return;
	case KOBJ_LEDGER:
		ledger_destroy((struct ledger *)object);
		return;
	case KOBJ_TIMER:
		timer_destroy(object);
		return;
	case KOBJ_INTERRUPT:
		interrupt_destroy(object);
		return;
	case KOBJ_IOPORTS:
		ioports_destroy(object);
		return;
	case KOBJ_DOMAIN:
		domain_destroy((struct domain *)object);
		return;
	case KOBJ_PHYSICAL:
	case KOBJ_MACHINE:
	case KOBJ_LOG:
		break; /* there is one of each, and it is never freed; no object is made of the others */
	}
	panic("object %lu of kind %u lost its last reference", (unsigned long)object->id, object->kind);
}
