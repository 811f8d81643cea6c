/*
 * Ledgers: quotas of user pages and kernel bytes, in a tree. A charge is made to a ledger and all its ancestors, or not
 * at all. Above: kalloc and memory objects. The root ledger has no limit but the machine's memory.
 *
 * User pages are counted where they can be reached: a page shared by two objects is charged once for each, so that
 * nobody's memory is held by somebody else's reference.
 */
#include <kernel/vm/internal.h>

struct ledger root_ledger = {
        .object = {.kind = KOBJ_LEDGER, .refs = 1},
        .page_limit = ~UINT64_C(0),
        .byte_limit = ~UINT64_C(0),
};

bool ledger_charge_pages(struct ledger *ledger, uint64_t count)
{
	return charge_pages(ledger, count);
}

void ledger_credit_pages(struct ledger *ledger, uint64_t count)
{
	credit_pages(ledger, count);
}

bool ledger_charge_bytes(struct ledger *ledger, uint64_t count)
{
	return charge_bytes(ledger, count);
}

void ledger_credit_bytes(struct ledger *ledger, uint64_t count)
{
	credit_bytes(ledger, count);
}

struct ledger *ledger_create(struct ledger *parent, uint64_t pages, uint64_t bytes)
{
	struct ledger *ledger = object_allocate(KOBJ_LEDGER, sizeof(*ledger), parent);
	if (ledger == NULL)
		return NULL;
	object_ref(OBJECT(parent));
	ledger->parent = parent;
	ledger->page_limit = pages;
	ledger->byte_limit = bytes;
	return ledger;
}

/* The objects charged to a ledger hold references to it, so nothing is charged any more. */
void ledger_destroy(struct ledger *ledger)
{
	struct ledger *parent = ledger->parent;
	object_free(OBJECT(ledger), sizeof(*ledger));
	object_unref(OBJECT(parent));
}
