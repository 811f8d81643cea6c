/*
 * Open file descriptions: one record a badge, from its first request to the no-senders notification.
 */
#include "tty.h"
#include <portico/server_readiness.h>
#include <portico/strings.h>

struct tty *tty;

static struct open_file **bucket_of(uint64_t badge)
{
	return &tty->bucket[(badge ^ badge >> 24 ^ badge >> 48) % FILE_BUCKETS];
}

/* The terminal behind a device; false: there is no such device here. */
static bool resolve(uint64_t device, uint64_t principal, struct terminal **terminal)
{
	switch (device) {
	case DEVICE_TTY:
		*terminal = jobs_terminal(principal);
		return true;
	case DEVICE_CONSOLE:
	case DEVICE_SERIAL(0):
	case DEVICE_HOST_OUTPUT:
		*terminal = &tty->terminal[0];
		return true;
	case DEVICE_HOST_ERROR:
		*terminal = &tty->terminal[1];
		return true;
	default:
		return false;
	}
}

static struct open_file *create(uint64_t badge, uint64_t principal)
{
	struct terminal *terminal;

	if (!resolve(DEVICE_BADGE_DEVICE(badge), principal, &terminal))
		return NULL;
	server_promote();
	struct open_file *file = keep_allocate(sizeof(*file));
	if (file == NULL)
		return NULL;
	file->badge = badge;
	file->device = DEVICE_BADGE_DEVICE(badge);
	file->flags = DEVICE_BADGE_FLAGS(badge);
	file->raw = file->device == DEVICE_HOST_OUTPUT || file->device == DEVICE_HOST_ERROR;
	file->next = *bucket_of(badge);
	*bucket_of(badge) = file;
	file->terminal = terminal;
	if (terminal != NULL) {
		const struct server_session *s = sessions_by_principal(&tty->sessions, principal);

		file->refused = terminal->exclusive && !file->raw && (s == NULL || s->euid != 0);
		file->epoch = terminal->epoch;
		file->next_file = terminal->files;
		terminal->files = file;
		jobs_opened(file, principal);
	}
	return file;
}

struct open_file *file_find(uint64_t badge, uint64_t principal)
{
	struct open_file *file = *bucket_of(badge);

	while (file != NULL && file->badge != badge)
		file = file->next;
	return file != NULL ? file : create(badge, principal);
}

void file_closed(uint64_t badge, uint64_t make_send)
{
	struct open_file **link = bucket_of(badge);

	(void)make_send; /* vfs makes one right a badge and never the same badge twice */
	while (*link != NULL && (*link)->badge != badge)
		link = &(*link)->next;
	struct open_file *file = *link;
	if (file == NULL)
		return;
	*link = file->next;
	if (file->terminal != NULL) {
		struct open_file **of = &file->terminal->files;

		terminal_abort(file->terminal, file);
		while (*of != file)
			of = &(*of)->next_file;
		*of = file->next_file;
		if (file->terminal->files == NULL)
			file->terminal->exclusive = false;
	}
	readiness_free(file->ready);
	keep_free(file);
}

bool file_hung_up(const struct open_file *file)
{
	return file->terminal != NULL && file->epoch != file->terminal->epoch;
}

int file_check(const struct open_file *file)
{
	if (file->terminal == NULL || file->terminal->serial == PORT_NULL)
		return ENXIO;
	if (file->refused)
		return EBUSY;
	return file_hung_up(file) ? EIO : 0;
}
