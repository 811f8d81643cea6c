/*
 * Interface tty: settings, job control and queues of a terminal.
 */
#include "tty.h"
#include <tty_server.h>

#define FLOW_SEND_STOP 2u  /* tcflow: TCIOFF */
#define FLOW_SEND_START 3u /* TCION */

struct open_file *tty_file_get(struct server_call *call)
{
	return file_find(call->badge, call->principal);
}

void tty_file_put(struct open_file *object)
{
	(void)object;
}

/* The terminal that a request is about: 0, or ENOTTY for a host output, EIO after a hang-up, ENXIO. */
static int terminal_of(const struct open_file *file, struct terminal **t)
{
	*t = file->terminal;
	return file->raw ? ENOTTY : file_check(file);
}

/* As terminal_of, for what a background process may not do. */
static int foreground_terminal_of(struct server_call *call, const struct open_file *file, struct terminal **t)
{
	int error = terminal_of(file, t);

	return error != 0 ? error : jobs_check(*t, call->principal, TTY_SIGTTOU);
}

static int park(struct server_call *call, struct open_file *file, enum waiter_kind kind, struct waiter **waiter)
{
	struct terminal *t = file->terminal;
	struct waiter *w = waiter_add(&t->drainers, file, kind, 0);

	if (w == NULL)
		return ENOMEM;
	int result = server_park(call, &w->reply);
	if (result != SERVER_PARKED)
		waiter_remove(&t->drainers, w);
	*waiter = w;
	return result;
}

int tty_serve_get_attributes(struct server_call *call, struct open_file *file, struct tty_termios *value)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	(void)call;
	if (error == 0)
		*value = t->d.termios;
	return error;
}

int tty_serve_set_attributes(struct server_call *call, struct open_file *file, uint32_t when,
                             const struct tty_termios *value)
{
	struct terminal *t;
	struct waiter *w;
	int error = foreground_terminal_of(call, file, &t);

	if (error != 0)
		return error;
	if (when != TTY_WHEN_NOW && terminal_output_pending(t)) {
		int result = park(call, file, WAIT_SET_ATTRIBUTES, &w);
		if (result == SERVER_PARKED) {
			w->termios = *value;
			w->when = (uint8_t)when;
			waiters_arm();
		}
		return result;
	}
	terminal_apply(t, value, when);
	terminal_run(t);
	return 0;
}

int tty_serve_get_window_size(struct server_call *call, struct open_file *file, struct tty_window_size *value)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	(void)call;
	if (error == 0)
		*value = t->size;
	return error;
}

int tty_serve_set_window_size(struct server_call *call, struct open_file *file, const struct tty_window_size *value)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	(void)call;
	if (error != 0)
		return error;
	bool changed = value->rows != t->size.rows || value->columns != t->size.columns ||
	               value->x_pixels != t->size.x_pixels || value->y_pixels != t->size.y_pixels;
	t->size = *value;
	if (changed)
		jobs_signal(t, TTY_SIGWINCH);
	return 0;
}

int tty_serve_get_group(struct server_call *call, struct open_file *file, uint32_t *group)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	if (error != 0)
		return error;
	if (jobs_terminal(call->principal) != t)
		return ENOTTY;
	*group = t->group;
	return 0;
}

int tty_serve_set_group(struct server_call *call, struct open_file *file, uint32_t group)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	return error != 0 ? error : jobs_set_group(t, call->principal, group);
}

int tty_serve_get_session(struct server_call *call, struct open_file *file, uint32_t *session)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	if (error != 0)
		return error;
	if (jobs_terminal(call->principal) != t)
		return ENOTTY;
	*session = t->session;
	return 0;
}

int tty_serve_acquire(struct server_call *call, struct open_file *file, uint32_t steal)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	return error != 0 ? error : jobs_acquire(t, call->principal, steal == 1);
}

int tty_serve_release(struct server_call *call, struct open_file *file)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	return error != 0 ? error : jobs_release(t, call->principal);
}

int tty_serve_flush(struct server_call *call, struct open_file *file, uint32_t queue)
{
	struct terminal *t;
	int error = foreground_terminal_of(call, file, &t);

	if (error != 0)
		return error;
	if (queue > 2)
		return EINVAL;
	if (queue != 1) {
		discipline_flush_input(&t->d);
		ring_clear(&t->backlog);
	}
	if (queue != 0)
		discipline_flush_output(&t->d);
	terminal_run(t);
	return 0;
}

int tty_serve_drain(struct server_call *call, struct open_file *file)
{
	struct terminal *t;
	struct waiter *w;
	int error = foreground_terminal_of(call, file, &t);

	if (error != 0 || !terminal_output_pending(t))
		return error;
	int result = park(call, file, WAIT_DRAIN, &w);
	if (result == SERVER_PARKED)
		waiters_arm();
	return result;
}

int tty_serve_flow(struct server_call *call, struct open_file *file, uint32_t action)
{
	struct terminal *t;
	int error = foreground_terminal_of(call, file, &t);

	if (error != 0)
		return error;
	if (action > FLOW_SEND_START)
		return EINVAL;
	if (action < FLOW_SEND_STOP)
		t->d.held = action == 0;
	else
		t->d.urgent = t->d.termios.characters[action == FLOW_SEND_STOP ? VSTOP : VSTART];
	terminal_run(t);
	return 0;
}

int tty_serve_output_pending(struct server_call *call, struct open_file *file, uint64_t *bytes)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	(void)call;
	if (error == 0)
		*bytes = terminal_output_count(t);
	return error;
}

int tty_serve_push_input(struct server_call *call, struct open_file *file, uint8_t byte)
{
	const struct server_session *s = sessions_by_principal(&tty->sessions, call->principal);
	struct terminal *t;
	int error = terminal_of(file, &t);

	if (error != 0)
		return error;
	if (s == NULL || (s->euid != 0 && (t->session == 0 || s->session != t->session)))
		return EPERM;
	if (ring_put(&t->backlog, byte))
		terminal_run(t);
	return 0;
}

int tty_serve_exclusive(struct server_call *call, struct open_file *file, uint8_t on)
{
	struct terminal *t;
	int error = terminal_of(file, &t);

	(void)call;
	if (error == 0)
		t->exclusive = on != 0;
	return error;
}
