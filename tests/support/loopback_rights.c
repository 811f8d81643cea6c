/*
 * Loopback: the tables of ports, rights and regions. See loopback.h.
 */
#include "loopback_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct region {
	uint8_t *address;
	size_t size;
	enum loopback_side side;
};

/* Send rights made for a badge of a port since it had none. */
struct made {
	struct made *next;
	struct port *port;
	uint64_t badge, count;
};

static struct port *ports;
static struct right **rights;
static size_t rights_size;
static struct region *regions;
static size_t regions_size;
static struct made *made;
static void (*no_senders)(uint64_t badge, uint64_t made);
static port_name_t next_name;

/* libserver/host's table of rights to the service port, where it is linked. */
__attribute__((weak)) bool server_own_badge(port_name_t name, uint64_t *badge);

_Noreturn void loopback_fail(const char *what, uint64_t value)
{
	fprintf(stderr, "loopback: %s: 0x%llx\n", what, (unsigned long long)value);
	abort();
}

struct port *loopback_new_port(void)
{
	struct port *port = calloc(1, sizeof(*port));
	port->next = ports;
	ports = port;
	return port;
}

struct right *loopback_find(port_name_t name)
{
	for (size_t i = 0; name != PORT_NULL && i < rights_size; i++) {
		if (rights[i]->name == name)
			return rights[i];
	}
	return NULL;
}

struct right *loopback_new_right(struct port *port, uint32_t kind, enum loopback_side side, uint64_t badge,
                                 uint32_t flags)
{
	size_t i = 0;
	while (i < rights_size && rights[i]->name != PORT_NULL)
		i++;
	if (i == rights_size) {
		rights = realloc(rights, ++rights_size * sizeof(*rights));
		rights[i] = malloc(sizeof(**rights));
	}
	next_name += 0x101; /* a fresh index and generation: stale names never come back */
	*rights[i] = (struct right){
	        .name = next_name, .kind = kind, .side = side, .badge = badge, .flags = flags, .port = port};
	return rights[i];
}

void loopback_count_made(struct port *port, uint64_t badge)
{
	struct made *m = made;
	while (m && (m->port != port || m->badge != badge))
		m = m->next;
	if (!m) {
		m = calloc(1, sizeof(*m));
		*m = (struct made){.next = made, .port = port, .badge = badge};
		made = m;
	}
	m->count++;
}

/* As the kernel, which counts anew when there are none left. */
static uint64_t take_made_count(const struct port *port, uint64_t badge)
{
	for (struct made *m = made; m; m = m->next) {
		if (m->port == port && m->badge == badge) {
			uint64_t count = m->count;
			m->count = 0;
			return count;
		}
	}
	return 0;
}

static bool has_senders(const struct port *port, uint64_t badge)
{
	for (size_t i = 0; i < rights_size; i++) {
		if (rights[i]->name != PORT_NULL && rights[i]->kind == RIGHT_SEND && rights[i]->port == port &&
		    rights[i]->badge == badge)
			return true;
	}
	return false;
}

void loopback_remove(struct right *right)
{
	struct right old = *right;
	right->name = PORT_NULL;
	if (old.kind == RIGHT_SEND && old.port->service && no_senders && !has_senders(old.port, old.badge))
		no_senders(old.badge, take_made_count(old.port, old.badge));
	if (old.kind == RIGHT_RECEIVE)
		old.port->dead = true;
	if (old.reply && !old.reply->answered) {
		old.reply->answered = true; /* KERN_NO_REPLY */
		old.reply->page.header = (struct msg_header){.kind = MSG_REPLY, .ordinal = EIO};
	}
}

void loopback_release(port_name_t name)
{
	struct right *right = loopback_find(name);
	uint64_t badge;
	if (!right && server_own_badge && server_own_badge(name, &badge))
		return; /* one of libserver/host's own */
	if (!right)
		loopback_fail("release of a name that is not there", name);
	loopback_remove(right);
}

port_name_t loopback_connect(port_name_t receive, uint64_t badge)
{
	struct right *right = loopback_find(receive);
	if (!right || right->kind != RIGHT_RECEIVE)
		loopback_fail("not a receive right", receive);
	loopback_count_made(right->port, badge);
	return loopback_new_right(right->port, RIGHT_SEND, LOOPBACK_CLIENT, badge, 0)->name;
}

port_name_t loopback_port(void)
{
	return loopback_new_right(loopback_new_port(), RIGHT_RECEIVE, LOOPBACK_CLIENT, 0, 0)->name;
}

port_name_t loopback_stray(enum loopback_side side, uint32_t kind)
{
	return loopback_new_right(loopback_new_port(), kind, side, 0, 0)->name;
}

void loopback_on_no_senders(void (*handler)(uint64_t badge, uint64_t made))
{
	no_senders = handler;
}

port_name_t loopback_service(const struct server_interface *interface)
{
	struct port *port = loopback_new_port();
	port->interface = interface;
	struct right *right = loopback_new_right(port, RIGHT_RECEIVE, LOOPBACK_SERVER, 0, 0);
	right->fixture = true;
	return right->name;
}

port_name_t loopback_server_right(port_name_t receive, uint64_t badge)
{
	struct right *right = loopback_find(loopback_connect(receive, badge));
	right->side = LOOPBACK_SERVER;
	right->flags = RIGHT_MINT;
	right->fixture = true;
	return right->name;
}

port_name_t loopback_name_of(enum loopback_side side, port_name_t receive)
{
	const struct right *right = loopback_find(receive);
	for (size_t i = 0; right && i < rights_size; i++) {
		if (rights[i]->name && rights[i]->kind == RIGHT_SEND && rights[i]->side == side &&
		    rights[i]->port == right->port)
			return rights[i]->name;
	}
	return PORT_NULL;
}

uint32_t loopback_kind(port_name_t name)
{
	struct right *right = loopback_find(name);
	return right ? right->kind : RIGHT_NONE;
}

uint64_t loopback_badge(port_name_t name)
{
	struct right *right = loopback_find(name);
	return right ? right->badge : 0;
}

bool loopback_same_port(port_name_t a, port_name_t b)
{
	struct right *first = loopback_find(a), *second = loopback_find(b);
	return first && second && first->port == second->port;
}

void loopback_kill(port_name_t receive)
{
	struct right *right = loopback_find(receive);
	if (!right || right->kind != RIGHT_RECEIVE)
		loopback_fail("not a receive right", receive);
	loopback_remove(right);
}

size_t loopback_rights(enum loopback_side side)
{
	size_t count = 0;
	for (size_t i = 0; i < rights_size; i++)
		count += rights[i]->name != PORT_NULL && rights[i]->side == side && !rights[i]->fixture;
	return count;
}

size_t loopback_regions(enum loopback_side side)
{
	size_t count = 0;
	for (size_t i = 0; i < regions_size; i++)
		count += regions[i].address && regions[i].side == side;
	return count;
}

void *loopback_region(enum loopback_side side, size_t size)
{
	size_t whole = (size + 4095) & ~(size_t)4095, i = 0;
	while (i < regions_size && regions[i].address)
		i++;
	if (i == regions_size)
		regions = realloc(regions, ++regions_size * sizeof(*regions));
	regions[i] = (struct region){aligned_alloc(4096, whole ? whole : 4096), size, side};
	if (!regions[i].address)
		loopback_fail("no memory for a region", size);
	memset(regions[i].address, 0, whole);
	return regions[i].address;
}

void loopback_unmap(uint64_t address, uint64_t size)
{
	for (size_t i = 0; i < regions_size; i++) {
		if (regions[i].address && (uint64_t)(uintptr_t)regions[i].address == address &&
		    regions[i].size == size) {
			free(regions[i].address);
			regions[i].address = NULL;
			return;
		}
	}
	loopback_fail("unmap of a region that is not there", address);
}

void loopback_rights_reset(void)
{
	for (size_t i = 0; i < rights_size; i++)
		free(rights[i]);
	free(rights);
	rights = NULL;
	rights_size = 0;
	for (size_t i = 0; i < regions_size; i++)
		free(regions[i].address);
	free(regions);
	regions = NULL;
	regions_size = 0;
	for (struct port *next; ports; ports = next) {
		next = ports->next;
		free(ports);
	}
	for (struct made *next; made; made = next) {
		next = made->next;
		free(made);
	}
	no_senders = NULL;
	next_name = 0x100;
	struct port *port = loopback_new_port();
	port->service = true;
	struct right *right = loopback_new_right(port, RIGHT_RECEIVE, LOOPBACK_SERVER, 0, 0);
	right->name = NAME_SERVICE;
	right->fixture = true;
}
