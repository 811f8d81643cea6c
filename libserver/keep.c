/*
 * The keep: a server's long-lived memory, one segment with the root structure and a heap. Guest and host.
 *
 * All that the heap knows lies in the segment itself, so that a new incarnation finds it as it was. Blocks have sizes
 * of geometric classes, four to a doubling, and a header of 16 bytes; a freed block goes to the list of its class and
 * is reused for that class only. No block is ever given back to the kernel: servers' records come and go in few sizes.
 */
#include "transaction.h"
#include <portico/keep.h>
#include <portico/migration.h>

#define LIVE 0x6c697665u
#define FREE 0x80000000u /* with the number of the transaction that freed the block: see keep_allocate() */
#define CLASSES 128u
#define SMALLEST 32u /* of a block with its header */
#define LARGEST ((size_t)1 << 36)
#define CHUNK (64u * 1024u) /* the segment is asked for in steps of this */
#define ROOT_OFFSET 4096u
#define ROOT_SPARE 4096u /* behind the root structure, so that it can become longer where it is; no memory until it is used */
#define SPARE 16u /* bytes behind the last block that may be read: see undo.c */

struct keep_block {
	uint32_t class;
	uint32_t state; /* LIVE, or FREE and a number: tells a double free */
	struct keep_block *next;
};

struct keep_header {
	struct keep_identity identity; /* whose layout the keep has: first, in every layout */
	size_t root, root_size, root_room; /* offset of the root structure, its bytes, those that it may have there */
	size_t heap;    /* offset of the first block */
	size_t end;     /* offset of the first byte never given out */
	size_t granted; /* offset up to which the segment may be used */
	struct keep_block *free[CLASSES];
	struct server_state state; /* libserver's own */
};
_Static_assert(sizeof(struct keep_header) <= ROOT_OFFSET, "header before the root structure");
SERVER_KEEP_HEADER(keep_header);

static struct keep_header *header(void)
{
	return keep_segment();
}

/* Bytes of a class: 32 40 48 56, 64 80 96 112, 128 ... */
static size_t class_size(uint32_t class)
{
	size_t base = (size_t)SMALLEST << (class / 4);

	return base + base / 4 * (class % 4);
}

static uint32_t class_of(size_t size)
{
	if (size <= SMALLEST)
		return 0;
	uint32_t doublings = 63u - (uint32_t)__builtin_clzll((unsigned long long)(size - 1)) - 5u;
	size_t base = (size_t)SMALLEST << doublings;
	return doublings * 4 + (uint32_t)((size - base + base / 4 - 1) / (base / 4));
}

/* Blocks stay 16-byte aligned although classes are multiples of 8. */
static size_t footprint(uint32_t class)
{
	return (class_size(class) + 15) & ~(size_t)15;
}

/* Bytes that the owner of a block has. */
static size_t room_of(const struct keep_block *block)
{
	return footprint(block->class) - sizeof(*block);
}

static bool grow(struct keep_header *h, size_t end)
{
	if (end + SPARE <= h->granted)
		return true;
	size_t granted = (end + SPARE + CHUNK - 1) & ~(size_t)(CHUNK - 1);
	/* Sampled: whether there is memory may have changed when this is executed again. */
	if (!server_sample_word(keep_segment_grow(h->granted, granted)))
		return false;
	h->granted = granted;
	return true;
}

static void build(struct keep_header *h, size_t size)
{
	size_t room = (size + ROOT_SPARE + 15) & ~(size_t)15, granted = (ROOT_OFFSET + room + CHUNK - 1) & ~(size_t)(CHUNK - 1);

	if (!keep_segment_grow(0, granted))
		server_panic("no memory for the keep's root structure");
	h->identity.magic = KEEP_MAGIC;
	memcpy(h->identity.layout, server_layout, LAYOUT_LENGTH);
	h->root = ROOT_OFFSET;
	h->root_size = size;
	h->root_room = room;
	h->heap = h->end = ROOT_OFFSET + room;
	h->granted = granted;
	h->state.deadline = DEADLINE_NEVER;
	h->state.receive = NAME_SERVICE;
}

void *server_keep_root(size_t size)
{
	struct keep_header *h = header();

	if (h->identity.magic != KEEP_MAGIC)
		build(h, size);
	if (memcmp(h->identity.layout, server_layout, LAYOUT_LENGTH) != 0)
		server_panic("the keep has the layout of another program");
	if (h->root_size != size)
		server_panic("the keep's root structure has %zu bytes, not %zu", h->root_size, size);
	return keep_root();
}

void *keep_root(void)
{
	return (char *)header() + header()->root;
}

struct server_state *server_state(void)
{
	return &header()->state;
}

static uint32_t free_now(void)
{
	return FREE | (uint32_t)transaction_number();
}

/*
 * A live block of a class for `size` bytes, with whatever it held. *dead: that is nobody's, so no log need keep it. It is not so if the transaction that
 * freed the block is this one, which may be undone.
 */
static struct keep_block *take(size_t size, bool *dead)
{
	struct keep_header *h = header();

	if (size > LARGEST)
		return NULL;
	uint32_t class = class_of(size + sizeof(struct keep_block));
	struct keep_block *block = h->free[class];
	if (__builtin_expect(block != NULL, 1)) {
		*dead = block->state != free_now();
		h->free[class] = block->next;
	} else {
		size_t room = footprint(class);

		if (!grow(h, h->end + room))
			return NULL;
		block = (struct keep_block *)((char *)h + h->end);
		h->end += room;
		block->class = class;
		*dead = true;
	}
	block->state = LIVE;
	return block;
}

void *keep_allocate(size_t size)
{
	bool dead;
	struct keep_block *block = take(size, &dead);

	if (block == NULL)
		return NULL;
	if (dead)
		server_zero_plain(block + 1, room_of(block));
	else
		memset(block + 1, 0, room_of(block));
	return block + 1;
}

void *keep_make(const void *contents, size_t size, size_t room)
{
	bool dead;
	struct keep_block *block = take(room, &dead);

	if (block == NULL)
		return NULL;
	if (!dead)
		undo_range(block + 1, room_of(block));
	server_copy_plain(block + 1, contents, size);
	server_zero_plain((char *)(block + 1) + size, room_of(block) - size);
	return block + 1;
}

static struct keep_block *live_block(const void *p)
{
	struct keep_block *block = (struct keep_block *)(uintptr_t)p - 1;

	if (block->state != LIVE || block->class >= CLASSES)
		server_panic("keep: %p is not a live block", p);
	return block;
}

void keep_free(void *p)
{
	struct keep_header *h = header();

	if (p == NULL)
		return;
	struct keep_block *block = live_block(p);
	block->state = free_now();
	block->next = h->free[block->class];
	h->free[block->class] = block;
}

void *keep_resize(void *p, size_t size)
{
	if (p == NULL)
		return keep_allocate(size);
	size_t room = room_of(live_block(p));
	if (size <= room && size >= room / 2)
		return p;
	void *new = keep_allocate(size);
	if (new == NULL)
		return NULL;
	memcpy(new, p, size < room ? size : room);
	keep_free(p);
	return new;
}

size_t keep_extent(const void *start)
{
	const struct keep_header *h = start;

	_Static_assert(offsetof(struct keep_header, end) + sizeof(h->end) <= KEEP_EXTENT_BYTES, "these bytes say it");
	return h->identity.magic == KEEP_MAGIC ? h->end : 0;
}

size_t keep_used(void)
{
	const struct keep_header *h = header();
	size_t used = 0;

	for (size_t at = h->heap; at < h->end;) {
		const struct keep_block *block = (const struct keep_block *)((const char *)h + at);

		at += footprint(block->class);
		used += block->state == LIVE ? footprint(block->class) : 0;
	}
	return used;
}

/* ---- for migrations ---- */

size_t keep_room(const void *p)
{
	return room_of(live_block(p));
}

void *keep_place_root(size_t size)
{
	struct keep_header *h = header();
	char *old = keep_root(), *now = old;

	if (size <= h->root_room) {
		memset(old, 0, h->root_size > size ? h->root_size : size);
	} else {
		now = keep_allocate(size + ROOT_SPARE);
		if (now == NULL)
			return NULL;
		if (h->root != ROOT_OFFSET)
			keep_free(old);
		h->root = (size_t)(now - (char *)h);
		h->root_room = keep_room(now);
	}
	h->root_size = size;
	return now;
}

const char *keep_layout(void)
{
	return header()->identity.magic == KEEP_MAGIC ? header()->identity.layout : NULL;
}

void keep_set_layout(const char *layout)
{
	memcpy(header()->identity.layout, layout, LAYOUT_LENGTH);
}

/* Blocks one after another up to the end; those on the free lists are the free ones. */
const char *keep_check(void)
{
	const struct keep_header *h = header();
	size_t at = h->heap, unused = 0;

	if (h->identity.magic != KEEP_MAGIC)
		return "this is no keep";
	if (h->end > h->granted || h->root + h->root_size > h->end)
		return "the keep's header contradicts itself";
	while (at < h->end) {
		const struct keep_block *block = (const struct keep_block *)((const char *)h + at);
		if (block->class >= CLASSES || footprint(block->class) > h->end - at)
			return "a block of the heap has no size";
		if (block->state != LIVE && (block->state & FREE) == 0)
			return "a block of the heap is neither live nor free";
		unused += block->state != LIVE;
		at += footprint(block->class);
	}
	if (at != h->end)
		return "the blocks of the heap do not add up";
	for (uint32_t class = 0; class < CLASSES; class++)
		for (const struct keep_block *b = h->free[class]; b != NULL; b = b->next)
			if (b->class != class || b->state == LIVE || unused-- == 0)
				return "a free list of the heap is broken";
	return unused == 0 ? NULL : "a free block of the heap is on no list";
}
