/*
 * The end of the system: one line that says how, then power off or reboot.
 */
#include "root.h"
#include <portico/client.h>

int power_exit_status(int32_t wait_status)
{
	int signal = wait_status & 0x7f;

	return signal != 0 ? 128 + signal : wait_status >> 8 & 0xff;
}

void power_end(uint32_t action, int32_t wait_status)
{
	root->ending = true;
	server_log("exit status %d", power_exit_status(wait_status));
	power_off(action);
}

void power_off(uint32_t action)
{
	int64_t status = trap2(TRAP_system_power, NAME_MACHINE, action);

	root->ending = false;
	server_log("power: status %d", (int)status);
}
