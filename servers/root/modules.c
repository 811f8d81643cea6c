/*
 * Boot modules and the command line, as the kernel hands them over (trap module_get).
 */
#include "root.h"
#include <portico/client.h>
#include <portico/strings.h>

static void read_command_line(const struct root_module *module)
{
	size_t length = module->size < COMMAND_LINE_MAX - 1 ? module->size : COMMAND_LINE_MAX - 1;
	int64_t n = trap4(TRAP_object_read, module->object, 0, (uint64_t)root->command_line, length);

	root->command_line[n > 0 ? n : 0] = '\0';
}

static bool read_module(unsigned index)
{
	const struct portico_block *block = (const struct portico_block *)SERVER_ENDPOINT;
	struct root_module *module = &root->module[root->modules];

	if (trap2(TRAP_module_get, NAME_MACHINE, index) < 0)
		return false;
	module->object = (port_name_t)block->result[0];
	module->size = block->result[1];
	size_t length = strnlen((const char *)client_send_page()->data, sizeof(module->name) - 1);
	memcpy(module->name, client_send_page()->data, length);
	module->name[length] = '\0';
	root->modules++;
	return true;
}

void modules_read(void)
{
	unsigned index = 0;

	while (root->modules < ROOT_MODULES && read_module(index))
		index++;
	const struct root_module *line = module_find("cmdline");
	if (line != NULL)
		read_command_line(line);
}

const struct root_module *module_find(const char *name)
{
	for (unsigned i = 0; i < root->modules; i++)
		if (strcmp(root->module[i].name, name) == 0)
			return &root->module[i];
	return NULL;
}
