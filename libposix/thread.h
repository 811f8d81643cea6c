/*
 * What libposix keeps per thread, in the personality's part of the thread's control block, and per process.
 *
 * Above: all handlers. Below: include/portico/block.h. Nothing here calls a server.
 */
#ifndef LIBPOSIX_THREAD_H
#define LIBPOSIX_THREAD_H

#include <portico/block.h>
#include <portico/client.h>
#include <stdbool.h>

struct thread_state {
	/* The program's registers, from entry to exit; offsets are known to assembly (offsets.h). */
	struct portico_frame regs;
	/* Linux's number of the call in progress; -1: none, regs are complete (personality_leave took them over). */
	int64_t number;

	uint32_t tid;
	uint32_t slot;
	uint64_t clear_tid;         /* CLONE_CHILD_CLEARTID: word of the program, 0: none */
	uint64_t robust_list;       /* struct robust_list_head of the program */
	uint64_t stack_base;        /* sigaltstack */
	uint64_t stack_size;
	uint32_t stack_flags;       /* SS_DISABLE ... */
	bool restore_mask;          /* sigsuspend, ppoll ...: saved_mask is to come back after the handlers */
	bool restarting;            /* the handler is called again after an interruption without a signal handler */
	uint64_t saved_mask;
	uint64_t deadline;          /* of the wait that is restarted */
	uint64_t parent_exit_signal;
};

_Static_assert(sizeof(struct thread_state) <= 3072, "fits the block");

static inline struct thread_state *thread_self(void)
{
	return (struct thread_state *)client_block()->personality;
}

/* The process as libposix knows it. Copied by fork. */
struct process_state {
	uint32_t pid, parent, group, session; /* group, session: as of the last call that told them */
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t umask;
	uint32_t secure;
	bool threaded;              /* there are, or were, other threads: locks and references count */
	uint32_t thread_count;      /* atomic */
	uint64_t file_limit;        /* RLIMIT_NOFILE, current */
	uint64_t brk_start, brk;
	port_name_t root, cwd;      /* directory rights */
	char name[16];
	char path[256];             /* of the program; "": too long */
};

extern struct process_state process;

/* ---- results ---- */

/* What a handler returns when a signal ended a wait: never seen by the program (signals.c). As in Linux's errno.h. */
enum restart_result {
	ERESTARTSYS = 512,          /* again, unless a handler without SA_RESTART ran: then EINTR */
	ERESTARTNOINTR = 513,       /* again in any case */
	ERESTARTNOHAND = 514,       /* again, unless a handler ran: then EINTR */
	ERESTART_FIRST = 512,
	ERESTART_LAST = 514,
};

/* The way out looks for signals before it returns to the program. */
static inline void attend_to_signals(void)
{
	client_block()->interrupted = 1;
}

/* A stub's errno as a handler's result; EINTR becomes a restartable one. */
static inline int64_t result_of(int error)
{
	if (__builtin_expect(error == EINTR || error == ERESTARTNOINTR, 0)) {
		attend_to_signals();
		return error == EINTR ? -ERESTARTSYS : -ERESTARTNOINTR;
	}
	return -(int64_t)error;
}

/* The same for waits that a handler always ends. */
static inline int64_t interrupted_wait(void)
{
	attend_to_signals();
	return -ERESTARTNOHAND;
}

/* ---- locks: futex words; nobody who holds one is ever suspended by a signal handler ---- */

struct lock {
	uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

/*
 * The process's own locks lie together, so that fork can take them all: no other thread is within any of them then, and the child,
 * which gets them as they are, begins with free ones. Whoever holds one takes no other.
 */
#define PROCESS_LOCK static __attribute__((section(".data.locks"))) struct lock

void lock_slowly(struct lock *lock);
void unlock_slowly(struct lock *lock);

static inline void lock_take(struct lock *lock)
{
	uint32_t free = 0;
	if (process.threaded &&
	    !__atomic_compare_exchange_n(&lock->word, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		lock_slowly(lock);
}

static inline void lock_drop(struct lock *lock)
{
	if (process.threaded && __atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
		unlock_slowly(lock);
}

/* ---- memory of libposix's own ---- */

/* Whole pages, zeroed, private, copied by fork. NULL: none. */
void *pages_allocate(size_t size);
void pages_free(void *pages, size_t size);

/* ---- entry points, entry.S ---- */
extern const char personality_entry[], personality_event[], personality_restart[], restart_begin[], restart_end[];
extern const char text_begin[], text_end[], child_entry[];
_Noreturn void thread_leave(uint64_t address, uint64_t size, uint64_t word, uint64_t status);

#define SYSCALL_HANDLERS 512
typedef int64_t syscall_handler(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
extern const void *const *syscall_handlers; /* the real table or the tracing one */

/* ---- across files ---- */
void personality_leave(struct portico_block *block);
void personality_register(void);

/* threads.c: who is started by child_entry. Lies at the child's first stack pointer. */
struct child_start {
	struct portico_frame regs;      /* the program's, as of the clone call */
	bool process;                   /* a new process; else a thread */
	bool clear_handlers;            /* CLONE_CLEAR_SIGHAND */
	uint32_t tid;                   /* thread */
	uint32_t slot;
	uint64_t blocked;               /* mask that it inherits */
	uint64_t set_tid, clear_tid;    /* words of the program, 0: none */
	uint64_t stack_base, stack_size;
	uint32_t stack_flags;
	void *vectors;                  /* saved vector registers */
	uint64_t vectors_mask;
};

struct clone_request {
	uint64_t flags, stack, parent_tid, child_tid, tls;
	uint32_t exit_signal;
};

int64_t clone_process(const struct clone_request *request);
int64_t clone_thread(const struct clone_request *request);
/* libposix.ld: every PROCESS_LOCK. */
extern struct lock locks_begin[], locks_end[];
void locks_take_all(void);
void locks_drop_all(void);

/* sig pages, signals.c. */
void signals_attach(bool fresh);
void signals_inherit(uint64_t ignored, uint64_t blocked);
void signals_child(const struct child_start *start);
void signals_thread_begin(struct thread_state *thread, uint64_t blocked);
void signals_thread_end(struct thread_state *thread);
uint64_t signals_blocked(const struct thread_state *thread);
uint64_t signals_ignored(void);
bool signals_deliverable(struct thread_state *thread);
void signals_set_blocked(struct thread_state *thread, uint64_t mask);
/*
 * Temporary mask of ppoll and friends: 0 or -errno. The call's result goes through masked_result, so that the way out puts the
 * old mask back, after the handlers.
 */
int64_t signals_use_mask(const uint64_t *mask, size_t size);
static inline int64_t masked_result(int64_t result)
{
	if (thread_self()->restore_mask)
		attend_to_signals();
	return result;
}
/* Raises a signal at the calling thread, as the kernel does on an error (SIGPIPE, SIGXFSZ). */
void signals_raise(int signal);
_Noreturn void process_exit(int32_t status);
/* trace.c: an exception within libposix goes to the kernel log, if the process may write there. */
void trace_crash(const struct portico_block *block);

#endif
