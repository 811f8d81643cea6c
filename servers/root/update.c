/*
 * Live update: the next incarnation of a server is made of another program, between two requests. Its rights stay, and so does its keep: as it is if both
 * programs have the same layout, else as the new program's migration leaves it (migrate.c).
 *
 * waiting -> (migrating ->) trial -> done. On trial, for a second if nothing else was asked for: if it faults, exits, hangs or cannot be loaded, the
 * next incarnation is made of the old program again; after a migration only as long as the new program has committed nothing. Whoever kills it from
 * outside changes nothing.
 * trial -> back -> returned: an administrator does not want it, and the old program comes back between two requests. Not after a migration: what the
 * new program has done meanwhile is in a keep that the old one cannot read.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/migration.h>
#include <portico/strings.h>

#define TRIAL_AGAIN UINT64_C(100000000) /* ns: how much longer, if it has not received yet */
#define PATIENCE UINT64_C(2000000000)   /* ns: for the end of a request */

/* Volatile: the beginnings of the two files. */
static uint8_t headers[PAGE_SIZE];

struct root_image update_image(unsigned index)
{
	const struct root_client *client = &root->client[index];

	if (client->image.object != PORT_NULL)
		return client->image;
	const struct root_module *module = module_find(root_plan[index].name);
	return (struct root_image){.object = module->object, .size = module->size};
}

/* ---- checks ---- */

static const char *read_image(const struct root_image *program, struct image *image)
{
	size_t length = program->size < sizeof(headers) ? program->size : sizeof(headers);
	int64_t n = trap4(TRAP_object_read, program->object, 0, (uint64_t)headers, length);

	return image_parse(headers, n > 0 ? (size_t)n : 0, program->size, image);
}

void update_notes(const struct root_image *program, struct image_notes *notes)
{
	struct image image;
	size_t length;

	notes->own = NULL;
	notes->size = 0;
	if (read_image(program, &image) != NULL || image.note_size == 0 || image.note_size > sizeof(notes->bytes))
		return;
	int64_t n =
	        trap4(TRAP_object_read, program->object, image.note_offset, (uint64_t)notes->bytes, image.note_size);
	notes->size = n > 0 ? (size_t)n : 0;
	notes->own = image_layout(notes->bytes, notes->size, LAYOUT_NOTE_OWN, 0, &length);
	if (notes->own == NULL || length != LAYOUT_LENGTH || *(const char *)notes->own == '?')
		notes->own = NULL;
}

/* Does the program migrate from that layout? */
static bool migrates(const struct image_notes *notes, const void *layout)
{
	const void *from;
	size_t length;

	for (unsigned i = 0; (from = image_layout(notes->bytes, notes->size, LAYOUT_NOTE_FROM, i, &length)) != NULL; i++)
		if (length == LAYOUT_LENGTH && memcmp(from, layout, LAYOUT_LENGTH) == 0)
			return true;
	return false;
}

/* NULL, or why the new program cannot take over what the old one has. */
static const char *compare_layouts(const struct root_image *old, const struct root_image *new, bool *migrate)
{
	static struct image_notes before, after;

	update_notes(old, &before);
	update_notes(new, &after);
	*migrate = false;
	if (after.own == NULL || before.own == NULL)
		return "it does not say what its keep looks like (no fingerprint in the note portico.layout)";
	if (memcmp(before.own, after.own, LAYOUT_LENGTH) == 0)
		return NULL;
	if (memcmp((const char *)before.own + LAYOUT_KEEP, (const char *)after.own + LAYOUT_KEEP, LAYOUT_LOG) != 0)
		return "its transaction log has another layout: no update can do that";
	*migrate = migrates(&after, before.own);
	return *migrate ? NULL : "its keep has another layout, and it has no migration from the present one";
}

/* ---- the states ---- */

static void drop(struct root_image *image)
{
	server_release_right(image->object);
	*image = (struct root_image){0};
}

/* On trial for the first time, `other` is the boot module and has no object. */
static bool under_way(const struct root_client *client)
{
	return client->update == UPDATE_WAITING || client->update == UPDATE_MIGRATING || client->update == UPDATE_TRIAL ||
	       client->update == UPDATE_BACK;
}

const char *update_begin(unsigned index, port_name_t object, uint64_t size, uint64_t trial)
{
	struct root_client *client = &root->client[index];
	struct root_image program = {.object = object, .size = size}, present = update_image(index);
	struct image image;
	bool migrate = false;
	const char *wrong = read_image(&program, &image);

	if (wrong == NULL)
		wrong = compare_layouts(&present, &program, &migrate);
	if (wrong == NULL && under_way(client))
		wrong = "there is an update under way";
	if (wrong == NULL && client->task == PORT_NULL)
		wrong = "is not running";
	if (wrong != NULL) {
		server_release_right(object);
		return wrong;
	}
	client->other = program;
	client->trial = trial;
	client->update = UPDATE_WAITING;
	client->migration.wanted = migrate;
	client->migration.why = MIGRATION_END_NONE;
	(void)supervise_restart(index, CAUSE_UPDATE, false);
	return NULL;
}

bool update_stopped(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];

	if (client->update == UPDATE_BACK)
		return false;
	client->pauses.stopped = now;
	client->pauses.ready = client->pauses.answered = 0;
	if (!client->migration.wanted)
		return false;
	migrate_begin(index, now);
	return true;
}

static void exchange(struct root_client *client)
{
	struct root_image image = client->image;

	client->image = client->other;
	client->other = image;
}

const char *update_back(unsigned index)
{
	struct root_client *client = &root->client[index];

	if (client->update != UPDATE_TRIAL)
		return "no program is on trial";
	if (client->migration.wanted)
		return "its keep was migrated: only an update to a program that migrates it again leads back";
	if (client->task == PORT_NULL)
		return "is not running";
	client->update = UPDATE_BACK;
	(void)supervise_restart(index, CAUSE_UPDATE, false);
	return NULL;
}

void update_failed(unsigned index)
{
	struct root_client *client = &root->client[index];

	drop(&client->other);
	client->update = UPDATE_FAILED;
	client->pauses.failures++;
}

/* It ended otherwise before the switch, perhaps when it was about to be ended for it: the next incarnation of the old program will be stopped again. */
static void wait_again(unsigned index)
{
	struct root_client *client = &root->client[index];

	migrate_interrupted(index);
	client->update = UPDATE_WAITING;
	if (client->wanted == CAUSE_UPDATE)
		return;
	client->wanted = CAUSE_UPDATE;
	client->wanted_cold = false;
	client->wanted_until = server_now() + PATIENCE;
}

/* It ended on trial by itself. True: the old program comes back; false: it cannot. */
static bool take_back(unsigned index)
{
	struct root_client *client = &root->client[index];

	if (client->migration.wanted) {
		client->migration.why = MIGRATION_END_DONE;
		if (!migrate_back(index)) {
			migrate_settle(index);
			drop(&client->other);
			client->update = UPDATE_NO_WAY_BACK;
			client->pauses.failures++;
			return false;
		}
	}
	exchange(client);
	update_failed(index);
	return true;
}

bool update_died(unsigned index, enum cause cause, bool own)
{
	struct root_client *client = &root->client[index];

	if ((client->update == UPDATE_WAITING || client->update == UPDATE_MIGRATING) && cause == CAUSE_UPDATE) {
		exchange(client);
		migrate_switch(index);
		client->update = UPDATE_TRIAL;
		client->trial_until = server_now() + client->trial;
		return false;
	}
	if (client->update == UPDATE_WAITING || client->update == UPDATE_MIGRATING)
		wait_again(index);
	if (client->update == UPDATE_BACK) {
		client->wanted = CAUSE_NONE;
		if (own)
			return take_back(index);
		/* Whoever ended it: the old program can go on anywhere. */
		exchange(client);
		drop(&client->other);
		client->update = UPDATE_RETURNED;
	}
	return client->update == UPDATE_TRIAL && own && take_back(index);
}

void update_tick(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];
	struct domain_info info;

	if (client->update == UPDATE_MIGRATING)
		migrate_tick(index, now);
	if (client->update != UPDATE_TRIAL)
		return;
	update_pause(index);
	if (now < client->trial_until || client->task == PORT_NULL)
		return;
	/* It has to have come as far as its first receive. */
	if (supervise_look(index, &info) < 0 || info.commits == client->commits) {
		client->trial_until = now + TRIAL_AGAIN;
		return;
	}
	drop(&client->other);
	migrate_settle(index);
	client->update = UPDATE_DONE;
	client->pauses.updates++;
	client->pauses.total_ready += client->pauses.ready;
}

bool update_cancel(unsigned index)
{
	struct root_client *client = &root->client[index];

	if (client->update == UPDATE_BACK) /* the old program can finish what this one does not */
		return false;
	drop(&client->other);
	client->update = UPDATE_BUSY;
	return true;
}

const char *update_text(unsigned index)
{
	static const char *const text[] = {
	        [UPDATE_NONE] = "none",
	        [UPDATE_WAITING] = "waiting",
	        [UPDATE_MIGRATING] = "waiting",
	        [UPDATE_TRIAL] = "on trial",
	        [UPDATE_DONE] = "done",
	        [UPDATE_BACK] = "going back",
	        [UPDATE_RETURNED] = "taken back",
	        [UPDATE_BUSY] = "no request ended in time",
	        [UPDATE_NO_WAY_BACK] = "the new program failed after it had answered in the new layout; it goes on",
	};
	const struct root_client *client = &root->client[index];

	return client->update == UPDATE_FAILED ? migration_end_text((enum migration_end)client->migration.why) : text[client->update];
}

bool update_is_error(unsigned index)
{
	uint8_t update = root->client[index].update;

	return update == UPDATE_FAILED || update == UPDATE_BUSY || update == UPDATE_NO_WAY_BACK;
}
