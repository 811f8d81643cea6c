/*
 * Output half of the line discipline: OPOST, echo, column tracking, the output queue.
 */
#include "discipline.h"

#define WIDEST 8u /* bytes that one byte may become: a tab */

static void put(struct discipline *d, uint8_t byte)
{
	ring_put(&d->output, byte); /* full: only echo gets here then, and is lost */
}

static uint8_t upper(const struct discipline *d, uint8_t c)
{
	return output_has(d, OLCUC) && c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

static void put_newline(struct discipline *d)
{
	if (output_has(d, ONLRET))
		d->column = 0;
	if (output_has(d, ONLCR)) {
		d->column = 0;
		put(d, '\r');
	}
	d->line_column = d->column;
	put(d, '\n');
}

static void put_return(struct discipline *d)
{
	if (output_has(d, ONOCR) && d->column == 0)
		return;
	if (output_has(d, OCRNL)) {
		if (output_has(d, ONLRET))
			d->column = d->line_column = 0;
		put(d, '\n');
		return;
	}
	d->column = d->line_column = 0;
	put(d, '\r');
}

static void put_tab(struct discipline *d)
{
	uint32_t spaces = 8 - d->column % 8;

	d->column += spaces;
	if ((d->termios.output & TABDLY) != XTABS) {
		put(d, '\t');
		return;
	}
	while (spaces-- > 0)
		put(d, ' ');
}

void output_raw(struct discipline *d, uint8_t byte)
{
	if (!output_has(d, OPOST)) {
		put(d, byte);
		return;
	}
	switch (byte) {
	case '\n':
		put_newline(d);
		break;
	case '\r':
		put_return(d);
		break;
	case '\t':
		put_tab(d);
		break;
	case '\b':
		if (d->column > 0)
			d->column--;
		put(d, byte);
		break;
	default:
		if (!is_control(byte) && !is_continuation(d, byte))
			d->column++;
		put(d, upper(d, byte));
	}
}

void output_echo(struct discipline *d, uint8_t byte)
{
	if (local_has(d, ECHOCTL) && is_control(byte) && byte != '\t') {
		output_raw(d, '^');
		output_raw(d, byte ^ 0x40);
	} else {
		output_raw(d, byte);
	}
}

void output_back(struct discipline *d, uint32_t columns)
{
	while (columns-- > 0) {
		put(d, '\b');
		put(d, ' ');
		put(d, '\b');
		if (d->column > 0)
			d->column--;
	}
}

bool discipline_writable(const struct discipline *d)
{
	return ring_room(&d->output) > OUTPUT_RESERVE + WIDEST;
}

size_t discipline_output(struct discipline *d, const void *bytes, size_t count, bool cooked)
{
	const uint8_t *from = bytes;
	size_t done = 0;

	while (done < count && discipline_writable(d)) {
		if (cooked)
			output_raw(d, from[done]);
		else
			put(d, from[done]);
		done++;
	}
	return done;
}

const uint8_t *discipline_pending(struct discipline *d, size_t *count)
{
	if (d->urgent != 0) {
		*count = 1;
		return &d->urgent;
	}
	const uint8_t *piece = ring_piece(&d->output, count);
	if (d->stopped || d->held)
		*count = 0;
	return piece;
}

void discipline_sent(struct discipline *d, size_t count)
{
	if (d->urgent != 0 && count > 0)
		d->urgent = 0;
	else
		ring_skip(&d->output, (uint32_t)count);
}

void discipline_flush_output(struct discipline *d)
{
	ring_clear(&d->output);
}
