/*
 * Live update to a program whose keep looks different: its migration runs on a copy of the keep, in a recovery domain of its own, while the old
 * incarnation is suspended between two requests. See portico/migration.h for what a migrator is.
 *
 * The old incarnation ends only when the migrator has said that all is well. Until then nothing that anybody can see has changed, and whatever
 * becomes of the migrator (a fault, an exit, a hang, no memory, a check that fails), the old incarnation is resumed. After the switch the keep as it was
 * is held until the new program commits its first transaction: if it ends by itself before, the old program goes on with the old keep, and
 * executes anew what the new one had begun, with the results that are in the log.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/migration.h>
#include <portico/strings.h>

#define BUDGET UINT64_C(2000000000)  /* ns of processor time */
#define PATIENCE UINT64_C(10000000000) /* ns that it may take in all: it may wait for nobody */
#define ATTEMPTS 20u                 /* of a migrator that was killed by others */

static struct root_migration *migration_of(unsigned index)
{
	return &root->client[index].migration;
}

/* ---- the migrator ---- */

static int64_t map(port_name_t task, uint64_t address, uint64_t size, uint64_t object, uint64_t access)
{
	return server_trap(TRAP_vm_map, task, address, size, object, 0, access | VM_FIXED | VM_INHERIT_SHARE);
}

static int64_t keep_name(port_name_t *to, int64_t name)
{
	if (name >= 0)
		*to = (port_name_t)name;
	return name;
}

/* Log right, copy, keep and a transaction log that stays empty. */
static int64_t furnish(const struct root_client *client)
{
	const struct root_migration *m = &client->migration;
	struct portico_block *block = (struct portico_block *)SERVER_ENDPOINT;

	block->argument[0] = block->argument[1] = 0;
	int64_t status = server_trap(TRAP_right_insert, m->task, NAME_LOG, NAME_LOG, MSG_COPY_SEND, 0, 0);
	if (status >= 0)
		status = map(m->task, SERVER_KEEP, ROOT_KEEP_SIZE, m->copy, VM_READ | VM_WRITE);
	if (status >= 0)
		status = map(m->task, SERVER_OLD_KEEP, ROOT_KEEP_SIZE, client->keep, VM_READ);
	if (status >= 0)
		status = map(m->task, SERVER_LOG, PAGE_SIZE, 0, VM_READ | VM_WRITE);
	return status;
}

static int64_t create(unsigned index)
{
	struct root_client *client = &root->client[index];
	struct root_migration *m = &client->migration;
	struct server_thread thread;
	int64_t status = keep_name(&m->domain, server_trap(TRAP_domain_create, client->ledger, PORT_NULL, 0, 0, 0, 0));

	if (status >= 0)
		status = keep_name(&m->task, server_trap(TRAP_task_create, m->domain, client->ledger, PORT_NULL, 0, 0, 0));
	if (status >= 0)
		status = keep_name(&m->copy, server_trap(TRAP_object_clone, client->keep, 0, ROOT_KEEP_SIZE, 0, PORT_NULL, 0));
	if (status >= 0)
		status = furnish(client);
	if (status >= 0)
		status = server_equip(&root_plan[index], m->task, &client->other, MIGRATOR_COOKIE + index,
		                      SERVER_START_MIGRATE, &thread);
	if (status >= 0)
		server_release_right(thread.name);
	return status;
}

/* The migrator goes; the copy stays. */
static void forget(struct root_migration *m)
{
	if (m->task != PORT_NULL)
		server_queue(TRAP_task_terminate, m->task, 0, 0, 0, 0, 0);
	server_release_right(m->task);
	server_release_right(m->domain);
	m->task = m->domain = PORT_NULL;
	m->hung = false;
}

static void drop_copy(struct root_migration *m)
{
	server_release_right(m->copy);
	m->copy = PORT_NULL;
}

/* ---- beginning and end ---- */

/* The old program goes on as if nothing had been. */
static void fail(unsigned index, enum migration_end why)
{
	struct root_client *client = &root->client[index];

	forget(&client->migration);
	drop_copy(&client->migration);
	client->migration.why = (uint8_t)why;
	update_failed(index);
	server_queue(TRAP_task_resume, client->task, 0, 0, 0, 0, 0);
	update_resumed(index);
}

static void begin(unsigned index, uint64_t now)
{
	struct root_migration *m = migration_of(index);

	m->until = now + PATIENCE;
	if (create(index) < 0)
		fail(index, MIGRATION_END_NO_MEMORY);
}

void migrate_begin(unsigned index, uint64_t now)
{
	root->client[index].update = UPDATE_MIGRATING;
	migration_of(index)->attempts = 0;
	begin(index, now);
}

/* The fingerprint in the copy. */
static bool migrated(unsigned index)
{
	static struct keep_identity identity;
	struct image_notes notes;

	int64_t n = trap4(TRAP_object_read, migration_of(index)->copy, 0, (uint64_t)&identity, sizeof(identity));
	update_notes(&root->client[index].other, &notes);
	return n == sizeof(identity) && identity.magic == KEEP_MAGIC && notes.own != NULL &&
	       memcmp(identity.layout, notes.own, LAYOUT_LENGTH) == 0;
}

static void note(unsigned index, enum migration_end end, const struct domain_info *info)
{
	static const uint8_t causes[] = {
	        [MIGRATION_END_EXCEPTION] = CAUSE_EXCEPTION, [MIGRATION_END_HANG] = CAUSE_HANG, [MIGRATION_END_REFUSED] = CAUSE_EXIT};
	struct incident *incident = journal_add(index);

	incident->cause = end < sizeof(causes) && causes[end] != CAUSE_NONE ? causes[end] : (uint8_t)CAUSE_EXIT;
	incident->action = ACTION_KEPT;
	incident->info = *info;
}

void migrate_died(port_name_t task, unsigned index)
{
	struct root_migration *m = migration_of(index);
	struct domain_info info;

	if (m->task != task || root->client[index].update != UPDATE_MIGRATING)
		return;
	(void)supervise_look_at(m->domain, &info);
	enum migration_end end = migration_verdict(&info, m->hung, migrated(index));
	if (end == MIGRATION_END_DONE) {
		forget(m);
		(void)supervise_kill(index, CAUSE_UPDATE);
	} else if (end == MIGRATION_END_KILLED && ++m->attempts < ATTEMPTS) {
		forget(m);
		drop_copy(m);
		begin(index, server_now());
	} else {
		note(index, end, &info);
		fail(index, end);
	}
}

void migrate_tick(unsigned index, uint64_t now)
{
	struct root_migration *m = migration_of(index);
	struct domain_info info;

	if (m->task == PORT_NULL || m->hung || supervise_look_at(m->domain, &info) < 0)
		return;
	if (info.cpu_ns <= BUDGET && now < m->until)
		return;
	m->hung = true;
	server_queue(TRAP_task_terminate, m->task, 0, 0, 0, 0, 0);
}

void migrate_interrupted(unsigned index)
{
	forget(migration_of(index));
	drop_copy(migration_of(index));
}

/* ---- the switch ---- */

void migrate_switch(unsigned index)
{
	struct root_client *client = &root->client[index];
	struct root_migration *m = &client->migration;
	struct domain_info info;

	if (m->copy == PORT_NULL)
		return;
	(void)supervise_look(index, &info);
	m->old_keep = client->keep;
	client->keep = m->copy;
	client->remap = true;
	m->copy = PORT_NULL;
	/* Its first receive is a commit, too, unless a message is there already. */
	m->last_commits = info.commits + (info.held != 0 ? 0 : 1);
}

bool migrate_back(unsigned index)
{
	static const uint64_t empty = SERVER_LOG + SERVER_LOG_EMPTY;
	struct root_client *client = &root->client[index];
	struct root_migration *m = &client->migration;
	struct domain_info info;

	if (m->old_keep == PORT_NULL || supervise_look(index, &info) < 0 || info.commits > m->last_commits)
		return false;
	server_release_right(client->keep);
	client->keep = m->old_keep;
	client->remap = true;
	m->old_keep = PORT_NULL;
	/* What is to be undone was done to the other keep. */
	return server_trap(TRAP_object_write, client->log, 0, (uint64_t)&empty, sizeof(empty), 0, 0) >= 0;
}

void migrate_settle(unsigned index)
{
	server_release_right(migration_of(index)->old_keep);
	migration_of(index)->old_keep = PORT_NULL;
}
