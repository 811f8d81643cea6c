/*
 * Job control: controlling terminals, foreground groups, hang-up. POSIX.1-2017 chapter 11.1 and Linux's tty_jobctrl.c.
 *
 * Who is in which session and group comes from the session records; signals and the question what a background
 * process's access does go to sig.
 */
#include "tty.h"
#include <portico/devices.h>
#include <portico/keep.h>
#include <proc_client.h>
#include <sig_client.h>

/* tty keeps nothing there. */
SERVER_KEEP_OUTSIDE(server_session, own);

#define SI_KERNEL 0x80

static struct server_session *caller(uint64_t principal)
{
	return sessions_by_principal(&tty->sessions, principal);
}

static struct terminal *terminal_of_session(uint32_t session)
{
	for (unsigned i = 0; session != 0 && i < TERMINALS; i++)
		if (tty->terminal[i].session == session)
			return &tty->terminal[i];
	return NULL;
}

struct terminal *jobs_terminal(uint64_t principal)
{
	const struct server_session *s = caller(principal);

	return s != NULL ? terminal_of_session(s->session) : NULL;
}

static void signal_group(uint32_t group, uint32_t session, int signal)
{
	if (group == 0 || tty->sig == PORT_NULL)
		return;
	int error = sig_signal_group(tty->sig, group, session, (uint32_t)signal, SI_KERNEL);
	if (error != 0 && error != ESRCH)
		server_log("signal %d for group %u: error %d", signal, group, error);
}

void jobs_signal(struct terminal *t, int signal)
{
	signal_group(t->group, t->session, signal);
}

/* proc shows it in /proc/PID/stat; nothing depends on it. */
static void tell_proc(const struct terminal *t)
{
	if (tty->sessions.proc == PORT_NULL)
		return;
	int error = proc_terminal(tty->sessions.proc, (uint32_t)DEVICE_SERIAL(t->index), t->session, t->group);
	if (error != 0)
		server_log("proc does not hear of terminal %u: error %d", t->index, error);
}

static void attach(struct terminal *t, const struct server_session *s)
{
	t->session = s->session;
	t->group = s->group;
	tell_proc(t);
}

static void detach(struct terminal *t)
{
	uint32_t group = t->group, session = t->session;

	t->session = 0;
	t->group = 0;
	tell_proc(t);
	signal_group(group, session, TTY_SIGHUP);
	signal_group(group, session, TTY_SIGCONT);
}

/* The session leader is gone: its files of the terminal are dead, but for those of /dev/console, which is everybody's.
 */
static void hang_up(struct terminal *t)
{
	t->epoch++;
	for (struct open_file *f = t->files; f != NULL; f = f->next_file) {
		if (f->device == DEVICE_CONSOLE || f->raw)
			f->epoch = t->epoch;
		else if (f->epoch == t->epoch - 1)
			terminal_abort(t, f);
	}
	discipline_flush_input(&t->d);
	t->d.stopped = t->d.held = false;
	detach(t);
	terminal_run(t);
}

void jobs_changed(const struct proc_change *change, struct server_session *session)
{
	if (change->kind != PROC_CHANGE_KIND_DEATH || session->pid != session->session)
		return;
	struct terminal *t = terminal_of_session(session->session);
	if (t != NULL)
		hang_up(t);
}

void jobs_opened(struct open_file *file, uint64_t principal)
{
	const struct server_session *s = caller(principal);
	struct terminal *t = file->terminal;

	if (file->raw || !file_reads(file) || (file->flags & O_NOCTTY) != 0)
		return;
	if (file->device == DEVICE_CONSOLE || file->device == DEVICE_TTY)
		return;
	if (s == NULL || s->pid != s->session || t->session != 0 || terminal_of_session(s->session) != NULL)
		return;
	attach(t, s);
}

int jobs_acquire(struct terminal *t, uint64_t principal, bool steal)
{
	const struct server_session *s = caller(principal);

	if (s == NULL || s->pid != s->session)
		return EPERM;
	if (t->session == s->session)
		return 0;
	if (terminal_of_session(s->session) != NULL)
		return EPERM;
	if (t->session != 0 && (!steal || s->euid != 0))
		return EPERM;
	attach(t, s);
	return 0;
}

int jobs_release(struct terminal *t, uint64_t principal)
{
	const struct server_session *s = caller(principal);

	if (s == NULL || t->session == 0 || t->session != s->session)
		return ENOTTY;
	if (s->pid == s->session)
		detach(t);
	return 0;
}

int jobs_check(struct terminal *t, uint64_t principal, int signal)
{
	const struct server_session *s = caller(principal);

	if (s == NULL || t->session == 0 || s->session != t->session || t->group == 0 || s->group == t->group)
		return 0;
	int error = sig_background(tty->sig, principal, (uint32_t)signal);
	/* A process that blocks or ignores the signal may write, and change settings, but gets nothing to read. */
	if (error == 0 && signal == TTY_SIGTTIN)
		return EIO;
	return error == ESRCH ? 0 : error;
}

int jobs_set_group(struct terminal *t, uint64_t principal, uint32_t group)
{
	const struct server_session *s = caller(principal);

	if (s == NULL || t->session == 0 || t->session != s->session)
		return ENOTTY;
	if ((int32_t)group <= 0)
		return EINVAL;
	int error = jobs_check(t, principal, TTY_SIGTTOU);
	if (error != 0)
		return error;
	for (const struct server_session *m = tty->sessions.first; m != NULL; m = m->next) {
		if (m->group != group)
			continue;
		if (m->session != s->session)
			return EPERM;
		t->group = group;
		tell_proc(t);
		return 0;
	}
	return ESRCH;
}
