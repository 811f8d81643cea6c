/*
 * proc: processes. Root structure, process records, and what the files of this folder offer each other.
 *
 * Above: libposix (interface proc, and vfs + io for /proc), sig, tty, net, ipcd (server badges). Below: vfs, root, and
 * the kernel (kernel_ops.h). proc calls nobody else; sig and tty learn of changes from the log (changes.c). All state
 * hangs off struct proc_root, in the keep.
 */
#ifndef PROC_PROC_H
#define PROC_PROC_H

#include "capability.h"
#include "elf.h"

#include <portico/rights.h>
#include <portico/server.h>
#include <proc_types.h>
#include <random_generator.h>
#include <stdbool.h>
#include <stdint.h>

#define PID_MAX 32768u
#define PROCESS_BUCKETS 1024u
#define CHANGES_RING 4096u
#define SUBSCRIBERS_MAX 8u
#define LEDGERS_MAX 32u
#define HOST_NAME_MAX 64u
#define IMAGES_MAX 2u

/* Badges on proc's port (brief of the servers): what a right is good for. */
#define BADGE_KIND(badge) ((badge) >> 56)
#define BADGE_PROCESS 0u
#define BADGE_SERVER 1u   /* sig, tty, net, ipcd */
#define BADGE_REFERRAL 2u /* made by vfs: the root of /proc */
#define BADGE_FILE 3u     /* made here: an open file of /proc */

enum process_state {
	PROCESS_ALIVE,
	PROCESS_ZOMBIE,
};

/* A tid beyond the pid itself. */
struct thread_id {
	struct thread_id *hash_next, *process_next;
	struct process *process;
	uint32_t tid;
	uint32_t slot;
};

/* A caller that waits for children. Answered and freed when one is there, none can come, or it is cancelled. */
struct waiter {
	struct waiter *next;
	struct server_reply reply;
	uint32_t kind, id, options;
};

/* A stretch of a process's memory that holds an image of a file: names for /proc/PID/maps. */
struct image_range {
	uint64_t start, end;
	char *path;
};

struct process {
	/* Fixed for life. */
	uint32_t pid;

	/* Lists: table by pid, all processes in order of birth, the family. */
	struct process *hash_next;
	struct process *next, *previous;
	struct process *parent;
	struct process *children, *last_child; /* oldest first */
	struct process *sibling, *previous_sibling;

	/* Life. generation counts execs: principal = pid | generation << 32. */
	uint32_t generation;
	uint8_t state; /* enum process_state */
	bool executed; /* since its birth: setpgid by the parent is EACCES */
	bool stopped;
	bool no_zombies; /* its children leave none */
	bool subreaper;
	bool dumpable;
	bool stop_reported, continued, continue_reported; /* what wait has still to tell */
	uint32_t stop_signal;
	int32_t status;        /* zombie: as wait4 stores it */
	uint32_t exit_signal;  /* told to the parent at death */
	uint32_t death_signal; /* PR_SET_PDEATHSIG */
	uint32_t group, session;
	uint64_t start_time; /* monotonic ns */

	/* Kernel objects, zombie: PORT_NULL. */
	port_name_t task;
	port_name_t thread; /* the first one */

	/* Who it is, what it may. */
	struct credentials cred;
	struct proc_limit limit[RESOURCES];
	int32_t nice;

	/* Accounts. */
	struct rusage usage;          /* of earlier images, or all of a zombie */
	struct rusage children_usage; /* waited for */
	struct thread_id *threads;
	uint32_t thread_count; /* the first one included */

	/* Callers that are parked. */
	struct waiter *waiters;
	struct server_reply vfork; /* of the parent, held by this child */

	struct running_program *program; /* NULL: a zombie */

	/* The image, for /proc. */
	char name[16];
	char *exe; /* path, in the keep; NULL: none */
	uint64_t arguments_start, arguments_end, environment_start, environment_end, stack_start;
	uint64_t code_start, code_end, brk_start;
	struct image_range image[IMAGES_MAX];
};

/* The open file of a program that runs: while it is there, vfs lets nobody write the file. Forked processes share it.
 */
struct running_program {
	port_name_t file;
	uint32_t users;
};

struct subscriber {
	uint64_t server; /* badge: which one it is */
	port_name_t notify;
	uint64_t bits;
};

/* As tty tells it. */
struct terminal {
	uint32_t device, session, group; /* device 0: a free record; session 0: nobody's */
};
#define TERMINALS_MAX 16u

struct ledger_of_user {
	uint32_t uid;
	port_name_t ledger;
};

struct proc_file;

struct proc_root {
	port_name_t vfs; /* control right */
	port_name_t root;
	port_name_t sig, net, ipc;
	port_name_t root_directory;
	port_name_t lent;     /* copy of a task right in the last reply to sig */
	port_name_t libposix; /* its image's memory object */
	uint64_t libposix_size;
	struct elf_plan libposix_plan;
	bool trace; /* option posix-trace */
	bool ended; /* pid 1 is dead */

	struct process *bucket[PROCESS_BUCKETS];
	struct process *first, *last;
	struct process *init; /* pid 1 */
	struct thread_id *tid_bucket[PROCESS_BUCKETS];
	uint32_t last_pid;
	uint32_t process_count;
	uint64_t forks;           /* since boot */
	uint32_t generations;     /* births and execs: no principal comes twice */
	struct rusage dead_usage; /* of all that is reaped, for /proc/stat */

	struct ledger_of_user ledger[LEDGERS_MAX];
	uint32_t ledger_count;
	uint32_t failures_noted;

	uint64_t change_count; /* entries ever written; entry n is in change[n % CHANGES_RING] */
	struct proc_change change[CHANGES_RING];
	struct subscriber subscriber[SUBSCRIBERS_MAX];
	uint32_t subscriber_count;

	struct terminal terminal[TERMINALS_MAX];

	struct random_generator random;

	char host_name[2][HOST_NAME_MAX + 1]; /* host, domain */

	struct proc_file *files; /* open files of /proc */
	uint64_t next_file;
};

extern struct proc_root *root;

/* A right of interface proc, by its badge. */
struct proc_right {
	bool server;
};

/* ---- table.c: records by pid and tid ---- */

struct process *process_by_pid(uint32_t pid);
/* The live caller of a request; NULL: an image that is no more, or no process. */
struct process *process_of_principal(uint64_t principal);
uint64_t process_principal(const struct process *p);
/* A new record with a fresh pid and no family; NULL: no memory or no pid left. */
struct process *process_create(void);
/* Takes it off every list and frees it. Its children must have another parent by now. */
void process_destroy(struct process *p);
void process_adopt(struct process *parent, struct process *child);
uint32_t processes_of_user(uint32_t uid);
/* Takes over the right if it succeeds; NULL: no memory. One user. */
struct running_program *program_create(port_name_t file);
/* The process runs it no more. */
void program_leave(struct process *p);
struct thread_id *thread_by_tid(uint32_t tid);
/* 0 or EAGAIN. */
int thread_id_create(struct process *p, uint32_t slot, uint32_t *tid);
void thread_id_destroy(struct thread_id *t);
void thread_ids_destroy(struct process *p);
/* The process that a pid or tid belongs to; NULL: none. */
struct process *process_by_any_id(uint32_t id);

/* ---- group.c ---- */

bool group_exists(uint32_t group, uint32_t session);

/* ---- credentials.c ---- */

bool has_capability(const struct process *p, enum capability c);
/* Credentials after an exec of a file with these attributes (mode, uid, gid). Returns AT_SECURE. */
bool credentials_exec(const struct process *p, uint32_t mode, uint32_t uid, uint32_t gid, struct credentials *cred);

/* ---- changes.c ---- */

void change_log(const struct process *p, enum proc_change_kind kind, int32_t status, uint32_t signal);
/* The same in two steps, for many changes: nobody is told before changes_announce(). */
void change_record(const struct process *p, enum proc_change_kind kind, int32_t status, uint32_t signal);
void changes_announce(void);

/* ---- birth.c: tasks and their rights ---- */

port_name_t ledger_of(uint32_t uid);
/*
 * An errno of a step that no caller can make fail is passed on, and noted in the log: the next one to see it should
 * know which step it was. The first few only, for whoever uses up the memory may come often.
 */
int birth_failed(const struct process *p, const char *step, int error);
/* Principal, well-known rights, death notice of a new task. 0 or an errno. */
int task_equip(port_name_t task, uint64_t principal, port_name_t root_dir, port_name_t cwd);
/* Tells vfs of a principal. 0 or an errno. */
int session_begin(uint64_t principal, uint64_t parent, const struct credentials *cred);

/* ---- exit.c ---- */

/* The process is dead by now; the caller may hold no pointer to it afterwards. status: as wait4 stores it. */
void process_die(struct process *p, int32_t status);
/* The parent that waits in vfork goes on. */
void vfork_release(struct process *child);
void task_usage(port_name_t task, struct rusage *usage);
void usage_add(struct rusage *sum, const struct rusage *more);

/* ---- wait.c ---- */

/* Something happened to a child: looks whether a waiter of its parent can be answered. */
void waiters_check(struct process *parent);
/* All waiters of a process go (it dies or execs). */
void waiters_drop(struct process *p);
/* server_on_cancel. */
void wait_cancelled(uint64_t request, bool died);

/* ---- upper.c ---- */

/* The controlling terminal of a session; NULL: it has none. */
const struct terminal *terminal_of_session(uint32_t session);

/* ---- limit.c ---- */

void limits_default(struct process *p);
uint32_t nice_priority(int32_t nice);

/* ---- main.c ---- */

/* All of the start but the event loop, whose first deferred step starts pid 1. Panics if it cannot. */
void proc_initialise(port_name_t root_server);

/* ---- start.c ---- */

/* Builds pid 1: a deferred step. Panics if it cannot. */
void start_init(void);

/* ---- random.c ---- */

void random_bytes(void *to, size_t size);

/* ---- text.c: strings in the keep ---- */

char *keep_string(const char *text);

/* ---- procfs.c ---- */

void procfs_no_senders(uint64_t badge, uint64_t make_send);

#endif
