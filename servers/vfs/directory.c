/*
 * Directories in memory: a hash table for look-ups, and a list in the order of creation for readdir. An entry's cookie
 * is its place in that list for ever, so that a reader who comes back goes on where it was, whatever was made and
 * removed meanwhile.
 */
#include "vnode.h"
#include <portico/strings.h>

#define FIRST_BUCKETS 8u
#define FIRST_COOKIE 3u /* 1 is ".", 2 is ".." */

static uint32_t hash_of(const char *name, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

struct entry *directory_find(struct vnode *vnode, const char *name, size_t length)
{
	const struct directory *d = &vnode->directory;
	uint32_t hash = hash_of(name, length);

	if (d->count == 0)
		return NULL;
	for (struct entry *e = d->bucket[hash & (d->buckets - 1)]; e != NULL; e = e->next_hash)
		if (e->hash == hash && e->length == length && memcmp(e->name, name, length) == 0)
			return e;
	return NULL;
}

/* Room for one more entry. Without memory for a larger table the old one goes on with longer chains. */
static bool grow(struct directory *d)
{
	uint32_t buckets = d->buckets != 0 ? d->buckets * 2 : FIRST_BUCKETS;

	if (d->count < d->buckets * 2)
		return true;
	struct entry **bucket = keep_allocate(buckets * sizeof(*bucket));
	if (bucket == NULL)
		return d->buckets != 0;
	for (struct entry *e = d->first; e != NULL; e = e->next) {
		struct entry **head = &bucket[e->hash & (buckets - 1)];
		e->next_hash = *head;
		*head = e;
	}
	keep_free(d->bucket);
	d->bucket = bucket;
	d->buckets = buckets;
	return true;
}

static void add_name(struct entry *entry, struct vnode *vnode)
{
	entry->vnode = vnode;
	entry->next_name = vnode->names;
	vnode->names = entry;
}

static void remove_name(struct entry *entry)
{
	struct entry **link = &entry->vnode->names;

	while (*link != entry)
		link = &(*link)->next_name;
	*link = entry->next_name;
	entry->next_name = NULL;
}

int directory_add(struct vnode *directory, const char *name, size_t length, struct vnode *vnode)
{
	struct directory *d = &directory->directory;
	uint64_t cookie = d->next_cookie < FIRST_COOKIE ? FIRST_COOKIE : d->next_cookie;

	if (!grow(d))
		return ENOSPC;
	uint32_t hash = hash_of(name, length);
	struct entry **head = &d->bucket[hash & (d->buckets - 1)];
	struct entry new = {
	        .length = (uint32_t)length,
	        .hash = hash,
	        .directory = directory,
	        .cookie = cookie,
	        .next_hash = *head,
	        .previous = d->last,
	        .vnode = vnode,
	        .next_name = vnode->names,
	};
	struct entry *entry = keep_make(&new, sizeof(new), sizeof(new) + length + 1);
	if (entry == NULL)
		return ENOSPC;
	memcpy(entry->name, name, length);
	d->next_cookie = cookie + 1;
	*head = entry;
	vnode->names = entry;
	*(d->last != NULL ? &d->last->next : &d->first) = entry;
	d->last = entry;
	d->count++;
	return 0;
}

void directory_remove(struct entry *entry)
{
	struct directory *d = &entry->directory->directory;
	struct entry **link = &d->bucket[entry->hash & (d->buckets - 1)];

	while (*link != entry)
		link = &(*link)->next_hash;
	*link = entry->next_hash;
	*(entry->previous != NULL ? &entry->previous->next : &d->first) = entry->next;
	*(entry->next != NULL ? &entry->next->previous : &d->last) = entry->previous;
	d->count--;
	remove_name(entry);
	keep_free(entry);
}

void directory_repoint(struct entry *entry, struct vnode *vnode)
{
	remove_name(entry);
	add_name(entry, vnode);
}

struct entry *directory_next(struct vnode *directory, uint64_t cookie)
{
	struct directory *d = &directory->directory;
	struct entry *e = d->first;

	if (d->last == NULL || d->last->cookie <= cookie)
		return NULL;
	while (e->cookie <= cookie)
		e = e->next;
	return e;
}

void directory_destroy(struct vnode *directory)
{
	keep_free(directory->directory.bucket);
	directory->directory.bucket = NULL;
	directory->directory.buckets = 0;
}
