/*
 * Interface root: names, modules, options, device rights, power, clock, log. A caller may have what its line of the
 * boot plan says.
 *
 * Rights that are handed out are made once a server and kept, so that asking again costs nothing and a restarted server
 * gets the same ones.
 */
#include "root.h"
#include <portico/client.h>
#include <portico/strings.h>
#include <root_server.h>

struct root_client *root_client_get(struct server_call *call)
{
	if (call->port == root->supervisor || call->badge == 0 || call->badge > root_plan_count)
		return NULL;
	return &root->client[call->badge - 1];
}

void root_client_put(struct root_client *object)
{
	(void)object;
}

static const struct root_plan *plan_of(const struct root_client *client)
{
	return &root_plan[client - root->client];
}

static struct root_client *server_named(const char *name)
{
	for (unsigned i = 0; i < root_plan_count; i++)
		if (strcmp(root_plan[i].name, name) == 0)
			return &root->client[i];
	return NULL;
}

/* The port of which rights for a grant are made. */
static port_name_t grantor(const struct root_grant *grant)
{
	const struct root_client *server;

	if (strcmp(grant->server, "root") == 0)
		return root->supervisor;
	server = server_named(grant->server);
	return server != NULL ? server->service : PORT_NULL;
}

int root_serve_lookup(struct server_call *call, struct root_client *client, const char *name, struct server_port *port)
{
	const struct root_plan *plan = plan_of(client);

	(void)call;
	for (unsigned i = 0; i < ROOT_GRANTS && plan->grant[i].name != NULL; i++) {
		const struct root_grant *grant = &plan->grant[i];

		if (strcmp(grant->name, name) != 0)
			continue;
		port_name_t service = grantor(grant);
		if (service == PORT_NULL)
			return ENOENT;
		if (client->granted[i] == PORT_NULL) {
			int64_t made =
			        server_trap(TRAP_right_make, service, grant->badge, grant->flags, PORT_NULL, 0, 0);
			if (made < 0)
				return kern_errno(made);
			client->granted[i] = (port_name_t)made;
		}
		port->name = client->granted[i];
		return 0;
	}
	return server_named(name) != NULL ? EACCES : ENOENT;
}

int root_serve_module(struct server_call *call, struct root_client *client, const char *name,
                      struct server_port *object, uint64_t *size)
{
	(void)call;
	if (!plan_of(client)->modules)
		return EACCES;
	const struct root_module *module = module_find(name);
	if (module == NULL)
		return ENOENT;
	object->name = module->object;
	*size = module->size;
	return 0;
}

int root_serve_option(struct server_call *call, struct root_client *client, const char *name, char *value)
{
	(void)call;
	(void)client;
	return option_find(root->command_line, name, value, OPTION_MAX + 1);
}

int root_serve_interrupt(struct server_call *call, struct root_client *client, uint32_t line,
                         struct server_port *interrupt)
{
	const struct root_plan *plan = plan_of(client);

	(void)call;
	for (unsigned i = 0; i < 4 && plan->line[i] != 0; i++) {
		if (plan->line[i] != line)
			continue;
		if (client->interrupt[i] == PORT_NULL) {
			int64_t made = server_trap(TRAP_machine_interrupt, NAME_MACHINE, line, PORT_NULL, 0, 0, 0);
			if (made < 0)
				return kern_errno(made);
			client->interrupt[i] = (port_name_t)made;
		}
		interrupt->name = client->interrupt[i];
		return 0;
	}
	return EACCES;
}

int root_serve_ioports(struct server_call *call, struct root_client *client, uint32_t first, uint32_t count,
                       struct server_port *ports)
{
	const struct root_plan *plan = plan_of(client);

	(void)call;
	for (unsigned i = 0; i < 4 && plan->ports[i].count != 0; i++) {
		if (plan->ports[i].first != first || plan->ports[i].count != count)
			continue;
		if (client->ports[i] == PORT_NULL) {
			int64_t made = server_trap(TRAP_machine_ioports, NAME_MACHINE, first, count, PORT_NULL, 0, 0);
			if (made < 0)
				return kern_errno(made);
			client->ports[i] = (port_name_t)made;
		}
		ports->name = client->ports[i];
		return 0;
	}
	return EACCES;
}

int root_serve_power(struct server_call *call, struct root_client *client, uint32_t action, int32_t status)
{
	(void)call;
	if (!plan_of(client)->power || action > POWER_PANIC)
		return EACCES;
	if (action == POWER_PANIC || status < 0)
		power_off(action);
	else
		power_end(action, status);
	return EIO;
}

int root_serve_set_clock(struct server_call *call, struct root_client *client, int64_t realtime_offset)
{
	(void)call;
	if (!plan_of(client)->power)
		return EACCES;
	return kern_errno(server_trap(TRAP_clock_set, NAME_MACHINE, (uint64_t)realtime_offset, 0, 0, 0, 0));
}

int root_serve_log(struct server_call *call, struct root_client *client, const char *text)
{
	(void)call;
	server_log("%s: %s", plan_of(client)->name, text);
	return 0;
}
