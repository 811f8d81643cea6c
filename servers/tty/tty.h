/*
 * tty: terminals. Line discipline, job control, the console on COM1, the raw host outputs.
 *
 * Above: libposix, through interfaces io and tty on rights that vfs minted (badge: device, open flags, serial number).
 * Below: sig (signals, background checks), proc (who is who), serial (bytes). Calls go down only; the serial driver and
 * proc notify.
 *
 * An open file description is one badge. tty sees it first with its first request: that is when the open takes effect
 * (controlling terminal, /dev/tty). The last close is the no-senders notification.
 */
#ifndef TTY_H
#define TTY_H

#include "discipline.h"
#include <portico/devices.h>
#include <portico/server.h>
#include <portico/server_sessions.h>

/* Linux's open flags. */
enum open_flag {
	O_ACCMODE = 03,
	O_RDONLY = 0,
	O_WRONLY = 01,
	O_RDWR = 02,
	O_NOCTTY = 0400,
	O_APPEND = 02000,
	O_NONBLOCK = 04000,
	O_ASYNC = 020000,
	O_DIRECT = 040000,
	O_NOATIME = 01000000,
};
#define FLAGS_CHANGEABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

#define TERMINALS 2u
#define FILE_BUCKETS 64u
#define INLINE_MAX 2048u

/* Bits of the service port's notifications. */
#define NOTIFY_CHANGES UINT64_C(1)
#define NOTIFY_INPUT(index) (UINT64_C(0x100) << (index))
#define NOTIFY_OUTPUT(index) (UINT64_C(0x10000) << (index))

struct open_file;
struct terminal;

enum waiter_kind { WAIT_READ, WAIT_READ_INLINE, WAIT_WRITE, WAIT_WRITE_INLINE, WAIT_DRAIN, WAIT_SET_ATTRIBUTES };

/* A parked caller. Belongs to the queue of one terminal. */
struct waiter {
	struct waiter *next;
	struct server_reply reply;
	struct open_file *file;
	uint8_t kind; /* enum waiter_kind */
	uint8_t when; /* WAIT_SET_ATTRIBUTES: enum tty_when */
	struct server_window window;
	uint64_t size, done;        /* bytes wanted, bytes taken (writes) */
	uint64_t deadline;          /* reads with VTIME: DEADLINE_NEVER while there is none */
	uint32_t seen;              /* reads with VTIME and VMIN: bytes in the queue when the deadline was set */
	struct tty_termios termios; /* WAIT_SET_ATTRIBUTES */
	uint8_t bytes[];            /* WAIT_WRITE_INLINE */
};

struct terminal {
	struct discipline d;
	port_name_t serial; /* line of the driver, PORT_NULL: not there */
	bool raw_only;      /* a host output and nothing else */
	bool exclusive;
	uint8_t index;
	uint32_t session, group; /* whose controlling terminal, and its foreground group; 0: none */
	uint32_t epoch;          /* counts hang-ups: open files of an earlier one are dead */
	struct tty_window_size size;
	uint32_t mode, uid, gid; /* as fchmod and fchown set them */
	struct timestamp accessed, modified, changed;
	struct waiter *readers, *writers, *drainers;
	struct open_file *files;
	struct ring backlog; /* from the driver, not yet fed */
	uint8_t backlog_bytes[4096];
};

struct open_file {
	struct open_file *next;      /* in its bucket */
	struct open_file *next_file; /* of the terminal */
	struct terminal *terminal;   /* NULL: /dev/tty without a controlling terminal */
	uint64_t badge;
	uint64_t device;
	uint32_t flags; /* O_* */
	uint32_t epoch;
	uint32_t ready; /* readiness slot, 0: none yet */
	bool raw;       /* a host output */
	bool refused;   /* opened while another had exclusive use */
};

/* The keep's root structure. */
struct tty {
	struct terminal terminal[TERMINALS];
	struct open_file *bucket[FILE_BUCKETS];
	struct server_sessions sessions;
	port_name_t sig;
	uint32_t next_serial; /* of badges that reopen makes */
};
extern struct tty *tty;

/* ---- files.c: open file descriptions ---- */
/* The file of a badge, made at its first use by `principal`. NULL: unknown device or no memory. */
struct open_file *file_find(uint64_t badge, uint64_t principal);
void file_closed(uint64_t badge, uint64_t make_send);
/* 0, or why nothing can be done with it: ENXIO, EBUSY (exclusive use), EIO (hung up). */
int file_check(const struct open_file *file);
bool file_hung_up(const struct open_file *file);

/* ---- terminal.c: queues, waiters, the line ---- */
void terminal_init(struct terminal *t, unsigned index, bool raw_only);
/* Lets everything go on that can: input from the backlog, output to the driver, readers, writers, drainers, readiness.
 */
void terminal_run(struct terminal *t);
/* A transaction of its own for what terminal_run left: nobody can make one so long that its log would not hold it. */
void terminals_go_on(void);
#define RUN_BYTES 8192u /* of writers, in one run */
/* The driver says that bytes have come. */
void terminal_pull(struct terminal *t);
/* Ends every waiter of a file, or of all files if NULL: reads with end of file, others with EIO. */
void terminal_abort(struct terminal *t, const struct open_file *file);
void terminal_cancelled(uint64_t request, bool died);
/* Is there output that the line has not sent? */
bool terminal_output_pending(struct terminal *t);
uint64_t terminal_output_count(struct terminal *t);
void terminal_ready(struct terminal *t);
uint32_t file_events(const struct open_file *file);
void terminal_apply(struct terminal *t, const struct tty_termios *termios, uint32_t when);

/* ---- wait.c: parked callers ---- */
struct waiter *waiter_add(struct waiter **queue, struct open_file *file, enum waiter_kind kind, size_t extra);
void waiter_remove(struct waiter **queue, struct waiter *waiter);
/* A read that may be answered now: tries; true when it was answered. */
bool waiter_read(struct terminal *t, struct waiter *waiter, bool forced);
/* Moves up to *budget bytes of a write, which becomes less; true when it was answered. */
bool waiter_write(struct terminal *t, struct waiter *waiter, uint32_t *budget);
/* server_window_read() of bytes that decide what is done next: another execution gets the same. */
int64_t waiter_take(const struct server_window *window, uint64_t offset, void *to, size_t size);
void waiter_fail(struct waiter *waiter, int error);
/* The line is gone: end of file for a read, EIO for the rest. */
void waiter_hang_up(struct waiter *waiter);
/* Arms the server's timer for the earliest deadline. */
void waiters_arm(void);
/* The timer: reads that have waited long enough, output that is to be looked at again. */
void waiters_expired(void);

/* ---- jobs.c: job control ---- */
void jobs_changed(const struct proc_change *change, struct server_session *session);
/* What open does for a session leader without a controlling terminal. */
void jobs_opened(struct open_file *file, uint64_t principal);
/* The caller's controlling terminal, NULL: none. */
struct terminal *jobs_terminal(uint64_t principal);
int jobs_acquire(struct terminal *t, uint64_t principal, bool steal);
int jobs_release(struct terminal *t, uint64_t principal);
/* May the caller go on? 0, EINTR (signalled), EIO. signal: SIGTTIN for reads, SIGTTOU for writes (with TOSTOP) and
 * settings. */
int jobs_check(struct terminal *t, uint64_t principal, int signal);
int jobs_set_group(struct terminal *t, uint64_t principal, uint32_t group);
/* A signal for the foreground group. */
void jobs_signal(struct terminal *t, int signal);

static inline bool file_reads(const struct open_file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}
static inline bool file_writes(const struct open_file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

#endif
