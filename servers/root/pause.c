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

	if (json)
		answer_add(answer, "[");
	else
		answer_add(answer, "%-8s %8s %8s %14s %14s %14s %14s %14s\n", "SERVER", "UPDATES", "FAILED", "READY us", "MEAN", "LONGEST",
		           "ANSWER", "WHEN FAILED");
	for (unsigned i = 0; i < root_plan_count; i++) {
		const struct root_pauses *p = &root->client[i].pauses;
		const uint64_t ns[] = {p->ready, p->updates != 0 ? p->total_ready / p->updates : 0, p->longest_ready, p->longest_answered,
		                       p->longest_failed};

		if (root->client[i].domain == PORT_NULL)
			continue;
		if (json)
			answer_add(answer,
			           "%s{\"server\":\"%s\",\"updates\":%u,\"failed\":%u,\"ready_ns\":%llu,\"mean_ready_ns\":%llu,"
			           "\"longest_ready_ns\":%llu,\"longest_answered_ns\":%llu,\"longest_failed_ns\":%llu}",
			           first ? "" : ",\n", root_plan[i].name, p->updates, p->failures, (unsigned long long)ns[0],
			           (unsigned long long)ns[1], (unsigned long long)ns[2], (unsigned long long)ns[3], (unsigned long long)ns[4]);
		else
			answer_add(answer, "%-8s %8u %8u %14llu %14llu %14llu %14llu %14llu\n", root_plan[i].name, p->updates, p->failures,
			           (unsigned long long)ns[0] / 1000, (unsigned long long)ns[1] / 1000, (unsigned long long)ns[2] / 1000,
			           (unsigned long long)ns[3] / 1000, (unsigned long long)ns[4] / 1000);
		first = false;
	}
	if (json)
		answer_add(answer, "]\n");
}
