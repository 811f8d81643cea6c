/*
 * The line discipline: termios(3) and POSIX.1-2017 chapter 11 over byte queues. Pure: no messages, no time, no
 * processes.
 *
 * Above: terminal.c feeds it what comes from the line, moves its output to the line, and reads. What it cannot do
 * itself (signals) it returns. Where POSIX leaves room it does what Linux's n_tty does.
 */
#ifndef TTY_DISCIPLINE_H
#define TTY_DISCIPLINE_H

#include <portico/ring.h>
#include <tty_types.h>

/* Linux's numbers for x86_64: asm-generic/termbits.h. */
enum input_flag {
	IGNBRK = 0x1,
	BRKINT = 0x2,
	IGNPAR = 0x4,
	PARMRK = 0x8,
	INPCK = 0x10,
	ISTRIP = 0x20,
	INLCR = 0x40,
	IGNCR = 0x80,
	ICRNL = 0x100,
	IUCLC = 0x200,
	IXON = 0x400,
	IXANY = 0x800,
	IXOFF = 0x1000,
	IMAXBEL = 0x2000,
	IUTF8 = 0x4000,
};

enum output_flag {
	OPOST = 0x1,
	OLCUC = 0x2,
	ONLCR = 0x4,
	OCRNL = 0x8,
	ONOCR = 0x10,
	ONLRET = 0x20,
	TABDLY = 0x1800,
	XTABS = 0x1800,
};

enum control_flag {
	B38400 = 0xf,
	B115200 = 0x1002,
	CBAUD = 0x100f,
	CS8 = 0x30,
	CREAD = 0x80,
	HUPCL = 0x400,
	CLOCAL = 0x800,
};

enum local_flag {
	ISIG = 0x1,
	ICANON = 0x2,
	ECHO = 0x8,
	ECHOE = 0x10,
	ECHOK = 0x20,
	ECHONL = 0x40,
	NOFLSH = 0x80,
	TOSTOP = 0x100,
	ECHOCTL = 0x200,
	ECHOPRT = 0x400,
	ECHOKE = 0x800,
	IEXTEN = 0x8000,
};

enum character {
	VINTR = 0,
	VQUIT = 1,
	VERASE = 2,
	VKILL = 3,
	VEOF = 4,
	VTIME = 5,
	VMIN = 6,
	VSTART = 8,
	VSTOP = 9,
	VSUSP = 10,
	VEOL = 11,
	VREPRINT = 12,
	VDISCARD = 13,
	VWERASE = 14,
	VLNEXT = 15,
	VEOL2 = 16,
};

enum terminal_signal {
	TTY_SIGHUP = 1,
	TTY_SIGINT = 2,
	TTY_SIGQUIT = 3,
	TTY_SIGCONT = 18,
	TTY_SIGTSTP = 20,
	TTY_SIGTTIN = 21,
	TTY_SIGTTOU = 22,
	TTY_SIGWINCH = 28
};

#define INPUT_SIZE 4096u /* Linux's N_TTY_BUF_SIZE: a line has up to 4095 bytes */
#define OUTPUT_SIZE 8192u
#define OUTPUT_RESERVE 512u /* of the output queue: for echo, when writers have filled the rest */

struct discipline {
	struct tty_termios termios;

	/* Input: bytes not read yet. mark[] tells at each place whether a line ends there. */
	struct ring input;
	uint8_t mark[INPUT_SIZE];
	uint32_t lines;       /* marks in the queue */
	uint32_t line_length; /* newest bytes that are no complete line yet; canonical mode only */
	bool literal;         /* VLNEXT came: the next byte is data */
	bool input_stopped;   /* IXOFF: we sent STOP */

	/* Output: bytes for the line. */
	struct ring output;
	uint32_t column;      /* of the cursor */
	uint32_t line_column; /* where the echo of the present input line began */
	bool erasing;         /* ECHOPRT: within \.../ */
	bool stopped;         /* by the STOP character */
	bool held;            /* by tcflow(TCOOFF) */
	uint8_t urgent;       /* flow control byte to be sent before everything else; 0: none */

	uint8_t input_bytes[INPUT_SIZE];
	uint8_t output_bytes[OUTPUT_SIZE];
};

/* Empty queues and the settings that a Linux console starts with. */
void discipline_init(struct discipline *d);
/* New settings. What is in the input queue stays readable; it becomes a line when canonical mode begins. */
void discipline_set(struct discipline *d, const struct tty_termios *termios);

/* A byte from the line. Returns the signal for the foreground group, 0: none. */
int discipline_input(struct discipline *d, uint8_t byte);
/* How many bytes may be fed now; more would be lost. In canonical mode without a complete line it is never 0. */
uint32_t discipline_input_room(const struct discipline *d);

/* Bytes from a program. Returns how many were taken; fewer when the output queue is full. cooked: OPOST counts. */
size_t discipline_output(struct discipline *d, const void *bytes, size_t count, bool cooked);
/* Would a write be taken, at least in part? */
bool discipline_writable(const struct discipline *d);
/* Output for the line: the oldest bytes that lie together, none while stopped; then discipline_sent() of those that
 * went. */
const uint8_t *discipline_pending(struct discipline *d, size_t *count);
void discipline_sent(struct discipline *d, size_t count);

/*
 * What a read of up to `max` bytes gets now, copied to `to`: the byte count; *consume is what discipline_consume() then
 * takes out. 0 with *consume > 0 is an end of file in canonical mode, 0 with *consume 0: nothing yet.
 */
size_t discipline_peek(const struct discipline *d, void *to, size_t max, size_t *consume);
void discipline_consume(struct discipline *d, size_t count);
/* Does a read of `wanted` bytes have what it waits for (a line, or MIN bytes)? */
bool discipline_satisfied(const struct discipline *d, size_t wanted);
/* poll(2): is there something to read? */
bool discipline_readable(const struct discipline *d);
/* FIONREAD. */
size_t discipline_available(const struct discipline *d);

void discipline_flush_input(struct discipline *d);
void discipline_flush_output(struct discipline *d);
/* IXOFF: sends STOP or START by the fill of the input queue; after input and after reads. */
void discipline_throttle(struct discipline *d);

/* ---- between input.c and output.c ---- */
void output_echo(struct discipline *d, uint8_t byte);     /* as ECHOCTL says */
void output_raw(struct discipline *d, uint8_t byte);      /* through OPOST */
void output_back(struct discipline *d, uint32_t columns); /* wipes the last columns */

static inline bool is_control(uint8_t c)
{
	return c < 32 || c == 127;
}
static inline bool input_has(const struct discipline *d, uint32_t flag)
{
	return (d->termios.input & flag) != 0;
}
static inline bool output_has(const struct discipline *d, uint32_t flag)
{
	return (d->termios.output & flag) != 0;
}
static inline bool local_has(const struct discipline *d, uint32_t flag)
{
	return (d->termios.local & flag) != 0;
}
static inline bool is_continuation(const struct discipline *d, uint8_t c)
{
	return input_has(d, IUTF8) && (c & 0xc0) == 0x80;
}

#endif
