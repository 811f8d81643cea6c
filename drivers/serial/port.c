/*
 * Port I/O through the kernel: results land in rax, strings go through the send page. Each access is done once: what a
 * register gave is logged, and a byte that was sent is not sent again.
 */
#include "serial.h"
#include <portico/client.h>
#include <portico/strings.h>

uint8_t port_read(port_name_t ports, unsigned reg)
{
	int64_t value = server_trap(TRAP_ioport_read, ports, reg, 1, 0, 0, 0);

	return value < 0 ? 0xff : (uint8_t)value;
}

void port_write(port_name_t ports, unsigned reg, uint8_t value)
{
	(void)server_trap(TRAP_ioport_write, ports, reg, 1, value, 0, 0);
}

void port_write_bytes(port_name_t ports, unsigned reg, const uint8_t *bytes, size_t count)
{
	memcpy(client_send_page()->data, bytes, count);
	(void)server_trap(TRAP_ioport_write_string, ports, reg, count, 0, 0, 0);
}
