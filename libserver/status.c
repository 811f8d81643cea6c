/*
 * A kernel status as an errno, for servers. Guest and host.
 */
#include <portico/client.h>
#include <portico/status_errno.h>

int kern_errno(int64_t status)
{
	return status_errno(status, EINTR);
}
