/*
 * Enumerated kill points, for tools/killpoints: the orders that a server's libserver obeys (portico/killpoint.h), by command and from the kernel's
 * command line. Only a build with the option kill_points has such points; in others the orders are of no consequence.
 *
 * kill-each=N: every transaction of every server ends once at its N-th point, from boot on. kill-servers=NAME,NAME...: only of these.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/killpoint.h>
#include <portico/layout.h>
#include <portico/strings.h>

static volatile struct kill_points *own(void)
{
	return (volatile struct kill_points *)KILL_POINTS_ADDRESS;
}

/* Our own begin to count with the commit: an execution that ends before it is executed again, and would give the order anew. */
static void order_own(const struct kill_points *order)
{
	server_queue_word64(&own()->again, 0, order->again);
	server_queue_word64(&own()->recovering, 0, 0);
	server_queue_word64(&own()->left, 0, 0);
	server_queue_word64(&own()->countdown, 0, order->countdown);
}

static int64_t order_of(port_name_t task, const struct kill_points *order)
{
	return server_trap(TRAP_vm_write, task, KILL_POINTS_ADDRESS, (uint64_t)order, KILL_ORDERS, 0, 0);
}

int killpoint_order(unsigned index, uint64_t countdown, uint64_t again, unsigned with, struct answer *answer)
{
	/* Static: the logged operation has its address among the arguments, and finds the same when it is executed again. */
	static struct kill_points order, before;
	int64_t status = sizeof(before);

	order = (struct kill_points){.countdown = countdown, .again = again};
	if (index == SERVER_ROOT)
		before = *(struct kill_points *)KILL_POINTS_ADDRESS;
	else
		status = trap4(TRAP_vm_read, root->client[index].task, KILL_POINTS_ADDRESS, (uint64_t)&before, sizeof(before));
	server_sample(&status, sizeof(status));
	server_sample(&before, sizeof(before));
	if (status != sizeof(before))
		return ESRCH;
	if (index == SERVER_ROOT)
		order_own(&order);
	else if (order_of(root->client[index].task, &order) < 0)
		return ESRCH;
	else
		root->kill_with[index] = with == KILLPOINT_ALONE || countdown == 0 ? 0 : (uint8_t)(with + 1);
	answer_add(answer, "left %llu step %llu ends %llu\n", (unsigned long long)(before.countdown + before.left), (unsigned long long)before.step,
	           (unsigned long long)before.ends);
	return 0;
}

void killpoint_died(unsigned index)
{
	unsigned with = root->kill_with[index];

	if (with == 0)
		return;
	root->kill_with[index] = 0;
	(void)supervise_kill(with - 1, CAUSE_KILLED);
}

/* ---- from boot on ---- */

/* Is `name` one of the words between commas? */
static bool among(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (*list != '\0') {
		const char *end = list;
		while (*end != '\0' && *end != ',')
			end++;
		if ((size_t)(end - list) == length && memcmp(list, name, length) == 0)
			return true;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

static uint64_t each_of(const char *name)
{
	char value[OPTION_MAX];
	uint64_t n = 0;

	if (option_find(root->command_line, "kill-servers", value, sizeof(value)) == 0 && !among(value, name))
		return 0;
	if (option_find(root->command_line, "kill-each", value, sizeof(value)) != 0)
		return 0;
	for (const char *p = value; *p >= '0' && *p <= '9' && n < UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n;
}

void killpoint_boot(unsigned index, port_name_t task)
{
	struct kill_points order = {.each = each_of(server_title(index))};

	if (order.each == 0)
		return;
	if (index == SERVER_ROOT) {
		own()->each = order.each;
		return;
	}
	order.countdown = order.each;
	(void)server_trap(TRAP_vm_write, task, KILL_POINTS_ADDRESS, (uint64_t)&order, sizeof(order), 0, 0);
}
