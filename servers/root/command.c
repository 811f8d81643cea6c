/*
 * Commands of /dev/supervisor: a line each, words between blanks.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define WORDS (ROOT_SERVERS + 4u)
#define UNMAPPED UINT64_C(0x1000) /* nothing is ever there: below USER_MIN */
#define IMAGE_MAX (UINT64_C(16) << 20)
#define PERIOD_MAX UINT64_C(3600000) /* ms */
#define TRIAL_MAX UINT64_C(86400000) /* ms: a day */

int server_index(const char *name)
{
	if (strcmp(name, "root") == 0)
		return SERVER_ROOT;
	for (unsigned i = 0; i < root_plan_count; i++)
		if (strcmp(root_plan[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *server_title(unsigned index)
{
	return index == SERVER_ROOT ? "root" : root_plan[index].name;
}

static unsigned split(char *line, char *word[WORDS])
{
	unsigned count = 0;

	while (*line != '\0') {
		while (*line == ' ' || *line == '\t')
			*line++ = '\0';
		if (*line == '\0')
			break;
		if (count == WORDS)
			return WORDS + 1;
		word[count++] = line;
		while (*line != '\0' && *line != ' ' && *line != '\t')
			line++;
	}
	return count;
}

/* The server of that name that root can do something to; -1: the answer says why not. */
static int find(const char *name, bool with_root, struct answer *answer)
{
	int index = server_index(name);

	if (index < 0)
		answer_add(answer, "error: %s: no such server\n", name);
	else if (index == SERVER_ROOT && !with_root)
		answer_add(answer, "error: root cannot do that to itself\n");
	else if (index == SERVER_ROOT || root->client[index].domain != PORT_NULL)
		return index;
	else
		answer_add(answer, "error: %s was not started at boot\n", name);
	return -1;
}

static void tell(struct answer *answer, const char *name, int error)
{
	if (error == ESRCH)
		answer_add(answer, "error: %s: is not running\n", name);
	else if (error == EBUSY)
		answer_add(answer, "error: %s: is busy; try again\n", name);
	else if (error != 0)
		answer_add(answer, "error: %s: error %d\n", name, error);
}

/* ---- the commands ---- */

static void do_list(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	(void)word, (void)session;
	report_list(answer, count > 1);
}

static void do_kill(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	int index = find(word[1], true, answer);

	(void)count, (void)session;
	if (index >= 0)
		tell(answer, word[1], supervise_kill((unsigned)index, CAUSE_KILLED));
}

static void do_crash(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	int index = find(word[1], false, answer);

	(void)count, (void)session;
	if (index >= 0)
		tell(answer, word[1], supervise_divert((unsigned)index, UNMAPPED));
}

static void do_hang(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	int index = find(word[1], false, answer);

	(void)count, (void)session;
	if (index >= 0)
		tell(answer, word[1], supervise_divert((unsigned)index, server_entry((unsigned)index) + SERVER_HANG));
}

static void do_restart(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	bool cold = count > 2;
	int index = find(word[1], !cold, answer);

	(void)session;
	if (index >= 0 && cold && strcmp(word[2], "--cold") != 0)
		answer_add(answer, "error: restart: what is %s?\n", word[2]);
	else if (index >= 0)
		tell(answer, word[1], supervise_restart((unsigned)index, CAUSE_RESTART, cold));
}

static void do_updates(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	(void)word, (void)session;
	report_updates(answer, count > 1);
}

/* Decimal; false: something else, or too large. */
static bool number(const char *word, uint64_t limit, uint64_t *value)
{
	*value = 0;
	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		*value = *value * 10 + (uint64_t)(*word - '0');
		if (*value > limit)
			return false;
	}
	return true;
}

/* log [--json] [--since N] */
static void do_log(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	bool json = count > 1 && strcmp(word[1], "--json") == 0;
	char *const *option = word + (json ? 2 : 1);
	uint64_t since = 0;

	if (option < word + count && (strcmp(option[0], "--since") != 0 || option + 2 != word + count || !number(option[1], INT64_MAX, &since)))
		answer_add(answer, "error: log: what is %s? There is --json and --since NUMBER\n", option[0]);
	else
		report_log(answer, &session->report, json, since);
}

/* flip NAME: bits of its keep. flip NAME BIT [BYTE]: changes one, if its byte has that value. flip NAME BIT used: which one is in use. */
static void do_flip(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	int index = find(word[1], false, answer);
	uint64_t bit = 0, only = FLIP_ANY;

	(void)session;
	if (index < 0)
		return;
	bool used = count > 3 && strcmp(word[3], "used") == 0;
	if ((count > 2 && !number(word[2], INT64_MAX, &bit)) || (count > 3 && !used && !number(word[3], UINT8_MAX, &only)))
		answer_add(answer, "error: flip: that is no number\n");
	else if (used)
		flip_used((unsigned)index, bit, answer);
	else if (count > 2)
		tell(answer, word[1], flip_bit((unsigned)index, bit, only, answer));
	else
		flip_size((unsigned)index, answer);
}

/*
 * killpoint NAME N [AGAIN [WITH]]: the incarnation ends at the N-th kill point from now on, and once more AGAIN points later if its recovery has as many.
 * N = 0: off. WITH: another server, which is ended as soon as the first one has. Answers what was left of the countdown before, or of AGAIN; the step of the last end, and how many there were.
 */
static void do_killpoint(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	uint64_t countdown, again = 0;
	int index = find(word[1], true, answer), with = count > 4 ? find(word[4], false, answer) : 0;

	(void)session;
	if (index < 0 || with < 0)
		return;
	if (!number(word[2], UINT32_MAX, &countdown) || (count > 3 && !number(word[3], UINT32_MAX, &again)))
		answer_add(answer, "error: killpoint: that is no number\n");
	else
		tell(answer, word[1], killpoint_order((unsigned)index, countdown, again, count > 4 ? (unsigned)with : KILLPOINT_ALONE, answer));
}

static void do_campaign(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	uint8_t victims[ROOT_SERVERS + 1];
	uint64_t period;
	unsigned victim_count = 0;

	(void)session;
	if (!number(word[1], PERIOD_MAX, &period)) {
		answer_add(answer, "error: %s: not a number of milliseconds up to %u\n", word[1], (unsigned)PERIOD_MAX);
		return;
	}
	for (unsigned i = 2; i < count && victim_count < sizeof(victims); i++) {
		int index = find(word[i], true, answer);
		if (index < 0)
			return;
		victims[victim_count++] = (uint8_t)index;
	}
	if (period != 0 && victim_count == 0) {
		answer_add(answer, "error: a campaign against whom?\n");
		return;
	}
	answer_add(answer, "%llu killed before\n", (unsigned long long)root->campaign.kills);
	supervise_campaign(period * 1000000, victims, period != 0 ? victim_count : 0);
}

/* "update NAME SIZE [MS]": the program follows; so long on trial. "update NAME": what became of it. "update NAME --back". */
static void do_update(char *const word[], unsigned count, struct answer *answer, struct session *session)
{
	int index = find(word[1], false, answer);
	uint64_t size, trial = TRIAL_DEFAULT / 1000000;

	if (index < 0)
		return;
	if (count == 2) {
		answer_add(answer, "%s%s\n", update_is_error((unsigned)index) ? "error: " : "", update_text((unsigned)index));
		return;
	}
	if (count == 3 && strcmp(word[2], "--back") == 0) {
		const char *wrong = update_back((unsigned)index);
		if (wrong != NULL)
			answer_add(answer, "error: %s: %s\n", word[1], wrong);
		return;
	}
	if (count == 4 && !number(word[3], TRIAL_MAX, &trial)) {
		answer_add(answer, "error: %s: not a number of milliseconds up to %u\n", word[3], (unsigned)TRIAL_MAX);
		return;
	}
	if (!number(word[2], IMAGE_MAX, &size) || size == 0) {
		answer_add(answer, "error: %s: not a size up to %u bytes\n", word[2], (unsigned)IMAGE_MAX);
		return;
	}
	int64_t object =
	        server_trap(TRAP_object_create, (size + PAGE_SIZE - 1) & -PAGE_SIZE, 0, PORT_NULL, 0, PORT_NULL, 0);
	if (object < 0)
		answer_add(answer, "error: %s: no memory for the program\n", word[1]);
	else
		session->upload =
		        (struct upload){.server = (uint8_t)index, .object = (port_name_t)object, .size = size,
		                        .trial = trial * 1000000};
}

void command_uploaded(struct upload *upload, struct answer *answer)
{
	const char *wrong = update_begin(upload->server, server_take(&upload->object), upload->size, upload->trial);

	if (wrong != NULL)
		answer_add(answer, "error: %s: %s\n", server_title(upload->server), wrong);
}

static const struct {
	const char *name;
	unsigned least, most; /* words */
	const char *option;   /* the only second word that there may be, or NULL */
	void (*run)(char *const word[], unsigned count, struct answer *answer, struct session *session);
} commands[] = {
        {"list", 1, 2, "--json", do_list},   {"kill", 2, 2, NULL, do_kill},
        {"crash", 2, 2, NULL, do_crash},     {"hang", 2, 2, NULL, do_hang},
        {"restart", 2, 3, NULL, do_restart}, {"log", 1, 4, NULL, do_log},
        {"update", 2, 4, NULL, do_update},   {"campaign", 2, WORDS, NULL, do_campaign},
        {"killpoint", 3, 5, NULL, do_killpoint}, {"updates", 1, 2, "--json", do_updates},
        {"flip", 2, 4, NULL, do_flip},
};

void command_execute(char *line, struct answer *answer, struct session *session)
{
	char *word[WORDS];
	unsigned count = split(line, word);

	for (size_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(word[0], commands[i].name) != 0)
			continue;
		if (count < commands[i].least || count > commands[i].most ||
		    (commands[i].option != NULL && count > 1 && strcmp(word[1], commands[i].option) != 0))
			answer_add(answer, "error: %s: wrong number of words\n", commands[i].name);
		else
			commands[i].run(word, count, answer, session);
		return;
	}
	answer_add(answer, "error: %s: no such command\n", count > 0 ? word[0] : "");
}
