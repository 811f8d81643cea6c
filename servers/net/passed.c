/*
 * Descriptors in flight: sets of them, and bundles by which processes name sets. Handlers of `stage`, `collect`, `discard`.
 *
 * The rights lie in this server's space under the names that are in the sets. A socket of our own is a reference (socket_flies) instead: its
 * right goes back at once, so that rights are what processes hold, and a new one is made when it is collected.
 */
#include "net.h"

#include "kernel_ops.h"
#include <net_server.h>
#include <portico/net_badge.h>
#include <portico/strings.h>
#include <vfs_types.h>

#define USER_IN_FLIGHT 1024u /* Linux: RLIMIT_NOFILE */
#define BATCH NET_PASSED_BATCH
enum description_type { TYPE_SERVER = 0, TYPE_EVENT = 1, TYPE_TIMER = 2, TYPE_SIGNAL = 3 }; /* of libposix/fd.h */

/* ---- sets ---- */

static void item_drop(struct passed *item)
{
	server_release_right(item->right);
	if (item->socket != NULL)
		socket_lands(item->socket);
	item->right = PORT_NULL;
	item->socket = NULL;
}

void set_put(struct passed_set *set)
{
	if (set == NULL || --set->references != 0)
		return;
	for (uint32_t i = 0; i < set->count; i++)
		item_drop(&set->item[i]);
	set->account->in_flight -= set->count;
	account_put(set->account);
	keep_free(set);
}

static struct passed_set *set_new(const struct server_session *s, uint32_t room)
{
	struct account *account = account_of(s->uid);
	struct passed_set *set = account != NULL ? keep_allocate(sizeof(*set) + room * sizeof(set->item[0])) : NULL;

	if (set == NULL) {
		if (account != NULL)
			account_put(account);
		return NULL;
	}
	set->references = 1;
	set->room = room;
	set->account = account;
	return set;
}

/* ---- bundles ---- */

struct bundle *bundle_find(const struct process *p, uint64_t number)
{
	struct bundle *bundle = p != NULL ? p->bundles : NULL;

	while (bundle != NULL && bundle->number != number)
		bundle = bundle->next;
	return bundle;
}

struct bundle *bundle_new(struct process *p, struct passed_set *set)
{
	struct bundle *bundle = p != NULL ? keep_allocate(sizeof(*bundle)) : NULL;

	if (bundle == NULL)
		return NULL;
	bundle->process = p;
	bundle->number = ++root->next_bundle;
	bundle->set = set;
	bundle->next = p->bundles;
	p->bundles = bundle;
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	struct bundle **link = &bundle->process->bundles;

	while (*link != bundle)
		link = &(*link)->next;
	*link = bundle->next;
	set_put(bundle->set);
	collect_later();
	keep_free(bundle);
}

int bundle_set(const struct server_session *s, uint64_t number, struct passed_set **set)
{
	*set = NULL;
	if (number == 0)
		return 0;
	const struct bundle *bundle = bundle_find(s->own, number);
	if (bundle == NULL || bundle->taken != 0)
		return EINVAL;
	*set = bundle->set;
	(*set)->references++;
	return 0;
}

void bundle_used(const struct server_session *s, uint64_t number)
{
	struct bundle *bundle = s != NULL && number != 0 ? bundle_find(s->own, number) : NULL;

	if (bundle != NULL)
		bundle_free(bundle);
}

/* ---- stage ---- */

/* Whose port is it? False: of no server of the system. */
static bool known_server(uint64_t port, uint8_t *server)
{
	for (unsigned i = 0; i < KNOWN_SERVERS; i++) {
		if (root->port[i] == port && port != 0) {
			*server = (uint8_t)i;
			return true;
		}
	}
	return false;
}

/* Fills an item; takes the right. 0 or EBADF. */
static int item_fill(struct passed *item, const struct net_passed *what, port_name_t *right)
{
	uint32_t kind;
	uint64_t id, badge;

	item->what = *what;
	item->what.server = VFS_SERVER_ID_VFS;
	if (*right == PORT_NULL)
		return what->type == TYPE_SIGNAL ? 0 : EBADF;
	if (kernel_right_object(*right, &kind, &id, &badge) < 0)
		return EBADF;
	if (kind == KOBJ_MEMORY && (what->type == TYPE_EVENT || what->type == TYPE_TIMER)) {
		item->right = server_take(right);
		return 0;
	}
	if (kind != KOBJ_PORT || what->type != TYPE_SERVER || !known_server(id, &item->what.server))
		return EBADF;
	if (item->what.server != VFS_SERVER_ID_NET) {
		item->right = server_take(right);
		return 0;
	}
	item->socket = NET_BADGE_KIND(badge) == NET_BADGE_SOCKET ? socket_by_badge(badge) : NULL;
	if (item->socket == NULL)
		return EBADF;
	socket_flies(item->socket);
	return 0;
}

/* The bundle's set has room for `count` more. 0, EINVAL, ENOMEM. */
static int make_room(struct bundle *bundle, uint32_t count)
{
	struct passed_set *set = bundle->set;

	if (set->count + count > NET_PASSED_MAX || set->references != 1 || bundle->taken != 0)
		return EINVAL;
	if (set->count + count <= set->room)
		return 0;
	uint32_t room = set->count + count <= 2 * BATCH ? 2 * BATCH : NET_PASSED_MAX;
	set = keep_resize(set, sizeof(*set) + room * sizeof(set->item[0]));
	if (set == NULL)
		return ENOMEM;
	set->room = room;
	bundle->set = set;
	return 0;
}

static int may_fly(struct server_session *s, size_t count)
{
	const struct account *a = account_of(s->uid);
	bool few = a != NULL && a->in_flight + count <= USER_IN_FLIGHT;

	if (a != NULL)
		account_put((struct account *)a);
	return few || access_capable(s, CAPABILITY_SYS_RESOURCE) || access_capable(s, CAPABILITY_SYS_ADMIN) ? 0 : ETOOMANYREFS;
}

static int stage(struct server_session *s, struct bundle *bundle, const struct net_passed *what, size_t count, port_name_t *const rights[BATCH])
{
	int error = may_fly(s, count);

	if (error == 0)
		error = make_room(bundle, (uint32_t)count);
	for (size_t i = 0; i < count && error == 0; i++) {
		struct passed_set *set = bundle->set;
		error = item_fill(&set->item[set->count], &what[i], rights[i]);
		if (error == 0) {
			set->count++;
			set->account->in_flight++;
		}
	}
	return error;
}

int net_serve_stage(struct server_call *call, struct net_caller *object, uint64_t number, const struct net_passed *what, size_t count, port_name_t *p0,
                    port_name_t *p1, port_name_t *p2, port_name_t *p3, port_name_t *p4, port_name_t *p5, port_name_t *p6, port_name_t *p7,
                    port_name_t *p8, port_name_t *p9, port_name_t *p10, port_name_t *p11, uint64_t *made)
{
	port_name_t *const rights[BATCH] = {p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11};
	struct server_session *s = caller_of(call);
	struct process *p = s != NULL ? process_record(s) : NULL;
	struct bundle *bundle = p != NULL ? bundle_find(p, number) : NULL;

	(void)object;
	if (p == NULL)
		return s == NULL ? EINVAL : ENOMEM;
	if (count == 0 || (number != 0 && bundle == NULL))
		return EINVAL;
	if (number == 0) {
		struct passed_set *set = set_new(s, count == 1 ? 1 : BATCH);
		bundle = set != NULL ? bundle_new(p, set) : NULL;
		if (bundle == NULL) {
			set_put(set);
			return ENOMEM;
		}
	}
	int error = stage(s, bundle, what, count, rights);
	if (error == 0)
		*made = bundle->number;
	else
		bundle_free(bundle);
	sockets_settle();
	return error;
}

/* ---- collect ---- */

/* A name of ours that can be moved to who collects. The item keeps its own, if others have the set, too. PORT_NULL: no memory; or there is none. */
static port_name_t item_name(const struct passed_set *set, const struct passed *item)
{
	if (item->socket != NULL)
		return socket_right(item->socket);
	if (item->right == PORT_NULL || set->references == 1)
		return item->right;
	int64_t name = kernel_right_copy(item->right);
	return name < 0 ? PORT_NULL : (port_name_t)name;
}

static bool has_right(const struct passed *item)
{
	return item->socket != NULL || item->right != PORT_NULL;
}

/* Names for `count` items from `item` on. 0, or ENOMEM: none was made. */
static int take_names(const struct passed_set *set, const struct passed *item, uint32_t count, struct server_port *const ports[BATCH])
{
	for (uint32_t i = 0; i < count; i++) {
		ports[i]->name = item_name(set, &item[i]);
		if (ports[i]->name != PORT_NULL || !has_right(&item[i]))
			continue;
		while (i-- > 0) {
			if (ports[i]->name != item[i].right)
				server_release_right(ports[i]->name);
		}
		return ENOMEM;
	}
	return 0;
}

int net_serve_collect(struct server_call *call, struct net_caller *object, uint64_t number, uint32_t count, struct net_passed *what, size_t *what_count,
                      struct server_port *p0, struct server_port *p1, struct server_port *p2, struct server_port *p3, struct server_port *p4,
                      struct server_port *p5, struct server_port *p6, struct server_port *p7, struct server_port *p8, struct server_port *p9,
                      struct server_port *p10, struct server_port *p11)
{
	struct server_port *const ports[BATCH] = {p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11};
	const struct server_session *s = caller_of(call);
	struct bundle *bundle = s != NULL ? bundle_find(s->own, number) : NULL;

	(void)object;
	if (bundle == NULL || count == 0)
		return EINVAL;
	struct passed_set *set = bundle->set;
	struct passed *item = &set->item[bundle->taken];
	if (count > BATCH)
		count = BATCH;
	if (count > set->count - bundle->taken)
		count = set->count - bundle->taken;
	int error = take_names(set, item, count, ports);
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < count; i++) {
		what[i] = item[i].what;
		if (set->references == 1) {
			item[i].right = PORT_NULL; /* moved by the reply */
			item_drop(&item[i]);
		}
	}
	*what_count = count;
	bundle->taken += count;
	if (bundle->taken == set->count)
		bundle_free(bundle);
	sockets_settle();
	return 0;
}

int net_serve_discard(struct server_call *call, struct net_caller *object, uint64_t number)
{
	const struct server_session *s = caller_of(call);
	struct bundle *bundle = s != NULL ? bundle_find(s->own, number) : NULL;

	(void)object;
	if (bundle == NULL)
		return EINVAL;
	bundle_free(bundle);
	sockets_settle();
	return 0;
}
