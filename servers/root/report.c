/*
 * Answers of /dev/supervisor: the servers and what became of them, as text for people and as JSON.
 */
#include "root.h"
#include <portico/block.h>
#include <portico/client.h>
#include <portico/layout.h>

static const char *const cause_text[] = {
        [CAUSE_NONE] = "none",           [CAUSE_KILLED] = "killed", [CAUSE_CAMPAIGN] = "campaign",
        [CAUSE_EXCEPTION] = "exception", [CAUSE_EXIT] = "exit",     [CAUSE_HANG] = "hang",
        [CAUSE_RESTART] = "restart",     [CAUSE_UPDATE] = "update",
};

const char *cause_name(unsigned cause)
{
	return cause < sizeof(cause_text) / sizeof(cause_text[0]) ? cause_text[cause] : "unknown";
}

/* ---- list ---- */

struct line {
	const char *name;
	const char *state;
	uint64_t incarnation, started, requests, restarts, keep;
	uint8_t cause;
};

static uint64_t resident(port_name_t object)
{
	uint64_t result[2];

	if (object == PORT_NULL || server_trap_results(TRAP_object_info, object, 0, result, sizeof(result)) < 0)
		return 0;
	return result[1] * PAGE_SIZE;
}

static struct line line_of_server(unsigned index)
{
	const struct root_client *client = &root->client[index];
	struct domain_info info;

	(void)supervise_look(index, &info);
	return (struct line){
	        .name = root_plan[index].name,
	        .state = client->task == PORT_NULL ? "down" : client->ending != CAUSE_NONE ? "ending" : "running",
	        .incarnation = client->incarnation,
	        .started = client->started,
	        .requests = info.commits,
	        .restarts = client->restarts,
	        .keep = resident(client->keep),
	        .cause = client->last_cause,
	};
}

static struct line line_of_root(void)
{
	supervise_self();
	return (struct line){
	        .name = "root",
	        .state = "running",
	        .incarnation = root->incarnation,
	        .started = root->started,
	        .requests = server_sample_word(((const struct portico_block *)SERVER_ENDPOINT)->counters.commits),
	        .restarts = root->incarnation - 1,
	        .keep = keep_used(),
	        .cause = root->incarnation > 1 ? CAUSE_KILLED : CAUSE_NONE,
	};
}

static void add_line(struct answer *answer, const struct line *line, uint64_t now, bool json, bool first)
{
	uint64_t up = line->started != 0 && now > line->started ? (now - line->started) / 1000000 : 0;

	if (json)
		answer_add(answer,
		           "%s{\"server\":\"%s\",\"state\":\"%s\",\"incarnation\":%llu,\"uptime_ms\":%llu,\"requests\":%llu,"
		           "\"restarts\":%llu,\"keep\":%llu,\"last\":\"%s\"}",
		           first ? "" : ",\n", line->name, line->state, (unsigned long long)line->incarnation,
		           (unsigned long long)up, (unsigned long long)line->requests, (unsigned long long)line->restarts,
		           (unsigned long long)line->keep, cause_name(line->cause));
	else
		answer_add(answer, "%-8s %-8s %11llu %7llu.%03u %10llu %8llu %7llu KiB %s\n", line->name, line->state,
		           (unsigned long long)line->incarnation, (unsigned long long)(up / 1000), (unsigned)(up % 1000),
		           (unsigned long long)line->requests, (unsigned long long)line->restarts,
		           (unsigned long long)line->keep / 1024, cause_name(line->cause));
}

void report_list(struct answer *answer, bool json)
{
	struct line line = line_of_root();
	uint64_t now = server_now();

	if (json)
		answer_add(answer, "[");
	else
		answer_add(answer, "%-8s %-8s %11s %11s %10s %8s %11s %s\n", "SERVER", "STATE", "INCARNATION", "UPTIME",
		           "REQUESTS", "RESTARTS", "KEEP", "LAST");
	add_line(answer, &line, now, json, true);
	for (unsigned i = 0; i < root_plan_count; i++) {
		if (root->client[i].domain == PORT_NULL)
			continue;
		line = line_of_server(i);
		add_line(answer, &line, now, json, false);
	}
	if (json)
		answer_add(answer, "]\n");
}
