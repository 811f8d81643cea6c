/*
 * Kernel memory in size classes. Above: every kernel object; below: page.c.
 *
 * A slab is one page: header, then objects of one class. Slabs with free objects are on their class's list; an empty
 * slab goes back to page.c unless it is the last on the list. Larger pieces are contiguous pages. Callers give the size
 * back with kfree, so nothing is stored per object.
 */
#include <kernel/arch/x86_64/pmap.h>
#include <kernel/vm/internal.h>

struct slab {
	struct list link;
	void **free; /* first free object; each begins with a pointer to the next */
	uint16_t used;
	uint16_t class;
	uint32_t reserved;
};

/* Multiples of 16 that fill the page behind the header. */
static const uint16_t class_size[] = {16,  32,  48,  64,  80,  96,  128, 160,  192,  224, 256,
                                      320, 400, 448, 496, 576, 672, 800, 1008, 1344, 2032};
#define CLASSES (sizeof(class_size) / sizeof(class_size[0]))
#define SMALL_MAX 2032u

static struct list partial[CLASSES];
static uint8_t class_of[SMALL_MAX / 16 + 1];

static void classes_init(void)
{
	unsigned class = 0;
	for (unsigned i = 0; i <= SMALL_MAX / 16; i++) {
		if (i * 16 > class_size[class])
			class ++;
		class_of[i] = (uint8_t) class;
	}
	for (unsigned i = 0; i < CLASSES; i++)
		list_init(&partial[i]);
}

static struct slab *slab_create(unsigned class)
{
	struct page *page = page_take_dirty();
	if (page == NULL)
		return NULL;
	pages_kernel++;
	struct slab *slab = page_address(page);
	slab->used = 0;
	slab->class = (uint16_t) class;
	slab->free = NULL;
	char *begin = (char *)(slab + 1);
	unsigned count = (PAGE_SIZE - sizeof(*slab)) / class_size[class];
	while (count-- != 0) {
		void **object = (void **)(begin + count * class_size[class]);
		*object = slab->free;
		slab->free = object;
	}
	list_push_front(&partial[class], &slab->link);
	return slab;
}

static unsigned order_for(size_t size)
{
	unsigned order = 0;
	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static void *allocate_small(unsigned class)
{
	struct list *first = list_first(&partial[class]);
	struct slab *slab = first != NULL ? list_entry(first, struct slab, link) : slab_create(class);
	if (slab == NULL)
		return NULL;
	void **object = slab->free;
	slab->free = *object;
	slab->used++;
	if (slab->free == NULL)
		list_remove(&slab->link);
	memory_clear(object, class_size[class] & ~(size_t)7);
	return object;
}

static void *allocate_large(size_t size, struct ledger *ledger)
{
	size_t charge = PAGE_SIZE << order_for(size);
	if (!charge_bytes(ledger, charge))
		return NULL;
	void *p = page_allocate_contiguous(order_for(size));
	if (p != NULL)
		pages_kernel += charge >> PAGE_SHIFT;
	else
		credit_bytes(ledger, charge);
	return p;
}

void *kalloc(size_t size, struct ledger *ledger)
{
	if (size > SMALL_MAX)
		return allocate_large(size, ledger);
	if (partial[0].next == NULL)
		classes_init();
	unsigned class = class_of[(size + 15) / 16];
	if (!charge_bytes(ledger, class_size[class]))
		return NULL;
	void *p = allocate_small(class);
	if (p == NULL)
		credit_bytes(ledger, class_size[class]);
	return p;
}

static void free_small(void **object)
{
	struct slab *slab = (struct slab *)((uint64_t)object & ~(PAGE_SIZE - 1));
	if (slab->free == NULL)
		list_push_front(&partial[slab->class], &slab->link);
	*object = slab->free;
	slab->free = object;
	if (--slab->used != 0)
		return;
	struct list *list = &partial[slab->class];
	if (list->next == list->prev)
		return;
	list_remove(&slab->link);
	pages_kernel--;
	page_release(slab);
}

void kfree(void *p, size_t size, struct ledger *ledger)
{
	if (p == NULL)
		return;
	if (size <= SMALL_MAX) {
		credit_bytes(ledger, class_size[((struct slab *)((uint64_t)p & ~(PAGE_SIZE - 1)))->class]);
		free_small(p);
	} else {
		unsigned order = order_for(size);
		credit_bytes(ledger, PAGE_SIZE << order);
		pages_kernel -= UINT64_C(1) << order;
		page_release_contiguous(p, order);
	}
}
