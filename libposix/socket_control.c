/*
 * Ancillary data: descriptors (SCM_RIGHTS) and credentials (SCM_CREDENTIALS) between the program's buffers and net.
 *
 * A descriptor travels as its right and as what libposix knows about it (struct net_passed). Descriptions that are private to the process (epoll) cannot.
 */
#include "sockets.h"

#include "string.h"
#include "thread.h"
#include "usercopy.h"

#include <net_client.h>

#define CONTROL_MAX 20480u /* Linux's optmem_max was this for long */
#define BATCH NET_PASSED_BATCH

void bundle_discard(uint64_t bundle)
{
	if (bundle)
		net_discard(NAME_NET, bundle);
}

/* ---- sending ---- */

struct batch {
	struct description *held[BATCH];
	struct net_passed what[BATCH];
	port_name_t right[BATCH];
	size_t count;
};

static int64_t batch_add(struct batch *batch, int fd)
{
	struct description *d = fd_get(fd);

	if (d == NULL)
		return -EBADF;
	if (fd_is_private(d)) {
		fd_put(d);
		return -EINVAL;
	}
	batch->held[batch->count] = d;
	batch->right[batch->count] = d->name;
	batch->what[batch->count++] = (struct net_passed){ .kind = d->kind, .flags = d->flags, .server = d->server, .type = d->type,
		.local = d->type == DESCRIPTION_SIGNAL ? d->local : 0 };
	return 0;
}

static int64_t batch_stage(struct batch *batch, uint64_t *bundle)
{
	const port_name_t *r = batch->right;
	int error = net_stage(NAME_NET, *bundle, batch->what, batch->count, r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10],
			      r[11], bundle);
	return result_of(error);
}

/* On an error there is no bundle any more, or it is as it was: the caller discards. */
static int64_t stage(const int32_t *fds, size_t count, uint64_t *bundle)
{
	int64_t result = 0;

	for (size_t at = 0; at < count && !result;) {
		struct batch batch = { .count = 0 };
		while (at < count && batch.count < BATCH && !result)
			result = batch_add(&batch, fds[at++]);
		if (!result)
			result = batch_stage(&batch, bundle);
		for (size_t i = 0; i < batch.count; i++)
			fd_put(batch.held[i]);
	}
	return result;
}

static int64_t take_rights(const struct control_element *element, uint32_t *count, struct net_ancillary *with)
{
	int32_t fds[L_SCM_MAX_FD];
	size_t number = element->size / sizeof(fds[0]);

	if (number + *count > L_SCM_MAX_FD)
		return -EINVAL;
	memcpy(fds, element->data, number * sizeof(fds[0]));
	*count += (uint32_t)number;
	return stage(fds, number, &with->bundle);
}

static int64_t take_credentials(const struct control_element *element, struct net_ancillary *with)
{
	struct linux_ucred ucred;

	if (element->size != sizeof(ucred))
		return -EINVAL;
	memcpy(&ucred, element->data, sizeof(ucred));
	with->has_credentials = 1;
	with->pid = (uint32_t)ucred.pid;
	with->uid = ucred.uid;
	with->gid = ucred.gid;
	return 0;
}

static int64_t take_elements(const uint8_t *buffer, size_t size, struct net_ancillary *with)
{
	struct control_element element;
	uint32_t descriptors = 0;
	int64_t result = 0;
	size_t at = 0;

	while (!result && control_next(buffer, size, &at, &element, &result)) {
		if (element.level != L_SOL_SOCKET)
			continue;
		if (element.type == L_SCM_RIGHTS)
			result = take_rights(&element, &descriptors, with);
		else if (element.type == L_SCM_CREDENTIALS)
			result = take_credentials(&element, with);
		else
			result = -EINVAL;
	}
	return result;
}

int64_t control_take(const struct linux_msghdr *header, struct net_ancillary *with)
{
	uint8_t few[256], *buffer = few;
	size_t size = header->controllen;

	if (header->control == 0 || size == 0)
		return 0;
	if (size > CONTROL_MAX)
		return -ENOBUFS;
	if (size > sizeof(few))
		buffer = pages_allocate(size);
	if (buffer == NULL)
		return -ENOMEM;
	int64_t result = user_copy(buffer, (const void *)header->control, size) ? -EFAULT : take_elements(buffer, size, with);
	if (buffer != few)
		pages_free(buffer, size);
	if (result) {
		bundle_discard(with->bundle);
		with->bundle = 0;
	}
	return result;
}

/* ---- receiving ---- */

/* What is left of the program's buffer. */
struct control_room {
	uint8_t *user;
	size_t left, used;
	int32_t flags; /* MSG_CTRUNC */
};

/* An element whose data may be cut. */
static int64_t put_element(struct control_room *room, int32_t type, const void *data, size_t size)
{
	struct linux_cmsghdr header = { .len = sizeof(header) + size, .level = L_SOL_SOCKET, .type = type };

	if (room->left < sizeof(header)) {
		room->flags |= L_MSG_CTRUNC;
		return 0;
	}
	if (room->left < header.len) {
		room->flags |= L_MSG_CTRUNC;
		header.len = room->left;
	}
	if (user_put((struct linux_cmsghdr *)room->user, &header) || user_copy(room->user + sizeof(header), data, header.len - sizeof(header)))
		return -EFAULT;
	size_t step = CONTROL_ALIGN(header.len) < room->left ? CONTROL_ALIGN(header.len) : room->left;
	room->user += step;
	room->left -= step;
	room->used += step;
	return 0;
}

static int64_t install(const struct net_passed *what, port_name_t right, bool close_on_exec)
{
	if (right != PORT_NULL)
		trap2(TRAP_right_inherit, right, 1);
	struct description *d = fd_describe(right, what->kind, what->server);
	if (d == NULL)
		return -ENFILE;
	d->type = what->type;
	d->flags = what->flags;
	d->local = what->type == DESCRIPTION_SIGNAL ? what->local : 0;
	return fd_install(d, 0, close_on_exec);
}

/* At most `limit` descriptors out of the bundle; how many there are. The rest is discarded. */
static size_t collect(const struct net_received *result, size_t limit, int32_t *fds, bool close_on_exec)
{
	struct net_passed what[BATCH];
	port_name_t r[BATCH];
	size_t made = 0, taken = 0, count = 0;
	bool full = false;

	while (taken < result->descriptors && taken < limit && !full) {
		size_t wanted = limit - taken < BATCH ? limit - taken : BATCH;
		if (net_collect(NAME_NET, result->bundle, (uint32_t)wanted, what, BATCH, &count, &r[0], &r[1], &r[2], &r[3], &r[4], &r[5], &r[6],
				&r[7], &r[8], &r[9], &r[10], &r[11]) || count == 0)
			break;
		taken += count;
		for (size_t i = 0; i < count; i++) {
			int64_t fd = full ? -EMFILE : install(&what[i], r[i], close_on_exec);
			if (full)
				client_release_right(r[i]);
			full = fd < 0;
			if (!full)
				fds[made++] = (int32_t)fd;
		}
	}
	if (taken < result->descriptors)
		bundle_discard(result->bundle);
	return made;
}

static int64_t put_rights(struct control_room *room, const struct net_received *result, bool close_on_exec)
{
	int32_t fds[L_SCM_MAX_FD];
	size_t limit = room->left > sizeof(struct linux_cmsghdr) ? (room->left - sizeof(struct linux_cmsghdr)) / sizeof(fds[0]) : 0;
	size_t made = collect(result, limit < L_SCM_MAX_FD ? limit : L_SCM_MAX_FD, fds, close_on_exec);

	if (made < result->descriptors)
		room->flags |= L_MSG_CTRUNC;
	return made ? put_element(room, L_SCM_RIGHTS, fds, made * sizeof(fds[0])) : 0;
}

int64_t control_put(struct linux_msghdr *header, const struct net_received *result, uint32_t flags)
{
	struct control_room room = { .user = (uint8_t *)header->control, .left = header->control ? header->controllen : 0 };
	struct linux_ucred ucred = { (int32_t)result->pid, result->uid, result->gid };
	int64_t error = 0;

	if (result->has_credentials)
		error = put_element(&room, L_SCM_CREDENTIALS, &ucred, sizeof(ucred));
	if (result->bundle && error)
		bundle_discard(result->bundle);
	else if (result->bundle)
		error = put_rights(&room, result, flags & L_MSG_CMSG_CLOEXEC);
	header->controllen = room.used;
	header->flags |= room.flags;
	return error;
}
