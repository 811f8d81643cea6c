/*
 * The change log: how sig, tty, net and ipcd keep their session records up to date.
 *
 * A ring of the last CHANGES_RING changes; a cursor is the number of the next entry that the reader wants. A reader
 * that starts, or that was left behind (ESTALE), asks with CURSOR_SCAN: it first gets a birth entry for every live
 * process, then the log from where it stood when the scan began. Entries of the scan may repeat what the log says;
 * readers take entries as "is now so". The notification is queued with the change: the commit posts it before it starts, resumes or
 * answers anybody that was queued later. Cursor of a scan: bit 63, the low 31 bits of the log's position at its begin,
 * the last pid that was told.
 */
#include "proc.h"

#include <portico/strings.h>
#include <proc_server.h>

#define CURSOR_SCAN (UINT64_C(1) << 63)
#define CURSOR_POSITION_BITS 31

static void fill(struct proc_change *entry, const struct process *p, enum proc_change_kind kind)
{
	memset(entry, 0, sizeof(*entry));
	entry->principal = process_principal(p);
	entry->pid = p->pid;
	entry->parent = p->parent ? p->parent->pid : 0;
	entry->group = p->group;
	entry->session = p->session;
	entry->uid = p->cred.uid;
	entry->euid = p->cred.euid;
	entry->suid = p->cred.suid;
	entry->gid = p->cred.gid;
	entry->egid = p->cred.egid;
	entry->kind = (uint8_t)kind;
}

void change_record(const struct process *p, enum proc_change_kind kind, int32_t status, uint32_t signal)
{
	struct proc_change *entry = &root->change[root->change_count % CHANGES_RING];
	fill(entry, p, kind);
	entry->status = status;
	entry->exit_signal = signal;
	entry->user_ns = p->usage.user_ns;
	entry->system_ns = p->usage.system_ns;
	root->change_count++;
}

/* Servers' ports do not die, so every subscriber stays; one that has begun with nothing subscribes again. */
void changes_announce(void)
{
	for (uint32_t i = 0; i < root->subscriber_count; i++)
		server_notify(root->subscriber[i].notify, root->subscriber[i].bits);
}

void change_log(const struct process *p, enum proc_change_kind kind, int32_t status, uint32_t signal)
{
	change_record(p, kind, status, signal);
	changes_announce();
}

static uint64_t scan_cursor(uint64_t position, uint32_t pid)
{
	return CURSOR_SCAN | (position & ((UINT64_C(1) << CURSOR_POSITION_BITS) - 1)) << 32 | pid;
}

/* The position at which a scan began: the last one that ends in these bits. */
static uint64_t scan_begin(uint64_t cursor)
{
	uint64_t mask = (UINT64_C(1) << CURSOR_POSITION_BITS) - 1;
	uint64_t behind = (root->change_count - (cursor >> 32 & mask)) & mask;
	return root->change_count - behind;
}

static const struct process *next_alive(uint32_t after)
{
	const struct process *best = NULL;
	for (const struct process *p = root->first; p; p = p->next) {
		if (p->state == PROCESS_ALIVE && p->pid > after && (!best || p->pid < best->pid))
			best = p;
	}
	return best;
}

/* Entries of a scan; returns the cursor to go on with, a log position when the scan is over. */
static uint64_t scan(uint64_t cursor, struct proc_change *list, size_t *count)
{
	uint64_t begin = (uint32_t)cursor == 0 ? root->change_count : scan_begin(cursor);
	uint32_t pid = (uint32_t)cursor;
	while (*count < PROC_CHANGES_MAX) {
		const struct process *p = next_alive(pid);
		if (!p)
			return begin;
		fill(&list[(*count)++], p, PROC_CHANGE_KIND_BIRTH);
		pid = p->pid;
	}
	return scan_cursor(begin, pid);
}

/* The place that a server has, or a new one; NULL: there is none. */
static struct subscriber *place_of(uint64_t server)
{
	for (uint32_t i = 0; i < root->subscriber_count; i++)
		if (root->subscriber[i].server == server)
			return &root->subscriber[i];
	if (root->subscriber_count == SUBSCRIBERS_MAX)
		return NULL;
	return &root->subscriber[root->subscriber_count++];
}

int proc_serve_subscribe(struct server_call *call, struct proc_right *right, port_name_t *notify, uint64_t bits,
                         uint64_t *cursor)
{
	if (!right->server)
		return EACCES;
	struct subscriber *place = place_of(call->badge);
	if (!place)
		return ENOMEM;
	server_release_right(place->notify);
	*place = (struct subscriber){.server = call->badge, .notify = server_take(notify), .bits = bits};
	*cursor = CURSOR_SCAN;
	return 0;
}

int proc_serve_changes(struct server_call *call, struct proc_right *right, uint64_t cursor, struct proc_change *list,
                       size_t *list_count, uint64_t *next)
{
	(void)call;
	if (!right->server)
		return EACCES;
	*list_count = 0;
	if (cursor & CURSOR_SCAN)
		cursor = scan(cursor, list, list_count);
	if (!(cursor & CURSOR_SCAN)) {
		if (cursor > root->change_count || root->change_count - cursor > CHANGES_RING)
			return ESTALE;
		while (*list_count < PROC_CHANGES_MAX && cursor < root->change_count)
			list[(*list_count)++] = root->change[cursor++ % CHANGES_RING];
	}
	*next = cursor;
	return 0;
}
