/*
 * The journal of incidents: the last ones, in root's keep, and the names of what servers were doing.
 */
#include "root.h"
#include <io_decode.h>
#include <ipc_decode.h>
#include <portico/message.h>
#include <portico/strings.h>
#include <proc_decode.h>
#include <root_decode.h>
#include <serial_decode.h>
#include <sig_decode.h>
#include <tty_decode.h>
#include <vfs_decode.h>

struct incident *journal_add(unsigned server)
{
	struct incident *incident = &root->journal[root->incidents % JOURNAL];

	*incident = (struct incident){.number = ++root->incidents,
	                              .time = server_now(),
	                              .realtime = server_realtime(),
	                              .server = (uint8_t)server};
	return incident;
}

const struct incident *journal_get(uint64_t number)
{
	const struct incident *incident = &root->journal[(number - 1) % JOURNAL];

	return number != 0 && incident->number == number ? incident : NULL;
}

static const struct decode_interface *const interfaces[] = {&root_decode, &vfs_decode, &io_decode,    &proc_decode,
                                                            &sig_decode,  &ipc_decode, &tty_decode, &serial_decode};

static void name_routine(uint32_t ordinal, char *text)
{
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
		if (interfaces[i]->number != MSG_INTERFACE(ordinal))
			continue;
		for (unsigned k = 0; k < interfaces[i]->routine_count; k++) {
			if (interfaces[i]->routines[k].ordinal == MSG_ROUTINE(ordinal)) {
				snprintf(text, 64, "%s.%s", interfaces[i]->name, interfaces[i]->routines[k].name);
				return;
			}
		}
	}
	snprintf(text, 64, "%u.%u", (unsigned)MSG_INTERFACE(ordinal), (unsigned)MSG_ROUTINE(ordinal));
}

void journal_request(const struct domain_info *info, char *text)
{
	const char *what = "message";

	switch (info->kind) {
	case MSG_REQUEST:
		name_routine((uint32_t)info->ordinal, text);
		return;
	case MSG_NOTIFY:
		what = "notification";
		break;
	case MSG_NO_SENDERS:
		what = "no-senders notification";
		break;
	case MSG_CANCEL:
		what = "cancellation";
		break;
	case MSG_DEAD_NAME:
		what = "dead-name notification";
		break;
	default:
		break;
	}
	snprintf(text, 64, "%s", what);
}
