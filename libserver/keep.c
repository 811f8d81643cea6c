/*
 * The keep: a server's long-lived memory, one segment with the root structure and a heap. Guest and host.
 *
 * All that the heap knows lies in the segment itself, so that a new incarnation finds it as it was. Blocks have sizes
 * of geometric classes, four to a doubling, and a header of 16 bytes; a freed block goes to the list of its class and
 * is reused for that class only. No block is ever given back to the kernel: servers' records come and go in few sizes.
 */
#include "transaction.h"

#define KEEP_MAGIC UINT64_C(0x7065656b6f636974)
#define LIVE 0x6c697665u
#define FREE 0x66726565u
#define CLASSES 128u
#define SMALLEST 32u /* of a block with its header */
#define LARGEST ((size_t)1 << 36)
#define CHUNK (64u * 1024u) /* the segment is asked for in steps of this */
#define ROOT_OFFSET 4096u
#define SPARE 16u /* bytes behind the last block that may be read: see undo.c */

struct keep_block {
	uint32_t class;
	uint32_t state; /* LIVE or FREE: tells a double free */
	struct keep_block *next;
};

struct keep_header {
	uint64_t magic;
	size_t root_size;
	size_t end;     /* offset of the first byte never given out */
	size_t granted; /* offset up to which the segment may be used */
	size_t used;    /* bytes in live blocks, headers included */
	struct keep_block *free[CLASSES];
	struct server_state state; /* libserver's own */
};
_Static_assert(sizeof(struct keep_header) <= ROOT_OFFSET, "header before the root structure");

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

void *server_keep_root(size_t size)
{
	struct keep_header *h = header();
	size_t end = (ROOT_OFFSET + size + 15) & ~(size_t)15, granted = (end + SPARE + CHUNK - 1) & ~(size_t)(CHUNK - 1);

	if (h->magic != KEEP_MAGIC) {
		if (!keep_segment_grow(0, granted))
			server_panic("no memory for the keep's root structure");
		h->magic = KEEP_MAGIC;
		h->root_size = size;
		h->end = end;
		h->granted = granted;
		h->state.deadline = DEADLINE_NEVER;
		h->state.receive = NAME_SERVICE;
	}
	if (h->root_size != size)
		server_panic("the keep's root structure has %zu bytes, not %zu", h->root_size, size);
	return (char *)h + ROOT_OFFSET;
}

struct server_state *server_state(void)
{
	return &header()->state;
}

/* Where a free block says in which transaction it was freed. Its contents before that are dead but to this very transaction, if it is undone. */
static uint64_t *freed_in(struct keep_block *block)
{
	return (uint64_t *)(block + 1);
}

void *keep_allocate(size_t size)
{
	struct keep_header *h = header();
	bool dead = true;

	if (size > LARGEST)
		return NULL;
	uint32_t class = class_of(size + sizeof(struct keep_block));
	struct keep_block *block = h->free[class];
	if (block != NULL) {
		dead = *freed_in(block) != transaction_number();
		h->free[class] = block->next;
	} else {
		if (!grow(h, h->end + footprint(class)))
			return NULL;
		block = (struct keep_block *)((char *)h + h->end);
		h->end += footprint(class);
	}
	block->class = class;
	block->state = LIVE;
	block->next = NULL;
	h->used += footprint(class);
	if (dead)
		server_zero_plain(block + 1, footprint(class) - sizeof(*block));
	else
		memset(block + 1, 0, footprint(class) - sizeof(*block));
	return block + 1;
}

static struct keep_block *live_block(void *p)
{
	struct keep_block *block = (struct keep_block *)p - 1;

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
	block->state = FREE;
	*freed_in(block) = transaction_number();
	block->next = h->free[block->class];
	h->free[block->class] = block;
	h->used -= footprint(block->class);
}

void *keep_resize(void *p, size_t size)
{
	if (p == NULL)
		return keep_allocate(size);
	size_t room = footprint(live_block(p)->class) - sizeof(struct keep_block);
	if (size <= room && size >= room / 2)
		return p;
	void *new = keep_allocate(size);
	if (new == NULL)
		return NULL;
	memcpy(new, p, size < room ? size : room);
	keep_free(p);
	return new;
}

size_t keep_used(void)
{
	return header()->used;
}
