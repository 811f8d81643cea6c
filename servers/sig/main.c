/*
 * sig's start.
 */
#include "sig.h"

#include <portico/keep.h>
#include <sig_server.h>

#define BADGE_KIND(badge) ((badge) >> 56)

struct sig_root *root;

SERVER_KEEP_ROOT(struct sig_root);
SERVER_KEEP_ENUM(timer, clock, timer_clock);
SERVER_KEEP_ENUM(timer, notify, timer_notify);

static struct sig_right ordinary = {.server = false}, upper = {.server = true};

struct sig_right *sig_process_get(struct server_call *call)
{
	switch (BADGE_KIND(call->badge)) {
	case 0:
		return &ordinary;
	case 1:
		return &upper;
	default:
		return NULL;
	}
}

void sig_process_put(struct sig_right *right)
{
	(void)right;
}

void sig_initialise(void)
{
	root = server_keep_root(sizeof(*root));
	server_register(&sig_interface);
	server_on_timer(timers_run);
	server_on_notify(NOTIFY_LOOK_AGAIN, generate_look_again);
	if (server_cold()) {
		root->self = server_notify_right();
		if (root->self == PORT_NULL)
			server_panic("sig: no right to itself");
	}
	int error = sessions_start(&root->sessions, NOTIFY_CHANGES, session_changed);
	if (error)
		server_panic("sig: proc's change log: error %d", error);
}

int server_main(void)
{
	sig_initialise();
	server_run();
}
