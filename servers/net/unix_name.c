/*
 * Names of local sockets: abstract ones (a zero byte and then any bytes), and socket files, which are known by the number that vfs gave to each.
 */
#include "unix.h"

#include <portico/strings.h>

#define AUTOMATIC_NAMES 0x100000u /* five hexadecimal digits */

void unix_names_initialise(void)
{
	root->unix_names = keep_allocate(sizeof(*root->unix_names));
	if (root->unix_names == NULL)
		server_panic("net: no memory for names");
}

static uint32_t family_number(const uint8_t *address)
{
	return (uint32_t)address[0] | (uint32_t)address[1] << 8;
}

int unix_check_address(const uint8_t *address, size_t size)
{
	return size <= UNIX_PATH_OFFSET || size > UNIX_ADDRESS_MAX || family_number(address) != AF_UNIX ? EINVAL : 0;
}

static bool is_abstract(const uint8_t *address)
{
	return address[UNIX_PATH_OFFSET] == 0;
}

/* ---- the table ---- */

static struct unix_name **bucket_of(uint32_t type, const uint8_t *address, size_t size, uint64_t node)
{
	uint32_t hash = node != 0 ? (uint32_t)node : type;

	for (size_t i = UNIX_PATH_OFFSET; node == 0 && i < size; i++)
		hash = hash * 31 + address[i];
	return &root->unix_names->bucket[(hash ^ hash >> 16) % UNIX_NAME_BUCKETS];
}

/* Abstract names are the type's own, as on Linux: the same name with another type is another name. */
static struct unix_name *look_up(uint32_t type, const uint8_t *address, size_t size, uint64_t node)
{
	struct unix_name *name = *bucket_of(type, address, size, node);

	for (; name != NULL; name = name->next) {
		if (node != 0 ? name->node == node
		              : name->node == 0 && name->owner->socket.type == type && name->size == size && memcmp(name->address, address, size) == 0)
			break;
	}
	return name;
}

static int give_name(struct unix_socket *u, const uint8_t *address, size_t size, uint64_t node)
{
	struct unix_name *name = keep_allocate(sizeof(*name));
	struct unix_name **bucket = bucket_of(u->socket.type, address, size, node);

	if (name == NULL)
		return ENOMEM;
	name->references = 1;
	name->owner = u;
	name->node = node;
	name->size = (uint32_t)size;
	memcpy(name->address, address, size);
	name->next = *bucket;
	*bucket = name;
	u->name = name;
	return 0;
}

void unix_name_leave(struct unix_socket *u)
{
	struct unix_name *name = u->name;

	if (name == NULL || name->owner != u)
		return;
	struct unix_name **link = bucket_of(u->socket.type, name->address, name->size, name->node);
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	name->next = NULL;
	name->owner = NULL;
}

void unix_name_put(struct unix_name *name)
{
	if (name != NULL && --name->references == 0)
		keep_free(name);
}

/* ---- bind ---- */

int unix_bind_automatic(struct unix_socket *u)
{
	uint8_t address[UNIX_PATH_OFFSET + 1 + 6] = {AF_UNIX};
	size_t size = sizeof(address) - 1;

	if (u->name != NULL)
		return 0;
	for (uint32_t tries = 0; tries < AUTOMATIC_NAMES; tries++) {
		uint32_t number = root->unix_names->next_automatic++ % AUTOMATIC_NAMES;
		snprintf((char *)address + UNIX_PATH_OFFSET + 1, 6, "%05x", number);
		if (look_up(u->socket.type, address, size, 0) == NULL)
			return give_name(u, address, size, 0);
	}
	return ENOMEM;
}

static int bind_file(struct unix_socket *u, const uint8_t *address, size_t size, uint64_t node)
{
	uint8_t whole[UNIX_NAME_MAX] = {0};
	size_t length = strnlen((const char *)address + UNIX_PATH_OFFSET, size - UNIX_PATH_OFFSET);

	if (node == 0 || look_up(u->socket.type, address, size, node) != NULL)
		return EINVAL; /* the right was shown twice */
	memcpy(whole, address, UNIX_PATH_OFFSET + length);
	return give_name(u, whole, UNIX_PATH_OFFSET + length + 1, node); /* the zero byte counts */
}

int unix_bind(struct socket *s, const uint8_t *address, size_t size, uint64_t node)
{
	struct unix_socket *u = unix_of(s);

	if (size == UNIX_PATH_OFFSET && family_number(address) == AF_UNIX)
		return unix_bind_automatic(u);
	int error = unix_check_address(address, size);
	if (error != 0)
		return error;
	if (u->name != NULL)
		return EINVAL;
	if (!is_abstract(address))
		return bind_file(u, address, size, node);
	return look_up(s->type, address, size, 0) != NULL ? EADDRINUSE : give_name(u, address, size, 0);
}

/* ---- looking for somebody ---- */

int unix_find(struct socket *s, const uint8_t *address, size_t size, uint64_t node, struct socket **to)
{
	*to = NULL;
	if (s->type == SOCK_DGRAM && size >= UNIX_PATH_OFFSET && family_number(address) == AF_UNSPEC)
		return 0;
	int error = unix_check_address(address, size);
	if (error != 0)
		return error;
	if (!is_abstract(address) && node == 0)
		return ECONNREFUSED;
	const struct unix_name *name = look_up(s->type, address, size, is_abstract(address) ? 0 : node);
	if (name == NULL)
		return ECONNREFUSED;
	if (name->owner->socket.type != s->type)
		return EPROTOTYPE;
	*to = &name->owner->socket;
	socket_get(*to);
	return 0;
}
