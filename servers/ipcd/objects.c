/*
 * What segments, sets and queues have in common: places, ids, keys. As Linux's ipc/util.c: the next free place is given out, in a circle of 64
 * places or half as many again as there are objects, and the sequence number advances with each turn: an id comes again after 65,536 turns.
 */
#include "ipcd.h"

#include <portico/strings.h>

#define CIRCLE_MIN 64u

static struct object **slot_of(const struct table *table, uint32_t place)
{
	return &table->chunk[place / TABLE_CHUNK][place % TABLE_CHUNK];
}

struct object *table_at(const struct table *table, uint32_t place)
{
	return place < table->high ? *slot_of(table, place) : NULL;
}

int table_find(const struct table *table, int32_t id, struct object **found)
{
	struct object *object = id < 0 ? NULL : table_at(table, (uint32_t)id % PLACES_MAX);

	if (object == NULL || object->id != id)
		return EINVAL;
	*found = object;
	return 0;
}

int table_named(const struct table *table, uint32_t naming, int32_t id, struct object **found)
{
	if (naming == IPC_NAMING_ID)
		return table_find(table, id, found);
	*found = id < 0 ? NULL : table_at(table, (uint32_t)id);
	return *found != NULL ? 0 : EINVAL;
}

static struct object **bucket_of(const struct table *table, int32_t key)
{
	return (struct object **)&table->bucket[(uint32_t)key % KEY_BUCKETS];
}

struct object *table_by_key(const struct table *table, int32_t key)
{
	struct object *object = *bucket_of(table, key);

	while (object != NULL && object->key != key)
		object = object->next_key;
	return object;
}

/* The first free place in [from, to), or PLACES_MAX. */
static uint32_t free_between(const struct table *table, uint32_t from, uint32_t to)
{
	for (uint32_t place = from; place < to; place = (place | 63) + 1) {
		uint64_t free = ~table->used[place / 64] >> place % 64;
		if (free != 0 && place + (uint32_t)__builtin_ctzll(free) < to)
			return place + (uint32_t)__builtin_ctzll(free);
	}
	return PLACES_MAX;
}

static uint32_t free_place(const struct table *table, uint32_t limit)
{
	uint32_t circle = table->count / 2 * 3 > CIRCLE_MIN ? table->count / 2 * 3 : CIRCLE_MIN;

	if (circle > limit)
		circle = limit;
	uint32_t place = free_between(table, table->next, circle);
	return place != PLACES_MAX ? place : free_between(table, 0, circle);
}

static bool have_chunk(struct table *table, uint32_t place)
{
	struct object ***chunk = &table->chunk[place / TABLE_CHUNK];

	if (*chunk == NULL)
		*chunk = keep_allocate(TABLE_CHUNK * sizeof(**chunk));
	return *chunk != NULL;
}

int table_add(struct table *table, uint32_t limit, struct object *object, const struct server_session *maker, int32_t key, uint32_t flags)
{
	uint32_t place = free_place(table, limit);

	if (table->count >= limit || place == PLACES_MAX)
		return ENOSPC;
	if (!have_chunk(table, place))
		return ENOMEM;
	if (place < table->next)
		table->sequence = (table->sequence + 1) & SEQUENCE_MAX;
	table->next = place + 1;
	if (place >= table->high)
		table->high = place + 1;
	table->used[place / 64] |= UINT64_C(1) << place % 64;
	table->count++;
	*slot_of(table, place) = object;
	object->id = (int32_t)(table->sequence << PLACE_BITS | place);
	object->key = key;
	object->mode = flags & MODE_BITS;
	object->uid = object->cuid = maker->euid;
	object->gid = object->cgid = maker->egid;
	if (key != IPC_PRIVATE) {
		object->next_key = *bucket_of(table, key);
		*bucket_of(table, key) = object;
	}
	return 0;
}

void table_hide(struct table *table, struct object *object)
{
	struct object **link = bucket_of(table, object->key);

	if (object->key == IPC_PRIVATE)
		return;
	while (*link != object)
		link = &(*link)->next_key;
	*link = object->next_key;
	object->key = IPC_PRIVATE;
}

void table_remove(struct table *table, struct object *object)
{
	uint32_t place = (uint32_t)object->id % PLACES_MAX;

	table_hide(table, object);
	*slot_of(table, place) = NULL;
	table->used[place / 64] &= ~(UINT64_C(1) << place % 64);
	table->count--;
}

int32_t table_highest(const struct table *table)
{
	for (uint32_t word = (table->high + 63) / 64; word-- > 0;) {
		if (table->used[word] != 0)
			return (int32_t)(word * 64 + 63 - (uint32_t)__builtin_clzll(table->used[word]));
	}
	return -1;
}

void object_describe(const struct object *object, struct ipc_permission *to)
{
	to->key = object->key;
	to->uid = object->uid;
	to->gid = object->gid;
	to->cuid = object->cuid;
	to->cgid = object->cgid;
	to->mode = object->mode;
	to->sequence = (uint32_t)object->id >> PLACE_BITS;
}
