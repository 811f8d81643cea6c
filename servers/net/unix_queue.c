/*
 * Messages in queues: made of a sender's bytes, read into a receiver's buffer, dropped.
 *
 * The bytes of a window go straight into the new block, past the undo log: nobody knows the block before the commit.
 */
#include "unix.h"

#include <portico/strings.h>

static uint64_t cost(uint64_t size)
{
	return sizeof(struct unix_message) + size;
}

static int fill(struct unix_message *m, const struct sending *sending)
{
	if (sending->window == NULL) {
		memcpy(m->bytes, (const uint8_t *)sending->bytes + sending->done, m->size);
		return 0;
	}
	int64_t got = m->size != 0 ? server_window_read(sending->window, sending->done, m->bytes, m->size) : 0;
	if (got == KERN_PEER_FAULT)
		return SERVER_RESTART;
	return got == (int64_t)m->size ? 0 : EFAULT;
}

int unix_message_new(struct unix_socket *from, struct sending *sending, uint64_t size, struct unix_message **made)
{
	struct account *account = from->socket.account;

	if (!account_charge(account, cost(size)))
		return ENOBUFS;
	struct unix_message *m = keep_allocate(sizeof(*m) + size);
	if (m == NULL) {
		account_refund(account, cost(size));
		return ENOMEM;
	}
	m->size = size;
	int error = fill(m, sending);
	if (error != 0) {
		keep_free(m);
		account_refund(account, cost(size));
		return error;
	}
	m->from = from;
	socket_get(&from->socket);
	from->charged += cost(size);
	from->unsent += size;
	*made = m;
	return 0;
}

void unix_message_put(struct unix_socket *to, struct unix_message *m, struct sending *sending)
{
	m->sender = sending->sender;
	m->has_sender = sending->explicit_sender || option_on(&m->from->socket, OPTION_PASSCRED) || option_on(&to->socket, OPTION_PASSCRED);
	m->rights = sending->rights;
	sending->rights = NULL;
	*(to->last != NULL ? &to->last->next : &to->first) = m;
	to->last = m;
	to->bytes += m->size;
	to->messages++;
	sending->done += m->size;
	socket_changed(&to->socket, true);
	if (!unix_writable(m->from))
		socket_changed(&m->from->socket, false);
	if (to->messages == UNIX_QUEUE_MAX + 1)
		unix_tell_followers(to);
}

void unix_message_drop(struct unix_socket *u)
{
	struct unix_message *m = u->first;
	struct unix_socket *from = m->from;

	u->first = m->next;
	if (u->first == NULL)
		u->last = NULL;
	u->bytes -= m->size - m->taken;
	u->messages--;
	from->charged -= cost(m->size);
	from->unsent -= m->size - m->taken;
	account_refund(from->socket.account, cost(m->size));
	set_put(m->rights);
	socket_changed(&from->socket, false);
	socket_put(&from->socket);
	keep_free(m);
	if (u->first == NULL || !list_empty(&u->socket.visitors))
		socket_changed(&u->socket, false);
	if (u->messages == UNIX_QUEUE_MAX)
		unix_tell_followers(u);
}

int unix_message_read(const struct unix_message *m, uint64_t skip, uint64_t size, struct receiving *r)
{
	if (r->window == NULL) {
		memcpy((uint8_t *)r->bytes + r->done, m->bytes + skip, size);
		r->done += size;
		return 0;
	}
	int64_t put = size != 0 ? server_window_write(r->window, r->done, m->bytes + skip, size) : 0;
	if (put < 0)
		return put == KERN_PEER_FAULT ? SERVER_RESTART : EFAULT;
	r->done += size;
	return 0;
}

void unix_message_tell(const struct unix_socket *u, const struct unix_message *m, struct receiving *r)
{
	const struct unix_name *name = m->from->name;

	(void)u;
	r->result.pid = m->has_sender ? m->sender.pid : 0;
	r->result.uid = m->has_sender ? m->sender.uid : NOBODY_ID;
	r->result.gid = m->has_sender ? m->sender.gid : NOBODY_ID;
	if (name == NULL)
		return;
	memcpy(r->address, name->address, name->size);
	r->address_size = name->size;
}
