/*
 * Live update: the next incarnation of a server is made of another program, between two requests. Its keep and its
 * rights stay, so both programs must agree about what the keep looks like.
 *
 * waiting -> trial -> done. On trial, for a second if nothing else was asked for: if it faults, exits, hangs or cannot
 * be loaded, the next incarnation is made of the old program again. Whoever kills it from outside changes nothing.
 * trial -> back -> returned: an administrator does not want it, and the old program comes back between two requests.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define TRIAL_AGAIN UINT64_C(100000000) /* ns: how much longer, if it has not received yet */

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

struct notes {
	uint8_t bytes[IMAGE_NOTES_MAX];
	const void *layout; /* NULL: it does not say */
	size_t length;
};

static void read_layout(const struct root_image *program, struct notes *notes)
{
	struct image image;

	notes->layout = NULL;
	if (read_image(program, &image) != NULL || image.note_size == 0 || image.note_size > sizeof(notes->bytes))
		return;
	int64_t n =
	        trap4(TRAP_object_read, program->object, image.note_offset, (uint64_t)notes->bytes, image.note_size);
	if (n > 0)
		notes->layout = image_layout(notes->bytes, (size_t)n, &notes->length);
}

static bool layouts_agree(const struct root_image *old, const struct root_image *new)
{
	static struct notes a, b;

	read_layout(old, &a);
	read_layout(new, &b);
	return a.layout == NULL || b.layout == NULL ||
	       (a.length == b.length && memcmp(a.layout, b.layout, a.length) == 0);
}

/* ---- the states ---- */

static void drop(struct root_image *image)
{
	server_release_right(image->object);
	*image = (struct root_image){0};
}

const char *update_begin(unsigned index, port_name_t object, uint64_t size, uint64_t trial)
{
	struct root_client *client = &root->client[index];
	struct root_image program = {.object = object, .size = size}, present = update_image(index);
	struct image image;
	const char *wrong = read_image(&program, &image);

	if (wrong == NULL && !layouts_agree(&present, &program))
		wrong = "its keep has another layout";
	if (wrong == NULL && client->other.object != PORT_NULL)
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
	(void)supervise_restart(index, CAUSE_UPDATE, false);
	return NULL;
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
	if (client->task == PORT_NULL)
		return "is not running";
	client->update = UPDATE_BACK;
	(void)supervise_restart(index, CAUSE_UPDATE, false);
	return NULL;
}

/* The old program again, for good. */
static void take_back(struct root_client *client, enum update_state state)
{
	exchange(client);
	drop(&client->other);
	client->update = (uint8_t)state;
}

bool update_died(unsigned index, enum cause cause, bool own)
{
	struct root_client *client = &root->client[index];

	if (client->update == UPDATE_WAITING && cause == CAUSE_UPDATE) {
		exchange(client);
		client->update = UPDATE_TRIAL;
		client->trial_until = server_now() + client->trial;
		return false;
	}
	if (client->update == UPDATE_BACK && cause == CAUSE_UPDATE) {
		take_back(client, UPDATE_RETURNED);
		return false;
	}
	if ((client->update != UPDATE_TRIAL && client->update != UPDATE_BACK) || !own)
		return false;
	client->wanted = CAUSE_NONE;
	take_back(client, UPDATE_FAILED);
	return true;
}

void update_tick(unsigned index, uint64_t now)
{
	struct root_client *client = &root->client[index];

	struct domain_info info;

	if (client->update != UPDATE_TRIAL || now < client->trial_until || client->task == PORT_NULL)
		return;
	/* It has to have come as far as its first receive. */
	if (supervise_look(index, &info) < 0 || info.commits == client->commits) {
		client->trial_until = now + TRIAL_AGAIN;
		return;
	}
	drop(&client->other);
	client->update = UPDATE_DONE;
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
	        [UPDATE_TRIAL] = "on trial",
	        [UPDATE_DONE] = "done",
	        [UPDATE_BACK] = "going back",
	        [UPDATE_RETURNED] = "taken back",
	        [UPDATE_FAILED] = "error: the new program failed; the old one goes on",
	        [UPDATE_BUSY] = "error: no request ended in time",
	};

	return text[root->client[index].update];
}
