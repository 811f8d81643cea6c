/*
 * Device rights: interrupts and I/O ports, made from the machine right.
 *
 * An interrupt masks its line and notifies bits to a port; the driver unmasks it by interrupt_ack when it has looked at its device.
 */
#include <kernel/ipc/ipc.h>
#include <kernel/task/devices.h>
#include <kernel/task/sched.h>
#include <kernel/task/task.h>

#define LINES 256u

struct interrupt {
	struct kobject object;
	uint32_t line;
	struct port *port;   /* reference, or NULL */
	uint64_t bits;
};

struct ioports {
	struct kobject object;
	uint32_t first, count;
};

struct kobject machine_object = {.kind = KOBJ_MACHINE, .refs = 1};
struct kobject log_object = {.kind = KOBJ_LOG, .refs = 1};

static struct interrupt *lines[LINES];

static bool machine_argument(uint64_t name, int64_t *status)
{
	return right_lookup(thread_current()->task->space, (port_name_t)name, KOBJ_MACHINE, 0, status) != NULL;
}

/* ---- interrupts ---- */

void interrupt_arrived(uint32_t line)
{
	struct interrupt *interrupt = line < LINES ? lines[line] : NULL;

	interrupt_disable(line);
	if (interrupt != NULL && interrupt->port != NULL)
		port_notify_bits(interrupt->port, interrupt->bits);
}

void interrupt_destroy(struct kobject *object)
{
	struct interrupt *interrupt = (struct interrupt *)object;

	interrupt_disable(interrupt->line);
	lines[interrupt->line] = NULL;
	if (interrupt->port != NULL)
		object_unref((struct kobject *)interrupt->port);
	object_free(object, sizeof(*interrupt));
}

int64_t trap_handle_machine_interrupt(uint64_t machine, uint64_t line, uint64_t chosen, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	struct interrupt *interrupt;
	int64_t status = KERN_SUCCESS, name;

	(void)d, (void)e, (void)f;
	if (!machine_argument(machine, &status))
		return status;
	if (line >= LINES)
		return KERN_INVALID_ARGUMENT;
	if (lines[line] != NULL)
		return KERN_BUSY;
	interrupt = object_allocate(KOBJ_INTERRUPT, sizeof(*interrupt), task->ledger);
	if (interrupt == NULL)
		return KERN_NO_MEMORY;
	interrupt->line = (uint32_t)line;
	lines[line] = interrupt;
	name = right_enter_object(task->space, OBJECT(interrupt), RIGHT_CONTROL, (port_name_t)chosen);
	object_unref(OBJECT(interrupt));
	return name;
}

int64_t trap_handle_interrupt_bind(uint64_t name, uint64_t port_name, uint64_t bits, uint64_t d, uint64_t e, uint64_t f)
{
	struct ipc_space *space = thread_current()->task->space;
	int64_t status = KERN_SUCCESS;
	struct interrupt *interrupt = right_lookup(space, (port_name_t)name, KOBJ_INTERRUPT, 0, &status);
	struct port *port = interrupt == NULL ? NULL : receive_lookup(space, (port_name_t)port_name, &status);

	(void)d, (void)e, (void)f;
	if (port == NULL)
		return status;
	if (bits == 0)
		return KERN_INVALID_ARGUMENT;
	object_ref((struct kobject *)port);
	if (interrupt->port != NULL)
		object_unref((struct kobject *)interrupt->port);
	interrupt->port = port;
	interrupt->bits = bits;
	interrupt_enable(interrupt->line);
	return KERN_SUCCESS;
}

int64_t trap_handle_interrupt_ack(uint64_t name, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t status = KERN_SUCCESS;
	struct interrupt *interrupt =
		right_lookup(thread_current()->task->space, (port_name_t)name, KOBJ_INTERRUPT, 0, &status);

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (interrupt == NULL)
		return status;
	interrupt_enable(interrupt->line);
	return KERN_SUCCESS;
}

/* ---- I/O ports ---- */

void ioports_destroy(struct kobject *range)
{
	object_free(range, sizeof(struct ioports));
}

int64_t trap_handle_machine_ioports(uint64_t machine, uint64_t first, uint64_t count, uint64_t chosen, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	struct ioports *range;
	int64_t status = KERN_SUCCESS, name;

	(void)e, (void)f;
	if (!machine_argument(machine, &status))
		return status;
	if (first > 0xffff || count == 0 || count > 0x10000 - first)
		return KERN_INVALID_ARGUMENT;
	range = object_allocate(KOBJ_IOPORTS, sizeof(*range), task->ledger);
	if (range == NULL)
		return KERN_NO_MEMORY;
	range->first = (uint32_t)first;
	range->count = (uint32_t)count;
	name = right_enter_object(task->space, OBJECT(range), 0, (port_name_t)chosen);
	object_unref(OBJECT(range));
	return name;
}

/* The port number of an access within a range, or a status. */
static int64_t ioport_of(uint64_t name, uint64_t offset, uint64_t width)
{
	int64_t status = KERN_SUCCESS;
	struct ioports *range = right_lookup(thread_current()->task->space, (port_name_t)name, KOBJ_IOPORTS, 0, &status);

	if (range == NULL)
		return status;
	if ((width != 1 && width != 2 && width != 4) || offset >= range->count || width > range->count - offset)
		return KERN_INVALID_ARGUMENT;
	return range->first + (int64_t)offset;
}

int64_t trap_handle_ioport_read(uint64_t name, uint64_t offset, uint64_t width, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t port = ioport_of(name, offset, width);

	(void)d, (void)e, (void)f;
	return port < 0 ? port : (int64_t)io_read((uint16_t)port, (unsigned)width);
}

int64_t trap_handle_ioport_write(uint64_t name, uint64_t offset, uint64_t width, uint64_t value, uint64_t e, uint64_t f)
{
	int64_t port = ioport_of(name, offset, width);

	(void)e, (void)f;
	if (port < 0)
		return port;
	io_write((uint16_t)port, (unsigned)width, (uint32_t)value);
	return KERN_SUCCESS;
}

int64_t trap_handle_ioport_write_string(uint64_t name, uint64_t offset, uint64_t count, uint64_t d, uint64_t e, uint64_t f)
{
	int64_t port = ioport_of(name, offset, 1);
	const uint8_t *data = thread_current()->endpoint->send->data;

	(void)d, (void)e, (void)f;
	if (port < 0)
		return port;
	if (count > MSG_INLINE_MAX)
		return KERN_TOO_LARGE;
	for (uint64_t i = 0; i < count; i++)
		io_write((uint16_t)port, 1, data[i]);
	return KERN_SUCCESS;
}
