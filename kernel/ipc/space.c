/*
 * IPC spaces: what a name is.
 *
 * Two flat tables of rights, one for names that the kernel gives (index and generation), one for names that the user chooses.
 * A table is a directory of small chunks, so that a lookup is two loads and a sparse choice of names costs little.
 * Above: right.c and the message path. Below: kalloc. Does not know what a right means, except when it hands one over for release.
 */
#include <kernel/ipc/internal.h>

#define TEARDOWN_STEP 64u

struct ipc_space *ipc_space_create(struct ledger *ledger)
{
	struct ipc_space *space = object_allocate(KOBJ_SPACE, sizeof(*space), ledger);

	if (space != NULL)
		list_init(&space->reap_link);
	return space;
}

/* Makes the directory hold at least `chunks` pointers. */
static bool table_grow(struct right_table *table, uint32_t chunks, struct ledger *ledger)
{
	uint32_t size = table->chunks == 0 ? 4 : table->chunks;
	struct right **bigger;

	if (chunks <= table->chunks)
		return true;
	while (size < chunks)
		size *= 2;
	bigger = kalloc(size * sizeof(*bigger), ledger);
	if (bigger == NULL)
		return false;
	for (uint32_t i = 0; i < table->chunks; i++)
		bigger[i] = table->chunk[i];
	if (table->chunk != NULL)
		kfree(table->chunk, table->chunks * sizeof(*bigger), ledger);
	table->chunk = bigger;
	table->chunks = size;
	return true;
}

/* The entry at an index, its chunk made if need be. */
static struct right *table_slot(struct right_table *table, uint32_t index, struct ledger *ledger)
{
	uint32_t n = index / RIGHT_CHUNK;

	if (index >= RIGHT_INDEX_MAX || !table_grow(table, n + 1, ledger))
		return NULL;
	if (table->chunk[n] == NULL)
		table->chunk[n] = kalloc(RIGHT_CHUNK * sizeof(struct right), ledger);
	return table->chunk[n] == NULL ? NULL : &table->chunk[n][index % RIGHT_CHUNK];
}

static struct right *given_slot(struct ipc_space *space, uint32_t index)
{
	return &space->given.chunk[index / RIGHT_CHUNK][index % RIGHT_CHUNK];
}

static void given_push(struct ipc_space *space, uint32_t index)
{
	struct right *right = given_slot(space, index);

	right->next_free = 0;
	if (space->free_tail != 0)
		given_slot(space, space->free_tail)->next_free = index;
	else
		space->free_head = index;
	space->free_tail = index;
}

/* A further chunk of given names. Index 0 stays unused: it would make the null name. */
static bool given_extend(struct ipc_space *space)
{
	uint32_t first = space->given_chunks * RIGHT_CHUNK;

	if (table_slot(&space->given, first, space->object.ledger) == NULL)
		return false;
	space->given_chunks++;
	for (uint32_t i = 0; i < RIGHT_CHUNK; i++)
		if (first + i != 0)
			given_push(space, first + i);
	return true;
}

static struct right *given_allocate(struct ipc_space *space, port_name_t *name, int64_t *status)
{
	uint32_t index;
	struct right *right;

	if (space->free_head == 0 && !given_extend(space)) {
		*status = space->given_chunks * RIGHT_CHUNK >= RIGHT_INDEX_MAX ? KERN_NO_SPACE : KERN_NO_MEMORY;
		return NULL;
	}
	index = space->free_head;
	right = given_slot(space, index);
	space->free_head = (uint32_t)right->next_free;
	if (space->free_head == 0)
		space->free_tail = 0;
	*name = index << 8 | right->generation;
	return right;
}

static struct right *chosen_allocate(struct ipc_space *space, port_name_t chosen, int64_t *status)
{
	struct right *right;

	if (chosen < NAME_CHOSEN || chosen >= NAME_CHOSEN_MAX) {
		*status = KERN_INVALID_ARGUMENT;
		return NULL;
	}
	right = table_slot(&space->chosen, chosen & ~NAME_CHOSEN, space->object.ledger);
	if (right == NULL) {
		*status = KERN_NO_MEMORY;
		return NULL;
	}
	if (right->kind != RIGHT_NONE) {
		*status = KERN_NAME_EXISTS;
		return NULL;
	}
	return right;
}

struct right *space_allocate(struct ipc_space *space, port_name_t chosen, port_name_t *name, int64_t *status)
{
	struct right *right;

	if (space->object.dead) {
		*status = KERN_DEAD;
		return NULL;
	}
	if (chosen == PORT_NULL) {
		right = given_allocate(space, name, status);
	} else {
		*name = chosen;
		right = chosen_allocate(space, chosen, status);
	}
	if (right != NULL)
		space->rights++;
	return right;
}

void space_free(struct ipc_space *space, port_name_t name, struct right *right)
{
	right->kind = RIGHT_NONE;
	right->object_kind = 0;
	right->requested = false;
	right->flags = 0;
	right->pointer = NULL;
	space->rights--;
	if (!(name & NAME_CHOSEN)) {
		right->generation++;
		given_push(space, name >> 8);
	}
}

int64_t space_enter(struct ipc_space *space, port_name_t chosen, const struct right *new)
{
	port_name_t name;
	int64_t status = KERN_SUCCESS;
	struct right *right;

	if (chosen == PORT_NULL && space->free_head != 0 && !space->object.dead) {
		right = given_allocate(space, &name, &status);
		space->rights++;
	} else {
		right = space_allocate(space, chosen, &name, &status);
		if (right == NULL)
			return status;
	}
	right->kind = new->kind;
	right->object_kind = new->object_kind;
	right->requested = false;
	right->flags = new->flags;
	right->pointer = new->pointer;
	if (new->kind == RIGHT_RECEIVE) {
		right->port->space = space;
		right->port->name = name;
		right->port->transit = NULL;
	} else if (new->kind == RIGHT_PORT_SET) {
		right->set->space = space;
		right->set->name = name;
	}
	return name;
}

/* ---- duplication ---- */

static bool inheritable(const struct right *right)
{
	return right->kind == RIGHT_SEND && right->flags & RIGHT_INHERIT && right->object_kind != KOBJ_THREAD &&
	       right->object_kind != KOBJ_TASK;
}

static bool chunk_has_inheritable(const struct right *chunk)
{
	for (uint32_t i = 0; i < RIGHT_CHUNK; i++)
		if (inheritable(&chunk[i]))
			return true;
	return false;
}

static void right_duplicate(const struct right *from, struct right *to)
{
	*to = *from;
	to->requested = false;
	if (from->object_kind == KOBJ_PORT) {
		from->sender->refs++;
		from->sender->port->senders++;
	} else {
		object_ref(from->object);
	}
}

/* Copies the inheritable rights of one table; generations too, so that given names stay what they were. */
static int64_t table_duplicate(struct ipc_space *to, const struct right_table *from, struct right_table *copy, bool given)
{
	for (uint32_t n = 0; n < from->chunks; n++) {
		const struct right *chunk = from->chunk[n];
		if (chunk == NULL || (!given && !chunk_has_inheritable(chunk)))
			continue;
		if (table_slot(copy, n * RIGHT_CHUNK, to->object.ledger) == NULL)
			return KERN_NO_MEMORY;
		if (given)
			to->given_chunks = n + 1;
		for (uint32_t i = 0; i < RIGHT_CHUNK; i++) {
			struct right *right = &copy->chunk[n][i];
			right->generation = chunk[i].generation;
			if (inheritable(&chunk[i])) {
				right_duplicate(&chunk[i], right);
				to->rights++;
			}
		}
	}
	return KERN_SUCCESS;
}

/* `to` is a new space with nothing in it. */
int64_t ipc_space_duplicate(struct ipc_space *from, struct ipc_space *to)
{
	int64_t status = table_duplicate(to, &from->given, &to->given, true);

	for (uint32_t index = 1; index < to->given_chunks * RIGHT_CHUNK; index++)
		if (given_slot(to, index)->kind == RIGHT_NONE)
			given_push(to, index);
	return status != KERN_SUCCESS ? status : table_duplicate(to, &from->chosen, &to->chosen, false);
}

/* ---- teardown ---- */

static void space_release_at(struct ipc_space *space, struct right_table *table, uint32_t index, bool chosen)
{
	struct right *right = &table->chunk[index / RIGHT_CHUNK][index % RIGHT_CHUNK];
	port_name_t name = chosen ? index | NAME_CHOSEN : index << 8 | right->generation;
	struct right gone = *right;

	if (gone.kind == RIGHT_NONE)
		return;
	if (gone.requested)
		request_cancel(space, name, right_target(&gone));
	space_free(space, name, right);
	right_drop(gone.kind, gone.object_kind, gone.pointer);
}

static void table_free(struct right_table *table, struct ledger *ledger)
{
	for (uint32_t n = 0; n < table->chunks; n++)
		if (table->chunk[n] != NULL)
			kfree(table->chunk[n], RIGHT_CHUNK * sizeof(struct right), ledger);
	if (table->chunk != NULL)
		kfree(table->chunk, table->chunks * sizeof(*table->chunk), ledger);
	table->chunk = NULL;
	table->chunks = 0;
}

/* Releases what is left, about TEARDOWN_STEP entries at a time. True when the space holds nothing any more. */
bool ipc_space_destroy_step(struct ipc_space *space)
{
	uint32_t given = space->given_chunks * RIGHT_CHUNK;
	uint32_t all = given + space->chosen.chunks * RIGHT_CHUNK;
	uint32_t budget = TEARDOWN_STEP;

	space->object.dead = true;
	while (space->rights > 0 && space->cursor < all && budget > 0) {
		uint32_t at = space->cursor;
		bool chosen = at >= given;
		struct right_table *table = chosen ? &space->chosen : &space->given;
		uint32_t index = chosen ? at - given : at;
		if (table->chunk[index / RIGHT_CHUNK] == NULL) {
			space->cursor += RIGHT_CHUNK;
			continue;
		}
		space->cursor++;
		if (table->chunk[index / RIGHT_CHUNK][index % RIGHT_CHUNK].kind != RIGHT_NONE)
			budget--;
		space_release_at(space, table, index, chosen);
	}
	return space->rights == 0 || space->cursor >= all;
}

static bool well_known(port_name_t index)
{
	return index < (NAME_DYNAMIC & ~NAME_CHOSEN);
}

bool ipc_space_clear_step(struct ipc_space *space)
{
	uint32_t given = space->given_chunks * RIGHT_CHUNK, budget = TEARDOWN_STEP;
	uint32_t all = given + space->chosen.chunks * RIGHT_CHUNK;

	for (; space->cursor < all && budget > 0; space->cursor++) {
		bool chosen = space->cursor >= given;
		struct right_table *table = chosen ? &space->chosen : &space->given;
		uint32_t index = chosen ? space->cursor - given : space->cursor;

		if (table->chunk[index / RIGHT_CHUNK] == NULL || (chosen && well_known(index)))
			continue;
		if (table->chunk[index / RIGHT_CHUNK][index % RIGHT_CHUNK].kind != RIGHT_NONE)
			budget--;
		space_release_at(space, table, index, chosen);
	}
	if (space->cursor < all)
		return false;
	space->cursor = 0;
	return true;
}

/*
 * The last reference is gone. Small spaces end here, others with the reaper, which calls this again at the end. So do
 * spaces that go with a right in another dying space: chains of them must not go deep into the stack.
 */
void ipc_space_destroy(struct ipc_space *space)
{
	static unsigned depth;
	bool done;

	depth++;
	done = depth < 3 && ipc_space_destroy_step(space);
	depth--;
	if (!done) {
		space->object.refs = 1; /* the reaper's */
		reaper_add_space(space);
		return;
	}
	table_free(&space->given, space->object.ledger);
	table_free(&space->chosen, space->object.ledger);
	object_free(OBJECT(space), sizeof(*space));
}

int64_t trap_handle_space_create(uint64_t chosen, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct task *task = thread_current()->task;
	struct ipc_space *space = ipc_space_create(task->ledger);
	int64_t name;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (space == NULL)
		return KERN_NO_MEMORY;
	name = right_enter_object(task->space, OBJECT(space), RIGHT_CONTROL, (port_name_t)chosen);
	object_unref(OBJECT(space));
	return name;
}
