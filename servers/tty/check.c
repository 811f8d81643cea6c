/*
 * The invariants of tty's structures, as a migration must leave them: open files in their lists, waiters with their files, queues with their bytes.
 */
#include "tty.h"
#include <portico/server_migration.h>

static bool ring_is(const struct ring *r, const uint8_t *bytes, uint32_t size)
{
	return r->data == bytes && r->size == size && ring_count(r) <= size;
}

static bool has_file(const struct tty *t, const struct open_file *file)
{
	for (uint32_t i = 0; i < FILE_BUCKETS; i++)
		for (const struct open_file *f = t->bucket[i]; f != NULL; f = f->next)
			if (f == file)
				return true;
	return false;
}

static const char *check_waiters(const struct tty *t, const struct waiter *w)
{
	for (; w != NULL; w = w->next)
		if (w->kind > WAIT_SET_ATTRIBUTES || w->done > w->size || !has_file(t, w->file))
			return "a waiter without its open file";
	return NULL;
}

static const char *check_terminal(const struct tty *t, const struct terminal *terminal)
{
	if (terminal->serial != PORT_NULL &&
	    (!ring_is(&terminal->d.input, terminal->d.input_bytes, INPUT_SIZE) ||
	     !ring_is(&terminal->d.output, terminal->d.output_bytes, OUTPUT_SIZE) ||
	     !ring_is(&terminal->backlog, terminal->backlog_bytes, sizeof(terminal->backlog_bytes))))
		return "a terminal whose queues are not its own";
	for (const struct open_file *f = terminal->files; f != NULL; f = f->next_file)
		if (f->terminal != terminal || !has_file(t, f))
			return "an open file in the list of another terminal";
	const char *wrong = check_waiters(t, terminal->readers);
	wrong = wrong != NULL ? wrong : check_waiters(t, terminal->writers);
	return wrong != NULL ? wrong : check_waiters(t, terminal->drainers);
}

static const char *check(const void *state)
{
	const struct tty *t = state;
	const char *wrong = NULL;

	for (uint32_t i = 0; i < TERMINALS && wrong == NULL; i++)
		wrong = t->terminal[i].index == i ? check_terminal(t, &t->terminal[i]) : "a terminal with another number";
	for (uint32_t i = 0; i < FILE_BUCKETS && wrong == NULL; i++)
		for (const struct open_file *f = t->bucket[i]; f != NULL; f = f->next)
			if ((f->badge ^ f->badge >> 24 ^ f->badge >> 48) % FILE_BUCKETS != i)
				return "an open file in the wrong bucket";
	return wrong;
}

SERVER_CHECK(check);
