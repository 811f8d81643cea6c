/*
 * root: the first task. Starts the servers from boot modules, names them, gives drivers their devices, ends the system.
 *
 * Above: every server, through interface root. Below: the kernel; root calls nobody. It does not restart what dies: the
 * system then ends with a failing status (recovery comes with the recovery domains of the design's section 6).
 */
#ifndef ROOT_H
#define ROOT_H

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

/* A server in its present life; index as in root_plan. The badge of its right to root is index + 1. */
struct root_client {
	port_name_t service; /* mintable send right to its service port */
	port_name_t domain, ledger;
	port_name_t task;                 /* the incarnation, PORT_NULL: there is none */
	port_name_t granted[ROOT_GRANTS]; /* rights made for it, by index of its grants */
	port_name_t ports[4], interrupt[4];
	uint32_t failures;                /* attempts in a row to make one that failed */
	uint32_t incarnation;             /* number of the present or last one */
};

/* The keep's root structure. */
struct root {
	struct root_module module[ROOT_MODULES];
	unsigned modules;
	struct root_client client[ROOT_SERVERS];
	char command_line[COMMAND_LINE_MAX];
	bool ending;
};
extern struct root *root;

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
};
/*
 * Reads the headers of a static ELF64 for x86_64: `bytes` are the first `length` ones of a file of `file_size`. NULL,
 * or what is wrong with it. Segments are page-congruent, inside the file, inside the user's address space, ascending,
 * and none is writable and executable.
 */
const char *image_parse(const void *bytes, size_t length, uint64_t file_size, struct image *image);

/* ---- start.c ---- */
/* Creates the service port of every server of the plan whose module is there. */
void servers_create(void);
/* Starts each, bottom of the call order first. */
void servers_start(void);
/* Makes a new incarnation of a server that has none. 0 or a kern_status: it has none then either. */
int64_t server_incarnate(unsigned index, uint64_t flags);

/* ---- power.c ---- */
/* Logs the exit status that a wait status stands for, and ends the machine. Returns only if the kernel refuses. */
void power_end(uint32_t action, int32_t wait_status);
/* Ends the machine without an exit status: whoever started it takes that as the failure that it is. */
void power_off(uint32_t action);
/* Exit status as a shell gives it: the code, or 128 + signal. */
int power_exit_status(int32_t wait_status);

#endif
