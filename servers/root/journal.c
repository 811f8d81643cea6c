/*
 * The journal of incidents: the last ones, in root's keep, and the names of what servers were doing.
 */
#include "root.h"
#include <portico/decode.h>
#include <portico/message.h>
#include <portico/strings.h>

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

static void name_routine(uint32_t ordinal, char *text)
{
	for (const struct decode_interface *const *i = decode_interfaces; *i != NULL; i++) {
		if ((*i)->number != MSG_INTERFACE(ordinal))
			continue;
		for (unsigned k = 0; k < (*i)->routine_count; k++) {
			if ((*i)->routines[k].ordinal == MSG_ROUTINE(ordinal)) {
				snprintf(text, 64, "%s.%s", (*i)->name, (*i)->routines[k].name);
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
