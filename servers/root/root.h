/*
 * root: the first task. Starts the servers from boot modules, names them, gives drivers their devices, makes a new
 * incarnation of one that has ended, answers the administrator at /dev/supervisor, ends the system.
 *
 * Above: every server, through interface root; svc(8), through interface io on a port of its own. Below: the kernel;
 * root calls nobody.
 */
#ifndef ROOT_H
#define ROOT_H

#include <portico/domain.h>
#include <portico/server.h>

#define ROOT_MODULES 32u
#define ROOT_SERVERS 16u
#define ROOT_GRANTS 8u
#define COMMAND_LINE_MAX 16384u
#define OPTION_MAX 2048u /* idl/root.idl: bytes of a value */

/* Interface spaces in badges; what is below bit 56 is the server's own. */
#define BADGE_CONTROL (UINT64_C(1) << 56)
#define BADGE_OTHER (UINT64_C(2) << 56)

/* What a server may look up: the name it asks by, who serves it, and the right that it gets. */
struct root_grant {
	const char *name; /* NULL ends the list */
	const char *server;
	uint64_t badge;
	uint32_t flags; /* RIGHT_MINT or 0 */
};

struct root_ports {
	uint16_t first, count;
};

/* One line of the boot plan (plan.c): constant. */
struct root_plan {
	const char *name;       /* of the boot module and of the service */
	uint8_t priority;       /* 0 to 31 */
	uint8_t memory_percent; /* of the machine, as the ledger's limit */
	bool power;             /* may end the system and set the clock */
	bool modules;           /* may have boot modules */
	uint32_t kernel_kib;    /* kernel memory, the ledger's limit */
	uint32_t budget_ms;     /* processor time for one request, then it is a hang; 0: two seconds */
	struct root_grant grant[ROOT_GRANTS];
	struct root_ports ports[4]; /* I/O ports; count 0 ends the list */
	uint8_t line[4];            /* interrupt lines; 0 ends the list */
};
extern const struct root_plan root_plan[];
extern const unsigned root_plan_count;

/* A boot module. */
struct root_module {
	char name[64];
	port_name_t object;
	uint64_t size;
};

/* Why an incarnation ended. */
enum cause {
	CAUSE_NONE,
	CAUSE_KILLED,    /* by somebody */
	CAUSE_CAMPAIGN,  /* by the campaign */
	CAUSE_EXCEPTION, /* by itself, as the next two */
	CAUSE_EXIT,
	CAUSE_HANG,    /* root ended it because one request took too long */
	CAUSE_RESTART, /* an administrator asked for it */
	CAUSE_UPDATE,  /* ... for another image */
	CAUSE_UNKNOWN, /* root itself: the kernel knows */
};

/* What was done about it; each is worse than the one before. */
enum action {
	ACTION_RESTART, /* the next incarnation goes on where it was */
	ACTION_GIVE_UP, /* it answers the request in service with an error */
	ACTION_COLD,    /* it begins with an empty keep */
	ACTION_REBOOT,
	ACTION_OLD_IMAGE, /* the update is taken back, and the next incarnation goes on */
	ACTION_KEPT,      /* of the end of a migrator: the present incarnation goes on */
};

#define LADDER_WINDOW 8u

/* What is remembered of a server's faults to choose the next step. All zero: none. */
struct ladder {
	uint64_t blamed; /* the request: its number among the commits */
	uint64_t chain;  /* ns: when work that is never over was last ended; 0: never */
	uint32_t faults; /* of incarnations that had it in service */
	uint32_t unborn; /* incarnations in a row that had nothing and did not come to their first receive */
	uint64_t fault[LADDER_WINDOW]; /* ns: the last ones, a ring */
	uint64_t cold[LADDER_WINDOW];  /* ... cold starts */
	uint32_t fault_next, cold_next;
};

/* The end of an incarnation, for ladder_step. */
struct ending {
	bool own;         /* a fault, exit or hang of its own */
	bool unborn;      /* it had an empty keep and did not come to its first receive */
	bool chained;     /* a hang in transactions that go on and on, each of which ends */
	uint64_t commits; /* what it had done in all: tells requests from each other */
	uint64_t now;     /* ns */
};

/* An entry of the journal. */
struct incident {
	uint64_t number; /* from 1 */
	uint64_t time;   /* ns, monotonic */
	int64_t realtime;
	uint64_t delay; /* ns until the next incarnation */
	uint8_t server; /* index, or SERVER_ROOT: then nothing else is known */
	uint8_t cause;  /* enum cause */
	uint8_t action; /* enum action */
	struct domain_info info;
};
#define JOURNAL 64u

/* A program that is not the boot module's. */
struct root_image {
	port_name_t object; /* PORT_NULL: the boot module is meant */
	uint64_t size;
};

enum update_state {
	UPDATE_NONE,
	UPDATE_WAITING,   /* for the end of a request */
	UPDATE_MIGRATING, /* the old incarnation is suspended, a migrator works on a copy of its keep */
	UPDATE_TRIAL,     /* the new program runs, and is taken back if it faults */
	UPDATE_DONE,
	UPDATE_FAILED,      /* migration.why tells why */
	UPDATE_BUSY,        /* no request ended in time */
	UPDATE_NO_WAY_BACK, /* it faulted, and what it did meanwhile is in a keep that the old program cannot read */
	UPDATE_BACK,        /* on trial, and to be taken back at the end of a request; no migration was needed */
	UPDATE_RETURNED,    /* that has happened */
};

/* What became of a migration. */
enum migration_end {
	MIGRATION_END_NONE,
	MIGRATION_END_DONE,
	MIGRATION_END_KILLED, /* by others: it is tried again */
	MIGRATION_END_EXCEPTION,
	MIGRATION_END_HANG,
	MIGRATION_END_EXIT,    /* it panicked, or ended in a way that is not known */
	MIGRATION_END_UNKNOWN, /* no migration from the layout that the keep has */
	MIGRATION_END_DAMAGED, /* the keep was not in order */
	MIGRATION_END_REFUSED, /* it returned an error */
	MIGRATION_END_CHECK,   /* the result was not in order */
	MIGRATION_END_NO_MEMORY,
};

/* An update to another layout. */
struct root_migration {
	bool wanted;              /* the update needs one */
	bool hung;                /* root has ended the migrator because it took too long */
	uint8_t why;              /* enum migration_end */
	port_name_t domain, task; /* the migrator's, PORT_NULL: there is none */
	port_name_t copy;         /* of the keep: what it works on */
	port_name_t old_keep;     /* after the switch: the keep as it was; PORT_NULL: there is no way back */
	uint64_t last_commits;    /* up to here the new program has committed nothing */
	uint64_t until;           /* ns: the migrator has to have ended */
	uint32_t attempts;
};

/* How long updates took, ns, from when the old incarnation was stopped; see pause.c. */
struct root_pauses {
	uint64_t stopped;         /* monotonic ns */
	uint64_t ready, answered; /* of the last update: until the new incarnation received, until its first answer; 0: not yet */
	uint64_t longest_ready, longest_answered;
	uint64_t total_ready;    /* of `updates` */
	uint64_t longest_failed; /* until the old incarnation was resumed */
	uint32_t updates, failures;
};

/* A server in its present life; index as in root_plan. The badge of its right to root is index + 1. */
struct root_client {
	port_name_t service; /* send right to its service port, mintable, may notify */
	port_name_t domain, ledger;
	port_name_t keep;                 /* memory object of its keep */
	port_name_t log;                  /* ... of its transaction log */
	port_name_t task, thread;         /* the incarnation, PORT_NULL: there is none */
	port_name_t granted[ROOT_GRANTS]; /* rights made for it, by index of its grants */
	port_name_t ports[4], interrupt[4];
	uint32_t failures;    /* attempts in a row to make one that failed */
	uint32_t incarnation; /* number of the present or last one */
	uint32_t restarts;
	uint8_t ending;          /* enum cause: root has asked the kernel to end the incarnation */
	uint8_t last_cause;      /* enum cause, of the last end */
	uint8_t action;          /* enum action: how the next incarnation is to be made */
	uint8_t wanted;          /* enum cause: end it as soon as it is between requests */
	bool wanted_cold;        /* ... and let the next one begin with nothing */
	bool cold;               /* the incarnation began with an empty keep */
	uint64_t wanted_until;   /* ns: then wherever it is */
	struct root_image image; /* of the present incarnation */
	struct root_image other; /* while waiting: the new one; on trial: the old one */
	uint64_t trial;          /* ns: for how long */
	uint64_t trial_until;    /* ns */
	uint8_t update;          /* enum update_state */
	bool remap;              /* the keep is another one than the last incarnation's */
	struct root_migration migration;
	struct root_pauses pauses;
	uint64_t chain_since;    /* ns of its processor time: since then it has done nothing that a message asked for; 0: it has */
	bool chained;            /* that was too long */
	uint64_t entry;          /* address of its first instruction */
	uint64_t commits;        /* when the present incarnation began */
	struct ladder ladder;
	uint64_t started, ended; /* ns: the present incarnation, the end of the last one */
	uint64_t start_at;       /* ns: when the next one is to be made; 0: there is one */
};

/* Servers are terminated in turn, as a test of recovery. */
struct campaign {
	uint64_t period, next; /* ns; period 0: off */
	uint8_t victim[ROOT_SERVERS + 1];
	unsigned count, turn;
	uint64_t kills;
};

struct supervisor_file;

/* The keep's root structure. */
struct root {
	struct root_module module[ROOT_MODULES];
	unsigned modules;
	struct root_client client[ROOT_SERVERS];
	char command_line[COMMAND_LINE_MAX];
	bool ending;
	port_name_t supervisor; /* receive right: what /dev/supervisor leads to */
	struct supervisor_file *files;
	unsigned file_count;
	struct campaign campaign;
	struct incident journal[JOURNAL]; /* a ring by number */
	uint64_t incidents;
	uint64_t watch_at;                 /* ns: when to look for hangs */
	uint64_t incarnation, started;     /* root's own, as last looked at */
	uint8_t kill_with[ROOT_SERVERS];   /* plus 1: the server that is to end when this one has (killpoint.c); 0: none */
	uint64_t suicide;                  /* number of the incarnation of root that is to end; 0: none */
	uint8_t suicide_cause, last_cause; /* enum cause */
};
extern struct root *root;

/* Beside indices of root_plan: root itself. */
#define SERVER_ROOT ROOT_SERVERS

/* ---- modules.c ---- */
/* Takes the list of boot modules and the command line over from the kernel. */
void modules_read(void);
/* NULL: no module of that name. */
const struct root_module *module_find(const char *name);

/* ---- options.c: pure ---- */
/*
 * Looks for the word `name` or `name=value` in a command line. ENOENT: absent; ERANGE: the value has `size` bytes or
 * more. A bare word has the value "". The last occurrence counts.
 */
int option_find(const char *line, const char *name, char *value, size_t size);

/* ---- image.c: pure ---- */
struct image_segment {
	uint64_t address, memory_size; /* address as linked */
	uint64_t offset, file_size;
	bool write, execute;
};
#define IMAGE_SEGMENTS 8u
struct image {
	uint64_t entry;
	unsigned count;
	struct image_segment segment[IMAGE_SEGMENTS];
	uint64_t note_offset, note_size; /* PT_NOTE, in the file; size 0: there is none */
};
#define IMAGE_NOTES_MAX 2048u
/*
 * Reads the headers of a static ELF64 for x86_64: `bytes` are the first `length` ones of a file of `file_size`. NULL,
 * or what is wrong with it. Segments are page-congruent, inside the file, inside the user's address space, ascending,
 * and none is writable and executable.
 */
const char *image_parse(const void *bytes, size_t length, uint64_t file_size, struct image *image);

/*
 * The n-th layout note of a type (LAYOUT_NOTE_*) among `size` bytes of notes: owner "portico.layout", whose descriptor is a fingerprint of what a keep
 * looks like. Returns it, and its length; NULL: there is none.
 */
const void *image_layout(const void *notes, size_t size, uint32_t type, unsigned n, size_t *length);

/* The notes of a program. */
struct image_notes {
	uint8_t bytes[IMAGE_NOTES_MAX];
	size_t size;
	const void *own; /* LAYOUT_LENGTH digits, in `bytes`; NULL: it does not say */
};

/* ---- start.c ---- */
/* Creates the service port of every server of the plan whose module is there. */
void servers_create(void);
/* Starts each, bottom of the call order first. */
void servers_start(void);
/* Makes a new incarnation of a server that has none. 0 or a kern_status: it has none then either. */
int64_t server_incarnate(unsigned index, uint64_t flags);
/* The same, but everything that the server knew is forgotten first: it starts as at boot. */
int64_t server_incarnate_cold(unsigned index);
#define ROOT_KEEP_SIZE (UINT64_C(1) << 30) /* bytes of a server's keep */
/* Text, data, stack and a thread, started by the commit, for a task that has its shared memory. The task's death is told with `cookie`. */
struct server_thread {
	port_name_t name;
	uint64_t entry;
};
int64_t server_equip(const struct root_plan *plan, port_name_t task, const struct root_image *program, uint64_t cookie,
                     uint64_t flags, struct server_thread *thread);
/* Address of the first instruction; 0: no image. */
uint64_t server_entry(unsigned index);

/* ---- ladder.c: pure ---- */
/* What is to be done, and in how many ns. */
enum action ladder_step(struct ladder *ladder, const struct ending *ending, uint64_t *delay);

/* ---- journal.c ---- */
/* A new entry, the oldest one goes; the caller fills cause, action and info. */
struct incident *journal_add(unsigned server);
/* The entry with that number, NULL: it is no more or not yet. */
const struct incident *journal_get(uint64_t number);
/* "vfs.open", "notification", ...: what message it was. `text` holds 64 bytes. */
void journal_request(const struct domain_info *info, char *text);

/* ---- supervise.c: watching and ending incarnations ---- */
/* What the kernel says about a server's domain; sampled. A negative kern_status: nothing. */
int64_t supervise_look(unsigned index, struct domain_info *info);
int64_t supervise_look_at(port_name_t domain, struct domain_info *info);
/* Ends the incarnation; SERVER_ROOT: root's own, after this transaction. 0, or an errno: ESRCH there is none. */
int supervise_kill(unsigned index, enum cause cause);
/* Ends it between two requests: at once, or a little later by the timer. */
int supervise_restart(unsigned index, enum cause cause, bool cold);
/* The incarnation goes on at `rip`. EBUSY: it waits for another server. */
int supervise_divert(unsigned index, uint64_t rip);
/* Servers with these indices in turn, every `period` ns; 0: no more. */
void supervise_campaign(uint64_t period, const uint8_t *victims, unsigned count);
/* Makes root's counters, timer and handlers known; in every incarnation. */
void supervise_register(void);
/* First use of the timer; cold. */
void supervise_start(void);
void supervise_self(void);

/* ---- update.c: another program for a running server ---- */
#define TRIAL_DEFAULT UINT64_C(1000000000) /* ns */
/*
 * Takes an object with a program over: the next incarnation is made of it, as soon as a request has ended; it is on
 * trial for `trial` ns. NULL, or why not: then it is released.
 */
const char *update_begin(unsigned index, port_name_t object, uint64_t size, uint64_t trial);
/* The program on trial goes, as soon as a request has ended, or two seconds later wherever it is. NULL, or why not. */
const char *update_back(unsigned index);
/* An incarnation has ended: which program the next one is made of. True: it failed on trial, and is taken back. */
bool update_died(unsigned index, enum cause cause, bool own);
/* The time on trial is over. */
void update_tick(unsigned index, uint64_t now);
/* Waiting was in vain, and it is not done. False: the incarnation has to end wherever it is. */
bool update_cancel(unsigned index);
const char *update_text(unsigned index);
bool update_is_error(unsigned index);
/* The old incarnation is suspended between two requests. True: it stays so, a migration has begun; false: it is to be ended. */
bool update_stopped(unsigned index, uint64_t now);
/* The new program goes. */
void update_failed(unsigned index);
void update_notes(const struct root_image *program, struct image_notes *notes);
/* Where the present program of a server lies. */
struct root_image update_image(unsigned index);

/* Does it wait for a message, and is it kept from taking one? For a suspended incarnation. */
bool supervise_between(unsigned index);

/* ---- migrate.c: a keep of another layout ---- */
#define MIGRATOR_COOKIE UINT64_C(0x100) /* plus the index: of a migrator's death */
/* The old incarnation is suspended; the new program is client->other. */
void migrate_begin(unsigned index, uint64_t now);
void migrate_died(port_name_t task, unsigned index);
void migrate_tick(unsigned index, uint64_t now);
/* The old incarnation has ended meanwhile: nothing of the migration is left. */
void migrate_interrupted(unsigned index);
/* The next incarnation gets the migrated keep, if there is one. */
void migrate_switch(unsigned index);
/* The next incarnation gets the old keep; false: there is no way back. */
bool migrate_back(unsigned index);
/* From here on there is none. */
void migrate_settle(unsigned index);

/* ---- verdict.c: pure ---- */
/* `migrated`: the copy carries the new program's fingerprint. */
enum migration_end migration_verdict(const struct domain_info *info, bool hung, bool migrated);
const char *migration_end_text(enum migration_end end);

/* ---- pause.c ---- */
/* Looks whether the pause of the present update is known by now. */
void update_pause(unsigned index);
/* The old incarnation goes on after an update that failed. */
void update_resumed(unsigned index);

/* ---- answer.c: text that grows ---- */
struct answer {
	char *text; /* in the keep */
	size_t length, size;
	bool short_of_memory;
};
void answer_add(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void answer_free(struct answer *answer);

/* ---- command.c: what is written to /dev/supervisor ---- */
/* An answer that is made as it is read: incidents from `next` to `last`. */
struct report {
	uint64_t next, last; /* last 0: nothing */
	bool json;
	bool begun; /* there was one */
};

/* What a command wants besides: bytes that follow its line. */
struct upload {
	uint8_t server;
	port_name_t object; /* PORT_NULL: nothing */
	uint64_t size, done;
	uint64_t trial; /* ns */
};

/* What outlasts a command. */
struct session {
	struct upload upload;
	struct report report;
};
/* Executes a line without its newline, which it cuts into words. What is wrong is told in the answer: "error: ...". */
void command_execute(char *line, struct answer *answer, struct session *session);
/* All bytes are there. */
void command_uploaded(struct upload *upload, struct answer *answer);
/* Index of a server, or SERVER_ROOT; -1: there is none. */
int server_index(const char *name);
const char *server_title(unsigned index);

/* ---- flip.c: injected corruption of a keep ---- */
#define FLIP_ANY UINT64_MAX
/* "bits N": how many of the keep are in use. */
void flip_size(unsigned index, struct answer *answer);
/* "bit N": that bit, or the same one of the next word that is not zero: free and unused memory is passed over. */
void flip_used(unsigned index, uint64_t bit, struct answer *answer);
/*
 * Changes one of them, if its byte has the value `only` (FLIP_ANY: any), and answers with the byte's values. ESRCH: there is
 * no incarnation; EBUSY: it is not between two requests.
 */
int flip_bit(unsigned index, uint64_t bit, uint64_t only, struct answer *answer);

/* ---- killpoint.c: enumerated kill points ---- */
#define KILLPOINT_ALONE UINT32_MAX
/*
 * The server ends at the n-th kill point from now on (0: not), and once more `again` points later; when it has ended for the first time, the incarnation of
 * server `with` (KILLPOINT_ALONE: of none) is ended, too. The answer says what became of the order before.
 * SERVER_ROOT: root itself, from the commit on, and alone. ESRCH: there is no incarnation.
 */
int killpoint_order(unsigned index, uint64_t countdown, uint64_t again, unsigned with, struct answer *answer);
/* An incarnation has ended, and the next one is not made yet. */
void killpoint_died(unsigned index);
/* What the command line orders for a server that has just got its thread, and its endpoint with it; for SERVER_ROOT at the end of root's start. */
void killpoint_boot(unsigned index, port_name_t task);

/* ---- report.c: list and log as text and as JSON ---- */
/* "killed", "exception", ... */
const char *cause_name(unsigned cause);
/* "restarted", ... */
const char *action_name(unsigned action);
void report_list(struct answer *answer, bool json);
/* pause.c: the updates of each server. */
void report_updates(struct answer *answer, bool json);
/*
 * The journal, an incident at a time, because a transaction has to be short: the beginning, and then what follows as it
 * is read. False: there is no more. Incidents up to the number `since` are left out.
 */
void report_log(struct answer *answer, struct report *report, bool json, uint64_t since);
bool report_more(struct answer *answer, struct report *report);

/* ---- supervisor.c: open files of /dev/supervisor ---- */
void supervisor_start(void);
void supervisor_closed(uint64_t badge, uint64_t make_send);

/* ---- power.c ---- */
/* Logs the exit status that a wait status stands for, and ends the machine. Returns only if the kernel refuses. */
void power_end(uint32_t action, int32_t wait_status);
/* Ends the machine without an exit status: whoever started it takes that as the failure that it is. */
void power_off(uint32_t action);
/* Exit status as a shell gives it: the code, or 128 + signal. */
int power_exit_status(int32_t wait_status);

#endif
