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
#define BOUNDARY_PERIOD UINT64_C(1000000)  /* ns: how often to look for the end of a request */
#define PATIENCE UINT64_C(2000000000)      /* ns: for which it is looked for */
#define NOTIFY_NOTHING (UINT64_C(1) << 63) /* a bit that no server's handler wants */
#define ATTEMPTS 20u
#define ATTEMPT_PAUSE UINT64_C(1000000) /* ns */
#define BUDGET UINT64_C(2000000000)     /* ns of processor time for one request */
#define COLD_FACTOR 10u                 /* so many times that for a start with nothing */
#define CHAIN_FACTOR 3u                 /* so many times that for transactions that no message asked for, one after the other */
#define STATE_BLOCKED 3u                /* thread_info */

/* ---- what the kernel knows ---- */

int64_t supervise_look_at(port_name_t domain, struct domain_info *info)
{
	struct {
		int64_t status;
		struct domain_info info;
	} found = {0};

	/* The kernel writes to the send page; root has no call of its own there, ever. */
	found.status = trap1(TRAP_domain_info, domain);
	if (found.status >= 0)
		memcpy(&found.info, ((const struct msg_page *)(SERVER_ENDPOINT + ENDPOINT_SEND * PAGE_SIZE))->data,
		       sizeof(found.info));
	server_sample(&found, sizeof(found));
	*info = found.info;
	return found.status;
}

int64_t supervise_look(unsigned index, struct domain_info *info)
{
	return supervise_look_at(root->client[index].domain, info);
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
	if (root->incarnation != 0) {
		root->last_cause = root->suicide_cause != CAUSE_NONE ? root->suicide_cause : CAUSE_UNKNOWN;
		root->suicide_cause = CAUSE_NONE;
		if (root->last_cause != CAUSE_CAMPAIGN)
			journal_add(SERVER_ROOT)->cause = root->last_cause;
	}
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
	for (unsigned i = 0; i < root_plan_count; i++) {
		const struct root_client *client = &root->client[i];

		if (client->start_at != 0 && client->start_at < next)
			next = client->start_at;
		if (client->wanted != CAUSE_NONE && now + BOUNDARY_PERIOD < next)
			next = now + BOUNDARY_PERIOD;
	}
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

/* One that cannot be made, because it was destroyed in the making or there is no memory, is tried again a little later.
 */
static void start(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];
	int64_t status;

	switch (client->action) {
	case ACTION_COLD:
		status = server_incarnate_cold(index);
		break;
	case ACTION_GIVE_UP:
		status = server_incarnate(index, SERVER_START_GIVE_UP);
		break;
	default:
		status = server_incarnate(index, 0);
	}
	if (status >= 0) {
		client->start_at = 0;
		client->failures = 0;
	} else if (update_died(index, CAUSE_EXIT, true)) { /* the new program cannot even be loaded */
		client->start_at = now;
		arm(now);
	} else if (++client->failures < INCARNATION_ATTEMPTS) {
		client->start_at = now + RETRY;
		arm(now);
	} else {
		server_log("server %s died: status %d", root_plan[index].name, (int)status);
		root->ending = true;
		power_off(POWER_OFF);
	}
}

/* The journal's entry (but for campaigns, which would leave no room for others), and how and when the next incarnation
 * is to be made. */
static void decide(unsigned index, const struct domain_info *info)
{
	struct root_client *client = &root->client[index];
	enum cause cause = (enum cause)client->last_cause;
	struct incident unwritten, *incident = cause != CAUSE_CAMPAIGN ? journal_add(index) : &unwritten;
	struct ending ending = {
	        .own = cause == CAUSE_EXCEPTION || cause == CAUSE_EXIT || cause == CAUSE_HANG,
	        .unborn = client->cold && info->commits == client->commits,
	        .chained = cause == CAUSE_HANG && client->chained,
	        .commits = info->commits,
	        .now = client->ended,
	};
	bool cold = client->wanted_cold; /* an update that has to wait again forgets it */

	incident->cause = (uint8_t)cause;
	incident->info = *info;
	/* What a program on trial did is not held against the one that comes back, unless it leaves a keep half made. */
	if (update_died(index, cause, ending.own) && !ending.unborn) {
		incident->action = ACTION_OLD_IMAGE;
		incident->delay = 0;
	} else {
		incident->action = (uint8_t)ladder_step(&client->ladder, &ending, &incident->delay);
	}
	if (cold && incident->action != ACTION_REBOOT)
		incident->action = ACTION_COLD;
	client->cold = false;
	client->action = incident->action;
	client->start_at = client->ended + incident->delay;
	if (ending.own)
		server_log("%s incarnation %llu: %s, rip 0x%llx: %s", root_plan[index].name,
		           (unsigned long long)info->incarnation, cause_name(cause), (unsigned long long)info->rip,
		           action_name(incident->action));
	if (client->action == ACTION_REBOOT) {
		root->ending = true;
		power_off(POWER_REBOOT);
	}
}

void supervise_died(port_name_t task, uint64_t index)
{
	if (index >= MIGRATOR_COOKIE) {
		migrate_died(task, (unsigned)(index - MIGRATOR_COOKIE));
		return;
	}
	struct root_client *client = &root->client[index];
	struct domain_info info;

	if (root->ending || index >= root_plan_count || client->task != task)
		return;
	forget_task(client);
	(void)supervise_look((unsigned)index, &info);
	client->last_cause = (uint8_t)cause_of(&info, client->ending);
	client->ended = server_now();
	client->restarts++;
	decide((unsigned)index, &info);
	client->ending = CAUSE_NONE;
	if (client->wanted != CAUSE_UPDATE) {
		client->wanted = CAUSE_NONE;
		client->wanted_cold = false;
	}
	client->commits = info.commits;
	killpoint_died((unsigned)index);
	if (client->start_at <= client->ended)
		start((unsigned)index, client->ended);
	else
		arm(client->ended);
}

int supervise_kill(unsigned index, enum cause cause)
{
	if (index == SERVER_ROOT) {
		root->suicide = server_sample_word(own_counters()->incarnation);
		root->suicide_cause = (uint8_t)cause;
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

/* ---- between two requests ---- */

static bool is_blocked(unsigned index)
{
	uint64_t state[3];

	return server_trap_results(TRAP_thread_info, root->client[index].thread, 0, state, sizeof(state)) >= 0 &&
	       state[2] == STATE_BLOCKED;
}

bool supervise_between(unsigned index)
{
	struct domain_info info;

	return supervise_look(index, &info) >= 0 && info.held == 0 && info.in_call == 0 && is_blocked(index);
}

/* True: it has ended, or will. */
static bool end_between_requests(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];

	if (client->task == PORT_NULL)
		return true;
	(void)server_trap(TRAP_task_suspend, client->task, 0, 0, 0, 0, 0);
	bool between = supervise_between(index);
	if (!between && now >= client->wanted_until && client->wanted == CAUSE_UPDATE && update_cancel(index))
		client->wanted = CAUSE_NONE;
	if (between && client->wanted == CAUSE_UPDATE && update_stopped(index, server_now())) {
		client->wanted = CAUSE_NONE;
		return true;
	}
	if (client->wanted != CAUSE_NONE && (between || now >= client->wanted_until)) {
		(void)supervise_kill(index, (enum cause)client->wanted);
		client->wanted = CAUSE_NONE;
		return true;
	}
	server_queue(TRAP_task_resume, client->task, 0, 0, 0, 0, 0);
	return false;
}

int supervise_restart(unsigned index, enum cause cause, bool cold)
{
	if (index == SERVER_ROOT)
		return supervise_kill(index, cause);
	struct root_client *client = &root->client[index];
	uint64_t now = server_now();
	if (client->task == PORT_NULL)
		return ESRCH;
	client->wanted = (uint8_t)cause;
	client->wanted_cold = cold;
	client->wanted_until = now + PATIENCE;
	if (!end_between_requests(index, now))
		arm(now);
	return 0;
}

/* ---- diverting ---- */

/* Registers of a stopped thread; a message without meaning gets it out of its receive. */
static int64_t read_registers(const struct root_client *client, struct portico_frame *frame)
{
	struct {
		uint64_t result[BLOCK_RESULTS];
		struct portico_frame frame; /* at block->argument */
	} found;
	int64_t status = server_trap_results(TRAP_thread_get_state, client->thread, 0, &found, sizeof(found));

	*frame = found.frame;
	return status;
}

static int64_t write_registers(const struct root_client *client, const struct portico_frame *frame)
{
	memcpy(((struct portico_block *)SERVER_ENDPOINT)->argument, frame, sizeof(*frame));
	return server_trap(TRAP_thread_set_state, client->thread, 0, 0, 0, 0, 0);
}

int supervise_divert(unsigned index, uint64_t rip)
{
	const struct root_client *client = &root->client[index];
	struct portico_frame frame;
	int64_t status = KERN_BUSY;

	if (client->task == PORT_NULL)
		return ESRCH;
	(void)server_trap(TRAP_task_suspend, client->task, 0, 0, 0, 0, 0);
	(void)server_trap(TRAP_port_notify, client->service, NOTIFY_NOTHING, 0, 0, 0, 0);
	for (unsigned i = 0; i < ATTEMPTS && status == KERN_BUSY; i++) {
		status = read_registers(client, &frame);
		if (status >= 0) {
			frame.rip = rip;
			status = write_registers(client, &frame);
		}
		if (status == KERN_BUSY)
			trap2(TRAP_thread_sleep, server_now() + ATTEMPT_PAUSE, 0);
	}
	server_queue(TRAP_task_resume, client->task, 0, 0, 0, 0, 0);
	return status == KERN_BUSY ? EBUSY : status < 0 ? EIO : 0;
}

/* ---- root itself ---- */

/*
 * root ends itself in a transaction of its own. The one thing in it that is not the same when it is executed again: the
 * next incarnation has another number, and goes on.
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

/*
 * Each look found it at transactions that nobody's request asked for (deferred work, the timer, notifications, which may
 * be its own), until it has taken too much time: work that is never over. Under load a server is found serving, without it
 * waiting; it is neither.
 */
static bool chained(unsigned index, const struct domain_info *info, uint64_t budget)
{
	struct root_client *client = &root->client[index];

	if ((info->held != 0 && info->kind == MSG_REQUEST) || is_blocked(index))
		client->chain_since = 0;
	else if (client->chain_since == 0 || client->chain_since > info->cpu_ns)
		client->chain_since = info->cpu_ns;
	return client->chain_since != 0 && info->cpu_ns - client->chain_since > CHAIN_FACTOR * budget;
}

/* Too much time for one request: that is a hang. Waiting for another server is none. */
static void watch(unsigned index)
{
	struct root_client *client = &root->client[index];
	struct domain_info info;

	if (client->ending != CAUSE_NONE || supervise_look(index, &info) < 0 || info.running == 0 || info.in_call != 0)
		return;
	bool unborn = client->cold && info.commits == client->commits;
	uint64_t budget = root_plan[index].budget_ms != 0 ? root_plan[index].budget_ms * UINT64_C(1000000) : BUDGET;
	client->chained = chained(index, &info, budget);
	if (client->chained || info.service_ns > (unborn ? COLD_FACTOR * budget : budget))
		(void)supervise_kill(index, CAUSE_HANG);
}

static void tick(void)
{
	uint64_t now = server_now();

	supervise_self();
	if (root->ending)
		return;
	strike(now);
	for (unsigned i = 0; i < root_plan_count && !root->ending; i++) {
		const struct root_client *client = &root->client[i];

		update_tick(i, now);
		if (client->start_at != 0 && client->start_at <= now)
			start(i, now);
		else if (client->wanted != CAUSE_NONE)
			(void)end_between_requests(i, now);
		else if (client->task != PORT_NULL && now >= root->watch_at)
			watch(i);
	}
	if (now >= root->watch_at)
		root->watch_at = now + WATCH_PERIOD;
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
