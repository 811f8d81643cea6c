/*
 * Incarnations that end: those that root ends, by command or in a campaign, and what is done about every end.
 *
 * root's timer comes here each WATCH_PERIOD, and earlier if the campaign wants it. Nothing here waits for a server.
 */
#include "root.h"
#include <portico/block.h>
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define WATCH_PERIOD UINT64_C(100000000) /* ns */
#define RETRY UINT64_C(2000000)          /* ns */
#define INCARNATION_ATTEMPTS 20u

/* ---- what the kernel knows ---- */

int64_t supervise_look(unsigned index, struct domain_info *info)
{
	struct {
		int64_t status;
		struct domain_info info;
	} found = {0};

	/* The kernel writes to the send page; root has no call of its own there, ever. */
	found.status = trap1(TRAP_domain_info, root->client[index].domain);
	if (found.status >= 0)
		memcpy(&found.info, ((const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE))->data,
		       sizeof(found.info));
	server_sample(&found, sizeof(found));
	*info = found.info;
	return found.status;
}

static const volatile struct portico_counters *own_counters(void)
{
	return &((const struct portico_block *)SERVER_ENDPOINT)->counters;
}

void supervise_self(void)
{
	uint64_t incarnation = server_sample_word(own_counters()->incarnation);

	if (incarnation == root->incarnation)
		return;
	root->incarnation = incarnation;
	root->started = server_now();
}

/* ---- the timer's deadline ---- */

static void arm(uint64_t now)
{
	const struct campaign *campaign = &root->campaign;
	uint64_t next = now + WATCH_PERIOD;

	if (campaign->period != 0 && campaign->next < next)
		next = campaign->next;
	for (unsigned i = 0; i < root_plan_count; i++)
		if (root->client[i].start_at != 0 && root->client[i].start_at < next)
			next = root->client[i].start_at;
	server_set_timer(next);
}

/* ---- ends ---- */

static enum cause cause_of(const struct domain_info *info, uint8_t asked)
{
	switch (info->end) {
	case DOMAIN_END_EXCEPTION:
		return CAUSE_EXCEPTION;
	case DOMAIN_END_EXIT:
		return CAUSE_EXIT;
	default:
		return asked != CAUSE_NONE ? (enum cause)asked : CAUSE_KILLED;
	}
}

static void forget_task(struct root_client *client)
{
	server_release_right(client->task);
	server_release_right(client->thread);
	client->task = client->thread = PORT_NULL;
}

/* One that cannot be made, because it was destroyed in the making or there is no memory, is tried again a little later. */
static void start(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];
	int64_t status = server_incarnate(index, 0);

	if (status >= 0) {
		client->start_at = 0;
		client->failures = 0;
	} else if (++client->failures < INCARNATION_ATTEMPTS) {
		client->start_at = now + RETRY;
		arm(now);
	} else {
		server_log("server %s died: status %d", root_plan[index].name, (int)status);
		root->ending = true;
		power_off(POWER_OFF);
	}
}

void supervise_died(port_name_t task, uint64_t index)
{
	struct root_client *client = &root->client[index];
	struct domain_info info;

	if (root->ending || index >= root_plan_count || client->task != task)
		return;
	forget_task(client);
	(void)supervise_look((unsigned)index, &info);
	client->last_cause = (uint8_t)cause_of(&info, client->ending);
	client->ending = CAUSE_NONE;
	client->ended = server_now();
	client->restarts++;
	start((unsigned)index, client->ended);
}

int supervise_kill(unsigned index, enum cause cause)
{
	if (index == SERVER_ROOT) {
		root->suicide = server_sample_word(own_counters()->incarnation);
		server_defer();
		return 0;
	}
	struct root_client *client = &root->client[index];
	if (client->task == PORT_NULL)
		return ESRCH;
	client->ending = (uint8_t)cause;
	server_queue(TRAP_task_terminate, client->task, 0, 0, 0, 0, 0);
	return 0;
}

/*
 * root ends itself in a transaction of its own. The one thing in it that is not the same when it is executed again: the next incarnation has
 * another number, and goes on.
 */
void supervise_deferred(void)
{
	if (root->suicide != 0 && root->suicide == own_counters()->incarnation)
		trap1(TRAP_task_terminate, TASK_SELF);
	root->suicide = 0;
}

/* ---- the timer ---- */

void supervise_campaign(uint64_t period, const uint8_t *victims, unsigned count)
{
	struct campaign *campaign = &root->campaign;
	uint64_t now = server_now();

	campaign->period = count > 0 ? period : 0;
	campaign->count = count;
	campaign->turn = 0;
	campaign->next = now + period;
	memcpy(campaign->victim, victims, count);
	arm(now);
}

static void strike(uint64_t now)
{
	struct campaign *campaign = &root->campaign;

	if (campaign->period == 0 || now < campaign->next)
		return;
	unsigned victim = campaign->victim[campaign->turn];
	campaign->turn = (campaign->turn + 1) % campaign->count;
	campaign->next = now + campaign->period;
	if (supervise_kill(victim, CAUSE_CAMPAIGN) == 0)
		campaign->kills++;
}

static void tick(void)
{
	uint64_t now = server_now();

	supervise_self();
	if (root->ending)
		return;
	strike(now);
	for (unsigned i = 0; i < root_plan_count && !root->ending; i++)
		if (root->client[i].start_at != 0 && root->client[i].start_at <= now)
			start(i, now);
	arm(now);
}

void supervise_register(void)
{
	server_on_dead_name(supervise_died);
	server_on_timer(tick);
	server_on_deferred(supervise_deferred);
}

void supervise_start(void)
{
	supervise_self();
	arm(server_now());
}
