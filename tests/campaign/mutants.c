/*
 * mutants: faults of one server after the other, while operations with known results go on; a line of observations about each.
 *
 * A fault is a changed program, put in by live update and taken out again, or a bit of the keep that changes its value. The process that arranges this
 * touches nothing but root, its own memory and the clock while a fault is in; a worker makes the operations, and may get stuck. Lines of the plan
 * (made by tools/mutants):
 *
 *   mutant ID SERVER OFFSET OLD NEW ADDRESS trial|unexecuted|permanent   bytes of the file, in hexadecimal; ADDRESS: of that instruction
 *   flip ID SERVER FRACTION any|used                           which bit of the keep: FRACTION / 2^32 of all; used: not in a word that is zero
 *   profile                                                    the load alone, for each server, three times
 *
 * Mode trial: the program is on trial as long as it is in, so the next incarnation after a fault of its own is of the good one. Mode permanent: it
 * stays through restarts. A changed instruction of mode trial that shows nothing is replaced by one that faults (probe), to tell whether it is executed;
 * mode unexecuted is trial where that is known: it is not.
 * usage: mutants FOLDER    with FOLDER/plan and the programs. Exit status: 0 the plan is done, 3 the system is not healthy any more: boot again.
 */
#define _GNU_SOURCE
#include "device.h"
#include "operations.h"
#include "standing.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STUCK 20000          /* looks of a millisecond without progress; hangs are found after 2 or 6 seconds of processor time */
#define STUCK_ONE_CPU 1500   /* with one CPU nobody looks while a server hangs: what is waited for is lost */
#define PERMANENT_FACTOR 3   /* the ladder: delays, a cold start */
#define LONGEST_MS 45000     /* it goes on, but at a crawl: a fault in one server may let another hang again and again */
#define TRIAL_MS 3600000
#define INCIDENTS 4000
#define SERVERS 6

/* ---- the worker ---- */

enum order { LOAD, VERIFY, END };

static struct shared {
	volatile uint32_t wanted, finished; /* numbers of orders */
	volatile uint32_t progress;
	enum order order;
	char server[20];
	uint32_t operations, bad;
	char first[260]; /* what the first violation was */
	uint32_t token;
} *shared;
static pid_t worker;
static unsigned stuck_after; /* looks */

/* What of the operations exercises a server. The others (vfs, proc) have all. */
static const struct {
	const char *server, *operations;
} relevant[] = {
	{"sig", "fork_wait exec_wait kill_child groups limits proc_files handler queued timers posix_timer typed_line typed_raw pipe"},
	{"ipcd", "fork_wait exec_wait sysv_shm sysv_fork sysv_sem sysv_undo sysv_wait sysv_page sysv_msg sysv_msg_wait sysv_files posix_mq"},
	{"tty", "terminal console_output typed_line typed_raw console_lines kill_child"},
	{"serial", "terminal console_output typed_raw console_lines console_lines"},
};

static bool is_relevant(const char *server, const char *operation)
{
	for (size_t i = 0; i < sizeof relevant / sizeof relevant[0]; i++)
		if (strcmp(relevant[i].server, server) == 0)
			return strstr(relevant[i].operations, operation) != NULL;
	return true;
}

static void violation(const char *what)
{
	if (shared->bad++ == 0)
		snprintf(shared->first, sizeof shared->first, "%s: %s", what, operation_why);
}

static void operate(bool all)
{
	for (size_t i = 0; i < operation_count; i++) {
		if (!all && !is_relevant(shared->server, operations[i].name))
			continue;
		operation_token = ++shared->token;
		operation_why[0] = '\0';
		if (!operations[i].run() || (operations[i].undo && !operations[i].undo()))
			violation(operations[i].name);
		shared->operations++;
		shared->progress++;
	}
}

static _Noreturn void work(void)
{
	operations_prepare();
	if (!standing_make())
		violation("standing");
	shared->finished = shared->wanted;
	for (uint32_t done = shared->wanted;; shared->finished = done = shared->wanted) {
		while (shared->wanted == done)
			sleep_ms(1);
		shared->operations = shared->bad = 0;
		if (shared->order == END)
			standing_end();
		if (shared->order == END)
			_exit(0);
		operate(shared->order == VERIFY);
		if (shared->order == VERIFY && !standing_check())
			violation("standing");
	}
}

/* True: the order is done; false: the worker is stuck. */
static bool await_worker(unsigned patience)
{
	uint32_t progress = shared->progress;
	unsigned long until = now_ms() + LONGEST_MS;
	for (unsigned looks = 0; shared->finished != shared->wanted; looks++) {
		if (shared->progress != progress)
			progress = shared->progress, looks = 0;
		if (looks > patience || now_ms() > until)
			return false;
		sleep_ms(1);
	}
	return true;
}

static bool order(enum order what, const char *server, unsigned patience)
{
	shared->order = what;
	snprintf(shared->server, sizeof shared->server, "%.15s", server);
	shared->operations = shared->bad = 0;
	shared->wanted++;
	return await_worker(patience);
}

/* False: there is none, or it could not make what it needs. */
static bool start_worker(void)
{
	shared->wanted++;
	shared->bad = 0;
	worker = fork();
	if (worker == 0)
		work();
	return worker > 0 && await_worker(stuck_after) && shared->bad == 0;
}

static void end_worker(bool stuck)
{
	if (worker <= 0)
		return;
	if (stuck || !order(END, "", 2000))
		kill(worker, SIGKILL);
	while (waitpid(worker, NULL, 0) < 0 && errno == EINTR)
		;
	worker = 0;
}

/* ---- programs ---- */

static struct program {
	char name[16];
	unsigned char *bytes;
	size_t size;
} programs[SERVERS];

static void load_programs(const char *folder)
{
	static const char *const names[SERVERS] = {"vfs", "proc", "sig", "ipcd", "tty", "serial"};
	for (int i = 0; i < SERVERS; i++) {
		char path[100];
		struct stat st;
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		snprintf(programs[i].name, sizeof programs[i].name, "%s", names[i]);
		int fd = open(path, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) != 0 || !(programs[i].bytes = malloc((size_t)st.st_size)) ||
		    read(fd, programs[i].bytes, (size_t)st.st_size) != st.st_size) {
			perror(path);
			exit(2);
		}
		programs[i].size = (size_t)st.st_size;
		close(fd);
	}
}

static struct program *program_of(const char *server)
{
	for (int i = 0; i < SERVERS; i++)
		if (strcmp(programs[i].name, server) == 0)
			return &programs[i];
	return NULL;
}

struct patch {
	struct program *program;
	size_t offset, length;
	unsigned char old[16], new[16];
	unsigned long address;
	bool permanent, executed;
};

static size_t from_hex(const char *text, unsigned char *bytes)
{
	size_t n = 0;
	for (; n < 16 && sscanf(text + 2 * n, "%2hhx", &bytes[n]) == 1; n++)
		;
	return n;
}

/* ---- what was seen ---- */

static struct seen {
	char problem[160]; /* it could not even be tried */
	char incidents[INCIDENTS];
	unsigned incident_count;
	uint32_t operations, bad;
	char first[260];
	bool stuck, healthy, activated;
	char after[300], answer[120];
	unsigned long ms;
} seen;

static void load(const char *server, unsigned patience)
{
	seen.stuck = !order(LOAD, server, patience);
	seen.operations += shared->operations;
	seen.bad += shared->bad;
	if (shared->bad != 0 && seen.first[0] == '\0')
		snprintf(seen.first, sizeof seen.first, "%s", shared->first);
}

static bool verify(void)
{
	if (!order(VERIFY, "", stuck_after))
		return snprintf(seen.after, sizeof seen.after, "stuck"), false;
	if (shared->bad != 0)
		snprintf(seen.after, sizeof seen.after, "%u: %s", shared->bad, shared->first);
	return shared->bad == 0;
}

/*
 * With the good program in place again: is all as it was? A worker whose state is damaged is replaced; the system counts as healthy if a new one
 * finds nothing wrong.
 */
static void examine(void)
{
	if (seen.stuck) { /* what it waits for may come now */
		seen.stuck = !await_worker(stuck_after / 3);
		if (!seen.stuck)
			snprintf(seen.after, sizeof seen.after, "released by the update");
	}
	seen.healthy = !seen.stuck && verify();
	if (!seen.healthy) {
		char first[300];
		snprintf(first, sizeof first, "%s", seen.after);
		end_worker(true);
		seen.healthy = start_worker() && verify();
		snprintf(seen.after, sizeof seen.after, "%s", first[0] ? first : "stuck");
	}
	seen.incident_count += device_incidents(seen.incidents + strlen(seen.incidents), INCIDENTS - strlen(seen.incidents));
	/* The good program faulted: what it knows is damaged, whether that shows now or later. */
	if (strstr(seen.incidents, "request given up") || strstr(seen.incidents, ",restarted,"))
		seen.healthy = false;
}

static void print(const char *id, const char *what)
{
	printf("@@\t%s\t%s\t%s\t%u\t%s\t%u\t%u\t%s\t%d\t%d\t%d\t%s\t%s\t%lu\t@.\n", id, what, seen.problem, seen.incident_count, seen.incidents,
	       seen.operations, seen.bad, seen.first, seen.stuck, seen.healthy, seen.activated, seen.after, seen.answer, seen.ms);
	fflush(stdout);
}

static void begin(const char *id)
{
	memset(&seen, 0, sizeof seen);
	seen.healthy = true;
	seen.ms = now_ms();
	device_incidents_skip();
	printf("@@\t%s\tbegin\t@.\n", id);
	fflush(stdout);
	int fd = open("/dev/kmsg", O_WRONLY); /* all is well yet; tells what in the kernel's log belongs to which fault */
	if (fd < 0 || dprintf(fd, "fault %s\n", id) < 0)
		seen.healthy = false;
	close(fd);
}

/* ---- mutants ---- */

static bool put_in(const struct patch *patch, const unsigned char *bytes, size_t length, unsigned trial_ms)
{
	struct program *program = patch->program;
	unsigned char saved[16];
	memcpy(saved, program->bytes + patch->offset, length);
	memcpy(program->bytes + patch->offset, bytes, length);
	bool sent = device_update(program->name, program->bytes, program->size, trial_ms, seen.answer, sizeof seen.answer);
	memcpy(program->bytes + patch->offset, saved, length);
	if (sent)
		device_await(program->name, trial_ms ? "waiting" : "waiting on trial", seen.answer, sizeof seen.answer);
	return sent;
}

static void take_back(const char *server)
{
	if (device_ask(seen.answer, sizeof seen.answer, "update %s --back", server))
		device_await(server, "going back", seen.answer, sizeof seen.answer);
}

/* The ladder may have the server down, or a hang may not be found yet. */
static bool put_good_in(struct program *program)
{
	for (unsigned long until = now_ms() + 30000; now_ms() < until; sleep_ms(100)) {
		if (!device_update(program->name, program->bytes, program->size, 0, seen.answer, sizeof seen.answer))
			continue;
		device_await(program->name, "waiting on trial", seen.answer, sizeof seen.answer);
		if (strcmp(seen.answer, "done") == 0)
			return true;
	}
	return false;
}

/* Does the load come to this instruction? One that faults in its place: the first incident of the server is there, or there is none. */
static void probe(const char *id, const struct patch *patch)
{
	static const unsigned char fault[] = {0x0f, 0x0b}; /* ud2 */
	char rip[40];
	begin(id);
	if (!put_in(patch, fault, sizeof fault, TRIAL_MS)) {
		snprintf(seen.problem, sizeof seen.problem, "%s", seen.answer);
		print(id, "probe");
		return;
	}
	load(patch->program->name, stuck_after);
	take_back(patch->program->name);
	if (seen.stuck || seen.bad != 0) /* it ought to be recovered; what follows will show whether it is, too */
		examine();
	else
		seen.incident_count = device_incidents(seen.incidents, INCIDENTS);
	snprintf(rip, sizeof rip, ",0x%lx,", patch->address);
	seen.activated = strstr(seen.incidents, rip) != NULL;
	seen.ms = now_ms() - seen.ms;
	print(id, "probe");
}

static void mutant(const char *id, const struct patch *patch)
{
	const char *server = patch->program->name;
	begin(id);
	if (memcmp(patch->program->bytes + patch->offset, patch->old, patch->length) != 0)
		snprintf(seen.problem, sizeof seen.problem, "the program has other bytes there");
	else if (!put_in(patch, patch->new, patch->length, patch->permanent ? 0 : TRIAL_MS))
		snprintf(seen.problem, sizeof seen.problem, "%s", seen.answer);
	if (seen.problem[0]) {
		print(id, "mutant");
		return;
	}
	load(server, patch->permanent ? PERMANENT_FACTOR * stuck_after : stuck_after);
	if (!patch->permanent)
		take_back(server);
	else if (!put_good_in(patch->program))
		snprintf(seen.problem, sizeof seen.problem, "the good program could not be put in: %s", seen.answer);
	examine();
	seen.ms = now_ms() - seen.ms;
	print(id, "mutant");
	if (!patch->permanent && patch->executed && seen.healthy && seen.incident_count == 0 && seen.bad == 0 && !seen.stuck && seen.after[0] == '\0' &&
	    memcmp(patch->old, patch->new, patch->length) != 0)
		probe(id, patch);
}

static void do_mutant(const char *line)
{
	char id[40], server[16], old[40], new[40], mode[16];
	struct patch patch = {0};
	if (sscanf(line, "mutant %39s %15s %zu %39s %39s %lx %15s", id, server, &patch.offset, old, new, &patch.address, mode) != 7 ||
	    !(patch.program = program_of(server))) {
		printf("bad line of the plan: %s\n", line);
		exit(2);
	}
	patch.length = from_hex(old, patch.old);
	if (from_hex(new, patch.new) != patch.length || patch.length < 2 || patch.offset + patch.length > patch.program->size) {
		printf("bad bytes in the plan: %s\n", line);
		exit(2);
	}
	patch.permanent = strcmp(mode, "permanent") == 0;
	patch.executed = strcmp(mode, "unexecuted") != 0;
	mutant(id, &patch);
}

/* ---- flips ---- */

/* A server may be busy for a moment. */
static bool ask_patiently(const char *line)
{
	for (unsigned i = 0; i < 200; i++, sleep_ms(5)) {
		if (!device_ask(seen.answer, sizeof seen.answer, "%s", line))
			return false;
		if (strstr(seen.answer, "is busy") == NULL)
			return strncmp(seen.answer, "error", 5) != 0;
	}
	return false;
}

static void do_flip(const char *line)
{
	char id[40], server[16], where[8], text[80];
	unsigned long fraction, bits = 0;
	unsigned now = 0, was = 0;
	if (sscanf(line, "flip %39s %15s %lu %7s", id, server, &fraction, where) != 4) {
		printf("bad line of the plan: %s\n", line);
		exit(2);
	}
	begin(id);
	snprintf(text, sizeof text, "flip %s", server);
	if (ask_patiently(text))
		sscanf(seen.answer, "bits %lu", &bits);
	unsigned long bit = (unsigned long)(((unsigned __int128)bits * fraction) >> 32);
	snprintf(text, sizeof text, "flip %s %lu used", server, bit);
	if (strcmp(where, "used") == 0 && ask_patiently(text))
		sscanf(seen.answer, "bit %lu", &bit);
	snprintf(text, sizeof text, "flip %s %lu", server, bit);
	if (bits == 0 || !ask_patiently(text) || sscanf(seen.answer, "byte %x was %x", &now, &was) != 2) {
		snprintf(seen.problem, sizeof seen.problem, "%s", seen.answer);
		print(id, "flip");
		return;
	}
	load(server, PERMANENT_FACTOR * stuck_after);
	bool good = !seen.stuck && verify();
	if (!good && seen.first[0] == '\0')
		snprintf(seen.first, sizeof seen.first, "%.250s", seen.after);
	seen.bad += !good && !seen.stuck;
	snprintf(text, sizeof text, "flip %s %lu %u", server, bit, now);
	ask_patiently(text);
	seen.after[0] = '\0';
	examine();
	snprintf(seen.answer, sizeof seen.answer, "bit %lu of %lu", bit, bits);
	seen.ms = now_ms() - seen.ms;
	print(id, "flip");
}

/* ---- the plan ---- */

static void profile(void)
{
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < SERVERS; i++) {
			unsigned long began = now_ms();
			bool good = order(LOAD, programs[i].name, stuck_after) && shared->bad == 0;
			printf("@@\tprofile\t%s\t%u\t%s\t%lu\t@.\n", programs[i].name, shared->operations, good ? "good" : shared->first, now_ms() - began);
			fflush(stdout);
		}
}

static char *read_plan(const char *folder)
{
	char path[100];
	struct stat st;
	snprintf(path, sizeof path, "%s/plan", folder);
	int fd = open(path, O_RDONLY);
	char *text;
	if (fd < 0 || fstat(fd, &st) != 0 || !(text = calloc(1, (size_t)st.st_size + 1)) || read(fd, text, (size_t)st.st_size) != st.st_size) {
		perror(path);
		exit(2);
	}
	close(fd);
	return text;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: mutants FOLDER\n", stderr);
		return 2;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	stuck_after = sysconf(_SC_NPROCESSORS_ONLN) == 1 ? STUCK_ONE_CPU : STUCK;
	load_programs(argv[1]);
	char *plan = read_plan(argv[1]);
	device_open();
	if (!start_worker() || !order(VERIFY, "", stuck_after) || shared->bad != 0) {
		printf("the undisturbed system fails: %s\n", shared->first);
		return 2;
	}
	for (char *line = strtok(plan, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (strncmp(line, "mutant ", 7) == 0)
			do_mutant(line);
		else if (strncmp(line, "flip ", 5) == 0)
			do_flip(line);
		else
			profile();
		if (!seen.healthy && strcmp(line, "profile") != 0)
			return 3;
	}
	end_worker(false);
	return 0;
}
