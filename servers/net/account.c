/*
 * What each user has here: bytes of the keep for sockets and the messages in their queues, and descriptors in flight, so that nobody can take all of it.
 *
 * uid 0 is counted and not bounded.
 */
#include "net.h"

#define USER_BYTES (UINT64_C(32) << 20)

struct account *account_of(uint32_t uid)
{
	struct account *a = root->accounts;

	while (a != NULL && a->uid != uid)
		a = a->next;
	if (a == NULL) {
		a = keep_allocate(sizeof(*a));
		if (a == NULL)
			return NULL;
		a->uid = uid;
		a->next = root->accounts;
		root->accounts = a;
	}
	a->users++;
	return a;
}

void account_put(struct account *account)
{
	struct account **link = &root->accounts;

	if (--account->users != 0)
		return;
	while (*link != account)
		link = &(*link)->next;
	*link = account->next;
	keep_free(account);
}

bool account_charge(struct account *account, uint64_t bytes)
{
	if (account->uid != 0 && account->bytes + bytes > USER_BYTES)
		return false;
	account->bytes += bytes;
	return true;
}

void account_refund(struct account *account, uint64_t bytes)
{
	account->bytes -= bytes;
}
