/*
 * tty's start: the lines, the services below, and what its notifications mean.
 */
#include "tty.h"
#include <io_server.h>
#include <portico/keep.h>
#include <serial_client.h>
#include <tty_server.h>

SERVER_KEEP_ROOT(struct tty);
SERVER_KEEP_ENUM(waiter, kind, waiter_kind);
SERVER_KEEP_ENUM(waiter, when, tty_when);

static void notified(uint64_t bits)
{
	for (unsigned i = 0; i < TERMINALS; i++) {
		if ((bits & NOTIFY_INPUT(i)) != 0)
			terminal_pull(&tty->terminal[i]);
		if ((bits & NOTIFY_OUTPUT(i)) != 0)
			terminal_run(&tty->terminal[i]);
	}
}

static void start_terminal(unsigned index, const char *service, bool raw_only)
{
	struct terminal *t = &tty->terminal[index];
	port_name_t notify = server_notify_right();

	terminal_init(t, index, raw_only);
	t->serial = server_lookup(service);
	if (t->serial == PORT_NULL || notify == PORT_NULL) {
		server_log("no line %s", service);
		server_release_right(notify);
		return;
	}
	int error = serial_attach(t->serial, notify, NOTIFY_INPUT(index), NOTIFY_OUTPUT(index));
	if (error != 0) {
		server_log("line %s: error %d", service, error);
		server_release_right(notify);
		t->serial = PORT_NULL;
	}
}

int server_main(void)
{
	tty = server_keep_root(sizeof(*tty));
	server_register(&io_interface);
	server_register(&tty_interface);
	server_on_no_senders(file_closed);
	server_on_cancel(terminal_cancelled);
	server_on_timer(waiters_expired);
	server_on_deferred(terminals_go_on);
	for (unsigned i = 0; i < TERMINALS; i++)
		server_on_notify(NOTIFY_INPUT(i) | NOTIFY_OUTPUT(i), notified);
	if (server_cold()) {
		start_terminal(0, "serial0", false);
		start_terminal(1, "serial2", true);
		tty->sig = server_lookup("sig");
	}
	int error = sessions_start(&tty->sessions, NOTIFY_CHANGES, jobs_changed);
	if (error != 0)
		server_log("no session records: error %d", error);
	server_run();
}
