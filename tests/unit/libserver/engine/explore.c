/*
 * An incarnation is a process: its end takes its data, bss, stack and registers; what survives lies in shared memory.
 * To find all moments at which a death makes a difference, the process is single-stepped (the trap flag): whenever an
 * instruction has changed what survives, it waits, while this process takes a copy, lets new incarnations finish the
 * script, compares the outcome with the undisturbed one, and puts the copy back.
 *
 * Compared are: the journal (every answer, call, operation and effect, in order), the keep, the shared words, the
 * rights. Values that are never the same twice are compared by where they turn up.
 *
 * Above: test_engine.c, explore_main.c. Below: machine.c, victim.c.
 */
#include <portico/migration.h>
#include "explore.h"
#include "../../../../libserver/transaction.h"
#include "victim.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define INCARNATIONS 12u
#define SECONDS 5u /* an incarnation takes some milliseconds */
#define FLEETING_MAX 64u
#define AREAS 6u
#define DEPTH 2u

/* ---- copies of what survives ---- */

struct copy {
	uint8_t *area[AREAS];
};

/* Words, by hand: the memory functions here are those under test. */
static void copy_words(void *to, const void *from, size_t size)
{
	uint64_t *t = to;
	const uint64_t *f = from;

	for (size_t i = 0; i < size / 8; i++)
		t[i] = f[i];
}

static bool same_words(const void *a, const void *b, size_t size)
{
	const uint64_t *x = a, *y = b;
	uint64_t difference = 0;

	for (size_t i = 0; i < size / 8; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

static void copy_make(struct copy *copy)
{
	for (size_t i = 0; i < machine_areas; i++)
		if (copy->area[i] == NULL)
			copy->area[i] = calloc(1, machine_area[i].size);
}

static void copy_take(struct copy *copy)
{
	copy_make(copy);
	if (LOG->undo_next > SERVER_LOG + machine_area[2].size ||
	    LOG->results_end > (uint64_t)machine_area[3].start + machine_area[3].size)
		abort(); /* the areas do not cover what is used */
	for (size_t i = 0; i < machine_areas; i++)
		copy_words(copy->area[i], machine_area[i].start, machine_area[i].size);
}

static void copy_put(const struct copy *copy)
{
	for (size_t i = 0; i < machine_areas; i++)
		copy_words(machine_area[i].start, copy->area[i], machine_area[i].size);
}

/* Has something changed since the copy was taken? Of the undo log only what is in use is looked at. */
static bool copy_current(const struct copy *copy)
{
	size_t undo = LOG->undo_next == 0 ? 0 : LOG->undo_next - SERVER_LOG + 256;

	for (size_t i = 1; i < machine_areas; i++) {
		size_t size = machine_area[i].size;

		if (machine_area[i].start == (void *)SERVER_LOG && undo < size)
			size = undo < PAGE_SIZE ? PAGE_SIZE : undo;
		if (!same_words(copy->area[i], machine_area[i].start, size))
			return false;
	}
	return true;
}

/* ---- an incarnation ---- */

static struct {
	int to_parent, from_parent; /* pipes */
	bool stepping;
	struct copy last;
} child;

static void set_trap_flag(bool on)
{
	if (on)
		__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
		                 :
		                 :
		                 : "memory", "cc");
	else
		__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
		                 :
		                 :
		                 : "memory", "cc");
}

static void wait_for_parent(void)
{
	char byte = 'm';

	if (write(child.to_parent, &byte, 1) != 1 || read(child.from_parent, &byte, 1) != 1)
		_exit(9);
	copy_take(&child.last);
}

static void stepped(int signal)
{
	(void)signal;
	if (!machine_busy && !copy_current(&child.last))
		wait_for_parent();
}

/* In the machine: its own memory counts, too. */
static void moment(void)
{
	if (!child.stepping)
		return;
	set_trap_flag(false);
	if (!same_words(child.last.area[0], machine, sizeof(*machine)) || !copy_current(&child.last))
		wait_for_parent();
	set_trap_flag(true);
}

_Noreturn static void incarnation(bool stepping)
{
	static char stack[65536];
	struct sigaction action = {.sa_handler = stepped, .sa_flags = SA_ONSTACK};
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};

	alarm(stepping ? 0 : SECONDS);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	machine_moment = moment;
	child.stepping = stepping;
	if (stepping) {
		sigaltstack(&alternative, NULL);
		sigaction(SIGTRAP, &action, NULL);
		copy_take(&child.last);
		set_trap_flag(true);
	}
	victim_start();
}

/* Root's part, before a start: what the kernel keeps is there again; a server that has not served yet starts anew. */
static void prepare(uint64_t flags)
{
	machine->counters.incarnation++;
	machine_start_flags = flags;
	machine_publish();
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_once(uint64_t flags)
{
	prepare(flags);
	pid_t pid = fork();
	if (pid == 0)
		incarnation(false);
	return status_of(pid);
}

/* New incarnations until the script is done. One that ends twice by itself in one transaction is told to give it up. */
static struct outcome run(unsigned limit)
{
	struct outcome outcome = {0};
	uint64_t commits = ~UINT64_C(0);
	unsigned blamed = 0;

	machine->limit = limit;
	for (unsigned i = 0; i < INCARNATIONS && !outcome.finished; i++) {
		uint64_t flags = blamed >= 2 ? SERVER_START_GIVE_UP : 0;

		outcome.given_up += flags != 0;
		int status = run_once(flags);
		if (getenv("ENGINE_LOG") != NULL)
			fprintf(stderr, "incarnation %u ended: %d\n", i, status);
		if (status == ENDED_FINISHED) {
			outcome.finished = true;
			break;
		}
		outcome.deaths++;
		if (status == 128 + SIGALRM) /* nobody knows for how long */
			break;
		blamed = machine->counters.commits == commits ? blamed + 1 : 1;
		commits = machine->counters.commits;
	}
	return outcome;
}

struct outcome explore_run(const struct script *script, unsigned length)
{
	machine_map();
	machine_reset();
	machine_script = script;
	return run(length);
}

/* ---- comparing ---- */

struct image {
	uint64_t *word;
	size_t count;
	struct outcome outcome;
	uint64_t fleeting[FLEETING_MAX];
	unsigned fleetings;
};

static uint64_t symbol(struct image *image, uint64_t word)
{
	if (word >> 32 != FLEETING)
		return word;
	for (unsigned i = 0; i < image->fleetings; i++)
		if (image->fleeting[i] == word)
			return FLEETING << 32 | i;
	if (image->fleetings == FLEETING_MAX)
		abort();
	image->fleeting[image->fleetings] = word;
	return FLEETING << 32 | image->fleetings++;
}

/*
 * What counts of a keep: not the contents of free blocks, which are dead and differ after a transaction was undone. The layout is that
 * of libserver/keep.c.
 */
static uint64_t keep_image[64 * 1024 / 8];

static void keep_take(uint64_t *to, const void *from)
{
	struct block {
		uint32_t class, state;
		uint64_t next;
	};
	const struct {
		struct keep_identity identity;
		size_t root, root_size, root_room, heap, end;
	} *header = from;
	size_t end = header->end, at = header->heap;

	if (machine_area[1].size > sizeof(keep_image) || end > machine_area[1].size)
		abort();
	memcpy(to, from, machine_area[1].size);
	while (at < end) {
		const struct block *block = (const struct block *)((const char *)from + at);
		size_t base = (size_t)32 << (block->class / 4), size = (base + base / 4 * (block->class % 4) + 15) & ~(size_t)15;

		if (block->state >> 31 != 0) /* with its state, which has a number of a transaction */
			memset((char *)to + at + 4, 0, size - 4);
		at += size;
	}
	memset((char *)to + end, 0, machine_area[1].size - end);
}

static bool same_keep(const void *a, const void *b)
{
	static uint64_t other[sizeof(keep_image) / 8];

	keep_take(keep_image, a);
	keep_take(other, b);
	return same_words(keep_image, other, machine_area[1].size);
}

static void add_words(struct image *image, const void *start, size_t size)
{
	const uint64_t *word = start;

	for (size_t i = 0; i < size / 8; i++)
		image->word[image->count++] = symbol(image, word[i]);
}

static void image_take(struct image *image)
{
	if (image->word == NULL)
		image->word = malloc(sizeof(struct machine) + 256 * 1024);
	image->count = 0;
	image->fleetings = 0;
	add_words(image, machine->journal, machine->journal_end * 8);
	add_words(image, machine->name, sizeof(machine->name));
	add_words(image, &machine->caller, sizeof(machine->caller));
	keep_take(keep_image, machine_area[1].start);
	add_words(image, keep_image, machine_area[1].size);
	add_words(image, machine_area[5].start, machine_area[5].size);
}

static bool image_same(const struct image *a, const struct image *b)
{
	return a->count == b->count && same_words(a->word, b->word, a->count * 8) &&
	       a->outcome.finished == b->outcome.finished && a->outcome.deaths == b->outcome.deaths &&
	       a->outcome.given_up == b->outcome.given_up;
}

/* ---- every moment ---- */

static struct {
	const struct image *wanted;
	struct explored *explored;
	struct effort effort;
	const struct script *script;
	const struct copy *begin; /* before the message */
	unsigned length;
	unsigned step; /* the message in service */
} search;

static void report(const char *what, unsigned long moment, unsigned depth, const struct image *image)
{
	const struct image *wanted = search.wanted;
	size_t at = 0;

	if (search.explored->failures++ > 0)
		return;
	while (at < image->count && at < wanted->count && image->word[at] == wanted->word[at])
		at++;
	snprintf(search.explored->first, sizeof(search.explored->first),
	         "%s: step %u, moment %lu, depth %u: finished %d, %u deaths, %u given up (wanted %u), %zu words "
	         "(wanted %zu), first difference at %zu: %#llx, wanted %#llx",
	         what, search.step, moment, depth, image->outcome.finished, image->outcome.deaths,
	         image->outcome.given_up, wanted->outcome.deaths, image->count, wanted->count, at,
	         at < image->count ? (unsigned long long)image->word[at] : 0,
	         at < wanted->count ? (unsigned long long)wanted->word[at] : 0);
}

static unsigned explore_names_of(const struct machine *m)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < m->names; i++)
		count += m->name[i] != 0;
	return count;
}

unsigned explore_names(void)
{
	return explore_names_of(machine);
}

/* The incarnation is dead: what do the next ones make of it? */
static void check(unsigned long moment, unsigned depth)
{
	static struct image image;

	image.outcome = run(search.length);
	image_take(&image);
	if (!image_same(&image, search.wanted))
		report("not as without a death", moment, depth, &image);
}

/*
 * The same for a request that was not committed, when root says that it is to be given up: an error, and nothing else.
 * `begin` is how it was before the request came.
 */
static void check_given_up(unsigned long moment, unsigned depth, const struct copy *begin)
{
	static struct image image;
	const struct machine *was = (const struct machine *)begin->area[0];
	uint64_t request = machine->requests, error = 0;

	if (machine->counters.held == 0 || search.script[search.step].kind != MSG_REQUEST)
		return;
	machine->limit = search.step + 1;
	int status = run_once(SERVER_START_GIVE_UP);
	if (status == ENDED_FINISHED && explore_replies(request, &error) == 1 && error == EIO &&
	    same_keep(begin->area[1], machine_area[1].start) &&
	    explore_names_of(was) == explore_names())
		return;
	image_take(&image);
	image.outcome = (struct outcome){status == ENDED_FINISHED, 0, 1};
	report("not given up without a trace", moment, depth, &image);
}

static void step_through(unsigned depth, unsigned limit);

static void at_moment(unsigned long moment, unsigned depth, unsigned limit)
{
	static struct copy copies[DEPTH];
	struct copy *copy = &copies[depth];
	unsigned stride = search.effort.stride;

	if (depth == 0 && moment % stride != 0)
		return;
	copy_take(copy);
	if (machine->pending) { /* its answer may come before the next incarnation, or when that waits for it */
		machine_answer();
		check(moment, depth);
		copy_put(copy);
	}
	check(moment, depth);
	copy_put(copy);
	check_given_up(moment, depth, search.begin);
	copy_put(copy);
	*(depth == 0 ? &search.explored->moments : &search.explored->twice) += 1;
	if (depth == 0 && search.effort.again != 0 && (moment / stride) % search.effort.again == 0) {
		step_through(1, limit);
		copy_put(copy);
	}
}

/* Runs an incarnation to the end of the script or to `limit`, and looks at each moment. */
static void step_through(unsigned depth, unsigned limit)
{
	int up[2], down[2];
	unsigned long moment = 0;
	char byte;

	machine->limit = limit;
	prepare(0);
	if (pipe(up) != 0 || pipe(down) != 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		child.to_parent = up[1];
		child.from_parent = down[0];
		close(up[0]);
		close(down[1]);
		incarnation(true);
	}
	close(up[1]);
	close(down[0]);
	while (read(up[0], &byte, 1) == 1) {
		if (search.explored->failures == 0)
			at_moment(moment++, depth, limit);
		if (write(down[1], &byte, 1) != 1)
			break;
	}
	close(up[0]);
	close(down[1]);
	status_of(pid);
}

void explore(const struct script *script, unsigned length, struct effort effort, struct explored *explored)
{
	static struct image wanted;
	static struct copy begin;

	*explored = (struct explored){0};
	wanted.outcome = explore_run(script, length);
	image_take(&wanted);
	search.wanted = &wanted;
	search.explored = explored;
	search.effort = effort;
	search.length = length;
	search.script = script;
	search.begin = &begin;
	if (!wanted.outcome.finished)
		report("the script does not finish", 0, 0, &wanted);
	for (unsigned i = 0; i < length && explored->failures == 0; i++) {
		search.step = i;
		(void)explore_run(script, i);
		copy_take(&begin);
		step_through(0, i + 1);
	}
}

/* ---- questions ---- */

unsigned explore_replies(uint64_t request, uint64_t *error)
{
	unsigned count = 0;

	for (uint32_t at = 0; at < machine->journal_end; at += 1 + (uint32_t)machine->journal[at]) {
		if (machine->journal[at] >> 32 != JOURNAL_REPLY || machine->journal[at + 1] != request)
			continue;
		*error = machine->journal[at + 2];
		count++;
	}
	return count;
}

unsigned explore_effects(void)
{
	unsigned count = 0;

	for (uint32_t at = 0; at < machine->journal_end; at += 1 + (uint32_t)machine->journal[at])
		count += machine->journal[at] >> 32 == JOURNAL_EFFECT || machine->journal[at] >> 32 == JOURNAL_WORD;
	return count;
}

uint64_t explore_state(void)
{
	const uint64_t *word = machine_area[1].start;
	uint64_t sum = 0;

	for (size_t i = 0; i < machine_area[1].size / 8; i++)
		sum = (sum ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return sum;
}
