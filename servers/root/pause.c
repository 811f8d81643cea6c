/*
 * How long nobody was served because of an update: from the moment at which the old incarnation was stopped to the one at which the new one was
 * ready to receive, and to its first answer, which libserver writes into the transaction log. And the table of it.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/layout.h>

static void longest(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

void update_pause(unsigned index)
{
	struct root_client *client = &root->client[index];
	struct root_pauses *p = &client->pauses;
	struct {
		uint64_t ready, answered;
	} times;

	if (p->answered != 0)
		return;
	int64_t n = trap4(TRAP_object_read, client->log, SERVER_LOG_TIMES, (uint64_t)&times, sizeof(times));
	if (n != sizeof(times))
		times.ready = times.answered = 0;
	server_sample(&times, sizeof(times));
	/* Older ones are an earlier incarnation's. */
	if (times.ready > p->stopped && p->ready == 0)
		p->ready = times.ready - p->stopped;
	if (times.answered > p->stopped)
		p->answered = times.answered - p->stopped;
	longest(&p->longest_ready, p->ready);
	longest(&p->longest_answered, p->answered);
}

void update_resumed(unsigned index)
{
	struct root_pauses *p = &root->client[index].pauses;

	longest(&p->longest_failed, server_now() - p->stopped);
}

void report_updates(struct answer *answer, bool json)
{
	bool first = true;

	answer_add(answer, json ? "[" : "%-8s %8s %8s %12s %12s %12s %12s %12s\n", "SERVER", "UPDATES", "FAILED", "READY ns", "ANSWER ns",
	           "LONGEST", "ANSWER", "FAILED");
	for (unsigned i = 0; i < root_plan_count; i++) {
		const struct root_pauses *p = &root->client[i].pauses;

		if (root->client[i].domain == PORT_NULL)
			continue;
		answer_add(answer,
		           json ? "%s{\"server\":\"%s\",\"updates\":%u,\"failed\":%u,\"ready_ns\":%llu,\"answered_ns\":%llu,"
		                  "\"longest_ready_ns\":%llu,\"longest_answered_ns\":%llu,\"longest_failed_ns\":%llu}"
		                : "%s%-8s %8u %8u %12llu %12llu %12llu %12llu %12llu\n",
		           json && !first ? ",\n" : "", root_plan[i].name, p->updates, p->failures, (unsigned long long)p->ready,
		           (unsigned long long)p->answered, (unsigned long long)p->longest_ready,
		           (unsigned long long)p->longest_answered, (unsigned long long)p->longest_failed);
		first = false;
	}
	if (json)
		answer_add(answer, "]\n");
}
