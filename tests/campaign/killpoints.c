/*
 * killpoints: operations, each of which is made again and again while a server ends at the first, second, third ... kill point of it.
 *
 * For a build with the option kill_points (portico/killpoint.h); tools/killpoints is what runs it. Reads orders from a file, a line each:
 *
 *     SERVER WITH OPERATION STRIDE FIRST LAST AGAIN
 *
 * The server ends at point FIRST, FIRST + STRIDE and so on, until the operation is over before the countdown three times in a row, or behind LAST (0: no
 * end). AGAIN is a mask of steps: at the first end at each of these the operation is made again and again, with the server ending once more at the first,
 * second ... point of its recovery, up to the commit of the transaction in which it ended. NEW is such a mask for all lines together. WITH: another server that is ended
 * as soon as the first one has, while it waits for it, say; `-`: none.
 *
 * usage: killpoints FILE SECONDS NEW; it stops in time, and says where. killpoints --once: every operation once, with no orders of our own.
 *        killpoints --list: names of operations, and which servers count; killpoints --steps: names of steps
 */
#include "device.h"
#include "operations_more.h"
#include <portico/killpoint.h>
#include <stdlib.h>
#include <unistd.h>

#define POINTS_MAX 100000
#define MISSES 3             /* in a row: the operation has no more points */
#define ORDER_TRIES 5000     /* of 1 ms: between two incarnations there is nobody to be told */
#define VIOLATIONS_MAX 20    /* in one pair: it is broken, and goes on being */
#define PROGRESS 50          /* points between two lines that say how far it is */

static const char *const step_name[] = {
#define STEP_NAME(name, text) text,
	KILL_STEPS(STEP_NAME)};

static struct {
	unsigned long points, recoveries, violations;
} total;
static unsigned long deadline;  /* of now_ms() */
static unsigned long new_steps; /* mask: the first end at each is interrupted in its recovery, too */

/* ---- orders ---- */

struct report {
	unsigned long left, step, ends;
};

static const char *with; /* of the present pair: "" or a name */

static bool order_once(const char *server, unsigned n, unsigned again, struct report *report)
{
	char text[100];
	return device_ask(text, sizeof text, "killpoint %s %u %u %s", server, n, again, with) &&
	       sscanf(text, "left %lu step %lu ends %lu", &report->left, &report->step, &report->ends) == 3;
}

/* Gives an order; what became of the one before. */
static struct report order(const char *server, unsigned n, unsigned again)
{
	struct report report;
	for (int i = 0; i < ORDER_TRIES; i++) {
		if (order_once(server, n, again, &report))
			return report;
		sleep_ms(1);
	}
	printf("violation: %s does not come back\n", server);
	exit(2);
}

/* root's own are counted up to the commit of the answer: the next answer tells. */
static struct report withdraw(const char *server)
{
	struct report report = order(server, 0, 0);
	return strcmp(server, "root") == 0 ? order(server, 0, 0) : report;
}

/* ---- one point ---- */

static void violation(const struct operation *op, const char *server, unsigned n, unsigned again)
{
	total.violations++;
	printf("violation: %s, %s%s%s at point %u", op->name, server, *with ? " with " : "", with, n);
	if (again)
		printf(" and %u of its recovery", again);
	printf(": %s\n", operation_why);
	operations_prepare();
	operations_prepare_more();
}

/* How often the server ended: 0, 1, or with `again` 2. *step: where it did so last. */
static unsigned long point(const struct operation *op, const char *server, unsigned n, unsigned again, unsigned long *step)
{
	unsigned long before = order(server, n, again).ends;
	operation_token++;
	bool good = op->run();
	if (good && op->undo)
		good = op->undo();
	struct report after = withdraw(server);
	/* What it does after the answer (closed files, deferred work) may still be going on: it is asked again, with the rest of the order. */
	if (after.ends == before && after.left != 0 && strcmp(server, "root") != 0) {
		order(server, (unsigned)after.left, again);
		sleep_ms(2);
		after = withdraw(server);
	}
	if (!good)
		violation(op, server, n, again);
	*step = after.step;
	return after.ends - before;
}

/* The recovery of an end at point n, which was at `step`: every point of it. */
static void recovery(const struct operation *op, const char *server, unsigned n, unsigned long step)
{
	unsigned long before = total.violations, last;
	unsigned m = 1, found = 0;
	for (unsigned misses = 0; misses < MISSES && m < POINTS_MAX && total.violations < before + VIOLATIONS_MAX; m++) {
		bool hit = point(op, server, n, m, &last) == 2;
		found += hit;
		misses = hit ? 0 : misses + 1;
	}
	total.recoveries += found;
	printf("recovery %s %s %s at %u points %u violations %lu\n", server, op->name, step_name[step], n, found, total.violations - before);
}

/* ---- one pair ---- */

/* Is the recovery of an end at this step to be interrupted, too? */
static bool wanted(unsigned long step, unsigned long *again)
{
	if (step >= KILL_STEP_COUNT || ((*again | new_steps) >> step & 1) == 0)
		return false;
	*again &= ~(1ul << step);
	new_steps &= ~(1ul << step);
	return true;
}

static bool is_over(unsigned n, unsigned last, unsigned misses)
{
	return misses >= MISSES || (last != 0 && n > last);
}

static void pair(const char *server, const struct operation *op, unsigned stride, unsigned first, unsigned last, unsigned long again)
{
	unsigned long before = total.violations, step;
	unsigned n = first, found = 0, misses = 0;
	while (!is_over(n, last, misses) && n < POINTS_MAX && total.violations < before + VIOLATIONS_MAX && now_ms() < deadline) {
		bool hit = point(op, server, n, 0, &step) != 0;
		found += hit;
		misses = hit ? 0 : misses + 1;
		if (hit && wanted(step, &again))
			recovery(op, server, n, step);
		n += stride;
		if (hit && found % PROGRESS == 0)
			printf("at %s%s%s %s %u points %u violations %lu\n", server, *with ? "+" : "", with, op->name, n, found,
			       total.violations - before);
	}
	total.points += found;
	printf("%s %s%s%s %s %u points %u violations %lu\n", is_over(n, last, misses) ? "pair" : "stopped", server, *with ? "+" : "", with, op->name,
	       n, found, total.violations - before);
}

static const struct operation *operation_at(size_t i)
{
	if (i < operation_count)
		return &operations[i];
	return i - operation_count < operation_more_count ? &operations_more[i - operation_count].operation : NULL;
}

static const struct operation *find(const char *name)
{
	const struct operation *op;
	for (size_t i = 0; (op = operation_at(i)) && strcmp(op->name, name) != 0; i++)
		;
	return op;
}

static int obey(const char *file, unsigned seconds)
{
	static char line[200];
	static char server[20], other[20], name[40];
	unsigned stride, first, last;
	unsigned long again;
	FILE *orders = fopen(file, "r");
	if (!orders)
		return perror(file), 2;
	deadline = now_ms() + seconds * 1000ul;
	while (fgets(line, sizeof line, orders) && now_ms() < deadline) {
		const struct operation *op;
		if (sscanf(line, "%19s %19s %39s %u %u %u %lx", server, other, name, &stride, &first, &last, &again) != 7 || stride == 0 || first == 0 ||
		    !(op = find(name)))
			return printf("killpoints: what is %s", line), 2;
		with = strcmp(other, "-") == 0 ? "" : other;
		pair(server, op, stride, first, last, again);
	}
	fclose(orders);
	printf("points %lu recoveries %lu violations %lu\n", total.points, total.recoveries, total.violations);
	return total.violations != 0;
}

static int once(void)
{
	const struct operation *op;
	for (size_t i = 0; (op = operation_at(i)); i++) {
		operation_token++;
		if (op->run() && (!op->undo || op->undo()))
			continue;
		total.violations++;
		printf("violation: %s: %s\n", op->name, operation_why);
		operations_prepare();
		operations_prepare_more();
	}
	printf("operations %zu violations %lu\n", operation_count + operation_more_count, total.violations);
	return total.violations != 0;
}

static int list(void)
{
	for (size_t i = 0; i < operation_count; i++)
		printf("operation %s *\n", operations[i].name);
	for (size_t i = 0; i < operation_more_count; i++)
		printf("operation %s %s\n", operations_more[i].operation.name, operations_more[i].servers);
	return 0;
}

static int steps(void)
{
	for (size_t i = 0; i < KILL_STEP_COUNT; i++)
		printf("step %s\n", step_name[i]);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc == 2 && strcmp(argv[1], "--steps") == 0)
		return steps();
	bool only_once = argc == 2 && strcmp(argv[1], "--once") == 0;
	if (!only_once && argc != 4)
		return printf("usage: killpoints FILE SECONDS NEW | --once | --list | --steps\n"), 2;
	device_open();
	operations_prepare();
	operations_prepare_more();
	if (only_once)
		return once();
	new_steps = strtoul(argv[3], NULL, 16);
	return obey(argv[1], (unsigned)atoi(argv[2]));
}
