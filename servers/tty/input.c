/*
 * Input half of the line discipline: special characters, line editing, echo, and what a read gets.
 */
#include "discipline.h"
#include <portico/strings.h>

enum mark { MARK_NONE, MARK_END, MARK_EOF /* the byte itself is no data */ };

#define INPUT_MARGIN 4u /* bytes that one byte may become, and the end of a line that is full */

static bool canonical(const struct discipline *d)
{
	return local_has(d, ICANON);
}

static uint8_t special(const struct discipline *d, enum character which)
{
	return d->termios.characters[which];
}

/* Is the byte the special character `which`? 0 disables one. */
static bool is(const struct discipline *d, uint8_t byte, enum character which)
{
	return byte != 0 && special(d, which) == byte;
}

void discipline_init(struct discipline *d)
{
	memset(d, 0, sizeof(*d));
	ring_init(&d->input, d->input_bytes, INPUT_SIZE);
	ring_init(&d->output, d->output_bytes, OUTPUT_SIZE);
	d->termios = (struct tty_termios){
	        .input = ICRNL | IXON,
	        .output = OPOST | ONLCR,
	        .control = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
	        .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	        .characters = {[VINTR] = 3,
	                       [VQUIT] = 28,
	                       [VERASE] = 127,
	                       [VKILL] = 21,
	                       [VEOF] = 4,
	                       [VMIN] = 1,
	                       [VSTART] = 17,
	                       [VSTOP] = 19,
	                       [VSUSP] = 26,
	                       [VREPRINT] = 18,
	                       [VDISCARD] = 15,
	                       [VWERASE] = 23,
	                       [VLNEXT] = 22},
	        .input_speed = 115200,
	        .output_speed = 115200,
	};
}

/* ---- the queue ---- */

static uint8_t *mark_at(struct discipline *d, uint32_t position)
{
	return &d->mark[position % INPUT_SIZE];
}

/* Puts a byte, or drops it when the queue is full; the last place is kept for the end of a line. */
static void put(struct discipline *d, uint8_t byte, enum mark mark)
{
	uint32_t kept = canonical(d) && mark == MARK_NONE ? 1 : 0;

	if (ring_room(&d->input) <= kept) {
		if (input_has(d, IMAXBEL))
			output_raw(d, '\a');
		return;
	}
	*mark_at(d, d->input.tail) = (uint8_t)mark;
	ring_put(&d->input, byte);
	if (!canonical(d))
		return;
	if (mark == MARK_NONE) {
		d->line_length++;
	} else {
		d->lines++;
		d->line_length = 0;
	}
}

/* PARMRK: a 0xff that is data is doubled, so that it is not taken for a mark. */
static void put_data(struct discipline *d, uint8_t byte, enum mark mark)
{
	if (byte == 0xff && input_has(d, PARMRK) && !input_has(d, ISTRIP))
		put(d, byte, MARK_NONE);
	put(d, byte, mark);
}

static uint8_t drop_last(struct discipline *d)
{
	d->line_length--;
	return ring_unput(&d->input);
}

/* ---- echo and erasing ---- */

static void end_erasing(struct discipline *d)
{
	if (!d->erasing)
		return;
	output_raw(d, '/');
	d->erasing = false;
}

static void echo(struct discipline *d, uint8_t byte)
{
	if (!local_has(d, ECHO))
		return;
	end_erasing(d);
	if (d->line_length == 0)
		d->line_column = d->column;
	if (byte == '\n')
		output_raw(d, byte);
	else
		output_echo(d, byte);
}

/* Columns that a byte of the line takes when echoed; a tab's depend on where it stands. */
static uint32_t width(const struct discipline *d, uint8_t c)
{
	if (is_control(c))
		return local_has(d, ECHOCTL) ? 2 : 0;
	return is_continuation(d, c) ? 0 : 1;
}

/* Columns of a tab that has just been taken off the end of the line: from what stands before it. */
static uint32_t tab_width(const struct discipline *d)
{
	uint32_t columns = 0, count = ring_count(&d->input);

	for (uint32_t i = 0; i < d->line_length; i++) {
		uint8_t c = ring_at(&d->input, count - 1 - i);

		if (c == '\t')
			return 8 - columns % 8;
		columns += width(d, c);
	}
	return 8 - (columns + d->line_column) % 8;
}

static void echo_erased(struct discipline *d, uint8_t c, bool one)
{
	if (!local_has(d, ECHO))
		return;
	if (local_has(d, ECHOPRT)) {
		if (!d->erasing)
			output_raw(d, '\\');
		d->erasing = true;
		output_echo(d, c);
	} else if (one && !local_has(d, ECHOE)) {
		output_echo(d, special(d, VERASE));
	} else if (c == '\t') {
		for (uint32_t n = tab_width(d); n > 0; n--)
			output_raw(d, '\b');
	} else {
		output_back(d, width(d, c));
	}
}

/* Takes one character off the line (UTF-8: with its continuation bytes); its first byte. */
static uint8_t drop_character(struct discipline *d)
{
	uint8_t c = drop_last(d);

	while (is_continuation(d, c) && d->line_length > 0)
		c = drop_last(d);
	return c;
}

static void erase_one(struct discipline *d)
{
	if (d->line_length > 0)
		echo_erased(d, drop_character(d), true);
}

static bool in_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

static void erase_word(struct discipline *d)
{
	bool seen = false;

	while (d->line_length > 0) {
		uint8_t last = ring_at(&d->input, ring_count(&d->input) - 1);

		if (in_word(last))
			seen = true;
		else if (seen)
			break;
		echo_erased(d, drop_character(d), false);
	}
}

static void kill_line(struct discipline *d)
{
	bool wipe = local_has(d, ECHOK) && local_has(d, ECHOKE) && local_has(d, ECHOE);

	if (d->line_length == 0)
		return;
	while (d->line_length > 0) {
		uint8_t c = drop_character(d);
		if (wipe)
			echo_erased(d, c, false);
	}
	if (wipe || !local_has(d, ECHO))
		return;
	end_erasing(d);
	output_echo(d, special(d, VKILL));
	if (local_has(d, ECHOK))
		output_raw(d, '\n');
}

static void reprint(struct discipline *d)
{
	uint32_t count = ring_count(&d->input);

	end_erasing(d);
	output_echo(d, special(d, VREPRINT));
	output_raw(d, '\n');
	d->line_column = d->column;
	for (uint32_t i = count - d->line_length; i < count; i++)
		output_echo(d, ring_at(&d->input, i));
}

/* ---- a byte comes ---- */

/* START and STOP. True: the byte is used up. */
static bool flow_control(struct discipline *d, uint8_t byte)
{
	if (!input_has(d, IXON))
		return false;
	if (is(d, byte, VSTART)) {
		d->stopped = false;
		return true;
	}
	if (is(d, byte, VSTOP)) {
		d->stopped = true;
		return true;
	}
	return false;
}

static int signal_of(const struct discipline *d, uint8_t byte)
{
	if (!local_has(d, ISIG))
		return 0;
	if (is(d, byte, VINTR))
		return TTY_SIGINT;
	if (is(d, byte, VQUIT))
		return TTY_SIGQUIT;
	return is(d, byte, VSUSP) ? TTY_SIGTSTP : 0;
}

static int give_signal(struct discipline *d, uint8_t byte, int signal)
{
	if (!local_has(d, NOFLSH)) {
		discipline_flush_input(d);
		discipline_flush_output(d);
	}
	if (input_has(d, IXON))
		d->stopped = false;
	if (local_has(d, ECHO)) {
		end_erasing(d);
		output_echo(d, byte);
	}
	return signal;
}

/* Editing characters of canonical mode. True: the byte is used up. */
static bool edit(struct discipline *d, uint8_t byte)
{
	bool extended = local_has(d, IEXTEN);

	if (is(d, byte, VERASE)) {
		erase_one(d);
	} else if (is(d, byte, VKILL)) {
		kill_line(d);
	} else if (extended && is(d, byte, VWERASE)) {
		erase_word(d);
	} else if (extended && is(d, byte, VLNEXT)) {
		d->literal = true;
		if (local_has(d, ECHO) && local_has(d, ECHOCTL)) {
			end_erasing(d);
			output_raw(d, '^');
			output_raw(d, '\b');
		}
	} else if (extended && local_has(d, ECHO) && is(d, byte, VREPRINT)) {
		reprint(d);
	} else {
		return false;
	}
	return true;
}

/* Characters that end a line. True: the byte is used up. */
static bool end_line(struct discipline *d, uint8_t byte)
{
	if (byte == '\n') {
		end_erasing(d);
		if (local_has(d, ECHO) || local_has(d, ECHONL))
			output_raw(d, '\n');
		put(d, byte, MARK_END);
	} else if (is(d, byte, VEOF)) {
		put(d, 0, MARK_EOF);
	} else if (is(d, byte, VEOL) || (local_has(d, IEXTEN) && is(d, byte, VEOL2))) {
		echo(d, byte);
		put_data(d, byte, MARK_END);
	} else {
		return false;
	}
	return true;
}

static void data(struct discipline *d, uint8_t byte)
{
	echo(d, byte);
	put_data(d, byte, MARK_NONE);
}

int discipline_input(struct discipline *d, uint8_t byte)
{
	if (input_has(d, ISTRIP))
		byte &= 0x7f;
	if (input_has(d, IUCLC) && local_has(d, IEXTEN) && byte >= 'A' && byte <= 'Z')
		byte += 32;
	if (d->literal) {
		d->literal = false;
		data(d, byte);
		return 0;
	}
	if (flow_control(d, byte))
		return 0;
	if (d->stopped && input_has(d, IXON) && input_has(d, IXANY))
		d->stopped = false;
	int signal = signal_of(d, byte);
	if (signal != 0)
		return give_signal(d, byte, signal);
	if (byte == '\r') {
		if (input_has(d, IGNCR))
			return 0;
		if (input_has(d, ICRNL))
			byte = '\n';
	} else if (byte == '\n' && input_has(d, INLCR)) {
		byte = '\r';
	}
	if (canonical(d) && (edit(d, byte) || end_line(d, byte)))
		return 0;
	data(d, byte);
	return 0;
}

uint32_t discipline_input_room(const struct discipline *d)
{
	uint32_t room = ring_room(&d->input);

	if (canonical(d) && d->lines == 0)
		return room > INPUT_MARGIN ? room : INPUT_MARGIN;
	return room > INPUT_MARGIN ? room - INPUT_MARGIN : 0;
}

void discipline_throttle(struct discipline *d)
{
	uint32_t count = ring_count(&d->input);

	if (d->input_stopped && (count <= INPUT_SIZE / 4 || !input_has(d, IXOFF))) {
		d->input_stopped = false;
		d->urgent = special(d, VSTART);
	} else if (!d->input_stopped && input_has(d, IXOFF) && count >= INPUT_SIZE / 4 * 3) {
		d->input_stopped = true;
		d->urgent = special(d, VSTOP);
	}
}

/* ---- reading ---- */

/* Bytes that a read may see: all, or the complete lines of canonical mode. */
static uint32_t visible(const struct discipline *d)
{
	return canonical(d) ? ring_count(&d->input) - d->line_length : ring_count(&d->input);
}

size_t discipline_peek(const struct discipline *d, void *to, size_t max, size_t *consume)
{
	uint8_t *bytes = to;
	uint32_t count = visible(d);
	size_t n = 0;

	*consume = 0;
	while (*consume < count) {
		uint32_t position = d->input.head + (uint32_t)*consume;
		uint8_t mark = canonical(d) ? d->mark[position % INPUT_SIZE] : MARK_NONE;

		/* An end of file right behind what fills the buffer belongs to this read. */
		if (mark == MARK_EOF) {
			(*consume)++;
			break;
		}
		if (n == max)
			break;
		bytes[n++] = ring_at(&d->input, (uint32_t)*consume);
		(*consume)++;
		if (mark == MARK_END)
			break;
	}
	return n;
}

void discipline_consume(struct discipline *d, size_t count)
{
	while (count-- > 0) {
		if (*mark_at(d, d->input.head) != MARK_NONE && d->lines > 0)
			d->lines--;
		ring_skip(&d->input, 1);
	}
}

bool discipline_satisfied(const struct discipline *d, size_t wanted)
{
	uint32_t minimum = special(d, VMIN);

	if (canonical(d))
		return d->lines > 0;
	if (minimum == 0 && special(d, VTIME) == 0)
		return true;
	if (minimum == 0)
		minimum = 1;
	return ring_count(&d->input) >= (wanted < minimum ? wanted : minimum);
}

bool discipline_readable(const struct discipline *d)
{
	uint32_t minimum = special(d, VTIME) == 0 && special(d, VMIN) > 0 ? special(d, VMIN) : 1;

	return canonical(d) ? d->lines > 0 : ring_count(&d->input) >= minimum;
}

size_t discipline_available(const struct discipline *d)
{
	uint32_t count = visible(d);
	size_t available = count;

	for (uint32_t i = 0; canonical(d) && i < count; i++)
		if (d->mark[(d->input.head + i) % INPUT_SIZE] == MARK_EOF)
			available--;
	return available;
}

void discipline_flush_input(struct discipline *d)
{
	ring_clear(&d->input);
	d->lines = 0;
	d->line_length = 0;
	d->literal = false;
}

void discipline_set(struct discipline *d, const struct tty_termios *termios)
{
	bool was_canonical = canonical(d);

	d->termios = *termios;
	if (!input_has(d, IXON))
		d->stopped = false;
	if (canonical(d) == was_canonical)
		return;
	uint32_t count = ring_count(&d->input);
	for (uint32_t i = 0; i < count; i++)
		*mark_at(d, d->input.head + i) = MARK_NONE;
	d->lines = 0;
	d->line_length = 0;
	if (canonical(d) && count > 0) {
		*mark_at(d, d->input.tail - 1) = MARK_END;
		d->lines = 1;
	}
}
