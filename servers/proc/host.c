/*
 * The machine as a whole: names, load, the wall clock, reboot(2).
 */
#include "kernel_ops.h"
#include "proc.h"

#include <portico/strings.h>
#include <proc_server.h>
#include <root_client.h>

int proc_serve_set_host_name(struct server_call *call, struct proc_right *right, uint8_t domain, const char *name)
{
	(void)right;
	const struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (domain > 1)
		return EINVAL;
	if (!has_capability(p, CAPABILITY_SYS_ADMIN))
		return EPERM;
	memset(root->host_name[domain], 0, sizeof(root->host_name[domain]));
	memcpy(root->host_name[domain], name, strnlen(name, HOST_NAME_MAX));
	return 0;
}

int proc_serve_host_name(struct server_call *call, struct proc_right *right, uint8_t domain, char *name)
{
	(void)call;
	(void)right;
	memcpy(name, root->host_name[domain != 0], HOST_NAME_MAX + 1);
	return 0;
}

int proc_serve_system(struct server_call *call, struct proc_right *right, struct proc_system_information *result)
{
	(void)call;
	(void)right;
	struct kernel_info info;
	kernel_information(&info);
	result->uptime_ns = server_now();
	result->memory_total = info.memory_total;
	result->memory_free = info.memory_free;
	result->processes = root->process_count;
	for (uint32_t i = 0; i < 3; i++)
		result->load[i] = info.load[i];
	for (const struct process *p = root->first; p; p = p->next)
		result->running += p->state == PROCESS_ALIVE && !p->stopped;
	return 0;
}

enum reboot_command {
	REBOOT_RESTART = 0x01234567,
	REBOOT_HALT = (int)0xcdef0123,
	REBOOT_POWER_OFF = 0x4321fedc,
	REBOOT_KEYS_ON = (int)0x89abcdef,
	REBOOT_KEYS_OFF = 0,
};

int proc_serve_reboot(struct server_call *call, struct proc_right *right, uint32_t command)
{
	(void)right;
	const struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (!has_capability(p, CAPABILITY_SYS_BOOT))
		return EPERM;
	switch ((int)command) {
	case REBOOT_RESTART:
		return root_power(root->root, POWER_REBOOT, 0);
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		return root_power(root->root, POWER_OFF, 0);
	case REBOOT_KEYS_ON: /* there is no key combination to switch */
	case REBOOT_KEYS_OFF:
		return 0;
	default:
		return EINVAL;
	}
}

int proc_serve_set_clock(struct server_call *call, struct proc_right *right, int64_t realtime_ns)
{
	(void)right;
	const struct process *p = process_of_principal(call->principal);
	if (!p)
		return ESRCH;
	if (!has_capability(p, CAPABILITY_SYS_TIME))
		return EPERM;
	if (realtime_ns < 0)
		return EINVAL;
	return root_set_clock(root->root, realtime_ns - (int64_t)server_now());
}
