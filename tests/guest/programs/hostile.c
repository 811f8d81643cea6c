/*
 * Hostile program: as an ordinary user, issues every trap and every message ordinal with random arguments.
 *
 *   hostile [SECONDS [SEED]]
 *
 * A parent that stays a decent process starts child after child; each fires random traps and messages until it dies or its
 * parent kills it. Status 0 when the time is over and the parent could do all it wanted; the caller then looks whether
 * the system still works.
 */
#define _GNU_SOURCE
#include <portico/layout.h>
#include <portico/traps.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct tally {
	volatile unsigned long traps, messages, successes;
} *tally;
static uint64_t state;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t random_name(void)
{
	static const uint32_t known[] = { 0, NAME_PROC, NAME_VFS, NAME_SIG, NAME_TTY, NAME_ROOT_SERVER, NAME_LOG, NAME_ROOT_DIR,
					  NAME_CWD, NAME_SIGNAL_PAGE, NAME_SERVICE, NAME_MACHINE, NAME_DYNAMIC };
	switch (random64() % 4) {
	case 0:
		return known[random64() % (sizeof known / sizeof known[0])];
	case 1:
		return (random64() % 64) << 8 | (random64() & 3);
	case 2:
		return NAME_DYNAMIC + random64() % 16;
	default:
		return random64();
	}
}

static uint64_t random_argument(void)
{
	static char memory[65536] __attribute__((aligned(4096)));
	static const uint64_t edges[] = { 0, 1, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, USER_MAX, USER_MAX - 4096,
					  0x7fffffffffffffff, 0x8000000000000000, 0xffff800000000000, 0xffffffff80000000, ~0ull, ~4095ull,
					  KERNEL_INFO_ADDRESS, LIBPOSIX_TEXT, LIBPOSIX_DATA, THREAD_AREAS, USER_MIN, PIE_BASE };
	switch (random64() % 6) {
	case 0:
		return edges[random64() % (sizeof edges / sizeof edges[0])];
	case 1:
		return random64() % 64;
	case 2:
		return (uint64_t)memory + random64() % sizeof memory;
	case 3:
		return ((uint64_t)memory + random64() % sizeof memory) & ~4095ull;
	case 4:
		return random_name();
	default:
		return random64() >> (random64() % 64);
	}
}

static void fill_send_page(void)
{
	uint64_t *word = (uint64_t *)(THREAD_AREAS + ENDPOINT_SEND * PAGE_SIZE);
	struct msg_page *page = (struct msg_page *)word;
	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		word[i] = random64() % 3 ? random64() % 300 : random_argument();
	for (size_t i = 0; i < MSG_DESCRIPTORS_MAX; i++) {
		page->descriptor[i].type = random64() % 5;
		page->descriptor[i].disposition = random64() % 8;
		page->descriptor[i].name = random_name();
		page->descriptor[i].address = random_argument();
		page->descriptor[i].size = random_argument();
	}
	if (random64() % 2)
		strcpy((char *)page->data + random64() % 64, "/etc/passwd");
}

static void random_message(void)
{
	static const uint64_t operation[] = { MSG_CALL, MSG_SEND, MSG_CALL | MSG_INTERRUPTIBLE, MSG_SEND_REPLY, MSG_RECEIVE, MSG_SEND | MSG_TO_ONCE,
					      MSG_SEND_REPLY | MSG_RECEIVE, MSG_RESTART | MSG_SEND_REPLY };
	uint64_t op = random64() % 8 ? MSG_CALL : operation[random64() % 8] | (random64() % 16 ? 0 : random64());
	uint32_t interface = random64() % 12 ? 9 + random64() % 9 : random64();
	uint32_t ordinal = random64() % 12 ? random64() % 50 : random64();
	fill_send_page();
	op |= random64() % 4 ? MSG_LENGTH(random64() % 128, random64() % 3) : MSG_LENGTH(random64() % 4096, random64() % 32);
	int64_t r = trap_msg(op, MSG_DESTINATION(random_name(), MSG_ORDINAL(interface, ordinal)), random_name(), random64() % 2 ? 0 : 1000000);
	tally->messages++;
	tally->successes += r >= 0;
}

static void random_trap(void)
{
	uint64_t *block = (uint64_t *)THREAD_AREAS;
	for (size_t i = 0; i < 32; i++)
		block[offsetof(struct portico_block, argument) / 8 + i] = random_argument();
	uint64_t number = random64() % 16 ? random64() % TRAP_MAX : random64() & 0x7fffffffffffffff;
	int64_t r = trap6(number, random64() % 2 ? random_name() : random_argument(), random_argument(), random_argument(), random_argument(),
			  random_argument(), random_argument());
	tally->traps++;
	tally->successes += r >= 0;
}

static _Noreturn void attack(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u | 1;
	for (int i = 0; i < 20000; i++) {
		if (random64() % 3)
			random_message();
		else
			random_trap();
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	unsigned long children = 0;
	tally = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (getuid() == 0 && (setgid(1000) != 0 || setuid(1000) != 0))
		return perror("setuid"), 2;
	while (time(NULL) < end) {
		int status;
		pid_t pid = fork();
		if (pid < 0)
			return perror("fork"), 1;
		if (pid == 0)
			attack(seed + children);
		children++;
		for (int waited = 0;; waited++) {
			struct timespec pause = { 0, 5000000 };
			pid_t ended = waitpid(pid, &status, WNOHANG);
			if (ended == pid)
				break;
			if (ended < 0)
				return perror("waitpid"), 1;
			if (waited == 40)
				kill(pid, SIGKILL);
			nanosleep(&pause, NULL);
		}
	}
	printf("children %lu traps %lu messages %lu successes %lu seed %llu\n", children, tally->traps, tally->messages, tally->successes,
	       (unsigned long long)seed);
	return 0;
}
