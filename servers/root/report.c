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
        [CAUSE_RESTART] = "restart",     [CAUSE_UPDATE] = "update", [CAUSE_UNKNOWN] = "unknown",
};

const char *cause_name(unsigned cause)
{
	return cause < sizeof(cause_text) / sizeof(cause_text[0]) ? cause_text[cause] : "unknown";
}

static const char *const action_text[] = {
        [ACTION_RESTART] = "restarted",           [ACTION_GIVE_UP] = "request given up",
        [ACTION_COLD] = "started with nothing",   [ACTION_REBOOT] = "reboot",
        [ACTION_OLD_IMAGE] = "update taken back", [ACTION_KEPT] = "the old program goes on",
};

const char *action_name(unsigned action)
{
	return action < sizeof(action_text) / sizeof(action_text[0]) ? action_text[action] : "unknown";
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
	        .state = client->task == PORT_NULL      ? "down"
	                 : client->ending != CAUSE_NONE ? "ending"
	                                                : "running",
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
	        .cause = root->last_cause,
	};
}

static void add_line(struct answer *answer, const struct line *line, uint64_t now, bool json, bool first)
{
	uint64_t up = line->started != 0 && now > line->started ? (now - line->started) / 1000000 : 0;

	if (json)
		answer_add(answer,
		           "%s{\"server\":\"%s\",\"state\":\"%s\",\"incarnation\":%llu,\"uptime_ms\":%llu,\"requests\":"
		           "%llu,"
		           "\"restarts\":%llu,\"keep\":%llu,\"last\":\"%s\"}",
		           first ? "" : ",\n", line->name, line->state, (unsigned long long)line->incarnation,
		           (unsigned long long)up, (unsigned long long)line->requests,
		           (unsigned long long)line->restarts, (unsigned long long)line->keep, cause_name(line->cause));
	else
		answer_add(answer, "%-8s %-8s %11llu %7llu.%03u %10llu %8llu %7llu KiB %s\n", line->name, line->state,
		           (unsigned long long)line->incarnation, (unsigned long long)(up / 1000),
		           (unsigned)(up % 1000), (unsigned long long)line->requests,
		           (unsigned long long)line->restarts, (unsigned long long)(line->keep + 1023) / 1024,
		           cause_name(line->cause));
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

/* ---- log ---- */

#define REGISTERS 18u

static void registers_of(const struct domain_info *info, const char *name[REGISTERS], uint64_t value[REGISTERS])
{
	static const char *const names[REGISTERS] = {"rip", "rsp", "rbp", "rflags", "rax", "rbx", "rcx", "rdx", "rsi",
	                                             "rdi", "r8",  "r9",  "r10",    "r11", "r12", "r13", "r14", "r15"};
	const uint64_t values[REGISTERS] = {info->rip, info->rsp, info->rbp, info->rflags, info->rax, info->rbx,
	                                    info->rcx, info->rdx, info->rsi, info->rdi,    info->r8,  info->r9,
	                                    info->r10, info->r11, info->r12, info->r13,    info->r14, info->r15};

	for (unsigned i = 0; i < REGISTERS; i++) {
		name[i] = names[i];
		value[i] = values[i];
	}
}

/* What a person wants to know first. */
static void add_cause(struct answer *answer, const struct incident *incident)
{
	const struct domain_info *info = &incident->info;

	answer_add(answer, "%s", cause_name(incident->cause));
	if (incident->cause == CAUSE_EXCEPTION)
		answer_add(answer, " %llu, error 0x%llx, address 0x%llx", (unsigned long long)info->vector,
		           (unsigned long long)info->error, (unsigned long long)info->address);
	else if (incident->cause == CAUSE_EXIT)
		answer_add(answer, ", status %lld", (long long)info->status);
}

static void add_request(struct answer *answer, const struct domain_info *info)
{
	char text[64];

	if (info->end_held == 0) {
		answer_add(answer, "  served nobody, after %llu requests\n", (unsigned long long)info->commits);
		return;
	}
	journal_request(info, text);
	answer_add(answer, "  served %s", text);
	if (info->kind == MSG_REQUEST)
		answer_add(answer, " of process %u, badge 0x%llx,", (unsigned)info->principal,
		           (unsigned long long)info->badge);
	answer_add(answer, " after %llu requests\n", (unsigned long long)info->commits);
}

static void add_text(struct answer *answer, const struct incident *incident)
{
	const struct domain_info *info = &incident->info;
	const char *name[REGISTERS];
	uint64_t value[REGISTERS];

	answer_add(answer, "%llu: %llu.%06u %s", (unsigned long long)incident->number,
	           (unsigned long long)(incident->time / 1000000000), (unsigned)(incident->time / 1000 % 1000000),
	           server_title(incident->server));
	if (incident->server == SERVER_ROOT) {
		answer_add(answer, ": %s; the kernel restarted it\n", cause_name(incident->cause));
		return;
	}
	answer_add(answer, " incarnation %llu: ", (unsigned long long)info->incarnation);
	add_cause(answer, incident);
	answer_add(answer, "; %s", action_name(incident->action));
	if (incident->delay != 0)
		answer_add(answer, " after %llu ms", (unsigned long long)incident->delay / 1000000);
	answer_add(answer, "\n");
	add_request(answer, info);
	registers_of(info, name, value);
	for (unsigned i = 0; i < REGISTERS; i++)
		answer_add(answer, "%s%s=0x%llx%s", i % 6 == 0 ? "  " : " ", name[i], (unsigned long long)value[i],
		           i % 6 == 5 ? "\n" : "");
	answer_add(answer, "  called from");
	for (unsigned i = 0; i < DOMAIN_BACKTRACE && info->backtrace[i] != 0; i++)
		answer_add(answer, " 0x%llx", (unsigned long long)info->backtrace[i]);
	answer_add(answer, "\n");
}

static void add_json(struct answer *answer, const struct incident *incident)
{
	const struct domain_info *info = &incident->info;
	const char *name[REGISTERS];
	uint64_t value[REGISTERS];
	char text[64] = "";

	if (info->end_held != 0)
		journal_request(info, text);
	answer_add(answer,
	           "{\"number\":%llu,\"time_ns\":%llu,\"realtime_ns\":%lld,\"server\":\"%s\",\"incarnation\":%llu,"
	           "\"cause\":\"%s\",\"action\":\"%s\",\"delay_ms\":%llu,",
	           (unsigned long long)incident->number, (unsigned long long)incident->time,
	           (long long)incident->realtime, server_title(incident->server), (unsigned long long)info->incarnation,
	           cause_name(incident->cause), action_name(incident->action),
	           (unsigned long long)incident->delay / 1000000);
	answer_add(answer, "\"requests\":%llu,\"request\":\"%s\",\"process\":%u,\"badge\":\"0x%llx\",",
	           (unsigned long long)info->commits, text, (unsigned)info->principal, (unsigned long long)info->badge);
	answer_add(answer,
	           "\"vector\":%llu,\"error\":\"0x%llx\",\"address\":\"0x%llx\",\"status\":%lld,\"registers\":{",
	           (unsigned long long)info->vector, (unsigned long long)info->error, (unsigned long long)info->address,
	           (long long)info->status);
	registers_of(info, name, value);
	for (unsigned i = 0; i < REGISTERS; i++)
		answer_add(answer, "%s\"%s\":\"0x%llx\"", i == 0 ? "" : ",", name[i], (unsigned long long)value[i]);
	answer_add(answer, "},\"backtrace\":[");
	for (unsigned i = 0; i < DOMAIN_BACKTRACE && info->backtrace[i] != 0; i++)
		answer_add(answer, "%s\"0x%llx\"", i == 0 ? "" : ",", (unsigned long long)info->backtrace[i]);
	answer_add(answer, "]}");
}

void report_log(struct answer *answer, struct report *report, bool json, uint64_t since)
{
	supervise_self();
	report->next = root->incidents > JOURNAL ? root->incidents - JOURNAL + 1 : 1;
	if (since >= report->next)
		report->next = since + 1;
	report->last = report->next <= root->incidents ? root->incidents : 0;
	report->json = json;
	report->begun = false;
	if (json)
		answer_add(answer, report->last == 0 ? "[]\n" : "[");
}

bool report_more(struct answer *answer, struct report *report)
{
	if (report->last == 0)
		return false;
	const struct incident *incident = journal_get(report->next);
	if (incident != NULL && report->json) {
		answer_add(answer, report->begun ? ",\n" : "");
		report->begun = true;
		add_json(answer, incident);
	} else if (incident != NULL) {
		add_text(answer, incident);
	}
	bool over = report->next++ == report->last;
	if (over && report->json)
		answer_add(answer, "]\n");
	if (over)
		report->last = 0;
	return true;
}
